"""Counts and overrides → a plan: who is made, in what order, and who is whose parent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.planning import NEUTRAL_LINKS, Count, LinkRule, Plan, as_count, count, make_plan
from pytest_crmseed.records import Link, Record, ref

NUMBERS = st.integers(min_value=0, max_value=12)
COUNTS = st.dictionaries(st.sampled_from(["companies", "contacts", "deals"]), NUMBERS)


def plan_of(counts: Mapping[str, int | Count], **more: Any) -> Plan:
    return make_plan({name: as_count(value, name) for name, value in counts.items()}, NEUTRAL_LINKS, **more)


def parents(plan: Plan, object_type: str, field: str) -> list[tuple[int | None, ...]]:
    """Return the indices of the parents of each record."""
    step = plan.step(object_type)
    assert step is not None
    return [tuple(link.index for link in links if link.field == field) for links in step.links]


def company(index: int, **more: Any) -> Record:
    return Record(object_type="companies", index=index, id=f"c{index}", **more)


@given(COUNTS, st.none() | st.integers(min_value=1, max_value=3))
def test_links_go_to_records_that_are_made_before(counts: dict[str, int], limit: int | None) -> None:
    plan = plan_of(counts, limit=limit)
    made: dict[str, int] = {}
    for step in plan.steps:
        assert step.count == len(step.links) > 0
        for links in step.links:
            for link in links:
                assert link.id is None and link.index is not None
                assert 0 <= link.index < made[link.object_type]
        made[step.object_type] = step.count
    for name, wanted in counts.items():
        assert plan.counts.get(name, 0) == (wanted if limit is None else min(wanted, limit))
    assert plan.total == sum(plan.counts.values())


@given(COUNTS)
def test_parents_nobody_asked_for_are_made_once_and_only_for_deals(counts: dict[str, int]) -> None:
    plan = plan_of(counts)
    for step in plan.steps:
        assert step.asked == (step.object_type in counts)
        if not step.asked:
            assert step.count == 1 and counts.get("deals")
    if counts.get("deals"):
        for name in ("companies", "contacts"):
            # Asked for with 0: the caller says that there are none.
            assert plan.counts.get(name, 0) == counts.get(name, 1)


@given(COUNTS)
def test_parents_are_dealt_in_turn(counts: dict[str, int]) -> None:
    plan = plan_of(counts)
    for child in plan.steps:
        if not plan.counts.get("companies") or child.object_type == "companies":
            continue
        shares: Counter[tuple[int | None, ...]] = Counter({(i,): 0 for i in range(plan.counts["companies"])})
        shares.update(parents(plan, child.object_type, "company"))
        assert max(shares.values()) - min(shares.values()) <= 1
        assert sum(shares.values()) == child.count


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 20))
def test_a_deal_s_contact_is_one_of_its_company_whenever_it_has_any(
    companies: int, contacts: int, deals: int
) -> None:
    plan = plan_of({"companies": companies, "contacts": contacts, "deals": deals})
    of_contact = parents(plan, "contacts", "company")
    chosen: dict[tuple[int | None, ...], list[int]] = {}
    for of_deal, of in zip(
        parents(plan, "deals", "company"), parents(plan, "deals", "contacts"), strict=True
    ):
        (contact,) = of
        assert contact is not None
        if of_deal in of_contact:
            assert of_contact[contact] == of_deal
        chosen.setdefault(of_deal, []).append(contact)
    for group in chosen.values():
        shares = Counter(group)
        assert max(shares.values()) - min(shares.values()) <= 1


def test_nine_deals_over_three_companies() -> None:
    plan = plan_of({"deals": 9, "companies": 3})
    assert plan.counts == {"companies": 3, "contacts": 1, "deals": 9}
    assert parents(plan, "deals", "company") == [(0,), (1,), (2,)] * 3
    # One contact for all: it belongs to the first company.
    assert parents(plan, "contacts", "company") == [(0,)]


def test_contacts_need_no_company_but_take_one_that_is_there() -> None:
    assert plan_of({"contacts": 2}).counts == {"contacts": 2}
    assert parents(plan_of({"contacts": 3, "companies": 2}), "contacts", "company") == [(0,), (1,), (0,)]
    assert parents(plan_of({"contacts": 2, "deals": 1}), "contacts", "company") == [(0,), (0,)]


# -- choosing parents ------------------------------------------------------------------------------
def test_a_ref_picks_one_for_all() -> None:
    plan = plan_of({"companies": 3, "deals": count(4, company=ref("companies", 2), amount=5)})
    assert parents(plan, "deals", "company") == [(2,)] * 4
    step = plan.step("deals")
    assert step is not None and step.overrides == {"amount": 5}


@given(st.integers(0, 50), st.integers(1, 5), st.integers(1, 5))
def test_a_ref_wraps_around_what_there_is(index: int, companies: int, limit: int) -> None:
    plan = plan_of({"companies": companies, "deals": count(2, company=ref("companies", index))}, limit=limit)
    assert parents(plan, "deals", "company") == [(index % min(companies, limit),)] * min(2, limit)


def test_none_leaves_a_parent_out_and_makes_none() -> None:
    plan = plan_of({"deals": count(2, company=None, contacts=None)})
    assert plan.counts == {"deals": 2}
    assert plan.steps[0].links == [(), ()]
    # A deal without a company takes a contact without one first.
    plan = plan_of({"deals": count(2, company=None)})
    assert plan.counts == {"contacts": 1, "deals": 2}
    assert plan.steps[0].links == [()]
    assert parents(plan, "deals", "contacts") == [(0,), (0,)]


def test_several_contacts_with_labels() -> None:
    chosen = [ref("contacts", 0, label="decision_maker"), ref("contacts", 1)]
    plan = plan_of({"contacts": 2, "deals": count(1, contacts=chosen)})
    (links,) = plan.steps[-1].links
    assert [(link.index, link.label) for link in links if link.field == "contacts"] == [
        (0, "decision_maker"),
        (1, None),
    ]
    assert parents(plan_of({"contacts": 1, "deals": count(1, contacts=[])}), "deals", "contacts") == [()]


def test_a_contact_made_for_a_deal_belongs_to_the_chosen_company() -> None:
    existing = company(7)
    plan = plan_of({"deals": count(2, company=existing)})
    assert plan.counts == {"contacts": 1, "deals": 2}
    link = Link("company", "companies", id="c7")
    assert plan.steps[0].links == [(link,)]
    assert [links[0] for links in plan.steps[1].links] == [link, link]
    plan = plan_of({"companies": 3, "deals": count(2, company=ref("companies", 1))})
    assert parents(plan, "contacts", "company") == [(1,)]


def test_parents_of_a_wider_scope_are_used_before_any_is_made() -> None:
    plan = plan_of({"deals": 4}, wider={"companies": [company(0), company(1)]})
    assert plan.counts == {"contacts": 1, "deals": 4}
    assert [links[0].id for links in plan.steps[-1].links] == ["c0", "c1", "c0", "c1"]
    # Those asked for here shadow them; a ref reaches them where none are asked for.
    plan = plan_of({"companies": 1, "deals": 1}, wider={"companies": [company(0)]})
    assert parents(plan, "deals", "company") == [(0,)]
    plan = plan_of(
        {"deals": count(1, company=ref("companies", 3))}, wider={"companies": [company(0), company(1)]}
    )
    assert plan.steps[-1].links[0][0].id == "c1"
    # None are wanted here, so the wider ones are not taken either.
    plan = plan_of({"companies": 0, "deals": 1}, wider={"companies": [company(0)]})
    assert parents(plan, "deals", "company") == [()]


def test_a_wider_contact_goes_with_its_wider_company() -> None:
    wider = {
        "companies": [company(0), company(1)],
        "contacts": [
            Record(
                object_type="contacts", index=i, id=f"p{i}", links=(Link("company", "companies", id=f"c{i}"),)
            )
            for i in (1, 0)
        ],
    }
    plan = plan_of({"deals": 2}, wider=wider)
    assert plan.counts == {"deals": 2}
    assert [[link.id for link in links] for links in plan.steps[0].links] == [["c0", "p0"], ["c1", "p1"]]


# -- what cannot be used ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            {"company": ref("companies", 1)},
            "deals.company refers to companies[1], and no companies are asked for here or in a wider "
            "scope; ask for "
            "them too, for example companies=2.",
        ),
        ({"company": ref("contacts", 0)}, "deals.company takes companies, and the ref names contacts."),
        (
            {"company": "Acme"},
            "deals.company takes ref(\"companies\", 0), a seeded record, or None, not 'Acme'.",
        ),
        (
            {"contacts": [company(0)]},
            "deals.contacts takes contacts, and <Record companies[0] id=c0> is one of companies.",
        ),
        ({"company": [company(0), company(1)]}, "deals.company takes one record, not 2."),
    ],
)
def test_links_that_cannot_be_used(overrides: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as wrong:
        plan_of({"deals": count(1, **overrides)})
    assert str(wrong.value) == said


def test_a_circle_is_shown() -> None:
    links = {
        "a": {"x": LinkRule("b", made=True)},
        "b": {"x": LinkRule("c", made=True)},
        "c": {"x": LinkRule("b", made=True)},
    }
    with pytest.raises(UsageError) as circle:
        make_plan({"a": Count(1)}, links)
    assert str(circle.value) == "links form a circle: b → c → b."


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (-1, "count() takes a number of records from 0 on, not -1."),
        (True, "count() takes a whole number of records, not True."),
        (1.5, "count() takes a whole number of records, not 1.5."),
        ("3", "count() takes a whole number of records, not '3'."),
    ],
)
def test_numbers_that_are_none(value: Any, said: str) -> None:
    with pytest.raises(UsageError) as wrong:
        count(value)
    assert str(wrong.value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("3", "deals takes a number or count(n, …), not '3'."),
        (None, "deals takes a number or count(n, …), not None."),
        (True, "deals takes a number or count(n, …), not True."),
        (-2, "deals takes a number of records from 0 on, not -2."),
    ],
)
def test_a_marker_s_value_that_is_no_count(value: Any, said: str) -> None:
    with pytest.raises(UsageError) as wrong:
        as_count(value, "deals")
    assert str(wrong.value) == said
    assert as_count(4, "deals") == Count(4)
    assert as_count(count(4, amount=1), "deals") == Count(4, {"amount": 1})


def test_object_types_without_links_and_empty_plans() -> None:
    assert make_plan({"2-1": Count(2)}, {}).steps[0].links == [(), ()]
    empty = make_plan({"deals": Count(0)}, NEUTRAL_LINKS)
    assert (empty.steps, empty.counts, empty.total, empty.step("deals")) == ((), {}, 0, None)
