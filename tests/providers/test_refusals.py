"""What HubSpot says in its error bodies, in each of the forms it is known to use."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_crmseed.providers.hubspot.refusals import read_refusals
from pytest_crmseed.records import Refusal

CARRIER = "Property values were not valid: "


def carried(*entries: dict[str, Any]) -> str:
    return CARRIER + json.dumps(list(entries))


UNKNOWN = 'Property "nope" does not exist'
BOTH_CARRIERS = {
    "status": "error",
    "message": carried(
        {"isValid": False, "message": UNKNOWN, "error": "PROPERTY_DOESNT_EXIST", "name": "nope"}
    ),
    "correlationId": "id-1",
    "errors": [{"message": UNKNOWN, "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["nope"]}}],
    "category": "VALIDATION_ERROR",
}


def test_two_carriers_of_one_refusal_give_it_once() -> None:
    assert read_refusals(BOTH_CARRIERS, status=400, sent={"nope": "x"}) == (
        Refusal(UNKNOWN, "PROPERTY_DOESNT_EXIST", "nope", "x", status=400, request_id="id-1"),
    )


@pytest.mark.parametrize("tail", ["", " (and that is all)", "\n"])
def test_the_text_carrier_alone_gives_all_refusals_of_a_record(tail: str) -> None:
    message = carried(
        {
            "isValid": False,
            "message": UNKNOWN,
            "error": "PROPERTY_DOESNT_EXIST",
            "name": "nope",
            "portalId": 1,
        },
        {
            "isValid": False,
            "message": "Email address a@b is invalid",
            "error": "INVALID_EMAIL",
            "name": "email",
        },
        {
            "isValid": False,
            "message": "17 is at 22:18:55.865 UTC, not midnight!",
            "error": "INVALID_DATE",
            "name": "d",
        },
        {
            "isValid": False,
            "message": "x was not a valid number",
            "error": "INVALID_INTEGER",
            "name": "amount",
        },
        {"isValid": False, "message": "y was not a valid long.", "error": "INVALID_LONG", "name": "at"},
    )
    entry = {"status": "error", "category": "VALIDATION_ERROR", "message": message + tail}
    refusals = read_refusals(entry, sent={"email": "a@b", "amount": "x"})
    assert [(r.field, r.code, r.value) for r in refusals] == [
        ("nope", "PROPERTY_DOESNT_EXIST", None),
        ("email", "INVALID_EMAIL", "a@b"),
        ("d", "INVALID_DATE", None),
        ("amount", "INVALID_INTEGER", "x"),
        ("at", "INVALID_LONG", None),
    ]
    assert refusals[1].message == "Email address a@b is invalid"
    assert not any(refusal.conflict for refusal in refusals)


DUMP = (
    'LEAD was not one of the allowed options: [label: "Prospect, new"\nvalue: "PROSPECT"\ndisplay_order: 0\n'
    'hidden: false\n, label: "Partner"\nvalue: "PARTNER"\ndisplay_order: 1\nhidden: false\n]'
)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("sure: X was not one of the allowed options: [none, possible, sure]", ("none", "possible", "sure")),
        (DUMP, ("PROSPECT", "PARTNER")),
        ("X was not one of the allowed options: []", ()),
        ("something else", ()),
    ],
)
def test_allowed_options_in_both_renderings(text: str, allowed: tuple[str, ...]) -> None:
    body = {"message": carried({"message": text, "error": "INVALID_OPTION", "name": "kind"})}
    (refusal,) = read_refusals(body)
    assert (refusal.message, refusal.code, refusal.field, refusal.allowed) == (
        text,
        "INVALID_OPTION",
        "kind",
        allowed,
    )


def test_a_read_only_property() -> None:
    text = '"hs_unique_creation_key" is a read only property; its value cannot be set.'
    entry = {
        "message": text,
        "code": "READ_ONLY_VALUE",
        "context": {"propertyName": ["hs_unique_creation_key"]},
    }
    (refusal,) = read_refusals({"message": "The property values provided are invalid", "errors": [entry]})
    assert (refusal.message, refusal.code, refusal.field) == (
        text,
        "READ_ONLY_VALUE",
        "hs_unique_creation_key",
    )


def test_missing_properties_are_named_one_by_one() -> None:
    text = "Error creating TICKET. Some required properties were not set."
    body = {"message": text, "category": "VALIDATION_ERROR", "context": {"properties": ["subject", "stage"]}}
    assert [(r.field, r.message, r.code) for r in read_refusals(body)] == [
        ("subject", text, "VALIDATION_ERROR"),
        ("stage", text, "VALIDATION_ERROR"),
    ]


def test_rules_of_the_portal_s_administrator() -> None:
    first = {
        "code": "MISSING_REQUIRED_PROPERTY",
        "message": "A value for firstname must be provided",
        "context": {"propertyName": ["firstname"]},
    }
    second = {
        "code": "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
        "message": "tier is required because of a conditional property rule based on [country]",
        "context": {"propertyName": ["tier"]},
    }
    body = {"category": "VALIDATION_ERROR", "errors": [first, second]}
    assert [(r.field, r.code, r.message) for r in read_refusals(body)] == [
        ("firstname", first["code"], first["message"]),
        ("tier", second["code"], second["message"]),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Missing 'Edit Associations' permission.",
        "Invalid input JSON on line 1, column 2. Some required fields were not set: [name]",
        "Invalid input JSON on line 1, column 1: Cannot deserialize value of type `int`",
        "Batch input provided should have at least one object.",
        "Duplicate IDs found in batch input: [12877907025]. IDs must be unique",
        "resource not found",
        CARRIER + "not JSON at all",
    ],
)
def test_a_body_that_names_no_field_gives_its_message(text: str) -> None:
    body = {"status": "error", "message": text, "correlationId": "id-2", "category": "VALIDATION_ERROR"}
    assert read_refusals(body, status=400) == (
        Refusal(text, "VALIDATION_ERROR", status=400, request_id="id-2"),
    )


def test_an_error_without_a_property_s_name_is_not_lost_beside_one_with() -> None:
    errors = [
        {"message": "first", "code": "A", "context": {"propertyName": ["x", "y"]}},
        {"message": "second", "code": "B", "in": "z"},
        {"message": "third"},
    ]
    assert [(r.message, r.field) for r in read_refusals({"message": "m", "errors": errors})] == [
        ("first", "x"),
        ("first", "y"),
        ("second", "z"),
        ("third", None),
    ]


@pytest.mark.parametrize("body", [{}, {"message": None}, {"message": ""}])
def test_a_body_that_says_nothing(body: dict[str, Any]) -> None:
    assert [refusal.message for refusal in read_refusals(body)] == ["no reason given"]
    assert [refusal.message for refusal in read_refusals({**body, "category": "CONFLICT"})] == ["CONFLICT"]


def test_a_contact_that_exists() -> None:
    text = "Contact already exists. Existing ID: 37765128953"
    body = {"status": "error", "message": text, "correlationId": "id-3", "category": "CONFLICT"}
    assert read_refusals(body, status=409, sent={"email": "a@example.com"}) == (
        Refusal(
            text,
            "CONFLICT",
            "email",
            "a@example.com",
            status=409,
            request_id="id-3",
            conflict=True,
            existing_id="37765128953",
        ),
    )


TAKEN = (
    "Cannot set PropertyValueCoordinates{portalId=4, objectTypeId=ObjectTypeId{legacyObjectType=CONTACT}, "
    "propertyName=email, value=x@example.com} on 552148386511. 552239500007 already has that value."
)


@pytest.mark.parametrize("sent", [{}, {"email": "x@example.com"}])
def test_a_unique_value_that_is_taken_names_the_second_record(sent: dict[str, Any]) -> None:
    (refusal,) = read_refusals({"message": TAKEN, "category": "VALIDATION_ERROR"}, status=400, sent=sent)
    assert (refusal.field, refusal.value, refusal.existing_id) == ("email", "x@example.com", "552239500007")
    assert refusal.conflict
    assert refusal.code == "CONFLICTING_UNIQUE_VALUE"


@pytest.mark.parametrize("code", ["CONFLICTING_UNIQUE_VALUE", "UNIQUE_VALUE_CONFLICT"])
@pytest.mark.parametrize("text", [TAKEN, "already used"])
def test_a_taken_value_in_the_structured_forms_is_a_conflict_too(code: str, text: str) -> None:
    structured = {"message": text, "code": code, "context": {"propertyName": ["email"]}}
    other = {"message": UNKNOWN, "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["nope"]}}
    for body in (
        {"message": "m", "errors": [structured, other]},
        {"message": carried({"message": text, "error": code, "name": "email"}, {**other, "name": "nope"})},
    ):
        taken, unknown = read_refusals(body, sent={"email": "x@example.com"})
        assert (taken.conflict, taken.code, taken.field, taken.value) == (
            True,
            code,
            "email",
            "x@example.com",
        )
        assert taken.existing_id == ("552239500007" if text == TAKEN else None)
        assert (unknown.conflict, unknown.field) == (False, "nope")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"message": "Taken.", "category": "CONFLICT"}, 207),
        ({"message": "A property named 'x' already exists.", "category": "OBJECT_ALREADY_EXISTS"}, 207),
        ({"message": "Taken.", "errorType": "UNIQUE_VALUE_CONFLICT"}, 400),
        ({"message": "Taken."}, 409),
        ({"message": "Taken.", "category": "CONFLICT", "errors": [{"message": "Taken."}]}, 409),
    ],
)
def test_a_conflict_in_any_other_form(body: dict[str, Any], status: int) -> None:
    (refusal,) = read_refusals(body, status=status)
    assert refusal.conflict
    assert refusal.existing_id is None


@pytest.mark.parametrize("status", [200, 207, 400])
def test_what_is_no_conflict(status: int) -> None:
    (refusal,) = read_refusals({"message": "Bad.", "category": "VALIDATION_ERROR"}, status=status)
    assert not refusal.conflict


def test_the_whole_body_is_kept() -> None:
    (refusal,) = read_refusals({"message": "Ä.", "more": [1]})
    assert json.loads(refusal.body) == {"message": "Ä.", "more": [1]}
