"""How answers are taken: bodies that servers of version 19 and 14 gave, status and all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, Throttled, TooLarge, Unauthorized
from pytest_crmseed.providers.base import Answer, Effect, Outcome, Request
from pytest_crmseed.providers.odoo.calls import Session
from pytest_crmseed.providers.odoo.judging import judge

JSON_2 = Session("staging")
JSON_RPC = Session("staging", 7, "key")
CREATE = ("create 2 deals", Effect.CREATE)

_REQUIRED = (
    "The operation cannot be completed: Missing required value for the field 'Opportunity' (name).\nModel: "
    "'Lead' (crm.lead)\n- create/update: a mandatory field is not set\n- delete: another model requires the "
    "record being deleted, you can archive it instead"
)
_FOREIGN_KEY = (
    "The operation cannot be completed: Another model is using the record you are trying to delete.\n\nThe "
    "troublemaker is: 'Lead' (crm.lead)\nThanks to the following constraint: 'Contact' (partner_id)\nHow "
    "about archiving the record instead?"
)

# status of JSON-2, name, message; field and message as users read them
EXCEPTIONS = [
    (500, "builtins.ValueError", "Invalid field 'flavour' in 'crm.lead'", "flavour", None),
    (500, "builtins.ValueError", "Invalid field name 'flavour'", "flavour", None),
    (500, "builtins.ValueError", "Wrong value for crm.lead.priority: '99'", "priority", None),
    (500, "builtins.ValueError", "time data 'soon' does not match format '%Y-%m-%d'", None, None),
    (
        500,
        "psycopg2.errors.InvalidTextRepresentation",
        'invalid input syntax for type integer: "BE"\nLINE 1: …',
        None,
        'invalid input syntax for type integer: "BE" LINE 1: …',
    ),
    (
        422,
        "odoo.exceptions.ValidationError",
        _REQUIRED,
        "name",
        "Missing required value for the field 'Opportunity' (name).",
    ),
    (
        422,
        "odoo.exceptions.ValidationError",
        "The operation cannot be completed: Contacts require a name",
        None,
        "Contacts require a name",
    ),
    (
        422,
        "odoo.exceptions.ValidationError",
        _FOREIGN_KEY,
        "partner_id",
        "partner_id names a record that does not exist (Odoo calls it: Another model is using the record you "
        "are trying to delete.)",
    ),
    (404, "werkzeug.exceptions.NotFound", "the model 'crm.nope' does not exist", None, None),
    (422, "werkzeug.exceptions.UnprocessableEntity", "missing a required argument: 'vals_list'", None, None),
    (400, "werkzeug.exceptions.BadRequest", "could not parse the body as json: …", None, None),
]


def answered(
    session: Session, status: int, body: Any, what: str, effect: Effect, method: str = "load"
) -> Any:
    """Return the verdict on an answer to a call, in the protocol of a session."""
    request = session.call("crm.lead", method, what, effect)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return judge(request, Answer(status, {"content-type": "application/json"}, content, request))


def raised(name: str, message: str) -> dict[str, Any]:
    return {"name": name, "message": message, "arguments": [message], "context": {}, "debug": "Traceback…"}


def rpc(name: str, message: str, code: int = 0) -> dict[str, Any]:
    error = {"code": code, "message": "Odoo Server Error", "data": raised(name, message)}
    return {"jsonrpc": "2.0", "id": 9, "error": error}


@pytest.mark.parametrize(("status", "name", "message", "field", "read"), EXCEPTIONS)
def test_a_mistake_of_the_callers_is_refused_whatever_its_status(
    status: int, name: str, message: str, field: str | None, read: str | None
) -> None:
    by_json_2 = answered(JSON_2, status, raised(name, message), *CREATE)
    by_json_rpc = answered(JSON_RPC, 200, rpc(name, message), *CREATE)
    by_version_14 = answered(JSON_RPC, 200, rpc(name, message, code=200), *CREATE)
    for verdict, seen in ((by_json_2, status), (by_json_rpc, 200), (by_version_14, 200)):
        assert verdict.outcome is Outcome.REFUSED
        assert type(verdict.error) is ApiRefused
        (refusal,) = verdict.error.refusals
        assert (refusal.code, refusal.field, refusal.message) == (name, field, read or message)
        assert verdict.error.message == f"Odoo refused to create 2 deals ({seen}): {read or message} [{name}]"
        assert "Traceback" not in refusal.body


def test_a_foreign_key_on_deletion_is_told_as_it_is() -> None:
    body = raised("odoo.exceptions.ValidationError", _FOREIGN_KEY)
    verdict = answered(JSON_2, 422, body, "delete 2 deals", Effect.DELETE, "unlink")
    assert verdict.error.refusals[0].message.startswith(
        "Another model is using the record you are trying to delete."
    )


def test_a_value_that_another_record_has_is_a_conflict() -> None:
    body = raised(
        "odoo.exceptions.ValidationError", "The operation cannot be completed: Tag name already exists!"
    )
    (refusal,) = answered(JSON_2, 422, body, *CREATE).error.refusals
    assert (refusal.message, refusal.conflict) == ("Tag name already exists!", True)


IMPORT = {
    "ids": False,
    "messages": [
        {
            "rows": {"from": 0, "to": 0},
            "type": "error",
            "record": 0,
            "field": "priority",
            "message": "Value '99' not found in selection field 'Priority'",
            "moreinfo": ["Low", "Medium", "High", "Very High"],
            "field_name": "Priority",
        },
        {
            "rows": {"from": 1, "to": 1},
            "type": "error",
            "record": 1,
            "field": "partner_id",
            "message": "No matching record found for database id '99999' in field 'Contact'",
            "moreinfo": {"name": "Possible Values", "type": "ir.actions.act_window"},
        },
    ],
    "nextrow": 0,
}


@pytest.mark.parametrize("session", [JSON_2, JSON_RPC])
def test_an_import_that_answers_200_and_has_no_ids_is_refused_row_by_row(session: Session) -> None:
    body = IMPORT if session is JSON_2 else {"jsonrpc": "2.0", "id": 1, "result": IMPORT}
    verdict = answered(session, 200, body, *CREATE)
    assert verdict.outcome is Outcome.REFUSED
    assert [(x.field, x.message, x.allowed) for x in verdict.error.refusals] == [
        (
            "priority",
            "Value '99' not found in selection field 'Priority'",
            ("Low", "Medium", "High", "Very High"),
        ),
        ("partner_id", "No matching record found for database id '99999' in field 'Contact'", ()),
    ]


def test_an_import_without_any_reason_is_refused_all_the_same() -> None:
    verdict = answered(JSON_2, 200, {"ids": False, "messages": []}, *CREATE)
    assert verdict.error.message == "Odoo refused to create 2 deals (200): no reason given"


@pytest.mark.parametrize(
    "body",
    [
        (500, raised("psycopg2.errors.SerializationFailure", "could not serialize access")),
        (500, raised("psycopg2.errors.DeadlockDetected", "deadlock detected")),
        (
            200,
            {"ids": False, "messages": [{"type": "error", "message": "could not serialize access due to …"}]},
        ),
    ],
)
def test_another_transaction_in_the_way_was_not_executed(body: tuple[int, Any]) -> None:
    verdict = answered(JSON_2, *body, *CREATE)
    assert verdict.outcome is Outcome.NOT_EXECUTED
    assert isinstance(verdict.error, TooLarge) and verdict.wait == 1.0
    assert verdict.error.message == "Another transaction was in the way of: create 2 deals."


@pytest.mark.parametrize(
    "name", ["psycopg2.OperationalError", "psycopg2.InterfaceError", "odoo.sql_db.PoolError"]
)
def test_a_database_that_is_away_is_a_fault_and_no_refusal(name: str) -> None:
    verdict = answered(JSON_2, 500, raised(name, "connection refused"), *CREATE)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.error.message == "Odoo's database failed at: create 2 deals. It says: connection refused"


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_failure_without_an_exception_of_odoos_is_a_fault(status: int) -> None:
    verdict = answered(JSON_2, status, b"<html>Bad Gateway</html>", *CREATE)
    assert (verdict.outcome, type(verdict.error)) == (Outcome.FAILED, PortalError)
    assert verdict.error.message == f"Odoo failed with {status} at: create 2 deals."


def test_the_key_is_refused() -> None:
    for body in (
        raised("werkzeug.exceptions.Unauthorized", "Invalid apikey"),
        raised("odoo.exceptions.AccessDenied", "Access Denied"),
    ):
        verdict = answered(JSON_2, 401, body, "read 1 deals", Effect.READ, "search_read")
        assert isinstance(verdict.error, Unauthorized) and verdict.error.status == 401
        assert verdict.error.message == f"Odoo does not accept the API key: {body['message']}"
        assert "ODOO_API_KEY" in verdict.error.remedy and "ODOO_DATABASE" in verdict.error.remedy


def test_a_right_is_missing() -> None:
    said = "You are not allowed to create 'Lead' (crm.lead) records.\n\nThis operation is allowed for …"
    verdict = answered(JSON_RPC, 200, rpc("odoo.exceptions.AccessError", said), *CREATE)
    assert isinstance(verdict.error, Unauthorized) and verdict.error.status == 403
    assert verdict.error.message == (
        "Odoo does not let this user create 2 deals: You are not allowed to create 'Lead' (crm.lead) "
        "records. This operation is allowed for …"
    )


def test_what_stands_before_the_server_has_limits_of_its_own() -> None:
    request = JSON_2.call("crm.lead", "load", *CREATE)
    verdict = judge(request, Answer(429, {"retry-after": "3"}, b"", request))
    assert (verdict.outcome, verdict.wait) == (Outcome.NOT_EXECUTED, 3.0)
    assert isinstance(verdict.error, Throttled)
    verdict = judge(request, Answer(413, {}, b"<html></html>", request))
    assert isinstance(verdict.error, TooLarge)


def test_a_database_that_is_not_there() -> None:
    page = b"<title>404 Not Found</title><p>No database is selected and the requested URL was not found</p>"
    verdict = answered(JSON_2, 404, page, *CREATE)
    assert verdict.outcome is Outcome.REFUSED
    assert verdict.error.message == (
        "The server has no database of the name in ODOO_DATABASE, or does not show it (404)."
    )


def test_a_page_in_the_place_of_an_answer_leaves_a_write_open() -> None:
    for effect, outcome in ((Effect.READ, Outcome.REFUSED), (Effect.CREATE, Outcome.FAILED)):
        request = Request("POST", "/json/2/crm.lead/load", "do it", effect)
        verdict = judge(request, Answer(200, {"content-type": "text/html"}, b"<html>", request))
        assert verdict.outcome is outcome
        assert isinstance(verdict.error, NotAPortal)
        assert verdict.error.message == "The address answered 200 with text/html instead of JSON to: do it."
