"""``--crm-report``, the page of a GitHub job, and pytest-html's report."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest

from pytest_crmseed.seeder import report as module

SUITE = """
@pytest.mark.crm_seed(deals=2)
def test_good(crm_records):
    assert len(crm_records.deals) == 2

@pytest.mark.crm_seed(companies=1)
def test_bad(crm_records, crm_seeder):
    crm_seeder(products=1)
    assert False

@pytest.mark.crm_seed(deals=count(1, hubspot_owner_id="999999"))
def test_refused(crm_records):
    pass

def test_plain():
    pass
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "workers"])
def test_the_report_of_a_run(suite, outside, options) -> None:
    if options:
        pytest.importorskip("xdist")
    suite.write(SUITE)
    suite.run(*outside.at, "--crm-report", "deep/report.json", "--crm-random-seed", 7, *options)
    report = json.loads((suite.path / "deep" / "report.json").read_text())
    assert list(report) == [
        "format", "version", "run", "started_at", "ended_at", "random_seed", "base_date", "settings",
        "portals", "records", "seeds", "requests", "seconds", "removed", "kept", "left", "swept", "refused",
        "errors", "retries", "lost_answers", "changed", "notes", "troubles", "tests",
    ]  # fmt: skip
    assert (report["format"], report["random_seed"]) == (1, 7)
    assert report["started_at"] <= report["ended_at"]
    assert report["records"] == {"companies": 2, "contacts": 1, "deals": 2, "products": 1}
    assert (report["seeds"], report["removed"], report["kept"], report["left"]) == (3, 6, 0, {})
    assert report["refused"] == 1 and report["errors"].endswith("crm-errors.jsonl")
    assert report["settings"]["random_seed"] == {"value": "7", "origin": "--crm-random-seed"}
    assert list(report["portals"].values()) == ["HubSpot local portal 47010001"]
    tests = {each["test"]: each for each in report["tests"]}
    assert {name: each["outcome"] for name, each in tests.items()} == {
        "test_it.py::test_good": "passed",
        "test_it.py::test_bad": "failed",
        "test_it.py::test_refused": "error",
    }
    assert tests["test_it.py::test_refused"]["seeds"] == []
    seeds = tests["test_it.py::test_bad"]["seeds"]
    assert [seed["records"] for seed in seeds] == ["companies=1", "products=1"]
    assert seeds[0]["run"] == report["run"]
    assert seeds[0]["portal"] == "hubspot/47010001"


def test_a_report_that_cannot_be_written_is_told_before_the_first_test(suite, outside) -> None:
    suite.write(SUITE)
    (suite.path / "file").touch()
    result = suite.run(*outside.at, "--crm-report", "file/report.json")
    assert result.ret == 4
    result.says("cannot be written: ", "Name a file that can be written to.").without_traceback()


def test_a_dry_run_writes_none(suite) -> None:
    suite.write("@pytest.mark.crm_seed(deals=2)\ndef test_it(): pass\n")
    suite.run("--crm-dry-run", "--crm-report", "report.json")
    assert not (suite.path / "report.json").exists()


def test_the_page_of_a_github_job(suite, outside, monkeypatch) -> None:
    page = suite.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    suite.write(SUITE)
    suite.run(*outside.at)
    text = page.read_text()
    assert text.startswith("### crmseed\n\n| object | records |\n|---|---:|\n| companies | 2 |\n")
    assert "6 records in 3 seeds: " in text and "; 6 removed.\n" in text
    assert "- ❌ 1 records were refused; details: `" in text
    # Nothing to tell, nothing written.
    page.unlink()
    suite.write("def test_plain(): pass\n")
    suite.run(*outside.at)
    assert not page.exists()


def test_markdown_has_no_marks_of_others() -> None:
    assert module._escaped("a|b\n<c> `d` [e]_*") == "a\\|b &lt;c&gt; \\`d\\` \\[e\\]\\_\\*"


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "workers"])
def test_the_html_report(suite, outside, options) -> None:
    pytest.importorskip("pytest_html")
    if options:
        pytest.importorskip("xdist")
    suite.write(SUITE)
    suite.run(*outside.at, "--html", "report.html", "--self-contained-html", *options)
    page = html.unescape(html.unescape(Path(suite.path / "report.html").read_text()))
    assert "crmseed: companies=1, contacts=1, deals=2 in hubspot/47010001, " in page
    assert "crmseed: companies=1 in hubspot/47010001, " in page
    assert "crmseed: refused records and what the portal said: " in page
    assert "crmseed: 6 records in 3 seeds (" in page
