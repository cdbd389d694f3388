"""``crmseed runs``: what the ledger knows, as a table and as JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_crmseed import LocalPortal, Seeder

Crmseed = Callable[..., Any]
Serve = Callable[..., LocalPortal]
Keep = Callable[..., str]

MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"


def dead_process() -> int:
    """Return the id of a process that has ended."""
    run = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    return int(run.stdout)


def test_without_a_ledger_it_says_where_it_looked(crmseed: Crmseed, folder: Path) -> None:
    screen = crmseed("runs")
    assert (screen.code, screen.err) == (0, "")
    assert screen.out == (
        f"No runs. There is no ledger {folder / '.crmseed' / 'ledger.sqlite'}; run this in pytest's root "
        "directory, or name it with --ledger.\n"
    )
    assert not (folder / ".crmseed").exists()


def test_a_ledger_that_was_named_must_be_there(crmseed: Crmseed, folder: Path) -> None:
    screen = crmseed("runs", "--ledger", "typo.sqlite")
    assert (screen.code, screen.out) == (2, "")
    expected = f"crmseed: there is no ledger {folder / 'typo.sqlite'} (from --ledger). Correct the path.\n"
    assert screen.err == expected


def test_a_ledger_that_is_no_database(crmseed: Crmseed, folder: Path) -> None:
    (folder / "notes.txt").write_text("not a database")
    for command in (["runs"], ["cleanup", "--all-mine"]):
        screen = crmseed(*command, "--ledger", "notes.txt")
        assert (screen.code, screen.out) == (2, "")
        assert screen.err.startswith(
            f"crmseed: the ledger {folder / 'notes.txt'} is damaged, or no SQLite database ("
        )
    assert (folder / "notes.txt").read_text() == "not a database"


def test_a_kept_run_is_listed_with_its_end(crmseed: Crmseed, serve: Serve, keep: Keep) -> None:
    portal = serve()
    run_id = keep(portal)
    screen = crmseed("runs")
    assert (screen.code, screen.err) == (0, "")
    header, row = screen.out.splitlines()
    assert header.split() == ["run", "started", "portal", "left", "state"]
    assert re.fullmatch(rf"{run_id}  {MOMENT}  hubspot/500000001  4     kept until {MOMENT}", row)
    (data,) = json.loads(crmseed("runs", "--json").out)
    assert (data["run"], data["left"], data["target"], data["running"]) == (run_id, 4, "local", False)
    assert data["left_by_type"] == {"companies": 1, "contacts": 1, "deals": 2}
    assert data["base_url"] == portal.base_url
    assert data["started_at"] <= data["ended_at"] < data["kept_until"]


def test_a_run_that_left_nothing_is_listed_on_request(crmseed: Crmseed, serve: Serve, folder: Path) -> None:
    with Seeder(base_url=serve().base_url) as seeder:
        seeder.seed(deals=1)
    assert crmseed("runs").out == "No run has left anything (--all lists the others too).\n"
    assert crmseed("runs", "--json").out == "[]\n"
    row = crmseed("runs", "--all").out.splitlines()[1]
    assert row.split()[0] == seeder.run_id
    assert row.endswith("  0     ended")


def test_a_run_on_a_portal_that_ended_with_it_left_nothing(
    crmseed: Crmseed, serve: Serve, folder: Path
) -> None:
    with LocalPortal() as portal, Seeder(portal) as seeder:
        seeder.seed(deals=1, keep=True)
    assert crmseed("runs").out.startswith("No run has left anything")
    assert crmseed("runs", "--all").out.splitlines()[1].endswith("  0     its local portal ended with it")


def test_a_running_run_is_told_from_one_cut_short(
    crmseed: Crmseed, serve: Serve, keep: Keep, rewrite: Callable[..., None]
) -> None:
    with Seeder(base_url=serve().base_url) as seeder:
        seeder.seed(deals=1)
        assert "  running (process " in crmseed("runs").out
        # A process of another machine cannot be asked: its run's own expiry counts.
        rewrite(seeder.run_id, host="elsewhere", expires_at=4e9)
        assert " on elsewhere)" in crmseed("runs").out
        rewrite(seeder.run_id, host="elsewhere", expires_at=0)
        assert crmseed("runs").out.endswith("  cut short\n")
    run_id = keep(serve())
    rewrite(run_id, ended_at=None, pid=dead_process())
    assert json.loads(crmseed("runs", "--json").out)[0]["running"] is False
