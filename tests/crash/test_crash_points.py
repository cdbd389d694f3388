"""A process is killed at every point of seeding, of cleaning and of sweeping; then its records are swept.

The portal's own store is the judge: after the sweep it holds the strangers' records, unchanged, and nothing
else.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from pytest_crmseed import LocalPortal
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.portal import Behaviour
from pytest_crmseed.providers.registry import load
from pytest_crmseed.seeder import assemble
from pytest_crmseed.seeder.recipe import RunInfo
from pytest_crmseed.seeder.seeder import Engine
from pytest_crmseed.seeder.sweep import Sweeper
from pytest_crmseed.settings import Settings

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9 is a signal of POSIX")

# Of how many points one is tried; all of them, unless said otherwise.
STEP = int(os.environ.get("CRASH_STEP", "1"))

# Look-alikes: the names and domains of our factories, and keys that are nearly ours.
STRANGERS = {
    "companies": [{"name": "Northwind", "domain": "northwind.example.com"}],
    "contacts": [
        {"email": "ada@rabcdefg.example.com", "firstname": "Ada"},
        {"email": "bob@example.com", "crmseed_key": "crmseed-1-"},
    ],
    "deals": [{"dealname": "Renewal", "dealstage": "closedwon", "crmseed_key": "crmseed-0-of-somebody-else"}],
}


SALESFORCE_STRANGERS = {
    "Account": [{"Name": "Northwind"}],
    "Contact": [{"LastName": "Byron"}, {"LastName": "Brown", "crmseed_key__c": "crmseed-1-"}],
    "Opportunity": [
        {
            "Name": "Renewal",
            "StageName": "Closed Won",
            "CloseDate": "2026-01-31",
            "crmseed_key__c": "crmseed-0-of-somebody-else",
        }
    ],
}

PIPEDRIVE_STRANGERS = {
    "organizations": [{"name": "Northwind"}],
    "persons": [{"name": "Ada Byron"}],
    "deals": [{"title": "Renewal"}],
}
ALL_STRANGERS = {
    "hubspot": STRANGERS,
    "salesforce": SALESFORCE_STRANGERS,
    "pipedrive": PIPEDRIVE_STRANGERS,
}


class Judge:
    """A portal with strangers' records in it, and the processes that seed it and die."""

    def __init__(
        self, portal: LocalPortal, provider: str, zygote: subprocess.Popen[str], folder: Path
    ) -> None:
        self.portal = portal
        self.provider = provider
        self._zygote = zygote
        self._folder = folder
        self._runs = 0
        options = {"base_url": portal.base_url, "provider": provider}
        self._settings = Settings.load(options, {}, {}, root=folder, option_prefix="")
        self.strangers = self.everything()

    def new_folder(self) -> Path:
        """Return a folder for another ledger."""
        self._runs += 1
        folder = self._folder / str(self._runs)
        folder.mkdir()
        return folder

    def kill(self, what: str, folder: Path, at: int) -> tuple[int, int]:
        """Run something in a process that dies at a point; return its status and the points it passed."""
        assert self._zygote.stdin is not None and self._zygote.stdout is not None
        print(what, folder, at, file=self._zygote.stdin, flush=True)
        status, passed = self._zygote.stdout.readline().split()
        self.until_idle()
        return int(status), int(passed)

    def until_idle(self, seconds: float = 0) -> None:
        """Wait until the portal has handled what a dead process had sent; no time that passes can tell."""
        deadline = time.monotonic() + 10
        while self.portal.portal.journal.busy:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def sweep(self, folder: Path) -> dict[str, int]:
        """Sweep by a ledger as the next run does; return what was removed by run."""
        provider = load(self.provider)
        address = assemble.outside_address(self._settings, provider, {})
        assert address is not None
        target = assemble.open_by_settings(self._settings, provider, address)
        try:
            with Ledger(folder / ".crmseed" / "ledger.sqlite") as ledger:
                engine = Engine(
                    target,
                    ledger,
                    RunInfo(assemble.make_run_id()),
                    assemble.limits_of(self._settings),
                    sleep=self.until_idle,
                )
                swept = Sweeper(engine).by_ledger()
                assert swept.errors == []
                entries = [entry for known in ledger.runs() for entry in ledger.live(known.run.run_id)]
                assert [entry for entry in entries if entry.kept_until is None] == []
        finally:
            target.close()
        return swept.removed

    def everything(self) -> dict[str, Any]:
        """Return all live records, as the portal's store holds them."""
        store = self.portal.portal.store
        return {
            name: {
                record.id: (record.properties, record.updated)
                for record in store.page(self.provider, name, start=0, limit=1_000)
            }
            for name in store.live_counts(self.provider)
        }


