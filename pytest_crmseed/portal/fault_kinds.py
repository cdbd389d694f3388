"""What each kind of fault does to a request, and the parameters it takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Literal, Protocol

from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal.clock import Clock
from pytest_crmseed.portal.handled import Described, Handled
from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.suggest import valid_names

POLICIES = ("burst", "daily", "search")
YEAR = 366 * 86_400


class FaultAnswers(Protocol):
    """What a vendor answers when something goes wrong, in its own bodies."""

    def throttled(self, request: PortalRequest, policy: str, retry_after: float | None) -> PortalResponse:
        """Return the 429 of a limit: ``burst``, ``daily`` or ``search``."""

    def failed(self, request: PortalRequest, status: int, retry_after: float | None) -> PortalResponse:
        """Return the answer with an error status."""

    def expired(self) -> PortalResponse:
        """Return the 401 of an expired token."""

    def rows(self, request: PortalRequest) -> int | None:
        """Return the number of rows of a batch; None for what is no batch."""

    def without(self, request: PortalRequest, rows: Sequence[int]) -> PortalRequest | None:
        """Return a batch without some of its rows; None when none is left."""

    def partial(
        self, request: PortalRequest, answer: PortalResponse | None, rows: Sequence[int], *, silent: bool
    ) -> PortalResponse:
        """Return the answer of a batch of which ``rows`` were refused; ``answer`` is that of the others."""


@dataclass(frozen=True, slots=True)
class Strike:
    """A request that a fault strikes, and the ways to go on with it.

    ``onward`` carries it out, other faults included. ``hold`` keeps a call until so many requests,
    or seconds, have gone by. Deliveries beside the first are added to ``again``.
    """

    request: PortalRequest
    described: Described
    answers: FaultAnswers
    clock: Clock
    onward: Callable[[PortalRequest], Handled]
    hold: Callable[[Callable[[], object], int | None, float | None], None]
    again: list[tuple[PortalRequest, Handled]]

    def instead(self, response: PortalResponse) -> Handled:
        """Answer without carrying the request out."""
        return Handled(response, self.described.label, self.described.write)

    def changed(self, change: Callable[[PortalResponse], PortalResponse]) -> Handled:
        """Carry the request out, and change its answer."""
        handled = self.onward(self.request)
        return replace(handled, response=change(handled.response))


_NO_ANSWER = PortalResponse(0, delivery="dropped")


def _throttle(strike: Strike, *, policy: str, retry_after: float | None) -> Handled:
    return strike.instead(strike.answers.throttled(strike.request, policy, retry_after))


def _fail(strike: Strike, *, status: int, body: Any, retry_after: float | None, committed: bool) -> Handled:
    answer = strike.answers.failed(strike.request, status, retry_after)
    if isinstance(body, str):
        headers = {**answer.headers, "content-type": "text/plain;charset=utf-8"}
        answer = replace(answer, body=body.encode("utf-8", "replace"), headers=headers)
    elif body is not None:
        answer = PortalResponse.of(status, body, {**answer.headers, "content-type": "application/json"})
    return strike.changed(lambda _: answer) if committed else strike.instead(answer)


def _lock(strike: Strike) -> Handled:
    return strike.instead(strike.answers.failed(strike.request, 423, None))


def _migrate(strike: Strike, *, retry_after: float) -> Handled:
    return strike.instead(strike.answers.failed(strike.request, 477, retry_after))


def _expire_token(strike: Strike) -> Handled:
    return strike.instead(strike.answers.expired())


def _slow(strike: Strike, *, seconds: float) -> Handled:
    strike.clock.sleep(seconds)
    return strike.onward(strike.request)


def _drop_before_commit(strike: Strike) -> Handled:
    return strike.instead(_NO_ANSWER)


def _drop_after_commit(strike: Strike) -> Handled:
    return strike.changed(lambda answer: replace(answer, delivery="dropped"))


def _commit_late(strike: Strike, *, requests: int | None, seconds: float | None) -> Handled:
    if requests is None and seconds is None:
        requests = 1
    strike.hold(lambda: strike.onward(strike.request), requests, seconds)
    return strike.instead(_NO_ANSWER)


def _deliver_twice(strike: Strike) -> Handled:
    first = strike.onward(strike.request)
    strike.again.append((strike.request, strike.onward(strike.request)))
    return first


def _cut_body(strike: Strike) -> Handled:
    return strike.changed(
        # Of an answer without a body nothing can be cut off but all of it.
        lambda answer: replace(answer, delivery="cut" if answer.body else "dropped")
    )


def _html_body(strike: Strike, *, status: int | None) -> Handled:
    def page(answer: PortalResponse) -> PortalResponse:
        shown = status or answer.status
        # 204 has no body that a page could stand in.
        return html_page(HTTPStatus.OK if shown == HTTPStatus.NO_CONTENT else shown, answer.headers)

    return strike.changed(page)


def html_page(status: int, headers: Mapping[str, str] | None = None) -> PortalResponse:
    """Return the page that an edge server answers in the place of the API."""
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    text = (
        f"<html><head><title>{status} {phrase}</title></head>"
        f"<body><center><h1>{status} {phrase}</h1></center><hr><center>cloudflare</center></body></html>"
    )
    return PortalResponse(
        status, text.encode(), {**(headers or {}), "content-type": "text/html; charset=UTF-8"}
    )


def _wrong_content_type(strike: Strike, *, content_type: str) -> Handled:
    return strike.changed(
        lambda answer: replace(answer, headers={**answer.headers, "content-type": content_type})
    )


def _partial(strike: Strike, *, rows: Sequence[int], silent: bool) -> Handled:
    number = strike.answers.rows(strike.request) or 0
    refused = [row for row in rows if row < number]
    remaining = strike.answers.without(strike.request, refused)
    if remaining is None:
        answer = strike.answers.partial(strike.request, None, refused, silent=silent)
        return strike.instead(answer)
    handled = strike.onward(remaining)
    if handled.response.status >= 400 or handled.response.delivery != "whole":
        return handled
    answer = strike.answers.partial(strike.request, handled.response, refused, silent=silent)
    return replace(handled, response=answer)


def _has_row(request: PortalRequest, answers: FaultAnswers, parameters: Mapping[str, Any]) -> bool:
    number = answers.rows(request)
    return number is not None and min(parameters["rows"]) < number


# -- parameters --------------------------------------------------------------------------------------
Check = Callable[[Any], str]
"""Returns what a value has to be, or nothing when it is."""


def _seconds(value: Any) -> str:
    fine = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= YEAR
    return "" if fine else "a number of seconds, from 0 to a year's"


def _number(value: Any) -> str:
    fine = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return "" if fine else "a whole number of 1 or more"


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _text(value: Any) -> str:
    fine = isinstance(value, str) and value.isascii() and value.isprintable() and value
    return "" if fine else "a text of printable ASCII"


def _status(lowest: int) -> Check:
    def check(value: Any) -> str:
        fine = isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= 599
        return "" if fine else f"a status from {lowest} to 599"

    return check


def _policy(value: Any) -> str:
    return "" if isinstance(value, str) and value in POLICIES else f"one of {', '.join(POLICIES)}"


def _rows(value: Any) -> str:
    fine = (
        isinstance(value, list)
        and value
        and all(isinstance(row, int) and not isinstance(row, bool) and row >= 0 for row in value)
    )
    return "" if fine else "a list of row numbers, from 0"


def _data(value: Any) -> str:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return "JSON data or a text"
    return ""


def _or_none(check: Check) -> Check:
    return lambda value: check(value) and f"{check(value)}, or None" if value is not None else ""


def _always(request: PortalRequest, answers: FaultAnswers, parameters: Mapping[str, Any]) -> Literal[True]:
    return True


@dataclass(frozen=True)
class Kind:
    """A kind of fault: what it does, its parameters with their defaults, which requests it fits."""

    strike: Callable[..., Handled]
    parameters: Mapping[str, Check]
    defaults: Mapping[str, Any]
    fits: Callable[[PortalRequest, FaultAnswers, Mapping[str, Any]], bool] = _always

    def check(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters, those that are not given by default.

        Raises:
            UsageError: one is unknown, missing, or makes no sense.
        """
        for parameter, value in given.items():
            if parameter not in self.parameters:
                takes = valid_names([*self.parameters, *WHERE], "It takes")
                raise UsageError(f"The fault {name!r} has no parameter {parameter!r}.{takes}")
            problem = self.parameters[parameter](value)
            if problem:
                raise UsageError(f"{name}: {parameter}={value!r}: it is {problem}.")
        missing = [p for p in self.parameters if p not in given and p not in self.defaults]
        if missing:
            raise UsageError(f"The fault {name!r} needs {' and '.join(missing)}.")
        return {**self.defaults, **given}


