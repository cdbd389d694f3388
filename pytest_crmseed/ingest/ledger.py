"""The ledger: what may exist in a portal because of us, written down before it is sent."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pytest_crmseed.errors import LedgerError
from pytest_crmseed.ingest.database import Database
from pytest_crmseed.ingest.entries import LIVE, MOVES, Entry, Run, RunSummary, State
from pytest_crmseed.ingest.runs import RUN_TABLES, RunBook, marks

__all__ = ["Entry", "Ledger", "Run", "RunSummary", "State"]

FORMAT = 2

_ENTRY_TABLES = (
    """CREATE TABLE entries (
        run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, seed TEXT NOT NULL,
        object_type TEXT NOT NULL, "index" INTEGER, key TEXT, id TEXT, state TEXT NOT NULL,
        "order" INTEGER NOT NULL, locator TEXT)""",
    "CREATE UNIQUE INDEX entries_by_key ON entries (key, run_id)",
    "CREATE INDEX entries_by_id ON entries (id, object_type)",
    "CREATE INDEX entries_by_run ON entries (run_id, seed)",
    'CREATE INDEX entries_by_order ON entries ("order")',
)

# What turns the format that is the key into the next one.
_UPGRADES = {1: ("ALTER TABLE entries ADD COLUMN locator TEXT",)}

_NEW_ENTRY = 'INSERT INTO entries (run_id, seed, object_type, "index", key, id, state, "order")'

_ENTRY = """SELECT e.run_id, e.seed, e.object_type, e."index", e.key, e.id, e.state, e."order",
    nullif(max(coalesce(r.kept_until, 0), coalesce(k.until, 0)), 0), e.locator
    FROM entries e JOIN runs r USING (run_id) LEFT JOIN kept_seeds k USING (run_id, seed)"""


class Ledger(RunBook):
    """The ledger in an SQLite file, used by several threads and processes at once.

    Every method is one transaction: when it returns, the step is on the disk; when it raises,
    nothing has changed. Only ids, keys and names enter. ``durable=False`` leaves writing to the
    operating system, which is enough for a portal that dies with this process.

    Raises (every method):
        LedgerError: the file cannot be read or written, a run is not open, or a record's state
            does not allow the step.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        clock: Callable[[], float] = time.time,
        durable: bool = True,
        busy_timeout: float = 30.0,
    ) -> None:
        self.path = Path(path)
        self._clock = clock
        self._database = Database(
            self.path,
            title="the ledger",
            tables=(*RUN_TABLES, *_ENTRY_TABLES),
            version=FORMAT,
            upgrades=_UPGRADES,
            error=LedgerError,
            remedy=(
                "move it away and start a new one; what it knew of is left in the portal, where records "
                "of ours carry a crmseed_key."
            ),
            durable=durable,
            busy_timeout=busy_timeout,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # -- records ---------------------------------------------------------------------------------
    def intend(self, run_id: str, seed: str, object_type: str, records: Iterable[tuple[int, str]]) -> None:
        """Write down records, as (index, key), that are about to be sent."""
        with self._database.write() as db:
            self._require(db, run_id, open=True)
            order = _next_order(db)
            for index, key in records:
                if db.execute("SELECT 1 FROM entries WHERE run_id = ? AND key = ?", (run_id, key)).fetchone():
                    raise LedgerError(f"the key {key} stands in the ledger already.")
                db.execute(
                    f"{_NEW_ENTRY} VALUES (?, ?, ?, ?, ?, NULL, ?, ?)",
                    (run_id, seed, object_type, index, key, State.INTENDED, order),
                )
                order += 1

    def sent(
        self, run_id: str, keys: Iterable[str], locators: Mapping[str, str | None] | None = None
    ) -> None:
        """Note, before their request goes out, that records are under way.

        ``locators`` are what finds those again that no unique field holds the key of, by key.
        """
        with self._database.write() as db:
            self._require(db, run_id, open=True)
            order = _next_order(db)
            for number, key in enumerate(keys, order):
                self._move(db, run_id, key, State.SENT)
                # The order of sending is the order of making: parents are known before children go out.
                db.execute(
                    'UPDATE entries SET "order" = ?, locator = ? WHERE run_id = ? AND key = ?',
                    (number, (locators or {}).get(key), run_id, key),
                )

    def known(self, run_id: str, records: Iterable[tuple[str, str]]) -> None:
        """Note the ids of records, as (key, id)."""
        with self._database.write() as db:
            for key, record_id in records:
                had = self._move(db, run_id, key, State.KNOWN)
                if had is not None and had != record_id:
                    raise LedgerError(
                        f"the record of key {key} has the id {had} in the ledger, and now the portal says "
                        f"{record_id}.",
                        remedy="The portal made it twice; adopt the second one, so that both are removed.",
                    )
                db.execute("UPDATE entries SET id = ? WHERE run_id = ? AND key = ?", (record_id, run_id, key))

    def unknown(self, run_id: str, keys: Iterable[str]) -> None:
        """Note that records were sent and no proper answer came."""
        self._move_all(run_id, keys, State.UNKNOWN)

    def refused(self, run_id: str, keys: Iterable[str]) -> None:
        """Note that records surely were not made."""
        self._move_all(run_id, keys, State.REFUSED)

    def gone(self, run_id: str, records: Iterable[Entry | str]) -> None:
        """Note that records, given as entries or by key, do not exist in the portal any more."""
        self._move_all(run_id, records, State.GONE)

    def adopt(self, run_id: str, seed: str, object_type: str, record_id: str) -> None:
        """Take in a record that the application made, so that it is cleaned as well.

        A live record of this run that the ledger knows already stays as it is.
        """
        with self._database.write() as db:
            self._require(db, run_id, open=True)
            _take_in(db, run_id, seed, object_type, record_id)

    def made_by_portal(self, run_id: str, seed: str, object_type: str, record_id: str) -> None:
        """Take in a record that the portal made by itself for one of ours; the run may have ended.

        A live record of this run that the ledger knows already stays as it is.
        """
        with self._database.write() as db:
            self._require(db, run_id)
            _take_in(db, run_id, seed, object_type, record_id)

    def find(self, run_id: str, seed: str, object_type: str, records: Iterable[tuple[int, str, str]]) -> None:
        """Take in records of ours that the portal turned out to hold, as (index, key, id).

        The run may be another machine's, whose ledger is out of reach; what this ledger thought of a
        record gives way to what the portal holds.
        """
        with self._database.write() as db:
            self._require(db, run_id)
            order = _next_order(db)
            db.executemany(
                f"{_NEW_ENTRY} VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (key, run_id) DO UPDATE SET id = excluded.id, state = excluded.state",
                [
                    (run_id, seed, object_type, index, key, record_id, State.KNOWN, order + number)
                    for number, (index, key, record_id) in enumerate(records)
                ],
            )

    def twin(self, run_id: str, key: str, record_id: str) -> Entry:
        """Note a further record that bears the key of one of a run's; return its entry.

        Where nothing keeps keys unique, a request that was carried out twice makes such records.
        """
        with self._database.write() as db:
            row = db.execute(
                'SELECT seed, object_type, "index" FROM entries WHERE run_id = ? AND key = ?', (run_id, key)
            ).fetchone()
            if row is None:
                raise LedgerError(f"run {run_id} has no record of key {key} in the ledger {self.path}.")
            where = "WHERE e.run_id = ? AND e.key IS NULL AND e.object_type = ? AND e.id = ? AND e.state = ?"
            values = (run_id, row[1], record_id, State.KNOWN)
            if not _entries(db, where, values):
                db.execute(
                    f"{_NEW_ENTRY} VALUES (?, ?, ?, ?, NULL, ?, ?, ?)",
                    (run_id, *row, record_id, State.KNOWN, _next_order(db)),
                )
            return _entries(db, where, values)[0]

    def live(self, run_id: str, seed: str | None = None) -> list[Entry]:
        """Return what may exist in the portal, of a run or of one seed, the newest first."""
        with self._database.read() as db:
            return _entries(
                db,
                f"WHERE e.run_id = ? AND (? IS NULL OR e.seed = ?) AND e.state IN ({marks(LIVE)})"
                ' ORDER BY e."order" DESC',
                (run_id, seed, seed, *LIVE),
            )

    def by_keys(self, run_id: str, keys: Iterable[str]) -> dict[str, Entry]:
        """Return the entries of a run's records by key, whatever their state.

        Raises:
            LedgerError: one of them does not stand in the ledger.
        """
        out: dict[str, Entry] = {}
        with self._database.read() as db:
            for key in keys:
                found = _entries(db, "WHERE e.run_id = ? AND e.key = ?", (run_id, key))
                if not found:
                    raise LedgerError(f"run {run_id} has no record of key {key} in the ledger {self.path}.")
                out[key] = found[0]
        return out

    def ids(self, run_id: str, object_type: str) -> dict[str, str | None]:
        """Return the keys of a run's records of an object type by id; an adopted record has none."""
        with self._database.read() as db:
            where = "WHERE run_id = ? AND object_type = ? AND id IS NOT NULL"
            rows = db.execute(f"SELECT id, key FROM entries {where}", (run_id, object_type))
            return {str(id): key for id, key in rows}

    def explains(
        self,
        provider: str,
        portal_id: str,
        object_type: str,
        *,
        id: str | None = None,
        key: str | None = None,
    ) -> Entry | None:
        """Return the entry of a record in a portal, by its id or its key, whatever its state."""
        column, value = ("id", id) if id is not None else ("key", key)
        with self._database.read() as db:
            found = _entries(
                db,
                f"WHERE e.{column} = ? AND e.object_type = ? AND r.provider = ? AND r.portal_id = ?"
                ' ORDER BY e."order" DESC LIMIT 1',
                (value, object_type, provider, portal_id),
            )
        return found[0] if found else None

    # -- steps -----------------------------------------------------------------------------------
    def _move_all(self, run_id: str, records: Iterable[Entry | str], to: State) -> None:
        with self._database.write() as db:
            for record in records:
                self._move(db, run_id, record, to)

    def _move(self, db: sqlite3.Connection, run_id: str, record: Entry | str, to: State) -> str | None:
        """Change a record's state; return the id it has."""
        if isinstance(record, Entry) and record.key is None:
            name = f"{record.object_type} {record.id}"
            where, values = "key IS NULL AND object_type = ? AND id = ?", [record.object_type, record.id]
        else:
            key = record.key if isinstance(record, Entry) else record
            name, where, values = f"key {key}", "key = ?", [key]
        # An id that was adopted, removed and adopted again has two rows; the newest is meant.
        row = db.execute(
            f"SELECT rowid, state, id FROM entries WHERE run_id = ? AND {where}"
            ' ORDER BY "order" DESC LIMIT 1',
            (run_id, *values),
        ).fetchone()
        if row is None:
            raise LedgerError(f"run {run_id} has no record of {name} in the ledger {self.path}.")
        if State(row[1]) not in MOVES[to]:
            raise LedgerError(f"the record of {name} is {row[1]} in the ledger and cannot become {to.value}.")
        db.execute("UPDATE entries SET state = ? WHERE rowid = ?", (to, row[0]))
        return row[2] if row[2] is None else str(row[2])


def _entries(db: sqlite3.Connection, where: str, values: Sequence[object]) -> list[Entry]:
    return [
        Entry(run_id, seed, object_type, index, key, id, State(state), *rest)
        for run_id, seed, object_type, index, key, id, state, *rest in db.execute(f"{_ENTRY} {where}", values)
    ]


def _take_in(db: sqlite3.Connection, run_id: str, seed: str, object_type: str, record_id: str) -> None:
    found = db.execute(
        "SELECT 1 FROM entries WHERE run_id = ? AND object_type = ? AND id = ? AND state = ?",
        (run_id, object_type, record_id, State.KNOWN),
    ).fetchone()
    if not found:
        db.execute(
            f"{_NEW_ENTRY} VALUES (?, ?, ?, NULL, NULL, ?, ?, ?)",
            (run_id, seed, object_type, record_id, State.KNOWN, _next_order(db)),
        )


def _next_order(db: sqlite3.Connection) -> int:
    return int(db.execute('SELECT coalesce(max("order"), 0) + 1 FROM entries').fetchone()[0])
