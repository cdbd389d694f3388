"""Small SQLite files shared by threads and processes: the ledger and the rate budget."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pytest_crmseed.errors import CrmseedError

MEMORY = ":memory:"


class Database:
    """One SQLite database in WAL mode; its transactions are short and take the write lock at once.

    ``path`` is a file, or None for a database that only this object sees. ``title`` names it in
    messages; every failure is raised as ``error``. ``upgrades`` turn an older version, the key, into the
    one after it. ``remedy`` says what to do about a file that is
    damaged or of another version. ``durable`` makes a commit survive a power failure.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        title: str,
        tables: Sequence[str],
        version: int,
        error: type[CrmseedError],
        remedy: str,
        durable: bool,
        busy_timeout: float = 30.0,
        upgrades: Mapping[int, Sequence[str]] | None = None,
    ) -> None:
        self._path = path
        self._title = title if path is None else f"{title} {path}"
        self._version = version
        self._upgrades = upgrades or {}
        self._error = error
        self._remedy = remedy
        self._busy_timeout = busy_timeout
        self._lock = threading.Lock()
        if path is not None:
            self._make_file(path)
        with self._errors():
            self._connection = sqlite3.connect(
                MEMORY if path is None else path,
                timeout=busy_timeout,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            with self._errors():
                self._prepare(tables, durable=durable)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file; the last one to do so folds the write-ahead log into it."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside a transaction that commits, or leaves no trace."""
        with self._lock, self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside a transaction that sees one state of the file."""
        with self._lock, self._errors():
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._roll_back()

    def _roll_back(self) -> None:
        # After some failures (a full disk) SQLite has rolled back by itself.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _make_file(self, path: Path) -> None:
        try:
            make_folder(path.parent)
            # SQLite gives its -wal and -shm files the mode of the file itself.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise self._error(
                f"{self._title} cannot be written: {error.strerror}.",
                remedy="Choose a path in a folder that can be written to.",
            ) from error

    def _prepare(self, tables: Sequence[str], *, durable: bool) -> None:
        database = self._connection
        # The write lock is taken for a file that is ready as well: one that cannot be written is
        # found here and not after records have been made.
        database.execute("BEGIN IMMEDIATE")
        try:
            found = database.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                if database.execute("SELECT 1 FROM sqlite_master").fetchone():
                    raise self._error(
                        f"{self._title} is an SQLite database, but of another program.",
                        remedy="Choose another path.",
                    )
                for statement in tables:
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {self._version}")
                found = self._version
            while found in self._upgrades:
                for statement in self._upgrades[found]:
                    database.execute(statement)
                found += 1
                database.execute(f"PRAGMA user_version = {found}")
            if found != self._version:
                raise self._error(
                    f"{self._title} has format {found}, and this version of pytest-crmseed reads "
                    f"format {self._version}.",
                    remedy=f"Use the version of pytest-crmseed that wrote it, or {self._remedy}",
                )
            database.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self._write_ahead(database)
        database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        database.execute("PRAGMA foreign_keys = ON")

    def _write_ahead(self, database: sqlite3.Connection) -> None:
        # SQLite's own busy timeout does not hold for this switch: of several processes that open a
        # new file together, all but one are told at once that it is busy.
        deadline = time.monotonic() + self._busy_timeout
        while True:
            try:
                database.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.01)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # a mistake in the program, not the file's state
        except sqlite3.OperationalError as error:
            raise self._explain(error) from error
        except sqlite3.DatabaseError as error:
            raise self._error(
                f"{self._title} is damaged, or no SQLite database ({error}).",
                remedy=self._remedy[0].upper() + self._remedy[1:],
            ) from error

    def _explain(self, error: sqlite3.OperationalError) -> CrmseedError:
        # The code is missing where the binding itself raises.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return self._error(
                f"{self._title} is locked by another process (waited {self._busy_timeout:g} s).",
                remedy="End the process that holds it, or choose another path.",
            )
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL):
            return self._error(
                f"{self._title} cannot be written ({error}).",
                remedy="Choose a path in a folder that can be written to, with room left.",
            )
        return self._error(f"{self._title} cannot be used ({error}).", remedy="Choose another path.")


def make_folder(folder: Path) -> None:
    """Make a folder if it is missing; a new ``.crmseed`` folder keeps itself out of version control."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if folder.name == ".crmseed":
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
