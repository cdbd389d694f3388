"""Persons and organizations."""

from __future__ import annotations

from typing import Any

import pytest

NOW = "2026-09-21T14:13:20Z"
PARTS = (
    "country",
    "admin_area_level_1",
    "admin_area_level_2",
    "locality",
    "sublocality",
    "route",
    "street_number",
    "subpremise",
    "postal_code",
)


def test_a_person_is_answered_whole(ask: Any) -> None:
    key, organization = ask.key("person"), ask.made("organizations", name="Acorn")
    body = {
        "name": "Skill Doc Test Person",
        "org_id": organization,
        "emails": [{"value": "a@example.com"}, {"value": "b@example.com", "label": "home, ü"}],
        "phones": [{"value": "1"}, {"value": "2", "primary": True}],
        "custom_fields": {key: "mine"},
    }
    answer = ask("POST", "/api/v2/persons", body)
    id = answer.json()["data"]["id"]
    assert (answer.status, answer.json()["data"]) == (
        200,
        {
            "id": id,
            "name": "Skill Doc Test Person",
            "first_name": "Skill Doc Test",
            "last_name": "Person",
            "owner_id": 14700001,
            "org_id": organization,
            "add_time": NOW,
            "update_time": None,
            "emails": [
                {"label": "work", "value": "a@example.com", "primary": True},
                {"label": "home, ü", "value": "b@example.com", "primary": False},
            ],
            "phones": [
                {"label": "work", "value": "1", "primary": False},
                {"label": "work", "value": "2", "primary": True},
            ],
            "visible_to": 7,
            "label_ids": [],
            "picture_id": None,
            "is_deleted": False,
            "custom_fields": {key: "mine"},
        },
    )


def test_names_are_split_and_joined(ask: Any, clock: Any) -> None:
    id = ask.made("persons", name="Ann")
    assert ask.get(f"/api/v2/persons/{id}") == {
        **ask.get(f"/api/v2/persons/{id}"),
        "first_name": "Ann",
        "last_name": None,
    }
    clock.now += 5
    path = f"/api/v2/persons/{id}"
    # That the parts of a name can be written stands in the migration guide and not in the document.
    changed = ask("PATCH", path, {"last_name": "Bee"}, documented=False).json()["data"]
    assert (changed["name"], changed["update_time"]) == ("Ann Bee", "2026-09-21T14:13:25Z")
    assert ask("PATCH", path, {"first_name": "Eve"}, documented=False).json()["data"]["name"] == "Eve Bee"
    both = ask("POST", "/api/v2/persons", {"first_name": "A", "last_name": "B"}).json()["data"]
    assert both["name"] == "A B"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "name: The value is required"),
        ({"first_name": "Ann"}, "name: The value is required"),
        ({"name": " "}, "name: The value must not be empty"),
        ({"name": "A", "email": "a@example.com"}, "email: Parameter 'email' is not allowed for this request"),
        ({"name": "A", "emails": ["a@example.com"]}, "emails: The value is not a valid 'object'"),
        ({"name": "A", "emails": [{"label": "work"}]}, "emails: value: The value is required"),
        ({"name": "A", "phones": [{"value": 5}]}, "phones: value: The value is not a valid 'string'"),
        ({"name": "A", "emails": [{"value": "a", "x": 1}]}, "emails: Unknown key 'x'"),
        (
            {"name": "A", "emails": [{"value": "a", "primary": True}, {"value": "b", "primary": True}]},
            "emails: Only one value can be primary",
        ),
        ({"name": "A", "add_time": "yesterday"}, "add_time: The value is not a valid 'datetime'"),
        ({"name": "A", "label_ids": [1]}, "label_ids: Invalid option '1'"),
    ],
)
def test_a_person_that_is_wrong_is_refused(ask: Any, refusal: Any, body: Any, problem: str) -> None:
    answer = ask("POST", "/api/v2/persons", body)
    assert refusal(answer) == (400, f"Validation failed: {problem}", "ERR_SCHEMA_VALIDATION_FAILED")


