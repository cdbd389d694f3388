"""jsforce and the Salesforce CLI's core are served by the local portal, call by call.

Runs where ``TEST_NODE_MODULES`` names a folder that has both; the continuous integration installs them.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pytest_crmseed import LocalPortal

MODULES = os.environ.get("TEST_NODE_MODULES", "")

pytestmark = pytest.mark.skipif(
    not (MODULES and all((Path(MODULES) / name).is_dir() for name in ("jsforce", "@salesforce/core"))),
    reason="TEST_NODE_MODULES names no folder with jsforce and @salesforce/core",
)


def test_every_call_of_the_node_clients_is_served(tmp_path: Path) -> None:
    script = Path(__file__).with_name("node_clients.js")
    # The command line's core keeps what it signs in by in the home folder.
    own = {"NODE_PATH": MODULES, "HOME": str(tmp_path), "SF_USE_GENERIC_UNIX_KEYCHAIN": "true"}
    with LocalPortal() as portal:
        done = subprocess.run(
            ["node", str(script), portal.base_url, portal.tokens("salesforce")["application"]],
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            timeout=300,
        )
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == [], done.stderr
    assert done.returncode == 0, done.stderr
    assert len(lines) == 26
