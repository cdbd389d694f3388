"""Whether a run is under way: by its process's lock on this machine, by its expiry on others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_crmseed.errors import LedgerError
from pytest_crmseed.ingest.entries import Run
from pytest_crmseed.ingest.liveness import OLD, Liveness

HOLDER = """
import sys
from pathlib import Path
from pytest_crmseed.ingest.liveness import Liveness
liveness = Liveness(Path(sys.argv[1]))
liveness.hold(sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


def run(run_id: str = "r1", *, host: str = "here", expires: float = 100.0, ended: float | None = None) -> Run:
    return Run(run_id, "hubspot", "1", "sandbox", "http://x", 1, host, "", 0.0, 0.0, expires, ended_at=ended)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / ".crmseed" / "ledger.sqlite"


def holder(ledger: Path, run_id: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(ledger), run_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_run_lives_as_long_as_its_process_however_that_ends(ledger: Path) -> None:
    liveness = Liveness(ledger, host="here")
    with holder(ledger, "r1") as process:
        assert liveness.alive(run())
        assert not liveness.alive(run("r2"))
        process.kill()
        process.wait()
        assert not liveness.alive(run())
        # The file is still there: the kernel let go of the lock, nobody tidied up.
        assert list((ledger.parent / "alive").iterdir())


def test_a_run_of_several_processes_lives_until_the_last_has_died(ledger: Path) -> None:
    liveness = Liveness(ledger, host="here")
    with holder(ledger, "r1") as first, holder(ledger, "r1") as second:
        first.kill()
        first.wait()
        assert liveness.alive(run())
        second.kill()
        second.wait()
        assert not liveness.alive(run())


def test_asking_does_not_end_a_run(ledger: Path) -> None:
    with holder(ledger, "r1") as process:
        for _ in range(3):
            assert Liveness(ledger, host="here").alive(run())
        process.kill()


def test_a_process_knows_its_own_runs(ledger: Path) -> None:
    liveness = Liveness(ledger, host="here")
    liveness.hold("r1")
    liveness.hold("r1")
    assert liveness.alive(run())
    assert Liveness(ledger, host="here").alive(run())
    liveness.release("r1")
    assert not liveness.alive(run())
    assert not list((ledger.parent / "alive").iterdir())


def test_one_lock_stands_for_all_portals_that_one_command_seeds(ledger: Path) -> None:
    whole = "0" * 22
    first, second = Liveness(ledger, host="here"), Liveness(ledger, host="here")
    first.hold(whole)
    second.hold(whole + "gh")
    assert len(list((ledger.parent / "alive").iterdir())) == 1
    first.release(whole)
    assert first.alive(run(whole + "xy"))
    second.close()
    assert not first.alive(run(whole))


def test_closing_releases_all(ledger: Path) -> None:
    liveness = Liveness(ledger, host="here")
    liveness.hold("r1")
    liveness.hold("r2")
    liveness.close()
    assert not liveness.alive(run("r1"))
    assert not liveness.alive(run("r2"))


def test_a_run_of_another_machine_is_given_until_its_expiry(ledger: Path) -> None:
    now = 99.0
    liveness = Liveness(ledger, host="here", clock=lambda: now)
    assert liveness.alive(run(host="elsewhere"))
    now = 100.0
    assert not liveness.alive(run(host="elsewhere"))


def test_a_run_that_ended_properly_is_not_alive(ledger: Path) -> None:
    liveness = Liveness(ledger, host="here", clock=lambda: 0.0)
    assert not liveness.alive(run(host="elsewhere", ended=1.0))
    assert not liveness.alive(run(ended=1.0))


def test_the_ledgers_folder_keeps_itself_out_of_version_control(ledger: Path) -> None:
    Liveness(ledger).hold("r1")
    assert (ledger.parent / ".gitignore").read_text() == "*\n"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "alive").write_text("a file in the way")
    with pytest.raises(LedgerError, match=r"cannot be written: .*folder that can be written to"):
        Liveness(tmp_path / "ledger.sqlite").hold("r1")


def test_files_of_long_dead_processes_are_tidied_away_and_no_others(ledger: Path) -> None:
    folder = ledger.parent / "alive"
    with holder(ledger, "dead") as process:
        process.kill()
        process.wait()
    with holder(ledger, "living") as process:
        Liveness(ledger).tidy()
        assert len(list(folder.iterdir())) == 2
        for path in folder.iterdir():
            os.utime(path, (0, 0))
        Liveness(ledger, clock=lambda: OLD + 1).tidy()
        assert [path.name.partition(".")[0] for path in folder.iterdir()] == ["living"]
        process.kill()
