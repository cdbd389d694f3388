"""OAuth: consent, tokens, what a token may do (HubSpot docs, "OAuth").

There is nobody to ask for consent: ``/oauth/authorize`` grants what it is asked for and leads back
to the application at once. [unsure] of the texts of refusals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pytest_crmseed.portal.hubspot import bodies, errors
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.errors import ApiError
from pytest_crmseed.portal.hubspot.tokens import CODE_SECONDS, Grant, Token
from pytest_crmseed.portal.message import PortalResponse

_ADDRESS = re.compile(r"https?://[!-~]+", re.ASCII)
_USER_ID = 70_000_001


def authorize(call: Call) -> PortalResponse:
    """Grant an app the scopes it asks for, and lead back to it with a code: 302."""
    client_id, address = call.argument("client_id") or "", call.argument("redirect_uri") or ""
    _check_client(call, client_id)
    if not _ADDRESS.fullmatch(address):
        raise _refused(call, "BAD_REDIRECT_URI", "missing or invalid redirect uri")
    asked = f"{call.argument('scope') or ''} {call.argument('optional_scope') or ''}".split()
    expires = call.account.now() + CODE_SECONDS
    grant = call.account.tokens.grant(
        "code", client_id, {"oauth", *asked}, redirect_uri=address, expires=expires
    )
    state = call.argument("state")
    query = urlencode({"code": grant.token, **({} if state is None else {"state": state})})
    return PortalResponse(302, headers={"location": f"{address}{'&' if '?' in address else '?'}{query}"})


def token(call: Call) -> PortalResponse:
    """Exchange a code or a refresh token for an access token: 200."""
    form = bodies.parse_form(call.request)
    client_id = form.get("client_id", "")
    kind = form.get("grant_type", "")
    if kind in ("client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"):
        raise errors.not_emulated(f"The grant type {kind}", ["authorization_code", "refresh_token"])
    if kind not in ("authorization_code", "refresh_token"):
        raise _refused(call, "BAD_GRANT_TYPE", "missing or unknown grant type")
    _check_client(call, client_id, form.get("client_secret", ""), secret=True)
    tokens = call.account.tokens
    if kind == "refresh_token":
        refresh = tokens.granted("refresh", form.get("refresh_token", ""))
        if refresh is None or refresh.client_id != client_id:
            raise _refused(call, "BAD_REFRESH_TOKEN", "missing or invalid refresh token")
    else:
        code = tokens.granted("code", form.get("code", ""))
        expired = code is not None and code.expires is not None and code.expires <= call.account.now()
        if code is None or code.client_id != client_id or expired:
            raise _refused(call, "BAD_AUTH_CODE", "missing or unknown auth code")
        if form.get("redirect_uri") != code.redirect_uri:
            raise _refused(call, "BAD_REDIRECT_URI", "redirect uri does not match initial request")
        tokens.revoke(code.token)
        refresh = tokens.grant("refresh", client_id, code.scopes)
    lifetime = call.account.behaviour.oauth_token_seconds
    made = tokens.issue_oauth(refresh, expires=call.account.now() + lifetime)
    answer: dict[str, Any] = {
        "token_type": "bearer",
        "refresh_token": refresh.token,
        "access_token": made.token,
        "expires_in": lifetime,
    }
    if call.version != "v1":
        answer |= {
            "token_use": "access_token",
            "hub_id": call.account.behaviour.portal_id,
            "scopes": sorted(made.scopes),
            "user_id": _USER_ID,
        }
    return PortalResponse.of(200, answer)


def access_token(call: Call) -> PortalResponse:
    """Answer what an access token may do; 404 when it is not known or has expired."""
    found = _access_token(call, call.params["token"])
    if found is None:
        raise ApiError(404, "invalid or unknown access token", "OBJECT_NOT_FOUND")
    return PortalResponse.of(200, _of_access_token(call, found))


def refresh_token(call: Call) -> PortalResponse:
    """Answer what a refresh token is for; 404 when it is not known."""
    found = call.account.tokens.granted("refresh", call.params["token"])
    if found is None:
        raise ApiError(404, "invalid or unknown refresh token", "OBJECT_NOT_FOUND")
    return PortalResponse.of(200, _of_refresh_token(call, found))


def delete_refresh_token(call: Call) -> PortalResponse:
    """Delete a refresh token: 204. Access tokens that were got with it stay until they expire."""
    if call.account.tokens.granted("refresh", call.params["token"]) is not None:
        call.account.tokens.revoke(call.params["token"])
    return PortalResponse(204)


def introspect(call: Call) -> PortalResponse:
    """Answer what a token of either kind may do; one that is not known or has expired is not active."""
    form = bodies.parse_form(call.request)
    _check_client(call, form.get("client_id", ""), form.get("client_secret", ""), secret=True)
    text = form.get("token", "")
    refresh = call.account.tokens.granted("refresh", text)
    if refresh is not None and refresh.client_id == form.get("client_id"):
        known = _of_refresh_token(call, refresh)
        app_id = call.account.tokens.app_id(refresh.client_id)
        more = {"active": True, "app_id": app_id, "token_use": "refresh_token"}
        return PortalResponse.of(200, {**known, **more})
    found = _access_token(call, text)
    if found is None or found.client_id != form.get("client_id"):
        return PortalResponse.of(200, {"active": False})
    more = {"active": True, "client_id": found.client_id, "token_use": "access_token"}
    return PortalResponse.of(200, {**_of_access_token(call, found), **more})


def revoke(call: Call) -> PortalResponse:
    """Let a token of either kind count for nothing any more: 200, also when it is not known."""
    form = bodies.parse_form(call.request)
    client_id = form.get("client_id", "")
    _check_client(call, client_id, form.get("client_secret", ""), secret=True)
    text = form.get("token", "")
    found = call.account.tokens.granted("refresh", text) or call.account.tokens.find(text)
    if found is not None and found.client_id == client_id:
        call.account.tokens.revoke(text)
    return PortalResponse(200)


def _access_token(call: Call, text: str) -> Token | None:
    found = call.account.tokens.find(text)
    if found is None or found.expires is None or found.expires <= call.account.now():
        return None
    return found


def _of_access_token(call: Call, found: Token) -> Mapping[str, Any]:
    portal_id, expires = call.account.behaviour.portal_id, found.expires or 0.0
    scopes = sorted(found.scopes)
    return {
        "token": found.token,
        **_user(call),
        "scopes": scopes,
        "app_id": found.app_id,
        "expires_in": int(expires - call.account.now()),
        "token_type": "access",
        "is_private_distribution": False,
        "signed_access_token": {
            "appId": found.app_id,
            "appInstallId": str(found.app_id),
            "audience": "",
            "expiresAt": round(expires * 1000),
            "hubId": portal_id,
            "hublet": "na1",
            "installingUserId": _USER_ID,
            "isPrivateDistribution": False,
            "isServiceAccount": False,
            "isUserLevel": False,
            "newSignature": "",
            "scopeToScopeGroupPks": "",
            "scopes": " ".join(scopes),
            "signature": "",
            "trialScopeToScopeGroupPks": "",
            "trialScopes": "",
            "userId": _USER_ID,
        },
    }


def _of_refresh_token(call: Call, found: Grant) -> Mapping[str, Any]:
    return {
        "token": found.token,
        **_user(call),
        "scopes": sorted(found.scopes),
        "client_id": found.client_id,
        "token_type": "refresh",
    }


def _user(call: Call) -> Mapping[str, Any]:
    portal_id = call.account.behaviour.portal_id
    owners = call.account.behaviour.owners
    return {
        "user": owners[0].email if owners else f"user@{portal_id}.example.com",
        "hub_domain": f"{portal_id}.example.com",
        "hub_id": portal_id,
        "user_id": _USER_ID,
    }


def _check_client(call: Call, client_id: str, client_secret: str = "", *, secret: bool = False) -> None:
    behaviour = call.account.behaviour
    if not client_id or behaviour.oauth_client_id not in (None, client_id):
        raise _refused(call, "BAD_CLIENT_ID", "missing or invalid client id")
    if secret and (not client_secret or behaviour.oauth_client_secret not in (None, client_secret)):
        raise _refused(call, "BAD_CLIENT_SECRET", "missing or invalid client secret")


def _refused(call: Call, code: str, message: str) -> ApiError:
    # The first version tells the code in place of the status, later ones as every other call does.
    if call.version == "v1":
        return ApiError(400, message, extra={"status": code})
    return ApiError(400, message, code)
