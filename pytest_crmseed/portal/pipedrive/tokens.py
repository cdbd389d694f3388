"""API tokens and OAuth tokens (Pipedrive docs, "Authentication")."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pytest_crmseed.portal.message import PortalRequest
from pytest_crmseed.portal.pipedrive.kept import PROVIDER
from pytest_crmseed.portal.store import Store

CODE_SECONDS = 300.0
"""How long an authorization code can be exchanged."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token. ``scopes`` None is an API token, which may do all that its user may.

    ``burst`` None means the company's limit, unless it is ``unlimited``. OAuth tokens end at
    ``expires``, in epoch seconds, where it is set.
    """

    token: str
    role: str
    name: str = ""
    scopes: frozenset[str] | None = None
    burst: int | None = None
    unlimited: bool = False
    expires: float | None = None

    @property
    def oauth(self) -> bool:
        """Whether it was got by OAuth, and goes over the wire as a bearer token."""
        return self.scopes is not None


@dataclass(frozen=True, slots=True)
class Grant:
    """An authorization code or a refresh token: what access tokens of an app can be got for."""

    token: str
    client_id: str
    scopes: frozenset[str]
    redirect_uri: str = ""
    expires: float | None = None


class Tokens:
    """The tokens of a company: an API token for the application, one for the seeder, others on request.

    Pipedrive's burst limit is per token. The seeder's has none, so that seeding never eats the window of
    the application under test; the daily budget is the company's and counts for all.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_token: dict[str, Token] = {}
        self._grants: dict[str, dict[str, Grant]] = {"code": {}, "refresh": {}}
        for role, token, details in store.tokens(PROVIDER):
            given = details.pop("scopes")
            scopes = None if given is None else frozenset(given)
            if role in self._grants:
                self._grants[role][token] = Grant(token, scopes=scopes or frozenset(), **details)
            else:
                self._add(Token(token, role, scopes=scopes, **details))
        roles = {token.role: token for token in self._by_token.values()}
        self.application = roles.get("application") or self._keep(Token(_api_token(), "application"))
        self.seeder = roles.get("seeder") or self._keep(Token(_api_token(), "seeder", unlimited=True))

    def issue(
        self,
        name: str,
        scopes: Iterable[str] | None,
        *,
        burst: int | None = None,
        unlimited: bool = False,
        expires: float | None = None,
    ) -> Token:
        """Return a new token that nobody can guess: an API token, or with ``scopes`` an access token."""
        if scopes is None:
            return self._keep(Token(_api_token(), "", name, None, burst, unlimited))
        text = f"v1u:{secrets.token_urlsafe(120)}"
        return self._keep(Token(text, "oauth", name, frozenset({"base", *scopes}), burst, unlimited, expires))

    def grant(
        self,
        role: Literal["code", "refresh"],
        client_id: str,
        scopes: Iterable[str],
        *,
        redirect_uri: str = "",
        expires: float | None = None,
    ) -> Grant:
        """Return a new authorization code, or a new refresh token."""
        text = secrets.token_hex(20) if role == "code" else f"1:1:{secrets.token_hex(20)}"
        grant = Grant(text, client_id, frozenset(scopes), redirect_uri, expires)
        details = {
            "client_id": client_id,
            "scopes": sorted(grant.scopes),
            "redirect_uri": redirect_uri,
            "expires": expires,
        }
        self._store.issue(PROVIDER, role, text, details)
        self._grants[role] = {**self._grants[role], text: grant}
        return grant

    def granted(self, role: Literal["code", "refresh"], token: str) -> Grant | None:
        """Return the grant of this text, or None."""
        return self._grants[role].get(token)

    def spend(self, code: Grant) -> None:
        """Let an authorization code count for nothing any more."""
        self._store.revoke(PROVIDER, code.token)
        self._grants["code"] = {text: each for text, each in self._grants["code"].items() if each != code}

    def of(self, request: PortalRequest) -> Token | None:
        """Return the token that a request carries, in any of the three ways, or None.

        An API token goes into a header of its own or the query, an access token is a bearer token.
        The official client sends both when it has both; then the API token counts [unsure].
        """
        text = request.headers.get("x-api-token") or next(iter(request.arguments.get("api_token", ())), "")
        if text:
            found = self._by_token.get(text.strip())
            return None if found is None or found.oauth else found
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        found = self._by_token.get(text.strip()) if scheme.lower() == "bearer" else None
        return found if found is not None and found.oauth else None

    def _keep(self, token: Token) -> Token:
        details: dict[str, Any] = {
            "name": token.name,
            "scopes": None if token.scopes is None else sorted(token.scopes),
            "burst": token.burst,
            "unlimited": token.unlimited,
            "expires": token.expires,
        }
        self._store.issue(PROVIDER, token.role, token.token, details)
        self._add(token)
        return token

    def _add(self, token: Token) -> None:
        self._by_token = {**self._by_token, token.token: token}


def _api_token() -> str:
    return secrets.token_hex(20)
