"""What a seed would send, without sending it: for dry runs and ``crmseed plan``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories import Generation
from pytest_crmseed.ingest.batches import BatchSize, in_batches
from pytest_crmseed.ingest.graphs import graph_requests
from pytest_crmseed.ingest.schedule import Cost, cost
from pytest_crmseed.planning import Count, Plan
from pytest_crmseed.providers.base import Request
from pytest_crmseed.providers.registry import load
from pytest_crmseed.records import Batch, Record
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder import schemas
from pytest_crmseed.seeder.assemble import limits_of
from pytest_crmseed.seeder.links import links_for
from pytest_crmseed.seeder.prepare import prepare
from pytest_crmseed.seeder.seeder import Recipe, bin_of, plan_counts
from pytest_crmseed.seeder.unchecked import unchecked
from pytest_crmseed.settings import Settings

# So many inputs of a batch are printed in a sample.
SAMPLE = 1

# What providers' APIs call the records in a body.
ENTRIES = ("inputs", "records")


@dataclass(frozen=True)
class Previewed:
    """What a seed would send: its plan, its requests, their cost, and what only the portal can tell."""

    plan: Plan
    requests: Sequence[Request]
    cost: Cost
    left_open: Sequence[str]


class Preview:
    """Plan, validate and render seeds by a schema; opens nothing.

    ``chosen`` is the schema, by default a pulled, a cached or the bundled one. ``more`` is the option that
    prints all payloads, in words.
    """

    def __init__(
        self,
        provider: str,
        settings: Settings,
        *,
        full: bool = False,
        chosen: schemas.Chosen | None = None,
        more: str = "--crm-dry-run-full prints all",
    ) -> None:
        self._settings = settings
        self._full = full
        self._more = more
        self._class = load(provider)
        self.chosen = chosen or schemas.offline(self._class, settings)
        self._translator = Translator(self._class.legend, self.chosen.schema)
        if settings.api_version is not None and settings.api_version not in self._class.api_versions:
            raise UsageError(
                f"--crm-api-version {settings.api_version!r} is none that {self._class.title} is written for."
            )
        self._provider = self._class(self._translator.schema, api_version=settings.api_version)
        if settings.empty_bin:
            bin_of(self._provider)
        self._links = links_for(self._provider, self._translator.schema)
        self.seeds = 0
        self.records = 0
        self.cost = Cost()

    @property
    def heading(self) -> str:
        """One line that says by which schema this is checked, and how old it is."""
        schema = self.chosen.schema
        by = f"{self._class.title}, checked against"
        if self.chosen.file is not None:
            return (
                f"{by} {self.chosen.file.name}, the schema of portal {schema.portal_id or 'unknown'}, read "
                f"{self.chosen.age()} ({schema.taken_at})."
            )
        if schema.source == "cache":
            return (
                f"{by} the cached schema of portal {schema.portal_id}, read {self.chosen.age()} "
                f"({schema.taken_at})."
            )
        return (
            f"{by} the {schema.source} schema of {schema.taken_at}; names it does not have are not checkable "
            "here."
        )

    def plan(
        self, counts: Mapping[str, int | Count], wider: Mapping[str, Sequence[Record]] | None = None
    ) -> Plan:
        """Return the plan of counts.

        Raises:
            UsageError: a name or number cannot be used.
        """
        with schemas.dated(self.chosen):
            return plan_counts(
                counts,
                self._translator,
                self._links,
                wider=wider,
                limit=self._settings.count,
                limits=limits_of(self._settings),
            )

    def render(
        self,
        plan: Plan,
        recipe: Recipe,
        *,
        node: str,
        wider: Mapping[str, Sequence[Record]] | None = None,
    ) -> Iterator[str]:
        """Return lines: what the plan makes, then each request with a sample of its payload, or all.

        Raises:
            UsageError, ValidationFailed, GuardRefused: the plan cannot be seeded.
        """
        return self._lines(self.preview(plan, recipe, node=node, wider=wider))

    def preview(
        self,
        plan: Plan,
        recipe: Recipe,
        *,
        node: str,
        wider: Mapping[str, Sequence[Record]] | None = None,
    ) -> Previewed:
        """Return what a plan would send.

        Raises:
            UsageError, ValidationFailed, GuardRefused: the plan cannot be seeded.
        """
        generation = Generation(
            random_seed=recipe.random_seed,
            base_date=recipe.base_date,
            node=node,
            unique_tag="dryrun",
            locale=recipe.locale,
            email_domain=recipe.email_domain,
        )
        with schemas.dated(self.chosen):
            drafts = prepare(
                plan,
                self._translator,
                recipe.factory_of(),
                generation,
                lambda object_type, index: f"<key of {object_type}[{index}]>",
                wider=wider,
                links=self._links,
                admin_rules=self._provider.enforces_admin_rules,
            )
        capabilities = self._provider.capabilities
        batch_size = self._settings.batch_size
        verified = self._settings.verify != "off"
        size = BatchSize(
            min(batch_size or capabilities.batch_records, capabilities.batch_records),
            capabilities.batch_bytes,
        )
        batches = [
            batch
            for step in plan.steps
            for batch in in_batches(
                drafts[step.object_type],
                most=size.records,
                most_bytes=size.bytes,
                size=self._provider.size,
                same_fields=capabilities.same_fields,
            )
        ]
        at_once = graph_requests(self._provider, batches, size)
        price = cost(
            plan,
            capabilities,
            batch_size=batch_size,
            verified=verified,
            bin_emptied=self._settings.empty_bin,
            at_once=len(at_once),
        )
        self.seeds += 1
        self.records += plan.total
        self.cost += price
        requests = at_once or self._by_batches(batches)
        left_open = unchecked(self._translator, drafts, admin_rules=self._provider.enforces_admin_rules)
        return Previewed(plan, requests, price, list(left_open))

    def _by_batches(self, batches: Sequence[Batch]) -> list[Request]:
        ids = {
            (draft.object_type, draft.index): f"<{draft.object_type}[{draft.index}].id>"
            for batch in batches
            for draft in batch.drafts
        }
        return [self._provider.create(batch, ids) for batch in batches]

    def _lines(self, seen: Previewed) -> Iterator[str]:
        price = seen.cost
        made = ", ".join(
            f"{step.count} {step.object_type}{'' if step.asked else ' (made as parents)'}"
            for step in seen.plan.steps
        )
        reads = f"{price.reads} to read back, " if price.reads else ""
        yield f"{made}: {price.writes} requests to create, {reads}{price.cleanup} to remove"
        if price.tokens:
            yield f"together {price.tokens:,} tokens of the daily budget"
        if seen.left_open:
            yield f"only the portal can tell: {'; '.join(seen.left_open)}"
        yield from self.payloads(seen)

    def payloads(self, seen: Previewed) -> Iterator[str]:
        """Yield the lines of requests, with a sample of each payload, or all."""
        for alike in _alike(seen.requests, full=self._full):
            request = alike[0]
            yield f"{request.method} {request.target}"
            if request.body is not None:
                yield from (f"  {line}" for line in self._payload(request.body))
            if len(alike) > 1:
                yield f"… and {len(alike) - 1} more requests like it ({self._more})"

    def _payload(self, body: Any) -> Iterator[str]:
        """Yield the lines of a body: its first records, or all; one of several parts, part by part."""
        held = body if isinstance(body, dict) else {}
        graphs = held.get("graphs") or [held]
        parts = [part for graph in graphs for part in graph.get("compositeRequest") or ()]
        if parts:
            for (method, url), group in groupby(parts, key=lambda part: (part["method"], part["url"])):
                alike = list(group)
                # Collections have many records in a part, graphs one.
                shown = alike if self._full or "graphs" not in held else alike[:SAMPLE]
                for part in shown:
                    yield f"{method} {url}"
                    if part.get("body") is not None:
                        yield from (f"  {line}" for line in self._payload(part["body"]))
                if len(shown) < len(alike):
                    yield f"… and {len(alike) - len(shown)} more ({self._more})"
            return
        entries = next((held[name] for name in ENTRIES if isinstance(held.get(name), list)), None)
        if entries is None:
            yield from _json(body)
            return
        shown = entries if self._full else entries[:SAMPLE]
        for entry in shown:
            yield from _json(entry)
        if len(shown) < len(entries):
            yield f"… and {len(entries) - len(shown)} more ({self._more})"


def _alike(requests: Sequence[Request], *, full: bool) -> list[list[Request]]:
    """Return requests in groups: those of one record each to one path go together, unless all are shown."""
    groups: list[list[Request]] = []
    for request in requests:
        before = groups[-1][0] if groups else None
        # What is made is looked at, too: some APIs have one path for all object types.
        same = before is not None and _place(before) == _place(request)
        if same and not full and request.records == 1:
            groups[-1].append(request)
        else:
            groups.append([request])
    return groups


def _place(request: Request) -> tuple[str, str, str]:
    return request.method, request.path, request.what


def _json(value: object) -> list[str]:
    return json.dumps(value, ensure_ascii=False, indent=2).splitlines()
