"""A portal served by one process, seeded by pytest in another, cleaned by a third."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

SUITE = """
import pytest

@pytest.mark.crm_seed(deals=2)
def test_seeded(crm_records, crm_portal):
    assert crm_portal.is_local and len(crm_records.deals) == 2
"""


def test_a_session_leaves_nothing_and_a_kept_run_is_cleaned(
    pytester: pytest.Pytester, crmseed: Callable[..., Any], served: Callable[..., Any], monkeypatch: Any
) -> None:
    portal = served()

    def live() -> int:
        with urllib.request.urlopen(f"{portal.base_url}/_portal/stats", timeout=30) as answer:
            return sum(json.load(answer)["records"]["hubspot"].values())

    monkeypatch.chdir(pytester.path)
    pytester.makepyfile(SUITE)
    address = f"--crm-base-url={portal.base_url}"
    plain = pytester.runpytest_subprocess(address)
    plain.assert_outcomes(passed=1)
    plain.stdout.fnmatch_lines(["4 records in 1 seed *; 4 removed."])
    assert live() == 0

    kept = pytester.runpytest_subprocess(address, "--crm-keep")
    kept.assert_outcomes(passed=1)
    told = re.search(r"^4 records are kept; remove them with: crmseed (.*)$", kept.stdout.str(), re.MULTILINE)
    assert told and live() == 4
    command = told[1].split()
    assert command[-1] in crmseed("runs").out

    screen = crmseed(*command)
    assert (screen.code, screen.out, screen.err) == (0, "4 records of 1 run removed, 0 left.\n", "")
    assert live() == 0
    assert crmseed("runs").out.startswith("No run has left anything")
