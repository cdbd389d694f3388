"""The seeder for plain Python: a script, a notebook, another test runner."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from pytest_crmseed.errors import CrmseedError, UnknownName, UsageError
from pytest_crmseed.events import Listener, ignore
from pytest_crmseed.factories import CRMFactory
from pytest_crmseed.planning import Count
from pytest_crmseed.providers.base import Credential
from pytest_crmseed.providers.registry import load
from pytest_crmseed.records import Record, SeededRecords
from pytest_crmseed.seeder import assemble
from pytest_crmseed.seeder.seeder import Seed
from pytest_crmseed.seeder.sweep import Sweeper, Swept
from pytest_crmseed.settings import SETTINGS, Settings, credentials, read_dotenv


class Seeder:
    """Seed a portal from plain Python, and remove the records at the end.

    ::

        with LocalPortal() as portal, Seeder(portal) as seeder:
            records = seeder.seed(deals=3)

    Without ``portal`` the settings decide, as in a test run: environment, ``.env`` of the working
    directory, defaults; keyword arguments (``target="sandbox"``, ``portal_id="1234567"`` …) win
    over them, by the names of the settings, with ``portal_id`` for ``--crm-portal``. What dead runs
    left in this portal is removed first; ``swept`` says what that was.

    Raises:
        UsageError: a setting or credential is wrong or missing.
        GuardRefused: the portal is not the one that may be written to.
        PortalError: the portal cannot be reached or does not accept the credentials.
        LedgerError: the ledger cannot be opened.
    """

    def __init__(
        self,
        portal: assemble.RunningPortal | None = None,
        *,
        credentials: Mapping[str, str] | None = None,
        factories: Mapping[str, type[CRMFactory]] | None = None,
        listener: Listener = ignore,
        **settings: object,
    ) -> None:
        for name in settings:
            if name != "portal_id" and name not in SETTINGS:
                known = ["portal_id", *(known for known in SETTINGS if known != "portal")]
                raise UnknownName("setting", name, known, where="of Seeder()")
        given = {("portal" if name == "portal_id" else name): value for name, value in settings.items()}
        root = Path.cwd()
        dotenv = read_dotenv(root)
        self.settings = Settings.load(given, os.environ, dotenv, root=root, option_prefix="")
        provider = load(self.settings.provider)
        seed = self.settings.random_seed
        self._recipe = assemble.recipe_of(
            self.settings,
            random_seed=random.SystemRandom().randrange(2**32) if seed is None else seed,
            base_date=self.settings.base_date or date.today(),
            factories=factories,
        )
        secrets = _credentials(provider.credentials, dotenv, credentials or {})
        if portal is not None:
            address = assemble.address_of(portal, provider)
        else:
            found = assemble.outside_address(self.settings, provider, secrets)
            if found is None:
                raise UsageError(
                    "Seeder() has no portal to seed.",
                    remedy="Give it a LocalPortal(), a base_url, or target='sandbox' with credentials.",
                )
            address = found
        target = assemble.open_by_settings(
            self.settings,
            provider,
            address,
            listener=listener,
            schema="refreshed" if self.settings.refresh_schema else "read",
        )
        try:
            run = assemble.run_of(self.settings, assemble.make_run_id())
            self._engine = assemble.engine(self.settings, target, run, listener=listener)
            self.swept = Swept() if address.private else Sweeper(self._engine).by_ledger()
        except BaseException:
            target.close()
            raise
        self._seeds: list[Seed] = []

    @property
    def run_id(self) -> str:
        """The run's id, which ``crmseed cleanup --run`` takes."""
        return self._engine.run.run_id

    def seed(
        self,
        *,
        objects: Mapping[str, int | Count] | None = None,
        keep: bool = False,
        **counts: int | Count,
    ) -> SeededRecords:
        """Make records and what they depend on, all or none; earlier ones may be their parents.

        A value is a number or :func:`count`; ``objects`` takes names that are no identifiers.

        Raises:
            CrmseedError: as :class:`Seeder` says, or the portal refused a record; nothing is left.
        """
        wider = SeededRecords.layered([seed.records for seed in self._seeds])
        seed = self._engine.seed(
            {**counts, **(objects or {})},
            self._recipe,
            node=f"seeder#{len(self._seeds) + 1}",
            wider={name: wider[name] for name in wider.object_types},
            keep=keep or self.settings.keep,
        )
        self._seeds.append(seed)
        return seed.records

    def adopt(self, object_type: str, record_id: str) -> Record:
        """Take a record that the application made into the cleanup, and return it.

        Raises:
            UsageError: the portal has no such record.
        """
        return self._engine.adopt("adopted", object_type, record_id)

    def clean(self) -> int:
        """Remove everything that is not kept, and return how many records that were.

        Raises:
            CleanupIncomplete: records are left; the text names the command that removes them.
        """
        # The ledger is asked, not the seeds: an undo that failed left something as well.
        entries = [entry for entry in self._engine.live() if entry.kept_until is None]
        result = self._engine.clean_entries(entries)
        self._engine.require_clean(result)
        self._seeds = [seed for seed in self._seeds if seed.keep]
        return result.removed

    def close(self) -> None:
        """Remove everything that is not kept, and close the connections."""
        try:
            self.clean()
        finally:
            self._engine.end()
            self._engine.ledger.close()
            self._engine.target.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except CrmseedError as incomplete:
            if error is None:
                raise
            # The body's own error is the one to see; what was left is noted on it.
            error.add_note(str(incomplete))


def _credentials(
    wanted: Sequence[Credential], dotenv: Mapping[str, str], override: Mapping[str, str]
) -> dict[str, str]:
    variables = [credential.variable for credential in wanted]
    return {name: found.value for name, found in credentials(variables, os.environ, dotenv, override).items()}
