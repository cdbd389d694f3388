"""``crmseed runs``: what the ledger knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from pytest_crmseed.cli.main import Loaded, with_settings
from pytest_crmseed.errors import UsageError
from pytest_crmseed.ingest.entries import Run, RunSummary
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.liveness import Liveness

LEDGER_HELP = "The ledger that the test runs wrote"


@dataclass(frozen=True)
class Left:
    """A run, what it left by object type, and until when that is kept (seconds since 1970)."""

    run: Run
    summary: RunSummary
    records: dict[str, int]
    kept_until: float | None
    running: bool

    @property
    def number(self) -> int:
        """How many records may still exist; those of an ended local portal do not."""
        return sum(self.records.values())

    @property
    def state(self) -> str:
        """What has become of the run, in a few words."""
        if self.run.ephemeral:
            return "its local portal ended with it" if self.summary.live else "ended"
        if self.running:
            return f"running (process {self.run.pid} on {self.run.host})"
        if self.number and self.kept_until is not None:
            return f"kept until {_shown(self.kept_until)}"
        return "cut short" if self.run.ended_at is None else "ended"


def read_runs(loaded: Loaded) -> list[Left]:
    """Return the runs in the ledger, the newest first; none where there is no ledger yet.

    Raises:
        UsageError: there is no ledger where the user said.
        LedgerError: the ledger cannot be read.
    """
    path = loaded.settings.ledger
    if not path.exists():
        origin = loaded.settings.origin("ledger")
        if origin == "default":
            return []
        raise UsageError(f"there is no ledger {path} (from {origin}).", remedy="Correct the path.")
    with Ledger(path) as ledger:
        liveness = Liveness(path)
        return [_left(ledger, summary, liveness) for summary in ledger.runs()]


def no_ledger(loaded: Loaded) -> str:
    """Return a sentence for a ledger that does not exist, or nothing."""
    path = loaded.settings.ledger
    if path.exists():
        return ""
    return f"There is no ledger {path}; run this in pytest's root directory, or name it with --ledger."


def _left(ledger: Ledger, summary: RunSummary, liveness: Liveness) -> Left:
    entries = [] if summary.run.ephemeral or not summary.live else ledger.live(summary.run.run_id)
    records: dict[str, int] = {}
    for entry in reversed(entries):
        records[entry.object_type] = records.get(entry.object_type, 0) + 1
    kept = [entry.kept_until for entry in entries if entry.kept_until is not None]
    running = not summary.run.ephemeral and liveness.alive(summary.run)
    return Left(summary.run, summary, records, max(kept, default=None), running)


@click.command(short_help="List runs and what they left.")
@click.option("--all", "everything", is_flag=True, help="Also list runs that left nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(ledger=LEDGER_HELP)
def runs(loaded: Loaded, everything: bool, as_json: bool) -> None:
    """List the runs in the ledger that left records in a portal, newest first."""
    listed = [left for left in read_runs(loaded) if everything or left.number]
    if as_json:
        click.echo(json.dumps([_as_data(left) for left in listed], indent=2))
    elif listed:
        _print_table(listed)
    elif missing := no_ledger(loaded):
        click.echo(f"No runs. {missing}")
    else:
        click.echo("No runs." if everything else "No run has left anything (--all lists the others too).")


def _print_table(listed: Sequence[Left]) -> None:
    rows = [("run", "started", "portal", "left", "state")]
    for left in listed:
        run = left.run
        portal = f"{run.provider}/{run.portal_id}"
        rows.append((run.run_id, _shown(run.started_at), portal, str(left.number), left.state))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _as_data(left: Left) -> dict[str, Any]:
    run = left.run
    return {
        "run": run.run_id,
        "provider": run.provider,
        "portal": run.portal_id,
        "target": run.target,
        "base_url": run.base_url,
        "started_at": _iso(run.started_at),
        "ended_at": _iso(run.ended_at),
        "running": left.running,
        "kept_until": _iso(left.kept_until),
        "left": left.number,
        "left_by_type": left.records,
    }


def _shown(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
