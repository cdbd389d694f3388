"""Pipedrive's field definitions, pipelines and activity types, as the schema holds them.

Sources: Pipedrive docs, "API v2 reference" (deal, person, organization, product and activity fields),
"Custom fields".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_crmseed.providers.pipedrive.bodies import WON_OR_LOST
from pytest_crmseed.providers.pipedrive.capabilities import KEY
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Option, Pipeline, Stage

Json = Mapping[str, Any]

ENTITIES: Mapping[str, str] = {
    "organizations": "organization",
    "persons": "person",
    "deals": "deal",
    "products": "product",
    "activities": "activity",
    # Leads have the custom fields of deals.
    "leads": "deal",
}
"""The entity whose field definitions an object type has."""

_KINDS = {
    "varchar": Kind.STRING,
    "varchar_auto": Kind.STRING,
    "text": Kind.TEXT,
    "double": Kind.DECIMAL,
    "monetary": Kind.DECIMAL,
    "enum": Kind.OPTION,
    "set": Kind.OPTIONS,
    "user": Kind.INTEGER,
    "org": Kind.INTEGER,
    "people": Kind.INTEGER,
    "int": Kind.INTEGER,
    "phone": Kind.PHONE,
    "date": Kind.DATE,
    "daterange": Kind.DATE,
    "time": Kind.TIME,
    "timerange": Kind.TIME,
    "address": Kind.STRING,
    "boolean": Kind.BOOLEAN,
}
_REFERENCES = {"user": ("users",), "org": ("organizations",), "people": ("persons",)}
_LENGTHS = {"varchar": 255, "varchar_auto": 255, "phone": 255, "text": 65_000}
_CURRENCY = "[A-Z]{3}"


def with_fields(snapshot: ObjectType, definitions: Sequence[Json] | None) -> ObjectType:
    """Return an object type of the snapshot with what a company's definitions say of its fields.

    A feature that the company lacks has no definition, and then no field here.
    """
    if definitions is None:
        return snapshot
    by_code = {str(entry.get("field_code")): entry for entry in definitions}
    # Leads have only the custom ones of deals' definitions.
    own = snapshot.name != "leads"
    fields: dict[str, Field] = {}
    for name, field in snapshot.fields.items():
        entry = by_code.get(name) if own else None
        if own and field.native.get("optional") and entry is None:
            continue
        fields[name] = _updated(field, entry) if entry is not None else field
    for code, entry in by_code.items():
        if entry.get("is_custom_field"):
            fields |= {field.name: field for field in _custom(code, entry)}
        elif own and code not in fields and code not in snapshot.fields:
            fields[code] = _built_in(code, entry)
    return replace(snapshot, fields=fields)


def _updated(field: Field, entry: Json) -> Field:
    options = tuple(_options(entry)) or field.options
    if field.kind not in (Kind.OPTION, Kind.OPTIONS) or field.external:
        options = field.options
    label = str(entry.get("field_name") or field.label)
    return replace(field, label=label, options=options, unrestricted=field.unrestricted and not options)


def _built_in(code: str, entry: Json) -> Field:
    """Return a built-in field that the snapshot does not know: what it takes is not known either."""
    kind = str(entry.get("field_type") or "")
    return Field(
        code, str(entry.get("field_name") or code), Kind.OTHER, read_only=True, native={"field_type": kind}
    )


def _custom(code: str, entry: Json) -> Iterator[Field]:
    """Yield a custom field, and that of its second part: a currency, or the end of a range."""
    kind, label = str(entry.get("field_type") or ""), str(entry.get("field_name") or code)
    name = KEY if label == KEY else code
    field = Field(
        name,
        label,
        _KINDS.get(kind, Kind.OTHER),
        options=tuple(_options(entry)),
        read_only=kind not in _KINDS or entry.get("is_writable") is False,
        custom=True,
        max_length=_LENGTHS.get(kind),
        references=_REFERENCES.get(kind, ()),
        description=str(entry.get("description") or ""),
        native={"field_type": kind, "field_code": code},
    )
    yield field
    second = {"monetary": "currency", "daterange": "until", "timerange": "until"}.get(kind)
    if second is not None:
        yield replace(
            field,
            name=f"{code}_{second}",
            label=f"{label} ({second})",
            kind=Kind.STRING if second == "currency" else field.kind,
            pattern=_CURRENCY if second == "currency" else "",
            native={"field_type": second},
        )


def _options(entry: Json) -> Iterator[Option]:
    for option in entry.get("options") or ():
        yield Option(str(option.get("id")), str(option.get("label")))


# -- pipelines -----------------------------------------------------------------------------------
def with_pipelines(deals: ObjectType, pipelines: Sequence[Json], stages: Sequence[Json]) -> ObjectType:
    """Return deals with pipelines in display order; won and lost, which are no stages, end each.

    The first pipeline is the default one.
    """
    made = []
    for entry in sorted(_live(pipelines), key=lambda each: each.get("order_nr") or 0):
        own = [each for each in _live(stages) if each.get("pipeline_id") == entry["id"]]
        own.sort(key=lambda each: each.get("order_nr") or 0)
        probable = bool(entry.get("is_deal_probability_enabled"))
        listed = [_stage(each, place, probable=probable) for place, each in enumerate(own)]
        closed = [
            Stage(status, status.capitalize(), len(listed) + place, True, 1.0 if status == "won" else 0.0)
            for place, status in enumerate(WON_OR_LOST)
        ]
        made.append(Pipeline(str(entry["id"]), str(entry["name"]), (*listed, *closed)))
    fields = dict(deals.fields)
    if not any(each.get("is_deal_probability_enabled") for each in _live(pipelines)):
        # Pipedrive refuses it then.
        fields.pop("probability", None)
    return replace(deals, pipelines=tuple(made), fields=fields)


def _live(entries: Iterable[Json]) -> list[Json]:
    return [entry for entry in entries if not entry.get("is_deleted")]


def _stage(entry: Json, place: int, *, probable: bool) -> Stage:
    percent = entry.get("deal_probability")
    # Not certain, however likely: what is won has a status.
    likely = min(float(percent) / 100, 0.99) if probable and percent is not None else None
    return Stage(str(entry["id"]), str(entry["name"]), place, False, likely)


# -- others --------------------------------------------------------------------------------------
def with_options(object_type: ObjectType, field: str, options: Iterable[tuple[str, str]]) -> ObjectType:
    """Return an object type with other options of a field, as value and label."""
    known = tuple(Option(value, label) for value, label in options)
    if not known or field not in object_type.fields:
        return object_type
    changed = replace(object_type.fields[field], options=known, unrestricted=False)
    return replace(object_type, fields={**object_type.fields, field: changed})
