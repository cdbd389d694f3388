"""Schedules: what is drawn, what of it must be survived, and how a judge sees what should not be."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chaos_client import KEY
from chaos_cycle import run
from chaos_schedules import BELATED, FATAL, INTERRUPT_FAULT, UNREACHABLE_FAULT, Order, Schedule, drawn
from chaos_schedules import recoverable as is_recoverable
from chaos_world import NODE, RECIPE, World

from pytest_crmseed.portal.fault_kinds import KINDS

DEALS = Schedule({"deals": 2})


def test_every_kind_of_fault_is_drawn_and_a_tenth_at_most_cannot_be_survived() -> None:
    schedules = [drawn(seed) for seed in range(3_000)]
    kinds = Counter(order.kind for schedule in schedules for order in schedule.orders)
    assert set(kinds) == {*KINDS, UNREACHABLE_FAULT, INTERRUPT_FAULT}
    lost = [schedule for schedule in schedules if not is_recoverable(schedule)]
    assert 0.05 <= len(lost) / len(schedules) <= 0.1
    assert sum(schedule.belated for schedule in schedules) > 10
    assert sum(schedule.ledger_lost for schedule in schedules) > 10


def test_a_schedule_can_be_pasted() -> None:
    for seed in range(50):
        assert eval(repr(drawn(seed)), {"Schedule": Schedule, "Order": Order}) == drawn(seed)


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([], True),
        ([Order("throttle", "create", times=4)], True),
        ([Order("throttle", "create", times=5)], False),
        ([Order("throttle", "create", {"policy": "daily"})], False),
        ([Order("drop_after_commit", "create", times=3)], True),
        ([Order("drop_after_commit", "create", times=3), Order("cut_body", "any")], False),
        ([Order("drop_after_commit", "read", times=4)], True),
        ([Order("fail", "create", {"status": 502, "committed": True})], True),
        ([Order("fail", "create", {"status": 400})], False),
        ([Order("slow", "create", {"seconds": 61})], True),
        ([Order("slow", "read", {"seconds": 61}, times=2)], False),
        ([Order("html_body", "create", {"status": 404})], True),
        ([Order("html_body", "read")], False),
        ([Order("partial", "create", {"rows": [0], "silent": True})], True),
        ([Order("partial", "create", {"rows": [0], "silent": False})], False),
        ([Order("unreachable", times=2)], True),
        ([Order("unreachable", times=3)], False),
        ([Order("expire_token")], False),
        ([Order("lock", times=None)], False),
        ([BELATED], True),
        # Each phase has its own patience.
        ([Order("lock", times=4), Order("lock", "archive", {}, "clean", times=4)], True),
    ],
)
def test_what_must_be_survived_follows_from_the_promises_alone(orders: list[Order], expected: bool) -> None:
    assert is_recoverable(replace(DEALS, orders=tuple(orders))) is expected


def test_a_second_delivery_is_harmless_where_keys_are_unique() -> None:
    orders = (Order("deliver_twice", "create"),)
    assert is_recoverable(replace(DEALS, orders=orders))
    assert not is_recoverable(replace(DEALS, orders=orders, unique=False))


@pytest.mark.parametrize("fatal", FATAL, ids=lambda fatal: f"{fatal.kind} {fatal.phase} {fatal.step}")
def test_what_cannot_be_survived_fails_clearly(fatal: Any) -> None:
    order = Order(fatal.kind, fatal.step, fatal.parameters, fatal.phase, times=fatal.times)
    report = run(replace(DEALS, orders=(order,)))
    assert report.error is not None
    assert not report.findings, str(report)


# -- the judge -------------------------------------------------------------------------------------
@pytest.fixture
def world(tmp_path: Path) -> Any:
    world = World(replace(DEALS, unique=False, verify="off"), tmp_path)
    yield world
    world.close()


def test_the_judge_knows_strangers_from_ours(world: Any) -> None:
    assert world.ours == {}
    assert len(world.strangers) > 15
    engine = world.engine()
    seed = engine.seed({"deals": 2}, RECIPE, node=NODE)
    # The strangers bear the same names.
    names = {record.properties.get("dealname") for record in world.strangers.values()}
    assert {deal.native["dealname"] for deal in seed.records.deals} <= names
    assert Counter(name for name, _ in world.ours) == {"companies": 1, "contacts": 1, "deals": 2}
    assert (world.touched(), world.doubles(), list(world.wrong_links(seed))) == ([], [], [])
    assert engine.clean().complete
    engine.end()
    assert world.ours == {}


def test_the_judge_sees_a_stranger_s_record_that_was_touched(world: Any) -> None:
    (name, id), *_ = world.strangers
    world.clock.advance(1)
    world.ask("PATCH", f"/crm/v3/objects/{name}/{id}", {"properties": {"name": "Northwind"}})
    assert world.touched() == [f"{name} {id}"]
    world.ask("DELETE", f"/crm/v3/objects/{name}/{id}")
    assert world.touched() == [f"{name} {id}"]


def test_the_judge_sees_what_is_there_twice_and_links_that_are_wrong(world: Any) -> None:
    engine = world.engine()
    seed = engine.seed({"deals": 2}, RECIPE, node=NODE)
    deal = seed.records.deals[0]
    held = dict(world.ours["deals", int(deal.id)].properties)
    copied = {name: held[name] for name in ("dealname", "dealstage", "pipeline", KEY)}
    world.ask("POST", "/crm/v3/objects/deals", {"properties": copied})
    assert world.doubles() == [f"the key {deal.key}"]
    stranger = next(id for name, id in world.strangers if name == "contacts")
    path = f"/crm/v4/objects/deals/{deal.id}/associations"
    world.ask("PUT", f"{path}/default/contacts/{stranger}")
    world.ask("DELETE", f"{path}/companies/{seed.records.companies[0].id}")
    assert sorted(world.wrong_links(seed)) == [
        f"deals[0] is linked to contacts {stranger} as well",
        f"deals[0] is linked to contacts {stranger}, which is not ours",
        f"deals[0] is not linked to companies {seed.records.companies[0].id}",
    ]
    engine.end()
