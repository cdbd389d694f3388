"""Find records of ours in a portal by the unique key they carry, or by what else tells them from others.

Only :func:`marked` and :func:`searchable` ask the search index. HubSpot serves lists and batch reads from
the record store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from pytest_crmseed.errors import NotAPortal, PortalError
from pytest_crmseed.providers.base import Answer, Effect, Exchange, Found, KeyRoute, Request, Sought
from pytest_crmseed.providers.hubspot.capabilities import KEY
from pytest_crmseed.providers.hubspot.refusals import read_refusals

# HubSpot docs, "Search the CRM": at most 200 a page, and nothing past the 10,000th of one search. So each
# page is a search of its own, for ids above the last one seen.
PAGE = 200


def marked(path: str, object_type: str) -> Exchange[dict[str, str]]:
    """Return the keys of the records that carry one, by record id; ``path`` is that of the search.

    A search index may be seconds behind: it can miss a record that was just made, and name one that
    was just deleted.
    """
    found: dict[str, str] = {}
    last = "0"
    while True:
        body: dict[str, Any] = {
            "filterGroups": [
                {
                    "filters": [
                        {"propertyName": KEY, "operator": "HAS_PROPERTY"},
                        {"propertyName": "hs_object_id", "operator": "GT", "value": last},
                    ]
                }
            ],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": [KEY],
            "limit": PAGE,
        }
        answer = yield Request(
            "POST",
            path,
            f"search {object_type} that carry a key of ours",
            Effect.READ,
            body=body,
            buckets=("search", "daily"),
        )
        results = answer.json().get("results") or ()
        page = {str(entry["id"]): str((entry.get("properties") or {}).get(KEY)) for entry in results}
        new = page.keys() - found.keys()
        found |= page
        if len(results) < PAGE or not new:
            return found
        last = max(page, key=int)


# HubSpot docs, "Search the CRM": most values of an IN filter that stay within a body of 3,000 characters.
VALUES = 100


def searchable(path: str, object_type: str, ids: Sequence[str]) -> Exchange[frozenset[str]]:
    """Return those of ``ids`` that a search finds by now; ``path`` is that of the search."""
    found: set[str] = set()
    for start in range(0, len(ids), VALUES):
        chunk = list(ids[start : start + VALUES])
        answer = yield Request(
            "POST",
            path,
            f"search {len(chunk)} {object_type} by id",
            Effect.READ,
            body={
                "filterGroups": [
                    {"filters": [{"propertyName": "hs_object_id", "operator": "IN", "values": chunk}]}
                ],
                "properties": ["hs_object_id"],
                "limit": PAGE,
            },
            buckets=("search", "daily"),
        )
        found.update(str(entry["id"]) for entry in answer.json().get("results") or ())
    return frozenset(found)


# HubSpot docs, "Objects": most records of one page of a list.
LISTED = 100


def found_in(answer: Answer) -> list[Found]:
    """Return the records of a batch read; the missing ones stand in a 207's ``errors``.

    Raises:
        PortalError: the answer does not say of every record whether it exists.
    """
    for entry in _body_with_results(answer).get("errors") or ():
        if entry.get("category") != "OBJECT_NOT_FOUND":
            said = read_refusals(entry)[0].message
            raise PortalError(f"HubSpot could not {answer.request.what}: {said}", status=answer.status)
    return [_found(entry) for entry in answer.json()["results"]]


def batch_read(
    path: str, object_type: str, ids: Sequence[str], fields: Sequence[str], by: str | None = None
) -> Request:
    """Return the batch read of records by id, or by the unique property ``by``."""
    body: dict[str, Any] = {
        "properties": list(dict.fromkeys(fields)),
        "inputs": [{"id": given} for given in ids],
    }
    if by is not None:
        body["idProperty"] = by
    what = f"read {len(ids)} {object_type}"
    return Request("POST", f"{path}/batch/read", what, Effect.READ, body=body, records=len(ids))


def by_unique(
    path: str, object_type: str, route: KeyRoute, sought: Sequence[Sought], fields: Sequence[str]
) -> Exchange[dict[str, list[Found]]]:
    """Return records by key, found by a unique property: that of our key, or another value that is ours."""
    values = {(each.key if route.kind == "unique" else each.value): each.key for each in sought}
    # E-mail addresses come back in small letters.
    keys = {value.casefold(): key for value, key in values.items()}
    answer = yield batch_read(path, object_type, list(values), [*fields, route.field], by=route.field)
    found: dict[str, list[Found]] = {}
    for record in found_in(answer):
        key = keys.get(str(record.native.get(route.field)).casefold())
        if key is not None:
            found.setdefault(key, []).append(record)
    return found


def by_list(
    path: str, object_type: str, route: KeyRoute, wanted: Callable[[str], bool], fields: Sequence[str]
) -> Exchange[dict[str, list[Found]]]:
    """Return all records of an object type that carry a wanted key, by key; looks through all of them."""
    found: dict[str, list[Found]] = {}
    query = [("limit", str(LISTED)), ("properties", ",".join(dict.fromkeys([*fields, route.field])))]
    after = ""
    while True:
        answer = yield Request(
            "GET",
            path,
            f"look through {object_type} for keys of ours",
            Effect.READ,
            query=(*query, *([("after", after)] if after else [])),
        )
        body = _body_with_results(answer)
        for entry in body["results"]:
            record = _found(entry)
            key = route.key_in(record.native)
            if key is not None and wanted(key):
                found.setdefault(key, []).append(record)
        after = str(((body.get("paging") or {}).get("next") or {}).get("after") or "")
        if not after:
            return found


def by_parents(
    path: str,
    associations: Callable[[str], str],
    object_type: str,
    route: KeyRoute,
    sought: Sequence[Sought],
    fields: Sequence[str],
    since: float,
) -> Exchange[dict[str, list[Found]]]:
    """Return the records that are associated with the parents of those sought, by key.

    ``associations`` gives the path of the batch read of associations from a parent's object type. Only
    records that were made since, with the value that was sent, are returned.
    """
    of_parents: dict[tuple[str, str], set[str]] = {}
    for parent_type in dict.fromkeys(parent for each in sought for parent, _ in each.parents):
        named = [id for each in sought for parent, id in each.parents if parent == parent_type]
        ids = list(dict.fromkeys(named))
        answer = yield Request(
            "POST",
            associations(parent_type),
            f"read the {object_type} of {len(ids)} {parent_type}",
            Effect.READ,
            body={"inputs": [{"id": record_id} for record_id in ids]},
            records=len(ids),
        )
        # Parents without any stand in a 207's errors, which is as good.
        for entry in _body_with_results(answer)["results"]:
            parent = (parent_type, str((entry.get("from") or {}).get("id")))
            of_parents[parent] = {str(end["toObjectId"]) for end in entry.get("to") or ()}
    records: dict[str, Found] = {}
    children = sorted({child for some in of_parents.values() for child in some}, key=int)
    for start in range(0, len(children), LISTED):
        answer = yield batch_read(path, object_type, children[start : start + LISTED], [*fields, route.field])
        made = {str(entry["id"]): _made_at(entry) for entry in _body_with_results(answer)["results"]}
        records |= {record.id: record for record in found_in(answer) if made[record.id] >= since}
    return {
        each.key: [
            record
            for record in records.values()
            if str(record.native.get(route.field) or "") == each.value
            and all(record.id in of_parents.get(parent, ()) for parent in each.parents)
        ]
        for each in sought
    }


def keys_of(records: Iterable[tuple[str, Sequence[Found]]]) -> dict[str, str]:
    """Return the keys of found records by id."""
    return {record.id: key for key, some in records for record in some}


def _found(entry: Any) -> Found:
    return Found(str(entry["id"]), dict(entry.get("properties") or {}), entry.get("url"))


def _made_at(entry: Any) -> float:
    return datetime.fromisoformat(str(entry["createdAt"])).timestamp()


def _body_with_results(answer: Answer) -> dict[str, Any]:
    body = answer.json()
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        raise NotAPortal(
            f"The address answered {answer.status} without results to: {answer.request.what}.",
            remedy="Is this HubSpot's API? Check the base URL, and proxies on the way.",
            status=answer.status,
        )
    return body
