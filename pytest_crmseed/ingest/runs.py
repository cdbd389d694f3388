"""The ledger's runs: who made records, in which portal, and until when they are left alone."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pytest_crmseed.errors import LedgerError, UnknownName
from pytest_crmseed.ingest.database import Database
from pytest_crmseed.ingest.entries import LIVE, Run, RunSummary, State

RUN_TABLES = (
    """CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, provider TEXT NOT NULL, portal_id TEXT NOT NULL, target TEXT NOT NULL,
        base_url TEXT NOT NULL, pid INTEGER NOT NULL, host TEXT NOT NULL, worker TEXT NOT NULL,
        started_at REAL NOT NULL, heartbeat_at REAL NOT NULL, expires_at REAL NOT NULL,
        kept_until REAL, ended_at REAL, ephemeral INTEGER NOT NULL, openers INTEGER NOT NULL)""",
    """CREATE TABLE kept_seeds (
        run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, seed TEXT NOT NULL,
        until REAL NOT NULL, PRIMARY KEY (run_id, seed))""",
    """CREATE TABLE shared (
        run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, name TEXT NOT NULL,
        value TEXT NOT NULL, PRIMARY KEY (run_id, name))""",
)

_RUN_FIELDS = tuple(f.name for f in dataclasses.fields(Run))


class RunBook:
    """The part of the ledger that keeps runs, and what the workers of a run tell each other."""

    path: Path
    _database: Database
    _clock: Callable[[], float]

    # -- runs ------------------------------------------------------------------------------------
    def open_run(self, run: Run) -> None:
        """Write down a run, or join it: the workers of one run open it and end it once each."""
        with self._database.write() as db:
            found = db.execute(
                "SELECT provider, portal_id FROM runs WHERE run_id = ?", (run.run_id,)
            ).fetchone()
            if found is None:
                marks = ", ".join("?" * len(_RUN_FIELDS))
                db.execute(
                    f"INSERT INTO runs ({', '.join(_RUN_FIELDS)}, openers) VALUES ({marks}, 1)",
                    [getattr(run, name) for name in _RUN_FIELDS],
                )
                return
            if found != (run.provider, run.portal_id):
                raise LedgerError(
                    f"run {run.run_id} belongs to {found[0]} portal {found[1]}, not to {run.provider} "
                    f"portal {run.portal_id}.",
                    remedy="Give each portal a run of its own.",
                )
            db.execute(
                "UPDATE runs SET openers = openers + 1, ended_at = NULL,"
                " heartbeat_at = max(heartbeat_at, ?), expires_at = max(expires_at, ?),"
                " ephemeral = ephemeral AND ? WHERE run_id = ?",
                (run.heartbeat_at, run.expires_at, run.ephemeral, run.run_id),
            )

    def heartbeat(self, run_id: str) -> None:
        """Give a sign of life: the run's expiry moves on by the time since the last one."""
        now = self._clock()
        with self._database.write() as db:
            self._require(db, run_id)
            db.execute(
                "UPDATE runs SET expires_at = expires_at + (? - heartbeat_at), heartbeat_at = ?"
                " WHERE run_id = ? AND heartbeat_at < ?",
                (now, now, run_id, now),
            )

    def keep(self, run_id: str, until: float, *, seed: str | None = None) -> None:
        """Exempt a run, or one seed of it, from sweeping until a time."""
        with self._database.write() as db:
            self._require(db, run_id)
            if seed is None:
                db.execute("UPDATE runs SET kept_until = ? WHERE run_id = ?", (until, run_id))
            else:
                db.execute("INSERT OR REPLACE INTO kept_seeds VALUES (?, ?, ?)", (run_id, seed, until))

    def end_run(self, run_id: str) -> None:
        """Leave a run; it has ended when all who opened it have left."""
        with self._database.write() as db:
            self._require(db, run_id)
            db.execute(
                "UPDATE runs SET openers = max(openers - 1, 0),"
                " ended_at = CASE WHEN openers <= 1 THEN coalesce(ended_at, ?) END WHERE run_id = ?",
                (self._clock(), run_id),
            )

    def end_dead(self, run_id: str) -> None:
        """End a run whose processes died: nobody of it is left to do so."""
        with self._database.write() as db:
            self._require(db, run_id)
            db.execute(
                "UPDATE runs SET openers = 0, ended_at = coalesce(ended_at, ?) WHERE run_id = ?",
                (self._clock(), run_id),
            )

    def run(self, run_id: str) -> Run:
        """Return a run.

        Raises:
            UnknownName: the ledger has none of this id.
        """
        with self._database.read() as db:
            row = db.execute(
                f"SELECT {', '.join(_RUN_FIELDS)} FROM runs WHERE run_id = ?", (run_id,)
            ).fetchone()
            known = [] if row else [known_id for (known_id,) in db.execute("SELECT run_id FROM runs")]
        if row is None:
            raise UnknownName("run", run_id, known, where=f"in the ledger {self.path}")
        return _run(row)

    def runs(self) -> list[RunSummary]:
        """Return all runs, the newest first."""
        with self._database.read() as db:
            rows = db.execute(
                f"SELECT {', '.join(_RUN_FIELDS)} FROM runs ORDER BY started_at DESC, run_id DESC"
            ).fetchall()
            counts: dict[str, dict[str, dict[State, int]]] = {}
            for run_id, object_type, state, number in db.execute(
                "SELECT run_id, object_type, state, count(*) FROM entries GROUP BY run_id, object_type, state"
                ' ORDER BY min("order")'
            ):
                counts.setdefault(run_id, {}).setdefault(object_type, {})[State(state)] = number
        return [RunSummary(_run(row), counts.get(row[0], {})) for row in rows]

    def prune(self, days: float) -> int:
        """Forget runs that ended or expired more than ``days`` ago; return how many.

        A run that may still have records in a portal is never forgotten.
        """
        with self._database.write() as db:
            return db.execute(
                "DELETE FROM runs WHERE max(heartbeat_at, expires_at, coalesce(ended_at, 0)) < ?"
                " AND (ephemeral OR NOT EXISTS (SELECT 1 FROM entries WHERE entries.run_id = runs.run_id"
                f" AND state IN ({marks(LIVE)})))",
                (self._clock() - days * 86400.0, *LIVE),
            ).rowcount

    # -- between the workers of a run ------------------------------------------------------------
    def share(self, run_id: str, name: str, value: object) -> None:
        """Publish JSON data under a name for the other workers of a run."""
        text = json.dumps(value)
        with self._database.write() as db:
            self._require(db, run_id)
            db.execute("INSERT OR REPLACE INTO shared VALUES (?, ?, ?)", (run_id, name, text))

    def shared(self, run_id: str, name: str) -> Any:
        """Return what was published under a name, or None."""
        with self._database.read() as db:
            row = db.execute(
                "SELECT value FROM shared WHERE run_id = ? AND name = ?", (run_id, name)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def _require(self, db: sqlite3.Connection, run_id: str, *, open: bool = False) -> None:
        row = db.execute("SELECT ended_at FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if row is None:
            raise LedgerError(f"run {run_id} is not in the ledger {self.path}.")
        if open and row[0] is not None:
            raise LedgerError(f"run {run_id} has ended; nothing is made in it any more.")


def _run(row: Sequence[Any]) -> Run:
    values = dict(zip(_RUN_FIELDS, row, strict=True))
    return Run(**{**values, "ephemeral": bool(values["ephemeral"])})


def marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
