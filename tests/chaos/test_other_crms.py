"""Cycles under faults in the other CRMs' local portals: no socket, a virtual clock, the store is the judge.

The faults of a cycle are few enough to be survived, wherever they strike: each cycle has to end in success.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from chaos_client import ORIGIN, Door

from pytest_crmseed.errors import CrmseedError
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.limits import Budget
from pytest_crmseed.ingest.making import Making
from pytest_crmseed.ingest.reconcile import Reconciler
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.ingest.transport import Transport
from pytest_crmseed.portal import Behaviour, Portal, PortalRequest, VirtualClock
from pytest_crmseed.providers.base import Provider
from pytest_crmseed.providers.pipedrive import Pipedrive
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder import schemas
from pytest_crmseed.seeder.schemas import Chosen
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo
from pytest_crmseed.seeder.sweep import Sweeper
from pytest_crmseed.seeder.target import Address, Target

CYCLES = int(os.environ.get("CHAOS_CYCLES", "1000")) // 10
RUN_ID = "0chaosrun0000000000001"
RECIPE = Recipe(random_seed=1, base_date=date(2026, 11, 1))
KEY = re.compile(rf"crmseed-1-{RUN_ID}-[0-9A-Za-z_.~-]+")


@dataclass(frozen=True)
class Crm:
    """One CRM: its provider, sent one request after the other, and what is seeded and what stands there."""

    provider: type[Provider]
    secret: str
    sign_in: Callable[[str], dict[str, str]]
    counts: Sequence[Mapping[str, int]]
    strangers: Sequence[tuple[str, Mapping[str, Any]]]
    kinds: Sequence[tuple[str, Mapping[str, Any]]]


class OneSalesforce(Salesforce):
    """The client's Salesforce, one request after the other."""

    capabilities: ClassVar[Any] = replace(Salesforce.capabilities, in_flight=1)


class OnePipedrive(Pipedrive):
    """The client's Pipedrive, one request after the other."""

    capabilities: ClassVar[Any] = replace(Pipedrive.capabilities, in_flight=1)


# What the client survives, once each, whichever request it strikes.
EVERYWHERE: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("drop_before_commit", {}),
    ("drop_after_commit", {}),
    ("cut_body", {}),
    ("commit_late", {"requests": 1}),
    ("commit_late", {"seconds": 2.0}),
    ("fail", {"status": 500}),
    ("fail", {"status": 503}),
    ("fail", {"status": 504, "committed": True}),
    ("html_body", {"status": 502}),
    ("throttle", {}),
    ("slow", {"seconds": 30}),
)
SOBJECTS, V2 = "/services/data/v66.0/sobjects", "/api/v2"
CRMS = {
    "salesforce": Crm(
        OneSalesforce,
        "SALESFORCE_ACCESS_TOKEN",
        lambda token: {"authorization": f"Bearer {token}"},
        (
            {"contacts": 3},
            {"deals": 2},
            {"companies": 2, "contacts": 3},
            {"products": 2, "line_items": 2},
            {"tickets": 2, "tasks": 1},
            {"orders": 1, "leads": 2},
        ),
        (
            (f"{SOBJECTS}/Account", {"Name": "Northwind", "crmseed_key__c": "crmseed-1-"}),
            (f"{SOBJECTS}/Contact", {"LastName": "Byron", "crmseed_key__c": "crmseed-0-of-somebody-else"}),
            (
                f"{SOBJECTS}/Opportunity",
                {"Name": "Renewal", "StageName": "Closed Won", "CloseDate": "2026-01-31"},
            ),
        ),
        (*EVERYWHERE, ("lock", {})),
    ),
    "pipedrive": Crm(
        OnePipedrive,
        "PIPEDRIVE_API_TOKEN",
        lambda token: {"x-api-token": token},
        (
            {"contacts": 2},
            {"deals": 2},
            {"companies": 2, "contacts": 2},
            {"products": 1, "line_items": 2},
            {"notes": 1, "tasks": 1},
            {"leads": 2},
        ),
        (
            (f"{V2}/organizations", {"name": "Northwind"}),
            (f"{V2}/persons", {"name": "Ada Byron"}),
            (f"{V2}/deals", {"title": "Renewal"}),
        ),
        EVERYWHERE,
    ),
}


