"""The bundled schema of HubSpot agrees with itself, and with the published ids."""

from __future__ import annotations

import re

import pytest

from pytest_crmseed.portal.hubspot.property_rules import FIELD_TYPES
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.providers.hubspot.unsure import UNSURE
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.model import Association, Field, Kind, ObjectType

SCHEMA = catalog.bundled("hubspot")
OBJECT_TYPES = SCHEMA.object_types
FIELDS = [(name, field) for name, each in OBJECT_TYPES.items() for field in each.fields.values()]
ASSOCIATIONS = [(name, link) for name, each in OBJECT_TYPES.items() for link in each.associations]

# HubSpot docs, "Using object APIs".
TYPE_IDS = {
    "companies": "0-2",
    "contacts": "0-1",
    "deals": "0-3",
    "tickets": "0-5",
    "products": "0-7",
    "line_items": "0-8",
    "quotes": "0-14",
    "orders": "0-123",
    "leads": "0-136",
    "notes": "0-46",
    "tasks": "0-27",
    "calls": "0-48",
    "meetings": "0-47",
    "emails": "0-49",
}

# HubSpot docs, "Using object APIs": required on create.
REQUIRED = {
    "companies": (("name", "domain"),),
    "contacts": (("email", "firstname", "lastname"),),
    "deals": (("dealname",), ("dealstage",), ("pipeline",)),
    "tickets": (("subject",), ("hs_pipeline",), ("hs_pipeline_stage",)),
    "products": (("name",),),
    "line_items": (),
    "quotes": (("hs_title",), ("hs_expiration_date",)),
    "orders": (("hs_order_name",),),
    "leads": (("hs_lead_name",),),
    "notes": (("hs_timestamp",),),
    "tasks": (("hs_timestamp",),),
    "calls": (("hs_timestamp",),),
    "meetings": (("hs_timestamp",),),
    "emails": (("hs_timestamp",), ("hs_email_direction",)),
}

# HubSpot docs, "Associations guide": type ids there and back.
TYPES = {
    ("contacts", "companies"): (279, 280),
    ("deals", "companies"): (341, 342),
    ("tickets", "companies"): (339, 340),
    ("leads", "companies"): (610, 611),
    ("orders", "companies"): (934, 935),
    ("deals", "contacts"): (3, 4),
    ("tickets", "contacts"): (16, 15),
    ("leads", "contacts"): (608, 609),
    ("orders", "contacts"): (507, 508),
    ("deals", "tickets"): (27, 28),
    ("line_items", "deals"): (20, 19),
    ("line_items", "quotes"): (68, 67),
    ("line_items", "orders"): (514, 513),
    ("quotes", "deals"): (64, 63),
    ("quotes", "contacts"): (69, 70),
    ("quotes", "companies"): (71, 72),
    ("tasks", "quotes"): (218, 217),
    ("calls", "meetings"): (399, 400),
    ("notes", "contacts"): (202, 201),
    ("notes", "companies"): (190, 189),
    ("notes", "deals"): (214, 213),
    ("notes", "tickets"): (228, 227),
    ("tasks", "contacts"): (204, 203),
    ("tasks", "companies"): (192, 191),
    ("tasks", "deals"): (216, 215),
    ("tasks", "tickets"): (230, 229),
    ("calls", "contacts"): (194, 193),
    ("calls", "companies"): (182, 181),
    ("calls", "deals"): (206, 205),
    ("calls", "tickets"): (220, 219),
    ("emails", "contacts"): (198, 197),
    ("emails", "companies"): (186, 185),
    ("emails", "deals"): (210, 209),
    ("emails", "tickets"): (224, 223),
    ("meetings", "contacts"): (200, 199),
    ("meetings", "companies"): (188, 187),
    ("meetings", "deals"): (212, 211),
    ("meetings", "tickets"): (226, 225),
}
PRIMARY = {
    ("contacts", "companies"): (1, 2),
    ("deals", "companies"): (5, 6),
    ("tickets", "companies"): (26, 25),
    ("orders", "companies"): (509, 510),
    ("leads", "contacts"): (578, 579),
    ("leads", "companies"): (580, 581),
    ("leads", "deals"): (582, 583),
}

