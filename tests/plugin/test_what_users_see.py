"""What people see of seeds, refusals and leftovers: terminal, JUnit file, error file, exit code."""

from __future__ import annotations

import functools
import json
import re
from xml.etree import ElementTree

import pytest

from pytest_crmseed.seeder import target

SEEDED = """
@pytest.mark.crm_seed(deals=count(5, amount=100))
def test_it(crm_records):
    assert len(crm_records.deals) == 5

def test_plain():
    pass
"""


def screen(text: str) -> str:
    """Return a screen without what differs from run to run and machine to machine."""
    for pattern, instead in (
        (r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:PORT"),
        (r"\b0m[0-9a-z]{20,24}\b", "RUN"),
        (r"\d+\.\d+ s\b", "TIME s"),
        (r"in \d+\.\d+s", "in TIMEs"),
        (r"random seed \d+", "random seed NUMBER"),
        (r"base date \d{4}-\d\d-\d\d", "base date DATE"),
        (r"Existing ID: \d+", "Existing ID: ID"),
        (r"\S*/\.crmseed/", "ROOT/.crmseed/"),
        (r"=+", "="),
    ):
        text = re.sub(pattern, instead, text)
    kept = [
        line
        for line in text.splitlines()
        if not re.match(r"(platform|rootdir|plugins|cachedir|metadata|running)", line)
    ]
    return "\n".join(line.rstrip() for line in kept if line.strip())


# -- seeds -----------------------------------------------------------------------------------------
def test_a_plain_run(suite, outside, snapshot):
    suite.write(SEEDED)
    result = suite.run(*outside.at)
    assert result.ret == 0
    assert screen(result.out) == snapshot


def test_a_verbose_run_has_a_line_per_seeded_test(suite, outside, snapshot):
    suite.write(SEEDED)
    result = suite.run(*outside.at, "-v")
    assert screen(result.out) == snapshot
    assert (
        result.out.count("  crmseed: companies=1, contacts=1, deals=5 in hubspot/47010001, 6 requests, ") == 1
    )
    assert "batch" not in result.out


def test_a_very_verbose_run_tells_each_batch(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(contacts=10)
        def test_it(crm_records):
            pass
        """
    )
    result = suite.run(*outside.at, "-vv", "--crm-batch-size", 1)
    batches = [line for line in result.out.splitlines() if line.startswith("  contacts: batch ")]
    assert sorted(batches) == sorted(f"  contacts: batch {i}/10" for i in range(1, 11))
    # -q takes one of the two away again.
    assert "batch 1/10" not in suite.run(*outside.at, "-vv", "-q", "--crm-batch-size", 1).out
    # Progress goes past pytest's capturing, and into no test's captured output.
    failing = suite.path / "test_it.py"
    failing.write_text(failing.read_text().replace("pass", "assert False"))
    result = suite.run(*outside.at, "-vv", "--crm-batch-size", 1)
    assert "Captured" not in result.out
    assert result.out.count("contacts: batch 5/10") == 1


def test_one_section_only_if_something_was_seeded(suite):
    suite.write("def test_plain():\n    pass\n")
    assert suite.run("-v").summary == []
    suite.write(SEEDED)
    assert len(suite.run().summary) == 2
    assert suite.run("-q").out.count("= crmseed =") == 1


def test_junit_files_hold_what_was_seeded(suite, outside):
    suite.write(SEEDED)
    suite.run(*outside.at, "--junitxml=report.xml")
    cases = {case.get("name"): case for case in ElementTree.parse(suite.path / "report.xml").iter("testcase")}
    properties = {p.get("name"): p.get("value") for p in cases["test_it"].iter("property")}
    assert list(properties) == [
        "crmseed_run",
        "crmseed_portal",
        "crmseed_records",
        "crmseed_requests",
        "crmseed_seconds",
    ]
    assert re.fullmatch(r"[0-9a-z]{22}", properties["crmseed_run"])
    assert properties["crmseed_portal"] == "hubspot/47010001"
    assert properties["crmseed_records"] == "companies=1, contacts=1, deals=5"
    assert properties["crmseed_requests"] == "6"
    assert float(properties["crmseed_seconds"]) >= 0
    assert list(cases["test_plain"].iter("property")) == []


# -- refusals --------------------------------------------------------------------------------------
# The bundled schema cannot know this property: only the portal can refuse the value.
OWN_PICKLIST = """
@pytest.fixture(autouse=True)
def own_picklist(crm_client):
    crm_client.post("/crm/v3/properties/deals", json={
        "name": "region_code", "label": "Region", "groupName": "dealinformation",
        "type": "enumeration", "fieldType": "select",
        "options": [{"label": "North", "value": "n", "displayOrder": 0, "hidden": False}],
    })
"""


def test_a_refused_record_is_told_in_the_portals_own_words_and_undone(suite, outside, snapshot):
    suite.write(
        OWN_PICKLIST
        + """
def test_it(crm_seeder):
    crm_seeder(companies=2, deals=count(3, region_code="north"))
"""
    )
    result = suite.run(*outside.at)
    assert (result.outcomes, result.ret, outside.live) == ({"failed": 1}, 1, 0)
    result.without_traceback().says(
        "crmseed: HubSpot refused 3 deals.",
        "deals[0].region_code = 'north'",
        "north was not one of the allowed options: [n] [INVALID_OPTION]",
        "The seed was undone: 3 records removed.",
        f"{suite.path}/.crmseed/crm-errors.jsonl",
        "3 records were refused",
    )
    lines = [json.loads(line) for line in (suite.path / ".crmseed/crm-errors.jsonl").read_text().splitlines()]
    assert [(line["object"], line["index"]) for line in lines] == [("deals", 0), ("deals", 1), ("deals", 2)]
    first = lines[0]
    assert first["test"] == "test_it.py::test_it"
    assert first["provider"] == "hubspot"
    assert first["key"].startswith(f"crmseed-1-{first['run']}-")
    assert first["sent"]["region_code"] == "north"
    assert first["sent"]["dealname"]
    (refusal,) = first["refusals"]
    assert (refusal["field"], refusal["value"], refusal["code"]) == ("region_code", "north", "INVALID_OPTION")
    assert refusal["message"] == "north was not one of the allowed options: [n]"
    assert refusal["allowed"] == ["n"]
    assert screen(result.out) == snapshot


def test_a_marker_that_the_portal_refuses_fails_at_setup_and_the_next_test_is_seeded(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=2, contacts=count(1, nonsense_zzz=1))
        def test_refused(crm_records):
            print("THE TEST RAN")

        @pytest.mark.crm_seed(companies=2)
        def test_next(crm_records):
            assert len(crm_records) == 2
        """
    )
    result = suite.run(*outside.at, "-s")
    assert result.outcomes == {"passed": 1, "errors": 1}
    assert "THE TEST RAN" not in result.out
    result.without_traceback().says(
        "contacts[0].nonsense_zzz = '1': Property \"nonsense_zzz\" does not exist [PROPERTY_DOESNT_EXIST]",
        "The seed was undone: 2 records removed.",
    )
    assert outside.live == 0


def test_a_strangers_record_is_a_conflict_and_stays_as_it_is(suite, outside):
    suite.write(
        """
        def test_it(crm_seeder, crm_client):
            theirs = {"email": "taken@example.com", "firstname": "Theirs"}
            made = crm_client.post("/crm/v3/objects/contacts", json={"properties": theirs}).json()
            print("STRANGER", made["id"])
            crm_seeder(companies=1, contacts=count(1, email="taken@example.com", first_name="Ours"))
        """
    )
    result = suite.run(*outside.at, "-rA")
    assert (result.outcomes, outside.live) == ({"failed": 1}, 1)
    stranger = re.search(r"STRANGER (\d+)", result.out)
    assert stranger is not None
    result.without_traceback().says(
        f"contacts[0].email = 'taken@example.com': Contact already exists. Existing ID: {stranger[1]} "
        f"[CONFLICT]",
        "The seed was undone: 1 records removed.",
        "A record that this run did not make holds the value; it was not touched.",
    )
    (line,) = (suite.path / ".crmseed/crm-errors.jsonl").read_text().splitlines()
    assert json.loads(line)["refusals"][0]["existing_id"] == stranger[1]


def test_good_records_are_kept_if_asked(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=2, contacts=count(1, nonsense_zzz=1))
        def test_it(crm_records):
            print("THE TEST RAN")
        """
    )
    result = suite.run(*outside.at, "-s", "--crm-on-error", "keep-good")
    assert (result.outcomes, outside.live) == ({"errors": 1}, 2)
    assert "THE TEST RAN" not in result.out
    assert re.search(
        r"2 records were made and are kept \(--crm-on-error keep-good\); remove them with `crmseed "
        r"cleanup --run \w+`",
        result.text,
    )


def test_the_error_file_is_where_the_setting_says_and_only_grows(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(contacts=count(1, nonsense_zzz=1))
        def test_it(crm_records):
            pass
        """
    )
    for runs in (1, 2):
        suite.run(*outside.at, "--crm-errors", suite.path / "deep/down/errors.jsonl")
        assert len((suite.path / "deep/down/errors.jsonl").read_text().splitlines()) == runs
    assert not (suite.path / ".crmseed/crm-errors.jsonl").exists()


