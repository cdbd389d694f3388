"""Find records of ours in a portal by the unique key they carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_crmseed.providers.base import Effect, Exchange, Request
from pytest_crmseed.providers.hubspot.capabilities import KEY

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
