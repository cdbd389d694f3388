"""What a shell completes: object types, providers, run ids."""

from __future__ import annotations

import os

import click
from click.shell_completion import CompletionItem

from pytest_crmseed.errors import CrmseedError


def complete_objects(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the neutral object types of the provider that is named so far."""
    return [CompletionItem(name) for name in _objects(ctx) if name.startswith(incomplete)]


def complete_counts(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the same with an equals sign, for a number to follow."""
    return [CompletionItem(f"{name}=") for name in _objects(ctx) if f"{name}=".startswith(incomplete)]


def complete_providers(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the installed providers."""
    from pytest_crmseed.providers.registry import names

    return [CompletionItem(name) for name in names() if name.startswith(incomplete)]


def complete_runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the runs in the ledger that left something."""
    from pathlib import Path

    from pytest_crmseed.ingest.ledger import Ledger
    from pytest_crmseed.settings import SETTINGS

    default = SETTINGS["ledger"].default
    path = Path(ctx.params.get("ledger") or os.environ.get(SETTINGS["ledger"].variable) or str(default))
    if not path.exists():
        return []
    try:
        with Ledger(path) as ledger:
            found = [summary.run.run_id for summary in ledger.runs() if summary.live]
    except CrmseedError:
        # A shell that completes has nowhere to show what is wrong; the command itself says it.
        return []
    return [CompletionItem(run_id) for run_id in found if run_id.startswith(incomplete)]


def _objects(ctx: click.Context) -> list[str]:
    from pytest_crmseed.providers.registry import load
    from pytest_crmseed.settings import SETTINGS

    entry = SETTINGS["provider"]
    name = ctx.params.get("provider") or os.environ.get(entry.variable) or str(entry.default)
    try:
        return list(load(name).legend.objects)
    except CrmseedError:
        return []
