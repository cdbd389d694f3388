"""A provider of another distribution is found, seeds, and keeps the contract: the example package does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "crmseed-minicrm"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example installed into a folder of its own, without pip, which may not be there, or a network."""
    site = tmp_path_factory.mktemp("site")
    shutil.copytree(
        EXAMPLE / "crmseed_minicrm", site / "crmseed_minicrm", ignore=shutil.ignore_patterns("__pycache__")
    )
    told = (EXAMPLE / "pyproject.toml").read_text("utf-8")
    name, version = (_only(rf'^{key} = "(.+)"$', told) for key in ("name", "version"))
    points = _only(r'^\[project\.entry-points\."pytest_crmseed\.providers"\]\n(.+?)\n\n', told)
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
    (info / "entry_points.txt").write_text(
        f"[pytest_crmseed.providers]\n{points.replace(chr(34), '')}\n", "utf-8"
    )
    return site


def _only(pattern: str, text: str) -> str:
    (found,) = re.findall(pattern, text, re.MULTILINE | re.DOTALL if "+?" in pattern else re.MULTILINE)
    return str(found)


def run(site: Path, folder: Path, *command: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                [str(site), str(EXAMPLE / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
            ),
            "PYTHONDONTWRITEBYTECODE": "1",
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_example_keeps_the_contract(site: Path) -> None:
    told = run(site, EXAMPLE, "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:randomly")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "::TestMiniCRM::test_a_marker_in_a_real_run PASSED" in told.stdout
    assert re.search(r"=+ (3\d|[4-9]\d) passed in ", told.stdout), told.stdout
    assert "skipped" not in told.stdout
