"""How much of the account's limits is used."""

from __future__ import annotations

from typing import Any

import pytest

URL = "/crm/v3/limits"


@pytest.mark.parametrize("base", [URL, "/crm/limits/2025-09", "/crm/limits/2026-03", "/crm/limits/2026-09"])
def test_figures_of_records(ask: Any, base: str) -> None:
    ask.contact()
    body = ask.get(f"{base}/records").json()
    [contacts] = [each for each in body["hubspotDefinedObjectTypes"] if each["objectTypeId"] == "0-1"]
    assert contacts == {
        "objectTypeId": "0-1",
        "singularLabel": "Contact",
        "pluralLabel": "Contacts",
        "limit": 15_000_000,
        "usage": 1,
        "percentage": 0.0,
    }
    assert body["customObjectTypes"] == {
        "byObjectType": [],
        "overallLimit": 1_500_000,
        "overallUsage": 0,
        "overallPercentage": 0.0,
    }


def test_figures_of_definitions(ask: Any) -> None:
    schema = {
        "name": "Car",
        "labels": {"singular": "Car", "plural": "Cars"},
        "primaryDisplayProperty": "model",
        "properties": [{"name": "model", "label": "M", "type": "string", "fieldType": "text"}],
    }
    car = ask.post("/crm-object-schemas/v3/schemas", schema).json()["objectTypeId"]
    ask.made("car", model="T")
    ask.post("/crm/v4/associations/contacts/deals/labels", {"label": "Buyer", "name": "buyer"})
    assert ask.get(f"{URL}/custom-object-types").json() == {"limit": 10, "usage": 1, "percentage": 10.0}
    records = ask.get(f"{URL}/records").json()["customObjectTypes"]
    assert (records["overallUsage"], records["byObjectType"][0]["objectTypeId"]) == (1, car)
    properties = ask.get(f"{URL}/custom-properties").json()
    [of_car] = [each for each in properties["byObjectType"] if each["objectTypeId"] == car]
    # The key of crmseed, and what the schema defined.
    assert (of_car["usage"], of_car["limit"], properties["overallLimit"]) == (2, 1_000, 10_000)
    assert properties["overallUsage"] == sum(each["usage"] for each in properties["byObjectType"])
    pipelines = ask.get(f"{URL}/pipelines").json()["hubspotDefinedObjectTypes"]
    assert {each["objectTypeId"]: each["usage"] for each in pipelines} == {
        "0-3": 1,
        "0-5": 1,
        "0-136": 1,
        "0-123": 1,
    }
    assert ask.get(f"{URL}/calculated-properties").json()["overallUsage"] == 0
    found = ask.get(f"{URL}/associations/labels?fromObjectTypeId=0-1").json()["results"]
    assert [(each["allLabels"], each["toObjectType"]["objectTypeId"], each["usage"]) for each in found] == [
        (["Buyer"], "0-3", 1)
    ]
    assert ask.get(f"{URL}/associations/labels?toObjectTypeId=0-2").json() == {"results": []}


def test_scopes(ask: Any) -> None:
    ask.token = ask.portal.hubspot.issue(name="n", scopes=["crm.schemas.contacts.write"])
    assert ask.get(f"{URL}/custom-properties").status == 403
    ask.token = ask.portal.hubspot.issue(name="n", scopes=["crm.objects.quotes.write"])
    assert ask.get(f"{URL}/custom-properties").status == 200
