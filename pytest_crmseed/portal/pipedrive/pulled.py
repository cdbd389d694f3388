"""What the portal takes from a pulled schema: custom fields, options, and the pipelines of deals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_crmseed.portal.pipedrive.definitions import pipeline, stage
from pytest_crmseed.portal.pipedrive.fields import CREATABLE, Field, Option
from pytest_crmseed.schema.model import Field as PulledField
from pytest_crmseed.schema.model import Kind, Schema

_ENTITIES = {
    "deals": "deal",
    "persons": "person",
    "organizations": "organization",
    "products": "product",
}

_FIRST_FIELD = 1_000_000

_TYPES = {
    Kind.TEXT: "text",
    Kind.PHONE: "phone",
    Kind.INTEGER: "double",
    Kind.DECIMAL: "double",
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.OPTION: "enum",
    Kind.OPTIONS: "set",
}


def custom_fields(schema: Schema | None) -> dict[str, list[Field]]:
    """Return the custom fields of a pulled schema, by entity; none without a schema."""
    found: dict[str, list[Field]] = {}
    numbers = iter(range(_FIRST_FIELD, _FIRST_FIELD + 100_000))
    for name, entity in _ENTITIES.items():
        object_type = schema.object_types.get(name) if schema is not None else None
        if object_type is not None:
            found[entity] = [
                _field(each, next(numbers)) for each in object_type.fields.values() if each.custom
            ]
    return found


def pipelines(schema: Schema | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the pipelines of a pulled schema and their stages; none without a schema."""
    deals = schema.object_types.get("deals") if schema is not None else None
    found: list[dict[str, Any]] = []
    stages: list[dict[str, Any]] = []
    for order, each in enumerate(deals.pipelines if deals is not None else (), start=1):
        if not each.id.isdigit():
            continue
        probable = any(one.probability not in (None, 0.0, 1.0) for one in each.stages)
        found.append(pipeline(int(each.id), each.label, order, probability=probable))
        for position, one in enumerate(each.stages, start=1):
            # Pipedrive has no stages for won and lost; a schema may have some made up for them.
            if one.id.isdigit():
                percent = 100 if one.probability is None else round(one.probability * 100)
                stages.append(stage(int(one.id), one.label, int(each.id), position, deal_probability=percent))
    return found, stages


def _field(pulled: PulledField, number: int) -> Field:
    kind = pulled.native.get("field_type", "")
    if kind not in CREATABLE:
        kind = _TYPES.get(pulled.kind, "varchar")
    return Field(pulled.name, pulled.label, kind, id=number, custom=True, options=tuple(_options(pulled)))


def _options(pulled: PulledField) -> Iterator[Option]:
    for option in pulled.options:
        if option.value.isdigit():
            yield Option(int(option.value), option.label)
