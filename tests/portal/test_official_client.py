"""HubSpot's own Python client against the portal: a witness that neither side of this project wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm import associations
from hubspot.crm.associations import v4
from hubspot.crm.companies import SimplePublicObjectInputForCreate as CompanyInput
from hubspot.crm.contacts import (
    ApiException,
    AssociationSpec,
    BatchInputSimplePublicObjectBatchInput,
    BatchInputSimplePublicObjectBatchInputForCreate,
    BatchInputSimplePublicObjectBatchInputUpsert,
    BatchInputSimplePublicObjectId,
    BatchReadInputSimplePublicObjectId,
    BatchResponseSimplePublicObject,
    BatchResponseSimplePublicObjectWithErrors,
    Filter,
    FilterGroup,
    PublicAssociationsForObject,
    PublicGdprDeleteInput,
    PublicMergeInput,
    PublicObjectId,
    PublicObjectSearchRequest,
    SimplePublicObjectBatchInput,
    SimplePublicObjectBatchInputForCreate,
    SimplePublicObjectBatchInputUpsert,
    SimplePublicObjectId,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)
from hubspot.crm.properties import PropertyCreate

from pytest_crmseed.portal import Behaviour, LocalPortal


@pytest.fixture(params=[False, True], ids=["plain", "shuffled"])
def local(request: pytest.FixtureRequest) -> Iterator[LocalPortal]:
    free = Behaviour(shuffle_results=request.param, echo_trace_id=not request.param)
    with LocalPortal(behaviour=free) as portal:
        yield portal


@pytest.fixture
def client(local: LocalPortal) -> Any:
    return HubSpot(access_token=local.token, host=local.base_url, base_url=local.base_url)


@pytest.fixture
def contacts(client: Any) -> Any:
    return client.crm.contacts


@pytest.fixture
def company(client: Any) -> str:
    made = client.crm.companies.basic_api.create(CompanyInput(properties={"name": "Acorn"}))
    return str(made.id)


def contact(contacts: Any, **properties: str) -> str:
    made = contacts.basic_api.create(SimplePublicObjectInputForCreate(properties=properties))
    return str(made.id)


def test_create_with_an_association_and_read_it_back(contacts: Any, company: str) -> None:
    made = contacts.basic_api.create(
        SimplePublicObjectInputForCreate(
            properties={"email": "A@example.com"},
            associations=[
                PublicAssociationsForObject(
                    to=PublicObjectId(id=company),
                    types=[AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=279)],
                )
            ],
        )
    )
    assert made.properties["email"] == "a@example.com"
    assert made.created_at == made.updated_at
    read = contacts.basic_api.get_by_id(
        made.id, properties=["email", "firstname"], associations=["companies"], archived=False
    )
    assert (read.properties["email"], read.properties["firstname"]) == ("a@example.com", None)
    assert [(each.id, each.type) for each in read.associations["companies"].results] == [
        (company, "contact_to_company_unlabeled")
    ]


def test_read_update_archive(contacts: Any) -> None:
    id = contact(contacts, email="a@example.com")
    assert contacts.basic_api.get_by_id("a@example.com", id_property="email").id == id
    changed = contacts.basic_api.update(id, SimplePublicObjectInput(properties={"firstname": "B"}))
    assert changed.properties["firstname"] == "B"
    assert contacts.basic_api.archive(id) is None
    with pytest.raises(ApiException) as gone:
        contacts.basic_api.get_by_id(id)
    assert gone.value.status == 404
    assert json.loads(gone.value.body)["message"] == "resource not found"
    assert contacts.basic_api.get_by_id(id, archived=True).archived


def test_pages(contacts: Any) -> None:
    ids = [contact(contacts, firstname=str(number)) for number in range(12)]
    first = contacts.basic_api.get_page(limit=10)
    rest = contacts.basic_api.get_page(limit=10, after=first.paging.next.after)
    assert [record.id for record in first.results + rest.results] == ids
    assert rest.paging is None
    assert [record.id for record in contacts.get_all()] == ids


def test_batch_create_in_full_and_in_part(contacts: Any) -> None:
    def create(*properties: dict[str, str]) -> Any:
        return contacts.batch_api.create(
            BatchInputSimplePublicObjectBatchInputForCreate(
                inputs=[
                    SimplePublicObjectBatchInputForCreate(
                        associations=[], object_write_trace_id=f"x{number}", properties=each
                    )
                    for number, each in enumerate(properties)
                ]
            )
        )

    full = create({"email": "a@example.com"}, {"email": "b@example.com"})
    assert type(full) is BatchResponseSimplePublicObject
    assert {record.properties["email"] for record in full.results} == {"a@example.com", "b@example.com"}
    part = create({"email": "c@example.com"}, {"nope": "x"}, {"email": "a@example.com"})
    assert type(part) is BatchResponseSimplePublicObjectWithErrors
    assert (len(part.results), part.num_errors) == (1, 2)
    assert [(error.category, error.context["objectWriteTraceId"]) for error in part.errors] == [
        ("VALIDATION_ERROR", ["x1"]),
        ("CONFLICT", ["x2"]),
    ]


def test_batch_read_with_missing_records(contacts: Any) -> None:
    id = contact(contacts, email="a@example.com")
    answer = contacts.batch_api.read(
        BatchReadInputSimplePublicObjectId(
            properties=["email"],
            properties_with_history=[],
            inputs=[SimplePublicObjectId(id=id), SimplePublicObjectId(id="7")],
        )
    )
    assert type(answer) is BatchResponseSimplePublicObjectWithErrors
    assert [record.id for record in answer.results] == [id]
    assert answer.errors[0].context == {"ids": ["7"]}


def test_batch_update_upsert_archive(contacts: Any, local: LocalPortal) -> None:
    id = contact(contacts, email="a@example.com")
    changed = contacts.batch_api.update(
        BatchInputSimplePublicObjectBatchInput(
            inputs=[SimplePublicObjectBatchInput(id=id, properties={"city": "Bled"})]
        )
    )
    assert changed.results[0].properties["city"] == "Bled"
    upserted = contacts.batch_api.upsert(
        BatchInputSimplePublicObjectBatchInputUpsert(
            inputs=[
                SimplePublicObjectBatchInputUpsert(
                    id=address, id_property="email", properties={"firstname": "A"}
                )
                for address in ("a@example.com", "b@example.com")
            ]
        )
    )
    assert sorted((record.properties["email"], record.new) for record in upserted.results if record.new) == [
        ("b@example.com", True)
    ]
    assert [record.id for record in upserted.results if not record.new] == [id]
    assert (
        contacts.batch_api.archive(BatchInputSimplePublicObjectId(inputs=[SimplePublicObjectId(id=id)]))
        is None
    )
    assert local.stats()["records"]["hubspot"]["contacts"] == 1


def test_refusals_come_as_exceptions_with_a_body(contacts: Any) -> None:
    id = contact(contacts, email="a@example.com")
    with pytest.raises(ApiException) as conflict:
        contact(contacts, email="a@example.com")
    assert conflict.value.status == 409
    assert json.loads(conflict.value.body)["message"] == f"Contact already exists. Existing ID: {id}"
    with pytest.raises(ApiException) as invalid:
        contact(contacts, emial="a@example.com")
    body = json.loads(invalid.value.body)
    assert (invalid.value.status, body["errors"][0]["code"]) == (400, "PROPERTY_DOESNT_EXIST")


def test_search(contacts: Any) -> None:
    ids = [contact(contacts, email=f"{name}@example.com") for name in "abc"]
    by_address = Filter(property_name="email", operator="EQ", value="a@example.com")
    found = contacts.search_api.do_search(
        PublicObjectSearchRequest(
            limit=10, properties=["email"], filter_groups=[FilterGroup(filters=[by_address])]
        )
    )
    assert (found.total, [record.id for record in found.results], found.paging) == (1, ids[:1], None)
    # What Node's client sends beside: a cursor and no sorts; and a sort as a text.
    page = contacts.search_api.do_search(PublicObjectSearchRequest(limit=2, after="0", sorts=["-createdate"]))
    assert (page.total, len(page.results), page.paging.next.after) == (3, 2, "2")
    linked = Filter(property_name="associations.company", operator="IN", values=["1", "2"])
    nobody = PublicObjectSearchRequest(filter_groups=[FilterGroup(filters=[linked])], query="b@example.com")
    assert contacts.search_api.do_search(nobody).total == 0
    with pytest.raises(ApiException) as refused:
        contacts.search_api.do_search(PublicObjectSearchRequest(limit=201))
    assert refused.value.status == 400


def test_history(contacts: Any) -> None:
    id = contact(contacts, firstname="A", city="Bled")
    contacts.basic_api.update(id, SimplePublicObjectInput(properties={"city": "Rome"}))
    read = contacts.basic_api.get_by_id(id, properties_with_history=["city"])
    assert [each.value for each in read.properties_with_history["city"]] == ["Rome", "Bled"]
    assert {each.source_type for each in read.properties_with_history["city"]} == {"INTEGRATION"}


def test_merge_and_gdpr_delete(contacts: Any) -> None:
    first, second = contact(contacts, email="a@example.com"), contact(contacts, email="b@example.com")
    merged = contacts.basic_api.merge(PublicMergeInput(primary_object_id=first, object_id_to_merge=second))
    assert (merged.id, merged.properties["hs_additional_emails"]) == (first, "b@example.com")
    assert contacts.basic_api.get_by_id(second).id == first
    assert contacts.basic_api.purge(PublicGdprDeleteInput(object_id=first)) is None
    with pytest.raises(ApiException) as gone:
        contacts.basic_api.get_by_id(first, archived=True)
    assert gone.value.status == 404


def test_associations_of_v3(client: Any, contacts: Any, company: str) -> None:
    id = contact(contacts, firstname="A")
    batch = client.crm.associations.batch_api
    pair = associations.PublicAssociation(
        _from=associations.PublicObjectId(id=id),
        to=associations.PublicObjectId(id=company),
        type="contact_to_company",
    )
    made = batch.create("contacts", "companies", associations.BatchInputPublicAssociation(inputs=[pair]))
    assert [(row._from.id, row.to.id, row.type) for row in made.results] == [
        (id, company, "contact_to_company")
    ]
    asked = associations.BatchInputPublicObjectId(inputs=[associations.PublicObjectId(id=id)])
    [row] = batch.read("contacts", "companies", asked).results
    assert {(each.id, each.type) for each in row.to} == {
        (company, "contact_to_company"),
        (company, "contact_to_company_unlabeled"),
    }
    types = client.crm.associations.schema.types_api.get_all("contacts", "companies").results
    assert {each.name for each in types} == {"contact_to_company", "contact_to_company_unlabeled"}
    assert (
        batch.archive("contacts", "companies", associations.BatchInputPublicAssociation(inputs=[pair]))
        is None
    )
    [row] = batch.read("contacts", "companies", asked).results
    assert [each.type for each in row.to] == ["contact_to_company_unlabeled"]


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("tickets", {"subject": "S", "hs_pipeline_stage": "1"}),
        ("products", {"name": "P"}),
        ("line_items", {"name": "L", "quantity": "2"}),
        ("objects.notes", {"hs_timestamp": "2026-01-01T00:00:00Z"}),
        ("objects.tasks", {"hs_timestamp": "2026-01-01T00:00:00Z"}),
    ],
)
def test_other_object_types(client: Any, name: str, properties: dict[str, str]) -> None:
    api = client.crm
    for part in name.split("."):
        api = getattr(api, part)
    made = api.basic_api.create(SimplePublicObjectInputForCreate(properties=properties))
    assert api.basic_api.get_by_id(made.id).id == made.id
    assert [record.id for record in api.search_api.do_search(PublicObjectSearchRequest()).results] == [
        made.id
    ]
    assert [record.id for record in api.basic_api.get_page().results] == [made.id]
    api.basic_api.archive(made.id)
    assert api.basic_api.get_page().results == []


def test_a_token_that_is_not_known_and_one_without_the_scope(local: LocalPortal) -> None:
    narrow = local.portal.hubspot.issue(name="narrow", scopes=["crm.objects.deals.read"])
    for token, status, category in [
        ("nope", 401, "INVALID_AUTHENTICATION"),
        (narrow, 403, "MISSING_SCOPES"),
    ]:
        client = HubSpot(access_token=token, host=local.base_url, base_url=local.base_url)
        with pytest.raises(ApiException) as refused:
            client.crm.contacts.basic_api.get_page()
        assert (refused.value.status, json.loads(refused.value.body)["category"]) == (status, category)


def test_associations(client: Any, contacts: Any, company: str) -> None:
    ids = [contact(contacts, firstname=str(number)) for number in range(2)]
    batch = client.crm.associations.v4.batch_api
    made = batch.create(
        "contacts",
        "companies",
        v4.BatchInputPublicAssociationMultiPost(
            inputs=[
                v4.PublicAssociationMultiPost(
                    types=[v4.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=1)],
                    _from=v4.PublicObjectId(id=ids[0]),
                    to=v4.PublicObjectId(id=company),
                )
            ]
        ),
    )
    assert made.results[0].labels == ["Primary"]
    default = batch.create_default(
        "contacts",
        "companies",
        v4.BatchInputPublicDefaultAssociationMultiPost(
            inputs=[
                v4.PublicDefaultAssociationMultiPost(
                    _from=v4.PublicObjectId(id=ids[1]), to=v4.PublicObjectId(id=company)
                )
            ]
        ),
    )
    assert default.results[0].association_spec.association_type_id == 279
    read = batch.get_page(
        "contacts",
        "companies",
        v4.BatchInputPublicFetchAssociationsBatchRequest(
            inputs=[v4.PublicFetchAssociationsBatchRequest(id=id) for id in (*ids, "7")]
        ),
    )
    assert type(read) is v4.BatchResponsePublicAssociationMultiWithLabelWithErrors
    found = {row._from.id: [each.type_id for each in row.to[0].association_types] for row in read.results}
    assert found == {ids[0]: [279, 1], ids[1]: [279]}
    assert read.errors[0].message == "No company is associated with contact 7."

    basic = client.crm.associations.v4.basic_api
    page = basic.get_page("companies", company, "contacts")
    assert sorted(str(row.to_object_id) for row in page.results) == sorted(ids)
    basic.archive("contacts", ids[0], "companies", company)
    batch.archive(
        "contacts",
        "companies",
        v4.BatchInputPublicAssociationMultiArchive(
            inputs=[
                v4.PublicAssociationMultiArchive(
                    _from=v4.PublicObjectId(id=ids[1]), to=[v4.PublicObjectId(id=company)]
                )
            ]
        ),
    )
    assert basic.get_page("companies", company, "contacts").results == []
    types = client.crm.associations.v4.schema.definitions_api.get_all("contacts", "companies").results
    assert [(each.type_id, each.label) for each in types] == [(279, None), (1, "Primary")]


def test_definitions_and_pipelines(client: Any) -> None:
    core = client.crm.properties.core_api
    names = {definition.name for definition in core.get_all("contacts").results}
    assert {"email", "crmseed_key", "hs_object_id"} <= names
    made = core.create(
        "contacts",
        PropertyCreate(
            name="tier", label="Tier", type="string", field_type="text", group_name="contactinformation"
        ),
    )
    assert core.get_by_name("contacts", "tier").label == made.label == "Tier"
    assert core.archive("contacts", "tier") is None
    [pipeline] = client.crm.pipelines.pipelines_api.get_all("deals").results
    assert [stage.metadata["isClosed"] for stage in pipeline.stages] == ["false"] * 5 + ["true"] * 2


def test_raw_requests(client: Any, local: LocalPortal) -> None:
    answer = client.api_request({"path": "/crm/v3/objects/deals", "qs": {"limit": 1}})
    assert (answer.status_code, answer.json()) == (200, {"results": []})
    assert local.requests[-1].query == "limit=1"
