"""Faults on purpose, in Salesforce's own bodies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_crmseed.portal import PortalRequest

Org = Any
JSON = "application/json;charset=UTF-8"
ROWS = [{"attributes": {"type": "Account"}, "Name": name} for name in "ABC"]


def lock(*, row: bool = False) -> dict[str, Any]:
    code = "statusCode" if row else "errorCode"
    return {
        "message": "unable to obtain exclusive access to this record",
        code: "UNABLE_TO_LOCK_ROW",
        "fields": [],
    }


@pytest.fixture
def faulty(org: Org) -> Iterator[Any]:
    yield org
    assert org.portal.faults.pending == []


@pytest.mark.parametrize(
    ("kind", "parameters", "status", "error"),
    [
        (
            "throttle",
            {"policy": "daily"},
            403,
            {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"},
        ),
        (
            "throttle",
            {},
            403,
            {
                "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
                "errorCode": "REQUEST_LIMIT_EXCEEDED",
            },
        ),
        (
            "expire_token",
            {},
            401,
            {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"},
        ),
        ("lock", {}, 400, lock()),
        (
            "fail",
            {"status": 401},
            401,
            {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"},
        ),
        (
            "fail",
            {"status": 403},
            403,
            {
                "message": "insufficient access rights on object id",
                "errorCode": "INSUFFICIENT_ACCESS_OR_READONLY",
                "fields": [],
            },
        ),
        (
            "fail",
            {"status": 404},
            404,
            {"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"},
        ),
        (
            "fail",
            {"status": 500},
            500,
            {
                "message": "An unexpected error occurred. Please include this ErrorId if you contact"
                " support: 1-1",
                "errorCode": "UNKNOWN_EXCEPTION",
            },
        ),
        (
            "fail",
            {},
            503,
            {"message": "Server is temporarily unavailable", "errorCode": "SERVER_UNAVAILABLE"},
        ),
        ("fail", {"status": 409}, 409, {"message": "HTTP 409", "errorCode": "UNKNOWN_EXCEPTION"}),
    ],
)
def test_answers(
    faulty: Org, kind: str, parameters: dict[str, Any], status: int, error: dict[str, Any]
) -> None:
    faulty.portal.faults.add(kind, **parameters, method="POST")
    answer = faulty.ask("POST", "/sobjects/Account", {"Name": "A"})
    assert (answer.status, answer.headers["content-type"], answer.json()) == (status, JSON, [error])
    assert "Retry-After" not in answer.headers
    assert faulty.live == {}


@pytest.mark.parametrize(
    ("kind", "parameters"), [("migrate", {}), ("fail", {"status": 502}), ("html_body", {"status": 500})]
)
def test_pages_of_the_edge(faulty: Org, kind: str, parameters: dict[str, Any]) -> None:
    faulty.portal.faults.add(kind, **parameters)
    answer = faulty.ask("GET", "/sobjects/Account")
    assert answer.headers["content-type"] == "text/html; charset=UTF-8" and b"<html>" in answer.body
    assert answer.status == {"migrate": 420, "fail": 502, "html_body": 500}[kind]


def test_a_header_that_the_vendor_has_not_can_be_had(faulty: Org) -> None:
    faulty.portal.faults.throttle(retry_after=2.5)
    assert faulty.ask("GET", "/limits").headers["Retry-After"] == "2.5"
    faulty.portal.faults.migrate(retry_after=7)
    assert faulty.ask("GET", "/limits").headers["Retry-After"] == "7"


def test_a_lock_holds_every_row_of_a_collection(faulty: Org) -> None:
    faulty.portal.faults.lock(object_type="account", method="POST")
    answer = faulty.ask("POST", "/composite/sobjects", {"records": ROWS})
    row = {"success": False, "errors": [lock(row=True)]}
    assert (answer.status, answer.json()) == (200, [row, row, row])
    assert faulty.live == {}


def test_some_rows_of_a_collection_are_refused(faulty: Org) -> None:
    faulty.portal.faults.partial(rows=[0, 2, 9])
    results = faulty.json("POST", "/composite/sobjects", {"allOrNone": False, "records": ROWS})
    refused = {
        "success": False,
        "errors": [
            {
                "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                "message": "Please contact your administrator.",
                "fields": [],
            }
        ],
    }
    assert [results[0], results[2]] == [refused, refused]
    assert results[1]["success"] and faulty.column("SELECT Name FROM Account") == ["B"]
    faulty.portal.faults.partial(rows=[0], silent=True)
    records = [{**ROWS[0], "Name": "D"}, {**ROWS[0], "Name": "E"}]
    assert len(faulty.json("POST", "/composite/sobjects", {"records": records})) == 1
    ids = faulty.column("SELECT Id FROM Account ORDER BY Name", "Id")
    faulty.portal.faults.partial(rows=[1])
    kept = faulty.json("DELETE", f"/composite/sobjects?ids={','.join(ids)}&allOrNone=false")
    assert [row["success"] for row in kept] == [True, False]
    faulty.portal.faults.partial(rows=[0])
    assert faulty.json("DELETE", f"/composite/sobjects?ids={ids[1]}") == [refused]
    assert faulty.column("SELECT Name FROM Account") == ["E"]


def test_requests_without_rows_go_by(org: Org) -> None:
    org.portal.faults.partial(rows=[0])
    org.make("Account", Name="A")
    org.query("SELECT Id FROM Account")
    assert org.ask("POST", "/composite/sobjects", {"records": []}).status == 400
    assert org.raw("POST", "/composite/sobjects", b"{", content_type="application/json").status == 400
    assert len(org.portal.faults.pending) == 1


def test_deliveries(faulty: Org) -> None:
    faults = faulty.portal.faults
    faults.drop_after_commit(method="POST", route="*/sobjects/{object}")
    assert faulty.ask("POST", "/sobjects/Account", {"Name": "A"}).delivery == "dropped"
    faults.drop_before_commit(method="POST", object_type="Account")
    assert faulty.ask("POST", "/sobjects/Account", {"Name": "B"}).delivery == "dropped"
    faults.deliver_twice(method="POST")
    faulty.ask("POST", "/sobjects/Account", {"Name": "C"})
    faults.commit_late(method="POST")
    assert faulty.ask("POST", "/sobjects/Account", {"Name": "D"}).delivery == "dropped"
    names = "SELECT Name FROM Account ORDER BY Name"
    assert faulty.column(names) == ["A", "C", "C"]
    assert faulty.column(names) == ["A", "C", "C", "D"]
    faults.cut_body(method="GET")
    assert faulty.ask("GET", "/limits").delivery == "cut"
    faults.wrong_content_type()
    assert faulty.ask("GET", "/limits").headers["content-type"] == "text/plain"


def test_the_seeder_is_spared(org: Org) -> None:
    org.portal.faults.fail(500)
    seeder = PortalRequest.of("GET", "/services/data/v66.0/limits", token=org.api.tokens()["seeder"])
    assert org.portal.handle(seeder).status == 200
    assert org.ask("GET", "/limits").status == 500
