"""The factories of leads and tickets: what comes in from people."""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from factory.declarations import Trait

from pytest_crmseed.factories import names, places, slugs, texts, words
from pytest_crmseed.factories.base import CRMFactory
from pytest_crmseed.factories.computed import Derived, Given, Parent
from pytest_crmseed.factories.declarations import Pick, Weighted
from pytest_crmseed.factories.streams import Generation, below, split

_NUMBER, _INDEX, _CONTACT = Given.NUMBER, Given.INDEX, Parent("contacts")


# -- leads ---------------------------------------------------------------------------------------
def _of_contact(part: str, pool_of: Callable[[str], Sequence[str]]) -> Derived:
    """Return the declaration of a part of a name: that of the lead's contact, else one of a pool."""

    def prepare(about: Generation) -> Callable[..., Any]:
        pool = pool_of(about.locale)
        count = len(pool)
        return lambda number, contact: contact.get(part) or pool[below(number, count)]

    return Derived(prepare, _NUMBER, _CONTACT)


def _company_name(about: Generation) -> Callable[..., Any]:
    invented = _invented_company(about)
    return lambda number, company: company.get("name") or invented(number)


def _invented_company(about: Generation) -> Callable[[int], str]:
    if about.locale.startswith("en"):
        endings = tuple(ending for industry in words.INDUSTRIES.values() for ending in industry)

        def value(number: int) -> str:
            word, rest = split(number, len(words.COMPANY_WORDS))
            return f"{words.COMPANY_WORDS[word]} {endings[below(rest, len(endings))]}"

        return value
    pool = names.company_names(about.locale)
    return lambda number: pool[below(number, len(pool))]


def _email(about: Generation) -> Callable[..., str]:
    own = about.tagged_domain
    letters = names.letters_of(about.locale)

    def value(
        index: int, contact: Mapping[str, Any], first_name: Any, last_name: Any, company_name: Any
    ) -> str:
        same = (contact.get("first_name"), contact.get("last_name")) == (first_name, last_name)
        if same and isinstance(contact.get("email"), str):
            return str(contact["email"])
        first = letters(first_name) if isinstance(first_name, str) else ""
        last = letters(last_name) if isinstance(last_name, str) else ""
        company = slugs.label(company_name, "", about.locale, instead="lead")
        return f"{slugs.local_part(first, last, str(index), 'lead')}@{company}.{own}"

    return value


def _phone(about: Generation) -> Callable[..., Any]:
    phone = places.phone_in(about.locale, "phone")
    # Of any city: a lead has no address.
    return lambda number, contact: contact.get("phone") or phone(None, number)


class LeadFactory(CRMFactory):
    """Makes leads. A lead with a contact is that person, one with a company is of that company.

    Otherwise its e-mail address is unique, made of the person's name and the company's; the domain
    lies below the generation's e-mail domain. Traits: ``qualified`` and ``unqualified``.
    """

    class Meta:
        object_type = "leads"

    class Params:
        qualified = Trait(status="qualified")
        unqualified = Trait(status="unqualified")

    first_name = _of_contact("first_name", names.first_names)
    last_name = _of_contact("last_name", names.last_names)
    email = Derived(_email, _INDEX, _CONTACT, "first_name", "last_name", "company_name")
    phone = Derived(_phone, _NUMBER, _CONTACT)
    company_name = Derived(_company_name, _NUMBER, Parent("company"))
    status = Weighted({"new": 40, "attempting": 20, "connected": 15, "qualified": 15, "unqualified": 10})
    source = Weighted(
        {"website": 40, "referral": 20, "event": 15, "advertisement": 10, "partner": 10, "cold_call": 5}
    )


# -- tickets -------------------------------------------------------------------------------------
_TICKET_TEXTS = tuple(texts.TICKETS.values())


def _ticket_description(about: Generation) -> Callable[..., str]:
    def value(number: int, subject: Any) -> str:
        known = texts.TICKETS.get(subject) if isinstance(subject, str) else None
        return known or _TICKET_TEXTS[below(number, len(_TICKET_TEXTS))]

    return value


class TicketFactory(CRMFactory):
    """Makes tickets. Traits: ``open``, ``closed`` and ``urgent``."""

    class Meta:
        object_type = "tickets"

    class Params:
        open = Trait(status=Pick(("new", "waiting")))
        closed = Trait(status="closed")
        urgent = Trait(priority="urgent")

    subject = Pick(tuple(texts.TICKETS))
    description = Derived(_ticket_description, _NUMBER, "subject")
    status = Weighted({"new": 40, "waiting": 35, "closed": 25})
    priority = Weighted({"low": 25, "medium": 45, "high": 20, "urgent": 10})
