"""Fields that clients make by the Tooling API, and who may see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Org = Any


def described(org: Org, name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    body = org.json("GET", f"/sobjects/{name}/describe")
    return body, {field["name"]: field for field in body["fields"]}


def made(org: Org, name: str, status: int = 201, **metadata: Any) -> Any:
    body = {"FullName": name, "Metadata": metadata}
    return org.json("POST", "/tooling/sobjects/CustomField", body, status=status)


def show(org: Org, name: str, status: int = 201, **more: Any) -> Any:
    parent = org.query("SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = true")["records"][0]["Id"]
    body = {
        "ParentId": parent,
        "SobjectType": name.partition(".")[0],
        "Field": name,
        "PermissionsRead": True,
        "PermissionsEdit": True,
        **more,
    }
    return org.json("POST", "/sobjects/FieldPermissions", body, status=status)


def test_a_field_is_made_and_shown(org: Org) -> None:
    text = {"type": "Text", "label": "Seed Key", "length": 80, "externalId": True, "unique": True}
    answer = made(org, "Account.Seed_Key__c", **text)
    assert answer == {"id": answer["id"], "success": True, "errors": [], "warnings": [], "infos": []}
    assert answer["id"].startswith("00N")
    assert "Seed_Key__c" not in described(org, "Account")[1]
    assert org.refused("POST", "/sobjects/Account", {"Name": "A", "Seed_Key__c": "k"})[1] == "INVALID_FIELD"
    [again] = made(org, "account.seed_key__c", 400, **text)
    assert again == {
        "message": "There is already a field named seed_key on Account.",
        "errorCode": "DUPLICATE_DEVELOPER_NAME",
        "fields": ["DeveloperName"],
    }
    show(org, "Account.Seed_Key__c")
    field = described(org, "Account")[1]["Seed_Key__c"]
    told = {name: field[name] for name in ("label", "length", "type", "unique", "externalId", "custom")}
    assert told == {
        "label": "Seed Key",
        "length": 80,
        "type": "string",
        "unique": True,
        "externalId": True,
        "custom": True,
    }
    id = org.make("Account", Name="A", Seed_Key__c="k")
    assert org.json("GET", "/sobjects/Account/Seed_Key__c/K")["Id"] == id
    org.portal.reset()
    assert "Seed_Key__c" not in described(org, "Account")[1]


def test_a_field_of_activities(org: Org) -> None:
    made(org, "Activity.Mood__c", type="Text", label="Mood", length=9)
    show(org, "Activity.Mood__c")
    for name in ("Task", "Event"):
        assert "Mood__c" in described(org, name)[1]
    [error] = made(org, "Task.Other__c", 400, type="Text", label="Other", length=9)
    assert error["message"] == "Custom fields of Task cannot be made there"


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"type": "Checkbox", "defaultValue": "true"}, {"type": "boolean", "defaultValue": True}),
        ({"type": "Number", "precision": 8, "scale": 3}, {"type": "double", "precision": 8, "scale": 3}),
        ({"type": "LongTextArea", "length": 1000}, {"type": "textarea", "length": 1000}),
        ({"type": "Email"}, {"type": "email", "length": 80}),
        (
            {"type": "Lookup", "referenceTo": "Contact", "relationshipName": "Friends"},
            {"type": "reference", "referenceTo": ["Contact"], "relationshipName": "New__r", "nillable": True},
        ),
        (
            {"type": "MasterDetail", "referenceTo": "Contact", "relationshipName": "Friends"},
            {"nillable": False, "cascadeDelete": True, "updateable": False},
        ),
        ({"type": "Date", "required": True}, {"type": "date", "nillable": False}),
    ],
)
def test_types_of_fields(new_org: Callable[..., Org], metadata: dict[str, Any], told: dict[str, Any]) -> None:
    org = new_org()
    made(org, "Account.New__c", label="New", **metadata)
    # Whoever must fill a field sees it; others are shown it.
    must = metadata.get("required") or metadata["type"] == "MasterDetail"
    assert ("New__c" in described(org, "Account")[1]) == bool(must)
    show(org, "Account.New__c")
    field = described(org, "Account")[1]["New__c"]
    assert {name: field[name] for name in told} == told
    children = described(org, "Contact")[0]["childRelationships"]
    lists = [each["relationshipName"] for each in children if each["childSObject"] == "Account"]
    assert ("Friends__r" in lists) == ("referenceTo" in metadata)


def test_a_picklist_is_made(org: Org) -> None:
    values = [{"fullName": "A", "default": True}, {"valueName": "B"}, {}, "C"]
    value_set = {"restricted": True, "valueSetDefinition": {"value": values}}
    made(org, "Account.New__c", type="Picklist", label="New", valueSet=value_set)
    show(org, "Account.New__c")
    field = described(org, "Account")[1]["New__c"]
    assert [value["value"] for value in field["picklistValues"]] == ["A", "B"]
    assert (field["restrictedPicklist"], field["defaultedOnCreate"]) == (True, True)
    id = org.make("Account", Name="A")
    assert org.json("GET", f"/sobjects/Account/{id}")["New__c"] == "A"


@pytest.mark.parametrize(
    ("name", "metadata", "status", "code", "message"),
    [
        (
            "Account",
            {},
            400,
            "INVALID_FIELD",
            "FullName is Object.Field__c, and Metadata describes the field",
        ),
        (
            "Nope.New__c",
            {"type": "Text"},
            400,
            "INVALID_CROSS_REFERENCE_KEY",
            "Entity Enumeration Or ID: Nope is not valid",
        ),
        (
            "Account.New__c",
            {"type": "Txt"},
            400,
            "INVALID_FIELD",
            "Txt is not a valid value for the enum FieldType",
        ),
        (
            "Account.New__c",
            {"type": "Date"},
            400,
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [MasterLabel]",
        ),
        (
            "Account.New__c",
            {"type": "Text", "label": "New"},
            400,
            "INVALID_FIELD",
            "You must specify a length from 1 to 255 for a Text field",
        ),
        (
            "Account.New__c",
            {"type": "AutoNumber", "label": "New"},
            501,
            "NOT_EMULATED",
            "The local portal does not emulate making custom fields of the type AutoNumber, or with a"
            " formula.",
        ),
    ],
)
def test_fields_that_cannot_be_made(
    org: Org, name: str, metadata: dict[str, Any], status: int, code: str, message: str
) -> None:
    [error] = made(org, name, status, **metadata)
    assert (error["errorCode"], error["message"]) == (code, message)


def test_field_permissions_that_make_no_sense(org: Org) -> None:
    [error] = show(org, "Account.Nope__c", 400)
    assert error == {
        "message": "Field: bad value for restricted picklist field: Account.Nope__c",
        "errorCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "fields": ["Field"],
    }
    [error] = show(org, "Account.Phone", 400, PermissionsRead=False)
    assert error["message"] == "Read access is required for edit access."
    first = show(org, "Account.Phone")["id"]
    [error] = show(org, "Account.Phone", 400)
    assert error["errorCode"] == "DUPLICATE_VALUE"
    assert (
        error["message"] == f"duplicate value found: Field duplicates value on record with id: {first[:15]}"
    )


def test_a_field_that_was_made_in_vain_is_no_more(org: Org) -> None:
    """A composite request makes a field, fails, and is undone as a whole."""
    body = {"FullName": "Account.New__c", "Metadata": {"type": "Date", "label": "New", "required": True}}
    home = "/services/data/v66.0"
    requests = [
        {"method": "POST", "url": f"{home}/tooling/sobjects/CustomField", "referenceId": "a", "body": body},
        {"method": "POST", "url": f"{home}/sobjects/Account", "referenceId": "b", "body": {}},
    ]
    answer = org.json("POST", "/composite", {"allOrNone": True, "compositeRequest": requests})
    assert [part["httpStatusCode"] for part in answer["compositeResponse"]] == [400, 400]
    assert "New__c" not in described(org, "Account")[1]
    made(org, "Account.New__c", type="Date", label="New")
