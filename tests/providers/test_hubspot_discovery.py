"""HubSpot's schema read live from a portal, and from answers that a portal may give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_crmseed.errors import ApiRefused, Unauthorized
from pytest_crmseed.portal import LocalPortal
from pytest_crmseed.providers.base import Answer, Exchange, Request
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.model import Association, Kind, Option, Schema, Stage
from pytest_crmseed.seeder import schemas
from pytest_crmseed.seeder.assemble import address_of, limits_of, translator_for
from pytest_crmseed.seeder.target import open_target
from pytest_crmseed.settings import Settings


def run(exchange: Exchange[Schema], answers: Mapping[str, Any]) -> tuple[Schema, list[str]]:
    """Drive an exchange with bodies by path (an exception is thrown); return its result, and the paths."""
    asked: list[str] = []
    try:
        request = next(exchange)
        while True:
            asked.append(request.path)
            body = answers.get(_key(request), {"results": []})
            if isinstance(body, Exception):
                request = exchange.throw(body)
            else:
                request = exchange.send(Answer(200, {}, json.dumps(body).encode(), request))
    except StopIteration as done:
        return done.value, asked


def _key(request: Request) -> str:
    query = "&".join(f"{name}={value}" for name, value in request.query if name == "after")
    return f"{request.path}?{query}" if query else request.path


@pytest.mark.parametrize("api_version", ["2026-03", "v3"])
def test_the_local_portals_schema_is_the_bundled_one_and_our_key(
    one_portal: LocalPortal, api_version: str
) -> None:
    target = open_target(
        HubSpot,
        translator_for(HubSpot, Settings.load({}, {})),
        address_of(one_portal, HubSpot),
        limits_of(Settings.load({}, {})),
        api_version=api_version,
    )
    try:
        found = schemas.live(target)
    finally:
        target.close()
    known = catalog.bundled("hubspot")
    assert found.complete
    assert found.source == "live"
    assert found.portal_id == target.account.portal_id
    for name, object_type in known.object_types.items():
        live = found.object_types[name]
        key = live.fields["crmseed_key"]
        assert (key.unique, key.custom, key.kind) == (True, True, Kind.STRING)
        assert {n: f for n, f in live.fields.items() if n != "crmseed_key"} == object_type.fields
        assert live.pipelines == object_type.pipelines
        assert set(live.associations) == set(object_type.associations)
        assert live.required_any == object_type.required_any


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
