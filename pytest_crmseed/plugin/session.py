"""What one pytest process knows of the run: settings, engines, seeds, totals."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING

import pytest

from pytest_crmseed.errors import CrmseedError
from pytest_crmseed.plugin.termination import Termination
from pytest_crmseed.plugin.totals import Totals
from pytest_crmseed.settings import Settings, credentials

if TYPE_CHECKING:
    from pytest_crmseed.events import Event
    from pytest_crmseed.ingest.cleaner import CleanupResult
    from pytest_crmseed.ingest.ledger import Ledger
    from pytest_crmseed.plugin.scopes import ScopeSeeds
    from pytest_crmseed.plugin.values import Values
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
        elif kind == "Degraded":
            self.totals.notes.append(str(event))
        elif kind == "Reconciled":
            self.totals.lost += 1
        elif kind == "ValueChanged":
            name = f"{event.object_type}.{event.field}"  # type: ignore[union-attr]
            self.totals.changed[name] = self.totals.changed.get(name, 0) + 1
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
        if not address.private:
            self._sweep(engine)
        portal = f"{provider.name}/{target.account.portal_id}"
        self.totals.portals[portal] = target.title
        if target.chosen.schema.source != "bundled":
            self.totals.schemas[portal] = f"Schema of {target.title}: {target.chosen.told()}."
        self.totals.notes += target.chosen.notes
        return engine

    def _sweep(self, engine: Engine) -> None:
        """Remove what runs left that were cut short; trouble is told, and does not stop this run."""
        from pytest_crmseed.seeder.sweep import Sweeper

        try:
            swept = Sweeper(engine).by_ledger()
        except CrmseedError as error:
            self.totals.sweeping.append(str(error))
            return
        for run_id, number in swept.removed.items():
            self.totals.swept[run_id] = self.totals.swept.get(run_id, 0) + number
        self.totals.sweeping += [f"{text}" for text in swept.errors]

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
        if result.complete:
            # What is left is tried again at the end, and told then; this is not.
            self.totals.troubles += result.errors
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
        if engine.overdue and not engine.target.address.private:
            self.totals.notes.append(
                "The run took longer than --crm-expire: `crmseed cleanup --from-portal` on another machine "
                "might have removed its records. Give it more time."
            )
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
        result = engine.clean_entries(left, within=engine.patience)
        self.cleaned(result)
        self.totals.troubles += result.errors
        return len(result.left)
