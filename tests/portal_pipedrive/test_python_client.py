"""The Python client that most people have, which knows v1 alone, is served by the local portal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pipedrive import exceptions
from pipedrive.client import Client

from pytest_crmseed import LocalPortal
from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour


@pytest.fixture
def client() -> Iterator[Client]:
    own = PipedriveBehaviour(v1_crud=True)
    with LocalPortal(behaviour=Behaviour(pipedrive=own)) as portal:
        client = Client(domain=portal.base_url)
        client.set_api_token(portal.tokens("pipedrive")["application"])
        yield client


def made(answer: Any) -> int:
    assert answer["success"] is True
    id = answer["data"]["id"]
    assert isinstance(id, int)
    return id


def test_records_come_and_go(client: Client) -> None:
    organization = made(client.organizations.create_organization({"name": "Acorn"}))
    person = made(
        client.persons.create_person({"name": "Ann", "email": "a@example.com", "org_id": organization})
    )
    deal = made(client.deals.create_deal({"title": "D", "person_id": person, "org_id": organization}))
    product = made(client.products.create_product({"name": "P"}))
    activity = made(client.activities.create_activity({"subject": "A", "type": "call", "deal_id": deal}))
    note = made(client.notes.create_note({"content": "N", "deal_id": deal}))
    lead = client.leads.create_lead({"title": "L", "person_id": person})["data"]["id"]
    client.deals.add_product_to_deal(deal, {"product_id": product, "item_price": 5, "quantity": 1})
    assert client.deals.get_deal(deal)["data"]["value"] == 5
    assert client.deals.update_deal(deal, {"title": "E"})["data"]["title"] == "E"
    assert client.persons.update_person(person, {"name": "Eve"})["data"]["name"] == "Eve"
    assert client.organizations.update_organization(organization, {"name": "B"})["data"]["name"] == "B"
    assert client.products.update_product(product, {"name": "Q"})["data"]["name"] == "Q"
    assert client.activities.update_activity(activity, {"done": 1})["data"]["done"] is True
    assert client.notes.update_note(note, {"content": "M"})["data"]["content"] == "M"
    assert client.leads.update_lead(lead, {"title": "K"})["data"]["title"] == "K"
    for answer, id in (
        (client.deals.get_all_deals(), deal),
        (client.persons.get_all_persons(), person),
        (client.organizations.get_all_organizations(), organization),
        (client.products.get_all_products(), product),
        (client.activities.get_all_activities(), activity),
        (client.notes.get_all_notes(), note),
        (client.leads.get_all_leads(), lead),
        (client.persons.get_person_deals(person), deal),
        (client.deals.get_deal_activities(deal), activity),
        (client.organizations.get_organization_persons(organization), person),
        (client.products.get_product_deal(product), deal),
    ):
        assert [each["id"] for each in answer["data"]] == [id]
    assert len(client.deals.get_deal_products(deal)["data"]) == 1
    client.notes.delete_note(note)
    client.leads.delete_lead(lead)
    client.activities.delete_activity(activity)
    client.deals.delete_deal(deal)
    client.products.delete_product(product)
    client.persons.delete_person(person)
    client.organizations.delete_organization(organization)
    assert client.deals.get_all_deals()["data"] == []
    with pytest.raises(exceptions.NotFoundError, match="requested lead not found"):
        client.leads.get_lead(lead)


def test_search_and_look_ups(client: Client) -> None:
    id = made(client.deals.create_deal({"title": "Acorn"}))
    for search in (client.deals.search_deals, client.items.get_item_search):
        assert [each["item"]["id"] for each in search({"term": "acorn"})["data"]["items"]] == [id]
    assert client.persons.search_persons({"term": "acorn"})["data"]["items"] == []
    assert client.users.get_me()["data"]["company_domain"] == "local-portal-sandbox"
    assert len(client.users.get_all_users()["data"]) == 3
    assert client.pipelines.get_pipeline(1)["data"]["name"] == "Pipeline"
    assert [each["id"] for each in client.pipelines.get_pipeline_deals(1)["data"]] == [id]
    # Its calls to make and change a stage fail before a request is sent.
    assert client.stages.get_stage(1)["data"]["pipeline_name"] == "Pipeline"
    assert len(client.stages.get_all_stages({"pipeline_id": 1})["data"]) == 5
    client.stages.delete_stage(1)
    for fields in (
        client.deals.get_deal_fields,
        client.persons.get_person_fields,
        client.organizations.get_organization_fields,
        client.products.get_product_fields,
        client.activities.get_activity_fields,
        client.notes.get_note_fields,
    ):
        assert fields()["data"]


def test_refusals_become_its_exceptions(client: Client) -> None:
    with pytest.raises(exceptions.BadRequestError, match="Deal title must be given"):
        client.deals.create_deal({})
    with pytest.raises(exceptions.NotFoundError, match="Deal not found"):
        client.deals.get_deal(5)
    client.set_api_token("0" * 40)
    with pytest.raises(exceptions.UnauthorizedError, match="unauthorized access"):
        client.deals.get_all_deals()


def test_by_default_what_v1_has_lost_is_gone() -> None:
    with LocalPortal() as portal:
        client = Client(domain=portal.base_url)
        client.set_api_token(portal.tokens("pipedrive")["application"])
        with pytest.raises(exceptions.GoneError, match="no longer available"):
            client.deals.get_all_deals()
        assert client.leads.get_all_leads()["data"] == []
