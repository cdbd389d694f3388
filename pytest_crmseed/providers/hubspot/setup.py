"""The property for our unique key: what there is in its place, and how it is made.

:func:`make_key` is the only thing that ever changes a portal's schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.errors import ApiRefused, PortalError
from pytest_crmseed.providers.base import Effect, Exchange, KeyRoute, Request
from pytest_crmseed.providers.hubspot.capabilities import KEY
from pytest_crmseed.schema.model import Schema

# HubSpot docs, "Properties guide": the groups that stock properties of these objects are shown in. A portal
# may have renamed or removed them, so they are looked for first.
_STOCK_GROUP = "{}information"

# A text that people read and no rule of HubSpot's does, by object type.
_TEXTS = {
    "companies": "description",
    "deals": "description",
    "tickets": "content",
    "products": "description",
    "line_items": "description",
    "quotes": "hs_comments",
    "orders": "hs_order_note",
    "notes": "hs_note_body",
    "tasks": "hs_task_body",
    "calls": "hs_call_body",
    "meetings": "hs_meeting_body",
    "emails": "hs_email_text",
}
# What a record is called, where it has no such text; of a custom object the schema tells it.
_TITLES = {"leads": "hs_lead_name"}


def route_of(definition: Any, native: str, schema: Schema) -> KeyRoute | None:
    """Return the best route to an object type's records, from what the portal says of the property.

    ``definition`` is the property's, None where there is none. E-mail addresses are the one value that
    HubSpot itself keeps unique, of contacts alone (docs, "Contacts"; a company's domain is not).
    """
    if definition is not None:
        return KeyRoute("unique" if definition.get("hasUniqueValue") else "field", KEY)
    if native == "contacts":
        return KeyRoute("value", "email")
    fields: Mapping[str, Any] = {}
    object_type = schema.object_types.get(native)
    if object_type is not None:
        fields = {name: field for name, field in object_type.fields.items() if not field.read_only}
    if _TEXTS.get(native) in fields:
        return KeyRoute("text", _TEXTS[native])
    title = _TITLES.get(native, "")
    if object_type is not None and object_type.custom and object_type.associations:
        title = object_type.display_field
    return KeyRoute("parents", title) if title in fields else None


def make_key(path: str, object_type: str, singular: str) -> Exchange[None]:
    """Make the property on an object type; ``path`` is that of its property definitions.

    HubSpot allows ten unique properties to an object type, and lets nobody make an existing property
    unique. Where it refuses a unique one (docs, "Properties guide": it offers them on contacts, companies,
    deals, tickets and custom objects, and not on products), one that is not unique is made.

    Raises:
        PortalError: the portal refuses, or has no group to put the property in.
    """
    groups = (
        yield Request("GET", f"{path}/groups", f"read the property groups of {object_type}", Effect.READ)
    ).json()
    names = [str(group["name"]) for group in groups.get("results") or () if not group.get("archived")]
    if not names:
        raise PortalError(
            f"{object_type} has no group of properties to put {KEY} in.",
            remedy="Make one in HubSpot's settings, and run this again.",
        )
    stock = _STOCK_GROUP.format(singular)
    body = {
        "name": KEY,
        "label": "crmseed key",
        "description": (
            "Marks test records made by pytest-crmseed, so that they are found and removed again. "
            "Records of your own leave it empty."
        ),
        "type": "string",
        "fieldType": "text",
        "groupName": stock if stock in names else names[0],
        "hasUniqueValue": True,
        "formField": False,
    }
    try:
        yield Request("POST", path, f"make {KEY} on {object_type}", Effect.CREATE, body=body)
    except ApiRefused as refused:
        # A name that is taken is no question of being unique.
        if refused.status != 400:
            raise
        what = f"make {KEY} on {object_type}, not unique"
        yield Request("POST", path, what, Effect.CREATE, body={**body, "hasUniqueValue": False})
