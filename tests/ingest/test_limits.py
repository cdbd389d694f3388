"""Rate budgets: rolling windows, sharing, headers, pauses, the option's text."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_crmseed.errors import Throttled, UsageError
from pytest_crmseed.ingest.limits import Budget, RateOverride, parse_rate, scope_key
from pytest_crmseed.providers.base import Rate, Reading

START = 1_790_000_000.0
SCOPES = {"token": "t", "portal": "p"}


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self, now: float = START) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds


_made: list[Budget] = []


@pytest.fixture(autouse=True)
def close_budgets() -> Iterator[None]:
    yield
    while _made:
        _made.pop().close()


def make(
    clock: Clock,
    *rates: Rate,
    path: Path | None = None,
    share: float = 1.0,
    override: RateOverride | None = None,
    scopes: dict[str, str] | None = None,
    longest_wait: float = 120.0,
) -> Budget:
    budget = Budget(
        rates,
        scopes=scopes or SCOPES,
        path=path,
        share=share,
        override=override,
        longest_wait=longest_wait,
        clock=clock,
        sleep=clock.sleep,
    )
    _made.append(budget)
    return budget


def granted_at_once(budget: Budget, clock: Clock, *buckets: str) -> int:
    """How many requests pass before one has to wait; the clock stands still."""
    count = 0
    while budget.acquire(buckets or ("burst",)) == 0:
        count += 1
    return count


def test_a_window_grants_its_limit_and_then_waits_it_out() -> None:
    clock = Clock()
    budget = make(clock, Rate("burst", 3, 10.0))
    assert [budget.acquire(["burst"]) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert budget.acquire(["burst"]) == pytest.approx(10.0, abs=0.02)
    assert clock.now - START > 10.0


def test_a_window_rolls() -> None:
    clock = Clock()
    budget = make(clock, Rate("burst", 2, 10.0))
    budget.acquire(["burst"])
    clock.now += 6
    budget.acquire(["burst"])
    assert budget.acquire(["burst"]) == pytest.approx(4.0, abs=0.02)
    assert budget.acquire(["burst"]) == pytest.approx(6.0, abs=0.02)


def test_all_buckets_are_taken_together_or_none() -> None:
    clock = Clock()
    budget = make(clock, Rate("burst", 5, 10.0), Rate("search", 1, 1.0, per="portal"))
    budget.acquire(["burst", "search"])
    budget.acquire(["burst", "search"])
    assert clock.slept == [pytest.approx(1.0, abs=0.02)]
    # Waiting for the search bucket used up nothing of the other.
    assert granted_at_once(budget, clock, "burst") == 3


def test_a_bucket_without_a_rate_passes() -> None:
    clock = Clock()
    budget = make(clock, Rate("burst", 1, 10.0))
    assert [budget.acquire(["other"]) for _ in range(100)] == [0.0] * 100
    assert [make(clock).acquire(["burst", "daily"]) for _ in range(100)] == [0.0] * 100


def test_a_share_is_left_to_the_application() -> None:
    clock = Clock()
    assert granted_at_once(make(clock, Rate("burst", 190, 10.0), share=0.9), clock) == 171
    assert granted_at_once(make(clock, Rate("burst", 1, 10.0), share=0.5), clock) == 1
    default = Budget([Rate("burst", 100, 10.0)], scopes=SCOPES, clock=clock, sleep=clock.sleep)
    assert granted_at_once(default, clock) == 90
    default.close()


rates = st.tuples(st.integers(1, 8), st.sampled_from([0.5, 1.0, 10.0, 60.0]))
steps = st.lists(
    st.tuples(st.integers(0, 2), st.floats(0, 15), st.sampled_from(["", "pause", "observe"])), max_size=60
)


@settings(deadline=None, max_examples=60)
@given(rates, rates, steps)
def test_no_rolling_window_ever_holds_more_than_its_limit(
    burst: tuple[int, float], search: tuple[int, float], steps: list[tuple[int, float, str]]
) -> None:
    windows = {"burst": burst, "search": search}
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        path = Path(folder) / "rates.sqlite"
        all_rates = [Rate(name, limit, seconds) for name, (limit, seconds) in windows.items()]
        budgets = [make(clock, *all_rates, path=path) for _ in range(3)]
        times: dict[str, list[float]] = {name: [] for name in windows}
        for which, idle, also in steps:
            clock.now += idle if idle > 5 else 0
            if also == "pause":
                budgets[which].pause("burst", idle)
                held = clock.now + idle
            elif also == "observe":
                budgets[which].observe([Reading("burst", remaining=int(idle))])
            names = ["burst", "search"] if which else ["burst"]
            budgets[which].acquire(names)
            if also == "pause":
                assert clock.now >= held - 1e-6
            for name in names:
                times[name].append(clock.now)
        for budget in budgets:
            budget.close()
        for name, (limit, seconds) in windows.items():
            made = times[name]
            for first, last in zip(made, made[limit:], strict=False):
                assert last - first > seconds


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 20), st.sampled_from([1.0, 10.0]), st.lists(st.floats(0, 3), min_size=1, max_size=40))
def test_a_window_is_used_to_the_full(limit: int, seconds: float, idles: list[float]) -> None:
    clock = Clock()
    budget = make(clock, Rate("burst", limit, seconds))
    times: list[float] = []
    for idle in idles:
        clock.now += idle
        asked = clock.now
        budget.acquire(["burst"])
        times.append(clock.now)
        # Never a wait that the limit does not ask for, but for a thousandth of the window.
        earliest = times[-limit - 1] + seconds if len(times) > limit else asked
        assert clock.now <= max(asked, earliest) + seconds / 1000 + 0.002


def test_a_window_of_a_day_stays_small(tmp_path: Path) -> None:
    clock = Clock()
    budget = make(clock, Rate("daily", 250_000, 86_400.0, per="portal"), path=tmp_path / "rates.sqlite")
    for _ in range(2000):
        budget.acquire(["daily"])
        clock.now += 43.2
    with budget._database.read() as db:
        assert db.execute("SELECT sum(number) FROM grants").fetchone() == (2000,)
        assert db.execute("SELECT count(*) FROM grants").fetchone()[0] <= 1001


# -- shared --------------------------------------------------------------------------------------
def test_budgets_of_one_scope_on_one_file_count_together(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / ".crmseed" / "rates.sqlite"
    all_rates = (Rate("burst", 4, 10.0), Rate("daily", 6, 3000.0, per="portal"))
    first = make(clock, *all_rates, path=path, scopes={"token": "a", "portal": "p"})
    same = make(clock, *all_rates, path=path, scopes={"token": "a", "portal": "p"})
    other_token = make(clock, *all_rates, path=path, scopes={"token": "b", "portal": "p"})
    other_portal = make(clock, *all_rates, path=path, scopes={"token": "c", "portal": "q"})
    for budget in (first, same, first):
        assert budget.acquire(["burst", "daily"]) == 0
    assert granted_at_once(same, clock, "burst") == 1
    clock.now = START
    assert [other_token.acquire(["burst", "daily"]) for _ in range(3)] == [0.0, 0.0, 0.0]
    with pytest.raises(Throttled):
        other_token.acquire(["daily"])
    assert other_portal.acquire(["burst", "daily"]) == 0
    assert (path.parent / ".gitignore").exists()


def test_budgets_without_a_file_count_alone() -> None:
    clock = Clock()
    first, second = (make(clock, Rate("burst", 2, 10.0)) for _ in range(2))
    assert granted_at_once(first, clock) == 2
    clock.now = START
    assert granted_at_once(second, clock) == 2


def test_no_token_enters_the_file(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "rates.sqlite"
    key = scope_key("https://api.hubapi.com", "pat-eu1-secret")
    budget = make(clock, Rate("burst", 2, 10.0), path=path, scopes={"token": key, "portal": key})
    budget.acquire(["burst"])
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert key.encode() in content
    assert b"pat-eu1-secret" not in content
    assert len(key) == 16
    assert scope_key("a", "bc") != scope_key("ab", "c")


class Full(Exception):
    pass


def test_threads_share_a_budget() -> None:
    def full(seconds: float) -> None:
        raise Full

    budget = Budget([Rate("burst", 100, 10.0)], scopes=SCOPES, share=1.0, clock=lambda: START, sleep=full)
    counts: list[int] = []

    def work() -> None:
        count = 0
        try:
            while True:
                budget.acquire(["burst"])
                count += 1
        except Full:
            counts.append(count)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    budget.close()
    assert len(counts) == 8
    assert sum(counts) == 100


def test_processes_share_a_budget(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from pytest_crmseed.ingest.limits import Budget
from pytest_crmseed.providers.base import Rate

class Full(Exception):
    pass

def full(seconds):
    raise Full

budget = Budget(
    [Rate("burst", 60, 10.0)], scopes={"token": "t"}, path=Path(sys.argv[1]), share=1.0,
    clock=lambda: 1000.0, sleep=full,
)
count = 0
try:
    while True:
        budget.acquire(["burst"])
        count += 1
except Full:
    print(count)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    path = tmp_path / ".crmseed" / "rates.sqlite"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path)], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    counts = [int(worker.communicate(timeout=120)[0]) for worker in workers]
    assert sum(counts) == 60


# -- what the portal says ------------------------------------------------------------------------
def test_a_headers_limit_replaces_the_configured_one(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "rates.sqlite"
    budget = make(clock, Rate("burst", 2, 10.0), path=path)
    budget.observe([Reading("burst", limit=5, seconds=20.0)])
    assert granted_at_once(make(clock, Rate("burst", 2, 10.0), path=path), clock) == 5
    assert clock.slept == [pytest.approx(20.0, abs=0.05)]


def test_a_header_makes_a_limit_known_that_was_not() -> None:
    clock = Clock()
    budget = make(clock)
    budget.observe([Reading("burst", limit=3)])
    assert [budget.acquire(["burst"]) for _ in range(9)] == [0.0] * 9
    budget.observe([Reading("burst", limit=3, seconds=10.0)])
    assert granted_at_once(budget, clock) == 3


def test_fewer_remaining_than_we_count_tightens_the_window() -> None:
    clock = Clock()
    budget = make(clock, Rate("burst", 10, 10.0))
    budget.acquire(["burst"])
    budget.observe([Reading("burst", limit=10, remaining=4)])
    assert granted_at_once(budget, clock) == 4
    clock.now += 30
    assert granted_at_once(budget, clock) == 10


def test_more_remaining_than_we_count_changes_nothing() -> None:
    clock = Clock()
    budget = make(clock, Rate("burst", 10, 10.0))
    for _ in range(6):
        budget.acquire(["burst"])
    budget.observe([Reading("burst", limit=10, remaining=9), Reading("burst")])
    assert granted_at_once(budget, clock) == 4


def test_the_share_stays_with_the_application_when_it_uses_the_same_budget() -> None:
    clock = Clock()
    budget = make(clock, Rate("burst", 100, 10.0), share=0.9)
    budget.observe([Reading("burst", remaining=30)])
    assert granted_at_once(budget, clock) == 20


def test_what_others_used_of_a_day_lapses_without_fresh_answers() -> None:
    clock = Clock()
    budget = make(clock, Rate("daily", 100, 86_400.0, per="portal"))
    budget.observe([Reading("daily", limit=100, remaining=1)])
    assert budget.acquire(["daily"]) == 0
    with pytest.raises(Throttled) as caught:
        budget.acquire(["daily"])
    assert str(caught.value) == (
        "The request budget 'daily' is used up for another 11 minutes. Wait, seed fewer records, or use more "
        "of the portal's limits: now 100% (--crm-rate 100%)."
    )
    assert caught.value.policy == "daily"
    assert clock.slept == []
    clock.now += 700  # past midnight, say
    assert budget.acquire(["daily"]) == 0


def test_a_day_used_up_by_ourselves_is_an_error_and_no_wait() -> None:
    clock = Clock()
    budget = make(clock, Rate("daily", 2, 86_400.0, per="portal"))
    budget.acquire(["daily"])
    clock.now += 3600 * 4
    budget.acquire(["daily"])
    with pytest.raises(Throttled, match=r"^The request budget 'daily' is used up for another 20\.0 hours\."):
        budget.acquire(["daily"])


@pytest.mark.parametrize(("wait", "text"), [(100.0, "101 s"), (600.0, "11 minutes"), (7300.0, "2.0 hours")])
def test_a_wait_is_told_in_fitting_units(wait: float, text: str) -> None:
    clock = Clock()
    budget = make(clock, Rate("burst", 1, wait), longest_wait=10.0)
    budget.acquire(["burst"])
    with pytest.raises(Throttled, match=rf"^The request budget 'burst' is used up for another {text}\."):
        budget.acquire(["burst"])


def test_a_pause_holds_all_sharers_back(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "rates.sqlite"
    one, other = (make(clock, Rate("burst", 100, 10.0), path=path) for _ in range(2))
    one.pause("burst", 3.0)
    one.pause("burst", 1.0)
    assert other.acquire(["burst"]) == pytest.approx(3.0)
    assert one.acquire(["burst"]) == 0


def test_a_bucket_without_a_rate_can_be_paused() -> None:
    clock = Clock()
    budget = make(clock)
    budget.pause("burst", 2.5)
    assert budget.acquire(["other"]) == 0
    assert budget.acquire(["burst", "daily"]) == pytest.approx(2.5)


def test_a_day_is_not_paused() -> None:
    clock = Clock()
    budget = make(clock, Rate("daily", 100, 86_400.0))
    budget.pause("daily", 5.0)
    assert budget.acquire(["daily"]) == 0


def test_a_clock_set_back_neither_blocks_nor_grants_too_much() -> None:
    clock = Clock()
    budget = make(clock, Rate("burst", 5, 10.0))
    for _ in range(3):
        budget.acquire(["burst"])
    budget.pause("burst", 4.0)
    clock.now -= 3600
    assert budget.acquire(["burst"]) == pytest.approx(4.0)
    clock.slept.clear()
    assert [budget.acquire(["burst"]) for _ in range(2)] == [0.0, pytest.approx(10.0, abs=4.1)]


# -- the option ----------------------------------------------------------------------------------
def test_a_pace_counts_every_request(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "rates.sqlite"
    all_rates = (Rate("burst", 2, 10.0), Rate("search", 3, 1.0))
    budget = make(clock, *all_rates, path=path, override=parse_rate("4/1"), share=0.5)
    assert budget.acquire(["search"]) == 0
    assert granted_at_once(budget, clock, "burst") == 3
    # The portal's own word still holds.
    budget.observe([Reading("burst", limit=2, seconds=10.0)])
    clock.now += 100
    assert granted_at_once(budget, clock, "burst") == 1


def test_a_percentage_is_taken_of_each_limit() -> None:
    clock = Clock()
    all_rates = (Rate("burst", 10, 10.0), Rate("search", 4, 1.0))
    budget = make(clock, *all_rates, override=parse_rate("50%"))
    assert granted_at_once(budget, clock, "burst") == 5
    assert granted_at_once(budget, clock, "search") == 2


@pytest.mark.parametrize(
    ("text", "override"),
    [
        ("50/10", RateOverride(50, 10.0)),
        (" 5 / 0.5 ", RateOverride(5, 0.5)),
        ("75%", RateOverride(share=0.75)),
        ("12.5 %", RateOverride(share=0.125)),
        ("100%", RateOverride(share=1.0)),
    ],
)
def test_a_rate_is_read(text: str, override: RateOverride) -> None:
    assert parse_rate(text) == override


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("fast", "it is neither"),
        ("", "it is neither"),
        ("10", "it is neither"),
        ("10/", "it is neither"),
        ("-1/10", "it is neither"),
        ("1.5/10", "it is neither"),
        ("1/1/1", "it is neither"),
        ("0/10", "both numbers are more than 0"),
        ("10/0", "both numbers are more than 0"),
        ("0%", "a share is more than 0 % and at most 100 %"),
        ("101%", "a share is more than 0 % and at most 100 %"),
    ],
)
def test_a_rate_that_is_none_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_rate(text)
    assert str(caught.value) == (
        f"--crm-rate {text!r}: {problem}. "
        "Give requests per seconds (50/10) or a share of the portal's own limits (50%)."
    )


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "rates.sqlite"
    with pytest.raises(UsageError) as caught:
        make(Clock(), path=path)
    assert str(caught.value) == (
        f"the rate budget {path} cannot be written: File exists. "
        "Choose a path in a folder that can be written to."
    )


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rates.sqlite"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(UsageError) as caught:
        make(Clock(), path=path)
    assert str(caught.value) == (
        f"the rate budget {path} is damaged, or no SQLite database (file is not a database). "
        "Delete it: it holds no more than the last minutes' request counts."
    )


def test_a_joined_scope_is_counted_together_from_then_on(tmp_path: Path) -> None:
    rates = [Rate("daily", 2, 3600.0, per="portal")]
    path = tmp_path / "budget.sqlite"
    budgets = [
        Budget(
            rates,
            scopes={"token": name, "portal": name},
            path=path,
            share=1.0,
            longest_wait=1.0,
            clock=lambda: 1000.0,
            sleep=lambda seconds: None,
        )
        for name in ("one", "two")
    ]
    try:
        for budget in budgets:
            budget.join("portal", "both")
            budget.acquire(["daily"])
        with pytest.raises(Throttled):
            budgets[0].acquire(["daily"])
    finally:
        for budget in budgets:
            budget.close()


def test_a_request_may_cost_more_than_one_of_a_budget() -> None:
    clock = Clock()
    budget = make(clock, Rate("burst", 100, 10.0), Rate("daily", 10, 60.0))
    assert budget.acquire(("burst", "daily"), {"daily": 5}) == 0
    assert budget.acquire(("burst", "daily"), {"daily": 5}) == 0
    assert budget.acquire(("burst", "daily"), {"daily": 1}) > 59
    # What costs more than the whole budget passes when that is empty.
    assert 59 < budget.acquire(("daily",), {"daily": 50}) < 61
