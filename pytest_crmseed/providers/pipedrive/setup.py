"""The field for our unique key: what there is in its place, and how it is made.

Source: Pipedrive docs, "Custom fields". Pipedrive keeps no field unique. :func:`make_key` is the only thing
that ever changes a company's definitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.providers.base import Effect, Exchange, KeyRoute, Request
from pytest_crmseed.providers.pipedrive import lists
from pytest_crmseed.providers.pipedrive.bodies import DEAL_PRODUCTS, base_of
from pytest_crmseed.providers.pipedrive.capabilities import BUCKETS, KEY

# The entities that can have the field; leads have one of their own that fits.
HOLDERS: Mapping[str, str] = {
    "organizations": "organization",
    "persons": "person",
    "deals": "deal",
    "products": "product",
}
ORIGIN = "origin_id"

# Objects without custom fields, and the text in which the key stands.
TEXTS = {DEAL_PRODUCTS: "comments", "notes": "content", "activities": "note"}

# Without the field: a text, or what tells a record among those of its parents.
_INSTEAD = {
    "products": KeyRoute("text", "description"),
    "deals": KeyRoute("parents", "title"),
}


def key_routes(natives: Mapping[str, str]) -> Exchange[tuple[dict[str, KeyRoute], dict[str, str]]]:
    """Return the best route to the records of object types, and the codes of the field by native name.

    ``natives`` gives the native name of each. A field of another type than a text is none.
    """
    routes: dict[str, KeyRoute] = {}
    codes: dict[str, str] = {}
    for name, native in natives.items():
        base = base_of(native)
        if base == "leads":
            routes[name] = KeyRoute("field", ORIGIN)
        elif base in TEXTS:
            routes[name] = KeyRoute("text", TEXTS[base])
        elif base in HOLDERS:
            code = yield from _code(base)
            if code is not None:
                codes[native] = code
                routes[name] = KeyRoute("field", KEY)
            elif base in _INSTEAD:
                routes[name] = _INSTEAD[base]
    return routes, codes


def make_key(native: str) -> Exchange[None]:
    """Make the field on an object type that can have it; on others there is nothing to make.

    Raises:
        PortalError: the company refuses.
    """
    base = base_of(native)
    if base not in HOLDERS or (yield from _code(base)) is not None:
        return
    yield Request(
        "POST",
        f"/api/v2/{HOLDERS[base]}Fields",
        f"make {KEY} on {base}",
        Effect.CREATE,
        body={"field_name": KEY, "field_type": "varchar"},
        buckets=BUCKETS,
        cost=5,
    )


def _code(base: str) -> Exchange[str | None]:
    """Return the code of the field on an object type, or None."""
    what = f"look for {KEY} of {base}"
    found: list[dict[str, Any]] = yield from lists.pages(f"/api/v2/{HOLDERS[base]}Fields", what, cost=10)
    for entry in found:
        if entry.get("field_name") == KEY and entry.get("field_type") == "varchar":
            return str(entry["field_code"])
    return None
