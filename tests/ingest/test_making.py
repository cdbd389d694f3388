"""Batches of a CRM that takes all of a batch or nothing, whose answers get lost, and whose limits bite.

The CRM is a stand-in with a store of its own, so that these rules hold for every provider.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_crmseed.errors import ApiRefused, OutcomeUnknown, PortalError, TooLarge
from pytest_crmseed.events import BatchSizeChanged, Event, Reconciled
from pytest_crmseed.ingest.batches import BatchSize, in_batches
from pytest_crmseed.ingest.cleaner import Cleaner
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.inserter import Inserted, Inserter
from pytest_crmseed.ingest.ledger import Ledger, Run, State
from pytest_crmseed.ingest.limits import Budget
from pytest_crmseed.ingest.redaction import Redactor
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.providers.base import (
    Answer,
    Capabilities,
    Effect,
    Exchange,
    Found,
    KeyRoute,
    Outcome,
    Request,
    Sought,
    Verdict,
)
from pytest_crmseed.records import Batch, Draft, Link, RecordResult, Refusal
from pytest_crmseed.schema.legend import Legend

RUN = "run1"
SETTLE = 5.0


@dataclass
class Row:
    """A record in the stand-in's store."""

    id: str
    object_type: str
    key: str
    values: dict[str, Any]


TAKES_ALL_OR_NOTHING = Capabilities(100, 10**6, 50, 40, 1, SETTLE, ())


