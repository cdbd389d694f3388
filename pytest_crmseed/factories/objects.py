"""The factories of companies, contacts and deals."""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from factory.declarations import Trait

from pytest_crmseed.factories import names, places, slugs, words
from pytest_crmseed.factories.base import CRMFactory
from pytest_crmseed.factories.computed import Derived, Given, Parent
from pytest_crmseed.factories.declarations import (
    UNSET,
    DecimalBetween,
    IntegerBetween,
    Pick,
    Weighted,
)
from pytest_crmseed.factories.streams import BITS, Generation, below, split

OPEN_STAGES = ("new", "qualified", "proposal", "negotiation")

# As the stages are written here, and as portals name and label theirs ("closedwon", "Closed Won").
_CLOSED = frozenset({"closedwon", "closedlost", "won", "lost"})

# RFC 2606 and RFC 6761: nobody owns these, and no mail to them arrives.
_RESERVED_DOMAINS = (
    "example",
    "example.com",
    "example.net",
    "example.org",
    "invalid",
    "localhost",
    "test",
)

_NUMBER, _INDEX, _COMPANY = Given.NUMBER, Given.INDEX, Parent("company")

# One stream for all parts of an address, so that they agree.
_PLACE = "place"


# -- addresses -----------------------------------------------------------------------------------
def _city(about: Generation) -> Callable[..., str]:
    cities = places.cities(about.locale)
    count = len(cities)
    return lambda number, company: company.get("city") or cities[number * count >> BITS]


def _part_of_address(part: str) -> Derived:
    def prepare(about: Generation) -> Callable[..., Any]:
        part_of_place = places.part_of_place(about.locale, part)

        def value(number: int, company: Mapping[str, Any], city: Any) -> Any:
            if company and company.get("city") == city and company.get(part):
                return company[part]
            known = part_of_place(city, number)
            # Of a city nobody here knows: rather nothing than something that contradicts it.
            return UNSET if known is None else known

        return value

    return Derived(prepare, _NUMBER, _COMPANY, "city", stream=_PLACE)


def _phone(about: Generation) -> Callable[[object, int], str]:
    return places.phone_in(about.locale, "phone")


def _mobile_phone(about: Generation) -> Callable[[object, int], str]:
    return places.phone_in(about.locale, "mobile")


# -- companies -----------------------------------------------------------------------------------
def _company_name(about: Generation) -> Callable[..., str]:
    def by_industry(number: int, industry: Any) -> str:
        word, rest = split(number, len(words.COMPANY_WORDS))
        endings = words.INDUSTRIES.get(industry, words.ANY_INDUSTRY)
        return f"{words.COMPANY_WORDS[word]} {endings[below(rest, len(endings))]}"

    if about.locale.startswith("en"):
        return by_industry
    pool = names.company_names(about.locale)
    return lambda number, industry: pool[below(number, len(pool))]


def _company_domain(about: Generation) -> Callable[..., str]:
    def value(index: int, name: Any) -> str:
        return f"{slugs.label(name, f'-{index}', about.locale, instead='company')}.{about.tagged_domain}"

    return value


def _annual_revenue(about: Generation) -> Callable[..., Decimal]:
    def value(number: int, employees: Any) -> Decimal:
        people = employees if isinstance(employees, int) else 1
        return Decimal(people * (60 + below(number, 180)) * 1000)

    return value


def _company_description(about: Generation) -> Callable[..., str]:
    def value(name: Any, industry: Any, city: Any) -> str:
        what = f"{name or 'This'} is a company"
        if industry:
            what += f" in {str(industry).lower()}"
        if city:
            what += f", based in {city}"
        return f"{what}."

    return value


class CompanyFactory(CRMFactory):
    """Makes companies. Domains are unique and lie below the generation's e-mail domain."""

    class Meta:
        object_type = "companies"

    name = Derived(_company_name, _NUMBER, "industry")
    domain = Derived(_company_domain, _INDEX, "name")
    industry = Pick(tuple(words.INDUSTRIES))
    phone = Derived(_phone, "city", _NUMBER)
    employees = Weighted(
        {
            IntegerBetween(2, 19): 30,
            IntegerBetween(20, 99): 35,
            IntegerBetween(100, 499): 20,
            IntegerBetween(500, 4999): 15,
        }
    )
    annual_revenue = Derived(_annual_revenue, _NUMBER, "employees")
    description = Derived(_company_description, "name", "industry", "city")
    street = Pick(places.streets)
    city = Derived(_city, _NUMBER, _COMPANY, stream=_PLACE)
    state = _part_of_address("state")
    postal_code = _part_of_address("postal_code")
    country = _part_of_address("country")


