"""Signing in, scopes, limits, who the account is, pipelines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_crmseed.portal import Portal

DETAILS = "/account-info/v3/details"
CONTACTS = "/crm/v3/objects/contacts"


# -- signing in ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer nope", "Basic {token}", "{token}"])
def test_without_a_known_token(
    ask: Any, refusal: Callable[..., dict[str, Any]], authorization: str | None
) -> None:
    token, ask.token = ask.token, None
    headers = {} if authorization is None else {"authorization": authorization.format(token=token)}
    answer = ask("GET", DETAILS, headers=headers)
    assert (answer.status, refusal(answer)) == (
        401,
        {
            "status": "error",
            "message": "Authentication credentials not found. This API supports OAuth 2.0 authentication and"
            " you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            "category": "INVALID_AUTHENTICATION",
        },
    )
    assert not [name for name in answer.headers if "RateLimit" in name]


def test_every_answer_has_a_correlation_id_of_its_own(ask: Any) -> None:
    ids = {ask.get(url).headers["x-hubspot-correlation-id"] for url in [DETAILS, CONTACTS, "/crm/v3/owners"]}
    assert len(ids) == 3


def test_the_account_tells_a_sandbox_from_production(make_portal: Callable[..., Portal], asker: Any) -> None:
    portal = make_portal(account_type="STANDARD", time_zone="Asia/Kolkata", currency="INR", portal_id=7)
    ask = asker(portal, portal.hubspot.tokens()["application"])
    for version in ["v3", "2025-09", "2026-03", "2026-09"]:
        assert ask.get(f"/account-info/{version}/details").json() == {
            "portalId": 7,
            "accountType": "STANDARD",
            "timeZone": "Asia/Kolkata",
            "companyCurrency": "INR",
            "additionalCurrencies": [],
            "utcOffset": "+05:30",
            "utcOffsetMilliseconds": 19_800_000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
            **({"portalName": "Local portal", "createdAt": 1593532657247} if version == "2026-09" else {}),
        }


def test_a_zone_west_of_greenwich(make_portal: Callable[..., Portal], asker: Any) -> None:
    portal = make_portal(time_zone="America/St_Johns")
    body = asker(portal, portal.hubspot.tokens()["application"]).get(DETAILS).json()
    assert (body["utcOffset"], body["utcOffsetMilliseconds"]) == ("-02:30", -9_000_000)


def test_a_token_tells_its_scopes(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    url = "/oauth/v2/private-apps/get/access-token-info"
    token = ask.portal.hubspot.issue(name="narrow", scopes=["crm.objects.deals.read"])
    ask.token = None
    assert ask.post(url, {"tokenKey": token}).json() == {
        "userId": 1,
        "hubId": 47010001,
        "appId": 24_010_003,
        "scopes": ["crm.objects.deals.read", "oauth"],
        "isUserToken": False,
    }
    answer = ask.post(url, {"tokenKey": "pat-na1-nope"})
    assert (answer.status, refusal(answer)["category"]) == (401, "INVALID_AUTHENTICATION")
    assert ask.post(url, {}).status == 400


# -- scopes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "url", "scope", "others"),
    [
        ("GET", "/crm/v3/objects/deals", "crm.objects.deals.read", []),
        ("POST", "/crm/v3/objects/0-3/batch/read", "crm.objects.deals.read", []),
        ("POST", "/crm/v3/objects/deals", "crm.objects.deals.write", []),
        ("POST", "/crm/v3/objects/companies/batch/archive", "crm.objects.companies.write", []),
        ("POST", "/crm/v4/associations/deals/contacts/batch/create", "crm.objects.deals.write", []),
        ("POST", "/crm/v4/associations/deals/contacts/batch/read", "crm.objects.deals.read", []),
        ("POST", "/crm/v3/properties/deals", "crm.schemas.deals.write", []),
        (
            "GET",
            "/crm/v3/properties/deals",
            "crm.objects.deals.read",
            [
                "crm.schemas.deals.read",
                *(
                    f"crm.{area}.{name}.read"
                    for name in (
                        "contacts",
                        "companies",
                        "leads",
                        "line_items",
                        "orders",
                        "products",
                        "quotes",
                    )
                    for area in ("objects", "schemas")
                ),
                "tickets",
            ],
        ),
    ],
)
def test_a_scope_is_needed(
    ask: Any,
    refusal: Callable[..., dict[str, Any]],
    method: str,
    url: str,
    scope: str,
    others: list[str],
) -> None:
    from pytest_crmseed.portal.hubspot.tokens import ALL_SCOPES

    needed = [scope, *others]
    ask.token = ask.portal.hubspot.issue(name="n", scopes=[each for each in ALL_SCOPES if each not in needed])
    answer = ask(method, url, {} if method == "POST" else None)
    assert (answer.status, refusal(answer)) == (
        403,
        {
            "status": "error",
            "message": "This app hasn't been granted all required scopes to make this call."
            " Read more about required scopes here: https://developers.hubspot.com/scopes.",
            "errors": [
                {
                    "message": "One or more of the following scopes are required.",
                    "context": {"requiredGranularScopes": needed},
                }
            ],
            "links": {"scopes": "https://developers.hubspot.com/scopes"},
            "category": "MISSING_SCOPES",
        },
    )
    for each in needed:
        ask.token = ask.portal.hubspot.issue(name="n", scopes=[each])
        assert ask(method, url, {} if method == "POST" else None).status != 403


def test_the_account_needs_no_scope(ask: Any) -> None:
    ask.token = ask.portal.hubspot.issue(name="n", scopes=[])
    assert ask.get(DETAILS).status == 200
    assert ask.get("/account-info/v3/api-usage/daily/private-apps").status == 200


# -- limits -------------------------------------------------------------------------------------------


def test_headers_count_down(portal: Portal, asker: Any) -> None:
    ask = asker(portal, portal.hubspot.tokens()["application"])
    ask.get(DETAILS)
    headers = {
        name: value for name, value in ask.get(DETAILS).headers.items() if name.startswith("X-HubSpot-Rate")
    }
    assert headers == {
        "X-HubSpot-RateLimit-Daily": "1000000",
        "X-HubSpot-RateLimit-Daily-Remaining": "999998",
        "X-HubSpot-RateLimit-Max": "190",
        "X-HubSpot-RateLimit-Remaining": "188",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Secondly": "19",
        "X-HubSpot-RateLimit-Secondly-Remaining": "17",
    }


def test_the_window_rolls(
    make_portal: Callable[..., Portal],
    asker: Any,
    clock: Any,
    refusal: Callable[..., dict[str, Any]],
) -> None:
    portal = make_portal(rate=(3, 10.0))
    ask = asker(portal, portal.hubspot.tokens()["application"])
    for _ in range(3):
        assert ask.get(DETAILS).status == 200
        clock.now += 2
    answer = ask.get(DETAILS)
    assert (answer.status, refusal(answer)) == (
        429,
        {
            "status": "error",
            "message": "You have reached your ten_secondly_rolling limit.",
            "errorType": "RATE_LIMIT",
            "policyName": "TEN_SECONDLY_ROLLING",
            "groupName": "publicapi:private-app-api-calls-ten-secondly:24010001",
        },
    )
    assert answer.headers["X-HubSpot-RateLimit-Remaining"] == "0"
    assert "Retry-After" not in answer.headers
    # Ten seconds after the first request, one more is let through, and refused ones have not counted.
    clock.now += 3.9
    assert ask.get(DETAILS).status == 429
    clock.now += 0.1
    assert [ask.get(DETAILS).status for _ in range(2)] == [200, 429]
    assert portal.stats()["throttled"] == 3


def test_a_throttled_write_is_not_executed(make_portal: Callable[..., Portal], asker: Any) -> None:
    portal = make_portal(rate=(1, 10.0))
    ask = asker(portal, portal.hubspot.tokens()["application"])
    body = {"properties": {"firstname": "A"}}
    assert [ask.post(CONTACTS, body).status for _ in range(2)] == [201, 429]
    assert portal.stats()["records"]["hubspot"]["contacts"] == 1


def test_retry_after_when_switched_on(make_portal: Callable[..., Portal], asker: Any, clock: Any) -> None:
    portal = make_portal(rate=(1, 10.0), retry_after_on_429=True)
    ask = asker(portal, portal.hubspot.tokens()["application"])
    ask.get(DETAILS)
    clock.now += 2.5
    assert ask.get(DETAILS).headers["Retry-After"] == "8"


def test_each_app_has_its_window_and_the_seeder_none(make_portal: Callable[..., Portal], asker: Any) -> None:
    portal = make_portal(rate=(1, 10.0))
    tokens = portal.hubspot.tokens()
    own = portal.hubspot.issue(name="own", scopes=[], burst=2)
    free = portal.hubspot.issue(name="free", scopes=[], unlimited=True)
    for token, statuses in [
        (tokens["application"], [200, 429, 429]),
        (own, [200, 200, 429]),
        (free, [200, 200, 200]),
        (tokens["seeder"], [200, 200, 200]),
    ]:
        ask = asker(portal, token)
        assert [ask.get(DETAILS).status for _ in range(3)] == statuses
    assert "X-HubSpot-RateLimit-Max" not in asker(portal, tokens["seeder"]).get(DETAILS).headers


def test_the_day_is_the_accounts(
    make_portal: Callable[..., Portal],
    asker: Any,
    clock: Any,
    refusal: Callable[..., dict[str, Any]],
) -> None:
    # 14:13 UTC is 19:43 in Kolkata; its midnight is at 18:30 UTC.
    portal = make_portal(daily_limit=2, time_zone="Asia/Kolkata")
    tokens = portal.hubspot.tokens()
    assert asker(portal, tokens["application"]).get(DETAILS).status == 200
    seeder = asker(portal, tokens["seeder"])
    assert seeder.get("/account-info/v3/api-usage/daily/private-apps").json()["results"] == [
        {
            "name": "private-apps-api-calls-daily",
            "usageLimit": 2,
            "currentUsage": 2,
            "collectedAt": "2026-09-21T14:13:20.250Z",
            "fetchStatus": "SUCCESS",
            "resetsAt": "2026-09-21T18:30:00.000Z",
        }
    ]
    answer = seeder.get(DETAILS)
    body = refusal(answer)
    assert (answer.status, body.pop("requestId").isalnum(), body) == (
        429,
        True,
        {
            "status": "error",
            "message": "You have reached your daily limit.",
            "errorType": "RATE_LIMIT",
            "policyName": "DAILY",
        },
    )
    assert answer.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
    clock.now += 4.5 * 3600
    assert seeder.get(DETAILS).status == 200


# -- pipelines ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["/crm/v3/pipelines", "/crm/pipelines/2026-03"])
def test_the_default_pipeline(ask: Any, base: str) -> None:
    [pipeline] = ask.get(f"{base}/deals").json()["results"]
    assert (pipeline["id"], pipeline["label"], pipeline["displayOrder"]) == ("default", "Sales Pipeline", 0)
    assert [(stage["id"], stage["metadata"]) for stage in pipeline["stages"]][4:] == [
        ("contractsent", {"isClosed": "false", "probability": "0.9"}),
        ("closedwon", {"isClosed": "true", "probability": "1.0"}),
        ("closedlost", {"isClosed": "true", "probability": "0.0"}),
    ]
    assert pipeline["stages"][0] == {
        "id": "appointmentscheduled",
        "label": "Appointment Scheduled",
        "displayOrder": 0,
        "metadata": {"isClosed": "false", "probability": "0.2"},
        "archived": False,
        "createdAt": "1970-01-01T00:00:00.000Z",
        "updatedAt": "1970-01-01T00:00:00.000Z",
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }
    assert ask.get(f"{base}/deal/default").json() == pipeline


def test_a_pipeline_that_does_not_exist_is_a_404_without_a_body(ask: Any) -> None:
    answer = ask.get("/crm/v3/pipelines/deals/nope")
    assert (answer.status, answer.body) == (404, b"")


def test_pipelines_of_objects_that_have_none_here(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    answer = ask.get("/crm/v3/pipelines/contacts")
    assert (answer.status, refusal(answer)["message"]) == (
        501,
        "Pipelines of contacts is not emulated by the local portal;"
        " emulated nearby: deals, tickets, leads, orders.",
    )