@dataclass
class Crm:
    """The stand-in: provider and wire in one. ``faults`` says what happens to each create in turn.

    A fault is ``"lost"`` (never arrives), ``"silent"`` (done, the answer is lost), ``"late"`` (done
    half of the settle time later), ``"very late"`` (done when the next create arrives), ``"twice"``
    (done twice, the second answer counts), ``"slow"`` (lost, by a time-out), ``"mute"`` (done, the
    answer says nothing), or ``None``.
    """

    portal_makes_for: ClassVar[frozenset[str]] = frozenset()

    guilty: frozenset[int] = frozenset()
    faults: list[str | None] = field(default_factory=list)
    most_records: int = 10**6
    most_bytes: int = 10**9
    per_record: bool = False
    rows: list[Row] = field(default_factory=list)
    strangers: frozenset[str] = frozenset()
    sizes: list[int] = field(default_factory=list)
    capabilities: Capabilities = TAKES_ALL_OR_NOTHING
    unique: bool = True
    reads: int = 0
    reading_fails: bool = False
    name: ClassVar[str] = "stand-in"
    title: ClassVar[str] = "Stand-in"
    legend: ClassVar[Legend] = Legend({}, {}, {}, key_field="key")
    links: ClassVar[Mapping[str, Any]] = {}
    redactor: ClassVar[Redactor] = Redactor(())

    def __post_init__(self) -> None:
        self._number = 0
        self._later: list[Callable[[], object]] = []
        self._very_late: list[Callable[[], object]] = []
        self.slept: list[float] = []

    # -- the provider ----------------------------------------------------------------------------
    def create(self, batch: Batch, ids: Mapping[tuple[str, int], str]) -> Request:
        rows = [[draft.object_type, draft.index, draft.key, draft.values] for draft in batch.drafts]
        return Request("POST", "/create", f"create {len(batch)}", Effect.CREATE, body=rows)

    def size(self, draft: Draft) -> int:
        return int(draft.values.get("bytes", 10))

    def results(self, batch: Batch, answer: Answer) -> Sequence[RecordResult]:
        body = answer.json()
        results = []
        for draft in batch.drafts:
            result = RecordResult(draft, id=body["ids"].get(draft.key))
            said = body.get("refused", {}).get(draft.key)
            if said:
                result.refusals = (Refusal(said["message"], conflict=said["conflict"], field="email"),)
            results.append(result)
        return results

    @property
    def routes(self) -> Mapping[str, KeyRoute]:
        kind: Literal["unique", "field"] = "unique" if self.unique else "field"
        return dict.fromkeys(["deals", "companies", "contacts", "notes"], KeyRoute(kind, "key"))

    def read(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> Request:
        return self._read(object_type, ids, "id")

    def _read(self, object_type: str, ids: Sequence[str], by: str) -> Request:
        body = {"type": object_type, "ids": list(ids), "by": by}
        return Request("POST", "/read", f"read {len(ids)}", Effect.READ, body=body)

    def find(
        self,
        object_type: str,
        route: KeyRoute,
        sought: Sequence[Sought],
        fields: Sequence[str],
        *,
        since: float,
    ) -> Exchange[Mapping[str, Sequence[Found]]]:
        answer = yield self._read(object_type, [each.key for each in sought], "key")
        found: dict[str, list[Found]] = {}
        for record in self.found(answer):
            found.setdefault(record.native["key"], []).append(record)
        return found

    def found(self, answer: Answer) -> Sequence[Found]:
        return [Found(row["id"], {**row["values"], "key": row["key"]}) for row in answer.json()]

    def delete(self, object_type: str, ids: Sequence[str]) -> Request:
        return Request(
            "POST", "/delete", f"delete {len(ids)}", Effect.DELETE, body={"type": object_type, "ids": ids}
        )

    def judge(self, request: Request, answer: Answer) -> Verdict:
        if answer.status < 300:
            return Verdict(Outcome.DONE)
        said = answer.json()
        refusals = [Refusal(said["message"], status=answer.status, conflict=said.get("conflict", False))]
        if answer.status == 413:
            return Verdict(Outcome.REFUSED, TooLarge(said["message"], status=413, refusals=refusals))
        if answer.status == 400:
            return Verdict(Outcome.REFUSED, ApiRefused(said["message"], status=400, refusals=refusals))
        return Verdict(Outcome.FAILED, PortalError(said["message"], status=answer.status))

    def readings(self, request: Request, answer: Answer, now: object) -> Sequence[Any]:
        return ()

    # -- the wire --------------------------------------------------------------------------------
    def send(self, request: Request) -> Answer:
        if request.path == "/create":
            return self._create(request)
        if request.path == "/delete":
            gone = set(request.body["ids"])
            self.rows = [row for row in self.rows if row.id not in gone]
            return _answer(request, 200, {})
        self.reads += 1
        if self.reading_fails:
            raise PortalError("no reads today.")
        wanted = request.body
        rows = [
            {"id": row.id, "key": row.key, "values": row.values}
            for row in self.rows
            if row.object_type == wanted["type"] and getattr(row, wanted["by"]) in wanted["ids"]
        ]
        return _answer(request, 200, rows)

    def close(self) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        for commit in self._later:
            commit()
        self._later.clear()

    def _create(self, request: Request) -> Answer:
        for commit in self._very_late:
            commit()
        self._very_late.clear()
        self.sizes.append(len(request.body))
        fault = self.faults.pop(0) if self.faults else None
        if fault in ("lost", "slow"):
            raise OutcomeUnknown(f"{request.what}: no answer.", timed_out=fault == "slow")
        if fault == "late":
            self._later.append(lambda: self._done(request))
            raise OutcomeUnknown(f"{request.what}: no answer.")
        if fault == "very late":
            self._very_late.append(lambda: self._done(request))
            raise OutcomeUnknown(f"{request.what}: no answer.")
        if fault == "twice":
            self._done(request)
        answer = self._done(request)
        if fault == "silent":
            raise OutcomeUnknown(f"{request.what}: no answer.")
        if fault == "mute":
            return _answer(request, 200, {"ids": {}})
        return answer

    def _done(self, request: Request) -> Answer:
        if len(request.body) > self.most_records:
            return _answer(request, 400, {"message": "too many"})
        if sum(row[3].get("bytes", 10) for row in request.body) > self.most_bytes:
            return _answer(request, 413, {"message": "too large"})
        made: list[Row] = []
        refused: dict[str, dict[str, Any]] = {}
        for object_type, index, key, values in request.body:
            said = self._against(object_type, index, key, made)
            if said is None:
                self._number += 1
                made.append(Row(f"r{self._number}", object_type, key, values))
            elif self.per_record:
                refused[key] = said
            else:
                return _answer(request, 400, said)
        self.rows += made
        return _answer(request, 200, {"ids": {row.key: row.id for row in made}, "refused": refused})

    def _against(self, object_type: str, index: int, key: str, made: Iterable[Row]) -> dict[str, Any] | None:
        if self.unique and key in {row.key for row in (*self.rows, *made)}:
            return {"message": "taken", "conflict": True}
        if key in self.strangers:
            return {"message": "taken by another", "conflict": True}
        if index in self.guilty:
            return {"message": f"bad value in {index}", "conflict": False}
        return None


def _answer(request: Request, status: int, body: object) -> Answer:
    return Answer(status, {}, json.dumps(body).encode(), request)


def drafts_of(count: int, **values: Any) -> list[Draft]:
    return [Draft("deals", i, f"key-{i}", {"n": i, **values}) for i in range(count)]


class Seeding:
    """One seed of the stand-in, with a look at its ledger."""

    def __init__(self, crm: Crm, folder: Path) -> None:
        self.crm = crm
        self.ledger = Ledger(folder / "ledger.sqlite", durable=False)
        self.ledger.open_run(Run(RUN, "stand-in", "1", "local", "http://x", 1, "h", "", 1.0, 1.0, 2.0))
        self.heard: list[Event] = []
        self.connection = Connection(
            crm,  # type: ignore[arg-type]
            crm,  # type: ignore[arg-type]
            Budget((), scopes={}),
            RetryPolicy(sleep=lambda seconds: None),
        )
        self.size = BatchSize(crm.capabilities.batch_records, crm.capabilities.batch_bytes)

    def insert(self, drafts: Sequence[Draft], *, undo: bool = False, most: int = 100) -> Inserted:
        inserter = Inserter(
            self.connection,
            self.ledger,
            RUN,
            size=self.size,
            listener=self.heard.append,
            sleep=self.crm.sleep,
        )
        batches = in_batches(drafts, most=most, most_bytes=10**6, size=self.crm.size)
        return inserter.insert(batches, "1", stop_at_refusal=undo)

    def clean(self) -> None:
        cleaner = Cleaner(self.connection, self.ledger, sleep=self.crm.sleep)
        assert cleaner.clean(self.ledger.live(RUN)).complete

    @property
    def keys(self) -> list[str]:
        return sorted(row.key for row in self.crm.rows)

    @property
    def reasons(self) -> list[str]:
        return [event.reason for event in self.heard if isinstance(event, BatchSizeChanged)]


@contextmanager
def seeding_of(crm: Crm) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        seeding = Seeding(crm, Path(folder))
        try:
            yield seeding
        finally:
            seeding.ledger.close()
            seeding.connection.budget.close()


@pytest.fixture
def seed(tmp_path: Path) -> Any:
    """Makes a seeding of a stand-in."""
    made: list[Seeding] = []

    def make(**options: Any) -> Seeding:
        made.append(Seeding(Crm(**options), tmp_path))
        return made[-1]

    yield make
    for seeding in made:
        seeding.ledger.close()
        seeding.connection.budget.close()


def refused_of(inserted: Inserted) -> dict[int, str]:
    return {r.draft.index: r.refusals[0].message for r in inserted.refused}


# -- a refusal that names no record ------------------------------------------------------------------
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(1, 100).flatmap(lambda n: st.tuples(st.just(n), st.frozensets(st.integers(0, n - 1)))))
def test_halving_makes_all_good_drafts_and_leaves_the_guilty_ones_alone(
    case: tuple[int, frozenset[int]],
) -> None:
    count, guilty = case
    with seeding_of(Crm(guilty=guilty)) as seeding:
        inserted = seeding.insert(drafts_of(count))
        assert seeding.keys == sorted(f"key-{i}" for i in range(count) if i not in guilty)
        assert refused_of(inserted) == {i: f"bad value in {i}" for i in guilty}
        assert not any(x.of_batch for r in inserted.refused for x in r.refusals)
        assert inserted.failure is None
        # Each draft has one fate.
        assert sorted(r.draft.index for r in inserted.results) == list(range(count))
        # A tree over the drafts, and the tries with all of the rest.
        assert len(seeding.crm.sizes) <= 2 * count + 24
        if len(guilty) == 1:
            assert len(seeding.crm.sizes) <= 3 + count.bit_length()
        assert {e.state for e in seeding.ledger.live(RUN)} <= {State.KNOWN}
        seeding.clean()
        assert seeding.crm.rows == []


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.frozensets(st.integers(0, 99), min_size=1))
def test_when_the_seed_is_undone_the_first_guilty_ones_are_named_at_little_cost(
    guilty: frozenset[int],
) -> None:
    with seeding_of(Crm(guilty=guilty)) as seeding:
        inserted = seeding.insert(drafts_of(100), undo=True)
        named = {i: said for i, said in refused_of(inserted).items() if said != "not sent"}
        assert named == {i: f"bad value in {i}" for i in sorted(guilty)[:3]}
        assert len(seeding.crm.sizes) <= 1 + 9 * min(3, len(guilty))
        # What the search made is known, so that it is undone.
        assert sorted(str(e.key) for e in seeding.ledger.live(RUN)) == seeding.keys
        seeding.clean()
        assert seeding.crm.rows == []


