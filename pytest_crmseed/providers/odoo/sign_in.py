"""Which protocol a server speaks, and who the user is.

Sources: Odoo docs, "External JSON-2 API" (``X-Odoo-Database``), "External RPC API" (``common``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_crmseed.errors import ApiRefused, NotAPortal, Unauthorized, UsageError
from pytest_crmseed.providers.base import Effect, Exchange, Request
from pytest_crmseed.providers.odoo.calls import JSON_RPC_PATH, Session, envelope, result_of
from pytest_crmseed.providers.odoo.capabilities import (
    API_KEY,
    DATABASE,
    JSON_2,
    JSON_2_SINCE,
    JSON_RPC,
    LOGIN,
)

VERSION_PATH = "/web/version"


@dataclass(frozen=True)
class SignedIn:
    """A session, the headers that sign its requests in, and the protocol they go by."""

    session: Session
    headers: Mapping[str, str]
    api_version: str


def sign_in(credentials: Mapping[str, str], chosen: str | None) -> Exchange[SignedIn]:
    """Sign in by the protocol that the server's version asks for, or the ``chosen`` one.

    Raises:
        UsageError: JSON-RPC needs a login, and there is none.
        Unauthorized: the server knows no such user of this database.
        NotAPortal: the address is no Odoo server.
    """
    database = credentials[DATABASE]
    if (chosen or (yield from _spoken(database))) == JSON_2:
        return SignedIn(Session(database), bearer(credentials), JSON_2)
    login = credentials.get(LOGIN, "")
    if not login:
        raise UsageError(
            f"This Odoo server is signed in to by JSON-RPC, which asks for a login; {LOGIN} is not set.",
            remedy=f"Set {LOGIN} to the login of the user whose key is in {API_KEY}.",
        )
    api_key = credentials[API_KEY]
    answer = yield _service("authenticate", [database, login, api_key, {}], f"sign in as {login}")
    uid = result_of(answer)
    if not isinstance(uid, int) or isinstance(uid, bool):
        raise Unauthorized(
            f"Odoo does not accept the login {login!r} with this key in database {database!r}.",
            remedy=f"Check {LOGIN}, {API_KEY} and {DATABASE}; keys made in Odoo's preferences may expire.",
            status=401,
        )
    return SignedIn(Session(database, uid, api_key), {}, JSON_RPC)


def bearer(credentials: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers of JSON-2."""
    return {"Authorization": f"bearer {credentials[API_KEY]}", "X-Odoo-Database": credentials[DATABASE]}


def _spoken(database: str) -> Exchange[str]:
    """Return the protocol that the server's version asks for."""
    ask = Request(
        "GET",
        VERSION_PATH,
        "ask for the version",
        Effect.READ,
        buckets=(),
        headers={"X-Odoo-Database": database},
        signed=False,
    )
    try:
        version = (yield ask).json().get("version_info")
    except (ApiRefused, NotAPortal):
        # Servers before this address was there; they tell their version by JSON-RPC.
        version = result_of((yield _service("version", [], "ask for the version"))).get("server_version_info")
    return JSON_2 if major(version) >= JSON_2_SINCE else JSON_RPC


def _service(method: str, arguments: list[Any], what: str) -> Request:
    body = envelope("common", method, arguments)
    return Request("POST", JSON_RPC_PATH, what, Effect.READ, body=body, buckets=(), signed=False)


def major(version: Any) -> int:
    """Return the number a version begins with, as 18 of ``["saas~18", 2, …]``; 0 where there is none."""
    first = str(version[0]) if isinstance(version, list) and version else ""
    number = re.search(r"[0-9]+", first)
    return int(number[0]) if number else 0
