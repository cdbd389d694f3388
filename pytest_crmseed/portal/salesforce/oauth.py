"""The token endpoint and who-am-I (Salesforce docs, "OAuth Authorization Flows"; RFC 6749, RFC 7523)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.portal.salesforce import jwt
from pytest_crmseed.portal.salesforce.definitions import HOST
from pytest_crmseed.portal.salesforce.errors import JSON_TYPE
from pytest_crmseed.portal.salesforce.instants import stamp
from pytest_crmseed.portal.salesforce.org import Org
from pytest_crmseed.portal.salesforce.rows import Row
from pytest_crmseed.portal.salesforce.sessions import ADMINISTRATOR, Session

_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPES = "api refresh_token full"
# The hosts that sign people in to all orgs; an app by itself is signed in by its org's own domain alone.
_SHARED_HOSTS = ("login.salesforce.com", "test.salesforce.com")

LATEST_ASSERTION = 300.0
"""[unsure] Seconds ahead that an assertion may end; the vendor says about three minutes."""


class _Refused(Exception):
    """A sign-in that is refused, in the words of RFC 6749."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}


def token(org: Org, request: PortalRequest) -> PortalResponse:
    """Answer the token endpoint."""
    form = _form(request)
    try:
        grant = form.get("grant_type")
        if not grant:
            raise _Refused("invalid_request", "grant type is missing")
        flow = _FLOWS.get(grant)
        if flow is None:
            raise _Refused("unsupported_grant_type", "grant type not supported")
        answer = flow(org, request, form)
    except _Refused as refused:
        return PortalResponse.of(400, refused.body, {"content-type": JSON_TYPE})
    return PortalResponse.of(200, answer, {"content-type": JSON_TYPE, "Cache-Control": "no-store"})


def revoke(org: Org, request: PortalRequest) -> PortalResponse:
    """End a session, or let a refresh token count for nothing."""
    given = _form(request).get("token") or _last(request, "token")
    org.sessions.revoke(given)
    return PortalResponse(200, b"")


def userinfo(org: Org, request: PortalRequest) -> PortalResponse:
    """Tell who a token is of."""
    given = _last(request, "oauth_token") or _last(request, "access_token")
    session = org.sessions.find(request.headers.get("authorization") or f"Bearer {given}")
    if session is None or (session.expires is not None and session.expires <= org.clock()):
        return PortalResponse(403, b"Bad_OAuth_Token", {"content-type": "text/html; charset=UTF-8"})
    return PortalResponse.of(200, _who(org, request, session), {"content-type": JSON_TYPE})


def login(org: Org, username: str, password: str) -> Session | None:
    """Return a new session of a user who gives the right password, or None."""
    user = _user_named(org, username)
    if user is None or not password or org.switches.password not in (None, password):
        return None
    return _open(org, user)


def user_row(org: Org, session: Session) -> Row:
    """Return the row of a session's user."""
    return org.rows.get(org.object("User"), [session.user])[session.user]


def instance_url(request: PortalRequest) -> str:
    """Return the address of the org itself: where it was asked, unless that is a host of all orgs."""
    return f"https://{HOST}" if _is_shared(request) else request.origin


# -- flows -----------------------------------------------------------------------------------------
def _client_credentials(org: Org, request: PortalRequest, form: Mapping[str, str]) -> dict[str, str]:
    if _is_shared(request):
        raise _Refused("invalid_grant", "request not supported on this domain")
    _check_client(org, request, form, secret=True)
    answer = _opened(org, request, ADMINISTRATOR)
    return {**answer, "api_instance_url": request.origin}


def _jwt_bearer(org: Org, request: PortalRequest, form: Mapping[str, str]) -> dict[str, str]:
    switches, now = org.switches, org.clock()
    try:
        found = jwt.claims(form.get("assertion", ""), switches.jwt_public_key)
        ends = float(found.get("exp", 0))
    except (jwt.BadAssertion, TypeError, ValueError) as error:
        raise _Refused("invalid_grant", "invalid assertion") from error
    if switches.client_id not in (None, found.get("iss")) or not found.get("iss"):
        raise _Refused("invalid_client_id", "client identifier invalid")
    if str(found.get("aud", "")).rstrip("/") not in (*jwt.AUDIENCES, request.origin):
        raise _Refused("invalid_grant", "audience is invalid")
    if not now < ends <= now + LATEST_ASSERTION:
        raise _Refused("invalid_grant", "invalid assertion")
    user = _user_named(org, str(found.get("sub", "")))
    if user is None:
        raise _Refused("invalid_grant", "user hasn't approved this consumer")
    answer = _opened(org, request, user)
    # This flow leaves them out (docs).
    return {name: value for name, value in answer.items() if name not in ("issued_at", "signature")}


