"""Removing what the ledger knows: ours only, children first, verified."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import OutcomeUnknown, Unreachable
from pytest_crmseed.events import Cleaned, Event
from pytest_crmseed.ingest.cleaner import Cleaner, CleanupResult, children_first
from pytest_crmseed.ingest.inserter import Inserter
from pytest_crmseed.ingest.ledger import Ledger, Run, State
from pytest_crmseed.planning import NEUTRAL_LINKS, LinkRule
from pytest_crmseed.portal import LocalPortal
from pytest_crmseed.providers.base import Answer, KeyRoute, Request
from pytest_crmseed.records import Batch, Draft, Link
from pytest_crmseed.seeder.target import Target

RUN = "testrun"


def a_run(name: str) -> Run:
    now = 1_800_000_000.0
    return Run(name, "hubspot", "47010001", "local", "http://127.0.0.1", 1, "host", "", now, now, now + 7200)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.sqlite", durable=False)
    ledger.open_run(a_run(RUN))
    yield ledger
    ledger.close()


class Scene:
    def __init__(self, portal: LocalPortal, target: Target, ledger: Ledger) -> None:
        self.portal, self.target, self.ledger = portal, target, ledger
        self.wire: Any = target.connection.transport
        self.heard: list[Event] = []

    def seed(self, deals: int = 3, run: str = RUN) -> dict[str, str]:
        """Make one company and its deals; return ids by key."""
        drafts = [Draft("companies", 0, f"{run}-company", {"name": "Ours"})]
        links = (Link("company", "companies", index=0),)
        values = {"dealname": "D", "dealstage": "closedwon", "pipeline": "default"}
        children = [Draft("deals", i, f"{run}-deal-{i}", dict(values), links) for i in range(deals)]
        batches = [Batch("companies", 1, 1, drafts), Batch("deals", 1, 1, children)]
        inserted = Inserter(self.target.connection, self.ledger, run).insert(batches, "1")
        assert inserted.complete
        self.wire.sent.clear()
        return {result.draft.key: str(result.id) for result in inserted.results}

    def clean(self, run: str = RUN) -> CleanupResult:
        cleaner = Cleaner(
            self.target.connection, self.ledger, listener=self.heard.append, sleep=lambda seconds: None
        )
        return cleaner.clean(self.ledger.live(run))

    @property
    def requests(self) -> list[str]:
        return [request.path.split("/2026-03/")[1] for request in self.wire.sent]

    @property
    def records(self) -> dict[str, int]:
        counts: dict[str, int] = self.portal.stats()["records"]["hubspot"]
        return {name: counts[name] for name in ("companies", "contacts", "deals")}


@pytest.fixture
def scene(local_portal: LocalPortal, opened: Callable[[LocalPortal], Target], ledger: Ledger) -> Scene:
    return Scene(local_portal, opened(local_portal), ledger)


@pytest.fixture
def one_scene(one_portal: LocalPortal, opened: Callable[[LocalPortal], Target], ledger: Ledger) -> Scene:
    return Scene(one_portal, opened(one_portal), ledger)


def test_children_go_first_in_batches_and_each_batch_is_verified(scene: Scene) -> None:
    scene.seed()
    result = scene.clean()
    assert (result.removed, result.absent, result.left, result.errors) == (4, 0, [], [])
    assert result.complete
    assert scene.requests == [
        "deals/batch/archive",
        "deals/batch/read",
        "companies/batch/archive",
        "companies/batch/read",
    ]
    assert set(scene.records.values()) == {0}
    assert scene.ledger.live(RUN) == []
    (event,) = scene.heard
    assert isinstance(event, Cleaned) and (event.removed, event.left) == (4, 0)


def test_records_already_gone_are_removed(scene: Scene) -> None:
    scene.seed()
    for request in [scene.target.provider.delete("deals", [e.id for e in scene.ledger.live(RUN) if e.id])]:
        scene.target.connection.send(request)
    assert scene.clean().removed == 4
    assert set(scene.records.values()) == {0}


def test_strangers_stay_even_when_they_look_alike(scene: Scene) -> None:
    """Same names, a key-like value of nobody's run, a company of the same name."""
    from pytest_crmseed.providers.base import Effect

    keys = scene.seed()
    strangers = [
        {"dealname": "D", "dealstage": "closedwon", "pipeline": "default"},
        {
            "dealname": "D",
            "dealstage": "closedwon",
            "pipeline": "default",
            "crmseed_key": "crmseed-1-otherrun-toxtzs-toxzjs-deals-1-0",
        },
        {"dealname": "D", "dealstage": "closedwon", "pipeline": "default", "crmseed_key": f"{RUN}-deal-1x"},
    ]
    ids = []
    for properties in strangers:
        answer = scene.target.connection.send(
            Request(
                "POST",
                "/crm/objects/2026-03/deals",
                "make a stranger",
                Effect.CREATE,
                body={"properties": properties},
            )
        )
        ids.append(answer.json()["id"])
    assert scene.clean().removed == len(keys)
    found = scene.target.provider.found(
        scene.target.connection.send(scene.target.provider.read("deals", ids, ("dealname",)))
    )
    assert {record.id for record in found} == set(ids)
    assert scene.records == {"companies": 0, "contacts": 0, "deals": 3}


