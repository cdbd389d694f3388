"""How Salesforce's answers are to be taken.

Sources: Salesforce docs, "Status Codes and Error Responses" and "API Request Limits"; answers recorded
from real orgs. Collections and composite requests answer 200 whatever failed inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, Throttled, TooLarge, Unauthorized
from pytest_crmseed.providers.base import Answer, Effect, Outcome, Request, Verdict
from pytest_crmseed.providers.salesforce import graph, recycle_bin
from pytest_crmseed.providers.salesforce.refusals import (
    GONE,
    LOCKED,
    codes_of,
    errors_of,
    read_refusals,
)
from pytest_crmseed.records import Refusal

# No answer says how long to wait. A lock is held for as long as somebody's transaction takes, a concurrent
# request counts as one only after 20 seconds.
_LOCKED_FOR = 1.0
_CROWDED_FOR = 5.0
_BUSY_FOR = 2.0

_LIMIT = "REQUEST_LIMIT_EXCEEDED"
_HALTED = frozenset({"PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK"})
_TOO_MANY = "EXCEEDED_ID_LIMIT"
# A session that no renewal makes fit for this API.
_WRONG_SESSION = "not valid for use with the REST API"


def judge(request: Request, answer: Answer) -> Verdict:
    """Return how an answer is to be taken, from its body first and its status second."""
    status = answer.status
    if request.xml is not None and (verdict := _soap(request, answer)) is not None:
        return verdict
    try:
        body: Any = answer.json() if answer.body else None
    except ValueError:
        body = None
    if 200 <= status < 300:
        if isinstance(body, list | dict):
            return _within(request, answer, body)
        if not answer.body and request.effect in (Effect.DELETE, Effect.UPDATE):
            return Verdict(Outcome.DONE)
        return _no_json(request, answer)
    return _failed(request, status, body, answer)


def _soap(request: Request, answer: Answer) -> Verdict | None:
    """Judge an answer of the SOAP API; None for what fails before it gets there."""
    try:
        fault = recycle_bin.fault_in(answer)
    except ValueError:
        return _no_json(request, answer, "SOAP") if answer.status < 400 else None
    if fault is None:
        return Verdict(Outcome.DONE)
    # A fault has the status 500 whatever it says.
    return _failed(request, 401 if codes_of(fault) & _SIGN_IN else 400, fault, answer)


# -- inside an answer of 200 ---------------------------------------------------------------------------
def _within(request: Request, answer: Answer, body: list[Any] | dict[str, Any]) -> Verdict:
    if isinstance(body, dict):
        if isinstance(body.get("graphs"), list):
            return _graphs(request, body)
        parts = body.get("compositeResponse")
        return _composite(request, answer, parts) if isinstance(parts, list) else Verdict(Outcome.DONE)
    return _rows(request, body)


def _rows(request: Request, rows: list[Any]) -> Verdict:
    """Judge the rows of a collections answer: single failures are for whoever reads it."""
    failed = [row for row in rows if isinstance(row, Mapping) and not row.get("success", True)]
    if not failed:
        return Verdict(Outcome.DONE)
    if request.effect is Effect.DELETE:
        failed = [row for row in failed if not codes_of(row) <= GONE]
        if any(LOCKED in codes_of(row) for row in failed):
            return _locked(request)
        if failed:
            return _refused(request, 200, failed[0])
    elif len(failed) == len(rows) and all(codes_of(row) == {LOCKED} for row in failed):
        return _locked(request)
    return Verdict(Outcome.DONE)


def _composite(request: Request, answer: Answer, parts: list[Any]) -> Verdict:
    """Judge a composite answer by its culprit, or by the rows of the part that makes records."""
    failed, culprits = _failed_parts(parts)
    main = next((part for part in parts if part.get("referenceId") == "records"), None)
    if main is not None and main not in failed:
        rows = main.get("body")
        # What goes with records that were not made was not made either.
        return _rows(request, rows) if isinstance(rows, list) else Verdict(Outcome.DONE)
    if not failed:
        return Verdict(Outcome.DONE)
    culprit = culprits[0]
    return _failed(request, int(culprit["httpStatusCode"]), culprit.get("body"), answer)


def _graphs(request: Request, body: Mapping[str, Any]) -> Verdict:
    """Judge the answer of graphs by the first culprit: of a graph that failed nothing was made."""
    failed, culprits = _failed_parts(graph.parts_of(body))
    if not failed:
        if not graph.failed(body):
            return Verdict(Outcome.DONE)
        message = f"Salesforce says that it failed, and not why, at: {request.what}."
        return Verdict(Outcome.FAILED, PortalError(message, status=200))
    said, status = culprits[0].get("body"), int(culprits[0]["httpStatusCode"])
    if _LIMIT in codes_of(said):
        return _over_the_limit(status, said)
    return _locked(request) if LOCKED in codes_of(said) else _refused(request, status, said)


def _failed_parts(parts: Sequence[Mapping[str, Any]]) -> tuple[list[Any], list[Any]]:
    """Return the parts that failed, and those of them that did not fail for another one's sake."""
    failed = [part for part in parts if int(part.get("httpStatusCode") or 0) >= 400]
    return failed, [part for part in failed if not codes_of(part.get("body")) <= _HALTED] or failed


