"""What is sent again, when, and how often: tenacity, composed of values."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import tenacity
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from pytest_crmseed.errors import OutcomeUnknown, PortalError, Unreachable
from pytest_crmseed.events import Listener, Retried, ignore
from pytest_crmseed.providers.base import Answer, Effect, Outcome, Request, Verdict

# Sending these twice does what sending them once does: a record is deleted by its id.
_REPEATABLE = (Effect.READ, Effect.DELETE)

# The statuses by which something on the way says that the portal took too long.
_TIMED_OUT = (408, 504, 524)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long a request is tried, in seconds.

    ``attempts`` counts the first one; a portal that cannot be reached at all is tried again
    ``unreachable`` times only. The wait is what the portal asks for, else ``base`` doubled each
    time and shortened by up to a half at ``random``; never more than ``cap``, and never past
    ``deadline`` after the first attempt.
    """

    attempts: int = 5
    base: float = 0.5
    cap: float = 30.0
    deadline: float = 120.0
    unreachable: int = 2
    # Not the module's functions: those share a generator with the tests.
    random: Callable[[], float] = field(default_factory=lambda: random.Random().random, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt came to: an answer, or an error and whether another attempt may follow."""

    answer: Answer | None = None
    error: PortalError | None = None
    again: bool = False
    wait: float | None = None


Pause = Callable[[PortalError, float], None]


@runtime_checkable
class Lasting(Protocol):
    """An error that amounts to another one where every attempt meets it."""

    def if_it_lasts(self, waited: float) -> PortalError:
        """Return what it amounts to, after all attempts met it and ``waited`` seconds lay between them."""


def send(
    request: Request,
    exchange: Callable[[Request], tuple[Answer, Verdict]],
    *,
    policy: RetryPolicy,
    listener: Listener = ignore,
    before_wait: Pause = lambda error, wait: None,
) -> Answer:
    """Send a request until it is done, and return the answer.

    ``exchange`` sends it once and has the answer judged. What was surely not executed is sent
    again, whatever it is; after a passing fault or a lost answer only reads and deletes are.
    ``before_wait`` is told the error and the wait before each repetition. An error that all attempts
    met is raised as what it amounts to (:class:`Lasting`).

    Raises:
        OutcomeUnknown: a create or an update may or may not have been executed.
        PortalError: the portal's refusal at once, or the last error when the attempts ran out.
    """
    started = policy.clock()
    met: list[PortalError] = []

    def announce(state: tenacity.RetryCallState) -> None:
        error = _attempt(state).error
        assert error is not None
        met.append(error)
        before_wait(error, state.upcoming_sleep)
        listener(Retried(request.what, state.attempt_number + 1, state.upcoming_sleep, error.message))

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda attempt: attempt.again),
        stop=(
            tenacity.stop_after_attempt(policy.attempts)
            | _stop_at_deadline(policy, started)
            | _stop_when_unreachable(policy.unreachable)
        ),
        wait=_wait_as_asked(policy, started),
        sleep=policy.sleep,
        before_sleep=announce,
        retry_error_callback=lambda state: _given_up(state, met, policy.clock() - started),
    )
    attempt: Attempt = retrying(_try, request, exchange)
    if attempt.error is not None:
        raise attempt.error
    assert attempt.answer is not None
    return attempt.answer


def _try(request: Request, exchange: Callable[[Request], tuple[Answer, Verdict]]) -> Attempt:
    try:
        answer, verdict = exchange(request)
    except Unreachable as unreachable:
        return Attempt(error=unreachable, again=True)
    except OutcomeUnknown as lost:
        return Attempt(error=lost, again=request.effect in _REPEATABLE)
    if verdict.outcome is Outcome.DONE:
        return Attempt(answer=answer)
    error = verdict.error or PortalError(
        f"{request.what}: the portal answered {answer.status}.", status=answer.status
    )
    if verdict.outcome is Outcome.NOT_EXECUTED:
        return Attempt(error=error, again=True, wait=verdict.wait)
    if verdict.outcome is Outcome.REFUSED:
        return Attempt(error=error)
    if request.effect in _REPEATABLE:
        return Attempt(error=error, again=True, wait=verdict.wait)
    unknown = OutcomeUnknown(
        f"{request.what}: it may or may not have been executed. {error.message}",
        remedy=error.remedy or "Look before it is sent again.",
        status=error.status if error.status is not None else answer.status,
        timed_out=answer.status in _TIMED_OUT,
    )
    unknown.body = error.body
    return Attempt(error=unknown)


def _given_up(state: tenacity.RetryCallState, met: Sequence[PortalError], seconds: float) -> Attempt:
    attempt = _attempt(state)
    error = attempt.error
    if error is None or state.attempt_number == 1:
        return attempt
    if isinstance(error, Lasting) and all(isinstance(each, Lasting) for each in met):
        error = error.if_it_lasts(state.idle_for)
    # The error is the last attempt's own; nobody else holds it.
    error.message = f"{error.message} Tried {state.attempt_number} times in {seconds:.0f} s."
    error.args = (error.message,)
    return replace(attempt, error=error)


def _attempt(state: tenacity.RetryCallState) -> Attempt:
    assert state.outcome is not None
    attempt: Attempt = state.outcome.result()
    return attempt


class _wait_as_asked(wait_base):
    """Wait as long as the portal asks, else longer each time."""

    def __init__(self, policy: RetryPolicy, started: float) -> None:
        self._policy = policy
        self._started = started

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        policy = self._policy
        asked = _attempt(retry_state).wait
        if asked is None:
            backoff = min(policy.cap, policy.base * 2 ** (retry_state.attempt_number - 1))
            asked = backoff * (1 - policy.random() / 2)
        left = self._started + policy.deadline - policy.clock()
        return max(0.0, min(asked, policy.cap, left))


class _stop_at_deadline(stop_base):
    def __init__(self, policy: RetryPolicy, started: float) -> None:
        self._policy = policy
        self._started = started

    def __call__(self, retry_state: tenacity.RetryCallState) -> bool:
        return self._policy.clock() - self._started >= self._policy.deadline


class _stop_when_unreachable(stop_base):
    """Stop after so many repetitions of attempts that made no connection."""

    def __init__(self, repetitions: int) -> None:
        self._left = repetitions

    def __call__(self, retry_state: tenacity.RetryCallState) -> bool:
        if not isinstance(_attempt(retry_state).error, Unreachable):
            return False
        self._left -= 1
        return self._left < 0
