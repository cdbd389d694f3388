"""HubSpot's answers when something goes wrong on purpose, see :mod:`pytest_crmseed.portal.faults`."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pytest_crmseed.portal.fault_kinds import html_page
from pytest_crmseed.portal.hubspot import errors
from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.portal.hubspot.errors import ApiError
from pytest_crmseed.portal.hubspot.instants import iso
from pytest_crmseed.portal.message import PortalRequest, PortalResponse

# [unsure] of these texts and categories: nobody has published the bodies.
_TEXTS = {
    400: ("The request is invalid", "VALIDATION_ERROR"),
    409: ("The record was changed by another request", "CONFLICT"),
    423: ("The records are locked by another process; try again in a moment", "LOCKED"),
    477: ("This HubSpot account is being migrated to another data center", "MIGRATION_IN_PROGRESS"),
    500: ("internal error", ""),
}


class HubSpotFaultAnswers:
    """Builds the answers of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def throttled(self, request: PortalRequest, policy: str, retry_after: float | None) -> PortalResponse:
        """Return the 429 of a limit: ``burst``, ``daily`` or ``search``."""
        headers = _retry_after(retry_after)
        request_id = uuid.uuid4().hex
        if policy == "daily":
            return _answer(errors.daily_reached(request_id, headers))
        if policy == "search":
            return _answer(errors.secondly_reached(request_id, headers))
        token = self._account.tokens.bearer(request.headers.get("authorization", ""))
        return _answer(errors.burst_reached(token.app_id if token else None, headers))

    def failed(self, request: PortalRequest, status: int, retry_after: float | None) -> PortalResponse:
        """Return the answer with an error status."""
        if status == 429:
            return self.throttled(request, "burst", retry_after)
        if status > 500:
            # HubSpot stands behind an edge whose own errors are pages [unsure].
            return html_page(status, _retry_after(retry_after))
        if status == 401:
            error = errors.unauthorized()
        elif status == 403:
            error = errors.missing_scopes(["crm.objects.custom.read"])
        elif status == 404:
            error = errors.record_not_found()
        else:
            text, category = _TEXTS.get(status, (f"HTTP {status}", ""))
            error = ApiError(status, text, category)
        return _answer(replace(error, headers={**error.headers, **_retry_after(retry_after)}))

    def expired(self) -> PortalResponse:
        """Return the 401 of an expired token."""
        return _answer(errors.token_expired(7))

    def rows(self, request: PortalRequest) -> int | None:
        """Return the number of rows of a batch; None for what is no batch."""
        body = _batch(request)
        return None if body is None else len(body["inputs"])

    def without(self, request: PortalRequest, rows: Sequence[int]) -> PortalRequest | None:
        """Return a batch without some of its rows; None when none is left."""
        body = _batch(request) or {"inputs": []}
        left = [row for number, row in enumerate(body["inputs"]) if number not in rows]
        if not left:
            return None
        # A request keeps what it has parsed of itself, so this is a new one and no altered copy.
        return PortalRequest(
            request.method,
            request.path,
            request.query,
            request.headers,
            json.dumps({**body, "inputs": left}).encode(),
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
        """Return the answer of a batch of which ``rows`` were refused; ``answer`` is that of the others.

        Answers without a body, such as an archive's 204, name no refused row.
        """
        if answer is not None and not answer.body:
            return answer
        now = iso(self._account.now())
        body: dict[str, Any] = {"status": "COMPLETE", "results": [], "startedAt": now, "completedAt": now}
        if answer is not None:
            body = answer.json()
        status = 200 if answer is None else answer.status
        headers = {} if answer is None else answer.headers
        if silent:
            return PortalResponse.of(status, body, headers)
        sent = (_batch(request) or {"inputs": []})["inputs"]
        entries = [_entry(sent[row]) for row in rows]
        body["errors"] = [*body.get("errors", []), *entries]
        body["numErrors"] = len(body["errors"])
        return PortalResponse.of(207, body, headers)


def _entry(row: Any) -> dict[str, Any]:
    error = ApiError(500, "internal error", "INTERNAL_ERROR")
    if not isinstance(row, dict):
        return error.entry()
    if isinstance(row.get("id"), str):
        error = replace(error, context={"ids": [row["id"]]})
    trace_id = row.get("objectWriteTraceId")
    return error.entry([trace_id] if isinstance(trace_id, str) else [])


def _batch(request: PortalRequest) -> dict[str, Any] | None:
    if request.method != "POST" or "batch" not in request.segments:
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and isinstance(body.get("inputs"), list) else None


def _retry_after(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(math.ceil(seconds))}


def _answer(error: ApiError) -> PortalResponse:
    correlation_id = str(uuid.uuid4())
    response = error.response(correlation_id)
    return replace(response, headers={"x-hubspot-correlation-id": correlation_id, **response.headers})
