"""Batches in flight against a local portal, over a wire that can be cut."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.errors import OutcomeUnknown, PortalError, Unauthorized
from pytest_crmseed.events import BatchSent, Event, Reconciled, RecordFailed
from pytest_crmseed.ingest.cleaner import Cleaner
from pytest_crmseed.ingest.inserter import Inserted, Inserter
from pytest_crmseed.ingest.ledger import Ledger, Run, State
from pytest_crmseed.portal import LocalPortal
from pytest_crmseed.providers.base import Answer, Request
from pytest_crmseed.records import Batch, Draft, Link
from pytest_crmseed.seeder.target import Target

RUN = "testrun"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.sqlite", durable=False)
    now = 1_800_000_000.0
    run = Run(RUN, "hubspot", "47010001", "local", "http://127.0.0.1", 1, "host", "", now, now, now + 7200)
    ledger.open_run(run)
    yield ledger
    ledger.close()


def contact(index: int, company: int | None = None, **values: Any) -> Draft:
    links = () if company is None else (Link("company", "companies", index=company),)
    email = f"c{index}@r1.example.com"
    return Draft("contacts", index, f"key-contacts-{index}", {"email": email, **values}, links)


def company(index: int, **values: Any) -> Draft:
    return Draft("companies", index, f"key-companies-{index}", {"name": f"Company {index}", **values})


def batches(*groups: Sequence[Draft]) -> list[Batch]:
    of = {group[0].object_type: 0 for group in groups}
    for group in groups:
        of[group[0].object_type] += 1
    number = dict.fromkeys(of, 0)
    made = []
    for group in groups:
        name = group[0].object_type
        number[name] += 1
        made.append(Batch(name, number[name], of[name], list(group)))
    return made


class Insertion:
    """One seed under test: its inserter, what was heard, and what is in the ledger and in the portal."""

    def __init__(self, portal: LocalPortal, target: Target, ledger: Ledger) -> None:
        self.portal, self.target, self.ledger = portal, target, ledger
        self.wire: Any = target.connection.transport
        self.heard: list[Event] = []
        self.slept: list[float] = []

    def insert(self, *groups: Sequence[Draft], stop_at_refusal: bool = True) -> Inserted:
        inserter = Inserter(
            self.target.connection, self.ledger, RUN, listener=self.heard.append, sleep=self.slept.append
        )
        return inserter.insert(batches(*groups), "1", stop_at_refusal=stop_at_refusal)

    def states(self) -> dict[str, State]:
        return {str(entry.key): entry.state for entry in self.ledger.live(RUN)}

    def clean(self) -> Any:
        return Cleaner(self.target.connection, self.ledger, sleep=self.slept.append).clean(
            self.ledger.live(RUN)
        )

    @property
    def records(self) -> dict[str, int]:
        counts: dict[str, int] = self.portal.stats()["records"]["hubspot"]
        return {name: counts[name] for name in ("companies", "contacts", "deals")}

    @property
    def creates(self) -> list[Request]:
        return [request for request in self.wire.sent if request.path.endswith("batch/create")]


@pytest.fixture
def insertion(
    local_portal: LocalPortal, opened: Callable[[LocalPortal], Target], ledger: Ledger
) -> Insertion:
    return Insertion(local_portal, opened(local_portal), ledger)


@pytest.fixture
def one_insertion(
    one_portal: LocalPortal, opened: Callable[[LocalPortal], Target], ledger: Ledger
) -> Insertion:
    return Insertion(one_portal, opened(one_portal), ledger)


def created(request: Request) -> bool:
    return request.path.endswith("batch/create")


def stand_in(status: int, body: object, request: Request) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode(), request)


def test_every_record_gets_its_own_id_whatever_the_order_of_the_answer(insertion: Insertion) -> None:
    inserted = insertion.insert([contact(i) for i in range(20)], [contact(i) for i in range(20, 25)])
    assert inserted.complete
    assert inserted.failure is None and inserted.refused == []
    assert insertion.records == {"companies": 0, "contacts": 25, "deals": 0}
    for result in inserted.results:
        assert result.native["email"] == result.draft.values["email"]
        assert result.native["hs_object_id"] == result.id
        assert result.native["crmseed_key"] == result.draft.key
        assert result.url is not None and str(result.id) in result.url
    # The ledger knows each key by the same id.
    ids = {result.draft.key: result.id for result in inserted.results}
    assert {entry.key: entry.id for entry in insertion.ledger.live(RUN)} == ids
    # Side by side, they may come in either order.
    assert len(insertion.heard) == 2
    assert set(insertion.heard) == {BatchSent("contacts", 1, 2, 20), BatchSent("contacts", 2, 2, 5)}


def test_the_ledger_knows_a_batch_before_it_is_sent_and_its_ids_before_anyone(
    one_insertion: Insertion,
) -> None:
    seen = []

    def look(request: Request, send: Callable[[Request], Answer]) -> Answer:
        before = one_insertion.states()
        answer = send(request)
        seen.append((before, one_insertion.states()))
        return answer

    one_insertion.wire.fault = look
    one_insertion.insert([company(0)], [contact(0, company=0)])
    sent, known = State.SENT, State.KNOWN
    assert seen == [
        ({"key-companies-0": sent}, {"key-companies-0": sent}),
        (
            {"key-companies-0": known, "key-contacts-0": sent},
            {"key-companies-0": known, "key-contacts-0": sent},
        ),
    ]
    assert set(one_insertion.states().values()) == {known}


def test_a_child_batch_starts_while_other_parents_are_still_on_their_way(one_insertion: Insertion) -> None:
    """Not levels: the contacts of company 0 go out, and come back, before company 1 is answered."""
    child_answered = threading.Event()

    def hold(request: Request, send: Callable[[Request], Answer]) -> Answer:
        names = [entry["properties"].get("name") for entry in request.body["inputs"]]
        if names == ["Company 1"]:
            assert child_answered.wait(30), "the child batch waited for parents that are not its own"
        answer = send(request)
        if "contacts" in request.path:
            child_answered.set()
        return answer

    one_insertion.wire.fault = hold
    inserted = one_insertion.insert([company(0)], [company(1)], [contact(0, company=0)])
    assert inserted.complete


def test_batches_are_in_flight_side_by_side_up_to_the_provider_s_limit(one_insertion: Insertion) -> None:
    in_flight = one_insertion.target.provider.capabilities.in_flight
    barrier = threading.Barrier(in_flight)
    now, most = [0], [0]
    lock = threading.Lock()

    def meet(request: Request, send: Callable[[Request], Answer]) -> Answer:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        barrier.wait(30)  # broken, and an error, unless that many are here at once
        answer = send(request)
        with lock:
            now[0] -= 1
        return answer

    one_insertion.wire.fault = meet
    inserted = one_insertion.insert(*([contact(i)] for i in range(2 * in_flight)))
    assert inserted.complete
    assert most[0] == in_flight


def test_a_refused_record_leaves_the_good_ones_known(insertion: Insertion) -> None:
    inserted = insertion.insert([contact(0), contact(1, lifecyclestage="nonsense"), contact(2)])
    assert [result.ok for result in inserted.results] == [True, False, True]
    (refused,) = inserted.refused
    (refusal,) = refused.refusals
    assert (refusal.field, refusal.value, refusal.code) == ("lifecyclestage", "nonsense", "INVALID_OPTION")
    assert refusal.message.startswith("nonsense was not one of the allowed options: [subscriber, ")
    assert refusal.allowed[:2] == ("subscriber", "lead")
    assert not refusal.of_batch
    # A refused record is not live: nothing is looked for, and nothing is left.
    assert insertion.states() == {"key-contacts-0": State.KNOWN, "key-contacts-2": State.KNOWN}
    assert [e.result.draft.index for e in insertion.heard if isinstance(e, RecordFailed)] == [1]
    assert insertion.clean().removed == 2
    assert insertion.records["contacts"] == 0


def test_nothing_more_is_sent_after_a_refusal(one_insertion: Insertion) -> None:
    inserted = one_insertion.insert([company(0, industry="nonsense")], [contact(0, company=0)])
    assert len(one_insertion.creates) == 1
    assert [result.refusals[0].message for result in inserted.refused][1:] == ["not sent"]
    assert one_insertion.states() == {}


def test_with_keep_good_only_children_of_refused_parents_are_left_out(one_insertion: Insertion) -> None:
    inserted = one_insertion.insert(
        [company(0), company(1, industry="nonsense")],
        [contact(0, company=0), contact(1, company=1), contact(2, company=0)],
        stop_at_refusal=False,
    )
    assert inserted.failure is None
    assert sorted((r.draft.object_type, r.draft.index) for r in inserted.results if r.ok) == [
        ("companies", 0),
        ("contacts", 0),
        ("contacts", 2),
    ]
    orphan = next(r for r in inserted.refused if r.draft.object_type == "contacts")
    assert [(r.message, r.code) for r in orphan.refusals] == [
        ("not sent: companies[1] does not exist", "NOT_SENT")
    ]
    assert one_insertion.records == {"companies": 1, "contacts": 2, "deals": 0}


def test_a_request_refused_without_a_name_is_halved_until_each_guilty_draft_stands_alone(
    one_insertion: Insertion,
) -> None:
    def refuse(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if created(request) and any(row["properties"].get("city") for row in request.body["inputs"]):
            body = {"status": "error", "message": "No city.", "category": "X", "correlationId": "c1"}
            return stand_in(400, body, request)
        return send(request)

    one_insertion.wire.fault = refuse
    inserted = one_insertion.insert(
        [contact(i, **({"city": "Rome"} if i in (3, 8) else {})) for i in range(10)], stop_at_refusal=False
    )
    assert inserted.failure is None
    refused = {r.draft.index: r.refusals for r in inserted.refused}
    assert sorted(refused) == [3, 8]
    assert [(x.message, x.code, x.status, x.request_id, x.of_batch) for x in refused[3]] == [
        ("No city.", "X", 400, "c1", False)
    ]
    assert json.loads(refused[3][0].body)["correlationId"] == "c1"
    assert one_insertion.records["contacts"] == 8
    assert len(one_insertion.states()) == 8


def test_a_refused_request_of_one_draft_is_that_draft_s_refusal(one_insertion: Insertion) -> None:
    one_insertion.wire.fault = lambda request, send: stand_in(400, {"message": "No."}, request)
    (result,) = one_insertion.insert([contact(0)]).refused
    assert not result.refusals[0].of_batch


def drop_after_commit(request: Request, send: Callable[[Request], Answer]) -> Answer:
    answer = send(request)
    if created(request):
        raise OutcomeUnknown("the connection was closed")
    return answer


def fail_after_commit(request: Request, send: Callable[[Request], Answer]) -> Answer:
    answer = send(request)
    return stand_in(502, {}, request) if created(request) else answer


def no_body_after_commit(request: Request, send: Callable[[Request], Answer]) -> Answer:
    answer = send(request)
    return Answer(204, {}, b"", request) if created(request) else answer


def page_after_commit(request: Request, send: Callable[[Request], Answer]) -> Answer:
    answer = send(request)
    page = Answer(200, {"content-type": "text/html"}, b"<html>", request)
    return page if created(request) else answer


@pytest.mark.parametrize(
    "fault", [drop_after_commit, fail_after_commit, no_body_after_commit, page_after_commit]
)
def test_what_was_made_though_its_answer_was_lost_is_found_by_key(insertion: Insertion, fault: Any) -> None:
    insertion.wire.fault = fault
    inserted = insertion.insert([contact(0), contact(1)])
    assert inserted.complete
    assert len(insertion.creates) == 1
    assert insertion.records["contacts"] == 2
    assert set(insertion.states().values()) == {State.KNOWN}
    assert insertion.slept == []
    for result in inserted.results:
        assert result.native["email"] == result.draft.values["email"]
        assert result.url is not None and str(result.id) in result.url
    assert insertion.clean().removed == 2
    assert insertion.records["contacts"] == 0


def lose(request: Request, send: Callable[[Request], Answer]) -> Answer:
    if created(request):
        raise OutcomeUnknown("the connection was closed.")
    return send(request)


def test_what_was_never_made_is_sent_again_only_after_the_settle_time(one_insertion: Insertion) -> None:
    story: list[str] = []
    one_insertion.slept = type("Slept", (list,), {"append": lambda self, s: story.append(f"wait {s:g}")})()

    def lose_once(request: Request, send: Callable[[Request], Answer]) -> Answer:
        first = "create" not in story
        story.append(request.path.rsplit("/", 1)[1])
        if first:
            raise OutcomeUnknown("the connection was closed.")
        return send(request)

    one_insertion.wire.fault = lose_once
    assert one_insertion.insert([contact(0), contact(1)]).complete
    assert story == ["create", "read", "wait 5", "read", "create"]
    assert one_insertion.records["contacts"] == 2


def test_what_is_given_up_is_looked_for_again_by_cleanup(one_insertion: Insertion) -> None:
    one_insertion.wire.fault = lose
    inserted = one_insertion.insert([contact(0), contact(1)])
    assert str(inserted.failure).startswith(
        "the connection was closed. 2 contacts do not exist after 4 requests like it."
    )
    assert len(one_insertion.creates) == 4
    assert set(one_insertion.states().values()) == {State.UNKNOWN}
    one_insertion.slept.clear()
    cleaned = one_insertion.clean()
    assert (cleaned.removed, cleaned.absent, cleaned.left) == (0, 2, [])
    assert one_insertion.slept == [one_insertion.target.provider.capabilities.settle_seconds]
    assert one_insertion.states() == {}


def test_what_was_surely_not_executed_is_refused_in_the_ledger(one_insertion: Insertion) -> None:
    one_insertion.wire.fault = lambda request, send: stand_in(401, {"message": "Expired."}, request)
    inserted = one_insertion.insert([contact(0)])
    assert isinstance(inserted.failure, Unauthorized)
    assert one_insertion.states() == {}


def test_locked_and_throttled_creates_are_sent_again(one_insertion: Insertion) -> None:
    answers = [423, 477, 429]

    def hold_up(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if created(request) and answers:
            return stand_in(answers.pop(0), {"message": "Wait."}, request)
        return send(request)

    one_insertion.target.connection.budget.pause = lambda bucket, seconds: None  # type: ignore[method-assign]
    one_insertion.wire.fault = hold_up
    inserted = one_insertion.insert([contact(0)])
    assert inserted.complete
    assert len(one_insertion.creates) == 4
    assert one_insertion.records["contacts"] == 1


def test_a_row_the_answer_is_silent_about_is_looked_for(one_insertion: Insertion) -> None:
    def swallow(request: Request, send: Callable[[Request], Answer]) -> Answer:
        answer = send(request)
        if not created(request):
            return answer
        body = answer.json()
        body["results"] = body["results"][:1]
        body["errors"] = [{"status": "error", "category": "X", "message": "Something broke.", "context": {}}]
        return stand_in(207, body, request)

    one_insertion.wire.fault = swallow
    inserted = one_insertion.insert([contact(0), contact(1)])
    assert inserted.complete
    assert one_insertion.heard[0] == Reconciled("contacts", 1, 0)
    assert one_insertion.states() == {"key-contacts-0": State.KNOWN, "key-contacts-1": State.KNOWN}
    assert one_insertion.clean().removed == 2
    assert one_insertion.records["contacts"] == 0


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_an_interruption_waits_for_what_is_in_flight_so_that_its_ids_are_known(
    one_insertion: Insertion, kind: type[BaseException]
) -> None:
    """The second batch is under way when the first one's answer brings the interruption."""
    under_way, go_on = threading.Event(), threading.Event()

    def fly(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if created(request) and request.body["inputs"][0]["properties"]["email"].startswith("c1"):
            under_way.set()
            go_on.wait(30)
        else:
            under_way.wait(30)
        return send(request)

    def interrupt(event: Event) -> None:
        if isinstance(event, BatchSent):
            go_on.set()
            raise kind("stop")

    one_insertion.wire.fault = fly
    inserter = Inserter(one_insertion.target.connection, one_insertion.ledger, RUN, listener=interrupt)
    with pytest.raises(kind):
        inserter.insert(batches([contact(0)], [contact(1)]), "1")
    assert one_insertion.records["contacts"] == 2
    assert one_insertion.states() == {"key-contacts-0": State.KNOWN, "key-contacts-1": State.KNOWN}
    one_insertion.wire.fault = None
    assert one_insertion.clean().complete
    assert one_insertion.records["contacts"] == 0


def test_a_ledger_that_fails_after_the_answer_leaves_the_batch_to_be_looked_for(
    one_insertion: Insertion,
) -> None:
    class Full(Exception):
        pass

    def full(run_id: str, records: object) -> None:
        raise Full

    known = one_insertion.ledger.known
    one_insertion.ledger.known = full  # type: ignore[method-assign]
    with pytest.raises(Full):
        one_insertion.insert([contact(0)])
    one_insertion.ledger.known = known  # type: ignore[method-assign]
    assert one_insertion.records["contacts"] == 1
    assert one_insertion.states() == {"key-contacts-0": State.SENT}
    assert one_insertion.clean().removed == 1
    assert one_insertion.records["contacts"] == 0


def test_a_portal_s_failure_stops_the_rest_and_is_returned_with_the_results_so_far(
    one_insertion: Insertion,
) -> None:
    def refuse_contacts(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if created(request) and "contacts" in request.path:
            raise PortalError("down")
        return send(request)

    one_insertion.wire.fault = refuse_contacts
    children = (
        [contact(0, company=0)],
        [replace(contact(1, company=0), links=(Link("c", "contacts", index=0),))],
    )
    inserted = one_insertion.insert([company(0)], *children)
    assert str(inserted.failure) == "down"
    assert [(r.draft.object_type, r.ok) for r in inserted.results] == [
        ("companies", True),
        ("contacts", False),
    ]
    assert inserted.results[1].refusals[0].message == "not sent"
