"""What an org may use: requests in 24 hours, and room for rows.

Salesforce docs, "API Request Limits and Allocations", "Data and File Storage Allocations". There is no
limit by the second, and no ``Retry-After``.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping

from pytest_crmseed.portal.salesforce.behaviour import SalesforceBehaviour
from pytest_crmseed.portal.salesforce.errors import concurrent_limit, daily_limit
from pytest_crmseed.portal.salesforce.sessions import Session

DAY = 86_400.0
_WINDOW = 10.0
_HOUR = 3_600.0
# What rows take, flat, in KB; others take two.
_SIZES = {"Campaign": 8, "Pricebook2": 0, "PricebookEntry": 0, "Product2": 0}
_USUAL_SIZE = 2
# A figure that is put together from several counters goes back now and then.
_BEHIND = (0, 4, 5, 1)


class Limits:
    """Counts an org's requests; safe to use from many threads."""

    def __init__(self, behaviour: SalesforceBehaviour, clock: Callable[[], float]) -> None:
        self._behaviour = behaviour
        self._clock = clock
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._windows: dict[str, deque[float]] = {}
            # Requests by the hour, so that a day of them takes little room.
            self._hours: deque[tuple[int, int]] = deque()

    def take(self, session: Session, number: int = 1) -> None:
        """Count a request, or several of a batch.

        Raises:
            Refusal: the org's requests of 24 hours are used up, or the token's own.
        """
        with self._lock:
            now = self._clock()
            if self._used(now) >= self._behaviour.daily_requests:
                raise daily_limit()
            if session.burst is not None:
                window = self._windows.setdefault(session.token, deque())
                while window and window[0] <= now - _WINDOW:
                    window.popleft()
                if len(window) >= session.burst:
                    raise concurrent_limit()
                window.append(now)
            hour = int(now // _HOUR)
            count = number
            if self._hours and self._hours[-1][0] == hour:
                count += self._hours.pop()[1]
            self._hours.append((hour, count))

    def header(self) -> str:
        """Return what ``Sforce-Limit-Info`` says."""
        with self._lock:
            used = self._used(self._clock())
        if self._behaviour.usage_steps_back:
            used = max(0, used - _BEHIND[used % len(_BEHIND)])
        return f"api-usage={used}/{self._behaviour.daily_requests}"

    def all(self, counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
        """Return what ``/limits`` answers, for an org with so many rows of each object."""
        with self._lock:
            used = self._used(self._clock())
        daily = self._behaviour.daily_requests
        storage = self._behaviour.storage_mb
        most = 10_240 if storage is None else storage
        left = max(0, most - storage_kb(counts) // 1024)
        unused = {
            "ConcurrentAsyncGetReportInstances": 200,
            "ConcurrentSyncReportRuns": 20,
            "DailyAsyncApexExecutions": 250_000,
            "DailyBulkApiBatches": 15_000,
            "DailyBulkV2QueryFileStorageMB": 976_562,
            "DailyBulkV2QueryJobs": 10_000,
            "DailyDurableStreamingApiEvents": 10_000,
            "DailyGenericStreamingApiEvents": 10_000,
            "DailyScratchOrgs": 6,
            "DailyStreamingApiEvents": 10_000,
            "DailyWorkflowEmails": 390,
            "ActiveScratchOrgs": 3,
            "FileStorageMB": 20,
            "HourlyAsyncReportRuns": 1_200,
            "HourlySyncReportRuns": 500,
            "HourlyTimeBasedWorkflow": 50,
            "MassEmail": 10,
            "SingleEmail": 15,
        }
        figures = {name: {"Max": limit, "Remaining": limit} for name, limit in unused.items()}
        figures["DailyApiRequests"] = {"Max": daily, "Remaining": max(0, daily - used)}
        figures["DataStorageMB"] = {"Max": most, "Remaining": left}
        return dict(sorted(figures.items()))

    def _used(self, now: float) -> int:
        while self._hours and self._hours[0][0] < (now - DAY) // _HOUR:
            self._hours.popleft()
        return sum(count for _, count in self._hours)


def storage_kb(counts: Mapping[str, int]) -> int:
    """Return the room that rows take."""
    return sum(number * _SIZES.get(name, _USUAL_SIZE) for name, number in counts.items())


def size_kb(name: str) -> int:
    """Return the room that a row of an object takes."""
    return _SIZES.get(name, _USUAL_SIZE)
