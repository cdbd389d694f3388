"""One batch on its way: sent, halved, looked up and sent again, until the fate of each draft is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pytest_crmseed.errors import ApiRefused, OutcomeUnknown, PortalError, TooLarge
from pytest_crmseed.events import BatchSizeChanged, Listener, Reconciled
from pytest_crmseed.ingest.batches import BatchSize, halves, in_batches
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.finding import locator, route_of
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.reconcile import Reconciler
from pytest_crmseed.providers.base import Provider, Request
from pytest_crmseed.providers.optional import Upserts
from pytest_crmseed.records import Batch, Draft, RecordResult, Refusal

# The code of a refusal that is ours: the draft was not sent, because of another one.
NOT_SENT = "NOT_SENT"

# So often drafts are sent again after a request without a proper answer.
ROUNDS = 3

# In a batch that is refused as a whole: so many guilty drafts are looked for when the seed is undone
# anyway. When as many as HOPELESS are refused for the same reason and none was taken, it is not the
# drafts' fault, and nothing more is tried.
ENOUGH = 3
HOPELESS = 8


@dataclass(frozen=True, slots=True)
class _Refused:
    """Drafts that the API refused all at once."""

    drafts: list[Draft]
    error: ApiRefused


class Making:
    """Make the drafts of one batch.

    ``results`` say what became of the drafts; one that has none may or may not exist, and
    ``failure`` is the error that left it so. ``lost`` are the keys of drafts that were once in a
    request without a proper answer; those that were before are given.

    With ``undone``, a refusal costs the whole seed: no more is sent than it takes to name the first
    guilty drafts.
    """

    def __init__(
        self,
        batch: Batch,
        ids: Mapping[tuple[str, int], str],
        *,
        connection: Connection,
        ledger: Ledger,
        run_id: str,
        reconciler: Reconciler,
        size: BatchSize,
        listener: Listener,
        undone: bool,
        lost: Collection[str] = (),
    ) -> None:
        self.batch = batch
        self.results: list[RecordResult] = []
        self.failure: PortalError | None = None
        self.lost = {draft.key for draft in batch.drafts if draft.key in lost}
        self._ids = ids
        self._connection = connection
        self._ledger = ledger
        self._run_id = run_id
        self._reconciler = reconciler
        self._size = size
        self._listener = listener
        self._undone = undone
        self._lost_again = False
        self._guilty: list[tuple[Refusal, ...]] = []
        # Those that were refused for what they say: one too large by itself says nothing of others.
        self._disliked: list[tuple[Refusal, ...]] = []

    def run(self) -> None:
        """Make them; an error of the portal stops the rest and is kept in ``failure``."""
        try:
            self._make(self.batch.drafts, ROUNDS)
        except PortalError as error:
            self.failure = error
        position = {draft.key: number for number, draft in enumerate(self.batch.drafts)}
        self.results.sort(key=lambda result: position[result.draft.key])

    # -- whole batches, halves, single drafts ----------------------------------------------------
    def _make(self, drafts: Sequence[Draft], rounds: int) -> None:
        """Make drafts, in as many requests as it takes."""
        if self._given_up(drafts):
            return
        refused = self._put(drafts, rounds)
        if refused is None:
            return
        if len(refused.drafts) == 1:
            self._blame(refused.drafts[0], refused.error)
        elif isinstance(refused.error, TooLarge):
            too_large = self._size.too_large(self._bytes(refused.drafts))
            self._resized(too_large, refused.error.message)
            for part in self._cut(refused.drafts):
                self._make(part, rounds)
        else:
            self._search(refused, rounds)

    def _search(self, refused: _Refused, rounds: int) -> None:
        """Find the first guilty draft of a batch that was refused, by halving; then make the rest."""
        group, error = refused.drafts, refused.error
        rest: list[list[Draft]] = []
        sent_as_it_is = True
        while len(group) > 1:
            left, right = halves(group)
            inner = self._put(left, rounds)
            if inner is None:
                # What is guilty is in the other half; only the last draft is sent to prove it.
                group, sent_as_it_is = right, False
            else:
                rest.append(right)
                group, error, sent_as_it_is = inner.drafts, inner.error, True
        innocent = False
        if not sent_as_it_is:
            inner = self._put(group, rounds)
            innocent = inner is None
            error = inner.error if inner else error
        if not innocent:
            self._blame(group[0], error)
        elif not rest:
            # Each half was taken, and only all of them together were not.
            self._resized(self._size.too_many(len(refused.drafts)), refused.error.message)
        rest.reverse()
        # Few are guilty as a rule: the rest is tried at once. If many are, smaller pieces are cheaper.
        once = [[draft for piece in rest for draft in piece]] if len(self._guilty) <= ENOUGH else rest
        for piece in once:
            if piece:
                self._make(piece, rounds)

    def _given_up(self, drafts: Sequence[Draft]) -> bool:
        """Refuse drafts without sending them, if enough is known already."""
        if self._undone and len(self._guilty) >= ENOUGH:
            self._refuse(unsent(draft, "not sent") for draft in drafts)
            return True
        if len(self._disliked) >= HOPELESS and not any(result.ok for result in self.results):
            reasons = {tuple((x.message, x.code, x.field) for x in refusals) for refusals in self._disliked}
            if len(reasons) == 1:
                alike = tuple(replace(x, value=None, of_batch=True) for x in self._disliked[0])
                self._refuse(RecordResult(draft, refusals=alike) for draft in drafts)
                return True
        return False

    def _blame(self, draft: Draft, error: ApiRefused) -> None:
        refusals = error.refusals or (Refusal(error.message, status=error.status, body=error.body),)
        own = tuple(
            replace(x, value=draft.values[x.field]) if x.value is None and x.field in draft.values else x
            for x in refusals
        )
        self._guilty.append(own)
        if not isinstance(error, TooLarge):
            self._disliked.append(own)
        self._refuse([RecordResult(draft, refusals=own)])

    def _refuse(self, results: Iterable[RecordResult]) -> None:
        refused = list(results)
        self.results += refused
        self._not_made([result.draft for result in refused])

    def _not_made(self, drafts: Sequence[Draft]) -> None:
        keys = [draft.key for draft in drafts]
        if sure := [key for key in keys if key not in self.lost]:
            self._ledger.refused(self._run_id, sure)
        # An earlier request may still make one that was lost before: undo looks for it once more.
        if unsure := [key for key in keys if key in self.lost]:
            self._ledger.unknown(self._run_id, unsure)

    # -- one request, and what it takes to know what it did ---------------------------------------
    def _put(self, drafts: Sequence[Draft], rounds: int) -> _Refused | None:
        """Send drafts until they are made or refused; return what the API refused all at once."""
        rest = list(drafts)
        while True:
            try:
                silent, unknown = self._send(rest)
            except ApiRefused as error:
                missing = self._held_by_us(rest, error)
                if len(missing) == len(rest):
                    return _Refused(rest, error)
                if not missing:
                    return None
                rest = missing
                continue
            if unknown is None:
                grown = self._size.went_well(len(rest), partial(self._bytes, rest))
                self._resized(grown, "batches go well again")
                return None
            missing = self._reconcile(silent, unknown, rounds)
            rounds -= 1
            if not missing:
                return None
            parts = self._cut(missing)
            if len(parts) > 1:
                for part in parts:
                    self._make(part, rounds)
                return None
            rest = missing

    def _send(self, drafts: Sequence[Draft]) -> tuple[list[Draft], OutcomeUnknown | None]:
        """Send drafts once; return those whose fate is not known, and why.

        The ledger knows them as sent before the request goes out, and their ids before anyone else.
        """
        batch = Batch(self.batch.object_type, self.batch.number, self.batch.of, list(drafts))
        provider = self._connection.provider
        request = self._request(provider, batch)
        route = route_of(provider, batch.object_type)
        locators = {draft.key: locator(route, draft, self._ids) for draft in drafts}
        self._ledger.sent(self._run_id, locators, locators)
        try:
            answer = self._connection.send(request)
        except ApiRefused:
            raise
        except OutcomeUnknown as unknown:
            self._lose(drafts)
            return list(drafts), unknown
        except PortalError:
            # Every other error means: surely not executed.
            self._not_made(drafts)
            raise
        try:
            results = provider.results(batch, answer)
        except PortalError as error:
            self._lose(drafts)
            return list(drafts), OutcomeUnknown(
                f"{request.what}: the answer says nothing. {error.message}", status=answer.status
            )
        return self._take(results)

    def _request(self, provider: Provider, batch: Batch) -> Request:
        """Return the request for a batch: one that can do no harm, where an earlier one may still arrive."""
        if isinstance(provider, Upserts) and any(draft.key in self.lost for draft in batch.drafts):
            upsert = provider.upsert(batch, self._ids)
            if upsert is not None:
                return upsert
        return provider.create(batch, self._ids)

    def _take(self, results: Sequence[RecordResult]) -> tuple[list[Draft], OutcomeUnknown | None]:
        made = [result for result in results if result.id is not None]
        if made:
            self._ledger.known(self._run_id, [(result.draft.key, str(result.id)) for result in made])
        self.results += made
        refused = [result for result in results if result.id is None and result.refusals]
        held = [r.draft for r in refused if r.draft.key in self.lost or any(x.conflict for x in r.refusals)]
        if held:
            found = self._found(held)
            refused = [result for result in refused if result.draft.key not in found]
        self._refuse(refused)
        silent = [result for result in results if result.id is None and not result.refusals]
        if not silent:
            return [], None
        self._lose([result.draft for result in silent])
        first = silent[0]
        said = f" It says: {' '.join(first.remarks)}" if first.remarks else ""
        unknown = OutcomeUnknown(
            f"The portal's answer to a batch of {first.draft.object_type} does not say what became of "
            f"{first.draft.object_type}[{first.draft.index}].{said}"
        )
        return [result.draft for result in silent], unknown

    def _lose(self, drafts: Sequence[Draft]) -> None:
        keys = [draft.key for draft in drafts]
        self._ledger.unknown(self._run_id, keys)
        self._lost_again = not self.lost.isdisjoint(keys)
        self.lost.update(keys)

    def _held_by_us(self, drafts: Sequence[Draft], error: ApiRefused) -> list[Draft]:
        """Take what exists already under our keys; return the rest.

        A value may be taken by the very record that is to be made: an earlier request, or the same
        one on a second way, made it after all.
        """
        if not any(x.conflict for x in error.refusals) and not any(d.key in self.lost for d in drafts):
            return list(drafts)
        found = self._found(drafts)
        return [draft for draft in drafts if draft.key not in found]

    def _found(self, drafts: Sequence[Draft]) -> set[str]:
        results, _ = self._reconciler.look_up(drafts)
        self.results += results
        return {result.draft.key for result in results}

    def _reconcile(self, drafts: Sequence[Draft], unknown: OutcomeUnknown, rounds: int) -> list[Draft]:
        """Find out which drafts exist; return those that surely do not.

        Raises:
            OutcomeUnknown: they were sent again often enough, or cannot be looked up.
        """
        name = self.batch.object_type
        if unknown.timed_out and len(drafts) > 1:
            self._resized(self._size.too_slow(len(drafts)), unknown.message)
        try:
            # What is found may be the work of the earlier request, and the later one may still come.
            results, missing = self._reconciler.settle(drafts, wait=self._lost_again)
        except PortalError as error:
            unknown.message = f"{unknown.message} Its records cannot be looked up: {error.message}"
            raise unknown from error
        self.results += results
        self._listener(Reconciled(name, len(results), len(missing)))
        if missing and not rounds:
            unknown.message = (
                f"{unknown.message} {len(missing)} {name} do not exist after {ROUNDS + 1} requests like it."
            )
            unknown.remedy = "Check the portal's status and the network, and try again."
            raise unknown
        return missing

    # -- sizes -----------------------------------------------------------------------------------
    def _cut(self, drafts: Sequence[Draft]) -> list[list[Draft]]:
        batches = in_batches(
            drafts,
            most=self._size.records,
            most_bytes=self._size.bytes,
            size=self._connection.provider.size,
        )
        return [batch.drafts for batch in batches]

    def _bytes(self, drafts: Sequence[Draft]) -> int:
        return sum(map(self._connection.provider.size, drafts))

    def _resized(self, changed: bool, reason: str) -> None:
        if changed:
            self._listener(BatchSizeChanged(self._size.records, self._size.bytes, reason))


def unsent(draft: Draft, reason: str) -> RecordResult:
    """Return the result of a draft that was not sent."""
    return RecordResult(draft, refusals=(Refusal(reason, code=NOT_SENT),))
