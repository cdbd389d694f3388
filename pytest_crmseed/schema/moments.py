"""Days and moments: what may be given for a date or a date and time, and their normal forms.

A moment without a zone is taken as UTC: the portal's zone is the portal's own business. Whole numbers,
and texts of digits alone, count milliseconds since 1970 in UTC, as the vendors' APIs do.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pytest_crmseed.schema.tables import Unusable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DIGITS = re.compile(r"-?\d+", re.ASCII)
# More digits than these are no moment; int() refuses thousands of them.
_MOST_DIGITS = 20
# As milliseconds, smaller numbers are moments of early 1970, which nobody means; as seconds, they
# reach the year 2286.
_SMALLEST_MS = 10**10

_WRITE_A_DAY = "give a date, or text as 2026-03-31"
_WRITE_A_MOMENT = "give a datetime, or text as 2026-03-31T09:00:00Z"
_WRITE_A_TIME = "give a datetime.time, or text as 09:00"
_TIME = re.compile(r"(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)Z?", re.ASCII)


def day(value: Any) -> date:
    """Return the day a value stands for; a moment stands for one at midnight in UTC only.

    Raises:
        Unusable: it stands for none.
    """
    if isinstance(value, datetime):
        return _day_of(value)
    if isinstance(value, date):
        return value if type(value) is date else date(value.year, value.month, value.day)
    number = _milliseconds(value)
    if number is not None:
        return _day_of_milliseconds(number)
    if not isinstance(value, str):
        raise Unusable(f"takes a day, not {type(value).__name__}; {_WRITE_A_DAY}")
    try:
        return date.fromisoformat(value) if _DAY.fullmatch(value) else _day_of(datetime.fromisoformat(value))
    except ValueError:
        raise Unusable(f"is no date; {_WRITE_A_DAY}") from None


def moment(value: Any) -> datetime:
    """Return the moment, in UTC, that a value stands for; a day stands for its midnight in UTC.

    Raises:
        Unusable: it stands for none.
    """
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    number = _milliseconds(value)
    if number is not None:
        if number and abs(number) < _SMALLEST_MS:
            raise _too_small(number)
        return _of_milliseconds(number)
    if not isinstance(value, str):
        raise Unusable(f"takes a date and time, not {type(value).__name__}; {_WRITE_A_MOMENT}")
    try:
        return _in_utc(datetime.fromisoformat(value))
    except ValueError:
        raise Unusable(f"is no date and time; {_WRITE_A_MOMENT}") from None


def time_of_day(value: Any) -> time:
    """Return the time of day, without a zone, that a value stands for; one of UTC stands for itself.

    Raises:
        Unusable: it stands for none.
    """
    if isinstance(value, time):
        if value.utcoffset():
            raise Unusable(f"takes a time of day without a zone; {_WRITE_A_TIME}")
        return time(value.hour, value.minute, value.second, value.microsecond)
    if not isinstance(value, str):
        raise Unusable(f"takes a time of day, not {type(value).__name__}; {_WRITE_A_TIME}")
    try:
        if written := _TIME.fullmatch(value):
            return time.fromisoformat(written[1])
    except ValueError:
        pass
    raise Unusable(f"is no time of day; {_WRITE_A_TIME}")


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise Unusable("is outside the years 1 to 9999 in UTC") from None


def _day_of(value: datetime) -> date:
    instant = _in_utc(value)
    if instant.time() == time():
        return instant.date()
    meant = value.date().isoformat()
    raise Unusable(
        f"takes a day; this moment is not midnight in UTC but {instant:%H:%M:%S}. Give its day: {meant}",
        suggestion=meant,
    )


def _milliseconds(value: Any) -> int | None:
    """Return the whole number that a value is or writes out, or None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        if len(value) > _MOST_DIGITS:
            raise Unusable("is outside the years 1 to 9999, in milliseconds since 1970")
        return int(value)
    return None


def _of_milliseconds(number: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=number)
    except OverflowError:
        raise Unusable("is outside the years 1 to 9999, in milliseconds since 1970") from None


def _day_of_milliseconds(number: int) -> date:
    instant = _of_milliseconds(number)
    if instant.time() == time():
        return instant.date()
    if abs(number) < _SMALLEST_MS:
        raise _too_small(number, of_day=True)
    meant = instant.date().isoformat()
    raise Unusable(
        f"takes a day; as milliseconds since 1970 this is not midnight in UTC but {instant:%H:%M:%S}. "
        f"Give the day: {meant}",
        suggestion=meant,
    )


def _too_small(number: int, *, of_day: bool = False) -> Unusable:
    """Return what to say of a number that is too small to count milliseconds."""
    digits = str(number)
    if len(digits) == 8:
        written = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
        try:
            date.fromisoformat(written)
        except ValueError:
            pass
        else:
            return Unusable(f"counts milliseconds since 1970; a day is written {written}", suggestion=written)
    if abs(number) * 1000 < _SMALLEST_MS:
        return Unusable(
            f"is too small to count milliseconds since 1970; {_WRITE_A_DAY if of_day else _WRITE_A_MOMENT}"
        )
    instant = _EPOCH + timedelta(seconds=number)
    seconds = f"{instant:%Y-%m-%d}" if of_day else f"{instant:%Y-%m-%dT%H:%M:%SZ}"
    return Unusable(
        f"looks like seconds since 1970, and numbers count milliseconds. If {seconds} is meant, give that "
        f"as text{'' if of_day else f', or {number * 1000}'}",
        suggestion=seconds,
    )
