"""The scopes that calls need (HubSpot's specification, ``security`` of each call)."""

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


def to_read_definitions(object_type: ObjectType) -> Sequence[str]:
    """Return the scopes of an object type of which one is enough to read definitions of any type."""
    area = _area(object_type)
    return ["tickets"] if area == "tickets" else [f"crm.objects.{area}.read", f"crm.schemas.{area}.read"]


def to_write_definitions(object_type: ObjectType) -> Sequence[str]:
    """Return the scopes of which one is needed to change an object type's definitions."""
    area = _area(object_type)
    return ["tickets"] if area == "tickets" else [f"crm.schemas.{area}.write"]


def _area(object_type: ObjectType) -> str:
    # [unsure] of activities, by analogy with their records.
    if object_type.name in _ACTIVITIES:
        return "contacts"
    return "custom" if object_type.custom else object_type.name
