"""What is to be seeded, as the command line and a plan file say it: counts by object type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_crmseed.cli.planfile import read_plan
from pytest_crmseed.errors import UsageError
from pytest_crmseed.planning import Count

EXAMPLE = "deals=10"


def counts_of(arguments: Sequence[str], plan: Path | None) -> dict[str, Count]:
    """Return the counts of ``OBJECT=N`` arguments and a plan file.

    A number on the command line stands in for the file's; overrides and links stay.

    Raises:
        UsageError: nothing is asked for, or something cannot be read; the text says where.
    """
    counts = dict(read_plan(plan)) if plan is not None else {}
    for name, number in parsed(arguments).items():
        overrides: Mapping[str, object] = counts[name].overrides if name in counts else {}
        counts[name] = Count(number, overrides)
    if not counts:
        what = f"the plan file {plan} asks for nothing" if plan else "nothing is asked for"
        raise UsageError(f"{what}.", remedy=f"Say what, and how many: {EXAMPLE}.")
    return counts


def parsed(arguments: Sequence[str]) -> dict[str, int]:
    """Return numbers by object type.

    Raises:
        UsageError: an argument is not of the form ``OBJECT=N``, or one object type is named twice.
    """
    found: dict[str, int] = {}
    for argument in arguments:
        name, equals, number = (part.strip() for part in argument.partition("="))
        if not equals or not name or not number:
            raise UsageError(
                f"{argument!r} does not say what, and how many.",
                remedy=f"Write {name or 'deals'}=10.",
            )
        # What int() takes and a person does not mean: 1_0, +3, other scripts' digits.
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise UsageError(f"{argument!r}: {number!r} is no number of records from 0 on.")
        if name in found:
            raise UsageError(f"{name!r} is asked for twice, as {name}={found[name]} and as {argument}.")
        found[name] = int(number)
    return found
