"""What Pipedrive's documents reject, the portal refuses; what they take, it takes."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_crmseed.portal import PortalRequest

KEY = "d" * 40


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/deals", {}),
        ("POST", "/deals", {"value": 5}),
        ("POST", "/deals", {"title": "D", "value": "12"}),
        ("POST", "/deals", {"title": "D", KEY: "x"}),
        ("POST", "/persons", {}),
        ("POST", "/persons", {"name": "A", "emails": ["a@example.com"]}),
        ("POST", "/persons", {"name": "A", "emails": [{"label": "work"}]}),
        ("POST", "/persons", {"name": "A", "email": "a@example.com"}),
        ("POST", "/organizations", {"name": "A", "address": "Main St"}),
        ("POST", "/dealFields", {"field_name": "F", "field_type": "url"}),
        (
            "POST",
            "/deals/1/products/bulk",
            {"data": [{"product_id": 1, "item_price": 1, "quantity": 1}] * 101},
        ),
        ("POST", "/products", {}),
        ("POST", "/stages", {"name": "S"}),
        ("POST", "/activities", {"done": 1}),
    ],
)
def test_what_the_documents_reject_is_refused(
    contract: Any, ask: Any, method: str, path: str, body: Any
) -> None:
    request = PortalRequest.of(method, f"/api/v2{path}", body, headers={"x-api-token": "t"})
    assert contract.problems(request, None) != []
    assert ask(method, f"/api/v2{path}", body).status in (400, 404)


def test_an_empty_body_is_rejected_by_both(contract: Any, ask: Any) -> None:
    request = PortalRequest.of("POST", "/api/v2/deals", headers={"x-api-token": "t"})
    assert contract.problems(request, None) != []
    assert ask("POST", "/api/v2/deals").status == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/deals", {"title": "D"}),
        ("POST", "/deals", {"title": "D", "person_id": None, "org_id": None}),
        ("POST", "/persons", {"first_name": "A", "last_name": "B"}),
        ("GET", "/deals?status=open,won", None),
        ("GET", "/deals?include_fields=notes_count,files_count", None),
        ("GET", "/persons/search?term=ab&fields=email,name", None),
    ],
)
def test_what_the_service_takes_is_taken_by_both(
    contract: Any, ask: Any, method: str, path: str, body: Any
) -> None:
    request = PortalRequest.of(method, f"/api/v2{path}", body, headers={"x-api-token": "t"})
    assert contract.problems(request, None) == []
    assert ask(method, f"/api/v2{path}", body).status == 200


def test_a_reply_that_departs_is_noticed(contract: Any, ask: Any) -> None:
    request = PortalRequest.of("POST", "/api/v2/deals", {"title": "D"}, headers={"x-api-token": "t"})
    answer = ask("POST", "/api/v2/deals", {"title": "D"})
    wrong = type(answer)(answer.status, answer.body.replace(b'"value":0', b'"value":"0"'), answer.headers)
    assert contract.problems(request, wrong) == ["data/value: '0' is not of type 'number'"]


def test_the_documents_ask_for_no_token_and_the_portal_does(contract: Any, asker: Any, portal: Any) -> None:
    request = PortalRequest.of("GET", "/api/v2/deals")
    assert contract.problems(request, None) == []
    assert asker(portal, None)("GET", "/api/v2/deals").status == 401
