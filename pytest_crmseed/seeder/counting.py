"""Counts by any name of their object types → a plan, within the guards' limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_crmseed.errors import UsageError
from pytest_crmseed.ingest import guard
from pytest_crmseed.planning import Count, LinkRule, Plan, as_count, make_plan
from pytest_crmseed.records import Record
from pytest_crmseed.schema.legend import Translator


def plan_counts(
    counts: Mapping[str, int | Count],
    translator: Translator,
    links: Mapping[str, Mapping[str, LinkRule]],
    *,
    wider: Mapping[str, Sequence[Record]] | None = None,
    limit: int | None = None,
    limits: guard.Limits,
) -> Plan:
    """Return the plan of counts given by any name of their object types.

    Raises:
        UsageError: a name is unknown or given twice, or a count is no number.
        GuardRefused: it has more records than ``limits`` allow.
    """
    canonical: dict[str, Count] = {}
    for given, value in counts.items():
        name = translator.canonical(given)
        if name in canonical:
            raise UsageError(f"{given!r} is {name}, which is asked for twice; give one.")
        canonical[name] = as_count(value, given)
    # Before the plan is made, too: that of a million records takes seconds.
    asked = sum(wanted.n if limit is None else min(wanted.n, limit) for wanted in canonical.values())
    guard.check_plan_size(asked, limits)
    plan = make_plan(canonical, links, wider=wider, limit=limit)
    guard.check_plan_size(plan.total, limits)
    return plan
