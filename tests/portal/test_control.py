"""The control endpoints, and the counts they tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_crmseed._version import __version__
from pytest_crmseed.portal import Portal, PortalRequest
from pytest_crmseed.portal import journal as journal_module


def control(portal: Portal, method: str, path: str, body: Any = None, **headers: str) -> Any:
    host = headers.pop("host", "127.0.0.1:8080")
    request = PortalRequest.of(method, f"/_portal{path}", body, headers={"host": host, **headers})
    return portal.handle(request)


def nothing(portal: Portal) -> dict[str, int]:
    """No live record of any object type."""
    return dict.fromkeys(portal.hubspot.account.object_types.by_name, 0)


def elsewhere(portal: Portal) -> dict[str, dict[str, int]]:
    """No live record of any object type of the other providers."""
    return {
        name: dict.fromkeys(api.live_counts(), 0) for name, api in portal.apis.items() if name != "hubspot"
    }


def test_a_portal_says_what_it_is_and_how_to_sign_in(portal: Portal) -> None:
    for path in ("/", ""):
        answer = control(portal, "GET", path)
        assert (answer.status, answer.json()) == (
            200,
            {
                "portal": "pytest-crmseed",
                "version": __version__,
                "providers": list(portal.apis),
                "tokens": {name: api.tokens() for name, api in portal.apis.items()},
                "environ": portal.environ("http://127.0.0.1:8080"),
                "stock": [name for name, api in portal.apis.items() if api.stock],
            },
        )
        assert answer.json()["environ"] == {
            **answer.json()["environ"],
            "HUBSPOT_ACCESS_TOKEN": portal.hubspot.tokens()["application"],
            "HUBSPOT_BASE_URL": "http://127.0.0.1:8080",
        }
    tokens = portal.hubspot.tokens()
    assert tokens["application"] != tokens["seeder"]
    assert all(token.startswith("pat-na1-") for token in tokens.values())


def test_stats_count_requests_and_live_records(portal: Portal, ask: Any) -> None:
    company, contact = ask.company(), ask.contact(email="a@example.com")
    batch = "/crm/objects/2026-03/deals/batch"
    row = {"properties": {"dealname": "D", "dealstage": "closedwon"}}
    deals = ask.post(f"{batch}/create", {"inputs": [row, row]}).json()["results"]
    ask.post(f"{batch}/read", {"inputs": [{"id": deals[0]["id"]}]})
    ask.post(f"{batch}/archive", {"inputs": [{"id": deals[0]["id"]}]})
    ask("PUT", f"/crm/v4/objects/contacts/{contact}/associations/default/companies/{company}")
    ask("PATCH", f"/crm/v3/objects/contacts/{contact}", {"properties": {"city": "Bled"}})
    ask("DELETE", f"/crm/v3/objects/companies/{company}")
    ask.get("/crm/v3/objects/contacts/search")
    ask.get("/crm/v3/lists")
    ask.get("/nowhere")
    control(portal, "GET", "/stats")
    assert control(portal, "GET", "/stats").json() == {
        "requests": {
            "total": 11,
            "writes": 5,
            "by_route": {
                "DELETE /crm/v3/objects/{type}/{id}": 1,
                "GET (not emulated)": 2,
                "GET (unknown)": 1,
                "PATCH /crm/v3/objects/{type}/{id}": 1,
                "POST /crm/objects/2026-03/{type}/batch/archive": 1,
                "POST /crm/objects/2026-03/{type}/batch/create": 1,
                "POST /crm/objects/2026-03/{type}/batch/read": 1,
                "POST /crm/v3/objects/{type}": 2,
                "PUT /crm/v4/objects/{from}/{id}/associations/default/{to}/{to_id}": 1,
            },
        },
        "records": {"hubspot": {**nothing(portal), "contacts": 1, "deals": 1}, **elsewhere(portal)},
        "throttled": 0,
        "max_in_flight": 1,
    }


def test_requests_are_recorded_without_secrets(portal: Portal, ask: Any) -> None:
    ask.post("/crm/v3/objects/contacts?x=1", {"properties": {"firstname": "Ann"}})
    ask.post("/oauth/v2/private-apps/get/access-token-info", {"tokenKey": ask.token})
    ask.get(f"/oauth/v1/access-tokens/{ask.token}?hapikey={ask.token}")
    form = {"content-type": "application/x-www-form-urlencoded"}
    portal.handle(PortalRequest("POST", "/oauth/v1/token", "", form, b"refresh_token=secret"))
    portal.handle(PortalRequest("POST", "/crm/v3/objects/contacts", "", {}, b"no \xff json"))
    answer = control(portal, "GET", "/requests")
    assert ask.token not in answer.body.decode() and "secret" not in answer.body.decode()
    found = answer.json()
    assert found[0] == {
        "method": "POST",
        "path": "/crm/v3/objects/contacts",
        "query": "x=1",
        "status": 201,
        "body": {"properties": {"firstname": "Ann"}},
        "at": 1_790_000_000.25,
        "faults": [],
    }
    assert [(each["path"], each["query"], each["body"], each["status"]) for each in found[1:]] == [
        ("/oauth/v2/private-apps/get/access-token-info", "", {"tokenKey": "(redacted)"}, 200),
        ("/oauth/v1/access-tokens/(redacted)", "hapikey=(redacted)", None, 404),
        ("/oauth/v1/token", "", "(redacted)", 400),
        ("/crm/v3/objects/contacts", "", "no \ufffd json", 401),
    ]
    assert [each.as_dict() for each in portal.requests] == found


def test_only_the_last_requests_are_kept(portal: Portal, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "KEPT", 3)
    for number in range(5):
        ask.get(f"/account-info/v3/details?n={number}")
    assert [each.query for each in portal.requests] == ["n=2", "n=3", "n=4"]
    monkeypatch.setattr(journal_module, "KEPT_BYTES", 200)
    ask.post("/crm/v3/objects/contacts", {"properties": {"firstname": "A" * 100}})
    ask.post("/crm/v3/objects/contacts", {"properties": {"firstname": "B" * 100}})
    assert [each.body["properties"]["firstname"][0] for each in portal.requests] == ["B"]
    # The counts are of all of them.
    assert portal.stats()["requests"]["total"] == 7


def test_reset(portal: Portal, ask: Any) -> None:
    definition = {
        "name": "tier",
        "label": "Tier",
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
    }
    ask.post("/crm/v3/properties/contacts", definition)
    ask("DELETE", "/crm/v3/properties/contacts/crmseed_key")
    first = ask.contact(email="a@example.com")
    tokens = portal.hubspot.tokens()
    answer = control(portal, "POST", "/reset")
    assert (answer.status, answer.json()) == (200, {"status": "reset"})
    assert portal.stats() == {
        "requests": {"total": 0, "writes": 0, "by_route": {}},
        "records": {"hubspot": nothing(portal), **elsewhere(portal)},
        "throttled": 0,
        "max_in_flight": 0,
    }
    assert portal.requests == []
    assert portal.hubspot.tokens() == tokens
    assert ask.get("/crm/v3/properties/contacts/tier").status == 404
    assert ask.get("/crm/v3/properties/contacts/crmseed_key").status == 200
    # An id is never given twice.
    assert int(ask.contact(email="a@example.com")) > int(first)


def test_reset_lifts_used_up_limits(make_portal: Callable[..., Portal], asker: Any) -> None:
    portal = make_portal(rate=(1, 10.0), daily_limit=1)
    ask = asker(portal, portal.hubspot.tokens()["application"])
    assert [ask.get("/account-info/v3/details").status for _ in range(2)] == [200, 429]
    portal.reset()
    assert ask.get("/account-info/v3/details").status == 200


def test_tokens_with_fewer_scopes_and_other_limits(make_portal: Callable[..., Portal], asker: Any) -> None:
    portal = make_portal(rate=(1, 10.0))
    for wanted, statuses in [
        ({"scopes": ["crm.objects.contacts.read"]}, [200, 429, 429]),
        ({"scopes": ["crm.objects.contacts.read"], "burst": 2, "name": "n"}, [200, 200, 429]),
        ({"scopes": ["crm.objects.contacts.read"], "burst": None}, [200, 200, 200]),
        ({"scopes": [], "provider": "hubspot", "burst": None}, [403, 403, 403]),
    ]:
        answer = control(portal, "POST", "/tokens", wanted)
        assert (answer.status, list(answer.json())) == (201, ["token"])
        ask = asker(portal, answer.json()["token"])
        assert [ask.get("/crm/v3/objects/contacts").status for _ in range(3)] == statuses


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "the body is no JSON object."),
        ({"scopes": "oauth"}, '"scopes" is a list of scope names.'),
        ({"burst": 0}, '"burst" is a number of requests, or null for no limit.'),
        ({"burst": True}, '"burst" is a number of requests, or null for no limit.'),
        ({"name": 1}, '"name" is a text.'),
        ({"provider": ["x"]}, "\"provider\" is one of {providers}, not ['x']."),
    ],
)
def test_tokens_that_make_no_sense(portal: Portal, body: Any, message: str) -> None:
    answer = control(portal, "POST", "/tokens", body)
    told = message.replace("{providers}", ", ".join(portal.apis))
    assert (answer.status, answer.json()) == (400, {"error": told})


def test_a_body_that_is_no_json(portal: Portal) -> None:
    request = PortalRequest("POST", "/_portal/tokens", "", {"host": "localhost"}, b"{")
    answer = portal.handle(request)
    assert answer.status == 400
    assert answer.json()["error"].startswith("the body is no JSON: Expecting property name")


def test_coverage(portal: Portal) -> None:
    found = control(portal, "GET", "/coverage").json()
    assert {"provider": "hubspot", "method": "GET", "route": "/crm/v3/objects/{type}"} in found
    own = [(each["method"], each["route"]) for each in found if each["provider"] == "hubspot"]
    assert own == portal.hubspot.coverage()
    assert {each["provider"] for each in found} == set(portal.apis)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:99", "localhost:80", "[::1]:80", "127.8.9.1"])
def test_hosts_that_are_this_machine(portal: Portal, host: str) -> None:
    assert control(portal, "GET", "/stats", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "127.0.0.1.evil.example", "10.0.0.1", "localhost.evil.example", "[::1", "a@b:c"],
)
def test_any_other_host_is_refused(portal: Portal, host: str) -> None:
    answer = control(portal, "GET", "/", host=host)
    assert (answer.status, answer.json()) == (
        403,
        {"error": f"The control endpoints answer on loopback hosts only, not on {host!r}."},
    )


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999"])
def test_pages_of_other_origins_are_refused(portal: Portal, origin: str) -> None:
    answer = control(portal, "POST", "/reset", origin=origin)
    assert (answer.status, answer.json()) == (
        403,
        {"error": f"The control endpoints refuse requests from another origin ({origin})."},
    )
    assert control(portal, "GET", "/stats", origin="http://127.0.0.1:8080").status == 200


def test_other_paths_and_methods(portal: Portal) -> None:
    answer = control(portal, "GET", "/nope")
    assert (answer.status, answer.json()) == (
        404,
        {
            "error": "There is no control endpoint /_portal/nope. There are: /_portal/, /_portal/stats,"
            " /_portal/requests, /_portal/reset, /_portal/faults, /_portal/tokens, /_portal/coverage,"
            " /_portal/clock."
        },
    )
    answer = control(portal, "GET", "/reset")
    assert (answer.status, answer.headers["allow"], answer.json()) == (
        405,
        "POST",
        {"error": "/_portal/reset takes POST, not GET."},
    )


def test_a_fault_of_the_emulation_is_told(portal: Portal, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(portal.hubspot.account.tokens, "bearer", broken)
    answer = ask.get("/crm/v3/objects/contacts")
    assert (answer.status, answer.json()["category"]) == (500, "LOCAL_PORTAL_FAULT")
    assert answer.json()["traceback"].endswith("RuntimeError: out of luck\n")
    assert portal.stats()["requests"]["by_route"] == {"GET (fault)": 1}
