"""What a record's values may be, and the bodies of the refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.portal import Portal
from pytest_crmseed.portal.hubspot import instants
from pytest_crmseed.portal.hubspot.values import is_email

PORTAL_ID = 47010001


def carried(message: str) -> list[dict[str, Any]]:
    """Return the JSON that the text of a refusal carries."""
    head, _, text = message.partition(": ")
    assert head == "Property values were not valid"
    found: list[dict[str, Any]] = json.loads(text)
    return found


def problem(answer: Any) -> tuple[str, str, str]:
    """Return property, code and text of the only problem, from both carriers, which must agree."""
    body = answer.json()
    assert (answer.status, body["category"]) == (400, "VALIDATION_ERROR")
    [inner], [outer] = carried(body["message"]), body["errors"]
    assert (inner["isValid"], inner["portalId"]) == (False, PORTAL_ID)
    assert inner["localizedErrorMessage"] == inner["message"] == outer["message"]
    assert (inner["error"], [inner["name"]]) == (outer["code"], outer["context"]["propertyName"])
    return inner["name"], inner["error"], inner["message"]


def create(ask: Any, object_type: str, **properties: Any) -> Any:
    needed = {
        "contacts": {"firstname": "Ann"},
        "companies": {"name": "Acorn"},
        "deals": {"dealname": "D", "dealstage": "qualifiedtobuy"},
    }[object_type]
    return ask.post(f"/crm/v3/objects/{object_type}", {"properties": {**needed, **properties}})


def held(ask: Any, object_type: str, name: str, value: Any) -> Any:
    answer = create(ask, object_type, **{name: value})
    assert answer.status == 201, answer.body
    found = ask.get(f"/crm/v3/objects/{object_type}/{answer.json()['id']}?properties={name}")
    return found.json()["properties"][name]


def test_the_body_of_an_unknown_property_is_the_documented_one(
    ask: Any, refusal: Callable[..., dict[str, Any]]
) -> None:
    body = refusal(ask.post("/crm/v3/objects/contacts", {"properties": {"testproperty": "x"}}))
    text = 'Property "testproperty" does not exist'
    inner = (
        '[{"isValid":false,"message":"Property \\"testproperty\\" does not exist",'
        '"error":"PROPERTY_DOESNT_EXIST","name":"testproperty",'
        f'"localizedErrorMessage":"Property \\"testproperty\\" does not exist","portalId":{PORTAL_ID}}}]'
    )
    assert body == {
        "status": "error",
        "message": f"Property values were not valid: {inner}",
        "errors": [
            {
                "message": text,
                "code": "PROPERTY_DOESNT_EXIST",
                "context": {"propertyName": ["testproperty"]},
            }
        ],
        "category": "VALIDATION_ERROR",
    }


@pytest.mark.parametrize(
    ("object_type", "name", "value", "code", "message"),
    [
        (
            "deals",
            "dealtype",
            "newBusiness",
            "INVALID_OPTION",
            "newBusiness was not one of the allowed options: [newbusiness, existingbusiness]",
        ),
        (
            "companies",
            "is_public",
            "yes",
            "INVALID_OPTION",
            "yes was not one of the allowed options: [true, false]",
        ),
        (
            "deals",
            "hubspot_owner_id",
            "1",
            "INVALID_OPTION",
            "1 was not one of the allowed options: [70000001, 70000002]",
        ),
        (
            "deals",
            "pipeline",
            "sales",
            "INVALID_OPTION",
            "sales was not one of the allowed options: [default]",
        ),
        (
            "deals",
            "dealstage",
            "Closed Won",
            "INVALID_OPTION",
            "Closed Won was not one of the allowed options: [appointmentscheduled, qualifiedtobuy, "
            "presentationscheduled, decisionmakerboughtin, contractsent, closedwon, closedlost]",
        ),
        ("deals", "amount", "1,000", "INVALID_INTEGER", "1,000 was not a valid number."),
        ("deals", "amount", "1e5", "INVALID_INTEGER", "1e5 was not a valid number."),
        ("deals", "amount", "٣", "INVALID_INTEGER", "٣ was not a valid number."),
        ("deals", "amount", "1" * 401, "INVALID_INTEGER", "1" * 401 + " was not a valid number."),
        ("deals", "closedate", "tomorrow", "INVALID_LONG", "tomorrow was not a valid long."),
        ("deals", "closedate", "2026-02-30", "INVALID_LONG", "2026-02-30 was not a valid long."),
        (
            "deals",
            "closedate",
            "2026-13-01T00:00Z",
            "INVALID_LONG",
            "2026-13-01T00:00Z was not a valid long.",
        ),
        ("deals", "closedate", "9" * 17, "INVALID_LONG", "9" * 17 + " was not a valid long."),
        ("contacts", "email", "example.lcom", "INVALID_EMAIL", "Email address example.lcom is invalid"),
        (
            "contacts",
            "hs_object_id",
            "1",
            "READ_ONLY_VALUE",
            '"hs_object_id" is a read only property; its value cannot be set.',
        ),
        (
            "deals",
            "hs_is_closed",
            "",
            "READ_ONLY_VALUE",
            '"hs_is_closed" is a read only property; its value cannot be set.',
        ),
        (
            "companies",
            "name",
            "x" * 65_537,
            "VALUE_TOO_LONG",
            "The value is 65537 characters long; at most 65536 are allowed.",
        ),
        (
            "contacts",
            "hs_buying_role",
            "CHAMPION;BOSS",
            "INVALID_OPTION",
            "BOSS was not one of the allowed options: [BLOCKER, BUDGET_HOLDER, CHAMPION, DECISION_MAKER, "
            "END_USER, EXECUTIVE_SPONSOR, INFLUENCER, LEGAL_AND_COMPLIANCE, OTHER]",
        ),
    ],
)
def test_refused_values(ask: Any, object_type: str, name: str, value: str, code: str, message: str) -> None:
    assert problem(create(ask, object_type, **{name: value})) == (name, code, message)


def test_the_refused_value_is_told(ask: Any) -> None:
    [inner] = carried(create(ask, "deals", amount="x").json()["message"])
    assert inner["propertyValue"] == "x"


def test_all_problems_of_a_record_are_told_together(ask: Any) -> None:
    answer = create(ask, "deals", amount="x", dealtype="old", nope="1", hs_is_closed="true")
    named = [error["context"]["propertyName"] for error in answer.json()["errors"]]
    assert named == [["amount"], ["dealtype"], ["nope"], ["hs_is_closed"]]
    assert [inner["name"] for inner in carried(answer.json()["message"])] == [name for [name] in named]


@pytest.mark.parametrize(
    ("object_type", "name", "value", "kept"),
    [
        ("contacts", "email", "Ann@Example.COM", "ann@example.com"),
        ("deals", "amount", "12.50", "12.50"),
        ("deals", "amount", ".5", ".5"),
        ("deals", "amount", -3, "-3"),
        ("deals", "amount", 12.5, "12.5"),
        ("deals", "amount", 1e21, "1000000000000000000000"),
        ("companies", "is_public", True, "true"),
        ("companies", "is_public", "FALSE", "false"),
        ("deals", "closedate", "2026-03-04", "2026-03-04T00:00:00.000Z"),
        ("deals", "closedate", "2026-03-04T05:06:07Z", "2026-03-04T05:06:07.000Z"),
        ("deals", "closedate", "2026-03-04T05:06:07.0089+01:00", "2026-03-04T04:06:07.008Z"),
        ("deals", "closedate", "2026-03-04T05:06", "2026-03-04T05:06:00.000Z"),
        ("deals", "closedate", "1635535865", "1970-01-19T22:18:55.865Z"),
        ("deals", "closedate", 1772600767089, "2026-03-04T05:06:07.089Z"),
        ("contacts", "hs_buying_role", "CHAMPION;END_USER;CHAMPION", "CHAMPION;END_USER"),
        ("deals", "hubspot_owner_id", "70000001", "70000001"),
        ("companies", "description", "one\ntwo\u0000", "one\ntwo\u0000"),
        ("companies", "name", "x" * 65_536, "x" * 65_536),
        ("contacts", "city", None, None),
        ("contacts", "city", "", None),
    ],
)
def test_values_are_kept_as_text(ask: Any, object_type: str, name: str, value: Any, kept: Any) -> None:
    assert held(ask, object_type, name, value) == kept


def test_a_leading_semicolon_adds_to_the_options(ask: Any) -> None:
    id = ask.contact(hs_buying_role="CHAMPION")
    url = f"/crm/v3/objects/contacts/{id}"
    added = ask("PATCH", url, {"properties": {"hs_buying_role": ";END_USER;CHAMPION"}})
    assert added.json()["properties"]["hs_buying_role"] == "CHAMPION;END_USER"
    replaced = ask("PATCH", url, {"properties": {"hs_buying_role": "OTHER"}})
    assert replaced.json()["properties"]["hs_buying_role"] == "OTHER"


def test_an_object_is_no_value(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    answer = create(ask, "deals", amount={"value": 1})
    assert (answer.status, refusal(answer)["message"]) == (
        400,
        "Invalid input JSON on line 1, column 1: Cannot deserialize value of type `java.lang.String`"
        " from Object value (token `JsonToken.START_OBJECT`)",
    )


# -- dates without a time -----------------------------------------------------------------------------


@pytest.fixture
def birthday(ask: Any) -> str:
    """The name of a date property."""
    definition = {
        "name": "birthday",
        "label": "Birthday",
        "type": "date",
        "fieldType": "date",
        "groupName": "contactinformation",
    }
    assert ask.post("/crm/v3/properties/contacts", definition).status == 201
    return "birthday"


@pytest.mark.parametrize("value", ["1990-01-01", "631152000000", 631152000000])
@pytest.mark.parametrize("version", ["v3/objects", "objects/2026-03", "objects/2026-09"])
def test_a_day_or_its_midnight_is_a_date(ask: Any, birthday: str, value: Any, version: str) -> None:
    answer = ask.post(f"/crm/{version}/contacts", {"properties": {"firstname": "A", birthday: value}})
    assert (answer.status, answer.json()["properties"][birthday]) == (201, "1990-01-01")
    assert "warnings" not in answer.json()


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ("1635535865", "INVALID_DATE", "1635535865 is at 22:18:55.865 UTC, not midnight!"),
        (
            "2026-01-01T01:02:03Z",
            "INVALID_DATE",
            "2026-01-01T01:02:03Z is at 01:02:03.000 UTC, not midnight!",
        ),
        ("1990-01-01T00:00:00Z", "INVALID_LONG", "1990-01-01T00:00:00Z was not a valid long."),
        ("soon", "INVALID_LONG", "soon was not a valid long."),
        ("864000000000000000", "INVALID_LONG", "864000000000000000 was not a valid long."),
    ],
)
@pytest.mark.parametrize("path", ["/crm/v3/objects/contacts", "/crm/objects/2026-03/contacts"])
def test_older_versions_are_strict_about_dates(
    ask: Any, birthday: str, path: str, value: str, code: str, message: str
) -> None:
    answer = ask.post(path, {"properties": {"firstname": "A", birthday: value}})
    assert problem(answer) == (birthday, code, message)


@pytest.mark.parametrize(
    ("value", "kept", "normalised"),
    [
        ("1990-01-01T00:00:00Z", "1990-01-01", "631152000000"),
        ("1990-01-01T23:30:00+01:00", "1990-01-01", "631152000000"),
        ("631152123456", "1990-01-01", "631152000000"),
        ("631152000", "1990-01-01", "631152000000"),
    ],
)
def test_from_2026_09_on_dates_are_normalised_with_a_warning(
    ask: Any, birthday: str, value: str, kept: str, normalised: str
) -> None:
    path = "/crm/objects/2026-09/contacts"
    answer = ask.post(path, {"properties": {"firstname": "A", birthday: value}}).json()
    assert answer["properties"][birthday] == kept
    assert answer["warnings"] == [
        {
            "category": "PROPERTY_VALUE_NORMALIZED",
            "message": "birthday was normalized",
            "context": {"propertyName": "birthday", "rawValue": value, "normalizedValue": normalised},
        }
    ]


def test_text_that_is_no_date_is_refused_by_every_version(ask: Any, birthday: str) -> None:
    path = "/crm/objects/2026-09/contacts"
    answer = ask.post(path, {"properties": {"firstname": "A", birthday: "soon"}})
    assert problem(answer) == (birthday, "INVALID_LONG", "soon was not a valid long.")


@given(st.datetimes())
def test_an_instant_comes_back_as_it_was_written(when: Any) -> None:
    text = when.isoformat(timespec="milliseconds") + "Z"
    milliseconds = instants.parse_iso_ms(text)
    assert milliseconds is not None
    assert instants.iso_of_ms(milliseconds) == text


@given(st.dates())
def test_a_day_and_its_midnight_are_one(day: Any) -> None:
    milliseconds = instants.ms_of_date(day)
    assert instants.is_midnight(milliseconds)
    assert instants.date_of_ms(milliseconds) == day
    assert instants.time_of_day(milliseconds) == "00:00:00.000"


@given(st.emails())
def test_addresses_of_common_form_are_accepted(address: str) -> None:
    # Hypothesis also makes top-level domains such as "xn--..." and quoted parts; both are addresses.
    assert is_email(address)


@pytest.mark.parametrize(
    "text", ["", "a", "a@b", "@b.com", "a@", "a b@c.com", "a@b..com", "a@-b.com", "a@b.c", "a@b.com\n"]
)
def test_what_is_no_address(text: str) -> None:
    assert not is_email(text)


# -- required properties ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("object_type", "properties", "noun", "missing"),
    [
        ("contacts", {}, "CONTACT", ["email", "firstname", "lastname"]),
        ("contacts", {"firstname": "", "city": "x"}, "CONTACT", ["email", "firstname", "lastname"]),
        ("companies", {"city": "Ljubljana"}, "COMPANY", ["name", "domain"]),
        ("deals", {"amount": "1"}, "DEAL", ["dealname", "dealstage"]),
        ("deals", {"dealname": "D", "pipeline": "default"}, "DEAL", ["dealstage"]),
    ],
)
def test_a_create_needs_certain_properties(
    ask: Any,
    refusal: Callable[..., dict[str, Any]],
    object_type: str,
    properties: dict[str, str],
    noun: str,
    missing: list[str],
) -> None:
    answer = ask.post(f"/crm/v3/objects/{object_type}", {"properties": properties})
    assert (answer.status, refusal(answer)) == (
        400,
        {
            "status": "error",
            "message": f"Error creating {noun}. Some required properties were not set.",
            "context": {"properties": missing},
            "category": "VALIDATION_ERROR",
        },
    )


def test_a_deal_without_a_pipeline_gets_the_default_one_if_so_switched(
    make_portal: Callable[..., Portal], asker: Any
) -> None:
    deal = {"properties": {"dealname": "D", "dealstage": "closedwon"}}
    for switch, status in [(True, 201), (False, 400)]:
        portal = make_portal(default_pipeline_when_missing=switch)
        answer = asker(portal, portal.hubspot.tokens()["seeder"]).post("/crm/v3/objects/deals", deal)
        assert answer.status == status
        if switch:
            assert answer.json()["properties"]["pipeline"] == "default"
        else:
            assert answer.json()["context"] == {"properties": ["pipeline"]}
