"""Values of rows compared with those of a query.

Salesforce docs, "SOQL and SOSL Reference", "Comparison Operators" and "Date Formats and Date Literals". Text
compares without case.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pytest_crmseed.portal.salesforce import ids
from pytest_crmseed.portal.salesforce.definitions import NUMBERS, TEXTS, Field
from pytest_crmseed.portal.salesforce.soql.tree import Number, Span, Value

Test = Callable[[Any], bool]


class Mismatch(Exception):
    """A value is of another kind than its field; the text says what it has to be."""


class NoId(Exception):
    """A field of ids is compared with a text that is none."""


def comparable(field: Field | None, value: Any) -> Any:
    """Return a row's value, as an answer has it, in the form in which values compare; None stays None."""
    if value is None or isinstance(value, dict):
        return None
    kind = "string" if field is None else field.type
    if kind in NUMBERS:
        return Decimal(str(value))
    if kind == "boolean":
        return bool(value)
    if kind == "date":
        return date.fromisoformat(str(value))
    if kind == "datetime":
        return datetime.fromisoformat(str(value).replace("+0000", "+00:00"))
    if kind in ("id", "reference"):
        return long_id(str(value))
    return str(value) if field is not None and field.case_sensitive else str(value).lower()


def rank(field: Field | None) -> Callable[[Any], Any]:
    """Return what a field's values, as answers have them, are sorted by; None for null.

    Picklists have the order of their values; other text sorts by its capitals (docs, "ORDER BY").
    """
    if field is not None and field.type == "picklist":
        places = {value.value.lower(): place for place, value in enumerate(field.values)}
        after = len(places)

        def place(value: Any) -> Any:
            return None if value is None else (places.get(value.lower(), after), value.upper())

        return place

    def text(value: Any) -> Any:
        held = comparable(field, value)
        return held.upper() if isinstance(held, str) and kind not in ("id", "reference") else held

    kind = "string" if field is None else field.type
    return text


def long_id(text: str) -> str:
    """Return an id in its long form; what is none stays as it is."""
    parsed = ids.parse(text)
    return text if parsed is None else parsed.text


def wanted(field: Field | None, value: Value) -> Any:
    """Return a query's value in the form in which values compare.

    Raises:
        Mismatch: a field of this type cannot be compared with it; the text says what it takes.
        NoId: the field has ids, and the value is none.
    """
    kind = "string" if field is None else field.type
    if value is None or isinstance(value, Span):
        if isinstance(value, Span) and kind not in ("date", "datetime"):
            raise Mismatch(f"must be of type {kind} and should be enclosed in quotes")
        # A box that is not ticked is what null is to it (docs, "Use null in WHERE").
        return False if value is None and kind == "boolean" else value
    if kind in NUMBERS:
        if not isinstance(value, Number):
            raise Mismatch(f"must be of type {kind} and should not be enclosed in quotes")
        return Decimal(value.text)
    if kind == "boolean":
        if not isinstance(value, bool):
            raise Mismatch("must be of type boolean and should not be enclosed in quotes")
        return value
    if kind == "date":
        if isinstance(value, datetime) or not isinstance(value, date):
            raise Mismatch("must be of type date and should not be enclosed in quotes")
        return value
    if kind == "datetime":
        if not isinstance(value, datetime):
            raise Mismatch("must be of type dateTime and should not be enclosed in quotes")
        return value
    if not isinstance(value, str):
        raise Mismatch(f"must be of type {kind} and should be enclosed in quotes")
    if not value:
        # There are no empty texts: what is written as one is kept as null.
        return None
    if kind in ("id", "reference") and ids.parse(value) is None:
        raise NoId(value)
    return comparable(field, value)


def takes(field: Field | None, operator: str) -> bool:
    """Return whether fields of a type can be compared in a way at all."""
    kind = "string" if field is None else field.type
    if operator == "like":
        return kind in TEXTS
    return operator in ("=", "!=") or kind not in ("boolean", "multipicklist")