@pytest.mark.parametrize("name", ["birthday", "job_title", "notes", "im", "postal_address"])
def test_keys_of_contact_sync_need_it(make_portal: Any, seeder: Any, name: str) -> None:
    value: Any = {"birthday": "2000-01-01", "im": [], "postal_address": {"value": "x"}}.get(name, "x")
    ask = seeder(make_portal())
    answer = ask("POST", "/api/v2/persons", {"name": "A", name: value})
    assert (answer.status, answer.json()["error"]) == (403, "You do not have permissions to do this.")
    synced = seeder(make_portal(contact_sync=True))
    assert name in synced("POST", "/api/v2/persons", {"name": "A", name: value}).json()["data"]


def test_marketing_status_needs_campaigns(make_portal: Any, seeder: Any) -> None:
    body = {"name": "A", "marketing_status": "subscribed"}
    assert seeder(make_portal())("POST", "/api/v2/persons", body).status == 403
    ask = seeder(make_portal(campaigns=True))
    id = ask("POST", "/api/v2/persons", body).json()["data"]["id"]
    assert (
        ask.get(f"/api/v2/persons/{id}?include_fields=marketing_status")["marketing_status"] == "subscribed"
    )


def test_an_address_is_an_object_whose_other_parts_become_null(ask: Any, refusal: Any) -> None:
    id = ask.made("organizations", name="Acorn", address={"value": "Main St 1", "country": "USA"})
    path = f"/api/v2/organizations/{id}"
    nothing = dict.fromkeys(PARTS)
    assert ask.get(path)["address"] == {"value": "Main St 1", **nothing, "country": "USA"}
    changed = ask("PATCH", path, {"address": {"value": "Main St 2"}}).json()["data"]
    assert changed["address"] == {"value": "Main St 2", **nothing}
    for wrong, problem in (("x", "The value is not a valid 'object'"), ({}, "value: The value is required")):
        answer = ask("PATCH", path, {"address": wrong})
        assert refusal(answer)[1] == f"Validation failed: address: {problem}"


def test_an_organization_has_facts_about_the_company(ask: Any, refusal: Any) -> None:
    facts = {"website": "https://a.example", "industry": 1, "annual_revenue": 5, "employee_count": 2}
    id = ask.made("organizations", name="Acorn", linkedin=None, **facts)
    assert ask.get(f"/api/v2/organizations/{id}") | facts == ask.get(f"/api/v2/organizations/{id}")
    for body, problem in (
        ({"industry": 99}, "industry: Invalid option '99'"),
        ({"annual_revenue": 5.5}, "annual_revenue: The value is not a valid 'integer'"),
    ):
        answer = ask("PATCH", f"/api/v2/organizations/{id}", body)
        assert refusal(answer)[1] == f"Validation failed: {problem}"


def test_nothing_is_unique(ask: Any) -> None:
    ids = {ask.made("persons", name="A", emails=[{"value": "a@example.com"}]) for _ in range(2)}
    assert len(ids) == 2


def test_what_is_deleted_keeps_its_kind_of_refusal(ask: Any, refusal: Any) -> None:
    id = ask.made("organizations", name="A")
    ask("DELETE", f"/api/v2/organizations/{id}")
    answer = ask("PATCH", f"/api/v2/organizations/{id}", {"name": "B"})
    assert refusal(answer)[2] == "ERR_ORGANIZATION_DELETED"
    answer = ask("POST", "/api/v2/persons", {"name": "A", "org_id": id})
    assert refusal(answer)[1] == f"Validation failed: org_id: Organization with id '{id}' was not found"


def test_persons_are_listed_by_organization_and_deal(ask: Any) -> None:
    organization = ask.made("organizations", name="Acorn")
    of_it, other = ask.made("persons", name="A", org_id=organization), ask.made("persons", name="B")
    deal = ask.made("deals", title="D", person_id=other)
    lists = [
        [person["id"] for person in ask.get(f"/api/v2/persons?{query}")]
        for query in (f"org_id={organization}", f"deal_id={deal}", "deal_id=1", "owner_id=14700002")
    ]
    assert lists == [[of_it], [other], [], []]