KINDS = {
    "string": {Kind.STRING, Kind.TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL},
    "number": {Kind.INTEGER, Kind.DECIMAL, Kind.DURATION, Kind.REFERENCE},
    "bool": {Kind.BOOLEAN},
    "enumeration": {Kind.OPTION, Kind.OPTIONS, Kind.OTHER},
    "date": {Kind.DATE},
    "datetime": {Kind.DATETIME},
}


def where(name: str, field: Field) -> str:
    return f"{name}.{field.name}"


def test_the_object_types_and_their_ids() -> None:
    assert {name: each.type_id for name, each in OBJECT_TYPES.items()} == TYPE_IDS
    singular = {name: each.singular for name, each in OBJECT_TYPES.items()}
    assert singular.pop("companies") == "company"
    assert all(name == f"{one}s" for name, one in singular.items())


@pytest.mark.parametrize("name", OBJECT_TYPES)
def test_what_is_required_exists_and_can_be_written(name: str) -> None:
    object_type = OBJECT_TYPES[name]
    assert object_type.required_any == REQUIRED[name]
    for required in (field for group in object_type.required_any for field in group):
        assert not object_type.fields[required].read_only, required


@pytest.mark.parametrize("name", OBJECT_TYPES)
def test_what_people_see_and_search_exists(name: str) -> None:
    object_type = OBJECT_TYPES[name]
    assert set(object_type.searchable) <= object_type.fields.keys()
    assert object_type.display_field in {"", *object_type.fields}


@pytest.mark.parametrize("name", OBJECT_TYPES)
def test_the_system_s_own_fields_are_there_and_read_only(name: str) -> None:
    fields = OBJECT_TYPES[name].fields
    created = {"createdate", "hs_createdate"} & fields.keys()
    modified = {"lastmodifieddate", "hs_lastmodifieddate"} & fields.keys()
    assert len(created) == len(modified) == 1
    assert modified == ({"lastmodifieddate"} if name == "contacts" else {"hs_lastmodifieddate"})
    assert all(fields[each].read_only for each in (*created, *modified, "hs_object_id"))
    assert fields["hubspot_owner_id"].external == "owners"
    assert not fields["hubspot_owner_id"].read_only


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=[where(*pair) for pair in FIELDS])
def test_a_field_is_consistent(name: str, field: Field) -> None:
    native, widget = field.native["type"], field.native["fieldType"]
    assert field.kind in KINDS[native]
    rollups = {"calculation_rollup"} if field.read_only else set()
    assert widget in {*FIELD_TYPES[native], *rollups}
    assert (field.kind in (Kind.OPTIONS, Kind.OTHER)) == (widget == "checkbox")
    assert field.calculated == widget.startswith("calculation_") == (field.native.get("calculated") == "true")
    assert field.read_only or not field.calculated
    assert field.max_length == (65_536 if native == "string" else None)
    assert field.group == field.native["groupName"]
    assert field.group in {group.name for group in OBJECT_TYPES[name].groups}
    assert re.fullmatch(r"[a-z][a-z0-9_]*", field.name)
    assert field.label
    assert not (field.options and field.external)
    values = [option.value for option in field.options]
    assert len(set(values)) == len(values)
    labels = [option.label.casefold() for option in field.options]
    assert len(set(labels)) == len(labels)
    if field.kind in (Kind.OPTION, Kind.OPTIONS):
        assert field.options or field.external
    if field.kind is Kind.BOOLEAN:
        assert sorted(values) == ["false", "true"]
    assert all(target in OBJECT_TYPES for target in field.references)
    assert (field.kind is Kind.REFERENCE) == bool(field.references)
    currency = field.native.get("currencyPropertyName")
    assert currency is None or OBJECT_TYPES[name].fields[currency].kind is Kind.OPTION


