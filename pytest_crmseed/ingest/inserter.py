"""Batches in flight: which goes out when, parents' ids filled in, what became of each draft."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from pytest_crmseed.errors import OutcomeUnknown, PortalError
from pytest_crmseed.events import BatchSent, Listener, RecordFailed, ignore
from pytest_crmseed.ingest.batches import BatchSize, in_batches
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.finding import route_of
from pytest_crmseed.ingest.graphs import GraphMaking, graph_requests
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.making import NOT_SENT, Making, unsent
from pytest_crmseed.ingest.reconcile import Reconciler
from pytest_crmseed.ingest.schedule import Schedule
from pytest_crmseed.records import Batch, Draft, RecordResult

__all__ = ["NOT_SENT", "Inserted", "Inserter"]


@dataclass(slots=True)
class Inserted:
    """What became of the drafts. ``failure`` is the error that stopped the rest, if one did.

    A draft without a result may or may not exist.
    """

    results: list[RecordResult] = field(default_factory=list)
    failure: PortalError | None = None

    @property
    def refused(self) -> list[RecordResult]:
        """The results that are no records."""
        return [result for result in self.results if not result.ok]

    @property
    def complete(self) -> bool:
        """Whether every draft became a record."""
        return self.failure is None and all(result.ok for result in self.results)


class Inserter:
    """Send batches through one connection; every step stands in the ledger before the next.

    ``size`` says how much goes out in one request, and is changed by what the portal can take.
    """

    def __init__(
        self,
        connection: Connection,
        ledger: Ledger,
        run_id: str,
        *,
        size: BatchSize | None = None,
        listener: Listener = ignore,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        capabilities = connection.provider.capabilities
        self._connection = connection
        self._ledger = ledger
        self._run_id = run_id
        self._size = size or BatchSize(capabilities.batch_records, capabilities.batch_bytes)
        self._listener = listener
        self._reconciler = Reconciler(connection, ledger, run_id, sleep=sleep)

    def insert(self, batches: Sequence[Batch], seed: str, *, stop_at_refusal: bool = True) -> Inserted:
        """Create the records of ``batches``; return what became of each.

        With ``stop_at_refusal`` no further batch is sent after the first refused record; without it
        only children of refused parents are left out. An error of the portal stops the rest either
        way and is returned, not raised, with the results so far.
        """
        for batch in batches:
            self._ledger.intend(
                self._run_id, seed, batch.object_type, [(draft.index, draft.key) for draft in batch.drafts]
            )
        changes = 0
        inserted = Inserted()
        ids: dict[tuple[str, int], str] = {}
        lost: set[str] = set()
        in_flight = self._connection.provider.capabilities.in_flight
        if len(batches) == 1:
            # Threads cost more than they bring for the commonest seed.
            in_flight = 1
        # Ctrl-C, SIGTERM or a bug: the pool waits for what is in flight (each request has its time-out),
        # so that its ids reach the ledger, and the caller undoes.
        with ThreadPoolExecutor(in_flight, thread_name_prefix="crmseed") as pool:
            graph = pool.submit(self._make_at_once, batches).result()
            self._take(graph.results, inserted, ids)
            inserted.failure = graph.failure
            schedule = Schedule(_without(batches, ids))
            flying: dict[Future[Making], str] = {}
            while True:
                while len(flying) < in_flight and not self._stopped(inserted, stop_at_refusal):
                    if changes != self._size.changes:
                        changes = self._size.changes
                        schedule.cut_again(self._cut)
                    ready = schedule.next_ready(ids, {name for name in flying.values() if self._alike(name)})
                    if ready is None:
                        break
                    making = pool.submit(self._make, ready, dict(ids), graph.lost, stop_at_refusal)
                    flying[making] = ready.object_type
                if not flying:
                    break
                for future in wait(flying, return_when=FIRST_COMPLETED).done:
                    del flying[future]
                    made = future.result()
                    lost |= made.lost
                    self._take(made.results, inserted, ids)
                    if made.failure is None:
                        batch = made.batch
                        self._listener(BatchSent(batch.object_type, batch.number, batch.of, len(batch)))
                    inserted.failure = inserted.failure or made.failure
                    if not stop_at_refusal:
                        self._leave_out_orphans(schedule, inserted)
        self._leave_out(schedule.rest(), graph, lost, inserted)
        if inserted.failure is None:
            self._recount([r for r in inserted.results if r.ok and self._may_be_twice(r, lost)], inserted)
        return inserted

    def _stopped(self, inserted: Inserted, stop_at_refusal: bool) -> bool:
        if inserted.failure is not None:
            return True
        return stop_at_refusal and any(not result.ok for result in inserted.results)

    def _cut(self, drafts: Sequence[Draft], before: int) -> list[Batch]:
        return in_batches(
            drafts,
            most=self._size.records,
            most_bytes=self._size.bytes,
            size=self._connection.provider.size,
            before=before,
            same_fields=self._connection.provider.capabilities.same_fields,
        )

    def _make_at_once(self, batches: Sequence[Batch]) -> GraphMaking:
        making = GraphMaking(
            batches,
            graph_requests(self._connection.provider, batches, self._size),
            connection=self._connection,
            ledger=self._ledger,
            run_id=self._run_id,
            reconciler=self._reconciler,
            size=self._size,
            listener=self._listener,
        )
        making.run()
        return making

    def _make(
        self,
        batch: Batch,
        ids: Mapping[tuple[str, int], str],
        lost: Collection[str],
        stop_at_refusal: bool,
    ) -> Making:
        making = Making(
            batch,
            ids,
            connection=self._connection,
            ledger=self._ledger,
            run_id=self._run_id,
            reconciler=self._reconciler,
            size=self._size,
            listener=self._listener,
            undone=stop_at_refusal,
            lost=lost,
        )
        making.run()
        return making

    def _take(
        self, results: Sequence[RecordResult], inserted: Inserted, ids: dict[tuple[str, int], str]
    ) -> None:
        for result in results:
            inserted.results.append(result)
            if result.id is not None:
                ids[(result.draft.object_type, result.draft.index)] = result.id
            elif result.refusals[0].code != NOT_SENT:
                self._listener(RecordFailed(result))

    def _alike(self, object_type: str) -> bool:
        """Return whether two drafts of an object type may be the same to a look for either's record.

        While one is looked for, no other may be on its way: its record, not yet in the ledger, would be
        taken for the one that is missing.
        """
        route = route_of(self._connection.provider, object_type)
        return not route.carries_key and not route.enforced

    def _may_be_twice(self, result: RecordResult, lost: Collection[str]) -> bool:
        draft = result.draft
        return draft.key in lost and not route_of(self._connection.provider, draft.object_type).enforced

    def _leave_out(
        self, waiting: Sequence[Batch], graph: GraphMaking, lost: Collection[str], inserted: Inserted
    ) -> None:
        """Give drafts that are not sent any more their results; note what a graph was refused for nothing.

        ``lost`` are keys of drafts that may exist after all.
        """
        rest = [draft for batch in waiting for draft in batch.drafts]
        if isinstance(graph.failure, OutcomeUnknown):
            # They have no result: nobody knows.
            rest = [draft for draft in rest if draft.key not in graph.lost]
        inserted.results += [unsent(draft, "not sent") for draft in rest]
        if graph.refused is None:
            return
        left = [r.draft.key for r in inserted.results if any(x.code == NOT_SENT for x in r.refusals)]
        if left:
            # The graph had them, too, and made none.
            self._ledger.refused(self._run_id, [key for key in left if key not in lost])
        elif inserted.complete:
            # Each record was good: it was the graph that did not do.
            self._size.graph_failed(len(inserted.results))

    def _recount(self, results: Sequence[RecordResult], inserted: Inserted) -> None:
        try:
            self._reconciler.recount(results)
        except PortalError as error:
            inserted.failure = error

    def _leave_out_orphans(self, schedule: Schedule, inserted: Inserted) -> None:
        lost = [(r.draft.object_type, r.draft.index) for r in inserted.refused]
        for draft, parent in schedule.without_children_of(lost):
            inserted.results.append(
                unsent(draft, f"not sent: {parent.object_type}[{parent.index}] does not exist")
            )


def _without(batches: Sequence[Batch], made: Collection[tuple[str, int]]) -> list[Batch]:
    """Return batches without the drafts that are made, given by object type and index."""
    rest = [
        replace(
            batch, drafts=[draft for draft in batch.drafts if (draft.object_type, draft.index) not in made]
        )
        for batch in batches
    ]
    return [batch for batch in rest if batch.drafts]
