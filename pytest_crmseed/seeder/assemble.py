"""Put an engine together from settings: provider, schema, address, ledger, pace."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from pytest_crmseed.errors import UsageError
from pytest_crmseed.events import Listener, ignore
from pytest_crmseed.factories import CRMFactory
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.keys import new_run_id
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.providers.base import Provider
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder import schemas
from pytest_crmseed.seeder.errorfile import ErrorFile
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo
from pytest_crmseed.seeder.target import Address, Pace, Target, address_at, local_address, open_target
from pytest_crmseed.settings import Settings

SchemaUse: TypeAlias = Literal["known", "read", "refreshed", "live"]


class RunningPortal(Protocol):
    """A local portal of this process, as :class:`pytest_crmseed.LocalPortal` is."""

    @property
    def base_url(self) -> str: ...
    @property
    def environ(self) -> Mapping[str, str]: ...
    def tokens(self, provider: str) -> Mapping[str, str]: ...
    def stock(self, provider: str) -> bool: ...


def address_of(portal: RunningPortal, provider: type[Provider]) -> Address:
    """Return the address of a local portal that lives in this process.

    Raises:
        UsageError: local portals do not emulate the provider.
    """
    tokens = portal.tokens(provider.name)
    return local_address(
        provider,
        portal.base_url,
        tokens["seeder"],
        tokens["application"],
        portal.environ,
        private=True,
        stock_schema=portal.stock(provider.name),
    )


def outside_address(
    settings: Settings, provider: type[Provider], credentials: Mapping[str, str]
) -> Address | None:
    """Return the address of the portal that settings name, or None for a local one of our own.

    Raises:
        UsageError: what they name cannot be used.
        Unreachable: nothing answers at ``--crm-base-url``.
    """
    from pytest_crmseed.seeder.target import sandbox_address

    if settings.base_url is not None:
        asked = settings.origin("target") != "default"
        return address_at(settings.base_url, provider, credentials, target=settings.target, asked=asked)
    if settings.target == "sandbox":
        return sandbox_address(provider, credentials)
    return None


def limits_of(settings: Settings) -> Limits:
    """Return the guards' limits."""
    return Limits(settings.portal, settings.allow_production, settings.max_records)


def open_by_settings(
    settings: Settings,
    provider: type[Provider],
    address: Address,
    *,
    pin: str | None = None,
    listener: Listener = ignore,
    writing: bool = True,
    schema: SchemaUse = "read",
) -> Target:
    """Open the portal at an address as settings say; the account guards are checked.

    ``pin`` is the only portal that will do, whatever the settings say. Without ``writing`` a
    production portal may be opened, to be read. ``schema`` says how the portal's is come by: it is
    ``read`` where none is known, ``refreshed`` whatever is cached, read ``live`` without a look at
    files and cache, or not asked for at all (``known``), which is enough to remove records.

    Raises:
        CrmseedError: as :func:`pytest_crmseed.seeder.target.open_target` and
            :func:`pytest_crmseed.seeder.schemas.of_portal` say.
    """
    limits = limits_of(settings)
    if pin is not None:
        limits = replace(limits, portal=pin)
    elif address.is_local and not settings.origin("portal").startswith("--"):
        # A project pins its sandbox in a file; the local portal is nobody's sandbox.
        limits = replace(limits, portal=None)
    pace = Pace(settings.rate, settings.batch_size, budget_file())
    known = None
    if schema == "known":
        known = schemas.offline(provider, settings if pin is None else settings.chosen("the run", portal=pin))
    if settings.schema is not None and schema != "live":
        # Before anything is sent: a file that cannot be used is a mistake of the caller's.
        known = known or schemas.from_file(provider, settings.schema)
    target = open_target(
        provider,
        Translator(provider.legend, catalog.bundled(provider.name)),
        address,
        limits,
        api_version=settings.api_version,
        pace=pace,
        listener=listener,
        writing=writing,
    )
    try:
        if known is not None:
            target.use(schemas.for_account(known, target.account, is_local=address.is_local))
        elif schema == "live":
            found = schemas.live(target.connection, target.account)
            target.use(schemas.Chosen(found, found.gaps))
        else:
            target.use(
                schemas.of_portal(
                    target.connection,
                    target.account,
                    schemas.cache_of(settings),
                    is_local=address.is_local,
                    stock=address.stock_schema,
                    refresh=schema == "refreshed",
                )
            )
    except BaseException:
        target.close()
        raise
    return target


def engine(
    settings: Settings,
    target: Target,
    run: RunInfo,
    *,
    ledger: Ledger | None = None,
    listener: Listener = ignore,
) -> Engine:
    """Return an engine for an open portal, with its ledger and error file.

    Raises:
        LedgerError: the ledger cannot be opened.
    """
    # The records of a portal that dies with this process need no ledger that survives a power cut.
    ledger = ledger or Ledger(settings.ledger, durable=not target.address.private)
    return Engine(
        target,
        ledger,
        run,
        limits_of(settings),
        errors=ErrorFile(settings.errors),
        count=settings.count,
        batch_size=settings.batch_size,
        on_error=settings.on_error,
        verify=settings.verify,
        empty_bin=settings.empty_bin,
        listener=listener,
    )


def run_of(settings: Settings, run_id: str, worker: str = "") -> RunInfo:
    """Return what the settings say of a run."""
    return RunInfo(run_id, settings.expire.total_seconds(), settings.keep_for.total_seconds(), worker)


def make_run_id() -> str:
    """Return the id of a new run."""
    return new_run_id(time.time, random.SystemRandom())


def recipe_of(
    settings: Settings,
    *,
    random_seed: int,
    base_date: date,
    locale: str | None = None,
    factories: Mapping[str, type[CRMFactory]] | None = None,
) -> Recipe:
    """Return what generated values depend on.

    Raises:
        UsageError: a factory is none of ours, or stands for another object type than its own.
    """
    for name, factory in (factories or {}).items():
        if not (isinstance(factory, type) and issubclass(factory, CRMFactory)):
            raise UsageError(
                f"crm_factories[{name!r}] is {factory!r}; it takes a subclass of CRMFactory, "
                "such as a subclass of DealFactory."
            )
    return Recipe(
        random_seed,
        base_date,
        locale or settings.locale,
        settings.email_domain or "example.com",
        dict(factories or {}),
    )


def budget_file() -> Path:
    """Return the file by which all processes of this user on this machine share rate budgets."""
    return Path(tempfile.gettempdir()) / f"crmseed-{_user()}" / "budget.sqlite"


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
