"""What the store keeps beside records: definitions that clients added or changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from pytest_crmseed.portal.store import Store

PROVIDER = "pipedrive"

OBJECT_TYPES = (
    "organizations",
    "persons",
    "deals",
    "deal_products",
    "leads",
    "products",
    "activities",
    "notes",
)
"""The types of records, as the store, statistics and faults name them."""

_NAMES = {
    **{name: name for name in OBJECT_TYPES},
    "organization": "organizations",
    "person": "persons",
    "deal": "deals",
    "deal_product": "deal_products",
    "deal products": "deal_products",
    "dealProducts": "deal_products",
    "lead": "leads",
    "product": "products",
    "activity": "activities",
    "note": "notes",
    "companies": "organizations",
    "contacts": "persons",
    "line_items": "deal_products",
    "tasks": "activities",
    "calls": "activities",
    "meetings": "activities",
}


def object_type(name: str) -> str | None:
    """Return an object type's name as the portal has it, or None; ``activities:call`` are activities."""
    return _NAMES.get(name.partition(":")[0])


class Kind(StrEnum):
    """What a definition defines."""

    FIELD = "field"
    PIPELINE = "pipeline"
    STAGE = "stage"
    ACTIVITY_TYPE = "activity type"
    LEAD_LABEL = "lead label"


class Kept:
    """Definitions in the store. ``changed`` tells that some were put since it was last set to False.

    Whoever holds definitions in memory as well has to take them anew when a transaction in which
    they were changed is undone.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.changed = False

    def all(self, kind: Kind) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the definitions of a kind: object type, name, JSON form."""
        yield from self._store.definitions(PROVIDER, kind)

    def put(self, kind: Kind, object_type: str, name: str, data: Mapping[str, Any]) -> None:
        """Keep a definition in place of the one of the same name."""
        self.changed = True
        self._store.define(PROVIDER, kind, object_type, name, dict(data))
