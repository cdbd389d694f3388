"""Every object type: spellings, generations of paths, system properties, scopes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_crmseed.portal import Portal
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.model import Field, Group, Kind, ObjectType

WHEN = "2026-01-01T00:00:00Z"
NEEDED: dict[str, dict[str, str]] = {
    "contacts": {"firstname": "A"},
    "companies": {"name": "A"},
    "deals": {"dealname": "A", "dealstage": "qualifiedtobuy"},
    "tickets": {"subject": "A", "hs_pipeline_stage": "1"},
    "products": {"name": "A"},
    "line_items": {"name": "A", "quantity": "2"},
    "orders": {"hs_order_name": "A"},
    "leads": {"hs_lead_name": "A"},
    "quotes": {"hs_title": "A", "hs_expiration_date": "2026-01-01"},
    "notes": {"hs_timestamp": WHEN},
    "tasks": {"hs_timestamp": WHEN},
    "calls": {"hs_timestamp": WHEN},
    "meetings": {"hs_timestamp": WHEN},
    "emails": {"hs_timestamp": WHEN, "hs_email_direction": "EMAIL"},
}
BASES = [
    "/crm/v3/objects",
    "/crm/objects/v3",
    "/crm/objects/2025-09",
    "/crm/objects/2026-03",
    "/crm/objects/2026-09",
]


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_a_life_under_every_spelling_and_generation(ask: Any, name: str) -> None:
    object_type = catalog.bundled("hubspot").object_types[name]
    made = ask.post(f"/crm/v3/objects/{name}", {"properties": NEEDED[name]})
    assert made.status == 201, made.body
    id = made.json()["id"]
    created = "createdate" if "createdate" in object_type.fields else "hs_createdate"
    modified = "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"
    for base in BASES:
        for spelling in (name, name.upper(), object_type.singular, object_type.type_id):
            read = ask.get(f"{base}/{spelling}/{id}")
            assert read.status == 200, (base, spelling, read.body)
            record = read.json()
            assert record["properties"][created] == record["properties"][modified] == record["createdAt"]
            assert record["url"].endswith(f"/record/{object_type.type_id}/{id}")
        assert [each["id"] for each in ask.get(f"{base}/{name}").json()["results"]] == [id]
        assert [each["id"] for each in ask.post(f"{base}/{name}/search", {}).json()["results"]] == [id]
    changed = {name: value for name, value in NEEDED[name].items() if value == "A"} or NEEDED[name]
    answer = ask("PATCH", f"/crm/objects/2026-03/{object_type.type_id}/{id}", {"properties": changed})
    assert answer.status == 200, answer.body
    assert ask.post(f"/crm/v3/objects/{name}/batch/archive", {"inputs": [{"id": id}]}).status == 204
    assert ask.get(f"/crm/v3/objects/{name}/{id}").status == 404
    assert ask.get(f"/crm/v3/objects/{name}/{id}?archived=true").json()["archived"]


@pytest.mark.parametrize("name", sorted(set(NEEDED) - {"products", "line_items"}))
def test_required_properties(ask: Any, refusal: Any, name: str) -> None:
    answer = ask.post(f"/crm/v3/objects/{name}", {"properties": {}})
    body = refusal(answer)
    noun = catalog.bundled("hubspot").object_types[name].singular.upper()
    assert (answer.status, body["message"]) == (
        400,
        f"Error creating {noun}. Some required properties were not set.",
    )
    assert body["context"]["properties"]


@pytest.mark.parametrize(
    ("name", "read", "write"),
    [
        ("contacts", "crm.objects.contacts.read", "crm.objects.contacts.write"),
        ("tickets", "tickets", "tickets"),
        ("products", "e-commerce", "crm.objects.products.write"),
        ("line_items", "crm.objects.line_items.read", "e-commerce"),
        ("orders", "crm.objects.orders.read", "crm.objects.orders.write"),
        ("notes", "crm.objects.contacts.read", "crm.objects.contacts.write"),
        ("tasks", "crm.objects.contacts.read", "crm.objects.contacts.write"),
    ],
)
def test_scopes(portal: Any, asker: Any, name: str, read: str, write: str) -> None:
    def statuses(*scopes: str) -> list[int]:
        ask = asker(portal, portal.hubspot.issue(name="x", scopes=list(scopes)))
        path = f"/crm/v3/objects/{name}"
        return [
            ask.get(path).status,
            ask.post(f"{path}/search", {}).status,
            ask.post(f"{path}/batch/read", {"inputs": [{"id": "1"}]}).status,
            ask.post(path, {"properties": NEEDED[name]}).status,
            ask.post(f"{path}/batch/archive", {"inputs": [{"id": "1"}]}).status,
        ]

    assert statuses("crm.objects.deals.read") == [403] * 5
    both = read in (write, "e-commerce")
    assert statuses(read) == [200, 200, 207, *((201, 204) if both else (403, 403))]
    assert statuses(write)[3:] == [201, 204]


def test_a_custom_object_type_of_a_pulled_schema(clock: Any, asker: Any) -> None:
    bundled = catalog.bundled("hubspot")
    pet = ObjectType(
        name="2-77",
        label="Pet",
        plural="Pets",
        singular="pet",
        type_id="2-77",
        fields={
            "name": _field("name", Kind.STRING, "string", "text"),
            "weight": _field("weight", Kind.DECIMAL, "number", "number"),
        },
        groups=(Group("pet_information", "Pet information"),),
        required_any=(("name",),),
        custom=True,
        display_field="name",
    )
    portal = Portal(
        clock=clock, schema=replace(bundled, object_types={**bundled.object_types, pet.name: pet})
    )
    try:
        ask = asker(portal, portal.hubspot.issue(name="x", scopes=["crm.objects.custom.write"]))
        made = [ask.made("2-77", name=name, weight=weight) for name, weight in (("Rex", "3"), ("Tom", "20"))]
        assert ask.get(f"/crm/v3/objects/pet/{made[0]}").status == 403
        ask = asker(portal, portal.hubspot.tokens()["seeder"])
        assert ask.get(f"/crm/v3/objects/PET/{made[0]}").json()["id"] == made[0]
        heavy = {"propertyName": "weight", "operator": "GT", "value": "9"}
        for body in ({"filterGroups": [{"filters": [heavy]}]}, {"query": "tom"}):
            found = ask.post("/crm/v3/objects/2-77/search", body).json()["results"]
            assert [each["id"] for each in found] == made[1:]
        body = {"primaryObjectId": made[0], "objectIdToMerge": made[1]}
        assert ask.post("/crm/objects/2026-03/2-77/merge", body).json()["properties"]["name"] == "Rex"
    finally:
        portal.close()


def _field(name: str, kind: Kind, type: str, field_type: str) -> Field:
    native = {"type": type, "fieldType": field_type, "groupName": "pet_information"}
    return Field(name, name.title(), kind, group="pet_information", custom=True, native=native)


def test_a_merge_and_a_gdpr_delete_need_the_scope_to_write(portal: Any, asker: Any) -> None:
    ask = asker(portal, portal.hubspot.issue(name="x", scopes=["crm.objects.contacts.read"]))
    for call in ("merge", "gdpr-delete"):
        answer = ask.post(f"/crm/v3/objects/contacts/{call}", {})
        assert (answer.status, answer.json()["errors"][0]["context"]) == (
            403,
            {"requiredGranularScopes": ["crm.objects.contacts.write"]},
        )


def test_batch_creates_of_2025_09_answer_200(ask: Any) -> None:
    for base, status in zip(BASES, (201, 201, 200, 201, 201), strict=True):
        answer = ask.post(f"{base}/products/batch/create", {"inputs": [{"properties": {"name": "A"}}]})
        assert answer.status == status
