"""Values of custom fields: what v2 takes and answers, and what v1 makes of them.

Pipedrive docs, "Custom fields" and "Migration guide to v2". Those of ``user``, ``org`` and ``people`` name
a record but are not checked against it. Texts of refusals that nobody has published are [unsure].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.portal.pipedrive import moments, rules
from pytest_crmseed.portal.pipedrive.fields import ADDRESS_PARTS, Field

_SHORT = 255
_LONG = 65_535
_TEXTS = {"varchar": _SHORT, "varchar_auto": _SHORT, "phone": _SHORT, "text": _LONG}
_NUMBERS = frozenset({"user", "org", "people", "enum"})
_COLLECTIONS = frozenset({"monetary", "daterange", "time", "timerange", "address"})

TIME_ZONE = {"timezone_id": 1, "timezone_name": "UTC"}
"""The time zone of the users; the number is [unsure]."""


class Wrong(Exception):
    """A value that a custom field does not take; the text says why."""


def accepted(field: Field, value: Any, entity: str, currency: str) -> Any:
    """Return what is kept of a value in v2's form; ``currency`` is the user's.

    Raises:
        Wrong: the field does not take it.
    """
    if value is None:
        return None
    kind = field.type
    if isinstance(value, dict) and kind not in _COLLECTIONS:
        raise Wrong("Invalid collection")
    if kind in _TEXTS:
        return _text(field, value, entity, _TEXTS[kind])
    if kind == "double":
        _expect(not rules.number(value), field, "number", entity)
        return value
    if kind in _NUMBERS:
        _expect(not rules.integer(value), field, "number", entity)
        if kind == "enum":
            _known(field, [value], entity)
        return value
    if kind == "set":
        _expect(isinstance(value, list) and bool(value), field, "array", entity)
        for each in value:
            _expect(not rules.integer(each), field, "array of numbers", entity)
        _known(field, value, entity)
        return list(dict.fromkeys(value))
    if kind == "date":
        _expect(isinstance(value, str) and moments.is_date(value), field, "date", entity)
        return value
    return _collection(field, value, entity, currency)


def _collection(field: Field, value: Any, entity: str, currency: str) -> Any:
    kind = field.type
    if kind == "time" and not isinstance(value, dict):
        raise Wrong(f"Time custom field value expected 'object' for field '{field.code}'")
    _expect(isinstance(value, dict), field, "object", entity)
    allowed = {
        "monetary": ("value", "currency"),
        "daterange": ("value", "until"),
        "time": ("value", "timezone_id", "timezone_name"),
        "timerange": ("value", "until", "timezone_id", "timezone_name"),
        "address": ("value", *ADDRESS_PARTS, "formatted_address"),
    }[kind]
    for name in value:
        if name not in allowed:
            raise Wrong(f"Unknown key '{name}' for {entity} custom field '{field.code}'")
    if kind == "monetary":
        _expect(not rules.number(value.get("value")), field, "number", entity)
        given = value.get("currency", currency)
        _expect(isinstance(given, str) and len(given) == 3, field, "currency", entity)
        return {"value": value["value"], "currency": given}
    if kind == "address":
        _expect(isinstance(value.get("value"), str), field, "string", entity)
        for part in value.values():
            _expect(part is None or isinstance(part, str), field, "string", entity)
        full = {part: value.get(part) for part in ("value", *ADDRESS_PARTS)}
        return {**full, "formatted_address": value.get("formatted_address") or value["value"]}
    if kind == "daterange":
        ends = {name: value.get(name) for name in ("value", "until")}
        for end in ends.values():
            _expect(end is None or (isinstance(end, str) and moments.is_date(end)), field, "date", entity)
        _expect(ends["value"] is not None, field, "date", entity)
        return ends
    times = {}
    for name in ("value", "until") if kind == "timerange" else ("value",):
        at = moments.full_time(value[name]) if isinstance(value.get(name), str) else None
        _expect(at is not None, field, "time", entity)
        times[name] = at
    zone = {name: value.get(name) or default for name, default in TIME_ZONE.items()}
    return {**times, **zone}


def shown(field: Field, value: Any, *, labels: bool) -> Any:
    """Return a value as v2 answers it; with ``labels`` options are told with their labels."""
    if value is None:
        return None
    if field.type == "enum":
        option = field.option(value)
        if option is None:
            return None
        return {"id": option.id, "label": option.label} if labels else value
    if field.type == "set":
        options = [option for each in value if (option := field.option(each)) is not None]
        if not options:
            return None
        if labels:
            return [{"id": option.id, "label": option.label} for option in options]
        return [option.id for option in options]
    return value


def texts(field: Field, value: Any) -> str:
    """Return what search looks through, and empty where it does not."""
    if isinstance(value, dict):
        return str(value.get("formatted_address") or value.get("value", ""))
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


# -- v1: flat keys -----------------------------------------------------------------------------------
def flat(field: Field, value: Any) -> dict[str, Any]:
    """Return a value as v1 answers it: parts of it under keys of their own."""
    value = shown(field, value, labels=False)
    key = field.code
    if value is None:
        return {}
    match field.type:
        case "monetary":
            return {key: value["value"], f"{key}_currency": value["currency"]}
        case "enum":
            return {key: str(value)}
        case "set":
            return {key: ",".join(map(str, value))}
        case "daterange":
            return {key: value["value"], f"{key}_until": value["until"]}
        case "time":
            return {key: value["value"], f"{key}_timezone_id": value["timezone_id"]}
        case "timerange":
            return {
                key: value["value"],
                f"{key}_until": value["until"],
                f"{key}_timezone_id": value["timezone_id"],
            }
        case "address":
            parts = {f"{key}_{part}": value[part] for part in (*ADDRESS_PARTS, "formatted_address")}
            return {key: value["value"], **parts}
    return {key: value}


_PARTS = {
    "monetary": ("currency",),
    "daterange": ("until",),
    "time": ("timezone_id",),
    "timerange": ("until", "timezone_id"),
    "address": (*ADDRESS_PARTS, "formatted_address"),
}


def keys_of(field: Field) -> list[str]:
    """Return the keys under which v1 knows a field's value and its parts."""
    return [field.code, *(f"{field.code}_{part}" for part in _PARTS.get(field.type, ()))]


