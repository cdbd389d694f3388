"""simple-salesforce signs in, writes rows and reads about the org, over HTTPS and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceLogin, exceptions

from pytest_crmseed import LocalPortal, mock_crm
from pytest_crmseed.portal import Behaviour
from pytest_crmseed.portal.salesforce.behaviour import SalesforceBehaviour

ADMIN = "admin@local-portal.example.com"


class _Plain(HTTPAdapter):
    """Sends over HTTP: the client knows HTTPS alone."""

    def send(self, request: requests.PreparedRequest, *args: object, **more: object) -> requests.Response:
        assert request.url is not None
        request.url = "http://" + request.url.removeprefix("https://")
        return super().send(request, *args, **more)  # type: ignore[arg-type]


@pytest.fixture(params=["http", "https"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    secure = request.param == "https"
    with LocalPortal(tls=secure) as portal, requests.Session() as session:
        host = portal.base_url.partition("://")[2]
        token = portal.tokens("salesforce")["application"]
        if secure:
            session.verify, session.trust_env = portal.environ["REQUESTS_CA_BUNDLE"], False
            address = portal.environ["SALESFORCE_INSTANCE_URL"]
            yield Salesforce(instance_url=address, session_id=token, session=session, version="66.0")
        else:
            session.mount(f"https://{host}", _Plain())
            yield Salesforce(instance=host, session_id=token, session=session)


def test_rows(client: Any) -> None:
    made = client.Account.create({"Name": "Acorn", "NumberOfEmployees": "12"})
    assert (made["success"], made["errors"]) == (True, [])
    assert client.Account.update(made["id"], {"Phone": "1"}) == 204
    row = client.Account.get(made["id"])
    assert (row["Name"], row["Phone"], row["NumberOfEmployees"]) == ("Acorn", "1", 12)
    assert client.Account.upsert("crmseed_key__c/k1", {"Name": "B"}) == 201
    assert client.Account.upsert("crmseed_key__c/k1", {"Name": "C"}) in (200, 204)
    assert client.Account.get_by_custom_id("crmseed_key__c", "k1")["Name"] == "C"
    assert client.Account.delete(made["id"]) == 204
    with pytest.raises(exceptions.SalesforceResourceNotFound) as missing:
        client.Account.get(made["id"])
    [error] = missing.value.content
    assert error["errorCode"] == "NOT_FOUND"


def test_refusals(client: Any) -> None:
    with pytest.raises(exceptions.SalesforceMalformedRequest) as refused:
        client.Contact.create({"FirstName": "Ann"})
    assert refused.value.content == [
        {
            "message": "Required fields are missing: [LastName]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["LastName"],
        }
    ]
    for _ in range(2):
        client.Contact.create({"LastName": "Bell", "Email": "b@example.com"})
    with pytest.raises(exceptions.SalesforceMoreThanOneRecord):
        client.Contact.get_by_custom_id("Email", "b@example.com")
    client.session_id = "00D7e0000000001!no"
    client.headers["Authorization"] = "Bearer 00D7e0000000001!no"
    with pytest.raises(exceptions.SalesforceExpiredSession):
        client.query("SELECT Id FROM Account")


def test_the_org(client: Any) -> None:
    assert client.is_sandbox() is True
    names = [each["name"] for each in client.describe()["sobjects"]]
    assert "Opportunity" in names
    described = client.Contact.describe()
    assert described["keyPrefix"] == "003" and "LastName" in [field["name"] for field in described["fields"]]
    assert client.Contact.metadata()["objectDescribe"]["name"] == "Contact"
    assert client.limits()["DailyApiRequests"]["Max"] == 5_000_000
    used = client.api_usage["api-usage"]
    assert used.total == 5_000_000 and used.used >= 0
    made = client.Lead.create({"LastName": "Bell", "Company": "Acorn"})
    client.Lead.delete(made["id"])
    gone = client.Lead.deleted(start=_moment(-1), end=_moment(1))
    assert [each["id"] for each in gone["deletedRecords"]] == [made["id"]]


def _moment(hours: int) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


# -- signing in ------------------------------------------------------------------------------------------
def test_a_soap_login_and_what_follows() -> None:
    behaviour = Behaviour(salesforce=SalesforceBehaviour(password="secrettoken"))
    with mock_crm(behaviour=behaviour):
        client = Salesforce(
            username=ADMIN, password="secret", security_token="token", domain="test", version="59.0"
        )
        assert client.sf_instance == "local.my.salesforce.com"
        made = client.Account.create({"Name": "A"})
        assert client.query("SELECT Name FROM Account")["records"][0]["Name"] == "A", made
        with pytest.raises(exceptions.SalesforceAuthenticationFailed) as refused:
            Salesforce(username=ADMIN, password="no", security_token="", domain="login")
        assert refused.value.code == "INVALID_LOGIN"


def test_oauth_logins() -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    switches = SalesforceBehaviour(client_id="app", client_secret="shh", jwt_public_key=public.decode())
    app = {"consumer_key": "app", "consumer_secret": "shh"}
    with mock_crm(behaviour=Behaviour(salesforce=switches)):
        flows: list[dict[str, Any]] = [
            {**app, "username": ADMIN, "password": "any", "domain": "login"},
            {**app, "domain": "local.my"},
            {
                "username": ADMIN,
                "consumer_key": "app",
                "privatekey": private.decode(),
                "domain": "test",
            },
        ]
        for flow in flows:
            session_id, instance = SalesforceLogin(**flow)
            client = Salesforce(session_id=session_id, instance=instance)
            assert client.query("SELECT IsSandbox FROM Organization")["records"][0]["IsSandbox"] is True
        with pytest.raises(exceptions.SalesforceAuthenticationFailed) as refused:
            SalesforceLogin(**{**flows[0], "consumer_secret": "no"})
        assert (refused.value.code, refused.value.auth_message) == (
            "invalid_client",
            "invalid client credentials",
        )
