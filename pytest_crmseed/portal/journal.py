"""What the portal was asked: the last requests, and counts of all of them."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from pytest_crmseed.portal.message import PortalRequest, PortalResponse

KEPT = 10_000
"""How many requests are kept."""

KEPT_BYTES = 64 * 1024 * 1024
"""How many bytes their bodies may take; the oldest requests go first."""

# A private app's token, an authorization code or refresh token, an access token of OAuth (HubSpot); an API
# token in a query, a code or refresh token in a form (Pipedrive, whose field keys look like its tokens).
_SECRET = re.compile(
    r"(?:pat-)?[a-z]{2}[0-9]-[0-9a-fA-F-]{36}|\bC[\w-]{120}(?![\w-])"
    r"|(?<=api_token=)[^&]+|(?<=\bcode=)[0-9a-f]{40}|1(?::|%3A)1(?::|%3A)[0-9a-f]{40}",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request that was answered. ``body`` is JSON data, or text; ``at`` are epoch seconds.

    ``faults`` names those that struck it (see :mod:`~pytest_crmseed.portal.faults`); ``status`` is
    0 where one left it without an answer. Headers are not kept, and tokens elsewhere are replaced, so
    that no log shows one.
    """

    method: str
    path: str
    query: str
    status: int
    body: Any
    at: float
    faults: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON data."""
        return {**asdict(self), "faults": list(self.faults)}


@dataclass(frozen=True, slots=True)
class _Entry:
    request: PortalRequest
    status: int
    at: float
    faults: tuple[str, ...]


class Journal:
    """Counts requests and keeps the last of them; safe to use from many threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._in_flight = 0
        self.clear()

    def clear(self) -> None:
        """Forget all requests and set the counts to zero."""
        with self._lock:
            self._entries: deque[_Entry] = deque()
            self._bytes = 0
            self._by_route: Counter[str] = Counter()
            self._writes = 0
            self._throttled = 0
            self._max_in_flight = self._in_flight

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count a request as being handled for the length of the block."""
        with self._lock:
            self._in_flight += 1
            self._max_in_flight = max(self._max_in_flight, self._in_flight)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1

    @property
    def busy(self) -> bool:
        """Whether a request is being handled."""
        with self._lock:
            return self._in_flight > 0

    def add(
        self,
        request: PortalRequest,
        response: PortalResponse,
        route: str,
        *,
        write: bool,
        faults: Sequence[str] = (),
    ) -> None:
        """Count and keep an answered request. ``route`` is its template, ``write`` whether it writes."""
        with self._lock:
            self._by_route[route] += 1
            self._writes += write
            self._throttled += response.status == 429
            self._entries.append(_Entry(request, response.status, self._clock(), tuple(faults)))
            self._bytes += len(request.body)
            while len(self._entries) > KEPT or self._bytes > KEPT_BYTES:
                self._bytes -= len(self._entries.popleft().request.body)

    def requests(self) -> list[RecordedRequest]:
        """Return the requests that are kept, oldest first."""
        with self._lock:
            entries = list(self._entries)
        return [_recorded(entry) for entry in entries]

    def stats(self) -> dict[str, Any]:
        """Return the counts: requests (total, writes, by route), throttled, most at once."""
        with self._lock:
            return {
                "requests": {
                    "total": self._by_route.total(),
                    "writes": self._writes,
                    "by_route": dict(sorted(self._by_route.items())),
                },
                "throttled": self._throttled,
                "max_in_flight": self._max_in_flight,
            }


def _recorded(entry: _Entry) -> RecordedRequest:
    request = entry.request
    return RecordedRequest(
        method=request.method,
        path=_SECRET.sub("(redacted)", request.path),
        query=_SECRET.sub("(redacted)", request.query),
        status=entry.status,
        body=_readable(request),
        at=entry.at,
        faults=entry.faults,
    )


def _readable(request: PortalRequest) -> Any:
    if not request.body:
        return None
    if request.path.startswith("/oauth/") and "json" not in request.headers.get("content-type", ""):
        return "(redacted)"
    text = _SECRET.sub("(redacted)", request.body.decode("utf-8", "replace"))
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
