"""Search (HubSpot docs, "Search the CRM"): filters, sorts, a text, windows of 10,000 records.

The texts of the refusals are [unsure]; that they are 400s of category VALIDATION_ERROR is documented.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pytest_crmseed.portal.hubspot import bodies, errors, render
from pytest_crmseed.portal.hubspot.account import Account, record_id
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.filters import parse_group, sort_column
from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.store import StoredRecord
from pytest_crmseed.portal.stored_search import Search
from pytest_crmseed.schema.model import ObjectType

GROUP_LIMIT = 5
FILTER_LIMIT = 18
PAGE_DEFAULT = 10
PAGE_LIMIT = 200
WINDOW = 10_000
"""Records of one search that can be reached by paging."""

BODY_LIMIT = 3_000
"""Characters of a search's body."""


def search(call: Call) -> PortalResponse:
    """Search live records, as the index has them, which may trail behind: 200."""
    if len(call.request.body.decode("utf-8", "replace")) > BODY_LIMIT:
        raise errors.invalid(f"The body of a search has at most {BODY_LIMIT} characters.")
    body = bodies.as_object(call.json, "PublicObjectSearchRequest")
    account, object_type = call.account, call.object_type
    limit, offset = _limit(body), _offset(body)
    if offset + limit > WINDOW:
        raise errors.invalid(f"A search reaches {WINDOW} records: after + limit is {offset + limit}.")
    wanted = _search(account, object_type, body)
    asked = bodies.names(body, "properties")
    account.store.settle(account.now() if account.behaviour.search_lag > 0 else float("inf"))
    total, found = account.store.search(PROVIDER, object_type.name, wanted, offset=offset, limit=limit)
    results = [render.read_answer(account, object_type, record, asked) for record in found]
    answer: dict[str, Any] = {"total": total, "results": results}
    if offset + limit < total and limit:
        answer["paging"] = {"next": {"after": str(offset + limit)}}
    return PortalResponse.of(200, answer)


def _search(account: Account, object_type: ObjectType, body: Mapping[str, Any]) -> Search:
    data = bodies.as_list(body.get("filterGroups") or [], "java.util.ArrayList")
    if len(data) > GROUP_LIMIT:
        raise errors.invalid(f"A search has at most {GROUP_LIMIT} filter groups, not {len(data)}.")
    groups = [parse_group(account, object_type, item) for item in data]
    count = sum(map(len, groups))
    if count > FILTER_LIMIT:
        raise errors.invalid(f"A search has at most {FILTER_LIMIT} filters, not {count}.")
    query = body.get("query")
    judged = any(each.term is None for group in groups for each in group)
    column, descending = sort_column(account, object_type, _sort(body))

    def keep(record: StoredRecord) -> bool:
        return any(all(each.holds(account, object_type, record) for each in group) for group in groups)

    return Search(
        groups=[[each.term for each in group if each.term is not None] for group in groups],
        text="" if query is None else bodies.as_text(query).strip(),
        fields=_text_fields(object_type),
        order=column,
        descending=descending,
        keep=keep if judged else None,
    )


def _text_fields(object_type: ObjectType) -> tuple[str, ...]:
    # [unsure] of types for which no list is documented: the property that is shown as the record's name.
    return object_type.searchable or ((object_type.display_field,) if object_type.display_field else ())


def _sort(body: Mapping[str, Any]) -> Any:
    sorts = bodies.as_list(body.get("sorts") or [], "java.util.ArrayList")
    if len(sorts) > 1:
        raise errors.invalid(f"A search has at most one sort, not {len(sorts)}.")
    if not sorts:
        return None
    if not isinstance(sorts[0], str):
        return sorts[0]
    # The specification has texts here: a property's name, or what Node's client sends, JSON in a text.
    try:
        return json.loads(sorts[0])
    except ValueError:
        name = sorts[0].removeprefix("-")
        return {"propertyName": name, "direction": "DESCENDING" if name != sorts[0] else "ASCENDING"}


def _limit(body: Mapping[str, Any]) -> int:
    value = body.get("limit")
    if value is None:
        return PAGE_DEFAULT
    limit = record_id(bodies.as_text(value))
    if limit is None or limit > PAGE_LIMIT:
        raise errors.invalid(f"limit must be a number up to {PAGE_LIMIT}, not {value}")
    return limit


def _offset(body: Mapping[str, Any]) -> int:
    value = body.get("after")
    if value is None or value == "":
        return 0
    offset = record_id(bodies.as_text(value))
    if offset is None:
        raise errors.invalid(f"after must be a value that paging.next.after had, not {value}")
    return offset