WHERE = ("method", "route", "object_type", "times", "after", "probability", "seed", "seeder")
"""What every fault takes beside its own parameters."""

KINDS: Mapping[str, Kind] = {
    "throttle": Kind(
        _throttle,
        {"policy": _policy, "retry_after": _or_none(_seconds)},
        {"policy": "burst", "retry_after": None},
    ),
    "fail": Kind(
        _fail,
        {"status": _status(400), "body": _data, "retry_after": _or_none(_seconds), "committed": _flag},
        {"status": 503, "body": None, "retry_after": None, "committed": False},
    ),
    "lock": Kind(_lock, {}, {}),
    "migrate": Kind(_migrate, {"retry_after": _seconds}, {"retry_after": 5}),
    "expire_token": Kind(_expire_token, {}, {}),
    "slow": Kind(_slow, {"seconds": _seconds}, {}),
    "drop_before_commit": Kind(_drop_before_commit, {}, {}),
    "drop_after_commit": Kind(_drop_after_commit, {}, {}),
    "commit_late": Kind(
        _commit_late,
        {"requests": _or_none(_number), "seconds": _or_none(_seconds)},
        {"requests": None, "seconds": None},
    ),
    "deliver_twice": Kind(_deliver_twice, {}, {}),
    "cut_body": Kind(_cut_body, {}, {}),
    "html_body": Kind(_html_body, {"status": _or_none(_status(200))}, {"status": None}),
    "wrong_content_type": Kind(_wrong_content_type, {"content_type": _text}, {"content_type": "text/plain"}),
    "partial": Kind(_partial, {"rows": _rows, "silent": _flag}, {"rows": [0], "silent": False}, _has_row),
}
"""The kinds of faults by name."""
