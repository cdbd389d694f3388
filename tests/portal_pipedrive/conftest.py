"""A Pipedrive company without a door, a clock that stands still, and short ways to ask.

Where Pipedrive's own API documents lie beside the repository, whatever the portal takes and answers in
these tests is held against them.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.portal import Behaviour, Portal, PortalRequest, PortalResponse
from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour

START = 1_790_000_000.25
"""2026-09-21T14:13:20Z."""

DOCUMENTS = Path(__file__).parents[2].parent / "shared" / "reference" / "openapi" / "pipedrive"
HOST = "http://127.0.0.1"
BASES = {"v2": f"{HOST}/api/v2", "v1": f"{HOST}/v1"}


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


# -- the documents, with what makes them reject what the service takes put right ----------------------
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
        api = self._apis[version]
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


@cache
def _loaded(version: str) -> Any:
    import yaml

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from openapi_core import Config, OpenAPI

        text = (DOCUMENTS / f"{version}.yaml").read_text("utf-8")
        document = yaml.load(text, Loader=yaml.CSafeLoader)
        {"v1": _of_v1, "v2": _of_v2}[version](document)
        document["servers"] = [{"url": BASES[version]}]
        return OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))


@cache
def _contract() -> Contract | None:
    known = (DOCUMENTS / "v2.yaml").exists() and find_spec("openapi_core") and find_spec("yaml")
    return Contract() if known else None


@pytest.fixture
def contract() -> Contract:
    """Pipedrive's documents; skips where they are absent."""
    found = _contract()
    if found is None:
        pytest.skip("Pipedrive's API documents, or openapi-core and PyYAML, are not there")
    return found


# -- asking ------------------------------------------------------------------------------------------
class Asker:
    """Asks a portal as one token does; what succeeds is held against the documents.

    ``carry`` says how the token goes over the wire: ``header``, ``query`` or ``bearer``.
    """

    def __init__(self, portal: Portal, token: str | None, carry: str = "header") -> None:
        self.portal = portal
        self.token = token
        self.carry = carry

    def __call__(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        documented: bool = True,
    ) -> PortalResponse:
        given = dict(headers or {})
        if self.token is not None and self.carry == "header":
            given["x-api-token"] = self.token
        elif self.token is not None and self.carry == "bearer":
            given["authorization"] = f"Bearer {self.token}"
        elif self.token is not None:
            url += f"{'&' if '?' in url else '?'}api_token={self.token}"
        request = PortalRequest.of(method, url, body, headers=given)
        answer = self.portal.handle(request)
        contract = _contract() if documented and answer.status < 400 else None
        if contract is not None:
            assert contract.problems(request, None) == []
            assert contract.problems(request, answer) == []
        return answer

    def get(self, url: str, **more: Any) -> Any:
        """Return the data of what is read."""
        answer = self("GET", url, **more)
        assert answer.status == 200, answer.body
        return answer.json()["data"]

    def made(self, path: str, /, **body: Any) -> Any:
        """Create something in v2 and return its id."""
        answer = self("POST", f"/api/v2/{path}", body)
        assert answer.status in (200, 201), answer.body
        return answer.json()["data"]["id"]

    def key(self, entity: str, name: str = "crmseed_key") -> str:
        """Return the code of a field."""
        fields = self.get(f"/api/v2/{entity}Fields?limit=500")
        [code] = [field["field_code"] for field in fields if field["field_name"] == name]
        assert isinstance(code, str)
        return code

    def field(self, entity: str, kind: str, *labels: str, name: str = "Extra") -> Any:
        """Make a custom field and return its definition."""
        body: dict[str, Any] = {"field_name": name, "field_type": kind}
        if labels:
            body["options"] = [{"label": label} for label in labels]
        answer = self("POST", f"/api/v2/{entity}Fields", body)
        assert answer.status == 200, answer.body
        return answer.json()["data"]


def refusal(answer: PortalResponse) -> tuple[int, str, str | None]:
    """Return the status, text and code of a refusal."""
    body = answer.json()
    assert body["success"] is False
    return answer.status, body["error"], body.get("code")


@pytest.fixture(name="refusal")
def _refusal() -> Callable[[PortalResponse], tuple[int, str, str | None]]:
    return refusal


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_portal(clock: Clock) -> Iterator[Callable[..., Portal]]:
    """Makes portals with given switches of the Pipedrive company; closed at the end."""
    made: list[Portal] = []

    def make(*, search_lag: float = 0.0, set_up: bool = True, **switches: Any) -> Portal:
        own = PipedriveBehaviour(**switches)
        behaviour = Behaviour(search_lag=search_lag, set_up=set_up, pipedrive=own)
        made.append(Portal(behaviour=behaviour, clock=clock))
        return made[-1]

    yield make
    for portal in made:
        portal.close()


@pytest.fixture
def portal(make_portal: Callable[..., Portal]) -> Portal:
    return make_portal()


@pytest.fixture
def ask(portal: Portal) -> Asker:
    """Asks as the seeder, whom no burst limit stops."""
    return seeder(portal)


@pytest.fixture
def asker() -> type[Asker]:
    return Asker


def seeder(portal: Portal) -> Asker:
    """Return one that asks a portal as the seeder does."""
    return Asker(portal, portal.apis["pipedrive"].tokens()["seeder"])


@pytest.fixture(name="seeder")
def _seeder() -> Callable[[Portal], Asker]:
    return seeder