@pytest.mark.parametrize("name", OBJECT_TYPES)
def test_labels_of_writable_fields_are_no_two_fields_own(name: str) -> None:
    labels = [f.label.casefold() for f in OBJECT_TYPES[name].fields.values() if not f.read_only]
    assert sorted(labels) == sorted(set(labels))


@pytest.mark.parametrize("name", OBJECT_TYPES)
def test_pipelines_and_the_fields_that_hold_them_go_together(name: str) -> None:
    object_type = OBJECT_TYPES[name]
    held = sorted(f.external for f in object_type.fields.values() if f.external in ("pipelines", "stages"))
    assert held == (["pipelines", "stages"] if object_type.pipelines else [])
    for pipeline in object_type.pipelines:
        ids = [stage.id for stage in pipeline.stages]
        assert len(set(ids)) == len(ids)
        assert [stage.order for stage in pipeline.stages] == list(range(len(ids)))
        assert not pipeline.stages[0].closed
        assert pipeline.stages[-1].closed
        assert len({stage.label.casefold() for stage in pipeline.stages}) == len(ids)


def test_the_default_ticket_pipeline() -> None:
    (pipeline,) = OBJECT_TYPES["tickets"].pipelines
    assert (pipeline.id, [stage.id for stage in pipeline.stages]) == ("0", ["1", "2", "3", "4"])
    assert [stage.closed for stage in pipeline.stages] == [False, False, False, True]


# -- associations ------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "link"), ASSOCIATIONS, ids=lambda x: str(getattr(x, "type_id", x)))
def test_an_association_has_its_inverse(name: str, link: Association) -> None:
    assert link.category == "HUBSPOT_DEFINED"
    (back,) = [each for each in OBJECT_TYPES[link.to].associations if each.type_id == link.inverse]
    assert (back.to, back.inverse, back.primary) == (name, link.type_id, link.primary)
    assert bool(back.label) == bool(link.label)
    assert link.label or not link.primary


def test_a_type_id_runs_in_one_direction_only() -> None:
    runs: dict[int, set[tuple[str, str]]] = {}
    for name, link in ASSOCIATIONS:
        runs.setdefault(link.type_id, set()).add((name, link.to))
    assert {type_id for type_id, pairs in runs.items() if len(pairs) > 1} == set()
    assert len(ASSOCIATIONS) == len({(name, link.type_id) for name, link in ASSOCIATIONS})


@pytest.mark.parametrize("pair", TYPES)
def test_the_published_type_ids(pair: tuple[str, str]) -> None:
    start, to = pair
    there, back = OBJECT_TYPES[start].association(to), OBJECT_TYPES[to].association(start)
    assert there is not None and back is not None
    assert (there.type_id, back.type_id) == TYPES[pair]


def primary(object_type: ObjectType, to: str) -> int | None:
    found = object_type.association(to, primary=True)
    return found.type_id if found else None


def test_the_published_primary_type_ids() -> None:
    both = {**PRIMARY, **{(to, start): ids[::-1] for (start, to), ids in PRIMARY.items()}}
    assert {pair: ids[0] for pair, ids in both.items()} == {
        (name, link.to): primary(OBJECT_TYPES[name], link.to) for name, link in ASSOCIATIONS if link.primary
    }


def test_every_link_field_has_an_association_type_or_a_field_that_holds_it() -> None:
    for name, rules in HubSpot.links.items():
        object_type = OBJECT_TYPES[name]
        for rule in rules.values():
            if rule.home:
                field = object_type.fields[rule.home]
                assert (field.references, field.read_only) == ((rule.object_type,), False)
                assert object_type.association(rule.object_type) is None
            else:
                assert object_type.association(rule.object_type) is not None, (name, rule)


def test_what_is_unsure_is_said_of_object_types_that_there_are() -> None:
    assert UNSURE.keys() <= OBJECT_TYPES.keys()
    for facts in UNSURE.values():
        assert facts
