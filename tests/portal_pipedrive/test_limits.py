"""Tokens, scopes, the burst window, the daily budget, and Cloudflare's page."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_crmseed.portal import Portal
from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour

UNAUTHORIZED = {
    "success": False,
    "error": "unauthorized access",
    "errorCode": 401,
    "error_info": "Please check developers.pipedrive.com",
}
ME = "/v1/users/me"


def app(portal: Portal, asker: Any, **more: Any) -> Any:
    return asker(portal, portal.apis["pipedrive"].tokens()["application"], **more)


@pytest.mark.parametrize("carry", ["header", "query"])
@pytest.mark.parametrize("path", [ME, "/api/v1/users/me", "/api/v2/deals", "//api/v2//deals/"])
def test_an_api_token_goes_into_the_header_or_the_query(
    portal: Any, asker: Any, carry: str, path: str
) -> None:
    assert app(portal, asker, carry=carry)("GET", path, documented=False).status == 200


@pytest.mark.parametrize("carry", ["header", "query", "bearer"])
def test_an_access_token_is_a_bearer_token_alone(portal: Any, asker: Any, carry: str) -> None:
    token = portal.apis["pipedrive"].issue(name="t", scopes=["deals:read"])
    status = asker(portal, token, carry)("GET", "/api/v2/deals").status
    assert status == (200 if carry == "bearer" else 401)


def test_an_api_token_is_no_bearer_token_and_counts_when_both_are_sent(portal: Any, asker: Any) -> None:
    ask = app(portal, asker, carry="bearer")
    assert ask("GET", ME).status == 401
    token = portal.apis["pipedrive"].issue(name="t", scopes=["deals:read"])
    both = {"authorization": f"Bearer {token}"}
    assert app(portal, asker)("POST", "/api/v2/deals", {"title": "D"}, headers=both).status == 200


@pytest.mark.parametrize("token", [None, "", "0" * 40])
def test_without_a_token_that_counts_nothing_is_told(portal: Any, asker: Any, token: Any) -> None:
    for path in (ME, "/api/v2/deals"):
        answer = asker(portal, token)("GET", path)
        assert (answer.status, answer.json()) == (401, UNAUTHORIZED)
        assert answer.headers["x-401-by-gw"] == "true"


@pytest.mark.parametrize(
    ("scopes", "method", "path", "status"),
    [
        (["deals:read"], "GET", "/api/v2/deals", 200),
        (["deals:read"], "POST", "/api/v2/deals", 403),
        (["deals:full"], "POST", "/api/v2/deals", 400),
        (["deals:full"], "GET", "/api/v2/persons", 403),
        (["deals:full"], "GET", ME, 200),
        (["deals:full"], "POST", "/api/v2/dealFields", 403),
        (["deal-fields:full"], "POST", "/api/v2/dealFields", 400),
        (["deals:full"], "POST", "/api/v2/pipelines", 403),
        (["admin"], "POST", "/api/v2/pipelines", 400),
        (["search:read"], "GET", "/api/v2/persons/search?term=ab", 200),
        (["leads:read"], "GET", "/v1/leads", 200),
        (["leads:read"], "POST", "/v1/leads", 403),
    ],
)
def test_a_scope_that_is_missing_refuses(
    portal: Any, asker: Any, scopes: list[str], method: str, path: str, status: int
) -> None:
    token = portal.apis["pipedrive"].issue(name="t", scopes=scopes)
    answer = asker(portal, token, "bearer")(method, path, {} if method == "POST" else None)
    assert answer.status == status
    if status == 403:
        assert answer.json() == {"success": False, "error": "Scope and URL mismatch"}


@pytest.mark.parametrize(
    ("plan", "burst", "budget"),
    [("lite", 20, 150_000), ("growth", 40, 300_000), ("premium", 100, 750_000), ("ultimate", 120, 1_050_000)],
)
def test_the_plan_decides_the_window_and_the_budget(
    make_portal: Any, asker: Any, clock: Any, plan: str, burst: int, budget: int
) -> None:
    ask = app(make_portal(plan=plan), asker)
    first = ask("GET", ME).headers
    assert {name: value for name, value in first.items() if name.startswith("x-")} == {
        "x-ratelimit-limit": str(burst),
        "x-ratelimit-remaining": str(burst - 1),
        "x-ratelimit-reset": "2",
        "x-daily-ratelimit-token-limit": str(budget),
        "x-daily-ratelimit-token-remaining": str(budget - 2),
    }
    for _ in range(burst - 1):
        assert ask("GET", ME).status == 200
    refused = ask("GET", ME)
    assert (refused.status, refused.json()) == (
        429,
        {"success": False, "error": "request over limit", "errorCode": 429},
    )
    assert (refused.headers["x-ratelimit-remaining"], refused.headers["x-ratelimit-reset"]) == ("0", "2")
    assert "retry-after" not in refused.headers
    clock.now += 1.5
    assert ask("GET", ME).headers["x-ratelimit-reset"] == "1"
    clock.now += 0.5
    assert ask("GET", ME).status == 200


def test_the_window_rolls(make_portal: Any, asker: Any, clock: Any) -> None:
    ask = app(make_portal(plan="lite"), asker)
    for _ in range(20):
        assert ask("GET", ME).status == 200
        clock.now += 0.0625
    assert ask("GET", ME).status == 429
    clock.now += 0.75
    assert [ask("GET", ME).status, ask("GET", ME).status] == [200, 429]


def test_a_rate_of_the_portal_counts_in_place_of_the_plan(clock: Any, asker: Any) -> None:
    portal = Portal(rate=(3, 10.0), clock=clock)
    ask = app(portal, asker)
    assert [ask("GET", ME).status for _ in range(4)] == [200, 200, 200, 429]
    clock.now += 9.9
    assert ask("GET", ME).status == 429
    clock.now += 0.1
    assert ask("GET", ME).status == 200
    portal.close()


def test_an_oauth_token_has_four_times_as_many_and_another_limit_of_its_own(
    make_portal: Any, asker: Any
) -> None:
    portal = make_portal(plan="lite")
    api = portal.apis["pipedrive"]
    oauth = asker(portal, api.issue(name="t", scopes=["deals:read"]), "bearer")
    small = asker(portal, api.issue(name="t", scopes=["deals:read"], burst=7), "bearer")
    free = asker(portal, api.issue(name="t", scopes=[], unlimited=True))
    limits = [ask("GET", ME).headers.get("x-ratelimit-limit") for ask in (oauth, small, free)]
    assert limits == ["80", "7", None]


def test_searches_have_a_window_of_their_own(make_portal: Any, asker: Any, seeder: Any, clock: Any) -> None:
    portal = make_portal(plan="ultimate")
    ask = app(portal, asker)
    url = "/api/v2/itemSearch?term=ab"
    assert [ask("GET", url).status for _ in range(11)] == [200] * 10 + [429]
    assert ask("GET", ME).status == 200
    assert {seeder(portal)("GET", url).status for _ in range(30)} == {200}
    clock.now += 2
    assert ask("GET", url).status == 200


def test_the_budget_is_the_companys_and_ends_at_midnight(
    make_portal: Any, asker: Any, seeder: Any, clock: Any
) -> None:
    portal = make_portal(daily_budget=16, retry_after_on_burst=True)
    ask, other = app(portal, asker), seeder(portal)
    assert ask("POST", "/api/v2/deals", {"title": "D"}).status == 200
    assert other("GET", "/api/v2/deals").headers["x-daily-ratelimit-token-remaining"] == "1"
    assert ask("GET", ME).status == 429
    assert ask("GET", "/api/v2/deals/3009").status == 200
    refused = other("GET", ME)
    assert (refused.status, refused.json(), refused.headers["retry-after"]) == (
        429,
        {"success": False, "error": "daily request budget exceeded", "errorCode": 429},
        "35200",
    )
    clock.now += 35_200
    assert ask("GET", ME).status == 200


def test_after_too_many_429_a_page_of_cloudflare_answers(make_portal: Any, asker: Any, clock: Any) -> None:
    portal = make_portal(plan="lite", flood_limit=3)
    ask = app(portal, asker)
    statuses = [ask("GET", ME).status for _ in range(26)]
    assert statuses == [200] * 20 + [429] * 3 + [403] * 3
    page = ask("GET", ME)
    assert page.headers["content-type"].startswith("text/html")
    assert b"cloudflare" in page.body
    clock.now += 1_499
    assert ask("GET", ME).status == 403
    clock.now += 1
    assert ask("GET", ME).status == 200


def test_429s_far_apart_are_no_flood(make_portal: Any, asker: Any, clock: Any) -> None:
    ask = app(make_portal(daily_budget=0, flood_limit=1), asker)
    for _ in range(3):
        assert ask("GET", ME).status == 429
        clock.now += 60
    never = app(make_portal(daily_budget=0, flood_limit=None), asker)
    assert {never("GET", ME).status for _ in range(300)} == {429}


def test_what_the_budget_is_can_be_left_untold(make_portal: Any, seeder: Any) -> None:
    ask = seeder(make_portal(daily_headers=False))
    assert not [name for name in ask("GET", ME).headers if name.startswith("x-")]


def test_extra_tokens_and_seats_make_the_budget() -> None:
    assert PipedriveBehaviour(plan="lite", seats=1).budget == 30_000
    assert PipedriveBehaviour(plan="growth", seats=2, extra_tokens=5).budget == 120_005
    assert Behaviour().pipedrive.budget == 750_000


@pytest.mark.parametrize(
    ("method", "path", "cost"),
    [
        ("GET", "/api/v2/deals/1", 1),
        ("GET", "/api/v2/deals", 10),
        ("POST", "/api/v2/deals", 5),
        ("DELETE", "/api/v2/deals/1", 3),
        ("GET", "/api/v2/stages", 5),
        ("GET", "/api/v2/deals/search?term=ab", 20),
        ("POST", "/api/v2/deals/1/products/bulk", 25),
        ("DELETE", "/api/v2/deals/1/products", 15),
        ("GET", "/v1/leads", 20),
        ("POST", "/v1/leads", 10),
        ("DELETE", "/v1/leads/1", 6),
        ("GET", "/v1/users/me", 2),
        ("GET", "/v1/leads/archived", 40),
    ],
)
def test_each_operation_has_its_cost(ask: Any, method: str, path: str, cost: int) -> None:
    answer = ask(method, path, {} if method == "POST" else None)
    assert answer.headers["x-daily-ratelimit-token-remaining"] == str(750_000 - cost)


def test_all_costs_and_scopes_are_those_of_the_documents(contract: Any, portal: Any) -> None:
    import yaml

    from pytest_crmseed.portal.pipedrive.routes import all_routes

    documents = {
        version: yaml.load((contract.folder / f"{version}.yaml").read_text(), Loader=yaml.CSafeLoader)
        for version in ("v1", "v2")
    }
    wrong = []
    for route in all_routes():
        if route.open or route.removed or route.handler is None:
            continue
        paths = documents[route.version]["paths"]
        path = next(
            (each for each in paths if _same(each, route.path) and route.method.lower() in paths[each]), None
        )
        if path is None:
            wrong.append(f"{route.method} {route.template} is in no document")
            continue
        operation = paths[path][route.method.lower()]
        scopes = {scope for way in operation.get("security", []) for each in way.values() for scope in each}
        if operation["x-token-cost"] != route.cost:
            wrong.append(
                f"{route.method} {route.template} costs {operation['x-token-cost']}, not {route.cost}"
            )
        if scopes != set(route.scopes):
            wrong.append(
                f"{route.method} {route.template} needs {sorted(scopes)}, not {sorted(route.scopes)}"
            )
    assert wrong == []


def _same(documented: str, own: str) -> bool:
    def plain(path: str) -> list[str]:
        return ["{}" if part.startswith("{") else part for part in path.split("/")]

    return plain(documented) == plain(own)
