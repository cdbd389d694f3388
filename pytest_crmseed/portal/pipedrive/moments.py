"""Dates and times as Pipedrive writes them (Pipedrive docs, "Migration guide to v2")."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(Z|[+-]\d\d:\d\d)", re.ASCII)
_SPACED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)
_DURATION = re.compile(r"\d{1,3}:[0-5]\d(:[0-5]\d)?", re.ASCII)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc(at: float) -> str:
    """Return a moment as v2 writes it: RFC 3339 in whole seconds."""
    return _moment(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def spaced(at: float) -> str:
    """Return a moment as v1 writes it: with a blank, in UTC."""
    return _moment(at).strftime("%Y-%m-%d %H:%M:%S")


def precise(at: float) -> str:
    """Return a moment as leads have it: with milliseconds."""
    return _moment(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day(at: float) -> str:
    """Return the day of a moment in UTC."""
    return _moment(at).strftime("%Y-%m-%d")


def parse_rfc(text: str) -> float | None:
    """Return the epoch seconds of a moment in RFC 3339 without fractions, or None."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return None


def parse_spaced(text: str) -> float | None:
    """Return the epoch seconds of a moment as v1 writes it, or None."""
    if not _SPACED.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def parse_either(text: str) -> float | None:
    """Return the epoch seconds of a moment in either version's form, or None."""
    at = parse_rfc(text)
    return parse_spaced(text) if at is None else at


def is_date(text: str) -> bool:
    """Return whether a text is a day, ``2026-01-31``."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def full_time(text: str) -> str | None:
    """Return a time of day as ``HH:MM:SS``, or None when it is none."""
    return _with_seconds(text) if _TIME.fullmatch(text) else None


def full_duration(text: str) -> str | None:
    """Return a duration as ``HH:MM:SS``, or None when it is none."""
    return _with_seconds(text.zfill(5)) if _DURATION.fullmatch(text) else None


def _with_seconds(text: str) -> str:
    return text if text.count(":") == 2 else f"{text}:00"


def _moment(at: float) -> datetime:
    return _EPOCH + timedelta(seconds=at)
