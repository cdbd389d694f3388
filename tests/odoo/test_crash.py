"""Server and test run die in mid-batch; what they had made is removed once the server is up again."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import pytest

SUITE = """
import pytest

@pytest.mark.crm_seed(companies=1, contacts=20, deals=200)
def test_seeded(crm_records):
    pass
"""


def test_the_server_is_killed_in_mid_batch_and_the_run_is_swept_after_its_restart(
    odoo: Any, lossy: Any, pytester: pytest.Pytester, unchanged: None
) -> None:
    lock, killed = threading.Lock(), threading.Event()
    batches = 0

    def rule(path: str, number: int) -> str | None:
        # When the third batch of deals is done, others are under way.
        nonlocal batches
        with lock:
            batches += path.endswith("crm.lead/load")
            if batches == 3 and not killed.is_set():
                odoo.kill()
                killed.set()
        return "reset" if killed.is_set() else None

    def command(*words: str) -> list[str]:
        return [sys.executable, "-c", "from pytest_crmseed.cli import main; main()", *words]

    proxy = lossy(rule)
    pytester.makepyfile(SUITE)
    where = ["--crm-provider", "odoo", "--crm-target", "sandbox", "--crm-portal", odoo.database]
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *where, "--crm-batch-size", "20"],
        env={**os.environ, **odoo.credentials(proxy.url)},
        cwd=pytester.path,
        stdout=subprocess.DEVNULL,
    )
    try:
        assert killed.wait(60)
    finally:
        run.kill()
        run.wait()
    odoo.restart()
    ours = "select count(*) from ir_model_data where module = 'crmseed'"
    assert int(odoo.query(ours)[0]) >= 21
    swept = subprocess.run(
        command("cleanup", "--all-mine", "--base-url", odoo.url),
        env={**os.environ, **odoo.credentials()},
        cwd=pytester.path,
        capture_output=True,
        text=True,
    )
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert odoo.query(ours) == ["0"]
