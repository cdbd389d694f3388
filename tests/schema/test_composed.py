"""Fields made from several neutral ones, and neutral ones read from several native ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pytest_crmseed.errors import UnknownName
from pytest_crmseed.providers.hubspot.forms import FROM_WIRE, TO_WIRE
from pytest_crmseed.schema.legend import Composed, FieldLegend, Legend, ObjectLegend, Translator
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Schema
from pytest_crmseed.schema.tables import Unusable
from pytest_crmseed.schema.validate import Validator

START = datetime(2026, 3, 31, 9, tzinfo=UTC)


def full_name(first_name: str | None, last_name: str | None) -> str | None:
    return " ".join(name for name in (first_name, last_name) if name) or None


def end(at: datetime | None, duration: timedelta | None) -> datetime | None:
    if duration is None:
        return None
    if at is None:
        raise Unusable("needs a value for at too")
    return at + duration


def duration(native: Mapping[str, Any]) -> timedelta | None:
    if "start" not in native:
        return None
    lasting: timedelta = native["end"] - native["start"]
    return lasting


LEGEND = Legend(
    objects={
        "meetings": ObjectLegend(
            "meetings",
            "meetings",
            {"at": FieldLegend("start"), "room": FieldLegend("room")},
            composed=(
                Composed("end", ("at", "duration"), end, {"duration": duration}, {"duration": Kind.DURATION}),
                Composed("host", ("first_name", "last_name"), full_name),
            ),
            homeless={"price": "nothing costs here."},
        )
    },
    to_wire=TO_WIRE,
    from_wire=FROM_WIRE,
    key_field="crmseed_key",
)
FIELDS = (
    Field("start", "Start", Kind.DATETIME),
    Field("end", "End", Kind.DATETIME),
    Field("room", "Room", Kind.STRING),
    Field("host", "Host", Kind.STRING, max_length=9, required=True),
)
MEETINGS = ObjectType("meetings", "Meeting", "Meetings", {field.name: field for field in FIELDS})
SCHEMA = Schema("x", {"meetings": MEETINGS}, complete=True)
TRANSLATOR = Translator(LEGEND, SCHEMA)


@pytest.mark.parametrize(
    ("record", "native"),
    [
        (
            {"at": START, "duration": timedelta(minutes=30)},
            {"start": "2026-03-31T09:00:00.000Z", "end": "2026-03-31T09:30:00.000Z"},
        ),
        # A part with a home is read as its field is: text and zones as everywhere.
        (
            {"at": "2026-03-31T11:00:00+02:00", "duration": timedelta(hours=1)},
            {"start": "2026-03-31T09:00:00.000Z", "end": "2026-03-31T10:00:00.000Z"},
        ),
        ({"at": START, "duration": None}, {"start": "2026-03-31T09:00:00.000Z"}),
        ({"first_name": "Ann"}, {"host": "Ann"}),
        ({"first_name": "Ann", "last_name": "Lee"}, {"host": "Ann Lee"}),
        ({"first_name": "", "last_name": ""}, {}),
        # The field itself wins, whichever way it is given.
        ({"first_name": "Ann", "host": "Bob"}, {"host": "Bob"}),
        ({"first_name": "Ann", "native": {"host": "Bob"}}, {"host": "Bob"}),
        ({"duration": timedelta(1), "native": {"end": START}}, {"end": "2026-03-31T09:00:00.000Z"}),
        ({"room": "7"}, {"room": "7"}),
    ],
)
def test_what_is_written(record: dict[str, Any], native: dict[str, Any]) -> None:
    assert TRANSLATOR.to_native("meetings", 0, record) == (native, [])


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            {"at": START, "duration": 30},
            "meetings[3].duration (end) = 30: takes a timedelta, as timedelta(minutes=30), not int",
        ),
        (
            {"duration": timedelta(hours=1)},
            "meetings[3].duration (end) = datetime.timedelta(seconds=3600): needs a value for at too",
        ),
        ({"first_name": ["Ann"]}, "meetings[3].first_name (host) = ['Ann']: takes text, not list"),
    ],
)
def test_problems_name_the_part(record: dict[str, Any], said: str) -> None:
    _, (problem,) = TRANSLATOR.to_native("meetings", 3, record)
    assert str(problem) == said


def test_a_part_that_is_wrong_itself_is_told_of_once() -> None:
    _, (problem,) = TRANSLATOR.to_native("meetings", 0, {"at": "soon", "duration": timedelta(1)})
    assert (problem.field, problem.native) == ("at", "start")


def test_what_the_schema_refuses_of_a_composed_value_names_its_first_part() -> None:
    native, _ = TRANSLATOR.to_native("meetings", 0, {"first_name": "Ann", "last_name": "Otherwise"})
    spellings = TRANSLATOR.spellings("meetings")
    (long,) = Validator(SCHEMA).record("meetings", 0, MEETINGS, native, neutral=spellings)
    assert str(long) == (
        "meetings[0].first_name (host) = 'Ann Otherwise': has 13 characters; at most 9 are allowed"
    )
    (missing,) = Validator(SCHEMA).record("meetings", 0, MEETINGS, {}, neutral=spellings)
    assert str(missing) == "meetings[0].first_name (host): is required on create"


def test_what_is_read_back() -> None:
    native, _ = TRANSLATOR.to_native("meetings", 0, {"at": START, "duration": timedelta(minutes=30)})
    assert TRANSLATOR.to_neutral("meetings", native) == {"at": START, "duration": timedelta(minutes=30)}
    assert TRANSLATOR.to_neutral("meetings", {"end": native["end"]}) == {"duration": None}
    assert TRANSLATOR.to_neutral("meetings", {"start": None, "end": native["end"]}) == {
        "at": None,
        "duration": None,
    }
    assert TRANSLATOR.to_neutral("meetings", {"room": "7"}) == {"room": "7"}


def test_names() -> None:
    assert TRANSLATOR.neutral_fields("meetings") == ("at", "room", "duration", "first_name", "last_name")
    assert TRANSLATOR.resolve("meetings", "duration") == "duration"
    assert TRANSLATOR.resolve("meetings", "Last_Name") == "last_name"
    assert TRANSLATOR.resolve("meetings", "End") == "end"
    assert (TRANSLATOR.neutral_home("meetings", "start"), TRANSLATOR.neutral_home("meetings", "end")) == (
        "at",
        None,
    )
    with pytest.raises(
        UnknownName, match=r"^unknown field 'duratoin' of meetings; did you mean 'duration'\?"
    ):
        TRANSLATOR.resolve("meetings", "duratoin")
