"""HubSpot's refusals: statuses, categories and texts (HubSpot docs, "Error handling").

Texts that no documentation page shows were captured from live portals; those marked [unsure] are
stand-ins for bodies that nobody has published.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_crmseed.portal.message import PortalResponse

SCOPES_PAGE = "https://developers.hubspot.com/scopes"
OAUTH_PAGE = "https://developers.hubspot.com/docs/methods/auth/oauth-overview"


@dataclass(eq=False)
class ApiError(Exception):
    """A refusal. ``context`` also goes into the entry of a 207 answer, ``errors`` and ``extra`` do not."""

    status: int
    message: str
    category: str = ""
    sub_category: str = ""
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    errors: Sequence[Mapping[str, Any]] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, correlation_id: str) -> PortalResponse:
        """Return the answer of a request that is refused as a whole."""
        body: dict[str, Any] = {
            "status": "error",
            "message": self.message,
            "correlationId": correlation_id,
        }
        if self.context:
            body["context"] = self.context
        if self.errors:
            body["errors"] = self.errors
        body.update(self.extra)
        if self.category:
            body["category"] = self.category
        if self.sub_category:
            body["subCategory"] = self.sub_category
        return PortalResponse.of(self.status, body, self.headers)

    def entry(self, trace_ids: Sequence[str] = ()) -> dict[str, Any]:
        """Return the entry in ``errors`` of a 207 answer, which names the rows by trace id."""
        entry: dict[str, Any] = {"status": "error", "category": self.category or "VALIDATION_ERROR"}
        if self.sub_category:
            entry["subCategory"] = self.sub_category
        entry["message"] = self.message
        context = dict(self.context)
        if trace_ids:
            context["objectWriteTraceId"] = list(trace_ids)
        entry["context"] = context
        return entry


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one property of a record. ``value`` is absent where HubSpot leaves it out."""

    name: str
    code: str
    message: str
    value: str | None = None


def invalid(
    message: str, context: Mapping[str, Sequence[str]] | None = None, *, category: str = "VALIDATION_ERROR"
) -> ApiError:
    """Return a plain 400."""
    return ApiError(400, message, category, context=context or {})


def invalid_properties(problems: Sequence[Problem], portal_id: int) -> ApiError:
    """Return the refusal of a record's values, all of them together.

    The JSON inside the message is the older carrier and all that a 207 entry has; the structured
    ``errors`` are the newer one, in answers that refuse the whole request.
    """
    inner: list[dict[str, Any]] = []
    for problem in problems:
        item: dict[str, Any] = {
            "isValid": False,
            "message": problem.message,
            "error": problem.code,
            "name": problem.name,
            "localizedErrorMessage": problem.message,
        }
        if problem.value is not None:
            item["propertyValue"] = problem.value
        item["portalId"] = portal_id
        inner.append(item)
    text = json.dumps(inner, ensure_ascii=False, separators=(",", ":"))
    errors = [
        {"message": problem.message, "code": problem.code, "context": {"propertyName": [problem.name]}}
        for problem in problems
    ]
    return ApiError(400, f"Property values were not valid: {text}", "VALIDATION_ERROR", errors=errors)


def missing_required(noun: str, names: Sequence[str]) -> ApiError:
    """Return the refusal of a create without its required properties; ``noun`` is ``CONTACT`` etc."""
    message = f"Error creating {noun}. Some required properties were not set."
    return invalid(message, {"properties": list(names)})


def contact_exists(id: int) -> ApiError:
    """Return the refusal of a contact whose address is taken; the id is in the text alone."""
    return ApiError(409, f"Contact already exists. Existing ID: {id}", "CONFLICT")


def blocked_email(address: str) -> ApiError:
    """Return the refusal of an address that a GDPR delete has blocked. [unsure] of status and text."""
    message = f"Email address {address} is blocklisted: its owner asked for permanent deletion."
    return invalid(message, {"email": [address]})


