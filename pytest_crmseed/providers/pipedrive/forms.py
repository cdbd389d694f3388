"""Values as Pipedrive's API wants and answers them: JSON numbers and booleans, RFC 3339 in whole seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pytest_crmseed.schema.model import Kind
from pytest_crmseed.schema.tables import Unusable


# -- out -----------------------------------------------------------------------------------------
def _number(value: Any) -> int | float:
    number = Decimal(value)
    if number == number.to_integral_value():
        return int(number)
    double = float(number)
    if Decimal(repr(double)) != number:
        raise Unusable("has more digits than Pipedrive keeps of a number")
    return double


def _datetime(value: datetime) -> str:
    # Fractions of a second are no valid date and time to v2 (ERR_SCHEMA_VALIDATION_FAILED).
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(value: timedelta) -> str:
    """Return a duration as HH:MM:SS.

    Raises:
        Unusable: it is negative, or has a part of a second.
    """
    if value < timedelta() or value % timedelta(seconds=1):
        raise Unusable("is no number of whole seconds from 0 on, as Pipedrive keeps durations")
    minutes, seconds = divmod(value // timedelta(seconds=1), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def _time(value: time) -> str:
    if value.microsecond:
        raise Unusable("is finer than the seconds that Pipedrive keeps of a time")
    return value.isoformat(timespec="seconds")


def _options(values: tuple[str, ...]) -> list[str]:
    if not values:
        raise Unusable("takes at least one option: Pipedrive refuses an empty list; leave the field out")
    return list(values)


# -- in ------------------------------------------------------------------------------------------
def _read_decimal(raw: Any) -> Decimal:
    if isinstance(raw, bool):
        raise ValueError(f"{raw!r} is no number")
    return Decimal(str(raw))


def _read_integer(raw: Any) -> Any:
    number = _read_decimal(raw)
    return int(number) if number == number.to_integral_value() else number


def _read_boolean(raw: Any) -> bool:
    # v1 answers 0 and 1 as well.
    if raw not in (0, 1):
        raise ValueError(f"{raw!r} is no boolean")
    return bool(raw)


def _read_datetime(raw: Any) -> datetime:
    moment = datetime.fromisoformat(str(raw))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_clock(raw: Any) -> timedelta:
    """Return the duration that HH:MM or HH:MM:SS stands for."""
    hours, minutes, *seconds = (int(part) for part in str(raw).split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0)


def _read_options(raw: Any) -> tuple[str, ...]:
    # Leads, which are of v1, have the options of a set in one text.
    parts = raw if isinstance(raw, list) else str(raw).split(",")
    return tuple(str(part) for part in parts if part != "")


TO_WIRE: Mapping[Kind, Callable[[Any], Any]] = {
    **dict.fromkeys(Kind, str),
    Kind.INTEGER: _number,
    Kind.DECIMAL: _number,
    Kind.BOOLEAN: bool,
    Kind.DATE: date.isoformat,
    Kind.DATETIME: _datetime,
    Kind.DURATION: clock,
    Kind.TIME: _time,
    Kind.OPTIONS: _options,
}
"""By kind: a normal Python value → the value of a draft; :mod:`bodies` gives it its place and shape."""

FROM_WIRE: Mapping[Kind, Callable[[Any], Any]] = {
    **dict.fromkeys(Kind, str),
    Kind.INTEGER: _read_integer,
    Kind.DECIMAL: _read_decimal,
    Kind.BOOLEAN: _read_boolean,
    Kind.DATE: lambda raw: date.fromisoformat(str(raw)[:10]),
    Kind.DATETIME: _read_datetime,
    Kind.DURATION: read_clock,
    Kind.TIME: lambda raw: time.fromisoformat(str(raw)),
    Kind.OPTIONS: _read_options,
}
"""By kind: what Pipedrive answers → the Python value.

The functions raise ValueError or ArithmeticError for what is not of the kind.
"""
