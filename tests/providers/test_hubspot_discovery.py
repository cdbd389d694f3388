"""HubSpot's schema read live from a portal, and from answers that a portal may give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pytest_crmseed.errors import ApiRefused, CrmseedError, Unauthorized
from pytest_crmseed.portal import LocalPortal
from pytest_crmseed.providers.base import Answer, Request, Rounds
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.providers.hubspot.definitions import associations_of, paired
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.model import Association, Kind, Option, Schema, Stage
from pytest_crmseed.seeder.assemble import address_of, open_by_settings
from pytest_crmseed.settings import Settings


def run(rounds: Rounds[Schema], answers: Mapping[str, Any]) -> tuple[Schema, list[str]]:
    """Answer rounds with bodies by path (an error stands for itself); return the result, and the paths."""
    asked: list[str] = []

    def answer(request: Request) -> Answer | CrmseedError:
        asked.append(request.path)
        body = answers.get(_key(request), {"results": []})
        if isinstance(body, CrmseedError):
            return body
        return Answer(200, {}, json.dumps(body).encode(), request)

    try:
        requests = next(rounds)
        while True:
            requests = rounds.send([answer(request) for request in requests])
    except StopIteration as done:
        return done.value, asked


def _key(request: Request) -> str:
    query = "&".join(f"{name}={value}" for name, value in request.query if name == "after")
    return f"{request.path}?{query}" if query else request.path


@pytest.mark.parametrize("api_version", ["2026-03", "v3"])
def test_the_local_portals_schema_is_the_bundled_one_and_our_key(
    one_portal: LocalPortal, api_version: str
) -> None:
    settings = Settings.load({"api_version": api_version}, {})
    target = open_by_settings(settings, HubSpot, address_of(one_portal, HubSpot), schema="live")
    target.close()
    found = target.chosen.schema
    known = catalog.bundled("hubspot")
    assert found.complete
    assert found.source == "live"
    assert found.portal_id == target.account.portal_id
    for name, object_type in known.object_types.items():
        live = found.object_types[name]
        key = live.fields["crmseed_key"]
        assert (key.unique, key.custom, key.kind) == (True, True, Kind.STRING)
        fields = {n: f for n, f in live.fields.items() if n != "crmseed_key"}
        # The snapshot cannot know who works in a portal.
        owners = {n for n, f in fields.items() if f.external == "owners"}
        assert all([option.value for option in fields[n].options] == ["70000001", "70000002"] for n in owners)
        bare = {n: replace(f, options=()) if n in owners else f for n, f in fields.items()}
        assert bare == object_type.fields
        assert live.pipelines == object_type.pipelines
        assert set(live.associations) == set(object_type.associations)
        assert live.required_any == object_type.required_any


def test_a_label_of_the_portals_own_may_have_the_number_of_a_stock_type() -> None:
    stock = catalog.bundled("hubspot").object_types["contacts"].associations
    assert {(a.type_id, a.primary) for a in stock if a.to == "companies"} >= {(1, True)}
    entries = [
        {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
        {"category": "USER_DEFINED", "typeId": 1, "label": "Consultant"},
    ]
    primary, own = associations_of("companies", entries, stock)
    assert (primary.primary, primary.inverse) == (True, 2)
    assert (own.primary, own.inverse, own.label) == (False, None, "Consultant")
    back = [
        Association("contacts", 2, "HUBSPOT_DEFINED", "Primary", primary=True),
        Association("contacts", 2, "USER_DEFINED", "Client"),
    ]
    assert [a.inverse for a in paired([primary, own], back)] == [2, 2]


def test_definitions_are_read_as_they_are() -> None:
    properties = [
        {
            "name": "tier",
            "label": "Tier",
            "type": "enumeration",
            "fieldType": "checkbox",
            "options": [
                {"label": "Gold", "value": "g", "displayOrder": 1, "hidden": False},
                {"label": "Silver", "value": "s", "displayOrder": 0, "hidden": True},
            ],
        },
        {"name": "score", "label": "Score", "type": "number", "fieldType": "calculation_score"},
        {"name": "note", "label": "Note", "type": "string", "fieldType": "textarea", "hasUniqueValue": True},
        {
            "name": "hubspot_owner_id",
            "label": "Owner",
            "type": "enumeration",
            "fieldType": "select",
            "options": [],
            "externalOptions": True,
            "referencedObjectType": "OWNER",
            "hubspotDefined": True,
        },
        {
            "name": "place",
            "label": "Place",
            "type": "object_coordinates",
            "fieldType": "text",
            "archived": True,
        },
        {
            "name": "locked",
            "label": "Locked",
            "type": "bool",
            "fieldType": "booleancheckbox",
            "modificationMetadata": {"readOnlyValue": True},
        },
    ]
    schema, asked = run(
        HubSpot(catalog.bundled("hubspot")).discover(["contacts"], portal_id="7", taken_at="now"),
        {
            "/crm/owners/2026-03": {
                "results": [{"id": "1", "firstName": "Ann", "lastName": "Lee"}],
                "paging": {"next": {"after": "9"}},
            },
            "/crm/owners/2026-03?after=9": {"results": [{"id": 2, "email": "b@example.com"}]},
            "/crm/properties/2026-03/contacts": {"results": properties},
        },
    )
    found = schema.object_types["contacts"].fields
    assert found["tier"].kind is Kind.OPTIONS
    assert found["tier"].options == (Option("s", "Silver", hidden=True), Option("g", "Gold"))
    assert found["tier"].custom
    assert found["score"].read_only
    assert (found["note"].kind, found["note"].unique, found["note"].max_length) == (Kind.TEXT, True, 65_536)
    owner = found["hubspot_owner_id"]
    assert (owner.external, owner.custom) == ("owners", False)
    assert owner.options == (Option("1", "Ann Lee"), Option("2", "b@example.com"))
    assert (found["place"].kind, found["place"].archived) == (Kind.OTHER, True)
    assert found["locked"].read_only
    # No pipelines are asked for where no property lives in one.
    assert "/crm/pipelines/2026-03/contacts" not in asked


def test_pipelines_and_labels_are_read_in_their_order() -> None:
    stage = {
        "id": "b",
        "label": "B",
        "displayOrder": 1,
        "metadata": {"isClosed": "true", "probability": "1.0"},
    }
    first = {
        "id": "a",
        "label": "A",
        "displayOrder": 0,
        "metadata": {"isClosed": "false", "probability": "0.2"},
    }
    gone = {"id": "c", "label": "C", "displayOrder": 2, "archived": True}
    pipelines = [
        {"id": "2", "label": "Second", "displayOrder": 1, "stages": []},
        {"id": "1", "label": "First", "displayOrder": 0, "stages": [stage, gone, first]},
        {"id": "3", "label": "Third", "displayOrder": 2, "archived": True, "stages": []},
    ]
    dealstage = {
        "name": "dealstage",
        "label": "Stage",
        "type": "enumeration",
        "fieldType": "radio",
        "externalOptions": True,
        "options": [],
        "hubspotDefined": True,
    }
    schema, _ = run(
        HubSpot(catalog.bundled("hubspot")).discover(["deals", "contacts"], portal_id="7", taken_at="now"),
        {
            "/crm/properties/2026-03/deals": {"results": [dealstage]},
            "/crm/pipelines/2026-03/deals": {"results": pipelines},
            "/crm/associations/2026-03/deals/contacts/labels": {
                "results": [
                    {"category": "HUBSPOT_DEFINED", "typeId": 3, "label": None},
                    {"category": "USER_DEFINED", "typeId": 77, "label": "Decision maker"},
                ]
            },
            "/crm/associations/2026-03/contacts/contacts/labels": ApiRefused("no such pair", status=400),
        },
    )
    deals = schema.object_types["deals"]
    assert [pipeline.id for pipeline in deals.pipelines] == ["1", "2"]
    assert deals.pipelines[0].stages == (Stage("a", "A", 0, False, 0.2), Stage("b", "B", 1, True, 1.0))
    to_contacts = [a for a in deals.associations if a.to == "contacts"]
    assert to_contacts == [
        Association("contacts", 3, "HUBSPOT_DEFINED", None, inverse=4),
        Association("contacts", 77, "USER_DEFINED", "Decision maker"),
    ]


def test_owners_without_their_scope_are_not_checkable() -> None:
    schema, _ = run(
        HubSpot(catalog.bundled("hubspot")).discover(["contacts"], portal_id="7", taken_at="now"),
        {"/crm/owners/2026-03": Unauthorized("no scope", status=403)},
    )
    assert schema.object_types["contacts"].fields == {}


def test_a_failing_portal_is_not_swallowed() -> None:
    with pytest.raises(ApiRefused, match="broken"):
        run(
            HubSpot(catalog.bundled("hubspot")).discover(
                ["deals", "contacts"], portal_id="7", taken_at="now"
            ),
            {"/crm/associations/2026-03/deals/contacts/labels": ApiRefused("broken", status=501)},
        )


CARS = {
    "id": "123",
    "objectTypeId": "2-123",
    "name": "cars",
    "fullyQualifiedName": "p7_cars",
    "labels": {"singular": "Car", "plural": "Cars"},
    "primaryDisplayProperty": "model",
    "requiredProperties": ["model", "vin"],
    "searchableProperties": ["model"],
    "properties": [
        {"name": "model", "label": "Model", "type": "string", "fieldType": "text"},
        {"name": "vin", "label": "VIN", "type": "string", "fieldType": "text", "hasUniqueValue": True},
    ],
    "associations": [
        {"id": "31", "fromObjectTypeId": "2-123", "toObjectTypeId": "0-1", "name": "cars_to_contact"},
        {"id": "30", "fromObjectTypeId": "0-1", "toObjectTypeId": "2-123", "name": "cars_to_contact"},
        {"id": "41", "fromObjectTypeId": "2-123", "toObjectTypeId": "0-999", "name": "cars_to_unknown"},
    ],
}


def test_custom_objects_come_with_what_their_schema_says() -> None:
    schema, asked = run(
        HubSpot(catalog.bundled("hubspot")).discover(["contacts"], portal_id="7", taken_at="now"),
        {
            "/crm-object-schemas/2026-03/schemas": {
                "results": [CARS, {**CARS, "name": "old", "archived": True}]
            },
            "/crm/property-validations/2026-03/2-123": {
                "results": [
                    {
                        "propertyName": "vin",
                        "propertyValidationRules": [{"ruleType": "MAX_LENGTH", "ruleArguments": ["17"]}],
                    }
                ]
            },
            "/crm/properties/2026-03/p7_cars/groups": {
                "results": [
                    {"name": "b", "label": "B", "displayOrder": 1},
                    {"name": "a", "label": "A", "displayOrder": 0},
                    {"name": "c", "label": "C", "archived": True},
                ]
            },
            "/crm/associations/2026-03/p7_cars/contacts/labels": {
                "results": [
                    {"category": "USER_DEFINED", "typeId": 31, "label": None},
                    {"category": "USER_DEFINED", "typeId": 33, "label": "Driver"},
                ]
            },
            "/crm/associations/2026-03/contacts/p7_cars/labels": {
                "results": [
                    {"category": "USER_DEFINED", "typeId": 30, "label": None},
                    {"category": "USER_DEFINED", "typeId": 32, "label": "Drives"},
                ]
            },
        },
    )
    assert list(schema.object_types) == ["contacts", "p7_cars"]
    cars = schema.object_types["p7_cars"]
    assert (cars.custom, cars.type_id, cars.label, cars.plural, cars.singular) == (
        True,
        "2-123",
        "Car",
        "Cars",
        "cars",
    )
    assert cars.required_any == (("model",), ("vin",))
    assert (cars.display_field, cars.searchable) == ("model", ("model",))
    assert (cars.fields["vin"].unique, cars.fields["vin"].max_length) == (True, 17)
    assert [group.name for group in cars.groups] == ["a", "b"]
    assert cars.associations == (
        Association("contacts", 31, "USER_DEFINED", inverse=30),
        Association("contacts", 33, "USER_DEFINED", "Driver", inverse=32),
    )
    back = [a for a in schema.object_types["contacts"].associations if a.to == "p7_cars"]
    assert back == [
        Association("p7_cars", 30, "USER_DEFINED", inverse=31),
        Association("p7_cars", 32, "USER_DEFINED", "Drives", inverse=33),
    ]
    # Their properties are in their schema; nothing is asked of what does not exist here.
    assert "/crm/properties/2026-03/p7_cars" not in asked
    assert not any("0-999" in path for path in asked)
    assert schema.gaps == ()


def test_a_custom_schema_without_definitions_has_them_read() -> None:
    bare = {name: value for name, value in CARS.items() if name not in ("properties", "associations")}
    schema, asked = run(
        HubSpot(catalog.bundled("hubspot")).discover(["contacts"], portal_id="7", taken_at="now"),
        {
            "/crm-object-schemas/2026-03/schemas": {"results": [bare]},
            "/crm/properties/2026-03/p7_cars": {"results": CARS["properties"]},
        },
    )
    assert list(schema.object_types["p7_cars"].fields) == ["model", "vin"]
    assert schema.object_types["p7_cars"].associations == ()
    assert asked.count("/crm/properties/2026-03/p7_cars") == 1


def test_labels_of_which_the_other_direction_may_not_be_read_stand_alone() -> None:
    known = catalog.bundled("hubspot")
    schema, _ = run(
        HubSpot(known).discover(["deals", "contacts"], portal_id="7", taken_at="now"),
        {
            "/crm/associations/2026-03/deals/contacts/labels": {
                "results": [{"category": "USER_DEFINED", "typeId": 77, "label": "Decision maker"}]
            },
            "/crm/associations/2026-03/contacts/deals/labels": Unauthorized("no", status=403),
        },
    )
    to_contacts = [a for a in schema.object_types["deals"].associations if a.to == "contacts"]
    assert to_contacts == [Association("contacts", 77, "USER_DEFINED", "Decision maker")]
    back = [a for a in schema.object_types["contacts"].associations if a.to == "deals"]
    assert back == [a for a in known.object_types["contacts"].associations if a.to == "deals"]


def test_the_undated_paths_of_custom_objects_and_rules() -> None:
    known = catalog.bundled("hubspot")
    _, asked = run(HubSpot(known, api_version="v3").discover(["deals"], portal_id="7", taken_at="now"), {})
    assert set(asked) == {
        "/crm/v3/owners",
        "/crm-object-schemas/v3/schemas",
        "/crm/v3/properties/deals",
        "/crm/v3/properties/deals/groups",
        "/crm/v3/property-validations/0-3",
    }


def test_association_types_are_read_of_pairs_that_records_are_linked_by_alone() -> None:
    known = catalog.bundled("hubspot")
    schema, asked = run(
        HubSpot(known).discover(["deals", "contacts", "companies"], portal_id="7", taken_at="now"),
        {
            "/crm/associations/2026-03/deals/contacts/labels": {
                "results": [{"category": "HUBSPOT_DEFINED", "typeId": 3, "label": None}]
            },
        },
    )
    pairs = [path.split("/")[4:6] for path in asked if path.endswith("/labels")]
    assert pairs == [["contacts", "companies"], ["deals", "companies"], ["deals", "contacts"]]
    # HubSpot's own types of the other pairs are the same everywhere.
    back = [a for a in schema.object_types["contacts"].associations if a.to == "deals"]
    assert back == [a for a in known.object_types["contacts"].associations if a.to == "deals"] != []
    # What the portal says does not exist is not taken from the snapshot.
    assert not [a for a in schema.object_types["deals"].associations if a.to == "companies"]


def test_what_may_not_be_read_is_left_out_and_said() -> None:
    lacking = Unauthorized("no scope", status=403, scopes=("a.read", "b.read", "c.read", "d.read"))
    missing = ApiRefused("no such object", status=404)
    stock = {"name": "amount", "label": "Amount", "type": "number", "fieldType": "number"}
    own = {
        "name": "a",
        "label": "A",
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
    }
    schema, _ = run(
        HubSpot(catalog.bundled("hubspot")).discover(
            ["deals", "leads", "contacts"], portal_id="7", taken_at="now"
        ),
        {
            "/crm/owners/2026-03": lacking,
            "/crm-object-schemas/2026-03/schemas": Unauthorized("no", status=403, scopes=("s",)),
            "/crm/properties/2026-03/deals": {"results": [stock]},
            "/crm/properties/2026-03/leads": missing,
            "/crm/property-validations/2026-03/0-3": missing,
            "/crm/property-validations/2026-03/0-1": missing,
            "/crm/properties/2026-03/contacts": {"results": [own, {**own, "name": "b", "groupName": "mine"}]},
            "/crm/properties/2026-03/contacts/groups": missing,
            "/crm/associations/2026-03/deals/contacts/labels": lacking,
        },
    )
    assert list(schema.object_types) == ["deals", "contacts"]
    scopes = "the token lacks a scope (a.read, b.read, c.read, …)"
    assert schema.gaps == (
        f"The owners could not be read ({scopes}): owners' ids are not checked.",
        "The custom objects could not be read (the token lacks a scope (s)): they cannot be seeded.",
        "The properties of leads could not be read (HubSpot answers 404): these object types cannot be "
        "seeded.",
        "The property groups of contacts could not be read (HubSpot answers 404): they are known by name "
        "alone.",
        "The validation rules could not be read (HubSpot answers 404): values are not checked by them.",
        f"The association labels of deals to contacts could not be read ({scopes}): those of the bundled "
        "snapshot are used.",
    )
    to_contacts = [a.type_id for a in schema.object_types["deals"].associations if a.to == "contacts"]
    assert to_contacts == [3]
    groups = {group.name: group.label for group in schema.object_types["contacts"].groups}
    assert groups == {"contactinformation": "Contact information", "mine": "mine"}


@pytest.mark.parametrize("status", [401, 403])
def test_a_portal_that_lets_nothing_be_read_is_an_error(status: int) -> None:
    refused = Unauthorized("not for you", status=status)
    asked = ("owners", "properties")
    answers = {
        f"/crm/{family}/2026-03{tail}": refused for family, tail in zip(asked, ("", "/deals"), strict=True)
    }
    with pytest.raises(Unauthorized, match="not for you"):
        run(HubSpot(catalog.bundled("hubspot")).discover(["deals"], portal_id="7", taken_at="now"), answers)
