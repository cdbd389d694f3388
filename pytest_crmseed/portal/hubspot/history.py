"""The values that properties had: ``propertiesWithHistory`` (HubSpot docs, "Using object APIs")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.instants import iso
from pytest_crmseed.portal.store import PastValue, StoredRecord
from pytest_crmseed.schema.model import ObjectType

LIMIT = 50
"""Records that one call reads with history (HubSpot docs; for batches the refusal says so)."""


def answer(
    account: Account, object_type: ObjectType, record: StoredRecord, names: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return the history of properties by name, newest value first [unsure]; unknown names are left out."""
    past = account.store.history(PROVIDER, object_type.name, record.id)
    found: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        if account.definitions.live(object_type.name, name) is None:
            continue
        values = past.get(name, [])
        if not values and name in record.properties:
            values = [PastValue(record.created, record.properties[name], record.origin)]
        found[name] = [_entry(value) for value in reversed(values)]
    return found


def _entry(past: PastValue) -> dict[str, Any]:
    source, _, id = past.origin.partition(" ")
    entry: dict[str, Any] = {
        "value": past.value,
        "timestamp": iso(past.at),
        "sourceType": source or "INTEGRATION",
    }
    if id:
        entry["sourceId"] = id
    return entry