# -- leftovers -------------------------------------------------------------------------------------
LEAVING = """
@pytest.mark.crm_seed(companies=2, contacts=1)
def test_it(crm_records):
    pytest.crmseed_test_hook()

def test_next():
    pass
"""


@pytest.fixture
def leaving(suite, outside, monkeypatch):
    """Return a function that runs a suite during whose first test something happens to the portal."""

    def run(happens, *options):
        monkeypatch.setattr(pytest, "crmseed_test_hook", happens, raising=False)
        suite.write(LEAVING)
        return suite.run(*options)

    return run


def told_red(result):
    """Return the red lines of the summary, without colour."""
    return [
        re.sub(r"\x1b\[[0-9;]*m", "", line)
        for line in result.out.splitlines()
        if line.startswith("\x1b[31m") and ("Cleanup" in line or "left" in line)
    ]


def test_a_portal_that_refuses_to_archive_leaves_records_and_a_command(
    leaving, outside, as_sandbox, monkeypatch
):
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", outside.portal.seed_token)
    refusal = {"status": "error", "message": "You may not archive.", "category": "MISSING_SCOPES"}
    switched = []

    def refuse(method, path):
        if switched and path.endswith("/batch/archive"):
            return 403, "application/json", json.dumps(refusal).encode()
        return None

    result = leaving(lambda: switched.append(True), *as_sandbox(outside, refuse).at, "--color=yes")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.outcomes == {"passed": 2}
    assert outside.live == 3
    red = told_red(result)
    assert any("HubSpot refused to archive 1 contacts (403): You may not archive." in line for line in red)
    assert any("HubSpot refused to archive 2 companies (403): You may not archive." in line for line in red)
    assert re.fullmatch(r"3 records are left; remove them with: crmseed cleanup --run \w+", red[-1])
    assert "Traceback" not in result.out


