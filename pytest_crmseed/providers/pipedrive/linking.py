"""Links of records: which there are; each is a field of the child.

Sources: Pipedrive docs, "API v2 reference" (deals, persons, activities), "API v1 reference" (leads, notes).
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_crmseed.planning import LinkRule
from pytest_crmseed.records import Link

_COMPANY = LinkRule("companies", home="org_id")
_PERSON = LinkRule("contacts", made=True, of="company", home="person_id")

_ACTIVITY = {
    "company": _COMPANY,
    "contacts": _PERSON,
    "deal": LinkRule("deals", of="company", home="deal_id"),
}

LINKS: Mapping[str, Mapping[str, LinkRule]] = {
    "companies": {},
    "contacts": {"company": _COMPANY},
    "leads": {
        "company": LinkRule("companies", home="organization_id"),
        # Pipedrive takes no lead without a person or an organization.
        "contacts": _PERSON,
    },
    "deals": {"company": LinkRule("companies", made=True, home="org_id"), "contacts": _PERSON},
    "products": {},
    "line_items": {
        "deal": LinkRule("deals", made=True, home="deal_id"),
        "product": LinkRule("products", made=True, home="product_id"),
    },
    **dict.fromkeys(("notes", "tasks", "calls", "meetings"), _ACTIVITY),
}
"""The link fields of each object type."""

Ids = Mapping[tuple[str, int], str]
"""The ids of parents, by object type and index."""


def homes(object_type: str, links: tuple[Link, ...], ids: Ids) -> dict[str, str]:
    """Return the fields that hold the ids of parents."""
    rules = LINKS.get(object_type, {})
    return {
        rules[link.field].home: link.id if link.id is not None else ids[(link.object_type, link.index or 0)]
        for link in links
        if link.field in rules
    }


def home_of(object_type: str, parent: str) -> str:
    """Return the field of an object type that holds the id of a parent of another one."""
    return next((rule.home for rule in LINKS.get(object_type, {}).values() if rule.object_type == parent), "")
