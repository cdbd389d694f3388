"""The scopes that calls on records need (HubSpot's specification, ``security`` of each call)."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_crmseed.schema.model import ObjectType

# Activities are read and written with the contacts' scopes; for calls, meetings, emails and the other
# ones that is [unsure], by analogy with notes and tasks.
_ACTIVITIES = frozenset({"notes", "tasks", "calls", "meetings", "emails", "communications", "postal_mail"})
_COMMERCE = frozenset({"products", "line_items"})


def of_records(object_type: ObjectType, right: str) -> Sequence[str]:
    """Return the scopes of which one is needed to ``read`` or to ``write`` records of a type."""
    name = object_type.name
    if name == "tickets":
        return ["tickets"]
    if name in _ACTIVITIES:
        return [f"crm.objects.contacts.{right}"]
    if object_type.custom:
        return [f"crm.objects.custom.{right}"]
    own = f"crm.objects.{name}.{right}"
    return [own, "e-commerce"] if name in _COMMERCE else [own]
