"""Owners, and records that name them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_crmseed.portal import Behaviour, Portal
from pytest_crmseed.portal.behaviour import Owner

URL = "/crm/v3/owners"
BASES = [URL, *(f"/crm/owners/{date}" for date in ("2025-09", "2026-03", "2026-09"))]


def test_owners_are_listed_and_read(ask: Any) -> None:
    for base in BASES:
        found = ask.get(f"{base}/").json()["results"]
        assert [each["email"] for each in found] == ["olive.owner@example.com", "sam.seller@example.com"]
        assert found[0] == {
            "id": "70000001",
            "email": "olive.owner@example.com",
            "type": "PERSON",
            "firstName": "Olive",
            "lastName": "Owner",
            "userId": 70000001,
            "userIdIncludingInactive": 70000001,
            "createdAt": "2020-06-30T15:57:37.247Z",
            "updatedAt": "2020-06-30T15:57:37.247Z",
            "archived": False,
            "teams": [{"id": "1", "name": "Sales", "primary": True}],
        }
        assert ask.get(f"{base}/70000001").json() == found[0]
        assert ask.get(f"{base}/70000002?idProperty=userId").json() == found[1]
        assert ask.get(f"{base}?email=SAM.seller@example.com").json()["results"] == found[1:]


def test_pages(ask: Any) -> None:
    first = ask.get(f"{URL}?limit=1").json()
    after = first["paging"]["next"]["after"]
    second = ask.get(f"{URL}?limit=1&after={after}").json()
    assert "paging" not in second
    assert [each["id"] for each in first["results"] + second["results"]] == ["70000001", "70000002"]
    answer = ask.get(f"{URL}?after=x")
    message = "after must be a value that paging.next.after had, not x"
    assert (answer.status, answer.json()["message"]) == (400, message)
    assert ask.get(f"{URL}?limit=501").status == 400


def test_someone_who_was_deactivated(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    [gone] = ask.get(f"{URL}?archived=true").json()["results"]
    assert (gone["userId"], gone["userIdIncludingInactive"], gone["archived"]) == (None, 70000003, True)
    answer = ask.get(f"{URL}/70000003")
    assert (answer.status, refusal(answer)) == (
        404,
        {"status": "error", "message": "No owner with id 70000003", "category": "OBJECT_NOT_FOUND"},
    )
    assert ask.get(f"{URL}/70000003?archived=true").json() == gone
    refused = ask.post("/crm/v3/objects/deals", {"properties": {"hubspot_owner_id": "70000003"}})
    assert "INVALID_OPTION" in refused.json()["message"]


def test_owners_are_a_switch(make_portal: Callable[..., Portal], asker: Any) -> None:
    queue = Owner("5", "help@example.com", "Help", queue=True)
    portal = make_portal(owners=(queue,))
    ask = asker(portal, portal.hubspot.tokens()["application"])
    [found] = ask.get(URL).json()["results"]
    assert (found["type"], "userId" in found) == ("QUEUE", False)
    assert ask.deal(hubspot_owner_id="5")
    assert Behaviour().owners != (queue,)


@pytest.mark.parametrize("scope", ["crm.objects.owners.read", "automation"])
def test_scopes(ask: Any, scope: str) -> None:
    ask.token = ask.portal.hubspot.issue(name="n", scopes=["crm.objects.contacts.read"])
    assert ask.get(URL).status == ask.get(f"{URL}/70000001").status == 403
    ask.token = ask.portal.hubspot.issue(name="n", scopes=[scope])
    assert ask.get(URL).status == 200
