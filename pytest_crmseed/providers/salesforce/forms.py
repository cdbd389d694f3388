"""Values as Salesforce's API wants and answers them: JSON numbers and booleans, ISO 8601 text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pytest_crmseed.schema.model import Kind
from pytest_crmseed.schema.tables import Unusable

_SECOND = timedelta(seconds=1)


# -- out -----------------------------------------------------------------------------------------
def _number(value: Any) -> int | float | str:
    number = Decimal(value)
    if number == number.to_integral_value():
        return int(number)
    # A double that is written out again as the same number; else text, which the API takes for a number.
    double = float(number)
    return double if Decimal(repr(double)) == number else format(number, "f")


def _date(value: date) -> str:
    return value.isoformat()


def _datetime(value: datetime) -> str:
    # Without milliseconds it is refused (JSON_PARSER_ERROR).
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "+0000"


def _time(value: time) -> str:
    if value.microsecond % 1000:
        raise Unusable("is finer than the milliseconds that Salesforce keeps of a time")
    return value.isoformat(timespec="milliseconds") + "Z"


def _duration(value: timedelta) -> int:
    return value // _SECOND


# -- in ------------------------------------------------------------------------------------------
def _read_decimal(raw: Any) -> Decimal:
    if isinstance(raw, bool):
        raise ValueError(f"{raw!r} is no number")
    return Decimal(str(raw))


def _read_integer(raw: Any) -> Any:
    number = _read_decimal(raw)
    return int(number) if number == number.to_integral_value() else number


def _read_boolean(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise ValueError(f"{raw!r} is no boolean")
    return raw


def _read_date(raw: Any) -> date:
    return date.fromisoformat(str(raw))


def _read_datetime(raw: Any) -> datetime:
    moment = datetime.fromisoformat(str(raw))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_time(raw: Any) -> time:
    return time.fromisoformat(str(raw).removesuffix("Z"))


def _read_duration(raw: Any) -> timedelta:
    return timedelta(seconds=int(_read_decimal(raw)))


def _read_options(raw: Any) -> tuple[str, ...]:
    return tuple(part for part in str(raw).split(";") if part)


TO_WIRE: Mapping[Kind, Callable[[Any], Any]] = {
    **dict.fromkeys(Kind, str),
    Kind.INTEGER: _number,
    Kind.DECIMAL: _number,
    Kind.BOOLEAN: bool,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.DURATION: _duration,
    Kind.TIME: _time,
    Kind.OPTIONS: ";".join,
}
"""By kind: a normal Python value → the JSON value that goes over the wire. Durations are seconds."""

FROM_WIRE: Mapping[Kind, Callable[[Any], Any]] = {
    **dict.fromkeys(Kind, str),
    Kind.INTEGER: _read_integer,
    Kind.DECIMAL: _read_decimal,
    Kind.BOOLEAN: _read_boolean,
    Kind.DATE: _read_date,
    Kind.DATETIME: _read_datetime,
    Kind.DURATION: _read_duration,
    Kind.TIME: _read_time,
    Kind.OPTIONS: _read_options,
}
"""By kind: what Salesforce answers → the Python value.

The functions raise ValueError or ArithmeticError for what is not of the kind.
"""