# -- answers that are no success -------------------------------------------------------------------------
def _failed(request: Request, status: int, body: object, answer: Answer) -> Verdict:
    codes = codes_of(body)
    if _LIMIT in codes:
        return _over_the_limit(status, body)
    if LOCKED in codes:
        return _locked(request)
    if status == 429:
        error = Throttled(
            f"Salesforce's rate limit (429): {_said(body, 'Too many requests.')}", status=status
        )
        return Verdict(Outcome.NOT_EXECUTED, error, _BUSY_FOR)
    # 408 and 420 come from something on the way, which may have passed the request on.
    if status in (408, 420) or status >= 500:
        message = f"Salesforce failed with {status} at: {request.what}."
        if codes:
            message += f" It says: {_said(body)}"
        return Verdict(Outcome.FAILED, PortalError(message, status=status))
    if status in (413, 414, 431) or _TOO_MANY in codes:
        refusals = read_refusals(body, status=status) if codes else ()
        said = refusals[0].message if refusals else "The request is too large."
        message = f"Salesforce refused to {request.what} ({status}): {said}"
        return Verdict(Outcome.REFUSED, TooLarge(message, status=status, refusals=refusals))
    if not codes and (status != 401 or answer.body):
        return _no_json(request, answer)
    if status == 401 or codes & _SIGN_IN or request.form is not None:
        return Verdict(Outcome.REFUSED, _unauthorized(status, body, signing_in=request.form is not None))
    if status == 403:
        return Verdict(Outcome.REFUSED, _forbidden(request, status, body))
    return _refused(request, status, body)


_SIGN_IN = frozenset({"INVALID_SESSION_ID", "INVALID_AUTH_HEADER"})


def _said(body: object, otherwise: str = "no reason given") -> str:
    errors = errors_of(body)
    return str(errors[0].get("message") or otherwise).strip() if errors else otherwise


def _refused(request: Request, status: int, body: object) -> Verdict:
    refusals = read_refusals(body, status=status)
    code = f" [{refusals[0].code}]" if refusals[0].code else ""
    message = f"Salesforce refused to {request.what} ({status}): {refusals[0].message}{code}"
    return Verdict(Outcome.REFUSED, ApiRefused(message, status=status, refusals=refusals))


def _locked(request: Request) -> Verdict:
    message = f"A record that is needed is locked by somebody else's change, for: {request.what} [{LOCKED}]."
    # Once it was sent again often enough, fewer records at once may find their parents free.
    error = TooLarge(
        message,
        remedy="Try again later, or with smaller batches (--crm-batch-size 50).",
        status=200,
        refusals=(Refusal("unable to obtain exclusive access to this record", LOCKED, status=200),),
    )
    return Verdict(Outcome.NOT_EXECUTED, error, _LOCKED_FOR)


def _over_the_limit(status: int, body: object) -> Verdict:
    said = _said(body)
    error = Throttled(f"Salesforce's request limit: {said}", status=status, policy=_LIMIT)
    if "concurrent" in said.lower():
        return Verdict(Outcome.NOT_EXECUTED, error, _CROWDED_FOR)
    error.remedy = (
        "The org's requests of the last 24 hours are used up; they come back hour by hour. Setup, "
        "'System Overview' shows how many there are."
    )
    return Verdict(Outcome.REFUSED, error)


def _unauthorized(status: int, body: object, *, signing_in: bool) -> Unauthorized:
    said = _said(body)
    if signing_in:
        code = next(iter(codes_of(body)), "")
        return Unauthorized(
            f"Salesforce does not let these credentials sign in ({status}): {said}"
            f"{f' [{code}]' if code else ''}.",
            remedy=_SIGN_IN_REMEDIES.get(
                code,
                "Check the SALESFORCE_… variables, and that SALESFORCE_INSTANCE_URL is the org's own domain.",
            ),
            status=status,
        )
    usable = _WRONG_SESSION not in said
    return Unauthorized(
        f"Salesforce does not accept the session ({status}): {said.rstrip('.')}.",
        remedy=(
            "Is SALESFORCE_ACCESS_TOKEN (or CRMSEED_SALESFORCE_ACCESS_TOKEN) expired, or of another org? "
            "With the variables of a flow, such as SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET, "
            "sessions are renewed."
            if usable
            else "Use a token of an app with the scope 'api', not a session of the web pages."
        ),
        status=status,
        expired=usable,
    )


_SIGN_IN_REMEDIES = {
    "invalid_client_id": "Check SALESFORCE_CLIENT_ID: the consumer key of the connected app.",
    "invalid_client": "Check SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET.",
    "invalid_grant": (
        "Refresh tokens can be used up; an app that signs in by JWT has to be approved for the user first, "
        "and its audience (SALESFORCE_AUDIENCE) is login or test."
    ),
    "unsupported_grant_type": "Switch this flow on in the connected app's settings.",
}


def _forbidden(request: Request, status: int, body: object) -> Unauthorized:
    return Unauthorized(
        f"Salesforce refused to {request.what} ({status}): {_said(body)} [{next(iter(codes_of(body)))}]",
        remedy="Does the user's profile have API access, and rights on this object type?",
        status=status,
    )


def _no_json(request: Request, answer: Answer, wanted: str = "JSON") -> Verdict:
    kind = answer.headers.get("content-type", "no content type").split(";")[0]
    error = NotAPortal(
        f"The address answered {answer.status} with {kind} instead of {wanted} to: {request.what}.",
        remedy="Is this Salesforce's API? Check SALESFORCE_INSTANCE_URL, and proxies on the way.",
        status=answer.status,
    )
    if request.effect is Effect.READ:
        return Verdict(Outcome.REFUSED, error)
    # Whatever the page's status: a proxy may have put it in the place of the answer to what was done.
    return Verdict(Outcome.FAILED, error)
