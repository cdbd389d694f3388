"""What the portal does by itself after a write, where its account has that switched on.

HubSpot, knowledge base: "Automatically create and associate companies with contacts", "Sync lifecycle
stages". Every one of them is a switch of :class:`~pytest_crmseed.portal.behaviour.Behaviour`; HubSpot
does these things moments later, the portal at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pytest_crmseed.portal.hubspot import lifecycle, links, records
from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.object_types import pipeline, pipeline_properties
from pytest_crmseed.portal.hubspot.records import Written
from pytest_crmseed.portal.store import StoredRecord
from pytest_crmseed.schema.model import ObjectType

FREE_MAIL = frozenset(
    {
        "aol.com",
        "gmail.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mail.com",
        "me.com",
        "msn.com",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "web.de",
        "yahoo.com",
        "yandex.ru",
        "zoho.com",
    }
)
"""[unsure] Domains of free mail providers, which make no company; HubSpot's own list is longer."""

# [unsure] What HubSpot writes as the source of what it does by itself.
_ORIGIN = "AUTOMATION_PLATFORM"


def after_write(
    account: Account, object_type: ObjectType, written: Written, before: Mapping[str, str]
) -> None:
    """Do what follows a create or an update; ``before`` is what was set until then."""
    behaviour, record = account.behaviour, written.record
    email = record.properties.get("email", "")
    if (
        behaviour.companies_from_email_domains
        and object_type.name == "contacts"
        and email != before.get("email", "")
    ):
        _company_of(account, object_type, record, email.partition("@")[2])
    for association, to_id in written.linked:
        after_link(account, object_type, record.id, association.to, to_id)
    if not behaviour.lifecycle_sync:
        return
    names = pipeline_properties(object_type)
    if object_type.name == "deals" and names is not None:
        stages = {name: (record.properties.get(name), before.get(name)) for name in names}
        if any(now != then for now, then in stages.values()):
            _advance_linked(account, object_type, record)
    moved = record.properties.get(lifecycle.PROPERTY) != before.get(lifecycle.PROPERTY)
    if moved and object_type.name == "companies":
        _advance_contacts(account, object_type, record)


def after_link(account: Account, from_type: ObjectType, from_id: int, to: str, to_id: int) -> None:
    """Do what follows a new association."""
    ends = {from_type.name: from_id, to: to_id}
    object_types, behaviour = account.object_types.by_name, account.behaviour
    if "deals" in ends and "contacts" in ends and behaviour.primary_company_for_deals:
        deals, deal_id = object_types["deals"], ends["deals"]
        company = links.primary_target(account, object_types["contacts"], ends["contacts"])
        primary = deals.association("companies", primary=True)
        without = links.primary_target(account, deals, deal_id) is None
        if company is not None and primary is not None and without:
            links.add(account, deals, deal_id, primary, company)
    if not behaviour.lifecycle_sync:
        return
    if "deals" in ends and ends.keys() & {"contacts", "companies"}:
        deal = account.live(object_types["deals"], ends["deals"])
        if deal is not None:
            _advance_linked(account, object_types["deals"], deal)
    if ends.keys() == {"contacts", "companies"}:
        company_record = account.live(object_types["companies"], ends["companies"])
        if company_record is not None:
            _advance_contacts(account, object_types["companies"], company_record)


def _company_of(account: Account, object_type: ObjectType, contact: StoredRecord, domain: str) -> None:
    apart = {name.lower() for name in account.behaviour.email_domains_without_company} | FREE_MAIL
    companies = account.object_types.by_name.get("companies")
    primary = object_type.association("companies", primary=True)
    if not domain or domain in apart or companies is None or primary is None:
        return
    company = account.store.first_with(PROVIDER, companies.name, "domain", domain)
    if company is None:
        name = domain.partition(".")[0].capitalize()
        made = records.create(account, companies, {"domain": domain, "name": name}, origin=_ORIGIN)
        company = made.record.id
    if links.primary_target(account, object_type, contact.id) is None:
        links.add(account, object_type, contact.id, primary, company)


def _advance_linked(account: Account, deals: ObjectType, deal: StoredRecord) -> None:
    """Move what a deal is linked to to ``opportunity``, or to ``customer`` once it is won."""
    names = pipeline_properties(deals)
    found = pipeline(deals, deal.properties.get(names[0], "")) if names else None
    stages = found.stages if found is not None else ()
    stage = next((each for each in stages if names and each.id == deal.properties.get(names[1])), None)
    won = stage is not None and stage.closed and stage.probability == 1
    for to in ("contacts", "companies"):
        linked = account.store.links(PROVIDER, deals.name, [deal.id], to).get(deal.id, [])
        _advance(account, to, {link.to_id for link in linked}, "customer" if won else "opportunity")


def _advance_contacts(account: Account, companies: ObjectType, company: StoredRecord) -> None:
    stage = company.properties.get(lifecycle.PROPERTY)
    contacts = account.object_types.by_name.get("contacts")
    if not stage or contacts is None:
        return
    linked = account.store.links(PROVIDER, companies.name, [company.id], "contacts").get(company.id, [])
    ids = {link.to_id for link in linked if links.primary_target(account, contacts, link.to_id) == company.id}
    _advance(account, "contacts", ids, stage)


def _advance(account: Account, to: str, ids: Collection[int], stage: str) -> None:
    object_type = account.object_types.by_name[to]
    for id in sorted(ids):
        record = account.live(object_type, id)
        if record is None:
            continue
        before = record.properties.get(lifecycle.PROPERTY, "")
        if before != stage and not lifecycle.is_step_back(account, object_type, before, stage):
            records.overwrite(account, object_type, record, {lifecycle.PROPERTY: stage}, origin=_ORIGIN)
