"""Stock declarations of factory_boy depend on the record alone, and leave all shared state as it was."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import factory
import factory.fuzzy
import factory.random
import faker.generator
import pytest
from factory.random import randgen
from faker.providers import BaseProvider, DynamicProvider

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories import DealFactory, Generation

HERE = Generation(random_seed=11, node="tests/test_x.py::test_y")


class StockFactory(DealFactory):
    """One declaration of each kind that usually draws or counts within the process."""

    faker_plain = factory.Faker("name")
    faker_arguments = factory.Faker("pyint", min_value=5, max_value=9)
    faker_locale = factory.Faker("name", locale="ja_JP")
    faker_nested = factory.Faker(
        "pyint", min_value=0, max_value=factory.Faker("pyint", min_value=1, max_value=9)
    )
    fuzzy_text = factory.fuzzy.FuzzyText(prefix="x-", length=6)
    fuzzy_choice = factory.fuzzy.FuzzyChoice(["a", "b", "c"], getter=str.upper)
    fuzzy_generator = factory.fuzzy.FuzzyChoice(str(i) for i in range(50))
    fuzzy_integer = factory.fuzzy.FuzzyInteger(0, 10**6)
    fuzzy_decimal = factory.fuzzy.FuzzyDecimal(0.5, 99.5)
    fuzzy_float = factory.fuzzy.FuzzyFloat(0.0, 1.0)
    fuzzy_date = factory.fuzzy.FuzzyDate(date(2025, 1, 1), date(2026, 1, 1))
    fuzzy_datetime = factory.fuzzy.FuzzyDateTime(
        datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    )
    iterated = factory.Iterator(["red", "green", "blue"])
    iterated_generator = factory.Iterator((i * i for i in range(1000)), cycle=False)
    iterated_getter = factory.Iterator([1, 2], getter=lambda n: n * 10)
    sequence = factory.Sequence(lambda n: f"n{n}")
    sequence_of_record = factory.LazyAttributeSequence(lambda record, n: f"{record.stage}{n}")
    listed = factory.List([factory.Faker("word"), factory.Faker("word")])
    mapped = factory.Dict({"a": factory.Faker("pyint"), "b": factory.Faker("pyint")})
    maybe = factory.Maybe("flag", factory.Faker("city"), factory.fuzzy.FuzzyInteger(10**9))
    transformed = factory.Transformer(factory.Faker("word"), transform=str.upper)
    native = {"Tier__c": factory.Faker("word"), "Fixed__c": 1}  # noqa: RUF012

    class Params:
        flag = factory.Faker("pybool")
        noisy = factory.Trait(description=factory.Faker("sentence"))


def shared_state() -> tuple[Any, ...]:
    return (
        random.getstate(),
        factory.random.randgen.getstate(),
        factory.random.randgen.state_set,
        faker.generator.random.getstate(),
        dict(factory.Faker._FAKER_REGISTRY),
        [fake.factories[0].random.getstate() for fake in factory.Faker._FAKER_REGISTRY.values()],
    )


def test_values_are_the_same_in_any_order_and_split() -> None:
    whole = StockFactory.generate(HERE, 12, overrides={"noisy": True})
    single = {i: StockFactory.generate(HERE, 1, start=i, overrides={"noisy": True})[0] for i in (7, 0, 11, 3)}
    assert single == {i: whole[i] for i in (7, 0, 11, 3)}
    assert StockFactory.generate(HERE, 5, start=7, overrides={"noisy": True}) == whole[7:]


def test_each_field_and_each_index_has_values_of_its_own() -> None:
    made = StockFactory.generate(HERE, 30)
    assert len({record["faker_plain"] for record in made}) > 20
    assert len({record["fuzzy_integer"] for record in made}) > 20
    assert any(record["listed"][0] != record["listed"][1] for record in made)
    assert any(record["mapped"]["a"] != record["mapped"]["b"] for record in made)
    assert {type(record["maybe"]) for record in made} == {str, int}


def test_values_are_what_the_declarations_say() -> None:
    made = StockFactory.generate(HERE, 6)
    for record in made:
        assert 5 <= record["faker_arguments"] <= 9
        assert 0 <= record["faker_nested"] <= 9
        assert record["faker_locale"].isascii() is False
        assert record["fuzzy_text"].startswith("x-")
        assert len(record["fuzzy_text"]) == 8
        assert record["fuzzy_choice"] in {"A", "B", "C"}
        assert record["transformed"].isupper()
        assert record["native"].keys() == {"Tier__c", "Fixed__c"}
        assert "flag" not in record
        assert "noisy" not in record
    assert [record["iterated"] for record in made] == ["red", "green", "blue"] * 2
    assert [record["iterated_generator"] for record in made] == [0, 1, 4, 9, 16, 25]
    assert [record["iterated_getter"] for record in made] == [10, 20] * 3
    assert [record["sequence"] for record in made] == ["n0", "n1", "n2", "n3", "n4", "n5"]
    assert made[3]["sequence_of_record"] == f"{made[3]['stage']}3"


def test_shared_generators_are_untouched() -> None:
    factory.Faker("name").evaluate(None, None, {"locale": None})  # so that a shared one exists
    before = shared_state()
    StockFactory.generate(HERE, 3, overrides={"noisy": True})
    StockFactory()
    StockFactory.build_batch(2, name=factory.Faker("company"))
    assert shared_state() == before


@pytest.mark.parametrize(
    "disturb",
    [
        lambda: random.seed(1),
        lambda: factory.random.reseed_random("other"),
        lambda: faker.Faker.seed(99),
        lambda: [factory.Faker("name").evaluate(None, None, {"locale": None}) for _ in range(5)],
    ],
)
def test_values_ignore_shared_generators(disturb: Any) -> None:
    states = random.getstate(), factory.random.randgen.getstate(), faker.generator.random.getstate()
    first = StockFactory.generate(HERE, 3)
    try:
        disturb()
        assert StockFactory.generate(HERE, 3) == first
    finally:
        random.setstate(states[0])
        factory.random.randgen.setstate(states[1])
        factory.random.randgen.state_set = False
        faker.generator.random.setstate(states[2])


def test_call_time_declarations_are_reseeded_too() -> None:
    def made(count: int, start: int = 0) -> list[dict[str, Any]]:
        overrides = {
            "name": factory.Faker("company"),
            "amount": factory.fuzzy.FuzzyDecimal(1, 9),
            "stage": factory.Iterator(["new", "qualified"]),
            "description": factory.LazyAttribute(lambda record: f"about {record.name}"),
            "native": {"Tier__c": factory.Iterator(["A", "B", "C"])},
        }
        return DealFactory.generate(HERE, count, start=start, overrides=overrides)

    whole = made(6)
    assert made(2, start=4) == whole[4:]
    assert [record["stage"] for record in whole] == ["new", "qualified"] * 3
    assert [record["native"]["Tier__c"] for record in whole] == ["A", "B", "C"] * 2
    assert all(record["description"] == f"about {record['name']}" for record in whole)


def test_the_locale_of_the_generation_is_fakers_default() -> None:
    german = Generation(locale="ja_JP")
    assert not DealFactory.generate(german, 1, overrides={"name": factory.Faker("name")})[0]["name"].isascii()
    assert DealFactory.generate(german, 1, overrides={"name": factory.Faker("name", locale="en_US")})[0][
        "name"
    ].isascii()


def test_threads_do_not_disturb_each_other() -> None:
    expected = [StockFactory.generate(HERE, 1, start=i)[0] for i in range(24)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda i: StockFactory.generate(HERE, 1, start=i)[0], range(24)))
    assert made == expected


def test_threads_within_one_faker_generator_do_not_disturb_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(factory.Faker, "_FAKER_REGISTRY", {})
    together = threading.Barrier(2)

    class Slow(BaseProvider):
        def slow(self) -> list[int]:
            together.wait(timeout=30)
            return [self.random_int(0, 10**6) for _ in range(3)]

    factory.Faker.add_provider(Slow)

    def made(index: int) -> object:
        return DealFactory.generate(HERE, 1, start=index, overrides={"name": factory.Faker("slow")})[0][
            "name"
        ]

    with ThreadPoolExecutor(2) as pool:
        values = list(pool.map(made, [0, 1]))
        swapped = list(pool.map(made, [1, 0]))
    assert values == swapped[::-1]
    assert values[0] != values[1]


def test_generators_added_to_factory_faker_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory.Faker, "_FAKER_REGISTRY", {})

    class Ships(BaseProvider):
        def ship(self) -> str:
            return f"ship {self.random_int(0, 10**6)}"

    harbours = DynamicProvider(provider_name="harbour", elements=[f"harbour {i}" for i in range(1000)])
    factory.Faker.add_provider(Ships)
    factory.Faker.add_provider(harbours)
    before = faker.generator.random.getstate()
    overrides = {"name": factory.Faker("ship"), "description": factory.Faker("harbour")}
    whole = DealFactory.generate(Generation(locale="de_DE"), 5, overrides=overrides)
    assert faker.generator.random.getstate() == before
    assert DealFactory.generate(Generation(locale="de_DE"), 1, start=3, overrides=overrides) == whole[3:4]
    assert all(record["name"].startswith("ship ") for record in whole)
    assert len({record["description"] for record in whole}) > 1
    harbours.add_element("new harbour")
    assert "new harbour" in {
        record["description"]
        for record in DealFactory.generate(Generation(locale="de_DE"), 9000, overrides=overrides)
    }


def test_a_subclass_of_fakers_declaration_keeps_its_ways() -> None:
    class Loud(factory.Faker):
        def evaluate(self, instance: Any, step: Any, extra: dict[str, Any]) -> str:
            return str(super().evaluate(instance, step, extra)).upper()

    whole = DealFactory.generate(HERE, 4, overrides={"name": Loud("word")})
    assert all(record["name"].isupper() for record in whole)
    assert DealFactory.generate(HERE, 1, start=2, overrides={"name": Loud("word")}) == whole[2:3]


class Coin(factory.fuzzy.BaseFuzzyAttribute):
    def fuzz(self) -> int:
        return factory.random.randgen.randrange(10**9)


class Dice(factory.fuzzy.BaseFuzzyAttribute):
    def __init__(self, sides: int = 10**9) -> None:
        super().__init__()
        self.sides = sides

    def fuzz(self, *, least: int = 1) -> int:
        return randgen.randint(least, self.sides)


@pytest.mark.parametrize("declaration", [Coin(), Dice()])
def test_a_fuzzy_declaration_of_ones_own_is_reseeded(declaration: Any) -> None:
    before = shared_state()
    overrides = {"name": declaration}
    whole = DealFactory.generate(HERE, 4, overrides=overrides)
    assert DealFactory.generate(HERE, 1, start=2, overrides=overrides) == whole[2:3]
    assert len({record["name"] for record in whole}) == 4
    assert shared_state() == before


def test_an_iterator_over_a_generator_serves_class_and_subclass() -> None:
    def numbers() -> Iterator[int]:
        yield from range(10)

    class Parent(DealFactory):
        number = factory.Iterator(numbers(), cycle=False)

    class Child(Parent):
        pass

    assert [record["number"] for record in Parent.generate(HERE, 4)] == [0, 1, 2, 3]
    assert [record["number"] for record in Child.generate(HERE, 6)] == [0, 1, 2, 3, 4, 5]
    with pytest.raises(UsageError) as caught:
        Child.generate(HERE, 1, start=10)
    assert str(caught.value) == (
        "Child.number failed for the record of index 10: IndexError: the iterator ended after 10 values."
    )


def test_a_transformer_applies_to_each_record_of_a_batch() -> None:
    made = StockFactory.generate(HERE, 3, overrides={"transformed": factory.Sequence(lambda n: f"v{n}")})
    assert [record["transformed"] for record in made] == ["V0", "V1", "V2"]
    forced = factory.Transformer.Force(factory.Faker("word"))
    before = shared_state()
    made = StockFactory.generate(HERE, 3, overrides={"transformed": forced})
    assert shared_state() == before
    assert all(record["transformed"].islower() for record in made)
