"""Days and moments: what may be given for a date or a date and time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.schema.moments import day, moment
from pytest_crmseed.schema.tables import Unusable

CET = timezone(timedelta(hours=1))
EPOCH = date(1970, 1, 1)
ZONES = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))


def milliseconds(value: date) -> int:
    return (value - EPOCH).days * 86_400_000


@given(st.dates())
def test_a_day_however_it_is_written(value: date) -> None:
    midnight = datetime.combine(value, time(), UTC)
    ways: list[Any] = [
        value,
        value.isoformat(),
        midnight,
        midnight.replace(tzinfo=None),
        midnight.isoformat(),
        milliseconds(value),
        str(milliseconds(value)),
    ]
    assert [day(way) for way in ways] == [value] * len(ways)
    assert moment(value) == midnight


@given(st.datetimes(), ZONES)
def test_a_moment_is_a_day_at_midnight_in_utc_only(value: datetime, zone: timezone) -> None:
    aware = value.replace(tzinfo=zone)
    try:
        instant = aware.astimezone(UTC)
    except OverflowError:
        with pytest.raises(Unusable, match=r"^is outside the years 1 to 9999 in UTC$"):
            day(aware)
        return
    assert moment(aware) == moment(aware.isoformat()) == instant
    if instant.time() == time():
        assert day(aware) == instant.date()
        return
    with pytest.raises(Unusable) as unusable:
        day(aware)
    # The day that the caller's own clock shows is what was meant.
    assert unusable.value.suggestion == aware.date().isoformat()
    assert str(unusable.value) == (
        f"takes a day; this moment is not midnight in UTC but {instant:%H:%M:%S}. "
        f"Give its day: {aware.date().isoformat()}"
    )


@given(st.datetimes(datetime(1980, 1, 1), datetime(2286, 11, 20)))
def test_seconds_are_told_from_milliseconds(value: datetime) -> None:
    aware = value.replace(tzinfo=UTC, microsecond=0)
    seconds = int(aware.timestamp())
    assert moment(seconds * 1000) == moment(str(seconds * 1000)) == aware
    with pytest.raises(Unusable) as unusable:
        moment(seconds)
    assert str(unusable.value) == (
        f"looks like seconds since 1970, and numbers count milliseconds. If {aware:%Y-%m-%dT%H:%M:%SZ} is "
        f"meant, give that as text, or {seconds * 1000}"
    )
    if seconds % 86_400_000:
        with pytest.raises(Unusable, match=r"^looks like seconds since 1970"):
            day(str(seconds))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("soon", "is no date; give a date, or text as 2026-03-31"),
        ("", "is no date; give a date, or text as 2026-03-31"),
        ("2026-02-30", "is no date; give a date, or text as 2026-03-31"),
        ("31.03.2026", "is no date; give a date, or text as 2026-03-31"),
        (20260331, "counts milliseconds since 1970; a day is written 2026-03-31"),
        ("20260331", "counts milliseconds since 1970; a day is written 2026-03-31"),
        (5, "is too small to count milliseconds since 1970; give a date, or text as 2026-03-31"),
        (
            1_774_947_600,
            "looks like seconds since 1970, and numbers count milliseconds. If 2026-03-31 is meant, give "
            "that as text",
        ),
        (
            1_774_947_600_000,
            "takes a day; as milliseconds since 1970 this is not midnight in UTC but 09:00:00. Give the day: "
            "2026-03-31",
        ),
        (10**15 * 86_400, "is outside the years 1 to 9999, in milliseconds since 1970"),
        ("9" * 5000, "is outside the years 1 to 9999, in milliseconds since 1970"),
        (10**4000, "is outside the years 1 to 9999, in milliseconds since 1970"),
        (1.5, "takes a day, not float; give a date, or text as 2026-03-31"),
        (True, "takes a day, not bool; give a date, or text as 2026-03-31"),
        (time(9), "takes a day, not time; give a date, or text as 2026-03-31"),
        (
            datetime(2026, 3, 31, tzinfo=CET),
            "takes a day; this moment is not midnight in UTC but 23:00:00. Give its day: 2026-03-31",
        ),
    ],
)
def test_no_day(value: Any, said: str) -> None:
    with pytest.raises(Unusable) as unusable:
        day(value)
    assert str(unusable.value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("soon", "is no date and time; give a datetime, or text as 2026-03-31T09:00:00Z"),
        (
            5,
            "is too small to count milliseconds since 1970; give a datetime, or text as 2026-03-31T09:00:00Z",
        ),
        (20260331, "counts milliseconds since 1970; a day is written 2026-03-31"),
        (1.5, "takes a date and time, not float; give a datetime, or text as 2026-03-31T09:00:00Z"),
        (False, "takes a date and time, not bool; give a datetime, or text as 2026-03-31T09:00:00Z"),
        (datetime(1, 1, 1, tzinfo=CET), "is outside the years 1 to 9999 in UTC"),
    ],
)
def test_no_moment(value: Any, said: str) -> None:
    with pytest.raises(Unusable) as unusable:
        moment(value)
    assert str(unusable.value) == said


def test_a_moment_without_a_zone_is_in_utc() -> None:
    assert (
        moment(datetime(2026, 3, 31, 9)) == moment("2026-03-31 09:00") == datetime(2026, 3, 31, 9, tzinfo=UTC)
    )
    assert moment(0) == moment("0") == datetime(1970, 1, 1, tzinfo=UTC)


class Frozen(date):
    """As the libraries that stop the clock have."""


def test_a_day_of_another_class_is_a_plain_one() -> None:
    assert type(day(Frozen(2026, 3, 31))) is date
