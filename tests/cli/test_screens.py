"""Help, misspelt commands, options and variables: what a user meets before anything is done."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed import __version__

Crmseed = Callable[..., Any]


def test_help_lists_the_commands_and_exit_codes(crmseed: Crmseed) -> None:
    screen = crmseed("--help")
    assert screen.code == 0
    text = " ".join(screen.out.split())
    assert "Seed a CRM portal, look at it, and leave nothing behind." in text
    for line in (
        "cleanup       Remove what runs left.",
        "debug-script  Write a script that makes one record by raw HTTP.",
        "doctor        Check whether a portal can be seeded.",
        "plan          Say what a seed would send and cost.",
        "portal        Serve the local portal.",
        "providers     List the CRMs, and what each signs in with.",
        "runs          List runs",
        "seed          Make records that stay.",
    ):
        assert line in screen.out
    assert (
        "Exit status: 0 ok, 1 some records failed, 2 usage, 3 refused by a guard, 4 portal unreachable or "
        "unauthorised." in text
    )


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ([], ["--version", "--help"]),
        (["portal"], ["--port N", "--db FILE", "--latency MS", "--rate N/SECONDS"]),
        (["runs"], ["--all", "--json", "--ledger PATH"]),
        (["seed"], ["--plan FILE", "--env-file FILE", "--on-error undo|keep-good", "--keep-for TIME"]),
        (["plan"], ["--plan FILE", "--offline", "--full", "--json", "--target local|sandbox"]),
        (["doctor"], ["--json", "--ledger PATH", "--portal ID"]),
        (["debug-script"], ["--output FILE", "--provider NAME"]),
        (["providers"], ["--json"]),
        (["cleanup"], ["--run ID", "--all-mine", "--json", "--ledger PATH", "--base-url URL", "--portal ID"]),
    ],
    ids=["crmseed", "portal", "runs", "seed", "plan", "doctor", "debug-script", "providers", "cleanup"],
)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_help_fits_80_columns(
    crmseed: Crmseed, command: list[str], options: list[str], flag: str
) -> None:
    screen = crmseed(*command, flag)
    assert screen.code == 0
    assert max(map(len, screen.out.splitlines())) <= 80
    for option in options:
        assert f"  {option}" in screen.out or f", {option}" in screen.out
    # Nothing speaks of seeding in the words of the test run's options.
    assert "--crm-" not in screen.out.replace("--crm-base-url ADDRESS", "")
    assert "Seed the" not in screen.out and ".. " not in screen.out


def test_the_help_of_cleanup_speaks_of_cleaning(crmseed: Crmseed) -> None:
    text = " ".join(crmseed("cleanup", "--help").out.split())
    assert "By the ledger, a run is cleaned in the portal it was made in." in text
    assert "--ledger PATH The ledger that the test runs wrote (default: .crmseed/ledger.sqlite)." in text
    assert "--base-url URL The address of the portal, if it is not where the run was made any more." in text


def test_version(crmseed: Crmseed) -> None:
    screen = crmseed("--version")
    assert (screen.code, screen.out) == (0, f"crmseed {__version__}\n")


@pytest.mark.parametrize(
    ("typed", "meant"), [("portl", "portal"), ("clean", "cleanup"), ("run", "runs"), ("cleanpu", "cleanup")]
)
def test_a_misspelt_command_is_named_with_the_nearest(crmseed: Crmseed, typed: str, meant: str) -> None:
    screen = crmseed(typed)
    assert screen.code == 2
    assert f"No such command '{typed}'" in screen.err
    assert f"Did you mean '{meant}'?" in screen.err


def test_a_command_like_no_other_gets_no_suggestion(crmseed: Crmseed) -> None:
    screen = crmseed("xyzzy")
    assert screen.code == 2
    assert "No such command 'xyzzy'" in screen.err
    assert "Did you mean" not in screen.err


def test_a_misspelt_option_is_a_usage_error(crmseed: Crmseed) -> None:
    screen = crmseed("cleanup", "--al-mine")
    assert screen.code == 2
    assert "No such option" in screen.err and "--all-mine" in screen.err


def test_a_misspelt_variable_is_refused(crmseed: Crmseed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRMSEED_LEDGR", "x.sqlite")
    screen = crmseed("runs")
    assert (screen.code, screen.out) == (2, "")
    expected = "crmseed: CRMSEED_LEDGR (in the environment) is not a setting; did you mean CRMSEED_LEDGER?\n"
    assert screen.err == expected


def test_a_misspelt_variable_in_dotenv_is_refused(crmseed: Crmseed, folder: Path) -> None:
    (folder / ".env").write_text("CRMSEED_LEDGR=x.sqlite\n")
    screen = crmseed("runs")
    assert screen.code == 2
    assert "CRMSEED_LEDGR (in .env) is not a setting; did you mean CRMSEED_LEDGER?" in screen.err


def test_a_wrong_value_names_the_option_as_it_was_typed(crmseed: Crmseed) -> None:
    screen = crmseed("cleanup", "--all-mine", "--rate", "fast")
    assert (screen.code, screen.out) == (2, "")
    assert screen.err.startswith("crmseed: --rate fast: 'fast' is not a pace; write requests per seconds, ")


def test_the_command_is_installed_under_its_name(folder: Path) -> None:
    script = Path(sys.executable).with_name("crmseed.exe" if os.name == "nt" else "crmseed")
    run = subprocess.run([script, "runs", "--json"], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout, run.stderr) == (0, "[]\n", "")
