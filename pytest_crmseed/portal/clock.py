"""The portal's time: the machine's, or one that stands still until it is moved."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pytest_crmseed.errors import UsageError

AHEAD_LIMIT = 100 * 366 * 86_400.0
"""The seconds by which a clock may be set forward in all: dates beyond fit in nobody's format."""


class Clock:
    """The machine's time, which can be set forward; calling a clock is asking it for the time.

    Everything in a portal that reads time reads it here: timestamps, rate limits, the delay of the
    search index, expiry of tokens, latency. ``time`` gives epoch seconds, ``sleep`` waits.
    """

    def __init__(
        self, time: Callable[[], float] = time.time, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._time = time
        self._sleep = sleep
        self._lock = threading.Lock()
        self._ahead = 0.0

    def now(self) -> float:
        """Return epoch seconds."""
        return self._time() + self._ahead

    def __call__(self) -> float:
        return self.now()

    @property
    def ahead(self) -> float:
        """The seconds by which the clock was set forward."""
        return self._ahead

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._sleep(seconds)

    def advance(self, seconds: float) -> float:
        """Set the clock forward, and return the time it then shows.

        Raises:
            UsageError: the seconds are negative, or more than 100 years in all.
        """
        if not 0 <= seconds < float("inf"):
            raise UsageError(f"A clock is set forward by 0 seconds or more, not by {seconds!r}.")
        with self._lock:
            if self._ahead + seconds > AHEAD_LIMIT:
                raise UsageError(f"A clock is set forward by 100 years at most, not by {seconds!r} seconds.")
            self._ahead += seconds
        return self.now()


class VirtualClock(Clock):
    """A time that stands still but for :meth:`~Clock.advance`; who sleeps moves it on and does not wait.

    Two runs of a test then see the same timestamps. ``start`` are epoch seconds, by default those
    of 2026-01-01 in UTC.
    """

    def __init__(self, start: float = 1_767_225_600.0) -> None:
        super().__init__(time=lambda: start, sleep=self.advance)
