"""Leads and lead labels."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.portal.pipedrive import uuids

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-11eb-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture
def person(ask: Any) -> Any:
    return ask.made("persons", name="Ann")


def made(ask: Any, **body: Any) -> Any:
    answer = ask("POST", "/v1/leads", {"title": "L", **body})
    assert answer.status == 201, answer.body
    return answer.json()["data"]


def test_a_lead_is_answered_whole(ask: Any, person: int) -> None:
    label = ask.get("/v1/leadLabels")[0]["id"]
    data = made(
        ask,
        person_id=person,
        value={"amount": 999, "currency": "USD"},
        label_ids=[label],
        origin_id="mine",
        visible_to="3",
    )
    assert UUID.fullmatch(data["id"])
    assert data == {
        "id": data["id"],
        "title": "L",
        "owner_id": 14700001,
        "creator_id": 14700001,
        "label_ids": [label],
        "person_id": person,
        "organization_id": None,
        "source_name": "API",
        "origin": "API",
        "origin_id": "mine",
        "channel": None,
        "channel_id": None,
        "source_deal_id": None,
        "is_archived": False,
        "was_seen": False,
        "value": {"amount": 999, "currency": "USD"},
        "expected_close_date": None,
        "next_activity_id": None,
        "add_time": "2026-09-21T14:13:20.250Z",
        "update_time": "2026-09-21T14:13:20.250Z",
        "visible_to": "3",
        "cc_email": data["cc_email"],
    }
    assert ask.get(f"/api/v1/leads/{data['id']}") == data


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"title": "L"}, 400, 'One of the "person_id" or "organization_id" must be set.'),
        ({"person_id": 5}, 404, "Person 5 was not found"),
        ({"title": "L", "organization_id": 5}, 404, "Organization 5 was not found"),
        ({"title": "L", "org_id": 5}, 400, "Invalid field(s) in the payload: org_id"),
        ({"title": "L", "value": 5}, 400, "\"value\": The value is not a valid 'object'"),
        ({"title": "L", "value": {"amount": 5}}, 400, '"value": currency: The value is required'),
        ({"title": "L", "visible_to": 3}, 400, '"visible_to": The value must be one of 1, 3, 5, 7'),
        ({"title": "L", "label_ids": ["x"]}, 404, "Lead label x was not found"),
        ({"title": "L", "owner_id": 5}, 404, "User 5 was not found"),
        ({"title": "L", "is_archived": True}, 400, "Invalid field(s) in the payload: is_archived"),
    ],
)
def test_a_lead_that_is_wrong_is_refused(ask: Any, refusal: Any, body: Any, status: int, error: str) -> None:
    assert refusal(ask("POST", "/v1/leads", body)) == (status, error, None)


def test_a_lead_needs_a_title(ask: Any, refusal: Any, person: int) -> None:
    assert refusal(ask("POST", "/v1/leads", {"person_id": person}))[1] == "Lead title must be given."


def test_custom_fields_of_deals_are_flat_and_absent_when_unset(ask: Any, person: int) -> None:
    key = ask.key("deal")
    choice = ask.field("deal", "set", "A", "B")
    money = ask.field("deal", "monetary")["field_code"]
    days = ask.field("deal", "daterange")["field_code"]
    ids = [option["id"] for option in choice["options"]]
    plain = made(ask, person_id=person)
    assert {key, choice["field_code"], money}.isdisjoint(plain)
    custom = {
        key: "mine",
        choice["field_code"]: f"{ids[0]},{ids[1]}",
        money: 5,
        f"{money}_currency": "EUR",
        days: "2026-01-01",
        f"{days}_until": "2026-02-01",
    }
    data = made(ask, person_id=person, **custom)
    assert data | custom == data
    changed = ask("PATCH", f"/v1/leads/{data['id']}", {key: None}).json()["data"]
    assert key not in changed


def test_an_unknown_option_is_refused(ask: Any, refusal: Any, person: int) -> None:
    code = ask.field("deal", "enum", "A")["field_code"]
    answer = ask("POST", "/v1/leads", {"title": "L", "person_id": person, code: "99"})
    assert refusal(answer)[1] == f"Invalid option '99' for deal custom field '{code}'"


def test_leads_are_listed_changed_archived_and_deleted(ask: Any, refusal: Any, person: int) -> None:
    first, second = made(ask, person_id=person)["id"], made(ask, person_id=person, title="M")["id"]

    def ids(query: str = "") -> list[str]:
        return [lead["id"] for lead in ask.get(f"/v1/leads{query}")]

    assert ids("?sort=title%20DESC,add_time") == [second, first]
    assert (ids(f"?person_id={person}&limit=1&start=1"), ids("?organization_id=5")) == ([second], [])
    assert ids("?updated_since=2026-09-21T14:13:21Z") == []
    assert refusal(ask("GET", "/v1/leads?sort=nonsense"))[1] == "Cannot sort leads by 'nonsense'"
    ask("PATCH", f"/v1/leads/{first}", {"is_archived": True})
    assert (ids(), ids("/archived")) == ([second], [first])
    answer = ask("PATCH", f"/v1/leads/{second}", {"person_id": None})
    assert refusal(answer)[1] == 'One of the "person_id" or "organization_id" must be set.'
    assert ask("DELETE", f"/v1/leads/{second}").json() == {"success": True, "data": {"id": second}}
    gone = ask("GET", f"/v1/leads/{second}")
    assert (gone.status, gone.json()) == (
        404,
        {
            "success": False,
            "error": "requested lead not found",
            "error_info": "Object was not found.",
            "data": None,
            "additional_data": None,
        },
    )


def test_labels_have_colors_and_leave_leads_when_they_go(ask: Any, refusal: Any, person: int) -> None:
    assert [label["name"] for label in ask.get("/v1/leadLabels")] == ["Hot", "Cold", "Warm"]
    label = ask("POST", "/v1/leadLabels", {"name": "New", "color": "green"}).json()["data"]
    lead = made(ask, person_id=person, label_ids=[label["id"]])["id"]
    path = f"/v1/leadLabels/{label['id']}"
    assert ask("PATCH", path, {"name": "Newer"}).json()["data"]["name"] == "Newer"
    assert refusal(ask("PATCH", path, {"color": "mauve"}))[1] == '"color" is not valid'
    assert ask("DELETE", path).json()["data"] == {"id": label["id"]}
    assert ask.get(f"/v1/leads/{lead}")["label_ids"] == []
    assert refusal(ask("DELETE", path))[:2] == (404, "requested lead label not found")


@given(st.integers(1, 2**47))
def test_a_uuid_leads_back_to_its_number(number: int) -> None:
    assert uuids.number("lead", uuids.of("lead", number)) == number
    assert uuids.number("label", uuids.of("lead", number)) is None
