"""Tokens and what they may do: private apps with scopes (HubSpot docs, "Private apps")."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_crmseed.portal.hubspot.definitions import PROVIDER
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


@dataclass(frozen=True, slots=True)
class Token:
    """A private app's token. ``burst`` None means the portal's limit, unless it is ``unlimited``."""

    token: str
    role: str
    name: str
    scopes: frozenset[str]
    app_id: int
    burst: int | None = None
    unlimited: bool = False


class Tokens:
    """The tokens of a portal: one for the application, one for the seeder, and others on request.

    HubSpot's burst limit is per app. The seeder is an app of its own, without a limit, so that
    seeding never eats the window of the application under test.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_token: dict[str, Token] = {}
        for role, token, details in store.tokens(PROVIDER):
            self._add(Token(token, role, scopes=frozenset(details.pop("scopes")), **details))
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
        """Return a new token that nobody can guess; it lasts as long as the store."""
        token = Token(
            token=f"pat-na1-{uuid.uuid4()}",
            role=role,
            name=name,
            scopes=frozenset(scopes),
            app_id=_FIRST_APP_ID + len(self._by_token),
            burst=burst,
            unlimited=unlimited,
        )
        details = {
            "name": token.name,
            "scopes": sorted(token.scopes),
            "app_id": token.app_id,
            "burst": burst,
            "unlimited": unlimited,
        }
        self._store.issue(PROVIDER, role, token.token, details)
        self._add(token)
        return token

    def find(self, token: str) -> Token | None:
        """Return the token of this text, or None."""
        return self._by_token.get(token)

    def bearer(self, authorization: str) -> Token | None:
        """Return the token that an ``Authorization`` header carries, or None."""
        scheme, _, token = authorization.partition(" ")
        return self.find(token.strip()) if scheme.lower() == "bearer" else None

    def _add(self, token: Token) -> None:
        self._by_token[token.token] = token
