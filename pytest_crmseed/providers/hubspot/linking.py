"""Links of records: which there are, and how they go into the body of a create.

Sources: HubSpot docs "Associations guide", "Leads guide", "Line items guide", "Products guide".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pytest_crmseed.errors import UsageError
from pytest_crmseed.planning import NEUTRAL_LINKS, LinkRule
from pytest_crmseed.records import Draft, Link
from pytest_crmseed.schema.model import Kind, ObjectType, Schema

_LINE_ITEMS = NEUTRAL_LINKS["line_items"]

LINKS: Mapping[str, Mapping[str, LinkRule]] = {
    **NEUTRAL_LINKS,
    # A line item is no associate of its product, it holds the product's id.
    "line_items": {**_LINE_ITEMS, "product": replace(_LINE_ITEMS["product"], home="hs_product_id")},
    # HubSpot takes no lead without a contact.
    "leads": {
        "company": LinkRule("companies"),
        "contacts": LinkRule("contacts", made=True, many=True, of="company"),
    },
    "emails": NEUTRAL_LINKS["calls"],
    "quotes": {
        "company": LinkRule("companies"),
        "contacts": LinkRule("contacts", many=True, of="company"),
        "deal": LinkRule("deals", of="company"),
    },
}
"""The link fields of each object type."""

Ids = Mapping[tuple[str, int], str]
"""The ids of parents, by object type and index."""

Native = Callable[[str], str]
"""Gives an object type's name in the schema."""


def properties(draft: Draft, ids: Ids, schema: Schema, native: Native) -> dict[str, str]:
    """Return the properties that hold the ids of parents."""
    object_type = schema.object_types[native(draft.object_type)]
    return {home: _id(link, ids) for link in draft.links if (home := _home(draft, link, object_type, native))}


def associations(draft: Draft, ids: Ids, schema: Schema, native: Native) -> list[dict[str, Any]]:
    """Return the ``associations`` of a create: one entry for each record linked, with all its types.

    A label goes beside the unlabelled type. Where there is a primary type (a deal's main company), the
    first record linked gets it: HubSpot allows one of a kind.

    Raises:
        UsageError: the schema has no association type between the two.
    """
    object_type = schema.object_types[native(draft.object_type)]
    types: dict[tuple[str, str], dict[tuple[str, int], None]] = {}
    with_primary: set[str] = set()
    for link in draft.links:
        if _home(draft, link, object_type, native):
            continue
        to = native(link.object_type)
        found = _types(object_type, to, link, primary=to not in with_primary)
        if not found:
            raise UsageError(
                f"{draft.object_type}[{draft.index}].{link.field} cannot be set: the {schema.source} schema "
                f"has no association type from {object_type.name} to {to}."
            )
        with_primary.add(to)
        types.setdefault((to, _id(link, ids)), {}).update(found)
    return [
        {
            "to": {"id": record_id},
            "types": [
                {"associationCategory": category, "associationTypeId": type_id}
                for category, type_id in entries
            ],
        }
        for (_, record_id), entries in types.items()
    ]


def _types(object_type: ObjectType, to: str, link: Link, *, primary: bool) -> dict[tuple[str, int], None]:
    # A portal's own labels are numbered apart: an id means a type together with its category.
    wanted = [object_type.association(to)]
    if link.label:
        wanted.append(object_type.association(to, label=link.label))
    if primary:
        wanted.append(object_type.association(to, primary=True))
    return {(association.category, association.type_id): None for association in wanted if association}


def _home(draft: Draft, link: Link, object_type: ObjectType, native: Native) -> str:
    """Return the property that holds the parent's id, or nothing where the link is an association."""
    if draft.object_type in LINKS:
        rule = LINKS[draft.object_type].get(link.field)
        return rule.home if rule else ""
    # A custom object's properties may refer to records, too; a second one of a kind goes by its own name.
    to = native(link.object_type)
    held = [
        field.name
        for field in object_type.fields.values()
        if field.kind is Kind.REFERENCE and field.required and not field.read_only and to in field.references
    ]
    return link.field if link.field in held else next(iter(held), "")


def _id(link: Link, ids: Ids) -> str:
    return link.id if link.id is not None else ids[(link.object_type, link.index or 0)]
