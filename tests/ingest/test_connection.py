"""The connection: budget, transport, judgement and repetition together, against a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_crmseed.errors import (
    ApiRefused,
    OutcomeUnknown,
    PortalError,
    Throttled,
    Unauthorized,
    Unreachable,
)
from pytest_crmseed.events import Event, Retried
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.limits import Budget
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.ingest.transport import Transport
from pytest_crmseed.providers.base import Answer, Effect, Outcome, Rate, Reading, Request, Verdict
from pytest_crmseed.records import Refusal

SECRET = "pat-eu1-secret"
NOW = datetime(2026, 9, 29, tzinfo=UTC)


class Provider:
    """Judges by status alone, and repeats what the portal said in its errors."""

    def judge(self, request: Request, answer: Answer) -> Verdict:
        text = f"{request.what}: {answer.body.decode()}"
        if answer.status < 300:
            return Verdict(Outcome.DONE)
        if answer.status == 429:
            wait = answer.headers.get("retry-after")
            return Verdict(
                Outcome.NOT_EXECUTED,
                Throttled(text, status=429, policy="BURST"),
                float(wait) if wait else None,
            )
        if answer.status == 423:
            return Verdict(Outcome.NOT_EXECUTED, PortalError(text, status=423), 2.0)
        if answer.status >= 500:
            return Verdict(Outcome.FAILED, PortalError(text, status=answer.status))
        if answer.status == 401:
            return Verdict(Outcome.REFUSED, Unauthorized(text, remedy=f"Not {SECRET}.", status=401))
        refusal = Refusal(answer.body.decode(), value=SECRET)
        return Verdict(Outcome.REFUSED, ApiRefused(text, status=answer.status, refusals=[refusal]))

    def readings(self, request: Request, answer: Answer, now: datetime) -> Sequence[Reading]:
        assert now == NOW
        if "remaining" not in answer.headers:
            return []
        return [Reading("burst", limit=10, remaining=int(answer.headers["remaining"]), seconds=10.0)]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


Connect = Callable[..., Connection]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def connect(clock: Clock, events: list[Event]) -> Iterator[Connect]:
    made: list[Connection] = []

    def connect(url: str, *rates: Rate, **policy: Any) -> Connection:
        provider: Any = Provider()
        made.append(
            Connection(
                provider,
                Transport(url, headers={"Authorization": f"Bearer {SECRET}"}),
                Budget(
                    rates, scopes={"token": "t", "portal": "p"}, share=1.0, clock=clock, sleep=clock.sleep
                ),
                RetryPolicy(random=lambda: 0.0, clock=clock, sleep=clock.sleep, **policy),
                events.append,
                now=lambda: NOW,
            )
        )
        return made[-1]

    yield connect
    for connection in made:
        connection.transport.close()
        connection.budget.close()


def request(effect: Effect = Effect.CREATE, what: str = "create 2 deals", path: str = "/deals") -> Request:
    return Request("POST", path, what, effect, body={"a": 1})


def test_an_answer_comes_back(server: Any, connect: Connect, behave: Any) -> None:
    server.script = [behave.answer(201, b'{"id":1}')]
    connection = connect(server.url)
    assert connection.send(request()).json() == {"id": 1}
    assert connection.requests == 1


def test_a_rate_limit_holds_back_all_who_share_the_budget(
    server: Any, connect: Connect, behave: Any, clock: Clock, events: list[Event]
) -> None:
    server.script = [behave.answer(429, b"slow down", {"Retry-After": "3"})]
    connection = connect(server.url)
    paused: list[float] = []
    sleep = clock.sleep

    def sleep_and_ask(seconds: float) -> None:
        # What another thread would be told while this one waits.
        clock.sleep = sleep  # type: ignore[method-assign]
        paused.append(connection.budget.acquire(["burst"]))
        clock.now -= paused[0]
        sleep(seconds)

    connection._policy = RetryPolicy(clock=clock, sleep=sleep_and_ask)
    connection.send(request())
    assert paused == [pytest.approx(3.0)]
    assert connection.requests == 2
    assert events == [Retried("create 2 deals", 2, 3.0, "create 2 deals: slow down")]


def test_a_lock_holds_back_this_request_alone(
    server: Any, connect: Connect, behave: Any, clock: Clock
) -> None:
    server.script = [behave.answer(423)]
    connection = connect(server.url)
    connection.send(request())
    clock.now -= 2.0
    assert connection.budget.acquire(["burst"]) == 0
    assert clock.slept == [2.0]


def test_the_budget_is_asked_before_each_attempt(
    server: Any, connect: Connect, behave: Any, clock: Clock
) -> None:
    server.script = [behave.answer(503), behave.answer(503)]
    connection = connect(server.url, Rate("burst", 2, 100.0))
    connection.send(request(Effect.READ))
    assert clock.slept == [0.5, 1.0, pytest.approx(98.6, abs=0.2)]
    assert connection.requests == 3


def test_headers_are_taken_into_the_budget(server: Any, connect: Connect, behave: Any, clock: Clock) -> None:
    server.script = [behave.answer(200, b"{}", {"Remaining": "0"})]
    connection = connect(server.url)
    connection.send(request())
    connection.send(request())
    assert clock.slept == [pytest.approx(10.0, abs=0.1)]


@pytest.mark.parametrize("effect", [Effect.CREATE, Effect.UPDATE])
def test_a_write_is_never_sent_twice_blindly(
    server: Any, connect: Connect, behave: Any, effect: Effect
) -> None:
    for fault in (behave.answer(502), behave.reset):
        server.script = [fault]
        with pytest.raises(OutcomeUnknown):
            connect(server.url).send(request(effect))
    assert len(server.received) == 2


@pytest.mark.parametrize("effect", [Effect.READ, Effect.DELETE])
def test_a_read_or_delete_is_repeated(server: Any, connect: Connect, behave: Any, effect: Effect) -> None:
    server.script = [behave.answer(502), behave.reset, behave.answer(200, b"[]")]
    connection = connect(server.url)
    assert connection.send(request(effect)).json() == []
    assert connection.requests == len(server.received) == 3


def test_what_never_went_out_is_not_counted(dead_url: str, connect: Connect, clock: Clock) -> None:
    connection = connect(dead_url)
    with pytest.raises(Unreachable, match=r"Tried 3 times in 2 s\."):
        connection.send(request())
    assert connection.requests == 0
    assert clock.slept == [0.5, 1.0]


def test_a_refusal_is_raised_at_once_and_cleaned(server: Any, connect: Connect, behave: Any) -> None:
    server.script = [behave.answer(400, f"field x of {SECRET} is bad".encode())]
    with pytest.raises(ApiRefused) as caught:
        connect(server.url).send(request())
    assert str(caught.value) == "create 2 deals: field x of *** is bad"
    assert caught.value.refusals == (Refusal("field x of *** is bad", value="***"),)
    assert len(server.received) == 1


def test_no_event_holds_a_secret(server: Any, connect: Connect, behave: Any, events: list[Event]) -> None:
    server.script = [behave.answer(429, SECRET.encode())]
    connect(server.url).send(request(what=f"create {SECRET}"))
    assert events == [Retried("create ***", 2, 0.5, "create ***: ***")]


def test_a_used_up_day_is_not_waited_for(server: Any, connect: Connect, clock: Clock) -> None:
    connection = connect(server.url, Rate("daily", 1, 86_400.0))
    connection.send(request())
    with pytest.raises(Throttled, match="The request budget 'daily' is used up"):
        connection.send(request())
    assert (clock.slept, connection.requests) == ([], 1)


# -- exchanges -----------------------------------------------------------------------------------
def test_an_exchange_runs_to_its_result(server: Any, connect: Connect, behave: Any) -> None:
    def exchange() -> Generator[Request, Answer, list[int]]:
        first = yield request(Effect.READ)
        second = yield request(Effect.READ, path=f"/deals?after={first.json()['after']}")
        return [*first.json()["ids"], *second.json()["ids"]]

    server.script = [behave.answer(200, b'{"ids":[1,2],"after":7}'), behave.answer(200, b'{"ids":[3]}')]
    assert connect(server.url).run(exchange()) == [1, 2, 3]
    assert [got.target for got in server.received] == ["/deals", "/deals?after=7"]


def test_an_exchange_without_requests_has_a_result_too(dead_url: str, connect: Connect) -> None:
    def exchange() -> Generator[Request, Answer, str]:
        return "nothing asked"
        yield

    assert connect(dead_url).run(exchange()) == "nothing asked"


def test_an_exchange_may_take_another_way_after_an_error(server: Any, connect: Connect, behave: Any) -> None:
    def exchange() -> Generator[Request, Answer, Any]:
        try:
            answer = yield request(path="/new")
        except ApiRefused as refused:
            assert refused.status == 404
            answer = yield request(path="/old")
        return answer.json()

    server.script = [behave.answer(404), behave.answer(200, b'"old"')]
    assert connect(server.url).run(exchange()) == "old"


def test_an_error_that_an_exchange_does_not_handle_is_raised(
    server: Any, connect: Connect, behave: Any
) -> None:
    over: list[str] = []

    def exchange() -> Generator[Request, Answer, None]:
        try:
            yield request()
        finally:
            over.append("closed")

    server.script = [behave.answer(401, SECRET.encode())]
    with pytest.raises(Unauthorized) as caught:
        connect(server.url).run(exchange())
    assert str(caught.value) == "create 2 deals: *** Not ***."
    assert over == ["closed"]


def test_what_an_exchange_raises_itself_is_cleaned(server: Any, connect: Connect) -> None:
    def exchange() -> Generator[Request, Answer, None]:
        yield request()
        try:
            raise ValueError(f"cannot read {SECRET}")
        except ValueError as error:
            raise Unauthorized(f"no {SECRET}", scopes=[SECRET]) from error

    with pytest.raises(Unauthorized) as caught:
        connect(server.url).run(exchange())
    assert str(caught.value) == "no ***"
    assert caught.value.scopes == ("***",)
    assert str(caught.value.__cause__) == "cannot read ***"


def test_an_interrupted_exchange_is_closed(
    server: Any, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    over: list[str] = []

    def exchange() -> Generator[Request, Answer, None]:
        try:
            yield request()
        finally:
            over.append("closed")

    def interrupted(request: Request) -> Answer:
        raise KeyboardInterrupt

    connection = connect(server.url)
    monkeypatch.setattr(connection.transport, "send", interrupted)
    with pytest.raises(KeyboardInterrupt):
        connection.run(exchange())
    assert over == ["closed"]


def test_threads_share_a_connection(server: Any, connect: Connect) -> None:
    connection = connect(server.url)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for index in range(10):
                sent = Request("POST", "/x", "create", Effect.CREATE, body=[number, index])
                assert connection.send(sent).request is sent
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert connection.requests == 60
    assert len({json.dumps(json.loads(got.body)) for got in server.received}) == 60
