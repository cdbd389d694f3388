"""Pipedrive's answers when something goes wrong on purpose, see :mod:`pytest_crmseed.portal.faults`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pytest_crmseed.portal.fault_kinds import html_page
from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.portal.pipedrive import errors, paths
from pytest_crmseed.portal.pipedrive.errors import ApiError

# [unsure] of these texts and codes: nobody has published the bodies.
_TEXTS = {
    400: ("Bad request", "ERR_BAD_REQUEST"),
    402: ("Payment required: the company is not open", "ERR_PAYMENT_REQUIRED"),
    409: ("Conflict", "ERR_CONFLICT"),
    410: ("Gone", "ERR_GONE"),
    423: ("Locked", "ERR_LOCKED"),
    500: ("Internal Server Error", "ERR_UNKNOWN"),
}


class PipedriveFaultAnswers:
    """Builds the answers of a company."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def throttled(self, request: PortalRequest, policy: str, retry_after: float | None) -> PortalResponse:
        """Return the 429 of a limit: ``burst``, ``daily`` or ``search``."""
        headers = _retry_after(retry_after)
        if policy == "daily":
            if retry_after is None:
                headers = {"retry-after": str(max(1, math.ceil(86_400 - self._clock() % 86_400)))}
            return errors.budget_exceeded(headers).response("v1")
        reset = 2 if retry_after is None else max(1, math.ceil(retry_after))
        window = {"x-ratelimit-limit": "10" if policy == "search" else "20", "x-ratelimit-remaining": "0"}
        return errors.burst_reached({**window, "x-ratelimit-reset": str(reset), **headers}).response("v1")

    def failed(self, request: PortalRequest, status: int, retry_after: float | None) -> PortalResponse:
        """Return the answer with an error status; a 403 is Cloudflare's page, as a flood gets it."""
        version, _ = paths.located(request)
        if status == 429:
            return self.throttled(request, "burst", retry_after)
        if status == 403 or status > 500:
            # The service stands behind Cloudflare, whose own errors are pages.
            return html_page(status, _retry_after(retry_after))
        if status == 401:
            error = errors.unauthorized()
        elif status == 404:
            error = errors.not_found("Entity")
        else:
            text, code = _TEXTS.get(status, (f"HTTP {status}", ""))
            error = ApiError(status, text, code)
        return replace(error, headers={**error.headers, **_retry_after(retry_after)}).response(version)

    def expired(self) -> PortalResponse:
        """Return the 401 of an expired token."""
        return errors.unauthorized().response("v1")

    def rows(self, request: PortalRequest) -> int | None:
        """Return the number of deal products that are added at once; None for what is no batch."""
        body = _batch(request)
        return None if body is None else len(body["data"])

    def without(self, request: PortalRequest, rows: Sequence[int]) -> PortalRequest | None:
        """Return a batch without some of its rows; None when none is left."""
        body = _batch(request) or {"data": []}
        left = [row for number, row in enumerate(body["data"]) if number not in rows]
        if not left:
            return None
        # A request keeps what it has parsed of itself, so this is a new one and no altered copy.
        return PortalRequest(
            request.method,
            request.path,
            request.query,
            request.headers,
            json.dumps({**body, "data": left}).encode(),
            request.scheme,
        )

    def partial(
        self,
        request: PortalRequest,
        answer: PortalResponse | None,
        rows: Sequence[int],
        *,
        silent: bool,
    ) -> PortalResponse:
        """Return the answer of a batch of which ``rows`` were refused; it passes them over in any case.

        Pipedrive documents no partial success of a batch, and so no words for a refused row.
        """
        return PortalResponse.of(201, {"success": True, "data": []}) if answer is None else answer


def _batch(request: PortalRequest) -> dict[str, Any] | None:
    version, segments = paths.located(request)
    if version != "v2" or request.method != "POST" or segments[-1:] != ("bulk",):
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and isinstance(body.get("data"), list) else None


def _retry_after(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"retry-after": str(math.ceil(seconds))}
