"""All that is wrong with a plan is told at once, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from pytest_crmseed.errors import UnknownName, UsageError, ValidationFailed
from pytest_crmseed.factories import Generation, default_factories
from pytest_crmseed.planning import Count, LinkRule, count, make_plan
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.providers.hubspot.legend import LEGEND
from pytest_crmseed.records import Draft, ref
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Association, Field, Kind, ObjectType, Option, Schema
from pytest_crmseed.seeder.prepare import prepare
from pytest_crmseed.seeder.unchecked import unchecked

BUNDLED = catalog.bundled("hubspot")
GENERATION = Generation(
    random_seed=1,
    base_date=date(2026, 11, 1),
    node="test",
    unique_tag="t",
    locale="en_US",
    email_domain="example.com",
)
CONTACT_FIELDS = {
    *Translator(LEGEND, BUNDLED).neutral_fields("contacts"),
    *BUNDLED.object_types["contacts"].fields,
}
LABELS = (
    Association("contacts", 71, "USER_DEFINED", label="Decision Maker"),
    Association("contacts", 72, "USER_DEFINED", label="Champion"),
)


def portal(*, fields: Mapping[str, tuple[Field, ...]] | None = None, labels: bool = False) -> Schema:
    """Return the schema of a portal: the stock one, with these fields and labels beside."""
    types = dict(BUNDLED.object_types)
    for name, more in (fields or {}).items():
        types[name] = replace(types[name], fields={**types[name].fields, **{f.name: f for f in more}})
    if labels:
        types["deals"] = replace(types["deals"], associations=(*types["deals"].associations, *LABELS))
    return replace(BUNDLED, object_types=types, source="live", complete=True)


def drafts(schema: Schema, *, admin_rules: bool = False, **counts: Count) -> dict[str, list[Draft]]:
    return prepare(
        make_plan(counts, HubSpot.links),
        Translator(LEGEND, schema),
        default_factories(),
        GENERATION,
        lambda object_type, index: f"{object_type}-{index}",
        links=HubSpot.links,
        admin_rules=admin_rules,
    )


def test_names_values_labels_and_what_is_missing_in_one_report() -> None:
    tier = Field("tier", "Tier", Kind.OPTION, (Option("gold", "Gold"),), required=True, custom=True)
    rank = Field("rank", "Rank", Kind.DECIMAL, minimum="1", maximum="9", custom=True)
    score = Field("score", "Score", Kind.DECIMAL, calculated=True, read_only=True, custom=True)
    code = Field("code", "Code", Kind.STRING, pattern=r"[A-Z]{2}\d", min_length=3, custom=True)
    with pytest.raises(ValidationFailed) as failed:
        drafts(
            portal(fields={"deals": (tier, rank, score, code)}, labels=True),
            contacts=count(1, email="a@b", jobtitel="Chief"),
            deals=count(
                2,
                native={"rank": 10, "score": 1, "code": "ab", "tier": None, "ranks": 1},
                tier="silver",
                close_date=1_774_947_600,
                probability=1,
                contacts=ref("contacts", 0, label="decision makr"),
            ),
        )
    assert str(failed.value).splitlines() == [
        "11 values cannot be sent; nothing was written.",
        "  contacts.jobtitel = 'Chief': no such field; did you mean 'job_title'? Valid: first_name, last_name"
        ", email, phone, mobile_phone, job_title, street, lifecycle_stage, city, state, postal_code, country "
        f"and {len(CONTACT_FIELDS) - 12} more",
        "  contacts[0].email = 'a@b': is no e-mail address: the domain 'b' has no ending as .com",
        "  deals.contacts = 'decision makr': no such association label; did you mean 'Decision Maker'? Valid"
        ": Decision Maker, Champion",
        "  deals.probability = 1: cannot be set: HubSpot computes a deal's probability from its stage; set "
        "stage instead (each stage of the pipeline has a probability)",
        "  deals[0].score = 1: is calculated by the portal from other values; it cannot be set (and 1 more "
        "record)",
        "  deals[0].tier = 'silver': is not one of the options. Allowed: gold (and 1 more record)",
        "  deals[0].close_date (closedate) = 1774947600: looks like seconds since 1970, and numbers count "
        "milliseconds. If 2026-03-31 is meant, give that as text (and 1 more record)",
        "  deals[0].rank = '10': is more than the largest allowed, 9 (and 1 more record)",
        "  deals[0].code = 'ab': has 2 characters; at least 3 are needed (and 1 more record)",
        "  deals[0].code = 'ab': does not match the pattern [A-Z]{2}\\d (and 1 more record)",
        "  deals[0].ranks = '1': the portal has no such field; did you mean 'rank'? Valid: "
        + ", ".join(list(BUNDLED.object_types["deals"].fields)[:12])
        + f" and {len(BUNDLED.object_types['deals'].fields) - 8} more (and 1 more record)",
    ]


def test_one_wrong_name_alone_is_the_error_it_is() -> None:
    with pytest.raises(UnknownName) as unknown:
        drafts(BUNDLED, deals=count(2, amout=1))
    assert str(unknown.value).startswith("unknown field 'amout' of deals; did you mean 'amount'? Valid: ")


def test_every_problem_has_its_parts_apart() -> None:
    with pytest.raises(ValidationFailed) as failed:
        drafts(portal(), companies=count(1, industry="BANKNG", employees="many"))
    first, second = failed.value.problems
    assert (first.object_type, first.index, first.field, first.native, first.value) == (  # type: ignore[attr-defined]
        "companies",
        0,
        "industry",
        "industry",
        "BANKNG",
    )
    assert first.suggestion == "BANKING" and "BANKING" in first.allowed  # type: ignore[attr-defined]
    assert (second.field, second.native) == ("employees", "numberofemployees")  # type: ignore[attr-defined]


def test_what_administrators_require_counts_where_the_api_obeys_it() -> None:
    tier = Field("tier", "Tier", Kind.STRING, admin_required=True, custom=True)
    schema = portal(fields={"companies": (tier,)})
    drafts(schema, companies=count(1, native={"tier": None}))
    with pytest.raises(ValidationFailed, match=r"companies\[0\]\.tier: is required on create$"):
        drafts(schema, admin_rules=True, companies=count(1, tier=None))


def test_additional_addresses_of_contacts_are_as_unique_as_the_first() -> None:
    more = Field("hs_additional_emails", "More", Kind.OPTIONS)
    schema = portal(fields={"contacts": (more,)})
    with pytest.raises(ValidationFailed) as failed:
        drafts(
            schema,
            contacts=count(2, native={"hs_additional_emails": "one@example.com;two@example.com"}),
        )
    assert "must be unique, and contacts[0] has the same value" in str(failed.value)


@pytest.mark.parametrize("label", ["Decision Maker", "decision maker", "decision_maker", "DecisionMaker"])
def test_a_label_as_people_see_it_or_as_a_name(label: str) -> None:
    made = drafts(
        portal(labels=True),
        contacts=Count(1, {}),
        deals=count(2, contacts=[ref("contacts", 0, label=label)]),
    )
    assert {link.label for deal in made["deals"] for link in deal.links if link.field == "contacts"} == {
        "Decision Maker"
    }


def test_object_types_that_cannot_be_linked_are_refused() -> None:
    deals = BUNDLED.object_types["deals"]
    apart = replace(deals, associations=tuple(a for a in deals.associations if a.to != "contacts"))
    types = {**BUNDLED.object_types, "deals": apart}
    with pytest.raises(UsageError) as wrong:
        drafts(replace(BUNDLED, object_types=types, complete=True), deals=Count(1, {}))
    assert str(wrong.value) == (
        "deals.contacts cannot be set: the portal has no association type from deals to contacts. Leave it "
        "out: contacts=None."
    )
    with pytest.raises(UsageError) as wrong:
        drafts(replace(BUNDLED, object_types=types), deals=Count(1, {}))
    assert str(wrong.value) == (
        "deals.contacts cannot be set: the bundled schema has no association type from deals to contacts. "
        "If the portal has one, pull its schema with `crmseed schema pull` and give --crm-schema."
    )


def test_every_link_that_is_made_by_default_has_an_association_type() -> None:
    translator = Translator(LEGEND, BUNDLED)
    for name, rules in HubSpot.links.items():
        for rule in rules.values():
            to = translator.object_type(rule.object_type).name
            there = {association.to for association in translator.object_type(name).associations}
            assert to in there or rule.home or name not in LEGEND.objects, (name, rule)


def test_a_link_that_a_field_holds_needs_no_association_type() -> None:
    parts = ObjectType(
        "parts",
        "Part",
        "Parts",
        {
            "title": Field("title", "Title", Kind.STRING, required=True),
            "company_id": Field("company_id", "Company", Kind.REFERENCE, required=True),
        },
        custom=True,
    )
    links = {**HubSpot.links, "parts": {"company": LinkRule("companies", made=True, home="company_id")}}
    schema = replace(BUNDLED, object_types={**BUNDLED.object_types, "parts": parts}, complete=True)
    made = prepare(
        make_plan({"parts": Count(1, {})}, links),
        Translator(LEGEND, schema),
        default_factories(),
        GENERATION,
        lambda object_type, index: "k",
        links=links,
    )
    assert made["parts"][0].values.keys() == {"title"}


# -- what only the portal knows ----------------------------------------------------------------------
def test_what_cannot_be_checked_is_said_once_for_a_plan() -> None:
    odd = Field("odd", "Odd", Kind.STRING, pattern="(?<", custom=True)
    schema = replace(portal(fields={"deals": (odd,)}), source="bundled", complete=False)
    translator = Translator(LEGEND, schema)
    made = drafts(
        schema,
        deals=count(3, hubspot_owner_id=77, my_field=1, native={"dealtype": "rental"}, odd="x"),
        contacts=Count(2, {}),
    )
    assert list(unchecked(translator, made)) == [
        "deals.my_field: not in the bundled schema; sent as given",
        "deals.dealtype='rental': no option of the bundled schema; sent as given",
        "deals.hubspot_owner_id: the bundled schema names no owners",
        "deals.odd: the portal's pattern is not one that Python reads",
        "contacts.email: whether a record that is there already has the value",
    ]
    assert list(unchecked(translator, {}, admin_rules=True)) == [
        "fields that the portal's administrators require under conditions"
    ]


def test_long_lists_of_what_cannot_be_checked_are_cut() -> None:
    made = drafts(BUNDLED, companies=count(1, native={f"field_{i}": 1 for i in range(8)}))
    (sentence,) = unchecked(Translator(LEGEND, BUNDLED), made)
    assert sentence == (
        "companies.field_0, companies.field_1, companies.field_2, companies.field_3, companies.field_4, "
        "companies.field_5 and 2 more: not in the bundled schema; sent as given"
    )


def test_nothing_is_said_where_all_is_checked() -> None:
    made: dict[str, list[Any]] = {**drafts(portal(), companies=Count(1, {}))}
    assert list(unchecked(Translator(LEGEND, portal()), made)) == []
