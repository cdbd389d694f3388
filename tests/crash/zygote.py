"""A process that has everything imported, and forks one that seeds and is killed at a given point.

Reads lines of ``<what> <folder> <point>``; answers each with ``<status> <points passed>``. A point is the
moment before or after a transaction of the ledger, before or after a request, or between a request and
its answer. At point 0 nobody is killed.
"""

from __future__ import annotations

import http.client
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_crmseed import Seeder
from pytest_crmseed.ingest.database import Database
from pytest_crmseed.ingest.transport import Transport


class Points:
    """Counts the points that a process passes, and kills it at one of them."""

    def __init__(self, deadly: int, log: int) -> None:
        self._deadly = deadly
        self._log = log
        self._lock = threading.Lock()
        self.passed = 0

    def passing(self) -> None:
        with self._lock:
            self.passed += 1
            os.pwrite(self._log, b"%8d" % self.passed, 0)
            if self.passed == self._deadly:
                os.kill(os.getpid(), signal.SIGKILL)


def watch(points: Points) -> None:
    """Pass a point around every transaction and every request of this process."""
    write, send, receive = Database.write, Transport.send, http.client.HTTPConnection.getresponse

    @contextmanager
    def watched_write(self: Database) -> Iterator[Any]:
        points.passing()
        with write(self) as connection:
            yield connection
        points.passing()

    def watched_send(self: Transport, request: Any) -> Any:
        points.passing()
        answer = send(self, request)
        points.passing()
        return answer

    def watched_receive(self: http.client.HTTPConnection) -> Any:
        points.passing()
        return receive(self)

    Database.write = watched_write  # type: ignore[method-assign,assignment]
    Transport.send = watched_send  # type: ignore[method-assign]
    http.client.HTTPConnection.getresponse = watched_receive  # type: ignore[method-assign]


def seed(url: str, provider: str) -> None:
    """Seed twice, remove everything."""
    with Seeder(base_url=url, provider=provider) as seeder:
        seeder.seed(deals=3, companies=2)
        seeder.seed(contacts=2)


def keep(url: str, provider: str) -> None:
    """Seed and keep: a run that ends well and leaves its records on purpose."""
    with Seeder(base_url=url, provider=provider) as seeder:
        seeder.seed(deals=1, keep=True)


def sweep(url: str, provider: str) -> None:
    """Sweep what another process left: making a seeder does it."""
    with Seeder(base_url=url, provider=provider):
        pass


WORK = {"seed": seed, "keep": keep, "sweep": sweep}


def main(url: str, provider: str, folder: str) -> None:
    # What is imported and prepared here is not done again in each child.
    os.chdir(folder)
    seed(url, provider)
    print("ready", flush=True)
    for line in sys.stdin:
        what, folder, deadly = line.split()
        log = os.open(Path(folder) / "points", os.O_CREAT | os.O_RDWR | os.O_TRUNC)
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            watch(Points(int(deadly), log))
            WORK[what](url, provider)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        passed = int(os.pread(log, 8, 0) or b"0")
        os.close(log)
        print(os.waitstatus_to_exitcode(status), passed, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
