"""Client-side throttling: rolling-window budgets shared by threads and processes of this machine."""

from __future__ import annotations

import hashlib
import math
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_crmseed.errors import Throttled, UsageError
from pytest_crmseed.ingest.database import Database
from pytest_crmseed.providers.base import Rate, Reading

FORMAT = 1

# Every request counts against the window of ``--crm-rate N/SECONDS``, whatever its own buckets.
PACE = "pace"

# A window is kept in this many slots; a grant counts until its slot's end has left the window.
_SLOTS = 1000
# What a header says of others' requests is hearsay: without a fresh answer it lapses after this
# time, or a day's quota used up by others would stay used up past the portal's midnight.
_HEARSAY_SECONDS = 600
# Waiting cures no window longer than this.
_LONG_SECONDS = 3600

_TABLES = (
    """CREATE TABLE grants (
        bucket TEXT NOT NULL, at INTEGER NOT NULL, number INTEGER NOT NULL,
        PRIMARY KEY (bucket, at)) WITHOUT ROWID""",
    """CREATE TABLE windows (
        bucket TEXT PRIMARY KEY, "limit" INTEGER, seconds REAL,
        paused_until INTEGER NOT NULL DEFAULT 0, pause INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""",
)

# What is used of every limit, so that the application under test has room for its own requests.
SHARE = 0.9

_RATE = re.compile(
    r"(?P<limit>[0-9]+)\s*/\s*(?P<seconds>[0-9]+(\.[0-9]+)?)|(?P<percent>[0-9]+(\.[0-9]+)?)\s*%"
)


@dataclass(frozen=True, slots=True)
class RateOverride:
    """What ``--crm-rate`` says: ``limit`` requests in ``seconds``, or a ``share`` of each known limit."""

    limit: int | None = None
    seconds: float | None = None
    share: float | None = None


def parse_rate(text: str) -> RateOverride:
    """Return what ``N/SECONDS`` or ``P%`` says.

    Raises:
        UsageError: it is neither, or not positive, or more than 100 %.
    """
    match = _RATE.fullmatch(text.strip())
    if match is None:
        problem = "it is neither"
    elif match["percent"] is not None:
        share = float(match["percent"]) / 100
        if 0 < share <= 1:
            return RateOverride(share=share)
        problem = "a share is more than 0 % and at most 100 %"
    else:
        limit, seconds = int(match["limit"]), float(match["seconds"])
        if limit > 0 and seconds > 0:
            return RateOverride(limit, seconds)
        problem = "both numbers are more than 0"
    raise UsageError(
        f"--crm-rate {text!r}: {problem}.",
        remedy="Give requests per seconds (50/10) or a share of the portal's own limits (50%).",
    )


def scope_key(*parts: str) -> str:
    """Return a short hash of what shares a budget: an address and a token, or a portal's id."""
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Window:
    """A bucket as it stands: at most ``limit`` in ``seconds``, held back until a time in µs."""

    limit: int | None
    seconds: float | None
    held_until: int


