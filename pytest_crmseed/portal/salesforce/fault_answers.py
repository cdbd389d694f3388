"""Salesforce's answers when something goes wrong on purpose, see :mod:`pytest_crmseed.portal.faults`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pytest_crmseed.portal.fault_kinds import html_page
from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.portal.salesforce.errors import (
    JSON_TYPE,
    Problem,
    concurrent_limit,
    daily_limit,
    invalid_session,
    locked,
    not_found,
    refusal,
)

_PARTIAL = Problem("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Please contact your administrator.")


class SalesforceFaultAnswers:
    """Builds the answers of one org."""

    def throttled(self, request: PortalRequest, policy: str, retry_after: float | None) -> PortalResponse:
        """Return the 403 of a limit: ``daily`` ends the day, the others are of requests at once.

        Salesforce has no ``Retry-After``; one is sent only if it is ordered.
        """
        limit = daily_limit() if policy == "daily" else concurrent_limit()
        return _with(limit.response(), retry_after)

    def failed(self, request: PortalRequest, status: int, retry_after: float | None) -> PortalResponse:
        """Return the answer with an error status; 423 stands for a lock on the row."""
        if status == 423:
            return self._locked(request)
        if status in (420, 477):
            # The edge's own, for a host that is being set up or moved.
            return html_page(420, _header(retry_after))
        if status == 429:
            return self.throttled(request, "burst", retry_after)
        if status == 401:
            return _with(invalid_session().response(), retry_after)
        if status == 403:
            answer = refusal(
                "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", status=403
            ).response()
        elif status == 404:
            answer = not_found().response()
        elif status == 503:
            answer = refusal(
                "SERVER_UNAVAILABLE", "Server is temporarily unavailable", None, status=503
            ).response()
        elif status > 500:
            return html_page(status, _header(retry_after))
        elif status == 500:
            message = "An unexpected error occurred. Please include this ErrorId if you contact support: 1-1"
            answer = refusal("UNKNOWN_EXCEPTION", message, None, status=500).response()
        else:
            answer = refusal("UNKNOWN_EXCEPTION", f"HTTP {status}", None, status=status).response()
        return _with(answer, retry_after)

    def expired(self) -> PortalResponse:
        """Return the 401 of an expired session."""
        return invalid_session().response()

    def rows(self, request: PortalRequest) -> int | None:
        """Return the number of rows of a collections call; None for any other."""
        held = _collection(request)
        return None if held is None else len(held)

    def without(self, request: PortalRequest, rows: Sequence[int]) -> PortalRequest | None:
        """Return a collections call without some of its rows; None when none is left."""
        held = _collection(request) or []
        left = [row for number, row in enumerate(held) if number not in rows]
        if not left:
            return None
        query, body = request.query, request.body
        if request.method == "DELETE":
            others = "".join(f"&{part}" for part in query.split("&") if part and not part.startswith("ids="))
            query = f"ids={','.join(left)}{others}"
        else:
            body = json.dumps({**json.loads(body), "records": left}).encode()
        return PortalRequest(request.method, request.path, query, request.headers, body, request.scheme)

    def partial(
        self,
        request: PortalRequest,
        answer: PortalResponse | None,
        rows: Sequence[int],
        *,
        silent: bool,
    ) -> PortalResponse:
        """Return the answer of a collections call of which ``rows`` were refused."""
        results = [] if answer is None else answer.json()
        if not isinstance(results, list):
            results = []
        if not silent:
            for row in sorted(set(rows)):
                results.insert(row, {"success": False, "errors": [_PARTIAL.in_row()]})
        return PortalResponse.of(200, results, {"content-type": JSON_TYPE})

    def _locked(self, request: PortalRequest) -> PortalResponse:
        number = self.rows(request)
        if number is None:
            return locked().response()
        results = [locked().row() for _ in range(number)]
        return PortalResponse.of(200, results, {"content-type": JSON_TYPE})


def _collection(request: PortalRequest) -> list[Any] | None:
    segments = [segment.lower() for segment in request.segments]
    if segments[3:5] != ["composite", "sobjects"]:
        return None
    if request.method == "DELETE":
        return [id for value in request.arguments.get("ids", []) for id in value.split(",") if id]
    if request.method not in ("POST", "PATCH"):
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    records = body.get("records") if isinstance(body, dict) else None
    return records if isinstance(records, list) and records else None


def _with(answer: PortalResponse, retry_after: float | None) -> PortalResponse:
    return PortalResponse(answer.status, answer.body, {**answer.headers, **_header(retry_after)})


def _header(retry_after: float | None) -> dict[str, str]:
    return {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
