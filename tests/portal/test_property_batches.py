"""Property definitions: batches, sensitivity, limits, uses, and the delay until they can be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_crmseed.portal import Portal
from pytest_crmseed.portal.behaviour import ConditionalRule
from pytest_crmseed.portal.hubspot import property_rules

URL = "/crm/v3/properties/contacts"


def text(name: str, **more: Any) -> dict[str, Any]:
    group = {"name": name, "label": name, "type": "string", "fieldType": "text"}
    return {**group, "groupName": "contactinformation", **more}


def names(ask: Any, query: str = "") -> list[str]:
    return [each["name"] for each in ask.get(f"{URL}{query}").json()["results"]]


@pytest.mark.parametrize("base", [URL, "/crm/properties/2026-09/contacts"])
def test_a_batch_of_creates(ask: Any, base: str) -> None:
    answer = ask.post(f"{base}/batch/create", {"inputs": [text("a"), text("b")]})
    assert (answer.status, answer.json()["status"]) == (201, "COMPLETE")
    assert [each["name"] for each in answer.json()["results"]] == ["a", "b"]
    answer = ask.post(f"{base}/batch/create", {"inputs": [text("b"), text("c")]})
    body = answer.json()
    assert (answer.status, body["numErrors"], [each["name"] for each in body["results"]]) == (207, 1, ["c"])
    assert body["errors"] == [
        {
            "status": "error",
            "category": "OBJECT_ALREADY_EXISTS",
            "subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS",
            "message": "A property named 'b' already exists.",
            "context": {"name": ["b"]},
        }
    ]
    assert ask.contact(a="1", c="2")


def test_a_batch_of_archives_is_204_whatever_the_state(ask: Any) -> None:
    ask.post(URL, text("a"))
    body = {"inputs": [{"name": "a"}, {"name": "nope"}, {"name": "email"}]}
    for _ in range(2):
        assert ask.post(f"{URL}/batch/archive", body).status == 204
    assert "a" not in names(ask) and "email" in names(ask)
    assert names(ask, "?archived=true") == ["a"]


def test_sensitive_properties_are_listed_when_asked_for(ask: Any) -> None:
    made = ask.post(URL, text("secret", dataSensitivity="sensitive")).json()
    assert made["dataSensitivity"] == "sensitive"
    assert "secret" not in names(ask) and names(ask, "?dataSensitivity=sensitive") == ["secret"]
    assert ask.get(f"{URL}/secret").json() == made
    assert ask.get(f"{URL}/secret?dataSensitivity=highly_sensitive").status == 404
    body = {"inputs": [{"name": "secret"}], "dataSensitivity": "non_sensitive"}
    assert ask.post(f"{URL}/batch/read", body).status == 207
    assert ask.post(f"{URL}/batch/read", {**body, "dataSensitivity": "sensitive"}).status == 200
    message = "dataSensitivity must be one of non_sensitive, sensitive, highly_sensitive"
    for answer in (ask.get(f"{URL}?dataSensitivity=x"), ask.post(URL, text("x", dataSensitivity="x"))):
        assert (answer.status, answer.json()["message"]) == (400, message)


def test_a_list_of_some_properties(ask: Any) -> None:
    assert names(ask, "?properties=email&properties=lastname,nope&locale=de") == ["email", "lastname"]


@pytest.mark.parametrize(
    ("object_type", "status"),
    [("companies", 201), ("tickets", 201), ("orders", 201), ("products", 400), ("notes", 400)],
)
def test_where_unique_properties_are_offered(ask: Any, object_type: str, status: int) -> None:
    [group, *_] = ask.get(f"/crm/v3/properties/{object_type}/groups").json()["results"]
    body = text("code", groupName=group["name"], hasUniqueValue=True)
    answer = ask.post(f"/crm/v3/properties/{object_type}", body)
    assert answer.status == status
    if status == 400:
        assert answer.json()["message"] == f"Properties of {object_type} cannot have unique values."


def test_limits_of_custom_properties(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(property_rules, "CUSTOM_LIMIT", 3)
    assert [ask.post(URL, text(name)).status for name in "abc"] == [201, 201, 400]
    assert ask.post(URL, text("c")).json()["message"] == (
        "At most 3 custom properties of an object type can be defined."
    )
    monkeypatch.setattr(property_rules, "TOTAL_LIMIT", 3)
    answer = ask.post("/crm/v3/properties/deals", text("a", groupName="dealinformation"))
    assert answer.json()["message"] == "At most 3 custom properties can be defined."


def test_a_property_that_rules_use_cannot_be_deleted(
    make_portal: Callable[..., Portal], asker: Any, refusal: Callable[..., dict[str, Any]]
) -> None:
    rule = ConditionalRule("contacts", "a", ("x",), ("b",))
    portal = make_portal(conditional_rules=(rule,), required_by_admin={"contacts": ("a",)})
    ask = asker(portal, portal.hubspot.tokens()["seeder"])
    for name in "abc":
        assert ask.post(URL, text(name)).status == 201
    body = refusal(ask("DELETE", f"{URL}/a"))
    assert body["subCategory"] == "PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE"
    assert body["errors"] == [
        {"message": "a is part of a conditional property rule", "context": {"propertyName": ["a"]}},
        {"message": "a is required to create a contact", "context": {"propertyName": ["a"]}},
    ]
    assert [ask("DELETE", f"{URL}/{name}").status for name in "bc"] == [400, 204]


def test_a_new_definition_can_be_read_after_a_while(
    make_portal: Callable[..., Portal], asker: Any, clock: Any
) -> None:
    portal = make_portal(definition_lag=0.7)
    ask = asker(portal, portal.hubspot.tokens()["seeder"])
    assert ask.post(URL, text("a")).status == 201
    assert ask.post(f"{URL}/batch/create", {"inputs": [text("b")]}).status == 201
    assert ask.get(f"{URL}/a").status == 404
    assert not {"a", "b"} & set(names(ask))
    assert ask.post(f"{URL}/batch/read", {"inputs": [{"name": "b"}]}).status == 207
    assert ask.contact(a="1")
    clock.now += 0.7
    assert ask.get(f"{URL}/a").status == 200 and {"a", "b"} <= set(names(ask))


def test_a_refused_batch_leaves_the_definitions_as_they_were(ask: Any) -> None:
    before = ask.get(URL).json()
    answer = ask.post(f"{URL}/batch/create", {"inputs": [text("a"), {"name": {}}] * 60})
    assert answer.status == 400
    assert ask.get(URL).json() == before


def test_scopes(ask: Any) -> None:
    ask.token = ask.portal.hubspot.issue(name="n", scopes=["crm.objects.contacts.write"])
    answer = ask.post(f"{URL}/batch/create", {"inputs": [text("a")]})
    assert answer.json()["errors"] == [
        {
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": ["crm.schemas.contacts.write"]},
        }
    ]
    assert ask.post("/crm/v3/properties/tickets", {}).json()["errors"][0]["context"] == {
        "requiredGranularScopes": ["tickets"]
    }
