"""Salesforce's legend: every neutral field has a home or a reason, and values come back as they went out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories import default_factories
from pytest_crmseed.planning import NEUTRAL_LINKS
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.providers.salesforce.forms import FROM_WIRE, TO_WIRE
from pytest_crmseed.providers.salesforce.unsure import UNSURE
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Kind
from pytest_crmseed.schema.validate import Validator
from pytest_crmseed.seeder.links import links_for

SCHEMA = catalog.bundled("salesforce")
LEGEND = Salesforce.legend
TRANSLATOR = Translator(LEGEND, SCHEMA)

ADDRESS = ("street", "city", "state", "postal_code", "country")
ACTIVITY = ("subject", "body", "at", "due_date", "status", "priority", "duration")
NEUTRAL: Mapping[str, tuple[str, ...]] = {
    "companies": (
        *("name", "domain", "industry", "phone", "employees", "annual_revenue", "description"),
        *ADDRESS,
    ),
    "contacts": (
        *("first_name", "last_name", "email", "phone", "mobile_phone", "job_title", "lifecycle_stage"),
        *ADDRESS,
    ),
    "leads": ("first_name", "last_name", "email", "phone", "company_name", "status", "source"),
    "deals": ("name", "amount", "currency", "stage", "pipeline", "close_date", "probability", "description"),
    "tickets": ("subject", "description", "status", "priority"),
    "products": ("name", "sku", "price", "currency", "description", "active"),
    "line_items": ("quantity", "price", "discount"),
    "orders": ("name", "amount", "currency"),
    **{name: ACTIVITY for name in ("notes", "calls", "tasks", "meetings")},
    "campaigns": ("name",),
}
# Fields that only some orgs have: several currencies, record types.
NOT_EVERYWHERE = {"CurrencyIsoCode", "RecordTypeId", "PricebookEntry.CurrencyIsoCode"}


def test_there_is_a_legend_for_every_neutral_object_type() -> None:
    assert LEGEND.objects.keys() == NEUTRAL.keys()
    assert LEGEND.lacking == {}
    for name, entry in LEGEND.objects.items():
        assert TRANSLATOR.canonical(entry.native) == name


@pytest.mark.parametrize(("name", "field"), [(name, field) for name in NEUTRAL for field in NEUTRAL[name]])
def test_a_neutral_field_has_a_home_or_a_reason(name: str, field: str) -> None:
    entry = LEGEND.objects[name]
    parts = {part for composed in entry.composed for part in composed.parts}
    assert (field in {*entry.fields, *parts}) != (field in entry.homeless)
    if field in entry.homeless:
        reason = entry.homeless[field]
        assert reason.endswith(".") and len(reason.split()) > 4
        with pytest.raises(UsageError) as refused:
            TRANSLATOR.resolve(name, field)
        assert str(refused.value) == f"{name}.{field} cannot be set: {reason}"


@pytest.mark.parametrize("name", NEUTRAL)
def test_a_home_is_a_field_that_can_be_written_and_nobody_else_s(name: str) -> None:
    entry, fields = LEGEND.objects[name], SCHEMA.object_types[LEGEND.objects[name].native].fields
    homes = [*(home.native for home in entry.fields.values()), *(each.native for each in entry.composed)]
    assert len(set(homes)) == len(homes)
    for home in set(homes) - NOT_EVERYWHERE:
        assert not fields[home].read_only, home
    for neutral, legend in entry.fields.items():
        if legend.options and not fields[legend.native].unrestricted:
            assert set(legend.options.values()) <= {o.value for o in fields[legend.native].options}, neutral


@pytest.mark.parametrize("name", NEUTRAL)
def test_what_the_stock_factory_makes_has_a_home_or_a_reason(name: str) -> None:
    if name not in default_factories():
        pytest.skip("no stock factory")
    made = default_factories()[name].record_fields()
    assert made <= {*TRANSLATOR.neutral_fields(name), *TRANSLATOR.homeless(name)}


def test_what_is_not_confirmed_is_listed_by_subject() -> None:
    assert all(reasons and all(reasons) for reasons in UNSURE.values())


# -- links -------------------------------------------------------------------------------------------
def test_every_link_of_a_neutral_object_type_is_one_here() -> None:
    for name, rules in NEUTRAL_LINKS.items():
        assert rules.keys() <= Salesforce.links[name].keys()


@pytest.mark.parametrize("name", Salesforce.links)
def test_a_link_leads_to_an_object_type_by_a_field_that_refers_to_it(name: str) -> None:
    for link, rule in Salesforce.links[name].items():
        to = TRANSLATOR.object_type(rule.object_type).name
        object_type = TRANSLATOR.object_type(name)
        if not rule.home:
            assert object_type.association(to) is not None, link
            assert object_type.association(to, label="Decision Maker") is not None
        elif rule.home != "PricebookEntryId":
            field = object_type.fields[rule.home]
            assert to in field.references and not field.read_only


def test_object_types_beyond_the_neutral_ones_are_linked_by_their_required_references() -> None:
    links = links_for(Salesforce, SCHEMA)
    assert {name: rule.home for name, rule in links["OpportunityContactRole"].items()} == {
        "deal": "OpportunityId",
        "contacts": "ContactId",
    }


# -- there and back ----------------------------------------------------------------------------------
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12)
moments = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9998, 1, 1)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
)
days = st.dates(min_value=date(1970, 1, 1))
BY_KIND: Mapping[Kind, st.SearchStrategy[Any]] = {
    **dict.fromkeys((Kind.STRING, Kind.TEXT, Kind.PHONE, Kind.URL, Kind.REFERENCE), texts),
    Kind.EMAIL: st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example\.com", fullmatch=True),
    Kind.INTEGER: st.integers(min_value=-(10**7), max_value=10**7),
    Kind.DECIMAL: decimals,
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: days,
    Kind.DATETIME: moments,
    Kind.DURATION: st.integers(min_value=0, max_value=10**6).map(lambda n: timedelta(seconds=n)),
}
# Values that several neutral ones stand for come back as the first of them.
MERGED = {("leads", "status"): {"attempting", "qualified"}, ("tickets", "priority"): {"urgent"}}
PARTS = {
    ("deals", "probability"): st.integers(0, 100).map(lambda n: Decimal(n) / 100),
    ("notes", "at"): days.map(lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC)),
    ("calls", "at"): days.map(lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC)),
    ("calls", "duration"): BY_KIND[Kind.DURATION],
    ("meetings", "duration"): BY_KIND[Kind.DURATION],
}


def _values(name: str) -> dict[str, st.SearchStrategy[Any]]:
    entry, fields = LEGEND.objects[name], SCHEMA.object_types[LEGEND.objects[name].native].fields
    values: dict[str, st.SearchStrategy[Any]] = {}
    for neutral, home in entry.fields.items():
        definition = fields.get(home.native)
        if home.role == "stage":
            values[neutral] = st.sampled_from(
                ["new", "qualified", "proposal", "negotiation", "closed_won", "closed_lost"]
            )
        elif home.role == "status":
            values[neutral] = st.sampled_from(["new", "waiting", "closed"])
        elif home.options:
            values[neutral] = st.sampled_from(
                [value for value in home.options if value not in MERGED.get((name, neutral), ())]
            )
        elif definition is None:
            values[neutral] = texts
        elif definition.options and definition.kind is Kind.OPTION:
            values[neutral] = st.sampled_from([option.value for option in definition.options])
        else:
            values[neutral] = BY_KIND[home.kind or definition.kind]
    values |= {field: strategy for (of, field), strategy in PARTS.items() if of == name}
    return values


@pytest.mark.parametrize("name", NEUTRAL)
def test_values_come_back_as_they_went_out(name: str) -> None:
    strategies = _values(name)
    optional = {field: each for field, each in strategies.items() if field != "at"}
    required = {field: each for field, each in strategies.items() if field == "at"}

    @given(st.fixed_dictionaries(required, optional=optional))
    def there_and_back(record: dict[str, Any]) -> None:
        native, problems = TRANSLATOR.to_native(name, 0, record)
        assert problems == []
        back = TRANSLATOR.to_neutral(name, native)
        assert {field: back[field] for field in record} == record

    there_and_back()


@pytest.mark.parametrize("kind", BY_KIND)
def test_a_value_of_any_kind_survives_the_wire(kind: Kind) -> None:
    @given(BY_KIND[kind])
    def survives(value: Any) -> None:
        assert FROM_WIRE[kind](TO_WIRE[kind](value)) == value

    survives()


def test_values_on_the_wire_are_json_s_own() -> None:
    assert TO_WIRE[Kind.DECIMAL](Decimal("5000.00")) == 5000
    assert TO_WIRE[Kind.DECIMAL](Decimal("19.90")) == 19.9
    # A double cannot hold it; the API takes text for a number.
    assert TO_WIRE[Kind.DECIMAL](Decimal("1234567890123456.78")) == "1234567890123456.78"
    assert TO_WIRE[Kind.BOOLEAN](True) is True
    assert TO_WIRE[Kind.DATE](date(2026, 3, 31)) == "2026-03-31"
    moment = datetime(2021, 4, 14, 18, 52, 45, tzinfo=UTC)
    assert TO_WIRE[Kind.DATETIME](moment) == "2021-04-14T18:52:45.000+0000"
    assert FROM_WIRE[Kind.DATETIME]("2022-03-17T16:21:26.000+0000") == datetime(
        2022, 3, 17, 16, 21, 26, tzinfo=UTC
    )
    assert TO_WIRE[Kind.OPTIONS](("a", "b")) == "a;b"


@pytest.mark.parametrize(
    ("name", "record", "native"),
    [
        (
            "deals",
            {"stage": "closed_won", "probability": "0.5"},
            {"StageName": "Closed Won", "Probability": 50},
        ),
        ("deals", {"stage": "negotiation"}, {"StageName": "Value Proposition"}),
        ("tickets", {"status": "waiting", "priority": "urgent"}, {"Status": "Working", "Priority": "High"}),
        (
            "leads",
            {"status": "new", "source": "website"},
            {"Status": "Open - Not Contacted", "LeadSource": "Web"},
        ),
        ("companies", {"industry": "Computer Software"}, {"Industry": "Technology"}),
        ("companies", {"industry": "technology"}, {"Industry": "Technology"}),
        ("companies", {"industry": "Real Estate"}, {"Industry": "Real Estate"}),
        (
            "meetings",
            {"at": "2026-03-31T09:00:00Z", "duration": timedelta(minutes=30)},
            {"StartDateTime": "2026-03-31T09:00:00.000+0000", "EndDateTime": "2026-03-31T09:30:00.000+0000"},
        ),
        (
            "meetings",
            {"at": "2026-03-31T09:00:00Z"},
            {"StartDateTime": "2026-03-31T09:00:00.000+0000", "EndDateTime": "2026-03-31T09:00:00.000+0000"},
        ),
        ("calls", {"duration": timedelta(seconds=90)}, {"CallDurationInSeconds": 90}),
        ("products", {"price": 5, "active": False}, {"PricebookEntry.UnitPrice": 5, "IsActive": False}),
    ],
)
def test_neutral_values_in_salesforce_s_words(
    name: str, record: dict[str, Any], native: dict[str, Any]
) -> None:
    assert TRANSLATOR.to_native(name, 0, record) == (native, [])


@pytest.mark.parametrize(
    ("name", "record", "said"),
    [
        (
            "deals",
            {"probability": 50},
            "deals[0].probability (Probability) = Decimal('50'): is no probability: give a number from 0 "
            "to 1",
        ),
        (
            "deals",
            {"probability": "0.333"},
            "deals[0].probability (Probability) = Decimal('0.333'): is no whole percentage, and Salesforce "
            "keeps "
            "whole ones",
        ),
        (
            "calls",
            {"duration": timedelta(milliseconds=1500)},
            "calls[0].duration (CallDurationInSeconds) = datetime.timedelta(seconds=1, "
            "microseconds=500000): is no "
            "number of whole seconds from 0 on, as Salesforce keeps a call's duration",
        ),
        (
            "meetings",
            {"duration": timedelta(minutes=5)},
            "meetings[0].duration (EndDateTime) = datetime.timedelta(seconds=300): needs a value for at too: "
            "Salesforce keeps when an event ends, not how long it lasts",
        ),
    ],
)
def test_what_cannot_be_said_here_is_refused_with_a_reason(
    name: str, record: dict[str, Any], said: str
) -> None:
    _, problems = TRANSLATOR.to_native(name, 0, record)
    assert [str(problem) for problem in problems] == [said]


def test_a_slip_of_the_pen_is_refused_though_the_picklist_takes_any_text() -> None:
    _, (problem,) = TRANSLATOR.to_native("companies", 0, {"industry": "Technolgy"})
    assert str(problem) == (
        "companies[0].industry (Industry) = 'Technolgy': is not one of the options; did you mean "
        "'Technology'? "
        "The portal takes other values too: if it is meant, write native={'Industry': 'Technolgy'}"
    )
    assert TRANSLATOR.to_native("companies", 0, {"native": {"Industry": "Technolgy"}}) == (
        {"Industry": "Technolgy"},
        [],
    )


def test_a_restricted_picklist_takes_its_options_only() -> None:
    _, (problem,) = TRANSLATOR.to_native("meetings", 0, {"ShowAs": "Away"})
    assert problem.allowed == ("Busy", "OutOfOffice", "Free")


def test_texts_and_numbers_have_their_limits() -> None:
    validator = Validator(SCHEMA)
    wrong = {"Name": "x" * 121, "Probability": 1000, "StageName": "Prospecting", "CloseDate": "2026-01-01"}
    problems = validator.record("deals", 0, SCHEMA.object_types["Opportunity"], wrong)
    assert [problem.reason for problem in problems] == [
        "has 121 characters; at most 120 are allowed",
        "is more than the largest allowed, 999",
    ]
