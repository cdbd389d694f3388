"""Every object type of HubSpot, seeded into the local portal, read back, and removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from pytest_crmseed import LocalPortal, Seeder, count, ref
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.records import Record

OBJECT_TYPES = list(HubSpot.legend.objects)


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalPortal]:
    monkeypatch.chdir(tmp_path)
    with LocalPortal() as portal:
        yield portal


def live(portal: LocalPortal) -> dict[str, int]:
    counts = portal.stats()["records"]["hubspot"]
    return {name: n for name, n in counts.items() if n}


def linked(portal: LocalPortal, record: Record, to: str) -> dict[str, set[int]]:
    """Return what a record is associated with: type ids by record id."""
    answer = requests.get(
        f"{portal.base_url}/crm/v4/objects/{record.object_type}/{record.id}/associations/{to}",
        headers={"Authorization": f"Bearer {portal.token}"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    return {
        str(entry["toObjectId"]): {kind["typeId"] for kind in entry["associationTypes"]}
        for entry in answer.json()["results"]
    }


@pytest.mark.parametrize("name", OBJECT_TYPES)
def test_an_object_type_is_seeded_as_the_factory_meant_it_and_removed(portal: LocalPortal, name: str) -> None:
    with Seeder(portal, random_seed=7) as seeder:
        records = seeder.seed(objects={name: 3})
        assert len(records[name]) == 3
        for record in records[name]:
            made = dict(record)
            assert made
            reloaded = dict(record.reload())
            assert {field: reloaded[field] for field in made} == made
        assert live(portal) == {each: len(records[each]) for each in records.object_types}
    assert live(portal) == {}


@pytest.mark.parametrize("version", HubSpot.api_versions)
def test_all_object_types_at_once_in_every_version(portal: LocalPortal, version: str) -> None:
    with Seeder(portal, random_seed=7, api_version=version) as seeder:
        records = seeder.seed(objects=dict.fromkeys(OBJECT_TYPES, 2))
        assert live(portal) == dict.fromkeys(OBJECT_TYPES, 2)
        for record in records:
            for link in record.links:
                rule = HubSpot.links[record.object_type][link.field]
                assert link.id is not None
                if rule.home:
                    assert record.native[rule.home] == link.id
                else:
                    assert link.id in linked(portal, record, rule.object_type)
    assert live(portal) == {}


def test_the_first_company_is_the_main_one_and_a_lead_s_first_contact(portal: LocalPortal) -> None:
    with Seeder(portal) as seeder:
        records = seeder.seed(
            companies=1,
            contacts=2,
            leads=count(1, company=ref("companies", 0), contacts=[ref("contacts", 1), ref("contacts", 0)]),
        )
        (lead,), (company,) = records.leads, records.companies
        first, second = records.contacts[1], records.contacts[0]
        assert linked(portal, lead, "companies") == {company.id: {610, 580}}
        assert linked(portal, lead, "contacts") == {first.id: {608, 578}, second.id: {608}}


def test_a_deal_s_line_items_of_two_products(portal: LocalPortal) -> None:
    with Seeder(portal) as seeder:
        records = seeder.seed(deals=1, products=2, line_items=4)
        products = [product.id for product in records.products]
        assert [item.native["hs_product_id"] for item in records.line_items] == products * 2
        (deal,) = records.deals
        assert all(linked(portal, item, "deals") == {deal.id: {20}} for item in records.line_items)