def test_a_refusal_for_one_and_the_same_reason_is_not_tried_out_on_every_draft(seed: Any) -> None:
    seeding = seed(most_records=0)
    inserted = seeding.insert(drafts_of(100))
    assert seeding.crm.rows == []
    assert len(seeding.crm.sizes) < 50
    alone = [r for r in inserted.refused if not r.refusals[0].of_batch]
    assert [r.draft.index for r in alone] == list(range(8))
    assert len(inserted.refused) == 100
    assert seeding.ledger.live(RUN) == []


def test_a_batch_refused_only_for_its_number_is_made_in_parts_and_later_ones_are_smaller(seed: Any) -> None:
    seeding = seed(most_records=30)
    assert seeding.insert(drafts_of(250)).complete
    assert len(seeding.crm.rows) == 250
    assert seeding.size.records <= 30
    assert set(seeding.reasons) == {"too many", "batches go well again"}
    # Not once more for every batch.
    assert sum(size > 30 for size in seeding.crm.sizes) <= 4
    later = len(seeding.crm.sizes)
    assert seeding.insert([replace(d, key=f"again-{d.index}") for d in drafts_of(100)]).complete
    assert max(seeding.crm.sizes[later:]) <= 30


def test_a_stranger_s_value_is_looked_up_once_and_stays_a_conflict(seed: Any) -> None:
    seeding = seed(strangers=frozenset({"key-1"}), per_record=True)
    inserted = seeding.insert(drafts_of(3))
    assert refused_of(inserted) == {1: "taken by another"}
    assert inserted.refused[0].refusals[0].conflict
    assert seeding.crm.reads == 1
    assert seeding.keys == ["key-0", "key-2"]


