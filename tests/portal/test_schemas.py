"""Custom objects: defining them, what they come with, using them at once, deleting them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.portal import Behaviour, Portal
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.model import Association, Field, ObjectType
from pytest_crmseed.schema.model import Kind as FieldKind

URL = "/crm-object-schemas/v3/schemas"
BASES = [f"/crm-object-schemas/{version}/schemas" for version in ("v3", "2025-09", "2026-03", "2026-09")]
FULL = "p47010001_Car"


def text(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "label": name.title(), "type": "string", "fieldType": "text", **more}


def car(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Car",
        "labels": {"singular": "Car", "plural": "Cars"},
        "primaryDisplayProperty": "model",
        "requiredProperties": ["model"],
        "searchableProperties": ["model"],
        "properties": [
            text("model"),
            text("vin", hasUniqueValue=True),
            {"name": "price", "label": "Price", "type": "number", "fieldType": "number"},
        ],
        "associatedObjects": ["CONTACT"],
        **changes,
    }


@pytest.fixture
def made(ask: Any) -> dict[str, Any]:
    answer = ask.post(URL, car())
    assert answer.status == 201, answer.body
    schema: dict[str, Any] = answer.json()
    return schema


def test_the_schema_that_is_answered(ask: Any, made: dict[str, Any]) -> None:
    assert made["objectTypeId"] == f"2-{made['id']}"
    assert {key: made[key] for key in ("fullyQualifiedName", "name", "labels", "archived", "portalId")} == {
        "fullyQualifiedName": FULL,
        "name": "Car",
        "labels": {"singular": "Car", "plural": "Cars"},
        "archived": False,
        "portalId": 47010001,
    }
    assert made["primaryDisplayProperty"] == "model"
    assert (made["requiredProperties"], made["searchableProperties"]) == (["model"], ["model"])
    names = {each["name"] for each in made["properties"]}
    assert names >= {
        "hs_object_id",
        "hs_createdate",
        "hs_lastmodifieddate",
        "hubspot_owner_id",
        "model",
        "vin",
        "price",
    }
    [model] = [each for each in made["properties"] if each["name"] == "model"]
    assert (model["groupName"], model["hubspotDefined"]) == ("Car_information", False)
    ends = {(each["fromObjectTypeId"], each["toObjectTypeId"]): each["name"] for each in made["associations"]}
    for other in ("0-1", "0-27", "0-46", "0-47", "0-48", "0-49"):
        # Both directions of an association have one name.
        assert ends[(made["objectTypeId"], other)] == ends[(other, made["objectTypeId"])]
    assert ends[(made["objectTypeId"], "0-1")] == "Car_to_contact"
    for base in ("/crm/v3/schemas", *BASES):
        assert ask.get(base).json() == {"results": [made]}
        for spelling in ("Car", "CAR", FULL, FULL.lower(), made["objectTypeId"]):
            assert ask.get(f"{base}/{spelling}").json() == made


def test_records_can_be_made_at_once(ask: Any, made: dict[str, Any]) -> None:
    contact = ask.contact()
    for spelling in ("car", FULL, made["objectTypeId"]):
        assert ask.get(f"/crm/objects/2026-03/{spelling}").json() == {"results": []}
    [type_id] = [
        int(each["id"])
        for each in made["associations"]
        if (each["fromObjectTypeId"], each["toObjectTypeId"]) == (made["objectTypeId"], "0-1")
    ]
    spec = {"associationCategory": "USER_DEFINED", "associationTypeId": type_id}
    body = {
        "properties": {"model": "T", "vin": "1", "price": "9.5", "hubspot_owner_id": "70000001"},
        "associations": [{"to": {"id": contact}, "types": [spec]}],
    }
    answer = ask.post("/crm/v3/objects/car", body)
    assert answer.status == 201, answer.body
    record = answer.json()
    assert record["properties"]["hs_createdate"] == record["createdAt"]
    assert record["url"].endswith(f"/record/{made['objectTypeId']}/{record['id']}")
    found = ask.post(f"/crm/v3/objects/{FULL}/search", {"query": "t"}).json()
    assert [each["id"] for each in found["results"]] == [record["id"]]
    linked = ask.get(f"/crm/v4/objects/contacts/{contact}/associations/car").json()["results"]
    assert [each["toObjectId"] for each in linked] == [int(record["id"])]
    again = ask.post("/crm/v3/objects/car", {"properties": {"model": "U", "vin": "1"}})
    assert again.status == 400 and "already has that value" in again.json()["message"]
    default = f"/crm/v4/objects/car/{record['id']}/associations/default/contacts/{ask.contact()}"
    assert ask("PUT", default).status == 200


def test_what_a_record_must_have(ask: Any, made: dict[str, Any], refusal: Callable[..., Any]) -> None:
    answer = ask.post("/crm/v3/objects/car", {"properties": {"price": "x", "hs_object_id": "1"}})
    assert [each["code"] for each in answer.json()["errors"]] == ["INVALID_INTEGER", "READ_ONLY_VALUE"]
    answer = ask.post("/crm/v3/objects/car", {"properties": {}})
    assert (answer.status, refusal(answer)) == (
        400,
        {
            "status": "error",
            "message": "Error creating CAR. Some required properties were not set.",
            "context": {"properties": ["model"]},
            "category": "VALIDATION_ERROR",
        },
    )


def test_the_same_name_again(ask: Any, made: dict[str, Any], refusal: Callable[..., Any]) -> None:
    again = ask.post(URL, car(labels={"singular": "X", "plural": "Xs"}))
    assert (again.status, again.json()) == (201, made)
    answer = ask.post(URL, car(name="CAR"))
    assert (answer.status, refusal(answer)) == (
        409,
        {
            "status": "error",
            "message": "An object type named 'Car' already exists.",
            "category": "OBJECT_ALREADY_EXISTS",
        },
    )


NAME = "is not a valid name: it must match ^[A-Za-z][A-Za-z0-9_]*$, 50 at most"
UNSET = "Invalid input JSON on line 1, column 2. Some required fields were not set:"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "1car"}, f"1car {NAME}"),
        ({"name": "my car"}, f"my car {NAME}"),
        ({"name": "c" * 51}, f"{'c' * 51} {NAME}"),
        ({"primaryDisplayProperty": None}, f"{UNSET} [primaryDisplayProperty]"),
        ({"name": None, "labels": None}, f"{UNSET} [labels, name]"),
        ({"labels": {"singular": "Car"}}, f"{UNSET} [labels.plural]"),
        ({"requiredProperties": ["nope"]}, "The property nope is not defined on Car."),
        ({"primaryDisplayProperty": "nope"}, "The property nope is not defined on Car."),
        ({"associatedObjects": ["widgets"]}, "Unable to infer object type from: widgets"),
        ({"properties": [text("Model")]}, "Model is not a valid property name: lower-case letters, digits"),
        ({"properties": [{"name": "model"}]}, f"{UNSET} [label, type, fieldType]"),
    ],
)
def test_schemas_that_are_refused_leave_nothing(ask: Any, changes: Any, message: str) -> None:
    answer = ask.post(URL, car(**changes))
    assert answer.status == 400 and answer.json()["message"].startswith(message), answer.body
    assert ask.get(URL).json() == {"results": []}
    assert ask.get("/crm/v3/objects/car").status == 400
    assert "Car" not in str(ask.get(f"{URL}/contacts").json()["associations"])
    # Nothing of the first attempt is in the way of the second.
    assert ask.post(URL, car()).status == 201


def test_a_change_answers_the_definition_alone(ask: Any, made: dict[str, Any], clock: Any) -> None:
    clock.now += 1
    changes = {"labels": {"plural": "Autos"}, "requiredProperties": ["vin"], "description": "D"}
    answer = ask("PATCH", f"{URL}/car", changes)
    assert answer.status == 200 and not answer.json().keys() & {"properties", "associations"}
    after = ask.get(f"{URL}/{FULL}").json()
    assert after["labels"] == {"singular": "Car", "plural": "Autos"}
    assert (after["description"], after["updatedAt"]) == ("D", "2026-09-21T14:13:21.250Z")
    assert after["associations"] == made["associations"]
    assert ask.post("/crm/v3/objects/car", {"properties": {"vin": "1"}}).status == 201
    assert ask.post("/crm/v3/objects/car", {"properties": {"model": "M"}}).status == 400
    assert "description" not in ask("PATCH", f"{URL}/car", {"clearDescription": True}).json()
    answer = ask("PATCH", f"{URL}/car", {"searchableProperties": ["nope"]})
    assert answer.status == 400 and ask.get(f"{URL}/car").json()["searchableProperties"] == ["model"]


def test_a_property_that_the_schema_needs_cannot_be_deleted(
    ask: Any, made: dict[str, Any], refusal: Callable[..., Any]
) -> None:
    answer = ask("DELETE", "/crm/v3/properties/car/model")
    body = refusal(answer)
    assert (answer.status, body["subCategory"], [each["message"] for each in body["errors"]]) == (
        400,
        "PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE",
        [
            "model is a primary display property of Car",
            "model is a required property of Car",
            "model is a searchable property of Car",
        ],
    )
    assert ask("DELETE", "/crm/v3/properties/car/price").status == 204


def test_delete_restore_purge(ask: Any, made: dict[str, Any], refusal: Callable[..., Any]) -> None:
    id = ask.made("car", model="T")
    answer = ask("DELETE", f"{URL}/car")
    assert (answer.status, refusal(answer)["subCategory"]) == (
        400,
        "ObjectSchemaError.EXISTING_OBJECT_RECORDS",
    )
    assert ask("DELETE", f"/crm/v3/objects/car/{id}").status == 204
    assert ask("DELETE", f"{URL}/car").status == 204
    assert ask.get(f"{URL}/car").status == ask("DELETE", f"{URL}/car").status == 404
    assert ask.get("/crm/v3/objects/car").status == 400
    assert ask.get(f"{URL}/car?archived=true").json()["archived"] is True
    assert [each["name"] for each in ask.get(f"{URL}?archived=true").json()["results"]] == ["Car"]
    assert ask.get(URL).json() == {"results": []}
    # Back under its name, with its properties and associations.
    back = ask.post(URL, car())
    assert (back.status, back.json()["objectTypeId"]) == (201, made["objectTypeId"])
    assert back.json()["associations"] == made["associations"]
    assert {each["name"] for each in back.json()["properties"]} >= {"model", "vin", "price"}
    assert ask("DELETE", f"{URL}/car?archived=true").status == 204
    assert ask.get(f"{URL}?archived=true").json() == {"results": []}
    anew = ask.post(URL, car(properties=[text("model")]))
    assert anew.status == 201 and anew.json()["objectTypeId"] != made["objectTypeId"]
    assert "vin" not in {each["name"] for each in anew.json()["properties"]}
    assert ask.get("/crm/v3/objects/car?archived=true").json() == {"results": []}
    # Nor are the old associations back, however the definitions are looked at.
    ask.portal.restore(ask.portal.snapshot())
    assert ask.get(f"{URL}/car").json() == anew.json()
    assert len(anew.json()["associations"]) == len(made["associations"])


def test_an_archived_schema_is_purged_as_well(ask: Any, made: dict[str, Any]) -> None:
    assert ask("DELETE", f"{URL}/car").status == 204
    assert ask("DELETE", f"{URL}/car?archived=true").status == 204
    anew = ask.post(URL, car()).json()
    ask.portal.restore(ask.portal.snapshot())
    assert ask.get(f"{URL}/car").json()["associations"] == anew["associations"]
    assert len(anew["associations"]) == len(made["associations"])


def test_a_custom_object_of_a_pulled_schema(clock: Any, asker: Any) -> None:
    bundled = catalog.bundled("hubspot")
    contacts = bundled.object_types["contacts"]
    native = {"type": "string", "fieldType": "text", "groupName": "pet_information"}
    pet = ObjectType(
        name="p7_pet",
        label="Pet",
        plural="Pets",
        singular="pet",
        type_id="2-77",
        fields={"name": Field("name", "Name", FieldKind.STRING, custom=True, native=native)},
        required_any=(("name",),),
        associations=(Association("contacts", 91, "USER_DEFINED", inverse=92),),
        custom=True,
        display_field="name",
    )
    back = Association("p7_pet", 92, "USER_DEFINED", inverse=91)
    contacts = replace(contacts, associations=(*contacts.associations, back))
    types = {**bundled.object_types, "contacts": contacts, pet.name: pet}
    portal = Portal(clock=clock, schema=replace(bundled, object_types=types))
    try:
        ask = asker(portal, portal.hubspot.tokens()["seeder"])
        [schema] = ask.get(URL).json()["results"]
        assert (schema["fullyQualifiedName"], schema["name"], schema["id"]) == ("p7_pet", "pet", "77")
        assert {each["id"] for each in schema["associations"]} == {"91", "92"}
        assert ask("PATCH", f"{URL}/pet", {"labels": {"singular": "Animal"}}).status == 200
        id = ask.made("pet", name="Rex")
        linked = f"/crm/v4/objects/pet/{id}/associations/default/contacts/{ask.contact()}"
        assert ask("PUT", linked).status == 200
        ask("DELETE", f"/crm/v3/objects/pet/{id}")
        assert ask("DELETE", f"{URL}/2-77").status == 204
        spec = {"associationCategory": "USER_DEFINED", "associationTypeId": 92}
        body = {"properties": {"firstname": "A"}, "associations": [{"to": {"id": id}, "types": [spec]}]}
        assert ask.post("/crm/v3/objects/contacts", body).status == 400
        assert ask("DELETE", f"{URL}/2-77?archived=true").status == 204
        portal.restore(portal.snapshot())
        assert ask.get(URL).json() == ask.get(f"{URL}?archived=true").json() == {"results": []}
        portal.reset()
        assert [each["name"] for each in ask.get(URL).json()["results"]] == ["pet"]
    finally:
        portal.close()


def test_associations_of_a_schema(ask: Any, made: dict[str, Any], refusal: Callable[..., Any]) -> None:
    ends = {"fromObjectTypeId": made["objectTypeId"], "toObjectTypeId": "0-3"}
    answer = ask.post(f"{URL}/car/associations", {**ends, "name": "sold_by"})
    assert answer.status == 201
    association = answer.json()
    assert {**association, "id": None, "createdAt": None, "updatedAt": None} == {
        **ends,
        "name": "sold_by",
        "id": None,
        "createdAt": None,
        "updatedAt": None,
    }
    labels = ask.get(f"/crm/v4/associations/car/{'deals'}/labels").json()["results"]
    assert labels == [{"category": "USER_DEFINED", "typeId": int(association["id"]), "label": None}]
    again = ask.post(f"{URL}/car/associations", {**ends, "name": "sold_by"})
    message = "Association definition named sold_by already exists for portal"
    assert (again.status, refusal(again)["message"]) == (400, message)
    elsewhere = {"fromObjectTypeId": "0-1", "toObjectTypeId": "0-3"}
    assert ask.post(f"{URL}/car/associations", elsewhere).status == 400
    assert ask("DELETE", f"{URL}/car/associations/{association['id']}").status == 204
    assert ask.get("/crm/v4/associations/car/deals/labels").json() == {"results": []}
    assert ask.get("/crm/v4/associations/deals/car/labels").json() == {"results": []}


def test_schemas_of_hubspots_own_objects(ask: Any, refusal: Callable[..., Any]) -> None:
    contacts = ask.get(f"{URL}/contacts").json()
    assert (contacts["objectTypeId"], contacts["name"]) == ("0-1", "CONTACT")
    names = {(each["toObjectTypeId"], each["name"]) for each in contacts["associations"]}
    assert ("0-2", "contact_to_company") in names
    answer = ask("PATCH", f"{URL}/contacts", {})
    message = "contacts is no custom object; its schema cannot be changed."
    assert (answer.status, refusal(answer)["message"]) == (400, message)
    answer = ask.get(f"{URL}/nope")
    assert (answer.status, refusal(answer)["category"]) == (404, "OBJECT_NOT_FOUND")
    assert ask.get(f"{URL}/carts").status == 501


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", URL, "crm.schemas.custom.read"),
        ("GET", f"{URL}/car", "crm.objects.custom.read"),
        ("POST", URL, "crm.schemas.custom.write"),
        ("DELETE", f"{URL}/car", "crm.schemas.custom.write"),
        ("POST", "/crm/v3/properties/car", "crm.schemas.custom.write"),
        ("POST", "/crm/v3/objects/car", "crm.objects.custom.write"),
    ],
)
def test_scopes(ask: Any, made: dict[str, Any], method: str, path: str, scope: str) -> None:
    ask.token = ask.portal.hubspot.issue(name="n", scopes=["crm.objects.deals.write"])
    assert ask(method, path, {} if method == "POST" else None).status == 403
    ask.token = ask.portal.hubspot.issue(name="n", scopes=[scope])
    assert ask(method, path, {} if method == "POST" else None).status != 403


def test_pipelines_of_a_custom_object(ask: Any, made: dict[str, Any]) -> None:
    stages = [{"label": "New", "displayOrder": 0}, {"label": "Sold", "metadata": {"isClosed": True}}]
    answer = ask.post("/crm/v3/pipelines/car", {"label": "Sales", "displayOrder": 0, "stages": stages})
    assert answer.status == 201
    pipeline = answer.json()
    assert [each["metadata"] for each in pipeline["stages"]] == [{"isClosed": "false"}, {"isClosed": "true"}]
    id = ask.made("car", model="T", hs_pipeline_stage=pipeline["stages"][0]["id"])
    record = ask.get(f"/crm/v3/objects/car/{id}?properties=hs_pipeline").json()
    assert record["properties"]["hs_pipeline"] == pipeline["id"]


def test_definitions_stay_in_a_file_and_belong_to_one_portal(tmp_path: Path, asker: Any) -> None:
    file = tmp_path / "portal.db"
    for _ in range(2):
        portal = Portal(Store(file), behaviour=Behaviour())
        ask = asker(portal, portal.hubspot.tokens()["seeder"])
        schema = ask.post(URL, car()).json()
        assert len(ask.get(URL).json()["results"]) == 1
        assert ask.post("/crm/v3/objects/car", {"properties": {"model": "T"}}).status == 201
        portal.close()
    assert schema["objectTypeId"].startswith("2-")
    other = Portal(behaviour=Behaviour())
    try:
        assert asker(other, other.hubspot.tokens()["seeder"]).get(URL).json() == {"results": []}
    finally:
        other.close()


def test_a_reset_and_a_snapshot_take_definitions_along(portal: Portal, ask: Any) -> None:
    before = portal.snapshot()
    assert portal.hubspot.stock
    ask.post(URL, car())
    assert not portal.hubspot.stock and FULL in portal.hubspot.live_counts()
    after = portal.snapshot()
    portal.restore(before)
    assert portal.hubspot.stock and ask.get("/crm/v3/objects/car").status == 400
    portal.restore(after)
    assert ask.get("/crm/v3/objects/car").status == 200
    portal.reset()
    assert portal.hubspot.stock and ask.get(URL).json() == {"results": []}
