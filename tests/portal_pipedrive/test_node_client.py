"""Pipedrive's own Node client is served by the local portal, call by call.

Runs where ``TEST_NODE_MODULES`` names a folder that has ``pipedrive``; the continuous integration
installs it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pytest_crmseed import LocalPortal

MODULES = os.environ.get("TEST_NODE_MODULES", "")

pytestmark = pytest.mark.skipif(
    not (MODULES and (Path(MODULES) / "pipedrive").is_dir()),
    reason="TEST_NODE_MODULES names no folder with pipedrive",
)


def test_every_call_of_the_node_client_is_served() -> None:
    script = Path(__file__).with_name("node_client.js")
    with LocalPortal() as portal:
        api_token = portal.tokens("pipedrive")["application"]
        access_token = portal.portal.apis["pipedrive"].issue(name="node", scopes=["deals:full"])
        done = subprocess.run(
            ["node", str(script), portal.base_url, api_token, access_token],
            env={**os.environ, "NODE_PATH": MODULES},
            capture_output=True,
            text=True,
            timeout=300,
        )
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert (done.returncode, done.stderr) == (0, "")
    assert len(lines) > 55
