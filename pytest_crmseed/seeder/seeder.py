"""Seed a portal and clean it again: prepare → execute → undo."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pytest_crmseed.errors import (
    CleanupIncomplete,
    Conflict,
    OutcomeUnknown,
    PortalError,
    RecordsRefused,
    UsageError,
)
from pytest_crmseed.events import Listener, PlanReady, Seeded, ignore
from pytest_crmseed.factories import CRMFactory, Generation, default_factories
from pytest_crmseed.ingest import guard
from pytest_crmseed.ingest.batches import in_batches
from pytest_crmseed.ingest.cleaner import Cleaner, CleanupResult
from pytest_crmseed.ingest.inserter import Inserted, Inserter
from pytest_crmseed.ingest.keys import make_key
from pytest_crmseed.ingest.ledger import Entry, Ledger, Run
from pytest_crmseed.ingest.schedule import Cost, cost
from pytest_crmseed.planning import Count, Plan, as_count, make_plan
from pytest_crmseed.records import Record, RecordResult, SeededRecords
from pytest_crmseed.seeder.errorfile import ErrorFile
from pytest_crmseed.seeder.prepare import Drafts, prepare
from pytest_crmseed.seeder.target import Target
from pytest_crmseed.schema.legend import Translator

_UNIQUE_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Recipe:
    """What generated values depend on, and which factories make them."""

    random_seed: int
    base_date: date
    locale: str = "en_US"
    email_domain: str = "example.com"
    factories: Mapping[str, type[CRMFactory]] = field(default_factory=dict)

    def factory_of(self) -> Mapping[str, type[CRMFactory]]:
        """Return the factories by object type, the caller's before the stock ones."""
        return {**default_factories(), **self.factories}


@dataclass(frozen=True)
class RunInfo:
    """The run that records belong to: its id, when it expires, how long kept records stay."""

    run_id: str
    expires_after: float = 7200.0
    keep_for: float = 86400.0
    worker: str = ""


@dataclass
class Seed:
    """One seed: its records, and what cleanup needs to know of it.

    ``shared`` marks a seed that several processes use and another one removes, ``joined`` one that
    another process made.
    """

    name: str
    plan: Plan
    records: SeededRecords
    keep: bool = False
    seconds: float = 0.0
    requests: int = 0
    shared: bool = False
    joined: bool = False


def plan_counts(
    counts: Mapping[str, int | Count],
    translator: Translator,
    target_links: Mapping[str, Any],
    *,
    wider: Mapping[str, Sequence[Record]] | None = None,
    limit: int | None = None,
) -> Plan:
    """Return the plan of counts given by any name of their object types.

    Raises:
        UsageError: a name is unknown or given twice, or a count is no number.
    """
    canonical: dict[str, Count] = {}
    for given, value in counts.items():
        name = translator.canonical(given)
        if name in canonical:
            raise UsageError(f"{given!r} is {name}, which is asked for twice; give one.")
        canonical[name] = as_count(value, given)
    return make_plan(canonical, target_links, wider=wider, limit=limit)


