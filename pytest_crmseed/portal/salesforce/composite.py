"""Several requests in one: ``/composite`` with references, ``/composite/graph``, ``/composite/batch``.

Salesforce docs, "REST API Developer Guide", "Composite", "Composite Graph", "Composite Batch".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.salesforce.call import Call
from pytest_crmseed.portal.salesforce.errors import not_emulated, refusal
from pytest_crmseed.portal.salesforce.routing import Route

MOST_PARTS, MOST_QUERIES = 25, 5
MOST_GRAPHS, MOST_NODES, MOST_FAILED, DEEPEST, MOST_KINDS = 75, 500, 14, 15, 15

_HALTED = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": (
            "The transaction was rolled back since another operation in the same transaction failed."
        ),
    }
]
_NAME = re.compile(r"\w+", re.ASCII)
_GRAPH_NAME = re.compile(r"[A-Za-z0-9][^.]{0,39}", re.ASCII)
_REFERENCE = re.compile(r"@\{([^}]*)\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
# Of row URLs alone a graph is made (docs, "Composite Graph Limits").
_ROW_URL = re.compile(r"/services/data/v\d+\.0/sobjects/\w+(?:/[^/]+){0,2}/?", re.IGNORECASE)
_COUNTED = re.compile(r"/services/data/v\d+\.0/(query|queryall|composite/sobjects)(?:[/?]|$)", re.IGNORECASE)


class _Undo(Exception):
    """A part failed, and all or none was asked for."""


class _Unresolved(Exception):
    """A reference that leads nowhere; the text says which."""


def _resources(call: Call) -> PortalResponse:
    home = f"{call.home}/composite"
    return call.answer(200, {name: f"{home}/{name}" for name in ("tree", "batch", "sobjects", "graph")})


def _composite(call: Call) -> PortalResponse:
    _check_outermost(call)
    body = call.json_object
    parts = _parts(body, "compositeRequest")
    if len(parts) > MOST_PARTS:
        raise _too_many(f"The limit of {MOST_PARTS} subrequests in a composite request is exceeded")
    queries = sum(1 for part in parts if _COUNTED.match(str(part.get("url"))))
    if queries > MOST_QUERIES:
        message = f"The limit of {MOST_QUERIES} query and sObject Collections subrequests is exceeded"
        raise _too_many(message)
    _check_names(parts)
    answers, _ = _carried_out(call, parts, all_or_none=body.get("allOrNone") is True)
    return call.answer(200, {"compositeResponse": answers})


def _graphs(call: Call) -> PortalResponse:
    _check_outermost(call)
    graphs = _parts(call.json_object, "graphs")
    if len(graphs) > MOST_GRAPHS:
        raise _too_many(f"The limit of {MOST_GRAPHS} graphs in a payload is exceeded")
    nodes = [_parts(graph, "compositeRequest") for graph in graphs]
    if sum(map(len, nodes)) > MOST_NODES:
        raise _too_many(f"The limit of {MOST_NODES} nodes in a payload is exceeded")
    names = [graph.get("graphId") for graph in graphs]
    wrong = [name for name in names if not isinstance(name, str) or not _GRAPH_NAME.fullmatch(name)]
    if wrong or len(set(map(str, names))) != len(names):
        message = "Each graph has a graphId of its own: a letter or digit, and at most 40 characters in all"
        raise refusal("INVALID_INPUT", message, None)
    for parts in nodes:
        _check_names(parts)
        _check_graph(parts)
    answered, failed = [], 0
    for name, parts in zip(names, nodes, strict=True):
        if failed >= MOST_FAILED:
            answers, good = [_answer(part, 400, _HALTED) for part in parts], False
        else:
            answers, good = _carried_out(call, parts, all_or_none=True)
        failed += not good
        answered.append(
            {"graphId": name, "graphResponse": {"compositeResponse": answers}, "isSuccessful": good}
        )
    return call.answer(200, {"graphs": answered})


def _batch(call: Call) -> PortalResponse:
    _check_outermost(call)
    body = call.json_object
    parts = _parts(body, "batchRequests")
    if len(parts) > MOST_PARTS:
        raise _too_many(f"The limit of {MOST_PARTS} subrequests in a batch is exceeded")
    results: list[dict[str, Any]] = []
    failed = False
    for part in parts:
        if failed and body.get("haltOnError") is True:
            halted = [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted"}]
            results.append({"statusCode": 412, "result": halted})
            continue
        url = str(part.get("url") or "")
        # Batch URLs begin with the version.
        path = url if url.startswith("/services/") else f"/services/data/{url.lstrip('/')}"
        response = call.inner(
            str(part.get("method") or "GET").upper(), path, part.get("richInput"), counted=True
        )
        failed = failed or response.status >= 400
        results.append({"statusCode": response.status, "result": response.json() if response.body else None})
    return call.answer(200, {"hasErrors": failed, "results": results})


# -- parts with references -----------------------------------------------------------------------------
def _carried_out(
    call: Call, parts: Sequence[Mapping[str, Any]], *, all_or_none: bool
) -> tuple[list[dict[str, Any]], bool]:
    """Carry parts out in order; return their answers, and whether all went well."""
    answers: list[dict[str, Any]] = []
    bodies: dict[str, Any] = {}
    good: list[bool] = []
    try:
        with call.org.store.savepoint():
            for part in parts:
                response = _one(call, part, bodies, all_or_none=all_or_none)
                answers.append(response)
                went_well = response["httpStatusCode"] < 400 and not (
                    all_or_none and _rows_failed(response["body"])
                )
                good.append(went_well)
                if response["httpStatusCode"] < 400:
                    bodies[str(part.get("referenceId"))] = response["body"]
                if all_or_none and not went_well:
                    raise _Undo
    except _Undo:
        call.org.undone()
        culprit = len(answers) - 1
        answers = [
            answer if number == culprit else _answer(part, 400, _HALTED)
            for number, (part, answer) in enumerate(
                zip(parts, [*answers, *[{}] * (len(parts) - len(answers))], strict=True)
            )
        ]
        return answers, False
    return answers, all(good)


def _one(
    call: Call, part: Mapping[str, Any], bodies: Mapping[str, Any], *, all_or_none: bool
) -> dict[str, Any]:
    try:
        url = _resolved(str(part.get("url") or ""), bodies)
        body = _resolved(part.get("body"), bodies)
        headers = _resolved(dict(part.get("httpHeaders") or {}), bodies)
    except _Unresolved as unresolved:
        halted = [{"errorCode": "PROCESSING_HALTED", "message": str(unresolved)}]
        return _answer(part, 400, halted)
    method = str(part.get("method") or "GET").upper()
    # The outer word overrides that of a collections call in it (docs, "allOrNone Parameters").
    if all_or_none and isinstance(body, dict) and "records" in body:
        body = {**body, "allOrNone": True}
    elif all_or_none and method == "DELETE" and "?" in url:
        url += "&allOrNone=true"
    response = call.inner(method, url, body, headers)
    kept = {name: value for name, value in response.headers.items() if name.lower() == "location"}
    return _answer(part, response.status, response.json() if response.body else None, kept)


def _answer(
    part: Mapping[str, Any], status: int, body: Any, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    return {
        "body": body,
        "httpHeaders": dict(headers or {}),
        "httpStatusCode": status,
        "referenceId": part.get("referenceId"),
    }


def _rows_failed(body: Any) -> bool:
    return isinstance(body, list) and any(
        isinstance(row, dict) and row.get("success") is False for row in body
    )


def _resolved(given: Any, bodies: Mapping[str, Any]) -> Any:
    """Return a part with its references replaced.

    Raises:
        _Unresolved: one leads nowhere.
    """
    if isinstance(given, dict):
        return {name: _resolved(value, bodies) for name, value in given.items()}
    if isinstance(given, list):
        return [_resolved(value, bodies) for value in given]
    if not isinstance(given, str):
        return given
    whole = _REFERENCE.fullmatch(given)
    if whole:
        return _looked_up(whole[1], bodies)
    replace: Callable[[re.Match[str]], str] = lambda found: str(_looked_up(found[1], bodies))  # noqa: E731
    return _REFERENCE.sub(replace, given)


def _looked_up(path: str, bodies: Mapping[str, Any]) -> Any:
    name, _, rest = path.partition(".")
    name, bracket, index = name.partition("[")
    held: Any = bodies.get(name)
    for key, number in _STEP.findall(f"{bracket}{index}.{rest}" if bracket else rest):
        if key and isinstance(held, dict):
            held = next((value for each, value in held.items() if each.lower() == key.lower()), None)
        elif number and isinstance(held, list) and int(number) < len(held):
            held = held[int(number)]
        else:
            held = None
        if held is None:
            break
    if held is None:
        raise _Unresolved(f"Invalid reference specified. No value for {path} found in {name}")
    return held


# -- what a request is made of -------------------------------------------------------------------------
def _parts(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    parts = body.get(name)
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise refusal("INVALID_INPUT", f"{name} is a list of objects, and holds at least one", None)
    return parts


def _check_names(parts: Sequence[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    for part in parts:
        name = part.get("referenceId")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            message = f"Invalid reference ID {name!r}: letters, digits and underscores alone"
            raise refusal("INVALID_INPUT", message, None)
        if name in seen:
            raise refusal("INVALID_INPUT", f"Duplicate reference ID {name}", None)
        seen.add(name)


def _check_graph(parts: Sequence[Mapping[str, Any]]) -> None:
    """Refuse what is no row, and what goes too deep or is of too many kinds."""
    kinds: set[tuple[str, str]] = set()
    depths: dict[str, int] = {}
    for part in parts:
        url = str(part.get("url"))
        if not _ROW_URL.fullmatch(url):
            raise refusal("INVALID_INPUT", f"Graphs are made of sObject rows, not of {url}", None)
        kinds.add((str(part.get("method")).upper(), url.split("/")[5].lower()))
        named = (each.partition(".")[0].partition("[")[0] for each in _REFERENCE.findall(json.dumps(part)))
        depths[str(part["referenceId"])] = 1 + max((depths.get(name, 0) for name in named), default=0)
    if max(depths.values()) > DEEPEST:
        raise _too_many(f"The limit of {DEEPEST} levels in a graph is exceeded")
    if len(kinds) > MOST_KINDS:
        raise _too_many(f"The limit of {MOST_KINDS} different nodes in a graph is exceeded")


def _check_outermost(call: Call) -> None:
    if call.inside:
        raise not_emulated("composite requests within composite requests", ())


def _too_many(message: str) -> Exception:
    return refusal("LIMIT_EXCEEDED", message, None)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/composite", _resources),
    Route("POST", "/composite", _composite, write=True),
    Route("POST", "/composite/batch", _batch, write=True),
    Route("POST", "/composite/graph", _graphs, write=True, since=50),
)
