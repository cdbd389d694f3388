"""Batches in flight: send, match results, note them in the ledger, fill in parents' ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from pytest_crmseed.errors import ApiRefused, OutcomeUnknown, PortalError
from pytest_crmseed.events import BatchSent, Listener, RecordFailed, ignore
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.schedule import Schedule
from pytest_crmseed.records import Batch, Draft, RecordResult, Refusal

# The code of a refusal that is ours: the draft was not sent, because of another one.
NOT_SENT = "NOT_SENT"


@dataclass(slots=True)
class Inserted:
    """What became of the drafts. ``failure`` is the error that stopped the rest, if one did.

    A draft whose request failed has no result: it may or may not exist.
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

    The ledger knows a batch as *sent* before its request goes out and its ids before anyone else
    sees them, so that whatever happens in between, cleanup finds what was made.
    """

    def __init__(
        self, connection: Connection, ledger: Ledger, run_id: str, *, listener: Listener = ignore
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._run_id = run_id
        self._listener = listener

    def insert(self, batches: Sequence[Batch], seed: str, *, stop_at_refusal: bool = True) -> Inserted:
        """Create the records of ``batches``; return what became of each.

        With ``stop_at_refusal`` nothing more is sent after the first refused record; without it
        only children of refused parents are left out. An error of the portal stops the rest either
        way and is returned, not raised, with the results so far.
        """
        for batch in batches:
            self._ledger.intend(
                self._run_id, seed, batch.object_type, [(draft.index, draft.key) for draft in batch.drafts]
            )
        schedule = Schedule(batches)
        inserted = Inserted()
        ids: dict[tuple[str, int], str] = {}
        in_flight = self._connection.provider.capabilities.in_flight
        if len(batches) == 1:
            # Threads cost more than they bring for the commonest seed.
            in_flight = 1
        # Ctrl-C, SIGTERM or a bug: the pool waits for what is in flight (each request has its time-out),
        # so that its ids reach the ledger, and the caller undoes.
        with ThreadPoolExecutor(in_flight, thread_name_prefix="crmseed") as pool:
            flying: dict[Future[list[RecordResult]], Batch] = {}
            while True:
                while len(flying) < in_flight and not self._stopped(inserted, stop_at_refusal):
                    ready = schedule.next_ready(ids)
                    if ready is None:
                        break
                    flying[pool.submit(self._send, ready, dict(ids))] = ready
                if not flying:
                    break
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                for future in done:
                    batch = flying.pop(future)
                    self._take(batch, future, inserted, ids)
                    if not stop_at_refusal:
                        self._leave_out_orphans(schedule, inserted)
        inserted.results += [
            _unsent(draft, "not sent") for batch in schedule.rest() for draft in batch.drafts
        ]
        return inserted

    def _stopped(self, inserted: Inserted, stop_at_refusal: bool) -> bool:
        if inserted.failure is not None:
            return True
        return stop_at_refusal and any(not result.ok for result in inserted.results)

    def _send(self, batch: Batch, ids: Mapping[tuple[str, int], str]) -> list[RecordResult]:
        provider = self._connection.provider
        request = provider.create(batch, ids)
        keys = [draft.key for draft in batch.drafts]
        self._ledger.sent(self._run_id, keys)
        try:
            answer = self._connection.send(request)
            results = list(provider.results(batch, answer))
        except ApiRefused as refused:
            self._ledger.refused(self._run_id, keys)
            refusals = tuple(replace(refusal, of_batch=len(batch) > 1) for refusal in refused.refusals)
            return [RecordResult(draft, refusals=refusals) for draft in batch.drafts]
        except OutcomeUnknown:
            self._ledger.unknown(self._run_id, keys)
            raise
        except PortalError:
            # Every other error means: surely not executed.
            self._ledger.refused(self._run_id, keys)
            raise
        self._ledger.known(self._run_id, [(r.draft.key, r.id) for r in results if r.id is not None])
        refused_keys = [r.draft.key for r in results if r.id is None and r.refusals]
        if refused_keys:
            self._ledger.refused(self._run_id, refused_keys)
        silent = [r.draft.key for r in results if r.id is None and not r.refusals]
        if silent:
            self._ledger.unknown(self._run_id, silent)
        return results

    def _take(
        self,
        batch: Batch,
        future: Future[list[RecordResult]],
        inserted: Inserted,
        ids: dict[tuple[str, int], str],
    ) -> None:
        try:
            results = future.result()
        except PortalError as error:
            inserted.failure = inserted.failure or error
            return
        for result in results:
            inserted.results.append(result)
            if result.id is not None:
                ids[(result.draft.object_type, result.draft.index)] = result.id
                continue
            if not result.refusals:
                said = f" It says: {' '.join(result.remarks)}" if result.remarks else ""
                inserted.failure = inserted.failure or OutcomeUnknown(
                    f"The portal's answer to a batch of {batch.object_type} does not say what became of "
                    f"{batch.object_type}[{result.draft.index}].{said}",
                )
            self._listener(RecordFailed(result))
        self._listener(BatchSent(batch.object_type, batch.number, batch.of, len(batch)))

    def _leave_out_orphans(self, schedule: Schedule, inserted: Inserted) -> None:
        lost = [(r.draft.object_type, r.draft.index) for r in inserted.refused]
        for draft, parent in schedule.without_children_of(lost):
            inserted.results.append(
                _unsent(draft, f"not sent: {parent.object_type}[{parent.index}] does not exist")
            )


def _unsent(draft: Draft, reason: str) -> RecordResult:
    return RecordResult(draft, refusals=(Refusal(reason, code=NOT_SENT),))
