"""Values as HubSpot's API wants and answers them: always text (HubSpot docs, "Properties guide")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pytest_crmseed.schema.model import Kind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


# -- out -----------------------------------------------------------------------------------------
def _number(value: Any) -> str:
    return format(Decimal(value), "f")


def _boolean(value: Any) -> str:
    return "true" if value else "false"


def _date(value: date) -> str:
    return value.isoformat()


def _datetime(value: datetime) -> str:
    # ISO 8601 in UTC; HubSpot answers with milliseconds.
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _duration(value: timedelta) -> str:
    return str(value // _MILLISECOND)


# -- in ------------------------------------------------------------------------------------------
def _read_date(raw: Any) -> date:
    # Dates are answered as days or as milliseconds at midnight.
    return _read_datetime(raw).astimezone(UTC).date()


def _read_datetime(raw: Any) -> datetime:
    text = str(raw)
    if text.lstrip("-").isdigit():
        return _EPOCH + timedelta(milliseconds=int(text))
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_decimal(raw: Any) -> Decimal:
    return Decimal(str(raw))


def _read_integer(raw: Any) -> Any:
    number = Decimal(str(raw))
    return int(number) if number == number.to_integral_value() else number


def _read_boolean(raw: Any) -> bool:
    text = str(raw).lower()
    if text not in ("true", "false"):
        raise ValueError(f"{raw!r} is no boolean")
    return text == "true"


def _read_duration(raw: Any) -> timedelta:
    return timedelta(microseconds=int(Decimal(str(raw)) * 1000))


def _read_options(raw: Any) -> tuple[str, ...]:
    return tuple(part for part in str(raw).split(";") if part)


TO_WIRE: Mapping[Kind, Callable[[Any], Any]] = {
    **dict.fromkeys(Kind, str),
    Kind.INTEGER: _number,
    Kind.DECIMAL: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.DURATION: _duration,
    Kind.OPTIONS: ";".join,
}
"""By kind: a normal Python value → the text that goes over the wire. Durations are milliseconds."""

FROM_WIRE: Mapping[Kind, Callable[[Any], Any]] = {
    **dict.fromkeys(Kind, str),
    Kind.INTEGER: _read_integer,
    Kind.DECIMAL: _read_decimal,
    Kind.BOOLEAN: _read_boolean,
    Kind.DATE: _read_date,
    Kind.DATETIME: _read_datetime,
    Kind.DURATION: _read_duration,
    Kind.OPTIONS: _read_options,
}
"""By kind: what HubSpot answers → the Python value.

The functions raise ValueError or ArithmeticError for what is not of the kind.
"""
