"""HubSpot's new Python SDK against the portal: a witness for the dated paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_crmseed.portal import LocalPortal

hubspot_sdk = pytest.importorskip("hubspot_sdk", reason="HubSpot's SDK (hubspot-sdk) is not installed")


@pytest.fixture
def local() -> Iterator[LocalPortal]:
    with LocalPortal() as portal:
        yield portal


@pytest.fixture
def crm(local: LocalPortal) -> Iterator[Any]:
    with hubspot_sdk.HubSpot(access_token=local.token, base_url=local.base_url, max_retries=0) as client:
        yield client.crm


def contact(crm: Any, **properties: str) -> str:
    made = crm.objects.contacts.create(properties=properties, associations=[])
    return str(made.id)


def test_single_records_and_pages(crm: Any, local: LocalPortal) -> None:
    id = contact(crm, email="A@example.com")
    assert local.requests[-1].path == "/crm/objects/2026-03/contacts"
    read = crm.objects.contacts.get("a@example.com", id_property="email", properties=["email", "city"])
    assert (read.id, read.properties["email"], read.properties["city"]) == (id, "a@example.com", None)
    assert crm.objects.contacts.update(id, properties={"city": "Bled"}).properties["city"] == "Bled"
    for number in range(11):
        contact(crm, firstname=str(number))
    assert len(list(crm.objects.contacts.list(limit=5))) == 12
    crm.objects.contacts.delete(id)
    with pytest.raises(hubspot_sdk.NotFoundError):
        crm.objects.contacts.get(id)


def test_a_conflict(crm: Any) -> None:
    id = contact(crm, email="a@example.com")
    with pytest.raises(hubspot_sdk.ConflictError, match=f"Existing ID: {id}"):
        contact(crm, email="a@example.com")


def test_batches(crm: Any) -> None:
    batch = crm.objects.contacts.batch
    made = batch.create(
        inputs=[
            {
                "properties": {"email": f"{name}@example.com"},
                "associations": [],
                "object_write_trace_id": name,
            }
            for name in "ab"
        ]
    )
    ids = {record.properties["email"]: record.id for record in made.results}
    assert set(ids) == {"a@example.com", "b@example.com"}
    read = batch.get(
        inputs=[{"id": address} for address in ids],
        id_property="email",
        properties=["email"],
        properties_with_history=["email"],
    )
    assert {record.id for record in read.results} == set(ids.values())
    upserted = batch.upsert(
        inputs=[
            {"id": address, "id_property": "email", "properties": {"city": "Bled"}}
            for address in ("a@example.com", "c@example.com")
        ]
    )
    assert {record.properties["email"]: record.new for record in upserted.results if record.new} == {
        "c@example.com": True
    }
    batch.update(inputs=[{"id": ids["a@example.com"], "properties": {"city": "Rome"}}])
    batch.delete(inputs=[{"id": id} for id in ids.values()])
    assert [each.properties["email"] for each in crm.objects.contacts.list()] == ["c@example.com"]


def test_search_merge_and_gdpr_delete(crm: Any) -> None:
    contacts = crm.objects.contacts
    first, second = contact(crm, email="a@example.com"), contact(crm, email="b@example.com")
    found = contacts.search(
        after="0",
        limit=10,
        properties=["email"],
        sorts=["-createdate"],
        filter_groups=[
            {"filters": [{"property_name": "email", "operator": "CONTAINS_TOKEN", "value": "*@example.com"}]}
        ],
    )
    assert (found.total, [record.id for record in found.results]) == (2, [second, first])
    assert contacts.merge(primary_object_id=first, object_id_to_merge=second).id == first
    contacts.gdpr_delete(object_id="b@example.com", id_property="email")
    assert list(contacts.list()) == []


def test_associations(crm: Any) -> None:
    person = contact(crm, firstname="A")
    company = crm.objects.companies.create(properties={"name": "Acorn"}, associations=[]).id
    pair = {"from_object_type": "contacts", "to_object_type": "companies"}
    crm.associations.batch.create_default(**pair, inputs=[{"from": {"id": person}, "to": {"id": company}}])
    read = crm.associations.batch.get(**pair, inputs=[{"id": person}])
    [row] = read.results
    assert [str(each.to_object_id) for each in row.to] == [company]
    page = crm.associations.list("companies", object_type="contacts", object_id=person)
    assert [str(each.to_object_id) for each in page] == [company]
    crm.associations.batch.delete(**pair, inputs=[{"from": {"id": person}, "to": [{"id": company}]}])
    assert list(crm.associations.list("companies", object_type="contacts", object_id=person)) == []