# -- contacts ------------------------------------------------------------------------------------
def _email(about: Generation) -> Callable[..., str]:
    own, tag = about.tagged_domain, about.unique_tag
    harmless = tuple(f".{name}" for name in (about.email_domain, *_RESERVED_DOMAINS))
    letters = names.letters_of(about.locale)

    def value(index: int, company: Mapping[str, Any], first_name: Any, last_name: Any) -> str:
        domain, suffix = own, str(index)
        of_company = company.get("domain")
        # No mail to a contact reaches anybody.
        if isinstance(of_company, str) and f".{of_company.lower()}".endswith(harmless):
            domain = of_company.lower()
            if tag and not f".{domain}".endswith(f".{own}"):
                # The domain is not this seed's alone, so the part before the @ has to be.
                suffix += f".{tag}"
        first = letters(first_name) if isinstance(first_name, str) else ""
        last = letters(last_name) if isinstance(last_name, str) else ""
        return f"{slugs.local_part(first, last, suffix, 'contact')}@{domain}"

    return value


class ContactFactory(CRMFactory):
    """Makes contacts. A contact of a company has its city, and an e-mail address in its domain.

    E-mail addresses are unique. One is taken from the company's domain only where that is a
    reserved one or lies below the generation's e-mail domain: no mail to a contact reaches anybody.
    """

    class Meta:
        object_type = "contacts"

    first_name = Pick(names.first_names)
    last_name = Pick(names.last_names)
    email = Derived(_email, _INDEX, _COMPANY, "first_name", "last_name")
    phone = Derived(_phone, "city", _NUMBER)
    mobile_phone = Derived(_mobile_phone, "city", _NUMBER)
    job_title = Pick(words.JOB_TITLES)
    street = Pick(places.streets)
    city = Derived(_city, _NUMBER, _COMPANY, stream=_PLACE)
    state = _part_of_address("state")
    postal_code = _part_of_address("postal_code")
    country = _part_of_address("country")
    lifecycle_stage = Weighted(
        {
            "subscriber": 15,
            "lead": 30,
            "marketingqualifiedlead": 20,
            "salesqualifiedlead": 15,
            "opportunity": 10,
            "customer": 10,
        }
    )


# -- deals ---------------------------------------------------------------------------------------
def _deal_name(about: Generation) -> Callable[..., str]:
    kinds = tuple(words.DEALS)

    def value(number: int, company: Mapping[str, Any]) -> str:
        kind, rest = split(number, len(kinds))
        if name := company.get("name"):
            return f"{name} - {kinds[kind]}"
        return f"{kinds[kind]} Q{1 + below(rest, 4)} {about.base_date.year}"

    return value


def _deal_description(about: Generation) -> Callable[..., str]:
    sentences = tuple(words.DEALS.values())

    def value(number: int, name: Any) -> str:
        for kind, sentence in words.DEALS.items():
            if isinstance(name, str) and kind in name:
                return sentence
        return sentences[below(number, len(sentences))]

    return value


def _close_date(about: Generation) -> Callable[..., date]:
    def value(number: int, stage: Any) -> date:
        days = timedelta(days=1 + below(number, 180))
        return about.base_date + (-days if _is_closed(str(stage)) else days)

    return value


@lru_cache(maxsize=256)
def _is_closed(stage: str) -> bool:
    return "".join(filter(str.isalnum, stage)).lower() in _CLOSED


class DealFactory(CRMFactory):
    """Makes deals. A closed deal has its close date before the base date, an open one after it.

    ``currency``, ``pipeline`` and ``probability`` are set by override only. Traits: ``won``,
    ``lost`` and ``open``.
    """

    class Meta:
        object_type = "deals"

    class Params:
        won = Trait(stage="closed_won")
        lost = Trait(stage="closed_lost")
        open = Trait(stage=Pick(OPEN_STAGES))

    name = Derived(_deal_name, _NUMBER, _COMPANY)
    amount = Weighted(
        {
            DecimalBetween("1000.00", "9950.00", step=50): 45,
            DecimalBetween("10000.00", "49750.00", step=250): 35,
            DecimalBetween("50000.00", "250000.00", step=1000): 20,
        }
    )
    currency = UNSET
    stage = Weighted(
        {"new": 20, "qualified": 20, "proposal": 20, "negotiation": 15, "closed_won": 15, "closed_lost": 10}
    )
    pipeline = UNSET
    close_date = Derived(_close_date, _NUMBER, "stage")
    probability = UNSET
    description = Derived(_deal_description, _NUMBER, "name")
