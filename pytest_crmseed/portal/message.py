"""The one request and the one response type that every door converts to and from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

JSON_TYPE = "application/json;charset=utf-8"


@dataclass(frozen=True)
class PortalRequest:
    """A request as it came: ``path`` still percent-encoded, ``query`` raw, header names lower-case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    scheme: str = "http"

    @classmethod
    def of(
        cls,
        method: str,
        url: str,
        json_body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
    ) -> PortalRequest:
        """Return a request for ``url`` (path and query), with a JSON body and a bearer token if given."""
        path, _, query = url.partition("?")
        merged = {"host": host}
        body = b""
        if json_body is not None:
            body = json.dumps(json_body).encode()
            merged["content-type"] = "application/json"
        if token is not None:
            merged["authorization"] = f"Bearer {token}"
        merged.update({name.lower(): value for name, value in (headers or {}).items()})
        return cls(method, path, query, merged, body)

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The path's segments, percent-decoded one by one; a trailing slash makes no difference."""
        return tuple(_clean(unquote(segment)) for segment in self.path.strip("/").split("/"))

    @cached_property
    def arguments(self) -> Mapping[str, list[str]]:
        """The query's values by name, in order."""
        values = parse_qs(self.query, keep_blank_values=True, errors="replace")
        return {_clean(name): [_clean(value) for value in some] for name, some in values.items()}

    @property
    def origin(self) -> str:
        """The scheme and host that the request was sent to, without a path."""
        return f"{self.scheme}://{self.headers.get('host', '127.0.0.1')}"


@dataclass(frozen=True)
class PortalResponse:
    """An answer: status, headers and body, ready to be written.

    ``delivery`` is how much of it reaches the client: all of it, nothing (the connection is
    closed), or the headers and half of the body. Status 0 is for what was never answered.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Literal["whole", "dropped", "cut"] = "whole"

    @classmethod
    def of(cls, status: int, data: Any, headers: Mapping[str, str] | None = None) -> PortalResponse:
        """Return an answer with a JSON body."""
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        # "replace": a lone surrogate that a client sent as a JSON escape cannot be written as UTF-8.
        return cls(status, text.encode("utf-8", "replace"), {"content-type": JSON_TYPE, **(headers or {})})

    @property
    def arriving(self) -> bytes:
        """The part of the body that reaches the client."""
        return self.body[: len(self.body) // 2] if self.delivery == "cut" else self.body

    def json(self) -> Any:
        """Return the body as JSON data.

        Raises:
            ValueError: the body is no JSON.
        """
        return json.loads(self.body)


def _clean(text: str) -> str:
    # A lone surrogate can be neither stored nor written as UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8")
