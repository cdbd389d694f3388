"""Batches made by column are what factory_boy makes by row, and what can be made so is made so."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import factory
import factory.fuzzy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories import (
    UNSET,
    CompanyFactory,
    Computed,
    ContactFactory,
    CRMFactory,
    DateBetween,
    DealFactory,
    DecimalBetween,
    Drawn,
    Generation,
    IntegerBetween,
    Pick,
    Sometimes,
    Unique,
    Weighted,
    default_factories,
    plan,
)
from pytest_crmseed.factories.columns import blocks
from pytest_crmseed.factories.computed import Derived, Given, Parent
from pytest_crmseed.factories.streams import Scope, Stream

HERE = Generation(random_seed=3, node="tests/test_x.py::test_y", unique_tag="k3x9")
STOCK = list(default_factories().values())
FIELDS = ["one", "two", "three", "four"]


class Odd(Drawn):
    def value(self, number: int, generation: Generation) -> int:
        return number // 2 * 2 % 1000 + 1


class Louder(Pick[str]):
    def value(self, number: int, generation: Generation) -> str:
        return super().value(number, generation).upper()


class Doubled(IntegerBetween):
    def evaluate(self, instance: Any, step: Any, extra: Any) -> int:
        return 2 * int(super().evaluate(instance, step, extra))


def parents(index: int) -> dict[str, Any]:
    companies: list[Any] = [
        {"name": "Acme", "domain": "acme.example.org", "city": "Austin", "state": "TX", "industry": "Retail"},
        {"name": None, "domain": "Sub.EXAMPLE.com", "city": "Gotham", "country": "Nowhere"},
        {"domain": "acme.com"},
        None,
    ]
    products: list[Any] = [{"price": Decimal("19.90")}, {"price": None}, {"name": "D"}, {"price": "12"}, {}]
    company = {"company": companies[index % 5]} if index % 5 < 4 else {}
    contact = {"contacts": {"first_name": "Ann", "phone": None}} if index % 3 else {}
    return {**company, **contact, "product": products[index % 5]}


def by_row(
    made: type[CRMFactory],
    generation: Generation,
    indices: range,
    overrides: dict[str, Any] | None = None,
    parents: Callable[[int], dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    scope = Scope(generation, made._meta.object_type, parents)
    return made._plan(overrides or {}).records_by_row(scope, indices)


def outcome(make: Callable[[], list[dict[str, Any]]]) -> object:
    """Return the records with the order and types of their fields, or the error."""
    try:
        return [[(name, type(value), value) for name, value in record.items()] for record in make()]
    except UsageError as error:
        return str(error)


# -- the same values -----------------------------------------------------------------------------
generations = st.builds(
    Generation,
    random_seed=st.integers(0, 99),
    base_date=st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    node=st.text(max_size=5),
    unique_tag=st.sampled_from(["", "k3"]),
    locale=st.sampled_from(["en_US", "de_DE", "fr_FR", "ja_JP", "pl_PL"]),
    email_domain=st.sampled_from(["example.com", "seed.corp.io"]),
)
constants = st.sampled_from([None, 0, "text", "Austin", "closed_won", ["shared"], UNSET])
drawn = st.sampled_from(
    [
        Pick(["a", "b", "c"]),
        Pick(lambda locale: [locale, UNSET]),
        Louder(["a", "b"]),
        Odd(),
        Weighted({"x": 1, "y": 2, UNSET: 1}),
        Weighted({IntegerBetween(1, 5): 1, DecimalBetween(1, 2, step="0.25"): 2, Odd(): 1, None: 1}),
        IntegerBetween(-3, 10**20),
        DecimalBetween("1.50", 90, step="0.05"),
        DateBetween(-30, 30),
        Unique("U-"),
        Doubled(1, 9),
    ]
)
derived = st.builds(
    lambda inputs, stream: Derived(
        lambda about: lambda *given: repr((about.locale, given)), *inputs, stream=stream
    ),
    st.lists(st.sampled_from([*Given, Parent("company"), *FIELDS]), max_size=3),
    st.sampled_from(["", "shared"]),
)
stock_declarations = st.sampled_from(
    [
        factory.Sequence(lambda n: f"n{n}"),
        factory.Iterator(["i", "j", "k"]),
        factory.Faker("pyint"),
        factory.fuzzy.FuzzyInteger(9),
        factory.LazyAttribute(lambda record: f"{record.one}!"),
        Computed(lambda record, draw: (record.two, draw.number, draw.index, dict(draw.parent("company")))),
        factory.Transformer(Pick("ab"), transform=str.upper),
    ]
)
simple = st.one_of(constants, drawn, derived, stock_declarations)
declarations = st.one_of(
    simple,
    st.builds(Sometimes, st.integers(0, 100), simple, simple),
    st.builds(factory.Maybe, st.just("flag"), simple, simple),
)
native = st.dictionaries(st.sampled_from(["A__c", "B__c"]), simple, max_size=2)


@st.composite
def factories(draw: Any) -> type[CRMFactory]:
    base = draw(st.sampled_from([CRMFactory, *STOCK]))
    params = {
        "flag": draw(st.sampled_from([True, False, Pick([True, False])])),
        "trait": factory.Trait(one=draw(simple)),
    }
    body = {
        **{field: draw(declarations) for field in FIELDS},
        "__module__": __name__,
        "Params": type("Params", (), params),
        "Meta": type("Meta", (), {} if base is not CRMFactory else {"object_type": "things"}),
    }
    if draw(st.booleans()):
        body["Meta"].exclude = ("two",)
    if draw(st.integers(0, 3)) == 0:
        body["Meta"].rename = {"three": "renamed"}
    return type(CRMFactory)("Made", (base,), body)


@settings(max_examples=300)
@given(
    generations,
    factories(),
    st.dictionaries(st.sampled_from([*FIELDS, "trait", "flag"]), declarations, max_size=2),
    st.one_of(st.none(), native),
    st.sampled_from([0, 7, 250, 1020, 10**6]),
    st.integers(0, 9),
    st.booleans(),
)
def test_a_batch_is_what_factory_boy_makes_by_row(
    generation: Generation,
    made: type[CRMFactory],
    overrides: dict[str, Any],
    native: dict[str, Any] | None,
    start: int,
    count: int,
    related: bool,
) -> None:
    if native is not None:
        overrides["native"] = native
    family = parents if related else None
    expected = outcome(lambda: by_row(made, generation, range(start, start + count), overrides, family))

    def batch(first: int, last: int) -> list[dict[str, Any]]:
        return made.generate(
            generation, last - first, start=start + first, overrides=overrides, parents=family
        )

    assert outcome(lambda: batch(0, count)) == expected
    assert outcome(lambda: batch(0, count // 2) + batch(count // 2, count)) == expected


@settings(max_examples=25)
@pytest.mark.parametrize("made", STOCK)
@given(generation=generations, related=st.booleans(), data=st.data())
def test_stock_factories_make_the_same_by_column_and_by_row(
    made: type[CRMFactory], generation: Generation, related: bool, data: st.DataObject
) -> None:
    values = st.one_of(constants, drawn, st.text(max_size=80), st.sampled_from(["Köln", "山田", "Retail"]))
    names = sorted(made.record_fields())
    overrides = data.draw(st.dictionaries(st.sampled_from(names), values, max_size=3))
    family = parents if related else None
    expected = outcome(lambda: by_row(made, generation, range(1015, 1035), overrides, family))
    assert (
        outcome(lambda: made.generate(generation, 20, start=1015, overrides=overrides, parents=family))
        == expected
    )


@pytest.mark.parametrize(
    ("made", "digest"), [(CompanyFactory, "49ea639032cf193f"), (DealFactory, "05549967cd73e6e0")]
)
def test_records_stay_as_they_are_across_releases(made: type[CRMFactory], digest: str) -> None:
    # English companies and deals hold nothing of Faker's, whose data change with its version.
    records = made.generate(
        Generation(random_seed=1, node="n", unique_tag="k3"),
        300,
        start=900,
        parents=lambda i: {"company": {"name": f"C{i}", "city": "Austin"}} if i % 2 else {},
    )
    assert hashlib.sha256(repr(records).encode()).hexdigest()[:16] == digest


@given(st.integers(0, 2000), st.integers(0, 3000))
@settings(max_examples=50)
def test_numbers_of_a_stream_are_the_same_in_a_row_and_one_by_one(start: int, count: int) -> None:
    indices = range(start, start + count)
    one_by_one = Stream(1, "n", "deals", "amount")
    assert Stream(1, "n", "deals", "amount").numbers(indices) == [one_by_one.number(i) for i in indices]


# -- made by column --------------------------------------------------------------------------------
@pytest.fixture
def without_factory_boy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **keywords: Any) -> None:
        raise AssertionError("factory_boy made a record")

    monkeypatch.setattr(plan, "BuildStep", refuse)
    monkeypatch.setattr(plan, "Resolver", refuse)


@pytest.mark.usefixtures("without_factory_boy")
@pytest.mark.parametrize("related", [True, False])
@pytest.mark.parametrize("made", STOCK)
def test_stock_factories_are_made_by_column(made: type[CRMFactory], related: bool) -> None:
    assert len(made.generate(HERE, 1500, parents=parents if related else None)) == 1500
    assert made._meta.plan.by_column_alone


@pytest.mark.usefixtures("without_factory_boy")
@pytest.mark.parametrize(
    "overrides",
    [
        {"name": "constant"},
        {"name": Pick(["drawn"]), "amount": Sometimes(50, IntegerBetween(1, 9), Unique())},
        {"name": Odd(), "description": Louder(["a"])},
        {"won": True},
        {"open": True, "lost": False},
        {"native": {"Tier__c": "gold", "Rank__c": IntegerBetween(1, 9)}},
        {"currency": "EUR", "stage": UNSET},
    ],
)
def test_overrides_are_made_by_column_too(overrides: dict[str, Any]) -> None:
    assert len(DealFactory.generate(HERE, 20, overrides=overrides)) == 20


def test_the_guard_of_these_tests_sees_factory_boy(without_factory_boy: None) -> None:
    with pytest.raises(AssertionError, match="factory_boy made a record"):
        DealFactory.generate(HERE, 1, overrides={"name": factory.Sequence(str)})


def test_a_class_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fresh(DealFactory):
        pass

    made: list[object] = []
    compiler = plan.Compiler
    monkeypatch.setattr(plan, "Compiler", lambda *arguments: made.append(arguments) or compiler(*arguments))
    Fresh.generate(HERE, 3000)
    Fresh.generate(HERE, 1)
    assert len(made) == 1
    Fresh.generate(HERE, 3000, overrides={"name": "x"})
    assert len(made) == 2


# -- left to factory_boy -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "declaration",
    [
        factory.LazyAttribute(lambda record: record.stage),
        factory.LazyFunction(lambda: 1),
        factory.Sequence(str),
        factory.Iterator([1, 2]),
        factory.Faker("word"),
        factory.fuzzy.FuzzyInteger(9),
        factory.SelfAttribute("stage"),
        factory.Transformer(Pick("ab"), transform=str.upper),
        factory.Maybe("stage", 1, 2),
        Computed(lambda record, draw: draw.number),
        Sometimes(50, factory.Faker("word")),
        Sometimes(50, 1, otherwise=factory.Faker("word")),
        Doubled(1, 9),
        Derived(lambda about: str, "description"),
        Derived(lambda about: str, "nowhere"),
    ],
)
def test_a_field_that_takes_a_record_at_a_time_leaves_the_others_in_columns(declaration: Any) -> None:
    assert DealFactory._plan({"description": declaration}).by_row == {"description"}


def test_what_follows_from_such_a_field_takes_a_record_at_a_time_too() -> None:
    overrides = {"name": factory.Sequence(lambda n: f"Support Renewal {n}")}
    planned = DealFactory._plan(overrides)
    assert planned.by_row == {"name", "description"}
    assert not planned.by_column_alone
    assert DealFactory.generate(HERE, 5, overrides=overrides)[4]["description"].startswith("Continues")
    both = {
        "name": Derived(lambda about: str, "description"),
        "description": Derived(lambda about: str, "name"),
    }
    assert DealFactory._plan(both).by_row == {"name", "description"}
    with pytest.raises(UsageError, match=r"^DealFactory\.\w+ failed .* CyclicDefinitionError"):
        DealFactory.generate(HERE, 1, overrides=both)


def test_a_native_value_that_takes_a_record_at_a_time_takes_the_others_with_it() -> None:
    assert DealFactory._plan({"native": {"A__c": factory.Faker("word"), "B__c": 1}}).by_row == {"native"}


def test_classes_that_change_what_becomes_of_the_values_are_left_to_factory_boy() -> None:
    class Adjusted(DealFactory):
        @classmethod
        def _adjust_kwargs(cls, **kwargs: Any) -> dict[str, Any]:
            return {**kwargs, "name": "adjusted"}

    class Built(DealFactory):
        @classmethod
        def _build(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
            return {"name": "built"}

    class Finished(DealFactory):
        @classmethod
        def _after_postgeneration(cls, instance: Any, create: bool, results: Any = None) -> None:
            instance["name"] = "finished"

    class Hooked(DealFactory):
        @factory.post_generation
        def hook(record: dict[str, Any], create: bool, extracted: Any, **kwargs: Any) -> None:
            record["name"] = "hooked"

    class Other(DealFactory):
        class Meta:
            model = type("Other", (dict,), {})

    for made, name in [(Adjusted, "adjusted"), (Built, "built"), (Finished, "finished"), (Hooked, "hooked")]:
        assert not made._meta.plan.by_column_alone
        assert [record["name"] for record in made.generate(HERE, 3)] == [name] * 3
    assert type(Other.generate(HERE, 1)[0]).__name__ == "Other"
    # Their values are made by column all the same.
    assert Hooked._meta.plan.by_row == frozenset()


def test_functions_without_a_rule_are_called_in_the_order_of_the_records() -> None:
    numbers = itertools.count()

    class Counting(DealFactory):
        first = factory.LazyFunction(lambda: next(numbers))
        last = factory.LazyFunction(lambda: next(numbers))

    assert [(record["first"], record["last"]) for record in Counting.generate(HERE, 3)] == [
        (0, 1),
        (2, 3),
        (4, 5),
    ]


def test_values_of_columns_reach_functions_of_a_record() -> None:
    class Signed(ContactFactory):
        label = factory.LazyAttribute(lambda record: f"{record.first_name} of {record.city}")
        missing = factory.LazyAttribute(lambda record: hasattr(record, "nowhere"))

    for record in Signed.generate(HERE, 3, overrides={"street": UNSET}, parents=parents):
        assert record["label"] == f"{record['first_name']} of {record['city']}"
        assert record["missing"] is False
        assert "street" not in record


def test_values_of_columns_are_not_made_again_by_row() -> None:
    class Once(Drawn):
        def value(self, number: int, generation: Generation) -> str:
            raise AssertionError("made by row")

        def values(self, numbers: Any, generation: Generation) -> list[str]:
            return ["made by column"] * len(numbers)

    class Mixed(DealFactory):
        name = Once()
        label = factory.LazyAttribute(lambda record: record.name)

    assert Mixed.generate(HERE, 2)[1]["label"] == "made by column"


# -- parents, errors, memory ---------------------------------------------------------------------------
@pytest.mark.parametrize("overrides", [{}, {"job_title": Computed(lambda _, draw: draw.parent("company"))}])
def test_parents_are_asked_for_once_a_record_whoever_needs_them(overrides: dict[str, Any]) -> None:
    asked: list[int] = []

    def family(index: int) -> dict[str, Any]:
        asked.append(index)
        return parents(index)

    ContactFactory.generate(HERE, 1100, start=5, overrides=overrides, parents=family)
    assert asked == list(range(5, 1105))


def test_a_column_that_fails_is_reported_with_factory_field_and_record() -> None:
    class Brittle(Drawn):
        def value(self, number: int, generation: Generation) -> float:
            return 1 / (number - unlucky)

    unlucky = Stream(HERE.random_seed, HERE.node, "deals", "description").number(1234)
    with pytest.raises(UsageError) as caught:
        DealFactory.generate(HERE, 2000, overrides={"description": Brittle()})
    assert str(caught.value) == (
        "DealFactory.description failed for the record of index 1234: ZeroDivisionError: division by zero."
    )


def test_parents_that_fail_are_reported_with_factory_field_and_record() -> None:
    def family(index: int) -> dict[str, Any]:
        return {"company": {}} if index < 3 else {}["nobody"]

    with pytest.raises(UsageError) as caught:
        ContactFactory.generate(HERE, 5, parents=family)
    assert str(caught.value) == "ContactFactory.email failed for the record of index 3: KeyError: 'nobody'."


def test_a_declaration_with_too_few_values_is_reported() -> None:
    class Short(Drawn):
        def value(self, number: int, generation: Generation) -> int:
            return 0

        def values(self, numbers: Any, generation: Generation) -> list[int]:
            return [0]

    with pytest.raises(UsageError) as caught:
        DealFactory.generate(HERE, 3, overrides={"name": Short()})
    assert str(caught.value) == (
        "DealFactory.name has 1 values for 3 records. "
        "The values() of its declaration returns one value for each number it is given."
    )


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_blocks_are_small_and_in_a_row(start: int, count: int) -> None:
    pieces = list(blocks(range(start, start + count)))
    assert [index for piece in pieces for index in piece] == list(range(start, start + count))
    assert all(0 < len(piece) <= 1024 for piece in pieces)
    assert all(piece.stop % 1024 == 0 for piece in pieces[:-1])


def test_a_column_is_never_longer_than_a_block() -> None:
    asked: list[int] = []

    class Watched(Drawn):
        def values(self, numbers: Any, generation: Generation) -> list[int]:
            asked.append(len(numbers))
            return [0] * len(numbers)

        def value(self, number: int, generation: Generation) -> int:
            return 0

    DealFactory.generate(HERE, 5000, start=100, overrides={"description": Watched()})
    assert asked == [924, 1024, 1024, 1024, 1004]
