"""Records of a plan by the portal's schema: every object type passes it, what it requires is filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import factory
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError, ValidationFailed
from pytest_crmseed.factories import CRMFactory, DealFactory, Generation, default_factories
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.planning import count
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Association, Field, Kind, ObjectType, Option, Schema
from pytest_crmseed.seeder.links import links_for
from pytest_crmseed.seeder.prepare import Drafts, prepare
from pytest_crmseed.seeder.seeder import plan_counts

BUNDLED = catalog.bundled("hubspot")
TIERS = (Option("gold", "Gold"), Option("silver", "Silver"), Option("old", "Old", hidden=True))


def drafts(
    counts: Mapping[str, Any],
    schema: Schema = BUNDLED,
    *,
    factories: Mapping[str, type[CRMFactory]] | None = None,
    admin_rules: bool = False,
    **about: Any,
) -> Drafts:
    translator, links = Translator(HubSpot.legend, schema), links_for(HubSpot, schema)
    return prepare(
        plan_counts(counts, translator, links, limits=Limits()),
        translator,
        {**default_factories(), **(factories or {})},
        Generation(**{"random_seed": 1, "node": "n", "unique_tag": "k3", **about}),
        lambda object_type, index: f"{object_type}{index}",
        links=links,
        admin_rules=admin_rules,
    )


def with_fields(name: str, *fields: Field, **more: Any) -> Schema:
    known = BUNDLED.object_types[name]
    changed = replace(known, fields={**known.fields, **{field.name: field for field in fields}}, **more)
    return replace(BUNDLED, object_types={**BUNDLED.object_types, name: changed})


def with_object(made: ObjectType) -> Schema:
    return replace(BUNDLED, object_types={**BUNDLED.object_types, made.name: made})


# -- every object type -----------------------------------------------------------------------------
@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP"])
@pytest.mark.parametrize("name", sorted(BUNDLED.object_types))
def test_records_of_every_object_type_pass_the_schema(name: str, locale: str) -> None:
    made = drafts({name: 40}, locale=locale)
    assert len(made[Translator(HubSpot.legend, BUNDLED).canonical(name)]) == 40


# -- required fields that no factory has -----------------------------------------------------------
def test_required_custom_fields_are_filled() -> None:
    tier = Field("tier", "Tier", Kind.OPTION, options=TIERS, required=True, custom=True)
    made = drafts({"deals": 20}, with_fields("deals", tier))["deals"]
    assert {draft.values["tier"] for draft in made} == {"gold", "silver"}
    # What else the records hold is not touched by that.
    plain = drafts({"deals": 20})["deals"]
    assert [{**draft.values, "tier": ""} for draft in made] == [
        {**draft.values, "tier": ""} for draft in plain
    ]


def test_a_name_with_two_underscores_is_filled_and_overridden() -> None:
    tier = Field("p1__tier", "Tier", Kind.OPTION, options=TIERS, required=True, custom=True)
    schema = with_fields("deals", tier)
    assert {draft.values["p1__tier"] for draft in drafts({"deals": 20}, schema)["deals"]} == {
        "gold",
        "silver",
    }
    for by in ({"p1__tier": "old"}, {"Tier": "old"}, {"native": {"p1__tier": "old"}}):
        assert drafts({"deals": count(1, **by)}, schema)["deals"][0].values["p1__tier"] == "old"
    both = count(1, p1__tier="old", native={"dealtype": "newbusiness"})
    values = drafts({"deals": both}, schema)["deals"][0].values
    assert (values["p1__tier"], values["dealtype"]) == ("old", "newbusiness")


def test_what_administrators_made_required_is_filled_where_it_is_enforced() -> None:
    schema = with_fields("deals", Field("tier", "Tier", Kind.STRING, admin_required=True, custom=True))
    assert "tier" not in drafts({"deals": 1}, schema)["deals"][0].values
    assert drafts({"deals": 1}, schema, admin_rules=True)["deals"][0].values["tier"]


@pytest.mark.parametrize("given", [{"tier": None}, {"Tier": None}, {"native": {"tier": None}}])
def test_a_required_field_that_is_left_out_on_purpose_is_a_problem(given: dict[str, Any]) -> None:
    schema = with_fields("deals", Field("tier", "Tier", Kind.STRING, required=True, custom=True))
    with pytest.raises(ValidationFailed, match=r"deals\[0\]\.tier: is required on create"):
        drafts({"deals": count(1, **given)}, schema)


def test_a_field_that_cannot_be_filled_is_named() -> None:
    schema = with_fields("deals", Field("tier", "Tier", Kind.OTHER, required=True, custom=True))
    with pytest.raises(UsageError) as caught:
        drafts({"deals": 1}, schema)
    assert str(caught.value) == (
        "no value can be made up for deals.tier: it holds a value of kind other. "
        "Give one, as in count(n, native={'tier': …}), or use a factory that has it."
    )
    assert drafts({"deals": count(1, tier="x")}, schema)["deals"][0].values["tier"] == "x"


def test_a_factory_from_scratch_is_completed() -> None:
    class BareDeal(CRMFactory):
        class Meta:
            object_type = "deals"

        amount = 5

    class BareCompany(CRMFactory):
        class Meta:
            object_type = "companies"

        city = "Berlin"

    made = drafts({"deals": 2, "companies": 1}, factories={"deals": BareDeal, "companies": BareCompany})
    values = made["deals"][0].values
    assert values.keys() >= {"dealname", "dealstage", "pipeline", "amount"}
    assert values["dealstage"] not in ("closedwon", "closedlost")
    assert made["companies"][0].values.keys() == {"name", "city"}


def test_a_value_that_only_some_records_lack_is_filled_for_those() -> None:
    class Some(DealFactory):
        name = factory.Maybe("flag", "Named", None)

        class Params:
            flag = factory.Iterator([True, False])

        @classmethod
        def _adjust_kwargs(cls, **kwargs: Any) -> dict[str, Any]:
            return {field: value for field, value in kwargs.items() if value is not None}

    names = [draft.values["dealname"] for draft in drafts({"deals": 4}, factories={"deals": Some})["deals"]]
    assert names[::2] == ["Named", "Named"]
    assert "Named" not in names[1::2]


# -- custom objects --------------------------------------------------------------------------------
CARS = ObjectType(
    "p1_cars",
    "Car",
    "Cars",
    {
        field.name: field
        for field in (
            Field("model", "Model", Kind.STRING, required=True, custom=True),
            Field("plate", "Plate", Kind.STRING, unique=True, max_length=20, custom=True),
            Field("tier", "Tier", Kind.OPTION, options=TIERS, custom=True),
            Field("crmseed_key", "Key", Kind.STRING, unique=True, custom=True),
            Field("hs_object_id", "Id", Kind.DECIMAL, read_only=True),
        )
    },
    type_id="2-17",
    singular="Car",
    display_field="model",
    custom=True,
    associations=(Association("contacts", 40, "USER_DEFINED"),),
)


@pytest.mark.parametrize("name", ["p1_cars", "2-17", "Cars"])
def test_custom_objects_are_made_by_their_schema_alone(name: str) -> None:
    made = drafts({name: count(4, tier="gold"), "contacts": 2}, with_object(CARS))["p1_cars"]
    assert [draft.values["model"] for draft in made] == ["Car 1", "Car 2", "Car 3", "Car 4"]
    assert {draft.values["tier"] for draft in made} == {"gold"}
    assert len({draft.values["plate"] for draft in made}) == 4
    assert made[0].values.keys() == {"model", "plate", "tier"}
    assert [draft.links[0].index for draft in made] == [0, 1, 0, 1]


def test_a_factory_of_ones_own_makes_custom_objects() -> None:
    class CarFactory(CRMFactory):
        class Meta:
            object_type = "p1_cars"

        plate = factory.Sequence("CAR-{}".format)

    made = drafts({"p1_cars": 2}, with_object(CARS), factories={"p1_cars": CarFactory})["p1_cars"]
    assert [draft.values["plate"] for draft in made] == ["CAR-0", "CAR-1"]
    assert made[0].values.keys() == {"plate", "model"}


def test_a_required_reference_is_a_parent_and_no_missing_value() -> None:
    maker = Field("maker", "Maker", Kind.REFERENCE, required=True, references=("companies",), custom=True)
    schema = with_object(replace(CARS, fields={**CARS.fields, "maker": maker}))
    made = drafts({"p1_cars": 2}, schema)
    assert len(made["companies"]) == 1
    assert [link.field for link in made["p1_cars"][0].links] == ["company"]
    with pytest.raises(ValidationFailed, match=r"p1_cars\[0\]\.maker: is required on create"):
        drafts({"p1_cars": count(1, company=None)}, schema)


# -- factories under other names -------------------------------------------------------------------
class Renewal(DealFactory):
    name = "Renewal"


@pytest.mark.parametrize("name", ["deals", "Deals", "0-3"])
def test_a_factory_may_be_given_under_any_name_of_its_object_type(name: str) -> None:
    assert drafts({"deals": 1}, factories={name: Renewal})["deals"][0].values["dealname"] == "Renewal"


def test_a_factory_under_a_misspelt_name_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"^unknown object type 'compnies' in crm_factories\['compnies'\]; did you mean"
    ):
        drafts({"deals": 1}, factories={"compnies": Renewal})

    class Slip(CRMFactory):
        class Meta:
            object_type = "contcats"

    with pytest.raises(
        UsageError,
        match=r"^unknown object type 'contcats' in Slip\.Meta\.object_type; did you mean 'contacts'\?",
    ):
        drafts({"contacts": 1}, factories={"contacts": Slip})


def test_a_factory_of_another_object_type_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        drafts({"companies": 1}, factories={"companies": Renewal})
    assert str(caught.value) == (
        "crm_factories['companies'] is Renewal, which makes deals and not companies. "
        "Derive it from a factory of companies, or give it under 'deals'."
    )


def test_a_factory_for_another_portal_is_left_aside() -> None:
    class CarFactory(CRMFactory):
        class Meta:
            object_type = "2-17"

    assert drafts({"companies": 1}, factories={"2-17": CarFactory})
    with pytest.raises(UsageError, match=r"^unknown object type '2-17' in crm_factories"):
        drafts({"companies": 1}, replace(BUNDLED, complete=True), factories={"2-17": CarFactory})


def test_a_field_of_a_factory_that_the_portal_lacks_is_refused() -> None:
    class Slip(DealFactory):
        ammount = 5

    with pytest.raises(UsageError, match=r"^unknown field 'ammount' of deals; did you mean 'amount'\?"):
        drafts({"deals": 1}, factories={"deals": Slip})


def test_a_declaration_that_raises_is_named() -> None:
    class Brittle(DealFactory):
        amount = factory.Sequence(lambda n: 1 // (n - 1))

    with pytest.raises(
        UsageError, match=r"^Brittle\.amount failed for the record of index 1: ZeroDivisionError"
    ):
        drafts({"deals": 3}, factories={"deals": Brittle})


# -- random schemas --------------------------------------------------------------------------------
fields = st.builds(
    lambda kind, required, unique, length: Field(
        "x",
        "X",
        kind,
        options=TIERS if kind in (Kind.OPTION, Kind.OPTIONS) else (),
        required=required,
        unique=unique and kind in (Kind.STRING, Kind.DECIMAL),
        max_length=length if kind in (Kind.STRING, Kind.TEXT) else None,
        custom=True,
    ),
    st.sampled_from(
        [
            Kind.STRING,
            Kind.TEXT,
            Kind.PHONE,
            Kind.DECIMAL,
            Kind.BOOLEAN,
            Kind.DATE,
            Kind.DATETIME,
            Kind.OPTION,
            Kind.OPTIONS,
        ]
    ),
    st.booleans(),
    st.booleans(),
    st.one_of(st.none(), st.integers(3, 60)),
)


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(BUNDLED.object_types)),
    st.dictionaries(st.from_regex(r"[a-z][a-z_0-9]{0,8}", fullmatch=True), fields, max_size=5),
)
def test_records_pass_any_schema(name: str, extra: dict[str, Field]) -> None:
    known = BUNDLED.object_types[name].fields
    extra = {f"x_{key}": replace(field, name=f"x_{key}", label=f"X {key}") for key, field in extra.items()}
    schema = replace(with_fields(name, *extra.values()), complete=True, source="live")
    canonical = Translator(HubSpot.legend, schema).canonical(name)
    for draft in drafts({canonical: 12}, schema)[canonical]:
        assert {key for key, field in extra.items() if field.required} <= draft.values.keys()
        assert draft.values.keys() <= {*known, *extra}
