"""The rows of an org in the store: by number, by id, by unique value, by parent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from pytest_crmseed.portal.salesforce import ids
from pytest_crmseed.portal.salesforce.catalogue import SYSTEM, Catalogue
from pytest_crmseed.portal.salesforce.definitions import PROVIDER, SObject
from pytest_crmseed.portal.store import Store, StoredLink, StoredRecord

_PAGE = 500
FIRST = 20_000_000
"""Where the numbers of rows that clients make begin; those of the org itself are below."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of an object: the record in the store, and the id by which clients know it.

    ``deleted`` rows are in the recycle bin.
    """

    object: SObject
    record: StoredRecord
    id: str

    @property
    def deleted(self) -> bool:
        """Whether it is in the recycle bin."""
        return self.record.archived is not None

    def __getitem__(self, name: str) -> str | None:
        """Return what is kept of a field, by its name in its own case; None where nothing is."""
        return self.record.properties.get(name)


class Rows:
    """The rows of all objects."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue
        # Ids that another org has given: those of record types in a pulled schema.
        self.foreign: dict[str, tuple[str, int]] = {}

    def row(self, each: SObject, record: StoredRecord) -> Row:
        """Return a record as a row."""
        own = record.properties.get("Id") if each.name in SYSTEM else None
        return Row(each, record, own or ids.made(each.prefix, record.id))

    def scan(self, each: SObject, *, deleted: bool = False) -> Iterator[Row]:
        """Yield the rows of an object, oldest first: the live ones, or those in the recycle bin."""
        start = 0
        while True:
            page = self._store.page(PROVIDER, each.name, start=start, limit=_PAGE, archived=deleted)
            for record in page:
                yield self.row(each, record)
            if len(page) < _PAGE:
                return
            start = page[-1].id + 1

    def get(self, each: SObject, numbers: Iterable[int]) -> dict[int, Row]:
        """Return those of the rows that exist, be they in the recycle bin, by number."""
        found = self._store.get(PROVIDER, each.name, numbers)
        return {number: self.row(each, record) for number, record in found.items()}

    def by_ids(self, texts: Iterable[str]) -> dict[str, Row]:
        """Return those of the rows that exist, be they in the recycle bin, by id of 18 characters.

        The ids may be of 15 characters or 18, and of several objects.
        """
        wanted: dict[str, list[int]] = {}
        for text in texts:
            known = self.foreign.get(text)
            if known is None:
                parsed = ids.parse(text)
                each = None if parsed is None else self._catalogue.of_id(parsed.prefix)
                if parsed is None or parsed.number is None or each is None:
                    continue
                known = each.name, parsed.number
            wanted.setdefault(known[0], []).append(known[1])
        found: dict[str, Row] = {}
        for name, numbers in wanted.items():
            each = self._catalogue.find(name)
            if each is not None:
                found.update((row.id, row) for row in self.get(each, numbers).values())
        return found

    def by_id(self, text: str) -> Row | None:
        """Return the row of an id of 15 or 18 characters, be it in the recycle bin; None without one."""
        return next(iter(self.by_ids([text]).values()), None)

    def holder(self, each: SObject, field: str, value: str) -> Row | None:
        """Return the live row that holds a unique value, in the form in which values are compared."""
        number = self._store.holder(PROVIDER, each.name, field, value)
        return None if number is None else self.get(each, [number]).get(number)

    def hold(self, row: Row, field: str, values: Iterable[str], *, new: bool) -> None:
        """Give a row a unique value in place of the one it held."""
        self._store.hold(PROVIDER, row.object.name, field, values, row.record.id, new=new)

    def is_system(self, each: SObject) -> bool:
        """Whether an object's rows are the org's own, to which no references are kept."""
        return each.name in SYSTEM

    def children(self, row: Row, of: str | None = None) -> list[tuple[str, int, str]]:
        """Return the live rows that refer to a row: object, number, field; of one object if it is named."""
        links = self._store.links(PROVIDER, row.object.name, [row.record.id], of)
        return [(link.to_type, link.to_id, link.category) for link in links.get(row.record.id, ())]

    def refer(self, row: Row, field: str, old: str | None, new: str | None) -> None:
        """Note that a row refers to another one by a field, in place of the one it did."""
        for target, change in ((old, self._store.unlink), (new, self._store.link)):
            parsed = ids.parse(target)
            each = None if parsed is None else self._catalogue.of_id(parsed.prefix)
            if parsed is None or parsed.number is None or each is None or each.name in SYSTEM:
                continue
            link = StoredLink(each.name, parsed.number, row.object.name, row.record.id, field, 0)
            change(PROVIDER, [link])

    def new_number(self, each: SObject) -> int:
        """Return a number that no row of the object ever had."""
        return self._store.new_id(PROVIDER, each.name, FIRST)

    def save(self, row: Row) -> None:
        """Insert a row, or replace the one of its number."""
        self._store.save(PROVIDER, row.object.name, row.record)

    def delete(self, row: Row, at: float) -> None:
        """Put a row into the recycle bin; its unique values are free."""
        self._store.archive(PROVIDER, row.object.name, [row.record.id], at)

    def purge(self, row: Row) -> None:
        """Remove a row for good."""
        self._store.purge(PROVIDER, row.object.name, row.record.id)

    def counts(self) -> dict[str, int]:
        """Return the number of live rows by object; objects without any are absent."""
        return self._store.live_counts(PROVIDER)


def live(rows: Collection[Row]) -> list[Row]:
    """Return those of rows that are not in the recycle bin."""
    return [row for row in rows if not row.deleted]
