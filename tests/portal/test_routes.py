"""Paths that are not emulated, wrong methods, coverage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("method", "path", "what", "nearby"),
    [
        (
            "GET",
            "/crm/v3/lists",
            "GET /crm/v3/lists",
            None,
        ),
        (
            "GET",
            "/crm/v3/pipelines/deals/default/audit",
            "GET /crm/v3/pipelines/deals/default/audit",
            None,
        ),
        ("GET", "/crm/objects/2024-09/contacts", "GET /crm/objects/2024-09/contacts", None),
        ("POST", "/oauth/2025-09/token", "POST /oauth/2025-09/token", None),
        ("GET", "/marketing/v3/emails", "GET /marketing/v3/emails", None),
        ("GET", "/crm/v3/objects//x", "GET /crm/v3/objects//x", None),
    ],
)
def test_what_hubspot_has_and_the_portal_has_not(
    ask: Any,
    refusal: Callable[..., dict[str, Any]],
    method: str,
    path: str,
    what: str,
    nearby: str | None,
) -> None:
    answer = ask(method, path, {} if method == "POST" else None)
    body = refusal(answer)
    head = f"{what} is not emulated by the local portal; emulated nearby: "
    assert (answer.status, body["category"]) == (501, "NOT_EMULATED")
    assert body["message"].startswith(head)
    named = body["message"].removeprefix(head).removesuffix(".").split(", ")
    assert len(named) == 3 and set(named) <= {template for _, template in ask.portal.hubspot.coverage()}
    assert nearby is None or ", ".join(named) == nearby


@pytest.mark.parametrize("name", ["carts", "Cart", "0-142", "services", "tax", "PROJECTS"])
def test_object_types_that_hubspot_has_and_the_portal_has_not(
    ask: Any, refusal: Callable[..., dict[str, Any]], name: str
) -> None:
    answer = ask.get(f"/crm/v3/objects/{name}")
    assert (answer.status, refusal(answer)) == (
        501,
        {
            "status": "error",
            "message": f"The object type {name} is not emulated by the local portal;"
            f" emulated nearby: {', '.join(ask.portal.hubspot.account.object_types.by_name)}.",
            "category": "NOT_EMULATED",
        },
    )


@pytest.mark.parametrize("name", ["widgets", "2-1234567", "p123_pets"])
def test_an_object_type_that_hubspot_has_not(
    ask: Any, refusal: Callable[..., dict[str, Any]], name: str
) -> None:
    answer = ask.get(f"/crm/v3/objects/{name}")
    assert (answer.status, refusal(answer)) == (
        400,
        {"status": "error", "message": f"Unable to infer object type from: {name}"},
    )


def test_beta_versions_answer_as_what_they_became(ask: Any) -> None:
    id = ask.contact()
    for beta in ("2026-03-beta", "2026-09-beta", "2027-03-beta"):
        assert ask.get(f"/crm/objects/{beta}/contacts/{id}").status == 200
    assert ask.get("/account-info/2027-03-beta/details").json()["portalName"] == "Local portal"
    ask.portal.behaviour.beta_versions = False
    assert ask.get(f"/crm/objects/2026-09-beta/contacts/{id}").status == 501


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/crm/v3/objects/contacts", "GET, POST"),
        ("POST", "/crm/v3/objects/contacts/1", "DELETE, GET, PATCH"),
        ("GET", "/crm/objects/2026-03/contacts/batch/create", "POST"),
        ("POST", "/account-info/v3/details", "GET"),
        ("HEAD", "/crm/v3/objects/contacts", "GET, POST"),
        ("OPTIONS", "/crm/v3/objects/contacts", "GET, POST"),
        ("BREW", "/crm/v3/objects/contacts", "GET, POST"),
    ],
)
def test_the_wrong_method(
    ask: Any, refusal: Callable[..., dict[str, Any]], method: str, path: str, allowed: str
) -> None:
    answer = ask(method, path)
    assert (answer.status, refusal(answer), answer.headers["allow"]) == (
        405,
        {"status": "error", "message": "HTTP 405 Method Not Allowed"},
        allowed,
    )


@pytest.mark.parametrize("path", ["/", "", "/favicon.ico", "/nobody/data/v60.0", "/CRM/v3/objects"])
def test_what_nobody_has_is_a_page(ask: Any, path: str) -> None:
    answer = ask.get(path)
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html;charset=utf-8")
    assert b"Error 404 Not Found" in answer.body


def test_a_trailing_slash_makes_no_difference(ask: Any) -> None:
    assert ask.get("/crm/v3/objects/contacts/").status == 200


def test_a_record_may_have_the_name_of_a_call(ask: Any) -> None:
    # An id is a segment of its own, percent-encoded; "batch" is a segment of the calls' paths.
    assert ask.get("/crm/v3/objects/contacts/batch").status == 404
    assert ask.get("/crm/v3/objects/contacts/batch%2Fread?idProperty=email").status == 404


def test_coverage_lists_the_emulated_calls_alone(ask: Any) -> None:
    coverage = ask.portal.hubspot.coverage()
    assert ("POST", "/crm/objects/2026-09/{type}/batch/upsert") in coverage
    assert ("PUT", "/crm/v4/objects/{from}/{id}/associations/default/{to}/{to_id}") in coverage
    assert ("POST", "/crm/objects/v3/{type}/search") in coverage
    assert len(set(coverage)) == len(coverage)
