"""Pipedrive's own API documents, with what makes them reject what the service takes put right.

They lie beside the repository, or are absent.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytest_crmseed.portal import PortalRequest, PortalResponse

DOCUMENTS = Path(__file__).parents[2] / "shared" / "reference" / "openapi" / "pipedrive"
HOST = "http://127.0.0.1"
BASES = {"v2": f"{HOST}/api/v2", "v1": f"{HOST}/v1"}


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in document["paths"].values():
        for verb, operation in path.items():
            if verb in ("get", "post", "put", "patch", "delete"):
                yield verb, operation


def _walk(node: Any, change: Callable[[dict[str, Any]], None]) -> None:
    if isinstance(node, dict):
        change(node)
        for value in list(node.values()):
            _walk(value, change)
    elif isinstance(node, list):
        for value in node:
            _walk(value, change)


def _allow_lists(document: Mapping[str, Any]) -> None:
    """Let query parameters that take comma-separated values take several."""
    for _, operation in _operations(document):
        for parameter in operation.get("parameters", []):
            schema = parameter.get("schema", {})
            comma = "comma" in (parameter.get("description") or "").lower()
            if parameter.get("in") == "query" and schema.get("type") == "string" and comma:
                schema.pop("enum", None)


def _close(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") == "object" and "properties" in schema:
        schema.setdefault("additionalProperties", False)
        return schema
    if "allOf" not in schema:
        return schema
    properties: dict[str, Any] = {}
    required: list[str] = []

    def take(part: Mapping[str, Any]) -> None:
        properties.update(part.get("properties") or {})
        required.extend(part.get("required") or [])
        for each in part.get("allOf", []):
            take(each)

    take(schema)
    closed = {"type": "object", "properties": properties, "additionalProperties": False}
    return closed | ({"required": required} if required else {})


def _bodies(document: Mapping[str, Any], *, close: bool) -> None:
    for verb, operation in _operations(document):
        body = operation.get("requestBody")
        if verb in ("post", "put", "patch") and body and "$ref" not in body:
            body["required"] = True
            for media in body.get("content", {}).values():
                if close and "schema" in media:
                    media["schema"] = _close(media["schema"])


def _nullable_replies(document: Mapping[str, Any]) -> None:
    def mark(schema: Any, seen: set[int]) -> None:
        if not isinstance(schema, dict) or id(schema) in seen:
            return
        seen.add(id(schema))
        for kind in ("allOf", "oneOf", "anyOf"):
            for each in schema.get(kind, []):
                mark(each, seen)
        for name, each in (schema.get("properties") or {}).items():
            if name not in ("success", "id") and isinstance(each, dict) and "type" in each:
                each["nullable"] = True
            mark(each, seen)
        for kind in ("items", "additionalProperties"):
            mark(schema.get(kind), seen)

    for _, operation in _operations(document):
        for reply in operation.get("responses", {}).values():
            for media in (reply.get("content") or {}).values():
                media["schema"] = copy.deepcopy(media.get("schema", {}))
                mark(media["schema"], set())


def _of_v2(document: dict[str, Any]) -> None:
    _walk(document, lambda node: node.pop("example") if node.get("example", "x") is None else None)
    _allow_lists(document)
    _bodies(document, close=True)
    _nullable_replies(document)

    def body(path: str, verb: str) -> dict[str, Any]:
        found = document["paths"][path][verb]["requestBody"]["content"]["application/json"]["schema"]
        assert isinstance(found, dict)
        return found

    for path, verb in (("/deals", "post"), ("/deals/{id}", "patch")):
        for name in ("person_id", "org_id"):
            body(path, verb)["properties"][name]["nullable"] = True
    person = body("/persons", "post")
    person["properties"].update(first_name={"type": "string"}, last_name={"type": "string"})
    person["anyOf"] = [{"required": ["name"]}, {"required": ["first_name", "last_name"]}]
    for name in ("emails", "phones"):
        items = person["properties"][name]["items"]
        person["properties"][name]["items"] = {**items, "required": ["value"]}
    body("/activities", "post")["properties"].setdefault("outcome", {"type": "integer", "nullable": True})


def _of_v1(document: dict[str, Any]) -> None:
    # Bodies stay open: leads and notes take the keys of custom fields among their own.
    _walk(document, lambda node: node.pop("example") if node.get("example", "x") is None else None)
    _allow_lists(document)
    _bodies(document, close=False)
    _nullable_replies(document)
    for _, operation in _operations(document):
        for reply in operation.get("responses", {}).values():
            # Times with a blank are no "date-time".
            _walk(reply, lambda node: node.pop("format", None) if node.get("format") == "date-time" else None)


class Contract:
    """Pipedrive's documents; tells where a request or reply departs from them."""

    folder = DOCUMENTS

    def __init__(self) -> None:
        self._apis = {version: _loaded(version) for version in BASES}

    def problems(self, request: PortalRequest, answer: PortalResponse | None) -> list[str]:
        """Return what is wrong with a request, or with the answer to one."""
        from openapi_core.testing import MockResponse

        version = "v2" if request.path.startswith("/api/v2") else "v1"
        api, _ = self._apis[version]
        asked = _request(request)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "Unsupported scheme type" of OAuth
            try:
                if answer is None:
                    api.validate_request(asked)
                else:
                    kind = answer.headers.get("content-type", "").partition(";")[0]
                    reply = MockResponse(answer.body, status_code=answer.status, content_type=kind)
                    api.validate_response(asked, reply)
            except Exception as error:
                return _explained(error)
        return []

    def unknown_parameters(self, request: PortalRequest) -> list[str]:
        """Return the parameters of a request's query that its operation does not have."""
        version, base = ("v2", "/api/v2") if request.path.startswith("/api/v2") else ("v1", "/api/v1")
        _, known = self._apis[version]
        parts = request.path.removeprefix(base).removeprefix("/v1").split("/")
        fitting = [
            (sum(part.startswith("{") for part in template), names)
            for template, names in known[request.method.lower()]
            if len(template) == len(parts)
            and all(a == b or a.startswith("{") for a, b in zip(template, parts, strict=True))
        ]
        # /deals/products, too, fits /deals/{id}.
        _, names = min(fitting, key=lambda each: each[0])
        return sorted(set(request.arguments).difference(names))


