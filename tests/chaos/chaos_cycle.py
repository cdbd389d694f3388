"""One cycle: seed, test, clean, and sweep if need be; the portal's own store says what came of it."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chaos_schedules import BELATED_BY, Order, Schedule, recoverable, toll
from chaos_world import EXPIRES_AFTER, NODE, RECIPE, RUN_ID, SETTLED, World

from pytest_crmseed.errors import CrmseedError
from pytest_crmseed.ingest.cleaner import CleanupResult
from pytest_crmseed.seeder.seeder import Engine, Seed
from pytest_crmseed.seeder.sweep import Sweeper

COMMAND = f"crmseed cleanup --run {RUN_ID}"


@dataclass(frozen=True)
class Finding:
    """What a cycle should not have come to: ``orphan``, ``duplicate``, ``half seed``, ``stranger``,
    ``outcome`` or ``error``.
    """

    kind: str
    text: str


@dataclass
class Report:
    """What a cycle came to."""

    schedule: Schedule
    recoverable: bool
    findings: list[Finding] = field(default_factory=list)
    error: BaseException | None = None
    struck: Counter[str] = field(default_factory=Counter)
    requests: int = 0

    def find(self, kind: str, text: str) -> None:
        """Note what should not be."""
        self.findings.append(Finding(kind, text))

    def __str__(self) -> str:
        lines = [f"{finding.kind}: {finding.text}" for finding in self.findings]
        kind = "recoverable" if self.recoverable else "unrecoverable"
        return "\n".join([f"{kind}: {self.schedule!r}", *lines])


def run(schedule: Schedule, *, parallel: bool = False, folder: Path | None = None) -> Report:
    """Run a schedule in a portal of its own, and return what it came to."""
    report = Report(schedule, recoverable(schedule))
    own = Path(tempfile.mkdtemp(prefix="chaos-", dir=folder))
    world = World(schedule, own, parallel=parallel)
    try:
        _Cycle(world, report).run()
        report.struck = world.struck
        report.requests = world.target.connection.requests
    finally:
        world.close()
        shutil.rmtree(own)
    return report


class _Cycle:
    def __init__(self, world: World, report: Report) -> None:
        self._world = world
        self._report = report
        self._schedule = world.schedule

    def run(self) -> None:
        engine = self._world.engine()
        self._world.order("seed")
        seed = self._seed(engine)
        if seed is not None:
            self._before_the_test(seed)
            self._world.stop()
            self._body(engine, seed)
            self._world.order("clean")
            self._clean(engine)
        engine.end()
        self._world.stop()
        self._world.wait(SETTLED)
        if self._report.error is not None:
            self._sweep_failed()
        if self._schedule.belated:
            # By its key: it came when the ledger thought that everything was gone.
            self._world.wait(BELATED_BY)
            self._world.wait(EXPIRES_AFTER)
            self._sweep(by_keys=True)
        self._judge_the_end()

    # -- the phases ------------------------------------------------------------------------------
    def _seed(self, engine: Engine) -> Seed | None:
        try:
            return engine.seed(self._schedule.counts, RECIPE, node=NODE, test=NODE)
        except CrmseedError as error:
            self._report.error = error
            self._judge_error(str(error))
            return None
        except KeyboardInterrupt as error:
            # Whoever presses Ctrl-C is told in a note what became of the records.
            self._report.error = error
            self._judge_error(" ".join(getattr(error, "__notes__", ())))
            return None
        except Exception as error:
            self._report.find("error", f"a bare {type(error).__name__}: {error}")
            return None

    def _body(self, engine: Engine, seed: Seed) -> None:
        path = "/crm/v3/objects/contacts"
        if self._schedule.body == "deletes one":
            first = next(iter(seed.records))
            self._world.ask("DELETE", f"/crm/v3/objects/{first.object_type}/{first.id}")
        elif self._schedule.body == "makes one":
            made = self._world.ask("POST", path, {"properties": {"firstname": "Made by the application"}})
            engine.adopt(seed.name, "contacts", made["id"])

    def _clean(self, engine: Engine) -> None:
        result = engine.clean()
        if result.complete:
            self._judge_cleaned(result)
            return
        try:
            engine.require_clean(result)
        except CrmseedError as error:
            self._report.error = error
            self._judge_error(str(error))

    def _sweep_failed(self) -> None:
        if self._schedule.ledger_lost:
            self._world.wait(EXPIRES_AFTER)
            self._world.lose_ledger()
        self._sweep(by_keys=self._schedule.ledger_lost)

    def _sweep(self, *, by_keys: bool = False) -> None:
        engine = self._world.engine(f"0thenextrun000000000000{int(by_keys)}")
        sweeper = Sweeper(engine, clock=self._world.clock)
        try:
            swept = sweeper.by_keys() if by_keys else sweeper.by_ledger()
            errors = swept.errors
        except CrmseedError as error:
            errors = [str(error)]
        engine.end()
        for text in errors:
            self._report.find("error", f"the sweep {'by keys' if by_keys else 'by the ledger'} says: {text}")

    # -- the judge -------------------------------------------------------------------------------
    def _before_the_test(self, seed: Seed) -> None:
        """Exactly what was asked for, once each, linked as planned, and known to the test as it is."""
        find, ours = self._report.find, self._world.ours
        for double in self._world.doubles():
            find("duplicate", f"before the test there is twice: {double}")
        known = {(record.object_type, int(record.id)) for record in seed.records}
        for name, id in known - ours.keys():
            find("half seed", f"the test has {name} {id}, and the portal has not")
        for name, id in ours.keys() - known:
            if not self._by_portal(name, id):
                find("orphan", f"before the test there is {name} {id}, and the test does not know it")
        counts = Counter(name for name, _ in known)
        for name, number in {**seed.plan.counts, **self._schedule.counts}.items():
            if counts[name] != number:
                find("half seed", f"the test asked for {number} {name} and has {counts[name]}")
        for record in seed.records:
            held = ours.get((record.object_type, int(record.id)))
            for name, value in self._different(record.native, held.properties if held else {}):
                find("half seed", f"{record.object_type}[{record.index}].{name} is not {value!r}")
        for text in self._world.wrong_links(seed):
            find("half seed", text)
        if self._must_fail and all(o.phase == "seed" for o in self._unsurvivable()):
            find("outcome", "a seed that cannot be made was made")

    def _different(self, native: Mapping[str, object], held: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for name, value in native.items():
            if name in held and value is not None and str(value) != held[name]:
                yield name, held[name]

    def _by_portal(self, name: str, id: int) -> bool:
        record = self._world.ours[name, id]
        return name == "companies" and record.origin == "AUTOMATION_PLATFORM"

    @property
    def _must_fail(self) -> bool:
        # Without a field for keys each object type has a way of its own: what none of them survives in
        # general, contacts may, whose addresses the portal keeps unique, and reads by.
        return self._schedule.keyed and not self._report.recoverable

    def _unsurvivable(self) -> list[Order]:
        return [o for o in self._schedule.orders if toll(o, unique=self._schedule.unique) is None]

    def _judge_error(self, text: str) -> None:
        """One error of ours says what happened, what became of the records, and what to do."""
        find = self._report.find
        if self._report.recoverable:
            find("outcome", f"{type(self._report.error).__name__}: {text}")
        left = len(self._world.ours)
        if left and COMMAND not in text:
            find("half seed", f"{left} records are left, and the error does not say so: {text}")
        said = ("The seed was undone", "Nothing was left in the portal", "Nothing was written", COMMAND)
        written = self._world.portal.stats()["requests"]["writes"]
        if written and not any(words in text for words in said):
            find("error", f"it does not say what became of the records: {text}")

    def _judge_cleaned(self, result: CleanupResult) -> None:
        for name, id in self._world.ours:
            self._report.find("orphan", f"after a cleanup that calls itself complete there is {name} {id}")
        if result.errors:
            self._report.find("error", f"complete, with errors: {result.errors}")
        if self._must_fail:
            self._report.find("outcome", "a cleanup that cannot be done was done")

    def _judge_the_end(self) -> None:
        find = self._report.find
        for (name, id), record in self._world.ours.items():
            find("orphan", f"{name} {id} with the key {record.properties.get('crmseed_key')} is left")
        for name in self._world.touched():
            find("stranger", f"{name} was touched")
        for known in self._world.ledger.runs():
            if known.live:
                find("orphan", f"the ledger says that {known.live} records of {known.run.run_id} are left")
