"""An engine that seeds a company on the loopback address."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.events import Event
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.planning import Count
from pytest_crmseed.portal import LocalPortal
from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.providers.pipedrive import Pipedrive
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder import assemble, schemas
from pytest_crmseed.seeder.errorfile import ErrorFile
from pytest_crmseed.seeder.schemas import Chosen
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo, Seed
from pytest_crmseed.seeder.target import Pace, open_target


class Bench:
    """A local portal, the company in it opened by the provider, and an engine."""

    def __init__(
        self,
        folder: Path,
        behaviour: Behaviour,
        limits: Limits | None = None,
        policy: RetryPolicy | None = None,
        **options: Any,
    ) -> None:
        self.folder = folder
        self.portal = LocalPortal(behaviour=behaviour, **options)
        self.portal.start()
        self.slept: list[float] = []
        self.heard: list[Event] = []
        self.ledger = Ledger(folder / "ledger.sqlite", durable=False)
        try:
            self.target = open_target(
                Pipedrive,
                Translator(Pipedrive.legend, catalog.bundled("pipedrive")),
                assemble.address_of(self.portal, Pipedrive),
                limits or Limits(),
                pace=Pace(),
                policy=policy or RetryPolicy(random=lambda: 0.0, sleep=self.slept.append),
            )
        except BaseException:
            self.close()
            raise
        self.use_live_schema()
        self.engine = self.another("run1")

    def use_live_schema(self) -> None:
        self.target.use(Chosen(schemas.live(self.target.connection, self.target.account)))

    def another(self, run_id: str) -> Engine:
        return Engine(
            self.target,
            self.ledger,
            RunInfo(run_id),
            Limits(),
            errors=ErrorFile(self.folder / "crm-errors.jsonl"),
            listener=self.heard.append,
            sleep=self.slept.append,
        )

    def seed(self, counts: Mapping[str, int | Count], **more: Any) -> Seed:
        recipe = Recipe(random_seed=1, base_date=date(2026, 11, 1))
        return self.engine.seed(counts, recipe, node="test", test="test_x.py::test_it", **more)

    @property
    def counts(self) -> dict[str, int]:
        records: dict[str, int] = self.portal.stats()["records"]["pipedrive"]
        return {name: number for name, number in records.items() if number}

    def close(self) -> None:
        if hasattr(self, "target"):
            self.target.close()
        self.ledger.close()
        self.portal.close()


@pytest.fixture(scope="session")
def bench_type() -> type[Bench]:
    return Bench


Benches = Callable[..., Bench]


@pytest.fixture
def benches(tmp_path: Path) -> Iterator[Benches]:
    made: list[Bench] = []

    def make(behaviour: Behaviour | None = None, **options: Any) -> Bench:
        made.append(Bench(tmp_path, behaviour or Behaviour(), **options))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(benches: Benches) -> Bench:
    return benches()
