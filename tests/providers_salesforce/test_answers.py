"""How answers are taken: the bodies are recorded ones, or quoted from Salesforce's documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_crmseed.errors import ApiRefused, NotAPortal, Throttled, TooLarge, Unauthorized
from pytest_crmseed.providers.base import Answer, Effect, Outcome, Request, Verdict
from pytest_crmseed.providers.salesforce.ids import full_id
from pytest_crmseed.providers.salesforce.judging import judge
from pytest_crmseed.providers.salesforce.refusals import read_refusals

CREATE = Request("POST", "/composite/sobjects", "create 2 companies", Effect.CREATE)
READ = Request("POST", "/composite", "read 2 companies", Effect.READ)
DELETE = Request("DELETE", "/composite/sobjects", "delete 2 companies", Effect.DELETE)
SIGN_IN = Request("POST", "/services/oauth2/token", "sign in", Effect.READ, form={"grant_type": "x"})

GOOD: dict[str, Any] = {"id": "0014S000007NxmlQAC", "success": True, "errors": []}


def bad(code: str, message: str = "no", *fields: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": list(fields)}]}


def judged(request: Request, status: int, body: object, content_type: str = "application/json") -> Verdict:
    text = body if isinstance(body, str) else json.dumps(body)
    return judge(request, Answer(status, {"content-type": content_type}, text.encode(), request))


def error_of(verdict: Verdict, kind: type[Exception]) -> str:
    assert isinstance(verdict.error, kind)
    return str(verdict.error)


# -- answers of 200 --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body",
    [
        [GOOD, GOOD],
        # Single rows are for whoever reads the answer.
        [GOOD, bad("INVALID_EMAIL_ADDRESS", "email_field: invalid email address: badone", "email_field__c")],
        [bad("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", "Name")],
        [GOOD, bad("UNABLE_TO_LOCK_ROW")],
        {"totalSize": 0, "done": True, "records": []},
    ],
)
def test_an_answer_of_200_is_done_whatever_its_rows_say(body: object) -> None:
    assert judged(CREATE, 200, body) == Verdict(Outcome.DONE)


def test_a_batch_whose_rows_are_all_locked_is_sent_again() -> None:
    verdict = judged(CREATE, 200, [bad("UNABLE_TO_LOCK_ROW"), bad("UNABLE_TO_LOCK_ROW")])
    assert (verdict.outcome, verdict.wait) == (Outcome.NOT_EXECUTED, 1.0)
    assert str(verdict.error) == (
        "A record that is needed is locked by somebody else's change, for: create 2 companies "
        "[UNABLE_TO_LOCK_ROW]. Try again later, or with smaller batches (--crm-batch-size 50)."
    )


@pytest.mark.parametrize(
    "gone",
    [
        bad("ENTITY_IS_DELETED", "entity is deleted"),
        bad("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        bad("NOT_FOUND", "The requested resource does not exist"),
    ],
)
def test_a_record_that_is_gone_is_as_good_as_deleted(gone: object) -> None:
    assert judged(DELETE, 200, [GOOD, gone]) == Verdict(Outcome.DONE)


def test_what_cannot_be_deleted_is_told() -> None:
    verdict = judged(
        DELETE, 200, [GOOD, bad("DELETE_FAILED", "associated with the following cases.: 1026\n")]
    )
    assert verdict.outcome is Outcome.REFUSED
    assert error_of(verdict, ApiRefused) == (
        "Salesforce refused to delete 2 companies (200): associated with the following cases.: 1026 "
        "[DELETE_FAILED]"
    )
    assert judged(DELETE, 200, [GOOD, bad("UNABLE_TO_LOCK_ROW")]).outcome is Outcome.NOT_EXECUTED


def part(name: str, status: int, body: object) -> dict[str, Any]:
    return {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": name}


HALTED = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed.",
    }
]


def test_a_composite_answer_is_judged_by_its_culprit() -> None:
    # The order and the texts of a recorded answer.
    culprit = {
        "message": "Foreign key external ID: 0116 not found for field Invoice_External_Id__c in entity "
        "blng__Invoice__c",
        "errorCode": "INVALID_FIELD",
        "fields": [],
    }
    parts = [part("NewPayment1", 400, HALTED), part("NewPayment2", 400, [culprit])]
    verdict = judged(CREATE, 200, {"compositeResponse": parts})
    assert verdict.outcome is Outcome.REFUSED
    assert "(400): Foreign key external ID: 0116 not found" in error_of(verdict, ApiRefused)


def test_a_composite_create_is_done_when_its_records_have_rows() -> None:
    parts = [part("records", 200, [GOOD]), part("companions0", 400, HALTED)]
    assert judged(CREATE, 200, {"compositeResponse": parts}) == Verdict(Outcome.DONE)
    parts = [
        part("records", 200, [bad("UNABLE_TO_LOCK_ROW")]),
        part("companions0", 200, [bad("INVALID_FIELD")]),
    ]
    assert judged(CREATE, 200, {"compositeResponse": parts}).outcome is Outcome.NOT_EXECUTED


def test_a_read_of_which_one_query_is_refused_is_refused() -> None:
    said = "No such column 'Foo' on entity 'Account'."
    parts = [part("read0", 200, {"done": True, "records": []})]
    parts.append(part("read1", 400, [{"message": said, "errorCode": "INVALID_FIELD"}]))
    verdict = judged(READ, 200, {"compositeResponse": parts})
    assert error_of(verdict, ApiRefused) == (
        f"Salesforce refused to read 2 companies (400): {said} [INVALID_FIELD]"
    )
    assert isinstance(verdict.error, ApiRefused) and verdict.error.refusals[0].field == "Foo"


# -- limits ----------------------------------------------------------------------------------------
def test_the_two_kinds_of_request_limit() -> None:
    body = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    verdict = judged(CREATE, 403, body)
    assert verdict.outcome is Outcome.REFUSED
    assert error_of(verdict, Throttled) == (
        "Salesforce's request limit: TotalRequests Limit exceeded. The org's requests of the last 24 hours "
        "are "
        "used up; they come back hour by hour. Setup, 'System Overview' shows how many there are."
    )
    said = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    verdict = judged(CREATE, 403, [{"message": said, "errorCode": "REQUEST_LIMIT_EXCEEDED"}])
    assert (verdict.outcome, verdict.wait) == (Outcome.NOT_EXECUTED, 5.0)
    assert error_of(verdict, Throttled) == f"Salesforce's request limit: {said}"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            400,
            [
                {
                    "errorCode": "EXCEEDED_ID_LIMIT",
                    "message": "record limit reached. cannot submit more than 200 records into this call",
                }
            ],
        ),
        (413, "<html>too large</html>"),
        (431, ""),
    ],
)
def test_a_request_that_is_too_large_is_cut(status: int, body: object) -> None:
    verdict = judged(CREATE, status, body, "text/html" if status == 413 else "application/json")
    assert verdict.outcome is Outcome.REFUSED
    assert isinstance(verdict.error, TooLarge)


# -- the way in ------------------------------------------------------------------------------------
def test_a_401_that_says_nothing_is_the_end_of_a_session_too() -> None:
    verdict = judged(CREATE, 401, "")
    assert verdict.outcome is Outcome.REFUSED
    assert error_of(verdict, Unauthorized).startswith(
        "Salesforce does not accept the session (401): no reason given. Is SALESFORCE_ACCESS_TOKEN"
    )
    # A page is somebody else's.
    assert isinstance(judged(READ, 401, "<html>", "text/html").error, NotAPortal)


def test_a_session_that_is_over_may_be_renewed() -> None:
    body = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    verdict = judged(CREATE, 401, body)
    assert verdict.outcome is Outcome.REFUSED
    assert error_of(verdict, Unauthorized) == (
        "Salesforce does not accept the session (401): Session expired or invalid. Is "
        "SALESFORCE_ACCESS_TOKEN (or CRMSEED_SALESFORCE_ACCESS_TOKEN) expired, or of another org? With "
        "the variables of a flow, such as SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET, sessions are "
        "renewed."
    )
    assert isinstance(verdict.error, Unauthorized) and verdict.error.expired
    said = "This session is not valid for use with the REST API"
    verdict = judged(CREATE, 401, [{"message": said, "errorCode": "INVALID_SESSION_ID"}])
    assert isinstance(verdict.error, Unauthorized) and not verdict.error.expired


@pytest.mark.parametrize(
    ("error", "description", "remedy"),
    [
        ("invalid_client_id", "client identifier invalid", "Check SALESFORCE_CLIENT_ID: the consumer key"),
        (
            "invalid_client",
            "invalid client credentials",
            "Check SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET.",
        ),
        ("invalid_grant", "user hasn't approved this consumer", "Refresh tokens can be used up; an app"),
        ("invalid_request", "grant type is missing", "Check the SALESFORCE_… variables"),
    ],
)
def test_a_refused_login_says_what_to_check(error: str, description: str, remedy: str) -> None:
    verdict = judged(SIGN_IN, 400, {"error": error, "error_description": description})
    assert verdict.outcome is Outcome.REFUSED
    text = error_of(verdict, Unauthorized)
    assert text.startswith(
        f"Salesforce does not let these credentials sign in (400): {description} [{error}]. "
    )
    assert remedy in text


def test_a_right_that_the_user_lacks() -> None:
    body = [{"message": "The API is not enabled for this org", "errorCode": "API_DISABLED_FOR_ORG"}]
    assert error_of(judged(CREATE, 403, body), Unauthorized) == (
        "Salesforce refused to create 2 companies (403): The API is not enabled for this org "
        "[API_DISABLED_FOR_ORG] Does the user's profile have API access, and rights on this object type?"
    )


# -- what fails ------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [408, 420, 500, 502, 503])
def test_a_failure_leaves_open_whether_it_was_executed(status: int) -> None:
    verdict = judged(CREATE, status, "<html>sorry</html>", "text/html")
    assert verdict.outcome is Outcome.FAILED
    assert str(verdict.error) == f"Salesforce failed with {status} at: create 2 companies."


def test_an_answer_that_is_no_json_is_no_portal_s() -> None:
    verdict = judged(READ, 200, "<html>login</html>", "text/html")
    assert verdict.outcome is Outcome.REFUSED
    assert error_of(verdict, NotAPortal).startswith(
        "The address answered 200 with text/html instead of JSON to: read 2 companies."
    )
    assert judged(CREATE, 200, "<html>", "text/html").outcome is Outcome.FAILED
    assert judged(CREATE, 404, "<html>", "text/html").outcome is Outcome.FAILED
    assert judged(READ, 401, "<html>", "text/html").outcome is Outcome.REFUSED


# -- refusals --------------------------------------------------------------------------------------
def test_a_missing_field_of_several_is_a_refusal_each() -> None:
    (last_name, company) = read_refusals(
        bad(
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [LastName, Company]",
            "LastName",
            "Company",
        )
    )
    assert (last_name.field, company.field) == ("LastName", "Company")
    assert last_name.message == "Required fields are missing: [LastName, Company]"


def test_a_label_at_the_head_of_a_message_stays_there() -> None:
    (refusal,) = read_refusals(
        bad("INVALID_EMAIL_ADDRESS", "email_field: invalid email address: badone", "email_field__c"),
        status=200,
        sent={"email_field__c": "badone"},
    )
    assert (refusal.field, refusal.value, refusal.code) == (
        "email_field__c",
        "badone",
        "INVALID_EMAIL_ADDRESS",
    )
    assert refusal.message == "email_field: invalid email address: badone"
    assert not refusal.conflict


def test_a_taken_value_names_the_record_that_has_it_by_its_full_id() -> None:
    said = "duplicate value found: crmseed_key__c duplicates value on record with id: 001D000000IRFma"
    (refusal,) = read_refusals(bad("DUPLICATE_VALUE", said), sent={"crmseed_key__c": "K"})
    assert (refusal.field, refusal.value, refusal.conflict) == ("crmseed_key__c", "K", True)
    assert refusal.existing_id == "001D000000IRFmaIAH"


@pytest.mark.parametrize("key", ["duplicateResut", "duplicateResult"])
def test_a_duplicate_rule_s_match_in_either_spelling(key: str) -> None:
    said = "You're creating a duplicate record. We recommend you use an existing record instead."
    match = {"matchRecords": [{"record": {"attributes": {}, "Id": "0031i000013x2TEAAY"}}]}
    result = {"allowSave": True, "matchResults": [match]}
    (refusal,) = read_refusals([{key: result, "errorCode": "DUPLICATES_DETECTED", "message": said}])
    assert (refusal.conflict, refusal.existing_id, refusal.message) == (True, "0031i000013x2TEAAY", said)
    # In collections the match is not told.
    (refusal,) = read_refusals(bad("DUPLICATES_DETECTED", "Use one of these records?"))
    assert (refusal.conflict, refusal.existing_id) == (True, None)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("001D000000IRFma", "001D000000IRFmaIAH"),
        ("012000000000000", "012000000000000AAA"),
        ("0014S000007Nxml", "0014S000007NxmlQAC"),
        ("0014S000007NxmlQAC", "0014S000007NxmlQAC"),
    ],
)
def test_an_id_of_fifteen_characters_gets_its_checksum(short: str, full: str) -> None:
    assert full_id(short) == full
