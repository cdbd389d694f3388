"""Measure seeding of Pipedrive on a virtual clock: ``python benchmarks/pipedrive.py``.

300 deals over 10 organizations and 30 persons, at 50 ms latency and the burst limit of the lowest plan: 20
requests in 2 rolling seconds. Pipedrive makes one record in a request, so that the limit decides. Time is
that of a clock that only latency and waiting move, with one request at a time, which is enough to fill the
limit (20 a second against 10); the result does not depend on the machine.

The bound is what nobody can beat: of so many requests, 20 at once, and 20 more every 2 seconds. The exit code
is 0 if the time is within 1.15 of it, no request was refused for its rate, and nothing is left.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import ClassVar

from pytest_crmseed import LocalPortal
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.limits import Budget
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.ingest.transport import Transport
from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour
from pytest_crmseed.providers.base import Capabilities
from pytest_crmseed.providers.pipedrive import Pipedrive
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder import schemas
from pytest_crmseed.seeder.errorfile import ErrorFile
from pytest_crmseed.seeder.schemas import Chosen
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo
from pytest_crmseed.seeder.target import Address, Target

COUNTS = {"companies": 10, "contacts": 30, "deals": 300}
LATENCY = 0.05
LIMIT, SECONDS = 20, 2.0
WITHIN = 1.15


class VirtualClock:
    """A clock that goes on only while somebody waits."""

    def __init__(self) -> None:
        # Keys tell the machine's own time, by which records are looked for.
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class OneByOne(Pipedrive):
    """The provider, with one request at a time."""

    capabilities: ClassVar[Capabilities] = replace(Pipedrive.capabilities, in_flight=1)


def bound(requests: int) -> float:
    """Return the least time that so many requests take."""
    return max(
        (requests - 1) // LIMIT * SECONDS + LATENCY, requests * LATENCY / Pipedrive.capabilities.in_flight
    )


def main() -> int:
    """Measure, print, and return the exit code."""
    clock = VirtualClock()
    behaviour = Behaviour(pipedrive=PipedriveBehaviour(plan="lite", seats=1))
    portal = LocalPortal(behaviour=behaviour, latency=LATENCY, clock=clock, sleep=clock.sleep)
    with portal, tempfile.TemporaryDirectory() as folder:
        # The application's token, which has the plan's limit.
        token = portal.tokens("pipedrive")["application"]
        credentials = {"PIPEDRIVE_API_TOKEN": token}
        provider = OneByOne(catalog.bundled("pipedrive"))
        transport = Transport(portal.base_url, headers=provider.headers(credentials), secrets=[token])
        budget = Budget(
            provider.capabilities.rates,
            scopes={"token": "t", "portal": "p"},
            clock=clock,
            sleep=clock.sleep,
        )
        policy = RetryPolicy(clock=clock, sleep=clock.sleep)
        connection = Connection(provider, transport, budget, policy)
        account = connection.run(provider.account(credentials))
        target = Target(
            provider,
            connection,
            account,
            Translator(provider.legend, provider.schema),
            Address(portal.base_url, credentials, token),
            Chosen(provider.schema),
        )
        target.use(Chosen(schemas.live(connection, account)))
        ledger = Ledger(Path(folder) / "ledger.sqlite", durable=False)
        engine = Engine(
            target,
            ledger,
            RunInfo("benchmark"),
            Limits(portal=account.portal_id),
            errors=ErrorFile(Path(folder) / "errors.jsonl"),
            sleep=clock.sleep,
        )
        plan = engine.plan(COUNTS)
        engine.check([plan])
        clock.sleep(SECONDS)
        good = []
        recipe = Recipe(random_seed=1, base_date=date(2026, 11, 1))
        before, started = connection.requests, clock.now
        engine.seed(COUNTS, recipe, node="benchmark", test="benchmark")
        good.append(told("seed", connection.requests - before, clock.now - started))
        clock.sleep(SECONDS)
        before, started = connection.requests, clock.now
        engine.clean()
        good.append(told("cleanup", connection.requests - before, clock.now - started))
        refused = sum(request.status == 429 for request in portal.requests)
        left = sum(portal.stats()["records"]["pipedrive"].values())
        print(f"{refused} requests refused for their rate, {left} records left")
        target.close()
        ledger.close()
    return 0 if all(good) and not refused and not left else 1


def told(what: str, requests: int, seconds: float) -> bool:
    """Print a measurement; return whether it is good enough."""
    least = bound(requests)
    print(f"{what}: {requests} requests in {seconds:.2f} s, bound {least:.2f} s, ratio {seconds / least:.3f}")
    return seconds <= WITHIN * least


if __name__ == "__main__":
    sys.exit(main())
