"""Remove what dead runs left: known from the ledger, or from the keys that records carry in the portal."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from filelock import Timeout

from pytest_crmseed.errors import UnknownName
from pytest_crmseed.ingest.cleaner import CleanupResult
from pytest_crmseed.ingest.entries import Entry, Run
from pytest_crmseed.ingest.finding import route_of
from pytest_crmseed.ingest.keys import Key, parse_key
from pytest_crmseed.ingest.liveness import WHOLE
from pytest_crmseed.seeder.seeder import Engine


@dataclass(slots=True)
class Swept:
    """What a sweep did: records removed by run, what is left of each, and the runs it had to spare.

    ``spared`` gives the reason by run id, ``unkeyed`` the object types whose records carry no key here.
    """

    removed: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    spared: dict[str, str] = field(default_factory=dict)
    unkeyed: list[str] = field(default_factory=list)

    def add(self, run_id: str, result: CleanupResult) -> None:
        """Add what cleaning a run came to."""
        if result.removed:
            self.removed[run_id] = self.removed.get(run_id, 0) + result.removed
        if result.left:
            self.left[run_id] = self.left.get(run_id, 0) + len(result.left)
        self.errors += result.errors


class Sweeper:
    """Sweep one engine's portal; the engine's own run is never touched."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._ledger = engine.ledger
        self._clock = clock

    def by_ledger(self) -> Swept:
        """Remove what runs left in this portal that are not under way any more, as the ledger knows it.

        Records that are kept stay until their time has come. When another process sweeps already, it
        does so alone.
        """
        swept = Swept()
        if not self._dead():
            return swept
        try:
            with self._engine.liveness.alone("sweep"):
                for run in self._dead():
                    due = self._due(self._ledger.live(run.run_id))
                    if due:
                        swept.add(run.run_id, self._engine.clean_entries(due))
                    if not self._ledger.live(run.run_id):
                        self._ledger.end_dead(run.run_id)
        except Timeout:
            pass
        self._engine.liveness.tidy()
        return swept

    def _dead(self) -> list[Run]:
        return [
            summary.run
            for summary in self._ledger.runs()
            if summary.live
            and not summary.run.ephemeral
            and self._in_this_portal(summary.run)
            and self._spare(summary.run) is None
        ]

    def _in_this_portal(self, run: Run) -> bool:
        target = self._engine.target
        return (run.provider, run.portal_id) == (target.provider.name, target.account.portal_id)

    def _spare(self, run: Run) -> str | None:
        if run.run_id[:WHOLE] == self._engine.run.run_id[:WHOLE]:
            return "it is this run"
        if self._engine.liveness.alive(run):
            return "it is under way"
        return None

    def _due(self, entries: Iterable[Entry]) -> list[Entry]:
        now = self._clock()
        return [entry for entry in entries if entry.kept_until is None or entry.kept_until <= now]

    # -- without a ledger ------------------------------------------------------------------------
    def by_keys(self, *, dry_run: bool = False) -> Swept:
        """Remove records in this portal that carry the key of a run that has expired, whoever made them.

        A run that this machine's ledger knows is judged by the ledger; any other one by the expiry in
        its keys, the latest of them. With ``dry_run`` what would be removed is counted as left.

        Raises:
            PortalError: the portal cannot be searched.
        """
        swept = Swept()
        for run_id, records in self._keyed(swept).items():
            reason = self._reason_to_spare(run_id, [key for _, key, _ in records])
            if reason is not None:
                swept.spared[run_id] = reason
                continue
            if dry_run:
                swept.left[run_id] = len(records)
                continue
            entries = self._due(self._taken_in(run_id, records))
            if entries:
                swept.add(run_id, self._engine.clean_entries(entries))
            if not self._ledger.live(run_id):
                self._ledger.end_dead(run_id)
        return swept

    def _keyed(self, swept: Swept) -> dict[str, list[tuple[str, Key, str]]]:
        """Return the records that carry a key, as (object type, key, id) by run id."""
        target = self._engine.target
        provider, connection = target.provider, target.connection
        names = [target.translator.canonical(native) for native in target.translator.schema.object_types]
        routes = connection.run(provider.key_routes(names))
        swept.unkeyed += [name for name in names if name not in routes or not routes[name].carries_key]
        provider.routes = {**provider.routes, **routes}
        by_run: dict[str, list[tuple[str, Key, str]]] = {}
        for name in names:
            if name in swept.unkeyed:
                continue
            for record_id, text in connection.run(provider.marked(name)).items():
                key = parse_key(text)
                if key is not None and key.is_of(name):
                    by_run.setdefault(key.run_id, []).append((name, key, record_id))
        return by_run

    def _reason_to_spare(self, run_id: str, keys: Sequence[Key]) -> str | None:
        try:
            run = self._ledger.run(run_id)
        except UnknownName:
            expires = max(key.expires_at for key in keys)
            if expires <= self._clock():
                return None
            when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(expires))
            return f"it may be under way elsewhere until it expires at {when}"
        if not self._in_this_portal(run):
            return (
                f"by the ledger it belongs to {run.provider} portal {run.portal_id}; was one portal copied "
                "into another? Its records here have to be removed by hand"
            )
        return self._spare(run)

    def _taken_in(self, run_id: str, records: Sequence[tuple[str, Key, str]]) -> list[Entry]:
        """Write found records into the ledger, so that what cuts the sweep short is found again."""
        target = self._engine.target
        now = self._clock()
        issued = min(key.issued_at for _, key, _ in records)
        expires = max(key.expires_at for _, key, _ in records)
        self._ledger.open_run(
            Run(
                run_id=run_id,
                provider=target.provider.name,
                portal_id=target.account.portal_id,
                target="local" if target.address.is_local else "sandbox",
                base_url=target.address.lasting,
                pid=os.getpid(),
                host=socket.gethostname(),
                worker="",
                started_at=issued,
                heartbeat_at=min(now, expires),
                expires_at=expires,
            )
        )
        wanted: dict[str, str] = {}
        twins: list[Entry] = []
        for name, key, record_id, text in self._confirmed(records):
            if wanted.setdefault(text, record_id) != record_id:
                twins.append(self._ledger.twin(run_id, text, record_id))
                continue
            self._ledger.find(run_id, key.seed, name, [(key.index, text, record_id)])
        return [entry for entry in self._ledger.live(run_id) if entry.key in wanted] + twins

    def _confirmed(self, records: Sequence[tuple[str, Key, str]]) -> Iterable[tuple[str, Key, str, str]]:
        """Yield the records that the record store, too, says carry their key: an index may be behind."""
        provider = self._engine.target.provider
        by_type: dict[str, dict[str, Key]] = {}
        for name, key, record_id in records:
            by_type.setdefault(name, {})[record_id] = key
        for name, keys in by_type.items():
            route = route_of(provider, name)
            for record_id, (native, _) in self._engine.reader.read(name, list(keys), [route.field]).items():
                text = route.key_in(native) or ""
                if parse_key(text) == keys[record_id]:
                    yield name, keys[record_id], record_id, text
