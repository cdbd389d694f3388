"""The factories of the neutral object types."""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from factory.declarations import Trait

from pytest_crmseed.factories import names, places, slugs, words
from pytest_crmseed.factories.base import CRMFactory
from pytest_crmseed.factories.declarations import (
    UNSET,
    Computed,
    DecimalBetween,
    Draw,
    IntegerBetween,
    Pick,
    Weighted,
)
from pytest_crmseed.factories.streams import Generation, below, split

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

# One stream for all parts of an address, so that they agree.
_PLACE = "place"


# -- addresses -----------------------------------------------------------------------------------
def _city(record: Any, draw: Draw) -> str:
    company = draw.parent("company")
    return company.get("city") or places.city(draw.generation.locale, draw.number)


def _part_of_address(part: str) -> Computed:
    def value(record: Any, draw: Draw) -> Any:
        company = draw.parent("company")
        if company.get("city") == record.city and company.get(part):
            return company[part]
        place = places.place(draw.generation.locale, record.city, draw.number)
        # Of a city nobody here knows: rather nothing than something that contradicts it.
        return UNSET if place is None else getattr(place, part)

    return Computed(value, stream=_PLACE)


def _street(record: Any, draw: Draw) -> str:
    return places.street(draw.generation.locale, draw.number)


def _phone(record: Any, draw: Draw) -> str:
    return places.phone(draw.generation.locale, record.city, draw.number)


def _mobile_phone(record: Any, draw: Draw) -> str:
    return places.phone(draw.generation.locale, record.city, draw.number, mobile=True)


# -- companies -----------------------------------------------------------------------------------
def _company_name(record: Any, draw: Draw) -> str:
    if not draw.generation.locale.startswith("en"):
        pool = names.company_names(draw.generation.locale)
        return pool[below(draw.number, len(pool))]
    word, rest = split(draw.number, len(words.COMPANY_WORDS))
    endings = words.INDUSTRIES.get(record.industry, words.ANY_INDUSTRY)
    return f"{words.COMPANY_WORDS[word]} {endings[below(rest, len(endings))]}"


def _company_domain(record: Any, draw: Draw) -> str:
    label = slugs.label(record.name, f"-{draw.index}", draw.generation.locale, instead="company")
    return f"{label}.{draw.generation.tagged_domain}"


def _annual_revenue(record: Any, draw: Draw) -> Decimal:
    employees = record.employees if isinstance(record.employees, int) else 1
    return Decimal(employees * (60 + below(draw.number, 180)) * 1000)


def _company_description(record: Any, draw: Draw) -> str:
    what = f"{record.name or 'This'} is a company"
    if record.industry:
        what += f" in {str(record.industry).lower()}"
    if record.city:
        what += f", based in {record.city}"
    return f"{what}."


class CompanyFactory(CRMFactory):
    """Makes companies. Domains are unique and lie below the generation's e-mail domain."""

    class Meta:
        object_type = "companies"

    name = Computed(_company_name)
    domain = Computed(_company_domain)
    industry = Pick(tuple(words.INDUSTRIES))
    phone = Computed(_phone)
    employees = Weighted(
        {
            IntegerBetween(2, 19): 30,
            IntegerBetween(20, 99): 35,
            IntegerBetween(100, 499): 20,
            IntegerBetween(500, 4999): 15,
        }
    )
    annual_revenue = Computed(_annual_revenue)
    description = Computed(_company_description)
    street = Computed(_street)
    city = Computed(_city, stream=_PLACE)
    state = _part_of_address("state")
    postal_code = _part_of_address("postal_code")
    country = _part_of_address("country")


# -- contacts ------------------------------------------------------------------------------------
def _email(record: Any, draw: Draw) -> str:
    about = draw.generation
    domain = draw.parent("company").get("domain")
    if not (isinstance(domain, str) and _reaches_nobody(domain, about)):
        domain = about.tagged_domain
    domain = domain.lower()
    suffix = str(draw.index)
    if about.unique_tag and not f".{domain}".endswith(f".{about.tagged_domain}"):
        # The domain is not this seed's alone, so the part before the @ has to be.
        suffix += f".{about.unique_tag}"
    first, last = (_latin(name, about.locale) for name in (record.first_name, record.last_name))
    return f"{slugs.local_part(first, last, suffix, instead='contact')}@{domain}"


def _latin(name: Any, locale: str) -> str:
    latin = names.romanised(locale).get(name, name) if isinstance(name, str) else name
    return slugs.letters(latin, locale)


def _reaches_nobody(domain: str, about: Generation) -> bool:
    harmless = tuple(f".{name}" for name in (about.email_domain, *_RESERVED_DOMAINS))
    return f".{domain.lower()}".endswith(harmless)


class ContactFactory(CRMFactory):
    """Makes contacts. A contact of a company has its city, and an e-mail address in its domain.

    E-mail addresses are unique. One is taken from the company's domain only where that is a
    reserved one or lies below the generation's e-mail domain: no mail to a contact reaches anybody.
    """

    class Meta:
        object_type = "contacts"

    first_name = Pick(names.first_names)
    last_name = Pick(names.last_names)
    email = Computed(_email)
    phone = Computed(_phone)
    mobile_phone = Computed(_mobile_phone)
    job_title = Pick(words.JOB_TITLES)
    street = Computed(_street)
    city = Computed(_city, stream=_PLACE)
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
def _deal_name(record: Any, draw: Draw) -> str:
    kinds = tuple(words.DEALS)
    kind, rest = split(draw.number, len(kinds))
    company = draw.parent("company").get("name")
    if company:
        return f"{company} - {kinds[kind]}"
    return f"{kinds[kind]} Q{1 + below(rest, 4)} {draw.generation.base_date.year}"


def _deal_description(record: Any, draw: Draw) -> str:
    for kind, sentence in words.DEALS.items():
        if isinstance(record.name, str) and kind in record.name:
            return sentence
    sentences = tuple(words.DEALS.values())
    return sentences[below(draw.number, len(sentences))]


def _close_date(record: Any, draw: Draw) -> date:
    stage = "".join(filter(str.isalnum, str(record.stage))).lower()
    days = timedelta(days=1 + below(draw.number, 180))
    return draw.generation.base_date + (-days if stage in _CLOSED else days)


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

    name = Computed(_deal_name)
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
    close_date = Computed(_close_date)
    probability = UNSET
    description = Computed(_deal_description)


_DEFAULTS: Mapping[str, type[CRMFactory]] = MappingProxyType(
    {"companies": CompanyFactory, "contacts": ContactFactory, "deals": DealFactory}
)


def default_factories() -> dict[str, type[CRMFactory]]:
    """Return the factories of this package by object type, in a dictionary of the caller's own."""
    return dict(_DEFAULTS)
