"""An engine with everything a run has, on a wire that is watched and can be cut."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pytest_crmseed.errors import CrmseedError
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.ingest.transport import Transport
from pytest_crmseed.planning import Count
from pytest_crmseed.providers.base import Answer, Effect, Provider, Request
from pytest_crmseed.providers.optional import Graphs
from pytest_crmseed.records import Batch
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Schema
from pytest_crmseed.seeder.assemble import make_run_id
from pytest_crmseed.seeder.errorfile import ErrorFile
from pytest_crmseed.seeder.schemas import Chosen, live
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo, Seed
from pytest_crmseed.seeder.target import open_target, sandbox_address
from pytest_crmseed.testing.proxy import HEADER, Cut

_RECIPE = Recipe(random_seed=7, base_date=date(2026, 11, 2))


@dataclass(frozen=True)
class PortalUnderTest:
    """The portal that a contract is checked on.

    ``credentials`` go by variable (``MYCRM_API_KEY``). ``count`` returns how many live records of an
    object type, by its neutral name, the server holds; let it look some other way than through the
    provider: into the server's own database, or by a request of its own. Where nothing proves that the
    portal is no production portal, ``pin`` and ``allow_production`` are its id, as far as it takes them.
    """

    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    count: Callable[[str], int]
    pin: str | None = None
    allow_production: str | None = None

    @property
    def limits(self) -> Limits:
        """What the guards are told of the portal."""
        return Limits(portal=self.pin, allow_production=self.allow_production)

    def counts(self, object_types: Sequence[str]) -> dict[str, int]:
        """Return how many records there are of each object type."""
        return {name: self.count(name) for name in object_types}


class Wire:
    """What went over the wire, and which requests are to be cut."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.answers: list[Answer] = []
        self.cut: Callable[[Request], Cut | None] = lambda request: None

    @property
    def writes(self) -> list[Request]:
        """The requests that make, change or delete."""
        return [request for request in self.sent if request.effect is not Effect.READ]

    def transport(self, *args: Any, **kwargs: Any) -> Transport:
        """Return a transport on this wire."""
        wire = self

        class Watched(Transport):
            def send(self, request: Request) -> Answer:
                wire.sent.append(request)
                cut = wire.cut(request)
                if cut is not None:
                    request = replace(request, headers={**request.headers, HEADER: cut.value})
                answer = super().send(request)
                wire.answers.append(answer)
                return answer

        return Watched(*args, **kwargs)


@dataclass(frozen=True)
class Spoiled:
    """A record whose wire values are replaced on their way, behind the back of validation."""

    object_type: str
    index: int
    values: Mapping[str, Any]


def watched(
    provider: type[Provider], batches: list[Batch], spoiled: Spoiled | None, batch_bytes: int | None
) -> type[Provider]:
    """Return a provider class that notes what it creates, and may spoil a record."""

    class Watched(provider):  # type: ignore[valid-type, misc]
        # Nobody waits for a rate: what the server refuses is sent again.
        capabilities = replace(
            provider.capabilities, rates=(), batch_bytes=batch_bytes or provider.capabilities.batch_bytes
        )

        def create(self, batch: Batch, ids: Mapping[tuple[str, int], str]) -> Request:
            _note(batch, batches, spoiled)
            request: Request = super().create(batch, ids)
            return request

    if not issubclass(provider, Graphs):
        return Watched

    class WatchedGraphs(Watched):
        def graph(self, given: Sequence[Batch]) -> Request | None:
            for batch in given:
                _note(batch, batches, spoiled)
            request: Request | None = super().graph(given)
            return request

    return WatchedGraphs


def _note(batch: Batch, batches: list[Batch], spoiled: Spoiled | None) -> None:
    for draft in batch.drafts:
        if spoiled and (draft.object_type, draft.index) == (spoiled.object_type, spoiled.index):
            draft.values.update(spoiled.values)
    batches.append(batch)


class Bench:
    """An open portal with an engine, a ledger, and an error file in ``folder``."""

    def __init__(
        self,
        provider: type[Provider],
        portal: PortalUnderTest,
        base_url: str,
        folder: Path,
        *,
        schema: Schema | None = None,
        limits: Limits | None = None,
        credentials: Mapping[str, str] | None = None,
        spoiled: Spoiled | None = None,
        batch_size: int | None = None,
        batch_bytes: int | None = None,
        on_error: str = "undo",
        wire: Wire | None = None,
    ) -> None:
        self.wire = wire or Wire()
        self.batches: list[Batch] = []
        self.portal = portal
        address = sandbox_address(provider, credentials or portal.credentials, base_url=base_url)
        self.target = open_target(
            watched(provider, self.batches, spoiled, batch_bytes),
            Translator(provider.legend, schema or catalog.bundled(provider.name)),
            address,
            limits or portal.limits,
            policy=RetryPolicy(sleep=lambda seconds: None),
            transport=self.wire.transport,
        )
        try:
            if schema is None:
                schema = live(self.target.connection, self.target.account)
            self.target.use(Chosen(schema))
            self.errors = folder / "crm-errors.jsonl"
            self.ledger = Ledger(folder / "ledger.sqlite", durable=False)
        except BaseException:
            self.target.close()
            raise
        self.engine = Engine(
            self.target,
            self.ledger,
            RunInfo(make_run_id()),
            Limits(),
            errors=ErrorFile(self.errors),
            batch_size=batch_size,
            on_error=on_error,
            sleep=lambda seconds: None,
        )

    def seed(self, counts: Mapping[str, int | Count]) -> Seed:
        """Seed, as a test's marker does."""
        return self.engine.seed(counts, _RECIPE, node="contract")

    def close(self) -> None:
        """Remove what is left, so that a check that fails costs the next one nothing, and close."""
        try:
            result = self.engine.clean()
            if not result.complete:
                raise CrmseedError(f"cleaning up after the check: {'; '.join(result.errors)}")
        finally:
            self.engine.end()
            self.ledger.close()
            self.target.close()


def first_of_each(effect: Effect, cut: Cut) -> Callable[[Request], Cut | None]:
    """Return a rule that cuts the first request of each description with this effect."""
    seen: set[str] = set()
    lock = threading.Lock()

    def rule(request: Request) -> Cut | None:
        if request.effect is not effect:
            return None
        with lock:
            first = request.what not in seen
            seen.add(request.what)
        return cut if first else None

    return rule
