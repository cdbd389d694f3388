"""The ways into an org: a token that exists, or one that an OAuth flow gives.

Sources: Salesforce docs, "OAuth Authorization Flows"; RFC 6749, RFC 7519, RFC 7523.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from pytest_crmseed.errors import NotAPortal, UsageError
from pytest_crmseed.providers.base import Effect, Exchange, Request
from pytest_crmseed.providers.salesforce import capabilities as names
from pytest_crmseed.providers.salesforce.soql import BUCKETS

TOKEN_PATH = "/services/oauth2/token"

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Salesforce takes an assertion that lives three minutes at most.
_ASSERTION_SECONDS = 120

_PRODUCTION, _SANDBOX = "https://login.salesforce.com", "https://test.salesforce.com"


def bearer(token: str) -> dict[str, str]:
    """Return the header that signs a request in."""
    return {"Authorization": f"Bearer {token}"}


def sign_in(
    credentials: Mapping[str, str], *, clock: Callable[[], float] = time.time, used_up: bool = False
) -> Exchange[dict[str, str]]:
    """Return the headers of a session.

    An existing token goes first, unless it is ``used_up``; then a refresh token, client credentials, and
    the JWT bearer flow, whichever the credentials are complete for.

    Raises:
        UsageError: they are complete for none, or the JWT flow's library or key is missing.
        Unauthorized: Salesforce refuses.
    """
    token = credentials.get(names.ACCESS_TOKEN)
    form = _form(credentials, clock)
    if token and not (used_up and form):
        return bearer(token)
    if form is None:
        raise UsageError(
            "Salesforce has no way in: SALESFORCE_ACCESS_TOKEN is not set, and no flow's variables are "
            "complete.",
            remedy=(
                "Set SALESFORCE_ACCESS_TOKEN; or SALESFORCE_CLIENT_ID with SALESFORCE_CLIENT_SECRET (client "
                "credentials), with SALESFORCE_REFRESH_TOKEN, or with SALESFORCE_USERNAME and "
                "SALESFORCE_PRIVATE_KEY (JWT)."
            ),
        )
    request = Request("POST", TOKEN_PATH, "sign in", Effect.READ, buckets=BUCKETS, form=form, signed=False)
    body: Any = (yield request).json()
    given = body.get("access_token") if isinstance(body, Mapping) else None
    if not given:
        raise NotAPortal(
            "The address answers, but not with an access token.",
            remedy="Is SALESFORCE_INSTANCE_URL the org's own domain (https://name.my.salesforce.com)?",
        )
    return bearer(str(given))


def can_renew(credentials: Mapping[str, str]) -> bool:
    """Say whether a session that is over can be followed by another."""
    return _flow(credentials) != ""


def _flow(credentials: Mapping[str, str]) -> str:
    def has(*variables: str) -> bool:
        return all(credentials.get(variable) for variable in variables)

    if has(names.REFRESH_TOKEN, names.CLIENT_ID):
        return "refresh"
    if has(names.CLIENT_ID, names.USERNAME, names.PRIVATE_KEY):
        return "jwt"
    if has(names.CLIENT_ID, names.CLIENT_SECRET):
        return "client"
    return ""


def _form(credentials: Mapping[str, str], clock: Callable[[], float]) -> dict[str, str] | None:
    flow = _flow(credentials)
    secret = credentials.get(names.CLIENT_SECRET)
    if flow == "refresh":
        return {
            "grant_type": "refresh_token",
            "client_id": credentials[names.CLIENT_ID],
            **({"client_secret": secret} if secret else {}),
            "refresh_token": credentials[names.REFRESH_TOKEN],
        }
    if flow == "jwt":
        return {"grant_type": _JWT_BEARER, "assertion": _assertion(credentials, clock)}
    if flow == "client":
        return {
            "grant_type": "client_credentials",
            "client_id": credentials[names.CLIENT_ID],
            "client_secret": credentials[names.CLIENT_SECRET],
        }
    return None


# -- JWT ---------------------------------------------------------------------------------------------
def _assertion(credentials: Mapping[str, str], clock: Callable[[], float]) -> str:
    claims = {
        "iss": credentials[names.CLIENT_ID],
        "sub": credentials[names.USERNAME],
        "aud": credentials.get(names.AUDIENCE) or _audience(credentials.get(names.INSTANCE_URL, "")),
        "exp": int(clock()) + _ASSERTION_SECONDS,
    }
    signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    return f"{signed}.{_base64(_signature(signed.encode('ascii'), credentials[names.PRIVATE_KEY]))}"


def _audience(instance_url: str) -> str:
    # Sandboxes and scratch orgs have their own part of the domain.
    host = urlsplit(instance_url).hostname or ""
    return _SANDBOX if ".sandbox." in host or ".scratch." in host else _PRODUCTION


def _part(data: Mapping[str, Any]) -> str:
    return _base64(json.dumps(data, separators=(",", ":")).encode("utf-8"))


def _base64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _signature(signed: bytes, pem: str) -> bytes:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise UsageError(
            "Salesforce's JWT flow needs the cryptography library, which is not installed.",
            remedy="Install it with `pip install 'pytest-crmseed[jwt]'`.",
        ) from None
    try:
        # One line of an .env file holds the line breaks as \n.
        key = load_pem_private_key(pem.replace("\\n", "\n").encode("utf-8"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        # Without the cause: it may quote the key.
        raise UsageError(
            "SALESFORCE_PRIVATE_KEY holds no RSA private key without a password.",
            remedy="Give the whole PEM text, from -----BEGIN to -----END.",
        ) from None
    return key.sign(signed, PKCS1v15(), hashes.SHA256())
