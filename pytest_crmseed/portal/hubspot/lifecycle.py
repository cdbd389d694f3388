"""Lifecycle stages move forward only (HubSpot docs, "Contacts guide")."""

from __future__ import annotations

from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.schema.model import ObjectType

PROPERTY = "lifecyclestage"


def is_step_back(account: Account, object_type: ObjectType, before: str, after: str) -> bool:
    """Return whether a stage comes before the one that a record is in."""
    definition = account.definitions.live(object_type.name, PROPERTY)
    order = definition.options if definition is not None else ()
    return before in order and after in order and order.index(after) < order.index(before)
