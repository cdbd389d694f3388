"""What is wrong with a seed is told in whole sentences, before the first write or in the org's own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.errors import CrmseedError
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.planning import Count, count
from pytest_crmseed.portal import LocalPortal
from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.salesforce.behaviour import CustomField, RecordTypeOf, SalesforceBehaviour
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder import assemble, schemas
from pytest_crmseed.seeder.schemas import Chosen
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo, Seed
from pytest_crmseed.seeder.target import Pace, open_target

ORG = SalesforceBehaviour(
    record_types={
        "Account": (
            RecordTypeOf("Customer", {"Tier__c": ("Gold", "Silver")}, default=True),
            RecordTypeOf("Partner", {"Tier__c": ("Reseller",)}),
        )
    },
    custom_fields={
        "Account": (CustomField("Tier__c", type="picklist", values=("Gold", "Silver", "Reseller")),),
        "Contact": (
            CustomField("Region__c", type="picklist", values=("North", "South")),
            CustomField(
                "City__c",
                type="picklist",
                values=("Oslo", "Rome"),
                controller="Region__c",
                valid_for={"Oslo": ("North",), "Rome": ("South",)},
            ),
        ),
    },
)


class Bench:
    """A local org and an engine that seeds it, by the org's own schema or by the bundled one."""

    def __init__(self, folder: Path) -> None:
        self.portal = LocalPortal(behaviour=Behaviour(salesforce=ORG)).start()
        self.ledger = Ledger(folder / "ledger.sqlite", durable=False)
        self.slept: list[float] = []
        self.target = open_target(
            Salesforce,
            Translator(Salesforce.legend, catalog.bundled("salesforce")),
            assemble.address_of(self.portal, Salesforce),
            Limits(),
            pace=Pace(),
            policy=RetryPolicy(random=lambda: 0.0, sleep=self.slept.append),
        )
        self.engine = Engine(self.target, self.ledger, RunInfo("run1"), Limits(), sleep=self.slept.append)

    def read_schema(self) -> None:
        self.target.use(Chosen(schemas.live(self.target.connection, self.target.account)))

    def seed(self, counts: Mapping[str, int | Count], **more: Any) -> Seed:
        recipe = Recipe(random_seed=1, base_date=date(2026, 11, 1))
        return self.engine.seed(counts, recipe, node="test", test="test_x.py::test_it", **more)

    @property
    def writes(self) -> int:
        return int(self.portal.stats()["requests"]["writes"])

    @property
    def records(self) -> int:
        return sum(self.portal.stats()["records"]["salesforce"].values())

    def close(self) -> None:
        self.target.close()
        self.ledger.close()
        self.portal.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def refused(bench: Bench) -> Callable[[Mapping[str, Count]], tuple[str, int]]:
    """Seed what is refused; return the whole message and the number of requests that wrote."""

    def seed(counts: Mapping[str, Count]) -> tuple[str, int]:
        before = bench.writes
        with pytest.raises(CrmseedError) as told:
            bench.seed(counts)
        assert bench.records == 0
        return str(told.value), bench.writes - before

    return seed


SENT_NOTHING = "A value cannot be sent; nothing was written.\n"


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (
            {"contacts": count(1, Region__c="North", City__c="Rome")},
            "contacts[0].City__c = 'Rome': 'Rome' is not allowed with Region__c = 'North'; it goes with "
            "'South'",
        ),
        (
            {"contacts": count(1, City__c="Rome")},
            "contacts[0].City__c = 'Rome': 'Rome' is not allowed without a value for Region__c; it goes with "
            "'South'",
        ),
        (
            {"line_items": count(1, deal=None)},
            "line_items[0].OpportunityId: is required on create; the link deal gives it",
        ),
        (
            {"contacts": count(1, ReportsToId="001000000000001AAA")},
            "contacts[0].ReportsToId = '001000000000001AAA': does not match the pattern "
            "(003)[0-9A-Za-z]{12}([0-9A-Za-z]{3})?",
        ),
        (
            {"contacts": count(1, first_name="x" * 41)},
            f"contacts[0].first_name (FirstName) = {'x' * 41!r}: has 41 characters; at most 40 are allowed",
        ),
        (
            {"companies": count(1, Tier__c="Golden")},
            "companies[0].Tier__c = 'Golden': is not one of the options; did you mean 'Gold'? "
            "Allowed: Gold, Silver, Reseller",
        ),
    ],
    ids=[
        "wrong controller",
        "no controller",
        "no parent",
        "lookup to another object",
        "too long",
        "no such value",
    ],
)
def test_what_the_schema_tells_is_refused_before_any_write(
    bench: Bench, refused: Any, counts: Mapping[str, Count], message: str
) -> None:
    bench.read_schema()
    assert refused(counts) == (f"{SENT_NOTHING}  {message}", 0)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (
            {"companies": count(2, Tier__c="Reseller")},
            "Salesforce refused 2 companies.\n"
            "  companies[0].Tier__c = 'Reseller' (and 1 more): Tier: bad value for restricted picklist "
            "field: Reseller [INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST] Allowed: Gold, Silver, Reseller.\n"
            "Nothing was left in the portal.",
        ),
        (
            {"companies": count(1, RecordTypeId="Partner", Tier__c="Gold")},
            "Salesforce refused 1 companies.\n"
            "  companies[0].Tier__c = 'Gold': Tier: bad value for restricted picklist field: Gold "
            "[INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST] Allowed: Gold, Silver, Reseller.\n"
            "Nothing was left in the portal.",
        ),
    ],
    ids=["of the default record type", "of the one that is given"],
)
def test_a_value_of_another_record_type_is_refused_by_the_org(
    bench: Bench, refused: Any, counts: Mapping[str, Count], message: str
) -> None:
    bench.read_schema()
    assert refused(counts) == (message, 1)
    # What fits is taken.
    bench.seed({"companies": count(1, RecordTypeId="Partner", Tier__c="Reseller")})
    assert bench.engine.clean().complete


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (
            {"contacts": count(1, native={"Region__c": "North", "City__c": "Rome"})},
            "contacts[0].City__c = 'Rome': City: bad value for restricted picklist field: Rome "
            "[INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST]",
        ),
        (
            {"contacts": count(1, native={"Boss__c": "003000000000001AAA"})},
            "contacts[0].Boss__c = '003000000000001AAA': No such column 'Boss__c' on sobject of type Contact "
            "[INVALID_FIELD]",
        ),
        (
            {"contacts": count(1, native={"ReportsToId": "003000000000001AAA"})},
            "contacts[0]: invalid cross reference id [INVALID_CROSS_REFERENCE_KEY]",
        ),
        (
            {"contacts": count(1, native={"Region__c": "x" * 90})},
            f"contacts[0].Region__c = {'x' * 40!r}… (90 characters): Region: bad value for restricted "
            f"picklist field: {'x' * 90} [INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST]",
        ),
    ],
    ids=["wrong controller", "no such field", "lookup to nothing", "no such value"],
)
def test_what_the_schema_does_not_know_is_refused_in_the_org_s_words(
    refused: Any, counts: Mapping[str, Count], message: str
) -> None:
    told = f"Salesforce refused 1 contacts.\n  {message}\nNothing was left in the portal."
    assert refused(counts) == (told, 1)
