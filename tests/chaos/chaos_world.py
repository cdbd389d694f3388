"""A portal without a socket that holds strangers' records, a client on its clock, and a judge."""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from chaos_client import KEY, LIST, ORIGIN, ROUTES, Door, Loose, OneByOne, Parallel
from chaos_schedules import SETTLE, Schedule

from pytest_crmseed.events import Event
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.keys import make_key
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.limits import Budget
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.ingest.transport import Transport
from pytest_crmseed.portal import Behaviour, Fault, Portal, PortalRequest, VirtualClock
from pytest_crmseed.portal.snapshot import Snapshot
from pytest_crmseed.portal.store import Store, StoredRecord
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder.errorfile import ErrorFile
from pytest_crmseed.seeder.schemas import Chosen
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo, Seed
from pytest_crmseed.seeder.target import Address, Target

RUN_ID = "0chaosrun0000000000001"
RECIPE = Recipe(random_seed=1, base_date=date(2026, 1, 1))
NODE = "test_chaos.py::test_it"
PROVIDER = "hubspot"
EXPIRES_AFTER = 7200.0


class World:
    """One portal, fresh for each cycle, and one client of it."""

    def __init__(self, schedule: Schedule, folder: Path, *, parallel: bool = False) -> None:
        self.schedule = schedule
        self.clock = VirtualClock()
        store = Store()
        strangers = _strangers(schedule.unique, schedule.keyed)
        with store.alone():
            store.put_back(strangers.copied)
        behaviour = Behaviour(search_limit=1_000_000, set_up=schedule.keyed, **schedule.switches)
        self.portal = Portal(store, behaviour=behaviour, clock=self.clock)
        self.strangers = self.everything()
        self.door = Door(self.portal)
        kind = Parallel if parallel else OneByOne
        if schedule.keyed and not schedule.unique:
            kind = Loose
        self.target = self._open(kind)
        self.folder = folder
        self.ledger = self._new_ledger(folder)
        self.heard: list[Event] = []
        self.ordered: list[Fault] = []

    def _open(self, kind: type[HubSpot]) -> Target:
        schema = catalog.bundled(PROVIDER)
        tokens = self.portal.hubspot.tokens()
        credentials = {"HUBSPOT_ACCESS_TOKEN": tokens["seeder"]}
        provider = kind(schema)
        transport = Transport(ORIGIN, headers=provider.headers(credentials), adapter=self.door)
        policy = RetryPolicy(random=random.Random(0).random, clock=self.clock, sleep=self.clock.sleep)
        budget = Budget(
            (), scopes={"token": "token", "portal": "portal"}, clock=self.clock, sleep=self.clock.sleep
        )
        connection = Connection(
            provider, transport, budget, policy, now=lambda: datetime.fromtimestamp(self.clock(), UTC)
        )
        account = connection.run(provider.account(credentials))
        address = Address(ORIGIN, credentials, tokens["application"], is_local=True)
        translator = Translator(provider.legend, schema)
        return Target(provider, connection, account, translator, address, Chosen(schema))

    def _new_ledger(self, folder: Path) -> Ledger:
        return Ledger(folder / "ledger.sqlite", clock=self.clock, durable=False)

    def lose_ledger(self) -> None:
        """Go on as another machine, that has never heard of the run."""
        self.ledger.close()
        self.folder = self.folder / "elsewhere"
        self.ledger = self._new_ledger(self.folder)

    def engine(self, run_id: str = RUN_ID) -> Engine:
        """Return an engine for a run."""
        return Engine(
            self.target,
            self.ledger,
            RunInfo(run_id, expires_after=EXPIRES_AFTER),
            Limits(),
            errors=ErrorFile(self.folder / "crm-errors.jsonl"),
            batch_size=self.schedule.batch_size,
            verify=self.schedule.verify,
            listener=self.heard.append,
            clock=self.clock,
            timer=self.clock,
            sleep=self.clock.sleep,
        )

    def close(self) -> None:
        """Close everything."""
        self.ledger.close()
        self.target.close()
        self.portal.close()

    # -- faults ----------------------------------------------------------------------------------
    def order(self, phase: str) -> None:
        """Order the faults of a phase."""
        for order in self.schedule.orders:
            if order.phase != phase:
                continue
            if order.kind in Door.KINDS:
                self.door.orders.append(order)
                continue
            where: dict[str, Any] = {"times": order.times, "after": order.after, "seeder": True}
            if order.object_type is not None:
                where["object_type"] = order.object_type
            if order.step != "any":
                looked_up = order.step == "read" and not self.schedule.unique
                where["route"] = LIST if looked_up else ROUTES[order.step]
            self.ordered.append(self.portal.faults.add(order.kind, **order.parameters, **where))

    def stop(self) -> None:
        """Take all faults back; what waits to be carried out late still comes."""
        self.door.orders = []
        for fault in self.portal.faults.pending:
            self.portal.faults.remove(fault)

    def wait(self, seconds: float) -> None:
        """Let time go by, and what was to be carried out late come."""
        self.clock.advance(seconds)
        self.portal.faults.settle()

    @property
    def struck(self) -> Counter[str]:
        """How often each kind of fault struck."""
        struck = Counter({fault.kind: 0 for fault in self.ordered})
        for fault in self.ordered:
            struck[fault.kind] += fault.struck
        return +(struck + self.door.struck)

    # -- the application under test ----------------------------------------------------------------
    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the portal as the application does; no fault is ordered for it alone."""
        token = self.portal.hubspot.tokens()["application"]
        return ask(self.portal, token, method, path, body)

    # -- what the portal holds ---------------------------------------------------------------------
    def everything(self) -> dict[tuple[str, int], StoredRecord]:
        """Return all live records, as the portal's store holds them."""
        return everything(self.portal)

    @property
    def ours(self) -> dict[tuple[str, int], StoredRecord]:
        """Return the live records that are no stranger's."""
        return {name: record for name, record in self.everything().items() if name not in self.strangers}

    def touched(self) -> list[str]:
        """Return the strangers' records that are not what they were."""
        now = self.everything()
        return [f"{name} {id}" for (name, id), was in self.strangers.items() if now.get((name, id)) != was]

    def doubles(self) -> list[str]:
        """Return what of our records there is twice: keys, and values that one draft alone has."""
        keys = Counter(record.properties.get(KEY, "") for record in self.ours.values())
        # Of two records of one draft the values are the same, whatever became of their keys.
        values = Counter(
            (name, *sorted(item for item in record.properties.items() if item[0] != KEY))
            for (name, _), record in self.ours.items()
        )
        twice = [f"the key {key}" for key, number in keys.items() if key and number > 1]
        return twice or [f"the values of {value[:3]}" for value, number in values.items() if number > 1]

    def wrong_links(self, seed: Seed) -> Iterator[str]:
        """Yield what is wrong with the links of seeded records: missing, strange, or too many."""
        ours = self.ours
        for record in seed.records:
            linked = self.portal.store.links(PROVIDER, record.object_type, [int(record.id)])
            held = {(link.to_type, link.to_id) for link in linked.get(int(record.id), ())}
            asked = {(link.object_type, int(link.id or 0)) for link in record.links}
            named = f"{record.object_type}[{record.index}]"
            if record.object_type == "line_items":
                # It holds its product's id, and is no associate of it.
                products = {each for each in asked if each[0] == "products"}
                holds = ours[record.object_type, int(record.id)].properties.get("hs_product_id")
                if {str(id) for _, id in products} != {holds}:
                    yield f"{named} has the product {holds}, not {products}"
                asked -= products
            for name, id in asked - held:
                yield f"{named} is not linked to {name} {id}"
            for name, id in held - ours.keys():
                yield f"{named} is linked to {name} {id}, which is not ours"
            parents = {name for name, _ in asked}
            for name, id in held - asked:
                if name in parents:
                    yield f"{named} is linked to {name} {id} as well"


