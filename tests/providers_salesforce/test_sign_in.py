"""The ways into an org."""

from __future__ import annotations

import base64
import builtins
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from pytest_crmseed.errors import NotAPortal, UsageError
from pytest_crmseed.ingest.transport import Transport
from pytest_crmseed.providers.base import Answer, Effect, Request
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.providers.salesforce.sign_in import can_renew, sign_in
from pytest_crmseed.schema.model import Schema

INSTANCE = {"SALESFORCE_INSTANCE_URL": "https://acme--dev.sandbox.my.salesforce.com"}
TOKEN = {**INSTANCE, "SALESFORCE_ACCESS_TOKEN": "00D!old"}
CLIENT = {**INSTANCE, "SALESFORCE_CLIENT_ID": "3MVG9", "SALESFORCE_CLIENT_SECRET": "s3cret"}
REFRESH = {**INSTANCE, "SALESFORCE_CLIENT_ID": "3MVG9", "SALESFORCE_REFRESH_TOKEN": "5Aep"}


def signed_in(credentials: Mapping[str, str], **more: Any) -> tuple[Mapping[str, str], Request | None]:
    """Return the headers of a session, and the request that asked for it."""
    exchange = sign_in(credentials, clock=lambda: 1_000.0, **more)
    try:
        request = next(exchange)
    except StopIteration as done:
        return done.value, None
    # The keys of a recorded answer.
    body = {
        "access_token": "00D!new",
        "instance_url": "https://acme",
        "token_type": "Bearer",
        "id": "https://x",
    }
    with pytest.raises(StopIteration) as end:
        exchange.send(Answer(200, {}, json.dumps(body).encode(), request))
    return end.value.value, request


def test_an_existing_token_asks_nobody() -> None:
    assert signed_in({**CLIENT, **TOKEN}) == ({"Authorization": "Bearer 00D!old"}, None)
    assert signed_in(TOKEN, used_up=True) == ({"Authorization": "Bearer 00D!old"}, None)
    assert not can_renew(TOKEN) and can_renew({**CLIENT, **TOKEN})


@pytest.mark.parametrize(
    ("credentials", "form"),
    [
        (CLIENT, {"grant_type": "client_credentials", "client_id": "3MVG9", "client_secret": "s3cret"}),
        (REFRESH, {"grant_type": "refresh_token", "client_id": "3MVG9", "refresh_token": "5Aep"}),
        (
            {**CLIENT, **REFRESH},
            {
                "grant_type": "refresh_token",
                "client_id": "3MVG9",
                "client_secret": "s3cret",
                "refresh_token": "5Aep",
            },
        ),
    ],
)
def test_a_flow_posts_a_form_to_the_org_s_own_domain(
    credentials: Mapping[str, str], form: Mapping[str, str]
) -> None:
    headers, request = signed_in(credentials)
    assert headers == {"Authorization": "Bearer 00D!new"}
    assert request is not None
    assert (request.method, request.path, request.body) == ("POST", "/services/oauth2/token", None)
    assert (request.form, request.effect) == (form, Effect.READ)
    # Nothing secret stands in a repr.
    assert "s3cret" not in repr(request) and "5Aep" not in repr(request)


def test_a_session_that_is_over_is_renewed_by_a_flow() -> None:
    provider = Salesforce(Schema("salesforce", {}))
    credentials = {**CLIENT, **TOKEN}
    with pytest.raises(StopIteration) as first:
        next(provider.sign_in(credentials))
    assert first.value.value == {"Authorization": "Bearer 00D!old"}
    assert next(provider.sign_in(credentials)).form is not None


def test_hubspot_has_nothing_to_ask() -> None:
    with pytest.raises(StopIteration) as done:
        next(HubSpot(Schema("hubspot", {})).sign_in({"HUBSPOT_ACCESS_TOKEN": "pat-1"}))
    assert done.value.value == {"Authorization": "Bearer pat-1"}


