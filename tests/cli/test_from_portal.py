"""``crmseed cleanup --from-portal`` and ``crmseed setup``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed import LocalPortal, Seeder
from pytest_crmseed.ingest import keys
from pytest_crmseed.portal import Behaviour

Crmseed = Callable[..., Any]
Serve = Callable[..., LocalPortal]


def live(portal: LocalPortal, provider: str = "hubspot") -> int:
    return sum(portal.stats()["records"][provider].values())


@pytest.fixture
def orphans(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[LocalPortal, bool], str]:
    """Leave records in a portal that no ledger knows of, expired or not."""

    def leave(portal: LocalPortal, expired: bool, provider: str = "hubspot") -> str:
        seeder = Seeder(base_url=portal.base_url, provider=provider)
        if expired:
            make = keys.make_key
            past = lambda run_id, issued, expires, *rest: make(run_id, 1, 2, *rest)  # noqa: E731
            monkeypatch.setattr("pytest_crmseed.seeder.seeder.make_key", past)
        seeder.seed(deals=2)
        monkeypatch.undo()
        monkeypatch.chdir(folder)
        seeder._engine.liveness.close()
        seeder._engine.ledger.close()
        seeder._engine.target.close()
        (folder / ".crmseed" / "ledger.sqlite").rename(folder / "lost.sqlite")
        return seeder.run_id

    return leave


def test_what_expired_is_removed_without_a_ledger(
    crmseed: Crmseed, serve: Serve, orphans: Callable[..., str]
) -> None:
    portal = serve()
    run_id = orphans(portal, True)
    dry = crmseed("cleanup", "--from-portal", "--base-url", portal.base_url, "--dry-run")
    assert (dry.code, dry.err) == (0, "")
    assert dry.out.startswith(f"Would remove 4 records of run {run_id}.\n")
    assert live(portal) == 4
    screen = crmseed("cleanup", "--from-portal", "--base-url", portal.base_url)
    assert (screen.code, screen.err) == (0, "")
    assert screen.out.startswith("4 records of 1 run removed from HubSpot local portal 500000001, 0 left.\n")
    assert live(portal) == 0


@pytest.mark.parametrize("provider", ["salesforce", "pipedrive"])
def test_of_the_other_crms_as_well(
    crmseed: Crmseed, serve: Serve, orphans: Callable[..., str], provider: str
) -> None:
    portal = serve()
    orphans(portal, True, provider)
    assert live(portal, provider) >= 4
    at = ("cleanup", "--from-portal", "--provider", provider, "--base-url", portal.base_url)
    screen = crmseed(*at)
    assert (screen.code, screen.err) == (0, "")
    assert screen.out.startswith("4 records of 1 run removed from ")
    assert live(portal, provider) == 0


def test_what_may_be_under_way_elsewhere_is_left_alone(
    crmseed: Crmseed, serve: Serve, orphans: Callable[..., str]
) -> None:
    portal = serve()
    run_id = orphans(portal, False)
    screen = crmseed("cleanup", "--from-portal", "--base-url", portal.base_url)
    assert screen.code == 0
    assert screen.out.startswith("Nothing to remove in HubSpot local portal 500000001.\n")
    assert f"Run {run_id} was left alone: it may be under way elsewhere until it expires at 20" in screen.out
    as_json = json.loads(crmseed("cleanup", "--from-portal", "--base-url", portal.base_url, "--json").out)
    assert list(as_json["spared"]) == [run_id]
    assert (as_json["runs"], as_json["removed"], live(portal)) == (0, 0, 4)


def test_without_a_portal_to_search_it_says_so(crmseed: Crmseed) -> None:
    screen = crmseed("cleanup", "--from-portal")
    assert (screen.code, screen.out) == (2, "")
    assert "crmseed: --from-portal has no portal to search" in screen.err
    assert "--target sandbox" in screen.err


# -- setup -----------------------------------------------------------------------------------------
@pytest.fixture
def bare() -> Any:
    """Serve a portal that nobody has set up."""
    with LocalPortal(behaviour=Behaviour(set_up=False)) as portal:
        yield portal


def test_setup_makes_the_field_once_and_then_records_can_be_seeded(
    crmseed: Crmseed, bare: LocalPortal, folder: Path
) -> None:
    at = ("--base-url", bare.base_url)
    dry = crmseed("setup", "contacts", "deals", "0-2", "--dry-run", *at)
    assert (dry.code, dry.err) == (0, "")
    assert (
        dry.out
        == "crmseed_key would be made on contacts, deals, companies in HubSpot local portal 47010001.\n"
    )
    made = crmseed("setup", "contacts", "deals", "0-2", *at)
    assert (made.code, made.err) == (0, "")
    assert (
        made.out == "crmseed_key was made on contacts, deals, companies in HubSpot local portal 47010001.\n"
    )
    again = crmseed("setup", "contacts", "--json", *at)
    assert json.loads(again.out) == [{"object_type": "contacts", "state": "there", "reason": ""}]
    with Seeder(base_url=bare.base_url) as seeder:
        seeder.seed(deals=2)
        assert live(bare) == 4
    assert live(bare) == 0


def test_where_the_portal_offers_no_unique_property_one_is_made_all_the_same(
    crmseed: Crmseed, bare: LocalPortal
) -> None:
    at = ("setup", "contacts", "products", "--base-url", bare.base_url)
    screen = crmseed(*at)
    assert (screen.code, screen.err) == (0, "")
    assert screen.out == (
        "crmseed_key was made on contacts in HubSpot local portal 47010001.\n"
        "crmseed_key was made, but this portal does not keep it unique, on products in HubSpot local "
        "portal 47010001.\n"
    )
    assert crmseed(*at).out == (
        "crmseed_key is there already on contacts in HubSpot local portal 47010001.\n"
        "crmseed_key is there already, but not kept unique, on products in HubSpot local portal 47010001.\n"
    )


def test_what_the_portal_refuses_is_told_for_each_object_type(crmseed: Crmseed, bare: LocalPortal) -> None:
    bare.faults.fail(status=403, method="POST", route="*/properties/*", object_type="deals", seeder=True)
    screen = crmseed("setup", "contacts", "deals", "--base-url", bare.base_url)
    assert screen.code == 1
    assert screen.out == "crmseed_key was made on contacts in HubSpot local portal 47010001.\n"
    assert screen.err.startswith("crmseed: crmseed_key could not be made on deals: ")


def test_an_unknown_object_type_is_refused_before_anything_is_made(
    crmseed: Crmseed, bare: LocalPortal
) -> None:
    screen = crmseed("setup", "contacts", "nonsense", "--base-url", bare.base_url)
    assert (screen.code, screen.out) == (2, "")
    assert "unknown object type 'nonsense'" in screen.err
    assert bare.stats()["requests"]["writes"] == 0


def test_without_a_portal_to_set_up_it_says_so(crmseed: Crmseed) -> None:
    screen = crmseed("setup")
    assert (screen.code, screen.out) == (2, "")
    assert "crmseed: there is no portal to set up" in screen.err
