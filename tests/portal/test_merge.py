"""Merging records, and deleting contacts for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

CONTACTS = "/crm/v3/objects/contacts"
COMPANIES = "/crm/v3/objects/companies"


def merge(ask: Any, object_type: str, primary: str, other: str) -> Any:
    body = {"primaryObjectId": primary, "objectIdToMerge": other}
    return ask.post(f"/crm/v3/objects/{object_type}/merge", body)


def link(ask: Any, contact: str, company: str, type_id: int) -> None:
    body = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
    path = f"/crm/v4/objects/contacts/{contact}/associations/companies/{company}"
    assert ask("PUT", path, body).status == 201


def linked(ask: Any, path: str) -> dict[int, list[int]]:
    answer = ask.get(path)
    assert answer.status == 200, answer.body
    return {
        each["toObjectId"]: [kind["typeId"] for kind in each["associationTypes"]]
        for each in answer.json()["results"]
    }


def test_the_primary_record_keeps_its_values_and_gets_what_it_lacks(ask: Any, clock: Any) -> None:
    primary = ask.contact(email="a@example.com", firstname="A", lifecyclestage="lead")
    other = ask.contact(email="b@example.com", firstname="B", city="Bled", lifecyclestage="customer")
    clock.now += 5
    answer = merge(ask, "contacts", primary, other)
    body = answer.json()
    assert (answer.status, body["id"], body["archived"]) == (200, primary, False)
    expected = {
        "email": "a@example.com",
        "hs_additional_emails": "b@example.com",
        "firstname": "A",
        "city": "Bled",
        "lifecyclestage": "customer",
    }
    assert {name: body["properties"][name] for name in expected} == expected
    assert body["updatedAt"] > body["createdAt"]
    asked = "properties=hs_merged_object_ids&propertiesWithHistory=city"
    read = ask.get(f"{CONTACTS}/{primary}?{asked}").json()
    assert read["properties"]["hs_merged_object_ids"] == other
    [city] = read["propertiesWithHistory"]["city"]
    assert (city["value"], city["sourceType"]) == ("Bled", "MERGE_OBJECTS")


def test_the_merged_id_leads_to_the_primary_record(ask: Any) -> None:
    first, second, third = (ask.contact(firstname=name) for name in "abc")
    assert merge(ask, "contacts", second, third).status == merge(ask, "contacts", first, second).status == 200
    for id in (second, third):
        assert ask.get(f"{CONTACTS}/{id}").json()["id"] == first
        [read] = ask.post(f"{CONTACTS}/batch/read", {"inputs": [{"id": id}]}).json()["results"]
        assert read["id"] == first
    assert [each["id"] for each in ask.get(CONTACTS).json()["results"]] == [first]
    assert [each["id"] for each in ask.post(f"{CONTACTS}/search", {}).json()["results"]] == [first]
    assert ask.get(f"{CONTACTS}?archived=true").json()["results"] == []
    changed = ask("PATCH", f"{CONTACTS}/{third}", {"properties": {"city": "Bled"}})
    assert (changed.status, changed.json()["id"]) == (200, first)


def test_both_addresses_identify_the_contact_and_are_taken(ask: Any) -> None:
    primary, other = ask.contact(email="a@example.com"), ask.contact(email="b@example.com")
    merge(ask, "contacts", primary, other)
    for address in ("a@example.com", "B@example.com"):
        assert ask.get(f"{CONTACTS}/{address}?idProperty=email").json()["id"] == primary
        answer = ask.post(CONTACTS, {"properties": {"email": address}})
        assert (answer.status, answer.json()["message"]) == (
            409,
            f"Contact already exists. Existing ID: {primary}",
        )
    ask("DELETE", f"{CONTACTS}/{primary}")
    assert ask.post(CONTACTS, {"properties": {"email": "b@example.com"}}).status == 201


def test_associations_move_and_there_is_one_primary_company(ask: Any) -> None:
    primary, other = ask.contact(firstname="a"), ask.contact(firstname="b")
    main, second, third = ask.company(name="1"), ask.company(name="2"), ask.company(name="3")
    link(ask, primary, main, 1)
    link(ask, other, second, 1)
    link(ask, other, third, 279)
    merge(ask, "contacts", primary, other)
    found = linked(ask, f"/crm/v4/objects/contacts/{primary}/associations/companies")
    assert found == {int(main): [279, 1], int(second): [279], int(third): [279]}
    assert linked(ask, f"/crm/v4/objects/companies/{second}/associations/contacts") == {int(primary): [280]}
    through_old = linked(ask, f"/crm/v4/objects/contacts/{other}/associations/companies")
    assert through_old == found


def test_a_merge_may_make_a_new_id(make_portal: Any, asker: Any) -> None:
    portal = make_portal(merge_makes_new_id=True)
    ask = asker(portal, portal.hubspot.tokens()["seeder"])
    company = ask.company()
    primary, other = ask.contact(email="a@example.com"), ask.contact(email="b@example.com")
    link(ask, primary, company, 1)
    body = merge(ask, "contacts", primary, other).json()
    assert body["id"] not in (primary, other)
    assert body["properties"]["email"] == "a@example.com"
    for id in (primary, other):
        assert ask.get(f"{CONTACTS}/{id}").json()["id"] == body["id"]
    assert linked(ask, f"/crm/v4/objects/contacts/{body['id']}/associations/companies") == {
        int(company): [279, 1]
    }


@pytest.mark.parametrize("vanish", [False, True])
def test_a_batch_update_that_names_a_merged_id(make_portal: Any, asker: Any, vanish: bool) -> None:
    portal = make_portal(merged_ids_vanish_from_batch_updates=vanish)
    ask = asker(portal, portal.hubspot.tokens()["seeder"])
    primary, other = ask.company(name="a"), ask.company(name="b")
    merge(ask, "companies", primary, other)
    answer = ask.post(
        f"{COMPANIES}/batch/update", {"inputs": [{"id": other, "properties": {"city": "Bled"}}]}
    )
    body = answer.json()
    assert (answer.status, "errors" in body) == (200, False)
    assert [each["id"] for each in body["results"]] == ([] if vanish else [primary])


def test_refused_merges(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    id, gone = ask.company(), ask.company()
    ask("DELETE", f"{COMPANIES}/{gone}")
    for primary, other in ((id, "7"), ("7", id), (id, gone), ("x", id)):
        answer = merge(ask, "companies", primary, other)
        assert (answer.status, refusal(answer)["message"]) == (404, "resource not found")
    answer = merge(ask, "companies", id, id)
    assert (answer.status, refusal(answer)["message"]) == (
        400,
        f"Record {id} cannot be merged with itself.",
    )
    answer = merge(ask, "notes", id, id)
    assert (answer.status, refusal(answer)["message"]) == (
        501,
        "Merging notes is not emulated by the local portal;"
        " emulated nearby: contacts, companies, deals, tickets.",
    )
    answer = ask.post(f"{COMPANIES}/merge", {"primaryObjectId": id})
    assert (answer.status, refusal(answer)["message"]) == (
        400,
        "Invalid input JSON on line 1, column 2. Some required fields were not set: [objectIdToMerge]",
    )


def test_no_record_takes_in_more_than_the_limit(
    ask: Any, refusal: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_crmseed.portal.hubspot.merge.LIMIT", 2)
    first, *others = (ask.company(name=str(number)) for number in range(4))
    for other in others[:2]:
        assert merge(ask, "companies", first, other).status == 200
    answer = merge(ask, "companies", first, others[2])
    assert (answer.status, refusal(answer)["message"]) == (
        414,
        f"Record {first} has taken in 2 records; no more can be merged.",
    )


# -- GDPR ---------------------------------------------------------------------------------------------


def forget(ask: Any, **body: str) -> int:
    status: int = ask.post(f"{CONTACTS}/gdpr-delete", body).status
    return status


def test_a_contact_that_is_deleted_for_good_is_in_no_list(ask: Any) -> None:
    by_id, by_email, archived = ask.contact(), ask.contact(email="a@example.com"), ask.contact()
    link(ask, by_id, ask.company(), 279)
    ask("DELETE", f"{CONTACTS}/{archived}")
    assert forget(ask, objectId=by_id) == forget(ask, objectId=archived) == 204
    assert forget(ask, objectId="A@example.com", idProperty="email") == 204
    for id in (by_id, by_email, archived):
        assert ask.get(f"{CONTACTS}/{id}").status == ask.get(f"{CONTACTS}/{id}?archived=true").status == 404
    assert forget(ask, objectId="7") == 204
    # The address of a contact that there was is free again.
    assert ask.post(CONTACTS, {"properties": {"email": "a@example.com"}}).status == 201


def test_an_unknown_address_is_blocked(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    assert forget(ask, objectId="Never@example.com", idProperty="email") == 204
    id = ask.contact()
    for method, path in (("POST", CONTACTS), ("PATCH", f"{CONTACTS}/{id}")):
        answer = ask(method, path, {"properties": {"email": "never@example.com"}})
        assert (answer.status, refusal(answer)["message"]) == (
            400,
            "Email address never@example.com is blocklisted: its owner asked for permanent deletion.",
        )
    ask.portal.reset()
    assert ask.post(CONTACTS, {"properties": {"email": "never@example.com"}}).status == 201


def test_only_contacts_are_deleted_for_good(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    answer = ask.post(f"{COMPANIES}/gdpr-delete", {"objectId": "1"})
    assert (answer.status, refusal(answer)["message"]) == (
        501,
        "The GDPR delete of companies is not emulated by the local portal; emulated nearby: contacts.",
    )
