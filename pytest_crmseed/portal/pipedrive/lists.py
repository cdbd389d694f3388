"""Lists with a cursor (Pipedrive docs, "Pagination"), and those of v1 with a start."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import errors, moments
from pytest_crmseed.portal.pipedrive.call import MOST, Call

T = TypeVar("T")

Keys = Mapping[str, Callable[[T], Any]]
"""What entries can be sorted by: texts or numbers."""


def cursor_page(
    call: Call, entries: Iterable[T], keys: Keys[T], *, most: int = MOST
) -> tuple[list[T], str | None]:
    """Return the entries of the page that a call asks for, sorted as it wishes, and the next cursor.

    A cursor tells where the next page starts and not how far the last one came: entries that are made
    meanwhile may be on it.

    Raises:
        ApiError: the limit, the order or the cursor makes no sense.
    """
    limit = call.limit(most)
    field, descending = order(call, keys)
    key, id_of = keys[field], keys["id"]
    marker = _marker(call)
    if marker is not None:
        field, descending = marker["field"], marker["sortDirection"] == "desc"
        if field not in keys:
            raise _bad_cursor()
        key = keys[field]
    found = sorted(entries, key=lambda entry: (key(entry), id_of(entry)), reverse=descending)
    if marker is not None:
        at = (marker["fieldValue"], marker["id"])
        try:
            found = [
                entry
                for entry in found
                if ((key(entry), id_of(entry)) <= at if descending else (key(entry), id_of(entry)) >= at)
            ]
        except TypeError as error:
            raise _bad_cursor() from error
    if len(found) <= limit:
        return found, None
    return found[:limit], cursor(field, key(found[limit]), id_of(found[limit]), descending=descending)


def order(call: Call, keys: Iterable[str]) -> tuple[str, bool]:
    """Return what a call sorts by, and whether downward.

    Raises:
        ApiError: it is none of the keys, or no direction.
    """
    field = call.argument("sort_by") or "id"
    direction = (call.argument("sort_direction") or "asc").lower()
    if field not in keys:
        raise errors.invalid([("sort_by", f"The value must be one of {', '.join(keys)}")])
    if direction not in ("asc", "desc"):
        raise errors.invalid([("sort_direction", "The value must be one of asc, desc")])
    return field, direction == "desc"


def cursor(field: str, value: Any, id: int, *, descending: bool) -> str:
    """Return the marker of the first entry of a page."""
    data = {"field": field, "fieldValue": value, "sortDirection": "desc" if descending else "asc", "id": id}
    text = json.dumps(data, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def start_of(call: Call) -> int | None:
    """Return the id at which the page of a list by id starts, or None when it is sorted otherwise.

    Raises:
        ApiError: the order or the cursor makes no sense.
    """
    marker = _marker(call)
    if marker is None:
        sorted_by = call.argument("sort_by") or "id", (call.argument("sort_direction") or "asc").lower()
        return 0 if sorted_by == ("id", "asc") else None
    return marker["id"] if (marker["field"], marker["sortDirection"]) == ("id", "asc") else None


def answer(call: Call, data: Any, next_cursor: str | None) -> PortalResponse:
    """Return a page of a list."""
    return call.answer(data, {"next_cursor": next_cursor})


def since(call: Call, name: str) -> float | None:
    """Return a moment of the query, or None where there is none; fractions of seconds are refused.

    Raises:
        ApiError: it is none.
    """
    text = call.argument(name)
    if text is None:
        return None
    # A plus that nobody encoded arrives as a blank.
    at = moments.parse_rfc(text.replace(" ", "+"))
    if at is None:
        raise errors.invalid([(name, f"'{text}' is not a valid datetime")])
    return at


def offset_page(call: Call, entries: Sequence[T], shown: Callable[[T], Any], **more: Any) -> PortalResponse:
    """Return a page of a list of v1; ``more`` goes into the body beside the data.

    Raises:
        ApiError: start or limit make no sense.
    """
    start, limit = call.integer("start") or 0, call.limit()
    pagination = pagination_of(start, limit, len(entries))
    body = {"success": True, "data": [shown(entry) for entry in entries[start : start + limit]], **more}
    return PortalResponse.of(200, {**body, "additional_data": {"pagination": pagination}})


def pagination_of(start: int, limit: int, total: int) -> dict[str, Any]:
    """Return what v1 says of a page."""
    more = start + limit < total
    pagination: dict[str, Any] = {"start": start, "limit": limit, "more_items_in_collection": more}
    return {**pagination, "next_start": start + limit} if more else pagination


def _marker(call: Call) -> dict[str, Any] | None:
    text = call.argument("cursor")
    if text is None:
        return None
    try:
        data = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as error:
        raise _bad_cursor() from error
    fine = (
        isinstance(data, dict)
        and set(data) == {"field", "fieldValue", "sortDirection", "id"}
        and isinstance(data["field"], str)
        and isinstance(data["id"], int)
        and data["sortDirection"] in ("asc", "desc")
    )
    if not fine:
        raise _bad_cursor()
    return dict(data)


def _bad_cursor() -> errors.ApiError:
    return errors.invalid([("cursor", "The value is not a valid cursor")])
