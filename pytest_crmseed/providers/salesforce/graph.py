"""A small plan as one composite graph: its nodes, and what the answer says of each.

Sources: Salesforce docs, "Composite Graph", its "Composite Subrequest", and "Composite Graph Limits". A graph
is made of single rows that refer to each other, counts as one request, and makes all of its rows or none.
Its nodes have no headers of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import count, takewhile
from typing import Any

from pytest_crmseed.providers.base import Answer
from pytest_crmseed.providers.salesforce import soql
from pytest_crmseed.records import Draft, Link

MOST_NODES, DEEPEST, MOST_KINDS = 500, 15, 15
ASSIGNED = frozenset({"Lead", "Case"})
"""Objects that rules give to people, who get mail; no page says that a graph can be kept from that."""

_NAME = "seed"
_NO_NAME = re.compile(r"\W", re.ASCII)
_ID = re.compile(r"@\{(\w+)\.id\}", re.ASCII)

Row = dict[str, Any]


def reference(draft: Draft) -> str:
    """Return what a draft's node is called in its graph."""
    return f"{_NO_NAME.sub('_', draft.object_type)}_{draft.index}"


def companion(node: str, number: int) -> str:
    """Return what the node of a record's companion is called; ``number`` counts them from 0."""
    return f"{node}__{number}"


def id_of(node: str) -> str:
    """Return what stands for the id that a node will have."""
    return f"@{{{node}.id}}"


def in_order(drafts: Sequence[Draft]) -> list[Draft] | None:
    """Return drafts with parents before their children; None where a graph does not take them.

    A parent has to be among them, unless it exists; and no text may look like a reference, since nothing
    takes that meaning away.
    """
    if any("@{" in value for draft in drafts for value in draft.values.values() if isinstance(value, str)):
        return None
    placed: dict[tuple[str, int], Draft] = {}
    waiting = list(drafts)
    while waiting:
        ready = [draft for draft in waiting if all(_is_placed(link, placed) for link in draft.links)]
        if not ready:
            return None
        placed |= {(draft.object_type, draft.index): draft for draft in ready}
        waiting = [draft for draft in waiting if (draft.object_type, draft.index) not in placed]
    return list(placed.values())


def _is_placed(link: Link, placed: Mapping[tuple[str, int], Draft]) -> bool:
    return link.id is not None or (link.object_type, link.index or 0) in placed


def body(version: str, nodes: Mapping[str, Row]) -> dict[str, Any] | None:
    """Return the body of a graph of rows by their nodes' names; None where it would be too much for one."""
    kinds = {row["attributes"]["type"] for row in nodes.values()}
    depths: dict[str, int] = {}
    for name, row in nodes.items():
        named = [parent for value in row.values() for parent in _ID.findall(str(value))]
        depths[name] = 1 + max((depths[parent] for parent in named), default=0)
    if len(nodes) > MOST_NODES or len(kinds) > MOST_KINDS or max(depths.values()) > DEEPEST:
        return None
    parts = [
        {
            "method": "POST",
            "url": f"{soql.root(version)}/sobjects/{row['attributes']['type']}",
            "referenceId": name,
            "body": {field: value for field, value in row.items() if field != "attributes"},
        }
        for name, row in nodes.items()
    ]
    return {"graphs": [{"graphId": _NAME, "compositeRequest": parts}]}


class Grown:
    """A request of one graph beside its answer: each node as it was sent, and what came of it."""

    def __init__(self, answer: Answer) -> None:
        self._sent = {
            str(part["referenceId"]): part
            for graph in answer.request.body["graphs"]
            for part in graph["compositeRequest"]
        }
        self._got = {str(part.get("referenceId")): part.get("body") for part in parts_of(answer.json())}
        self._ids = {
            id_of(name): str(got["id"])
            for name, got in self._got.items()
            if isinstance(got, Mapping) and got.get("id")
        }

    def row(self, node: str) -> Row:
        """Return a node's row, with the ids of others where their names stood."""
        part = self._sent[node]
        sent = {
            field: self._ids.get(value, value) if isinstance(value, str) else value
            for field, value in part["body"].items()
        }
        return {"attributes": {"type": part["url"].rpartition("/")[2]}, **sent}

    def got(self, node: str) -> Any:
        """Return what the answer says of a node; None where it says nothing."""
        return self._got.get(node)

    def companions(self, node: str) -> list[str]:
        """Return the names of the nodes that go with a record's."""
        return list(takewhile(self._sent.__contains__, (companion(node, number) for number in count())))


def parts_of(answered: Any) -> list[Mapping[str, Any]]:
    """Return the nodes of an answer's graphs."""
    found: list[Any] = []
    for graph in _listed(answered, "graphs"):
        response = graph.get("graphResponse") if isinstance(graph, Mapping) else None
        found += _listed(response, "compositeResponse")
    return [part for part in found if isinstance(part, Mapping)]


def failed(answered: Any) -> bool:
    """Return whether an answer says of a graph that it was not made."""
    graphs = [graph for graph in _listed(answered, "graphs") if isinstance(graph, Mapping)]
    return any(graph.get("isSuccessful") is False for graph in graphs)


def _listed(held: Any, name: str) -> list[Any]:
    found = held.get(name) if isinstance(held, Mapping) else None
    return found if isinstance(found, list) else []
