"""Build the wheel, install it alone into a fresh environment, and look for what users meet first.

Usage: python .ci/wheel.py PROJECT WORK

WORK is a directory to build in; the environment ``WORK/venv`` is left for further use.
Needs the package ``build``.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

SUITE = """
import pytest

def test_the_plugin_is_there(pytestconfig):
    assert pytestconfig.pluginmanager.hasplugin("crmseed")

def test_it_is_the_installed_one():
    import pytest_crmseed
    assert "site-packages" in pytest_crmseed.__file__

@pytest.mark.crm_seed(deals=2)
def test_it_seeds(crm_records):
    assert len(crm_records.deals) == 2
"""


def main(project: Path, work: Path) -> None:
    dist, environment, empty = work / "dist", work / "venv", work / "empty"
    run(sys.executable, "-m", "build", "--wheel", "--outdir", dist, project)
    (wheel,) = dist.glob("*.whl")
    venv.create(environment, with_pip=True, clear=True)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    run(scripts / "python", "-m", "pip", "install", "--quiet", wheel)
    run(scripts / "python", "-m", "pip", "check")
    # Away from the project, or its directory would be imported instead of the wheel; and with a root
    # of its own, for WORK may lie inside the project.
    empty.mkdir()
    (empty / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (empty / "test_installed.py").write_text(SUITE, encoding="utf-8")
    expect(run(scripts / "pytest", "--help", cwd=empty), "--crm-provider", "--crm-target")
    expect(run(scripts / "pytest", "--markers", cwd=empty), "@pytest.mark.crm_seed")
    expect(run(scripts / "crmseed", "--help", cwd=empty), "Usage: crmseed", "seed", "cleanup")
    expect(run(scripts / "pytest", "-q", cwd=empty), "3 passed")
    expect(run(scripts / "pytest", "-q", "-p", "no:crmseed", "-k", "installed_one", cwd=empty), "1 passed")
    print(f"wheel: {wheel.name} installs alone, shows its options and its command, and seeds")


def run(*command: object, cwd: Path | None = None) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nwheel: failed with exit code {done.returncode}: {' '.join(words)}")
    return done.stdout


def expect(output: str, *texts: str) -> None:
    for text in texts:
        if text not in output:
            sys.exit(f"{output}\nwheel: {text!r} is missing from the output above")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
