"""Faults on purpose: what networks and vendors do to requests, chosen, counted, and told.

    portal.faults.throttle(times=2, route="*/batch/create")
    portal.faults.drop_after_commit(method="POST", object_type="deals")

Several faults may strike one request; they nest in the order in which they were added, so that
``slow`` followed by ``fail`` is a refusal that takes long.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack

from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal.clock import Clock
from pytest_crmseed.portal.fault_kinds import KINDS, WHERE, Strike
from pytest_crmseed.portal.fault_where import Where, check_where, is_on
from pytest_crmseed.portal.handled import Described, Handled
from pytest_crmseed.portal.message import PortalRequest
from pytest_crmseed.suggest import did_you_mean

if TYPE_CHECKING:
    from pytest_crmseed.portal.app import Api


@dataclass(eq=False)
class Fault:
    """A fault that was ordered. ``struck`` is how often it has struck so far."""

    id: int
    kind: str
    parameters: Mapping[str, Any]
    method: str | None = None
    route: str | None = None
    object_type: str | None = None
    times: int | None = 1
    after: int = 0
    probability: float = 1.0
    seed: int = 0
    seeder: bool = False
    struck: int = 0
    passed: int = 0
    chance: random.Random = field(default_factory=random.Random, repr=False)

    @property
    def pending(self) -> bool:
        """Whether it may still strike."""
        return self.times is None or self.struck < self.times

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data, as ``GET /_portal/faults`` does."""
        where = {
            name: getattr(self, name) for name in ("method", "route", "object_type") if getattr(self, name)
        }
        counts = {name: getattr(self, name) for name in ("times", "after", "probability", "seeder", "struck")}
        return {"id": self.id, "fault": self.kind, **self.parameters, **where, **counts}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request: its answer, the faults that struck, and deliveries beside the first."""

    handled: Handled
    struck: Sequence[str] = ()
    again: Sequence[tuple[PortalRequest, Handled]] = ()


@dataclass(eq=False)
class _Held:
    apply: Callable[[], object]
    requests: int | None
    at: float | None


class Faults:
    """The faults of one portal; safe to use from many threads.

    Every method that adds one takes the keywords of :class:`Where`, and raises
    :class:`~pytest_crmseed.errors.UsageError` for what makes no sense.
    """

    def __init__(self, apis: Mapping[str, Api], clock: Clock) -> None:
        self._apis = apis
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._rules: list[Fault] = []
        self._held: list[_Held] = []

    # -- to order faults -------------------------------------------------------------------------
    def throttle(
        self,
        policy: Literal["burst", "daily", "search"] = "burst",
        *,
        retry_after: float | None = None,
        **where: Unpack[Where],
    ) -> Fault:
        """Refuse with the vendor's 429 of a limit; ``retry_after`` seconds go into the header."""
        return self.add("throttle", policy=policy, retry_after=retry_after, **where)

    def fail(
        self,
        status: int = 503,
        *,
        body: Any = None,
        retry_after: float | None = None,
        committed: bool = False,
        **where: Unpack[Where],
    ) -> Fault:
        """Answer with a status and the vendor's body for it, or ``body`` (JSON data, or a text).

        Nothing is done unless ``committed``: then the request is carried out, and its answer lost.
        """
        return self.add(
            "fail", status=status, body=body, retry_after=retry_after, committed=committed, **where
        )

    def lock(self, **where: Unpack[Where]) -> Fault:
        """Refuse with 423: another process holds the records."""
        return self.add("lock", **where)

    def migrate(self, retry_after: float = 5, **where: Unpack[Where]) -> Fault:
        """Refuse with 477: the account is being moved; ``retry_after`` seconds go into the header."""
        return self.add("migrate", retry_after=retry_after, **where)

    def expire_token(self, **where: Unpack[Where]) -> Fault:
        """Refuse with the 401 of an expired token."""
        return self.add("expire_token", **where)

    def slow(self, seconds: float, **where: Unpack[Where]) -> Fault:
        """Wait, on the portal's clock, before the request is handled."""
        return self.add("slow", seconds=seconds, **where)

    def drop_before_commit(self, **where: Unpack[Where]) -> Fault:
        """Close the connection without an answer; nothing is done."""
        return self.add("drop_before_commit", **where)

    def drop_after_commit(self, **where: Unpack[Where]) -> Fault:
        """Carry the request out, and close the connection without an answer."""
        return self.add("drop_after_commit", **where)

    def commit_late(
        self, *, requests: int | None = None, seconds: float | None = None, **where: Unpack[Where]
    ) -> Fault:
        """Close the connection without an answer, and carry the request out when the client has looked.

        That is after ``requests`` more API requests were answered (by default one), or ``seconds``
        later on the portal's clock; of both, what comes first.
        """
        return self.add("commit_late", requests=requests, seconds=seconds, **where)

    def deliver_twice(self, **where: Unpack[Where]) -> Fault:
        """Carry the request out twice, as a proxy that resends does; the client gets the first answer."""
        return self.add("deliver_twice", **where)

    def cut_body(self, **where: Unpack[Where]) -> Fault:
        """Carry the request out, and close the connection in the middle of the answer's body."""
        return self.add("cut_body", **where)

    def html_body(self, status: int | None = None, **where: Unpack[Where]) -> Fault:
        """Carry the request out, and put a proxy's page in the place of the answer's body.

        ``status`` replaces the answer's own.
        """
        return self.add("html_body", status=status, **where)

    def wrong_content_type(self, content_type: str = "text/plain", **where: Unpack[Where]) -> Fault:
        """Carry the request out, and label the answer's body as something else."""
        return self.add("wrong_content_type", content_type=content_type, **where)

    def partial(self, rows: Sequence[int] = (0,), *, silent: bool = False, **where: Unpack[Where]) -> Fault:
        """Refuse the rows of a batch with these indices, and carry out the others.

        The answer is the vendor's for a partial success; with ``silent`` it passes the refused rows
        over. Requests that are no batch with such a row go by.
        """
        return self.add("partial", rows=list(rows), silent=silent, **where)

    def add(self, kind: str, /, **parameters: Any) -> Fault:
        """Order a fault by its name, with the parameters of the method of that name."""
        if kind not in KINDS:
            raise UsageError(f"There is no fault {kind!r}{did_you_mean(str(kind), KINDS)}")
        where = {name: parameters.pop(name) for name in WHERE if name in parameters}
        checked = KINDS[kind].check(kind, parameters)
        check_where(where, self._apis.values())
        with self._lock:
            fault = Fault(next(self._numbers), kind, checked, **where)
            fault.chance = random.Random(fault.seed)
            self._rules.append(fault)
        return fault

    # -- what is there ---------------------------------------------------------------------------
    @property
    def pending(self) -> list[Fault]:
        """The faults that may still strike, in the order in which they were added."""
        return [fault for fault in self.all if fault.pending]

    @property
    def all(self) -> list[Fault]:
        """All faults since the last :meth:`clear`, those that are used up included."""
        with self._lock:
            return list(self._rules)

    @property
    def held(self) -> int:
        """How many requests wait to be committed late."""
        with self._lock:
            return len(self._held)

    def remove(self, fault: Fault) -> None:
        """Take a fault back; one that is not there any more is passed over."""
        with self._lock:
            self._rules = [rule for rule in self._rules if rule is not fault]

    def clear(self) -> None:
        """Forget all faults, and the requests that wait to be committed late."""
        with self._lock:
            self._rules = []
            self._held = []

    def __repr__(self) -> str:
        return f"<Faults {', '.join(fault.kind for fault in self.pending) or '(none)'}>"

    # -- the dispatcher's side -------------------------------------------------------------------
    def handle(
        self, request: PortalRequest, api: Api | None, dispatch: Callable[[PortalRequest], Handled]
    ) -> Outcome:
        """Answer a request by ``dispatch``, with what the faults do to it."""
        self.settle()
        with self._lock:
            rules, looked = list(self._rules), list(self._held)
        if rules and api is not None:
            outcome = self._strike(rules, request, api, dispatch)
        else:
            outcome = Outcome(dispatch(request))
        self._commit([held for held in looked if self._looked_at(held)])
        return outcome

    def settle(self) -> None:
        """Commit what was to be committed late and whose time has come."""
        if self._held:
            with self._lock:
                held = list(self._held)
            self._commit([each for each in held if self._is_due(each)])

    def _strike(
        self,
        rules: Sequence[Fault],
        request: PortalRequest,
        api: Api,
        dispatch: Callable[[PortalRequest], Handled],
    ) -> Outcome:
        described = api.describe(request)
        struck: list[str] = []
        again: list[tuple[PortalRequest, Handled]] = []

        def step(index: int, request: PortalRequest) -> Handled:
            for number in range(index, len(rules)):
                fault = rules[number]
                if self._strikes(fault, request, described, api):
                    struck.append(fault.kind)
                    strike = Strike(
                        request=request,
                        described=described,
                        answers=api.fault_answers,
                        clock=self._clock,
                        onward=partial(step, number + 1),
                        hold=self._hold,
                        again=again,
                    )
                    return KINDS[fault.kind].strike(strike, **fault.parameters)
            return dispatch(request)

        return Outcome(step(0, request), struck, again)

    def _strikes(self, fault: Fault, request: PortalRequest, described: Described, api: Api) -> bool:
        if not (
            fault.pending
            and (fault.seeder or not described.seeder)
            and fault.method in (None, request.method)
            and (fault.route is None or is_on(fault.route, request, described))
            and (
                fault.object_type is None
                or (
                    described.object_type is not None
                    and described.object_type == api.object_type(fault.object_type)
                )
            )
            and KINDS[fault.kind].fits(request, api.fault_answers, fault.parameters)
        ):
            return False
        with self._lock:
            if not fault.pending or fault not in self._rules:
                return False
            if fault.passed < fault.after:
                fault.passed += 1
                return False
            if fault.probability < 1 and fault.chance.random() >= fault.probability:
                return False
            fault.struck += 1
            return True

    def _hold(self, apply: Callable[[], object], requests: int | None, seconds: float | None) -> None:
        at = None if seconds is None else self._clock.now() + seconds
        with self._lock:
            self._held.append(_Held(apply, requests, at))

    def _is_due(self, held: _Held) -> bool:
        return held.at is not None and held.at <= self._clock.now()

    def _looked_at(self, held: _Held) -> bool:
        with self._lock:
            if held.requests is not None:
                held.requests -= 1
            return held.requests is not None and held.requests <= 0

    def _commit(self, due: Sequence[_Held]) -> None:
        for held in due:
            with self._lock:
                if held not in self._held:
                    continue
                self._held.remove(held)
            held.apply()
