"""Companies that the portal makes by itself from our contacts' addresses go with the contacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed import LocalPortal, Seeder, count
from pytest_crmseed.portal import Behaviour


@pytest.fixture
def portal() -> Iterator[LocalPortal]:
    with LocalPortal(behaviour=Behaviour(companies_from_email_domains=True)) as portal:
        yield portal


def live(portal: LocalPortal) -> dict[str, int]:
    counts: dict[str, int] = portal.stats()["records"]["hubspot"]
    return {name: number for name, number in counts.items() if number}


@pytest.fixture
def seeder(portal: LocalPortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Seeder]:
    monkeypatch.chdir(tmp_path)
    return lambda **settings: Seeder(base_url=portal.base_url, **settings)


def test_a_company_made_from_our_own_domain_goes_with_the_contacts(
    portal: LocalPortal, seeder: Callable[..., Any]
) -> None:
    with seeder() as seeding:
        seeding.seed(contacts=3)
        assert live(portal) == {"companies": 1, "contacts": 3}
        assert seeding.clean() == 4
        assert live(portal) == {}


def test_a_company_of_another_domain_is_left_alone(portal: LocalPortal, seeder: Callable[..., Any]) -> None:
    with seeder() as seeding:
        # Whoever gives an address of their own may have a company of that domain, or get one.
        seeding.seed(contacts=count(1, email="ada@acorn.example"))
        assert live(portal) == {"companies": 1, "contacts": 1}
    assert live(portal) == {"companies": 1}


def test_companies_that_were_seeded_are_not_counted_twice(
    portal: LocalPortal, seeder: Callable[..., Any]
) -> None:
    with seeder() as seeding:
        seeding.seed(companies=2, contacts=4)
        assert live(portal) == {"companies": 2, "contacts": 4}
        assert seeding.clean() == 6
        assert live(portal) == {}


def test_what_a_killed_run_left_is_found_as_well(portal: LocalPortal, seeder: Callable[..., Any]) -> None:
    killed = seeder()
    killed.seed(contacts=2)
    # As if its process had died: the lock is gone, nothing was cleaned.
    killed._engine.liveness.close()
    with seeder() as next_one:
        assert sum(next_one.swept.removed.values()) == 3
        assert live(portal) == {}
    killed.close()


def test_what_a_run_left_when_it_ended_is_found_as_well(
    portal: LocalPortal, seeder: Callable[..., Any]
) -> None:
    ended = seeder()
    ended.seed(contacts=2)
    # Nothing of it can be removed, and then it ends.
    portal.faults.expire_token(route="*/batch/*", times=None, seeder=True)
    assert not ended._engine.clean().complete
    ended._engine.end()
    portal.faults.clear()
    assert live(portal) == {"companies": 1, "contacts": 2}
    with seeder() as next_one:
        assert sum(next_one.swept.removed.values()) == 3
        assert live(portal) == {}
    ended.close()
