"""Lists of Pipedrive's, page by page: with cursors in v2, from a start on in v1.

Source: Pipedrive docs, "Pagination". Lists are of the record store: they have new records at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pytest_crmseed.errors import NotAPortal
from pytest_crmseed.providers.base import Answer, Effect, Exchange, Request
from pytest_crmseed.providers.pipedrive.bodies import DEAL_PRODUCTS, PATHS, base_of
from pytest_crmseed.providers.pipedrive.capabilities import BUCKETS

PAGE = 500
IDS = 100

# Lists that are answered whole, and take no limit.
_WHOLE = ("/api/v1/activityTypes", "/api/v1/leadLabels")

Row = Mapping[str, Any]
Query = tuple[tuple[str, str], ...]


def rows_of(answer: Answer) -> list[dict[str, Any]]:
    """Return the rows of a list.

    Raises:
        NotAPortal: the answer has none.
    """
    try:
        body = answer.json()
        rows = body["data"]
        # A list without any is null in v1.
        return [dict(row) for row in rows or ()]
    except (ValueError, KeyError, TypeError):
        raise NotAPortal(
            f"The address answered {answer.status} without data to: {answer.request.what}.",
            remedy="Is this Pipedrive's API? Check PIPEDRIVE_COMPANY_DOMAIN, and proxies on the way.",
            status=answer.status,
        ) from None


def pages(path: str, what: str, query: Query = (), *, cost: int) -> Exchange[list[dict[str, Any]]]:
    """Read a whole list."""
    rows: list[dict[str, Any]] = []
    limit: Query = () if path in _WHOLE else (("limit", str(PAGE)),)
    more: Query = ()
    while True:
        answer = yield Request(
            "GET",
            path,
            what,
            Effect.READ,
            query=(*query, *limit, *more),
            buckets=BUCKETS,
            cost=cost,
        )
        rows += rows_of(answer)
        further = following(answer)
        if further is None:
            return rows
        more = (further,)


def following(answer: Answer) -> tuple[str, str] | None:
    """Return the parameter that asks for the page after an answer's, or None after the last one."""
    more = answer.json().get("additional_data") or {}
    if more.get("next_cursor"):
        return ("cursor", str(more["next_cursor"]))
    pagination = more.get("pagination") or {}
    if not pagination.get("more_items_in_collection"):
        return None
    start = pagination.get("next_start", int(pagination.get("start") or 0) + len(rows_of(answer)))
    return ("start", str(start))


def changed_since(native: str, since: float | None, what: str) -> Exchange[list[dict[str, Any]]]:
    """Read all records of an object type, or those that were made or changed since then."""
    base = base_of(native)
    query: Query = ()
    if since is not None:
        # Without fractions of a second, which it refuses.
        query = (("updated_since", datetime.fromtimestamp(int(since), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),)
    if base == DEAL_PRODUCTS:
        # They have no list of their own; a product that is added changes its deal.
        deals = yield from pages(PATHS["deals"], f"{what}, in deals", query, cost=10)
        return (yield from products_of([str(deal["id"]) for deal in deals], what))
    return (yield from pages(PATHS[base], what, query, cost=20 if "/v1/" in PATHS[base] else 10))


def products_of(deals: Sequence[str], what: str) -> Exchange[list[dict[str, Any]]]:
    """Read the products of deals."""
    rows: list[dict[str, Any]] = []
    for start in range(0, len(deals), IDS):
        ids = ",".join(deals[start : start + IDS])
        rows += yield from pages(f"{PATHS['deals']}/products", what, (("deal_ids", ids),), cost=10)
    return rows
