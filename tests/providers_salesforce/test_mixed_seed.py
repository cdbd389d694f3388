"""Many records of all kinds: no more requests than planned, by the org's own count, and nothing left."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.planning import count
from pytest_crmseed.portal import LocalPortal
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder import assemble
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo
from pytest_crmseed.seeder.target import open_target

COUNTS = {
    "companies": 200,
    "contacts": 300,
    "leads": 200,
    "deals": 300,
    "tickets": 150,
    "products": 50,
    "line_items": 200,
    "orders": 50,
    "tasks": 250,
    "calls": 100,
    "meetings": 100,
    "notes": 50,
    "campaigns": 50,
}


def test_two_thousand_mixed_records(tmp_path: Path) -> None:
    with LocalPortal() as portal, Ledger(tmp_path / "ledger.sqlite", durable=False) as ledger:
        target = open_target(
            Salesforce,
            Translator(Salesforce.legend, catalog.bundled("salesforce")),
            assemble.address_of(portal, Salesforce),
            Limits(),
        )
        try:
            engine = Engine(target, ledger, RunInfo("run1"), Limits())
            before = portal.stats()["requests"]["writes"]
            recipe = Recipe(random_seed=1, base_date=date(2026, 11, 1))
            seed = engine.seed({name: count(n) for name, n in COUNTS.items()}, recipe, node="n", test="t")
            assert {name: len(seed.records[name]) for name in COUNTS} == COUNTS
            assert sum(COUNTS.values()) == 2_000
            writes = portal.stats()["requests"]["writes"] - before
            assert writes <= engine.demand([seed.plan]).cost.writes
            rows = portal.stats()["records"]["salesforce"]
            assert sum(rows.values()) >= 2_000
            assert (rows["Account"], rows["Contact"], rows["Opportunity"], rows["Lead"]) == (
                200,
                300,
                300,
                200,
            )
            assert engine.clean().complete
            assert {name: n for name, n in portal.stats()["records"]["salesforce"].items() if n} == {}
        finally:
            target.close()