class Engine:
    """Seed one open portal within one run, and remove what was seeded.

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
        listener: Listener = ignore,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.target = target
        self.ledger = ledger
        self.run = run
        self.limits = limits
        self._errors = errors
        self._count = count
        self._batch_size = batch_size
        self._on_error = on_error
        self._listener = listener
        self._clock = clock
        self._sleep = sleep
        self._numbers = 0
        self._opened = False
        self._checked: set[str] = set()
        self._lock = threading.RLock()

    # -- before the first record -----------------------------------------------------------------
    def demand(self, plans: Iterable[Plan]) -> guard.Demand:
        """Return what plans ask of the portal together."""
        plans = list(plans)
        capabilities = self.target.provider.capabilities
        total = Cost()
        object_types: dict[str, None] = {}
        for plan in plans:
            total += cost(plan, capabilities, batch_size=self._batch_size)
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
            guard.check_unique_keys(self.target.connection, self.target.account, new)
            self._checked.update(new)

    def plan(
        self, counts: Mapping[str, int | Count], wider: Mapping[str, Sequence[Record]] | None = None
    ) -> Plan:
        """Return the plan of counts in this portal."""
        return plan_counts(
            counts, self.target.translator, self.target.provider.links, wider=wider, limit=self._count
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
        drafts = self._prepare(plan, recipe, node, name, started, wider)
        batches = self._batches(plan, drafts)
        self._listener(PlanReady(plan.counts, len(batches)))
        self._open_run()
        if keep:
            self.ledger.keep(self.run.run_id, started + self.run.keep_for, seed=name)
        before = self.target.connection.requests
        inserter = Inserter(self.target.connection, self.ledger, self.run.run_id, listener=self._listener)
        try:
            inserted = inserter.insert(batches, name, stop_at_refusal=self._on_error == "undo")
        except BaseException as error:
            error.add_note(f"crmseed: {self._undo(name)}")
            raise
        if not inserted.complete:
            raise self._failure(inserted, name, test)
        records = self._records(plan, inserted.results)
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
            return make_key(
                self.run.run_id, int(now), int(now + self.run.expires_after), object_type, name, index
            )

        return prepare(
            plan, self.target.translator, recipe.factory_of(), generation, key, wider=wider
        )

    def _batches(self, plan: Plan, drafts: Drafts) -> list[Any]:
        provider = self.target.provider
        most = min(self._batch_size or provider.capabilities.batch_records, provider.capabilities.batch_records)
        return [
            batch
            for step in plan.steps
            for batch in in_batches(
                drafts[step.object_type],
                most=most,
                most_bytes=provider.capabilities.batch_bytes,
                size=provider.size,
            )
        ]

    def _open_run(self) -> None:
        with self._lock:
            if self._opened:
                self.ledger.heartbeat(self.run.run_id)
                return
            now = self._clock()
            address = self.target.address
            self.ledger.open_run(
                Run(
                    run_id=self.run.run_id,
                    provider=self.target.provider.name,
                    portal_id=self.target.account.portal_id,
                    target="local" if address.is_local else "sandbox",
                    base_url=address.base_url,
                    pid=_pid(),
                    host=socket.gethostname(),
                    worker=self.run.worker,
                    started_at=now,
                    heartbeat_at=now,
                    expires_at=now + self.run.expires_after,
                    kept_until=None,
                    ended_at=None,
                    ephemeral=address.private,
                )
            )
            self._opened = True

    def _records(self, plan: Plan, results: Sequence[RecordResult]) -> SeededRecords:
        by_type: dict[str, list[Record]] = {step.object_type: [] for step in plan.steps}
        ids = {(r.draft.object_type, r.draft.index): r.id for r in results}
        for result in results:
            draft = result.draft
            links = tuple(
                link if link.id is not None else _with_id(link, ids[(link.object_type, link.index or 0)])
                for link in draft.links
            )
            assert result.id is not None
            by_type[draft.object_type].append(
                self.record(
                    draft.object_type,
                    draft.index,
                    result.id,
                    key=draft.key,
                    native=result.native,
                    url=result.url,
                    links=links,
                )
            )
        for records in by_type.values():
            records.sort(key=lambda record: record.index)
        return SeededRecords(by_type, aliases=self.target.translator.aliases())

    def record(self, object_type: str, index: int, record_id: str, **more: Any) -> Record:
        """Return a record of this portal, which decodes and reloads itself."""
        return Record(
            object_type=object_type,
            index=index,
            id=record_id,
            decode=self.target.translator.to_neutral,
            reload=self._reload,
            **more,
        )

    def _reload(self, record: Record) -> tuple[Mapping[str, Any], str | None]:
        found = self.read(record.object_type, [record.id])
        if not found:
            raise PortalError(
                f"{record.object_type}[{record.index}] (id {record.id}) is gone from the portal.",
                remedy="Did the application delete or merge it?",
                status=404,
            )
        return found[record.id]

    def read(
        self, object_type: str, ids: Sequence[str]
    ) -> dict[str, tuple[Mapping[str, Any], str | None]]:
        """Return native values and page by id, for those of ``ids`` that exist."""
        provider = self.target.provider
        fields = list(self.target.translator.object_type(object_type).fields)
        out: dict[str, tuple[Mapping[str, Any], str | None]] = {}
        most = provider.capabilities.read_records
        for start in range(0, len(ids), most):
            request = provider.read(object_type, ids[start : start + most], fields)
            for found in provider.found(self.target.connection.send(request)):
                out[found.id] = (found.native, found.url)
        return out

    # -- failing ---------------------------------------------------------------------------------
    def _failure(self, inserted: Inserted, name: str, test: str) -> Exception:
        self._write_errors(inserted.refused, test)
        made = sum(1 for result in inserted.results if result.ok)
        if self._on_error == "keep-good":
            self.ledger.keep(self.run.run_id, self._clock() + self.run.keep_for, seed=name)
            what = (
                f"{made} records were made and are kept (--crm-on-error keep-good); remove them with "
                f"`crmseed cleanup --run {self.run.run_id}`."
            )
        else:
            what = self._undo(name)
        if inserted.failure is not None:
            error = inserted.failure
            error.remedy = f"{error.remedy} {what}".strip()
            return error
        return self._refused(inserted, what)

    def _undo(self, name: str) -> str:
        result = self.clean(name)
        if result.complete:
            if result.removed:
                return f"The seed was undone: {result.removed} records removed."
            return "Nothing was left in the portal."
        return (
            f"Undoing left {len(result.left)} records in the portal ({'; '.join(result.errors)}); remove them "
            f"with `crmseed cleanup --run {self.run.run_id}`."
        )

    def _write_errors(self, refused: Sequence[RecordResult], test: str) -> None:
        if self._errors is None:
            return
        for result in refused:
            if any(refusal.code == "NOT_SENT" for refusal in result.refusals):
                continue
            self._errors.write(
                result,
                provider=self.target.provider.name,
                run_id=self.run.run_id,
                test=test,
                homes=self._homes(result.draft.object_type),
            )

    def _homes(self, object_type: str) -> dict[str, str]:
        entry = self.target.provider.legend.objects.get(object_type)
        return {home.native: neutral for neutral, home in entry.fields.items()} if entry else {}

    def _refused(self, inserted: Inserted, what: str) -> RecordsRefused:
        refused = [r for r in inserted.refused if not any(x.code == "NOT_SENT" for x in r.refusals)]
        counts: dict[str, int] = {}
        for result in refused:
            counts[result.draft.object_type] = counts.get(result.draft.object_type, 0) + 1
        title = self.target.provider.title
        head = f"{title} refused {', '.join(f'{n} {name}' for name, n in counts.items())}."
        lines = [self._refusal_line(result) for result in refused[:3]]
        if len(refused) > 3:
            lines.append(f"and {len(refused) - 3} more")
        details = f" All of them: {self._errors.path}." if self._errors else ""
        message = head + "\n  " + "\n  ".join(lines) + "\n"
        conflict = any(refusal.conflict for result in refused for refusal in result.refusals)
        kind = Conflict if conflict else RecordsRefused
        if conflict:
            what += (
                " A record that this run did not make holds the value; it was not touched."
            )
        return kind(message, refused, remedy=what + details)

    def _refusal_line(self, result: RecordResult) -> str:
        draft = result.draft
        homes = self._homes(draft.object_type)
        parts = []
        for refusal in result.refusals:
            where = f"{draft.object_type}[{draft.index}]"
            if refusal.field:
                native = refusal.field
                value = refusal.value if refusal.value is not None else draft.values.get(native)
                neutral = homes.get(native)
                where += f".{neutral} ({native})" if neutral and neutral != native else f".{native}"
                if value is not None:
                    where += f" = {value!r}"
            code = f" [{refusal.code}]" if refusal.code else ""
            parts.append(f"{where}: {refusal.message}{code}")
        return "; ".join(parts)

    # -- cleaning --------------------------------------------------------------------------------
    def adopt(self, name: str, object_type: str, record_id: str) -> Record:
        """Take a record that the application made into this seed's cleanup, and return it.

        Raises:
            UsageError: the portal has no such record, or the id is none.
        """
        canonical = self.target.translator.canonical(object_type)
        given = str(record_id)
        found = self.read(canonical, [given])
        if given not in found:
            raise UsageError(
                f"adopt({object_type!r}, {record_id!r}): the portal has no such record.",
                remedy="Adopt a record after the application made it, by its id.",
            )
        self._open_run()
        self.ledger.adopt(self.run.run_id, name, canonical, given)
        native, url = found[given]
        return self.record(canonical, 0, given, native=native, url=url)

    def clean(self, name: str | None = None) -> CleanupResult:
        """Remove a seed's records (all of the run's without a name); what is left is in the result."""
        if not self._opened:
            return CleanupResult()
        return self.clean_entries(self.ledger.live(self.run.run_id, name))

    def clean_entries(self, entries: Iterable[Entry]) -> CleanupResult:
        """Remove the records of ledger entries in this portal; what is left is in the result."""
        cleaner = Cleaner(self.target.connection, self.ledger, listener=self._listener, sleep=self._sleep)
        return cleaner.clean(entries)

    def end(self) -> None:
        """Close the run in the ledger."""
        if self._opened:
            self.ledger.end_run(self.run.run_id)
            self._opened = False

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


def unique_tag(run_id: str, seed: str) -> str:
    """Return eight characters that tell this seed's unique values from all others'."""
    number = int.from_bytes(hashlib.blake2b(f"{run_id}/{seed}".encode(), digest_size=8).digest())
    digits = ""
    for _ in range(8):
        number, digit = divmod(number, 36)
        digits += _UNIQUE_ALPHABET[digit]
    # A domain label of digits only is valid but odd; a letter first reads as a name.
    return "r" + digits[1:]


def _with_id(link: Any, record_id: str | None) -> Any:
    from dataclasses import replace

    return replace(link, index=None, id=record_id)


def _pid() -> int:
    import os

    return os.getpid()