class Budget:
    """Rolling-window budgets: in no window of a rate's seconds more requests than its limit grants.

    ``scopes`` gives, for each ``Rate.per``, what shares the budget: a hash (:func:`scope_key`),
    never a token. Budgets with the same scope on the same ``path`` count together; without a path
    a budget counts for this object alone. ``share`` of every limit is used, so that the application
    under test has room for its own requests. ``clock`` gives seconds that all sharers agree on.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(
        self,
        rates: Iterable[Rate],
        *,
        scopes: Mapping[str, str],
        path: Path | None = None,
        override: RateOverride | None = None,
        share: float = SHARE,
        longest_wait: float = 120.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        busy_timeout: float = 30.0,
    ) -> None:
        override = override or RateOverride()
        self._rates = {rate.bucket: rate for rate in rates}
        self._always: tuple[str, ...] = ()
        if override.limit is not None and override.seconds is not None:
            # The documented default steps back; a limit that the portal's headers tell stays.
            self._rates.pop("burst", None)
            self._rates[PACE] = Rate(PACE, override.limit, override.seconds)
            self._always = (PACE,)
        self._scopes = dict(scopes)
        self._share = override.share or share
        self._longest_wait = longest_wait
        self._clock = clock
        self._sleep = sleep
        self._shared = path is not None
        self._seen = set(self._rates)
        self._database = Database(
            path,
            title="the rate budget",
            tables=_TABLES,
            version=FORMAT,
            error=UsageError,
            remedy="delete it: it holds no more than the last minutes' request counts.",
            durable=False,
            busy_timeout=busy_timeout,
        )

    def join(self, per: str, scope: str) -> None:
        """Count the rates of this ``Rate.per`` with all who share ``scope`` from now on."""
        self._scopes[per] = scope

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def acquire(self, buckets: Sequence[str], costs: Mapping[str, int] | None = None) -> float:
        """Take one request from each bucket, waiting until all have one; return the seconds waited.

        ``costs`` gives the buckets of which it takes more than one. A bucket without a known rate lets
        everything pass.

        Raises:
            Throttled: a budget is used up for longer than ``longest_wait`` (a day's quota).
        """
        wanted = tuple(dict.fromkeys((*buckets, *self._always)))
        if not self._shared and self._seen.isdisjoint(wanted):
            return 0.0
        waited = 0.0
        while True:
            wait, bucket = self._take(wanted, costs or {})
            if wait <= 0:
                return waited
            if wait > self._longest_wait:
                raise Throttled(
                    f"The request budget {bucket!r} is used up for another {_duration(wait)}.",
                    remedy=(
                        "Wait, seed fewer records, or use more of the portal's limits: "
                        f"now {self._share:.0%} (--crm-rate 100%)."
                    ),
                    policy=bucket,
                )
            # Outside the transaction: a sleeper holds nobody up.
            self._sleep(wait)
            waited += wait

    def observe(self, readings: Sequence[Reading]) -> None:
        """Take in what an answer's headers say.

        A limit or a window's length replaces ours; fewer remaining than we count means that others
        use the same budget, and tightens the window.
        """
        if not readings:
            return
        with self._database.write() as db:
            now = self._now()
            for reading in readings:
                self._observe(db, reading, now)

    def pause(self, bucket: str, seconds: float) -> None:
        """Hold a bucket back for all who share it, after the portal refused for its rate.

        A window longer than an hour is not held back: waiting does not fill it.
        """
        with self._database.write() as db:
            now = self._now()
            window = self._window(db, bucket, now)
            if window.seconds is not None and window.seconds > _LONG_SECONDS:
                return
            length = math.ceil(seconds * 1e6)
            self._seen.add(bucket)
            if now + length > window.held_until:
                self._store(db, bucket, paused_until=now + length, pause=length)

    # -- inside a transaction --------------------------------------------------------------------
    def _take(self, buckets: Sequence[str], costs: Mapping[str, int]) -> tuple[float, str]:
        """Take of each and return 0, or take nothing and return the wait and the bucket."""
        with self._database.write() as db:
            # Read here, where the lock is held: whoever comes later has a later time.
            now = self._now()
            longest, bucket = 0, ""
            counted: list[tuple[str, float]] = []
            for name in buckets:
                window = self._window(db, name, now)
                wait = window.held_until - now
                if window.limit is not None and window.seconds is not None:
                    counted.append((name, window.seconds))
                    cost = costs.get(name, 1)
                    wait = max(wait, self._wait(db, name, window.limit, window.seconds, now, cost))
                if wait > longest:
                    longest, bucket = wait, name
            if longest > 0:
                # To the next millisecond, so that rounding never makes a second round necessary.
                return math.ceil(longest / 1000) / 1000, bucket
            for name, seconds in counted:
                self._count(db, name, self._slot_end(now, seconds), costs.get(name, 1))
        return 0.0, ""

    def _wait(
        self, db: sqlite3.Connection, bucket: str, limit: int, seconds: float, now: int, cost: int
    ) -> int:
        """Return in how many µs the window has room for so many more."""
        length = math.ceil(seconds * 1e6)
        key = self._key(bucket)
        db.execute("DELETE FROM grants WHERE bucket = ? AND at < ?", (key, now - length))
        latest = self._slot_end(now, seconds)
        used, newest = db.execute(
            "SELECT coalesce(sum(number), 0), max(at) FROM grants WHERE bucket = ?", (key,)
        ).fetchone()
        if newest is not None and newest > latest:
            # The clock was set back: what seems to come from the future counts as made now.
            (ahead,) = db.execute(
                "SELECT sum(number) FROM grants WHERE bucket = ? AND at > ?", (key, latest)
            ).fetchone()
            db.execute("DELETE FROM grants WHERE bucket = ? AND at > ?", (key, latest))
            self._count(db, bucket, latest, ahead)
        granted = self._granted(bucket, limit)
        # What costs more than the whole window passes when that is empty.
        cost = min(cost, granted)
        free = granted - used
        if free >= cost:
            return 0
        until = now
        for at, number in db.execute("SELECT at, number FROM grants WHERE bucket = ? ORDER BY at", (key,)):
            free += number
            until = at + length + 1
            if free >= cost:
                break
        return until - now

    def _observe(self, db: sqlite3.Connection, reading: Reading, now: int) -> None:
        window = self._window(db, reading.bucket, now)
        limit, seconds = reading.limit or window.limit, reading.seconds or window.seconds
        if limit is None or seconds is None:
            return
        self._seen.add(reading.bucket)
        if (limit, seconds) != (window.limit, window.seconds):
            self._store(db, reading.bucket, limit=limit, seconds=seconds)
        if reading.remaining is None:
            return
        length = math.ceil(seconds * 1e6)
        (ours,) = db.execute(
            "SELECT coalesce(sum(number), 0) FROM grants WHERE bucket = ? AND at >= ?",
            (self._key(reading.bucket), now - length),
        ).fetchone()
        others = limit - reading.remaining - ours
        if others > 0:
            # Dated back, so that it leaves the window when it lapses.
            lapses = now + min(length, _HEARSAY_SECONDS * 1_000_000)
            self._count(db, reading.bucket, self._slot_end(lapses - length, seconds), others)

    def _window(self, db: sqlite3.Connection, bucket: str, now: int) -> _Window:
        rate = self._rates.get(bucket)
        row = db.execute(
            'SELECT "limit", seconds, paused_until, pause FROM windows WHERE bucket = ?', (self._key(bucket),)
        ).fetchone()
        limit, seconds, paused_until, pause = row or (None, None, 0, 0)
        if paused_until > now + pause:
            # The clock was set back: the pause starts again, and is no longer than it was.
            paused_until = now + pause
            self._store(db, bucket, paused_until=paused_until)
        return _Window(
            limit or (rate.limit if rate else None),
            seconds or (rate.seconds if rate else None),
            paused_until,
        )

    def _store(self, db: sqlite3.Connection, bucket: str, **values: float) -> None:
        key = self._key(bucket)
        db.execute("INSERT OR IGNORE INTO windows (bucket) VALUES (?)", (key,))
        changes = ", ".join(f'"{name}" = ?' for name in values)
        db.execute(f"UPDATE windows SET {changes} WHERE bucket = ?", (*values.values(), key))

    def _count(self, db: sqlite3.Connection, bucket: str, at: int, number: int) -> None:
        db.execute(
            "INSERT INTO grants VALUES (?, ?, ?)"
            " ON CONFLICT (bucket, at) DO UPDATE SET number = number + excluded.number",
            (self._key(bucket), at, number),
        )

    def _granted(self, bucket: str, limit: int) -> int:
        return limit if bucket == PACE else max(1, math.floor(limit * self._share))

    def _key(self, bucket: str) -> str:
        rate = self._rates.get(bucket)
        return f"{self._scopes[rate.per if rate else 'token']}:{bucket}"

    def _now(self) -> int:
        return int(self._clock() * 1e6)

    def _slot_end(self, now: int, seconds: float) -> int:
        slot = max(1, int(seconds * 1e6 / _SLOTS))
        return (now // slot + 1) * slot


def _duration(seconds: float) -> str:
    minutes, hours = math.ceil(seconds / 60), seconds / 3600
    if seconds < 120:
        return f"{math.ceil(seconds)} s"
    return f"{minutes} minutes" if minutes < 120 else f"{hours:.1f} hours"
