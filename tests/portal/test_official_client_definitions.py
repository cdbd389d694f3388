"""HubSpot's own Python client on definitions: a witness that neither side of this project wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hubspot import HubSpot
from hubspot.crm.associations.v4.schema import (
    PublicAssociationDefinitionCreateRequest,
    PublicAssociationDefinitionUpdateRequest,
)
from hubspot.crm.objects import SimplePublicObjectInputForCreate
from hubspot.crm.pipelines import (
    PipelineInput,
    PipelinePatchInput,
    PipelineStageInput,
    PipelineStagePatchInput,
)
from hubspot.crm.properties import (
    ApiException,
    BatchInputPropertyCreate,
    BatchInputPropertyName,
    BatchReadInputPropertyName,
    OptionInput,
    PropertyCreate,
    PropertyGroupCreate,
    PropertyGroupUpdate,
    PropertyName,
    PropertyUpdate,
)
from hubspot.crm.schemas import ApiException as SchemaException
from hubspot.crm.schemas import (
    AssociationDefinitionEgg,
    ObjectSchemaEgg,
    ObjectTypeDefinitionLabels,
    ObjectTypeDefinitionPatch,
    ObjectTypePropertyCreate,
)

from pytest_crmseed.portal import LocalPortal

GROUP = "contactinformation"


@pytest.fixture
def local() -> Iterator[LocalPortal]:
    with LocalPortal() as portal:
        yield portal


@pytest.fixture
def client(local: LocalPortal) -> Any:
    return HubSpot(access_token=local.token, host=local.base_url, base_url=local.base_url)


def prop(name: str, **more: Any) -> PropertyCreate:
    return PropertyCreate(
        **{
            "name": name,
            "label": name.title(),
            "type": "string",
            "field_type": "text",
            "group_name": GROUP,
            **more,
        }
    )


def test_custom_objects(client: Any) -> None:
    api = client.crm.schemas.core_api
    egg = ObjectSchemaEgg(
        name="car",
        labels=ObjectTypeDefinitionLabels(singular="Car", plural="Cars"),
        primary_display_property="model",
        required_properties=["model"],
        searchable_properties=["model"],
        associated_objects=["CONTACT"],
        properties=[
            ObjectTypePropertyCreate(name="model", label="Model", type="string", field_type="text"),
            ObjectTypePropertyCreate(
                name="fuel",
                label="Fuel",
                type="enumeration",
                field_type="select",
                options=[OptionInput(label="Gas", value="gas", display_order=0, hidden=False)],
            ),
        ],
    )
    made = api.create(egg)
    assert made.fully_qualified_name == "p47010001_car" and made.created_at.year >= 2026
    assert [each.id for each in api.get_all().results] == [made.id]
    assert api.get_by_id("car").properties[-1].options[0].value == "gas"
    changed = api.update("car", ObjectTypeDefinitionPatch(labels=ObjectTypeDefinitionLabels(plural="Autos")))
    assert changed.labels.plural == "Autos"
    association = api.create_association(
        "car", AssociationDefinitionEgg(made.object_type_id, name="sold", to_object_type_id="0-3")
    )
    assert (association.to_object_type_id, association.name) == ("0-3", "sold")
    api.archive_association("car", association.id)
    record = client.crm.objects.basic_api.create(
        "car", SimplePublicObjectInputForCreate(properties={"model": "T", "fuel": "gas"}, associations=[])
    )
    assert client.crm.objects.get_all(made.object_type_id)[0].id == record.id
    with pytest.raises(SchemaException) as refused:
        api.archive("car")
    assert json.loads(refused.value.body)["subCategory"] == "ObjectSchemaError.EXISTING_OBJECT_RECORDS"
    client.crm.objects.basic_api.archive("car", record.id)
    api.archive("car")
    assert api.get_all().results == []
    assert api.get_all(archived=True).results[0].archived
    api.archive("car", archived=True)


def test_properties_and_groups(client: Any) -> None:
    api, batch, groups = (
        client.crm.properties.core_api,
        client.crm.properties.batch_api,
        client.crm.properties.groups_api,
    )
    group = groups.create("contacts", PropertyGroupCreate(name="pets", label="Pets", display_order=1))
    assert not group.archived
    assert [each.name for each in groups.get_all("contacts").results] == [GROUP, "pets"]
    assert groups.update("contacts", "pets", PropertyGroupUpdate(label="Zoo")).label == "Zoo"
    made = api.create("contacts", prop("cat", group_name="pets"))
    assert made.modification_metadata.archivable and made.has_unique_value is False
    assert api.update("contacts", "cat", PropertyUpdate(label="Tom")).label == "Tom"
    assert api.get_by_name("contacts", "cat").label == "Tom"
    with pytest.raises(ApiException) as refused:
        api.create("contacts", prop("cat"))
    assert refused.value.status == 409
    with pytest.raises(ApiException) as refused:
        groups.archive("contacts", "pets")
    assert "GROUP_WITH_ACTIVE_PROPERTIES" in json.loads(refused.value.body)["message"]
    api.archive("contacts", "cat")
    groups.archive("contacts", "pets")
    rows = BatchInputPropertyCreate(inputs=[prop("dog"), prop("email")])
    answer = batch.create("contacts", rows)
    assert [each.name for each in answer.results] == ["dog"] and answer.num_errors == 1
    names = [PropertyName("dog"), PropertyName("nope")]
    read = batch.read("contacts", BatchReadInputPropertyName(inputs=names, archived=False))
    assert read.num_errors == 1
    batch.archive("contacts", BatchInputPropertyName(inputs=names))
    assert [each.name for each in api.get_all("contacts", archived=True).results] == ["cat", "dog"]


def test_pipelines(client: Any) -> None:
    api, stages = client.crm.pipelines.pipelines_api, client.crm.pipelines.pipeline_stages_api

    def stage(label: str, probability: str) -> PipelineStageInput:
        return PipelineStageInput(label=label, display_order=0, metadata={"probability": probability})

    made = api.create(
        "deals", PipelineInput(label="Renewals", display_order=1, stages=[stage("A", "0.1"), stage("B", "1")])
    )
    assert [each.metadata["isClosed"] for each in made.stages] == ["false", "true"]
    assert len(api.get_all("deals").results) == 2
    assert api.update("deals", made.id, PipelinePatchInput(label="R")).label == "R"
    body = PipelineInput(label="S", display_order=0, stages=[stage("A", "0.2")])
    assert api.replace("deals", made.id, body).stages[0].id == made.stages[0].id
    added = stages.create("deals", made.id, stage("C", "0.3"))
    assert stages.get_by_id("deals", made.id, added.id).label == "C"
    assert stages.replace("deals", made.id, added.id, stage("D", "0.4")).label == "D"
    patch = PipelineStagePatchInput(label="E", metadata={"probability": "0"})
    assert stages.update("deals", made.id, added.id, patch).metadata["isClosed"] == "true"
    assert len(stages.get_all("deals", made.id).results) == 2
    stages.archive("deals", made.id, added.id)
    api.archive("deals", made.id, validate_references_before_delete=True)
    assert len(api.get_all("deals").results) == 1


def test_labels(client: Any) -> None:
    api = client.crm.associations.v4.schema.definitions_api
    body = PublicAssociationDefinitionCreateRequest(label="Boss", name="boss", inverse_label="Report")
    there, back = api.create("contacts", "companies", body).results
    assert (there.category, there.label, back.label) == ("USER_DEFINED", "Boss", "Report")
    change = PublicAssociationDefinitionUpdateRequest(association_type_id=there.type_id, label="Chief")
    api.update("contacts", "companies", change)
    found = {each.type_id: each.label for each in api.get_all("contacts", "companies").results}
    assert found[there.type_id] == "Chief"
    api.remove("contacts", "companies", there.type_id)
    assert there.type_id not in {each.type_id for each in api.get_all("contacts", "companies").results}


def test_owners(client: Any) -> None:
    assert [each.email for each in client.crm.owners.get_all()] == [
        "olive.owner@example.com",
        "sam.seller@example.com",
    ]
    api = client.crm.owners.owners_api
    assert api.get_by_id(70000002, id_property="userId").first_name == "Sam"
    assert api.get_page(archived=True).results[0].user_id is None


def test_oauth(client: Any, local: LocalPortal) -> None:
    back = "http://127.0.0.1:9/"
    query = {"client_id": "app", "redirect_uri": back, "scope": "crm.objects.contacts.read"}
    answer = requests.get(
        f"{local.base_url}/oauth/authorize", params=query, allow_redirects=False, timeout=30
    )
    [code] = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
    app = {"client_id": "app", "client_secret": "s", "redirect_uri": back}
    api = client.oauth.tokens_api
    got = api.create(grant_type="authorization_code", code=code, **app)
    assert (got.token_type, got.expires_in) == ("bearer", 1800)
    fresh = api.create(grant_type="refresh_token", refresh_token=got.refresh_token, **app)
    info = client.oauth.access_tokens_api.get(fresh.access_token)
    assert info.hub_id == 47010001 and "crm.objects.contacts.read" in info.scopes
    assert client.oauth.refresh_tokens_api.get(got.refresh_token).client_id == "app"
    signed_in = HubSpot(access_token=fresh.access_token, host=local.base_url, base_url=local.base_url)
    assert signed_in.crm.contacts.basic_api.get_page().results == []
    client.oauth.refresh_tokens_api.archive(got.refresh_token)
    local.clock.advance(1_801)
    with pytest.raises(Exception, match="EXPIRED_AUTHENTICATION"):
        signed_in.crm.contacts.basic_api.get_page()
