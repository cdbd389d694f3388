"""What one pytest process knows of the run: settings, engines, seeds, totals."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from pytest_crmseed.errors import CrmseedError, UsageError
from pytest_crmseed.plugin import marker
from pytest_crmseed.plugin.termination import Termination
from pytest_crmseed.records import Record, SeededRecords
from pytest_crmseed.settings import Settings, credentials

if TYPE_CHECKING:
    import requests

    from pytest_crmseed.events import Event
    from pytest_crmseed.factories import CRMFactory
    from pytest_crmseed.ingest.cleaner import CleanupResult
    from pytest_crmseed.ingest.ledger import Ledger
    from pytest_crmseed.planning import Plan
    from pytest_crmseed.portal import LocalPortal
    from pytest_crmseed.providers.base import Provider
    from pytest_crmseed.schema.model import Schema
    from pytest_crmseed.seeder.seeder import Engine, Recipe, Seed
    from pytest_crmseed.seeder.target import Address

# Ended runs that left nothing stand in the ledger for so long, for `crmseed runs --all`.
FORGET_AFTER_DAYS = 14

SESSION: pytest.StashKey[CrmSession] = pytest.StashKey()


def session_of(config: pytest.Config) -> CrmSession:
    """Return the session of a pytest process."""
    return config.stash[SESSION]


@dataclass
class Totals:
    """What the summary tells: added up over workers, so plain numbers and texts only."""

    records: dict[str, int] = field(default_factory=dict)
    seeds: int = 0
    requests: int = 0
    seconds: float = 0.0
    removed: int = 0
    retries: int = 0
    refused: int = 0
    kept: int = 0
    portals: dict[str, str] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    kept_privately: bool = False

    def add(self, other: Mapping[str, Any]) -> None:
        """Add another process's totals, given as a mapping."""
        for name in ("seeds", "requests", "seconds", "removed", "retries", "refused", "kept"):
            setattr(self, name, getattr(self, name) + other[name])
        for name in ("records", "left"):
            mine = getattr(self, name)
            for key, number in other[name].items():
                mine[key] = mine.get(key, 0) + number
        self.portals.update(other["portals"])
        self.troubles += other["troubles"]
        self.kept_privately |= other["kept_privately"]


@dataclass(frozen=True)
class Values:
    """What the overridable fixtures give for one test."""

    provider: str
    credentials: Mapping[str, str] = field(repr=False)
    factories: Mapping[str, type[CRMFactory]]
    locale: str
    random_seed: int

    @classmethod
    def read(cls, session: CrmSession, request: pytest.FixtureRequest) -> Values:
        """Return the values of a test's fixtures.

        Raises:
            UsageError: a fixture gives what cannot be used.
        """
        with reported():
            provider = marker.provider_of(request.node) or request.getfixturevalue("crm_provider")
            given = request.getfixturevalue("crm_credentials")
            factories = _factories(request.getfixturevalue("crm_factories"))
            random_seed = request.getfixturevalue("crm_random_seed")
            if not isinstance(provider, str):
                raise UsageError(f"crm_provider gives {provider!r}; it takes the name of a provider.")
            if not isinstance(given, Mapping):
                raise UsageError("crm_credentials takes a mapping of variable names to values.")
            if isinstance(random_seed, bool) or not isinstance(random_seed, int):
                raise UsageError(f"crm_random_seed gives {random_seed!r}; it takes a whole number.")
            return cls(provider, given, factories, request.getfixturevalue("crm_locale"), random_seed)


def _factories(given: object) -> Mapping[str, type[CRMFactory]]:
    if not isinstance(given, Mapping):
        raise UsageError(f'crm_factories takes a mapping such as {{"deals": MyDealFactory}}, not {given!r}.')
    return given


