"""After a request without a proper answer: find out by key which of its records exist."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from pytest_crmseed.errors import PortalError
from pytest_crmseed.ingest.cleaner import Cleaner
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.finding import Finder
from pytest_crmseed.ingest.ledger import Entry, Ledger
from pytest_crmseed.providers.base import Found
from pytest_crmseed.records import Draft, RecordResult


class Reconciler:
    """Look drafts of one run up by their keys, in the record store and not in a search index.

    What is found stands in the ledger before it is returned. A read proves that a record exists; it
    proves that one does not exist only after the provider's settle time.
    """

    def __init__(
        self,
        connection: Connection,
        ledger: Ledger,
        run_id: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._run_id = run_id
        self._sleep = sleep
        self._finder = Finder(connection, ledger)

    def look_up(self, drafts: Sequence[Draft]) -> tuple[list[RecordResult], list[Draft]]:
        """Return the results of drafts that exist already, and the drafts that were not found."""
        found = self._read(drafts)
        results, missing = [], []
        for draft in drafts:
            records = found.get(draft.key, [])
            if not records:
                missing.append(draft)
                continue
            # Of several, the first is the one; the recount removes the others.
            first = records[0]
            results.append(RecordResult(draft, first.id, dict(first.native), first.url))
        if results:
            self._ledger.known(self._run_id, [(r.draft.key, str(r.id)) for r in results])
        return results, missing

    def settle(
        self, drafts: Sequence[Draft], *, wait: bool = False
    ) -> tuple[list[RecordResult], list[Draft]]:
        """Return the same, with proof: what is not found does not exist.

        With ``wait`` the settle time passes even if all are found, so that no request is under way any
        more: once a record is deleted, a late one would make it anew.
        """
        results, missing = self.look_up(drafts)
        if missing or wait:
            self._sleep(self._connection.provider.capabilities.settle_seconds)
            late, missing = self.look_up(missing)
            results += late
        return results, missing

    def recount(self, results: Iterable[RecordResult]) -> None:
        """Count the records of keys again, and remove what was made twice.

        Needed where the portal does not keep our keys unique: an earlier request may have been
        carried out after all when its drafts were sent again.

        Raises:
            PortalError: what was made twice could not be removed.
        """
        made = list(results)
        if not made:
            return
        self._sleep(self._connection.provider.capabilities.settle_seconds)
        found = self._read([result.draft for result in made])
        surplus: list[Entry] = [
            self._ledger.twin(self._run_id, result.draft.key, record.id)
            for result in made
            for record in found.get(result.draft.key, [])
            if record.id != result.id
        ]
        if not surplus:
            return
        cleaned = Cleaner(self._connection, self._ledger, sleep=self._sleep).clean(surplus)
        if not cleaned.complete:
            raise PortalError(
                f"The portal made {len(cleaned.left)} records twice, and the surplus cannot be removed "
                f"({'; '.join(cleaned.errors)})."
            )

    def _read(self, drafts: Sequence[Draft]) -> dict[str, list[Found]]:
        found: dict[str, list[Found]] = {}
        for object_type in dict.fromkeys(draft.object_type for draft in drafts):
            alike = [draft for draft in drafts if draft.object_type == object_type]
            fields = list(dict.fromkeys(name for draft in alike for name in draft.values))
            entries = self._ledger.by_keys(self._run_id, [draft.key for draft in alike])
            found |= self._finder.find(object_type, entries.values(), fields)
        return found
