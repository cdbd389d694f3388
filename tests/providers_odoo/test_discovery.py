"""The schema as a server tells of it: definitions, stages, lists, and what could not be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_crmseed.errors import ApiRefused, CrmseedError, Unauthorized
from pytest_crmseed.providers.base import Answer, Request, Rounds
from pytest_crmseed.providers.odoo.calls import Session, model_and_method
from pytest_crmseed.providers.odoo.discovery import Discovery
from pytest_crmseed.schema.model import Kind, Schema

MODELS = [
    {"id": 1, "model": "res.partner", "name": "Contact", "state": "base", "inherited_model_ids": []},
    {"id": 2, "model": "crm.lead", "name": "Lead", "state": "base", "inherited_model_ids": []},
    {"id": 3, "model": "crm.stage", "name": "CRM Stages", "state": "base", "inherited_model_ids": []},
    {"id": 4, "model": "crm.tag", "name": "CRM Tag", "state": "base", "inherited_model_ids": []},
    {"id": 5, "model": "crm.team", "name": "Sales Team", "state": "base", "inherited_model_ids": [6]},
    {"id": 6, "model": "mail.alias", "name": "Alias", "state": "base", "inherited_model_ids": []},
    {"id": 7, "model": "x_cars", "name": "Car", "state": "manual", "inherited_model_ids": []},
    {"id": 8, "model": "crm.activity.report", "name": "Report", "state": "base", "inherited_model_ids": []},
    {"id": 9, "model": "ir.cron", "name": "Scheduled Actions", "state": "base", "inherited_model_ids": []},
    {"id": 10, "model": "res.users", "name": "User", "state": "base", "inherited_model_ids": [1]},
]


def field(type: str, **more: Any) -> dict[str, Any]:
    return {"type": type, "string": type.title(), "required": False, "readonly": False, "store": True, **more}


COMMON = {
    "id": field("integer", readonly=True),
    "create_uid": field("many2one", relation="res.users", readonly=True),
    "name": field("char", required=True),
}
FIELDS: Mapping[str, Mapping[str, Any]] = {
    # A nameless partner is refused, and fields_get does not say so.
    "res.partner": {
        **COMMON,
        "name": field("char", string="Name"),
        "email": field("char"),
        "phone": field("char"),
        "child_ids": field("one2many", relation="res.partner"),
        "parent_id": field("many2one", relation="res.partner"),
    },
    "crm.lead": {
        **COMMON,
        "type": field(
            "selection", selection=[["lead", "Lead"], ["opportunity", "Opportunity"]], required=True
        ),
        "priority": field("selection", selection=[["0", "Low"], ["1", "Medium"]]),
        "stage_id": field("many2one", relation="crm.stage"),
        "tag_ids": field("many2many", relation="crm.tag"),
        "partner_id": field("many2one", relation="res.partner"),
        "expected_revenue": field("monetary"),
        "is_new": field("boolean", required=True),
        "description": field("html"),
        "prorated": field("monetary", readonly=True, store=True),
        "company_type": field("selection", selection=[["a", "A"]], store=False),
        "image": field("binary"),
        "code": field("char", size=4),
        "x_color": field("char", manual=True),
    },
    "crm.stage": COMMON,
    "crm.tag": COMMON,
    "crm.team": {
        **COMMON,
        "alias_id": field("many2one", relation="mail.alias", required=True),
        "alias_model_id": field("many2one", relation="ir.model", required=True, store=False),
    },
    "x_cars": {**COMMON, "x_owner": field("many2one", relation="res.partner", required=True)},
    "crm.activity.report": {"id": field("integer", readonly=True), "name": field("char")},
}
ROWS: Mapping[str, list[dict[str, Any]]] = {
    "ir.model": MODELS,
    "crm.stage": [
        {"id": 4, "name": "Won", "sequence": 70, "is_won": True},
        {"id": 1, "name": "New", "sequence": 1, "is_won": False},
    ],
    "crm.tag": [{"id": 3, "display_name": "Hot"}],
    "crm.team": [{"id": 1, "display_name": "Sales"}],
}


def discovered(refused: Mapping[str, CrmseedError] | None = None) -> tuple[Schema, list[Request]]:
    """Run a discovery against the facts above; ``refused`` are errors by model or by model and method."""
    known = Schema("odoo", {})
    names = ["res.partner:company", "res.partner", "crm.lead", "crm.lead:opportunity"]
    rounds: Rounds[Schema] = Discovery(Session("staging"), known).schema(
        names, portal_id="staging", taken_at="2026-11-23"
    )
    sent: list[Request] = []

    def answer(request: Request) -> Answer | CrmseedError:
        sent.append(request)
        model, method = model_and_method(request)
        for name in (model, f"{model}.{method}"):
            if refused and name in refused:
                return refused[name]
        bodies: dict[str, Any] = {
            "fields_get": FIELDS.get(model, {}),
            "search_read": ROWS.get(model, []),
            "default_get": {"type": "opportunity"} if model == "crm.lead" else {},
        }
        return Answer(200, {}, json.dumps(bodies[method]).encode(), request)

    try:
        asked = next(rounds)
        while True:
            asked = rounds.send([answer(request) for request in asked])
    except StopIteration as done:
        return done.value, sent


def test_object_types_are_the_models_that_hold_records_of_peoples() -> None:
    schema, sent = discovered()
    assert list(schema.object_types) == [
        "crm.lead",
        "crm.lead:opportunity",
        "res.partner",
        "res.partner:company",
        "crm.stage",
        "crm.tag",
        "crm.team",
        "x_cars",
    ]
    assert (schema.source, schema.complete, schema.gaps, schema.portal_id) == ("live", True, (), "staging")
    assert schema.object_types["x_cars"].custom and not schema.object_types["crm.tag"].custom
    assert {model_and_method(request)[1] for request in sent} == {"fields_get", "search_read", "default_get"}


def test_fields_are_what_fields_get_says_and_what_it_does_not() -> None:
    schema, _ = discovered()
    partner, lead = schema.object_types["res.partner"].fields, schema.object_types["crm.lead"].fields
    assert partner["name"].required
    assert (partner["email"].kind, partner["phone"].kind) == (Kind.EMAIL, Kind.PHONE)
    assert partner["child_ids"].read_only
    assert (partner["parent_id"].kind, partner["parent_id"].references) == (Kind.REFERENCE, ("res.partner",))
    assert partner["parent_id"].pattern == "[0-9]+"
    assert lead["name"].required
    # The server has a default for one, and takes the other for false.
    assert not lead["type"].required and not lead["is_new"].required
    assert [(option.value, option.label) for option in lead["priority"].options] == [
        ("0", "Low"),
        ("1", "Medium"),
    ]
    assert not lead["priority"].unrestricted
    assert (lead["tag_ids"].kind, lead["tag_ids"].unrestricted) == (Kind.OPTIONS, True)
    assert [(option.value, option.label) for option in lead["tag_ids"].options] == [("3", "Hot")]
    assert (lead["expected_revenue"].kind, lead["description"].kind) == (Kind.DECIMAL, Kind.TEXT)
    assert lead["prorated"].read_only and lead["image"].read_only and not lead["company_type"].read_only
    assert (lead["code"].max_length, lead["x_color"].custom) == (4, True)
    # An alias is made with its team.
    team = schema.object_types["crm.team"].fields
    assert [name for name, each in team.items() if each.required] == ["name"]
    car = schema.object_types["x_cars"].fields
    assert car["x_owner"].required


def test_deals_have_the_stages_in_order_and_lost_at_the_end() -> None:
    schema, _ = discovered()
    assert schema.object_types["crm.lead"].pipelines == ()
    (pipeline,) = schema.object_types["crm.lead:opportunity"].pipelines
    assert [(each.id, each.label, each.closed, each.probability) for each in pipeline.stages] == [
        ("1", "New", False, None),
        ("4", "Won", True, 1.0),
        ("lost", "Lost", True, 0.0),
    ]
    stage = schema.object_types["crm.lead:opportunity"].fields["stage_id"]
    assert (stage.external, stage.kind, stage.pattern) == ("stages", Kind.OPTION, "")


def test_what_could_not_be_read_is_told() -> None:
    forbidden = Unauthorized("no", status=403)
    schema, _ = discovered(
        {
            "crm.tag.search_read": forbidden,
            "crm.stage.search_read": ApiRefused("no", status=500),
            "x_cars": forbidden,
        }
    )
    assert schema.gaps == (
        "The rows of crm.tag could not be read (Odoo answers 403): they go by their ids only.",
        "The stages could not be read (Odoo answers 500): deals take their ids only.",
    )
    assert schema.object_types["crm.lead"].fields["tag_ids"].pattern == "[0-9]+(,[0-9]+)*"
    assert "x_cars" not in schema.object_types
    assert schema.object_types["crm.lead:opportunity"].pipelines == ()


def test_without_the_list_of_models_those_known_from_the_start_are_read() -> None:
    schema, _ = discovered({"ir.model": Unauthorized("no", status=403)})
    assert schema.gaps == (
        "The list of models could not be read (Odoo answers 403): only those that are known from the start "
        "can be seeded.",
    )
    assert set(schema.object_types) == {
        "crm.lead",
        "crm.lead:opportunity",
        "res.partner",
        "res.partner:company",
    }


@pytest.mark.parametrize("part", ["ir.model", "crm.tag.search_read", "crm.lead.fields_get"])
def test_a_key_that_is_refused_ends_it(part: str) -> None:
    with pytest.raises(Unauthorized):
        discovered({part: Unauthorized("no", status=401)})
