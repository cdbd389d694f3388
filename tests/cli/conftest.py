"""The command in this process with its screens, kept runs to clean, and served portals as processes."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_crmseed import LocalPortal, Seeder
from pytest_crmseed.cli import main
from pytest_crmseed.portal import Behaviour

COMMAND = [sys.executable, "-c", "from pytest_crmseed.cli import main; main(prog_name='crmseed')"]


@dataclass(frozen=True)
class Screen:
    """What a command ended with."""

    code: int | str | None
    out: str
    err: str


Run = Callable[..., Screen]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the test's commands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def crmseed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Screen]:
    """Run ``crmseed`` with arguments on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> Screen:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main.main(list(arguments), prog_name="crmseed")
        screen = capsys.readouterr()
        return Screen(ended.value.code, screen.out, screen.err)

    return run


@pytest.fixture
def serve() -> Iterator[Callable[..., LocalPortal]]:
    """Serve local portals in this process, each with an id of its own; closed at the end."""
    served: list[LocalPortal] = []

    def start(*, port: int = 0, account_type: str = "DEVELOPER_TEST") -> LocalPortal:
        behaviour = Behaviour(portal_id=500_000_001 + len(served), account_type=account_type)
        served.append(LocalPortal(port=port, behaviour=behaviour).start())
        return served[-1]

    yield start
    for portal in served:
        portal.close()


@pytest.fixture
def keep(folder: Path) -> Callable[..., str]:
    """Make a run that keeps two deals, their company and contact in a portal, and return its id."""

    def run(portal: LocalPortal, **settings: object) -> str:
        with Seeder(base_url=portal.base_url, **settings) as seeder:
            seeder.seed(deals=2, keep=True)
        return seeder.run_id

    return run


@pytest.fixture
def rewrite(folder: Path) -> Callable[..., None]:
    """Change what the ledger says of a run, which no test can bring about quickly."""

    def write(run_id: str, **values: object) -> None:
        database = sqlite3.connect(folder / ".crmseed" / "ledger.sqlite")
        with database:
            columns = ", ".join(f"{name} = ?" for name in values)
            database.execute(f"UPDATE runs SET {columns} WHERE run_id = ?", (*values.values(), run_id))
        database.close()

    return write


class Served:
    """A ``crmseed portal`` process, once it has printed its lines."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "portal", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.lines: list[str] = []
        # The portal's own variable is the last of all.
        while line := self.process.stdout.readline().rstrip("\n"):
            self.lines.append(line)
            if line.startswith("CRMSEED_BASE_URL="):
                break
        self.base_url = self.lines[0]
        self.environ = dict(line.split("=", 1) for line in self.lines[1:])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Screen:
        """Send a signal, and return what the process ended with."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return Screen(self.process.returncode, out, err)


@pytest.fixture
def served() -> Iterator[Callable[..., Served]]:
    """Start ``crmseed portal`` with arguments; stopped at the end."""
    started: list[Served] = []

    def start(*arguments: str) -> Served:
        started.append(Served(*arguments))
        return started[-1]

    yield start
    for portal in started:
        # Not by a signal that it might not obey: no process outlives its test.
        portal.process.kill()
        portal.process.communicate()
