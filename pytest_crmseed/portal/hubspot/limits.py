"""Rate limits: a rolling window per app, a daily figure per account.

HubSpot docs, "API usage guidelines and limits". Only requests that are let through count [unsure].
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import takewhile
from zoneinfo import ZoneInfo

from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.hubspot import errors
from pytest_crmseed.portal.hubspot.tokens import Token


class Limits:
    """Counts requests and refuses those beyond a limit; safe to use from many threads."""

    def __init__(self, behaviour: Behaviour, *, rate: tuple[int, float], clock: Callable[[], float]) -> None:
        self._behaviour = behaviour
        self._burst, self._seconds = rate
        self._clock = clock
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._windows: dict[int, deque[float]] = {}
            self._searches: deque[float] = deque()
            self._day: date | None = None
            self.used_today = 0

    def take(self, token: Token, correlation_id: str) -> dict[str, str]:
        """Count a request, and return the headers that tell what is left.

        Raises:
            ApiError: a limit is reached (429).
        """
        with self._lock:
            now = self._clock()
            self._start_day(now)
            window = self._windows.setdefault(token.app_id, deque())
            while window and window[0] <= now - self._seconds:
                window.popleft()
            limit = self._limit(token)
            if limit is not None and len(window) >= limit:
                wait = window[0] + self._seconds - now
                headers = self._with_retry_after(self._headers(token, window, limit, now), wait)
                raise errors.burst_reached(token.app_id, headers)
            if self.used_today >= self._behaviour.daily_limit:
                wait = self._resets_at(now).timestamp() - now
                headers = self._with_retry_after(self._headers(token, window, limit, now), wait)
                raise errors.daily_reached(correlation_id.replace("-", ""), headers)
            if limit is not None:
                window.append(now)
            self.used_today += 1
            return self._headers(token, window, limit, now)

    def take_search(self, token: Token, correlation_id: str) -> dict[str, str]:
        """Count a search, for which there is a limit per second and account; its answers have no headers.

        The seeder's own app is not counted, so that seeding never eats what the application may ask.

        Raises:
            ApiError: the limit is reached (429).
        """
        if token.unlimited:
            return {}
        with self._lock:
            now = self._clock()
            while self._searches and self._searches[0] <= now - 1:
                self._searches.popleft()
            if len(self._searches) >= self._behaviour.search_limit:
                headers = self._with_retry_after({}, self._searches[0] + 1 - now) if self._searches else {}
                raise errors.secondly_reached(correlation_id.replace("-", ""), headers)
            self._searches.append(now)
            return {}

    def resets_at(self) -> datetime:
        """Return when the daily figure starts anew: the account's next midnight, in UTC."""
        return self._resets_at(self._clock())

    def _limit(self, token: Token) -> int | None:
        if token.unlimited:
            return None
        return self._burst if token.burst is None else token.burst

    def _start_day(self, now: float) -> None:
        today = datetime.fromtimestamp(now, zone(self._behaviour.time_zone)).date()
        if today != self._day:
            self._day, self.used_today = today, 0

    def _resets_at(self, now: float) -> datetime:
        here = datetime.fromtimestamp(now, zone(self._behaviour.time_zone))
        midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight.astimezone(UTC)

    def _headers(self, token: Token, window: deque[float], limit: int | None, now: float) -> dict[str, str]:
        daily = self._behaviour.daily_limit
        headers: dict[str, str] = {}
        if not token.oauth:
            headers = {
                "X-HubSpot-RateLimit-Daily": str(daily),
                "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, daily - self.used_today)),
            }
        if limit is not None:
            per_second = max(1, int(limit / self._seconds))
            this_second = sum(1 for _ in takewhile(lambda at: at > now - 1, reversed(window)))
            headers |= {
                "X-HubSpot-RateLimit-Max": str(limit),
                "X-HubSpot-RateLimit-Remaining": str(max(0, limit - len(window))),
                "X-HubSpot-RateLimit-Interval-Milliseconds": str(round(self._seconds * 1000)),
                "X-HubSpot-RateLimit-Secondly": str(per_second),
                "X-HubSpot-RateLimit-Secondly-Remaining": str(max(0, per_second - this_second)),
            }
        return headers

    def _with_retry_after(self, headers: dict[str, str], wait: float) -> dict[str, str]:
        if self._behaviour.retry_after_on_429:
            headers["Retry-After"] = str(max(1, math.ceil(wait)))
        return headers


def zone(name: str) -> tzinfo:
    """Return a time zone by its IANA name; UTC needs no time zone database.

    Raises:
        ZoneInfoNotFoundError: there is no such zone.
    """
    return UTC if name == "UTC" else ZoneInfo(name)