def test_a_portal_that_died_leaves_records_and_a_command(leaving, outside, monkeypatch):
    patient = functools.partial(target.RetryPolicy, sleep=lambda seconds: None)
    monkeypatch.setattr(target, "RetryPolicy", patient)
    result = leaving(outside.portal.close, *outside.at, "--color=yes")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.outcomes == {"passed": 2}
    red = told_red(result)
    assert any("nothing listens there (connection refused)" in line for line in red)
    assert re.fullmatch(r"3 records are left; remove them with: crmseed cleanup --run \w+", red[-1])
    assert "Traceback" not in result.out


def test_what_was_gone_already_is_no_leftover(leaving, outside):
    result = leaving(outside.portal.reset, *outside.at)
    assert (result.outcomes, result.ret) == ({"passed": 2}, 0)
    assert not any("left" in line for line in result.summary)


def test_teardown_trouble_hides_no_failure_of_the_test(leaving, outside, monkeypatch):
    monkeypatch.setattr(
        target, "RetryPolicy", functools.partial(target.RetryPolicy, sleep=lambda seconds: None)
    )

    def die():
        outside.portal.close()
        raise AssertionError("the test's own failure")

    result = leaving(die, *outside.at)
    assert result.outcomes == {"passed": 1, "failed": 1}
    result.says(
        "AssertionError: the test's own failure", "3 records are left; remove them with: crmseed cleanup"
    )