def test(field: Field | None, operator: str, value: Value, now: datetime) -> Test:
    """Return whether a row's comparable value satisfies ``operator value``.

    Raises:
        Mismatch: the field cannot be compared with the value.
        NoId: the field has ids, and the value is none.
    """
    sought = wanted(field, value)
    if isinstance(sought, Span):
        try:
            first, after = span(sought, now)
        except (OverflowError, ValueError):
            raise Mismatch("is too far away to be a date") from None
        return _within(first, after, operator, field)
    match operator:
        case "=":
            return lambda held: bool(held == sought)
        case "!=":
            return lambda held: bool(held != sought)
    if sought is None:
        # Nothing is more or less than null.
        return lambda held: False
    match operator:
        case "<":
            return lambda held: held is not None and held < sought
        case "<=":
            return lambda held: held is not None and held <= sought
        case ">":
            return lambda held: held is not None and held > sought
    return lambda held: held is not None and held >= sought


def like(pattern: str) -> Test:
    """Return whether a text matches a pattern with ``%`` and ``_``, in any case."""
    parts = []
    for found in re.finditer(r"\\(.)|(%)|(_)|([^\\%_]+)", pattern, re.DOTALL):
        escaped, many, one, plain = found.groups()
        parts.append(".*" if many else "." if one else re.escape(escaped or plain))
    matching = re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
    return lambda held: held is not None and matching.fullmatch(str(held)) is not None


def _within(first: date, after: date, operator: str, field: Field | None) -> Test:
    low: Any = first
    high: Any = after
    if field is not None and field.type == "datetime":
        low, high = (datetime.combine(day, time(), UTC) for day in (first, after))
    match operator:
        case "=":
            return lambda held: held is not None and low <= held < high
        case "!=":
            return lambda held: held is None or not low <= held < high
        case "<":
            return lambda held: held is not None and held < low
        case "<=":
            return lambda held: held is not None and held < high
        case ">":
            return lambda held: held is not None and held >= high
    return lambda held: held is not None and held >= low


def span(literal: Span, now: datetime) -> tuple[date, date]:
    """Return the first day of a date literal, and the day after its last; weeks begin on Sunday [unsure]."""
    today = now.date()
    name, n = literal.name, 90 if literal.n is None else literal.n
    day = timedelta(days=1)
    match name:
        case "TODAY":
            return today, today + day
        case "YESTERDAY":
            return today - day, today
        case "TOMORROW":
            return today + day, today + 2 * day
        case "LAST_90_DAYS" | "LAST_N_DAYS":
            return today - n * day, today + day
        case "NEXT_90_DAYS" | "NEXT_N_DAYS":
            return today + day, today + (n + 1) * day
        case "N_DAYS_AGO":
            return today - n * day, today - (n - 1) * day
    if name.endswith("_AGO"):
        unit = name.removeprefix("N_").removesuffix("S_AGO")
        start = _moved(unit, _begins(unit, today), -n)
        return start, _moved(unit, start, 1)
    which, _, unit = name.partition("_")
    several = unit.startswith("N_")
    unit = unit.removeprefix("N_").removesuffix("S") if several else unit
    number = n if several else 1
    start = _begins(unit, today)
    match which:
        case "LAST":
            return _moved(unit, start, -number), start
        case "NEXT":
            return _moved(unit, start, 1), _moved(unit, start, 1 + number)
    return start, _moved(unit, start, 1)


def _begins(unit: str, day: date) -> date:
    match unit:
        case "WEEK":
            return day - timedelta(days=(day.weekday() + 1) % 7)
        case "MONTH":
            return day.replace(day=1)
        case "QUARTER":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1)


def _moved(unit: str, start: date, number: int) -> date:
    if unit == "WEEK":
        return start + timedelta(weeks=number)
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit] * number
    month = start.year * 12 + start.month - 1 + months
    return date(month // 12, month % 12 + 1, 1)
