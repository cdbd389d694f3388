"""Hypothesis strategies for schemas, the records that fit them, and records that do not for one reason.

Loaded by ``tests/conftest.py`` under the name ``crm_strategies``, for the tests of every room.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from pytest_crmseed.schema.model import Field, Group, Kind, ObjectType, Option, Schema

NAME = "things"
LONGEST_TEXT = 65_536

# HubSpot's types and field types of writable properties (docs, "Properties guide"), with our kinds.
WRITABLE = {
    ("string", "text"): Kind.STRING,
    ("string", "textarea"): Kind.TEXT,
    ("string", "html"): Kind.TEXT,
    ("string", "file"): Kind.STRING,
    ("string", "phonenumber"): Kind.PHONE,
    ("number", "number"): Kind.DECIMAL,
    ("bool", "booleancheckbox"): Kind.BOOLEAN,
    ("enumeration", "select"): Kind.OPTION,
    ("enumeration", "radio"): Kind.OPTION,
    ("enumeration", "checkbox"): Kind.OPTIONS,
    ("enumeration", "booleancheckbox"): Kind.OPTION,
    ("date", "date"): Kind.DATE,
    ("datetime", "date"): Kind.DATETIME,
    ("phone_number", "phonenumber"): Kind.PHONE,
}
CALCULATED = {
    ("string", "calculation_equation"): Kind.STRING,
    ("number", "calculation_equation"): Kind.DECIMAL,
    ("number", "calculation_rollup"): Kind.DECIMAL,
    ("bool", "calculation_equation"): Kind.BOOLEAN,
    ("enumeration", "calculation_equation"): Kind.OPTION,
}
TEXTS = {Kind.STRING, Kind.TEXT}
TRUE_FALSE = (Option("true", "Yes"), Option("false", "No"))
PATTERNS = (r"[A-Z]{2}-\d{4}", r"(north|south)\d*", r"[a-z]+")

_CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
_NAMES = st.from_regex(r"[a-z][a-z0-9_]{2,11}", fullmatch=True).filter(
    lambda name: name not in ("native", "crmseed_key")
)
_OPTION_VALUES = st.text(string.ascii_letters + string.digits + "_- /é", min_size=1, max_size=12).filter(
    lambda text: text == text.strip()
)


@st.composite
def options(draw: st.DrawFn, *, least: int = 1) -> tuple[Option, ...]:
    """Options of which at least one is visible; values and labels differ, whatever the case."""
    names = draw(st.lists(_OPTION_VALUES, min_size=least, max_size=5, unique_by=str.casefold))
    hidden = [False, *draw(st.lists(st.booleans(), min_size=len(names) - 1, max_size=len(names) - 1))]
    return tuple(Option(name, f"The {name}", hidden=dim) for name, dim in zip(names, hidden, strict=True))


@st.composite
def fields(draw: st.DrawFn, name: str) -> Field:
    """A writable property of any type and field type, with limits as an administrator may set them."""
    (native_type, widget), kind = draw(st.sampled_from(list(WRITABLE.items())))
    field = Field(
        name=name,
        label=f"Label of {name}",
        kind=kind,
        custom=True,
        group="thinginformation",
        hidden=draw(st.booleans()),
        max_length=LONGEST_TEXT if native_type == "string" else None,
        native={"type": native_type, "fieldType": widget, "groupName": "thinginformation"},
    )
    if kind is Kind.BOOLEAN or widget == "booleancheckbox":
        return replace(field, options=TRUE_FALSE)
    if kind in (Kind.OPTION, Kind.OPTIONS):
        return replace(field, options=draw(options()))
    if kind is Kind.DECIMAL and draw(st.booleans()):
        low = draw(st.integers(-1000, 1000))
        return replace(field, minimum=str(low), maximum=str(low + draw(st.integers(0, 1000))))
    if kind in TEXTS:
        match draw(st.sampled_from(["free", "length", "pattern"])):
            case "length":
                least = draw(st.integers(1, 5))
                field = replace(field, min_length=least, max_length=least + draw(st.integers(0, 10)))
            case "pattern":
                field = replace(field, pattern=draw(st.sampled_from(PATTERNS)))
        return replace(field, unique=draw(st.booleans()))
    return field


@st.composite
def unwritable_fields(draw: st.DrawFn, name: str) -> Field:
    """A property that no client can set: calculated, read-only or archived."""
    field = draw(fields(name))
    why = draw(st.sampled_from(["calculated", "read-only", "archived"]))
    if why == "calculated":
        (native_type, widget), kind = draw(st.sampled_from(list(CALCULATED.items())))
        listed = TRUE_FALSE if native_type in ("bool", "enumeration") else ()
        native = {**field.native, "type": native_type, "fieldType": widget, "calculated": "true"}
        return Field(
            name, field.label, kind, listed, calculated=True, read_only=True, custom=True, native=native
        )
    return replace(field, read_only=why == "read-only", archived=why == "archived", unique=False)


@st.composite
def object_types(draw: st.DrawFn) -> ObjectType:
    """A custom object type: fields of all kinds, some that cannot be set, some of which one is required."""
    names = draw(st.lists(_NAMES, min_size=2, max_size=8, unique=True))
    cut = draw(st.integers(1, len(names)))
    writable = [draw(fields(name)) for name in names[:cut]]
    others = [draw(unwritable_fields(name)) for name in names[cut:]]
    chosen = draw(st.lists(st.sampled_from(names[:cut]), max_size=3, unique=True))
    groups = ((chosen[0],), tuple(chosen[1:])) if len(chosen) > 1 else (tuple(chosen),)
    return ObjectType(
        name=NAME,
        label="Thing",
        plural="Things",
        singular="thing",
        type_id="2-4711",
        fields={field.name: field for field in (*writable, *others)},
        groups=(Group("thinginformation", "Thing information"),),
        required_any=tuple(group for group in groups if group),
        custom=True,
    )


def schema_of(object_type: ObjectType) -> Schema:
    """The whole schema of a portal that has this object type alone."""
    return Schema("hubspot", {object_type.name: object_type}, source="live", complete=True)


def settable(object_type: ObjectType) -> list[Field]:
    """The fields that a client can set."""
    return [field for field in object_type.fields.values() if not (field.read_only or field.archived)]


def values(field: Field) -> st.SearchStrategy[Any]:
    """Values of a field in their normal form, within its limits."""
    match field.kind:
        case Kind.OPTION:
            return st.sampled_from([option.value for option in field.options])
        case Kind.OPTIONS:
            listed = [option.value for option in field.options]
            return st.lists(st.sampled_from(listed), min_size=1, unique=True).map(tuple)
        case Kind.BOOLEAN:
            return st.booleans()
        case Kind.DECIMAL:
            bounds = [None if bound is None else Decimal(bound) for bound in (field.minimum, field.maximum)]
            if bounds == [None, None]:
                return st.decimals(allow_nan=False, allow_infinity=False, places=2) | st.decimals(
                    Decimal("-1E+300"), Decimal("1E+300"), allow_nan=False
                ).filter(lambda number: number.as_tuple().exponent > -90)  # type: ignore[operator]
            return st.decimals(*bounds, allow_nan=False, places=2)
        case Kind.DATE:
            return st.dates()
        case Kind.DATETIME:
            return st.datetimes(timezones=st.just(UTC)).map(
                lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
            )
    if field.pattern:
        return st.from_regex(field.pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))
    least, most = field.min_length or 1, min(field.max_length or 40, 40)
    return st.text(_CHARACTERS, min_size=least, max_size=most)


@st.composite
def records(draw: st.DrawFn, object_type: ObjectType) -> dict[str, Any]:
    """A record that fits: every required field, and others as it happens."""
    required = {draw(st.sampled_from(group)) for group in object_type.required_any}
    some = {field.name for field in settable(object_type) if draw(st.booleans())}
    return {name: draw(values(object_type.fields[name])) for name in sorted(required | some)}


@dataclass(frozen=True)
class Broken:
    """A record that is wrong for one reason. ``wire`` is what a client would send that does not check.

    ``refused`` says that HubSpot's API refuses it in its versions up to 2026-03.
    """

    why: str
    field: str
    record: Mapping[str, Any]
    wire: Mapping[str, Any]
    refused: bool = True


_NO_TEXT: tuple[Any, ...] = ({"a": 1}, ["x"])
_WRONG: Mapping[Kind, tuple[Any, ...]] = {
    Kind.STRING: _NO_TEXT,
    Kind.TEXT: _NO_TEXT,
    Kind.PHONE: _NO_TEXT,
    Kind.DECIMAL: ("much", "1,5", "12 €", "1.2.3", "nan"),
    Kind.BOOLEAN: ("perhaps", "2", {"a": True}),
    Kind.DATE: ("soon", "2026-02-30", "2026-03-31T09:00:00Z", 1_774_947_600_000, 1_774_947_600, "20260331"),
    Kind.DATETIME: ("soon", "2026-13-01", {"at": 5}),
    Kind.OPTION: ("no such option", "true;false"),
    Kind.OPTIONS: ("no such option", "no such; option"),
}


@st.composite
def broken(
    draw: st.DrawFn, object_type: ObjectType, record: Mapping[str, Any], wire: Mapping[str, Any]
) -> Broken:
    """A good record (in Python values, and as it goes over the wire) broken in exactly one way."""
    ways = _ways(draw, object_type, record)
    why, name, value, refused = draw(st.sampled_from(ways))
    if why == "missing":
        gone = next(group for group in object_type.required_any if group[0] == name)
        return Broken(
            why,
            name,
            {key: held for key, held in record.items() if key not in gone},
            {key: held for key, held in wire.items() if key not in gone},
        )
    return Broken(why, name, {**record, name: value}, {**wire, name: value}, refused)


def _ways(
    draw: st.DrawFn, object_type: ObjectType, record: Mapping[str, Any]
) -> list[tuple[str, str, Any, bool]]:
    ways: list[tuple[str, str, Any, bool]] = [("unknown", "zz_no_such_field", "x", True)]
    ways += [("missing", group[0], None, True) for group in object_type.required_any]
    for field in object_type.fields.values():
        name = field.name
        if field.calculated or field.read_only or field.archived:
            value = draw(values(replace(field, pattern="")))
            text = str(value[0] if isinstance(value, tuple) else value)
            ways.append(("unwritable", name, text, True))
            continue
        ways += [("type", name, value, True) for value in _WRONG[field.kind]]
        if field.kind is Kind.OPTIONS:
            ways.append(("append", name, f";{field.options[0].value}", False))
        if field.max_length is not None:
            # The length of an administrator's rule is not the API's, up to this version.
            longest = field.max_length == LONGEST_TEXT
            if not field.pattern:
                ways.append(("long", name, "x" * (field.max_length + 1), longest))
        if field.min_length is not None and field.min_length > 1:
            ways.append(("short", name, "x" * (field.min_length - 1), False))
        if field.pattern:
            ways.append(("pattern", name, "?!", False))
        if field.minimum is not None and field.maximum is not None:
            ways.append(("little", name, str(int(field.minimum) - 1), False))
            ways.append(("much", name, str(int(field.maximum) + 1), False))
    return ways
