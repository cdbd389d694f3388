"""Links of records: which there are, and the fields and records that hold them.

Source: Salesforce docs, "Object Reference".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_crmseed.planning import LinkRule
from pytest_crmseed.providers.salesforce.definitions import ROLES
from pytest_crmseed.records import Draft, Link
from pytest_crmseed.schema.model import Kind, ObjectType

_ENTRY = "PricebookEntryId"
_PRODUCT = LinkRule("products", made=True, home=_ENTRY)

# Salesforce finds the account of an activity by itself, from what it is about or from whose it is.
_ACTIVITY = {
    "company": LinkRule("companies", home="WhatId"),
    "contacts": LinkRule("contacts", made=True, of="company", home="WhoId"),
    "deal": LinkRule("deals", of="company", home="WhatId"),
}

LINKS: Mapping[str, Mapping[str, LinkRule]] = {
    "companies": {},
    "contacts": {"company": LinkRule("companies", home="AccountId")},
    "leads": {},
    "deals": {
        "company": LinkRule("companies", made=True, home="AccountId"),
        # Each is a record of its own: a contact's role in the deal.
        "contacts": LinkRule("contacts", made=True, many=True, of="company"),
    },
    "tickets": {
        "company": LinkRule("companies", home="AccountId"),
        "contacts": LinkRule("contacts", made=True, of="company", home="ContactId"),
    },
    "products": {},
    "line_items": {"deal": LinkRule("deals", made=True, home="OpportunityId"), "product": _PRODUCT},
    "orders": {"company": LinkRule("companies", made=True, home="AccountId")},
    "OrderItem": {"orders": LinkRule("orders", made=True, home="OrderId"), "product": _PRODUCT},
    **dict.fromkeys(("notes", "tasks", "calls", "meetings"), _ACTIVITY),
    "campaigns": {},
    "CampaignMember": {
        "campaigns": LinkRule("campaigns", made=True, home="CampaignId"),
        "contacts": LinkRule("contacts", made=True, home="ContactId"),
        # Whoever it is, it is one: a lead is linked where it is asked for, with contacts=None.
        "leads": LinkRule("leads", home="LeadId", dealt=False),
    },
}
"""The link fields of each object type."""

Ids = Mapping[tuple[str, int], str]
"""The ids of parents, by object type and index."""

Entries = Mapping[str, str]
"""The ids of the standard price book's entries, by their product's."""


def homes(
    draft: Draft, ids: Ids, object_type: ObjectType, native: Callable[[str], str], entries: Entries
) -> dict[str, Any]:
    """Return the fields that hold the ids of parents.

    A line item refers to an entry of the standard price book; where that is not known it says which
    product, and the portal finds the entry or says why not.
    """
    held: dict[str, Any] = {}
    for link in draft.links:
        home = _home(draft, link, object_type, native)
        parent = id_of(link, ids)
        if home == _ENTRY:
            if parent in entries:
                held[_ENTRY] = entries[parent]
            else:
                held["Product2Id"] = parent
        elif home:
            held[home] = parent
    return held


def roles(draft: Draft, ids: Ids, deal: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the records that make contacts take part in a deal; the first is the primary one.

    ``deal`` is the field that names the deal, which is made in the same request.
    """
    linked = [link for link in draft.links if link.field == "contacts"]
    return [
        {
            "attributes": {"type": ROLES},
            **deal,
            "ContactId": id_of(link, ids),
            **({"Role": link.label} if link.label else {}),
            "IsPrimary": number == 0,
        }
        for number, link in enumerate(linked)
    ]


def _home(draft: Draft, link: Link, object_type: ObjectType, native: Callable[[str], str]) -> str:
    if draft.object_type in LINKS:
        rule = LINKS[draft.object_type].get(link.field)
        return rule.home if rule else ""
    # A custom object's required references are links; a second one of a kind goes by its own name.
    to = native(link.object_type)
    held = [
        field.name
        for field in object_type.fields.values()
        if field.kind is Kind.REFERENCE and field.required and not field.read_only and to in field.references
    ]
    return link.field if link.field in held else next(iter(held), "")


def id_of(link: Link, ids: Ids) -> str:
    """Return the id of the record that a link leads to."""
    return link.id if link.id is not None else ids[(link.object_type, link.index or 0)]