class reported:
    """Turn an error of ours into a test's failure of one paragraph, without a traceback."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, CrmseedError):
            # Not pytest.fail(): the error itself would be printed above its own text as the cause.
            raise pytest.fail.Exception(f"crmseed: {error}", pytrace=False) from None


class CrmSession:
    """One pytest process: opens portals when first needed, and closes them at the end."""

    def __init__(
        self,
        config: pytest.Config,
        settings: Settings,
        dotenv: Mapping[str, str],
        environ: Mapping[str, str],
        *,
        run_id: str | None,
        random_seed: int,
        base_date: date,
        worker: str = "",
    ) -> None:
        self.config = config
        self.settings = settings
        self.random_seed = random_seed
        self.base_date = base_date
        self.worker = worker
        self.totals = Totals()
        self.refusal: CrmseedError | None = None
        self.listeners: list[Callable[[Event], None]] = []
        self._dotenv = dotenv
        self._environ = environ
        self._run_id = run_id
        self._providers: dict[str, type[Provider]] = {}
        self._engines: dict[tuple[str, str], Engine] = {}
        self._ledgers: dict[bool, Ledger] = {}
        self._local: LocalPortal | None = None
        self.live: list[ScopeSeeds] = []
        self.adopted = 0
        self._termination = Termination()
        self.shared: set[str] = set()

    # -- the run ---------------------------------------------------------------------------------
    @property
    def run_id(self) -> str:
        """The run's id, the same in all workers."""
        if self._run_id is None:
            from pytest_crmseed.seeder.assemble import make_run_id

            self._run_id = make_run_id()
        return self._run_id

    def default_provider(self) -> str:
        """Return the provider where neither marker nor fixture names one."""
        hooked: str | None = self.config.hook.pytest_crmseed_provider(config=self.config)
        return hooked or self.settings.provider

    def hear(self, event: Event) -> None:
        """Pass an event on to those who listen, and count it."""
        kind = type(event).__name__
        if kind == "Retried":
            self.totals.retries += 1
        elif kind == "RecordFailed":
            self.totals.refused += 1
        for listener in self.listeners:
            listener(event)

    # -- portals ---------------------------------------------------------------------------------
    def engine(self, values: Values) -> Engine:
        """Return the engine of the portal that a test's values name; opens it when first asked.

        Raises:
            CrmseedError: the portal cannot be opened, or a guard refuses it.
        """
        provider = self._provider(values.provider)
        secrets = self._credentials(provider, values)
        identity = (provider.name, hashlib.sha256(repr(sorted(secrets.items())).encode()).hexdigest())
        if identity not in self._engines:
            self._engines[identity] = self._open(provider, secrets, overridden=bool(values.credentials))
        return self._engines[identity]

    def _provider(self, name: str) -> type[Provider]:
        from pytest_crmseed.providers.registry import load

        # Once for each name: looking it up reads the metadata of every installed distribution.
        if name not in self._providers:
            self._providers[name] = load(name)
        return self._providers[name]

    def _credentials(self, provider: type[Provider], values: Values) -> dict[str, str]:
        variables = [credential.variable for credential in provider.credentials]
        found = credentials(variables, self._environ, self._dotenv, dict(values.credentials))
        return {name: secret.value for name, secret in found.items()}

    def _open(self, provider: type[Provider], secrets: Mapping[str, str], *, overridden: bool) -> Engine:
        from pytest_crmseed.seeder import assemble

        self._termination.install()
        address = assemble.outside_address(self.settings, provider, secrets)
        if address is None:
            address = assemble.address_of(self.local_portal(), provider)
        target = assemble.open_by_settings(self.settings, provider, address, listener=self.hear)
        try:
            run_id = self._run_id_for(provider, address, target.account.portal_id, overridden=overridden)
            run = assemble.run_of(self.settings, run_id, self.worker)
            engine = assemble.engine(
                self.settings, target, run, ledger=self._ledger_for(address), listener=self.hear
            )
        except BaseException:
            target.close()
            raise
        self.totals.portals[f"{provider.name}/{target.account.portal_id}"] = target.title
        return engine

    def _run_id_for(
        self, provider: type[Provider], address: Address, portal_id: str, *, overridden: bool
    ) -> str:
        # One run id for all workers, but a run in the ledger belongs to one portal: another
        # provider's, one that overridden credentials lead to, and each worker's own local portal
        # get a suffix (two characters each).
        run_id = self.run_id
        if provider.name != self.settings.provider or (overridden and not address.is_local):
            digest = hashlib.sha256(f"{provider.name}/{portal_id}".encode()).digest()
            run_id += "".join("ghijklmnopqrstuvwxyz"[byte % 20] for byte in digest[:2])
        if address.private and self.worker:
            run_id += f"{int(''.join(filter(str.isdigit, self.worker)) or 0) % 100:02d}"
        return run_id

    def _ledger_for(self, address: Address) -> Ledger:
        durable = not address.private
        if durable not in self._ledgers:
            from pytest_crmseed.ingest.ledger import Ledger

            self._ledgers[durable] = Ledger(self.settings.ledger, durable=durable)
        return self._ledgers[durable]

    def local_portal(self) -> LocalPortal:
        """Return this process's local portal; starts it when first asked."""
        if self._local is None:
            from pytest_crmseed.portal import LocalPortal

            portal = LocalPortal(schema=self._portal_schema())
            portal.start()
            self._local = portal
        return self._local

    def _portal_schema(self) -> Schema | None:
        # One file for one provider: what the local portal emulates of others stays as it is.
        if self.settings.schema is None:
            return None
        from pytest_crmseed.schema import documents

        return documents.read(self.settings.schema, provider=self.settings.provider)

    @property
    def own_portal(self) -> LocalPortal | None:
        """This process's local portal if it runs."""
        return self._local

    # -- seeds -----------------------------------------------------------------------------------
    def recipe(self, values: Values) -> Recipe:
        """Return what generated values depend on, for a test's values."""
        from pytest_crmseed.seeder.assemble import recipe_of

        return recipe_of(
            self.settings,
            random_seed=values.random_seed,
            base_date=self.base_date,
            locale=values.locale,
            factories=values.factories,
        )

    def count(self, seed: Seed) -> None:
        """Add a seed to the totals."""
        totals = self.totals
        if seed.joined:
            return
        totals.seeds += 1
        totals.requests += seed.requests
        totals.seconds += seed.seconds
        for name, number in seed.plan.counts.items():
            totals.records[name] = totals.records.get(name, 0) + number

    def cleaned(self, result: CleanupResult) -> None:
        """Add a cleanup to the totals, and tell the hook."""
        self.totals.removed += result.removed
        self.config.hook.pytest_crmseed_cleanup(config=self.config, result=result)

    def close(self) -> None:
        """Clean what earlier attempts left, end the runs, close everything; never raises for a portal."""
        for engine in self._engines.values():
            self._finish(engine)
        self._engines.clear()
        for ledger in self._ledgers.values():
            self._forget_old_runs(ledger)
            ledger.close()
        self._ledgers.clear()
        if self._local is not None:
            self._local.close()
            self._local = None
        self._termination.remove()

    def _forget_old_runs(self, ledger: Ledger) -> None:
        try:
            ledger.prune(FORGET_AFTER_DAYS)
        except CrmseedError as error:
            self.totals.troubles.append(str(error))

    def _finish(self, engine: Engine) -> None:
        run_id = engine.run.run_id
        try:
            left = self._last_try(engine)
            if left:
                self.totals.left[run_id] = self.totals.left.get(run_id, 0) + left
            engine.end()
        except CrmseedError as error:
            self.totals.troubles.append(f"{engine.target.title}: {error}")
            self.totals.left.setdefault(run_id, 0)
        finally:
            engine.target.close()

    def _last_try(self, engine: Engine) -> int:
        """Clean what this process's seeds left, whatever cut them short; return how many records remain.

        The ledger is asked, not the scopes: a teardown or an undo that was interrupted is in it, too.
        """
        mine = f"{self.worker}." if self.worker else ""
        left = [
            entry
            for entry in engine.ledger.live(engine.run.run_id)
            if entry.kept_until is None and entry.seed.startswith(mine) and entry.seed not in self.shared
        ]
        if not left:
            return 0
        result = engine.clean_entries(left)
        self.cleaned(result)
        self.totals.troubles += result.errors
        return len(result.left)


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
        links = engine.target.provider.links
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
