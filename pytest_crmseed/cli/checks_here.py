"""Checks of what lies on this machine: the ledger, dead runs, the error file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from pytest_crmseed.cli.findings import Finding, failure, ok, warning
from pytest_crmseed.cli.made import relative
from pytest_crmseed.cli.main import Loaded, exit_code, sentence
from pytest_crmseed.cli.runs import Left, read_runs
from pytest_crmseed.cli.tables import plural
from pytest_crmseed.errors import CrmseedError


def here(loaded: Loaded) -> Iterator[Finding]:
    """Yield what is found on this machine."""
    path = loaded.settings.ledger
    if not path.exists():
        yield _writable(path, "ledger", f"none yet; it will be {relative(path)}")
        return
    try:
        runs = read_runs(loaded)
    except CrmseedError as error:
        yield failure("ledger", sentence(error.message), sentence(error.remedy), code=exit_code(error))
        return
    size = path.stat().st_size
    yield ok("ledger", f"{relative(path)}: {plural(len(runs), 'run')}, {size / 1024:,.0f} KB")
    yield from _runs(runs)
    errors = loaded.settings.errors
    if errors.exists() and errors.stat().st_size:
        # What was refused before is no hindrance, and worth a look.
        yield ok("error file", f"{relative(errors)}: {errors.stat().st_size / 1024:,.0f} KB")


def _writable(path: Path, check: str, text: str) -> Finding:
    """Return whether a file could be made, by the nearest folder that exists."""
    import os

    folder = next((parent for parent in path.parents if parent.exists()), path.parent)
    if folder.is_dir() and os.access(folder, os.W_OK):
        return ok(check, text)
    return failure(
        check,
        f"{relative(path)} cannot be made: {folder} cannot be written to.",
        "Name another with --ledger, or CRMSEED_LEDGER.",
        code=2,
    )


def _runs(runs: list[Left]) -> Iterator[Finding]:
    now = time.time()
    left = [run for run in runs if run.number]
    dead = [run for run in left if not run.running and run.kept_until is None]
    due = [run for run in left if not run.running and run.kept_until is not None and run.kept_until <= now]
    kept = [run for run in left if run.kept_until is not None and run.kept_until > now]
    running = [run for run in runs if run.running]
    if dead:
        number = sum(run.number for run in dead)
        yield warning(
            "dead runs",
            f"{plural(len(dead), 'run')} ended before cleaning up: {plural(number, 'record')} left.",
            f"The next seed on the same portal removes them first; at once: {_command(dead)}",
        )
    if due:
        number = sum(run.number for run in due)
        yield warning(
            "kept runs",
            f"{plural(number, 'record')} of {plural(len(due), 'run')} are past their time.",
            f"The next seed on the same portal removes them first; at once: {_command(due)}",
        )
    if kept:
        number = sum(run.number for run in kept)
        yield ok("kept runs", f"{plural(number, 'record')} of {plural(len(kept), 'run')} (crmseed runs)")
    if running:
        yield ok("running", f"{plural(len(running), 'run')} under way")
    if not (dead or due or kept or running):
        yield ok("runs", "none has left anything")


def _command(runs: list[Left]) -> str:
    if len(runs) == 1:
        return f"crmseed cleanup --run {runs[0].run.run_id}"
    return "crmseed cleanup --all-mine"
