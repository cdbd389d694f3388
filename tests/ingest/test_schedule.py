"""Which batch may start, what can never be sent, and what a plan costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_crmseed.ingest.batches import in_batches
from pytest_crmseed.ingest.schedule import Cost, Schedule, cost
from pytest_crmseed.planning import NEUTRAL_LINKS, Count, make_plan
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.records import Batch, Draft, Link


def draft(object_type: str, index: int, *parents: tuple[str, int]) -> Draft:
    links = tuple(Link("parent", name, index=number) for name, number in parents)
    return Draft(object_type, index, f"{object_type}-{index}", {}, links)


def batch(number: int, *drafts: Draft) -> Batch:
    return Batch(drafts[0].object_type, number, 2, list(drafts))


def test_a_batch_starts_as_soon_as_its_own_parents_are_known() -> None:
    companies = [batch(1, draft("companies", 0)), batch(2, draft("companies", 1))]
    deals = [batch(1, draft("deals", 0, ("companies", 0))), batch(2, draft("deals", 1, ("companies", 1)))]
    schedule = Schedule([*companies, *deals])
    assert schedule.next_ready({}) is companies[0]
    # Not levels: the second batch of companies has not even been handed out.
    schedule = Schedule([companies[1], *deals])
    assert schedule.next_ready({("companies", 0): "7"}) is companies[1]
    assert schedule.next_ready({("companies", 0): "7"}) is deals[0]
    assert schedule.next_ready({("companies", 0): "7"}) is None
    assert schedule.rest() == (deals[1],)
    assert schedule.next_ready({("companies", 0): "7", ("companies", 1): "8"}) is deals[1]
    assert schedule.next_ready({}) is None
    assert schedule.rest() == ()


def test_a_parent_that_exists_already_is_not_waited_for() -> None:
    existing = Draft("deals", 0, "k", {}, (Link("company", "companies", id="99"),))
    only = batch(1, existing)
    assert Schedule([only]).next_ready({}) is only


def test_children_of_lost_parents_are_taken_out_and_their_children_too() -> None:
    contacts = batch(1, draft("contacts", 0, ("companies", 0)), draft("contacts", 1, ("companies", 1)))
    deals = batch(1, draft("deals", 0, ("contacts", 0)), draft("deals", 1, ("contacts", 1)))
    # Children first in the list: what is lost is found in whatever order the batches stand.
    schedule = Schedule([deals, contacts])
    orphans = schedule.without_children_of([("companies", 0)])
    assert [(d.object_type, d.index, p.object_type, p.index) for d, p in orphans] == [
        ("contacts", 0, "companies", 0),
        ("deals", 0, "contacts", 0),
    ]
    assert schedule.without_children_of([("companies", 0)]) == []
    ids = {("companies", 1): "1", ("contacts", 1): "2"}
    assert [
        [d.index for d in b.drafts] for b in (schedule.next_ready(ids), schedule.next_ready(ids)) if b
    ] == [
        [1],
        [1],
    ]


def test_a_batch_without_drafts_left_is_no_batch() -> None:
    schedule = Schedule([batch(1, draft("deals", 0, ("companies", 0)))])
    assert len(schedule.without_children_of([("companies", 0)])) == 1
    assert schedule.rest() == ()


def test_the_cost_of_a_large_plan() -> None:
    counts = {"contacts": Count(1000), "companies": Count(500), "deals": Count(2000)}
    price = cost(make_plan(counts, NEUTRAL_LINKS), HubSpot.capabilities)
    assert (price.writes, price.cleanup, price.requests) == (35, 70, 105)
    # A smaller batch size is kept to, a larger one than the API's is not.
    assert (
        cost(make_plan({"contacts": Count(100)}, NEUTRAL_LINKS), HubSpot.capabilities, batch_size=30).writes
        == 4
    )
    assert (
        cost(make_plan({"contacts": Count(101)}, NEUTRAL_LINKS), HubSpot.capabilities, batch_size=500).writes
        == 2
    )
    assert Cost(1, 2) + Cost(3, 4) == Cost(4, 6)


def cut(most: int) -> Callable[[Sequence[Draft], int], list[Batch]]:
    return lambda drafts, before: in_batches(
        drafts, most=most, most_bytes=10**6, size=lambda d: 1, before=before
    )


def test_what_waits_is_cut_again_in_order_and_numbered_on() -> None:
    first, *waiting = in_batches(
        [draft("deals", i) for i in range(10)], most=4, most_bytes=99, size=lambda d: 1
    )
    others = [batch(1, draft("notes", 0), draft("notes", 1))]
    schedule = Schedule([first, *waiting, *others])
    assert schedule.next_ready({}) is first
    schedule.cut_again(cut(2))
    assert [(b.object_type, b.number, b.of, [d.index for d in b.drafts]) for b in schedule.rest()] == [
        ("deals", 2, 4, [4, 5]),
        ("deals", 3, 4, [6, 7]),
        ("deals", 4, 4, [8, 9]),
        ("notes", 1, 1, [0, 1]),
    ]
    schedule.cut_again(cut(100))
    assert [len(b) for b in schedule.rest()] == [6, 2]


def test_a_draft_and_its_own_parent_never_come_into_one_batch() -> None:
    parents = [batch(1, draft("deals", 0)), batch(2, draft("deals", 1))]
    children = [batch(3, draft("deals", 2, ("deals", 0))), batch(4, draft("deals", 3, ("deals", 1)))]
    schedule = Schedule([*parents, *children])
    schedule.cut_again(cut(100))
    assert [[d.index for d in b.drafts] for b in schedule.rest()] == [[0, 1], [2], [3]]
    assert [(b.number, b.of) for b in schedule.rest()] == [(1, 3), (2, 3), (3, 3)]


def test_a_plan_costs_tokens_where_requests_have_prices() -> None:
    from pytest_crmseed.planning import Plan, Step
    from pytest_crmseed.providers.base import Capabilities, Price

    capabilities = Capabilities(
        batch_records=1,
        batch_bytes=1000,
        delete_records=1,
        read_records=100,
        in_flight=4,
        settle_seconds=1.0,
        rates=(),
        page_records=500,
        prices={"deals": Price(create=5, delete=3, read=1, page=10)},
    )
    no_links: list[tuple[Link, ...]] = [()] * 600
    plan = Plan((Step("deals", 600, {}, True, no_links),))
    # 600 times making, deleting and looking whether it is gone; a look through two pages, twice if verified.
    assert cost(plan, capabilities) == Cost(600, 1202, 0, 600 * (5 + 3 + 1) + 2 * 10)
    assert cost(plan, capabilities, verified=True) == Cost(600, 1202, 2, 600 * (5 + 3 + 1) + 4 * 10)
    assert cost(plan, capabilities, verified=True).requests == 1804
