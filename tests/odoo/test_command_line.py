"""The command line on a real server: the newcomer's path, and scripts that need ``requests`` alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.providers.registry import load

COMMAND = [sys.executable, "-c", "from pytest_crmseed.cli import main; main(prog_name='crmseed')"]


@pytest.fixture
def crmseed(odoo: Any, tmp_path: Path) -> Any:
    """Run ``crmseed`` in an empty folder, pinned to the database."""
    environ = {
        **os.environ,
        **odoo.credentials(),
        "COLUMNS": "80",
        "CRMSEED_PROVIDER": "odoo",
        "CRMSEED_TARGET": "sandbox",
        "CRMSEED_PORTAL": odoo.database,
    }

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=tmp_path,
            env={**environ, **more},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.mark.usefixtures("unchanged")
def test_the_path_ends_with_nothing_left(odoo: Any, crmseed: Any) -> None:
    doctor = crmseed("doctor", "--json")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert {each["state"] for each in json.loads(doctor.stdout)["checks"]} <= {"ok", "warn"}

    planned = crmseed("plan", "deals=10")
    assert planned.returncode == 0, planned.stderr
    assert odoo.count("deals") == 0

    seeded = crmseed("seed", "deals=10", "--json")
    assert seeded.returncode == 0, seeded.stderr
    assert odoo.count("deals") == 10
    made = json.loads(seeded.stdout)
    assert len(made["records"]["deals"]) == 10

    assert made["run"] in crmseed("runs").stdout
    cleaned = crmseed("cleanup", "--all-mine")
    assert cleaned.returncode == 0, cleaned.stderr
    assert ", 0 left." in cleaned.stdout
    assert json.loads(crmseed("runs", "--json").stdout) == []

    wrong = crmseed("plan", "deels=10")
    assert wrong.returncode == 2
    assert "did you mean 'deals'?" in wrong.stderr


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("version", ["json-2", "json-rpc"])
def test_a_script_makes_and_deletes_each_object_type(
    odoo: Any, crmseed: Any, tmp_path: Path, version: str
) -> None:
    for name in load("odoo").legend.objects:
        written = crmseed("debug-script", name, "--api-version", version, "-o", f"{name}.py")
        assert written.returncode == 0, f"{name}: {written.stderr}"
        text = (tmp_path / f"{name}.py").read_text("utf-8")
        assert odoo.api_key not in text
        assert "crmseed" not in {
            line.split()[1].split(".")[0] for line in text.splitlines() if " import " in line
        }
        ran = subprocess.run(
            [sys.executable, f"{name}.py"],
            cwd=tmp_path,
            env={**os.environ, **odoo.credentials()},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, f"{name}: {ran.stdout}{ran.stderr}"
        assert ran.stdout.splitlines()[-1].endswith("was made and deleted")
        assert odoo.api_key not in ran.stdout