class World:
    """A portal with strangers' records, and a client of it without a socket."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.crm = CRMS[name]
        self.clock = VirtualClock()
        self.portal = Portal(behaviour=Behaviour(), clock=self.clock)
        tokens = self.portal.apis[name].tokens()
        for path, values in self.crm.strangers:
            headers = self.crm.sign_in(tokens["application"])
            answer = self.portal.handle(PortalRequest.of("POST", path, dict(values), headers=headers))
            assert answer.status in (200, 201), answer.body
        self.target = self._open(tokens)
        self.ledger = Ledger(folder / "ledger.sqlite", clock=self.clock, durable=False)
        self.strangers = self.everything()

    def _open(self, tokens: Mapping[str, str]) -> Target:
        bundled = catalog.bundled(self.name)
        provider = self.crm.provider(bundled)
        credentials = {self.crm.secret: tokens["seeder"]}
        transport = Transport(ORIGIN, headers=provider.headers(credentials), adapter=Door(self.portal))
        policy = RetryPolicy(random=random.Random(0).random, clock=self.clock, sleep=self.clock.sleep)
        scopes = {"token": "token", "portal": "portal"}
        budget = Budget((), scopes=scopes, clock=self.clock, sleep=self.clock.sleep)
        now = lambda: datetime.fromtimestamp(self.clock(), UTC)  # noqa: E731
        connection = Connection(provider, transport, budget, policy, now=now)
        account = connection.run(provider.account(credentials))
        address = Address(ORIGIN, credentials, tokens["application"], is_local=True)
        translator = Translator(provider.legend, bundled)
        target = Target(provider, connection, account, translator, address, Chosen(bundled))
        if not self.portal.apis[self.name].stock:
            target.use(Chosen(schemas.live(connection, account)))
        return target

    def engine(self, run_id: str = RUN_ID, verify: str = "presence", batch_size: int | None = 2) -> Engine:
        """Return an engine for a run."""
        return Engine(
            self.target,
            self.ledger,
            RunInfo(run_id),
            Limits(),
            batch_size=batch_size,
            verify=verify,
            clock=self.clock,
            timer=self.clock,
            sleep=self.clock.sleep,
        )

    def everything(self) -> dict[tuple[str, int], Any]:
        """Return all live records, as the portal's store holds them."""
        store = self.portal.store
        return {
            (name, record.id): record.properties
            for name in store.live_counts(self.name)
            for record in store.page(self.name, name, start=0, limit=10_000)
        }

    def keys(self) -> Counter[str]:
        """Return how often each key of ours stands in the portal."""
        ours = (each for name, each in self.everything().items() if name not in self.strangers)
        return Counter(key for properties in ours for key in set(KEY.findall(json.dumps(properties))))

    def order(self, source: random.Random) -> list[str]:
        """Order a few faults, and return them."""
        told = []
        for _ in range(source.choice((0, 1, 1, 2))):
            kind, parameters = source.choice(self.crm.kinds)
            after = source.randrange(6)
            self.portal.faults.add(kind, **parameters, after=after, seeder=True)
            told.append(f"{kind} {dict(parameters)} after {after}")
        return told

    def stop(self) -> None:
        """Take all faults back; what waits to be carried out late still comes."""
        self.portal.faults.clear()
        self.clock.advance(60)
        self.portal.faults.settle()

    def close(self) -> None:
        """Close everything."""
        self.ledger.close()
        self.target.close()
        self.portal.close()


def cycle(name: str, seed: int, folder: Path, verify: str | None = None) -> tuple[list[str], list[str]]:
    """Seed and clean under the faults that a seed draws; return them, and what is wrong."""
    source = random.Random(f"{name} {seed}")
    wrong: list[str] = []
    counts = source.choice(CRMS[name].counts)
    folder.mkdir()
    world = World(name, folder)
    try:
        # Not strictly: line items set the amount of their deal.
        verify = verify or source.choice(("presence", "off"))
        # Small batches, or all at once where the API has it.
        engine = world.engine(verify=verify, batch_size=source.choice((2, None)))
        faults = [f"{dict(counts)}", *world.order(source)]
        try:
            made = engine.seed(counts, RECIPE, node="chaos")
        except CrmseedError as error:
            wrong.append(f"the seed failed: {error}")
        else:
            world.stop()
            keys = world.keys()
            if sum(made.plan.counts.values()) != len(keys):
                wrong.append(f"half a seed: {made.plan.counts}, and keys {sorted(keys)}")
            wrong += [f"made twice: {key}" for key, number in keys.items() if number > 1]
            faults += ["cleanup", *world.order(source)]
            result = engine.clean()
            wrong += [f"the cleanup failed: {text}" for text in (result.errors if result.left else ())]
        engine.end()
        world.stop()
        Sweeper(world.engine("0thenextrun00000000001")).by_ledger()
        left = world.everything()
        wrong += [f"orphan: {each}" for each in left.keys() - world.strangers.keys()]
        wrong += [f"touched: {each}" for each, was in world.strangers.items() if left.get(each) != was]
    finally:
        world.close()
    return faults, wrong


def cycles(name: str, number: int, folder: Path, verify: str | None = None) -> Iterator[str]:
    for seed in range(number):
        faults, wrong = cycle(name, seed, folder / str(seed), verify)
        if wrong:
            yield f"cycle {seed}: {'; '.join(faults)}: {'; '.join(wrong)}"


@pytest.mark.parametrize("name", sorted(CRMS))
def test_every_cycle_ends_in_success_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    assert list(cycles(name, CYCLES, tmp_path)) == []


@pytest.mark.parametrize("name", sorted(CRMS))
def test_the_harness_can_fail(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never_looked_up(self: Making, drafts: Any, unknown: Any, rounds: int) -> Any:
        if not rounds:
            raise unknown
        return list(drafts)

    monkeypatch.setattr(Making, "_reconcile", never_looked_up)
    monkeypatch.setattr(Reconciler, "recount", lambda self, results: None)
    if name == "salesforce":
        # Its keys are unique: what is sent again is refused, and then looked up.
        monkeypatch.setattr(Making, "_found", lambda self, drafts: set())
    assert next(cycles(name, 100, tmp_path, "off"), None) is not None
