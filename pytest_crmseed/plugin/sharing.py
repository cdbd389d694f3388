"""Parallel runs: what controller and workers hand each other, and seeds made once for all workers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_crmseed.errors import CrmseedError, LedgerError, PortalError
from pytest_crmseed.plugin.session import CrmSession
from pytest_crmseed.plugin.values import Values
from pytest_crmseed.records import Link, Record, SeededRecords

if TYPE_CHECKING:
    from pytest_crmseed.ingest.liveness import Liveness
    from pytest_crmseed.planning import Count
    from pytest_crmseed.seeder.seeder import Engine, Recipe, Seed

# The seeds of the session in a portal that all workers share belong to nobody's worker: their names
# start with this, and the controller removes them last.
SHARED = "shared"


class Controller:
    """Hand the run's choices to the workers, gather their totals, clean last of all."""

    def __init__(self, crm: CrmSession) -> None:
        self._crm = crm
        self._liveness: Liveness | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a new worker the run id, random seed and base date."""
        if self._liveness is None and self._outside:
            self._liveness = self._held()
        node.workerinput["crmseed"] = {
            "run_id": self._crm.run_id,
            "random_seed": self._crm.random_seed,
            "base_date": self._crm.base_date.isoformat(),
        }

    def _held(self) -> Liveness:
        """Show that the run is under way: a worker that dies is replaced, and what all share outlives it."""
        from pytest_crmseed.ingest.liveness import Liveness

        liveness = Liveness(self._crm.settings.ledger)
        with suppress(LedgerError):
            # A folder that cannot be written is the workers' to tell, should they seed at all.
            liveness.hold(self._crm.run_id)
        return liveness

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Add a worker's totals; a crashed worker has none."""
        handed = getattr(node, "workeroutput", {}).get("crmseed")
        if handed is not None:
            self._crm.totals.add(handed)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Remove the shared seeds, and what a crashed worker left, from a portal outside."""
        try:
            self._remove_shared(session)
        finally:
            if self._liveness is not None:
                self._liveness.close()

    def _remove_shared(self, session: pytest.Session) -> None:
        crm = self._crm
        parallel = getattr(session.config.option, "dist", "no") != "no"
        if not self._outside or not parallel or not crm.settings.ledger.exists():
            return
        try:
            remove_shared(crm)
        except CrmseedError as error:
            crm.totals.troubles.append(str(error))
            crm.totals.left.setdefault(crm.run_id, 0)

    @property
    def _outside(self) -> bool:
        return self._crm.settings.base_url is not None or self._crm.settings.target == "sandbox"


def remove_shared(crm: CrmSession) -> None:
    """Remove what is live in the ledger of this run, but for what is kept.

    Credentials come from the environment here: fixtures are the workers' own.
    """
    from pytest_crmseed.ingest.ledger import Ledger

    with Ledger(crm.settings.ledger) as ledger:
        runs = [summary.run for summary in ledger.runs() if summary.run.run_id.startswith(crm.run_id)]
        live = {run.run_id: [e for e in ledger.live(run.run_id) if e.kept_until is None] for run in runs}
    for run in runs:
        _lock_file(crm.settings.ledger, run.run_id).unlink(missing_ok=True)
        if run.ephemeral or run.kept_until is not None or not live[run.run_id]:
            continue
        values = Values(run.provider, {}, {}, crm.settings.locale, crm.random_seed)
        engine = crm.engine(values)
        result = engine.clean_entries(live[run.run_id], within=engine.patience)
        crm.cleaned(result)
        if not result.complete:
            crm.totals.left[run.run_id] = len(result.left)
            crm.totals.troubles += result.errors


class Worker:
    """Hand this worker's totals to the controller."""

    def __init__(self, crm: CrmSession) -> None:
        self._crm = crm

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Close the portals first, so that the totals hold what is left."""
        self._crm.close()
        output: dict[str, Any] = session.config.workeroutput  # type: ignore[attr-defined]
        output["crmseed"] = dataclasses.asdict(self._crm.totals)


def seed_once(crm: CrmSession, engine: Engine) -> Callable[..., Seed]:
    """Return a stand-in for ``engine.seed`` that makes a session's seed once for all workers.

    The first worker that gets the lock makes it and publishes it in the ledger; the others read the
    records from the portal. The controller removes them, last.
    """

    def seed(
        counts: Mapping[str, int | Count],
        recipe: Recipe,
        *,
        node: str,
        test: str,
        wider: Mapping[str, Sequence[Record]] | None,
        keep: bool,
    ) -> Seed:
        from filelock import FileLock

        name = f"{SHARED}{node}"
        with FileLock(_lock_file(engine.ledger.path, engine.run.run_id), timeout=600):
            published = engine.ledger.shared(engine.run.run_id, name)
            if published is None:
                made = engine.seed(counts, recipe, node=node, test=test, wider=wider, keep=keep)
                engine.ledger.share(engine.run.run_id, name, _published(made))
            else:
                made = _joined(engine, engine.plan(counts, wider), published)
        crm.shared.add(made.name)
        return dataclasses.replace(made, shared=True)

    return seed


def _lock_file(ledger: Path, run_id: str) -> Path:
    return ledger.with_name(f"{run_id}.lock")


def _published(seed: Seed) -> dict[str, Any]:
    return {
        "name": seed.name,
        "records": [
            [r.object_type, r.index, r.id, r.key, [dataclasses.asdict(link) for link in r.links]]
            for r in seed.records
        ],
    }


def _joined(engine: Engine, plan: Any, published: Mapping[str, Any]) -> Seed:
    from pytest_crmseed.seeder.seeder import Seed

    by_type: dict[str, list[list[Any]]] = {}
    for row in published["records"]:
        by_type.setdefault(row[0], []).append(row)
    records: dict[str, list[Record]] = {}
    for object_type, rows in by_type.items():
        found = engine.reader.read(object_type, [row[2] for row in rows])
        for _, index, record_id, key, links in rows:
            if record_id not in found:
                raise PortalError(
                    f"{object_type}[{index}] (id {record_id}) of the session's seed is gone from the portal.",
                    remedy="Did a test or the application delete it? Tests of all workers share it.",
                )
            native, url = found[record_id]
            records.setdefault(object_type, []).append(
                engine.reader.record(
                    object_type,
                    index,
                    record_id,
                    key=key,
                    native=native,
                    url=url,
                    links=tuple(Link(**link) for link in links),
                )
            )
    view = SeededRecords(records, aliases=engine.target.translator.aliases())
    return Seed(published["name"], plan, view, joined=True)
