"""The definitions that clients added or changed, as the store keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from pytest_crmseed.portal.store import Store

PROVIDER = "hubspot"


class Kind(StrEnum):
    """What a definition defines."""

    ASSOCIATION = "association"
    GROUP = "group"
    PIPELINE = "pipeline"
    PROPERTY = "property"
    RULE = "rule"
    SCHEMA = "schema"


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

    def forget(self, object_type: str) -> None:
        """Forget all definitions of an object type."""
        self.changed = True
        self._store.undefine(PROVIDER, object_type)
