"""Single records and lists of the objects API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SPELLINGS = ["contacts", "contact", "0-1", "Contacts", "CONTACT"]
GENERATIONS = ["v3/objects", "objects/v3", "objects/2025-09", "objects/2026-03", "objects/2026-09"]

NOT_FOUND = {"status": "error", "message": "resource not found"}


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_reaches_the_same_records(ask: Any, generation: str, spelling: str) -> None:
    url = f"/crm/{generation}/{spelling}"
    made = ask.post(url, {"properties": {"firstname": "Ann"}})
    assert made.status == 201
    assert ask.get(f"/crm/v3/objects/contacts/{made.json()['id']}").status == 200


def test_the_shape_of_a_created_record(ask: Any) -> None:
    answer = ask.post("/crm/v3/objects/contacts", {"properties": {"email": "Ann@Example.com"}})
    body = answer.json()
    id = body["id"]
    assert id.isdigit() and len(id) == 11
    moment = "2026-09-21T14:13:20.250Z"
    assert body == {
        "id": id,
        "properties": {
            "email": "ann@example.com",
            "hs_email_domain": "example.com",
            "hs_object_source": "INTEGRATION",
            "hs_object_source_label": "INTEGRATION",
            "createdate": moment,
            "hs_object_id": id,
            "lastmodifieddate": moment,
        },
        "createdAt": moment,
        "updatedAt": moment,
        "archived": False,
        "url": f"https://app.hubspot.com/contacts/47010001/record/0-1/{id}",
    }


@pytest.mark.parametrize(
    ("object_type", "expected"),
    [
        (
            "contacts",
            {"firstname", "lastname", "email", "createdate", "hs_object_id", "lastmodifieddate"},
        ),
        ("companies", {"name", "domain", "createdate", "hs_object_id", "hs_lastmodifieddate"}),
        (
            "deals",
            {"dealname", "amount", "closedate", "pipeline", "dealstage"}
            | {"createdate", "hs_object_id", "hs_lastmodifieddate"},
        ),
    ],
)
def test_a_read_that_asks_for_nothing(ask: Any, object_type: str, expected: set[str]) -> None:
    id = {"contacts": ask.contact, "companies": ask.company, "deals": ask.deal}[object_type]()
    properties = ask.get(f"/crm/v3/objects/{object_type}/{id}").json()["properties"]
    assert set(properties) == expected


@pytest.mark.parametrize(
    "query", ["properties=city,zip,nope", "properties=city&properties=zip&properties=nope"]
)
def test_an_empty_property_is_null_and_an_unknown_one_left_out(ask: Any, query: str) -> None:
    id = ask.contact(city="Bled")
    properties = ask.get(f"/crm/v3/objects/contacts/{id}?{query}").json()["properties"]
    assert set(properties) == {"city", "zip", "createdate", "hs_object_id", "lastmodifieddate"}
    assert (properties["city"], properties["zip"]) == ("Bled", None)


@pytest.mark.parametrize(
    ("stage", "closed", "won", "lost", "probability"),
    [
        ("qualifiedtobuy", "false", "false", "false", "0.4"),
        ("closedwon", "true", "true", "false", "1.0"),
        ("closedlost", "true", "false", "true", "0.0"),
    ],
)
def test_what_hubspot_computes_of_a_deal(
    ask: Any, stage: str, closed: str, won: str, lost: str, probability: str
) -> None:
    body = {"properties": {"dealname": "D", "dealstage": stage, "amount": "250"}}
    made = ask.post("/crm/v3/objects/deals", body).json()["properties"]
    names = "hs_is_closed,hs_is_closed_won,hs_is_closed_lost,hs_deal_stage_probability,hs_projected_amount"
    read = ask.get(f"/crm/v3/objects/deals/{made['hs_object_id']}?properties={names}").json()["properties"]
    for properties in (made, read):
        assert properties["hs_is_closed"] == closed
        assert properties["hs_is_closed_won"] == won
        assert properties["hs_is_closed_lost"] == lost
        assert properties["hs_deal_stage_probability"] == probability
        assert float(properties["hs_projected_amount"]) == 250 * float(probability)


def test_the_name_that_lists_show(ask: Any) -> None:
    url = "/crm/v3/objects/contacts/{}?properties=hs_full_name_or_email"
    for properties, shown in [
        ({"firstname": "Ann", "lastname": "Lee", "email": "a@example.com"}, "Ann Lee"),
        ({"firstname": "", "email": "b@example.com"}, "b@example.com"),
    ]:
        found = ask.get(url.format(ask.contact(**properties))).json()["properties"]
        assert found["hs_full_name_or_email"] == shown


def test_an_amount_in_another_currency_has_no_value_at_home(ask: Any) -> None:
    for currency, at_home in [("USD", "5"), ("EUR", None)]:
        id = ask.deal(amount="5", deal_currency_code=currency)
        url = f"/crm/v3/objects/deals/{id}?properties=amount_in_home_currency"
        assert ask.get(url).json()["properties"]["amount_in_home_currency"] == at_home


def test_an_update_changes_what_it_names(ask: Any, clock: Any) -> None:
    id = ask.contact(city="Bled", zip="4260")
    clock.now += 5
    answer = ask("PATCH", f"/crm/v3/objects/contacts/{id}", {"properties": {"city": "Kranj", "zip": ""}})
    body = answer.json()
    assert answer.status == 200
    assert (body["properties"]["city"], body["properties"]["zip"]) == ("Kranj", None)
    assert "firstname" not in body["properties"]
    assert (body["createdAt"], body["updatedAt"]) == ("2026-09-21T14:13:20.250Z", "2026-09-21T14:13:25.250Z")
    read = ask.get(f"/crm/v3/objects/contacts/{id}?properties=city,zip,firstname").json()["properties"]
    assert (read["city"], read["zip"], read["firstname"]) == ("Kranj", None, "Ann")


def test_an_update_of_nothing_is_refused(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    answer = ask("PATCH", f"/crm/v3/objects/contacts/{ask.contact()}", {"properties": {}})
    assert (answer.status, refusal(answer)) == (
        400,
        {
            "status": "error",
            "message": "No properties found to update, please provide at least one.",
            "category": "VALIDATION_ERROR",
        },
    )


def test_a_stage_is_checked_against_the_pipeline_on_update(ask: Any) -> None:
    id = ask.deal()
    answer = ask("PATCH", f"/crm/v3/objects/deals/{id}", {"properties": {"dealstage": "nowhere"}})
    assert answer.json()["errors"][0]["code"] == "INVALID_OPTION"
    url = f"/crm/v3/objects/deals/{id}"
    assert ask("PATCH", url, {"properties": {"dealstage": "closedwon"}}).status == 200


@pytest.mark.parametrize("id", ["1", "abc", "9" * 30, "-1", "٣"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_record_that_does_not_exist(
    ask: Any, refusal: Callable[..., dict[str, Any]], method: str, id: str
) -> None:
    body = {"properties": {"city": "Bled"}} if method == "PATCH" else None
    answer = ask(method, f"/crm/v3/objects/contacts/{id}", body)
    assert (answer.status, refusal(answer)) == (404, NOT_FOUND)


def test_an_archived_record_is_gone_but_readable_as_archived(
    ask: Any, clock: Any, refusal: Callable[..., dict[str, Any]]
) -> None:
    id = ask.contact()
    url = f"/crm/v3/objects/contacts/{id}"
    clock.now += 1
    answer = ask("DELETE", url)
    assert (answer.status, answer.body) == (204, b"")
    assert refusal(ask.get(url)) == NOT_FOUND
    assert ask("PATCH", url, {"properties": {"city": "Bled"}}).status == 404
    archived = ask.get(f"{url}?archived=True").json()
    assert (archived["archived"], archived["archivedAt"]) == (True, "2026-09-21T14:13:21.250Z")
    assert ask("DELETE", url).status == 204


def test_deleting_what_never_was_is_fine(ask: Any) -> None:
    assert ask("DELETE", "/crm/v3/objects/contacts/1").status == 204
    assert ask("DELETE", "/crm/v3/objects/contacts/abc").status == 204


def test_records_by_a_unique_value(ask: Any) -> None:
    id = ask.contact(email="ann@example.com", crmseed_key="k1")
    for url in ["Ann%40Example.com?idProperty=email", "k1?idProperty=crmseed_key"]:
        assert ask.get(f"/crm/v3/objects/contacts/{url}").json()["id"] == id
        patched = ask("PATCH", f"/crm/v3/objects/contacts/{url}", {"properties": {"city": "Bled"}})
        assert patched.json()["id"] == id
    assert ask.get("/crm/v3/objects/contacts/k2?idProperty=crmseed_key").status == 404
    assert ask.get(f"/crm/v3/objects/contacts/{id}?idProperty=hs_object_id").json()["id"] == id


def test_a_company_is_read_by_domain_though_it_is_not_unique(ask: Any) -> None:
    first, _ = ask.company(domain="acorn.example"), ask.company(domain="acorn.example")
    url = "/crm/v3/objects/companies/acorn.example?idProperty=domain"
    assert ask.get(url).json()["id"] == first
    assert ask("PATCH", url, {"properties": {"city": "Bled"}}).status == 400


def test_a_property_that_identifies_nothing(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    answer = ask.get("/crm/v3/objects/deals/D?idProperty=dealname")
    assert (answer.status, refusal(answer)) == (
        400,
        {
            "status": "error",
            "message": "Unable to perform update/upsert by non-unique 0-3 property dealname",
            "category": "VALIDATION_ERROR",
        },
    )


# -- unique values ------------------------------------------------------------------------------------


def test_the_address_of_another_contact_is_a_409_with_its_id(
    ask: Any, refusal: Callable[..., dict[str, Any]]
) -> None:
    id = ask.contact(email="ann@example.com")
    answer = ask.post("/crm/v3/objects/contacts", {"properties": {"email": "ANN@example.com"}})
    assert (answer.status, refusal(answer)) == (
        409,
        {
            "status": "error",
            "message": f"Contact already exists. Existing ID: {id}",
            "category": "CONFLICT",
        },
    )


def test_any_other_unique_value_of_another_record_is_a_400_with_two_ids(
    ask: Any, refusal: Callable[..., dict[str, Any]]
) -> None:
    id = ask.company(crmseed_key="k")
    body = {"properties": {"name": "B", "crmseed_key": "k"}}
    answer = ask.post("/crm/v3/objects/companies", body)
    found = refusal(answer)
    half = found["message"].split(" on ")[1].split(".")[0]
    assert half not in ("", id)
    message = (
        "Cannot set PropertyValueCoordinates{portalId=47010001,"
        " objectTypeId=ObjectTypeId{legacyObjectType=COMPANY}, propertyName=crmseed_key, value=k}"
        f" on {half}. {id} already has that value."
    )
    assert (answer.status, found) == (
        400,
        {
            "status": "error",
            "message": message,
            "errors": [
                {
                    "message": message,
                    "code": "CONFLICTING_UNIQUE_VALUE",
                    "context": {"propertyName": ["crmseed_key"]},
                }
            ],
            "category": "VALIDATION_ERROR",
        },
    )
    assert ask.get(f"/crm/v3/objects/companies/{half}").status == 404


def test_unique_values_are_case_sensitive_and_each_object_type_has_its_own(ask: Any) -> None:
    ask.company(crmseed_key="k")
    ask.company(crmseed_key="K")
    ask.deal(crmseed_key="k")


def test_an_update_to_anothers_address_is_refused(ask: Any) -> None:
    ask.contact(email="ann@example.com")
    id = ask.contact(email="bob@example.com")
    url = f"/crm/v3/objects/contacts/{id}"
    answer = ask("PATCH", url, {"properties": {"email": "ann@example.com"}})
    assert answer.status == 400
    assert f"propertyName=email, value=ann@example.com}} on {id}. " in answer.json()["message"]
    # One's own value is no conflict, with or without a change of case.
    assert ask("PATCH", url, {"properties": {"email": "Bob@example.com"}}).status == 200


@pytest.mark.parametrize("free", ["archive", "clear", "change"])
def test_a_value_is_free_again_when_its_record_lets_go(ask: Any, free: str) -> None:
    id = ask.contact(email="ann@example.com")
    url = f"/crm/v3/objects/contacts/{id}"
    match free:
        case "archive":
            ask("DELETE", url)
        case "clear":
            ask("PATCH", url, {"properties": {"email": "", "firstname": "A"}})
        case "change":
            ask("PATCH", url, {"properties": {"email": "ann2@example.com"}})
    assert ask.contact(email="ann@example.com") != id


# -- lists --------------------------------------------------------------------------------------------


def pages(ask: Any, url: str) -> list[list[str]]:
    found: list[list[str]] = []
    while url:
        body = ask.get(url).json()
        found.append([record["id"] for record in body["results"]])
        following = body.get("paging", {}).get("next")
        url = following["link"].removeprefix("http://127.0.0.1") if following else ""
    return found


def test_a_list_goes_page_by_page(ask: Any) -> None:
    ids = [ask.contact() for _ in range(23)]
    found = pages(ask, "/crm/v3/objects/contacts")
    assert [len(page) for page in found] == [10, 10, 3]
    assert [id for page in found for id in page] == ids
    assert [len(page) for page in pages(ask, "/crm/objects/2026-03/0-1?limit=23")] == [23]


def test_the_cursor_is_the_id_of_the_next_record(ask: Any) -> None:
    ids = [ask.company() for _ in range(3)]
    body = ask.get("/crm/v3/objects/companies?limit=2&properties=name").json()
    assert body["paging"]["next"] == {
        "after": ids[2],
        "link": f"http://127.0.0.1/crm/v3/objects/companies?limit=2&properties=name&after={ids[2]}",
    }
    # A record that goes in the meantime does not break the way on.
    ask("DELETE", f"/crm/v3/objects/companies/{ids[2]}")
    assert ask.get(f"/crm/v3/objects/companies?after={ids[2]}").json() == {"results": []}


def test_a_list_of_archived_records_has_no_others(ask: Any) -> None:
    live, gone = ask.contact(), ask.contact()
    ask("DELETE", f"/crm/v3/objects/contacts/{gone}")
    assert pages(ask, "/crm/v3/objects/contacts") == [[live]]
    assert pages(ask, "/crm/v3/objects/contacts?archived=true") == [[gone]]


@pytest.mark.parametrize("limit", ["0", "101", "ten", "-1", "1.5", "٣"])
def test_a_limit_that_is_none(ask: Any, refusal: Callable[..., dict[str, Any]], limit: str) -> None:
    answer = ask.get(f"/crm/v3/objects/contacts?limit={limit}")
    assert answer.status == 400
    assert refusal(answer)["message"] == f"limit must be a number from 1 to 100, not {limit}"


def test_a_cursor_that_is_none(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    answer = ask.get("/crm/v3/objects/contacts?after=x")
    assert refusal(answer)["message"] == "after must be a value that paging.next.after had, not x"


# -- bodies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "line 1, column 1: Cannot deserialize value of type `SimplePublicObjectInputForCreate` from"),
        (False, "line 1, column 1: Cannot deserialize value of type `SimplePublicObjectInputForCreate` from"),
        ({}, "line 1, column 2. Some required fields were not set: [properties]"),
        ({"properties": None}, "line 1, column 2. Some required fields were not set: [properties]"),
        (
            {"properties": "x"},
            "line 1, column 1: Cannot deserialize value of type `java.util.LinkedHashMap` from String"
            " value (token `JsonToken.VALUE_STRING`)",
        ),
    ],
)
def test_bodies_of_the_wrong_shape(
    ask: Any, refusal: Callable[..., dict[str, Any]], body: Any, message: str
) -> None:
    answer = ask.post("/crm/v3/objects/contacts", body)
    assert answer.status == 400
    assert refusal(answer)["message"].startswith(f"Invalid input JSON on {message}")


@pytest.mark.parametrize(
    ("raw", "content_type", "status", "message"),
    [
        (b"", "application/json", 400, "Invalid JSON input: a request body was expected, but none found"),
        (b"{}", "", 415, "HTTP 415 Unsupported Media Type"),
        (b"{}", "text/plain", 415, "HTTP 415 Unsupported Media Type"),
        (
            b'{\n "properties": }',
            "application/json;charset=utf-8",
            400,
            "Invalid input JSON on line 2, column 16: Expecting value",
        ),
        (
            b'{"properties": {"amount": NaN}}',
            "APPLICATION/JSON",
            400,
            "Invalid input JSON on line 1, column 1: Non-standard token 'NaN'",
        ),
        (b"\xff\xfe\xfd", "application/json", 400, "Invalid input JSON on line 1, column 1: "),
        (b"[" * 100_000, "application/json", 400, "Invalid input JSON on line 1, column 1: "),
        (b'{"properties": 1e999999999999999999999}', "application/json", 400, "Invalid input JSON on "),
    ],
)
def test_bodies_that_are_no_json(
    ask: Any,
    refusal: Callable[..., dict[str, Any]],
    raw: bytes,
    content_type: str,
    status: int,
    message: str,
) -> None:
    from pytest_crmseed.portal import PortalRequest

    headers = {"authorization": f"Bearer {ask.token}", "content-type": content_type}
    answer = ask.portal.handle(PortalRequest("POST", "/crm/v3/objects/contacts", "", headers, raw))
    assert answer.status == status
    assert refusal(answer)["message"].startswith(message)


def test_a_lone_surrogate_is_kept_as_a_question_mark(ask: Any) -> None:
    id = ask.contact(city="Bled\ud800")
    assert ask.get(f"/crm/v3/objects/contacts/{id}?properties=city").json()["properties"]["city"] == "Bled?"
