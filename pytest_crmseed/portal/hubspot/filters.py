"""The filters and sorts of a search, against the definitions of the properties they name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pytest_crmseed.portal.hubspot import bodies, errors, instants, render
from pytest_crmseed.portal.hubspot.account import Account, record_id
from pytest_crmseed.portal.hubspot.definitions import PROVIDER, Definition
from pytest_crmseed.portal.hubspot.values import text_of
from pytest_crmseed.portal.searching import folded, has_token
from pytest_crmseed.portal.store import StoredRecord
from pytest_crmseed.portal.stored_search import Column, Form, Operator, Term
from pytest_crmseed.schema.model import ObjectType

PER_GROUP = 6
"""Filters in a group (HubSpot docs, "Search the CRM")."""

_PREFIX = "associations."
_NEGATIVE = {
    "NEQ": "EQ",
    "NOT_IN": "IN",
    "NOT_HAS_PROPERTY": "HAS_PROPERTY",
    "NOT_CONTAINS_TOKEN": "CONTAINS_TOKEN",
}
_OPERATORS: Mapping[str, Operator] = {
    "EQ": "=",
    "LT": "<",
    "LTE": "<=",
    "GT": ">",
    "GTE": ">=",
    "BETWEEN": "between",
    "IN": "in",
    "HAS_PROPERTY": "set",
    "CONTAINS_TOKEN": "token",
}

Value = str | float


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: as a term of the store, and as a judgement where the store cannot tell (``term`` None)."""

    term: Term | None
    holds: Callable[[Account, ObjectType, StoredRecord], bool]


def parse_group(account: Account, object_type: ObjectType, data: Any) -> list[Filter]:
    """Return the filters of a group, all of which must hold.

    Raises:
        ApiError: the shape is wrong, or a filter makes no sense.
    """
    group = bodies.as_object(data, "FilterGroup")
    filters = bodies.as_list(group.get("filters") or [], "java.util.ArrayList")
    if len(filters) > PER_GROUP:
        raise errors.invalid(f"A filter group has at most {PER_GROUP} filters, not {len(filters)}.")
    return [_parse(account, object_type, bodies.as_object(item, "Filter")) for item in filters]


def sort_column(account: Account, object_type: ObjectType, data: Any) -> tuple[Column | None, bool]:
    """Return what a sort orders by, and whether it descends.

    Raises:
        ApiError: the shape is wrong, or there is no such property, or the portal cannot sort by it.
    """
    if data is None:
        return None, False
    sort = bodies.as_object(data, "Sort")
    bodies.required(sort, "propertyName")
    name = bodies.as_text(sort["propertyName"])
    direction = bodies.as_text(sort.get("direction") or "ASCENDING").upper()
    if direction not in ("ASCENDING", "DESCENDING"):
        raise errors.invalid(f"{direction} is no direction: ASCENDING, DESCENDING.")
    definition = _definition(account, object_type, name)
    if _computed(object_type, definition):
        raise errors.not_emulated(f"Sorting by {name}, which HubSpot computes,", ["createdate"])
    return Column(name, _form(object_type, definition)), direction == "DESCENDING"


def _parse(account: Account, object_type: ObjectType, data: Mapping[str, Any]) -> Filter:
    bodies.required(data, "propertyName", "operator")
    name, given = bodies.as_text(data["propertyName"]), bodies.as_text(data["operator"]).upper()
    plain = _NEGATIVE.get(given, given)
    if plain not in _OPERATORS:
        known = ", ".join(sorted({*_OPERATORS, *_NEGATIVE}))
        raise errors.invalid(f"{given} is no operator of a search. There are: {known}.")
    operator, negated = _OPERATORS[plain], given in _NEGATIVE
    texts = _texts(data, plain)
    or_empty = account.behaviour.negative_filters_match_empty
    if name.startswith(_PREFIX):
        return _linked(account, name.removeprefix(_PREFIX), operator, texts, negated=negated)
    definition = _definition(account, object_type, name)
    form = _form(object_type, definition)
    if operator == "token":
        values: tuple[Value, ...] = tuple(texts)
    else:
        values = tuple(_value(definition, form, text, plain) for text in texts)

    def holds(account: Account, object_type: ObjectType, record: StoredRecord) -> bool:
        found = record.properties.get(name) or render.computed(account, object_type, record, name)
        if not found:
            return negated if operator == "set" else negated and or_empty
        return _compare(_parts(definition, form, found), operator, values) != negated

    if _computed(object_type, definition) or (definition.several and operator == "in"):
        return Filter(None, holds)
    return Filter(Term(Column(name, form), operator, values, negated, or_empty), holds)


