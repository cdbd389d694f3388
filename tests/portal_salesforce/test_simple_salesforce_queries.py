"""simple-salesforce asks, pages, and sends collections and composite requests over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, exceptions

from pytest_crmseed import LocalPortal
from pytest_crmseed.portal import Behaviour
from pytest_crmseed.portal.salesforce.behaviour import SalesforceBehaviour


class _Plain(HTTPAdapter):
    """Sends over HTTP: the client knows HTTPS alone."""

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        assert request.url is not None
        request.url = "http://" + request.url.removeprefix("https://")
        return super().send(request, *args, **more)


@pytest.fixture
def client() -> Iterator[Salesforce]:
    behaviour = Behaviour(salesforce=SalesforceBehaviour(page_size=200))
    with LocalPortal(behaviour=behaviour) as portal, requests.Session() as session:
        host = portal.base_url.removeprefix("http://")
        session.mount(f"https://{host}", _Plain())
        token = portal.tokens("salesforce")["application"]
        yield Salesforce(instance=host, session_id=token, session=session, version="66.0")


def _rows(*names: str, **values: Any) -> list[dict[str, Any]]:
    return [{"attributes": {"type": "Account"}, "Name": name, **values} for name in names]


def test_queries_and_their_pages(client: Salesforce) -> None:
    names = [f"A{number:03}" for number in range(450)]
    for start in range(0, 450, 200):
        body = {"allOrNone": True, "records": _rows(*names[start : start + 200])}
        made = client.restful("composite/sobjects", method="POST", json=body)
        assert all(result["success"] for result in made)
    text = "SELECT Id, Name FROM Account ORDER BY Name"
    first = client.query(text)
    assert (first["totalSize"], first["done"], len(first["records"])) == (450, False, 200)
    second = client.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert second["records"][0]["Name"] == "A200"
    third = client.query_more(second["nextRecordsUrl"].rpartition("/")[2])
    assert (third["done"], len(third["records"])) == (True, 50)
    whole = client.query_all(text)
    assert (whole["totalSize"], whole["done"]) == (450, True)
    assert [record["Name"] for record in whole["records"]] == names
    assert [record["Name"] for record in client.query_all_iter(text)] == names
    smaller = client.query(text, headers={"Sforce-Query-Options": "batchSize=200"})
    assert len(smaller["records"]) == 200
    assert client.query("SELECT count() FROM Account")["totalSize"] == 450
    gone = whole["records"][0]["Id"]
    client.Account.delete(gone)
    assert client.query("SELECT count() FROM Account")["totalSize"] == 449
    bin_ = client.query_all("SELECT Id FROM Account WHERE IsDeleted = true", include_deleted=True)
    assert [record["Id"] for record in bin_["records"]] == [gone]


def test_collections(client: Salesforce) -> None:
    body = {"allOrNone": False, "records": [*_rows("A"), *_rows(""), *_rows("B")]}
    a, bad, b = client.restful("composite/sobjects", method="POST", json=body)
    assert (a["success"], b["success"]) == (True, True)
    assert "id" not in bad and bad["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    changed = {"records": [*_rows("A2", id=a["id"]), *_rows("B2", id=b["id"])]}
    assert client.restful("composite/sobjects", method="PATCH", json=changed)[1]["id"] == b["id"]
    keyed = {"records": _rows("K", crmseed_key__c="k")}
    for created in (True, False):
        (put,) = client.restful("composite/sobjects/Account/crmseed_key__c", method="PATCH", json=keyed)
        assert put["created"] is created
    wanted = {"ids": f"{a['id']},{b['id']}", "fields": "Id,Name"}
    read = client.restful("composite/sobjects/Account", params=wanted)
    assert [record["Name"] for record in read] == ["A2", "B2"]
    removed = client.restful(
        "composite/sobjects", params={"ids": wanted["ids"], "allOrNone": "true"}, method="DELETE"
    )
    assert [result["success"] for result in removed] == [True, True]
    assert [record["Name"] for record in client.query("SELECT Name FROM Account")["records"]] == ["K"]


def test_composite_requests(client: Salesforce) -> None:
    home = "/services/data/v66.0"
    parts = [
        {"method": "POST", "url": f"{home}/sobjects/Account", "referenceId": "a", "body": {"Name": "A"}},
        {
            "method": "POST",
            "url": f"{home}/sobjects/Contact",
            "referenceId": "c",
            "body": {"LastName": "B", "AccountId": "@{a.id}"},
        },
    ]
    answer = client.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": parts})
    assert [part["httpStatusCode"] for part in answer["compositeResponse"]] == [201, 201]
    people = client.query("SELECT LastName, Account.Name FROM Contact")["records"]
    assert people[0]["Account"]["Name"] == "A"


def test_refusals_are_the_exceptions_that_the_client_has(client: Salesforce) -> None:
    with pytest.raises(exceptions.SalesforceMalformedRequest) as refused:
        client.query("SELECT Nme FROM Account")
    assert refused.value.content[0]["errorCode"] == "INVALID_FIELD"
    with pytest.raises(exceptions.SalesforceMalformedRequest) as refused:
        client.query_more("01g000000000000AAA-200")
    assert refused.value.content[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    with pytest.raises(exceptions.SalesforceGeneralError) as general:
        client.query("SELECT toLabel(Industry) FROM Account")
    assert general.value.status == 501
