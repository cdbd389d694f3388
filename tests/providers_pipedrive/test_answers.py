"""How answers are taken, sans I/O: bodies that real companies answered, and what the documents say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_crmseed.errors import ApiRefused, NotAPortal, Throttled, Unauthorized
from pytest_crmseed.providers.base import Answer, Effect, Outcome, Reading, Request, Verdict
from pytest_crmseed.providers.pipedrive import Pipedrive
from pytest_crmseed.providers.pipedrive.judging import judge
from pytest_crmseed.schema import catalog

CREATE = Request("POST", "/api/v2/deals", "create deals[0]", Effect.CREATE, records=1)
READ = Request("GET", "/api/v2/deals/1", "read deals 1", Effect.READ, records=1)
DELETE = Request("DELETE", "/api/v2/deals/1", "delete deals 1", Effect.DELETE, records=1)


def judged(request: Request, status: int, body: object, **headers: str) -> Verdict:
    text = body if isinstance(body, str) else json.dumps(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge(
        request, Answer(status, {"content-type": "application/json", **names}, text.encode(), request)
    )


def said(verdict: Verdict) -> str:
    assert verdict.error is not None
    return str(verdict.error)


def test_a_burst_429_waits_as_long_as_the_header_says() -> None:
    body = {"success": False, "error": "request over limit", "errorCode": 429}
    verdict = judged(CREATE, 429, body, x_ratelimit_reset="1")
    assert (verdict.outcome, verdict.wait) == (Outcome.NOT_EXECUTED, 1.0)
    assert judged(CREATE, 429, body).wait == 2.0
    assert said(verdict) == (
        "Pipedrive's rate limit: request over limit. All requests with this token count together, and so do "
        "those of the application."
    )


def test_a_429_of_the_daily_budget_stops() -> None:
    body = {"success": False, "error": "daily request budget exceeded", "errorCode": 429}
    verdict = judged(CREATE, 429, body, retry_after="3939")
    assert (verdict.outcome, type(verdict.error)) == (Outcome.REFUSED, Throttled)
    assert said(verdict) == (
        "Pipedrive's daily budget: daily request budget exceeded. The company's tokens of the day are used "
        "up; they come back in about 1.1 hours. Whatever uses its API takes from them."
    )
    # In the user's own language, by the header alone.
    assert (
        judged(CREATE, 429, {"success": False, "error": "x"}, retry_after="3939").outcome is Outcome.REFUSED
    )


def test_a_page_of_cloudflares_is_known_as_such() -> None:
    verdict = judged(CREATE, 403, "<html>Sorry, you have been blocked</html>", content_type="text/html")
    assert verdict.outcome is Outcome.REFUSED
    assert said(verdict) == (
        "Cloudflare, which stands before Pipedrive, blocks the token or this address (403): create deals[0]. "
        "It does so after many requests over the rate limit; wait half an hour without any, and see who else "
        "uses the token."
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"success": False, "error": "Deal not found", "code": "ERR_NOT_FOUND"}),
        (410, {"success": False, "error": "Deal is gone"}),
        (400, {"success": False, "error": "Entity is deleted.", "code": "ERR_DEAL_DELETED"}),
        (403, {"success": False, "error": "Deal is deleted", "code": "ERR_FORBIDDEN"}),
        (200, {"success": True, "data": {"id": 1, "is_deleted": True}}),
    ],
)
def test_all_ways_of_being_gone_are_known(status: int, body: object) -> None:
    assert judged(DELETE, status, body).outcome is Outcome.DONE
    assert judged(READ, status, body).outcome is Outcome.DONE
    provider = Pipedrive(catalog.bundled("pipedrive"))
    assert provider.found(Answer(status, {}, json.dumps(body).encode(), READ)) == []
    if status != 200:
        assert judged(CREATE, status, body).outcome is Outcome.REFUSED


def test_a_page_in_the_place_of_an_answer_proves_nothing() -> None:
    for request, outcome in ((READ, Outcome.REFUSED), (DELETE, Outcome.FAILED), (CREATE, Outcome.FAILED)):
        verdict = judged(request, 404, "<html>", content_type="text/html")
        assert (verdict.outcome, type(verdict.error)) == (outcome, NotAPortal)


def test_a_refused_body_names_each_field() -> None:
    text = "Validation failed: title: is required; custom_fields: Unknown key 'x'"
    verdict = judged(CREATE, 400, {"success": False, "error": text, "code": "ERR_SCHEMA_VALIDATION_FAILED"})
    assert isinstance(verdict.error, ApiRefused)
    assert [(x.field, x.message, x.code) for x in verdict.error.refusals] == [
        ("title", "is required", "ERR_SCHEMA_VALIDATION_FAILED"),
        ("custom_fields", "Unknown key 'x'", "ERR_SCHEMA_VALIDATION_FAILED"),
    ]


def test_a_success_that_is_none_is_a_refusal() -> None:
    verdict = judged(CREATE, 200, {"success": False, "error": "Deal title must be given."})
    assert verdict.outcome is Outcome.REFUSED
    assert said(verdict) == "Pipedrive refused to create deals[0] (200): Deal title must be given."


def test_a_bad_token_and_a_missing_scope_are_told_apart() -> None:
    bad = judged(READ, 401, {"success": False, "error": "unauthorized access", "errorCode": 401})
    assert said(bad).startswith("Pipedrive does not accept the API token (401): unauthorized access")
    missing = judged(READ, 403, {"success": False, "error": "Scope and URL mismatch"})
    assert isinstance(missing.error, Unauthorized)
    assert said(missing).startswith("Pipedrive refused to read deals 1 (403): Scope and URL mismatch")
    cap = {"success": False, "error": "Open deals limit reached.", "code": "feature_capping_deals_limit"}
    assert isinstance(judged(CREATE, 403, cap).error, ApiRefused)


def test_headers_tell_the_limits() -> None:
    headers = {
        "x-ratelimit-limit": "40",
        "x-ratelimit-remaining": "39",
        "x-daily-ratelimit-token-limit": "30000",
        "x-daily-ratelimit-token-remaining": "29000",
    }
    provider = Pipedrive(catalog.bundled("pipedrive"))
    found: Any = provider.readings(READ, Answer(200, headers, b"{}", READ), datetime.now(UTC))
    assert found == [Reading("burst", 40, None, 2.0), Reading("daily", 30000, 29000)]
    assert provider.readings(READ, Answer(200, {}, b"{}", READ), datetime.now(UTC)) == []


def test_the_token_goes_in_a_header_and_the_domain_is_taken_in_any_spelling() -> None:
    provider = Pipedrive(catalog.bundled("pipedrive"))
    assert provider.headers({"PIPEDRIVE_API_TOKEN": "t"}) == {"x-api-token": "t"}
    for text in ("acme-sandbox", "acme-sandbox.pipedrive.com", "https://Acme-sandbox.pipedrive.com/"):
        credentials = {"PIPEDRIVE_COMPANY_DOMAIN": text}
        assert provider.base_url(credentials) == "https://acme-sandbox.pipedrive.com"
