"""Moments as Salesforce writes and reads them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from email.utils import format_datetime

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d|[+-]\d{4}))?", re.ASCII
)
_TIME = re.compile(r"(\d\d:\d\d:\d\d)(\.\d{1,9})?Z?", re.ASCII)


def stamp(seconds: float) -> str:
    """Return a moment as it stands in a row: to the second, with empty milliseconds."""
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%dT%H:%M:%S}.000+0000"


def http_date(seconds: float) -> str:
    """Return a moment as it stands in a header."""
    return format_datetime(datetime.fromtimestamp(int(seconds), UTC), usegmt=True)


def moment(text: str) -> str | None:
    """Return a moment that a client wrote as it stands in a row, or None.

    A zone without a colon is read only behind milliseconds, as in what Salesforce itself writes; a day
    is its midnight.
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    if zone is not None and zone != "Z" and ":" not in zone and fraction is None:
        return None
    try:
        if clock is None:
            at = datetime.combine(date.fromisoformat(day), time(), UTC)
        else:
            digits = (fraction or ".000")[:7]
            at = datetime.fromisoformat(f"{day}T{clock}{digits.ljust(4, '0')}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def day(text: str) -> str | None:
    """Return a day that a client wrote as it stands in a row; of a moment it is the day in UTC."""
    found = moment(text)
    return None if found is None else found[:10]


def clock(text: str) -> str | None:
    """Return a time of day that a client wrote as it stands in a row, or None."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    try:
        time.fromisoformat(found[1])
    except ValueError:
        return None
    return f"{found[1]}{(found[2] or '.000')[:4].ljust(4, '0')}Z"
