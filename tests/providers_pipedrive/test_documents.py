"""Requests that make records, checked against the vendor's own OpenAPI documents."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.providers.base import Effect, Request
from pytest_crmseed.providers.pipedrive import Pipedrive

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reference" / "openapi" / "pipedrive"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the vendor's OpenAPI documents are not here")


def walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for value in node:
            yield from walk(value)


def body_of(operation: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]
    return schema


def closed(operation: dict[str, Any]) -> None:
    """Let a body have no keys but those that are listed; a body of several parts is made one."""
    properties: dict[str, Any] = {}
    required: list[str] = []

    def take(part: dict[str, Any]) -> None:
        properties.update(part.get("properties") or {})
        required.extend(part.get("required") or [])
        for each in part.get("allOf", []):
            take(each)

    take(body_of(operation))
    operation["requestBody"]["required"] = True
    operation["requestBody"]["content"]["application/json"]["schema"] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"required": sorted(set(required))} if required else {}),
    }


@pytest.fixture(scope="module")
def documents() -> dict[str, Any]:
    openapi_core = pytest.importorskip("openapi_core")
    yaml = pytest.importorskip("yaml")
    found = {}
    for version in ("v1", "v2"):
        document = yaml.load(
            (FOLDER / f"{version}.yaml").read_text("utf-8"), getattr(yaml, "CSafeLoader", None)
        )
        document = copy.deepcopy(document)
        wanted = {
            "v1": ("/leads", "/notes"),
            "v2": (
                "/organizations",
                "/persons",
                "/deals",
                "/products",
                "/activities",
                "/deals/{id}/products",
            ),
        }[version]
        document["paths"] = {path: {"post": document["paths"][path]["post"]} for path in wanted}
        for node in walk(document):
            if node.get("example", "x") is None:
                del node["example"]
        for path, operations in document["paths"].items():
            if version == "v2":
                closed(operations["post"])
            if path == "/persons":
                # Either a name, or both parts of it (Pipedrive docs, "API v2 migration guide").
                body_of(operations["post"])["properties"].update(
                    first_name={"type": "string"}, last_name={"type": "string"}
                )
        document["servers"] = [{"url": f"http://127.0.0.1/api/{version}"}]
        found[version] = openapi_core.OpenAPI.from_dict(json.loads(json.dumps(document, default=str)))
    return found


def check(documents: dict[str, Any], request: Request) -> None:
    from openapi_core.testing import MockRequest

    version = request.path.split("/")[2]
    mock = MockRequest(
        "http://127.0.0.1",
        "post",
        request.path,
        headers={"x-api-token": "0" * 40},
        data=json.dumps(request.body).encode(),
        content_type="application/json",
    )
    documents[version].validate_request(mock)


def test_every_record_is_made_as_the_documents_say(documents: dict[str, Any], bench: Any) -> None:
    sent: list[Request] = []
    provider = bench.target.provider
    create = provider.create

    def heard(*arguments: Any) -> Request:
        sent.append(create(*arguments))
        return sent[-1]

    provider.create = heard
    bench.seed(dict.fromkeys(Pipedrive.legend.objects, 2))
    assert {request.effect for request in sent} == {Effect.CREATE}
    assert len(sent) == 2 * len(Pipedrive.legend.objects)
    for request in sent:
        check(documents, request)
    assert bench.engine.clean().complete


@pytest.mark.parametrize(
    "body",
    [
        {"value": 1},
        {"title": "x", "0123456789abcdef0123456789abcdef01234567": "x"},
        {"title": "x", "value": "12"},
        {"title": "x", "custom_fields": []},
    ],
)
def test_the_documents_refuse_what_the_api_refuses(documents: dict[str, Any], body: dict[str, Any]) -> None:
    openapi_exceptions = pytest.importorskip("openapi_core.exceptions")
    with pytest.raises(openapi_exceptions.OpenAPIError):
        check(documents, Request("POST", "/api/v2/deals", "create", Effect.CREATE, body=body))
