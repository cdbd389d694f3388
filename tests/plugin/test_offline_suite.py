"""A suite with custom objects, properties and pipelines runs on a local portal, by a pulled schema."""

from __future__ import annotations

from dataclasses import replace

import pytest
import requests

from pytest_crmseed.cli import main
from pytest_crmseed.schema import catalog, documents
from pytest_crmseed.schema.model import Association, Field, Group, Kind, ObjectType, Option, Pipeline, Stage


def text(name, label, group, **more):
    native = {"type": "string", "fieldType": "text", "groupName": group}
    return Field(name, label, Kind.STRING, group=group, max_length=65_536, custom=True, native=native, **more)


CARS = ObjectType(
    "p7_cars",
    "Car",
    "Cars",
    {
        "model": text("model", "Model", "cars_information"),
        "vin": text("vin", "VIN", "cars_information", unique=True),
        "fuel": Field(
            "fuel",
            "Fuel",
            Kind.OPTION,
            options=(Option("petrol", "Petrol"), Option("electric", "Electric")),
            custom=True,
            group="cars_information",
            native={"type": "enumeration", "fieldType": "select", "groupName": "cars_information"},
        ),
    },
    type_id="2-123",
    singular="cars",
    groups=(Group("cars_information", "Car information"),),
    associations=(Association("contacts", 31, "USER_DEFINED", inverse=30),),
    required_any=(("model",), ("vin",), ("fuel",)),
    custom=True,
    display_field="model",
)
RENEWALS = Pipeline(
    "renewals",
    "Renewals",
    (Stage("due", "Due", 0, probability=0.5), Stage("renewed", "Renewed", 1, closed=True, probability=1.0)),
)


@pytest.fixture
def schema_file(suite):
    known = catalog.bundled("hubspot")
    deals, contacts = known.object_types["deals"], known.object_types["contacts"]
    region = text("region", "Region", "dealinformation")
    changed = {
        **known.object_types,
        "deals": replace(
            deals,
            fields={**deals.fields, "region": region},
            pipelines=(*deals.pipelines, RENEWALS),
            required_any=(*deals.required_any, ("region",)),
        ),
        "contacts": replace(
            contacts,
            associations=(*contacts.associations, Association("p7_cars", 30, "USER_DEFINED", inverse=31)),
        ),
        "p7_cars": CARS,
    }
    schema = replace(
        known,
        object_types=changed,
        source="live",
        portal_id="7",
        taken_at="2026-10-31T00:00:00Z",
        complete=True,
    )
    path = suite.path / "crm-schema.json"
    documents.write(schema, path)
    return path


def test_custom_objects_properties_and_pipelines_are_seeded_offline(suite, schema_file):
    suite.write(
        """
        @pytest.mark.crm_seed(cars=2, deals=count(1, pipeline="Renewals", stage="closed_won"))
        def test_it(crm_records, crm_client):
            cars = crm_records["p7_cars"]
            assert len(cars) == 2
            asked = {"properties": "model,vin,fuel"}
            held = crm_client.get(f"/crm/v3/objects/2-123/{cars[0].id}", params=asked).json()["properties"]
            assert held["model"] and held["vin"] and held["fuel"] in ("petrol", "electric")
            assert cars[0]["vin"] != cars[1]["vin"]
            assert crm_records.deals[0].native["region"]
            assert crm_records.deals[0].native["dealstage"] == "renewed"
        """
    )
    result = suite.run("--crm-schema", schema_file)
    assert result.outcomes == {"passed": 1}
    assert "Schema of " in "".join(result.summary)


def test_what_is_pulled_from_a_portal_is_enough_to_run_without_it(suite, outside, monkeypatch):
    headers = {"Authorization": f"Bearer {outside.portal.token}"}
    tier = {
        "name": "tier",
        "label": "Customer Tier",
        "type": "enumeration",
        "fieldType": "select",
        "groupName": "dealinformation",
        "options": [{"label": "Gold", "value": "t1", "displayOrder": 0, "hidden": False}],
    }
    made = requests.post(f"{outside.url}/crm/v3/properties/deals", json=tier, headers=headers, timeout=10)
    assert made.status_code == 201
    monkeypatch.chdir(suite.path)
    with pytest.raises(SystemExit) as ended:
        main.main(["schema", "pull", "--base-url", outside.url], prog_name="crmseed")
    assert ended.value.code == 0
    outside.portal.close()
    suite.write(
        """
        @pytest.mark.crm_seed(deals=count(1, **{"Customer Tier": "Gold"}))
        def test_it(crm_records, crm_portal):
            assert crm_portal.is_local
            assert crm_records.deals[0].native["tier"] == "t1"
        """
    )
    result = suite.run("--crm-schema", "crm-schema.json")
    assert result.outcomes == {"passed": 1}
    assert any(
        line.endswith("crm-schema.json, read just now from portal 47010001.") for line in result.summary
    )
