"""How Pipedrive's answers are to be taken (Pipedrive docs, "HTTP status codes", "Rate limiting")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, Throttled, TooLarge, Unauthorized
from pytest_crmseed.providers.base import Answer, Effect, Outcome, Request, Verdict
from pytest_crmseed.providers.pipedrive.capabilities import BURST_SECONDS
from pytest_crmseed.providers.pipedrive.refusals import code_of, read_refusals, said_in

# The burst window is over after two seconds; who has to wait longer than this has no tokens left.
_LONGEST_BURST = 60.0

# In so many windows in a row a burst has room again, whoever else uses the token.
_WINDOWS = 3

DAILY, CLOUDFLARE = "daily", "cloudflare"

_LEFT, _BURST_LEFT = "x-daily-ratelimit-token-remaining", "x-ratelimit-remaining"


class RateOrBudget(Throttled):
    """A 429 that does not say which limit it is of: that of the burst window, or the day's budget."""

    def if_it_lasts(self, waited: float) -> PortalError:
        """Return what it amounts to where it is all that was answered, though we waited between requests."""
        if waited < _WINDOWS * BURST_SECONDS:
            return self
        error = Throttled(
            f"{self.message} It does not say which limit is reached, but a burst's is over after "
            f"{BURST_SECONDS:g} s: most likely the company's tokens of the day are used up.",
            remedy=(
                "They come back at midnight of Pipedrive's server; whatever uses its API takes from them. If "
                "the company has some left today, something else floods it with requests by this token."
            ),
            status=self.status,
            policy=DAILY,
        )
        error.body = self.body
        return error


def gone(answer: Answer) -> bool:
    """Return whether a refusal says that the record is deleted already, in any of the ways there are."""
    body = _json(answer)
    if answer.status in (404, 410):
        # A page that is not there is no record that is not there.
        return isinstance(body, Mapping) and body.get("success") is False
    code = code_of(body)
    if answer.status == 400:
        return code.endswith("_DELETED")
    return answer.status == 403 and code == "ERR_FORBIDDEN" and "deleted" in said_in(body).lower()


def judge(request: Request, answer: Answer) -> Verdict:
    """Return how an answer is to be taken: by its status first, and its code second."""
    body, status = _json(answer), answer.status
    if 200 <= status < 300:
        if isinstance(body, Mapping) and body.get("success") is not False:
            return Verdict(Outcome.DONE)
        return _refused(request, status, body) if isinstance(body, Mapping) else _no_json(request, answer)
    by_id = request.records and request.effect in (Effect.READ, Effect.DELETE)
    if by_id and gone(answer):
        return Verdict(Outcome.DONE)
    if status == 429:
        return _throttled(answer, body)
    if status == 403 and not isinstance(body, Mapping):
        return _blocked(request)
    if status == 408 or status >= 500:
        said = f" It says: {said_in(body)}" if isinstance(body, Mapping) else ""
        message = f"Pipedrive failed with {status} at: {request.what}.{said}"
        return Verdict(Outcome.FAILED, PortalError(message, status=status))
    if status in (413, 414):
        refusals = read_refusals(body or {"error": "The request is too large."}, status=status)
        message = f"Pipedrive refused to {request.what} ({status}): {refusals[0].message}"
        return Verdict(Outcome.REFUSED, TooLarge(message, status=status, refusals=refusals))
    if not isinstance(body, Mapping):
        return _no_json(request, answer)
    if status in (401, 402) or (status == 403 and not code_of(body)):
        return Verdict(Outcome.REFUSED, _unauthorized(request, status, body))
    return _refused(request, status, body)


def _json(answer: Answer) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _seconds(answer: Answer, name: str) -> float | None:
    text = answer.headers.get(name, "").strip()
    return float(text) if text.isdigit() else None


def _throttled(answer: Answer, body: object) -> Verdict:
    said = said_in(body, "Too many requests.")
    asked = _seconds(answer, "retry-after")
    used_up = answer.headers.get(_LEFT) == "0" or "daily" in said.lower()
    if used_up or (asked is not None and asked > _LONGEST_BURST):
        again = f"in about {asked / 3600:.1f} hours" if asked else "at midnight of Pipedrive's server"
        error = Throttled(
            f"Pipedrive's daily budget: {said.rstrip('.')}.",
            remedy=(
                f"The company's tokens of the day are used up; they come back {again}. Whatever uses its "
                "API takes from them."
            ),
            status=429,
            policy=DAILY,
        )
        return Verdict(Outcome.REFUSED, error)
    wait = asked if asked is not None else _seconds(answer, "x-ratelimit-reset")
    told = _seconds(answer, _BURST_LEFT) == 0 or _seconds(answer, _LEFT) is not None
    error = (Throttled if told else RateOrBudget)(
        f"Pipedrive's rate limit: {said.rstrip('.')}.",
        remedy="All requests with this token count together, and so do those of the application.",
        status=429,
        policy="burst",
    )
    return Verdict(Outcome.NOT_EXECUTED, error, BURST_SECONDS if wait is None else wait)


def _blocked(request: Request) -> Verdict:
    error = Throttled(
        f"Cloudflare, which stands before Pipedrive, blocks the token or this address (403): {request.what}.",
        remedy=(
            "It does so after many requests over the rate limit; wait half an hour without any, and see who "
            "else uses the token."
        ),
        status=403,
        policy=CLOUDFLARE,
    )
    return Verdict(Outcome.REFUSED, error)


def _refused(request: Request, status: int, body: object) -> Verdict:
    refusals = read_refusals(body, status=status)
    message = f"Pipedrive refused to {request.what} ({status}): {said_in(body)}"
    return Verdict(Outcome.REFUSED, ApiRefused(message, status=status, refusals=refusals))


def _unauthorized(request: Request, status: int, body: object) -> Unauthorized:
    said = said_in(body)
    if status == 401:
        return Unauthorized(
            f"Pipedrive does not accept the API token (401): {said}",
            remedy=(
                "Check PIPEDRIVE_API_TOKEN (or CRMSEED_PIPEDRIVE_API_TOKEN): made anew since, or of "
                "another company?"
            ),
            status=status,
        )
    remedy = "Does the token's user have the permission, and the company the feature?"
    if status == 402:
        remedy = "The company is closed: its trial is over, or it is not paid for."
    return Unauthorized(
        f"Pipedrive refused to {request.what} ({status}): {said}", remedy=remedy, status=status
    )


def _no_json(request: Request, answer: Answer) -> Verdict:
    kind = answer.headers.get("content-type", "no content type").split(";")[0]
    error = NotAPortal(
        f"The address answered {answer.status} with {kind} instead of JSON to: {request.what}.",
        remedy="Is this Pipedrive's API? Check PIPEDRIVE_COMPANY_DOMAIN, and proxies on the way.",
        status=answer.status,
    )
    if request.effect is Effect.READ:
        return Verdict(Outcome.REFUSED, error)
    # Whatever the page's status: a proxy may have put it in the place of the answer to what was done.
    return Verdict(Outcome.FAILED, error)
