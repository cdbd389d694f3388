"""Whole cycles of seeding, testing and cleaning under faults; the portal's own store is the judge."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from chaos_cycle import Report, run
from chaos_schedules import Schedule, draw, drawn, recoverable
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from pytest_crmseed.errors import OutcomeUnknown
from pytest_crmseed.ingest.entries import Entry
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.making import Making
from pytest_crmseed.ingest.reconcile import Reconciler
from pytest_crmseed.records import Draft

T = TypeVar("T")

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "chaos.py"
EXAMPLES = int(os.environ.get("CHAOS_EXAMPLES", "60"))
CYCLES = int(os.environ.get("CHAOS_CYCLES", "1000"))

QUIET = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@st.composite
def schedules(drawing: st.DrawFn) -> Schedule:
    """Draw a schedule as the seeded ones are drawn; a failing one shrinks to few faults, the simplest."""

    def choose(options: Sequence[T]) -> T:
        return drawing(st.sampled_from(options))

    return draw(choose)


def test_a_thousand_cycles_leave_nothing_make_nothing_twice_and_touch_nobody() -> None:
    command = [sys.executable, str(SCRIPT), "--cycles", str(CYCLES), "--processes", "2"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    figures = dict(re.findall(r"^(\S.*?)  +(\S.*)$", done.stdout, re.MULTILINE))
    assert figures["cycles"] == f"{CYCLES:,}"
    for found in ("orphans", "duplicates", "a test on half a seed", "strangers' records touched"):
        assert figures[f"with {found}"] == "0"
    survived, lost = (int(n.replace(",", "")) for n in figures["recoverable / unrecoverable"].split(" / "))
    # Most must end in success, or the client would be let off too easily.
    assert 0 < lost <= survived / 9


@settings(QUIET, max_examples=EXAMPLES)
@given(schedules())
def test_no_schedule_breaks_a_promise(schedule: Schedule) -> None:
    report = run(schedule)
    assert not report.findings, str(report)


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_batches_side_by_side(seed: int) -> None:
    # Which request a fault strikes is up to the threads here; what must come of it is not.
    schedule = replace(drawn(seed), unique=True, keyed=True, batch_size=1)
    if recoverable(schedule):
        report = run(schedule, parallel=True)
        assert not report.findings, str(report)


def test_a_cycle_is_the_same_each_time() -> None:
    for seed in range(5):
        first, second = run(drawn(seed)), run(drawn(seed))
        assert (first.struck, first.requests) == (second.struck, second.requests)
        assert drawn(seed) == drawn(seed)


# -- the harness can fail --------------------------------------------------------------------------
@pytest.fixture
def resending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the client: what got no proper answer is sent again, and never counted."""

    def again(self: Making, drafts: Sequence[Draft], unknown: OutcomeUnknown, rounds: int) -> list[Draft]:
        if not rounds:
            raise unknown
        return list(drafts)

    monkeypatch.setattr(Making, "_reconcile", again)
    monkeypatch.setattr(Reconciler, "recount", lambda self, results: None)


@pytest.fixture
def writing_down_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the client: its ledger knows what the portal has answered, and not what was sent."""
    live = Ledger.live

    def answered(self: Ledger, run_id: str, seed: str | None = None) -> list[Entry]:
        return [entry for entry in live(self, run_id, seed) if entry.id is not None]

    monkeypatch.setattr(Ledger, "live", answered)


def found(kind: str, cycles: Iterator[Schedule]) -> Report | None:
    """Return the first report that finds something of a kind."""
    reports = map(run, cycles)
    return next((r for r in reports if any(finding.kind == kind for finding in r.findings)), None)


@pytest.mark.usefixtures("resending")
def test_without_a_look_before_sending_again_duplicates_are_found() -> None:
    # Without reading back: that would find them as well, and fail the seed.
    cycles = (replace(drawn(seed), verify="off", unique=False) for seed in range(100))
    assert found("duplicate", cycles) is not None


@pytest.mark.usefixtures("resending")
def test_where_keys_are_unique_nothing_is_made_twice_even_then() -> None:
    cycles = (replace(drawn(seed), unique=True, keyed=True) for seed in range(30))
    assert found("duplicate", cycles) is None


@pytest.mark.usefixtures("writing_down_late")
def test_without_the_ledger_first_orphans_are_found() -> None:
    failing = (schedule for seed in range(1_000) if not recoverable(schedule := drawn(seed)))
    assert found("orphan", failing) is not None


@pytest.mark.usefixtures("resending")
def test_a_failing_schedule_shrinks_to_what_matters() -> None:
    def twice(schedule: Schedule) -> bool:
        return any(finding.kind == "duplicate" for finding in run(schedule).findings)

    smallest = find(
        schedules().filter(lambda each: each.keyed and not each.unique and each.verify == "off"),
        twice,
        settings=settings(QUIET, max_examples=200, phases=[Phase.generate, Phase.shrink]),
    )
    assert (len(smallest.orders), smallest.body, smallest.switches) == (1, "", {})
    (order,) = smallest.orders
    assert (order.phase, order.step) == ("seed", "create")