def _request(request: PortalRequest) -> Any:
    from openapi_core.testing import MockRequest

    path = request.path.replace("/api/v1/", "/v1/")
    return MockRequest(
        HOST,
        request.method.lower(),
        path,
        args={name: values[-1] for name, values in request.arguments.items()},
        headers=dict(request.headers),
        data=request.body or None,
        content_type=request.headers.get("content-type", "application/json"),
    )


def _explained(error: BaseException) -> list[str]:
    cause = error.__cause__
    found = getattr(cause, "schema_errors", None) or getattr(error, "schema_errors", None)
    if found:
        return [f"{'/'.join(map(str, each.absolute_path)) or '(root)'}: {each.message}" for each in found]
    return [f"{type(error).__name__}: {cause or error}"]


Parameters = Mapping[str, Sequence[tuple[Sequence[str], Collection[str]]]]
"""By method: the templates of paths in parts, and the names of their query's parameters."""


def _parameters(document: Mapping[str, Any]) -> Parameters:
    found: dict[str, list[tuple[list[str], set[str]]]] = {}
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            if verb in ("get", "post", "put", "patch", "delete"):
                given = [*item.get("parameters", ()), *operation.get("parameters", ())]
                names = {each["name"] for each in given if each.get("in") == "query"}
                found.setdefault(verb, []).append((path.split("/"), names))
    return found


@cache
def _loaded(version: str) -> tuple[Any, Parameters]:
    import yaml

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from openapi_core import Config, OpenAPI

        text = (DOCUMENTS / f"{version}.yaml").read_text("utf-8")
        document = yaml.load(text, Loader=yaml.CSafeLoader)
        {"v1": _of_v1, "v2": _of_v2}[version](document)
        document["servers"] = [{"url": BASES[version]}]
        api = OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))
        return api, _parameters(document)


@cache
def find_contract() -> Contract | None:
    """Return the documents, or None where they, openapi-core or PyYAML are absent."""
    known = (DOCUMENTS / "v2.yaml").exists() and find_spec("openapi_core") and find_spec("yaml")
    return Contract() if known else None
