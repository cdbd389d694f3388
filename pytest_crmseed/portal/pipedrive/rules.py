"""What a value in a body has to be. v2 converts nothing: a text is no number, 1 is no boolean.

Pipedrive docs, "Migration guide to v2". The text for a value of the wrong type is what the service says of
null for a date; that it says the same of other types is [unsure].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_crmseed.portal.pipedrive import moments
from pytest_crmseed.portal.pipedrive.errors import invalid

Check = Callable[[Any], str]
"""Returns what is wrong with a value, or nothing."""

INTEGERS = 2**63
"""No id or whole number beyond can be kept."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the value of a key has to be; ``nullable`` values may be null."""

    check: Check
    nullable: bool = False

    def problem(self, value: Any) -> str:
        """Return what is wrong with a value, or nothing."""
        return "" if value is None and self.nullable else self.check(value)


def check(
    body: Mapping[str, Any],
    rules: Mapping[str, Rule],
    required: Iterable[str] = (),
    more: Iterable[tuple[str, str]] = (),
) -> None:
    """Check the keys of a body; ``more`` are problems that were found elsewhere.

    Raises:
        ApiError: keys are unknown, missing, or their values wrong; it names all of them.
    """
    problems = [
        (name, f"Parameter '{name}' is not allowed for this request") for name in body if name not in rules
    ]
    problems += [(name, "The value is required") for name in required if name not in body]
    for name, value in body.items():
        if name in rules:
            problem = rules[name].problem(value)
            if problem:
                problems.append((name, problem))
    problems += more
    if problems:
        raise invalid(problems)


def wrong(kind: str) -> str:
    """Return what is said of a value of another type than ``kind``."""
    return f"The value is not a valid '{kind}'"


def integer(value: Any) -> str:
    """Check for a whole number."""
    fine = isinstance(value, int) and not isinstance(value, bool) and -INTEGERS <= value < INTEGERS
    return "" if fine else wrong("integer")


def number(value: Any) -> str:
    """Check for a number."""
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return "" if fine else wrong("number")


def boolean(value: Any) -> str:
    """Check for true or false."""
    return "" if isinstance(value, bool) else wrong("boolean")


def text(value: Any) -> str:
    """Check for a text."""
    return "" if isinstance(value, str) else wrong("string")


def limited(most: int, *, least: int = 0) -> Check:
    """Return a check for a text of a length."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            return wrong("string")
        if len(value.strip()) < least:
            return "The value must not be empty"
        return f"The value is longer than {most} characters" if len(value) > most else ""

    return check


def one_of(*values: Any) -> Check:
    """Return a check for one of certain values, of exactly their type."""
    shown = ", ".join(str(value) for value in values)

    def check(value: Any) -> str:
        fine = any(type(value) is type(each) and value == each for each in values)
        return "" if fine else f"The value must be one of {shown}"

    return check


def between(least: int, most: int) -> Check:
    """Return a check for a number within bounds, both included."""

    def check(value: Any) -> str:
        problem = number(value)
        return problem or ("" if least <= value <= most else f"The value must be between {least} and {most}")

    return check


def date(value: Any) -> str:
    """Check for a day."""
    if not isinstance(value, str):
        return wrong("string")
    return "" if moments.is_date(value) else wrong("date")


def date_or_empty(value: Any) -> str:
    """Check for a day, or for the empty text that clears one."""
    return "" if value == "" else date(value)


def time(value: Any) -> str:
    """Check for a time of day."""
    if not isinstance(value, str):
        return wrong("string")
    return "" if moments.full_time(value) else wrong("time")


def duration(value: Any) -> str:
    """Check for a duration."""
    if not isinstance(value, str):
        return wrong("string")
    return "" if moments.full_duration(value) else wrong("time")


def moment(value: Any) -> str:
    """Check for a moment in either version's form."""
    if not isinstance(value, str):
        return wrong("string")
    return "" if moments.parse_either(value) is not None else wrong("datetime")


def list_of(check: Check, kind: str = "array") -> Check:
    """Return a check for a list."""

    def each(value: Any) -> str:
        if not isinstance(value, list):
            return wrong(kind)
        return next((problem for item in value if (problem := check(item))), "")

    return each


def object_of(rules: Mapping[str, Rule], required: Iterable[str] = ()) -> Check:
    """Return a check for an object with certain keys."""
    needed = tuple(required)

    def check(value: Any) -> str:
        if not isinstance(value, dict):
            return wrong("object")
        for name in value:
            if name not in rules:
                return f"Unknown key '{name}'"
        for name in needed:
            if name not in value:
                return f"{name}: The value is required"
        for name, each in value.items():
            problem = rules[name].problem(each)
            if problem:
                return f"{name}: {problem}"
        return ""

    return check


def any_object(value: Any) -> str:
    """Check for an object, whatever is in it."""
    return "" if isinstance(value, dict) else wrong("object")


INTEGER, NUMBER, BOOLEAN, TEXT = Rule(integer), Rule(number), Rule(boolean), Rule(text)
REFERENCE = Rule(integer, nullable=True)
VISIBLE_TO = Rule(one_of(1, 3, 5, 7))
LABELS = Rule(list_of(integer))
CUSTOM_FIELDS = Rule(any_object)

ADDRESS = Rule(
    object_of(
        {
            name: Rule(limited(65_535), nullable=name != "value")
            for name in (
                "value",
                "country",
                "admin_area_level_1",
                "admin_area_level_2",
                "locality",
                "sublocality",
                "route",
                "street_number",
                "subpremise",
                "postal_code",
            )
        },
        required=["value"],
    ),
    nullable=True,
)
CONTACTS = Rule(list_of(object_of({"value": TEXT, "primary": BOOLEAN, "label": TEXT}, required=["value"])))