# -- limits ------------------------------------------------------------------------------------------
def test_a_body_that_is_too_large_is_split_and_the_limit_remembered(seed: Any) -> None:
    seeding = seed(most_bytes=1000)
    assert seeding.insert(drafts_of(400, bytes=50)).complete
    assert len(seeding.crm.rows) == 400
    refused = [size for size in seeding.crm.sizes if size > 20]
    assert len(refused) <= 6
    assert 800 <= seeding.size.bytes <= 1000
    assert seeding.size.records == 100
    assert seeding.reasons[0] == "too large"


def test_a_draft_that_is_too_large_by_itself_is_refused_alone(seed: Any) -> None:
    seeding = seed(most_bytes=1000)
    drafts = drafts_of(20)
    drafts[7].values["bytes"] = 5000
    inserted = seeding.insert(drafts)
    assert refused_of(inserted) == {7: "too large"}
    assert len(seeding.crm.rows) == 19


def test_after_a_time_out_batches_are_smaller_and_grow_again(seed: Any) -> None:
    seeding = seed(faults=["slow"])
    assert seeding.insert(drafts_of(2000)).complete
    assert len(seeding.crm.rows) == 2000
    assert seeding.crm.sizes[:3] == [100, 50, 50]
    assert seeding.size.records == 100
    assert seeding.reasons[0] == "create 100: no answer."
    assert set(seeding.reasons[1:]) == {"batches go well again"}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=120),
    st.integers(20, 2000),
    st.integers(1, 100),
)
def test_whatever_the_limits_all_that_fits_is_made_once(
    weights: list[int], most_bytes: int, most_records: int
) -> None:
    with seeding_of(Crm(most_bytes=most_bytes, most_records=most_records)) as seeding:
        drafts = [Draft("deals", i, f"key-{i}", {"bytes": weight}) for i, weight in enumerate(weights)]
        inserted = seeding.insert(drafts)
        too_large = {i for i, weight in enumerate(weights) if weight > most_bytes}
        assert set(refused_of(inserted)) == too_large
        assert seeding.keys == sorted(d.key for d in drafts if d.index not in too_large)


