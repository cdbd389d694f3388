"""One call of a route: the request, what the path says, and the org it works on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.portal.salesforce.definitions import SObject
from pytest_crmseed.portal.salesforce.errors import JSON_TYPE, parser_error, refusal
from pytest_crmseed.portal.salesforce.org import Org
from pytest_crmseed.portal.salesforce.sessions import Session
from pytest_crmseed.portal.salesforce.writing import Options, Writer

Again = Callable[[PortalRequest, Session, bool], PortalResponse]


@dataclass
class Call:
    """A call of a route. ``params`` are the values of the path's placeholders, as they came.

    ``version`` is the number of the API's version. ``inside`` is set for requests within a composite one.
    """

    org: Org
    request: PortalRequest
    params: Mapping[str, str]
    version: int
    session: Session
    again: Again = field(repr=False)
    inside: bool = False

    @cached_property
    def object(self) -> SObject:
        """The object that the path names.

        Raises:
            Refusal: there is none (404).
        """
        return self.org.object(self.params["object"])

    @cached_property
    def writer(self) -> Writer:
        """What writes rows, in the name of the call's user and as its headers say."""
        return Writer(self.org, self.session.user_id, Options.of(self.request.headers), self.home)

    @property
    def home(self) -> str:
        """The path that all paths of the version begin with."""
        return f"/services/data/v{self.version}.0"

    @cached_property
    def json(self) -> Any:
        """The request's JSON body.

        Raises:
            Refusal: it is missing or no JSON (400), or says to be something else (415).
        """
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind and kind != "application/json":
            message = f"Content-Type: {kind} is not supported: the local portal takes JSON"
            raise refusal("UNSUPPORTED_MEDIA_TYPE", message, None, status=415)
        if not self.request.body.strip():
            raise parser_error("The HTTP entity body is required, but this request has no entity body.")
        try:
            return json.loads(self.request.body, parse_float=_Exact, parse_constant=_refuse_constant)
        except json.JSONDecodeError as error:
            raise parser_error(_told(error)) from error
        except (ValueError, RecursionError) as error:
            raise parser_error(f"The HTTP entity body is no JSON: {error}") from error

    @property
    def json_object(self) -> dict[str, Any]:
        """The request's JSON body, which is an object.

        Raises:
            Refusal: it is not (400).
        """
        body = self.json
        if not isinstance(body, dict):
            raise parser_error(
                "Cannot deserialize instance of object from VALUE value or request may be missing a required"
                " field at [line:1, column:1]"
            )
        return body

    def argument(self, name: str) -> str | None:
        """Return the query's last value of this name, or None."""
        values = self.request.arguments.get(name)
        return values[-1] if values else None

    def answer(self, status: int, data: Any, headers: Mapping[str, str] | None = None) -> PortalResponse:
        """Return an answer with a JSON body."""
        return PortalResponse.of(status, data, {"content-type": JSON_TYPE, **(headers or {})})

    def empty(self, status: int = 204, headers: Mapping[str, str] | None = None) -> PortalResponse:
        """Return an answer without a body."""
        return PortalResponse(status, b"", dict(headers or {}))

    def inner(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        counted: bool = False,
    ) -> PortalResponse:
        """Carry a request out within this one, in its transaction; never raises a refusal.

        What a refused one has done is undone, and the rest stays. ``url`` is a path with its query;
        ``headers`` go before those of this request that belong to it. ``counted`` ones are requests of the
        org's allowance by themselves.
        """
        path, _, query = url.partition("?")
        kept = {name: value for name, value in self.request.headers.items() if name not in _OWN_HEADERS}
        merged = {**kept, **{name.lower(): str(value) for name, value in (headers or {}).items()}}
        data = b""
        if body is not None:
            data = json.dumps(body).encode()
            merged["content-type"] = "application/json"
        request = PortalRequest(method, path, query, merged, data, self.request.scheme)
        return self.again(request, self.session, counted)


_OWN_HEADERS = frozenset({"content-type", "content-length", "content-encoding", "transfer-encoding"})


class _Exact(float):
    """A number with a fraction as it was written, so that no digit of a price is lost."""

    text: str

    def __new__(cls, text: str) -> _Exact:
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __str__(self) -> str:
        return self.text


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"Non-standard token '{name}'")


def _told(error: json.JSONDecodeError) -> str:
    place = f"at [line:{error.lineno}, column:{error.colno}]"
    if error.pos >= len(error.doc):
        return f"Unexpected end-of-input: expected a value {place}"
    found = error.doc[error.pos]
    return f"Unexpected character ('{found}' (code {ord(found)})): {error.msg.lower()} {place}"
