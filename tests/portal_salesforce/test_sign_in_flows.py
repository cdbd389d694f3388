"""The token endpoint and its flows, SOAP login, who am I, revoking, sessions that end."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal import Behaviour, PortalRequest, PortalResponse
from pytest_crmseed.portal.salesforce.behaviour import SalesforceBehaviour

Org = Any
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ADMIN = "admin@local-portal.example.com"


def post(org: Org, form: Mapping[str, str], host: str = "127.0.0.1", **headers: str) -> PortalResponse:
    sent = {"host": host, "content-type": "application/x-www-form-urlencoded", **headers}
    request = PortalRequest("POST", "/services/oauth2/token", "", sent, urlencode(form).encode())
    answer: PortalResponse = org.portal.handle(request)
    return answer


def refused(org: Org, form: Mapping[str, str], **more: str) -> tuple[str, str]:
    answer = post(org, form, **more)
    assert answer.status == 400 and answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert "Sforce-Limit-Info" not in answer.headers
    body = answer.json()
    return body["error"], body["error_description"]


def works(org: Org, token: str, path: str = "/services/data/v66.0/limits") -> int:
    status: int = org.portal.handle(PortalRequest.of("GET", path, token=token)).status
    return status


@pytest.fixture
def strict(new_org: Callable[..., Org]) -> Org:
    """An org that takes one app and one password."""
    switches = SalesforceBehaviour(client_id="app", client_secret="shh", password="pwtoken")
    return new_org(Behaviour(salesforce=switches))


def test_client_credentials(strict: Org) -> None:
    form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "shh"}
    answer = post(strict, form)
    body = answer.json()
    token = body["access_token"]
    who = "http://127.0.0.1/id/00D7e0000000001EAA/0057e0000000001AAA"
    assert (answer.status, body) == (
        200,
        {
            "access_token": token,
            "signature": body["signature"],
            "scope": "api refresh_token full",
            "instance_url": "http://127.0.0.1",
            "id": who,
            "token_type": "Bearer",
            "issued_at": "1767225600000",
            "api_instance_url": "http://127.0.0.1",
        },
    )
    assert (
        token.startswith("00D7e0000000001!AQ")
        and token.replace("!", "").replace(".", "").replace("_", "").isalnum()
    )
    assert works(strict, token) == 200
    basic = base64.b64encode(b"app:shh").decode()
    assert post(strict, {"grant_type": "client_credentials"}, authorization=f"Basic {basic}").status == 200
    shared = refused(strict, form, host="login.salesforce.com")
    assert shared == ("invalid_grant", "request not supported on this domain")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, ("invalid_request", "grant type is missing")),
        ({"grant_type": "device"}, ("unsupported_grant_type", "grant type not supported")),
        ({"grant_type": "client_credentials"}, ("invalid_client_id", "client identifier invalid")),
        (
            {"grant_type": "client_credentials", "client_id": "other", "client_secret": "shh"},
            ("invalid_client_id", "client identifier invalid"),
        ),
        (
            {"grant_type": "client_credentials", "client_id": "app"},
            ("invalid_client", "invalid client credentials"),
        ),
        (
            {"grant_type": "client_credentials", "client_id": "app", "client_secret": "no"},
            ("invalid_client", "invalid client credentials"),
        ),
        (
            {"grant_type": "refresh_token", "client_id": "app", "refresh_token": "none"},
            ("invalid_grant", "expired access/refresh token"),
        ),
        (
            {
                "grant_type": "password",
                "client_id": "app",
                "client_secret": "shh",
                "username": ADMIN,
                "password": "pw",
            },
            ("invalid_grant", "authentication failure - Invalid Password"),
        ),
        (
            {
                "grant_type": "password",
                "client_id": "app",
                "client_secret": "shh",
                "username": "gina.gone@example.com",
                "password": "pwtoken",
            },
            ("invalid_grant", "authentication failure - Invalid Password"),
        ),
        ({"grant_type": JWT, "assertion": "a.b"}, ("invalid_grant", "invalid assertion")),
        ({"grant_type": JWT, "assertion": "!.!.!"}, ("invalid_grant", "invalid assertion")),
    ],
)
def test_sign_ins_that_are_refused(strict: Org, form: dict[str, str], error: tuple[str, str]) -> None:
    assert refused(strict, form) == error


def test_a_basic_header_that_is_none(strict: Org) -> None:
    error = refused(strict, {"grant_type": "client_credentials"}, authorization="Basic ???")
    assert error == ("invalid_client", "invalid client credentials")


def test_a_password_and_a_refresh(strict: Org) -> None:
    app = {"client_id": "app", "client_secret": "shh"}
    form = {"grant_type": "password", **app, "username": ADMIN.upper(), "password": "pwtoken"}
    body = post(strict, form, host="test.salesforce.com").json()
    assert (body["instance_url"], "issued_at" in body) == ("https://local.my.salesforce.com", True)
    refresh = strict.inner.sessions.grant()
    form = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": refresh}
    body = post(strict, form).json()
    assert works(strict, body["access_token"]) == 200 and "refresh_token" not in body
    strict.behaviour.salesforce.rotate_refresh_tokens = True
    rotated = post(strict, form).json()["refresh_token"]
    assert refused(strict, form) == ("invalid_grant", "expired access/refresh token")
    assert post(strict, {**form, "refresh_token": rotated}).status == 200


# -- JWT -------------------------------------------------------------------------------------------------
KEY = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)


def assertion(key: Any = KEY, alg: str = "RS256", **claims: Any) -> str:
    named = {
        "iss": "app",
        "sub": ADMIN,
        "aud": "https://login.salesforce.com",
        "exp": 1_767_225_700,
        **claims,
    }
    parts = [json.dumps(part).encode() for part in ({"alg": alg}, named)]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(key.sign(signed, PKCS1v15(), SHA256())).rstrip(b"=")
    return (signed + b"." + signature).decode()


@pytest.mark.parametrize(
    "form", [serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1]
)
def test_a_jwt_is_checked_by_the_apps_key(new_org: Callable[..., Org], form: Any) -> None:
    pem = KEY.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
    org = new_org(Behaviour(salesforce=SalesforceBehaviour(client_id="app", jwt_public_key=pem)))
    answer = post(org, {"grant_type": JWT, "assertion": assertion(exp="1767225700")})
    body = answer.json()
    assert sorted(body) == ["access_token", "id", "instance_url", "scope", "token_type"]
    assert works(org, body["access_token"]) == 200
    other = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)
    wrong = ("invalid_grant", "invalid assertion")
    assert refused(org, {"grant_type": JWT, "assertion": assertion(other)}) == wrong
    larger = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    assert refused(org, {"grant_type": JWT, "assertion": assertion(larger)}) == wrong
    cut = assertion().rpartition(".")[0]
    assert refused(org, {"grant_type": JWT, "assertion": cut + "."}) == wrong


def pem_of(key: Any) -> str:
    kind = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_bytes(*kind).decode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shh",
        pem_of(KEY.public_key()).replace("PUBLIC", "PRIVATE"),
        KEY.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        pem_of(KEY.public_key()).replace("M", "?", 1),
        "\n".join(["-----BEGIN PUBLIC KEY-----", "", "-----END PUBLIC KEY-----"]),
        "\n".join(["-----BEGIN PUBLIC KEY-----", "MFwwDQYJ", "-----END PUBLIC KEY-----"]),
        pem_of(ec.generate_private_key(ec.SECP256R1()).public_key()),
    ],
    ids=["nothing", "no PEM", "other label", "private", "no base64", "empty", "cut", "no RSA"],
)
def test_a_key_that_is_none_is_told_at_once(text: str) -> None:
    with pytest.raises(UsageError) as told:
        SalesforceBehaviour(jwt_public_key=text)
    assert str(told.value) == (
        "jwt_public_key is no RSA public key in PEM. Give the text that `openssl rsa -in key.pem -pubout` "
        "prints, from its first line to its last."
    )


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"alg": "HS256"}, ("invalid_grant", "invalid assertion")),
        ({"iss": "other"}, ("invalid_client_id", "client identifier invalid")),
        ({"iss": ""}, ("invalid_client_id", "client identifier invalid")),
        ({"aud": "https://example.com"}, ("invalid_grant", "audience is invalid")),
        ({"exp": 1_767_225_600}, ("invalid_grant", "invalid assertion")),
        ({"exp": 1_767_225_901}, ("invalid_grant", "invalid assertion")),
        ({"exp": "soon"}, ("invalid_grant", "invalid assertion")),
        ({"sub": "nobody"}, ("invalid_grant", "user hasn't approved this consumer")),
    ],
)
def test_jwts_that_are_refused(strict: Org, claims: dict[str, Any], error: tuple[str, str]) -> None:
    assert refused(strict, {"grant_type": JWT, "assertion": assertion(**claims)}) == error


def test_without_a_key_any_signature_is_taken(strict: Org) -> None:
    for audience in ("https://test.salesforce.com/", "http://127.0.0.1"):
        sent = assertion(aud=audience).rpartition(".")[0] + ".AAAA"
        assert post(strict, {"grant_type": JWT, "assertion": sent}).status == 200


# -- SOAP ------------------------------------------------------------------------------------------------
_LOGIN = (
    '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>'
    '<n1:login xmlns:n1="urn:partner.soap.sforce.com"><n1:username>{}</n1:username>'
    "<n1:password>{}</n1:password></n1:login></env:Body></env:Envelope>"
)


def soap(org: Org, body: str, path: str = "/services/Soap/u/59.0") -> tuple[int, str]:
    headers = {"host": "127.0.0.1", "content-type": "text/xml", "soapaction": "login"}
    answer = org.portal.handle(PortalRequest("POST", path, "", headers, body.encode()))
    assert answer.headers["content-type"] == "text/xml;charset=UTF-8"
    return answer.status, answer.body.decode()


def inside(text: str, name: str) -> str:
    return text.partition(f"<{name}>")[2].partition(f"</{name}>")[0]


def test_a_soap_login(strict: Org) -> None:
    status, text = soap(strict, _LOGIN.format(ADMIN, "pwtoken"))
    assert (status, inside(text, "sandbox"), inside(text, "userName")) == (200, "true", ADMIN)
    assert inside(text, "serverUrl") == "http://127.0.0.1/services/Soap/u/59.0/00D7e0000000001"
    assert works(strict, inside(text, "sessionId")) == 200
    status, text = soap(strict, _LOGIN.format(ADMIN, "wrong"))
    told = "INVALID_LOGIN: Invalid username, password, security token; or user locked out."
    assert (status, inside(text, "faultstring"), inside(text, "sf:exceptionCode")) == (
        500,
        told,
        "INVALID_LOGIN",
    )


def test_soap_that_is_refused(strict: Org) -> None:
    assert inside(soap(strict, "<a")[1], "faultcode") == "sf:INVALID_XML"
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    assert inside(soap(strict, bomb)[1], "faultstring") == "a document type definition is not allowed"
    status, text = soap(strict, "<query/>")
    assert (status, inside(text, "faultcode")) == (501, "sf:NOT_EMULATED")


def test_the_recycle_bin_is_emptied(org: Org) -> None:
    session = org.api.tokens()["application"]
    ids = [org.make("Account", Name=name) for name in "AB"]
    org.delete("Account", ids[0])

    def empty(*given: str, session: str = session) -> str:
        listed = "".join(f"<ids>{id}</ids>" for id in given)
        body = f"<e><sessionId>{session}</sessionId><emptyRecycleBin>{listed}</emptyRecycleBin></e>"
        return soap(org, body, "/services/Soap/u/59.0/00D7e0000000001")[1]

    text = empty(ids[0][:15], ids[1], "<x>".replace("<", "&lt;"))
    assert text.count("<success>true</success>") == 1
    assert text.count("The entity is not in the recycle bin") == 2
    assert org.column("SELECT Id FROM Account", "Id", resource="queryAll") == [ids[1]]
    gone = (404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    assert org.refused("DELETE", f"/sobjects/Account/{ids[0]}") == gone
    told = "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader"
    assert inside(empty(ids[0], session="no"), "faultstring") == told
    told = "EXCEEDED_ID_LIMIT: record limit reached. cannot submit more than 200 records"
    assert inside(empty(*ids * 101), "faultstring") == told


# -- sessions --------------------------------------------------------------------------------------------
def test_who_am_i(org: Org) -> None:
    token = org.api.tokens()["application"]
    answer = org.ask("GET", "/services/oauth2/userinfo")
    told = answer.json()
    user = org.json("GET", f"/sobjects/User/{told['user_id']}")
    assert (told["organization_id"], told["preferred_username"]) == ("00D7e0000000001EAA", user["Username"])
    assert (told["name"], told["active"], told["user_type"]) == ("User User", True, "STANDARD")
    path = f"/id/00D7e0000000001EAA/{told['user_id']}?format=json&oauth_token="
    same = org.portal.handle(PortalRequest.of("GET", path + token.replace("!", "%21")))
    assert (same.status, same.json()) == (200, told)
    assert org.json("GET", "/")["identity"] == told["sub"]
    bad = org.portal.handle(PortalRequest.of("GET", "/services/oauth2/userinfo", token="no"))
    assert (bad.status, bad.body) == (403, b"Bad_OAuth_Token")


def test_sessions_end(strict: Org) -> None:
    form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "shh"}
    first, second = (post(strict, form).json()["access_token"] for _ in range(2))
    strict.clock.advance(7_199)
    assert works(strict, first) == 200
    revoke = PortalRequest(
        "POST", "/services/oauth2/revoke", "", {"host": "127.0.0.1"}, f"token={first}".encode()
    )
    assert strict.portal.handle(revoke).status == 200
    assert (works(strict, first), works(strict, second)) == (401, 200)
    strict.clock.advance(1)
    answer = strict.portal.handle(PortalRequest.of("GET", "/services/data/v66.0/limits", token=second))
    assert (answer.status, answer.json()) == (
        401,
        [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    )
    assert works(strict, second, "/services/oauth2/userinfo") == 403
    # Those of the portal itself last.
    standing = strict.api.tokens()["application"]
    strict.ask("GET", f"/services/oauth2/revoke?token={standing}")
    assert works(strict, standing) == 200


def test_tokens_are_read_in_two_schemes(org: Org) -> None:
    token = org.api.tokens()["seeder"]
    for scheme, status in (("OAuth", 200), ("bearer", 200), ("Basic", 401), ("", 401)):
        headers = {"authorization": f"{scheme} {token}"}
        request = PortalRequest.of("GET", "/services/data/v66.0/sobjects", headers=headers)
        assert org.portal.handle(request).status == status
