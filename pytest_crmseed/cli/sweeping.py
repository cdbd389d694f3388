"""``crmseed cleanup --from-portal``: find records of ours by their keys, without the ledger."""

from __future__ import annotations

import json

import click

from pytest_crmseed.cli.kept import known_portal
from pytest_crmseed.cli.main import EXIT_FAILED, Loaded, fail
from pytest_crmseed.errors import UsageError
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.providers.registry import load
from pytest_crmseed.seeder import assemble
from pytest_crmseed.seeder.sweep import Sweeper, Swept


def sweep_portal(loaded: Loaded, *, dry_run: bool, as_json: bool) -> int:
    """Sweep the portal that the settings name, print what came of it, and return the exit code.

    Raises:
        UsageError: the settings name no portal.
        PortalError, GuardRefused: the portal cannot be opened or searched.
    """
    settings = loaded.settings
    provider = load(settings.provider)
    none = UsageError(
        "--from-portal has no portal to search: a local portal of a test run ends with it.",
        remedy="Say --target sandbox, or give the address of a portal with --base-url.",
    )
    with known_portal(loaded, provider, none=none) as address:
        target = assemble.open_by_settings(settings, provider, address, writing=not dry_run)
        try:
            with Ledger(settings.ledger) as ledger:
                run = assemble.run_of(settings, assemble.make_run_id())
                sweeper = Sweeper(assemble.engine(settings, target, run, ledger=ledger))
                swept = sweeper.by_keys(dry_run=dry_run)
        finally:
            target.close()
    if as_json:
        click.echo(
            json.dumps(
                {
                    "runs": len(swept.removed),
                    "removed": sum(swept.removed.values()),
                    "left": sum(swept.left.values()),
                    "spared": swept.spared,
                    "errors": swept.errors,
                },
                indent=2,
            )
        )
    else:
        _print(swept, target.title, dry_run=dry_run)
    for text in swept.errors:
        fail(text)
    return EXIT_FAILED if swept.errors or (swept.left and not dry_run) else 0


def _print(swept: Swept, title: str, *, dry_run: bool) -> None:
    for run_id, number in swept.left.items() if dry_run else ():
        click.echo(f"Would remove {number} records of run {run_id}.")
    removed, left = sum(swept.removed.values()), sum(swept.left.values())
    if swept.removed or left:
        runs = len(swept.removed.keys() | swept.left.keys())
        click.echo(
            f"{removed} {'record' if removed == 1 else 'records'} of {runs} {'run' if runs == 1 else 'runs'} "
            f"removed from {title}, {left} left."
        )
    else:
        click.echo(f"Nothing to remove in {title}.")
    for run_id, reason in swept.spared.items():
        click.echo(f"Run {run_id} was left alone: {reason}.")
    if swept.unkeyed:
        click.echo(f"Not searched, since their records carry no key here: {', '.join(swept.unkeyed)}.")
