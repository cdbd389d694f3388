"""Waiting for a search index that trails behind, on a clock that the test moves."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_crmseed.errors import PortalError
from pytest_crmseed.portal import Behaviour, LocalPortal, VirtualClock
from pytest_crmseed.seeder.waiting import wait_until_searchable


@pytest.fixture
def trailing(opened: Any, tmp_path: Any) -> Any:
    """Return a portal whose index is three seconds behind, on a virtual clock, with five records."""
    from datetime import date

    from pytest_crmseed.ingest.guard import Limits
    from pytest_crmseed.ingest.ledger import Ledger
    from pytest_crmseed.seeder.recipe import RunInfo
    from pytest_crmseed.seeder.seeder import Engine, Recipe

    clock = VirtualClock()
    with LocalPortal(behaviour=Behaviour(search_lag=3.0), clock=clock) as portal:
        target = opened(portal)
        with Ledger(tmp_path / "ledger.sqlite", durable=False) as ledger:
            engine = Engine(target, ledger, RunInfo("run1"), Limits())
            seed = engine.seed({"deals": 3}, Recipe(1, date(2026, 11, 1)), node="test")
            yield clock, portal, target, list(seed.records)


def test_it_returns_as_soon_as_all_are_found(trailing: Any) -> None:
    clock, portal, target, records = trailing
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    wait_until_searchable(target, records, clock=clock.now, sleep=sleep)
    assert 3.0 <= sum(slept) <= 4.0
    searches = [r for r in portal.requests if r.path.endswith("/search")]
    # One search for each object type in each round.
    assert len(searches) == 3 * (len(slept) + 1)


def test_what_is_found_at_once_costs_no_wait(trailing: Any) -> None:
    clock, _, target, records = trailing
    clock.advance(10)
    wait_until_searchable(target, records, sleep=pytest.fail)


def test_it_gives_up_in_time_and_says_what_is_missing(trailing: Any) -> None:
    clock, _, target, records = trailing
    with pytest.raises(PortalError) as failed:
        wait_until_searchable(target, records, seconds=2, clock=clock.now, sleep=clock.advance)
    assert str(failed.value) == (
        "After 2 s the search of HubSpot local portal 47010001 does not find 1 companies, 1 contacts, "
        "3 deals. Wait longer: wait_until_searchable(records, seconds=120)."
    )
