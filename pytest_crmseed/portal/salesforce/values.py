"""Values of fields: what a client sends, what is kept, what is answered.

Rows keep texts: ``true`` and ``false``, numbers to their scale, days, moments in UTC to the millisecond,
ids of 18 characters. A field without a value is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from pytest_crmseed.portal.salesforce import ids, instants
from pytest_crmseed.portal.salesforce.definitions import Field
from pytest_crmseed.portal.salesforce.errors import Problem

# Salesforce takes what RFC 5322 takes, by and large; a domain has a dot in it.
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
_BOOLEANS = {"true": "true", "false": "false", "1": "true", "0": "false"}
_LARGEST = 60


class Unusable(Exception):
    """A value that its field cannot have; the problem says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def stored(field: Field, value: Any) -> str | None:
    """Return a value that a client sent as it is kept; None where it clears the field.

    Raises:
        Unusable: it is no value of the field's type.
    """
    if value is None:
        return "false" if field.type == "boolean" else None
    if isinstance(value, Mapping | list):
        raise Unusable(
            _unread(field, "START_OBJECT value {" if isinstance(value, Mapping) else "START_ARRAY value [")
        )
    if isinstance(value, str) and not value.strip():
        # An empty text is no value, whatever the type.
        return "false" if field.type == "boolean" else None
    match field.type:
        case "boolean":
            text = _BOOLEANS.get(str(value).strip().lower())
        case "int":
            text = _number(value, 0, whole=True)
        case "double" | "currency" | "percent":
            text = _number(value, field.facts["scale"])
        case "date":
            text = instants.day(value) if isinstance(value, str) else None
        case "datetime":
            text = instants.moment(value) if isinstance(value, str) else None
        case "time":
            text = instants.clock(value) if isinstance(value, str) else None
        case "id" | "reference":
            text = _text(value).strip()
        case "textarea":
            text = _text(value).replace("\r\n", "\n").rstrip()
        case "multipicklist":
            text = ";".join(part.strip() for part in _text(value).split(";") if part.strip())
        case _:
            text = _text(value).strip()
    if text is None:
        raise Unusable(_unread(field, f"{_token(value)} value {_text(value)}"))
    return text


def shown(field: Field, text: str | None) -> Any:
    """Return a kept value as an answer has it."""
    if text is None:
        return None
    match field.type:
        case "boolean":
            return text == "true"
        case "int":
            return int(text)
        case "double" | "currency" | "percent":
            return float(text)
    return text


def problem(field: Field, text: str) -> Problem | None:
    """Return what is wrong with a kept value, whatever else the row has; None when nothing is."""
    label, name = field.label, (field.name,)
    kind = field.type
    if kind == "email" and not _EMAIL.fullmatch(text):
        return Problem("INVALID_EMAIL_ADDRESS", f"{label}: invalid email address: {text}", name)
    if field.length and kind not in ("id", "reference", "multipicklist") and len(text) > field.length:
        message = f"{label}: data value too large: {text} (max length={field.length})"
        return Problem("STRING_TOO_LONG", message, name)
    if kind == "int" and len(text.lstrip("-")) > (field.facts["digits"] or 9):
        return _outside(field, text)
    if kind in ("double", "currency", "percent"):
        digits = field.facts["precision"] - field.facts["scale"]
        if abs(Decimal(text)) >= Decimal(10) ** (digits or 18):
            return _outside(field, text)
    if kind in ("picklist", "multipicklist") and field.restricted:
        return _not_listed(field, text)
    if kind in ("id", "reference") and ids.parse(text) is None:
        return Problem("MALFORMED_ID", f"{label}: id value of incorrect type: {text}", name)
    return None


def same_case(field: Field, text: str) -> str:
    """Return a picklist's value as the list has it, where it differs in case alone."""
    if field.type == "picklist":
        found = field.allowed.get(text.lower())
        return text if found is None else found.value
    if field.type == "multipicklist":
        return ";".join(
            same.value if (same := field.allowed.get(part.lower())) else part for part in text.split(";")
        )
    return text


def comparable(field: Field, text: str) -> str:
    """Return a value as unique ones are compared."""
    return text if field.case_sensitive else text.lower()


def _not_listed(field: Field, text: str) -> Problem | None:
    parts = text.split(";") if field.type == "multipicklist" else [text]
    bad = next((part for part in parts if part.lower() not in field.allowed), None)
    if bad is None:
        return None
    return Problem(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        f"{field.label}: bad value for restricted picklist field: {bad}",
        (field.name,),
    )


def _outside(field: Field, text: str) -> Problem:
    message = f"{field.label}: value outside of valid range on numeric field: {text}"
    return Problem("NUMBER_OUTSIDE_VALID_RANGE", message, (field.name,))


def _number(value: Any, scale: int, *, whole: bool = False) -> str | None:
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > _LARGEST:
        return None
    if whole and number != number.to_integral_value():
        return None
    rounded = number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP) if number.adjusted() < 27 else number
    return format(rounded + 0, "f")


def _unread(field: Field, what: str) -> Problem:
    wanted = (
        field.type if field.type in ("boolean", "int", "double", "date", "datetime", "time") else "string"
    )
    if field.type in ("currency", "percent"):
        wanted = "double"
    message = (
        f"Cannot deserialize instance of {wanted} from {what} or request may be missing a required field"
        " at [line:1, column:1]"
    )
    return Problem("JSON_PARSER_ERROR", message, None)


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return "VALUE_TRUE" if value else "VALUE_FALSE"
    if isinstance(value, int):
        return "VALUE_NUMBER_INT"
    return "VALUE_NUMBER_FLOAT" if isinstance(value, float) else "VALUE_STRING"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    # A lone surrogate can be neither stored nor written as UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8")
