"""What a seed would send, without sending it: for dry runs and ``crmseed plan``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories import Generation
from pytest_crmseed.ingest.batches import in_batches
from pytest_crmseed.ingest.schedule import Cost, cost
from pytest_crmseed.planning import Count, Plan
from pytest_crmseed.providers.base import Request
from pytest_crmseed.providers.registry import load
from pytest_crmseed.records import Record
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder.assemble import limits_of, translator_for
from pytest_crmseed.seeder.prepare import prepare
from pytest_crmseed.seeder.seeder import Recipe, plan_counts
from pytest_crmseed.settings import Settings

# So many inputs of a batch are printed in a sample.
SAMPLE = 1


class Preview:
    """Plan, validate and render seeds by a pulled or the bundled schema; opens nothing."""

    def __init__(self, provider: str, settings: Settings, *, full: bool = False) -> None:
        self._settings = settings
        self._full = full
        self._class = load(provider)
        self._translator: Translator = translator_for(self._class, settings)
        if settings.api_version is not None and settings.api_version not in self._class.api_versions:
            raise UsageError(
                f"--crm-api-version {settings.api_version!r} is none that {self._class.title} is written for."
            )
        self._provider = self._class(self._translator.schema, api_version=settings.api_version)
        self.seeds = 0
        self.records = 0
        self.cost = Cost()

    @property
    def heading(self) -> str:
        """One line that says by which schema this is checked, and how old it is."""
        schema = self._translator.schema
        if self._settings.schema is not None:
            return (
                f"{self._class.title}, checked against {self._settings.schema.name}, the schema of portal "
                f"{schema.portal_id} of {schema.taken_at}."
            )
        return (
            f"{self._class.title}, checked against the {schema.source} schema of {schema.taken_at}; names it "
            "does not have are not checkable here."
        )

    def plan(
        self, counts: Mapping[str, int | Count], wider: Mapping[str, Sequence[Record]] | None = None
    ) -> Plan:
        """Return the plan of counts.

        Raises:
            UsageError: a name or number cannot be used.
        """
        return plan_counts(
            counts,
            self._translator,
            self._class.links,
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
        generation = Generation(
            random_seed=recipe.random_seed,
            base_date=recipe.base_date,
            node=node,
            unique_tag="dryrun",
            locale=recipe.locale,
            email_domain=recipe.email_domain,
        )
        drafts = prepare(
            plan,
            self._translator,
            recipe.factory_of(),
            generation,
            lambda object_type, index: f"<key of {object_type}[{index}]>",
            wider=wider,
        )
        capabilities = self._provider.capabilities
        batch_size = self._settings.batch_size
        price = cost(plan, capabilities, batch_size=batch_size)
        self.seeds += 1
        self.records += plan.total
        self.cost += price
        requests = []
        ids: dict[tuple[str, int], str] = {}
        for step in plan.steps:
            batches = in_batches(
                drafts[step.object_type],
                most=min(batch_size or capabilities.batch_records, capabilities.batch_records),
                most_bytes=capabilities.batch_bytes,
                size=self._provider.size,
            )
            requests += [self._provider.create(batch, ids) for batch in batches]
            ids |= {(step.object_type, i): f"<{step.object_type}[{i}].id>" for i in range(step.count)}
        return self._lines(plan, requests, price)

    def _lines(self, plan: Plan, requests: Sequence[Request], price: Cost) -> Iterator[str]:
        made = ", ".join(
            f"{step.count} {step.object_type}{'' if step.asked else ' (made as parents)'}"
            for step in plan.steps
        )
        yield f"{made}: {price.writes} requests to create, {price.cleanup} to remove"
        for request in requests:
            yield f"{request.method} {request.path}"
            yield from (f"  {line}" for line in self._payload(request))

    def _payload(self, request: Request) -> Iterator[str]:
        body = request.body
        inputs = body.get("inputs") if isinstance(body, dict) else None
        if not isinstance(inputs, list):
            yield from _json(body)
            return
        shown = inputs if self._full else inputs[:SAMPLE]
        for entry in shown:
            yield from _json(entry)
        if len(shown) < len(inputs):
            yield f"… and {len(inputs) - len(shown)} more (--crm-dry-run-full prints all)"


def _json(value: object) -> list[str]:
    return json.dumps(value, ensure_ascii=False, indent=2).splitlines()
