"""Values by a field's definition: of its kind, within its bounds, unique where it says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories import Generation
from pytest_crmseed.factories.base import CRMFactory
from pytest_crmseed.factories.custom import can_be_declared, factory_for, filling
from pytest_crmseed.factories.fill import fill
from pytest_crmseed.factories.streams import Scope
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Option, Pipeline, Stage

HERE = Generation(random_seed=3, node="n", unique_tag="k3x9")
OPTIONS = (Option("a", "A"), Option("b", "B"), Option("c", "C", hidden=True), Option("d", "D"))
PIPELINES = (
    Pipeline(
        "p1", "One", (Stage("s1", "New", 0), Stage("s2", "Work", 1), Stage("s3", "Done", 2, closed=True))
    ),
    Pipeline("p2", "Two", (Stage("t1", "Start", 0), Stage("t2", "End", 1, closed=True))),
)


def an_object(*fields: Field, **more: Any) -> ObjectType:
    return ObjectType("p1_cars", "Car", "Cars", {field.name: field for field in fields}, **more)


def values(field: Field, count: int = 40, generation: Generation = HERE) -> list[Any]:
    made = filling(an_object(field, pipelines=PIPELINES), [field.name])
    return [record[field.name] for record in made.generate(generation, count)]


def refusal(field: Field, count: int = 1) -> str:
    with pytest.raises(UsageError) as caught:
        values(field, count)
    return str(caught.value)


texts = st.builds(
    lambda kind, least, more, unique, pattern: Field(
        "tier",
        "Tier",
        kind,
        unique=unique,
        min_length=least or None,
        max_length=None if more is None else least + more,
        pattern=pattern,
    ),
    st.sampled_from([Kind.STRING, Kind.TEXT]),
    st.integers(0, 200),
    st.one_of(st.none(), st.integers(4, 100)),
    st.booleans(),
    st.sampled_from(["", "", r"[A-Z]{3}-\d+", ".+", r"^\w{2,}$", "(ab|cd)*"]),
)
bounds = st.one_of(st.none(), st.integers(-500, 500).map(str), st.decimals(-50, 50, places=2).map(str))
numbers = st.builds(
    lambda kind, low, high, unique: Field("rank", "Rank", kind, unique=unique, minimum=low, maximum=high),
    st.sampled_from([Kind.INTEGER, Kind.DECIMAL]),
    bounds,
    bounds,
    st.booleans(),
)


@settings(max_examples=150)
@given(texts, st.sampled_from(["", "k3x9", "x" * 40]))
def test_texts_have_the_length_and_pattern_of_their_field(field: Field, tag: str) -> None:
    try:
        made = values(field, generation=Generation(unique_tag=tag))
    except UsageError as error:
        assert str(error).startswith("no value can be made up for p1_cars.tier: ")
        return
    for text in made:
        assert text == text.strip() or field.pattern
        assert max(1, field.min_length or 0) <= len(text)
        assert field.max_length is None or len(text) <= field.max_length
        assert not field.pattern or re.fullmatch(field.pattern, text)
    assert not field.unique or len({text.casefold() for text in made}) == len(made)


def test_texts_of_usual_fields_are_never_refused() -> None:
    for most in (None, 4, 10, 23, 24, 65536):
        for unique in (True, False):
            field = Field("tier", "Tier", Kind.STRING, unique=unique, max_length=most)
            assert len(values(field, 300)) == 300


@pytest.mark.parametrize("most", range(1, 64))
@pytest.mark.parametrize("tag", ["", "k3x9abcd", "x" * 40])
def test_unique_texts_of_any_length_fit(most: int, tag: str) -> None:
    made = values(
        Field("plate", "P", Kind.STRING, unique=True, max_length=most), 30, Generation(unique_tag=tag)
    )
    assert len(set(made)) == 30
    assert all(0 < len(text) <= most for text in made)


def test_unique_texts_carry_the_tag() -> None:
    field = Field("plate", "Plate", Kind.STRING, unique=True)
    assert values(field, 2) == ["plate-0-k3x9", "plate-1-k3x9"]
    assert values(field, 2, Generation()) == ["plate-0", "plate-1"]
    short = Field("plate", "Plate", Kind.STRING, unique=True, max_length=8)
    assert set(values(short)).isdisjoint(values(short, generation=Generation(unique_tag="other")))


@settings(max_examples=150)
@given(numbers)
def test_numbers_are_within_their_bounds(field: Field) -> None:
    try:
        made = values(field, 5)
    except UsageError as error:
        assert re.match("no value can be made up for p1_cars.rank: (there is no|it is unique)", str(error))
        return
    for number in made:
        assert field.minimum is None or number >= Decimal(field.minimum)
        assert field.maximum is None or number <= Decimal(field.maximum)
        assert type(number) is int or field.kind is Kind.DECIMAL
    assert not field.unique or len(set(made)) == len(made)


def test_options_are_visible_ones() -> None:
    assert set(values(Field("x", "X", Kind.OPTION, options=OPTIONS))) == {"a", "b", "d"}
    several = values(Field("x", "X", Kind.OPTIONS, options=OPTIONS), 200)
    assert {len(chosen) for chosen in several} == {1, 2, 3}
    assert all(chosen == tuple(sorted(set(chosen))) and "c" not in chosen for chosen in several)


def test_other_kinds() -> None:
    assert set(values(Field("x", "X", Kind.BOOLEAN))) == {True, False}
    assert all(type(day) is date for day in values(Field("x", "X", Kind.DATE)))
    assert all(
        type(moment) is datetime and moment.tzinfo is UTC for moment in values(Field("x", "X", Kind.DATETIME))
    )
    assert all(lasts > timedelta() for lasts in values(Field("x", "X", Kind.DURATION)))
    assert all(" 555 01" in number for number in values(Field("x", "X", Kind.PHONE)))
    assert values(Field("mail", "X", Kind.EMAIL, unique=True), 1) == ["mail0@k3x9.example.com"]
    assert values(Field("mail", "X", Kind.EMAIL), 1) == ["mail0@example.com"]
    assert values(Field("page", "X", Kind.URL), 1) == ["https://www.example.com/page/0"]


def test_the_name_of_a_record_says_what_it_is() -> None:
    field = Field("title", "Title", Kind.STRING, required=True)
    made = factory_for(an_object(field, display_field="title", singular="Car"))
    assert [record["title"] for record in made.generate(HERE, 2)] == ["Car 1", "Car 2"]


def test_pipelines_and_stages_agree() -> None:
    pipeline = Field("hs_pipeline", "P", Kind.OPTION, external="pipelines", required=True)
    stage = Field("hs_pipeline_stage", "S", Kind.OPTION, external="stages", required=True)
    made = factory_for(an_object(pipeline, stage, pipelines=PIPELINES))
    records = made.generate(HERE, 40)
    assert {record["hs_pipeline"] for record in records} == {"p1"}
    assert {record["hs_pipeline_stage"] for record in records} == {"s1", "s2"}
    other = made.generate(HERE, 5, overrides={"hs_pipeline": "p2"})
    assert {record["hs_pipeline_stage"] for record in other} == {"t1"}
    assert set(values(stage)) == {"s1", "s2"}


def test_owners_are_those_that_were_found() -> None:
    found = Field("owner", "O", Kind.OPTION, external="owners", options=(Option("7", "Ann"),))
    assert set(values(found)) == {"7"}


@pytest.mark.parametrize(
    ("field", "why"),
    [
        (
            Field("owner", "O", Kind.OPTION, external="owners"),
            "the schema has none of the owners to choose from",
        ),
        (Field("owner", "O", Kind.OPTION), "the schema has no options for it"),
        (Field("owner", "O", Kind.REFERENCE), "it holds a value of kind reference"),
        (Field("owner", "O", Kind.OTHER), "it holds a value of kind other"),
        (Field("owner", "O", Kind.BOOLEAN, unique=True), "it is a unique boolean"),
        (
            Field("owner", "O", Kind.PHONE, unique=True),
            "it is a unique phone number, and few are kept for fiction",
        ),
        (
            Field("owner", "O", Kind.STRING, pattern=r"(?!x)\w"),
            r"its pattern is (?!x)\w, and the group (?!x…) is not known here",
        ),
        (
            Field("owner", "O", Kind.EMAIL, max_length=8),
            "'owner0@example.com' has not the length it takes",
        ),
        (
            Field("owner", "O", Kind.EMAIL, pattern=r".*@acme\.com"),
            r"'owner0@example.com' does not match its pattern .*@acme\.com",
        ),
        (
            Field("owner", "O", Kind.INTEGER, minimum="1.2", maximum="1.8"),
            "there is no whole number from 1.2 to 1.8",
        ),
    ],
)
def test_what_cannot_be_made_up_is_refused(field: Field, why: str) -> None:
    assert refusal(field) == (
        f"no value can be made up for p1_cars.owner: {why}. "
        "Give one, as in count(n, native={'owner': …}), or use a factory that has it."
    )


def test_unique_values_run_out() -> None:
    assert len(set(values(Field("x", "X", Kind.INTEGER, unique=True, minimum="1", maximum="5"), 5))) == 5
    text = refusal(Field("x", "X", Kind.INTEGER, unique=True, minimum="1", maximum="5"), 6)
    assert text.startswith("no value can be made up for p1_cars.x: it is unique, and has only 5 values.")


def test_a_refused_field_can_be_given() -> None:
    made = factory_for(an_object(Field("owner", "O", Kind.OTHER, required=True)))
    assert made.generate(HERE, 1, overrides={"owner": "x"}) == [{"owner": "x"}]


# -- factories by schema alone ---------------------------------------------------------------------
def test_a_factory_by_schema_has_what_is_required_and_what_people_defined() -> None:
    thing = an_object(
        Field("needed", "N", Kind.STRING, required=True),
        Field("ruled", "R", Kind.STRING, admin_required=True),
        Field("own", "O", Kind.INTEGER, custom=True),
        Field("stock", "S", Kind.STRING),
        Field("owner", "W", Kind.OPTION, custom=True, external="owners", options=OPTIONS),
        Field("odd", "D", Kind.STRING, custom=True, pattern="(?=x)x"),
        Field("set_by_portal", "P", Kind.STRING, required=True, read_only=True),
        Field("gone", "G", Kind.STRING, custom=True, archived=True),
        Field("crmseed_key", "K", Kind.STRING, custom=True, unique=True),
        Field("either", "E", Kind.OTHER),
        Field("or_this", "T", Kind.STRING),
        required_any=(("either", "or_this"),),
        singular="Sports Car",
    )
    made = factory_for(thing, name="cars", leave=["crmseed_key"])
    assert made.__name__ == "SportsCarFactory"
    assert made._meta.object_type == "cars"
    assert made.record_fields() == {"needed", "own", "or_this"}
    assert factory_for(thing, admin_rules=True).record_fields() > {"needed", "ruled"}
    assert made._meta.plan.by_column_alone


@pytest.mark.parametrize(
    "name",
    ["Tier__c", "fields", "generate", "build", "Meta", "_own", "2nd", "a-b", "class_", "tier"],
)
def test_names_that_are_no_attributes_stand_under_native(name: str) -> None:
    made = factory_for(an_object(Field(name, "X", Kind.STRING, required=True)))
    record = made.generate(HERE, 1)[0]
    assert (name in record) == can_be_declared(name) == (name in ("class_", "tier"))
    assert name in record or record["native"].keys() == {name}
    assert made.generate(HERE, 2)[1]


def test_a_field_draws_the_same_whatever_else_is_filled() -> None:
    fields = [Field(name, name, Kind.STRING, required=True) for name in ("one", "two", "three")]
    whole = filling(an_object(*fields), ["one", "two", "three"]).generate(HERE, 20)
    part = filling(an_object(*fields), ["two"]).generate(HERE, 20)
    assert [record["two"] for record in part] == [record["two"] for record in whole]


everything = st.one_of(
    texts,
    numbers,
    st.builds(
        lambda kind: Field("other", "Other", kind, options=OPTIONS),
        st.sampled_from([Kind.OPTION, Kind.OPTIONS, Kind.BOOLEAN, Kind.DATE, Kind.DATETIME, Kind.PHONE]),
    ),
)


@settings(max_examples=60)
@given(everything, st.integers(0, 2000), st.sampled_from(["", "k3"]))
def test_filled_batches_are_what_factory_boy_makes_by_row(field: Field, start: int, tag: str) -> None:
    made = filling(an_object(field), [field.name])
    about = Generation(unique_tag=tag)
    scope = Scope(about, made._meta.object_type, None)
    expected = _outcome(lambda: made._plan({}).records_by_row(scope, range(start, start + 6)))
    assert _outcome(lambda: made.generate(about, 6, start=start)) == expected


def _outcome(make: Callable[[], list[dict[str, Any]]]) -> object:
    try:
        return make()
    except UsageError as error:
        return str(error)


def test_a_declaration_may_be_used_in_a_class() -> None:
    field = Field("tier", "Tier", Kind.OPTION, options=OPTIONS)

    class CarFactory(CRMFactory):
        class Meta:
            object_type = "p1_cars"

        tier = fill(field, an_object(field))

    assert {record["tier"] for record in CarFactory.generate(HERE, 40)} == {"a", "b", "d"}