def ask(portal: Portal, token: str, method: str, path: str, body: Any = None) -> Any:
    """Ask a portal as an application does, and return the answer's data."""
    headers = {"host": "127.0.0.1", "authorization": f"Bearer {token}", "content-type": "application/json"}
    sent = b"" if body is None else json.dumps(body).encode()
    answer = portal.handle(PortalRequest(method, path, "", headers, sent, "http"))
    assert answer.status < 300, answer.body
    return answer.json() if answer.body else None


def everything(portal: Portal) -> dict[tuple[str, int], StoredRecord]:
    """Return all live records of a portal."""
    store = portal.store
    return {
        (name, record.id): record
        for name, number in store.live_counts(PROVIDER).items()
        if number
        for record in store.page(PROVIDER, name, start=0, limit=10_000)
    }


_STRANGERS: dict[tuple[bool, bool], Snapshot] = {}


def _strangers(unique: bool, keyed: bool) -> Snapshot:
    """Return what a portal holds with records that look like ours, and are somebody else's."""
    if (unique, keyed) not in _STRANGERS:
        portal = Portal(behaviour=Behaviour(set_up=keyed), clock=VirtualClock())
        if keyed and not unique:
            definitions = portal.hubspot.account.definitions
            for name in portal.hubspot.account.object_types.by_name:
                definitions.put(name, {**definitions.all(name)[KEY].data, "hasUniqueValue": False})
        # Empty at first: the names that our own seeds give are drawn in such a portal.
        _STRANGERS[unique, keyed] = portal.snapshot()
        token = portal.hubspot.tokens()["application"]
        for name, properties in list(_look_alikes(unique, keyed)):
            ask(portal, token, "POST", f"/crm/v3/objects/{name}", {"properties": properties})
        _STRANGERS[unique, keyed] = portal.snapshot()
        portal.close()
    return _STRANGERS[unique, keyed]


