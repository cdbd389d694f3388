"""Remove what the ledger says may exist: children first, in batches, verified by a read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_crmseed.errors import ApiRefused, PortalError
from pytest_crmseed.events import Cleaned, Listener, ignore
from pytest_crmseed.ingest import portal_made
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.finding import Finder, located
from pytest_crmseed.ingest.ledger import Entry, Ledger
from pytest_crmseed.ingest.reading import found_by
from pytest_crmseed.planning import LinkRule
from pytest_crmseed.providers.base import Answer, Request
from pytest_crmseed.providers.optional import RecycleBin


@dataclass(slots=True)
class CleanupResult:
    """What a cleanup did. ``left`` are entries that still exist, or that nobody could check.

    ``removed`` counts records deleted now or before, ``absent`` those of requests without a proper
    answer that were looked for and do not exist. ``errors`` says why something is left, one text
    per failed step.
    """

    removed: int = 0
    absent: int = 0
    left: list[Entry] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether nothing is left."""
        return not self.left


class Cleaner:
    """Remove the records of ledger entries through one connection.

    Only ids in the ledger are deleted, and records found by a key that the ledger says a run of
    ours issued. A record that is gone already counts as removed. After ``seconds`` nothing new is
    begun, and what is left is in the result: the ledger knows it, and the next cleanup goes on.
    ``links`` are the link rules by which children go first; without them, the provider's own.
    With a ``recycle_bin``, a record counts as removed once it is out of the CRM's recycle bin, too.
    """

    def __init__(
        self,
        connection: Connection,
        ledger: Ledger,
        *,
        links: Mapping[str, Mapping[str, LinkRule]] | None = None,
        listener: Listener = ignore,
        seconds: float | None = None,
        recycle_bin: RecycleBin | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._links = connection.provider.links if links is None else links
        self._listener = listener
        self._seconds = seconds
        self._bin = recycle_bin
        self._clock = clock
        self._sleep = sleep
        self._started = clock()
        self._all_or_none = connection.provider.capabilities.atomic_deletes
        self._finder = Finder(
            connection, ledger, lambda exchange: connection.run(exchange, within=self._time_left)
        )

    def clean(self, entries: Iterable[Entry]) -> CleanupResult:
        """Remove the records of ``entries``; never raises for the portal's failures.

        A failed step does not keep the others from being tried; what it left is in the result.
        """
        self._started = self._clock()
        result = CleanupResult()
        by_type: dict[str, list[Entry]] = {}
        for entry in entries:
            by_type.setdefault(entry.object_type, []).append(entry)
        made: list[Entry] = []
        for object_type in children_first(by_type, self._links):
            made += self._clean_type(object_type, by_type[object_type], result)
        for object_type in dict.fromkeys(entry.object_type for entry in made):
            self._clean_type(object_type, [x for x in made if x.object_type == object_type], result)
        self._listener(Cleaned(result.removed, len(result.left), self._clock() - self._started))
        return result

    def _clean_type(self, object_type: str, entries: Sequence[Entry], result: CleanupResult) -> list[Entry]:
        """Remove records of one object type; return what the portal had made for them by itself."""
        try:
            with_ids, absent = self._look_up(object_type, entries)
        except PortalError as error:
            result.errors.append(f"{object_type}: {error}")
            # Once a record counts as gone, nobody looks for its twin any more. Those that can have none
            # and whose ids are known need no look-up: they are removed all the same.
            result.left += [entry for entry in entries if self._sought(entry)]
            with_ids, absent = _by_id(entry for entry in entries if not self._sought(entry)), []
        if absent:
            self._gone(absent)
            result.absent += len(absent)
        try:
            made = self._made_by_portal(object_type, with_ids, result)
        except PortalError as error:
            # Once they are gone, nothing tells what was made for them: the next cleanup goes on here.
            result.errors.append(f"{object_type}: {error}")
            result.left += [entry for group in with_ids.values() for entry in group]
            return []
        for ids in _chunks(list(with_ids), self._connection.provider.capabilities.delete_records):
            left = self._delete(object_type, ids, result)
            left |= self._in_the_bin(object_type, [id for id in ids if id not in left], result)
            self._gone([entry for record_id in ids if record_id not in left for entry in with_ids[record_id]])
            result.removed += len(ids) - len(left)
            result.left += [entry for record_id in ids if record_id in left for entry in with_ids[record_id]]
        return made

    def _made_by_portal(
        self, object_type: str, records: Mapping[str, Sequence[Entry]], result: CleanupResult
    ) -> list[Entry]:
        try:
            return portal_made.take_in(self._connection, self._ledger, object_type, records)
        except ApiRefused as error:
            result.errors.append(f"{object_type}: what the portal made for them was not found: {error}")
            return []

    def _look_up(
        self, object_type: str, entries: Sequence[Entry]
    ) -> tuple[dict[str, list[Entry]], list[Entry]]:
        """Find the ids of entries whose request got no proper answer, by their keys.

        The read is one of the record store, not of a search index; absence counts after the
        provider's settle time.
        """
        with_ids = _by_id(entries)
        sought = {entry.key: entry for entry in entries if entry.key and self._sought(entry)}
        missing = {key for key, entry in sought.items() if entry.id is None}
        keys = list(sought)
        for attempt in range(2):
            if not keys:
                break
            if attempt:
                self._wait(self._connection.provider.capabilities.settle_seconds)
            found = self._finder.find(object_type, [sought[key] for key in keys])
            for key, record_id in [(key, record.id) for key, records in found.items() for record in records]:
                if record_id in with_ids:
                    continue
                entry = sought[key]
                if key in missing:
                    missing.remove(key)
                    self._ledger.known(entry.run_id, [(key, record_id)])
                else:
                    entry = self._ledger.twin(entry.run_id, key, record_id)
                with_ids[record_id] = [entry]
            keys = [key for key in sought if key in missing]
        return with_ids, [sought[key] for key in keys]

    def _sought(self, entry: Entry) -> bool:
        """Whether an entry's record has to be looked for: its id is unknown, or it may have a twin."""
        if entry.key is None:
            return False
        return entry.id is None or not located(entry, self._connection.provider)[0].enforced

    def _delete(self, object_type: str, ids: Sequence[str], result: CleanupResult) -> set[str]:
        """Delete and verify; return the ids that are left.

        Whatever the deletion was answered, the read decides: an API may refuse a batch because some
        of it is gone already, or pass a record over, and then the rest is asked for once more.
        """
        left = list(ids)
        try:
            refused = self._try_to_delete(object_type, left)
            left = self._still_there(object_type, left)
            if left and (refused is None or len(left) < len(ids)):
                refused = self._try_to_delete(object_type, left)
                left = self._still_there(object_type, left)
            if len(left) > 1 and isinstance(refused, ApiRefused) and self._all_or_none:
                # One that cannot be deleted keeps all others of its request.
                return {kept for half in _halves(left) for kept in self._delete(object_type, half, result)}
        except PortalError as error:
            result.errors.append(f"{object_type}: {error}")
            return set(left)
        if left:
            said = f" {refused}" if refused is not None else ""
            result.errors.append(
                f"{object_type}: {len(left)} records are still there after their deletion.{said}"
            )
        return set(left)

    def _in_the_bin(self, object_type: str, ids: Sequence[str], result: CleanupResult) -> set[str]:
        """Take deleted records out of the recycle bin, if that is wished; return those still in it."""
        if self._bin is None or not ids:
            return set()
        kept: Mapping[str, str] = dict.fromkeys(ids, "")
        try:
            kept = self._connection.run(self._bin.empty_bin(object_type, ids), within=self._time_left)
        except PortalError as error:
            result.errors.append(f"{object_type}: deleted, and still in the recycle bin: {error}")
        else:
            if kept:
                reasons = " ".join(dict.fromkeys(kept.values()))
                result.errors.append(
                    f"{object_type}: {len(kept)} deleted records are still in the recycle bin: {reasons}"
                )
        return set(kept)

    def _try_to_delete(self, object_type: str, ids: Sequence[str]) -> PortalError | None:
        try:
            self._send(self._connection.provider.delete(object_type, ids))
        except PortalError as error:
            return error
        return None

    def _still_there(self, object_type: str, ids: Sequence[str]) -> list[str]:
        provider = self._connection.provider
        request = provider.read(object_type, ids, ())
        found = {found.id for found in found_by(request, provider, self._send)}
        return [record_id for record_id in ids if record_id in found]

    def _send(self, request: Request) -> Answer:
        return self._connection.send(request, within=self._time_left())

    def _wait(self, seconds: float) -> None:
        left = self._time_left()
        if left is not None and left < seconds:
            raise self._out_of_time()
        self._sleep(seconds)

    def _time_left(self) -> float | None:
        if self._seconds is None:
            return None
        left = self._started + self._seconds - self._clock()
        if left <= 0:
            raise self._out_of_time()
        return left

    def _out_of_time(self) -> PortalError:
        return PortalError(f"not finished within {self._seconds:g} s.")

    def _gone(self, entries: Sequence[Entry]) -> None:
        by_run: dict[str, list[Entry]] = {}
        for entry in entries:
            by_run.setdefault(entry.run_id, []).append(entry)
        for run_id, group in by_run.items():
            self._ledger.gone(run_id, group)


def children_first(object_types: Iterable[str], links: Mapping[str, Mapping[str, LinkRule]]) -> list[str]:
    """Return object types so that each comes before those it refers to."""
    names = list(object_types)
    order: list[str] = []

    def visit(name: str, underway: tuple[str, ...]) -> None:
        if name in order or name in underway:
            return
        for rule in links.get(name, {}).values():
            visit(rule.object_type, (*underway, name))
        order.append(name)

    for name in names:
        visit(name, ())
    return [name for name in reversed(order) if name in names]


def _by_id(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    # Several runs may know one record: the one that made it, and one that adopted it.
    by_id: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.id is not None:
            by_id.setdefault(entry.id, []).append(entry)
    return by_id


def _halves(items: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    middle = len(items) // 2
    return items[:middle], items[middle:]


def _chunks(items: Sequence[str], most: int) -> Iterable[Sequence[str]]:
    for start in range(0, len(items), most):
        yield items[start : start + most]
