"""Records in the store: what is set on them, unique values, earlier values, merges."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_crmseed.portal.database import Database, parts

_COLUMNS = "id, properties, created, updated, archived, origin"
# Not INSERT OR REPLACE, whose deletes no trigger sees: the words of search are kept by triggers.
_SAVE = (
    "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
    " properties = excluded.properties, created = excluded.created, updated = excluded.updated,"
    " archived = excluded.archived, origin = excluded.origin"
)
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record: what is set on it, as text by property name, and when it was made, changed, archived.

    ``origin`` says who made it, in the words of the provider's own room.
    """

    id: int
    properties: Mapping[str, str]
    created: float
    updated: float
    archived: float | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class PastValue:
    """A value that a property got at a moment; empty where it was cleared."""

    at: float
    value: str
    origin: str


class RecordTables(Database):
    """The part of the store that holds records."""

    _last_ids: dict[tuple[str, str], int]
    _unsaved_ids: set[tuple[str, str]]

    def new_id(self, provider: str, object_type: str, first: int) -> int:
        """Return an id never given before: ``first`` or more, growing, with gaps."""
        with self._lock:
            key = provider, object_type
            last = self._last_ids.get(key, first)
            # A hash of the last id makes gaps that look random and come out the same every time.
            new = last + 1 + (last * 2_654_435_761 >> 7) % 97
            self._last_ids[key] = new
            self._unsaved_ids.add(key)
            if not self._depth:
                self._before_commit()
            return new

    def _before_commit(self) -> None:
        for provider, object_type in self._unsaved_ids:
            row = (provider, object_type, self._last_ids[provider, object_type])
            self._db.execute("INSERT OR REPLACE INTO last_ids VALUES (?, ?, ?)", row)
        self._unsaved_ids.clear()

    def save(self, provider: str, object_type: str, record: StoredRecord) -> None:
        """Insert a record, or replace the one with its id."""
        row = (
            provider,
            object_type,
            record.id,
            _encoded(record.properties),
            record.created,
            record.updated,
            record.archived,
            record.origin,
        )
        with self._lock:
            self._db.execute(_SAVE, row)

    def get(self, provider: str, object_type: str, ids: Iterable[int]) -> dict[int, StoredRecord]:
        """Return those of the records that exist, live or archived, by id."""
        found: dict[int, StoredRecord] = {}
        with self._lock:
            for part in parts(list(ids)):
                marks = ",".join("?" * len(part))
                found.update(
                    (row[0], as_record(row))
                    for row in self._db.execute(
                        f"SELECT {_COLUMNS} FROM records"
                        f" WHERE provider = ? AND object_type = ? AND id IN ({marks})",
                        (provider, object_type, *part),
                    )
                )
        return found

    def page(
        self, provider: str, object_type: str, *, start: int, limit: int, archived: bool = False
    ) -> list[StoredRecord]:
        """Return up to ``limit`` records from id ``start`` on, by id."""
        state = "IS NOT NULL" if archived else "IS NULL"
        with self._lock:
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM records"
                f" WHERE provider = ? AND object_type = ? AND archived {state} AND id >= ?"
                " ORDER BY id LIMIT ?",
                (provider, object_type, start, limit),
            )
            return [as_record(row) for row in rows]

    def archive(
        self, provider: str, object_type: str, ids: Iterable[int], at: float, *, holding: Collection[str] = ()
    ) -> None:
        """Archive live records; their links go, their unique values are free but those of ``holding``."""
        with self.transaction():
            for id, record in self.get(provider, object_type, ids).items():
                if record.archived is not None:
                    continue
                self.save(provider, object_type, replace(record, archived=at, updated=at))
                self._release(provider, object_type, id, holding)

    def purge(self, provider: str, object_type: str, id: int) -> None:
        """Remove a record for good, with its earlier values."""
        with self.transaction():
            self._release(provider, object_type, id, ())
            for table in ("history", "records"):
                self._db.execute(
                    f"DELETE FROM {table} WHERE provider = ? AND object_type = ? AND id = ?",
                    (provider, object_type, id),
                )

    def _release(self, provider: str, object_type: str, id: int, holding: Collection[str]) -> None:
        key = (provider, object_type, id)
        kept = ",".join("?" * len(holding))
        self._db.execute(
            "DELETE FROM unique_values WHERE provider = ? AND object_type = ? AND id = ?"
            f" AND property NOT IN ({kept})",
            (*key, *holding),
        )
        for side in ("from", "to"):
            self._db.execute(
                f"DELETE FROM links WHERE provider = ? AND {side}_type = ? AND {side}_id = ?", key
            )

    def live_counts(self, provider: str) -> dict[str, int]:
        """Return how many live records there are, by object type; types without any are absent."""
        with self._lock:
            rows = self._db.execute(
                "SELECT object_type, count(*) FROM records"
                " WHERE provider = ? AND archived IS NULL GROUP BY 1",
                (provider,),
            )
            return dict(rows.fetchall())

    # -- unique values ---------------------------------------------------------------------------
    def holder(self, provider: str, object_type: str, name: str, value: str) -> int | None:
        """Return the id of the record that holds a unique value."""
        with self._lock:
            row = self._db.execute(
                "SELECT id FROM unique_values"
                " WHERE provider = ? AND object_type = ? AND property = ? AND value = ?",
                (provider, object_type, name, value),
            ).fetchone()
            return row[0] if row else None

    def hold(
        self, provider: str, object_type: str, name: str, values: Iterable[str], id: int, *, new: bool = False
    ) -> None:
        """Give unique values to a record in place of those it held under a name.

        A ``new`` record has held none, which saves the look.
        """
        with self._lock:
            if not new:
                self._db.execute(
                    "DELETE FROM unique_values"
                    " WHERE provider = ? AND object_type = ? AND id = ? AND property = ?",
                    (provider, object_type, id, name),
                )
            for value in values:
                row = (provider, object_type, name, value, id)
                self._db.execute("INSERT INTO unique_values VALUES (?, ?, ?, ?, ?)", row)

    def index_unique(self, provider: str, object_type: str, name: str, *, unique: bool) -> None:
        """Start or stop keeping a property's values unique; of values held twice, the oldest counts."""
        with self.transaction():
            key = (provider, object_type, name)
            self._db.execute(
                "DELETE FROM unique_values WHERE (provider, object_type, property) = (?, ?, ?)", key
            )
            if unique:
                self._db.execute(
                    "INSERT OR IGNORE INTO unique_values"
                    " SELECT provider, object_type, held.key, held.value, records.id"
                    " FROM records, json_each(records.properties) AS held"
                    " WHERE provider = ? AND object_type = ? AND archived IS NULL AND held.key = ?"
                    " ORDER BY records.id",
                    key,
                )

    # -- earlier values --------------------------------------------------------------------------
    def remember(
        self, provider: str, object_type: str, id: int, name: str, values: Iterable[PastValue]
    ) -> None:
        """Add values to a property's history, oldest first.

        A property without a history has had its value since the record was made: creating a record
        writes none.
        """
        with self._lock:
            self._db.executemany(
                "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(provider, object_type, id, name, past.at, past.value, past.origin) for past in values],
            )

    def history(self, provider: str, object_type: str, id: int) -> dict[str, list[PastValue]]:
        """Return the values that were remembered of a record, by property, oldest first."""
        found: dict[str, list[PastValue]] = {}
        with self._lock:
            for name, *past in self._db.execute(
                "SELECT property, at, value, origin FROM history"
                " WHERE provider = ? AND object_type = ? AND id = ? ORDER BY rowid",
                (provider, object_type, id),
            ):
                found.setdefault(name, []).append(PastValue(*past))
        return found

    # -- merges and blocked values ---------------------------------------------------------------
    def merge(self, provider: str, object_type: str, id: int, into: int) -> None:
        """Let the id of a record that is gone, and those that led to it, lead to another record."""
        with self.transaction():
            self._db.execute(
                "UPDATE merged SET into_id = ? WHERE provider = ? AND object_type = ? AND into_id = ?",
                (into, provider, object_type, id),
            )
            self._db.execute(
                "INSERT OR REPLACE INTO merged VALUES (?, ?, ?, ?)", (provider, object_type, id, into)
            )

    def merged(self, provider: str, object_type: str, ids: Sequence[int]) -> dict[int, int]:
        """Return the records that merged ids lead to, by the merged id."""
        found: dict[int, int] = {}
        with self._lock:
            for part in parts(ids):
                marks = ",".join("?" * len(part))
                found.update(
                    self._db.execute(
                        "SELECT id, into_id FROM merged"
                        f" WHERE provider = ? AND object_type = ? AND id IN ({marks})",
                        (provider, object_type, *part),
                    )
                )
        return found

    def merged_into(self, provider: str, object_type: str, id: int) -> list[int]:
        """Return the ids that lead to a record, in order."""
        with self._lock:
            rows = self._db.execute(
                "SELECT id FROM merged WHERE provider = ? AND object_type = ? AND into_id = ? ORDER BY id",
                (provider, object_type, id),
            )
            return [row[0] for row in rows]

    def block(self, provider: str, name: str, value: str) -> None:
        """Let no record have a value of a property from now on."""
        with self._lock:
            self._db.execute("INSERT OR IGNORE INTO blocked_values VALUES (?, ?, ?)", (provider, name, value))

    def blocked(self, provider: str, name: str, value: str) -> bool:
        """Return whether a value was blocked."""
        with self._lock:
            row = self._db.execute(
                "SELECT 1 FROM blocked_values WHERE provider = ? AND property = ? AND value = ?",
                (provider, name, value),
            ).fetchone()
            return row is not None


def as_record(row: Sequence[Any]) -> StoredRecord:
    """Return a row of the records table, from the id on, as a record."""
    return StoredRecord(row[0], json.loads(row[1]), row[2], row[3], row[4], row[5])
