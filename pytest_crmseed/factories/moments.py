"""Moments around the base date: days, and times within working hours, in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pytest_crmseed.factories.streams import Generation, below, split

# Working hours of a day, in minutes after midnight.
OPENS, CLOSES = 8 * 60, 18 * 60
# What starts, starts at a quarter of an hour.
QUARTER = 15

_FRIDAY = 4
_DAY = timedelta(days=1)


def working_day(base: date, number: int, days: int) -> date:
    """Return a working day within about ``days`` after ``base``, or before it if they are negative.

    It is never ``base`` itself.
    """
    direction = 1 if days > 0 else -1
    day = base + direction * timedelta(days=1 + below(number, abs(days)))
    while day.weekday() > _FRIDAY:
        day += direction * _DAY
    return day


def working_time(base: date, number: int, days: int, lasts: Any = None) -> datetime:
    """Return a moment on a working day, so that what ``lasts`` so long ends within working hours.

    What lasts longer than they do starts with them.
    """
    minutes = int(lasts.total_seconds() // 60) if isinstance(lasts, timedelta) else 0
    starts = max(1, (CLOSES - OPENS - minutes) // QUARTER + 1)
    quarter, rest = split(number, starts)
    start = OPENS + quarter * QUARTER
    return datetime.combine(working_day(base, rest, days), time(start // 60, start % 60), UTC)


def day_of(*past: str, days: int) -> Callable[[Generation], Callable[[int, Any], date]]:
    """Return what prepares a working day: before the base date for a status in ``past``, else after it."""

    def prepare(about: Generation) -> Callable[[int, Any], date]:
        def value(number: int, status: Any) -> date:
            return working_day(about.base_date, number, -days if folded(status) in past else days)

        return value

    return prepare


def folded(status: Any) -> str:
    """Return a status as it is written here: "Not Started", "NOT_STARTED" → "not_started"."""
    return str(status).strip().lower().replace(" ", "_").replace("-", "_")
