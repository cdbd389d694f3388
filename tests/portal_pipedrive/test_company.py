"""Users and look-ups, pipelines and stages, routing, OAuth, faults, snapshots, pulled schemas."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pytest_crmseed import LocalPortal, mock_crm
from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal import Portal, PortalRequest
from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Option, Pipeline, Schema, Stage


def test_the_company_is_told_with_the_user(ask: Any) -> None:
    me = ask.get("/v1/users/me")
    told = {name: me[name] for name in ("id", "company_id", "company_domain", "is_you", "default_currency")}
    assert told == {
        "id": 14700001,
        "company_id": 13470001,
        "company_domain": "local-portal-sandbox",
        "is_you": True,
        "default_currency": "USD",
    }
    assert {each["app"]: each["admin"] for each in me["access"]} == {
        "sales": True,
        "global": True,
        "account_settings": True,
    }


def test_users_are_listed_found_and_missed(ask: Any) -> None:
    users = ask.get("/v1/users")
    assert [(user["name"], user["active_flag"]) for user in users] == [
        ("Olive Owner", True),
        ("Sam Seller", True),
        ("Gina Gone", False),
    ]
    assert ask.get("/v1/users/14700002") == users[1]
    assert ask.get("/v1/users/find?term=sam") == [users[1]]
    assert ask.get("/v1/users/find?term=sam.seller%40&search_by_email=1") == [users[1]]
    missed = ask("GET", "/v1/users/5")
    assert (missed.status, missed.json()) == (
        404,
        {"success": False, "error": "User not found or not accessible."},
    )
    assert ask("GET", "/v1/users/find").status == 400


def test_look_ups(ask: Any) -> None:
    assert [each["code"] for each in ask.get("/v1/currencies?term=eur")] == ["EUR"]
    assert ask.get("/v1/userSettings")["list_limit"] == 100
    assert {"name": "API"} in ask.get("/v1/leadSources")


# -- pipelines and stages ----------------------------------------------------------------------------
def test_a_pipeline_goes_last_and_is_deleted_with_its_stages(ask: Any, refusal: Any) -> None:
    id = ask.made("pipelines", name="Second", is_deal_probability_enabled=True)
    data = ask.get(f"/api/v2/pipelines/{id}")
    assert (data["order_nr"], data["is_deal_probability_enabled"], data["update_time"]) == (2, True, None)
    body = {
        "name": "S",
        "pipeline_id": id,
        "deal_probability": 40,
        "is_deal_rot_enabled": True,
        "days_to_rotten": 3,
    }
    stage = ask("POST", "/api/v2/stages", body).json()["data"]
    assert stage == {**stage, **body, "order_nr": 1, "is_deleted": False}
    assert ask("PATCH", f"/api/v2/stages/{stage['id']}", {"name": "T"}).json()["data"]["name"] == "T"
    assert ask("PATCH", f"/api/v2/pipelines/{id}", {"name": "U"}).json()["data"]["name"] == "U"
    assert ask("DELETE", f"/api/v2/pipelines/{id}").json()["data"] == {"id": id}
    assert refusal(ask("DELETE", f"/api/v2/pipelines/{id}")) == (404, "Pipeline not found", "ERR_NOT_FOUND")
    assert ask.get(f"/api/v2/stages/{stage['id']}")["is_deleted"] is True
    assert [each["id"] for each in ask.get("/api/v2/pipelines")] == [1]


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        ("pipelines", {}, "name: The value is required"),
        ("stages", {"name": "S"}, "pipeline_id: The value is required"),
        ("stages", {"name": "S", "pipeline_id": 9}, "pipeline_id: Pipeline with id '9' was not found"),
        (
            "stages",
            {"name": "S", "pipeline_id": 1, "deal_probability": 101},
            "deal_probability: The value must be between 0 and 100",
        ),
    ],
)
def test_a_pipeline_or_stage_that_is_wrong_is_refused(
    ask: Any, refusal: Any, path: str, body: Any, problem: str
) -> None:
    assert refusal(ask("POST", f"/api/v2/{path}", body))[1] == f"Validation failed: {problem}"


def test_a_new_pipeline_can_come_with_stages(make_portal: Any, seeder: Any) -> None:
    ask = seeder(make_portal(stages_of_new_pipelines=True))
    id = ask.made("pipelines", name="Second")
    names = [stage["name"] for stage in ask.get(f"/api/v2/stages?pipeline_id={id}")]
    assert names == ["Qualified", "Contact Made", "Demo Scheduled", "Proposal Made", "Negotiations Started"]


def test_a_stage_can_be_deleted_alone(ask: Any, refusal: Any) -> None:
    assert ask("DELETE", "/api/v2/stages/1").json()["data"] == {"id": 1}
    assert ask.get(f"/api/v2/deals/{ask.made('deals', title='D')}")["stage_id"] == 2
    answer = ask("POST", "/api/v2/deals", {"title": "D", "stage_id": 1})
    assert refusal(answer)[1] == "Validation failed: stage_id: Stage with id '1' was not found"


# -- requests that lead nowhere ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        (
            "GET",
            "/api/v2/boards",
            501,
            "GET /api/v2/boards is not emulated by the local portal of pytest-crmseed.",
        ),
        (
            "GET",
            "/v1/webhooks",
            501,
            "GET /v1/webhooks is not emulated by the local portal of pytest-crmseed.",
        ),
        (
            "GET",
            "/v1/deals/summary",
            501,
            "GET /v1/deals/summary is not emulated by the local portal of pytest-crmseed.",
        ),
        ("PUT", "/api/v2/deals/1", 405, "Method not allowed"),
        ("TRACE", "/api/v2/deals", 405, "Method not allowed"),
        ("GET", "/api/v2/deals/abc", 400, "Bad request: 'abc' is not a valid id"),
        (
            "GET",
            "/v1/deals",
            410,
            "This endpoint is no longer available. Please use the v2 endpoint instead.",
        ),
        (
            "POST",
            "/api/v1/persons",
            410,
            "This endpoint is no longer available. Please use the v2 endpoint instead.",
        ),
    ],
)
def test_what_is_not_there_is_told(ask: Any, method: str, path: str, status: int, error: str) -> None:
    answer = ask(method, path)
    assert (answer.status, answer.json()["error"]) == (status, error)


def test_what_is_not_emulated_names_what_is_near(ask: Any) -> None:
    answer = ask("GET", "/api/v2/deals/1/product")
    assert "/api/v2/deals/{id}/products" in answer.json()["emulated"]


def test_paths_of_nobody_are_not_pipedrives(portal: Any) -> None:
    for path in ("/api/v2/tickets", "/api/v3/deals", "/api", "/v2/deals", "/deals/1"):
        assert not portal.apis["pipedrive"].claims(PortalRequest.of("GET", path))


def test_allowed_verbs_are_named(ask: Any) -> None:
    assert ask("PUT", "/api/v2/deals/1").headers["allow"] == "DELETE, GET, PATCH"


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "ERR_BAD_REQUEST"),
        (b"[]", "application/json", 400, "ERR_BAD_REQUEST"),
        (b'{"value": NaN}', "application/json", 400, "ERR_BAD_REQUEST"),
        (b"title=D", "application/x-www-form-urlencoded", 415, "ERR_UNSUPPORTED_MEDIA_TYPE"),
        (b"", "application/json", 400, "ERR_SCHEMA_VALIDATION_FAILED"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    portal: Any, body: bytes, kind: str, status: int, code: str
) -> None:
    token = portal.apis["pipedrive"].tokens()["seeder"]
    headers = {"host": "127.0.0.1", "x-api-token": token, "content-type": kind}
    answer = portal.handle(PortalRequest("POST", "/api/v2/deals", "", headers, body))
    assert (answer.status, answer.json()["code"]) == (status, code)


def test_v1_takes_forms_when_something_is_created(portal: Any, ask: Any) -> None:
    deal = ask.made("deals", title="D")
    token = portal.apis["pipedrive"].tokens()["seeder"]
    headers = {"host": "127.0.0.1", "x-api-token": token, "content-type": "application/x-www-form-urlencoded"}
    request = PortalRequest("POST", "/v1/notes", "", headers, f"content=Hi&deal_id={deal}".encode())
    assert portal.handle(request).json()["data"]["deal_id"] == deal


def test_removed_operations_can_answer_404(make_portal: Any, seeder: Any) -> None:
    answer = seeder(make_portal(v1_removed_status=404))("GET", "/v1/deals/1")
    assert (answer.status, answer.json()["success"]) == (404, False)


# -- OAuth -------------------------------------------------------------------------------------------
BASIC = base64.b64encode(b"app:secret").decode()


def exchange(portal: Portal, client: str = BASIC, **form: str) -> Any:
    from urllib.parse import urlencode

    headers = {
        "host": "127.0.0.1:9",
        "authorization": f"Basic {client}",
        "content-type": "application/x-www-form-urlencoded",
    }
    body = urlencode(form).encode()
    return portal.handle(PortalRequest("POST", "/oauth/token", "", headers, body))


def granted(portal: Portal) -> str:
    url = "/oauth/authorize?client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fback&state=s"
    answer = portal.handle(PortalRequest.of("GET", url, host="oauth.pipedrive.com"))
    assert answer.status == 302
    arguments = parse_qs(urlsplit(answer.headers["location"]).query)
    assert arguments["state"] == ["s"]
    return arguments["code"][0]


def test_a_code_and_a_refresh_token_give_access_tokens(portal: Any, asker: Any, clock: Any) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": granted(portal),
        "redirect_uri": "https://app.example/back",
    }
    first = exchange(portal, **form)
    data = first.json()
    assert (first.status, data["token_type"], data["expires_in"], data["api_domain"]) == (
        200,
        "Bearer",
        3600,
        "http://127.0.0.1:9",
    )
    assert exchange(portal, **form).json()["error"] == "invalid_grant"
    ask = asker(portal, data["access_token"], "bearer")
    assert ask("POST", "/api/v2/deals", {"title": "D"}).status == 200
    clock.now += 3600
    assert ask("GET", "/api/v2/deals").status == 401
    again = exchange(portal, grant_type="refresh_token", refresh_token=data["refresh_token"]).json()
    assert again["refresh_token"] == data["refresh_token"]
    assert asker(portal, again["access_token"], "bearer")("GET", "/api/v2/deals").status == 200


def test_an_app_has_the_scopes_of_the_developer_hub(make_portal: Any, asker: Any) -> None:
    portal = make_portal(oauth_scopes=("deals:read",))
    code = granted(portal)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://app.example/back"}
    token = exchange(portal, **form).json()["access_token"]
    assert asker(portal, token, "bearer")("POST", "/api/v2/deals", {"title": "D"}).status == 403


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token", "client": "!"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token", "client": base64.b64encode(b"app").decode()}, 401, "invalid_client"),
    ],
)
def test_an_exchange_that_is_wrong_is_refused(portal: Any, form: Any, status: int, error: str) -> None:
    answer = exchange(portal, **form)
    assert (answer.status, answer.json()["error"]) == (status, error)


def test_a_code_ends_and_keeps_to_its_address(portal: Any, clock: Any) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": granted(portal),
        "redirect_uri": "https://other.example",
    }
    assert exchange(portal, **form).json()["message"] == "Invalid grant: redirect_uri does not match"
    clock.now += 300
    form["redirect_uri"] = "https://app.example/back"
    assert exchange(portal, **form).json()["message"] == "Invalid grant: authorization code is invalid"


def test_consent_needs_a_client_and_an_address(make_portal: Any) -> None:
    portal = make_portal(oauth_client_id="other")
    for query, error in (("client_id=app", "invalid_client"), ("client_id=other", "invalid_request")):
        url = f"/oauth/authorize?{query}"
        answer = portal.handle(PortalRequest.of("GET", url, host="oauth.pipedrive.com"))
        assert answer.json()["error"] == error


def test_consent_at_the_loopback_address_is_for_the_app_that_is_named(make_portal: Any) -> None:
    portal = make_portal(oauth_client_id="ours")
    url = "/oauth/authorize?redirect_uri=https%3A%2F%2Fapp.example%2Fback&client_id="
    for client_id, name in (("ours", "pipedrive"), ("other", "hubspot")):
        answer = portal.handle(PortalRequest.of("GET", f"{url}{client_id}"))
        assert (answer.status, portal.apis[name].claims(PortalRequest.of("GET", url + client_id))) == (
            302,
            True,
        )


# -- faults ------------------------------------------------------------------------------------------
def test_faults_answer_in_pipedrives_words(portal: Any, asker: Any) -> None:
    ask = asker(portal, portal.apis["pipedrive"].tokens()["application"])
    portal.faults.throttle("daily", retry_after=3939)
    daily = ask("GET", "/api/v2/deals")
    assert (daily.status, daily.headers["retry-after"], daily.json()) == (
        429,
        "3939",
        {"success": False, "error": "daily request budget exceeded", "errorCode": 429},
    )
    portal.faults.throttle("daily")
    assert ask("GET", "/api/v2/deals").headers["retry-after"] == "35200"
    portal.faults.throttle()
    assert ask("GET", "/api/v2/deals").headers["x-ratelimit-reset"] == "2"
    portal.faults.throttle("search", retry_after=1)
    assert ask("GET", "/api/v2/deals").json()["error"] == "request over limit"
    portal.faults.expire_token()
    assert ask("GET", "/api/v2/deals").json()["error"] == "unauthorized access"
    portal.faults.fail(403)
    assert b"cloudflare" in ask("GET", "/api/v2/deals").body
    portal.faults.lock()
    assert ask("GET", "/api/v2/deals").json() == {"success": False, "error": "Locked", "code": "ERR_LOCKED"}


@pytest.mark.parametrize("status", [400, 401, 402, 404, 409, 410, 418, 429, 500, 502, 503])
def test_any_status_can_be_asked_for(portal: Any, asker: Any, status: int) -> None:
    ask = asker(portal, portal.apis["pipedrive"].tokens()["application"])
    portal.faults.fail(status, retry_after=7)
    answer = ask("GET", "/v1/leads")
    assert (answer.status, answer.headers["retry-after"]) == (status, "7")


def test_faults_are_aimed_by_object_type_and_spare_the_seeder(portal: Any, asker: Any, seeder: Any) -> None:
    ask = asker(portal, portal.apis["pipedrive"].tokens()["application"])
    portal.faults.drop_after_commit(method="POST", object_type="companies")
    assert seeder(portal)("POST", "/api/v2/organizations", {"name": "A"}).status == 200
    assert ask("POST", "/api/v2/deals", {"title": "D"}).status == 200
    dropped = ask("POST", "/api/v2/organizations", {"name": "B"}, documented=False)
    assert dropped.delivery == "dropped"
    assert portal.stats()["records"]["pipedrive"]["organizations"] == 2
    with pytest.raises(UsageError, match="tickets_of_nobody"):
        portal.faults.fail(500, object_type="tickets_of_nobody")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("deals", "deals"),
        ("deal", "deals"),
        ("companies", "organizations"),
        ("line_items", "deal_products"),
        ("meetings", "activities"),
        ("activities:call", "activities"),
        ("tickets", None),
    ],
)
def test_object_types_have_several_names(portal: Any, name: str, known: Any) -> None:
    assert portal.apis["pipedrive"].object_type(name) == known


def test_a_bulk_can_succeed_in_part(portal: Any, asker: Any) -> None:
    ask = asker(portal, portal.apis["pipedrive"].tokens()["application"])
    deal, product = ask.made("deals", title="D"), ask.made("products", name="P")
    row = {"product_id": product, "item_price": 1, "quantity": 1}
    for rows, left in (([0], 1), ([0, 1], 0)):
        portal.faults.partial(rows)
        answer = ask("POST", f"/api/v2/deals/{deal}/products/bulk", {"data": [row, row]})
        assert (answer.status, len(answer.json()["data"])) == (201, left)


def test_a_request_that_is_delivered_twice_makes_two(portal: Any, asker: Any) -> None:
    ask = asker(portal, portal.apis["pipedrive"].tokens()["application"])
    portal.faults.deliver_twice(method="POST")
    ask.made("deals", title="D")
    assert len(ask.get("/api/v2/deals")) == 2


# -- the portal's side -------------------------------------------------------------------------------
def test_a_refused_request_leaves_nothing_behind(portal: Any, ask: Any) -> None:
    deal, product = ask.made("deals", title="D"), ask.made("products", name="P")
    row = {"product_id": product, "item_price": 1, "quantity": 1}
    wrong = {**row, "product_variation_id": 9}
    assert ask("POST", f"/api/v2/deals/{deal}/products/bulk", {"data": [row, wrong]}).status == 400
    assert portal.stats()["records"]["pipedrive"]["deal_products"] == 0
    body = {"field_name": "F", "field_type": "enum", "options": [{"label": "A"}, {"label": "A"}]}
    assert ask("POST", "/api/v2/dealFields", body).status == 400
    assert [f["field_name"] for f in ask.get("/api/v2/dealFields?limit=500") if f["is_custom_field"]] == [
        "crmseed_key"
    ]


def test_a_reset_forgets_and_a_snapshot_brings_back(portal: Any, ask: Any) -> None:
    ask.field("deal", "text", name="Mine")
    id = ask.made("deals", title="D")
    snapshot = portal.snapshot()
    portal.reset()
    assert (ask.get("/api/v2/deals"), ask("GET", f"/api/v2/deals/{id}").status) == ([], 404)
    assert len([f for f in ask.get("/api/v2/dealFields?limit=500") if f["is_custom_field"]]) == 1
    assert ask.made("deals", title="E") > id
    portal.restore(snapshot)
    assert [deal["id"] for deal in ask.get("/api/v2/deals")] == [id]
    assert ask.key("deal", "Mine")


def test_a_file_keeps_tokens_records_and_fields(tmp_path: Any, asker: Any) -> None:
    ids = []
    for _ in range(2):
        with LocalPortal(db=tmp_path / "portal.sqlite") as local:
            ask = asker(local.portal, local.tokens("pipedrive")["seeder"])
            ids.append(ask.made("deals", title="D"))
            tokens = local.tokens("pipedrive")
            if len(ids) == 1:
                first, code = tokens, ask.field("deal", "text", name="Mine")["field_code"]
            assert tokens == first
            assert ask.key("deal", "Mine") == code
            assert [deal["id"] for deal in ask.get("/api/v2/deals")] == ids


def test_samples_come_when_asked_for(make_portal: Any, seeder: Any) -> None:
    portal = make_portal(sample_records=True)
    ask = seeder(portal)
    assert [deal["title"] for deal in ask.get("/api/v2/deals")] == ["[Sample] Acorn deal"]
    portal.reset()
    assert len(ask.get("/api/v2/persons")) == 1


def test_no_token_stands_in_what_was_recorded(portal: Any, asker: Any) -> None:
    tokens = portal.apis["pipedrive"].tokens()
    asker(portal, tokens["application"], "query")("GET", "/api/v2/deals?limit=1")
    code = granted(portal)
    exchange(portal, grant_type="authorization_code", code=code, redirect_uri="https://app.example/back")
    recorded = str([each.as_dict() for each in portal.requests])
    assert "limit=1" in recorded
    assert tokens["application"] not in recorded
    assert code not in recorded


def test_coverage_lists_what_is_emulated(portal: Any) -> None:
    coverage = portal.apis["pipedrive"].coverage()
    assert ("POST", "/api/v2/deals") in coverage
    assert ("POST", "/v1/leads") in coverage
    assert len(coverage) == len(set(coverage))


def test_writes_are_counted_by_route(portal: Any, ask: Any) -> None:
    id = ask.made("deals", title="D")
    ask("PATCH", f"/api/v2/deals/{id}", {"title": "E"})
    ask("DELETE", f"/api/v2/deals/{id}")
    requests = portal.stats()["requests"]
    assert (requests["writes"], requests["by_route"]) == (
        2,
        {"POST /api/v2/deals": 1, "PATCH /api/v2/deals/{id}": 1, "DELETE /api/v2/deals/{id}": 1},
    )


def test_an_application_is_pointed_at_the_portal() -> None:
    own = PipedriveBehaviour(company_domain="acme-sandbox")
    with LocalPortal(behaviour=Behaviour(pipedrive=own)) as local:
        environ = local.environ
        assert {name: value for name, value in environ.items() if name.startswith("PIPEDRIVE")} == {
            "PIPEDRIVE_API_TOKEN": local.tokens("pipedrive")["application"],
            "PIPEDRIVE_COMPANY_DOMAIN": "acme-sandbox",
            "PIPEDRIVE_BASE_URL": local.base_url,
        }


@pytest.mark.parametrize("host", ["api.pipedrive.com", "acme-sandbox.pipedrive.com"])
def test_the_real_hosts_are_answered(host: str) -> None:
    import requests

    with mock_crm() as crm:
        headers = {"x-api-token": crm.tokens("pipedrive")["application"]}
        url = f"https://{host}/api/v2/deals"
        assert requests.post(url, json={"title": "D"}, headers=headers, timeout=5).status_code == 200


def pulled() -> Schema:
    """Return a schema as a company's own was pulled."""
    fields = {
        "title": Field("title", "Title", Kind.STRING),
        "a" * 40: Field(
            "a" * 40,
            "Tier",
            Kind.OPTION,
            options=(Option("51", "Gold"), Option("52", "Silver")),
            custom=True,
            native={"field_type": "enum"},
        ),
        "b" * 40: Field("b" * 40, "Budget", Kind.DECIMAL, custom=True),
    }
    stages = (
        Stage("71", "Start", 0, probability=0.5),
        Stage("72", "End", 1),
        Stage("won", "Won", 2, closed=True),
    )
    deals = ObjectType("deals", "Deal", "Deals", fields, pipelines=(Pipeline("7", "Ours", stages),))
    return Schema("pipedrive", {"deals": deals}, source="file")


def test_a_pulled_schema_stands_in_for_the_stock_one(clock: Any, seeder: Any) -> None:
    portal = Portal(clock=clock, schema=pulled())
    ask = seeder(portal)
    assert [stage["id"] for stage in ask.get("/api/v2/stages")] == [71, 72]
    id = ask.made("deals", title="D", probability=20, custom_fields={"a" * 40: 52, "b" * 40: 5})
    deal = ask.get(f"/api/v2/deals/{id}?include_option_labels=true")
    assert (deal["pipeline_id"], deal["custom_fields"]["a" * 40]) == (7, {"id": 52, "label": "Silver"})
    assert set(deal["custom_fields"]) == {"a" * 40, "b" * 40, ask.key("deal")}
    assert ask.made("stages", name="New", pipeline_id=7) not in (71, 72)
    portal.close()