def _look_alikes(unique: bool, keyed: bool) -> Iterator[tuple[str, dict[str, str]]]:
    now = VirtualClock()()
    others = {"live": "0anotherrun00000000001", "kept": "0chaosrun0000000000002"}
    far = now + 10 * 366 * 86_400
    for number, run_id in enumerate(others.values()):
        # Runs of other machines: this ledger does not know them, and their keys say that they live.
        for name in ("companies", "contacts", "deals"):
            key = make_key(run_id, now - 60, far, name, 1, number)
            yield name, {**_named(name, number), **_marked(name, key, keyed)}
    ours = make_key(RUN_ID, now, now + EXPIRES_AFTER, "contacts", 1, 0)
    near = ("crmseed-1-", "crmseed-0-of-somebody-else", ours + "-", "x" + ours, ours[:-1], ours.upper())
    for number, key in enumerate(near):
        yield "contacts", {**_named("contacts", 10 + number), **_marked("contacts", key, keyed)}
        if not keyed:
            yield "companies", {**_named("companies", 10 + number), **_marked("companies", key, keyed)}
    # A key that was copied to a record of another object type.
    yield "products", {"name": "Ledger", **_marked("products", ours, keyed)}
    for number, (name, properties) in enumerate(_same_names(unique, keyed)):
        yield name, {**_named(name, 20 + number), **properties}


def _marked(name: str, key: str, keyed: bool) -> dict[str, str]:
    if keyed:
        return {KEY: key}
    return {"message" if name == "contacts" else "description": f"Somebody wrote\n\n{key}"}


def _named(name: str, number: int) -> dict[str, str]:
    match name:
        case "contacts":
            # Subdomains of other seeds of ours, for all that anybody can see.
            return {"email": f"ada.lovelace{number}@r{number:07d}.example.com", "firstname": "Ada"}
        case "companies":
            return {"domain": f"r{number:07d}.example.com", "name": "Northwind"}
        case "deals":
            return {"dealname": "Renewal", "dealstage": "closedwon"}
    return {}


def _same_names(unique: bool, keyed: bool) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield records of the very names that the cycles' seeds give theirs."""
    schedule = Schedule({"companies": 1, "contacts": 3, "deals": 3}, unique=unique, keyed=keyed)
    copied = ("name", "firstname", "lastname", "dealname", "dealstage", "pipeline", "amount", "city")
    with tempfile.TemporaryDirectory() as folder:
        # The portal is there, and nobody is in it yet.
        world = World(schedule, Path(folder))
        for record in world.engine().seed(schedule.counts, RECIPE, node=NODE).records:
            given = {name: str(record.native[name]) for name in copied if record.native.get(name)}
            yield record.object_type, given
        world.close()


SETTLED = SETTLE * 2
"""Seconds after which nothing comes any more of what was sent before."""
