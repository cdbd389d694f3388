"""How HubSpot's answers are to be taken (HubSpot docs, "Error handling" and "API usage guidelines")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, Throttled, TooLarge, Unauthorized
from pytest_crmseed.providers.base import Answer, Effect, Outcome, Request, Verdict
from pytest_crmseed.providers.hubspot.refusals import read_refusals

# HubSpot docs, "Error handling": 423 locks last two seconds. 477 carries Retry-After.
_LOCKED_FOR = 2.0
# No figure is documented for a burst 429; the window rolls, so some room comes back soon.
_BURST_WAIT = 2.0
_SECONDLY_WAIT = 1.0


def judge(request: Request, answer: Answer) -> Verdict:
    """Return how an answer is to be taken, from its body first and its status second."""
    body = _json_object(answer)
    status = answer.status
    if 200 <= status < 300:
        if body is not None or (request.effect is Effect.DELETE and not answer.body):
            return Verdict(Outcome.DONE)
        return _not_json(request, answer)
    if status == 429:
        return _throttled(answer, body or {})
    if status in (423, 477):
        wait = _LOCKED_FOR if status == 423 else _retry_after(answer)
        message = f"HubSpot is locked ({status}) for: {request.what}."
        return Verdict(Outcome.NOT_EXECUTED, PortalError(message, status=status), wait)
    # A 408 comes from something on the way, which may have passed the request on.
    if status == 408 or (status >= 500 and not (status == 501 and body is not None)):
        said = f" It says: {body['message']}" if body and body.get("message") else ""
        message = f"HubSpot failed with {status} at: {request.what}.{said}"
        return Verdict(Outcome.FAILED, PortalError(message, status=status))
    if status in (413, 414):
        # Whatever stands between us and the API may answer so, too, and with a page.
        refusals = read_refusals(body or {"message": "The request is too large."}, status=status)
        message = f"HubSpot refused to {request.what} ({status}): {refusals[0].message}"
        return Verdict(Outcome.REFUSED, TooLarge(message, status=status, refusals=refusals))
    if body is None:
        return _not_json(request, answer)
    if status in (401, 403):
        return Verdict(Outcome.REFUSED, _unauthorized(request, status, body))
    refusals = read_refusals(body, status=status)
    message = f"HubSpot refused to {request.what} ({status}): {refusals[0].message}"
    return Verdict(Outcome.REFUSED, ApiRefused(message, status=status, refusals=refusals))


def _json_object(answer: Answer) -> dict[str, Any] | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _retry_after(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if text.isdigit() else None


def _not_json(request: Request, answer: Answer) -> Verdict:
    kind = answer.headers.get("content-type", "no content type").split(";")[0]
    error = NotAPortal(
        f"The address answered {answer.status} with {kind} instead of JSON to: {request.what}.",
        remedy="Is this HubSpot's API? Check the base URL, and proxies on the way.",
        status=answer.status,
    )
    if request.effect is Effect.READ:
        return Verdict(Outcome.REFUSED, error)
    # Whatever the page's status: a proxy may have put it in the place of the answer to what was done.
    return Verdict(Outcome.FAILED, error)


def _throttled(answer: Answer, body: Mapping[str, Any]) -> Verdict:
    policy = str(body.get("policyName") or "")
    said = str(body.get("message") or "Too many requests.")
    error = Throttled(f"HubSpot's rate limit: {said}", status=429, policy=policy)
    if policy == "DAILY" or "daily" in said.lower():
        error.remedy = (
            "The portal's quota of the day is used up; it resets at midnight of the portal's time zone."
        )
        return Verdict(Outcome.REFUSED, error)
    # Not any "secondly": the burst limit's message says "ten_secondly_rolling".
    secondly = policy == "SECONDLY" or "your secondly limit" in said.lower()
    default = _SECONDLY_WAIT if secondly else _BURST_WAIT
    asked = _retry_after(answer)
    return Verdict(Outcome.NOT_EXECUTED, error, asked if asked is not None else default)


def _unauthorized(request: Request, status: int, body: Mapping[str, Any]) -> Unauthorized:
    message = str(body.get("message") or "no reason given")
    if status == 401:
        return Unauthorized(
            f"HubSpot does not accept the access token (401): {message}",
            remedy=(
                "Check HUBSPOT_ACCESS_TOKEN (or CRMSEED_HUBSPOT_ACCESS_TOKEN): expired, revoked, or of "
                "another region?"
            ),
            status=status,
        )
    scopes: list[str] = []
    for entry in body.get("errors") or ():
        context = entry.get("context") or {}
        scopes += context.get("requiredGranularScopes") or context.get("requiredScopes") or []
    if not scopes:
        return Unauthorized(
            f"HubSpot refused to {request.what} (403): {message}",
            remedy="Does the portal's subscription include this object type?",
            status=status,
        )
    return Unauthorized(
        f"HubSpot refused to {request.what} (403): the token lacks a scope ({', '.join(scopes)}).",
        remedy="Add the scope to the private app, and use its new token.",
        status=status,
        scopes=scopes,
    )
