"""The factories of notes, tasks, calls and meetings."""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from factory.declarations import Trait

from pytest_crmseed.factories import texts
from pytest_crmseed.factories.base import CRMFactory
from pytest_crmseed.factories.computed import Derived, Given
from pytest_crmseed.factories.declarations import DateBetween, Pick, Weighted
from pytest_crmseed.factories.moments import day_of, folded, working_time
from pytest_crmseed.factories.streams import Generation, below

_NUMBER = Given.NUMBER

# About so many days around the base date.
_DAYS = 60

_SCHEDULED = "scheduled"
_COMPLETED = "completed"


def _text_on(table: Mapping[str, str]) -> Derived:
    """Return the declaration of a body that fits the subject, by what the table says on it."""
    bodies = tuple(table.values())

    def prepare(about: Generation) -> Callable[..., str]:
        def value(number: int, subject: Any) -> str:
            known = table.get(subject) if isinstance(subject, str) else None
            return known or bodies[below(number, len(bodies))]

        return value

    return Derived(prepare, _NUMBER, "subject")


def _minutes(*choices: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=minutes) for minutes in choices)


def _past(about: Generation) -> Callable[[int], datetime]:
    return lambda number: working_time(about.base_date, number, -_DAYS)


class NoteFactory(CRMFactory):
    """Makes notes, written before the base date."""

    class Meta:
        object_type = "notes"

    subject = Pick(tuple(texts.NOTES))
    body = _text_on(texts.NOTES)
    at = Derived(_past, _NUMBER)


class TaskFactory(CRMFactory):
    """Makes tasks. One that is completed was due before the base date, the others are due after it.

    Traits: ``completed``; ``overdue``, which is not completed and was due before the base date.
    """

    class Meta:
        object_type = "tasks"

    class Params:
        completed = Trait(status=_COMPLETED)
        overdue = Trait(status="not_started", due_date=DateBetween(-30, -1))

    subject = Pick(tuple(texts.TASKS))
    body = _text_on(texts.TASKS)
    due_date = Derived(day_of(_COMPLETED, days=_DAYS), _NUMBER, "status")
    status = Weighted({"not_started": 45, "in_progress": 20, "waiting": 10, _COMPLETED: 25})
    priority = Weighted({"low": 25, "medium": 50, "high": 25})


# -- calls ---------------------------------------------------------------------------------------
_MISSED = ("no_answer", "busy", "canceled", "failed")
_TALKED = Weighted({Pick(_minutes(*range(2, 11))): 60, Pick(_minutes(*range(11, 46))): 40})


def _call_body(about: Generation) -> Callable[..., str]:
    bodies = tuple(texts.CALLS.values())

    def value(number: int, subject: Any, status: Any) -> str:
        if folded(status) in _MISSED:
            return texts.MISSED_CALL
        known = texts.CALLS.get(subject) if isinstance(subject, str) else None
        return known or bodies[below(number, len(bodies))]

    return value


def _call_duration(about: Generation) -> Callable[..., timedelta]:
    def value(number: int, status: Any) -> timedelta:
        if folded(status) in _MISSED:
            return timedelta()
        talked: timedelta = _TALKED.value(number, about)
        return talked

    return value


def _call_at(about: Generation) -> Callable[..., datetime]:
    return lambda number, duration: working_time(about.base_date, number, -_DAYS, duration)


class CallFactory(CRMFactory):
    """Makes calls, within working hours before the base date. One that was missed lasted no time.

    Traits: ``completed`` and ``missed``.
    """

    class Meta:
        object_type = "calls"

    class Params:
        completed = Trait(status=_COMPLETED)
        missed = Trait(status=Pick(_MISSED[:2]))

    subject = Pick(tuple(texts.CALLS))
    body = Derived(_call_body, _NUMBER, "subject", "status")
    at = Derived(_call_at, _NUMBER, "duration")
    status = Weighted({_COMPLETED: 75, "no_answer": 18, "busy": 7})
    duration = Derived(_call_duration, _NUMBER, "status")


# -- meetings ------------------------------------------------------------------------------------
def _meeting_at(about: Generation) -> Callable[..., datetime]:
    def value(number: int, status: Any, duration: Any) -> datetime:
        days = _DAYS if folded(status) in (_SCHEDULED, "rescheduled") else -_DAYS
        return working_time(about.base_date, number, days, duration)

    return value


class MeetingFactory(CRMFactory):
    """Makes meetings, within working hours: after the base date if scheduled, else before it.

    Traits: ``scheduled`` and ``completed``.
    """

    class Meta:
        object_type = "meetings"

    class Params:
        scheduled = Trait(status=_SCHEDULED)
        completed = Trait(status=_COMPLETED)

    subject = Pick(tuple(texts.MEETINGS))
    body = _text_on(texts.MEETINGS)
    at = Derived(_meeting_at, _NUMBER, "status", "duration")
    status = Weighted({_SCHEDULED: 45, _COMPLETED: 45, "no_show": 5, "canceled": 5})
    duration = Pick(_minutes(15, 30, 45, 60, 90))