def test_a_failing_type_does_not_keep_the_others_from_being_removed(one_scene: Scene) -> None:
    one_scene.seed()

    def cut(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if "deals" in request.path:
            raise Unreachable("deals are down")
        return send(request)

    one_scene.wire.fault = cut
    result = one_scene.clean()
    assert result.removed == 1
    assert not result.complete
    assert [entry.object_type for entry in result.left] == ["deals"] * 3
    assert result.errors == ["deals: deals are down Tried 3 times in 0 s."]
    assert one_scene.records == {"companies": 0, "contacts": 0, "deals": 3}
    # What is left stays live: the next cleanup takes it.
    one_scene.wire.fault = None
    assert one_scene.clean().removed == 3
    assert set(one_scene.records.values()) == {0}


def test_a_deletion_that_was_answered_but_did_nothing_is_found_out(one_scene: Scene) -> None:
    one_scene.seed()

    def pretend(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if request.path.endswith("deals/batch/archive"):
            return Answer(204, {}, b"", request)
        return send(request)

    one_scene.wire.fault = pretend
    result = one_scene.clean()
    assert len(result.left) == 3
    assert result.errors == ["deals: 3 records are still there after their deletion."]
    assert {e.state for e in one_scene.ledger.live(RUN)} == {State.KNOWN}


def test_a_batch_refused_because_some_of_it_is_gone_is_asked_for_again_without_those(
    one_scene: Scene,
) -> None:
    ids = one_scene.seed()
    gone = ids[f"{RUN}-deal-1"]
    one_scene.target.connection.send(one_scene.target.provider.delete("deals", [gone]))
    one_scene.wire.sent.clear()

    def strict(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if request.path.endswith("archive") and {"id": gone} in request.body["inputs"]:
            body = {"status": "error", "message": "resource not found", "category": "OBJECT_NOT_FOUND"}
            return Answer(404, {"content-type": "application/json"}, json.dumps(body).encode(), request)
        return send(request)

    one_scene.wire.fault = strict
    result = one_scene.clean()
    assert (result.removed, result.left, result.errors) == (4, [], [])
    assert one_scene.requests[:4] == ["deals/batch/archive", "deals/batch/read"] * 2
    assert set(one_scene.records.values()) == {0}


def test_a_deletion_whose_answer_was_lost_is_repeated_and_verified(one_scene: Scene) -> None:
    one_scene.seed()
    lost: list[Request] = []

    def lose_once(request: Request, send: Callable[[Request], Answer]) -> Answer:
        answer = send(request)
        if request.path.endswith("archive") and not lost:
            lost.append(request)
            raise OutcomeUnknown("no answer")
        return answer

    one_scene.wire.fault = lose_once
    assert one_scene.clean().complete
    assert set(one_scene.records.values()) == {0}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "The address answered 200 without results to: read 3 deals."),
        (
            {"results": [], "errors": [{"category": "INTERNAL", "message": "Shard 7 is away."}]},
            "HubSpot could not read 3 deals: Shard 7 is away.",
        ),
    ],
)
def test_a_read_that_proves_nothing_proves_no_absence(one_scene: Scene, body: object, said: str) -> None:
    one_scene.seed()

    def lie(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if request.path.endswith("deals/batch/read"):
            return Answer(200, {"content-type": "application/json"}, json.dumps(body).encode(), request)
        return send(request)

    one_scene.wire.fault = lie
    result = one_scene.clean()
    assert [entry.object_type for entry in result.left] == ["deals"] * 3
    assert result.errors[0].startswith(f"deals: {said}")


def test_a_look_up_that_fails_does_not_keep_known_ids_from_being_removed(one_scene: Scene) -> None:
    one_scene.seed()
    one_scene.ledger.intend(RUN, "2", "deals", [(0, "unsure")])
    one_scene.ledger.sent(RUN, ["unsure"])

    def cut(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if request.body.get("idProperty"):
            raise Unreachable("no look-up today")
        return send(request)

    one_scene.wire.fault = cut
    result = one_scene.clean()
    assert result.removed == 4
    assert [entry.key for entry in result.left] == ["unsure"]
    assert result.errors == ["deals: no look-up today Tried 3 times in 0 s."]
    assert set(one_scene.records.values()) == {0}


def test_a_record_that_two_runs_know_is_gone_for_both(one_scene: Scene) -> None:
    ids = one_scene.seed(deals=1)
    one_scene.ledger.open_run(a_run("other"))
    one_scene.ledger.adopt("other", "adopted", "deals", ids[f"{RUN}-deal-0"])
    cleaner = Cleaner(one_scene.target.connection, one_scene.ledger)
    result = cleaner.clean([*one_scene.ledger.live(RUN), *one_scene.ledger.live("other")])
    assert result.removed == 2
    assert one_scene.ledger.live(RUN) == [] and one_scene.ledger.live("other") == []


def test_more_records_than_a_request_takes_are_removed_in_several(one_scene: Scene) -> None:
    values = {"dealname": "D", "dealstage": "closedwon", "pipeline": "default"}
    drafts = [Draft("deals", i, f"k{i}", dict(values)) for i in range(130)]
    batches = [Batch("deals", 1, 2, drafts[:100]), Batch("deals", 2, 2, drafts[100:])]
    assert Inserter(one_scene.target.connection, one_scene.ledger, RUN).insert(batches, "1").complete
    one_scene.wire.sent.clear()
    assert one_scene.clean().removed == 130
    assert [len(request.body["inputs"]) for request in one_scene.wire.sent] == [100, 100, 30, 30]


def test_nothing_to_clean_asks_nothing(one_scene: Scene) -> None:
    result = one_scene.clean()
    assert result.complete and result.removed == 0
    assert one_scene.wire.sent == []


@given(st.permutations(["companies", "contacts", "deals"]), st.integers(min_value=0, max_value=3))
def test_children_come_before_what_they_refer_to(names: list[str], taken: int) -> None:
    order = children_first(names[:taken], NEUTRAL_LINKS)
    assert sorted(order) == sorted(names[:taken])
    wanted = [name for name in ("deals", "contacts", "companies") if name in order]
    assert order == wanted


def test_object_types_nobody_links_and_circles_are_all_there() -> None:
    links = {"a": {"b": LinkRule("b")}, "b": {"a": LinkRule("a")}}
    assert sorted(children_first(["a", "b", "2-1"], links)) == ["2-1", "a", "b"]


class Timed:
    """A clock that every request moves on."""

    def __init__(self, scene: Scene, seconds: float) -> None:
        self.now = 0.0
        self.seconds = seconds
        scene.wire.fault = self.send

    def clock(self) -> float:
        return self.now

    def send(self, request: Request, send: Callable[[Request], Answer]) -> Answer:
        self.now += self.seconds
        return send(request)


def test_after_its_time_nothing_new_is_begun_and_the_next_cleanup_goes_on(one_scene: Scene) -> None:
    one_scene.seed(deals=250)
    timed = Timed(one_scene, 40.0)
    target, ledger = one_scene.target, one_scene.ledger
    cleaner = Cleaner(target.connection, ledger, seconds=120.0, clock=timed.clock)
    result = cleaner.clean(ledger.live(RUN))
    # Two requests each: deleted, and seen to be gone; the third deletion is the last one begun.
    assert result.removed == 100
    assert result.errors[0] == "deals: not finished within 120 s."
    assert set(result.errors) == {
        "deals: not finished within 120 s.",
        "companies: not finished within 120 s.",
    }
    assert len(one_scene.requests) == 3
    assert len(result.left) == 151
    assert len(ledger.live(RUN)) == 151
    one_scene.wire.fault = None
    assert one_scene.clean().complete
    assert set(one_scene.records.values()) == {0}


def test_absence_is_not_taken_for_proven_when_there_is_no_time_to_wait(one_scene: Scene) -> None:
    ledger = one_scene.ledger
    ledger.intend(RUN, "1", "deals", [(0, "lost-key")])
    ledger.sent(RUN, ["lost-key"])
    ledger.unknown(RUN, ["lost-key"])
    slept: list[float] = []
    cleaner = Cleaner(one_scene.target.connection, ledger, seconds=3.0, clock=lambda: 0.0, sleep=slept.append)
    result = cleaner.clean(ledger.live(RUN))
    assert (result.absent, slept) == (0, [])
    assert result.errors == ["deals: not finished within 3 s."]
    assert [entry.key for entry in result.left] == ["lost-key"]


@pytest.mark.parametrize("silent", [True, False])
def test_a_record_that_a_deletion_passed_over_is_asked_for_once_more(one_scene: Scene, silent: bool) -> None:
    one_scene.seed()
    one_scene.portal.faults.partial([1], silent=silent, route="*/batch/archive", seeder=True)
    result = one_scene.clean()
    assert (result.removed, result.left, result.errors) == (4, [], [])
    assert [name for name in one_scene.requests if name.startswith("deals")] == [
        "deals/batch/archive",
        "deals/batch/read",
        "deals/batch/archive",
        "deals/batch/read",
    ]


def test_where_keys_are_not_unique_nothing_is_gone_before_it_was_looked_for(
    one_scene: Scene,
) -> None:
    one_scene.target.provider.routes = {"deals": KeyRoute("field", "crmseed_key")}
    one_scene.seed()

    def cut(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if request.method == "GET" and "deals" in request.path:
            raise Unreachable("deals are down")
        return send(request)

    one_scene.wire.fault = cut
    result = one_scene.clean()
    # Each may have a twin that bears its key, and that nobody would look for any more.
    assert [entry.object_type for entry in result.left] == ["deals"] * 3
    assert result.errors == ["deals: deals are down Tried 3 times in 0 s."]
    one_scene.wire.fault = None
    assert one_scene.clean().removed == 3
    assert set(one_scene.records.values()) == {0}
