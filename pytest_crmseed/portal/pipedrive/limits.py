"""Rate limits: a rolling window per token, and a daily budget of tokens for the company.

Pipedrive docs, "Rate limiting". Only requests that are let through count [unsure].
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from pytest_crmseed.portal.pipedrive import errors
from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour
from pytest_crmseed.portal.pipedrive.tokens import Token

SECONDS = 2.0
"""The length of the rolling window."""

OAUTH_FACTOR = 4
"""How many times more requests an OAuth token has than an API token."""

_FLOOD_WINDOW = 60.0


class Limits:
    """Counts requests and refuses those beyond a limit; safe to use from many threads.

    ``rate`` is the burst limit of an API token, requests per seconds; None is that of the plan.
    """

    def __init__(
        self,
        behaviour: PipedriveBehaviour,
        *,
        rate: tuple[int, float] | None,
        clock: Callable[[], float],
    ) -> None:
        self._behaviour = behaviour
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._windows: dict[str, deque[float]] = {}
            self._searches: dict[str, deque[float]] = {}
            self._refusals: dict[str, deque[float]] = {}
            self._blocked: dict[str, float] = {}
            self._day: date | None = None
            self.used_today = 0

    def take(self, token: Token, cost: int, *, searches: bool) -> dict[str, str]:
        """Count a request that costs so many tokens, and return the headers that tell what is left.

        Raises:
            ApiError: a limit is reached (429), or was passed over too often (403).
        """
        with self._lock:
            now = self._clock()
            self._start_day(now)
            if self._blocked.get(token.token, 0.0) > now:
                raise errors.blocked()
            limit, seconds = self._limit(token, searches)
            windows = self._searches if searches else self._windows
            window = windows.setdefault(token.token, deque())
            while window and window[0] <= now - seconds:
                window.popleft()
            if limit is not None and len(window) >= limit:
                self._refuse(token, now)
                headers = self._headers(window, limit, seconds, now)
                if self._behaviour.retry_after_on_burst:
                    headers["retry-after"] = headers["x-ratelimit-reset"]
                raise errors.burst_reached(headers)
            if self.used_today + cost > self._behaviour.budget:
                self._refuse(token, now)
                wait = max(1, math.ceil(self._resets_at(now) - now))
                raise errors.budget_exceeded(
                    {**self._headers(window, limit, seconds, now), "retry-after": str(wait)}
                )
            if limit is not None:
                window.append(now)
            self.used_today += cost
            return self._headers(window, limit, seconds, now)

    def _limit(self, token: Token, searches: bool) -> tuple[int | None, float]:
        burst, seconds = self._rate or (self._behaviour.burst, SECONDS)
        if token.unlimited:
            return None, seconds
        if searches:
            return self._behaviour.search_burst, SECONDS
        if token.burst is not None:
            return token.burst, seconds
        return burst * (OAUTH_FACTOR if token.oauth else 1), seconds

    def _refuse(self, token: Token, now: float) -> None:
        most = self._behaviour.flood_limit
        if most is None:
            return
        refusals = self._refusals.setdefault(token.token, deque())
        while refusals and refusals[0] <= now - _FLOOD_WINDOW:
            refusals.popleft()
        refusals.append(now)
        if len(refusals) > most:
            self._blocked[token.token] = now + self._behaviour.flood_seconds
            refusals.clear()
            raise errors.blocked()

    def _start_day(self, now: float) -> None:
        # The zone of the server whose midnight counts is not named anywhere; here it is UTC.
        today = datetime.fromtimestamp(now, UTC).date()
        if today != self._day:
            self._day, self.used_today = today, 0

    def _resets_at(self, now: float) -> float:
        tomorrow = datetime.fromtimestamp(now, UTC).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), UTC).timestamp()

    def _headers(self, window: deque[float], limit: int | None, seconds: float, now: float) -> dict[str, str]:
        headers: dict[str, str] = {}
        if limit is not None:
            reset = window[0] + seconds - now if window else seconds
            headers = {
                "x-ratelimit-limit": str(limit),
                "x-ratelimit-remaining": str(max(0, limit - len(window))),
                "x-ratelimit-reset": str(max(1, math.ceil(reset))),
            }
        if self._behaviour.daily_headers:
            budget = self._behaviour.budget
            headers |= {
                "x-daily-ratelimit-token-limit": str(budget),
                "x-daily-ratelimit-token-remaining": str(max(0, budget - self.used_today)),
            }
        return headers
