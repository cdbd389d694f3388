"""Trees: new rows with their children, all or none (Salesforce docs, "sObject Tree")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.salesforce.call import Call
from pytest_crmseed.portal.salesforce.definitions import SObject
from pytest_crmseed.portal.salesforce.errors import Refusal, refusal
from pytest_crmseed.portal.salesforce.routing import Route

MOST_ROWS, DEEPEST, MOST_OBJECTS = 200, 5, 5

_TWICE = refusal("INVALID_INPUT", "Duplicate ReferenceId provided in the request.")


class _Undo(Exception):
    """A row failed: none is made."""


@dataclass
class _Node:
    """A row to be made, and the lookup to the one above it."""

    object: SObject
    reference: str
    values: Mapping[str, Any]
    parent: _Node | None = None
    lookup: str = ""
    id: str = ""
    children: list[_Node] = field(default_factory=list)


def _create(call: Call) -> PortalResponse:
    """Make the rows level by level."""
    level = [_node(call, call.object, record) for record in _records(call.json_object)]
    wrong = next((node for node in level if node.object is not call.object), None)
    if wrong is not None:
        raise refusal(
            "INVALID_TYPE", f"the roots are of type {call.object.name}, not {wrong.object.name}", None
        )
    levels = []
    while level:
        levels.append(level)
        level = [child for node in level for child in node.children]
    _check(levels)
    counted = Counter(node.reference for level in levels for node in level)
    twice = [reference for reference, number in counted.items() if number > 1]
    if twice:
        return call.answer(400, {"hasErrors": True, "results": [_failed(each, _TWICE) for each in twice]})
    results: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    try:
        with call.org.store.savepoint():
            for level in levels:
                for node in level:
                    try:
                        with call.org.store.savepoint():
                            node.id = _made(call, node)
                    except Refusal as refused:
                        failures.append(_failed(node.reference, refused))
                    else:
                        results.append({"referenceId": node.reference, "id": node.id})
                if failures:
                    raise _Undo
    except _Undo:
        return call.answer(400, {"hasErrors": True, "results": failures})
    return call.answer(201, {"hasErrors": False, "results": results})


def _failed(reference: str, refused: Refusal) -> dict[str, Any]:
    return {"referenceId": reference, "errors": refused.row()["errors"]}


def _made(call: Call, node: _Node) -> str:
    above = {} if node.parent is None else {node.lookup: node.parent.id}
    return call.writer.create(node.object, {**node.values, **above}).id


def _node(
    call: Call,
    above: SObject,
    record: Any,
    parent: _Node | None = None,
    lookup: str = "",
    level: int = 1,
) -> _Node:
    if level > DEEPEST:
        raise _too_large()
    attributes = record.get("attributes") if isinstance(record, dict) else None
    name = attributes.get("type") if isinstance(attributes, Mapping) else None
    reference = attributes.get("referenceId") if isinstance(attributes, Mapping) else None
    each = call.org.catalogue.find(name) if isinstance(name, str) else None
    if each is None:
        raise refusal("INVALID_TYPE", f"sObject type '{name}' is not supported.", None)
    if not isinstance(reference, str) or not reference:
        raise refusal("INVALID_INPUT", "Each record has a referenceId in its attributes", None)
    lists = {
        name: child
        for name, value in record.items()
        if isinstance(value, dict) and (child := each.child_lists.get(name.lower())) is not None
    }
    values = {name: value for name, value in record.items() if name != "attributes" and name not in lists}
    node = _Node(each, reference, values, parent, lookup)
    for name, child in lists.items():
        node.children += [
            _node(call, each, inner, node, child.field, level + 1) for inner in _records(record[name])
        ]
    return node


def _records(body: Mapping[str, Any]) -> list[Any]:
    records = body.get("records")
    if not isinstance(records, list) or not records:
        raise refusal("INVALID_INPUT", "records is a list, and holds at least one", None)
    return records


def _check(levels: list[list[_Node]]) -> None:
    nodes = [node for level in levels for node in level]
    if len(nodes) > MOST_ROWS or len({node.object.name for node in nodes}) > MOST_OBJECTS:
        raise _too_large()


def _too_large() -> Refusal:
    message = f"A tree has at most {MOST_ROWS} records of {MOST_OBJECTS} objects, {DEEPEST} levels deep"
    return refusal("LIMIT_EXCEEDED", message, None)


ROUTES: tuple[Route, ...] = (Route("POST", "/composite/tree/{object}", _create, write=True),)
