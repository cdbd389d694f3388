"""Sessions: the tokens that requests carry, and the refresh tokens that others are got for."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from pytest_crmseed.portal.salesforce import ids
from pytest_crmseed.portal.salesforce.definitions import PROVIDER
from pytest_crmseed.portal.store import Store

ADMINISTRATOR = 1
"""The number of the user whom all tokens are of."""

_REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Session:
    """A token. ``burst`` are its requests in ten seconds, None for no limit; it ends at ``expires``."""

    token: str
    role: str
    user: int = ADMINISTRATOR
    burst: int | None = None
    expires: float | None = None

    @property
    def user_id(self) -> str:
        """The id of the user whom it is of."""
        return ids.made("005", self.user)


class Sessions:
    """The sessions of an org: one for the application, one for the seeder, others on request."""

    def __init__(self, store: Store, organization_id: str) -> None:
        self._store = store
        self.organization_id = organization_id
        self._by_token: dict[str, Session] = {}
        self._refresh: dict[str, int] = {}
        for role, token, details in store.tokens(PROVIDER):
            if role == _REFRESH:
                self._refresh[token] = details["user"]
            else:
                self._by_token[token] = Session(token, role, **details)
        roles = {session.role: session for session in self._by_token.values()}
        self.application = roles.get("application") or self.open("application")
        self.seeder = roles.get("seeder") or self.open("seeder")

    def open(
        self,
        role: str,
        *,
        user: int = ADMINISTRATOR,
        burst: int | None = None,
        expires: float | None = None,
    ) -> Session:
        """Return a new session."""
        # The org's id stands before the mark; letters, digits, dots and underscores behind it.
        secret = secrets.token_urlsafe(66).replace("-", ".")
        session = Session(f"{self.organization_id[:15]}!AQ{secret}", role, user, burst, expires)
        self._store.issue(PROVIDER, role, session.token, {"user": user, "burst": burst, "expires": expires})
        self._by_token = {**self._by_token, session.token: session}
        return session

    def find(self, authorization: str) -> Session | None:
        """Return the session whose token an ``Authorization`` header carries, be it over, or None."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() not in ("bearer", "oauth"):
            return None
        return self._by_token.get(token.strip())

    def grant(self, user: int = ADMINISTRATOR) -> str:
        """Return a new refresh token of a user."""
        token = f"5Aep861{secrets.token_urlsafe(48).replace('-', '.')}"
        self._store.issue(PROVIDER, _REFRESH, token, {"user": user})
        self._refresh = {**self._refresh, token: user}
        return token

    def refreshing(self, token: str) -> int | None:
        """Return the user whom a refresh token is of, or None."""
        return self._refresh.get(token)

    def revoke(self, token: str) -> None:
        """Let a token count for nothing any more; the standing ones stay."""
        if token in (self.application.token, self.seeder.token):
            return
        self._store.revoke(PROVIDER, token)
        self._by_token = {text: each for text, each in self._by_token.items() if text != token}
        self._refresh = {text: user for text, user in self._refresh.items() if text != token}
