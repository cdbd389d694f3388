"""A small plan in one request, where the API takes records that refer to each other.

All of its records are made, or none. What it comes to nothing with goes out by batches, as a larger plan
does: nothing is lost but the request, and each refused record is named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pytest_crmseed.errors import ApiRefused, OutcomeUnknown, PortalError
from pytest_crmseed.events import BatchSent, GraphRefused, Listener, Reconciled
from pytest_crmseed.ingest.batches import BatchSize
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.finding import route_of
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.reconcile import Reconciler
from pytest_crmseed.providers.base import Provider, Request
from pytest_crmseed.providers.optional import Graphs
from pytest_crmseed.records import Batch, Draft, RecordResult


def may_be_graph(provider: Provider, counts: Mapping[str, int], size: BatchSize) -> bool:
    """Return whether a plan, by its counts, is one for a single request.

    It has several object types, is no larger than one batch, and all its records have a unique key:
    otherwise a lost answer would leave too much to look for.
    """
    return (
        isinstance(provider, Graphs)
        and len(counts) > 1
        and sum(counts.values()) <= size.graph_records
        and all(route_of(provider, object_type).kind == "unique" for object_type in counts)
    )


def graph_requests(provider: Provider, batches: Sequence[Batch], size: BatchSize) -> list[Request]:
    """Return the requests that make batches at once; none where it takes no more by batches.

    The last one makes them; another before it asks for what it has to name.
    """
    counts: dict[str, int] = {}
    for batch in batches:
        counts[batch.object_type] = counts.get(batch.object_type, 0) + len(batch)
    if not isinstance(provider, Graphs) or not may_be_graph(provider, counts, size):
        return []
    asked = next(provider.learn(batches), None)
    before = [] if asked is None else [asked]
    if len(before) + 1 >= len(batches):
        return []
    request = provider.graph(batches)
    if request is None or len(json.dumps(request.body, ensure_ascii=False).encode()) > size.bytes:
        return []
    return [*before, request]


class GraphMaking:
    """Make batches by one request, the last of ``requests``; by none, where there are none.

    ``results`` are those of drafts that were made. Of the others, those whose keys are in ``lost`` were
    looked for and not found, and the rest surely were not made; where there is a ``failure``, it stopped
    everything. ``refused`` is why the portal took none.
    """

    def __init__(
        self,
        batches: Sequence[Batch],
        requests: Sequence[Request],
        *,
        connection: Connection,
        ledger: Ledger,
        run_id: str,
        reconciler: Reconciler,
        size: BatchSize,
        listener: Listener,
    ) -> None:
        self.results: list[RecordResult] = []
        self.failure: PortalError | None = None
        self.refused: ApiRefused | None = None
        self.lost: set[str] = set()
        self._batches = batches
        self._requests = requests
        self._drafts = [draft for batch in batches for draft in batch.drafts]
        self._connection = connection
        self._ledger = ledger
        self._run_id = run_id
        self._reconciler = reconciler
        self._size = size
        self._listener = listener

    def run(self) -> None:
        """Make them; an error of the portal that stops everything is kept in ``failure``."""
        provider = self._connection.provider
        if not (self._requests and isinstance(provider, Graphs)):
            return
        try:
            request: Request | None = self._requests[-1]
            if len(self._requests) > 1:
                known = self._connection.run(provider.learn(self._batches))
                request = provider.graph(self._batches) if known else None
            if request is not None:
                self._send(provider, request)
        except ApiRefused as refused:
            self.refused = refused
            self._listener(GraphRefused(len(self._drafts), refused.message))
        except PortalError as error:
            self.failure = error
        if len(self.results) == len(self._drafts):
            for batch in self._batches:
                self._listener(BatchSent(batch.object_type, batch.number, batch.of, len(batch)))

    def _send(self, provider: Graphs, request: Request) -> None:
        keys = [draft.key for draft in self._drafts]
        self._ledger.sent(self._run_id, keys)
        try:
            answer = self._connection.send(request)
        except ApiRefused:
            raise
        except OutcomeUnknown as unknown:
            self._reconcile(self._drafts, unknown)
            return
        except PortalError:
            # Every other error means: surely not executed.
            self._ledger.refused(self._run_id, keys)
            raise
        try:
            results = provider.graph_results(self._batches, answer)
        except PortalError as error:
            said = f"{request.what}: the answer says nothing. {error.message}"
            self._reconcile(self._drafts, OutcomeUnknown(said, status=answer.status))
        else:
            self._take(results)

    def _take(self, results: Sequence[RecordResult]) -> None:
        made = [result for result in results if result.id is not None]
        self._ledger.known(self._run_id, [(result.draft.key, str(result.id)) for result in made])
        self.results += made
        silent = [result for result in results if result.id is None]
        if not silent:
            self._size.graph_went_well(len(made))
            return
        first = silent[0]
        said = " ".join([*first.remarks, *(refusal.message for refusal in first.refusals)])
        name = f"{first.draft.object_type}[{first.draft.index}]"
        unknown = OutcomeUnknown(
            f"The portal's answer does not say what became of {name}.{f' It says: {said}' if said else ''}"
        )
        self._reconcile([result.draft for result in silent], unknown)

    def _reconcile(self, drafts: Sequence[Draft], unknown: OutcomeUnknown) -> None:
        """Find out which drafts exist.

        Raises:
            OutcomeUnknown: they cannot be looked up.
        """
        self.lost = {draft.key for draft in drafts}
        self._ledger.unknown(self._run_id, self.lost)
        if unknown.timed_out:
            self._size.graph_failed(len(self._drafts))
        try:
            found, missing = self._reconciler.settle(drafts)
        except PortalError as error:
            unknown.message = f"{unknown.message} Its records cannot be looked up: {error.message}"
            raise unknown from error
        self.results += found
        for object_type in dict.fromkeys(draft.object_type for draft in drafts):
            counts = [
                sum(each.object_type == object_type for each in some)
                for some in ([result.draft for result in found], missing)
            ]
            self._listener(Reconciled(object_type, *counts))
