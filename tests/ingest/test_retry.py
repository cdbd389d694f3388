"""What is sent again, when, and how often; no test waits."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import (
    ApiRefused,
    NotAPortal,
    OutcomeUnknown,
    PortalError,
    Throttled,
    Unauthorized,
    Unreachable,
)
from pytest_crmseed.events import Event, Retried
from pytest_crmseed.ingest import retry
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.providers.base import Answer, Effect, Outcome, Request, Verdict

CREATE, READ, UPDATE, DELETE = Effect.CREATE, Effect.READ, Effect.UPDATE, Effect.DELETE


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def done() -> Verdict:
    return Verdict(Outcome.DONE)


def throttled(wait: float | None = None) -> Verdict:
    return Verdict(Outcome.NOT_EXECUTED, Throttled("The limit is reached.", status=429), wait)


def failed() -> Verdict:
    return Verdict(Outcome.FAILED, PortalError("The portal answered 502.", status=502))


def unreachable() -> PortalError:
    return Unreachable("No connection.", remedy="Start it.")


def lost() -> PortalError:
    return OutcomeUnknown("The answer got lost.", remedy="Look.")


class Run:
    """Sends one request through a script of verdicts and errors; the last one stays."""

    def __init__(self, script: Sequence[Verdict | PortalError], took: float = 0.0, **policy: object) -> None:
        self.script = list(script)
        self.took = took
        self.time = Time()
        self.sent = 0
        self.events: list[Event] = []
        self.held: list[tuple[str, float]] = []
        values = {"random": lambda: 0.0, "clock": self.time.clock, "sleep": self.time.sleep, **policy}
        self.policy = RetryPolicy(**values)  # type: ignore[arg-type]

    def exchange(self, request: Request) -> tuple[Answer, Verdict]:
        step = self.script[min(self.sent, len(self.script) - 1)]
        self.sent += 1
        self.time.now += self.took
        if isinstance(step, PortalError):
            raise step
        return Answer(200 + self.sent, {}, b"", request), step

    def send(self, effect: Effect) -> Answer:
        return retry.send(
            Request("POST", "/x", "create 100 deals", effect),
            self.exchange,
            policy=self.policy,
            listener=self.events.append,
            before_wait=lambda error, wait: self.held.append((error.message, wait)),
        )


@pytest.mark.parametrize("effect", list(Effect))
def test_what_is_done_is_returned(effect: Effect) -> None:
    run = Run([done()])
    assert run.send(effect).status == 201
    assert (run.sent, run.time.slept, run.events) == (1, [], [])


@pytest.mark.parametrize("effect", list(Effect))
def test_what_was_surely_not_executed_is_sent_again(effect: Effect) -> None:
    run = Run([throttled(), unreachable(), done()])
    assert run.send(effect).status == 203
    assert run.sent == 3


@pytest.mark.parametrize("effect", [READ, DELETE])
@pytest.mark.parametrize("fault", [failed(), lost()])
def test_reads_and_deletes_are_repeated_after_a_fault(effect: Effect, fault: Verdict | PortalError) -> None:
    run = Run([fault, fault, done()])
    assert run.send(effect).status == 203


@pytest.mark.parametrize("effect", [CREATE, UPDATE])
def test_writes_are_never_repeated_when_the_answer_got_lost(effect: Effect) -> None:
    run = Run([lost(), done()])
    with pytest.raises(OutcomeUnknown, match=r"^The answer got lost\. Look\.$"):
        run.send(effect)
    assert (run.sent, run.time.slept) == (1, [])


@pytest.mark.parametrize("effect", [CREATE, UPDATE])
def test_a_servers_fault_leaves_a_writes_outcome_unknown(effect: Effect) -> None:
    run = Run([failed(), done()])
    with pytest.raises(OutcomeUnknown) as caught:
        run.send(effect)
    assert str(caught.value) == (
        "create 100 deals: it may or may not have been executed. The portal answered 502. "
        "Look before it is sent again."
    )
    assert (caught.value.status, run.sent) == (502, 1)


def test_a_write_that_was_refused_for_its_rate_before_it_got_lost_is_not_sent_again() -> None:
    run = Run([throttled(), lost(), done()])
    with pytest.raises(OutcomeUnknown):
        run.send(CREATE)
    assert run.sent == 2


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize(
    "error",
    [
        ApiRefused("Bad field.", status=400),
        Unauthorized("No.", status=401),
        Unauthorized("No scope.", status=403),
        Throttled("The day's limit.", status=429, policy="DAILY"),
        NotAPortal("HTML.", status=404),
    ],
)
def test_a_refusal_is_raised_at_once(effect: Effect, error: PortalError) -> None:
    run = Run([Verdict(Outcome.REFUSED, error, wait=1.0), done()])
    with pytest.raises(type(error)) as caught:
        run.send(effect)
    assert caught.value is error
    assert (run.sent, run.time.slept) == (1, [])


def test_other_errors_of_the_transport_are_raised_at_once() -> None:
    run = Run([NotAPortal("A redirect.", status=301), done()])
    with pytest.raises(NotAPortal, match=r"^A redirect\.$"):
        run.send(READ)
    assert run.sent == 1


def test_a_verdict_without_an_error_gets_one() -> None:
    run = Run([Verdict(Outcome.REFUSED)])
    with pytest.raises(PortalError, match=r"^create 100 deals: the portal answered 201\.$") as caught:
        run.send(CREATE)
    assert caught.value.status == 201


def test_attempts_run_out() -> None:
    run = Run([throttled()], attempts=4)
    with pytest.raises(Throttled) as caught:
        run.send(CREATE)
    assert str(caught.value) == "The limit is reached. Tried 4 times in 4 s."
    assert caught.value.args == ("The limit is reached. Tried 4 times in 4 s.",)
    assert run.sent == 4
    assert run.time.slept == [0.5, 1.0, 2.0]


def test_a_single_attempt_is_no_retry() -> None:
    run = Run([throttled()], attempts=1)
    with pytest.raises(Throttled, match=r"^The limit is reached\.$"):
        run.send(CREATE)
    assert run.sent == 1


def test_an_unreachable_portal_is_tried_three_times_in_all() -> None:
    run = Run([unreachable()], attempts=10)
    with pytest.raises(Unreachable) as caught:
        run.send(READ)
    assert str(caught.value) == "No connection. Tried 3 times in 2 s. Start it."
    assert run.sent == 3


def test_the_deadline_ends_the_attempts() -> None:
    run = Run([throttled()], attempts=100, deadline=10.0, cap=4.0)
    with pytest.raises(Throttled, match=r"Tried 6 times in 10 s\.$"):
        run.send(CREATE)
    assert run.time.slept == [0.5, 1.0, 2.0, 4.0, 2.5]


def test_the_deadline_counts_the_time_that_attempts_take() -> None:
    run = Run([lost()], took=60.0, deadline=120.0)
    with pytest.raises(OutcomeUnknown, match=r"Tried 2 times in 120 s\. Look\.$"):
        run.send(READ)


def test_the_portals_wait_is_obeyed_within_the_cap() -> None:
    run = Run([throttled(7.0), throttled(900.0), throttled(0.0), throttled(-3.0), done()], cap=30.0)
    run.send(CREATE)
    assert run.time.slept == [7.0, 30.0, 0.0, 0.0]


def test_the_portals_wait_is_obeyed_within_the_deadline() -> None:
    run = Run([throttled(8.0), throttled(8.0), done()], deadline=10.0)
    run.send(CREATE)
    assert run.time.slept == [8.0, 2.0]


@given(st.integers(0, 2**32), st.floats(0.01, 5), st.floats(0.1, 60), st.integers(2, 12))
def test_waits_grow_within_bounds(seed: int, base: float, cap: float, attempts: int) -> None:
    run = Run([throttled()], base=base, cap=cap, attempts=attempts, random=random.Random(seed).random)
    with pytest.raises(Throttled):
        run.send(CREATE)
    assert sum(run.time.slept) <= 120.0 + 1e-6
    for number, wait in enumerate(run.time.slept[:-1]):
        full = min(cap, base * 2**number)
        assert full / 2 <= wait <= full


def test_each_repetition_is_told() -> None:
    run = Run([throttled(3.0), unreachable(), done()])
    run.send(CREATE)
    assert run.events == [
        Retried("create 100 deals", 2, 3.0, "The limit is reached."),
        Retried("create 100 deals", 3, 1.0, "No connection."),
    ]
    assert run.held == [("The limit is reached.", 3.0), ("No connection.", 1.0)]


def test_a_keyboard_interrupt_ends_it() -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    run = Run([throttled()], sleep=interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.send(CREATE)
    assert run.sent == 1


def test_jitter_leaves_the_global_generator_alone() -> None:
    random.seed(3)
    state = random.getstate()
    policy = RetryPolicy()
    assert policy.random() != RetryPolicy().random()
    assert random.getstate() == state


class Doubtful(Throttled):
    def if_it_lasts(self, waited: float) -> PortalError:
        return Throttled(f"The day's limit, after waits of {waited:g} s.", remedy="Come back tomorrow.")


def doubtful() -> Verdict:
    return Verdict(Outcome.NOT_EXECUTED, Doubtful("Some limit.", status=429), 2.0)


def test_an_error_that_all_attempts_met_is_raised_as_what_it_amounts_to() -> None:
    run = Run([doubtful()])
    with pytest.raises(Throttled) as caught:
        run.send(CREATE)
    text = "The day's limit, after waits of 8 s. Tried 5 times in 8 s."
    assert str(caught.value) == f"{text} Come back tomorrow."
    assert caught.value.args == (text,)
    assert [event.reason for event in run.events if isinstance(event, Retried)] == ["Some limit."] * 4


@pytest.mark.parametrize("other", [throttled(), failed(), unreachable()])
@pytest.mark.parametrize("place", [0, 2])
def test_an_error_among_others_stays_what_it_is(place: int, other: Verdict | PortalError) -> None:
    script: list[Verdict | PortalError] = [doubtful()] * 5
    script[place] = other
    with pytest.raises(Doubtful, match=r"^Some limit\. Tried 5 times in \d+ s\.$"):
        Run(script).send(READ)


def test_an_error_that_is_met_once_stays_what_it_is() -> None:
    with pytest.raises(Doubtful, match=r"^Some limit\.$"):
        Run([doubtful()], attempts=1).send(CREATE)
