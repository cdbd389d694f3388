"""The seeder for plain Python."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import pytest_crmseed
from pytest_crmseed import LocalPortal, Seeder, count, ref
from pytest_crmseed.errors import CleanupIncomplete, GuardRefused, UnknownName, Unreachable, UsageError
from pytest_crmseed.events import Cleaned, Event, PlanReady
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.portal import Behaviour
from pytest_crmseed.providers.base import Answer, Request


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def portal() -> Iterator[LocalPortal]:
    with LocalPortal() as portal:
        yield portal


def live(portal: LocalPortal) -> int:
    counts: dict[str, int] = portal.stats()["records"]["hubspot"]
    return sum(counts.values())


def transport_of(seeder: Seeder) -> Any:
    return seeder._engine.target.connection.transport


def cut(seeder: Seeder, monkeypatch: pytest.MonkeyPatch, only: Callable[[Request], bool]) -> None:
    transport = transport_of(seeder)
    send = transport.send

    def faulty(request: Request) -> Answer:
        if only(request):
            raise Unreachable("the portal is down.")
        answer: Answer = send(request)
        return answer

    monkeypatch.setattr(transport, "send", faulty)
    monkeypatch.setattr(seeder._engine.target.connection, "_policy", RetryPolicy(sleep=lambda seconds: None))


def test_records_live_as_long_as_the_block(portal: LocalPortal) -> None:
    with LocalPortal() as other, Seeder(portal) as seeder:
        records = seeder.seed(deals=count(3, company=ref("companies", 0)), companies=1)
        assert len(records.deals) == 3
        assert (live(portal), live(other)) == (5, 0)
    assert live(portal) == 0


def test_they_go_when_the_body_raises_and_its_error_is_the_one_seen(portal: LocalPortal) -> None:
    with pytest.raises(ZeroDivisionError) as raised, Seeder(portal) as seeder:
        seeder.seed(deals=3)
        raise ZeroDivisionError
    assert live(portal) == 0
    assert not hasattr(raised.value, "__notes__")


def test_what_could_not_be_removed_is_noted_on_the_body_s_error(
    portal: LocalPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ZeroDivisionError) as raised, Seeder(portal) as seeder:
        seeder.seed(contacts=2)
        cut(seeder, monkeypatch, lambda request: True)
        raise ZeroDivisionError
    (note,) = raised.value.__notes__
    assert note.startswith(
        "2 records are left in HubSpot local portal 47010001: contacts: the portal is down."
    )
    assert note.endswith(f"Remove them with `crmseed cleanup --run {seeder.run_id}`.")


def test_what_could_not_be_removed_is_an_error_of_its_own_otherwise(
    portal: LocalPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CleanupIncomplete), Seeder(portal) as seeder:
        seeder.seed(contacts=2)
        cut(seeder, monkeypatch, lambda request: True)


def test_one_seed_that_cannot_be_removed_does_not_keep_the_others(
    portal: LocalPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeder = Seeder(portal)
    seeder.seed(contacts=2)
    seeder.seed(companies=3)
    cut(seeder, monkeypatch, lambda request: "contacts" in request.path)
    with pytest.raises(CleanupIncomplete, match=r"^2 records are left"):
        seeder.clean()
    assert live(portal) == 2
    monkeypatch.undo()
    seeder.close()


def test_what_an_undo_left_is_removed_at_the_end(
    portal: LocalPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeder = Seeder(portal)
    failing: list[Request] = []

    def from_contacts_on(request: Request) -> bool:
        if failing or (request.path.endswith("batch/create") and "contacts" in request.path):
            failing.append(request)
        return bool(failing)

    with monkeypatch.context() as patched:
        cut(seeder, patched, from_contacts_on)
        with pytest.raises(Unreachable):
            seeder.seed(deals=2)
    assert live(portal) == 1
    seeder.close()
    assert live(portal) == 0


def test_earlier_records_are_parents_of_later_ones(portal: LocalPortal) -> None:
    with Seeder(portal) as seeder:
        companies = seeder.seed(companies=2).companies
        deals = seeder.seed(deals=2).deals
        assert [deal.links[0].id for deal in deals] == [company.id for company in companies]
        assert seeder.clean() == 5
        assert live(portal) == 0
        # A cleaned seeder starts anew.
        assert len(seeder.seed(deals=1)) == 3


def test_kept_records_stay(portal: LocalPortal) -> None:
    with Seeder(portal) as seeder:
        seeder.seed(contacts=1)
        seeder.seed(companies=2, keep=True)
    assert portal.stats()["records"]["hubspot"]["companies"] == 2
    assert live(portal) == 2


def test_adopted_records_go(portal: LocalPortal) -> None:
    with Seeder(portal) as outer:
        deal = outer.seed(deals=1).deals[0]
        with Seeder(portal) as seeder:
            assert seeder.adopt("deals", deal.id) == deal
        assert portal.stats()["records"]["hubspot"]["deals"] == 0


def test_the_listener_hears(portal: LocalPortal) -> None:
    heard: list[Event] = []
    with Seeder(portal, listener=heard.append) as seeder:
        seeder.seed(objects={"0-2": 2})
    assert isinstance(heard[0], PlanReady) and heard[0].counts == {"companies": 2}
    assert isinstance(heard[-1], Cleaned) and heard[-1].removed == 2


def test_the_ledger_has_the_run_and_no_secret(portal: LocalPortal, tmp_path: Path) -> None:
    with Seeder(portal) as seeder:
        seeder.seed(deals=1)
    path = tmp_path / ".crmseed" / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT run_id, ended_at IS NOT NULL FROM runs").fetchall()
    assert rows == [(seeder.run_id, 1)]
    for file in path.parent.iterdir():
        content = file.read_bytes()
        assert portal.seed_token.encode() not in content and portal.token.encode() not in content


def test_without_a_portal_it_says_what_it_needs() -> None:
    with pytest.raises(UsageError) as nothing:
        Seeder()
    assert str(nothing.value) == (
        "Seeder() has no portal to seed. Give it a LocalPortal(), a base_url, or target='sandbox' with "
        "credentials."
    )
    with pytest.raises(UsageError, match=r"HUBSPOT_ACCESS_TOKEN \(.*\) is not set"):
        Seeder(target="sandbox")


def test_a_running_portal_by_its_address(portal: LocalPortal) -> None:
    with Seeder(base_url=portal.base_url) as seeder:
        seeder.seed(deals=1)
        assert live(portal) == 3
    assert live(portal) == 0


def test_a_production_portal_is_refused_and_an_allowed_one_is_not() -> None:
    with LocalPortal(behaviour=Behaviour(account_type="STANDARD")) as portal:
        with pytest.raises(GuardRefused, match=r"portal 47010001 is a production portal"):
            Seeder(portal)
        with Seeder(portal, allow_production="47010001") as seeder:
            seeder.seed(contacts=1)
        assert live(portal) == 0


def test_a_misspelt_setting_is_refused(portal: LocalPortal) -> None:
    with pytest.raises(UnknownName) as unknown:
        Seeder(portal, portl_id="1")
    text = "unknown setting 'portl_id' of Seeder(); did you mean 'portal_id'? Valid: portal_id, provider, "
    assert str(unknown.value).startswith(text)
    assert portal.stats()["requests"]["total"] == 0


def test_factories_that_are_none_are_refused_before_anything_is_opened(portal: LocalPortal) -> None:
    with pytest.raises(UsageError, match=r"crm_factories\['deals'\] is <class 'dict'>"):
        Seeder(portal, factories={"deals": dict})  # type: ignore[dict-item]
    assert portal.stats()["requests"]["total"] == 0


def test_a_random_seed_makes_the_same_records(portal: LocalPortal) -> None:
    names = []
    for _ in range(2):
        with Seeder(portal, random_seed=7) as seeder:
            names.append([company["name"] for company in seeder.seed(companies=5).companies])
    assert names[0] == names[1]


def test_public_names() -> None:
    assert pytest_crmseed.Seeder is Seeder
    assert set(pytest_crmseed.__all__) >= {"Seeder", "LocalPortal", "count", "ref"}