def test_a_smaller_size_holds_for_the_batches_that_wait_and_never_joins_a_draft_with_its_parent(
    seed: Any,
) -> None:
    seeding = seed(faults=["slow"])
    parents, children = drafts_of(40), drafts_of(80)[40:]
    children = [replace(d, links=(Link("parent", "deals", index=d.index - 40),)) for d in children]
    inserter = Inserter(seeding.connection, seeding.ledger, RUN, size=seeding.size, sleep=seeding.crm.sleep)
    batches = [Batch("deals", 1, 2, parents), Batch("deals", 2, 2, children)]
    assert inserter.insert(batches, "1").complete
    assert seeding.crm.sizes == [40, 20, 20, 20, 20]


# -- answers that get lost ----------------------------------------------------------------------------
@pytest.mark.parametrize("per_record", [True, False])
@pytest.mark.parametrize("fault", ["lost", "silent", "late", "very late", "twice", "slow", "mute"])
def test_an_answer_that_is_lost_costs_nothing_but_time(seed: Any, fault: str, per_record: bool) -> None:
    seeding = seed(faults=[fault], per_record=per_record)
    inserted = seeding.insert(drafts_of(100))
    assert inserted.complete
    assert seeding.keys == sorted(f"key-{i}" for i in range(100))
    # Every record is known by the id it has.
    ids = {row.key: row.id for row in seeding.crm.rows}
    assert {e.key: e.id for e in seeding.ledger.live(RUN)} == ids
    assert {r.draft.key: r.id for r in inserted.results} == ids
    expected = {
        "lost": [SETTLE],
        "silent": [],
        "late": [SETTLE],
        "very late": [SETTLE],
        "twice": [],
        "slow": [SETTLE],
        "mute": [],
    }
    assert seeding.crm.slept == expected[fault]
    events = [e for e in seeding.heard if isinstance(e, Reconciled)]
    found = {"lost": 0, "silent": 100, "late": 100, "very late": 0, "slow": 0, "mute": 100}
    assert events == ([] if fault == "twice" else [Reconciled("deals", found[fault], 100 - found[fault])])


def test_what_never_gets_through_is_given_up_after_a_few_rounds(seed: Any) -> None:
    seeding = seed(faults=["lost"] * 9)
    inserted = seeding.insert(drafts_of(3))
    assert str(inserted.failure) == (
        "create 3: no answer. 3 deals do not exist after 4 requests like it. Check the portal's status "
        "and the network, and try again."
    )
    assert isinstance(inserted.failure, OutcomeUnknown)
    assert len(seeding.crm.sizes) == 4
    assert seeding.crm.slept == [SETTLE] * 4
    assert {e.state for e in seeding.ledger.live(RUN)} == {State.UNKNOWN}


def test_records_that_cannot_be_looked_up_are_never_sent_again(seed: Any) -> None:
    seeding = seed(faults=["silent"], reading_fails=True)
    inserted = seeding.insert(drafts_of(3))
    assert str(inserted.failure) == ("create 3: no answer. Its records cannot be looked up: no reads today.")
    assert seeding.crm.sizes == [3]
    assert {e.state for e in seeding.ledger.live(RUN)} == {State.UNKNOWN}
    seeding.crm.reading_fails = False
    seeding.clean()
    assert seeding.crm.rows == []


def test_a_draft_refused_after_it_was_lost_is_looked_for_once_more(seed: Any) -> None:
    """Its first request may be carried out later than anybody waits."""
    seeding = seed(faults=["very late"], per_record=True)

    def refuse_the_second(request: Request) -> Answer:
        if request.path != "/create" or not seeding.crm.sizes:
            return Crm.send(seeding.crm, request)
        seeding.crm._later, seeding.crm._very_late = seeding.crm._very_late, []
        said = {row[2]: {"message": "No.", "conflict": False} for row in request.body}
        return _answer(request, 200, {"ids": {}, "refused": said})

    seeding.connection.transport = _Wire(refuse_the_second)
    inserted = seeding.insert(drafts_of(2), undo=True)
    assert refused_of(inserted) == {0: "No.", 1: "No."}
    assert {e.state for e in seeding.ledger.live(RUN)} == {State.UNKNOWN}
    assert seeding.crm.rows == []
    # The first request is carried out while the undo waits.
    seeding.clean()
    assert seeding.crm.slept == [SETTLE, SETTLE]
    assert seeding.crm.rows == []


