"""``crmseed cleanup``: what it removes, what it leaves alone, and the exit code of each refusal."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed import LocalPortal, Seeder
from pytest_crmseed.cli.cleanup import RUN_ID_LENGTH
from pytest_crmseed.ingest.keys import new_run_id

Crmseed = Callable[..., Any]
Serve = Callable[..., LocalPortal]
Keep = Callable[..., str]
Rewrite = Callable[..., None]


def live(portal: LocalPortal) -> int:
    return sum(portal.stats()["records"]["hubspot"].values())


def test_a_kept_run_is_removed_and_forgotten(crmseed: Crmseed, serve: Serve, keep: Keep) -> None:
    portal = serve()
    run_id, other = keep(portal), keep(portal)
    assert live(portal) == 8
    screen = crmseed("cleanup", "--run", run_id)
    assert (screen.code, screen.out, screen.err) == (0, "4 records of 1 run removed, 0 left.\n", "")
    assert live(portal) == 4
    assert [line.split()[0] for line in crmseed("runs").out.splitlines()] == ["run", other]
    again = crmseed("cleanup", "--run", run_id)
    assert (again.code, again.out, again.err) == (0, "Nothing to remove.\n", "")


def test_all_mine_removes_all_runs(crmseed: Crmseed, serve: Serve, keep: Keep) -> None:
    portals = serve(), serve()
    for portal in portals:
        keep(portal)
    screen = crmseed("cleanup", "--all-mine", "--json")
    assert (screen.code, screen.err) == (0, "")
    assert json.loads(screen.out) == {
        "runs": 2,
        "removed": 8,
        "gone": 0,
        "left": 0,
        "running": [],
        "errors": [],
    }
    assert [live(portal) for portal in portals] == [0, 0]
    assert crmseed("cleanup", "--all-mine").out == "Nothing to remove.\n"


def test_all_mine_leaves_a_running_run_alone(crmseed: Crmseed, serve: Serve, folder: Path) -> None:
    portal = serve()
    with Seeder(base_url=portal.base_url) as seeder:
        seeder.seed(deals=1)
        screen = crmseed("cleanup", "--all-mine")
        assert screen.code == 0
        assert screen.out.startswith(f"Nothing to remove.\nRun {seeder.run_id} is running (process ")
        assert screen.out.endswith(
            "): its 3 records were left alone. If that is not so, remove them with: "
            f"crmseed cleanup --run {seeder.run_id}\n"
        )
        assert live(portal) == 3
        assert json.loads(crmseed("cleanup", "--all-mine", "--json").out)["running"] == [seeder.run_id]
        assert crmseed("cleanup", "--run", seeder.run_id).out == "3 records of 1 run removed, 0 left.\n"
    assert live(portal) == 0


@pytest.mark.parametrize(
    "arguments",
    [[], ["--run", "x", "--all-mine"], ["--older-than", "2h", "--from-portal"]],
    ids=["none", "two", "others"],
)
def test_one_way_of_choosing_has_to_be_said(crmseed: Crmseed, arguments: list[str]) -> None:
    screen = crmseed("cleanup", *arguments)
    assert (screen.code, screen.out) == (2, "")
    assert screen.err.endswith(
        "Error: Say which: --run ID, --all-mine, --older-than DURATION or --from-portal.\n"
    )


def test_older_than_spares_young_runs_and_running_ones(
    crmseed: Crmseed, serve: Serve, keep: Keep, rewrite: Callable[..., None]
) -> None:
    portal = serve()
    old, young = keep(portal), keep(portal)
    rewrite(old, started_at=time.time() - 7300)
    with Seeder(base_url=portal.base_url) as seeder:
        seeder.seed(deals=1)
        rewrite(seeder.run_id, started_at=time.time() - 7300)
        screen = crmseed("cleanup", "--older-than", "2h")
        assert screen.code == 0
        assert screen.out.startswith("4 records of 1 run removed, 0 left.\n")
        assert f"Run {seeder.run_id} is running" in screen.out
    assert [row["run"] for row in json.loads(crmseed("runs", "--json").out)] == [young]
    assert live(portal) == 4


def test_older_than_takes_a_time_span(crmseed: Crmseed) -> None:
    screen = crmseed("cleanup", "--older-than", "yesterday")
    assert screen.code == 2
    assert "Invalid value for '--older-than': 'yesterday' is not" in screen.err


def test_a_dry_run_removes_nothing(crmseed: Crmseed, serve: Serve, keep: Keep) -> None:
    portal = serve()
    run_id = keep(portal)
    screen = crmseed("cleanup", "--all-mine", "--dry-run")
    assert (screen.code, screen.err) == (0, "")
    assert screen.out == (
        f"Would remove companies=1, contacts=1, deals=2 of run {run_id}.\n"
        "0 records of 1 run removed, 4 left.\n"
    )
    assert live(portal) == 4


def test_a_wrong_run_id_gets_a_suggestion(crmseed: Crmseed, serve: Serve, keep: Keep, folder: Path) -> None:
    portal = serve()
    run_id = keep(portal)
    wrong = run_id[:-1] + ("0" if run_id[-1] != "0" else "1")
    screen = crmseed("cleanup", "--run", wrong)
    assert (screen.code, screen.out) == (2, "")
    assert screen.err == (
        f"crmseed: unknown run {wrong!r} in the ledger {folder / '.crmseed' / 'ledger.sqlite'}; did you mean "
        f"{run_id!r}? Valid: {run_id}. List them with `crmseed runs --all`.\n"
    )
    assert live(portal) == 4


def test_the_beginning_of_a_run_id_names_no_run(crmseed: Crmseed, serve: Serve, keep: Keep) -> None:
    portal = serve()
    run_id = keep(portal)
    for beginning in ("", run_id[0], run_id[:-1]):
        assert crmseed("cleanup", "--run", beginning).code == 2
    assert live(portal) == 4


def test_the_whole_id_names_the_portals_of_its_workers_too(
    crmseed: Crmseed, serve: Serve, keep: Keep, folder: Path
) -> None:
    portal = serve()
    run_id, other = keep(portal), keep(portal)
    assert len(run_id) == len(new_run_id()) == RUN_ID_LENGTH
    database = sqlite3.connect(folder / ".crmseed" / "ledger.sqlite")
    with database:
        for table in ("runs", "entries", "kept_seeds"):
            database.execute(f"UPDATE {table} SET run_id = ? WHERE run_id = ?", (f"{run_id}07", run_id))
    database.close()
    assert crmseed("cleanup", "--run", f"{run_id}0").code == 2
    assert crmseed("cleanup", "--run", run_id).out == "4 records of 1 run removed, 0 left.\n"
    assert [row["run"] for row in json.loads(crmseed("runs", "--json").out)] == [other]


def test_without_a_ledger_there_is_nothing_to_remove(crmseed: Crmseed, folder: Path) -> None:
    where = f"There is no ledger {folder / '.crmseed' / 'ledger.sqlite'}; run this in pytest's root directory"
    screen = crmseed("cleanup", "--all-mine")
    assert (screen.code, screen.err) == (0, "")
    assert screen.out == f"Nothing to remove. {where}, or name it with --ledger.\n"
    screen = crmseed("cleanup", "--run", "abc")
    assert (screen.code, screen.out) == (2, "")
    assert screen.err == f"crmseed: run 'abc' is not known. {where}, or name it with --ledger.\n"


def test_a_portal_that_is_gone(crmseed: Crmseed, serve: Serve, keep: Keep) -> None:
    portal = serve()
    run_id = keep(portal)
    url = portal.base_url
    portal.close()
    screen = crmseed("cleanup", "--run", run_id)
    assert (screen.code, screen.out) == (4, "0 records of 1 run removed, 4 left.\n")
    assert screen.err == (
        f"crmseed: run {run_id}: its local portal does not answer at {url}. If it was started with --db, "
        "start it again with that file (--base-url names another address); if not, its records ended with "
        "it.\n"
    )
    assert run_id in crmseed("runs").out


def test_a_portal_that_moved_is_found_by_its_address(
    crmseed: Crmseed, serve: Serve, keep: Keep, rewrite: Rewrite
) -> None:
    portal = serve()
    run_id = keep(portal)
    rewrite(run_id, base_url="http://127.0.0.1:9")
    assert crmseed("cleanup", "--run", run_id).code == 4
    screen = crmseed("cleanup", "--run", run_id, "--base-url", portal.base_url)
    assert (screen.code, screen.out) == (0, "4 records of 1 run removed, 0 left.\n")


def test_another_portal_at_the_same_address_is_refused(crmseed: Crmseed, serve: Serve, keep: Keep) -> None:
    first = serve()
    run_id = keep(first)
    port = int(first.base_url.rpartition(":")[2])
    first.close()
    second = serve(port=port)
    other = keep(second)
    screen = crmseed("cleanup", "--run", run_id)
    assert (screen.code, screen.out) == (3, "0 records of 1 run removed, 4 left.\n")
    assert screen.err == (
        f"crmseed: run {run_id}: it was made in HubSpot portal 500000001, and what answers at "
        f"{second.base_url} is another portal. Nothing was deleted. If it was started with --db, start it "
        "again with that file (--base-url names another address); if not, its records ended with it.\n"
    )
    assert live(second) == 4
    # The other run is cleaned all the same, and the exit code tells of the one that was not.
    screen = crmseed("cleanup", "--all-mine", "--json")
    data = json.loads(screen.out)
    assert (screen.code, data["runs"], data["removed"], data["left"]) == (3, 2, 4, 4)
    assert [error.split(":")[0] for error in data["errors"]] == [f"run {run_id}"]
    assert live(second) == 0
    assert other not in crmseed("runs").out


def test_failures_of_several_kinds_are_exit_code_1(
    crmseed: Crmseed, serve: Serve, keep: Keep, rewrite: Rewrite
) -> None:
    portal = serve()
    rewrite(keep(portal), portal_id="1")
    rewrite(keep(portal), base_url="http://127.0.0.1:9")
    screen = crmseed("cleanup", "--all-mine")
    assert (screen.code, screen.out) == (1, "0 records of 2 runs removed, 8 left.\n")
    assert live(portal) == 8


class TestSandbox:
    """A run that was made in a vendor's portal; an emulated one stands for it here."""

    @pytest.fixture
    def run(self, serve: Serve, keep: Keep, rewrite: Rewrite) -> tuple[LocalPortal, str]:
        portal = serve()
        run_id = keep(portal)
        rewrite(run_id, target="sandbox")
        return portal, run_id

    def test_it_takes_the_credentials_of_the_environment(
        self, crmseed: Crmseed, run: tuple[LocalPortal, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        portal, run_id = run
        monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", portal.token)
        screen = crmseed("cleanup", "--run", run_id)
        assert (screen.code, screen.out, screen.err) == (0, "4 records of 1 run removed, 0 left.\n", "")

    def test_it_takes_the_credentials_of_dotenv(
        self, crmseed: Crmseed, run: tuple[LocalPortal, str], folder: Path
    ) -> None:
        portal, run_id = run
        (folder / ".env").write_text(f"CRMSEED_HUBSPOT_ACCESS_TOKEN={portal.token}\n")
        assert crmseed("cleanup", "--run", run_id).code == 0
        assert live(portal) == 0

    def test_missing_credentials_are_a_usage_error(
        self, crmseed: Crmseed, run: tuple[LocalPortal, str]
    ) -> None:
        screen = crmseed("cleanup", "--run", run[1])
        assert screen.code == 2
        assert screen.err == (
            f"crmseed: run {run[1]}: it was made in HubSpot portal 500000001, and HUBSPOT_ACCESS_TOKEN is "
            "not set. Set it in the environment or in .env.\n"
        )

    def test_a_wrong_token_is_not_repeated(
        self, crmseed: Crmseed, run: tuple[LocalPortal, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "pat-na1-not-a-token-of-this-portal")
        screen = crmseed("cleanup", "--run", run[1])
        assert screen.code == 4
        assert run[1] in screen.err
        assert "pat-na1-not-a-token" not in screen.out + screen.err
        assert live(run[0]) == 4

    def test_a_token_of_another_portal_is_refused(
        self, crmseed: Crmseed, run: tuple[LocalPortal, str], serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = serve()
        monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", other.token)
        screen = crmseed("cleanup", "--run", run[1], "--base-url", other.base_url)
        assert screen.code == 3
        assert screen.err.endswith(
            "another portal. Nothing was deleted. Use the credentials of that portal.\n"
        )

    def test_a_pin_on_another_portal_is_kept(
        self, crmseed: Crmseed, run: tuple[LocalPortal, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        portal, run_id = run
        monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", portal.token)
        monkeypatch.setenv("CRMSEED_PORTAL", "1234567")
        screen = crmseed("cleanup", "--run", run_id)
        assert screen.code == 3
        assert screen.err == (
            f"crmseed: run {run_id}: it was made in HubSpot portal 500000001, and CRMSEED_PORTAL pins "
            "1234567. Nothing was deleted. Give --portal 500000001 if you mean that portal.\n"
        )
        assert live(portal) == 4
        assert crmseed("cleanup", "--run", run_id, "--portal", "500000001").code == 0

    def test_a_production_portal_has_to_be_allowed(
        self, crmseed: Crmseed, run: tuple[LocalPortal, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        portal, run_id = run
        monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", portal.token)
        portal.portal.behaviour.account_type = "STANDARD"
        screen = crmseed("cleanup", "--run", run_id)
        assert screen.code == 3
        assert "is a production portal" in screen.err
        assert "allow exactly this portal with --allow-production 500000001." in screen.err
        assert "--crm-" not in screen.err
        assert crmseed("cleanup", "--run", run_id, "--allow-production", "500000001").code == 0
        assert live(portal) == 0
