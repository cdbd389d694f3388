from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import factory
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories import (
    UNSET,
    Computed,
    CRMFactory,
    DateBetween,
    DealFactory,
    DecimalBetween,
    Draw,
    Drawn,
    Generation,
    IntegerBetween,
    Pick,
    Sometimes,
    Unique,
    Weighted,
)

NUMBERS = st.integers(0, 2**64 - 1)
HERE = Generation(random_seed=5, node="tests/test_x.py")


def column(declaration: Any, count: int = 2000, generation: Generation = HERE) -> list[Any]:
    made = DealFactory.generate(generation, count, overrides={"description": declaration})
    return [record.get("description", UNSET) for record in made]


@given(NUMBERS, st.integers(-1000, 1000), st.integers(0, 1000))
def test_integers_lie_between_their_bounds(number: int, low: int, size: int) -> None:
    assert low <= IntegerBetween(low, low + size).value(number, HERE) <= low + size


def test_integers_reach_both_bounds() -> None:
    assert set(column(IntegerBetween(3, 6))) == {3, 4, 5, 6}


@given(
    NUMBERS,
    st.decimals(-1000, 1000, places=2),
    st.decimals(0, 1000, places=2),
    st.sampled_from(["0.01", "0.25", 5]),
)
def test_decimals_lie_on_their_steps(number: int, low: Decimal, size: Decimal, step: Any) -> None:
    value = DecimalBetween(low, low + size, step=step).value(number, HERE)
    assert low <= value <= low + size
    assert (value - low) % Decimal(step) == 0
    assert value.as_tuple().exponent == -2


def test_decimals_have_the_places_of_what_was_given() -> None:
    assert {str(value) for value in column(DecimalBetween("10.00", 30, step=10))} == {
        "10.00",
        "20.00",
        "30.00",
    }
    assert {str(value) for value in column(DecimalBetween(0.1, 0.3, step=0.1))} == {"0.1", "0.2", "0.3"}


@given(NUMBERS, st.integers(-400, 400), st.integers(0, 400))
def test_dates_count_from_the_base_date(number: int, first: int, size: int) -> None:
    generation = Generation(base_date=date(2030, 6, 15))
    days = DateBetween(first, first + size).value(number, generation) - date(2030, 6, 15)
    assert timedelta(days=first) <= days <= timedelta(days=first + size)


def test_pick_takes_every_value_about_as_often() -> None:
    counts = Counter(column(Pick(["a", "b", "c", "d"])))
    assert counts.keys() == {"a", "b", "c", "d"}
    assert all(400 < count < 600 for count in counts.values())


def test_pick_asks_a_function_for_the_pool_of_the_locale() -> None:
    pool = Pick(lambda locale: [locale])
    assert column(pool, 1, Generation(locale="ja_JP")) == ["ja_JP"]


def test_weights_are_kept() -> None:
    counts = Counter(column(Weighted({"often": 9, "seldom": 1})))
    assert 100 < counts["seldom"] < 300
    assert counts.total() == 2000


def test_a_weighted_value_may_be_drawn_itself() -> None:
    values = column(Weighted({IntegerBetween(1, 9): 1, IntegerBetween(100, 109): 1, None: 1}))
    assert set(values) == {*range(1, 10), *range(100, 110), None}


def test_unique_values_carry_index_and_tag() -> None:
    assert column(Unique("SKU-"), 3) == ["SKU-0", "SKU-1", "SKU-2"]
    assert column(Unique(), 2, Generation(unique_tag="k3")) == ["0-k3", "1-k3"]


def test_sometimes_leaves_the_field_out() -> None:
    values = column(Sometimes(25, "yes"))
    assert set(values) == {"yes", UNSET}
    assert 400 < values.count("yes") < 600
    assert column(Sometimes(0, "yes"), 50) == [UNSET] * 50
    assert column(Sometimes(100, "yes"), 50) == ["yes"] * 50


