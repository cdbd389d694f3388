"""``crmseed seed``: a run that stays, what is printed of it, and what happens when it fails."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed import LocalPortal
from pytest_crmseed.cli.progress import Progress
from pytest_crmseed.events import BatchSent, PlanReady, Retried
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.portal.app import Portal
from pytest_crmseed.portal.database import Database

Crmseed = Callable[..., Any]
Serve = Callable[..., LocalPortal]

COMMAND = [sys.executable, "-c", "from pytest_crmseed.cli import main; main(prog_name='crmseed')"]


def live(portal: LocalPortal, provider: str = "hubspot") -> dict[str, int]:
    return {name: n for name, n in portal.stats()["records"][provider].items() if n}


# -- what it makes and prints ----------------------------------------------------------------------
def test_ids_are_printed_and_the_run_is_kept_and_removed(crmseed: Crmseed, serve: Serve) -> None:
    portal = serve()
    screen = crmseed("seed", "deals=2", "--base-url", portal.base_url, "--keep-for", "2h")
    assert screen.code == 0
    lines = screen.out.splitlines()
    assert lines[0].split() == ["record", "id", "name"]
    assert [line.split()[0] for line in lines[1:5]] == [
        "companies[0]", "contacts[0]", "deals[0]", "deals[1]",
    ]  # fmt: skip
    assert re.fullmatch(r"4 records in HubSpot local portal 500000001: \d requests, \d+\.\d\d s\.", lines[5])
    assert re.fullmatch(r"Random seed \d+, base date \d{4}-\d\d-\d\d\.", lines[6])
    told = re.fullmatch(
        r"Kept until \d{4}-\d\d-\d\d \d\d:\d\d UTC; remove them with: crmseed (cleanup --run \w+)", lines[7]
    )
    assert told
    # Progress goes to standard error, one plain line a batch.
    assert screen.err.splitlines() == [
        "companies: batch 1/1", "contacts: batch 1/1", "deals: batch 1/1",
    ]  # fmt: skip
    assert live(portal) == {"companies": 1, "contacts": 1, "deals": 2}
    assert crmseed(*told[1].split()).code == 0
    assert live(portal) == {}


def test_as_json_with_keys_pages_and_the_end(crmseed: Crmseed, serve: Serve) -> None:
    portal = serve()
    screen = crmseed("seed", "contacts=2", "--json", "--base-url", portal.base_url, "--random-seed", "7")
    data = json.loads(screen.out)
    assert (data["provider"], data["portal"], data["base_url"]) == ("hubspot", "500000001", portal.base_url)
    assert data["random_seed"] == 7
    assert data["kept_until"].endswith("+00:00")
    assert [row["index"] for row in data["records"]["contacts"]] == [0, 1]
    for row in data["records"]["contacts"]:
        assert row["key"].startswith(f"crmseed-1-{data['run']}-")
        assert row["id"] in row["url"]


def test_the_same_random_seed_makes_the_same_data(crmseed: Crmseed, serve: Serve) -> None:
    at = ("--base-url", serve().base_url, "--random-seed", "7", "--base-date", "2026-01-01")

    def names() -> list[str]:
        return [line.split(maxsplit=2)[2] for line in crmseed("seed", "deals=3", *at).out.splitlines()[1:6]]

    first, again = names(), names()
    assert [name for name in first if "@" not in name] == [name for name in again if "@" not in name]


def test_many_records_are_cut_short_on_the_screen(crmseed: Crmseed, serve: Serve) -> None:
    out = crmseed("seed", "companies=13", "--base-url", serve().base_url).out
    assert "companies[9] " in out and "companies[10] " not in out
    assert "and 3 more companies: --json prints them all\n" in out


def test_an_environment_file_has_run_portal_and_ids(crmseed: Crmseed, serve: Serve, folder: Path) -> None:
    portal = serve()
    (folder / "out.env").write_text("OLD=1\n")
    screen = crmseed("seed", "deals=2", "--base-url", portal.base_url, "--env-file", "out.env", "--json")
    data = json.loads(screen.out)
    written = dict(line.split("=", 1) for line in (folder / "out.env").read_text().splitlines())
    assert written == {
        "CRM_RUN": data["run"],
        "CRM_PROVIDER": "hubspot",
        "CRM_PORTAL": "500000001",
        "CRM_BASE_URL": portal.base_url,
        "CRM_COMPANIES_IDS": data["records"]["companies"][0]["id"],
        "CRM_CONTACTS_IDS": data["records"]["contacts"][0]["id"],
        "CRM_DEALS_IDS": ",".join(row["id"] for row in data["records"]["deals"]),
    }
    assert portal.seed_token not in (folder / "out.env").read_text()


def test_the_environment_file_of_a_github_job_is_added_to(
    crmseed: Crmseed, serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "github.env").write_text("OLD=1\n")
    monkeypatch.setenv("GITHUB_ENV", str(folder / "github.env"))
    crmseed("seed", "companies=1", "--base-url", serve().base_url, "--env-file", "github.env")
    assert (folder / "github.env").read_text().startswith("OLD=1\nCRM_RUN=")


def test_the_tracer_bullet(crmseed: Crmseed, serve: Serve) -> None:
    portal = serve()
    assert crmseed("seed", "deals=50", "companies=9", "--count", "1", "--base-url", portal.base_url).code == 0
    assert live(portal) == {"companies": 1, "contacts": 1, "deals": 1}


def test_by_a_plan_with_values_and_links(crmseed: Crmseed, serve: Serve, folder: Path) -> None:
    portal = serve()
    (folder / "plan.toml").write_text(
        """
        companies = 2

        [deals]
        count = 4
        stage = "closed_won"
        amount = 12.50
        close_date = 2026-02-03
        company = { ref = "companies", index = 1 }
        without = ["contacts"]
        """
    )
    screen = crmseed("seed", "deals=3", "--plan", "plan.toml", "--base-url", portal.base_url, "--json")
    assert screen.code == 0, screen.err
    # The number of the command line, the values of the file.
    assert live(portal) == {"companies": 2, "deals": 3}
    records = json.loads(screen.out)["records"]
    import requests

    path = f"/crm/v3/objects/deals/{records['deals'][0]['id']}"
    deal = requests.get(
        portal.base_url + path,
        params={"properties": "amount,dealstage,closedate", "associations": "companies"},
        headers={"Authorization": f"Bearer {portal.token}"},
        timeout=10,
    ).json()
    assert deal["properties"]["amount"] == "12.50"
    assert deal["properties"]["dealstage"] == "closedwon"
    assert deal["properties"]["closedate"].startswith("2026-02-03")
    linked = {row["id"] for row in deal["associations"]["companies"]["results"]}
    assert linked == {records["companies"][1]["id"]}


def test_what_a_dead_run_left_is_removed_first(
    crmseed: Crmseed, serve: Serve, keep: Callable[..., str], rewrite: Callable[..., None], folder: Path
) -> None:
    portal = serve()
    run_id = keep(portal)
    with Ledger(folder / ".crmseed" / "ledger.sqlite") as ledger:
        ledger.keep(run_id, 1.0, seed="1")
    screen = crmseed("seed", "companies=1", "--base-url", portal.base_url)
    assert f"crmseed: 4 records that run {run_id} had left were removed first.\n" in screen.err
    assert live(portal) == {"companies": 1}


# -- the kept local portal -------------------------------------------------------------------------
def test_without_a_portal_a_local_one_is_kept_in_a_file(crmseed: Crmseed, folder: Path) -> None:
    screen = crmseed("seed", "companies=1")
    assert screen.code == 0
    assert re.search(r"1 record in HubSpot local portal \d{9} \(in \.crmseed/portal\.sqlite\): ", screen.out)
    assert (folder / ".crmseed" / "portal.sqlite").exists()
    assert (folder / ".crmseed" / ".gitignore").read_text() == "*\n"
    # It is the same portal the next time.
    portal = re.search(r"portal (\d{9}) ", screen.out)
    assert portal and portal[1] in crmseed("doctor").out
    run = json.loads(crmseed("runs", "--json").out)[0]
    assert (run["left"], run["portal"]) == (1, portal[1])
    assert run["base_url"] == (folder / ".crmseed" / "portal.sqlite").as_uri()
    assert crmseed("cleanup", "--all-mine").out == "1 record of 1 run removed, 0 left.\n"
    assert crmseed("runs").out.startswith("No run has left anything")


@pytest.mark.parametrize("anew", [False, True], ids=["gone", "another"])
def test_records_of_a_kept_portal_whose_file_is_gone_are_gone(
    crmseed: Crmseed, folder: Path, anew: bool
) -> None:
    crmseed("seed", "companies=2")
    (folder / ".crmseed" / "portal.sqlite").unlink()
    if anew:
        crmseed("seed", "contacts=1")
    screen = crmseed("cleanup", "--all-mine")
    assert (screen.code, screen.err) == (0, "")
    removed = "1 record of 2 runs" if anew else "0 records of 1 run"
    # Nobody removed those: the summary does not say so.
    gone = "2 more went with the file of their local portal."
    assert screen.out == f"{removed} removed, 0 left. {gone}\n"
    assert crmseed("runs").out.startswith("No run has left anything")


def test_a_second_process_on_the_kept_portal_is_told(
    crmseed: Crmseed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_crmseed.portal.database.BUSY_SECONDS", 0.01)
    path = folder / ".crmseed" / "portal.sqlite"
    path.parent.mkdir()
    other = Database(path)
    try:
        screen = crmseed("seed", "deals=1")
    finally:
        other.close()
    assert (screen.code, screen.out) == (2, "")
    assert screen.err == (
        f"crmseed: another process uses the local portal that is kept in {path}. Wait until it has ended; or "
        f"serve the portal to all of them with `crmseed portal --db {path}`, and give its address with "
        "--base-url.\n"
    )


def test_two_processes_share_a_ledger(serve: Serve, folder: Path) -> None:
    portal = serve()
    command = [*COMMAND, "seed", "deals=3", "--base-url", portal.base_url, "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder) for _ in range(2)]
    runs = {json.loads(process.communicate(timeout=60)[0])["run"] for process in both}
    assert len(runs) == 2 and [process.returncode for process in both] == [0, 0]
    assert live(portal) == {"companies": 2, "contacts": 2, "deals": 6}


# -- what is refused -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "nothing is asked for. Say what, and how many: deals=10."),
        (("deals",), "'deals' does not say what, and how many. Write deals=10."),
        (("=3",), "'=3' does not say what, and how many. Write deals=10."),
        (("deals=",), "'deals=' does not say what, and how many. Write deals=10."),
        (("deals=ten",), "'deals=ten': 'ten' is no number of records from 0 on."),
        (("deals=-1",), "'deals=-1': '-1' is no number of records from 0 on."),
        (("deals=1_0",), "'deals=1_0': '1_0' is no number of records from 0 on."),
        (("deals=²",), "'deals=²': '²' is no number of records from 0 on."),
        (("deals=1", "deals=2"), "'deals' is asked for twice, as deals=1 and as deals=2."),
        (("deals=1", "Deals=2"), "'Deals' is deals, which is asked for twice; give one."),
        (("deels=10",), "unknown object type 'deels'; did you mean 'deals'? Valid: companies, "),
        (("deals=1", "--provider", "hubspt"), "unknown provider 'hubspt'; did you mean 'hubspot'?"),
    ],
)
@pytest.mark.parametrize("command", ["seed", "plan"])
def test_wrong_arguments_are_told_before_anything_is_made(
    crmseed: Crmseed, folder: Path, command: str, arguments: tuple[str, ...], text: str
) -> None:
    screen = crmseed(command, *arguments)
    assert (screen.code, screen.out) == (2, "")
    assert text in screen.err
    assert "Traceback" not in screen.err
    assert not (folder / ".crmseed" / "ledger.sqlite").exists() or crmseed("runs", "--json").out == "[]\n"


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("--on-error", "ignore", "--on-error ignore: there is no 'ignore'."),
        ("--keep-for", "soon", "--keep-for soon: 'soon' is not a time span; "),
        ("--env-file", "file.txt/x", "file.txt/x cannot be written: Not a directory."),
        ("--report", "file.txt/x", "file.txt/x cannot be written: Not a directory."),
    ],
)
def test_wrong_options_are_told_before_anything_is_made(
    crmseed: Crmseed, folder: Path, option: str, value: str, text: str
) -> None:
    (folder / "file.txt").touch()
    screen = crmseed("seed", "deals=1", option, value)
    assert (screen.code, screen.out) == (2, "")
    assert text in screen.err
    assert [path.name for path in folder.iterdir()] == ["file.txt"]


def test_a_plan_that_is_too_large_is_refused_by_the_guard(crmseed: Crmseed, folder: Path) -> None:
    screen = crmseed("seed", "deals=10001")
    assert screen.code == 3
    assert "crmseed: The plan has 10,001 records, more than --max-records allows (10,000)." in screen.err


def test_an_unreachable_portal(crmseed: Crmseed, folder: Path) -> None:
    screen = crmseed("seed", "deals=1", "--base-url", "http://127.0.0.1:9")
    assert screen.code == 4
    assert "cannot be reached: nothing listens there (connection refused)" in screen.err


def test_a_refusal_undoes_and_names_the_error_file(
    crmseed: Crmseed, serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = serve()
    (folder / "plan.toml").write_text('[deals]\ncount = 2\nhubspot_owner_id = "999999"\n')
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    screen = crmseed(
        "seed", "--plan", "plan.toml", "--base-url", portal.base_url, "--report", "r.json"
    )  # fmt: skip
    assert (screen.code, screen.out) == (1, "")
    assert "crmseed: HubSpot refused 2 deals.\n" in screen.err
    assert "The seed was undone: 2 records removed." in screen.err
    assert f"All of them: {folder / '.crmseed' / 'crm-errors.jsonl'}." in screen.err
    assert live(portal) == {}
    report = json.loads((folder / "r.json").read_text())
    assert (report["refused"], report["seeds"], report["left"]) == (2, 0, {})
    assert report["errors"].endswith("crm-errors.jsonl")
    summary = (folder / "summary.md").read_text()
    assert "2 records were refused; details: " in summary


def test_good_records_may_be_kept(crmseed: Crmseed, serve: Serve, folder: Path) -> None:
    portal = serve()
    (folder / "plan.toml").write_text('[deals]\ncount = 2\nhubspot_owner_id = "999999"\n')
    arguments = ("seed", "--plan", "plan.toml", "--base-url", portal.base_url, "--on-error", "keep-good")
    screen = crmseed(*arguments)
    assert screen.code == 1
    assert "2 records were made and are kept (--on-error keep-good); remove them with" in screen.err
    assert [line.split()[0] for line in screen.out.splitlines()[1:3]] == ["companies[0]", "contacts[0]"]
    assert live(portal) == {"companies": 1, "contacts": 1}
    data = json.loads(crmseed(*arguments, "--json").out)
    assert sorted(data["records"]) == ["companies", "contacts"]
    assert data["error"].startswith("HubSpot refused 2 deals.")
    assert crmseed("cleanup", "--all-mine").code == 0
    assert live(portal) == {}


# -- reports ---------------------------------------------------------------------------------------
def test_the_report_and_the_page_of_a_github_job(
    crmseed: Crmseed, serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    (folder / "summary.md").write_text("# Before\n")
    portal = serve()
    screen = crmseed(
        "seed", "deals=2", "--base-url", portal.base_url, "--report", "deep/report.json", "--json"
    )
    run = json.loads(screen.out)["run"]
    report = json.loads((folder / "deep" / "report.json").read_text())
    assert report["run"] == run
    assert report["records"] == {"companies": 1, "contacts": 1, "deals": 2}
    assert (report["kept"], report["removed"], report["tests"]) == (4, 0, [])
    assert report["settings"]["base_url"] == {"value": portal.base_url, "origin": "--base-url"}
    text = (folder / "summary.md").read_text()
    assert text.startswith(
        "# Before\n### crmseed seed\n\n| object | records |\n|---|---:|\n| companies | 1 |\n"
    )
    assert f"- 4 records are kept; remove them with `crmseed cleanup --run {run}`\n" in text


def test_a_summary_that_cannot_be_written_is_no_failure(
    crmseed: Crmseed, serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder))
    screen = crmseed("seed", "companies=1", "--base-url", serve().base_url)
    assert screen.code == 0
    assert (
        "crmseed: The job's summary (GITHUB_STEP_SUMMARY) cannot be written: Is a directory.\n" in screen.err
    )


# -- progress --------------------------------------------------------------------------------------
def test_a_terminal_gets_a_bar() -> None:
    class Terminal:
        written = ""

        def write(self, text: str) -> None:
            self.written += text

        def flush(self) -> None:
            pass

        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        with Progress() as progress:
            progress.hear(PlanReady({"deals": 4}, 2))
            progress.hear(BatchSent("deals", 1, 2, 2))
            progress.hear(Retried("create 2 deals", 1, 1.5, "too many requests"))
            progress.hear(BatchSent("deals", 2, 2, 2))
    lines = re.split(r"[\r\n]", re.sub(r"\x1b\[[?0-9]*[a-zA-Z]", "", terminal.written))
    assert [line.rstrip() for line in lines if line.strip()] == [
        f"[{'-' * 30}]    0%  deals",
        f"[{'#' * 15}{'-' * 15}]   50%  deals: batch 1/2",
        "create 2 deals: again in 1.5 s, too many requests",
        f"[{'#' * 30}]  100%  deals: batch 2/2",
    ]
    # The cursor, which the bar hides, is there again.
    assert terminal.written.endswith("\x1b[?25h\n")


# -- Ctrl-C ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_undoes_what_was_made(
    serve: Serve, folder: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = threading.Event(), threading.Event()
    handle = Portal.handle

    def held(self: Portal, request: Any) -> Any:
        if request.path.endswith("/deals/batch/create"):
            reached.set()
            assert go_on.wait(30)
        return handle(self, request)

    monkeypatch.setattr(Portal, "handle", held)
    portal = serve()
    process = subprocess.Popen(
        [*COMMAND, "seed", "deals=3", "--base-url", portal.base_url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
        # Where the tests run in a shell's background, Ctrl-C is ignored, and by all that they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert reached.wait(30)
    process.send_signal(number)
    go_on.set()
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "crmseed: interrupted. The seed was undone: " in err
    assert "Traceback" not in err
    assert live(portal) == {}


def test_an_interrupted_undo_says_what_is_left(
    crmseed: Crmseed, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = serve()

    def interrupted(*args: object, **more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pytest_crmseed.seeder.seeder.Engine._verified", interrupted)
        patch.setattr("pytest_crmseed.seeder.seeder.Engine._undo", interrupted)
        screen = crmseed("seed", "deals=2", "--base-url", portal.base_url)
    assert screen.code == 130
    told = re.search(r"interrupted\. 4 records may be left; remove them with: crmseed (.*)\n", screen.err)
    assert told
    assert live(portal) == {"companies": 1, "contacts": 1, "deals": 2}
    assert crmseed(*told[1].split()).out == "4 records of 1 run removed, 0 left.\n"
    assert live(portal) == {}


def test_many_batches_have_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(terminal=False) as progress:
        progress.hear(PlanReady({"deals": 1000}, 1000))
        for number in range(1000, 0, -1):
            progress.hear(BatchSent("deals", number, 1000, 1))
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["deals: batch 50/1000", "deals: batch 100/1000"]
    assert (len(lines), lines[-1]) == (20, "deals: batch 1000/1000")
