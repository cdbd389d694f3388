"""Calls of a model's methods, in both of Odoo's protocols.

Sources: Odoo docs, "External JSON-2 API", "External RPC API".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_crmseed.errors import NotAPortal
from pytest_crmseed.providers.base import Answer, Effect, Exchange, Request
from pytest_crmseed.providers.odoo.capabilities import CONTEXT

JSON_2_PATH, JSON_RPC_PATH = "/json/2/", "/jsonrpc"
PAGE = 2_000


@dataclass(frozen=True)
class Session:
    """A user of one database. ``uid`` is the user's id, where calls go by JSON-RPC; None by JSON-2."""

    database: str
    uid: int | None = None
    api_key: str = field(default="", repr=False)

    def call(
        self,
        model: str,
        method: str,
        what: str,
        effect: Effect = Effect.READ,
        *,
        ids: Sequence[int] | None = None,
        records: int = 0,
        context: Mapping[str, object] | None = None,
        **arguments: object,
    ) -> Request:
        """Return the request that calls a method; ``ids`` are the records that it is called on."""
        named = {**arguments, "context": {**CONTEXT, **(context or {})}}
        if self.uid is None:
            body: Any = named if ids is None else {"ids": list(ids), **named}
            path = f"{JSON_2_PATH}{model}/{method}"
        else:
            positional = [] if ids is None else [list(ids)]
            call = [self.database, self.uid, self.api_key, model, method, positional, named]
            body, path = envelope("object", "execute_kw", call), JSON_RPC_PATH
        return Request("POST", path, what, effect, body=body, records=records, buckets=())

    def rows(
        self, model: str, domain: Sequence[object], fields: Sequence[str], what: str
    ) -> Exchange[list[dict[str, Any]]]:
        """Return all rows of a search, archived ones too, in the order of their ids."""
        found: list[dict[str, Any]] = []
        while True:
            page = result_of((yield self.search(model, domain, fields, what, offset=len(found))))
            found += page
            if len(page) < PAGE:
                return found

    def search(
        self,
        model: str,
        domain: Sequence[object],
        fields: Sequence[str],
        what: str,
        *,
        offset: int = 0,
        records: int = 0,
    ) -> Request:
        """Return the request for a page of rows."""
        return self.call(
            model,
            "search_read",
            what,
            records=records,
            # Without it, what is archived is not there.
            context={"active_test": False},
            domain=list(domain),
            # No fields at all would mean every one of them.
            fields=list(dict.fromkeys(["id", *fields])),
            # The order of a model is not that of its ids as a rule, and pages need one.
            order="id",
            limit=PAGE,
            offset=offset,
        )


def envelope(service: str, method: str, arguments: Sequence[object]) -> dict[str, Any]:
    """Return the body of a JSON-RPC call."""
    params = {"service": service, "method": method, "args": list(arguments)}
    return {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}


def model_and_method(request: Request) -> tuple[str, str]:
    """Return the model and the method that a request calls; nothing where it calls no model's."""
    if request.path.startswith(JSON_2_PATH):
        model, _, method = request.path.removeprefix(JSON_2_PATH).partition("/")
        return model, method
    if request.path == JSON_RPC_PATH and request.body["params"]["service"] == "object":
        arguments = request.body["params"]["args"]
        return str(arguments[3]), str(arguments[4])
    return "", ""


def arguments_of(request: Request) -> Mapping[str, Any]:
    """Return the named arguments of a call."""
    body: Mapping[str, Any] = request.body
    if request.path != JSON_RPC_PATH:
        return body
    named: Mapping[str, Any] = body["params"]["args"][6]
    return named


def result_of(answer: Answer) -> Any:
    """Return what a call returned.

    Raises:
        NotAPortal: the answer is none to a call.
    """
    try:
        body = answer.json()
        return body["result"] if answer.request.path == JSON_RPC_PATH else body
    except (ValueError, KeyError, TypeError):
        raise NotAPortal(
            f"The address answered {answer.status} without a result to: {answer.request.what}.",
            remedy="Is this Odoo's address? Check ODOO_URL, and proxies on the way.",
            status=answer.status,
        ) from None
