"""People's accounts on the local portal: seeded beside companies, read back, and removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.errors import ValidationFailed
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.planning import count
from pytest_crmseed.portal import Behaviour, LocalPortal
from pytest_crmseed.portal.salesforce.behaviour import CustomField, RecordTypeOf, SalesforceBehaviour
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.schema import catalog, documents
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder import assemble, schemas
from pytest_crmseed.seeder.schemas import Chosen
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo, Seed
from pytest_crmseed.seeder.target import open_target

PERSON = "Account:Person"


class Consumers:
    """An org that sells to people: its own default for accounts is a person."""

    def __init__(self, folder: Path, portal: LocalPortal) -> None:
        self.portal = portal
        self.ledger = Ledger(folder / "ledger.sqlite", durable=False)
        self.target = open_target(
            Salesforce,
            Translator(Salesforce.legend, catalog.bundled("salesforce")),
            assemble.address_of(portal, Salesforce),
            Limits(),
        )
        self.target.use(Chosen(schemas.live(self.target.connection, self.target.account)))
        self.engine = Engine(self.target, self.ledger, RunInfo("run1"), Limits())

    def seed(self, **counts: Any) -> Seed:
        named = {name.replace("people", PERSON): each for name, each in counts.items()}
        recipe = Recipe(random_seed=1, base_date=date(2026, 11, 1))
        return self.engine.seed(named, recipe, node="n", test="t")

    @property
    def counts(self) -> dict[str, int]:
        records: dict[str, int] = self.portal.stats()["records"]["salesforce"]
        return {name: number for name, number in records.items() if number}

    def close(self) -> None:
        self.target.close()
        self.ledger.close()


SWITCHES = SalesforceBehaviour(
    person_accounts=True,
    record_types={"Account": (RecordTypeOf("Client", default=True, person=True), RecordTypeOf("Firm"))},
    custom_fields={"Contact": (CustomField("Nickname__c", length=40),)},
)


@pytest.fixture
def consumers(tmp_path: Path) -> Iterator[Consumers]:
    with LocalPortal(behaviour=Behaviour(salesforce=SWITCHES)) as portal:
        made = Consumers(tmp_path, portal)
        yield made
        made.close()


def test_people_and_companies_side_by_side(consumers: Consumers) -> None:
    records = consumers.seed(people=count(3, LastName="Doe"), deals=2).records
    assert consumers.counts == {
        "Account": 4,
        # The org's own, one for each person, and the one that the deals' contact is.
        "Contact": 4,
        "Opportunity": 2,
        "OpportunityContactRole": 2,
    }
    for person in records[PERSON]:
        read = person.reload()
        assert (read["LastName"], read["Name"], read["IsPersonAccount"]) == ("Doe", "Doe", True)
        assert str(read["PersonContactId"]).startswith("003")
        assert 0 < len(read["Nickname__pc"]) <= 40
    (company,) = records.companies
    assert company.reload()["IsPersonAccount"] is False
    result = consumers.engine.clean()
    assert (result.left, result.errors, result.removed) == ([], [], 7)
    assert consumers.counts == {}


def test_what_no_person_has_is_told_before_anything_is_sent(consumers: Consumers) -> None:
    with pytest.raises(ValidationFailed) as caught:
        consumers.seed(people=count(1, Name="Doe Ltd"), companies=count(1, LastName="Doe"))
    assert "is read-only; the portal sets it itself" in str(caught.value)
    assert "people are of the object type Account:Person" in str(caught.value)
    assert consumers.counts == {}


def test_the_pulled_schema_of_such_an_org_makes_a_local_portal_like_it(
    consumers: Consumers, tmp_path: Path
) -> None:
    pulled = catalog.parse(documents.document(consumers.target.chosen.schema), source="file")
    (tmp_path / "second").mkdir()
    with LocalPortal(schema=pulled) as portal:
        second = Consumers(tmp_path / "second", portal)
        try:
            types = [schema.object_types for schema in (pulled, second.target.chosen.schema)]
            for name in ("Account", PERSON):
                ours, theirs = (each[name].fields for each in types)
                assert set(ours) == set(theirs)
                assert {f.name for f in ours.values() if f.required} == {
                    f.name for f in theirs.values() if f.required
                }
                assert ours["RecordTypeId"].options == theirs["RecordTypeId"].options
            assert len(second.seed(people=2, companies=2).records[PERSON]) == 2
            assert second.counts == {"Account": 4, "Contact": 2}
            assert second.engine.clean().complete
            assert second.counts == {}
        finally:
            second.close()