def test_without_any_way_in_all_of_them_are_named() -> None:
    with pytest.raises(UsageError) as refused:
        signed_in(INSTANCE)
    assert str(refused.value) == (
        "Salesforce has no way in: SALESFORCE_ACCESS_TOKEN is not set, and no flow's variables are "
        "complete. Set "
        "SALESFORCE_ACCESS_TOKEN; or SALESFORCE_CLIENT_ID with SALESFORCE_CLIENT_SECRET (client "
        "credentials), with "
        "SALESFORCE_REFRESH_TOKEN, or with SALESFORCE_USERNAME and SALESFORCE_PRIVATE_KEY (JWT)."
    )


def test_an_answer_without_a_token_is_no_org_s() -> None:
    exchange = sign_in(CLIENT)
    request = next(exchange)
    with pytest.raises(NotAPortal, match=r"^The address answers, but not with an access token\. Is "):
        exchange.send(Answer(200, {}, b"{}", request))


def test_a_form_goes_out_as_a_web_form_with_its_own_headers() -> None:
    received: list[tuple[str | None, str | None, bytes]] = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            received.append((self.headers["Content-Type"], self.headers["Sforce-Auto-Assign"], body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        transport = Transport(f"http://127.0.0.1:{server.server_port}", headers={})
        form = {"grant_type": "client_credentials", "client_secret": "a&b ä"}
        headers = {"Sforce-Auto-Assign": "false"}
        transport.send(Request("POST", "/token", "sign in", Effect.READ, form=form, headers=headers))
        transport.close()
    sent = b"grant_type=client_credentials&client_secret=a%26b+%C3%A4"
    assert received == [("application/x-www-form-urlencoded", "false", sent)]


# -- JWT ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def key() -> Any:
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key: Any) -> str:
    from cryptography.hazmat.primitives import serialization as of

    text: bytes = key.private_bytes(of.Encoding.PEM, of.PrivateFormat.PKCS8, of.NoEncryption())
    return text.decode()


def part(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@pytest.mark.parametrize(
    ("more", "audience"),
    [
        ({}, "https://test.salesforce.com"),
        ({"SALESFORCE_INSTANCE_URL": "https://acme.my.salesforce.com"}, "https://login.salesforce.com"),
        ({"SALESFORCE_AUDIENCE": "https://elsewhere.example.com"}, "https://elsewhere.example.com"),
    ],
)
def test_a_jwt_is_signed_by_the_key(key: Any, more: Mapping[str, str], audience: str) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

    credentials = {
        **INSTANCE,
        "SALESFORCE_CLIENT_ID": "3MVG9",
        "SALESFORCE_USERNAME": "ci@acme.example.com",
        # As one line of an .env file holds it.
        "SALESFORCE_PRIVATE_KEY": pem_of(key).replace("\n", "\\n"),
        **more,
    }
    _, request = signed_in(credentials)
    assert request is not None and request.form is not None
    assert request.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    header, claims, signature = request.form["assertion"].split(".")
    assert part(header) == {"alg": "RS256", "typ": "JWT"}
    assert part(claims) == {"iss": "3MVG9", "sub": "ci@acme.example.com", "aud": audience, "exp": 1_120}
    octets = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    key.public_key().verify(octets, f"{header}.{claims}".encode(), PKCS1v15(), hashes.SHA256())


JWT = {
    **INSTANCE,
    "SALESFORCE_CLIENT_ID": "c",
    "SALESFORCE_USERNAME": "u",
    "SALESFORCE_PRIVATE_KEY": "hidden",
}


def test_a_key_that_is_none_is_not_quoted() -> None:
    pytest.importorskip("cryptography")
    with pytest.raises(UsageError) as refused:
        signed_in(JWT)
    assert str(refused.value) == (
        "SALESFORCE_PRIVATE_KEY holds no RSA private key without a password. Give the whole PEM text, from "
        "-----BEGIN to -----END."
    )
    assert refused.value.__cause__ is None


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError) as refused:
        signed_in(JWT)
    assert str(refused.value) == (
        "Salesforce's JWT flow needs the cryptography library, which is not installed. Install it with "
        "`pip install 'pytest-crmseed[jwt]'`."
    )
