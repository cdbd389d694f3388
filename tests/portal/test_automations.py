"""What the portal does by itself, and behaviour that hurts: every switch both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_crmseed.portal import Portal

CONTACTS = "/crm/v3/objects/contacts"
COMPANIES = "/crm/v3/objects/companies"


@pytest.fixture
def having(make_portal: Callable[..., Portal], asker: Any) -> Callable[..., Any]:
    def make(**behaviour: Any) -> Any:
        portal = make_portal(**behaviour)
        return asker(portal, portal.hubspot.tokens()["seeder"])

    return make


def link(ask: Any, from_type: str, from_id: str, to_type: str, to_id: str, type_id: int) -> None:
    body = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
    path = f"/crm/v4/objects/{from_type}/{from_id}/associations/{to_type}/{to_id}"
    assert ask("PUT", path, body).status == 201


def value(ask: Any, object_type: str, id: str, name: str) -> Any:
    return ask.get(f"/crm/v3/objects/{object_type}/{id}?properties={name}").json()["properties"][name]


def domains(ask: Any) -> list[str]:
    found = ask.get(f"{COMPANIES}?properties=domain").json()["results"]
    return [each["properties"]["domain"] for each in found]


def test_a_contact_makes_the_company_of_its_domain(having: Callable[..., Any]) -> None:
    ask = having(companies_from_email_domains=True)
    first = ask.contact(email="a@acorn.example")
    [company] = ask.get(f"{COMPANIES}?properties=name,domain").json()["results"]
    assert (company["properties"]["name"], company["properties"]["domain"]) == ("Acorn", "acorn.example")
    assert value(ask, "contacts", first, "associatedcompanyid") == company["id"]
    second = ask.contact(email="b@Acorn.example")
    assert value(ask, "contacts", second, "associatedcompanyid") == company["id"]
    third = ask.contact()
    ask("PATCH", f"{CONTACTS}/{third}", {"properties": {"email": "c@other.example"}})
    assert domains(ask) == ["acorn.example", "other.example"]


def test_an_existing_company_is_linked_and_a_primary_one_stays(having: Callable[..., Any]) -> None:
    ask = having(companies_from_email_domains=True)
    company = ask.company(domain="Acorn.example")
    contact = ask.contact(email="a@acorn.example")
    assert value(ask, "contacts", contact, "associatedcompanyid") == company
    ask("PATCH", f"{CONTACTS}/{contact}", {"properties": {"email": "a@new.example"}})
    assert value(ask, "contacts", contact, "associatedcompanyid") == company


@pytest.mark.parametrize("email", ["a@gmail.com", "a@out.example"])
def test_domains_that_make_no_company(having: Callable[..., Any], email: str) -> None:
    ask = having(companies_from_email_domains=True, email_domains_without_company=("Out.example",))
    ask.contact(email=email)
    ask.contact()
    assert domains(ask) == []


def test_by_default_no_company_is_made(ask: Any) -> None:
    ask.contact(email="a@acorn.example")
    assert domains(ask) == []


def test_lifecycle_stages_move_forward_only(ask: Any) -> None:
    id = ask.contact(lifecyclestage="customer")
    answer = ask("PATCH", f"{CONTACTS}/{id}", {"properties": {"lifecyclestage": "lead", "city": "Bled"}})
    body = answer.json()["properties"]
    assert (answer.status, body["lifecyclestage"], body["city"]) == (200, "customer", "Bled")
    for stage in ("", "lead", "opportunity"):
        ask("PATCH", f"{CONTACTS}/{id}", {"properties": {"lifecyclestage": stage}})
        assert value(ask, "contacts", id, "lifecyclestage") == (stage or None)


def test_lifecycle_stages_may_move_back(having: Callable[..., Any]) -> None:
    ask = having(lifecycle_moves_forward_only=False)
    id = ask.contact(lifecyclestage="customer")
    ask("PATCH", f"{CONTACTS}/{id}", {"properties": {"lifecyclestage": "lead"}})
    assert value(ask, "contacts", id, "lifecyclestage") == "lead"


@pytest.mark.parametrize("sync", [True, False])
def test_lifecycle_stages_follow_deals_and_companies(having: Callable[..., Any], sync: bool) -> None:
    ask = having(lifecycle_sync=sync)
    company = ask.company(lifecyclestage="lead")
    contact = ask.contact(lifecyclestage="subscriber")
    link(ask, "contacts", contact, "companies", company, 1)
    assert value(ask, "contacts", contact, "lifecyclestage") == ("lead" if sync else "subscriber")
    deal = ask.deal()
    link(ask, "deals", deal, "contacts", contact, 3)
    link(ask, "deals", deal, "companies", company, 5)
    expected = "opportunity" if sync else "subscriber"
    assert value(ask, "contacts", contact, "lifecyclestage") == expected
    ask("PATCH", f"/crm/v3/objects/deals/{deal}", {"properties": {"dealstage": "closedwon"}})
    assert value(ask, "companies", company, "lifecyclestage") == ("customer" if sync else "lead")
    ask("PATCH", f"{COMPANIES}/{company}", {"properties": {"lifecyclestage": "evangelist"}})
    assert value(ask, "contacts", contact, "lifecyclestage") == ("evangelist" if sync else "subscriber")


@pytest.mark.parametrize("switched_on", [True, False])
def test_deals_get_the_primary_company_of_their_contact(
    having: Callable[..., Any], switched_on: bool
) -> None:
    ask = having(primary_company_for_deals=switched_on)
    company, contact = ask.company(), ask.contact()
    link(ask, "contacts", contact, "companies", company, 1)
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}]
    body = {
        "properties": {"dealname": "D", "dealstage": "qualifiedtobuy"},
        "associations": [{"to": {"id": contact}, "types": types}],
    }
    deal = ask.post("/crm/v3/objects/deals", body).json()["id"]
    found = ask.get(f"/crm/v4/objects/deals/{deal}/associations/companies").json()["results"]
    assert [str(each["toObjectId"]) for each in found] == ([company] if switched_on else [])


def test_read_only_stages(having: Callable[..., Any]) -> None:
    ask = having(read_only_stages=("closedwon",))
    deal = ask.deal(dealstage="qualifiedtobuy")
    path = f"/crm/v3/objects/deals/{deal}"
    into = ask("PATCH", path, {"properties": {"dealstage": "closedwon"}})
    assert (into.status, into.json()["errors"]) == (
        400,
        [
            {
                "message": "Stage closedwon is read only; records cannot be moved into it or out of it.",
                "code": "READ_ONLY_VALUE",
                "context": {"propertyName": ["dealstage"]},
            }
        ],
    )
    ask.portal.behaviour.read_only_stages = ("qualifiedtobuy",)
    assert ask("PATCH", path, {"properties": {"dealstage": "contractsent"}}).status == 400
    assert ask("PATCH", path, {"properties": {"dealstage": "qualifiedtobuy", "amount": "1"}}).status == 200


@pytest.mark.parametrize("stay", [True, False])
def test_unique_values_of_archived_records(having: Callable[..., Any], stay: bool) -> None:
    ask = having(archived_values_stay_unique=stay)
    id = ask.contact(email="a@example.com", crmseed_key="k")
    ask("DELETE", f"{CONTACTS}/{id}")
    assert ask.post(CONTACTS, {"properties": {"email": "a@example.com"}}).status == 201
    answer = ask.post(CONTACTS, {"properties": {"firstname": "B", "crmseed_key": "k"}})
    assert answer.status == (400 if stay else 201)
    if stay:
        assert answer.json()["message"].endswith(f"{id} already has that value.")


@pytest.mark.parametrize("fails", [True, False])
def test_archiving_what_does_not_exist(having: Callable[..., Any], fails: bool) -> None:
    ask = having(archiving_unknown_ids_fails=fails)
    id = ask.contact()
    statuses = [ask("DELETE", f"{CONTACTS}/{each}").status for each in (id, id, "7", "x")]
    assert statuses == [204, *([404] * 3 if fails else [204] * 3)]


def test_a_race_of_two_creates_is_refused_with_the_other_text(having: Callable[..., Any]) -> None:
    ask = having(email_clash_as_race=True)
    id = ask.contact(email="a@example.com")
    answer = ask.post(CONTACTS, {"properties": {"email": "a@example.com"}})
    assert (answer.status, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    assert "propertyName=email, value=a@example.com} on " in answer.json()["message"]
    assert answer.json()["message"].endswith(f". {id} already has that value.")
