"""HubSpot's ways to write dates and times: ISO 8601 with milliseconds and ``Z``, epoch milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)
_MILLISECONDS = re.compile(r"-?\d{1,17}", re.ASCII)


# The records of a batch are made and changed at one moment.
@lru_cache(maxsize=256)
def iso(seconds: float) -> str:
    """Return epoch seconds as HubSpot writes an instant: ``2026-01-02T03:04:05.678Z``."""
    return iso_of_ms(round(seconds * 1000))


def iso_of_ms(milliseconds: int) -> str:
    """Return epoch milliseconds as HubSpot writes an instant.

    Raises:
        OverflowError: the year is not between 1 and 9999.
    """
    text = (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def parse_ms(text: str) -> int | None:
    """Return epoch milliseconds written as digits, or None."""
    return int(text) if _MILLISECONDS.fullmatch(text) else None


def parse_date(text: str) -> date | None:
    """Return a date written ``YYYY-MM-DD``, or None."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_iso_ms(text: str) -> int | None:
    """Return the epoch milliseconds of an ISO 8601 date and time, or None. Without a zone it is UTC."""
    if not _DATETIME.fullmatch(text):
        return None
    try:
        instant = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def ms_of_date(day: date) -> int:
    """Return the epoch milliseconds of a day's midnight in UTC."""
    return (day - _EPOCH.date()).days * _DAY_MS


def date_of_ms(milliseconds: int) -> date:
    """Return the day in UTC of epoch milliseconds.

    Raises:
        OverflowError: the year is not between 1 and 9999.
    """
    return (_EPOCH + timedelta(milliseconds=milliseconds)).date()


def time_of_day(milliseconds: int) -> str:
    """Return the time of day in UTC, as HubSpot's INVALID_DATE text shows it (``22:18:55.865``)."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds % _DAY_MS)
    return moment.time().isoformat(timespec="milliseconds")


def is_midnight(milliseconds: int) -> bool:
    """Return whether epoch milliseconds are a midnight in UTC."""
    return milliseconds % _DAY_MS == 0
