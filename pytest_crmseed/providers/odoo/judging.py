"""How Odoo's answers are to be taken: by the exception they name, and by the status only without one."""

from __future__ import annotations

from typing import Any

from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, Throttled, TooLarge, Unauthorized
from pytest_crmseed.providers.base import Answer, Effect, Outcome, Request, Verdict
from pytest_crmseed.providers.odoo.calls import JSON_RPC_PATH
from pytest_crmseed.providers.odoo.capabilities import API_KEY, DATABASE, URL
from pytest_crmseed.providers.odoo.refusals import (
    exception_of,
    import_errors,
    is_busy,
    is_import,
    of_exception,
    of_import,
    said,
)
from pytest_crmseed.providers.odoo.sign_in import VERSION_PATH
from pytest_crmseed.records import Refusal

_BUSY_FOR = 1.0

# A server that has no database at hand, or loses it.
_UNAVAILABLE = ("OperationalError", "InterfaceError", "PoolError", "QueryCanceled", "AdminShutdown")
_DENIED = ("odoo.exceptions.AccessDenied", "werkzeug.exceptions.Unauthorized")
_FORBIDDEN = ("odoo.exceptions.AccessError", "werkzeug.exceptions.Forbidden")


def judge(request: Request, answer: Answer) -> Verdict:
    """Return how an answer is to be taken: 500 may be the caller's mistake, and 200 a failure."""
    try:
        body: Any = answer.json()
    except ValueError:
        body = None
    error = exception_of(answer, body)
    if error is not None:
        return _exception(request, answer, str(error.get("name") or ""), str(error.get("message") or ""))
    status = answer.status
    if 200 <= status < 300 and body is not None:
        result = body.get("result") if request.path == JSON_RPC_PATH and isinstance(body, dict) else body
        errors = import_errors(result) if is_import(answer) else []
        if any(is_busy("", str(each.get("message") or "")) for each in errors):
            return _busy(request)
        if errors:
            return _refused(request, status, of_import(answer, errors))
        return Verdict(Outcome.DONE)
    if status == 429:
        text = "Something before the server limits requests (429)."
        return Verdict(Outcome.NOT_EXECUTED, Throttled(text, status=status), _asked(answer))
    if status == 413:
        refusals = (Refusal("the request is too large", status=status),)
        message = f"The server does not take a request of this size (413): {request.what}."
        return Verdict(Outcome.REFUSED, TooLarge(message, status=status, refusals=refusals))
    if status == 408 or status >= 500:
        message = f"Odoo failed with {status} at: {request.what}."
        return Verdict(Outcome.FAILED, PortalError(message, status=status))
    return _no_odoo(request, answer)


def _exception(request: Request, answer: Answer, name: str, message: str) -> Verdict:
    if is_busy(name, message):
        return _busy(request)
    if name.endswith(_UNAVAILABLE):
        text = f"Odoo's database failed at: {request.what}. It says: {said(message)}"
        return Verdict(Outcome.FAILED, PortalError(text, status=answer.status))
    if name in _DENIED:
        return Verdict(Outcome.REFUSED, _unauthorized(request, message))
    if name in _FORBIDDEN:
        error = Unauthorized(
            f"Odoo does not let this user {request.what}: {' '.join(said(message).split())}",
            remedy=(
                "Use the API key of a user with the right 'Administration: Access Rights' and rights on this "
                "model."
            ),
            status=403,
        )
        return Verdict(Outcome.REFUSED, error)
    return _refused(request, answer.status, of_exception(answer, {"name": name, "message": message}))


def _refused(request: Request, status: int, refusals: tuple[Refusal, ...]) -> Verdict:
    code = f" [{refusals[0].code}]" if refusals[0].code else ""
    message = f"Odoo refused to {request.what} ({status}): {refusals[0].message}{code}"
    return Verdict(Outcome.REFUSED, ApiRefused(message, status=status, refusals=refusals))


def _busy(request: Request) -> Verdict:
    message = f"Another transaction was in the way of: {request.what}."
    # Once it was sent again often enough, fewer records at once may get through.
    error = TooLarge(
        message,
        remedy="Try again later, or with smaller batches (--crm-batch-size 50).",
        status=200,
        refusals=(Refusal("another transaction was in the way", status=200),),
    )
    return Verdict(Outcome.NOT_EXECUTED, error, _BUSY_FOR)


def _unauthorized(request: Request, message: str) -> Unauthorized:
    return Unauthorized(
        f"Odoo does not accept the API key: {said(message)}",
        remedy=(
            f"Check {API_KEY} (or CRMSEED_{API_KEY}): is it of a user of the database in {DATABASE}, and "
            "has it expired?"
        ),
        status=401,
    )


def _asked(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if text.isdigit() else None


def _no_odoo(request: Request, answer: Answer) -> Verdict:
    kind = answer.headers.get("content-type", "no content type").split(";")[0]
    database = answer.status == 404 and b"No database is selected" in answer.body
    what = (
        f"The server has no database of the name in {DATABASE}, or does not show it (404)."
        if database
        else f"The address answered {answer.status} with {kind} instead of JSON to: {request.what}."
    )
    remedy = f"Is this Odoo's address? Check {URL}, {DATABASE} and proxies on the way."
    error = NotAPortal(what, remedy=remedy, status=answer.status)
    if request.effect is Effect.READ or request.path == VERSION_PATH or database:
        return Verdict(Outcome.REFUSED, error)
    # Whatever the page's status: a proxy may have put it in the place of the answer to what was done.
    return Verdict(Outcome.FAILED, error)
