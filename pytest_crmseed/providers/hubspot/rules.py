"""HubSpot's property validation rules, as bounds of a field.

Source: HubSpot docs, "Property validations API", the table of rule types. How the rules read beyond
their first lines is [unsure]: that REGEX takes the whole text, and which letters ALPHA_ONLY lets pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from pytest_crmseed.schema.model import Field, Kind

NATIVE = "validationRules"
"""Where a field keeps all its rules as they were read, as JSON text."""

Arguments = Sequence[str]
_Taking = Callable[[Field, Arguments], Field | None]

# What ALPHANUMERIC's argument lets pass.
_CHARACTERS = {"ALPHANUMERIC": r"[^\W_]*", "ALPHA_ONLY": r"[^\W\d_]*", "NUMERIC_ONLY": r"[0-9]*"}


def apply(field: Field, rules: Sequence[Mapping[str, Any]]) -> Field:
    """Return a field with what its rules ask for.

    A rule that a field has no place for, or that cannot be read, stays in ``native`` alone: the
    portal goes by it all the same.
    """
    for rule in sorted(rules, key=lambda rule: _ORDER.get(str(rule.get("ruleType")), len(_ORDER))):
        take = _RULES.get(str(rule.get("ruleType")))
        arguments = [str(argument) for argument in rule.get("ruleArguments") or ()]
        field = (take(field, arguments) if take else None) or field
    kept = json.dumps(list(rules), ensure_ascii=False, sort_keys=True)
    return replace(field, native={**field.native, NATIVE: kept})


def _max_length(field: Field, arguments: Arguments) -> Field | None:
    length = _whole(arguments)
    return None if length is None else replace(field, max_length=length)


def _min_length(field: Field, arguments: Arguments) -> Field | None:
    length = _whole(arguments)
    return None if length is None else replace(field, min_length=length)


def _minimum(field: Field, arguments: Arguments) -> Field | None:
    number = _number(arguments)
    return None if number is None else replace(field, minimum=number)


def _maximum(field: Field, arguments: Arguments) -> Field | None:
    number = _number(arguments)
    return None if number is None else replace(field, maximum=number)


def _decimals(field: Field, arguments: Arguments) -> Field | None:
    return replace(field, kind=Kind.INTEGER) if _whole(arguments) == 0 else None


def _regex(field: Field, arguments: Arguments) -> Field | None:
    return _pattern(field, arguments[0]) if arguments else None


def _alphanumeric(field: Field, arguments: Arguments) -> Field | None:
    return _pattern(field, _CHARACTERS.get(arguments[0], "")) if arguments else None


def _no_special_characters(field: Field, arguments: Arguments) -> Field | None:
    return _pattern(field, r"(?:[^\W_]|\s)*") if list(arguments) == ["NOT_ALLOWED"] else None


def _kind(kind: Kind) -> _Taking:
    def take(field: Field, arguments: Arguments) -> Field | None:
        return replace(field, kind=kind) if field.kind is Kind.STRING else None

    return take


# By what weighs most: a field has one pattern, and an expression of the portal's own says the most.
_RULES: Mapping[str, _Taking] = {
    "REGEX": _regex,
    "ALPHANUMERIC": _alphanumeric,
    "SPECIAL_CHARACTERS": _no_special_characters,
    "MAX_LENGTH": _max_length,
    "MIN_LENGTH": _min_length,
    "MIN_NUMBER": _minimum,
    "MAX_NUMBER": _maximum,
    "DECIMAL": _decimals,
    "EMAIL": _kind(Kind.EMAIL),
    "EMAIL_ALLOWED_DOMAINS": _kind(Kind.EMAIL),
    "EMAIL_BLOCKED_DOMAINS": _kind(Kind.EMAIL),
    "URL": _kind(Kind.URL),
    "URL_ALLOWED_DOMAINS": _kind(Kind.URL),
    "URL_BLOCKED_DOMAINS": _kind(Kind.URL),
    "PHONE_NUMBER_WITH_EXPLICIT_COUNTRY_CODE": _kind(Kind.PHONE),
}
_ORDER = {name: place for place, name in enumerate(_RULES)}


def _pattern(field: Field, expression: str) -> Field | None:
    if not expression or field.pattern:
        return None
    try:
        # HubSpot's expressions are RE2's, of which Python does not know all.
        re.compile(expression)
    except re.error:
        return None
    return replace(field, pattern=expression)


def _whole(arguments: Arguments) -> int | None:
    return int(arguments[0]) if arguments and re.fullmatch(r"[0-9]{1,9}", arguments[0]) else None


def _number(arguments: Arguments) -> str | None:
    try:
        number = Decimal(arguments[0])
    except (IndexError, InvalidOperation):
        return None
    return format(number, "f") if number.is_finite() else None