def of_flat(field: Field, given: Mapping[str, Any], entity: str, currency: str) -> Any:
    """Return what is kept of a value that v1 was given; texts count for numbers there.

    Raises:
        Wrong: the field does not take it.
    """
    value = given.get(field.code)
    if value is None or value == "":
        return None
    kind = field.type
    if kind in _COLLECTIONS:
        parts = {part: given.get(f"{field.code}_{part}") for part in _PARTS[kind]}
        main = _as_number(value) if kind == "monetary" else value
        whole = {"value": main, **{part: each for part, each in parts.items() if each is not None}}
        return accepted(field, whole, entity, currency)
    if kind == "set":
        ids = value if isinstance(value, list) else str(value).split(",")
        return accepted(field, [_as_number(each) for each in ids], entity, currency)
    if kind in _NUMBERS or kind == "double":
        value = _as_number(value)
    elif kind in _TEXTS and isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return accepted(field, value, entity, currency)


def _as_number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for convert in (int, float):
        try:
            return convert(value)
        except ValueError:
            continue
    return value


def _text(field: Field, value: Any, entity: str, most: int) -> str:
    _expect(isinstance(value, str), field, "string", entity)
    if len(value) > most:
        raise Wrong(f"The value of {entity} custom field '{field.code}' is longer than {most} characters")
    return str(value)


def _known(field: Field, ids: list[int], entity: str) -> None:
    for id in ids:
        if field.option(id) is None:
            raise Wrong(f"Invalid option '{id}' for {entity} custom field '{field.code}'")


def _expect(fine: bool, field: Field, kind: str, entity: str) -> None:
    if not fine:
        raise Wrong(f"Expected '{kind}' as value for {entity} custom field '{field.code}'")
