"""OAuth: consent and tokens (Pipedrive docs, "OAuth authorization").

There is nobody to ask for consent: ``/oauth/authorize`` leads back to the application at once. Which scopes
an app has is set in the Developer Hub; here it has those of ``oauth_scopes``. Texts of refusals are [unsure].
"""

from __future__ import annotations

import base64
import re
from urllib.parse import parse_qs, urlencode

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.errors import ApiError
from pytest_crmseed.portal.pipedrive.tokens import CODE_SECONDS

_ADDRESS = re.compile(r"https?://[!-~]+", re.ASCII)


def authorize(call: Call) -> PortalResponse:
    """Grant an app its scopes, and lead back to it with a code: 302."""
    client_id, address = call.argument("client_id") or "", call.argument("redirect_uri") or ""
    if not client_id or call.company.behaviour.oauth_client_id not in (None, client_id):
        raise _refused("invalid_client", "Client not found")
    if not _ADDRESS.fullmatch(address):
        raise _refused("invalid_request", "Missing or invalid redirect_uri")
    scopes = call.company.behaviour.oauth_scopes
    expires = call.company.now() + CODE_SECONDS
    code = call.company.tokens.grant("code", client_id, scopes, redirect_uri=address, expires=expires)
    state = call.argument("state")
    query = urlencode({"code": code.token, **({} if state is None else {"state": state})})
    return PortalResponse(302, headers={"location": f"{address}{'&' if '?' in address else '?'}{query}"})


def token(call: Call) -> PortalResponse:
    """Exchange a code or a refresh token for an access token: 200. Refresh tokens do not rotate."""
    text = call.request.body.decode("utf-8", "replace")
    form = {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
    client_id = _client(call, form)
    tokens, now = call.company.tokens, call.company.now()
    kind = form.get("grant_type", "")
    if kind == "refresh_token":
        refresh = tokens.granted("refresh", form.get("refresh_token", ""))
        if refresh is None or refresh.client_id != client_id:
            raise _refused("invalid_grant", "Invalid grant: refresh token is invalid")
    elif kind == "authorization_code":
        code = tokens.granted("code", form.get("code", ""))
        if code is None or code.client_id != client_id or (code.expires or 0.0) <= now:
            raise _refused("invalid_grant", "Invalid grant: authorization code is invalid")
        if form.get("redirect_uri") != code.redirect_uri:
            raise _refused("invalid_grant", "Invalid grant: redirect_uri does not match")
        tokens.spend(code)
        refresh = tokens.grant("refresh", client_id, code.scopes)
    else:
        allowed = "authorization_code, refresh_token, exchange_api_token"
        raise _refused("unsupported_grant_type", f"Unsupported grant type: one of {allowed} is expected")
    lifetime = call.company.behaviour.oauth_token_seconds
    made = tokens.issue(client_id, refresh.scopes, expires=now + lifetime)
    return PortalResponse.of(
        200,
        {
            "access_token": made.token,
            "token_type": "Bearer",
            "expires_in": lifetime,
            "refresh_token": refresh.token,
            "scope": " ".join(sorted(refresh.scopes)),
            # Where the API is: on a local portal where the exchange was.
            "api_domain": call.request.origin,
        },
    )


def _client(call: Call, form: dict[str, str]) -> str:
    """Return the id of the client, which signs in by HTTP Basic or in the form."""
    scheme, _, text = call.request.headers.get("authorization", "").partition(" ")
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
        except ValueError as error:
            raise _refused("invalid_client", "Invalid client: cannot be read") from error
    behaviour = call.company.behaviour
    known = behaviour.oauth_client_id in (None, client_id) and behaviour.oauth_client_secret in (None, secret)
    if not client_id or not secret or not known:
        raise _refused("invalid_client", "Invalid client: client is invalid")
    return client_id


def _refused(error: str, message: str) -> ApiError:
    body = {"success": False, "message": message, "error": error}
    return ApiError(401 if error == "invalid_client" else 400, message, body=body)
