"""Tokens and what they may do (HubSpot docs, "Private apps" and "OAuth")."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pytest_crmseed.portal.hubspot.kept import PROVIDER
from pytest_crmseed.portal.store import Store

_OBJECTS = (
    "companies",
    "contacts",
    "custom",
    "deals",
    "leads",
    "line_items",
    "orders",
    "products",
    "quotes",
)

ALL_SCOPES = (
    "oauth",
    "tickets",
    "e-commerce",
    "crm.objects.owners.read",
    *(f"crm.objects.{name}.{right}" for name in _OBJECTS for right in ("read", "write")),
    *(f"crm.schemas.{name}.{right}" for name in _OBJECTS for right in ("read", "write")),
)

_FIRST_APP_ID = 24_010_001


OAUTH_BURST = 110
"""Requests of a public app in the rolling window (HubSpot docs, "API usage guidelines and limits")."""

CODE_SECONDS = 600.0
"""[unsure] How long an authorization code can be exchanged."""


@dataclass(frozen=True, slots=True)
class Token:
    """An app's token. ``burst`` None means the portal's limit, unless it is ``unlimited``.

    Those of OAuth name the app's ``client_id`` and end at ``expires``, in epoch seconds.
    """

    token: str
    role: str
    name: str
    scopes: frozenset[str]
    app_id: int
    burst: int | None = None
    unlimited: bool = False
    client_id: str = ""
    expires: float | None = None

    @property
    def oauth(self) -> bool:
        """Whether it was got by OAuth; then the daily figure is not told in headers."""
        return bool(self.client_id)


@dataclass(frozen=True, slots=True)
class Grant:
    """An authorization code or a refresh token: what tokens of an app can be got for."""

    token: str
    client_id: str
    scopes: frozenset[str]
    redirect_uri: str = ""
    expires: float | None = None


class Tokens:
    """The tokens of a portal: one for the application, one for the seeder, and others on request.

    HubSpot's burst limit is per app. The seeder is an app of its own, without a limit, so that
    seeding never eats the window of the application under test.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_token: dict[str, Token] = {}
        self._grants: dict[str, dict[str, Grant]] = {"code": {}, "refresh": {}}
        for role, token, details in store.tokens(PROVIDER):
            scopes = frozenset(details.pop("scopes"))
            if role in self._grants:
                self._grants[role][token] = Grant(token, scopes=scopes, **details)
            else:
                self._add(Token(token, role, scopes=scopes, **details))
        roles = {token.role: token for token in self._by_token.values()}
        self.application = roles.get("application") or self.issue(
            "application", ALL_SCOPES, role="application"
        )
        self.seeder = roles.get("seeder") or self.issue("seeder", ALL_SCOPES, role="seeder", unlimited=True)

    def issue(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        role: str = "",
        burst: int | None = None,
        unlimited: bool = False,
    ) -> Token:
        """Return a new private app's token that nobody can guess; it lasts as long as the store."""
        token = Token(
            token=f"pat-na1-{uuid.uuid4()}",
            role=role,
            name=name,
            scopes=frozenset(scopes),
            app_id=self._new_app_id(),
            burst=burst,
            unlimited=unlimited,
        )
        return self._keep(token)

    def issue_oauth(self, grant: Grant, *, expires: float) -> Token:
        """Return a new access token of the app that a grant is for."""
        token = Token(
            # Opaque, and of a length that a column for it must have room for.
            token=f"C{secrets.token_urlsafe(90)}",
            role="oauth",
            name=grant.client_id,
            scopes=grant.scopes,
            app_id=self.app_id(grant.client_id),
            burst=OAUTH_BURST,
            client_id=grant.client_id,
            expires=expires,
        )
        return self._keep(token)

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
        grant = Grant(f"na1-{uuid.uuid4()}", client_id, frozenset(scopes), redirect_uri, expires)
        details = {
            "client_id": client_id,
            "scopes": sorted(grant.scopes),
            "redirect_uri": redirect_uri,
            "expires": expires,
        }
        self._store.issue(PROVIDER, role, grant.token, details)
        self._grants[role] = {**self._grants[role], grant.token: grant}
        return grant

    def granted(self, role: Literal["code", "refresh"], token: str) -> Grant | None:
        """Return the grant of this text, or None."""
        return self._grants[role].get(token)

    def revoke(self, token: str) -> None:
        """Let a code, refresh token or OAuth access token count for nothing any more."""
        self._store.revoke(PROVIDER, token)
        for role, grants in self._grants.items():
            self._grants[role] = {text: grant for text, grant in grants.items() if text != token}
        self._by_token = {text: each for text, each in self._by_token.items() if text != token}

    def find(self, token: str) -> Token | None:
        """Return the token of this text, or None."""
        return self._by_token.get(token)

    def bearer(self, authorization: str) -> Token | None:
        """Return the token that an ``Authorization`` header carries, or None."""
        scheme, _, token = authorization.partition(" ")
        return self.find(token.strip()) if scheme.lower() == "bearer" else None

    def app_id(self, client_id: str) -> int:
        """Return the id of a public app: that of its tokens, or a new one."""
        known = (each.app_id for each in self._by_token.values() if each.client_id == client_id)
        return next(known, 0) or self._new_app_id()

    def _new_app_id(self) -> int:
        return 1 + max((each.app_id for each in self._by_token.values()), default=_FIRST_APP_ID - 1)

    def _keep(self, token: Token) -> Token:
        details = {
            "name": token.name,
            "scopes": sorted(token.scopes),
            "app_id": token.app_id,
            "burst": token.burst,
            "unlimited": token.unlimited,
            "client_id": token.client_id,
            "expires": token.expires,
        }
        self._store.issue(PROVIDER, token.role, token.token, details)
        self._add(token)
        return token

    def _add(self, token: Token) -> None:
        self._by_token = {**self._by_token, token.token: token}
