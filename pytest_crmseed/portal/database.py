"""The SQLite database behind a portal's store: opening, locking, transactions."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal import searching

BUSY_SECONDS = 5.0
"""How long a file may be in another portal's hands before it is refused."""

LAYOUT = 3
"""The number of the tables' layout; it grows with each change that older files do not have."""

_TABLES = """
CREATE TABLE IF NOT EXISTS records (
    provider TEXT NOT NULL, object_type TEXT NOT NULL, id INTEGER NOT NULL, properties TEXT NOT NULL,
    created REAL NOT NULL, updated REAL NOT NULL, archived REAL, origin TEXT NOT NULL,
    PRIMARY KEY (provider, object_type, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS archived_records ON records (provider, object_type, id)
    WHERE archived IS NOT NULL;
CREATE TABLE IF NOT EXISTS unique_values (
    provider TEXT NOT NULL, object_type TEXT NOT NULL, property TEXT NOT NULL, value TEXT NOT NULL,
    id INTEGER NOT NULL, PRIMARY KEY (provider, object_type, property, value)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unique_values_by_record ON unique_values (provider, object_type, id);
CREATE TABLE IF NOT EXISTS history (
    provider TEXT NOT NULL, object_type TEXT NOT NULL, id INTEGER NOT NULL, property TEXT NOT NULL,
    at REAL NOT NULL, value TEXT NOT NULL, origin TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS history_by_record ON history (provider, object_type, id);
CREATE TABLE IF NOT EXISTS merged (
    provider TEXT NOT NULL, object_type TEXT NOT NULL, id INTEGER NOT NULL, into_id INTEGER NOT NULL,
    PRIMARY KEY (provider, object_type, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS merged_by_target ON merged (provider, object_type, into_id);
CREATE TABLE IF NOT EXISTS blocked_values (
    provider TEXT NOT NULL, property TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (provider, property, value)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outdated (
    provider TEXT NOT NULL, object_type TEXT NOT NULL, id INTEGER NOT NULL, until REAL NOT NULL,
    properties TEXT, created REAL, updated REAL);
CREATE INDEX IF NOT EXISTS outdated_by_record ON outdated (provider, object_type, id, until);
CREATE INDEX IF NOT EXISTS outdated_by_time ON outdated (until);
CREATE TABLE IF NOT EXISTS words (
    provider TEXT NOT NULL, object_type TEXT NOT NULL, property TEXT NOT NULL, word TEXT NOT NULL,
    id INTEGER NOT NULL, PRIMARY KEY (provider, object_type, property, word, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
    provider TEXT NOT NULL, from_type TEXT NOT NULL, from_id INTEGER NOT NULL,
    to_type TEXT NOT NULL, to_id INTEGER NOT NULL, category TEXT NOT NULL, type_id INTEGER NOT NULL,
    PRIMARY KEY (provider, from_type, from_id, to_type, to_id, category, type_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS links_by_target ON links (provider, to_type, to_id, from_type);
CREATE TABLE IF NOT EXISTS definitions (
    provider TEXT NOT NULL, kind TEXT NOT NULL, object_type TEXT NOT NULL, name TEXT NOT NULL,
    definition TEXT NOT NULL, PRIMARY KEY (provider, kind, object_type, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS last_ids (
    provider TEXT NOT NULL, object_type TEXT NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY (provider, object_type)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    provider TEXT NOT NULL, role TEXT NOT NULL, token TEXT NOT NULL, details TEXT NOT NULL,
    PRIMARY KEY (provider, token));
"""

# What a reset leaves: tokens stay valid, and no id is ever given twice.
_KEPT = frozenset({"last_ids", "tokens"})

_HIGHER_ID = (
    "INSERT INTO last_ids VALUES (?, ?, ?)"
    " ON CONFLICT (provider, object_type) DO UPDATE SET id = max(id, excluded.id)"
)

# SQLite takes no more than 999 variables in a statement on the oldest builds Python may link to.
_VARIABLES = 900

T = TypeVar("T")


class Database:
    """One SQLite database in the hands of this process alone; safe to use from many threads.

    ``path`` None keeps everything in memory.

    Raises:
        UsageError: the file is no portal database, cannot be written, or another portal uses it.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._db = _opened(path)

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
                    if self._depth == 1:
                        self._before_commit()
                except BaseException:
                    if self._depth == 1:
                        self._db.execute("ROLLBACK")
                    raise
                if self._depth == 1:
                    self._db.execute("COMMIT")
            finally:
                self._depth -= 1

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what the block did if an exception leaves it; within a transaction. Nests."""
        with self._lock:
            self._db.execute("SAVEPOINT part")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK TO part")
                raise
            finally:
                self._db.execute("RELEASE part")

    def clear(self) -> None:
        """Forget records, links and added definitions. Tokens stay, and no id is ever given twice."""
        with self.transaction():
            for (table,) in self._db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall():
                if table not in _KEPT:
                    self._db.execute(f'DELETE FROM "{table}"')

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the store alone, without a transaction."""
        with self._lock:
            yield

    def copy(self) -> sqlite3.Connection:
        """Return a copy in memory of all there is."""
        copied = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with self._lock:
            self._db.backup(copied)
        return copied

    def put_back(self, copied: sqlite3.Connection) -> None:
        """Have what a copy has, but for tokens, which stay, and ids, which are never given twice.

        The copy may be that of another portal; then ids go on where the higher of both stands.
        """
        with self._lock:
            tokens = self._db.execute("SELECT * FROM tokens").fetchall()
            copied.execute("DELETE FROM tokens")
            if tokens:
                copied.executemany(f"INSERT INTO tokens VALUES ({', '.join('?' * len(tokens[0]))})", tokens)
            copied.executemany(_HIGHER_ID, self._db.execute("SELECT * FROM last_ids").fetchall())
            copied.backup(self._db)
            self._take_ids()

    def _take_ids(self) -> None:
        """Go on from the ids that the database says were given last."""

    def _before_commit(self) -> None:
        """Write what was put off to the end of the transaction."""


def parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield as many items at a time as a statement takes variables."""
    for start in range(0, len(items), _VARIABLES):
        yield items[start : start + _VARIABLES]


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
        searching.prepare(database)
        _refuse_other_layouts(database, target)
        database.executescript(f"BEGIN IMMEDIATE;{_TABLES}PRAGMA user_version={LAYOUT};COMMIT;")
    except sqlite3.Error as error:
        if database is not None:
            database.close()
        raise UsageError(
            f"the portal database {target} cannot be opened: {error}.",
            remedy="Stop the local portal that uses it, or name another file.",
        ) from error
    return database


def _refuse_other_layouts(database: sqlite3.Connection, target: str) -> None:
    layout = database.execute("PRAGMA user_version").fetchone()[0]
    [tables] = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and layout != LAYOUT:
        database.close()
        raise UsageError(
            f"the portal database {target} was made by another version of pytest-crmseed.",
            remedy="Delete the file, or name another one.",
        )
