"""The newcomer's path in an empty folder, as it looks at 80 columns; colours and shells."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Crmseed = Callable[..., Any]
PROVIDERS = ["hubspot", "salesforce", "pipedrive"]
FIXED = ("--random-seed", "7", "--base-date", "2026-11-23")


def shown(screen: Any) -> str:
    """Return a screen without what differs from run to run."""
    text = f"{screen.out}--\n{screen.err}[{screen.code}]"
    for pattern, instead in (
        (r"\b0m[0-9a-z]{20}\b", "RUN" + " " * 19),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "MOMENT"),
        (r"\d+\.\d\d s\b", "TIME s"),
        (r"\b\d{1,3} KB", "SIZE KB"),
        (r"\b00D\w{15}", "PORTAL"),
        (r"\b\d{9}(@\S+)?(?= |\n|$)", "PORTAL"),
        (r"(?m)^(\w+\[\d+\] +)\S+ +", r"\1ID  "),
        (r"record +id +name", "record ID name"),
        (r"@[a-z0-9-]+\.[a-z0-9.-]*…?", "@COMPANY.RUN.example.com"),
        (r"of the run's own|\b[a-z0-9]{8,}\.example\.com", "RUN.example.com"),
        (r"\d{1,3}(,\d{3})* of (\d[\d,]*) (requests|tokens) left", r"N of \2 \3 left"),
    ):
        text = re.sub(pattern, instead, text)
    return "\n".join(line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_path_ends_with_nothing_left(
    crmseed: Crmseed, monkeypatch: pytest.MonkeyPatch, snapshot: Any, provider: str
) -> None:
    monkeypatch.setenv("CRMSEED_PROVIDER", provider)
    for arguments in (
        ("doctor",),
        ("plan", "deals=10", *FIXED),
        ("seed", "deals=10", *FIXED),
        ("runs",),
        ("cleanup", "--all-mine"),
    ):
        screen = crmseed(*arguments)
        assert screen.code == 0, screen.err
        assert shown(screen) == snapshot(name=f"{arguments[0]} {provider}")
    assert json.loads(crmseed("runs", "--json").out) == []
    assert crmseed("cleanup", "--from-portal").out.startswith("Nothing to remove in ")
    wrong = crmseed("plan", "deels=10")
    assert wrong.code == 2
    assert "did you mean 'deals'?" in wrong.err


def test_screens_of_the_rest(crmseed: Crmseed, snapshot: Any) -> None:
    for arguments in (("--help",), ("seed", "--help"), ("doctor", "--help"), ("plan",), ("sed", "deals=1")):
        assert shown(crmseed(*arguments)) == snapshot(name=" ".join(arguments))
    assert crmseed("providers").out == snapshot(name="providers")


def test_in_colour(crmseed: Crmseed, monkeypatch: pytest.MonkeyPatch, snapshot: Any) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert shown(crmseed("doctor", "--base-url", "http://127.0.0.1:9")) == snapshot(name="doctor")
    coloured = crmseed("plan", "deels=1")
    assert coloured.err.startswith("\x1b[31mcrmseed:\x1b[0m unknown object type")
    assert "\x1b[1mobject     records\x1b[0m" in crmseed("plan", "deals=1").out
    # JSON is for machines.
    assert "\x1b" not in crmseed("doctor", "--json").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in crmseed("doctor").out + crmseed("plan", "deels=1").err
    monkeypatch.setenv("NO_COLOR", "")
    assert "\x1b" in crmseed("doctor").out
    monkeypatch.setenv("FORCE_COLOR", "")
    assert "\x1b" not in crmseed("doctor").out


def completed(words: str, folder: Path) -> list[str]:
    program = "from pytest_crmseed.cli import main; main(prog_name='crmseed')"
    environ = {**os.environ, "_CRMSEED_COMPLETE": "bash_complete", "COMP_WORDS": words}
    environ["COMP_CWORD"] = str(len(words.split(" ")) - 1)
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environ, cwd=folder, capture_output=True, text=True, timeout=60
    )
    return [name for line in ran.stdout.splitlines() if (name := line.partition(",")[2])]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("crmseed do", ["doctor"]),
        ("crmseed seed dea", ["deals="]),
        ("crmseed seed --provider salesforce cam", ["campaigns="]),
        ("crmseed doctor tick", ["tickets"]),
        ("crmseed seed --provider pi", ["pipedrive"]),
        ("crmseed seed --target s", ["sandbox"]),
        ("crmseed cleanup --run x", []),
    ],
)
def test_a_shell_completes_names(folder: Path, words: str, found: list[str]) -> None:
    assert completed(words, folder) == found


def test_a_shell_completes_runs(crmseed: Crmseed, folder: Path) -> None:
    crmseed("seed", "companies=1")
    run_id = json.loads(crmseed("runs", "--json").out)[0]["run"]
    assert completed("crmseed cleanup --run 0", folder) == [run_id]
    (folder / "broken").write_text("no database")
    assert completed("crmseed cleanup --ledger broken --run 0", folder) == []


def test_providers_as_json(crmseed: Crmseed) -> None:
    listed = {entry["name"]: entry for entry in json.loads(crmseed("providers", "--json").out)}
    assert set(PROVIDERS) <= set(listed)
    assert listed["hubspot"]["local_portal"] is True
    assert listed["hubspot"]["credentials"] == [
        {
            "variable": "HUBSPOT_ACCESS_TOKEN",
            "secret": True,
            "required": True,
            "meaning": "a private app's token, a service key, or an OAuth access token",
        }
    ]


def test_a_provider_that_cannot_be_loaded_is_listed_with_the_reason(
    crmseed: Crmseed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_crmseed.errors import UsageError

    def broken(name: str) -> None:
        raise UsageError(f"provider {name!r} (x:Y) cannot be loaded: no module x.", remedy="Reinstall it.")

    monkeypatch.setattr("pytest_crmseed.cli.providers.names", lambda: ["minicrm"])
    monkeypatch.setattr("pytest_crmseed.cli.providers.load", broken)
    screen = crmseed("providers")
    assert screen.code == 0
    assert "minicrm: provider 'minicrm' (x:Y) cannot be loaded: no module x. Reinstall it.\n" in screen.out