def test_sometimes_takes_declarations_of_all_kinds() -> None:
    values = column(Sometimes(50, factory.Faker("pyint"), otherwise=factory.Sequence(lambda n: f"n{n}")), 40)
    assert values == column(
        Sometimes(50, factory.Faker("pyint"), otherwise=factory.Sequence(lambda n: f"n{n}")), 40
    )
    assert {type(value) for value in values} == {int, str}


def test_a_computed_value_knows_record_index_generation_and_parents() -> None:
    def function(record: Any, draw: Draw) -> str:
        assert 0 <= draw.number < 2**64
        return f"{record.stage} {draw.index} {draw.generation.node} {draw.parent('company').get('name')}"

    made = DealFactory.generate(
        HERE,
        2,
        start=4,
        overrides={"description": Computed(function), "stage": "new"},
        parents=lambda index: {"company": {"name": f"C{index}"}},
    )
    assert [record["description"] for record in made] == [
        "new 4 tests/test_x.py C4",
        "new 5 tests/test_x.py C5",
    ]


def test_parents_are_asked_for_once_a_record_and_only_if_needed() -> None:
    asked: list[int] = []

    def parents(index: int) -> dict[str, dict[str, Any]]:
        asked.append(index)
        return {"company": {"name": "C"}}

    twice = Computed(lambda record, draw: (draw.parent("company"), draw.parent("company")))
    DealFactory.generate(HERE, 3, overrides={"description": twice}, parents=parents)
    assert asked == [0, 1, 2]
    asked.clear()
    DealFactory.generate(HERE, 3, overrides={"name": "n"}, parents=parents)
    assert asked == []


def test_fields_with_one_stream_agree() -> None:
    class Twins(DealFactory):
        left = Pick(range(1000), stream="pair")
        right = Pick(range(1000), stream="pair")
        other = Pick(range(1000))

    made = Twins.generate(HERE, 20)
    assert all(record["left"] == record["right"] for record in made)
    assert any(record["left"] != record["other"] for record in made)


def test_a_declaration_of_ones_own_gives_value() -> None:
    class Even(Drawn):
        def value(self, number: int, generation: Generation) -> int:
            return number // 2 * 2 % 100

    assert all(value % 2 == 0 for value in column(Even(), 50))


def test_one_declaration_object_may_serve_several_fields_and_classes() -> None:
    shared = Pick(range(10**6))

    class One(CRMFactory):
        class Meta:
            object_type = "things"

        left = shared
        right = shared

    class Two(CRMFactory):
        class Meta:
            object_type = "others"

        left = shared

    one, two = One.generate(HERE, 1)[0], Two.generate(HERE, 1)[0]
    assert len({one["left"], one["right"], two["left"]}) == 3


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Pick([]), "Pick() takes a pool with at least one value."),
        (lambda: Weighted({}), "Weighted() takes at least one value with its weight."),
        (
            lambda: Weighted({"a": 0}),
            "Weighted(): the weight of 'a' is a whole number above 0, not 0.",
        ),
        (
            lambda: Weighted({"a": 0.5}),  # type: ignore[dict-item]
            "Weighted(): the weight of 'a' is a whole number above 0, not 0.5.",
        ),
        (lambda: IntegerBetween(2, 1), "IntegerBetween() takes the lower bound first, not 2 before 1."),
        (lambda: DecimalBetween("2", 1), "DecimalBetween() takes the lower bound first, not 2 before 1."),
        (lambda: DecimalBetween(1, 2, step=0), "DecimalBetween() takes a step above 0, not 0."),
        (lambda: DateBetween(1, -1), "DateBetween() takes the lower bound first, not 1 before -1."),
        (lambda: Sometimes(101, 1), "Sometimes() takes a percentage from 0 to 100, not 101."),
    ],
)
def test_what_cannot_be_drawn_from_is_refused_at_once(make: Any, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert str(caught.value) == text


def test_a_declaration_outside_of_a_crm_factory_says_where_it_belongs() -> None:
    class Plain(factory.DictFactory):
        field = Pick([1])

    with pytest.raises(UsageError) as caught:
        Plain()
    assert str(caught.value) == (
        "Pick has no field to draw for. "
        "Use it as an attribute of a class derived from CRMFactory, or as an override."
    )
