"""Sweeping without the ledger of the dead run: by the keys that its records carry in the portal."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.keys import make_key
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.seeder.recipe import RunInfo
from pytest_crmseed.seeder.seeder import Engine
from pytest_crmseed.seeder.sweep import Sweeper

HOUR = 3600.0


class Elsewhere:
    """Another machine: an engine on the same portal, with a ledger that knows nothing."""

    def __init__(self, bench: Any, folder: Path) -> None:
        self.bench = bench
        self.ledger = Ledger(folder / "elsewhere" / "ledger.sqlite", durable=False)
        self.engine = Engine(
            bench.target, self.ledger, RunInfo("elsewhere"), Limits(), sleep=lambda seconds: None
        )

    def sweep(self, *, after: float = 0.0, **more: Any) -> Any:
        return Sweeper(self.engine, clock=lambda: time.time() + after).by_keys(**more)


@pytest.fixture
def elsewhere(bench: Any, tmp_path: Path) -> Iterator[Elsewhere]:
    there = Elsewhere(bench, tmp_path)
    yield there
    there.ledger.close()


def test_records_of_an_expired_run_are_removed_by_their_keys(bench: Any, elsewhere: Elsewhere) -> None:
    stranger = bench.stranger("contacts", email="ada@acorn.example")
    bench.seed({"deals": 3})
    swept = elsewhere.sweep(after=3 * HOUR)
    assert (swept.removed, swept.left, swept.errors, swept.spared) == ({"run1": 5}, {}, [], {})
    assert bench.records == {"contacts": 1}
    assert list(bench.everything()["contacts"]) == [stranger]
    # What was found stands in this machine's ledger, so that a sweep cut short is gone on with.
    assert elsewhere.ledger.run("run1").ended_at is not None
    assert elsewhere.ledger.live("run1") == []


def test_a_run_that_has_not_expired_may_be_under_way_elsewhere(bench: Any, elsewhere: Elsewhere) -> None:
    bench.seed({"contacts": 2})
    swept = elsewhere.sweep(after=HOUR)
    assert swept.removed == {}
    assert swept.spared["run1"].startswith("it may be under way elsewhere until it expires at 20")
    assert bench.records == {"contacts": 2}


def test_the_latest_expiry_of_a_run_counts(bench: Any, elsewhere: Elsewhere) -> None:
    early = bench.another("run1", clock=lambda: time.time() - 3 * HOUR)
    early.seed({"contacts": 1}, _recipe(bench), node="early")
    assert elsewhere.sweep(dry_run=True).left == {"run1": 1}
    bench.seed({"companies": 1})
    assert elsewhere.sweep(dry_run=True).spared.keys() == {"run1"}


def test_kept_records_stay_as_long_as_their_keys_say(bench: Any, elsewhere: Elsewhere) -> None:
    bench.seed({"contacts": 1}, keep=True)
    assert elsewhere.sweep(after=20 * HOUR).spared.keys() == {"run1"}
    assert bench.records == {"contacts": 1}
    assert elsewhere.sweep(after=25 * HOUR).removed == {"run1": 1}


def test_this_machines_ledger_knows_better_than_the_keys(bench: Any) -> None:
    bench.seed({"contacts": 1}, keep=True)
    bench.engine.liveness.hold("run1")
    later = bench.another("run2")
    late = Sweeper(later, clock=lambda: time.time() + 3 * HOUR)
    assert late.by_keys().spared == {"run1": "it is under way"}
    bench.engine.liveness.close()
    assert late.by_keys().removed == {}
    assert bench.records == {"contacts": 1}
    assert Sweeper(later, clock=lambda: time.time() + 25 * HOUR).by_keys().removed == {"run1": 1}


def test_a_dry_run_counts_and_removes_nothing(bench: Any, elsewhere: Elsewhere) -> None:
    bench.seed({"contacts": 2})
    swept = elsewhere.sweep(after=3 * HOUR, dry_run=True)
    assert (swept.removed, swept.left) == ({}, {"run1": 2})
    assert bench.records == {"contacts": 2}


def test_texts_that_are_no_keys_of_ours_are_strangers(bench: Any, elsewhere: Elsewhere) -> None:
    for number, text in enumerate(("crmseed-1-", "crmseed-0-run1-1-2-contacts-1-0", "KEY")):
        bench.stranger("contacts", email=f"s{number}@acorn.example", crmseed_key=text)
    # A whole key, but one of another object type: somebody copied it.
    foreign = make_key("run1", 1, 2, "deals", 1, 0)
    bench.stranger("contacts", email="copy@acorn.example", crmseed_key=foreign)
    assert elsewhere.sweep(after=100 * HOUR).removed == {}
    assert bench.records == {"contacts": 4}


def test_object_types_whose_records_carry_no_key_are_named(bench: Any, elsewhere: Elsewhere) -> None:
    assert "companies" not in elsewhere.sweep().unkeyed


def test_a_run_of_another_portal_by_the_ledger_is_not_touched(bench: Any, elsewhere: Elsewhere) -> None:
    bench.seed({"contacts": 1})
    run = dataclasses.replace(bench.ledger.run("run1"), portal_id="another")
    elsewhere.ledger.open_run(run)
    reason = elsewhere.sweep(after=3 * HOUR).spared["run1"]
    assert reason.startswith("by the ledger it belongs to hubspot portal another;")
    assert bench.records == {"contacts": 1}


def test_an_index_that_is_behind_proves_nothing(bench: Any, elsewhere: Elsewhere) -> None:
    bench.seed({"contacts": 2})
    bench.portal.portal.behaviour.search_lag = 3600.0
    # Found by a trailing index, gone from the store: nothing to delete, and nothing goes wrong.
    bench.engine.clean()
    swept = elsewhere.sweep(after=3 * HOUR)
    assert (swept.removed, swept.errors) == ({}, [])
    bench.portal.portal.behaviour.search_lag = 0.0


def test_more_than_a_page_is_found(bench: Any, elsewhere: Elsewhere) -> None:
    bench.seed({"contacts": 401})
    assert elsewhere.sweep(after=3 * HOUR).removed == {"run1": 401}


def _recipe(bench: Any) -> Any:
    from datetime import date

    from pytest_crmseed.seeder.seeder import Recipe

    return Recipe(random_seed=2, base_date=date(2026, 11, 1))
