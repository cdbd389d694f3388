"""The values of companies, contacts and deals: plausible, consistent, harmless, unique where they must be."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_crmseed.factories import (
    UNSET,
    CompanyFactory,
    ContactFactory,
    CRMFactory,
    DealFactory,
    Generation,
)
from pytest_crmseed.factories.places import region
from pytest_crmseed.factories.words import INDUSTRIES
from pytest_crmseed.schema.catalog import bundled

# Locales with their own addresses, one that shares them, and some with names in other scripts.
LOCALES = [
    "en_US",
    "en_GB",
    "de_DE",
    "fr_FR",
    "ja_JP",
    "de",
    "es_ES",
    "pl_PL",
    "ru_RU",
    "ar_AA",
    "zh_CN",
    "tr_TR",
]
COUNTRIES = {
    "en_GB": "United Kingdom",
    "de_DE": "Germany",
    "de": "Germany",
    "fr_FR": "France",
    "ja_JP": "Japan",
}

# Published for fiction: NANP 555-01xx, Ofcom, Bundesnetzagentur 148/2021, Arcep.
FICTIONAL = re.compile(
    r"\+1 [2-9]\d\d 555 01\d\d"
    r"|\+44 (1(13|14|15|16|17|18|21|31|41|51|61) 496 0\d{3}|20 7946 0\d{3}|7700 900\d{3})"
    r"|\+49 (30 23125\d{3}|69 90009\d{3}|40 66969\d{3}|221 4710\d{3}|89 99998\d{3}|171 39200\d\d)"
    r"|\+33 (1 99 00|2 61 91|3 53 01|4 65 71|5 36 49|6 39 98) \d\d \d\d"
)
ADDRESS = re.compile(r"[a-z]+(\.[a-z]+)?\d+(\.[a-z0-9]+)?@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]+")
POSTAL_CODES = {
    "United States": r"\d{5}",
    "United Kingdom": r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}",
    "Germany": r"\d{5}",
    "France": r"\d{5}",
    "Japan": r"\d{3}-\d{4}",
}
TEXT = st.one_of(
    st.none(), st.text(max_size=90), st.sampled_from(["ẞtraße", "O'Neil", "山田", "Ünal", "x" * 90, "7"])
)


def of(locale: str, made: type[CRMFactory], count: int = 40, **arguments: Any) -> list[dict[str, Any]]:
    return made.generate(
        Generation(random_seed=2, node="n", locale=locale, unique_tag="k3"), count, **arguments
    )


# -- types ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("locale", LOCALES)
def test_records_have_the_fields_and_types_of_the_neutral_objects(locale: str) -> None:
    texts = ("street", "city", "state", "postal_code", "country", "phone")
    for record in of(locale, CompanyFactory):
        types = {"employees": int, "annual_revenue": Decimal}
        assert {name: type(value) for name, value in record.items()} == {
            **dict.fromkeys(("name", "domain", "industry", "description", *texts), str),
            **types,
        }
        assert all(record.values())
    for record in of(locale, ContactFactory):
        names = ("first_name", "last_name", "email", "mobile_phone", "job_title", "lifecycle_stage")
        assert {name: type(value) for name, value in record.items()} == dict.fromkeys((*names, *texts), str)
        assert all(record.values())
    for record in of(locale, DealFactory):
        assert {name: type(value) for name, value in record.items()} == {
            "name": str,
            "amount": Decimal,
            "stage": str,
            "close_date": date,
            "description": str,
        }


# -- companies -----------------------------------------------------------------------------------
def test_industries_are_options_of_the_portal() -> None:
    labels = {
        option.label for option in bundled("hubspot").object_types["companies"].fields["industry"].options
    }
    assert INDUSTRIES.keys() <= labels
    assert len(INDUSTRIES) >= 25


def test_lifecycle_stages_are_options_of_the_portal() -> None:
    field = bundled("hubspot").object_types["contacts"].fields["lifecyclestage"]
    assert {record["lifecycle_stage"] for record in of("en_US", ContactFactory, 300)} <= {
        option.value for option in field.options
    }


def test_a_company_is_named_for_its_industry() -> None:
    for record in of("en_US", CompanyFactory, overrides={"industry": "Retail"}):
        assert record["name"].endswith((" Retail", " Stores"))
        assert record["description"] == f"{record['name']} is a company in retail, based in {record['city']}."
    for record in of("en_US", CompanyFactory, 5, overrides={"industry": "Alchemy"}):
        assert record["name"].endswith((" Company", " Group"))


def test_revenue_follows_from_the_number_of_employees() -> None:
    for record in of("en_US", CompanyFactory, 200):
        assert 2 <= record["employees"] < 5000
        assert 60_000 <= record["annual_revenue"] / record["employees"] < 240_000
    assert of("en_US", CompanyFactory, 1, overrides={"employees": 10})[0]["annual_revenue"] < 2_400_000
    assert of("en_US", CompanyFactory, 1, overrides={"employees": None})[0]["annual_revenue"] > 0


def test_a_domain_is_made_of_name_index_and_tag() -> None:
    plain = Generation()
    assert CompanyFactory.generate(plain, 1, start=3, overrides={"name": "Northwind Systems"})[0][
        "domain"
    ] == ("northwind-systems-3.example.com")
    tagged = Generation(unique_tag="k3", email_domain="seed.test")
    assert CompanyFactory.generate(tagged, 1, start=3, overrides={"name": "Ünited & Co."})[0]["domain"] == (
        "united-co-3.k3.seed.test"
    )
    german = Generation(locale="de_DE")
    assert CompanyFactory.generate(german, 1, overrides={"name": "Müller Größe"})[0]["domain"] == (
        "mueller-groesse-0.example.com"
    )
    assert (
        CompanyFactory.generate(plain, 1, overrides={"name": "山田工業"})[0]["domain"]
        == "company-0.example.com"
    )


def test_long_names_are_cut_where_no_separator_is_left_over() -> None:
    company = CompanyFactory.generate(Generation(), 1, overrides={"name": f"{'x' * 60} yyy"})[0]
    assert company["domain"] == f"{'x' * 60}-0.example.com"
    names = {"first_name": "x" * 62, "last_name": "yyy"}
    assert ContactFactory.generate(Generation(), 1, overrides=names)[0]["email"] == f"{'x' * 62}0@example.com"


@settings(max_examples=150, deadline=None)
@given(TEXT, st.integers(0, 10**9), st.sampled_from(["", "k3", "x" * 40]))
def test_domains_are_valid_whatever_the_name(name: str | None, index: int, tag: str) -> None:
    generation = Generation(unique_tag=tag)
    domain = CompanyFactory.generate(generation, 1, start=index, overrides={"name": name})[0]["domain"]
    assert re.fullmatch(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+com", domain)
    assert domain.split(".")[0].endswith(f"-{index}")
    assert domain.endswith(f".{generation.tagged_domain}")
    assert len(domain) <= 253


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["A", "A 1", "A-1", "A 1-1", "山", ""]),
            st.integers(0, 120),
            st.sampled_from(["", "1", "k"]),
        ),
        unique_by=lambda case: case[1:],
        max_size=8,
    )
)
def test_domains_and_addresses_differ_by_index_and_tag(cases: list[tuple[str, int, str]]) -> None:
    domains, emails, shared = set(), set(), set()
    for name, index, tag in cases:
        generation = Generation(unique_tag=tag)
        overrides = {"first_name": name, "last_name": name}
        domains.add(
            CompanyFactory.generate(generation, 1, start=index, overrides={"name": name})[0]["domain"]
        )
        emails.add(ContactFactory.generate(generation, 1, start=index, overrides=overrides)[0]["email"])
        same_company = ContactFactory.generate(
            generation,
            1,
            start=index,
            overrides=overrides,
            parents=lambda _: {"company": {"domain": "acme.example.org"}},
        )
        shared.add(same_company[0]["email"])
    assert len(domains) == len(emails) == len(shared) == len(cases)


def test_a_thousand_companies_and_contacts_are_unique() -> None:
    for locale in ("en_US", "ja_JP"):
        assert len({record["domain"] for record in of(locale, CompanyFactory, 1000)}) == 1000
        assert len({record["email"] for record in of(locale, ContactFactory, 1000)}) == 1000


# -- addresses and phone numbers -----------------------------------------------------------------
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("made", [CompanyFactory, ContactFactory])
def test_addresses_are_consistent(locale: str, made: type[CRMFactory]) -> None:
    known = {
        (place.city, place.state, place.postal_code, place.country)
        for places in region(locale).cities
        for place in places
    }
    records = of(locale, made, 200)
    for record in records:
        assert (record["city"], record["state"], record["postal_code"], record["country"]) in known
        assert record["country"] == COUNTRIES.get(locale, "United States")
        assert re.fullmatch(POSTAL_CODES[record["country"]], record["postal_code"])
        assert re.search(r"\d", record["street"])
    assert len({record["city"] for record in records}) == len(region(locale).cities)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_phone_number_is_fictional(locale: str) -> None:
    for record in of(locale, CompanyFactory, 200) + of(locale, ContactFactory, 200):
        assert FICTIONAL.fullmatch(record["phone"])
        assert FICTIONAL.fullmatch(record.get("mobile_phone", record["phone"]))


def test_area_codes_fit_the_city() -> None:
    for locale, city, prefix in [
        ("en_US", "Austin", "+1 512 555 01"),
        ("de_DE", "Hamburg", "+49 40 66969"),
        ("en_GB", "London", "+44 20 7946 0"),
        ("fr_FR", "Lille", "+33 3 53 01 "),
    ]:
        for record in of(locale, ContactFactory, 10, overrides={"city": city}):
            assert record["phone"].startswith(prefix)


def test_mobile_numbers_are_mobile_where_the_country_keeps_some_for_fiction() -> None:
    for locale, prefix in [("de_DE", "+49 171 39200"), ("en_GB", "+44 7700 900"), ("fr_FR", "+33 6 39 98 ")]:
        assert all(record["mobile_phone"].startswith(prefix) for record in of(locale, ContactFactory, 10))


def test_an_overridden_city_brings_what_belongs_to_it() -> None:
    record = of("en_US", CompanyFactory, 1, overrides={"city": "Köln"})[0]
    assert (record["state"], record["country"]) == ("Nordrhein-Westfalen", "Germany")
    assert record["postal_code"] in {"50667", "50823", "51063"}
    assert record["phone"].startswith("+49 221 4710")


@pytest.mark.parametrize("city", ["Gotham", None, 5, UNSET])
def test_a_city_nobody_knows_brings_nothing_that_contradicts_it(city: object) -> None:
    record = of("en_US", CompanyFactory, 1, overrides={"city": city})[0]
    assert record.keys().isdisjoint({"state", "postal_code", "country"})
    assert FICTIONAL.fullmatch(record["phone"])


# -- contacts ------------------------------------------------------------------------------------
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("related", [True, False])
def test_email_addresses_are_valid_and_fit_name_and_company(locale: str, related: bool) -> None:
    companies = of(locale, CompanyFactory)
    records = of(locale, ContactFactory, parents=(lambda i: {"company": companies[i]}) if related else None)
    for index, (record, company) in enumerate(zip(records, companies, strict=True)):
        local, domain = record["email"].split("@")
        assert ADDRESS.fullmatch(record["email"])
        assert domain == (company["domain"] if related else "k3.example.com")
        assert len(local) <= 64
        assert local.endswith(str(index))
        if record["first_name"].isascii() and record["first_name"].isalpha():
            assert local.startswith(record["first_name"].lower())


def test_names_are_rendered_in_ascii() -> None:
    def email(locale: str, first: str | None, last: str | None) -> str:
        overrides = {"first_name": first, "last_name": last}
        return str(ContactFactory.generate(Generation(locale=locale), 1, overrides=overrides)[0]["email"])

    assert email("de_DE", "Jörg", "Weiß") == "joerg.weiss0@example.com"
    assert email("fr_FR", "Anaïs", "de l'Étoile") == "anais.deletoile0@example.com"
    assert email("pl_PL", "Łucja", "Żółć") == "lucja.zolc0@example.com"
    assert email("tr_TR", "I\u015f\u0131l", "İnal") == "isil.inal0@example.com"
    assert email("ja_JP", "太郎", "山田") == "taro.yamada0@example.com"
    assert email("ru_RU", "Иван", "Петров") == "contact0@example.com"
    assert email("en_US", "Agent 47", None) == "agent0@example.com"
    assert email("en_US", "x" * 80, "y") == f"{'x' * 63}0@example.com"


@settings(max_examples=200, deadline=None)
@given(
    TEXT,
    TEXT,
    st.integers(0, 10**9),
    st.sampled_from(["", "k3", "x" * 40]),
    st.sampled_from(LOCALES),
    st.booleans(),
)
def test_email_addresses_are_valid_whatever_the_name(
    first: str | None, last: str | None, index: int, tag: str, locale: str, related: bool
) -> None:
    record = ContactFactory.generate(
        Generation(unique_tag=tag, locale=locale),
        1,
        start=index,
        overrides={"first_name": first, "last_name": last},
        parents=(lambda _: {"company": {"domain": "ACME.test"}}) if related else None,
    )[0]
    assert ADDRESS.fullmatch(record["email"])
    assert len(record["email"].split("@")[0]) <= 64
    assert len(record["email"]) <= 254


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("acme-0.k3.example.com", "ann.lee0@acme-0.k3.example.com"),
        ("acme.example.org", "ann.lee0.k3@acme.example.org"),
        ("Acme.TEST", "ann.lee0.k3@acme.test"),
        ("acme-0.other.example.com", "ann.lee0.k3@acme-0.other.example.com"),
        # Somebody may read what is sent to these.
        ("acme.com", "ann.lee0@k3.example.com"),
        ("notexample.com", "ann.lee0@k3.example.com"),
        ("", "ann.lee0@k3.example.com"),
        (None, "ann.lee0@k3.example.com"),
        (5, "ann.lee0@k3.example.com"),
    ],
)
def test_only_a_harmless_company_domain_is_used(domain: object, expected: str) -> None:
    record = ContactFactory.generate(
        Generation(unique_tag="k3"),
        1,
        overrides={"first_name": "Ann", "last_name": "Lee"},
        parents=lambda _: {"company": {"domain": domain}},
    )[0]
    assert record["email"] == expected


def test_a_company_below_the_chosen_email_domain_is_ones_own() -> None:
    record = ContactFactory.generate(
        Generation(email_domain="seed.corp.io"),
        1,
        overrides={"first_name": "Ann", "last_name": "Lee"},
        parents=lambda _: {"company": {"domain": "acme.seed.corp.io"}},
    )[0]
    assert record["email"] == "ann.lee0@acme.seed.corp.io"


@pytest.mark.parametrize("locale", LOCALES)
def test_a_contact_is_where_its_company_is(locale: str) -> None:
    companies = of(locale, CompanyFactory)
    for record, company in zip(
        of(locale, ContactFactory, parents=lambda i: {"company": companies[i]}), companies, strict=True
    ):
        for part in ("city", "state", "postal_code", "country"):
            assert record[part] == company[part]


def test_a_contact_follows_what_its_company_says_of_an_unknown_city() -> None:
    company = {"city": "Gotham", "country": "Nowhere"}
    record = of("en_US", ContactFactory, 1, parents=lambda _: {"company": company})[0]
    assert (record["city"], record["country"]) == ("Gotham", "Nowhere")
    assert record.keys().isdisjoint({"state", "postal_code"})
    elsewhere = of(
        "en_US", ContactFactory, 1, parents=lambda _: {"company": company}, overrides={"city": "Austin"}
    )[0]
    assert (elsewhere["state"], elsewhere["country"]) == ("Texas", "United States")


# -- deals ---------------------------------------------------------------------------------------
def test_a_deal_is_named_for_its_company() -> None:
    for record in of("en_US", DealFactory, parents=lambda _: {"company": {"name": "Acme"}, "contacts": {}}):
        assert re.fullmatch(r"Acme - [A-Z]\w+ \w+", record["name"])
    for record in of("en_US", DealFactory, parents=lambda _: {"company": {"name": None}}):
        assert re.fullmatch(r"[A-Z]\w+ \w+ Q[1-4] 2026", record["name"])


def test_a_deal_is_described_as_what_it_is_called() -> None:
    by_kind = {
        (record["name"].split(" Q")[0], record["description"]) for record in of("en_US", DealFactory, 300)
    }
    assert len(by_kind) == len({kind for kind, _ in by_kind}) == 14
    assert of("en_US", DealFactory, 1, overrides={"name": "Something else"})[0]["description"]


def test_amounts_have_two_decimals_and_are_round() -> None:
    for record in of("en_US", DealFactory, 300):
        assert record["amount"].as_tuple().exponent == -2
        assert 1000 <= record["amount"] <= 250_000
        assert record["amount"] % 50 == 0


def test_stages_are_weighted() -> None:
    counts = Counter(record["stage"] for record in of("en_US", DealFactory, 1000))
    assert counts.keys() == {"new", "qualified", "proposal", "negotiation", "closed_won", "closed_lost"}
    assert 150 < counts["closed_won"] + counts["closed_lost"] < 350


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_closed_deals_closed_before_the_base_date_and_open_ones_close_after_it(
    base_date: date, start: int
) -> None:
    for record in DealFactory.generate(Generation(base_date=base_date), 10, start=start):
        distance = record["close_date"] - base_date
        if record["stage"].startswith("closed"):
            assert timedelta(days=-180) <= distance < timedelta()
        else:
            assert timedelta() < distance <= timedelta(days=180)


@pytest.mark.parametrize(
    "stage", ["closed_won", "closed_lost", "closedwon", "Closed Won", "CLOSED-LOST", "lost"]
)
def test_an_overridden_closed_stage_puts_the_close_date_in_the_past(stage: str) -> None:
    assert all(
        record["close_date"] < date(2026, 1, 1)
        for record in of("en_US", DealFactory, overrides={"stage": stage})
    )


@pytest.mark.parametrize("stage", ["new", "Proposal", "contractsent", "12345", None, UNSET])
def test_any_other_stage_puts_it_in_the_future(stage: object) -> None:
    assert all(
        record["close_date"] > date(2026, 1, 1)
        for record in of("en_US", DealFactory, overrides={"stage": stage})
    )


def test_an_overridden_close_date_stands() -> None:
    given_date = date(2027, 5, 5)
    record = of("en_US", DealFactory, 1, overrides={"stage": "closed_won", "close_date": given_date})[0]
    assert record["close_date"] == given_date


def test_traits() -> None:
    for trait, stages in [
        ("won", {"closed_won"}),
        ("lost", {"closed_lost"}),
        ("open", {"new", "qualified", "proposal", "negotiation"}),
    ]:
        records = of("en_US", DealFactory, 60, overrides={trait: True})
        assert {record["stage"] for record in records} == stages
        assert all((record["close_date"] < date(2026, 1, 1)) == (trait != "open") for record in records)
    assert DealFactory.build(won=True)["stage"] == "closed_won"


def test_what_is_set_by_override_only() -> None:
    record = of("en_US", DealFactory, 1)[0]
    assert record.keys().isdisjoint({"currency", "pipeline", "probability", "company", "contacts"})
    given_values = {"currency": "EUR", "pipeline": "default", "probability": Decimal("0.5")}
    assert given_values.items() <= of("en_US", DealFactory, 1, overrides=given_values)[0].items()
