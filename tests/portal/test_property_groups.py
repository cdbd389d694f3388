"""Groups of properties."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

URL = "/crm/v3/properties/contacts/groups"
BASES = [URL, *(f"/crm/properties/{date}/0-1/groups" for date in ("2025-09", "2026-03", "2026-09"))]
PETS = {"name": "pets", "label": "Pets", "displayOrder": 4}


def test_stock_groups(ask: Any) -> None:
    for base in BASES:
        [group] = ask.get(base).json()["results"]
        assert group == {
            "name": "contactinformation",
            "label": "Contact information",
            "displayOrder": 0,
            "archived": False,
        }
        assert ask.get(f"{base}/contactinformation").json() == group
    assert len(ask.get("/crm/v3/properties/notes/groups").json()["results"]) == 2


def test_a_life(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    answer = ask.post(URL, PETS)
    assert (answer.status, answer.json()) == (201, {**PETS, "archived": False})
    again = ask.post(URL, PETS)
    assert (again.status, refusal(again)) == (
        409,
        {
            "status": "error",
            "message": "A property group named 'pets' already exists.",
            "category": "OBJECT_ALREADY_EXISTS",
        },
    )
    body = {"name": "cat", "label": "Cat", "type": "string", "fieldType": "text", "groupName": "pets"}
    assert ask.post("/crm/v3/properties/contacts", body).status == 201
    assert ask("PATCH", f"{URL}/pets", {"label": "Animals"}).json()["label"] == "Animals"
    answer = ask("DELETE", f"{URL}/pets")
    assert answer.status == 400
    # The message is a JSON text itself.
    inner = json.loads(refusal(answer)["message"])
    assert inner["subCategory"] == "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES"
    assert inner["context"] == {"properties": ["cat"]}
    assert ask("DELETE", "/crm/v3/properties/contacts/cat").status == 204
    assert ask("DELETE", f"{URL}/pets").status == 204
    assert ask.get(f"{URL}/pets").status == ask("DELETE", f"{URL}/pets").status == 404
    assert [each["name"] for each in ask.get(URL).json()["results"]] == ["contactinformation"]
    assert ask.post("/crm/v3/properties/contacts", body).json()["message"] == (
        "The property group pets does not exist. There are: contactinformation"
    )
    assert ask.post(URL, PETS).status == 201


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"label": "P"},
            "Invalid input JSON on line 1, column 2. Some required fields were not set: [name]",
        ),
        (
            {"name": "My pets", "label": "P"},
            "My pets is not a valid group name: lower-case letters, digits and _ only",
        ),
        (
            {"name": "pets", "label": "P", "displayOrder": "x"},
            "Invalid input JSON on line 1, column 1: Cannot deserialize value of type `java.lang.Integer`"
            " from String value (token `JsonToken.VALUE_STRING`)",
        ),
    ],
)
def test_groups_that_are_refused(ask: Any, body: dict[str, Any], message: str) -> None:
    answer = ask.post(URL, body)
    assert (answer.status, answer.json()["message"]) == (400, message)


def test_a_missing_group(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    answer = ask("PATCH", f"{URL}/nope", {})
    assert (answer.status, refusal(answer)) == (
        404,
        {
            "status": "error",
            "message": "A property group named 'nope' does not exist.",
            "category": "OBJECT_NOT_FOUND",
        },
    )
