"""Seed a portal and clean it again: prepare → execute → undo."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from pytest_crmseed.errors import CleanupIncomplete, CrmseedError, PortalError, RecordsRefused, UsageError
from pytest_crmseed.events import Degraded, Listener, PlanReady, Seeded, ignore
from pytest_crmseed.factories import Generation
from pytest_crmseed.ingest import guard
from pytest_crmseed.ingest.batches import BatchSize, in_batches
from pytest_crmseed.ingest.cleaner import Cleaner, CleanupResult
from pytest_crmseed.ingest.graphs import may_be_graph
from pytest_crmseed.ingest.inserter import Inserted, Inserter
from pytest_crmseed.ingest.keys import make_key, unique_tag
from pytest_crmseed.ingest.ledger import Entry, Ledger
from pytest_crmseed.ingest.liveness import Liveness
from pytest_crmseed.ingest.schedule import Cost, cost
from pytest_crmseed.planning import Count, Plan
from pytest_crmseed.providers.base import Provider
from pytest_crmseed.providers.optional import RecycleBin
from pytest_crmseed.records import Batch, Record, RecordResult
from pytest_crmseed.seeder.counting import plan_counts
from pytest_crmseed.seeder.errorfile import ErrorFile
from pytest_crmseed.seeder.prepare import Drafts, prepare
from pytest_crmseed.seeder.reading import Reader
from pytest_crmseed.seeder.recipe import Recipe, RunInfo, Seed, run_in
from pytest_crmseed.seeder.refusals import Failure, undone
from pytest_crmseed.seeder.schemas import dated
from pytest_crmseed.seeder.target import Target
from pytest_crmseed.seeder.verify import Verifier

__all__ = ["Engine", "Recipe", "RunInfo", "Seed", "plan_counts"]


# Seconds that undoing a seed, or removing it after its test, may take.
PATIENCE = 120.0


class Engine:
    """Seed one open portal within one run, and remove what was seeded.

    ``verify`` is ``"presence"``, ``"strict"`` or ``"off"``; with ``empty_bin``, what is removed leaves the
    CRM's recycle bin, too. ``patience`` bounds undo and
    :meth:`clean` in seconds: what is left then stands in the ledger.

    Thread-safe only in so far as seeds of one engine are made one after the other; the plugin and
    :class:`pytest_crmseed.Seeder` see to that.
    """

    def __init__(
        self,
        target: Target,
        ledger: Ledger,
        run: RunInfo,
        limits: guard.Limits,
        *,
        errors: ErrorFile | None = None,
        count: int | None = None,
        batch_size: int | None = None,
        on_error: str = "undo",
        verify: str = "presence",
        empty_bin: bool = False,
        patience: float = PATIENCE,
        listener: Listener = ignore,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.target = target
        self.ledger = ledger
        self.run = run
        self.limits = limits
        self.reader = Reader(target)
        self._errors = errors
        self._count = count
        self._batch_size = batch_size
        self._verify = verify
        self._bin = bin_of(target.provider) if empty_bin else None
        self.patience = patience
        capabilities = target.provider.capabilities
        most = min(batch_size or capabilities.batch_records, capabilities.batch_records)
        self._size = BatchSize(most, capabilities.batch_bytes)
        self._on_error = on_error
        self._listener = listener
        self._clock = clock
        self._timer = timer
        self._sleep = sleep
        self._numbers = 0
        self._opened = False
        self._outlives = math.inf
        self._checked: set[str] = set()
        self._lock = threading.RLock()
        self.liveness = Liveness(ledger.path)

    # -- before the first record -----------------------------------------------------------------
    def demand(self, plans: Iterable[Plan]) -> guard.Demand:
        """Return what plans ask of the portal together."""
        plans = list(plans)
        capabilities = self.target.provider.capabilities
        total = Cost()
        object_types: dict[str, None] = {}
        for plan in plans:
            total += cost(
                plan,
                capabilities,
                batch_size=self._size.records,
                verified=self._verify != "off",
                bin_emptied=self._bin is not None,
                at_once=may_be_graph(self.target.provider, plan.counts, self._size),
            )
            object_types.update(dict.fromkeys(plan.counts))
        return guard.Demand(list(object_types), max((p.total for p in plans), default=0), total)

    def check(self, plans: Iterable[Plan]) -> None:
        """Check scopes, plan size, quota and unique keys for plans, before anything is written.

        Raises:
            GuardRefused: the text says which guard, why, and what to do.
        """
        demand = self.demand(plans)
        guard.check_plan_size(demand.largest_plan, self.limits)
        new = [name for name in demand.object_types if name not in self._checked]
        guard.check_demand(self.target.account, demand, self.target.provider.scopes(demand.object_types))
        if new:
            routes = guard.check_unique_keys(self.target.connection, self.target.account, new)
            self.target.provider.routes = {**self.target.provider.routes, **routes}
            self._checked.update(new)
            usual = ("unique",) if self.target.provider.capabilities.unique_keys else ("field", "text")
            ways = {name: route.way for name, route in routes.items() if route.kind not in usual}
            if ways:
                field = self.target.provider.legend.key_field
                self._listener(Degraded(self.target.title, field, ways))

    def plan(
        self, counts: Mapping[str, int | Count], wider: Mapping[str, Sequence[Record]] | None = None
    ) -> Plan:
        """Return the plan of counts in this portal."""
        with dated(self.target.chosen):
            return plan_counts(
                counts,
                self.target.translator,
                self.target.links,
                wider=wider,
                limit=self._count,
                limits=self.limits,
            )

    # -- seed ------------------------------------------------------------------------------------
    def seed(
        self,
        counts: Mapping[str, int | Count],
        recipe: Recipe,
        *,
        node: str,
        test: str = "",
        wider: Mapping[str, Sequence[Record]] | None = None,
        keep: bool = False,
    ) -> Seed:
        """Make everything that ``counts`` asks for, or nothing.

        ``node`` is the node id of the scope: with the recipe, all that values depend on. ``wider``
        are records of wider scopes, by object type, which may be parents.

        Raises:
            UsageError, ValidationFailed, GuardRefused: before anything is written.
            RecordsRefused, Conflict, PortalError: the portal failed or refused; what was made is
                undone before, or the text names what is left and the command that removes it.
        """
        started = self._clock()
        plan = self.plan(counts, wider)
        self.check([plan])
        with self._lock:
            self._numbers += 1
            number = self._numbers
        name = f"{self.run.worker}.{number}" if self.run.worker else str(number)
        # From elsewhere only the key tells how long a record stays.
        stays = max(self.run.expires_after, self.run.keep_for) if keep else self.run.expires_after
        with dated(self.target.chosen):
            drafts = self._prepare(plan, recipe, node, name, started, stays, wider)
        self._outlives = min(self._outlives, started + stays)
        batches = self._batches(plan, drafts)
        self._listener(PlanReady(plan.counts, len(batches)))
        self._open_run()
        before = self.target.connection.requests
        inserter = Inserter(
            self.target.connection,
            self.ledger,
            self.run.run_id,
            size=self._size,
            listener=self._listener,
            sleep=self._sleep,
        )
        try:
            inserted = inserter.insert(batches, name, stop_at_refusal=self._on_error == "undo")
            wrong = self._verified(inserted)
            if keep and inserted.complete and not wrong:
                # Not before: half a seed is not worth keeping; whatever cuts this short, it is swept.
                self.ledger.keep(self.run.run_id, started + self.run.keep_for, seed=name)
        except BaseException as error:
            error.add_note(f"crmseed: {self._undo(name)}")
            raise
        if not inserted.complete or wrong:
            with dated(self.target.chosen):
                raise self._failure(inserted, wrong, name, test)
        asked = [self.target.translator.canonical(given) for given in counts]
        records = self.reader.records([*plan.counts, *asked], inserted.results)
        seconds = self._clock() - started
        requests = self.target.connection.requests - before
        self._listener(Seeded(plan.counts, requests, seconds))
        return Seed(name, plan, records, keep, seconds, requests)

    def _prepare(
        self,
        plan: Plan,
        recipe: Recipe,
        node: str,
        name: str,
        now: float,
        stays: float,
        wider: Mapping[str, Sequence[Record]] | None,
    ) -> Drafts:
        generation = Generation(
            random_seed=recipe.random_seed,
            base_date=recipe.base_date,
            node=node,
            unique_tag=unique_tag(self.run.run_id, name),
            locale=recipe.locale,
            email_domain=recipe.email_domain,
        )

        def key(object_type: str, index: int) -> str:
            return make_key(self.run.run_id, int(now), int(now + stays), object_type, name, index)

        provider = self.target.provider
        return prepare(
            plan,
            self.target.translator,
            recipe.factory_of(),
            generation,
            key,
            wider=wider,
            links=self.target.links,
            admin_rules=provider.enforces_admin_rules,
            routes=provider.routes,
        )

    def _batches(self, plan: Plan, drafts: Drafts) -> list[Batch]:
        return [
            batch
            for step in plan.steps
            for batch in in_batches(
                drafts[step.object_type],
                most=self._size.records,
                most_bytes=self._size.bytes,
                size=self.target.provider.size,
                same_fields=self.target.provider.capabilities.same_fields,
            )
        ]

    def _verified(self, inserted: Inserted) -> list[RecordResult]:
        """Read back what was made; return what is wrong. A portal that cannot be read fails the seed."""
        if self._verify == "off" or not inserted.complete:
            return []
        strict = self._verify == "strict"
        verifier = Verifier(
            self.target,
            self.ledger,
            self.run.run_id,
            strict=strict,
            listener=self._listener,
            sleep=self._sleep,
        )
        try:
            return verifier.verify(inserted.results)
        except PortalError as error:
            inserted.failure = error
            return []

    def _open_run(self) -> None:
        with self._lock:
            if self._opened:
                self.ledger.heartbeat(self.run.run_id)
                return
            now = self._clock()
            if not self.target.address.private:
                # Before the run stands in the ledger: nobody may see it there without its lock.
                self.liveness.hold(self.run.run_id)
            self.ledger.open_run(run_in(self.target, self.run, now))
            self._opened = True

    # -- failing ---------------------------------------------------------------------------------
    def _failure(
        self, inserted: Inserted, wrong: Sequence[RecordResult], name: str, test: str
    ) -> PortalError | RecordsRefused:
        # First of all undo: nothing that goes wrong with the report may leave records behind.
        what = self._undo(name) if self._on_error == "undo" else self._keep_good(inserted, name)
        report = Failure(self.target, self.ledger, self.run.run_id, self._errors)
        if wrong:
            return report.unverified(wrong, what, test)
        return report.error(inserted, what, test)

    def _undo(self, name: str) -> str:
        """Remove what a failed seed made; return what became of it, and never raise for it."""
        try:
            return undone(self.clean(name), self.run.run_id)
        except CrmseedError as error:
            return (
                f"Undoing failed, and records may be left in the portal ({error}); remove them with "
                f"`crmseed cleanup --run {self.run.run_id}`."
            )

    def _keep_good(self, inserted: Inserted, name: str) -> str:
        self.ledger.keep(self.run.run_id, self._clock() + self.run.keep_for, seed=name)
        made = sum(1 for result in inserted.results if result.ok)
        return (
            f"{made} records were made and are kept (--crm-on-error keep-good); remove them with "
            f"`crmseed cleanup --run {self.run.run_id}`."
        )

    # -- cleaning --------------------------------------------------------------------------------
    def adopt(self, name: str, object_type: str, record_id: str) -> Record:
        """Take a record that the application made into this seed's cleanup, and return it.

        Raises:
            UsageError: the portal has no such record, or the id is none.
        """
        canonical = self.target.translator.canonical(object_type)
        given = str(record_id)
        found = self.reader.read(canonical, [given])
        if given not in found:
            raise UsageError(
                f"adopt({object_type!r}, {record_id!r}): the portal has no such record.",
                remedy="Adopt a record after the application made it, by its id.",
            )
        self._open_run()
        self.ledger.adopt(self.run.run_id, name, canonical, given)
        native, url = found[given]
        return self.reader.record(canonical, 0, given, native=native, url=url)

    def clean(self, name: str | None = None) -> CleanupResult:
        """Remove a seed's records (all of the run's without a name); what is left is in the result."""
        if not self._opened:
            return CleanupResult()
        return self.clean_entries(self.live(name), within=self.patience)

    def live(self, name: str | None = None) -> list[Entry]:
        """Return what of a seed (of the whole run without a name) may exist in the portal, by the ledger."""
        return self.ledger.live(self.run.run_id, name) if self._opened else []

    def clean_entries(self, entries: Iterable[Entry], *, within: float | None = None) -> CleanupResult:
        """Remove the records of ledger entries in this portal; what is left is in the result.

        After ``within`` seconds nothing more is begun.
        """
        cleaner = Cleaner(
            self.target.connection,
            self.ledger,
            links=self.target.links,
            listener=self._listener,
            seconds=within,
            recycle_bin=self._bin,
            clock=self._timer,
            sleep=self._sleep,
        )
        return cleaner.clean(entries)

    @property
    def overdue(self) -> bool:
        """Whether a seed of this run has outlived the expiry in its keys: from elsewhere it may be swept."""
        return self._clock() > self._outlives

    def end(self) -> None:
        """Close the run in the ledger."""
        if self._opened:
            self.ledger.end_run(self.run.run_id)
            self._opened = False
        self.liveness.close()

    def require_clean(self, result: CleanupResult) -> None:
        """Raise for what a cleanup left.

        Raises:
            CleanupIncomplete: something is left; the remedy is the command that removes it.
        """
        if not result.complete:
            raise CleanupIncomplete(
                f"{len(result.left)} records are left in {self.target.title}: {'; '.join(result.errors)}",
                remedy=f"Remove them with `crmseed cleanup --run {self.run.run_id}`.",
            )


def bin_of(provider: Provider) -> RecycleBin:
    """Return a provider as one that empties its CRM's recycle bin.

    Raises:
        UsageError: it cannot.
    """
    if isinstance(provider, RecycleBin):
        return provider
    raise UsageError(
        f"--crm-empty-bin: no API of {provider.title}'s empties its recycle bin.",
        remedy="Leave it out; for Salesforce it works.",
    )
