"""Which schema a portal is seeded by: the one of --crm-schema, its own (cached or read live), the bundled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from pytest_crmseed.errors import (
    ApiRefused,
    CrmseedError,
    NotAPortal,
    PortalError,
    RecordsRefused,
    Unauthorized,
    UnknownName,
    UsageError,
    ValidationFailed,
)
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.providers.base import Account, Answer, Provider, Request, Rounds
from pytest_crmseed.schema import catalog, documents
from pytest_crmseed.schema.cache import SchemaCache, age, fresh, older_than, stamp, told
from pytest_crmseed.schema.model import Schema
from pytest_crmseed.schema.tables import Problem
from pytest_crmseed.settings import Settings

Now = Callable[[], datetime]

# Another process that reads the same schema is waited for no longer than this.
_LOCK_SECONDS = 600


def now_utc() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Chosen:
    """A schema to go by, what its user should be told of it, and its file if it was given as one."""

    schema: Schema
    notes: tuple[str, ...] = ()
    file: Path | None = None

    def told(self, now: Now = now_utc) -> str:
        """Return where it comes from and how old it is."""
        return told(self.schema, now(), name=self.file.name if self.file else "")

    def age(self, now: Now = now_utc) -> str:
        """Return how long ago it was read."""
        return age(self.schema, now())


def cache_of(settings: Settings) -> SchemaCache:
    """Return the cache, which lies beside the ledger."""
    return SchemaCache(settings.ledger.parent / "schemas")


def from_file(provider: type[Provider], path: Path) -> Chosen:
    """Return the schema of a pulled file.

    Raises:
        UsageError: it is no schema file of this provider.
    """
    schema = documents.read(path, provider=provider.name)
    notes = list(schema.gaps)
    snapshot = catalog.bundled(provider.name)
    if older_than(schema, snapshot):
        notes.append(
            f"{path.name} was read on {schema.taken_at[:10]}, before the bundled schema of "
            f"{snapshot.taken_at} was made; pull it anew with `crmseed schema pull`."
        )
    return Chosen(schema, tuple(notes), path)


def offline(provider: type[Provider], settings: Settings) -> Chosen:
    """Return the schema to go by without asking a portal, as a dry run does.

    That of ``--crm-schema``; else the cached one of the pinned portal (of the one read last, without
    a pin), however old; else the bundled snapshot.

    Raises:
        UsageError: ``--crm-schema`` is no schema file of this provider.
    """
    if settings.schema is not None:
        return from_file(provider, settings.schema)
    cache = cache_of(settings)
    notes: tuple[str, ...] = ()
    if settings.portal is None:
        known = cache.latest(provider.name)
    else:
        known, notes = _cached(cache, provider.name, settings.portal)
    if known is not None:
        return Chosen(known, known.gaps)
    return Chosen(catalog.bundled(provider.name), notes)


def for_account(chosen: Chosen, account: Account, *, is_local: bool) -> Chosen:
    """Return a schema of a file with a note if it is that of another portal than the one to be seeded."""
    other = chosen.schema.portal_id
    if chosen.file is None or is_local or other in ("", account.portal_id):
        return chosen
    note = f"{chosen.file.name} is the schema of portal {other}, and portal {account.portal_id} is seeded."
    return replace(chosen, notes=(*chosen.notes, note))


def of_portal(
    connection: Connection,
    account: Account,
    cache: SchemaCache,
    *,
    is_local: bool,
    stock: bool = False,
    refresh: bool = False,
    now: Now = now_utc,
) -> Chosen:
    """Return a portal's schema: the cached one, unless it is old or ``refresh`` forgets it, else read now.

    One process reads it for all that ask at the same time. A local portal that says that its
    definitions are ``stock`` is not asked for them, and none of a local portal is cached: it may be
    another one tomorrow. Where the portal does not let its schema be read, an old cached one or the
    bundled snapshot is taken, and a note says so.

    Raises:
        Unauthorized: the portal does not accept the credentials.
        PortalError: a local portal fails.
    """
    if stock:
        return Chosen(catalog.bundled(connection.provider.name))
    if is_local:
        found = live(connection, account, now=now)
        return Chosen(found, found.gaps)
    path = cache.path(connection.provider.name, account.portal_id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        # It cannot be kept, which writing it says below; nobody waits for anybody then.
        return _cached_or_live(connection, account, cache, refresh=refresh, now=now)
    with FileLock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
        return _cached_or_live(connection, account, cache, refresh=refresh, now=now)


def _cached_or_live(
    connection: Connection, account: Account, cache: SchemaCache, *, refresh: bool, now: Now
) -> Chosen:
    provider = connection.provider.name
    known, notes = (None, ()) if refresh else _cached(cache, provider, account.portal_id)
    if known is not None and fresh(known, now()):
        return Chosen(known, known.gaps)
    try:
        found = live(connection, account, now=now)
    except PortalError as error:
        if isinstance(error, Unauthorized) and error.status == 401:
            raise
        return _instead(known or catalog.bundled(provider), error, now())
    try:
        cache.write(found)
    except UsageError as error:
        notes = (*notes, f"The portal's schema is read anew in each run: {error.message}")
    return Chosen(found, (*notes, *found.gaps))


def _cached(cache: SchemaCache, provider: str, portal_id: str) -> tuple[Schema | None, tuple[str, ...]]:
    try:
        return cache.read(provider, portal_id), ()
    except UsageError as unusable:
        return None, (f"The cached schema cannot be used: {unusable.message}",)


def _instead(schema: Schema, error: PortalError, now: datetime) -> Chosen:
    used = "the bundled one is used, and names that it does not have are not checked before they are sent"
    if schema.source == "cache":
        used = f"the cached one is used, read {age(schema, now)}"
    return Chosen(schema, (f"The portal's schema could not be read; {used}. {error.message}", *schema.gaps))


# -- reading --------------------------------------------------------------------------------------
def live(connection: Connection, account: Account, *, now: Now = now_utc) -> Schema:
    """Read the schema from the portal itself: the object types the provider knows, and all custom ones.

    Raises:
        PortalError: the portal cannot be read.
    """
    provider = connection.provider
    snapshot = catalog.bundled(provider.name)
    # One of its own: what is read is compared to the snapshot, not to the schema that is in use.
    reader = copy(provider)
    reader.schema = snapshot
    known = list(snapshot.object_types) or [entry.native for entry in provider.legend.objects.values()]
    rounds = reader.discover(known, portal_id=account.portal_id, taken_at=stamp(now()))
    return _run(connection, rounds)


def _run(connection: Connection, rounds: Rounds[Schema]) -> Schema:
    failed: list[CrmseedError] = []

    def answered(request: Request) -> Answer | CrmseedError:
        if failed:
            # A portal that is down is not asked for the rest, each with its repetitions.
            return failed[0]
        try:
            return connection.send(request)
        except CrmseedError as error:
            refused = isinstance(error, ApiRefused | Unauthorized | NotAPortal) and error.status != 401
            if not refused:
                failed.append(error)
            return error

    in_flight = connection.provider.capabilities.in_flight
    with ThreadPoolExecutor(in_flight, thread_name_prefix="crmseed-schema") as threads:
        try:
            requests: Sequence[Request] = next(rounds)
            while True:
                requests = rounds.send(list(threads.map(answered, requests)))
        except StopIteration as done:
            schema: Schema = done.value
            return schema
        except Exception as error:
            connection.transport.redactor.clean(error)
            raise
        finally:
            rounds.close()


# -- when it is out of date -----------------------------------------------------------------------
@contextmanager
def dated(chosen: Chosen, *, now: Now = now_utc) -> Iterator[None]:
    """Add to a refusal that may be due to an old schema how old it is, and how it is read anew."""
    try:
        yield
    except (UnknownName, ValidationFailed, RecordsRefused) as error:
        hint = _hint(chosen, now()) if _of_schema(error, chosen.schema) else ""
        if hint and hint not in error.remedy:
            error.remedy = f"{error.remedy} {hint}".strip()
        raise


def _hint(chosen: Chosen, now: datetime) -> str:
    if not chosen.schema.object_types:
        return (
            f"The provider {chosen.schema.provider} brings no schema, and the portal's was not read yet: "
            "pull it with `crmseed schema pull`, and name the file with --crm-schema."
        )
    if chosen.schema.source == "cache":
        return (
            f"The portal's schema was read {age(chosen.schema, now)}; if the portal has changed since, "
            "--crm-refresh-schema reads it anew."
        )
    if chosen.file is not None:
        return (
            f"{chosen.file.name} was read {age(chosen.schema, now)}; if the portal has changed since, pull "
            "it anew with `crmseed schema pull`."
        )
    return ""


def _of_schema(error: CrmseedError, schema: Schema) -> bool:
    """Return whether a newer schema could make a difference to a refusal."""
    if isinstance(error, UnknownName):
        return error.kind in ("object type", "field", "association label")
    if isinstance(error, RecordsRefused):
        return any(refusal.field for result in error.results for refusal in result.refusals)
    problems = error.problems if isinstance(error, ValidationFailed) else ()
    known = {name for object_type in schema.object_types.values() for name in object_type.fields}
    return any(
        isinstance(problem, Problem) and (problem.allowed or (problem.native or problem.field) not in known)
        for problem in problems
    )
