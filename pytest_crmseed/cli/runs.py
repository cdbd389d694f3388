"""``crmseed runs`` and ``crmseed cleanup``: what the ledger knows, and removing it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from pytest_crmseed.cli.main import EXIT_FAILED, Loaded, with_settings
from pytest_crmseed.errors import CrmseedError, GuardRefused, UnknownName
from pytest_crmseed.ingest.entries import RunSummary
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.settings import credentials


@click.command(short_help="List runs and what they left.")
@with_settings("ledger")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--all", "everything", is_flag=True, help="Also runs that left nothing.")
def runs(loaded: Loaded, as_json: bool, everything: bool) -> None:
    """List the runs in the ledger, newest first; by default those that left records."""
    summaries = [s for s in _runs(loaded) if everything or left_in(s)]
    if as_json:
        click.echo(json.dumps([_as_data(summary) for summary in summaries], indent=2))
        return
    if not summaries:
        click.echo("No runs." if everything else "No run has left anything (--all lists the others too).")
        return
    rows = [("run", "started", "portal", "left", "state")]
    rows += [
        (
            s.run.run_id,
            _moment(s.run.started_at),
            f"{s.run.provider}/{s.run.portal_id}",
            str(left_in(s)),
            _state(s),
        )
        for s in summaries
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def left_in(summary: RunSummary) -> int:
    """Return how many records of a run may still exist; those of an ended local portal do not."""
    return 0 if summary.run.ephemeral else summary.live


def _state(summary: RunSummary) -> str:
    run = summary.run
    if run.ephemeral:
        return "its local portal ended with it"
    if run.kept_until is not None:
        return f"kept until {_moment(run.kept_until)}"
    return "ended" if run.ended_at is not None else "not ended"


def _as_data(summary: RunSummary) -> dict[str, Any]:
    run = summary.run
    return {
        "run": run.run_id,
        "provider": run.provider,
        "portal": run.portal_id,
        "target": run.target,
        "base_url": run.base_url,
        "started_at": _moment(run.started_at),
        "ended_at": _moment(run.ended_at) if run.ended_at is not None else None,
        "kept_until": _moment(run.kept_until) if run.kept_until is not None else None,
        "left": left_in(summary),
        "records": {
            name: {str(state): number for state, number in by_state.items()}
            for name, by_state in summary.counts.items()
        },
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _runs(loaded: Loaded) -> Sequence[RunSummary]:
    if not loaded.settings.ledger.exists():
        return []
    with Ledger(loaded.settings.ledger) as ledger:
        return ledger.runs()


@click.command(short_help="Remove what runs left.")
@with_settings("ledger", "target", "base_url", "portal", "allow_production", "rate")
@click.option("--run", "run_id", metavar="ID", help="The run to clean, as the test run's summary names it.")
@click.option("--all-mine", is_flag=True, help="All runs in the ledger that left records.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def cleanup(ctx: click.Context, loaded: Loaded, run_id: str | None, all_mine: bool, as_json: bool) -> None:
    """Remove the records that runs left in a portal, by the ledger.

    The portal is the one the run was made in; credentials come from the environment or .env.
    """
    if (run_id is None) == (not all_mine):
        raise click.UsageError("Say which: --run ID, or --all-mine.")
    summaries = _runs(loaded)
    if run_id is not None:
        # Workers with a portal of their own, and further providers, have the run's id with a suffix.
        chosen = [s for s in summaries if s.run.run_id.startswith(run_id)]
        if not chosen:
            raise UnknownName(
                "run",
                run_id,
                [s.run.run_id for s in summaries],
                where=f"in the ledger {loaded.settings.ledger}",
                remedy="List them with `crmseed runs --all`.",
            )
    else:
        chosen = list(summaries)
    work = [summary for summary in chosen if left_in(summary)]
    removed, left, failures = 0, 0, []
    with Ledger(loaded.settings.ledger) if work else _Nothing() as ledger:
        for summary in work:
            try:
                result = _clean(loaded, ledger, summary)
            except GuardRefused:
                raise
            except CrmseedError as error:
                failures.append(f"run {summary.run.run_id}: {error}")
                left += left_in(summary)
                continue
            removed += result.removed
            left += len(result.left)
            failures += [f"run {summary.run.run_id}: {text}" for text in result.errors]
    if as_json:
        click.echo(json.dumps({"runs": len(work), "removed": removed, "left": left, "errors": failures}, indent=2))
    else:
        click.echo(f"{removed} records of {len(work)} {'run' if len(work) == 1 else 'runs'} removed, {left} left.")
    for failure in failures:
        click.echo(f"crmseed: {failure}", err=True)
    if left or failures:
        ctx.exit(EXIT_FAILED)


class _Nothing:
    """Stands for a ledger that need not be opened."""

    def __enter__(self) -> Any:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _clean(loaded: Loaded, ledger: Ledger, summary: RunSummary) -> Any:
    from pytest_crmseed.providers.registry import load
    from pytest_crmseed.seeder import assemble
    from pytest_crmseed.seeder.target import address_at, sandbox_address

    run = summary.run
    provider = load(run.provider)
    variables = [credential.variable for credential in provider.credentials]
    found = credentials(variables, os.environ, loaded.dotenv)
    secrets = {name: secret.value for name, secret in found.items()}
    settings = loaded.settings
    if settings.base_url is not None:
        address = address_at(settings.base_url, provider, secrets, target=run.target, asked=True)
    elif run.target == "local":
        address = address_at(run.base_url, provider, secrets, target="local", asked=True)
    else:
        address = sandbox_address(provider, secrets, base_url=run.base_url)
    # The records are in this one portal: credentials for another would delete by ids that mean
    # something else there.
    target = assemble.open_by_settings(settings, provider, address, pin=run.portal_id)
    try:
        engine = assemble.engine(settings, target, assemble.run_of(settings, run.run_id), ledger=ledger)
        return engine.clean_entries(ledger.live(run.run_id))
    finally:
        target.close()

