"""Pipedrive's refusals (Pipedrive docs, "HTTP status codes").

Texts that no documentation page shows were published by people who got them from the real service;
those marked [unsure] are stand-ins for bodies that nobody has published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_crmseed.portal.fault_kinds import html_page
from pytest_crmseed.portal.message import PortalResponse

_INFO = "Please check developers.pipedrive.com for more information about Pipedrive API."
_SHORT_INFO = "Please check developers.pipedrive.com"


@dataclass(eq=False)
class ApiError(Exception):
    """A refusal. ``body`` replaces the version's usual one; ``page`` answers Cloudflare's page."""

    status: int
    error: str
    code: str = ""
    info: str = ""
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    page: bool = False

    def response(self, version: str) -> PortalResponse:
        """Return the answer, in the form of ``v1`` or ``v2``."""
        if self.page:
            return html_page(self.status, self.headers)
        if self.body is not None:
            return PortalResponse.of(self.status, self.body, self.headers)
        body: dict[str, Any] = {"success": False, "error": self.error}
        if version == "v1" or self.info:
            body |= {"error_info": self.info or _INFO, "data": None, "additional_data": None}
        if self.code:
            body["code"] = self.code
        return PortalResponse.of(self.status, body, self.headers)


def unauthorized() -> ApiError:
    """Return the 401 of a token that is missing or counts for nothing."""
    body = {"success": False, "error": "unauthorized access", "errorCode": 401, "error_info": _SHORT_INFO}
    return ApiError(401, "unauthorized access", body=body, headers={"x-401-by-gw": "true"})


def wrong_scope() -> ApiError:
    """Return the 403 of a token without the scope that the path needs."""
    body = {"success": False, "error": "Scope and URL mismatch"}
    return ApiError(403, "Scope and URL mismatch", body=body)


def burst_reached(headers: Mapping[str, str]) -> ApiError:
    """Return the 429 of the burst limit; of the body's shape [unsure]."""
    return _gateway(429, "request over limit", headers)


def budget_exceeded(headers: Mapping[str, str]) -> ApiError:
    """Return the 429 of the daily budget."""
    return _gateway(429, "daily request budget exceeded", headers)


def blocked() -> ApiError:
    """Return Cloudflare's page, after one 429 too many."""
    return ApiError(403, "blocked", page=True)


def invalid(problems: Iterable[tuple[str, str]]) -> ApiError:
    """Return v2's refusal of a body: pairs of a key and what is wrong with it."""
    text = "; ".join(f"{name}: {problem}" for name, problem in problems)
    return ApiError(400, f"Validation failed: {text}", "ERR_SCHEMA_VALIDATION_FAILED")


def invalid_input(text: str) -> ApiError:
    """Return the refusal of a search."""
    return ApiError(400, f"Invalid input: {text}", "ERR_INVALID_INPUT")


def bad_request(text: str, code: str = "") -> ApiError:
    """Return a plain 400."""
    return ApiError(400, text, code)


def not_found(noun: str) -> ApiError:
    """Return the 404 of a record; ``noun`` is ``Deal`` etc."""
    return ApiError(404, f"{noun} not found", "ERR_NOT_FOUND")


def object_not_found(text: str) -> ApiError:
    """Return v1's 404 with its own info."""
    return ApiError(404, text, info="Object was not found.")


def deleted(noun: str, *, forbidden: bool) -> ApiError:
    """Return the refusal to edit a deleted record."""
    if forbidden:
        return ApiError(403, f"{noun} is deleted and cannot be edited", "ERR_FORBIDDEN")
    text = "Entity is deleted. You must first restore it before you can edit"
    return ApiError(400, text, f"ERR_{noun.upper().replace(' ', '_')}_DELETED")


def not_permitted() -> ApiError:
    """Return the 403 of something that the token's user may not do."""
    error = "You do not have permissions to do this."
    body = {
        "success": False,
        "error": error,
        "error_info": _SHORT_INFO,
        "data": None,
        "additional_data": None,
    }
    return ApiError(403, error, body=body)


def capped(text: str, code: str) -> ApiError:
    """Return the 403 of a cap of the plan."""
    body = {
        "success": False,
        "error": text,
        "error_info": _INFO,
        "data": None,
        "additional_data": None,
        "code": code,
    }
    return ApiError(403, text, body=body)


def no_json() -> ApiError:
    """Return the refusal of a body that is no JSON. [unsure] of the text."""
    return ApiError(400, "Bad request: the body is not valid JSON", "ERR_BAD_REQUEST")


def wrong_content_type() -> ApiError:
    """Return the refusal of a body that is not said to be JSON. [unsure] of the text."""
    return ApiError(415, "Unsupported media type: application/json is expected", "ERR_UNSUPPORTED_MEDIA_TYPE")


def wrong_method(allowed: Sequence[str]) -> ApiError:
    """Return the 405 of a verb that the path does not take. [unsure] of the body."""
    return ApiError(405, "Method not allowed", headers={"allow": ", ".join(allowed)})


def removed(status: int) -> ApiError:
    """Return what an operation of v1 that is out of support answers. [unsure] of the body."""
    return ApiError(status, "This endpoint is no longer available. Please use the v2 endpoint instead.")


def not_emulated(what: str, nearby: Sequence[str]) -> ApiError:
    """Return the portal's own answer for what it lacks."""
    error = f"{what} is not emulated by the local portal of pytest-crmseed."
    body = {"success": False, "error": error, "errorCode": 501, "emulated": list(nearby)}
    return ApiError(501, error, body=body)


def _gateway(status: int, error: str, headers: Mapping[str, str]) -> ApiError:
    body = {"success": False, "error": error, "errorCode": status}
    return ApiError(status, error, body=body, headers=headers)
