"""How HubSpot's answers are taken: status, body, headers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, Throttled, Unauthorized
from pytest_crmseed.providers.base import Answer, Effect, Outcome, Reading, Request
from pytest_crmseed.providers.hubspot import HubSpot

READ = Request("POST", "/crm/objects/2026-03/deals/batch/read", "read 2 deals", Effect.READ)
CREATE = Request("POST", "/crm/objects/2026-03/deals/batch/create", "create 2 deals", Effect.CREATE)
DELETE = Request("POST", "/crm/objects/2026-03/deals/batch/archive", "archive 2 deals", Effect.DELETE)
EVERY = (READ, CREATE, DELETE)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def answer(request: Request, status: int, body: Any = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Answer(status, {"content-type": "application/json", **named}, raw, request)


@pytest.mark.parametrize("status", [200, 201, 207])
@pytest.mark.parametrize("request_", EVERY)
def test_a_json_object_is_read_whatever_the_2xx(hubspot: HubSpot, request_: Request, status: int) -> None:
    assert hubspot.judge(request_, answer(request_, status, {})).outcome is Outcome.DONE


@pytest.mark.parametrize("status", [200, 204])
def test_nothing_is_an_answer_to_a_deletion_only(hubspot: HubSpot, status: int) -> None:
    assert hubspot.judge(DELETE, answer(DELETE, status)).outcome is Outcome.DONE
    assert hubspot.judge(CREATE, answer(CREATE, status)).outcome is Outcome.FAILED
    assert hubspot.judge(READ, answer(READ, status)).outcome is Outcome.REFUSED


@pytest.mark.parametrize("body", [b"<html></html>", b"[]", b"null", b'"x"', b"{"])
def test_a_page_instead_of_json_leaves_a_write_in_doubt(hubspot: HubSpot, body: bytes) -> None:
    verdict = hubspot.judge(CREATE, answer(CREATE, 200, body, content_type="text/html; charset=utf-8"))
    assert verdict.outcome is Outcome.FAILED
    assert isinstance(verdict.error, NotAPortal)
    assert str(verdict.error) == (
        "The address answered 200 with text/html instead of JSON to: create 2 deals. Is this HubSpot's "
        "API? Check "
        "the base URL, and proxies on the way."
    )
    assert hubspot.judge(READ, answer(READ, 200, body)).outcome is Outcome.REFUSED
    # With an error's status as well: a proxy may have put it in the place of the answer.
    assert hubspot.judge(CREATE, answer(CREATE, 404, b"<html>")).outcome is Outcome.FAILED


@pytest.mark.parametrize("request_", EVERY)
@pytest.mark.parametrize("status", [408, 500, 501, 502, 503, 504, 521, 522, 523, 524, 525, 526, 530])
def test_passing_faults(hubspot: HubSpot, request_: Request, status: int) -> None:
    verdict = hubspot.judge(request_, answer(request_, status, b"<html>", retry_after="9"))
    assert verdict.outcome is Outcome.FAILED
    assert str(verdict.error) == f"HubSpot failed with {status} at: {request_.what}."
    assert type(verdict.error) is PortalError and verdict.error.status == status


def test_what_a_fault_says_is_repeated(hubspot: HubSpot) -> None:
    verdict = hubspot.judge(READ, answer(READ, 500, {"message": "internal error"}))
    assert str(verdict.error) == "HubSpot failed with 500 at: read 2 deals. It says: internal error"


def test_what_a_portal_says_it_does_not_emulate_is_no_passing_fault(hubspot: HubSpot) -> None:
    verdict = hubspot.judge(CREATE, answer(CREATE, 501, {"message": "not emulated"}))
    assert verdict.outcome is Outcome.REFUSED
    assert str(verdict.error) == "HubSpot refused to create 2 deals (501): not emulated"


@pytest.mark.parametrize(
    ("status", "headers", "wait"), [(423, {}, 2.0), (477, {"retry_after": "60"}, 60.0), (477, {}, None)]
)
def test_locked_means_not_executed(hubspot: HubSpot, status: int, headers: Any, wait: float | None) -> None:
    verdict = hubspot.judge(CREATE, answer(CREATE, status, b"", **headers))
    assert (verdict.outcome, verdict.wait) == (Outcome.NOT_EXECUTED, wait)
    assert str(verdict.error) == f"HubSpot is locked ({status}) for: create 2 deals."


BURST = {
    "status": "error",
    "message": "You have reached your ten_secondly_rolling limit.",
    "errorType": "RATE_LIMIT",
    "policyName": "TEN_SECONDLY_ROLLING",
}
SECONDLY = {"status": "error", "message": "You have reached your secondly limit.", "policyName": "SECONDLY"}
DAILY = {"status": "error", "message": "You have reached your daily limit.", "policyName": "DAILY"}


@pytest.mark.parametrize(
    ("body", "headers", "wait"),
    [
        (BURST, {}, 2.0),
        (BURST, {"retry_after": "7"}, 7.0),
        (BURST, {"retry_after": "Wed, 01 Jan 2031 00:00:00 GMT"}, 2.0),
        (SECONDLY, {}, 1.0),
        ({"message": SECONDLY["message"]}, {}, 1.0),
        (b"<html>", {}, 2.0),
    ],
)
def test_throttled_means_not_executed_and_says_how_long(
    hubspot: HubSpot, body: Any, headers: Any, wait: float
) -> None:
    verdict = hubspot.judge(CREATE, answer(CREATE, 429, body, **headers))
    assert (verdict.outcome, verdict.wait) == (Outcome.NOT_EXECUTED, wait)
    assert isinstance(verdict.error, Throttled)
    assert verdict.error.policy == (body.get("policyName", "") if isinstance(body, dict) else "")


@pytest.mark.parametrize("body", [DAILY, {"message": DAILY["message"]}])
def test_the_day_s_quota_is_not_waited_for(hubspot: HubSpot, body: Any) -> None:
    verdict = hubspot.judge(CREATE, answer(CREATE, 429, body))
    assert verdict.outcome is Outcome.REFUSED
    assert str(verdict.error) == (
        "HubSpot's rate limit: You have reached your daily limit. The portal's quota of the day is used "
        "up; it "
        "resets at midnight of the portal's time zone."
    )


def test_credentials_that_are_not_accepted(hubspot: HubSpot) -> None:
    said = "Authentication credentials not found. This API supports OAuth 2.0 authentication"
    body = {"status": "error", "message": said, "category": "INVALID_AUTHENTICATION"}
    verdict = hubspot.judge(READ, answer(READ, 401, body))
    assert verdict.outcome is Outcome.REFUSED
    assert isinstance(verdict.error, Unauthorized) and verdict.error.status == 401
    assert str(verdict.error) == (
        f"HubSpot does not accept the access token (401): {said} Check HUBSPOT_ACCESS_TOKEN (or "
        "CRMSEED_HUBSPOT_ACCESS_TOKEN): expired, revoked, or of another region?"
    )


@pytest.mark.parametrize("name", ["requiredGranularScopes", "requiredScopes"])
def test_a_missing_scope_is_named(hubspot: HubSpot, name: str) -> None:
    body = {
        "message": "This app hasn't been granted all required scopes to make this call.",
        "errors": [{"message": "One or more …", "context": {name: ["crm.objects.deals.read"]}}],
        "category": "MISSING_SCOPES",
    }
    error = hubspot.judge(READ, answer(READ, 403, body)).error
    assert isinstance(error, Unauthorized) and error.scopes == ("crm.objects.deals.read",)
    assert str(error) == (
        "HubSpot refused to read 2 deals (403): the token lacks a scope (crm.objects.deals.read). Add "
        "the scope "
        "to the private app, and use its new token."
    )


def test_a_403_without_scopes_keeps_its_message(hubspot: HubSpot) -> None:
    error = hubspot.judge(READ, answer(READ, 403, {"message": "No such tier."})).error
    assert str(error) == (
        "HubSpot refused to read 2 deals (403): No such tier. Does the portal's subscription include "
        "this object "
        "type?"
    )


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 414, 415, 437])
def test_refusals_are_terminal_and_hold_what_was_said(hubspot: HubSpot, status: int) -> None:
    body = {"message": "No.", "category": "VALIDATION_ERROR", "correlationId": "c"}
    verdict = hubspot.judge(CREATE, answer(CREATE, status, body))
    assert verdict.outcome is Outcome.REFUSED
    assert isinstance(verdict.error, ApiRefused)
    assert str(verdict.error) == f"HubSpot refused to create 2 deals ({status}): No."
    assert [(r.message, r.status, r.request_id) for r in verdict.error.refusals] == [("No.", status, "c")]


def test_readings_of_the_rate_headers(hubspot: HubSpot) -> None:
    headers = {
        "x_hubspot_ratelimit_max": "190",
        "x_hubspot_ratelimit_remaining": "189",
        "x_hubspot_ratelimit_interval_milliseconds": "10000",
        "x_hubspot_ratelimit_daily": "250000",
        "x_hubspot_ratelimit_daily_remaining": "249998",
    }
    assert hubspot.readings(READ, answer(READ, 200, {}, **headers), NOW) == [
        Reading("burst", 190, 189, 10.0),
        Reading("daily", 250_000, 249_998),
    ]
    assert hubspot.readings(READ, answer(READ, 200, {}), NOW) == []
    odd = {"x_hubspot_ratelimit_max": "many", "x_hubspot_ratelimit_daily": ""}
    assert hubspot.readings(READ, answer(READ, 200, {}, **odd), NOW) == []
    # OAuth tokens get no daily figures.
    oauth = {"x_hubspot_ratelimit_max": "110"}
    assert hubspot.readings(READ, answer(READ, 200, {}, **oauth), NOW) == [Reading("burst", 110, None, None)]
