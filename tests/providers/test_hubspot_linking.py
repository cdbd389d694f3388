"""How records of HubSpot are linked: associations in the body of a create, or an id in a property."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.planning import Count, LinkRule, make_plan
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.records import Batch, Draft, Link
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.model import Association, Field, Kind, ObjectType, Schema

HUBSPOT = HubSpot(catalog.bundled("hubspot"))
PARENTS = ("companies", "contacts", "deals", "products", "quotes")
IDS = {(name, index): f"{number}{index}" for number, name in enumerate(PARENTS, 1) for index in range(3)}


def created(object_type: str, *links: Link, **values: Any) -> dict[str, Any]:
    """Return the input that creates one record."""
    draft = Draft(object_type, 0, "K", values, links)
    (entry,) = HUBSPOT.create(Batch(object_type, 1, 1, [draft]), IDS).body["inputs"]
    return dict(entry)


def types(object_type: str, *links: Link) -> list[tuple[str, list[int]]]:
    return [
        (entry["to"]["id"], [kind["associationTypeId"] for kind in entry["types"]])
        for entry in created(object_type, *links).get("associations", [])
    ]


COMPANY = Link("company", "companies", index=0)
CONTACT = Link("contacts", "contacts", index=0)
DEAL = Link("deal", "deals", index=0)
PRODUCT = Link("product", "products", index=0)


def test_a_line_item_holds_its_product_s_id_and_is_associated_with_its_deal() -> None:
    assert created("line_items", DEAL, PRODUCT, quantity="2") == {
        "objectWriteTraceId": "K",
        "properties": {"hs_product_id": "40", "quantity": "2", "crmseed_key": "K"},
        "associations": [
            {
                "to": {"id": "30"},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 20}],
            }
        ],
    }


def test_a_product_of_a_wider_scope_is_held_by_its_id() -> None:
    entry = created("line_items", Link("product", "products", id="123"))
    assert entry["properties"]["hs_product_id"] == "123"
    assert "associations" not in entry


def test_a_product_s_id_that_was_given_by_itself_goes_before_a_product_nobody_named() -> None:
    assert created("line_items", PRODUCT, hs_product_id="7")["properties"]["hs_product_id"] == "7"


@pytest.mark.parametrize(
    ("object_type", "links", "expected"),
    [
        ("contacts", [COMPANY], [("10", [279, 1])]),
        ("deals", [COMPANY, CONTACT], [("10", [341, 5]), ("20", [3])]),
        ("tickets", [COMPANY, CONTACT], [("10", [339, 26]), ("20", [16])]),
        ("leads", [COMPANY, CONTACT], [("10", [610, 580]), ("20", [608, 578])]),
        ("orders", [COMPANY], [("10", [934, 509])]),
        ("notes", [COMPANY, CONTACT, DEAL], [("10", [190]), ("20", [202]), ("30", [214])]),
        ("tasks", [COMPANY, CONTACT, DEAL], [("10", [192]), ("20", [204]), ("30", [216])]),
        ("calls", [COMPANY, CONTACT, DEAL], [("10", [182]), ("20", [194]), ("30", [206])]),
        ("meetings", [COMPANY, CONTACT, DEAL], [("10", [188]), ("20", [200]), ("30", [212])]),
        ("emails", [COMPANY, CONTACT, DEAL], [("10", [186]), ("20", [198]), ("30", [210])]),
        ("quotes", [COMPANY, CONTACT, DEAL], [("10", [71]), ("20", [69]), ("30", [64])]),
    ],
)
def test_the_type_ids(object_type: str, links: list[Link], expected: list[tuple[str, list[int]]]) -> None:
    assert types(object_type, *links) == expected


def test_the_first_contact_of_a_lead_is_the_main_one() -> None:
    second = Link("contacts", "contacts", index=1)
    assert types("leads", second, CONTACT) == [("21", [608, 578]), ("20", [608])]


def test_a_pair_without_an_association_type_is_refused_before_anything_is_sent() -> None:
    draft = Draft("products", 4, "K", {}, (Link("deal", "deals", index=0),))
    with pytest.raises(UsageError) as refused:
        HUBSPOT.size(draft)
    assert str(refused.value) == (
        "products[4].deal cannot be set: the bundled schema has no association type from products to deals."
    )


def test_a_custom_object_that_refers_to_records_by_required_properties() -> None:
    def reference(name: str, to: str) -> Field:
        return Field(name, name, Kind.REFERENCE, required=True, references=(to,))

    fields = [reference("owner_company", "companies"), reference("payer", "companies")]
    pets = ObjectType(
        "p1_pets",
        "Pet",
        "Pets",
        {field.name: field for field in fields},
        associations=(Association("contacts", 77, "USER_DEFINED"),),
    )
    provider = HubSpot(Schema("hubspot", {**HUBSPOT.schema.object_types, "p1_pets": pets}))
    payer = Link("payer", "companies", index=1)
    draft = Draft("p1_pets", 0, "K", {}, (COMPANY, payer, CONTACT))
    (entry,) = provider.create(Batch("p1_pets", 1, 1, [draft]), IDS).body["inputs"]
    assert entry["properties"] == {"owner_company": "10", "payer": "11", "crmseed_key": "K"}
    assert [(each["to"]["id"], each["types"]) for each in entry["associations"]] == [
        ("20", [{"associationCategory": "USER_DEFINED", "associationTypeId": 77}])
    ]


def test_the_link_fields_beyond_the_neutral_ones() -> None:
    assert HUBSPOT.links["line_items"]["product"] == LinkRule("products", made=True, home="hs_product_id")
    assert HUBSPOT.links["leads"]["contacts"] == LinkRule("contacts", made=True, many=True, of="company")


@pytest.mark.parametrize(
    ("object_type", "made"),
    [
        ("leads", {"contacts": 1, "leads": 2}),
        ("tickets", {"contacts": 1, "tickets": 2}),
        ("line_items", {"companies": 1, "contacts": 1, "deals": 1, "products": 1, "line_items": 2}),
        ("orders", {"companies": 1, "orders": 2}),
        ("products", {"products": 2}),
        ("quotes", {"quotes": 2}),
        ("emails", {"contacts": 1, "emails": 2}),
        ("notes", {"contacts": 1, "notes": 2}),
    ],
)
def test_the_parents_made_by_default(object_type: str, made: dict[str, int]) -> None:
    plan = make_plan({object_type: Count(2)}, HUBSPOT.links)
    assert plan.counts == made


def some_links(object_type: str) -> st.SearchStrategy[tuple[str, list[Link]]]:
    rules = HUBSPOT.links[object_type]
    one = st.builds(
        lambda field, index, by_id: (
            Link(field, rules[field].object_type, id=f"9{index}")
            if by_id
            else Link(field, rules[field].object_type, index=index)
        ),
        st.sampled_from(sorted(rules)),
        st.integers(0, 2),
        st.booleans(),
    )
    return st.tuples(st.just(object_type), st.lists(one, max_size=6))


@given(st.sampled_from(sorted(name for name, rules in HUBSPOT.links.items() if rules)).flatmap(some_links))
def test_every_link_is_written_once_and_one_of_a_kind_is_primary(linked: tuple[str, list[Link]]) -> None:
    object_type, of_type = linked
    rules = HUBSPOT.links[object_type]
    entry = created(object_type, *of_type)
    schema_type = HUBSPOT.schema.object_types[object_type]
    primaries = {each.type_id: each.to for each in schema_type.associations if each.primary}
    found = [
        (each["to"]["id"], kind["associationTypeId"])
        for each in entry.get("associations", [])
        for kind in each["types"]
    ]
    assert len(set(found)) == len(found)
    chosen = [primaries[type_id] for _, type_id in found if type_id in primaries]
    assert len(set(chosen)) == len(chosen)
    for link in of_type:
        record_id = link.id or IDS[(link.object_type, link.index or 0)]
        home = rules[link.field].home
        if home:
            assert home in entry["properties"]
        else:
            unlabelled = schema_type.association(link.object_type)
            assert unlabelled is not None
            assert (record_id, unlabelled.type_id) in found
