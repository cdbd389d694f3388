"""The way to one portal: budget, transport, judgement, and what is sent again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from pytest_crmseed.errors import CrmseedError, PortalError, Throttled, Unauthorized, Unreachable
from pytest_crmseed.events import Event, Listener, Retried, ignore
from pytest_crmseed.ingest import retry
from pytest_crmseed.ingest.limits import Budget
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.ingest.transport import Transport
from pytest_crmseed.providers.base import Answer, Exchange, Provider, Request, Verdict

T = TypeVar("T")

# So many bytes of an answer that is no success are kept, for the error file.
LONGEST_BODY = 64 * 1024


class Connection:
    """Send a provider's requests to its portal; thread-safe.

    ``requests`` counts what was sent. No error that leaves holds a secret of the transport's.
    ``sign_in`` gives the exchange for the headers of a session: a request that meets the end of one is
    sent again, once, in a new one.
    """

    def __init__(
        self,
        provider: Provider,
        transport: Transport,
        budget: Budget,
        policy: RetryPolicy | None = None,
        listener: Listener = ignore,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sign_in: Callable[[], Exchange[Mapping[str, str]]] | None = None,
    ) -> None:
        self.provider = provider
        self.transport = transport
        self.budget = budget
        self._policy = policy or RetryPolicy()
        self._listener = listener
        self._now = now
        self._sign_in = sign_in
        self._session = 0
        self._signing_in = threading.Lock()
        self._lock = threading.Lock()
        self._requests = 0

    @property
    def requests(self) -> int:
        """How many requests were sent, repetitions included."""
        return self._requests

    def sign_in(self) -> Mapping[str, str]:
        """Open a session, sign requests in by its headers from now on, and return them.

        Raises:
            CrmseedError: the credentials are not enough, or the portal refuses them.
        """
        if self._sign_in is None:
            return {}
        headers = self.run(self._sign_in())
        self.transport.sign_in(headers)
        self._session += 1
        return headers

    def send(self, request: Request, *, within: float | None = None) -> Answer:
        """Send a request, again where that is safe, and return the answer of the one that was done.

        After ``within`` seconds it is not sent again; what is under way has its own time-out.

        Raises:
            OutcomeUnknown: a create or an update may or may not have been executed.
            PortalError: the portal refused, or cannot be reached.
        """

        def hold_back(error: PortalError, wait: float) -> None:
            if isinstance(error, Throttled):
                for bucket in request.buckets:
                    self.budget.pause(bucket, wait)

        policy = self._policy
        if within is not None:
            policy = replace(policy, deadline=min(policy.deadline, within))
        try:
            return retry.send(request, self._once, policy=policy, listener=self._tell, before_wait=hold_back)
        except Exception as error:
            self.transport.redactor.clean(error)
            raise

    def run(self, exchange: Exchange[T], *, within: Callable[[], float | None] | None = None) -> T:
        """Run an exchange: send what it yields, give it the answers, and return its result.

        An error is thrown into it first, so that it may take another way. ``within`` gives the seconds
        left before each request, or raises for want of time.

        Raises:
            CrmseedError: what the exchange raises, or does not handle.
        """
        try:
            request = next(exchange)
            while True:
                try:
                    answer = self.send(request, within=within() if within else None)
                except CrmseedError as error:
                    request = exchange.throw(error)
                else:
                    request = exchange.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result
        except Exception as error:
            self.transport.redactor.clean(error)
            raise
        finally:
            exchange.close()

    def _once(self, request: Request) -> tuple[Answer, Verdict]:
        session = self._session
        answer, verdict = self._judged(request)
        over = isinstance(verdict.error, Unauthorized) and verdict.error.expired
        if not (over and request.signed and self._sign_in is not None):
            return answer, verdict
        # Of several threads that meet the end of a session, the first opens the next one.
        with self._signing_in:
            if self._session == session:
                self.sign_in()
        return self._judged(request)

    def _judged(self, request: Request) -> tuple[Answer, Verdict]:
        self.budget.acquire(request.buckets, {"daily": request.cost})
        try:
            answer = self.transport.send(request)
        except Unreachable:
            raise
        except PortalError:
            self._count()
            raise
        self._count()
        self.budget.observe(self.provider.readings(request, answer, self._now()))
        verdict = self.provider.judge(request, answer)
        if verdict.error is not None:
            verdict.error.body = answer.body[:LONGEST_BODY].decode("utf-8", "replace")
        return answer, verdict

    def _count(self) -> None:
        with self._lock:
            self._requests += 1

    def _tell(self, event: Event) -> None:
        if isinstance(event, Retried):
            redact = self.transport.redactor.text
            event = Retried(redact(event.what), event.attempt, event.wait, redact(event.reason))
        self._listener(event)
