"""What is wrong with a plan, collected over all of it and told in one report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_crmseed.errors import UnknownName, UsageError, ValidationFailed
from pytest_crmseed.schema.tables import Problem
from pytest_crmseed.suggest import did_you_mean, nearest

# So many problems are spelled out in one report; the rest is counted.
SPELLED_OUT = 25


class Problems:
    """The problems of a plan; names that nothing is known by are kept as the errors they are, too."""

    def __init__(self) -> None:
        self.all: list[Problem] = []
        self._errors: list[UsageError] = []

    def add(self, *problems: Problem) -> None:
        """Take problems of values."""
        self.all += problems

    def name(self, object_type: str, given: str, value: Any, error: UsageError) -> None:
        """Take a name that cannot be used for any record of an object type."""
        self._errors.append(error)
        self.all.append(problem_of(object_type, given, value, error))

    def check(self) -> None:
        """Raise for what was found.

        Raises:
            UsageError: one name is all that is wrong.
            ValidationFailed: anything else is; the text lists it.
        """
        if len(self.all) == 1 and self._errors:
            raise self._errors[0]
        if self.all:
            raise ValidationFailed(report(self.all), self.all)


def problem_of(object_type: str, given: str, value: Any, error: UsageError) -> Problem:
    """Return the problem that an error about a name amounts to."""
    if isinstance(error, UnknownName):
        reason = f"no such {error.kind}{did_you_mean(error.name, error.known)} {error.remedy}".rstrip(" .")
        near = nearest(error.name, error.known)
        return Problem(object_type, None, given, value, reason, allowed=error.known, suggestion=near)
    reason = str(error).removeprefix(f"{object_type}.{given} ").removeprefix(f"{object_type}: ")
    return Problem(object_type, None, given, value, reason.rstrip("."))


def report(problems: Sequence[Problem]) -> str:
    """Return the text that lists problems, equal ones of many records as one."""
    groups: dict[tuple[str, str, str, str], list[Problem]] = {}
    for problem in problems:
        alike = (problem.object_type, problem.field, problem.shown, problem.reason)
        groups.setdefault(alike, []).append(problem)
    lines = []
    for group in list(groups.values())[:SPELLED_OUT]:
        more = len(group) - 1
        lines.append(f"{group[0]}" + (f" (and {more} more record{'s' if more > 1 else ''})" if more else ""))
    rest = len(groups) - len(lines)
    if rest > 0:
        lines.append(f"and {rest} more problem{'s' if rest > 1 else ''}")
    what = "A value" if len(groups) == 1 else f"{len(groups)} values"
    return f"{what} cannot be sent; nothing was written.\n  " + "\n  ".join(lines)