def _refresh(org: Org, request: PortalRequest, form: Mapping[str, str]) -> dict[str, str]:
    _check_client(org, request, form, secret=False)
    given = form.get("refresh_token", "")
    user = org.sessions.refreshing(given)
    if user is None:
        raise _Refused("invalid_grant", "expired access/refresh token")
    answer = _opened(org, request, user)
    if org.switches.rotate_refresh_tokens:
        org.sessions.revoke(given)
        answer["refresh_token"] = org.sessions.grant(user)
    return answer


def _password(org: Org, request: PortalRequest, form: Mapping[str, str]) -> dict[str, str]:
    _check_client(org, request, form, secret=True)
    session = login(org, form.get("username", ""), form.get("password", ""))
    if session is None:
        raise _Refused("invalid_grant", "authentication failure - Invalid Password")
    return _told(org, request, session)


_FLOWS: Mapping[str, Callable[[Org, PortalRequest, Mapping[str, str]], dict[str, str]]] = {
    "client_credentials": _client_credentials,
    _JWT: _jwt_bearer,
    "password": _password,
    "refresh_token": _refresh,
}


def _check_client(org: Org, request: PortalRequest, form: Mapping[str, str], *, secret: bool) -> None:
    client, given = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client, _, given = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, ValueError) as error:
            raise _Refused("invalid_client", "invalid client credentials") from error
    switches = org.switches
    if not client or switches.client_id not in (None, client):
        raise _Refused("invalid_client_id", "client identifier invalid")
    # A refresh needs the secret only if the app's policy says so.
    if (secret and not given) or (given and switches.client_secret not in (None, given)):
        raise _Refused("invalid_client", "invalid client credentials")


# -- answers ---------------------------------------------------------------------------------------
def _open(org: Org, user: int) -> Session:
    return org.sessions.open("login", user=user, expires=org.clock() + org.switches.session_seconds)


def _opened(org: Org, request: PortalRequest, user: int) -> dict[str, str]:
    return _told(org, request, _open(org, user))


def _told(org: Org, request: PortalRequest, session: Session) -> dict[str, str]:
    who = f"{request.origin}/id/{org.sessions.organization_id}/{session.user_id}"
    issued = str(int(org.clock() * 1000))
    signed = hmac.new(session.token.encode(), (who + issued).encode(), hashlib.sha256).digest()
    return {
        "access_token": session.token,
        "signature": base64.b64encode(signed).decode("ascii"),
        "scope": _SCOPES,
        "instance_url": instance_url(request),
        "id": who,
        "token_type": "Bearer",
        "issued_at": issued,
    }


def _who(org: Org, request: PortalRequest, session: Session) -> dict[str, Any]:
    user, origin = user_row(org, session), request.origin
    rest = f"{origin}/services/data/v{{version}}/"
    return {
        "sub": f"{origin}/id/{org.sessions.organization_id}/{user.id}",
        "id": f"{origin}/id/{org.sessions.organization_id}/{user.id}",
        "user_id": user.id,
        "organization_id": org.sessions.organization_id,
        "username": user["Username"],
        "preferred_username": user["Username"],
        "nickname": user["CommunityNickname"],
        "name": user["Name"],
        "given_name": user["FirstName"],
        "family_name": user["LastName"],
        "email": user["Email"],
        "email_verified": True,
        "zoneinfo": user["TimeZoneSidKey"],
        "urls": {
            "rest": rest,
            "sobjects": f"{rest}sobjects/",
            "query": f"{rest}query/",
            "custom_domain": origin,
        },
        "active": user["IsActive"] == "true",
        "user_type": "STANDARD",
        "language": user["LanguageLocaleKey"],
        "locale": user["LocaleSidKey"],
        "utcOffset": 0,
        "updated_at": stamp(user.record.updated),
    }


def _is_shared(request: PortalRequest) -> bool:
    return request.headers.get("host", "").partition(":")[0].lower() in _SHARED_HOSTS


def _user_named(org: Org, username: str) -> int | None:
    wanted = username.strip().lower()
    for row in org.rows.scan(org.object("User")):
        if (row["Username"] or "").lower() == wanted and row["IsActive"] == "true":
            return row.record.id
    return None


def _form(request: PortalRequest) -> dict[str, str]:
    text = request.body.decode("utf-8", "replace") or request.query
    return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))


def _last(request: PortalRequest, name: str) -> str:
    return request.arguments.get(name, [""])[-1]
