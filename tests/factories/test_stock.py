"""Leads, tickets, products, line items, orders and activities: plausible, consistent, harmless, unique."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_crmseed.factories import (
    CallFactory,
    CRMFactory,
    Generation,
    LeadFactory,
    LineItemFactory,
    MeetingFactory,
    NoteFactory,
    OrderFactory,
    ProductFactory,
    TaskFactory,
    TicketFactory,
    default_factories,
)
from pytest_crmseed.factories import texts as written
from pytest_crmseed.factories.moments import working_day, working_time

BASE = date(2026, 1, 1)
LOCALES = ["en_US", "en_GB", "de_DE", "fr_FR", "ja_JP", "pl_PL", "ar_AA"]
FIELDS: dict[type[CRMFactory], dict[str, type]] = {
    LeadFactory: dict.fromkeys(
        ("first_name", "last_name", "email", "phone", "company_name", "status", "source"), str
    ),
    TicketFactory: dict.fromkeys(("subject", "description", "status", "priority"), str),
    ProductFactory: {
        "name": str,
        "sku": str,
        "price": Decimal,
        "description": str,
        "active": bool,
    },
    LineItemFactory: {"quantity": int, "price": Decimal, "discount": Decimal},
    OrderFactory: {"name": str, "amount": Decimal},
    NoteFactory: {"subject": str, "body": str, "at": datetime},
    TaskFactory: {"subject": str, "body": str, "due_date": date, "status": str, "priority": str},
    CallFactory: {"subject": str, "body": str, "at": datetime, "status": str, "duration": timedelta},
    MeetingFactory: {"subject": str, "body": str, "at": datetime, "status": str, "duration": timedelta},
}
numbers = st.integers(0, 2**64 - 1)


def of(
    made: type[CRMFactory], count: int = 200, locale: str = "en_US", **arguments: Any
) -> list[dict[str, Any]]:
    about = Generation(random_seed=2, node="n", locale=locale, unique_tag="k3", base_date=BASE)
    return made.generate(about, count, **arguments)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("made", FIELDS)
def test_records_have_the_fields_and_types_of_the_neutral_objects(
    made: type[CRMFactory], locale: str
) -> None:
    for record in of(made, 30, locale):
        assert {name: type(value) for name, value in record.items()} == FIELDS[made]
        assert all(value for name, value in record.items() if FIELDS[made][name] is str)


def test_every_default_factory_is_tested_for_its_fields() -> None:
    elsewhere = {"companies", "contacts", "deals"}
    assert {made._meta.object_type for made in FIELDS} == default_factories().keys() - elsewhere


@pytest.mark.parametrize("made", FIELDS)
def test_the_tag_goes_into_unique_values_alone(made: type[CRMFactory]) -> None:
    plain, tagged = (made.generate(Generation(unique_tag=tag), 30) for tag in ("", "k3"))
    unique = {LeadFactory: {"email"}, ProductFactory: {"sku"}}.get(made, set())
    for before, after in zip(plain, tagged, strict=True):
        assert {name for name in before if before[name] != after[name]} == unique


# -- leads ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("locale", LOCALES)
def test_a_leads_address_fits_person_and_company_and_reaches_nobody(locale: str) -> None:
    records = of(LeadFactory, 100, locale)
    assert len({record["email"] for record in records}) == 100
    for index, record in enumerate(records):
        assert record["email"].isascii()
        local, domain = record["email"].split("@")
        assert local.endswith(str(index))
        assert domain.endswith(".k3.example.com")
        if locale == "en_US":
            assert domain.split(".")[0] == record["company_name"].lower().replace(" ", "-")
            assert local == f"{record['first_name']}.{record['last_name']}{index}".lower()


def test_names_of_leads_are_those_of_the_locale() -> None:
    for record in of(LeadFactory, 20, "ja_JP"):
        assert not record["first_name"].isascii()
        assert not record["company_name"].isascii()
        assert record["email"].split("@")[0].rstrip("0123456789").replace(".", "").isalpha()
    umlauts = "".join(
        record["last_name"] + record["company_name"] for record in of(LeadFactory, 200, "de_DE")
    )
    assert set(umlauts) & set("äöüß")


def test_a_lead_with_a_contact_is_that_person_of_that_company() -> None:
    contact = {
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "ann@acme.example",
        "phone": "+1 212 555 0101",
    }
    family = {"contacts": contact, "company": {"name": "Acme"}}
    record = of(LeadFactory, 1, parents=lambda _: family)[0]
    assert contact.items() <= record.items()
    assert record["company_name"] == "Acme"
    other = of(LeadFactory, 1, parents=lambda _: family, overrides={"first_name": "Bo"})[0]
    assert other["email"] == "bo.lee0@acme.k3.example.com"


# -- tickets -------------------------------------------------------------------------------------
def test_a_ticket_is_described_as_what_it_is_about() -> None:
    for record in of(TicketFactory):
        assert written.TICKETS[record["subject"]] == record["description"]
    assert of(TicketFactory, 1, overrides={"subject": "Something else"})[0]["description"]


def test_statuses_and_priorities_of_tickets() -> None:
    records = of(TicketFactory)
    assert {record["status"] for record in records} == {"new", "waiting", "closed"}
    assert {record["priority"] for record in records} == {"low", "medium", "high", "urgent"}


# -- products and line items -----------------------------------------------------------------------
def test_products_have_unique_keys_of_their_names_and_prices_of_their_kind() -> None:
    records = of(ProductFactory, 300)
    assert len({record["sku"] for record in records}) == 300
    for index, record in enumerate(records):
        kind = next(kind for kind in written.PRODUCTS if record["name"].startswith(kind))
        low, high, sentence = written.PRODUCTS[kind]
        assert low <= record["price"] <= high
        assert record["price"].as_tuple().exponent == -2
        assert record["description"] == sentence
        initials = "".join(word[0] for word in record["name"].split())[:4].upper()
        assert record["sku"] == f"{initials}-{1000 + index}-k3"


@pytest.mark.parametrize("name", [None, "", "山田", 5])
def test_a_product_of_any_name_has_key_price_and_description(name: object) -> None:
    record = of(ProductFactory, 1, overrides={"name": name})[0]
    assert record["sku"] == "SKU-1000-k3"
    assert record["price"] > 0
    assert record["description"]


def test_the_price_of_a_line_item_is_that_of_its_product() -> None:
    products = of(ProductFactory, 40)
    lines = of(LineItemFactory, 40, parents=lambda i: {"product": products[i], "deal": {"amount": 1}})
    assert [line["price"] for line in lines] == [product["price"] for product in products]
    alone = of(LineItemFactory, 40)
    assert all(10 <= line["price"] <= 990 for line in alone)
    assert (
        of(LineItemFactory, 1, parents=lambda _: {"product": {"price": 7}}, overrides={"price": 8})[0][
            "price"
        ]
        == 8
    )


@settings(max_examples=60)
@given(
    st.one_of(
        st.decimals(-5, 10**9), st.integers(0, 10**6), st.floats(), st.none(), st.just("12.50"), st.just("x")
    ),
    st.one_of(st.integers(-3, 500), st.decimals("0.01", 5), st.none()),
    st.booleans(),
    st.integers(0, 1000),
)
def test_a_discount_is_less_than_the_price(
    price: object, quantity: object, discounted: bool, start: int
) -> None:
    overrides = {"price": price, "quantity": quantity, "discounted": discounted}
    discount = of(LineItemFactory, 1, start=start, overrides=overrides)[0]["discount"]
    assert discount >= 0
    try:
        whole = Decimal(str(price)) * Decimal(str(quantity))
    except ArithmeticError:
        assert discount == 0
    else:
        assert discount == 0 or discount <= min(whole, Decimal(str(price)))


def test_about_one_line_in_four_has_a_discount_and_all_with_the_trait() -> None:
    assert 20 < sum(line["discount"] > 0 for line in of(LineItemFactory)) < 80
    assert all(line["discount"] > 0 for line in of(LineItemFactory, overrides={"discounted": True}))


def test_orders_are_numbered_and_named_for_their_company() -> None:
    names = [
        record["name"] for record in of(OrderFactory, 3, parents=lambda i: {"company": {"name": "Acme"}})
    ]
    assert names == ["Order 2026-1001 - Acme", "Order 2026-1002 - Acme", "Order 2026-1003 - Acme"]
    assert of(OrderFactory, 1)[0]["name"] == "Order 2026-1001"


# -- activities ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("made", "table"),
    [(NoteFactory, written.NOTES), (TaskFactory, written.TASKS), (MeetingFactory, written.MEETINGS)],
)
def test_bodies_fit_the_subject(made: type[CRMFactory], table: dict[str, str]) -> None:
    for record in of(made):
        assert table[record["subject"]] == record["body"]
    assert of(made, 1, overrides={"subject": "Something else"})[0]["body"] in table.values()
    assert of(made, 1, overrides={"subject": None})[0]["body"] in table.values()


def test_completed_tasks_were_due_and_others_are_due_later() -> None:
    for record in of(TaskFactory):
        assert (record["due_date"] < BASE) == (record["status"] == "completed")
        assert record["due_date"].weekday() < 5
    for record in of(TaskFactory, overrides={"status": "COMPLETED"}):
        assert record["due_date"] < BASE


def test_calls_nobody_took_lasted_no_time() -> None:
    for record in of(CallFactory):
        missed = record["status"] in ("no_answer", "busy")
        assert (record["duration"] == timedelta()) == missed
        assert (record["body"] == written.MISSED_CALL) == missed
        assert record["at"].date() < BASE
    assert of(CallFactory, 1, overrides={"status": "NO ANSWER"})[0]["duration"] == timedelta()


@pytest.mark.parametrize("made", [CallFactory, MeetingFactory])
def test_calls_and_meetings_are_within_working_hours(made: type[CRMFactory]) -> None:
    for record in of(made, 500):
        ends = record["at"] + record["duration"]
        assert record["at"].tzinfo is UTC
        assert record["at"].weekday() < 5
        assert record["at"].date() == ends.date()
        assert time(8) <= record["at"].time()
        assert ends.time() <= time(18)


def test_scheduled_meetings_are_to_come_and_others_are_over() -> None:
    for record in of(MeetingFactory):
        assert (record["at"].date() > BASE) == (record["status"] == "scheduled")
    assert of(MeetingFactory, 1, overrides={"duration": timedelta(hours=30)})[0]["at"].time() == time(8)
    assert of(MeetingFactory, 1, overrides={"duration": None})[0]["at"]


@given(numbers, st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 400), st.booleans())
def test_working_days_lie_on_the_side_asked_for(number: int, base: date, days: int, past: bool) -> None:
    day = working_day(base, number, -days if past else days)
    assert day.weekday() < 5
    assert (day < base) == past
    assert day != base
    assert abs((day - base).days) <= days + 2


@given(numbers, st.integers(0, 600))
def test_what_lasts_less_than_a_day_ends_within_it(number: int, minutes: int) -> None:
    start = working_time(BASE, number, 30, timedelta(minutes=minutes))
    assert time(8) <= start.time()
    assert (start + timedelta(minutes=minutes)).time() <= time(18)


# -- traits ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("made", "trait", "field", "values"),
    [
        (LeadFactory, "qualified", "status", {"qualified"}),
        (LeadFactory, "unqualified", "status", {"unqualified"}),
        (TicketFactory, "open", "status", {"new", "waiting"}),
        (TicketFactory, "closed", "status", {"closed"}),
        (TicketFactory, "urgent", "priority", {"urgent"}),
        (ProductFactory, "inactive", "active", {False}),
        (TaskFactory, "completed", "status", {"completed"}),
        (TaskFactory, "overdue", "status", {"not_started"}),
        (CallFactory, "completed", "status", {"completed"}),
        (CallFactory, "missed", "status", {"no_answer", "busy"}),
        (MeetingFactory, "scheduled", "status", {"scheduled"}),
        (MeetingFactory, "completed", "status", {"completed"}),
    ],
)
def test_traits(made: type[CRMFactory], trait: str, field: str, values: set[Any]) -> None:
    records = of(made, 60, overrides={trait: True})
    assert {record[field] for record in records} == values
    assert made.build(**{trait: True})[field] in values
    # A trait changes what it says, and what follows from that.
    assert trait not in records[0]


def test_an_overdue_task_was_due_and_is_not_done() -> None:
    for record in of(TaskFactory, overrides={"overdue": True}):
        assert record["due_date"] < BASE


def test_what_is_set_by_override_only() -> None:
    for made in (ProductFactory, OrderFactory):
        assert "currency" not in of(made, 1)[0]
        assert of(made, 1, overrides={"currency": "EUR"})[0]["currency"] == "EUR"


def test_values_are_spread() -> None:
    assert len(Counter(record["subject"] for record in of(TicketFactory))) == len(written.TICKETS)
    assert len(Counter(record["name"] for record in of(ProductFactory))) > 70