@dataclass
class _Wire:
    send: Callable[[Request], Answer]
    redactor: ClassVar[Redactor] = Redactor(())


@pytest.mark.parametrize("fault", ["lost", "silent", "late", "very late", "mute"])
def test_without_unique_keys_what_was_made_twice_is_removed_before_the_test(seed: Any, fault: str) -> None:
    seeding = seed(faults=[fault], unique=False)
    inserted = seeding.insert(drafts_of(60))
    assert inserted.complete
    assert seeding.keys == sorted(f"key-{i}" for i in range(60))
    ids = {row.key: row.id for row in seeding.crm.rows}
    assert {r.draft.key: r.id for r in inserted.results} == ids
    assert {e.key: e.id for e in seeding.ledger.live(RUN)} == ids
    seeding.clean()
    assert seeding.crm.rows == []


def test_a_surplus_that_cannot_be_removed_fails_the_seed_and_stays_in_the_ledger(seed: Any) -> None:
    seeding = seed(faults=["very late"], unique=False)

    def no_deletions(request: Request) -> Answer:
        if request.path == "/delete":
            return _answer(request, 200, {})
        return Crm.send(seeding.crm, request)

    seeding.connection.transport = _Wire(no_deletions)
    inserted = seeding.insert(drafts_of(2))
    assert str(inserted.failure) == (
        "The portal made 2 records twice, and the surplus cannot be removed (deals: 2 records are still "
        "there after their deletion.)."
    )
    assert len(seeding.crm.rows) == 4
    assert sorted(str(e.id) for e in seeding.ledger.live(RUN)) == sorted(row.id for row in seeding.crm.rows)
    seeding.connection.transport = seeding.crm
    seeding.clean()
    assert seeding.crm.rows == []


def test_cleaning_finds_what_was_made_twice_where_keys_are_not_unique(seed: Any) -> None:
    """The process died between the two requests and the recount."""
    seeding = seed(faults=["twice", "twice"], unique=False)
    seeding.insert(drafts_of(3))
    assert len(seeding.crm.rows) == 6
    seeding.clean()
    assert seeding.crm.rows == []


FAULTS = [None, None, "lost", "silent", "late", "very late", "twice", "slow", "mute"]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    faults=st.lists(st.sampled_from(FAULTS), max_size=12),
    guilty=st.frozensets(st.integers(0, 29), max_size=3),
    per_record=st.booleans(),
    unique=st.booleans(),
    undo=st.booleans(),
    most=st.integers(1, 12),
    most_records=st.integers(1, 30),
)
# The answer to the second request is lost as well, and it is carried out when the first one's record is gone.
@example(
    faults=["very late", "late"],
    guilty=frozenset(),
    per_record=False,
    unique=True,
    undo=False,
    most=1,
    most_records=1,
)
def test_whatever_goes_wrong_nothing_is_made_twice_and_nothing_is_left(
    faults: list[str | None],
    guilty: frozenset[int],
    per_record: bool,
    unique: bool,
    undo: bool,
    most: int,
    most_records: int,
) -> None:
    if not unique:
        # Without unique keys, and with an answer like any other, nobody can know of the second delivery
        # before the seed is read back.
        faults = [None if fault == "twice" else fault for fault in faults]
    crm = Crm(
        guilty=guilty,
        faults=faults,
        per_record=per_record,
        unique=unique,
        most_records=most_records,
    )
    with seeding_of(crm) as seeding:
        inserted = seeding.insert(drafts_of(30), undo=undo, most=most)
        if inserted.failure is None:
            made = {r.draft.key: r.id for r in inserted.results if r.ok}
            assert made.items() <= {row.key: row.id for row in crm.rows}.items()
            if inserted.complete:
                # Each exactly once.
                assert seeding.keys == sorted(f"key-{i}" for i in range(30))
            if not undo:
                assert set(refused_of(inserted)) == guilty
        else:
            assert isinstance(inserted.failure, OutcomeUnknown)
        crm.faults.clear()
        seeding.clean()
        crm.sleep(SETTLE)
        assert [row.key for row in crm.rows] == []