def unique_value_taken(
    *, portal_id: int, noun: str, name: str, value: str, id: int, existing: int
) -> ApiError:
    """Return the refusal of a unique value that another record holds. ``id`` is the refused one's."""
    message = (
        f"Cannot set PropertyValueCoordinates{{portalId={portal_id},"
        f" objectTypeId=ObjectTypeId{{legacyObjectType={noun}}}, propertyName={name}, value={value}}}"
        f" on {id}. {existing} already has that value."
    )
    error = {
        "message": message,
        "code": "CONFLICTING_UNIQUE_VALUE",
        "context": {"propertyName": [name]},
    }
    return ApiError(400, message, "VALIDATION_ERROR", errors=[error])


def duplicate_ids(ids: Sequence[str]) -> ApiError:
    """Return the refusal of a batch that names a record twice."""
    message = f"Duplicate IDs found in batch input: [{', '.join(ids)}]. IDs must be unique"
    return invalid(message, {"ids": list(ids)})


def objects_not_found(noun: str, ids: Sequence[str]) -> ApiError:
    """Return the one entry that lists all records a batch did not find."""
    message = (
        f"Could not get some {noun} objects, they may be deleted or not exist. Check that ids are valid."
    )
    return ApiError(404, message, "OBJECT_NOT_FOUND", context={"ids": list(ids)})


def non_unique(type_id: str, name: str) -> ApiError:
    """Return the refusal of an ``idProperty`` that does not identify a record."""
    return invalid(f"Unable to perform update/upsert by non-unique {type_id} property {name}")


def record_not_found() -> ApiError:
    """Return the 404 of a single record, which carries no category."""
    return ApiError(404, "resource not found")


def unknown_object_type(name: str) -> ApiError:
    """Return the refusal of an object type that HubSpot does not know."""
    return ApiError(400, f"Unable to infer object type from: {name}")


def unauthorized() -> ApiError:
    """Return the 401 of a request without a token, or with one that is not known."""
    message = (
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can"
        f" find more details at {OAUTH_PAGE}"
    )
    return ApiError(401, message, "INVALID_AUTHENTICATION")


def missing_scopes(scopes: Iterable[str]) -> ApiError:
    """Return the 403 of a token without any of ``scopes``."""
    message = (
        "This app hasn't been granted all required scopes to make this call."
        f" Read more about required scopes here: {SCOPES_PAGE}."
    )
    error = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": list(scopes)},
    }
    return ApiError(403, message, "MISSING_SCOPES", errors=[error], extra={"links": {"scopes": SCOPES_PAGE}})


def bad_json(detail: str, line: int = 1, column: int = 1) -> ApiError:
    """Return the refusal of a body that is no JSON, or not of the expected shape."""
    return invalid(f"Invalid input JSON on line {line}, column {column}: {detail}")


def fields_not_set(names: Sequence[str]) -> ApiError:
    """Return the refusal of a body without its required keys."""
    return invalid(
        f"Invalid input JSON on line 1, column 2. Some required fields were not set: [{', '.join(names)}]"
    )


def no_body() -> ApiError:
    """Return the refusal of a request that needs a body and has none."""
    return invalid("Invalid JSON input: a request body was expected, but none found")


def empty_batch() -> ApiError:
    """Return the refusal of a batch without inputs."""
    return invalid("Batch input provided should have at least one object.")


def batch_too_large(limit: int) -> ApiError:
    """Return the refusal of a batch with too many inputs. [unsure] of the wording."""
    return invalid(
        f"The maximum number of inputs supported in a batch request is {limit}."
        " Please reduce the number of items and try again"
    )


def too_many_for_history(limit: int) -> ApiError:
    """Return the refusal of a batch read with history that has too many inputs."""
    return invalid(
        f"The maximum number of inputs supported in a batch request for property histories is {limit}."
        " Please reduce the number of items and try again"
    )


