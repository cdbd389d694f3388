"""Custom objects in a marker: made by a pulled schema alone, linked, and removed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_crmseed.schema import catalog, documents
from pytest_crmseed.schema.model import Association, Field, Group, Kind, ObjectType, Option

TEXT = {"type": "string", "fieldType": "text", "groupName": "cars_information"}
LIST = {"type": "enumeration", "fieldType": "select", "groupName": "cars_information"}
FIELDS = (
    Field("model", "Model", Kind.STRING, required=True, custom=True, native=TEXT),
    Field("plate", "Plate", Kind.STRING, unique=True, custom=True, native=TEXT),
    Field(
        "tier",
        "Tier",
        Kind.OPTION,
        options=(Option("t1", "Gold"), Option("t2", "Silver")),
        required=True,
        custom=True,
        native=LIST,
    ),
)
CARS = ObjectType(
    "p1_cars",
    "Car",
    "Cars",
    {field.name: field for field in FIELDS},
    type_id="2-17",
    singular="Car",
    display_field="model",
    groups=(Group("cars_information", "Car information"),),
    custom=True,
    associations=(Association("contacts", 40, "USER_DEFINED", inverse=41),),
)


@pytest.fixture
def schema_file(suite):
    known = catalog.bundled("hubspot")
    contacts = known.object_types["contacts"]
    back = Association("p1_cars", 41, "USER_DEFINED", inverse=40)
    contacts = replace(contacts, associations=(*contacts.associations, back))
    schema = replace(
        known,
        object_types={**known.object_types, "contacts": contacts, "p1_cars": CARS},
        source="live",
        portal_id="1234567",
        taken_at="2026-03-31T00:00:00Z",
        complete=True,
    )
    path = suite.path / "crm-schema.json"
    documents.write(schema, path)
    return path


def test_custom_objects_need_no_factory(suite, schema_file):
    suite.write(
        """
        @pytest.mark.crm_seed(objects={"2-17": count(4, Tier="Gold")}, contacts=2)
        def test_it(crm_records):
            cars = crm_records["p1_cars"]
            assert [car["model"] for car in cars] == ["Car 1", "Car 2", "Car 3", "Car 4"]
            assert {car["tier"] for car in cars} == {"t1"}
            assert len({car["plate"] for car in cars}) == 4
            owners = [contact.id for contact in crm_records.contacts]
            assert [car.links[0].id for car in cars] == owners * 2
        """
    )
    result = suite.run("--crm-schema", schema_file)
    assert result.outcomes == {"passed": 1}


def test_a_dry_run_prints_custom_objects(suite, schema_file):
    suite.write(
        """
        @pytest.mark.crm_seed(objects={"Cars": 1})
        def test_it(crm_records): ...
        """
    )
    result = suite.run("--crm-schema", schema_file, "--crm-dry-run")
    assert "1 p1_cars: 1 requests to create" in result.text
    assert '"model": "Car 1"' in result.text
