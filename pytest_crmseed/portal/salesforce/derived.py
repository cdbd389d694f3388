"""Fields whose values follow from other rows, and are therefore worked out when they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.org import Org
    from pytest_crmseed.portal.salesforce.rows import Row

Derive = Callable[["Org", "Row"], "str | None"]


def _of(lookup: str, field: str) -> Derive:
    """Return what a field of the row that is referred to says."""

    def derive(org: Org, row: Row) -> str | None:
        parent = org.rows.by_id(row[lookup] or "")
        return None if parent is None else parent[field]

    return derive


def _person(field: str, of_lead: str | None = None) -> Derive:
    """Return what a field of a campaign member's contact or lead says."""

    def derive(org: Org, row: Row) -> str | None:
        contact = org.rows.by_id(row["ContactId"] or "")
        if contact is not None:
            return contact[field]
        lead = org.rows.by_id(row["LeadId"] or "")
        return None if lead is None else lead[of_lead or field]

    return derive


def _company(org: Org, row: Row) -> str | None:
    contact = org.rows.by_id(row["ContactId"] or "")
    if contact is None:
        lead = org.rows.by_id(row["LeadId"] or "")
        return None if lead is None else lead["Company"]
    account = org.rows.by_id(contact["AccountId"] or "")
    return None if account is None else account["Name"]


def _count(of: str, counts: Callable[[Row], bool]) -> Derive:
    """Return how many rows of an object refer to this one and count."""

    def derive(org: Org, row: Row) -> str | None:
        return str(sum(1 for child in _children(org, row, of) if counts(child)))

    return derive


def _total(of: str, field: str, counts: Callable[[Row], bool]) -> Derive:
    """Return the sum of a field of the rows of an object that refer to this one and count."""

    def derive(org: Org, row: Row) -> str | None:
        return str(sum(Decimal(child[field] or 0) for child in _children(org, row, of) if counts(child)))

    return derive


def _children(org: Org, row: Row, of: str) -> list[Row]:
    numbers = [number for _, number, _ in org.rows.children(row, of)]
    return list(org.rows.get(org.object(of), numbers).values())


def _is(field: str) -> Callable[[Row], bool]:
    return lambda row: row[field] == "true"


def _has(field: str) -> Callable[[Row], bool]:
    return lambda row: row[field] is not None


_CAMPAIGN: Mapping[str, Derive] = {
    "AmountAllOpportunities": _total("Opportunity", "Amount", lambda row: True),
    "AmountWonOpportunities": _total("Opportunity", "Amount", _is("IsWon")),
    "NumberOfContacts": _count("CampaignMember", _has("ContactId")),
    "NumberOfConvertedLeads": lambda org, row: "0",
    "NumberOfLeads": _count("CampaignMember", _has("LeadId")),
    "NumberOfOpportunities": _count("Opportunity", lambda row: True),
    "NumberOfResponses": _count("CampaignMember", _is("HasResponded")),
    "NumberOfWonOpportunities": _count("Opportunity", _is("IsWon")),
}

_MEMBER: Mapping[str, Derive] = {
    "City": _person("MailingCity", "City"),
    "CompanyOrAccount": _company,
    "Country": _person("MailingCountry", "Country"),
    "Description": _person("Description"),
    "DoNotCall": _person("DoNotCall"),
    "Email": _person("Email"),
    "Fax": _person("Fax"),
    "FirstName": _person("FirstName"),
    "HasOptedOutOfEmail": _person("HasOptedOutOfEmail"),
    "HasOptedOutOfFax": _person("HasOptedOutOfFax"),
    "LastName": _person("LastName"),
    "LeadOrContactId": lambda org, row: row["ContactId"] or row["LeadId"],
    "LeadOrContactOwnerId": _person("OwnerId"),
    "LeadSource": _person("LeadSource"),
    "MobilePhone": _person("MobilePhone"),
    "Name": _person("Name"),
    "Phone": _person("Phone"),
    "PostalCode": _person("MailingPostalCode", "PostalCode"),
    "Salutation": _person("Salutation"),
    "State": _person("MailingState", "State"),
    "Title": _person("Title"),
    "Type": lambda org, row: "Contact" if row["ContactId"] else "Lead",
}

DERIVED: Mapping[tuple[str, str], Derive] = {
    **{("Campaign", name): derive for name, derive in _CAMPAIGN.items()},
    **{("CampaignMember", name): derive for name, derive in _MEMBER.items()},
    ("Case", "ContactEmail"): _of("ContactId", "Email"),
    ("Case", "ContactFax"): _of("ContactId", "Fax"),
    ("Case", "ContactMobile"): _of("ContactId", "MobilePhone"),
    ("Case", "ContactPhone"): _of("ContactId", "Phone"),
}
"""By object and field."""
