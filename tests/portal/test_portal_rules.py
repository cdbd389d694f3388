"""What the portal's administrator demands: validation rules, required properties, conditional rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.portal import Portal
from pytest_crmseed.portal.behaviour import ConditionalRule
from pytest_crmseed.schema import catalog

RULES = "/crm/v3/property-validations/0-1"
BASES = [RULES, *(f"/crm/property-validations/{date}/contacts" for date in ("2026-03", "2026-09"))]
CONTACTS = "/crm/v3/objects/contacts"
OLD = ("/crm/v3/objects", "/crm/objects/2025-09", "/crm/objects/2026-03")
NEW = "/crm/objects/2026-09"


def rule(ask: Any, name: str, kind: str, *arguments: str) -> None:
    answer = ask("PUT", f"{RULES}/{name}/rule-type/{kind}", {"ruleArguments": list(arguments)})
    assert answer.status == 204, answer.body


def test_rules_are_set_and_read(ask: Any) -> None:
    assert ask.get(RULES).json() == {"results": []}
    rule(ask, "city", "MAX_LENGTH", "10")
    rule(ask, "city", "MAX_LENGTH", "5")
    found = {"ruleType": "MAX_LENGTH", "ruleArguments": ["5"]}
    for base in BASES:
        assert ask.get(base).json() == {
            "results": [{"propertyName": "city", "propertyValidationRules": [found]}]
        }
        assert ask.get(f"{base}/city").json() == {"results": [found]}
        assert ask.get(f"{base}/city/rule-type/MAX_LENGTH").json() == found
    assert ask.get(f"{RULES}/city/rule-type/REGEX").json()["message"] == "city has no rule REGEX."
    assert ask.get(f"{RULES}/nope").status == 404
    for kind, arguments, message in [
        ("NOPE", ["1"], "NOPE is not one of the rule types: FORMAT"),
        ("REGEX", ["("], "( is not a regular expression"),
    ]:
        answer = ask("PUT", f"{RULES}/city/rule-type/{kind}", {"ruleArguments": arguments})
        assert answer.status == 400 and answer.json()["message"].startswith(message)


@pytest.mark.parametrize(
    ("name", "kind", "argument", "good", "bad"),
    [
        ("city", "MAX_LENGTH", "4", "Bled", "Kranj"),
        ("city", "MIN_LENGTH", "5", "Kranj", "Bled"),
        ("city", "REGEX", "[A-Z][a-z]+", "Bled", "BLED"),
        ("city", "ALPHANUMERIC", "ALPHA_ONLY", "Bled", "Bled1"),
        ("city", "ALPHANUMERIC", "NUMERIC_ONLY", "12", "12a"),
        ("city", "SPECIAL_CHARACTERS", "NOT_ALLOWED", "Bled 1", "Bled!"),
        ("price", "MAX_NUMBER", "9.5", "9.50", "9.51"),
        ("price", "MIN_NUMBER", "-1", "-1", "-1.5"),
        ("price", "DECIMAL", "2", "1.25", "1.255"),
    ],
)
def test_rules_are_obeyed(ask: Any, name: str, kind: str, argument: str, good: str, bad: str) -> None:
    definition = {"name": "price", "label": "P", "type": "number", "fieldType": "number"}
    ask.post("/crm/v3/properties/contacts", {**definition, "groupName": "contactinformation"})
    rule(ask, name, kind, argument)
    id = ask.contact(**{name: good})
    message = f"{bad} does not meet the rule {kind} {argument} of {name}"
    for base in (*OLD, NEW):
        answer = ask("PATCH", f"{base}/contacts/{id}", {"properties": {name: bad}})
        assert answer.status == 400
        assert answer.json()["errors"] == [
            {
                "message": message,
                "code": "PROPERTY_VALIDATION_FAILED",
                "context": {"propertyName": [name]},
            }
        ]
    # Clearing a value breaks no rule.
    assert ask("PATCH", f"{CONTACTS}/{id}", {"properties": {name: ""}}).status == 200
    ask.portal.behaviour.old_versions_pass_over_rules = True
    answers = [
        ask("PATCH", f"{base}/contacts/{id}", {"properties": {name: bad}}).status for base in (*OLD, NEW)
    ]
    assert answers == [200, 200, 200, 400]


@given(text=st.text(min_size=1, max_size=12), longest=st.integers(0, 12))
def test_the_length_of_a_text(text: str, longest: int) -> None:
    from pytest_crmseed.portal.hubspot.property_validations import _CHECKS

    assert _CHECKS["MAX_LENGTH"](text, str(longest)) == (len(text) <= longest)
    assert _CHECKS["MIN_LENGTH"](text, str(longest)) == (len(text) >= longest)


def test_rules_of_a_pulled_schema(clock: Any, asker: Any) -> None:
    bundled = catalog.bundled("hubspot")
    contacts = bundled.object_types["contacts"]
    city = contacts.fields["city"]
    rules = [{"ruleType": "MAX_LENGTH", "ruleArguments": ["3"]}]
    city = replace(city, native={**city.native, "validationRules": json.dumps(rules)}, admin_required=True)
    contacts = replace(contacts, fields={**contacts.fields, "city": city})
    portal = Portal(
        clock=clock, schema=replace(bundled, object_types={**bundled.object_types, "contacts": contacts})
    )
    try:
        ask = asker(portal, portal.hubspot.tokens()["seeder"])
        assert ask.get(f"{RULES}/city").json() == {"results": rules}
        assert ask.post(CONTACTS, {"properties": {"firstname": "A", "city": "Bled"}}).status == 400
        assert ask.post(f"{NEW}/contacts", {"properties": {"firstname": "A"}}).status == 400
        assert ask.post(f"{NEW}/contacts", {"properties": {"firstname": "A", "city": "Rab"}}).status == 201
    finally:
        portal.close()


@pytest.fixture
def strict(make_portal: Callable[..., Portal], asker: Any) -> Any:
    rules = (
        ConditionalRule("contacts", "country", ("US", "CA"), ("state", "zip")),
        ConditionalRule("contacts", "city", ("Bled",), ("phone",)),
    )
    portal = make_portal(required_by_admin={"contacts": ("firstname", "email")}, conditional_rules=rules)
    return asker(portal, portal.hubspot.tokens()["seeder"])


def test_properties_that_the_administrator_requires(
    strict: Any, refusal: Callable[..., dict[str, Any]]
) -> None:
    body = {"properties": {"lastname": "B"}}
    for base in OLD:
        assert strict.post(f"{base}/contacts", body).status == 201
    answer = strict.post(f"{NEW}/contacts", body)
    assert (answer.status, refusal(answer)) == (
        400,
        {
            "status": "error",
            "message": "The property values provided are invalid",
            "errors": [
                {
                    "code": "MISSING_REQUIRED_PROPERTY",
                    "message": f"A value for {name} must be provided",
                    "context": {"propertyName": [name]},
                }
                for name in ("firstname", "email")
            ],
            "category": "VALIDATION_ERROR",
        },
    )
    full = {"firstname": "A", "email": "a@example.com"}
    made = strict.post(f"{NEW}/contacts", {"properties": full})
    assert made.status == 201
    # What is required to create a record may be cleared afterwards.
    cleared = strict("PATCH", f"{NEW}/contacts/{made.json()['id']}", {"properties": {"firstname": ""}})
    assert cleared.status == 200


def test_conditional_rules(strict: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    full = {"firstname": "A", "email": "a@example.com"}
    answer = strict.post(f"{NEW}/contacts", {"properties": {**full, "country": "US", "zip": "1"}})
    assert refusal(answer)["errors"] == [
        {
            "code": "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
            "message": "state is required because of a conditional property rule based on [country]",
            "context": {"propertyName": ["state"]},
        }
    ]
    id = strict.post(f"{NEW}/contacts", {"properties": {**full, "country": "SI"}}).json()["id"]
    change = {"properties": {"country": "CA", "city": "Bled"}}
    answer = strict("PATCH", f"{NEW}/contacts/{id}", change)
    assert [each["context"]["propertyName"] for each in answer.json()["errors"]] == [
        ["state"],
        ["zip"],
        ["phone"],
    ]
    assert strict("PATCH", f"{OLD[0]}/contacts/{id}", change).status == 200


def test_in_a_batch_only_the_text_is_carried(strict: Any) -> None:
    rows = [
        {"objectWriteTraceId": "1", "properties": {"firstname": "A", "email": "a@example.com"}},
        {"objectWriteTraceId": "2", "properties": {"lastname": "B"}},
    ]
    answer = strict.post(f"{NEW}/contacts/batch/create", {"inputs": rows})
    assert answer.status == 207
    assert answer.json()["errors"] == [
        {
            "status": "error",
            "category": "VALIDATION_ERROR",
            "message": "The property values provided are invalid",
            "context": {"objectWriteTraceId": ["2"]},
        }
    ]
