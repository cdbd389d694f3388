"""Find records of ours again: by their key, or by what stands in the ledger where they carry none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from pytest_crmseed.errors import LedgerError
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.entries import Entry
from pytest_crmseed.ingest.keys import parse_key
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.providers.base import Exchange, Found, KeyRoute, Provider, Sought
from pytest_crmseed.records import Draft

Records: TypeAlias = Mapping[str, Sequence[Found]]

# How far the clocks of a portal and of this machine may be apart, in seconds, without a record being
# looked for among too few. A look at more records than need be costs little.
CLOCKS_APART = 86_400.0


def route_of(provider: Provider, object_type: str) -> KeyRoute:
    """Return the route by which records of an object type are found; by default a unique field."""
    return provider.routes.get(object_type) or KeyRoute("unique", provider.legend.key_field)


def locator(route: KeyRoute, draft: Draft, ids: Mapping[tuple[str, int], str]) -> str | None:
    """Return what the ledger keeps of a draft, so that its record is found again; None where its key does.

    ``ids`` gives parents by (object type, index).
    """
    if route.kind == "unique":
        return None
    kept: dict[str, object] = {"route": route.kind, "field": route.field}
    if not route.carries_key:
        kept["value"] = str(draft.values.get(route.field) or "")
    if route.kind == "parents":
        kept["parents"] = [
            [link.object_type, ids[(link.object_type, link.index or 0)] if link.id is None else link.id]
            for link in draft.links
        ]
    return json.dumps(kept, ensure_ascii=False)


def located(entry: Entry, provider: Provider) -> tuple[KeyRoute, Sought]:
    """Return the route and the traces of a ledger entry that has a key.

    Raises:
        LedgerError: what the ledger keeps of it cannot be read.
    """
    assert entry.key is not None
    if entry.locator is None:
        return KeyRoute("unique", provider.legend.key_field), Sought(entry.key)
    try:
        kept = json.loads(entry.locator)
        parents = tuple((str(object_type), str(id)) for object_type, id in kept.get("parents", ()))
        route = KeyRoute(kept["route"], str(kept["field"]))
        return route, Sought(entry.key, str(kept.get("value", "")), parents)
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"the ledger's trace of the record of key {entry.key} cannot be read.") from error


class Finder:
    """Find the records of ledger entries in a portal; ``run`` sends an exchange's requests."""

    def __init__(
        self,
        connection: Connection,
        ledger: Ledger,
        run: Callable[[Exchange[Records]], Records] | None = None,
    ) -> None:
        self._provider = connection.provider
        self._ledger = ledger
        self._run: Callable[[Exchange[Records]], Records] = run or connection.run

    def find(
        self, object_type: str, entries: Iterable[Entry], fields: Sequence[str] = ()
    ) -> dict[str, list[Found]]:
        """Return the records of entries of one object type by key; of several of a key, its own first.

        Raises:
            PortalError: the portal cannot be read.
        """
        by_route: dict[KeyRoute, list[tuple[Entry, Sought]]] = {}
        for entry in entries:
            route, sought = located(entry, self._provider)
            by_route.setdefault(route, []).append((entry, sought))
        found: dict[str, list[Found]] = {}
        for route, some in by_route.items():
            records: dict[str, list[Found]] = {}
            capabilities = self._provider.capabilities
            most = capabilities.find_records or capabilities.read_records
            for start in range(0, len(some), most):
                chunk = [sought for _, sought in some[start : start + most]]
                exchange = self._provider.find(object_type, route, chunk, fields, since=_since(chunk))
                for key, these in self._run(exchange).items():
                    records.setdefault(key, []).extend(these)
            if not route.carries_key:
                records = self._told_apart(object_type, [entry for entry, _ in some], records)
            found |= records
        return found

    def _told_apart(
        self, object_type: str, entries: Sequence[Entry], records: Records
    ) -> dict[str, list[Found]]:
        """Give each entry a record of its own, of those that might be any of several's.

        What the ledger knows as another entry's record is that one's. What is left over was made twice,
        and goes with the last entry that it might be.
        """
        sought = {entry.key: entry for entry in entries}
        others: dict[str, str | None] = {}
        for run_id in {entry.run_id for entry in entries}:
            others |= self._ledger.ids(run_id, object_type)
        given: set[str] = {id for id, key in others.items() if key not in sought}
        out: dict[str, list[Found]] = {}
        for entry in entries:
            own = next((found for found in records.get(entry.key or "", ()) if found.id == entry.id), None)
            if own is not None:
                out[entry.key or ""] = [own]
                given.add(own.id)
        for key in sought:
            free = [found for found in records.get(key or "", ()) if found.id not in given]
            if free and (key or "") not in out:
                out[key or ""] = [free[0]]
                given.add(free[0].id)
        for key in reversed(list(sought)):
            for found in records.get(key or "", ()):
                if found.id not in given:
                    out.setdefault(key or "", []).append(found)
                    given.add(found.id)
        return out


def _since(sought: Sequence[Sought]) -> float:
    issued = [key.issued_at for each in sought if (key := parse_key(each.key)) is not None]
    return max(0.0, min(issued, default=0.0) - CLOCKS_APART)
