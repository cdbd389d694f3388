"""One record with the requests that make and delete it, built by the provider itself: a tracer bullet."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_crmseed.errors import UsageError, ValidationFailed
from pytest_crmseed.factories import Generation
from pytest_crmseed.ingest.guard import Limits, check_unique_keys
from pytest_crmseed.ingest.keys import make_key, unique_tag
from pytest_crmseed.planning import Count, Plan
from pytest_crmseed.providers.base import Request
from pytest_crmseed.records import Batch
from pytest_crmseed.seeder.prepare import Drafts, prepare
from pytest_crmseed.seeder.recipe import Recipe, RunInfo
from pytest_crmseed.seeder.seeder import plan_counts
from pytest_crmseed.seeder.target import Target

# Stands for an id that the portal has yet to give; numbers, since some ids are sent as such.
_PLACE = 9_007_100_000_000


@dataclass(frozen=True)
class Shot:
    """A record to be made: the request, the one that deletes it, and what stands in both for ids.

    ``place`` stands for this record's own id in ``delete``; the places of its parents stand in ``create``.
    """

    object_type: str
    create: Request
    delete: Request
    place: str


def tracer(
    target: Target, object_type: str, recipe: Recipe, run: RunInfo, *, clock: Callable[[], float] = time.time
) -> list[Shot]:
    """Return one record of an object type, alone if it can be, else after the parents it takes.

    Raises:
        UnknownName: the portal has no such object type.
        UsageError, ValidationFailed: no valid record can be made.
        GuardRefused: nothing would tell the record from others.
    """
    name = target.translator.canonical(object_type)
    rules = target.links.get(name, {})
    alone = {link: None for link, rule in rules.items() if rule.made}
    try:
        plan, drafts = _prepared(target, Count(1, alone), name, recipe, run, clock())
    except (UsageError, ValidationFailed):
        if not alone:
            raise
        plan, drafts = _prepared(target, Count(1), name, recipe, run, clock())
    ids: dict[tuple[str, int], str] = {}
    shots = []
    for number, step in enumerate(plan.steps, 1):
        create = target.provider.create(Batch(step.object_type, 1, 1, drafts[step.object_type]), ids)
        place = str(_PLACE + number)
        parent = target.provider.capabilities.id_within.get(step.object_type)
        record_id = f"{ids[(parent, 0)]}/{place}" if parent else place
        ids[(step.object_type, 0)] = record_id
        delete = target.provider.delete(step.object_type, [record_id])
        shots.append(Shot(step.object_type, create, delete, place))
    return shots


def _prepared(
    target: Target, count: Count, name: str, recipe: Recipe, run: RunInfo, now: float
) -> tuple[Plan, Drafts]:
    provider = target.provider
    wanted: Mapping[str, Count] = {name: count}
    plan = plan_counts(wanted, target.translator, target.links, limits=Limits())
    routes = check_unique_keys(target.connection, target.account, list(plan.counts))
    provider.routes = {**provider.routes, **routes}
    generation = Generation(
        random_seed=recipe.random_seed,
        base_date=recipe.base_date,
        node="crmseed debug-script",
        unique_tag=unique_tag(run.run_id, "1"),
        locale=recipe.locale,
        email_domain=recipe.email_domain,
    )

    def key(object_type: str, index: int) -> str:
        return make_key(run.run_id, int(now), int(now + run.expires_after), object_type, "1", index)

    drafts = prepare(
        plan,
        target.translator,
        recipe.factory_of(),
        generation,
        key,
        links=target.links,
        admin_rules=provider.enforces_admin_rules,
        routes=provider.routes,
    )
    return plan, drafts
