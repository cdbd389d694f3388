"""Which runs are under way: each process that seeds holds a lock as long as it lives.

The operating system lets go of a lock when its process ends, however it ends; a process id alone
proves nothing, since a dead one's number is given to another process.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pytest_crmseed.errors import LedgerError
from pytest_crmseed.ingest.database import make_folder
from pytest_crmseed.ingest.entries import Run

FOLDER = "alive"

# Characters of a run's id without suffixes: all that one command made has them in common, so that one
# lock stands for its seeds in all portals.
WHOLE = 22

# Seconds after which the file of a dead process is litter.
OLD = 86_400.0

# The locks of this process, and by how many they are held: a lock is the process's, not an object's.
_LOCKS: dict[Path, tuple[FileLock, int]] = {}


class Liveness:
    """Hold the locks of this process's runs, and tell whether other runs live; by a ledger's folder."""

    def __init__(
        self,
        ledger: Path,
        *,
        host: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = ledger.parent.resolve() / FOLDER
        self._host = host or socket.gethostname()
        self._clock = clock
        self._held: set[str] = set()

    def hold(self, run_id: str) -> None:
        """Show that a run is under way in this process, until :meth:`release` or the process's end.

        Raises:
            LedgerError: the lock's file cannot be made.
        """
        if run_id in self._held:
            return
        make_folder(self._folder.parent)
        path = self._path(run_id)
        lock, holders = _LOCKS.get(path, (None, 0))
        if lock is None:
            lock = self._locked(path)
        _LOCKS[path] = lock, holders + 1
        self._held.add(run_id)

    def _locked(self, path: Path) -> FileLock:
        try:
            self._folder.mkdir(exist_ok=True)
            lock = FileLock(path, thread_local=False)
            # Another process that asks whether this one lives holds it for a moment.
            lock.acquire(timeout=5)
        except Timeout:
            raise LedgerError(
                f"{path} is locked, though it is named for this process.",
                remedy="Is the folder shared with another machine or container? Give each its own ledger.",
            ) from None
        except OSError as error:
            raise LedgerError(
                f"{path} cannot be written: {error.strerror or error}.",
                remedy="Choose a ledger in a folder that can be written to.",
            ) from error
        return lock

    def release(self, run_id: str) -> None:
        """Show that a run has ended in this process."""
        if run_id not in self._held:
            return
        self._held.remove(run_id)
        path = self._path(run_id)
        lock, holders = _LOCKS.pop(path)
        if holders > 1:
            _LOCKS[path] = lock, holders - 1
            return
        # The file first: with the lock free, another process may be about to lock it.
        path.unlink(missing_ok=True)
        lock.release()

    def close(self) -> None:
        """Release all locks that were taken here."""
        for run_id in list(self._held):
            self.release(run_id)

    def _path(self, run_id: str) -> Path:
        return self._folder / f"{run_id[:WHOLE]}.{os.getpid()}"

    def alive(self, run: Run) -> bool:
        """Return whether a run is, or may be, under way.

        On this machine its lock decides; a process of another machine cannot be asked, and is given
        until the run's expiry to show a sign of life.
        """
        if run.ended_at is not None:
            return False
        if run.host != self._host:
            return self._clock() < run.expires_at
        paths = self._folder.glob(f"{run.run_id[:WHOLE]}.*")
        return any(path in _LOCKS or self._owned(path) for path in paths)

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Do something that one process at a time does.

        Raises:
            filelock.Timeout: another process is at it.
        """
        make_folder(self._folder.parent)
        self._folder.mkdir(exist_ok=True)
        with FileLock(self._folder / what, timeout=0):
            yield

    def tidy(self) -> None:
        """Remove the files of processes that died long ago."""
        for path in self._folder.glob("*.*"):
            # A new file may belong to a process that is about to lock it.
            litter = path not in _LOCKS and path.stat().st_mtime < self._clock() - OLD
            if litter and not self._owned(path):
                path.unlink(missing_ok=True)

    def _owned(self, path: Path) -> bool:
        """Return whether a living process holds a lock."""
        lock = FileLock(path, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        except OSError:
            # Who cannot ask must not take the run for dead.
            return True
        lock.release()
        return False
