"""Links of records: which there are; each is a field of the child.

Sources: Odoo docs, "External JSON-2 API" (relational fields); ``fields_get`` of a server.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_crmseed.planning import LinkRule
from pytest_crmseed.records import Draft

PARTNER, LEAD = "res.partner", "crm.lead"

# Activities and notes belong to one document; of several links this is the order in which they count.
_DOCUMENTS: Mapping[str, tuple[str, str]] = {
    "deal": (LEAD, "crm.model_crm_lead"),
    "contacts": (PARTNER, "base.model_res_partner"),
    "company": (PARTNER, "base.model_res_partner"),
}
_OF_DOCUMENTS = ("notes", "tasks", "calls", "meetings")

_COMPANY = LinkRule("companies", home="partner_id")
_CONTACT = LinkRule("contacts", made=True, of="company", home="partner_id")
_DOCUMENT = {
    "contacts": LinkRule("contacts", made=True, home="res_id"),
    "company": LinkRule("companies", home="res_id", dealt=False),
    "deal": LinkRule("deals", home="res_id", dealt=False),
}

LINKS: Mapping[str, Mapping[str, LinkRule]] = {
    "companies": {},
    "contacts": {"company": LinkRule("companies", home="parent_id")},
    "leads": {},
    "deals": {"company": LinkRule("companies", made=True, home="partner_id"), "contacts": _CONTACT},
    "products": {},
    **dict.fromkeys(_OF_DOCUMENTS, _DOCUMENT),
}
"""The link fields of each object type."""

Ids = Mapping[tuple[str, int], str]
"""The ids of parents, by object type and index."""


def columns(draft: Draft, rules: Mapping[str, LinkRule], ids: Ids) -> dict[str, str]:
    """Return the columns of an import that hold a draft's parents."""
    parents = {
        link.field: link.id if link.id is not None else ids[(link.object_type, link.index or 0)]
        for link in draft.links
        if link.field in rules
    }
    if draft.object_type in _OF_DOCUMENTS:
        return _document(draft.object_type, parents)
    homes: dict[str, str] = {}
    for field, id in parents.items():
        # A deal's contact is the partner it is with; its company is that one's.
        if field == "contacts" or f"{rules[field].home}/.id" not in homes:
            homes[f"{rules[field].home}/.id"] = id
    return homes


def _document(object_type: str, parents: Mapping[str, str]) -> dict[str, str]:
    for field, (model, external_id) in _DOCUMENTS.items():
        if field in parents:
            named = {"model": model} if object_type == "notes" else {"res_model_id/id": external_id}
            return {**named, "res_id": parents[field]}
    return {}
