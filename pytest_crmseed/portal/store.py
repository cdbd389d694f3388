"""What a portal holds, in SQLite: records, unique values, links, definitions, tokens.

Every provider shares one store; rows carry the provider's name. The store knows no rules: what is
valid, unique or required is decided by the provider's own room, inside one transaction.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pytest_crmseed.errors import UsageError

_TABLES = """
CREATE TABLE IF NOT EXISTS records (
    provider TEXT NOT NULL, object_type TEXT NOT NULL, id INTEGER NOT NULL, properties TEXT NOT NULL,
    created REAL NOT NULL, updated REAL NOT NULL, archived REAL,
    PRIMARY KEY (provider, object_type, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unique_values (
    provider TEXT NOT NULL, object_type TEXT NOT NULL, property TEXT NOT NULL, value TEXT NOT NULL,
    id INTEGER NOT NULL, PRIMARY KEY (provider, object_type, property, value)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unique_values_by_record ON unique_values (provider, object_type, id);
CREATE TABLE IF NOT EXISTS links (
    provider TEXT NOT NULL, from_type TEXT NOT NULL, from_id INTEGER NOT NULL,
    to_type TEXT NOT NULL, to_id INTEGER NOT NULL, category TEXT NOT NULL, type_id INTEGER NOT NULL,
    PRIMARY KEY (provider, from_type, from_id, to_type, to_id, category, type_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS links_by_target ON links (provider, to_type, to_id);
CREATE TABLE IF NOT EXISTS definitions (
    provider TEXT NOT NULL, object_type TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL,
    PRIMARY KEY (provider, object_type, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS last_ids (
    provider TEXT NOT NULL, object_type TEXT NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY (provider, object_type)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    provider TEXT NOT NULL, role TEXT NOT NULL, token TEXT NOT NULL, details TEXT NOT NULL,
    PRIMARY KEY (provider, token));
"""

BUSY_SECONDS = 5.0
"""How long a file may be in another portal's hands before it is refused."""

# SQLite takes no more than 999 variables in a statement on the oldest builds Python may link to.
_VARIABLES = 900


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record: what is set on it, as text by property name, and when it was made, changed, archived."""

    id: int
    properties: Mapping[str, str]
    created: float
    updated: float
    archived: float | None = None


@dataclass(frozen=True, slots=True)
class StoredLink:
    """One direction of an association between two records."""

    from_type: str
    from_id: int
    to_type: str
    to_id: int
    category: str
    type_id: int


class Store:
    """The records of all providers of one portal; safe to use from many threads.

    ``path`` None keeps everything in memory; a file is locked for this process alone.

    Raises:
        UsageError: the file is no portal database, cannot be written, or another portal uses it.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._last_ids: dict[tuple[str, str], int] = {}
        self._db = _opened(path)
        for provider, object_type, last in self._db.execute("SELECT * FROM last_ids"):
            self._last_ids[provider, object_type] = last

    def close(self) -> None:
        """Close the database; nothing can be read afterwards."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the store alone; keep what was done unless an exception leaves the block. Nests."""
        with self._lock:
            self._depth += 1
            try:
                if self._depth == 1:
                    self._db.execute("BEGIN")
                try:
                    yield
                except BaseException:
                    if self._depth == 1:
                        self._db.execute("ROLLBACK")
                    raise
                if self._depth == 1:
                    self._db.execute("COMMIT")
            finally:
                self._depth -= 1

    def clear(self) -> None:
        """Forget records, links and added definitions. Tokens stay, and no id is ever given twice."""
        with self.transaction():
            for table in ("records", "unique_values", "links", "definitions"):
                self._db.execute(f"DELETE FROM {table}")

    # -- records ---------------------------------------------------------------------------------
    def new_id(self, provider: str, object_type: str, first: int) -> int:
        """Return an id never given before: ``first`` or more, growing, with gaps."""
        with self._lock:
            last = self._last_ids.get((provider, object_type), first)
            # A hash of the last id makes gaps that look random and come out the same every time.
            new = last + 1 + (last * 2_654_435_761 >> 7) % 97
            self._last_ids[provider, object_type] = new
            self._db.execute("INSERT OR REPLACE INTO last_ids VALUES (?, ?, ?)", (provider, object_type, new))
            return new

    def save(self, provider: str, object_type: str, record: StoredRecord) -> None:
        """Insert a record, or replace the one with its id."""
        with self._lock:
            text = json.dumps(record.properties, ensure_ascii=False, separators=(",", ":"))
            row = (provider, object_type, record.id, text, record.created, record.updated, record.archived)
            self._db.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def get(self, provider: str, object_type: str, ids: Iterable[int]) -> dict[int, StoredRecord]:
        """Return those of the records that exist, live or archived, by id."""
        found: dict[int, StoredRecord] = {}
        with self._lock:
            for part in _parts(list(ids)):
                marks = ",".join("?" * len(part))
                found.update(
                    (row[0], _record(row))
                    for row in self._db.execute(
                        "SELECT id, properties, created, updated, archived FROM records"
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
                "SELECT id, properties, created, updated, archived FROM records"
                f" WHERE provider = ? AND object_type = ? AND archived {state} AND id >= ?"
                " ORDER BY id LIMIT ?",
                (provider, object_type, start, limit),
            )
            return [_record(row) for row in rows]

    def first_with(self, provider: str, object_type: str, name: str, value: str) -> int | None:
        """Return the id of the oldest live record whose property ``name`` is ``value``."""
        with self._lock:
            row = self._db.execute(
                "SELECT records.id FROM records, json_each(records.properties) AS held"
                " WHERE provider = ? AND object_type = ? AND archived IS NULL"
                " AND held.key = ? AND held.value = ? ORDER BY records.id LIMIT 1",
                (provider, object_type, name, value),
            ).fetchone()
            return row[0] if row else None

    def archive(self, provider: str, object_type: str, ids: Iterable[int], at: float) -> None:
        """Archive live records; their unique values and their links are free again."""
        with self.transaction():
            for id, record in self.get(provider, object_type, ids).items():
                if record.archived is not None:
                    continue
                self.save(provider, object_type, replace(record, archived=at, updated=at))
                key = (provider, object_type, id)
                for rows in (
                    "unique_values WHERE (provider, object_type, id)",
                    "links WHERE (provider, from_type, from_id)",
                    "links WHERE (provider, to_type, to_id)",
                ):
                    self._db.execute(f"DELETE FROM {rows} = (?, ?, ?)", key)

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
        """Return the id of the live record that holds a unique value."""
        with self._lock:
            row = self._db.execute(
                "SELECT id FROM unique_values"
                " WHERE provider = ? AND object_type = ? AND property = ? AND value = ?",
                (provider, object_type, name, value),
            ).fetchone()
            return row[0] if row else None

    def hold(
        self, provider: str, object_type: str, name: str, value: str | None, id: int, *, new: bool = False
    ) -> None:
        """Give a unique value to a record in place of the one it held; None takes it away.

        A ``new`` record has held none, which saves the look.
        """
        with self._lock:
            if not new:
                self._db.execute(
                    "DELETE FROM unique_values"
                    " WHERE provider = ? AND object_type = ? AND id = ? AND property = ?",
                    (provider, object_type, id, name),
                )
            if value is not None:
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

    # -- links -----------------------------------------------------------------------------------
    def link(self, provider: str, links: Iterable[StoredLink]) -> None:
        """Add links; one that exists already stays as it is."""
        with self._lock:
            self._db.executemany(
                "INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (provider, a.from_type, a.from_id, a.to_type, a.to_id, a.category, a.type_id)
                    for a in links
                ],
            )

    def unlink(self, provider: str, links: Iterable[StoredLink]) -> None:
        """Remove links; those that do not exist are passed over."""
        with self._lock:
            self._db.executemany(
                "DELETE FROM links WHERE provider = ? AND from_type = ? AND from_id = ? AND to_type = ?"
                " AND to_id = ? AND category = ? AND type_id = ?",
                [
                    (provider, a.from_type, a.from_id, a.to_type, a.to_id, a.category, a.type_id)
                    for a in links
                ],
            )

    def links(
        self, provider: str, from_type: str, from_ids: Iterable[int], to_type: str | None = None
    ) -> dict[int, list[StoredLink]]:
        """Return the links that start at records, by their id, ordered by target and type."""
        found: dict[int, list[StoredLink]] = {}
        only = "" if to_type is None else " AND to_type = ?"
        last = () if to_type is None else (to_type,)
        with self._lock:
            for part in _parts(list(from_ids)):
                marks = ",".join("?" * len(part))
                rows = self._db.execute(
                    "SELECT from_type, from_id, to_type, to_id, category, type_id FROM links"
                    f" WHERE provider = ? AND from_type = ? AND from_id IN ({marks}){only}"
                    " ORDER BY from_id, to_type, to_id, type_id",
                    (provider, from_type, *part, *last),
                )
                for row in rows:
                    found.setdefault(row[1], []).append(StoredLink(*row))
        return found

    # -- definitions and tokens ------------------------------------------------------------------
    def definitions(self, provider: str) -> list[tuple[str, str, Any]]:
        """Return the definitions that were added or changed: object type, name, JSON data."""
        with self._lock:
            rows = self._db.execute(
                "SELECT object_type, name, definition FROM definitions WHERE provider = ?", (provider,)
            )
            return [(object_type, name, json.loads(text)) for object_type, name, text in rows]

    def define(self, provider: str, object_type: str, name: str, definition: Any) -> None:
        """Keep a definition in place of the one of the same name."""
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO definitions VALUES (?, ?, ?, ?)",
                (provider, object_type, name, json.dumps(definition)),
            )

    def tokens(self, provider: str) -> list[tuple[str, str, Any]]:
        """Return the tokens that were issued, in order: role, token, JSON details."""
        with self._lock:
            rows = self._db.execute(
                "SELECT role, token, details FROM tokens WHERE provider = ? ORDER BY rowid", (provider,)
            )
            return [(role, token, json.loads(details)) for role, token, details in rows]

    def issue(self, provider: str, role: str, token: str, details: Any) -> None:
        """Keep a token."""
        with self._lock:
            self._db.execute(
                "INSERT INTO tokens VALUES (?, ?, ?, ?)", (provider, role, token, json.dumps(details))
            )


def _opened(path: str | os.PathLike[str] | None) -> sqlite3.Connection:
    target = ":memory:" if path is None else os.fspath(path)
    database: sqlite3.Connection | None = None
    try:
        database = sqlite3.connect(
            target, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        database.execute("PRAGMA locking_mode=EXCLUSIVE")
        database.execute("PRAGMA journal_mode=MEMORY" if path is None else "PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.executescript(f"BEGIN IMMEDIATE;{_TABLES}COMMIT;")
    except sqlite3.Error as error:
        if database is not None:
            database.close()
        raise UsageError(
            f"the portal database {target} cannot be opened: {error}.",
            remedy="Stop the local portal that uses it, or name another file.",
        ) from error
    return database


def _record(row: Sequence[Any]) -> StoredRecord:
    return StoredRecord(row[0], json.loads(row[1]), row[2], row[3], row[4])


def _parts(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _VARIABLES):
        yield ids[start : start + _VARIABLES]
