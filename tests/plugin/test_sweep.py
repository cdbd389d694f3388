"""What a killed run left is removed by the next run on the same portal, and nothing else is."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys

import pytest

KILLED = """
    import os, signal

    @pytest.mark.crm_seed(deals=2)
    def test_killed(crm_records):
        os.kill(os.getpid(), signal.SIGKILL)
"""
FINE = """
    @pytest.mark.crm_seed(contacts=1)
    def test_fine(crm_records):
        assert len(crm_records.contacts) == 1
"""
LIVING = """
    import sys

    @pytest.mark.crm_seed(deals=2)
    def test_long(crm_records):
        print("seeded", file=sys.__stdout__, flush=True)
        sys.__stdin__.readline()
"""


def kill_a_run(suite, outside, *options):
    suite.write(KILLED)
    result = suite.spawn(*outside.at, *options)
    assert result.ret in (-signal.SIGKILL, 128 + signal.SIGKILL)
    assert outside.live == 4


def test_the_next_run_removes_what_a_killed_one_left(suite, outside):
    kill_a_run(suite, outside)
    suite.write(FINE)
    result = suite.run(*outside.at)
    assert (result.ret, outside.live) == (0, 0)
    assert any(
        re.fullmatch(r"4 records that run [0-9a-z]{22} had left were removed first\.", line)
        for line in result.summary
    )
    # It is over and done with: the run after that has nothing to tell.
    assert not any("had left" in line for line in suite.run(*outside.at).summary)


def test_with_workers_it_is_swept_once(suite, outside):
    pytest.importorskip("xdist")
    kill_a_run(suite, outside)
    suite.write(FINE)
    suite.write(FINE, "test_other.py")
    result = suite.run(*outside.at, "-n2")
    assert (result.ret, outside.live) == (0, 0)
    assert sum("had left were removed first" in line for line in result.summary) == 1


def test_records_whose_ids_never_arrived_are_found_by_their_keys(suite, outside):
    kill_a_run(suite, outside)
    # As if it had been killed before the answers: the ledger knows of requests under way, not of ids.
    with sqlite3.connect(suite.path / ".crmseed" / "ledger.sqlite") as ledger:
        ledger.execute("UPDATE entries SET state = 'sent', id = NULL")
    ledger.close()
    suite.write(FINE)
    assert suite.run(*outside.at).ret == 0
    assert outside.live == 0


def test_a_run_under_way_in_another_process_is_never_touched(suite, outside):
    suite.write(LIVING)
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:randomly", *outside.at]
    with subprocess.Popen(
        command, cwd=suite.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as living:
        assert living.stdin is not None and living.stdout is not None
        while "seeded" not in (line := living.stdout.readline()):
            assert line, "the run ended before it seeded"
        suite.write(FINE)
        result = suite.run(*outside.at)
        assert result.ret == 0
        assert not any("had left" in line for line in result.summary)
        assert outside.live == 4
        living.stdin.write("\n")
        living.stdin.flush()
        living.stdout.read()
    assert (living.returncode, outside.live) == (0, 0)


def test_kept_records_stay_until_their_time_has_come(suite, outside):
    suite.write(FINE)
    assert suite.run(*outside.at, "--crm-keep", "--crm-keep-for=2h").ret == 0
    assert suite.run(*outside.at).ret == 0
    assert outside.live == 1
    with sqlite3.connect(suite.path / ".crmseed" / "ledger.sqlite") as ledger:
        ledger.execute("UPDATE kept_seeds SET until = 1")
    ledger.close()
    result = suite.run(*outside.at)
    assert (result.ret, outside.live) == (0, 0)
    assert any("1 record that run" in line for line in result.summary)


def test_another_portals_run_is_left_alone(suite, outside, start_portal):
    kill_a_run(suite, outside)
    another = start_portal(portal_id=47010002)
    suite.write(FINE)
    assert suite.run(*another.at).ret == 0
    assert outside.live == 4


def test_a_dry_run_sweeps_nothing(suite, outside):
    kill_a_run(suite, outside)
    suite.write(FINE)
    assert suite.run(*outside.at, "--crm-dry-run").ret == 0
    assert outside.live == 4


def test_a_run_that_outlives_the_expiry_in_its_keys_says_so(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(contacts=1)
        def test_long(crm_records, request):
            from pytest_crmseed.plugin.session import SESSION

            (engine,) = request.config.stash[SESSION]._engines.values()
            clock = engine._clock
            engine._clock = lambda: clock() + 3601
        """
    )
    told = (
        "The run took longer than --crm-expire: `crmseed cleanup --from-portal` on another machine might "
        "have removed its records. Give it more time."
    )
    assert told in suite.run(*outside.at, "--crm-expire", "1h").summary
    assert told not in suite.run(*outside.at).summary
    assert outside.live == 0
