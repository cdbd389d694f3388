"""A 429 that does not say of which limit it is: once waiting does not help, it is the day's budget's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pytest_crmseed.errors import PortalError, Throttled
from pytest_crmseed.ingest.limits import Budget
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.providers.base import Answer, Effect, Request

# As a user with another language, or a gateway in front of it, gets it.
BODY = {"success": False, "error": "Límite de solicitudes superado", "errorCode": 429}

BURST = (
    "Pipedrive's rate limit: Límite de solicitudes superado. Tried 5 times in 8 s. All requests with this "
    "token count together, and so do those of the application."
)
USED_UP = (
    "Pipedrive's rate limit: Límite de solicitudes superado. It does not say which limit is reached, but a "
    "burst's is over after 2 s: most likely the company's tokens of the day are used up. Tried 5 times in 8 "
    "s. They come back at midnight of Pipedrive's server; whatever uses its API takes from them. If the "
    "company has some left today, something else floods it with requests by this token."
)
READ = Request("GET", "/api/v2/deals/1", "read deals 1", Effect.READ, records=1)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Company:
    """A company that refuses, after so many requests, for as long as it is told to."""

    def __init__(self, bench: Any, clock: Clock, headers: Mapping[str, str], *, after: int = 0) -> None:
        connection = bench.target.connection
        scopes = {"token": "t", "portal": "p"}
        connection.budget.close()
        connection.budget = Budget((), scopes=scopes, clock=clock, sleep=clock.sleep)
        self.send: Callable[[Request], Answer] = connection.transport.send
        self.headers = {"content-type": "application/json", **headers}
        self.after = after
        self.refuses = True
        self.refused = 0
        connection.transport.send = self.answer

    def answer(self, request: Request) -> Answer:
        self.after -= 1
        if not self.refuses or self.after >= 0:
            return self.send(request)
        self.refused += 1
        return Answer(429, self.headers, json.dumps(BODY).encode(), request)


Companies = Callable[..., tuple[Any, Company]]


@pytest.fixture
def companies(benches: Any) -> Companies:
    def make(headers: Mapping[str, str] | None = None, **more: Any) -> tuple[Any, Company]:
        clock = Clock()
        bench = benches(policy=RetryPolicy(random=lambda: 0.0, clock=clock, sleep=clock.sleep))
        return bench, Company(bench, clock, headers or {}, **more)

    return make


@pytest.mark.parametrize("headers", [{}, {"retry-after": "2"}, {"x-ratelimit-reset": "2"}])
def test_a_429_that_lasts_longer_than_bursts_is_told_as_the_days(
    companies: Companies, headers: dict[str, str]
) -> None:
    bench, company = companies(headers)
    with pytest.raises(Throttled) as caught:
        bench.target.connection.send(READ)
    assert str(caught.value) == USED_UP
    assert (caught.value.policy, caught.value.status, company.refused) == ("daily", 429, 5)
    assert caught.value.body == json.dumps(BODY)


@pytest.mark.parametrize(
    "headers",
    [{"x-ratelimit-remaining": "0"}, {"x-daily-ratelimit-token-remaining": "12"}],
)
def test_a_429_that_says_it_is_the_bursts_is_told_so(companies: Companies, headers: dict[str, str]) -> None:
    bench, _ = companies(headers)
    with pytest.raises(Throttled) as caught:
        bench.target.connection.send(READ)
    assert (str(caught.value), caught.value.policy) == (BURST, "burst")


def test_too_little_waiting_proves_nothing(companies: Companies) -> None:
    bench, company = companies()
    with pytest.raises(Throttled) as caught:
        bench.target.connection.send(READ, within=5.0)
    assert (str(caught.value), company.refused) == (BURST.replace("5 times in 8 s", "4 times in 5 s"), 4)


def test_a_429_that_is_over_is_no_more_than_a_wait(companies: Companies) -> None:
    bench, company = companies()

    def over(request: Request) -> Answer:
        company.refuses = company.refused < 4
        return company.answer(request)

    bench.target.connection.transport.send = over
    deal = Request("POST", "/api/v2/deals", "make", Effect.CREATE, body={"title": "x"})
    assert bench.target.connection.send(deal).status == 200
    assert company.refused == 4


def test_a_seed_and_its_cleanup_say_so_and_the_next_cleanup_completes_it(companies: Companies) -> None:
    bench, company = companies(after=6)
    with pytest.raises(PortalError) as caught:
        bench.seed({"companies": 20})
    # Requests side by side wait on one clock.
    assert re.sub(r"in \d+ s", "in 8 s", str(caught.value)).startswith(USED_UP)
    made = bench.counts["organizations"]
    assert made > 0
    result = bench.engine.clean()
    assert {entry.object_type for entry in result.left} == {"companies"}
    assert result.errors and all(USED_UP in error for error in result.errors)
    assert bench.counts["organizations"] == made
    company.refuses = False
    assert bench.engine.clean().complete
    assert bench.counts == {}
