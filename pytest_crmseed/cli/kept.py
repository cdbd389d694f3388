"""The portal that a command works on: the one that is configured, else a local one kept in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_crmseed.cli.main import Loaded, found_credentials
from pytest_crmseed.errors import UsageError
from pytest_crmseed.seeder import assemble
from pytest_crmseed.seeder.target import Address
from pytest_crmseed.settings import Settings

if TYPE_CHECKING:
    from pytest_crmseed.portal import LocalPortal
    from pytest_crmseed.providers.base import Provider
    from pytest_crmseed.schema.model import Schema

NAME = "portal.sqlite"


def kept_file(settings: Settings) -> Path:
    """Return the file of the local portal that commands use by default: it lies beside the ledger."""
    return settings.ledger.parent / NAME


def configured(loaded: Loaded, provider: type[Provider]) -> Address | None:
    """Return the address of the portal that the settings name, or None where they name none.

    Raises:
        UsageError: what they name cannot be used.
        Unreachable: nothing answers there.
    """
    return assemble.outside_address(loaded.settings, provider, found_credentials(loaded, provider))


@contextmanager
def some_portal(loaded: Loaded, provider: type[Provider], *, make: bool = False) -> Iterator[Address]:
    """Give the portal that the settings name, else the kept local one while the block lasts.

    Where there is no kept one, it is made, or without ``make`` one takes its place that leaves no file.

    Raises:
        UsageError: the portal cannot be used, or another process uses its file.
        Unreachable: nothing answers at the address.
    """
    address = configured(loaded, provider)
    if address is not None:
        yield address
        return
    path = kept_file(loaded.settings)
    with kept_portal(path if make or path.exists() else None, loaded.settings, provider) as address:
        yield address


@contextmanager
def known_portal(loaded: Loaded, provider: type[Provider], *, none: UsageError) -> Iterator[Address]:
    """Give the portal that the settings name, else the kept local one; else raise ``none``."""
    if configured(loaded, provider) is None and not kept_file(loaded.settings).exists():
        raise none
    with some_portal(loaded, provider) as address:
        yield address


@contextmanager
def kept_portal(path: Path | None, settings: Settings, provider: type[Provider]) -> Iterator[Address]:
    """Serve the local portal of a file while the block lasts, or one in memory for None; give its address.

    Raises:
        UsageError: the provider is not emulated, or another process uses the file.
    """
    from pytest_crmseed.ingest.database import make_folder
    from pytest_crmseed.portal import LocalPortal

    schema = _pulled(settings)
    if path is not None:
        try:
            make_folder(path.parent)
        except OSError as error:
            raise UsageError(
                f"the local portal cannot be kept in {path}: {error.strerror or error}.",
                remedy="Work in a folder that can be written to, or name a ledger in one with --ledger.",
            ) from error
    try:
        portal = LocalPortal(db=path, schema=schema)
    except UsageError as error:
        if path is None or "locked" not in error.message:
            raise
        raise UsageError(
            f"another process uses the local portal that is kept in {path}.",
            remedy=(
                f"Wait until it has ended; or serve the portal to all of them with `crmseed portal --db "
                f"{path}`, and give its address with --base-url."
            ),
        ) from error
    with portal:
        give_own_id(portal)
        yield replace(assemble.address_of(portal, provider), private=path is None, file=path)


def _pulled(settings: Settings) -> Schema | None:
    if settings.schema is None:
        return None
    from pytest_crmseed.schema import documents

    # One file for one provider: what the local portal emulates of others stays as it is.
    return documents.read(settings.schema, provider=settings.provider)


def give_own_id(local: LocalPortal) -> None:
    """Give a portal an id of its own, the same as long as its file lasts.

    Two portals that serve at one address, one after the other, number their records alike. By the
    portal's id ``crmseed cleanup`` tells the one in which a run was made from the other.
    """
    digest = hashlib.sha256(local.seed_token.encode()).digest()
    number = 100_000_000 + int.from_bytes(digest[:6]) % 900_000_000
    behaviour = local.portal.behaviour
    behaviour.portal_id = number
    behaviour.salesforce.organization_number = number
    behaviour.pipedrive.company_id = number