def make(portal: LocalPortal, provider: str, name: str, values: dict[str, str]) -> None:
    """Make a record as an application does."""
    token = portal.tokens(provider)["application"]
    path, body, headers = f"/api/v2/{name}", dict[str, Any](values), {"x-api-token": token}
    if provider != "pipedrive":
        path, headers = f"/services/data/v66.0/sobjects/{name}", {"authorization": f"Bearer {token}"}
    if provider == "hubspot":
        path, body = f"/crm/v3/objects/{name}", {"properties": values}
    answer = requests.post(portal.base_url + path, json=body, headers=headers, timeout=10)
    assert answer.status_code in (200, 201), answer.text


@pytest.fixture(params=["hubspot", "hubspot without the key's field", "salesforce", "pipedrive"])
def judge(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Judge]:
    """Serve a portal that is not empty, and start the process that forks the others."""
    script = Path(__file__).with_name("zygote.py")
    provider, _, without = request.param.partition(" ")
    with LocalPortal(behaviour=Behaviour(set_up=not without)) as portal:
        for name, strangers in ALL_STRANGERS[provider].items():
            text = "message" if name == "contacts" else "description"
            for properties in strangers:
                named = {text if field == "crmseed_key" else field: v for field, v in properties.items()}
                make(portal, provider, name, named if without else properties)
        command = [sys.executable, str(script), portal.base_url, provider, str(tmp_path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as zygote:
            assert zygote.stdout is not None
            assert zygote.stdout.readline() == "ready\n"
            yield Judge(portal, provider, zygote, tmp_path)
            assert zygote.stdin is not None
            zygote.stdin.close()
            zygote.wait(10)


def test_a_run_killed_at_any_point_leaves_nothing_once_it_is_swept(judge: Judge) -> None:
    for point in itertools.count(1, STEP):
        folder = judge.new_folder()
        status, passed = judge.kill("seed", folder, point)
        if status == 0:
            break
        assert (status, passed) == (-signal.SIGKILL, point)
        judge.sweep(folder)
        assert judge.everything() == judge.strangers, f"killed at point {point}"
    assert judge.everything() == judge.strangers
    # Two seeds and their cleanup: were there fewer points, the harness would look at nothing.
    assert point > 60


def test_a_sweep_killed_at_any_point_is_finished_by_the_next(judge: Judge) -> None:
    points = judge.kill("seed", judge.new_folder(), 0)[1]
    for point in itertools.count(1, STEP):
        folder = judge.new_folder()
        # Killed in the middle of the first cleanup: some of its records are gone, and some are not.
        assert judge.kill("seed", folder, points * 3 // 4)[0] == -signal.SIGKILL
        assert judge.everything() != judge.strangers
        status, _ = judge.kill("sweep", folder, point)
        if status == 0:
            break
        judge.sweep(folder)
        assert judge.everything() == judge.strangers, f"killed at point {point}"
    assert judge.everything() == judge.strangers
    assert point > 10


def test_kept_records_outlive_the_sweep_of_a_killed_run(judge: Judge) -> None:
    folder = judge.new_folder()
    assert judge.kill("keep", folder, 0)[0] == 0
    kept = judge.everything()
    assert kept != judge.strangers
    points = judge.kill("seed", judge.new_folder(), 0)[1]
    assert judge.kill("seed", folder, points // 2)[0] == -signal.SIGKILL
    assert judge.everything() != kept
    judge.sweep(folder)
    assert judge.everything() == kept


def test_the_harness_sees_what_is_left(judge: Judge) -> None:
    folder = judge.new_folder()
    points = judge.kill("seed", judge.new_folder(), 0)[1]
    judge.kill("seed", folder, points // 2)
    # With its ledger lost, a killed run is not found at the start of the next one.
    judge.sweep(judge.new_folder())
    assert judge.everything() != judge.strangers
