"""Salesforce's refusals, in their two forms: alone in an array, or of one row among many.

Salesforce docs, "Status Codes and Error Responses"; the wording is that of answers that were recorded or
quoted, and [unsure] where neither is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_crmseed.portal.message import PortalResponse

JSON_TYPE = "application/json;charset=UTF-8"

GONE_MESSAGE = "The requested resource does not exist"


@dataclass(frozen=True, slots=True)
class Problem:
    """One error. ``fields`` None leaves the key out where the error stands alone."""

    code: str
    message: str
    fields: tuple[str, ...] | None = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def single(self) -> dict[str, Any]:
        """Return it as it stands in the array of a single call."""
        body = {**self.extra, "message": self.message, "errorCode": self.code}
        if self.fields is not None:
            body["fields"] = list(self.fields)
        return body

    def in_row(self) -> dict[str, Any]:
        """Return it as it stands in the result of one row of a collections call, a tree or a graph."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields or ())}


class Refusal(Exception):
    """What was asked for is refused; nothing of it was done."""

    def __init__(
        self,
        problems: Sequence[Problem],
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("; ".join(f"{problem.code}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)
        self.status = status
        self.headers = dict(headers or {})

    def response(self) -> PortalResponse:
        """Return the answer of a single call."""
        body = [problem.single() for problem in self.problems]
        return PortalResponse.of(self.status, body, {"content-type": JSON_TYPE, **self.headers})

    def row(self) -> dict[str, Any]:
        """Return the result of a row; it has no id, not even a null one."""
        return {"success": False, "errors": [problem.in_row() for problem in self.problems]}


def refusal(
    code: str,
    message: str,
    fields: Sequence[str] | None = (),
    *,
    status: int = 400,
    headers: Mapping[str, str] | None = None,
) -> Refusal:
    """Return a refusal for one reason."""
    named = None if fields is None else tuple(fields)
    return Refusal([Problem(code, message, named)], status=status, headers=headers)


# -- requests ----------------------------------------------------------------------------------------
class _NotFound(Refusal):
    def response(self) -> PortalResponse:
        body = [{"errorCode": problem.code, "message": problem.message} for problem in self.problems]
        return PortalResponse.of(self.status, body, {"content-type": JSON_TYPE})


def not_found() -> Refusal:
    """Return the 404 of a path, object or row that is not there, or may not be seen."""
    return _NotFound([Problem("NOT_FOUND", GONE_MESSAGE, None)], status=404)


def not_emulated(what: str, nearby: Sequence[str]) -> Refusal:
    """Return the 501 of what the vendor has and the portal has not."""
    message = f"The local portal does not emulate {what}."
    if nearby:
        message += f" Nearest: {', '.join(nearby)}."
    return refusal("NOT_EMULATED", message, None, status=501)


def wrong_method(method: str, allowed: Sequence[str]) -> Refusal:
    """Return the 405 of a path that takes other methods."""
    names = ",".join(allowed)
    message = f"HTTP Method '{method}' not allowed. Allowed are {names}"
    return refusal("METHOD_NOT_ALLOWED", message, None, status=405, headers={"Allow": ", ".join(allowed)})


def invalid_session() -> Refusal:
    """Return the 401 of a token that is over, or never was one."""
    return refusal("INVALID_SESSION_ID", "Session expired or invalid", None, status=401)


def daily_limit() -> Refusal:
    """Return the 403 of the org's requests in 24 hours; it does not pass in seconds."""
    return refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", None, status=403)


def concurrent_limit() -> Refusal:
    """Return the 403 of long requests at once; it has the code of the other limit."""
    message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    return refusal("REQUEST_LIMIT_EXCEEDED", message, None, status=403)


def parser_error(message: str) -> Refusal:
    """Return the 400 of a body that is no JSON, or has the wrong JSON in it."""
    return refusal("JSON_PARSER_ERROR", message, None)


# -- rows --------------------------------------------------------------------------------------------
def no_such_row() -> Refusal:
    """Return the 404 of a row that is gone for good, was never there, or is of another object."""
    return refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", status=404)


def is_deleted() -> Refusal:
    """Return the 404 of a row that is in the recycle bin."""
    return refusal("ENTITY_IS_DELETED", "entity is deleted", status=404)


def locked(id: str | None = None) -> Refusal:
    """Return the refusal of a row that another transaction holds."""
    message = "unable to obtain exclusive access to this record"
    if id is not None:
        message += f" or 1 records: {id[:15]}"
    return refusal("UNABLE_TO_LOCK_ROW", message)


def storage_full() -> Refusal:
    """Return the refusal of a row for which the org has no room."""
    return refusal("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded")


def required(fields: Sequence[str]) -> Problem:
    """Return the error of fields without a value."""
    return Problem(
        "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(fields)}]", tuple(fields)
    )


def not_writable(fields: Sequence[str]) -> Refusal:
    """Return the refusal of fields that nobody can set, or not any more."""
    message = (
        f"Unable to create/update fields: {', '.join(fields)}. Please check the security settings of this "
        "field and verify that it is read/write for your profile or permission set."
    )
    return refusal("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields)


def no_such_column(name: str, object_name: str) -> Refusal:
    """Return the refusal of a field that the object has not, or the user may not see."""
    return refusal("INVALID_FIELD", f"No such column '{name}' on sobject of type {object_name}", None)


def no_such_key(name: str) -> Refusal:
    """Return the 404 of a path that names no external id field."""
    message = f"Provided external ID field does not exist or is not accessible: {name}"
    return refusal("NOT_FOUND", message, None, status=404)
