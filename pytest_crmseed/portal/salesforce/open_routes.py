"""Paths outside any version, which look for tokens by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.portal.salesforce import oauth, soap
from pytest_crmseed.portal.salesforce.errors import JSON_TYPE
from pytest_crmseed.portal.salesforce.org import Org
from pytest_crmseed.portal.salesforce.versions import versions


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """A method on a template outside any version."""

    method: str
    template: str
    handler: Callable[[Org, PortalRequest], PortalResponse]

    def fits(self, request: PortalRequest, method: str) -> bool:
        """Return whether a request is on it."""
        parts = self.template.strip("/").split("/")
        if method != self.method or len(parts) != len(request.segments):
            return False
        pairs = zip(parts, request.segments, strict=True)
        return all(part.startswith("{") or part.lower() == segment.lower() for part, segment in pairs)


def _versions(org: Org, request: PortalRequest) -> PortalResponse:
    return PortalResponse.of(200, versions(), {"content-type": JSON_TYPE})


ROUTES = (
    OpenRoute("GET", "/services/data", _versions),
    OpenRoute("POST", "/services/oauth2/token", oauth.token),
    OpenRoute("POST", "/services/oauth2/revoke", oauth.revoke),
    OpenRoute("GET", "/services/oauth2/revoke", oauth.revoke),
    OpenRoute("GET", "/services/oauth2/userinfo", oauth.userinfo),
    OpenRoute("POST", "/services/oauth2/userinfo", oauth.userinfo),
    OpenRoute("GET", "/id/{organization}/{user}", oauth.userinfo),
    OpenRoute("POST", "/services/Soap/u/{version}", soap.call),
    OpenRoute("POST", "/services/Soap/u/{version}/{organization}", soap.call),
)
"""All of them."""


def find(request: PortalRequest, method: str) -> OpenRoute | None:
    """Return the route of a request, or None."""
    return next((route for route in ROUTES if route.fits(request, method)), None)
