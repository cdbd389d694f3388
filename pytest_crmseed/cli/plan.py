"""``crmseed plan``: what a seed would send and cost, without sending it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click

from pytest_crmseed.cli import options
from pytest_crmseed.cli.completion import complete_counts
from pytest_crmseed.cli.counts import counts_of
from pytest_crmseed.cli.kept import configured
from pytest_crmseed.cli.main import Loaded, sentence, warn, with_settings
from pytest_crmseed.cli.tables import columns, plural
from pytest_crmseed.ingest import guard
from pytest_crmseed.ingest.limits import RateOverride, parse_rate
from pytest_crmseed.ingest.schedule import Cost, least_seconds
from pytest_crmseed.providers.base import Provider
from pytest_crmseed.providers.registry import load
from pytest_crmseed.seeder import assemble
from pytest_crmseed.seeder.preview import Preview, Previewed
from pytest_crmseed.seeder.target import Target


@click.command(short_help="Say what a seed would send and cost.")
@click.argument("counts", nargs=-1, metavar="[OBJECT=N]...", shell_complete=complete_counts)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A plan in TOML: counts, values, links. OBJECT=N wins over its numbers.",
)
@click.option(
    "--offline", is_flag=True, help="Do not ask a configured portal: take the schema that is known."
)
@click.option("--full", is_flag=True, help="Print every request and payload instead of a sample.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(**options.PORTAL, **options.DATA, ledger="The ledger; cached schemas lie beside it")
def plan(
    loaded: Loaded,
    counts: tuple[str, ...],
    plan_file: Path | None,
    offline: bool,
    full: bool,
    as_json: bool,
) -> None:
    """Say what `crmseed seed` with the same arguments would send, and what it would cost; make nothing.

    Every record is made and checked by the schema. With --target sandbox or --base-url the portal is
    asked for its schema, what is left of its daily quota, and what the token may do; otherwise nothing
    is sent at all.
    """
    wanted = counts_of(counts, plan_file)
    settings = loaded.settings
    provider = load(settings.provider)
    with _asked(loaded, provider, offline=offline) as target:
        preview = Preview(
            provider.name,
            settings,
            full=full,
            chosen=target.chosen if target else None,
            more="--full prints all",
        )
        made = preview.plan(wanted)
        recipe = assemble.recipe_of(
            settings,
            random_seed=random.SystemRandom().randrange(2**32)
            if settings.random_seed is None
            else settings.random_seed,
            base_date=settings.base_date or date.today(),
        )
        seen = preview.preview(made, recipe, node="crmseed seed")
        if target is not None:
            _check(target, seen)
        price = Price.of(seen.cost, provider, target, settings.rate)
        for note in preview.chosen.notes:
            warn(note)
        if as_json:
            click.echo(json.dumps(_as_data(seen, price), indent=2))
            return
        click.echo(preview.heading)
        for line in _table(seen):
            click.echo(line)
        for line in price.lines():
            click.echo(line)
        if seen.left_open:
            click.echo(f"Only the portal can tell: {'; '.join(seen.left_open)}.")
        click.echo("")
        for line in preview.payloads(seen):
            click.echo(line)
        click.echo("")
        click.secho(
            "Valid. Nothing was sent." if target is None else "Valid. Nothing was written.", fg="green"
        )


@contextmanager
def _asked(loaded: Loaded, provider: type[Provider], *, offline: bool) -> Iterator[Target | None]:
    """Give the open portal that the settings name, to be read; None where they name none."""
    address = None if offline else configured(loaded, provider)
    if address is None:
        yield None
        return
    settings = loaded.settings
    use: assemble.SchemaUse = "refreshed" if settings.refresh_schema else "read"
    target = assemble.open_by_settings(settings, provider, address, writing=False, schema=use)
    try:
        yield target
    finally:
        target.close()


def _check(target: Target, seen: Previewed) -> None:
    """Check what a seed checks before it begins."""
    names = list(seen.plan.counts)
    demand = guard.Demand(names, seen.plan.total, seen.cost)
    guard.check_demand(target.account, demand, target.provider.scopes(names))
    guard.check_unique_keys(target.connection, target.account, names)


@dataclass(frozen=True)
class Price:
    """What a seed costs: requests or tokens, seconds, and the share of a day's quota.

    ``limit`` and ``left`` are None where nothing is known of a quota; ``asked`` says that the portal told.
    """

    cost: Cost
    seconds: float
    unit: str
    limit: int | None
    left: int | None
    asked: bool

    @classmethod
    def of(cls, cost: Cost, provider: type[Provider], target: Target | None, rate: str | None) -> Price:
        """Return the price of a cost in a portal, or by the provider's documentation."""
        capabilities = provider.capabilities
        daily = next((rate.limit for rate in capabilities.rates if rate.bucket == "daily"), None)
        local = target is not None and target.address.is_local
        seconds = least_seconds(
            cost, () if local else capabilities.rates, parse_rate(rate) if rate else RateOverride()
        )
        unit = "token" if capabilities.prices else "request"
        if target is None:
            return cls(cost, seconds, unit, daily, None, asked=False)
        return cls(cost, seconds, unit, target.account.daily_limit, target.account.daily_left, asked=True)

    @property
    def number(self) -> int:
        """How much it takes of the quota, removing the records included."""
        return self.cost.tokens if self.unit == "token" else self.cost.requests

    def lines(self) -> Iterator[str]:
        """Yield what it costs, in words."""
        cost = self.cost
        parts = [f"{cost.writes:,} to make them"]
        if cost.reads:
            parts.append(f"{cost.reads:,} to read them back")
        parts.append(f"{cost.cleanup:,} to remove them")
        yield f"Requests: {cost.requests:,} ({', '.join(parts)})."
        pace = f"{self.seconds:,.0f} s" if self.seconds else "no waiting"
        yield f"Least time for making and reading: {pace}, by the portal's limits."
        if self.limit is None and self.left is None:
            yield "Daily quota: none is known."
            return
        taken = plural(self.number, self.unit)
        known = f"{self.limit:,}" if self.limit is not None else "an unknown number"
        share = f" ({_percent(self.number, self.limit)})" if self.limit else ""
        if self.asked:
            left = f", of which {self.left:,} are left" if self.left is not None else ""
            yield f"Daily quota: {taken} of {known}{share}{left}."
        else:
            yield f"Daily quota: {taken} of {known}{share}, the least that the provider documents."


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole
    return f"{share:.2f} %" if share >= 0.01 else "less than 0.01 %"


def _table(seen: Previewed) -> Iterator[str]:
    rows = [("object", "records", "")]
    rows += [
        (step.object_type, f"{step.count:,}", "" if step.asked else "made as parents")
        for step in seen.plan.steps
    ]
    rows.append(("together", f"{seen.plan.total:,}", ""))
    yield from columns(rows, right=frozenset({1}))


def _as_data(seen: Previewed, price: Price) -> dict[str, Any]:
    cost = price.cost
    return {
        "records": seen.plan.counts,
        "parents": [step.object_type for step in seen.plan.steps if not step.asked],
        "requests": {"create": cost.writes, "read": cost.reads, "remove": cost.cleanup, "all": cost.requests},
        "least_seconds": price.seconds,
        "quota": {
            "unit": f"{price.unit}s",
            "takes": price.number,
            "limit": price.limit,
            "left": price.left,
            "known_from": "portal" if price.asked else "documentation",
        },
        "left_open": [sentence(text) for text in seen.left_open],
        "payloads": [{"method": r.method, "path": r.target, "body": r.body} for r in seen.requests],
    }
