"""Drafts in a portal without a unique field for our key: marked, or refused, so that they are found again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

from pytest_crmseed.providers.base import KeyRoute
from pytest_crmseed.records import Link
from pytest_crmseed.schema.tables import Problem

_REMEDY = "`crmseed setup` makes the field for the key that would"


class Marking:
    """See that records of each object type can be found again by the route of their object type.

    ``tag`` is the label that stands in the e-mail addresses of this seed and in no others'. ``neutral``
    names a native field to people.
    """

    def __init__(
        self, routes: Mapping[str, KeyRoute], tag: str, neutral: Callable[[str, str], str | None]
    ) -> None:
        self._routes = routes
        self._tag = tag
        self._neutral = neutral

    def mark(
        self, name: str, index: int, key: str, values: MutableMapping[str, Any], links: Sequence[Link]
    ) -> list[Problem]:
        """Put the key into a draft's values where it stands in a text; return what is wrong."""
        route = self._routes.get(name)
        if route is None or route.kind in ("unique", "field"):
            return []
        held = values.get(route.field)
        if route.kind == "text":
            values[route.field] = f"{held}\n\n{key}" if held else key
            return []
        reason = None
        if route.kind == "value" and self._tag not in str(held or "").replace("@", ".").split("."):
            reason = (
                f"without a unique field for our key, {name} are found again by an address that is this "
                "seed's own, and any other may be a stranger's"
            )
        elif route.kind == "parents" and not (links and held):
            reason = (
                f"without a field for our key, {name} are found again by their parents and this value alone, "
                f"and {'it has none' if links else 'it has no parents'}"
            )
        if reason is None:
            return []
        field = self._neutral(name, route.field) or route.field
        return [Problem(name, index, field, held, f"{reason}; {_REMEDY}", native=route.field)]
