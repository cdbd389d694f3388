"""One call of a route: the request, what the path says, and the account it works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pytest_crmseed.portal.hubspot import bodies
from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.portal.hubspot.errors import invalid
from pytest_crmseed.portal.hubspot.instants import iso
from pytest_crmseed.portal.hubspot.tokens import Token
from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.schema.model import ObjectType

PAGE_DEFAULT = 10
PAGE_LIMIT = 100
"""Records on a page of a list (HubSpot docs, "Using object APIs")."""


@dataclass
class Call:
    """A call of a route. ``version`` is ``v3``, ``v4`` or a date; ``token`` None where none is needed."""

    account: Account
    request: PortalRequest
    params: dict[str, str]
    version: str
    token: Token | None

    @cached_property
    def object_type(self) -> ObjectType:
        """The object type that the path names.

        Raises:
            ApiError: it is unknown or not emulated.
        """
        return self.account.object_types.resolve(self.params["type"])

    @cached_property
    def from_type(self) -> ObjectType:
        """The object type that associations start at."""
        return self.account.object_types.resolve(self.params["from"])

    @cached_property
    def to_type(self) -> ObjectType:
        """The object type that associations end at."""
        return self.account.object_types.resolve(self.params["to"])

    @cached_property
    def json(self) -> Any:
        """The request's JSON body.

        Raises:
            ApiError: it is missing or no JSON.
        """
        return bodies.parse(self.request)

    @property
    def since_2026_09(self) -> bool:
        """Whether dates are normalised with a warning, and the administrator's rules obeyed.

        HubSpot changelog, "CRM API write validation enforcement": older versions stay as they are.
        """
        return not self.version.startswith("v") and self.version >= "2026-09"

    @property
    def origin(self) -> str:
        """The source of what the call writes, as it is kept: HubSpot's source type and the app's id."""
        return "INTEGRATION" if self.token is None else f"INTEGRATION {self.token.app_id}"

    def argument(self, name: str) -> str | None:
        """Return the query's last value of this name, or None."""
        values = self.request.arguments.get(name)
        return values[-1] if values else None

    def flag(self, name: str) -> bool:
        """Return a boolean of the query; clients write it in any case."""
        return (self.argument(name) or "").lower() == "true"

    def several(self, name: str) -> list[str]:
        """Return values of the query that come comma-separated, repeated, or both."""
        values = self.request.arguments.get(name, [])
        return [part.strip() for value in values for part in value.split(",") if part.strip()]

    def limit(self, *, default: int = PAGE_DEFAULT, most: int = PAGE_LIMIT) -> int:
        """Return the page size. The refusals' wording is [unsure].

        Raises:
            ApiError: it is no number from 1 to ``most``.
        """
        text = self.argument("limit")
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 10) or not 1 <= int(text) <= most:
            raise invalid(f"limit must be a number from 1 to {most}, not {text}", {"limit": [text]})
        return int(text)

    def batch_answer(
        self,
        results: list[dict[str, Any]],
        entries: Sequence[dict[str, Any]],
        *,
        status: int,
        started: float,
    ) -> PortalResponse:
        """Return a batch's answer: ``status``, or 207 with ``entries`` for what has failed."""
        body: dict[str, Any] = {"status": "COMPLETE", "results": self.account.order(results)}
        if entries:
            body |= {"numErrors": len(entries), "errors": list(entries)}
        body |= {"startedAt": iso(started), "completedAt": iso(self.account.now())}
        return PortalResponse.of(207 if entries else status, body)
