"""Fields for a time of day: made up where one is required, given in several forms, and read back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, time
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.errors import ValidationFailed
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.planning import count
from pytest_crmseed.portal import Behaviour, LocalPortal, SalesforceBehaviour
from pytest_crmseed.portal.salesforce.behaviour import CustomField
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.schema import catalog, documents
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Kind
from pytest_crmseed.seeder import assemble, schemas
from pytest_crmseed.seeder.schemas import Chosen
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo
from pytest_crmseed.seeder.target import open_target

OPENS = SalesforceBehaviour(custom_fields={"Contact": (CustomField("Opens__c", type="time", required=True),)})


class Shop:
    """An engine that reads back strictly what it seeds an org with."""

    def __init__(self, folder: Path, portal: LocalPortal) -> None:
        self.ledger = Ledger(folder / "ledger.sqlite", durable=False)
        self.target = open_target(
            Salesforce,
            Translator(Salesforce.legend, catalog.bundled("salesforce")),
            assemble.address_of(portal, Salesforce),
            Limits(),
        )
        self.target.use(Chosen(schemas.live(self.target.connection, self.target.account)))
        self.engine = Engine(self.target, self.ledger, RunInfo("run1"), Limits(), verify="strict")

    def contacts(self, number: int, **values: Any) -> list[Any]:
        recipe = Recipe(random_seed=1, base_date=date(2026, 11, 1))
        seed = self.engine.seed({"contacts": count(number, **values)}, recipe, node="n", test="t")
        return list(seed.records.contacts)

    def close(self) -> None:
        assert self.engine.clean().complete
        self.target.close()
        self.ledger.close()


@pytest.fixture
def portal() -> Iterator[LocalPortal]:
    with LocalPortal(behaviour=Behaviour(salesforce=OPENS)) as portal:
        yield portal


@pytest.fixture
def shop(portal: LocalPortal, tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path, portal)
    yield shop
    shop.close()


def test_a_required_time_is_made_up(shop: Shop) -> None:
    for contact in shop.contacts(3):
        assert "08:00:00.000Z" <= contact["Opens__c"] < "18:00:00.000Z"


@pytest.mark.parametrize(
    ("given", "held"),
    [
        (time(9, 30), "09:30:00.000Z"),
        (time(9, 30, tzinfo=UTC), "09:30:00.000Z"),
        (time(23, 59, 59, 999_000), "23:59:59.999Z"),
        ("09:30", "09:30:00.000Z"),
        ("09:30:15.25Z", "09:30:15.250Z"),
        ("00:00", "00:00:00.000Z"),
    ],
)
def test_a_time_is_read_back_as_it_was_given(shop: Shop, given: Any, held: str) -> None:
    (contact,) = shop.contacts(1, opens=given)
    assert contact["Opens__c"] == held
    assert contact.reload()["Opens__c"] == held


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("9:30", "is no time of day; give a datetime.time, or text as 09:00"),
        ("24:00", "is no time of day"),
        (930, "takes a time of day, not int"),
        (time(9, 30, 0, 1), "is finer than the milliseconds that Salesforce keeps of a time"),
    ],
)
def test_what_is_no_time_is_told_before_anything_is_sent(
    shop: Shop, portal: LocalPortal, given: Any, said: str
) -> None:
    with pytest.raises(ValidationFailed) as told:
        shop.contacts(1, opens=given)
    assert said in str(told.value)
    assert portal.stats()["records"]["salesforce"]["Contact"] == 0


def test_a_pulled_schema_keeps_it(shop: Shop, tmp_path: Path) -> None:
    pulled = catalog.parse(documents.document(shop.target.chosen.schema), source="file")
    assert pulled.object_types["Contact"].fields["Opens__c"].kind is Kind.TIME
    (tmp_path / "second").mkdir()
    with LocalPortal(schema=pulled) as portal:
        second = Shop(tmp_path / "second", portal)
        (contact,) = second.contacts(1, opens="07:15")
        assert contact["Opens__c"] == "07:15:00.000Z"
        second.close()
