"""Batches: bounds, order, and no more of them than needed."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.ingest.batches import BatchSize, Bound, batch_count, in_batches
from pytest_crmseed.records import Draft


def drafts_of(weights: list[int]) -> list[Draft]:
    return [Draft("deals", i, f"k{i}", {"weight": weight}) for i, weight in enumerate(weights)]


def weight_of(draft: Draft) -> int:
    weight: int = draft.values["weight"]
    return weight


@given(
    st.lists(st.integers(min_value=1, max_value=30), max_size=60),
    st.integers(min_value=1, max_value=9),
    st.integers(min_value=1, max_value=60),
)
def test_batches_keep_the_order_and_both_bounds_and_are_as_few_as_can_be(
    weights: list[int], most: int, most_bytes: int
) -> None:
    drafts = drafts_of(weights)
    batches = in_batches(drafts, most=most, most_bytes=most_bytes, size=weight_of)
    assert [draft for batch in batches for draft in batch.drafts] == drafts
    assert [(batch.number, batch.of) for batch in batches] == [
        (number, len(batches)) for number in range(1, len(batches) + 1)
    ]
    for batch in batches:
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or sum(map(weight_of, batch.drafts)) <= most_bytes
    for batch, after in pairwise(batches):
        # In order, taking as many as fit is the fewest; so the next one must not have fitted.
        assert len(batch) == most or sum(map(weight_of, [*batch.drafts, after.drafts[0]])) > most_bytes


@given(st.integers(min_value=0, max_value=1000), st.integers(min_value=1, max_value=100))
def test_the_count_of_batches_is_that_of_batches_made(records: int, most: int) -> None:
    batches = in_batches(drafts_of([1] * records), most=most, most_bytes=10**9, size=weight_of)
    assert len(batches) == batch_count(records, most)


def test_a_draft_too_large_for_any_batch_goes_alone() -> None:
    batches = in_batches(drafts_of([5, 500, 5]), most=10, most_bytes=100, size=weight_of)
    assert [[weight_of(draft) for draft in batch.drafts] for batch in batches] == [[5], [500], [5]]


@given(st.lists(st.sets(st.sampled_from("abc")), max_size=30), st.integers(min_value=1, max_value=5))
def test_drafts_of_a_batch_may_have_to_have_values_for_the_same_fields(
    fields: list[set[str]], most: int
) -> None:
    drafts = [
        Draft("deals", index, f"k{index}", dict.fromkeys(sorted(names), 1))
        for index, names in enumerate(fields)
    ]
    batches = in_batches(drafts, most=most, most_bytes=10**9, size=lambda draft: 1, same_fields=True)
    assert sorted(draft.index for batch in batches for draft in batch.drafts) == list(range(len(drafts)))
    for batch in batches:
        assert len({frozenset(draft.values) for draft in batch.drafts}) == 1
        assert [draft.index for draft in batch.drafts] == sorted(draft.index for draft in batch.drafts)
    shapes = [frozenset(names) for names in fields]
    # No more than it takes.
    assert len(batches) == sum(-(-shapes.count(shape) // most) for shape in set(shapes))


# -- how large a batch may be --------------------------------------------------------------------------
def test_a_bound_halves_but_not_below_what_went_well() -> None:
    bound = Bound(100)
    bound.failed(100, for_good=False)
    assert bound.now == 50
    bound.went_well(50)
    bound.failed(60, for_good=False)
    assert bound.now == 50
    bound.failed(50, for_good=False)
    assert bound.now == 25
    for _ in range(9):
        bound.failed(bound.now, for_good=True)
    assert bound.now == 1


def test_a_bound_grows_after_some_full_batches_and_returns_to_where_it_began() -> None:
    bound = Bound(100)
    bound.failed(100, for_good=False)
    seen = []
    for _ in range(20):
        bound.went_well(bound.now)
        seen.append(bound.now)
    assert seen == [50] * 3 + [75] * 4 + [88] * 4 + [94] * 4 + [100] * 5
    half_full = Bound(100)
    half_full.failed(100, for_good=False)
    for _ in range(20):
        half_full.went_well(20)
    assert half_full.now == 50


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_bound_finds_what_the_portal_takes_and_stops_asking(most: int, limit: int) -> None:
    bound = Bound(most)
    refused = 0
    for _ in range(300):
        if bound.now > limit:
            refused += 1
            bound.failed(bound.now, for_good=True)
        else:
            bound.went_well(bound.now)
    assert refused <= most.bit_length() + 6
    assert bound.now <= limit
    assert bound.now >= min(most, limit) * 0.8 - 1


def test_a_size_counts_its_changes() -> None:
    size = BatchSize(100, 1000)
    assert not size.went_well(100, lambda: 999)
    assert size.too_slow(100) and size.records == 50
    assert size.too_large(1000) and size.bytes == 500
    assert size.too_many(50) and size.records == 25
    assert not size.too_slow(200)
    assert size.changes == 3