def invalid_object_ids(pairs: Sequence[tuple[str, str]]) -> ApiError:
    """Return the refusal of associations with records that do not exist, given as noun and id."""
    context = {
        "INVALID_OBJECT_IDS": [f"{noun}={id} is not valid" for noun, id in pairs],
        "objectId": [id for _, id in pairs],
        "objectType": [noun for noun, _ in pairs],
    }
    return invalid("One or more associations are invalid", context)


def invalid_association_type(type_id: int, category: str, from_noun: str, to_noun: str) -> ApiError:
    """Return the refusal of an association type that does not run between two types. [unsure]"""
    text = f"{category} association type {type_id} is not valid from {from_noun} to {to_noun}"
    return invalid("One or more associations are invalid", {"INVALID_ASSOCIATION_TYPES": [text]})


def association_exists(name: str) -> ApiError:
    """Return the refusal of an association type whose name is taken."""
    return invalid(f"Association definition named {name} already exists for portal")


def too_many_labels(limit: int) -> ApiError:
    """Return the 437 of a label beyond what two object types may have. [unsure] of the text"""
    message = f"Two object types can have at most {limit} association labels."
    return ApiError(437, message, "VALIDATION_ERROR")


def no_associations(from_name: str, from_id: str, to_name: str) -> ApiError:
    """Return the 207 entry for a record without links of a kind."""
    return ApiError(
        404,
        f"No {to_name} is associated with {from_name} {from_id}.",
        "OBJECT_NOT_FOUND",
        "crm.associations.NO_ASSOCIATIONS_FOUND",
        {"fromObjectId": [from_id], "fromObjectType": [from_name], "toObjectType": [to_name]},
    )


def not_emulated(what: str, nearby: Sequence[str]) -> ApiError:
    """Return the 501 for what HubSpot has and the local portal has not."""
    message = f"{what} is not emulated by the local portal; emulated nearby: {', '.join(nearby)}."
    return ApiError(501, message, "NOT_EMULATED")


def wrong_method(allowed: Sequence[str]) -> ApiError:
    """Return the 405 of a path that takes other methods. [unsure] of the body."""
    return ApiError(405, "HTTP 405 Method Not Allowed", headers={"allow": ", ".join(allowed)})


def wrong_content_type() -> ApiError:
    """Return the 415 of a body that is not said to be JSON. [unsure] of the body."""
    return ApiError(415, "HTTP 415 Unsupported Media Type")


def burst_reached(app_id: int | None, headers: Mapping[str, str]) -> ApiError:
    """Return the 429 of the rolling window of one app."""
    extra = {
        "errorType": "RATE_LIMIT",
        "policyName": "TEN_SECONDLY_ROLLING",
        # [unsure] of the prefix, which is known for API keys only.
        "groupName": f"publicapi:private-app-api-calls-ten-secondly:{app_id or 0}",
    }
    message = "You have reached your ten_secondly_rolling limit."
    return ApiError(429, message, extra=extra, headers=headers)


def daily_reached(request_id: str, headers: Mapping[str, str]) -> ApiError:
    """Return the 429 of the account's daily figure."""
    extra = {"errorType": "RATE_LIMIT", "policyName": "DAILY", "requestId": request_id}
    return ApiError(429, "You have reached your daily limit.", extra=extra, headers=headers)


def secondly_reached(request_id: str, headers: Mapping[str, str]) -> ApiError:
    """Return the 429 of searches, which no other limit counts."""
    extra = {"errorType": "RATE_LIMIT", "policyName": "SECONDLY", "requestId": request_id}
    return ApiError(429, "You have reached your secondly limit.", extra=extra, headers=headers)


def token_expired(seconds: int) -> ApiError:
    """Return the 401 of an OAuth token that has expired."""
    message = f"The OAuth token used to make this call expired {seconds} second(s) ago."
    return ApiError(401, message, "EXPIRED_AUTHENTICATION")
