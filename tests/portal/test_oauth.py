"""OAuth: consent, tokens that expire, refreshing, what tokens tell of themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from pytest_crmseed.portal import Portal, PortalRequest, PortalResponse
from pytest_crmseed.portal.store import Store

BACK = "http://127.0.0.1:9/back?x=1"
APP = {"client_id": "app-1", "client_secret": "s3cret"}
FORM = {"content-type": "application/x-www-form-urlencoded;charset=utf-8", "host": "127.0.0.1"}
CONTACTS = "/crm/v3/objects/contacts"


def post(portal: Portal, path: str, **fields: str) -> PortalResponse:
    return portal.handle(PortalRequest("POST", path, "", FORM, urlencode(fields).encode()))


def code(portal: Portal, scope: str = "crm.objects.contacts.read", **more: str) -> str:
    query = {"client_id": "app-1", "redirect_uri": BACK, "scope": scope, **more}
    answer = portal.handle(PortalRequest.of("GET", f"/oauth/authorize?{urlencode(query)}"))
    assert answer.status == 302, answer.body
    assert answer.headers["location"].startswith(f"{BACK}&code=")
    found = parse_qs(urlsplit(answer.headers["location"]).query)
    assert found.get("state", [None]) == [more.get("state")]
    return found["code"][0]


def tokens(portal: Portal, path: str = "/oauth/v1/token", **more: str) -> dict[str, Any]:
    fields = {**APP, "grant_type": "authorization_code", "redirect_uri": BACK, "code": code(portal)}
    answer = post(portal, path, **{**fields, **more})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("version", ["v1", "v3", "2026-03", "2026-09"])
def test_from_consent_to_a_call(portal: Portal, asker: Any, version: str) -> None:
    assert code(portal, state="a b")
    found = tokens(portal, f"/oauth/{version}/token")
    assert (found["token_type"], found["expires_in"]) == ("bearer", 1800)
    assert found.keys() >= {"access_token", "refresh_token"}
    if version != "v1":
        assert (found["token_use"], found["hub_id"]) == ("access_token", 47010001)
        assert found["scopes"] == ["crm.objects.contacts.read", "oauth"]
    ask = asker(portal, found["access_token"])
    answer = ask.get(CONTACTS)
    assert answer.status == 200
    assert "X-HubSpot-RateLimit-Daily" not in answer.headers
    assert answer.headers["X-HubSpot-RateLimit-Max"] == "110"
    assert ask.post(CONTACTS, {"properties": {"firstname": "A"}}).status == 403


def test_a_token_expires_and_is_refreshed(
    portal: Portal, asker: Any, clock: Any, refusal: Callable[..., dict[str, Any]]
) -> None:
    found = tokens(portal)
    ask = asker(portal, found["access_token"])
    clock.now += 1_799
    assert ask.get(CONTACTS).status == 200
    clock.now += 8
    answer = ask.get(CONTACTS)
    assert (answer.status, refusal(answer)) == (
        401,
        {
            "status": "error",
            "message": "The OAuth token used to make this call expired 7 second(s) ago.",
            "category": "EXPIRED_AUTHENTICATION",
        },
    )
    fields = {**APP, "grant_type": "refresh_token", "refresh_token": found["refresh_token"]}
    fresh = post(portal, "/oauth/v1/token", **fields).json()
    assert fresh["refresh_token"] == found["refresh_token"]
    assert asker(portal, fresh["access_token"]).get(CONTACTS).status == 200


def test_all_tokens_of_an_app_share_its_window(portal: Portal, asker: Any) -> None:
    asks = [asker(portal, tokens(portal)["access_token"]) for _ in range(2)]
    for ask in (*asks, *asks) * 27:
        assert ask.get(CONTACTS).status == 200
    remaining = asks[0].get(CONTACTS).headers["X-HubSpot-RateLimit-Remaining"]
    assert remaining == "1"
    assert [ask.get(CONTACTS).status for ask in asks] == [200, 429]


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"grant_type": "password"}, "BAD_GRANT_TYPE", "missing or unknown grant type"),
        ({"client_id": ""}, "BAD_CLIENT_ID", "missing or invalid client id"),
        ({"client_secret": ""}, "BAD_CLIENT_SECRET", "missing or invalid client secret"),
        ({"code": "x"}, "BAD_AUTH_CODE", "missing or unknown auth code"),
        ({"client_id": "other"}, "BAD_AUTH_CODE", "missing or unknown auth code"),
        ({"redirect_uri": "http://x"}, "BAD_REDIRECT_URI", "redirect uri does not match initial request"),
        (
            {"grant_type": "refresh_token", "refresh_token": "x"},
            "BAD_REFRESH_TOKEN",
            "missing or invalid refresh token",
        ),
    ],
)
def test_exchanges_that_are_refused(
    portal: Portal, changes: dict[str, str], status: str, message: str
) -> None:
    fields = {**APP, "grant_type": "authorization_code", "redirect_uri": BACK, "code": code(portal)}
    answer = post(portal, "/oauth/v1/token", **{**fields, **changes})
    assert (answer.status, answer.json()["status"], answer.json()["message"]) == (400, status, message)
    later = post(portal, "/oauth/v3/token", **{**fields, **changes}).json()
    assert (later["status"], later["category"], later["message"]) == ("error", status, message)


def test_a_code_counts_once_and_not_for_long(portal: Portal, clock: Any) -> None:
    fields = {**APP, "grant_type": "authorization_code", "redirect_uri": BACK}
    first, late = code(portal), code(portal)
    assert post(portal, "/oauth/v1/token", **fields, code=first).status == 200
    assert post(portal, "/oauth/v1/token", **fields, code=first).json()["status"] == "BAD_AUTH_CODE"
    clock.now += 600
    assert post(portal, "/oauth/v1/token", **fields, code=late).json()["status"] == "BAD_AUTH_CODE"


def test_grants_that_are_not_emulated(portal: Portal) -> None:
    answer = post(portal, "/oauth/v3/token", **APP, grant_type="client_credentials")
    assert (answer.status, answer.json()["message"]) == (
        501,
        "The grant type client_credentials is not emulated by the local portal;"
        " emulated nearby: authorization_code, refresh_token.",
    )


def test_only_one_app_when_so_switched(make_portal: Callable[..., Portal]) -> None:
    portal = make_portal(oauth_client_id="app-1", oauth_client_secret="s3cret", oauth_token_seconds=60)
    assert tokens(portal)["expires_in"] == 60
    answer = portal.handle(
        PortalRequest.of("GET", f"/oauth/authorize?client_id=b&redirect_uri={quote(BACK)}")
    )
    assert (answer.status, answer.json()["status"]) == (400, "BAD_CLIENT_ID")
    fields = {**APP, "client_secret": "no", "grant_type": "refresh_token"}
    assert post(portal, "/oauth/v1/token", **fields).json()["status"] == "BAD_CLIENT_SECRET"


@pytest.mark.parametrize("address", ["", "javascript:x", "http://x/\r\nset-cookie:a", "/relative"])
def test_addresses_that_are_none(portal: Portal, address: str) -> None:
    query = urlencode({"client_id": "a", "redirect_uri": address})
    answer = portal.handle(PortalRequest.of("GET", f"/oauth/authorize?{query}"))
    assert (answer.status, answer.json()["status"]) == (400, "BAD_REDIRECT_URI")


def test_what_tokens_tell(portal: Portal, clock: Any) -> None:
    found = tokens(portal)

    def get(path: str) -> PortalResponse:
        return portal.handle(PortalRequest.of("GET", path))

    access = get(f"/oauth/v1/access-tokens/{found['access_token']}").json()
    assert (access["hub_id"], access["expires_in"], access["token_type"]) == (47010001, 1800, "access")
    assert access["scopes"] == ["crm.objects.contacts.read", "oauth"]
    assert access["signed_access_token"]["appId"] == access["app_id"]
    refresh = get(f"/oauth/v1/refresh-tokens/{found['refresh_token']}").json()
    assert (refresh["client_id"], refresh["token_type"]) == ("app-1", "refresh")
    for version in ("v3", "2026-09"):
        path = f"/oauth/{version}/token/introspect"
        known = post(portal, path, **APP, token=found["access_token"]).json()
        assert (known["active"], known["client_id"], known["token_use"]) == (True, "app-1", "access_token")
        known = post(portal, path, **APP, token=found["refresh_token"]).json()
        assert (known["active"], known["token_use"]) == (True, "refresh_token")
        assert post(portal, path, **APP, token="x").json() == {"active": False}
        other = {**APP, "client_id": "app-2"}
        assert post(portal, path, **other, token=found["access_token"]).json() == {"active": False}
    clock.now += 1_800
    assert get(f"/oauth/v1/access-tokens/{found['access_token']}").status == 404
    assert get("/oauth/v1/refresh-tokens/x").status == 404


def test_revoking(portal: Portal, asker: Any) -> None:
    found = tokens(portal)
    delete = PortalRequest.of("DELETE", f"/oauth/v1/refresh-tokens/{found['refresh_token']}")
    assert [portal.handle(delete).status for _ in range(2)] == [204, 204]
    fields = {**APP, "grant_type": "refresh_token", "refresh_token": found["refresh_token"]}
    assert post(portal, "/oauth/v1/token", **fields).json()["status"] == "BAD_REFRESH_TOKEN"
    ask = asker(portal, found["access_token"])
    assert ask.get(CONTACTS).status == 200
    for client, status in (("app-2", 200), ("app-1", 401)):
        fields = {**APP, "client_id": client, "token": found["access_token"]}
        assert post(portal, "/oauth/v3/token/revoke", **fields).status == 200
        assert ask.get(CONTACTS).status == status
    assert ask.get("/oauth/v1/access-tokens/pat-na1-x").status == 404


def test_a_body_that_is_no_form(portal: Portal) -> None:
    request = PortalRequest.of("POST", "/oauth/v1/token", {"grant_type": "refresh_token"})
    assert portal.handle(request).status == 415


def test_no_token_is_recorded(portal: Portal, asker: Any) -> None:
    found = tokens(portal)
    asker(portal, found["access_token"]).get(f"/oauth/v1/access-tokens/{found['access_token']}")
    portal.handle(
        PortalRequest.of("GET", f"/oauth/v1/refresh-tokens/{found['refresh_token']}?a={code(portal)}")
    )
    body = {"tokenKey": found["access_token"]}
    portal.handle(PortalRequest.of("POST", "/oauth/v2/private-apps/get/access-token-info", body))
    text = str(portal.requests)
    for secret in (found["access_token"], found["refresh_token"], "s3cret"):
        assert secret not in text
    assert [each.path for each in portal.requests][2:5] == [
        "/oauth/v1/access-tokens/(redacted)",
        "/oauth/authorize",
        "/oauth/v1/refresh-tokens/(redacted)",
    ]


def test_tokens_stay_in_a_file(tmp_path: Path, asker: Any, clock: Any) -> None:
    file = tmp_path / "portal.db"
    portal = Portal(Store(file), clock=clock)
    found = tokens(portal)
    portal.close()
    portal = Portal(Store(file), clock=clock)
    try:
        assert asker(portal, found["access_token"]).get(CONTACTS).status == 200
        fields = {**APP, "grant_type": "refresh_token", "refresh_token": found["refresh_token"]}
        assert post(portal, "/oauth/v1/token", **fields).status == 200
        portal.reset()
        assert asker(portal, found["access_token"]).get(CONTACTS).status == 200
        post(portal, "/oauth/v3/token/revoke", **APP, token=found["access_token"])
        portal.close()
        portal = Portal(Store(file), clock=clock)
        assert asker(portal, found["access_token"]).get(CONTACTS).status == 401
    finally:
        portal.close()
