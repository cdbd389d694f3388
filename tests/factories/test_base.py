"""What every CRM factory does, whatever it makes."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import factory
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.factories import (
    UNSET,
    CompanyFactory,
    ContactFactory,
    CRMFactory,
    DealFactory,
    Generation,
    IntegerBetween,
    Pick,
    default_factories,
)

HERE = Generation(random_seed=3, node="tests/test_x.py::test_y", unique_tag="k3x9")
FACTORIES = list(default_factories().values())

generations = st.builds(
    Generation,
    random_seed=st.integers(-(2**40), 2**40),
    base_date=st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    node=st.text(max_size=20),
    unique_tag=st.from_regex("[a-z0-9]{0,8}", fullmatch=True),
    locale=st.sampled_from(["en_US", "en_GB", "de_DE", "fr_FR", "ja_JP", "pl_PL"]),
)


def parents(index: int) -> dict[str, dict[str, Any]]:
    return {"company": CompanyFactory.generate(HERE, 1, start=index % 3)[0]}


# -- what values depend on -----------------------------------------------------------------------
@settings(max_examples=30, deadline=None)
@given(
    generations,
    st.sampled_from(FACTORIES),
    st.integers(0, 600),
    st.lists(st.integers(0, 9), max_size=4),
    st.booleans(),
)
def test_a_batch_is_the_same_however_it_is_split(
    generation: Generation, made: type[CRMFactory], start: int, cuts: list[int], related: bool
) -> None:
    family = parents if related else None
    whole = made.generate(generation, 9, start=start, parents=family)
    bounds = sorted({0, 9, *cuts})
    pieces = [
        made.generate(generation, end - begin, start=start + begin, parents=family)
        for begin, end in itertools.pairwise(bounds)
    ]
    assert [record for piece in pieces for record in piece] == whole
    rows = [made.generate(generation, 1, start=start + i, parents=family)[0] for i in reversed(range(9))]
    assert rows[::-1] == whole


@pytest.mark.parametrize("made", FACTORIES)
def test_a_field_does_not_depend_on_others_that_are_overridden(made: type[CRMFactory]) -> None:
    plain = made.generate(HERE, 5)
    for other in ("phone", "job_title", "amount", "employees"):
        if other in made.fields():
            changed = made.generate(HERE, 5, overrides={other: "overridden"})
            derived = {"annual_revenue"} if other == "employees" else set()
            for before, after in zip(plain, changed, strict=True):
                for field in before.keys() - {other} - derived:
                    assert after[field] == before[field]


@pytest.mark.parametrize("made", FACTORIES)
def test_a_field_added_in_a_subclass_changes_no_other(made: type[CRMFactory]) -> None:
    class Child(made):  # type: ignore[misc, valid-type]
        aardvark = IntegerBetween(1, 9)

    for before, after in zip(made.generate(HERE, 5), Child.generate(HERE, 5), strict=True):
        assert {name: value for name, value in after.items() if name != "aardvark"} == before


@pytest.mark.parametrize("change", [{"random_seed": 4}, {"node": "tests/test_x.py::test_z"}])
@pytest.mark.parametrize("made", FACTORIES)
def test_another_seed_or_node_makes_other_records(made: type[CRMFactory], change: dict[str, Any]) -> None:
    before = made.generate(Generation(random_seed=3, node="tests/test_x.py::test_y"), 20)
    after = made.generate(Generation(**{"random_seed": 3, "node": "tests/test_x.py::test_y", **change}), 20)
    # Of some types a few records are alike: their pools are small.
    assert sum(one != other for one, other in zip(before, after, strict=True)) >= 15


def test_the_base_date_moves_dates_and_the_tag_unique_values_alone() -> None:
    plain = Generation(random_seed=3)
    later = Generation(random_seed=3, base_date=date(2026, 3, 1))
    for before, after in zip(DealFactory.generate(plain, 9), DealFactory.generate(later, 9), strict=True):
        assert (after["close_date"] - before["close_date"]).days == 59
        assert {**after, "close_date": None} == {**before, "close_date": None}
    tagged = Generation(random_seed=3, unique_tag="k3")
    for before, after in zip(
        ContactFactory.generate(plain, 9), ContactFactory.generate(tagged, 9), strict=True
    ):
        assert {name for name in before if before[name] != after[name]} == {"email"}
    for before, after in zip(
        CompanyFactory.generate(plain, 9), CompanyFactory.generate(tagged, 9), strict=True
    ):
        assert {name for name in before if before[name] != after[name]} == {"domain"}


def test_values_are_the_same_in_another_process() -> None:
    code = (
        "from pytest_crmseed.factories import *; import sys;"
        "g = Generation(random_seed=3, node='n');"
        "sys.stdout.buffer.write(repr([f.generate(g, 4) for f in default_factories().values()]).encode())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.decode()
    here = Generation(random_seed=3, node="n")
    assert there == repr([made.generate(here, 4) for made in default_factories().values()])


def test_threads_make_what_one_thread_makes() -> None:
    tasks = [(made, Generation(random_seed=seed)) for made in FACTORIES for seed in range(8)]
    expected = [made.generate(generation, 10) for made, generation in tasks]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda task: task[0].generate(task[1], 10), tasks))
    assert made == expected


def test_a_factory_called_within_another_has_the_same_generation_and_no_parents() -> None:
    def inner(record: Any) -> Any:
        return ContactFactory(__sequence=7)

    made = DealFactory.generate(
        HERE, 2, overrides={"description": factory.LazyAttribute(inner)}, parents=parents
    )
    assert made[0]["description"] == ContactFactory.generate(HERE, 1, start=7)[0]
    # The names of the deals come after the inner call, and still know their own parent.
    assert made[1]["name"].startswith(parents(1)["company"]["name"])


# -- overrides -----------------------------------------------------------------------------------
def test_overrides_may_be_constants_of_any_kind() -> None:
    def function() -> None:
        raise AssertionError("a function is a constant")

    constants = {"name": function, "amount": None, "stage": "won ☃", "description": ["a", {"b": 1}]}
    for record in DealFactory.generate(HERE, 2, overrides=constants):
        assert {name: record[name] for name in constants} == constants


def test_overrides_may_be_declarations() -> None:
    made = DealFactory.generate(
        HERE,
        3,
        start=5,
        overrides={
            "name": factory.Sequence(lambda n: f"Deal {n}"),
            "amount": IntegerBetween(1, 3),
            "description": factory.LazyAttribute(lambda record: f"{record.name} in {record.stage}"),
            "stage": factory.LazyFunction(lambda: "proposal"),
        },
    )
    assert [record["name"] for record in made] == ["Deal 5", "Deal 6", "Deal 7"]
    assert {record["amount"] for record in made} <= {1, 2, 3}
    assert made[0]["description"] == "Deal 5 in proposal"


def test_a_misspelt_override_is_refused() -> None:
    with pytest.raises(UnknownName) as caught:
        DealFactory.generate(HERE, 1, overrides={"ammount": 5})
    assert str(caught.value) == (
        "unknown field 'ammount' in DealFactory; did you mean 'amount'? Valid: amount, close_date, currency, "
        "description, lost, name, open, pipeline, probability, stage, won. "
        "Names of the portal's own go into native={…}."
    )


@pytest.mark.parametrize("make", [DealFactory, DealFactory.build, DealFactory.create, DealFactory.stub])
def test_a_misspelt_override_is_refused_in_factory_boys_own_calls(make: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match=r"^unknown field 'stagge' in DealFactory; did you mean 'stage'\?"):
        make(stagge="won")


@pytest.mark.parametrize("name", ["Tier__c", "amount__max_value", "_private"])
def test_names_that_are_no_fields_are_refused(name: str) -> None:
    with pytest.raises(UnknownName, match=rf"^unknown field '{name}' in DealFactory"):
        DealFactory.generate(HERE, 1, overrides={name: 1})


def test_native_values_are_passed_through() -> None:
    made = DealFactory.generate(HERE, 2, overrides={"native": {"Tier__c": "gold", "dealtype": "newbusiness"}})
    assert made[1]["native"] == {"Tier__c": "gold", "dealtype": "newbusiness"}
    assert made[0]["native"] is not made[1]["native"]
    assert all("native" not in record for record in DealFactory.generate(HERE, 2))
    assert "native" not in DealFactory.fields()


def test_native_values_may_be_declarations_and_left_out() -> None:
    native = {
        "Tier__c": Pick(["gold", "silver"]),
        "Name__c": factory.LazyAttribute(lambda r: r.name),
        "X": UNSET,
    }
    made = DealFactory.generate(HERE, 20, overrides={"native": native})
    assert {record["native"]["Tier__c"] for record in made} == {"gold", "silver"}
    assert all(record["native"]["Name__c"] == record["name"] for record in made)
    assert all("X" not in record["native"] for record in made)
    same = DealFactory.generate(HERE, 20, overrides={"native": factory.Dict(native)})
    assert same == made

    class Tiered(DealFactory):
        class Params:
            tiered = factory.Trait(native=native)

    assert Tiered.generate(HERE, 20, overrides={"tiered": True}) == made
    assert all("native" not in record for record in Tiered.generate(HERE, 2))
    whole = DealFactory.generate(HERE, 1, overrides={"native": factory.LazyFunction(lambda: {"A__c": 1})})
    assert whole[0]["native"] == {"A__c": 1}


@pytest.mark.parametrize("value", ["Tier__c", 5, None, ["Tier__c"]])
def test_native_takes_a_dictionary(value: object) -> None:
    with pytest.raises(UsageError) as caught:
        DealFactory.generate(HERE, 1, overrides={"native": value})
    assert str(caught.value) == (
        f"DealFactory.native takes a dictionary of values by the portal's own names, not {value!r}."
    )


def test_a_default_can_be_left_out() -> None:
    assert "industry" not in CompanyFactory.generate(HERE, 1, overrides={"industry": UNSET})[0]


@pytest.mark.parametrize(
    ("count", "start", "text"), [(-1, 0, "count"), (True, 0, "count"), (1, -2, "start"), (1, 1.5, "start")]
)
def test_numbers_of_records_are_checked(count: Any, start: Any, text: str) -> None:
    with pytest.raises(
        UsageError, match=rf"^DealFactory\.generate\(\): {text} is a whole number from 0 on, not "
    ):
        DealFactory.generate(HERE, count, start=start)


def test_no_records_are_no_records() -> None:
    assert DealFactory.generate(HERE, 0) == []


# -- errors --------------------------------------------------------------------------------------
def test_a_declaration_that_raises_is_reported_with_factory_field_and_index() -> None:
    def fails(n: int) -> int:
        return 1 // (n - 2)

    with pytest.raises(UsageError) as caught:
        DealFactory.generate(HERE, 5, overrides={"amount": factory.Sequence(fails)})
    assert str(caught.value) == (
        "DealFactory.amount failed for the record of index 2: "
        "ZeroDivisionError: integer division or modulo by zero."
    )
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_field_that_raised_is_named_not_the_one_that_asked_for_it() -> None:
    class Broken(DealFactory):
        name = factory.LazyAttribute(lambda record: record.amount)
        amount = factory.LazyFunction(lambda: {}["missing"])

    with pytest.raises(UsageError) as caught:
        Broken.generate(HERE, 1)
    assert str(caught.value) == "Broken.amount failed for the record of index 0: KeyError: 'missing'."


def test_a_misspelt_field_in_a_function_is_suggested() -> None:
    with pytest.raises(UsageError) as caught:
        DealFactory.generate(
            HERE, 1, overrides={"name": factory.LazyAttribute(lambda record: record.ammount)}
        )
    assert str(caught.value) == (
        "DealFactory.name failed for the record of index 0: "
        "AttributeError: the record has no field 'ammount'; did you mean 'amount'?"
    )


def test_an_error_without_text_and_one_with_much_are_reported_in_one_line_each() -> None:
    def fails(text: str) -> Callable[[], None]:
        def function() -> None:
            raise ValueError(text) if text else ValueError

        return function

    with pytest.raises(
        UsageError, match=r"^DealFactory\.name failed for the record of index 0: ValueError\.$"
    ):
        DealFactory.generate(HERE, 1, overrides={"name": factory.LazyFunction(fails(""))})
    with pytest.raises(UsageError, match=r": ValueError: x{300}…$"):
        DealFactory.generate(HERE, 1, overrides={"name": factory.LazyFunction(fails("x" * 5000))})


def test_an_unknown_faker_generator_is_reported() -> None:
    with pytest.raises(
        UsageError, match=r"^DealFactory\.name failed for the record of index 0: AttributeError: .*nme"
    ):
        DealFactory.generate(HERE, 1, overrides={"name": factory.Faker("nme")})


def test_a_hook_after_generation_works_and_is_reported_too() -> None:
    class Hooked(DealFactory):
        @factory.post_generation
        def label(record: dict[str, Any], create: bool, extracted: str | None, **kwargs: Any) -> None:
            if extracted == "bad":
                raise ValueError("a bad label")
            record["description"] = f"{extracted or 'plain'} {record['stage']}"

    assert Hooked.generate(HERE, 1, overrides={"stage": "new"})[0]["description"] == "plain new"
    assert Hooked(stage="new", label="fine")["description"] == "fine new"
    text = r"^Hooked\.label failed for the record of index 4: ValueError: a bad label\.$"
    with pytest.raises(UsageError, match=text):
        Hooked.generate(HERE, 1, start=4, overrides={"label": "bad"})


def test_errors_of_ones_own_pass_as_they_are() -> None:
    def fails() -> None:
        raise UsageError("set THING first.")

    with pytest.raises(UsageError, match=r"^set THING first\.$"):
        DealFactory.generate(HERE, 1, overrides={"name": factory.LazyFunction(fails)})


# -- classes -------------------------------------------------------------------------------------
class RenewalFactory(DealFactory):
    name = factory.Sequence(lambda n: f"Renewal {n}")
    contact_name = factory.Faker("name")
    label = factory.LazyAttribute(lambda record: f"{record.name}/{record.weeks}/{record.contact_name}")
    amount = IntegerBetween(1, 1000)

    class Params:
        weeks = 6
        lapsed = factory.Trait(stage="closed_lost", amount=0, note=factory.Faker("word"))


def test_a_subclass_inherits_overrides_and_adds() -> None:
    made = RenewalFactory.generate(HERE, 4)
    assert RenewalFactory.generate(HERE, 2, start=2) == made[2:]
    assert made[2]["name"] == "Renewal 2"
    assert made[2]["label"] == f"Renewal 2/6/{made[2]['contact_name']}"
    assert made[2]["close_date"] == DealFactory.generate(HERE, 3)[2]["close_date"]
    assert made[2].keys().isdisjoint({"weeks", "lapsed", "won", "note"})
    lapsed = RenewalFactory.generate(HERE, 4, overrides={"lapsed": True, "weeks": 9})
    assert [(record["stage"], record["amount"]) for record in lapsed] == [("closed_lost", 0)] * 4
    assert lapsed[1]["label"].startswith("Renewal 1/9/")
    assert len({record["note"] for record in lapsed}) > 1
    # Neither the trait nor the parameter reaches the parent class.
    assert "lapsed" not in DealFactory.fields()
    assert RenewalFactory.fields() == DealFactory.fields() | {
        "contact_name",
        "label",
        "weeks",
        "lapsed",
        "note",
    }
    assert RenewalFactory.record_fields() == RenewalFactory.fields() - {
        "weeks",
        "lapsed",
        "won",
        "lost",
        "open",
    }


def test_a_class_from_scratch() -> None:
    class ShipFactory(CRMFactory):
        class Meta:
            object_type = "2-123"
            exclude = ("hidden",)
            rename = {"kind": "type"}  # noqa: RUF012

        hidden = IntegerBetween(1, 5)
        kind = Pick(["brig"])
        masts = factory.LazyAttribute(lambda record: record.hidden)

    record = ShipFactory.generate(HERE, 1)[0]
    assert record == {"type": "brig", "masts": record["masts"]}
    assert ShipFactory.record_fields() == {"type", "masts"}


def test_a_class_must_say_what_it_makes() -> None:
    with pytest.raises(UsageError) as caught:

        class Nothing(CRMFactory):
            name = "x"

    assert str(caught.value) == (
        "Nothing does not say what it makes. "
        'Add `class Meta: object_type = "deals"`, or derive it from a factory that has one.'
    )


def test_an_abstract_class_makes_nothing() -> None:
    with pytest.raises(
        UsageError, match=r"^CRMFactory is abstract and makes no records\. Use a class derived from it\.$"
    ):
        CRMFactory.generate(HERE, 1)
    with pytest.raises(factory.errors.FactoryError, match="abstract factory CRMFactory"):
        CRMFactory()


def test_names_with_two_underscores_are_refused_in_a_class() -> None:
    text = (
        r"^'Tier__c' in Bad: a field's name has no two underscores in it\. "
        r"Names of the portal's own go into native=\{…\}\.$"
    )
    with pytest.raises(UsageError, match=text):

        class Bad(DealFactory):
            Tier__c = "gold"

    with pytest.raises(UsageError, match=text):

        class Bad(DealFactory):  # type: ignore[no-redef]
            class Params:
                Tier__c = "gold"

    with pytest.raises(UsageError, match=text):

        class Bad(DealFactory):  # type: ignore[no-redef]
            class Params:
                gold = factory.Trait(Tier__c="gold")


@pytest.mark.parametrize(
    ("declaration", "kind", "remedy"),
    [
        (
            factory.SubFactory(CompanyFactory),
            "SubFactory",
            'companies=count(3); they are dealt out in turn, and company=ref("companies", 0) picks one.',
        ),
        (
            factory.SubFactory(ContactFactory, city="Berlin", job_title="Buyer"),
            "SubFactory",
            "contacts=count(3, city='Berlin', job_title='Buyer'); they are dealt out in turn, and "
            'company=ref("contacts", 0) picks one.',
        ),
        (
            factory.SubFactory(ContactFactory, city="x" * 400),
            "SubFactory",
            'contacts=count(3, …); they are dealt out in turn, and company=ref("contacts", 0) picks one.',
        ),
        (
            factory.SubFactory("nowhere.CompanyFactory"),
            "SubFactory",
            'companies=count(3); they are dealt out in turn, and company=ref("companies", 0) picks one.',
        ),
        (
            factory.RelatedFactory(CompanyFactory),
            "RelatedFactory",
            "companies=count(3); link them by ref().",
        ),
        (
            factory.RelatedFactoryList(CompanyFactory),
            "RelatedFactoryList",
            "companies=count(3); link them by ref().",
        ),
        (
            factory.Maybe("won", factory.SubFactory(CompanyFactory)),
            "SubFactory",
            'companies=count(3); they are dealt out in turn, and company=ref("companies", 0) picks one.',
        ),
    ],
)
def test_a_factory_makes_no_other_records(declaration: Any, kind: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        type(DealFactory)("Nested", (DealFactory,), {"company": declaration, "__module__": __name__})
    assert str(caught.value) == (
        f"Nested.company is a {kind}, and a factory makes the values of one record. "
        f"Ask for records that belong to it in the marker: {remedy}"
    )


# -- as any factory of factory_boy ---------------------------------------------------------------
def test_it_works_as_any_factory_of_factory_boy() -> None:
    class Fresh(DealFactory):
        class Meta:
            object_type = "fresh_deals"

        number = factory.Sequence(lambda n: n)

    standard = Generation()
    assert Fresh() == Fresh.generate(standard, 1)[0]
    assert Fresh.build(stage="new")["number"] == 1
    assert [record["number"] for record in Fresh.build_batch(3, won=True)] == [2, 3, 4]
    assert Fresh.create_batch(2) == Fresh.generate(standard, 2, start=5)
    assert Fresh.stub().number == 7
    assert Fresh.simple_generate(True)["number"] == 8
    assert Fresh.simple_generate_batch(False, 2)[1]["number"] == 10
    assert Fresh.generate_batch("build", 1)[0]["number"] == 11
    assert Fresh(__sequence=3) == Fresh.generate(standard, 1, start=3)[0]
    Fresh.reset_sequence(100)
    assert Fresh()["number"] == 100


def test_factories_count_by_object_type() -> None:
    class Ship(CRMFactory):
        class Meta:
            object_type = "ships"

        number = factory.Sequence(lambda n: n)

    class Brig(Ship):
        pass

    class Boat(CRMFactory):
        class Meta:
            object_type = "boats"

        number = factory.Sequence(lambda n: n)

    assert [Ship()["number"], Brig()["number"], Boat()["number"], Ship()["number"]] == [0, 1, 0, 2]


def test_company_stands_alone() -> None:
    assert CompanyFactory(name="Acme")["domain"].startswith("acme-")
    assert type(CompanyFactory()) is dict


def test_the_default_factories_are_a_dictionary_of_ones_own() -> None:
    mine = default_factories()
    assert list(mine) == [
        "companies",
        "contacts",
        "leads",
        "deals",
        "tickets",
        "products",
        "line_items",
        "orders",
        "notes",
        "tasks",
        "calls",
        "meetings",
    ]
    assert all(name == made._meta.object_type for name, made in mine.items())
    assert mine["deals"] is DealFactory
    mine.clear()
    assert default_factories()