def _linked(account: Account, to: str, operator: Operator, texts: list[str], *, negated: bool) -> Filter:
    if operator not in ("=", "in", "set"):
        raise errors.invalid(f"{_PREFIX}{to} is filtered with EQ, IN, HAS_PROPERTY and their opposites.")
    to_type = account.object_types.resolve(to)
    ids: list[int] = []
    for text in texts:
        id = record_id(text)
        if id is None:
            raise errors.invalid(f"{text} is no record id.", {"id": [text]})
        ids.append(id)
    targets = set(ids)

    def holds(account: Account, object_type: ObjectType, record: StoredRecord) -> bool:
        some = account.store.links(PROVIDER, object_type.name, [record.id], to_type.name)
        found = {link.to_id for link in some.get(record.id, [])}
        return bool(found & targets if targets else found) != negated

    return Filter(Term(Column(to_type.name, "id"), "linked", tuple(ids), negated), holds)


def _definition(account: Account, object_type: ObjectType, name: str) -> Definition:
    definition = account.definitions.live(object_type.name, name)
    if definition is None:
        raise errors.invalid(f'Property "{name}" does not exist', {"propertyName": [name]})
    return definition


def _texts(data: Mapping[str, Any], operator: str) -> list[str]:
    name = bodies.as_text(data["propertyName"])
    if operator == "HAS_PROPERTY":
        if any(data.get(key) is not None for key in ("value", "values", "highValue")):
            raise errors.invalid(f"The filter on {name} must have no value: it asks whether there is one.")
        return []
    if operator == "IN":
        values = bodies.as_list(data.get("values") or [], "java.util.ArrayList")
        if not values:
            raise errors.invalid(f"The filter on {name} needs values.")
        return [_text(value) for value in values]
    keys = ("value", "highValue") if operator == "BETWEEN" else ("value",)
    missing = [key for key in keys if data.get(key) is None]
    if missing:
        raise errors.invalid(f"The filter on {name} needs {' and '.join(missing)}.")
    return [_text(data[key]) for key in keys]


def _text(value: Any) -> str:
    text = text_of(value)
    if text is None:
        raise bodies.cannot_deserialize(value, "java.lang.String")
    return text


def _computed(object_type: ObjectType, definition: Definition) -> bool:
    return _form(object_type, definition) in ("folded", "exact", "number") and render.computes(
        definition.name
    )


def _form(object_type: ObjectType, definition: Definition) -> Form:
    match definition.name:
        case "hs_object_id":
            return "id"
        case name if name == render.created_property(object_type):
            return "created"
        case name if name == render.modified_property(object_type):
            return "updated"
    if definition.type == "number":
        return "number"
    # Options are told apart by case, and moments are kept as texts that sort like them.
    return "folded" if definition.type in ("string", "phone_number") else "exact"


def _value(definition: Definition, form: Form, text: str, operator: str) -> Value:
    """Return a filter's value as what its property is compared with."""
    match form:
        case "id":
            return _number(definition.name, text)
        case "number":
            return _number(definition.name, text)
        case "created" | "updated":
            return _milliseconds(definition.name, text) / 1000
        case "folded":
            # IN compares with lower-case values only (HubSpot docs): one in capitals finds nothing.
            return text if operator == "IN" else folded(text) or ""
    match definition.type:
        case "date":
            return instants.iso_of_ms(_milliseconds(definition.name, text))[:10]
        case "datetime":
            return instants.iso_of_ms(_milliseconds(definition.name, text))
        case "bool":
            return text.lower()
    return text


def _number(name: str, text: str) -> float:
    try:
        number = float(Decimal(text))
    except (ArithmeticError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise errors.invalid(f"{text} is no number, as which {name} is compared.")
    return number


def _milliseconds(name: str, text: str) -> int:
    milliseconds = instants.parse_ms(text)
    if milliseconds is None:
        milliseconds = instants.parse_iso_ms(text)
    if milliseconds is None:
        day = instants.parse_date(text)
        milliseconds = None if day is None else instants.ms_of_date(day)
    try:
        if milliseconds is not None:
            instants.iso_of_ms(milliseconds)
            return milliseconds
    except OverflowError:
        pass
    raise errors.invalid(f"{text} is no moment in time, as which {name} is compared.")


def _parts(definition: Definition, form: Form, text: str) -> list[Value]:
    """Return a record's value as what a filter compares with; of several options, each."""
    if form == "number":
        return [float(Decimal(text))]
    if definition.several:
        return [*text.split(";")]
    return [folded(text) or "" if form == "folded" else text]


def _compare(parts: list[Value], operator: Operator, values: tuple[Value, ...]) -> bool:
    match operator:
        case "set":
            return True
        case "token":
            return any(has_token(str(part), str(values[0])) for part in parts)
        case "in":
            return any(part in values for part in parts)
        case "=":
            return any(part == values[0] for part in parts)
    # Both sides are of one kind, which the form of the property decides.
    first: Any = parts[0]
    low: Any = values[0]
    match operator:
        case "<":
            return bool(first < low)
        case "<=":
            return bool(first <= low)
        case ">":
            return bool(first > low)
        case ">=":
            return bool(first >= low)
        case _:
            high: Any = values[1]
            return bool(low <= first <= high)
