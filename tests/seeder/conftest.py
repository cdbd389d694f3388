"""Engines with everything a run has: an open portal, a ledger, an error file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.events import Event
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.planning import Count
from pytest_crmseed.portal import LocalPortal
from pytest_crmseed.providers.base import Effect, Request
from pytest_crmseed.seeder.errorfile import ErrorFile
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo, Seed
from pytest_crmseed.seeder.target import Target

RECIPE = Recipe(random_seed=1, base_date=date(2026, 11, 1))


class Bench:
    """An engine under test, with a look at the portal, the wire, the ledger and the error file."""

    def __init__(self, portal: LocalPortal, target: Target, folder: Path, **options: Any) -> None:
        self.portal = portal
        self.target = target
        self.wire: Any = target.connection.transport
        self.ledger = Ledger(folder / "ledger.sqlite", durable=False)
        self.errors = ErrorFile(folder / "crm-errors.jsonl")
        self.heard: list[Event] = []
        self.slept: list[float] = []
        self.options: dict[str, Any] = {
            "errors": self.errors,
            "listener": self.heard.append,
            "sleep": self.slept.append,
            **options,
        }
        self.engine = self.another("run1")

    def another(self, run_id: str, limits: Limits | None = None, **options: Any) -> Engine:
        run = RunInfo(run_id)
        return Engine(self.target, self.ledger, run, limits or Limits(), **{**self.options, **options})

    def seed(self, counts: Mapping[str, int | Count], *, node: str = "test", **more: Any) -> Seed:
        return self.engine.seed(counts, RECIPE, node=node, test="test_x.py::test_it", **more)

    def stranger(self, object_type: str, **properties: str) -> str:
        """Make a record that no run knows, and return its id."""
        body = {"properties": properties}
        path = f"/crm/objects/2026-03/{object_type}"
        answer = self.target.connection.send(
            Request("POST", path, "make a stranger", Effect.CREATE, body=body)
        )
        record_id: str = answer.json()["id"]
        return record_id

    def everything(self) -> dict[str, dict[str, Mapping[str, Any]]]:
        """Return all live records of the portal, as an application sees them."""
        out: dict[str, dict[str, Mapping[str, Any]]] = {}
        for object_type in ("companies", "contacts", "deals"):
            path = f"/crm/objects/2026-03/{object_type}"
            properties = ",".join(self.target.translator.object_type(object_type).fields)
            query = (("limit", "100"), ("properties", properties))
            answer = self.target.connection.send(Request("GET", path, "list", Effect.READ, query=query))
            out[object_type] = {row["id"]: row["properties"] for row in answer.json()["results"]}
        return out

    @property
    def records(self) -> dict[str, int]:
        counts: dict[str, int] = self.portal.stats()["records"]["hubspot"]
        return {name: number for name, number in counts.items() if number}

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.errors.path.read_text("utf-8").splitlines()]


@pytest.fixture
def bench(
    local_portal: LocalPortal, opened: Callable[[LocalPortal], Target], tmp_path: Path
) -> Iterator[Bench]:
    bench = Bench(local_portal, opened(local_portal), tmp_path)
    yield bench
    bench.ledger.close()


@pytest.fixture
def one_bench(
    one_portal: LocalPortal, opened: Callable[[LocalPortal], Target], tmp_path: Path
) -> Iterator[Bench]:
    bench = Bench(one_portal, opened(one_portal), tmp_path)
    yield bench
    bench.ledger.close()
