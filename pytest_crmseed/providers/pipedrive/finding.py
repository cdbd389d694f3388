"""Finding records again among rows of the record store, and in the search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pytest_crmseed.providers.base import Effect, Exchange, Found, KeyRoute, Request, Sought
from pytest_crmseed.providers.pipedrive import linking
from pytest_crmseed.providers.pipedrive.bodies import PATHS
from pytest_crmseed.providers.pipedrive.capabilities import BUCKETS, SEARCH

# What every key of ours begins with; the search finds parts of a value.
_TERM = "crmseed-1"


def by_key(route: KeyRoute, sought: Sequence[Sought], records: Iterable[Found]) -> dict[str, Sequence[Found]]:
    """Return the records that carry one of the keys."""
    keys = {each.key for each in sought}
    found: dict[str, list[Found]] = {}
    for record in records:
        key = route.key_in(record.native)
        if key in keys:
            found.setdefault(str(key), []).append(record)
    return dict(found)


def among_children(
    object_type: str,
    route: KeyRoute,
    sought: Sequence[Sought],
    records: Sequence[tuple[Mapping[str, Any], Found]],
    *,
    since: float,
) -> dict[str, Sequence[Found]]:
    """Return for each key the records that were made since, with the parents and the value sought."""
    made = [record for row, record in records if _made_at(row) >= since]
    return {
        each.key: [
            record
            for record in made
            if str(record.native.get(route.field) or "") == each.value
            and all(
                str(record.native.get(linking.home_of(object_type, parent))) == parent_id
                for parent, parent_id in each.parents
            )
        ]
        for each in sought
    }


def _made_at(row: Mapping[str, Any]) -> float:
    moment = datetime.fromisoformat(str(row["add_time"]))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def searched(base: str) -> Exchange[frozenset[str]]:
    """Return the ids of the records whose key the search finds (Pipedrive docs, "Search")."""
    ids: set[str] = set()
    cursor: tuple[tuple[str, str], ...] = ()
    while True:
        answer = yield Request(
            "GET",
            f"{PATHS[base]}/search",
            f"search {base} that carry a key of ours",
            Effect.READ,
            query=(("term", _TERM), ("fields", "custom_fields"), ("limit", "500"), *cursor),
            buckets=(*BUCKETS, SEARCH),
            cost=20,
        )
        body: Any = answer.json()
        items = (body.get("data") or {}).get("items") or ()
        ids |= {str(item["item"]["id"]) for item in items}
        following = (body.get("additional_data") or {}).get("next_cursor")
        if not following:
            return frozenset(ids)
        cursor = (("cursor", str(following)),)
