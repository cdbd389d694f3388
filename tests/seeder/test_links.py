"""Link rules of a portal: the provider's, and what the schema tells of object types it does not list."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.ingest.cleaner import children_first
from pytest_crmseed.planning import LinkRule, count, make_plan
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.providers.odoo import Odoo
from pytest_crmseed.records import Record, ref
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Association, Field, Kind, ObjectType, Schema
from pytest_crmseed.schema.tables import Problem
from pytest_crmseed.seeder.linking import Linking
from pytest_crmseed.seeder.links import link_name, links_for
from pytest_crmseed.seeder.problems import Problems

BUNDLED = catalog.bundled("hubspot")


def with_custom(*objects: ObjectType) -> Schema:
    return replace(BUNDLED, object_types={**BUNDLED.object_types, **{each.name: each for each in objects}})


def custom(name: str, *to: str, fields: tuple[Field, ...] = ()) -> ObjectType:
    return ObjectType(
        name,
        name,
        name,
        {field.name: field for field in fields},
        associations=tuple(Association(each, 100 + n, "USER_DEFINED") for n, each in enumerate(to)),
        custom=True,
    )


def test_listed_object_types_keep_the_links_of_the_provider() -> None:
    links = links_for(HubSpot, with_custom(custom("cars", "contacts")))
    for name, rules in HubSpot.links.items():
        assert links[name] == rules


def test_associations_of_a_custom_object_are_links_by_the_words_of_the_neutral_ones() -> None:
    links = links_for(HubSpot, with_custom(custom("cars", "companies", "contacts", "tickets", "contacts")))
    assert links["cars"] == {
        "company": LinkRule("companies", many=True),
        "contacts": LinkRule("contacts", many=True),
        "tickets": LinkRule("tickets", many=True),
    }
    assert [link_name(name) for name in ("deals", "products", "cars")] == ["deal", "product", "cars"]


def test_an_object_type_that_is_not_in_the_schema_is_no_link() -> None:
    assert links_for(HubSpot, with_custom(custom("cars", "spaceships")))["cars"] == {}


def test_required_references_are_links_made_by_default() -> None:
    fields = (
        Field("maker", "Maker", Kind.REFERENCE, required=True, references=("0-2",)),
        Field("seller", "Seller", Kind.REFERENCE, required=True, references=("nowhere", "companies")),
        Field("driver", "Driver", Kind.REFERENCE, references=("contacts",)),
        Field("self", "Self", Kind.REFERENCE, required=True, read_only=True, references=("contacts",)),
    )
    links = links_for(HubSpot, with_custom(custom("cars", "companies", fields=fields)))
    assert links["cars"] == {
        "company": LinkRule("companies", made=True, home="maker"),
        "seller": LinkRule("companies", made=True, home="seller"),
    }


# -- plans with them -------------------------------------------------------------------------------
CIRCLE = links_for(HubSpot, with_custom(custom("cars", "trips", "cars", "contacts"), custom("trips", "cars")))


def test_custom_objects_are_linked_to_what_the_seed_has() -> None:
    plan = make_plan({"cars": count(4), "contacts": count(2)}, CIRCLE)
    step = plan.step("cars")
    assert step is not None
    assert [[(link.field, link.index) for link in links] for links in step.links] == [
        [("contacts", 0)],
        [("contacts", 1)],
        [("contacts", 0)],
        [("contacts", 1)],
    ]
    alone = make_plan({"cars": count(2)}, CIRCLE)
    assert alone.counts == {"cars": 2}


def test_custom_objects_that_refer_to_each_other_are_no_circle_until_asked_for() -> None:
    plan = make_plan({"cars": count(2), "trips": count(3)}, CIRCLE)
    assert all(links == () for step in plan.steps for links in step.links)
    one_way = make_plan({"cars": count(2, trips=ref("trips", 1)), "trips": count(3)}, CIRCLE)
    assert list(one_way.counts) == ["trips", "cars"]
    assert one_way.steps[1].links[0][0].index == 1
    with pytest.raises(UsageError, match=r"^links form a circle: cars → trips → cars\.$"):
        make_plan({"cars": count(2, trips=ref("trips", 0)), "trips": count(3, cars=ref("cars", 0))}, CIRCLE)


def test_a_link_to_its_own_object_type_takes_a_record_that_exists() -> None:
    with pytest.raises(UsageError) as caught:
        make_plan({"cars": count(2, cars=ref("cars", 0))}, CIRCLE)
    assert str(caught.value) == (
        "cars.cars refers to records that are made together with it, which cannot be linked yet; "
        "give a record that exists, for example one of crm_seeder."
    )
    plan = make_plan({"cars": count(1, cars=Record(object_type="cars", index=0, id="17"))}, CIRCLE)
    assert plan.steps[0].links[0][0].id == "17"


def test_an_id_in_the_field_that_holds_a_link_stands_for_the_link() -> None:
    plan = make_plan({"line_items": count(1, hs_product_id="17")}, links_for(HubSpot, BUNDLED))
    assert "products" not in plan.counts
    step = plan.step("line_items")
    assert step is not None
    assert step.overrides == {"hs_product_id": "17"}
    assert [link.field for link in step.links[0]] == ["deal"]


names = st.sampled_from(["cars", "trips", "fuel", "companies", "contacts", "line_items"])


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from(["cars", "trips", "fuel"]), st.lists(names, max_size=5), min_size=1),
    st.data(),
)
def test_no_schema_makes_a_circle_by_itself(associations: dict[str, list[str]], data: st.DataObject) -> None:
    schema = with_custom(*(custom(name, *to) for name, to in associations.items()))
    links = links_for(HubSpot, schema)
    wanted = data.draw(
        st.dictionaries(st.sampled_from([*associations, "contacts", "deals"]), st.integers(0, 3))
    )
    plan = make_plan({name: count(n) for name, n in wanted.items()}, links)
    made: set[str] = set()
    for step in plan.steps:
        made.add(step.object_type)
        assert {link.object_type for row in step.links for link in row} <= made
    assert sorted(children_first(plan.counts, links)) == sorted(plan.counts)


def test_a_field_that_nobody_gave_is_told_with_the_links_that_fill_it() -> None:
    translator = Translator(Odoo.legend, catalog.bundled("odoo"))
    linking = Linking(translator, Odoo.links, Problems())
    missing = Problem("notes", 0, "res_id", None, "is required on create", "res_id")
    assert str(linking.named(missing)) == (
        "notes[0].res_id: is required on create; a link (contacts, company, deal) gives it"
    )
    one = Problem("contacts", 0, "parent_id", None, "is required on create", "parent_id")
    assert linking.named(one).reason == "is required on create; the link company gives it"
    # What was given is wrong for another reason, and most fields are no link's.
    given = replace(missing, value="x")
    other = replace(missing, native="body")
    assert (linking.named(given), linking.named(other)) == (given, other)
