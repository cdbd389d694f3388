"""The seeds of one scope, and what one test sees of those of all its scopes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_crmseed.errors import CrmseedError, UsageError
from pytest_crmseed.plugin import marker
from pytest_crmseed.plugin.session import CrmSession
from pytest_crmseed.plugin.values import Values, reported
from pytest_crmseed.records import Record, SeededRecords

if TYPE_CHECKING:
    import requests

    from pytest_crmseed.planning import Plan
    from pytest_crmseed.seeder.seeder import Engine, Seed
    from pytest_crmseed.seeder.target import Address


class ScopeSeeds:
    """The seeds of one scope (a test, a class, a module, the session), cleaned at its end."""

    def __init__(self, session: CrmSession) -> None:
        self._session = session
        self._made: list[tuple[str, Engine, Seed]] = []
        self._adopted: dict[str, Engine] = {}
        session.live.append(self)

    def find(self, identity: str) -> Seed | None:
        """Return the seed of this scope that was made for the same spec and portal."""
        return next((seed for known, _, seed in self._made if known == identity), None)

    def add(self, identity: str, engine: Engine, seed: Seed) -> None:
        """Take a seed into this scope's cleanup."""
        self._made.append((identity, engine, seed))

    def adopt(self, engine: Engine, name: str, object_type: str, record_id: str) -> Record:
        """Take a record that the application made into this scope's cleanup."""
        record = engine.adopt(name, object_type, record_id)
        self._adopted[name] = engine
        return record

    def __bool__(self) -> bool:
        return bool(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def clean(self) -> None:
        """Remove the records of this scope, latest seed first, but for kept seeds.

        Trouble never hides a test's own result: it is noted, tried once more at the end of the
        run, and told in the summary.
        """
        work = [(engine, name) for name, engine in self._adopted.items()]
        for _, engine, seed in reversed(self._made):
            if seed.keep and not seed.joined:
                self._session.totals.kept += len(seed.records)
                self._session.totals.kept_privately |= engine.target.address.private
            if not seed.keep and not seed.shared:
                work.append((engine, seed.name))
        for engine, name in work:
            try:
                result = engine.clean(name)
            except CrmseedError as error:
                self._session.totals.troubles.append(str(error))
                continue
            self._session.cleaned(result)
        self._made.clear()
        self._adopted.clear()
        self._session.live.remove(self)


@dataclass
class TestSeeds:
    """What one test sees: its values, its portal, and the seeds of all its scopes."""

    __test__ = False  # a name that starts with Test is no test class

    session: CrmSession
    request: pytest.FixtureRequest
    values: Values
    layers: list[tuple[str, SeededRecords]] = field(default_factory=list)
    inside: int = 0

    @classmethod
    def prepare(cls, session: CrmSession, request: pytest.FixtureRequest, values: Values) -> TestSeeds:
        """Seed what a test's markers ask for, widest scope first, and return what it sees."""
        seeds = cls(session, request, values)
        if session.refusal is not None:
            request.session.shouldfail = "crmseed refused the run"
            with reported():
                raise session.refusal
        with reported():
            for spec in marker.specs_of(request.node):
                seeds._seed(spec)
        return seeds

    # -- seeding ---------------------------------------------------------------------------------
    def _seed(self, spec: marker.Spec) -> None:
        if not spec.counts:
            return
        values = self.values
        if spec.provider is not None and spec.provider != values.provider:
            from dataclasses import replace

            values = replace(values, provider=spec.provider)
        engine = self.session.engine(values)
        scope = self.scope(spec.scope)
        identity = f"{engine.run.run_id} {spec.identity}"
        seed = scope.find(identity)
        if seed is None:
            node = marker.node_of(self.request.node, spec.scope)
            if spec.scope != "function":
                # Several seeds of one scope must not make the same records.
                node += f"#{hashlib.sha256(spec.identity.encode()).hexdigest()[:8]}"
            seed = self._made(engine, spec.counts, values, node, keep=spec.keep, wide=spec.scope == "session")
            scope.add(identity, engine, seed)
        self.layers.append((spec.scope, seed.records))

    def seed_inside(self, counts: Mapping[str, Any]) -> SeededRecords:
        """Seed inside the test, and return just these records."""
        with reported():
            if not counts:
                raise UsageError("crm_seeder() takes counts, such as crm_seeder(deals=3).")
            self.inside += 1
            engine = self.session.engine(self.values)
            node = f"{self.request.node.nodeid}#crm_seeder{self.inside}"
            seed = self._made(engine, counts, self.values, node, keep=False)
            self.scope("function").add(node, engine, seed)
        return seed.records

    def _made(
        self,
        engine: Engine,
        counts: Mapping[str, Any],
        values: Values,
        node: str,
        *,
        keep: bool,
        wide: bool = False,
    ) -> Seed:
        item = self.request.node
        wider = self._wider(engine)
        hook = self.session.config.hook
        plan: Plan = engine.plan(counts, wider)
        hook.pytest_crmseed_plan(config=self.session.config, item=item, plan=plan)
        make = engine.seed
        if wide and self.session.worker and not engine.target.address.private:
            from pytest_crmseed.plugin.sharing import seed_once

            make = seed_once(self.session, engine)
        seed = make(
            counts,
            self.session.recipe(values),
            node=node,
            test=item.nodeid,
            wider=wider,
            keep=keep or self.session.settings.keep,
        )
        self.session.count(seed)
        self._note(engine, seed)
        hook.pytest_crmseed_seeded(item=item, records=seed.records)
        return seed

    def _wider(self, engine: Engine) -> dict[str, Sequence[Record]]:
        view = self.records()
        links = engine.target.links
        wanted = {rule.object_type for rules in links.values() for rule in rules.values()}
        return {name: view[name] for name in view.object_types if name in wanted}

    def _note(self, engine: Engine, seed: Seed) -> None:
        counts = ", ".join(f"{name}={number}" for name, number in seed.plan.counts.items())
        self.request.node.user_properties += [
            ("crmseed_run", engine.run.run_id),
            ("crmseed_portal", f"{engine.target.provider.name}/{engine.target.account.portal_id}"),
            ("crmseed_records", counts),
            ("crmseed_requests", seed.requests),
            ("crmseed_seconds", round(seed.seconds, 3)),
        ]

    # -- what fixtures give ----------------------------------------------------------------------
    def records(self) -> SeededRecords:
        """Return one view of all scopes' records, the narrower shadowing by object type."""
        return SeededRecords.layered(
            (records for _, records in self.layers),
            hint="Ask for them in the marker: @pytest.mark.crm_seed(deals=10).",
        )

    def scope(self, scope: str) -> ScopeSeeds:
        """Return the seeds of one of the test's scopes."""
        seeds: ScopeSeeds = self.request.getfixturevalue(f"_crm_seeds_{scope}")
        return seeds

    def adopt(self, object_type: str, record_id: str) -> Record:
        """Take a record that the application made into the test's cleanup."""
        with reported():
            engine = self.session.engine(self.values)
            self.session.adopted += 1
            name = f"{engine.run.worker}.adopted{self.session.adopted}"
            return self.scope("function").adopt(engine, name, object_type, record_id)

    def wait_until_searchable(self, records: Iterable[Record] | Record, seconds: float) -> None:
        """Return as soon as the portal's search finds records of this test's portal."""
        from pytest_crmseed.seeder.waiting import wait_until_searchable

        wanted = [records] if isinstance(records, Record) else list(records)
        with reported():
            for record in wanted:
                if not isinstance(record, Record):
                    raise UsageError(f"wait_until_searchable() takes seeded records, not {record!r}.")
            wait_until_searchable(self.session.engine(self.values).target, wanted, seconds=seconds)

    @property
    def address(self) -> Address:
        """Where the test's portal is."""
        with reported():
            return self.session.engine(self.values).target.address

    def client(self) -> requests.Session:
        """Return an authorised session for the test's portal."""
        from pytest_crmseed.ingest.transport import client_session

        address = self.address
        provider = self.session.engine(self.values).target.provider
        secret = next(c.variable for c in provider.credentials if c.secret)
        headers = provider.headers({**address.credentials, secret: address.token})
        return client_session(address.base_url, headers)
