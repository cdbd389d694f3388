"""Wrong use fails at setup, with one paragraph that names the remedy, and leaves nothing behind."""

from __future__ import annotations

import re

import pytest

FIELDS = "Valid: name, amount, currency, stage, pipeline, close_date, description,"
OBJECT_TYPES = (
    "Valid: companies, contacts, leads, deals, tickets, products, line_items, orders, notes, tasks, calls, "
    "meetings and 2 more."
)
MARK = "crmseed: @pytest.mark.crm_seed"

WRONG = {
    "deels=10": f"crmseed: unknown object type 'deels'; did you mean 'deals'? {OBJECT_TYPES}",
    "Opportunity=1": f"crmseed: unknown object type 'Opportunity'. {OBJECT_TYPES}",
    "deals=count(1, ammount=5)": (
        f"crmseed: unknown field 'ammount' of deals; did you mean 'amount'? {FIELDS}",
        "If the portal has it, write native={'ammount': …}.",
    ),
    'deals=count(1, stage="closed_wun")': (
        "crmseed: A value cannot be sent; nothing was written. deals[0].stage (dealstage) = 'closed_wun': no "
        "such stage in pipeline 'Sales Pipeline'; did you mean 'closed_won'? Neutral stages: new, qualified,",
        "closedlost (Closed Lost)",
    ),
    'companies=count(1, industry="BANKIN")': (
        "companies[0].industry = 'BANKIN': is not one of the options; did you mean 'BANKING'? "
        "Allowed: ACCOUNTING,"
    ),
    'deals=count(1, pipeline="nope")': "deals[0].pipeline = 'nope': no such pipeline;",
    'deals=count(1, amount="much")': "deals[0].amount = 'much': is no number",
    "deals=-1": f"{MARK}: deals= takes a number of records from 0 on, not -1.",
    "deals=count(-1)": "count() takes a number of records from 0 on, not -1.",
    "deals=True": f"{MARK}: deals= takes a number or count(n, …), not True.",
    'deals="3"': f"{MARK}: deals= takes a number or count(n, …), not '3'.",
    "deals=2.0": f"{MARK}: deals= takes a number or count(n, …), not 2.0.",
    "10": f"{MARK} takes keywords only, such as @pytest.mark.crm_seed(deals=10), not 10 by position.",
    'deals=1, scope="modul"': (
        f"{MARK}: unknown scope 'modul'; did you mean 'module'? Valid: session, module, class, function."
    ),
    "deals=1, scope=3": f"{MARK}: unknown scope '3'. Valid: session, module, class, function.",
    'deals=1, provider="hubspt"': (
        "crmseed: unknown provider 'hubspt'; did you mean 'hubspot'? "
        "Valid: hubspot, odoo, pipedrive, salesforce. "
        "Others are installed as packages, through an entry point."
    ),
    "deals=1, provider=3": f"{MARK}: provider takes a name, not 3.",
    'deals=1, keep="yes"': f"{MARK}: keep takes True or False, not 'yes'.",
    "objects=[1]": f'{MARK}: objects takes a mapping such as {{"2-123": 4}}, not [1].',
    'deals=1, objects={"deals": 2}': f"{MARK}: 'deals' is asked for twice, in objects and by name; give one.",
    'deals=1, objects={"0-3": 2}': "crmseed: '0-3' is deals, which is asked for twice; give one.",
    'contacts=count(1, company=ref("companies", 0))': (
        "crmseed: contacts.company refers to companies[0], and no companies are asked for here or in a wider "
        "scope; ask for them too, for example companies=1."
    ),
    'deals=count(1, company=ref("contacts", 0))': (
        "crmseed: deals.company takes companies, and the ref names contacts."
    ),
    "deals=count(1, company=3)": (
        'crmseed: deals.company takes ref("companies", 0), a seeded record, or None, not 3.'
    ),
    "deals=count(1, probability=0.5)": (
        "crmseed: deals.probability cannot be set: HubSpot computes a deal's probability from its stage; set "
        "stage instead (each stage of the pipeline has a probability)."
    ),
    "deals=count(1, hs_object_id=5)": "deals[0].hs_object_id = 5: is read-only; the portal sets it itself",
    'contacts=count(3, email="same@example.com")': (
        "contacts[1].email = 'same@example.com': must be unique, and contacts[0] has the same value "
        "(and 1 more record)"
    ),
    'companies=count(3, industry="BANKIN", employees="many")': (
        "crmseed: 2 values cannot be sent; nothing was written.",
        "companies[0].employees (numberofemployees) = 'many': is no number (and 2 more records)",
    ),
}


def test_a_wrong_marker_fails_at_setup_with_one_paragraph(suite, outside):
    wrong = [arguments for arguments in WRONG if arguments != "deals=count(-1)"]
    suite.write(
        "\n".join(
            f"@pytest.mark.crm_seed({arguments})\ndef test_{number}(crm_records):\n    print('IT RAN')\n"
            for number, arguments in enumerate(wrong)
        )
    )
    result = suite.run(*outside.at, "-s")
    assert (result.outcomes, result.ret) == ({"errors": len(wrong)}, 1)
    result.without_traceback()
    assert "IT RAN" not in result.out
    assert "During handling" not in result.out
    assert result.summary == []
    assert (outside.writes, outside.live) == (0, 0)
    told = re.split(r"_+ ERROR at setup of test_\d+ _+|=+ short test summary", result.out)[1:-1]
    for arguments, text in zip(wrong, told, strict=True):
        said = WRONG[arguments]
        for sentence in [said] if isinstance(said, str) else said:
            assert sentence in " ".join(text.split()), f"{arguments}: {text}"
        assert text.lstrip().startswith("crmseed: ")


def test_a_negative_count_is_refused_where_it_is_written(suite):
    suite.write(
        """
        @pytest.mark.crm_seed(deals=count(-1))
        def test_it():
            pass
        """
    )
    result = suite.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.says(f"UsageError: {WRONG['deals=count(-1)']}")


def test_many_problems_are_told_together_and_equal_ones_once(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(
            companies=count(2, employees="x", annual_revenue="y", industry="z", name=[1])
        )
        def test_clash(crm_records):
            pass

        @pytest.mark.crm_seed(companies=count(200, employees="x", annual_revenue="y", industry="z", name=[1]))
        def test_many(crm_records):
            pass
        """
    )
    result = suite.run(*outside.at)
    assert result.outcomes == {"errors": 2}
    result.says(
        "4 values cannot be sent; nothing was written.",
        "companies[0].employees (numberofemployees) = 'x': is no number (and 199 more records)",
        "companies[0].annual_revenue (annualrevenue) = 'y': is no number (and 199 more records)",
        "companies[0].name = [1]: takes text, not list (and 199 more records)",
    ).without_traceback()
    assert outside.writes == 0


def test_a_wrong_marker_spoils_its_own_test_alone(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(deels=1)
        def test_wrong():
            pass

        @pytest.mark.crm_seed(companies=1)
        def test_right(crm_records):
            assert len(crm_records) == 1

        def test_unmarked():
            pass
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 2, "errors": 1}
    assert outside.live == 0


def test_items_that_take_no_fixtures_are_refused_rather_than_run_unseeded(suite):
    suite.write(
        """
        class Note(pytest.Item):
            def runtest(self):
                print("IT RAN")

        class Notes(pytest.File):
            def collect(self):
                item = Note.from_parent(self, name="note")
                item.add_marker(pytest.mark.crm_seed(deals=1))
                yield item

        def pytest_collect_file(parent, file_path):
            if file_path.suffix == ".note":
                return Notes.from_parent(parent, path=file_path)
        """,
        "conftest.py",
    )
    suite.write("", "a.note")
    result = suite.run("-s")
    assert result.outcomes == {"errors": 1}
    result.says(
        "crmseed: Note items take no fixtures, so @pytest.mark.crm_seed cannot seed for them; "
        "mark a test function instead."
    ).without_traceback()
    assert "IT RAN" not in result.out


# -- settings --------------------------------------------------------------------------------------
ONE_DEAL = """
@pytest.mark.crm_seed(deals=1)
def test_it(crm_records):
    pass
"""


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--crm-count", "0"], "argument --crm-count: 0 is too small; the least is 1."),
        (["--crm-count", "x"], "argument --crm-count: 'x' is not a whole number."),
        (["--crm-count", "-3"], "argument --crm-count: -3 is too small; the least is 1."),
        (["--crm-target", "cloud"], "argument --crm-target: there is no 'cloud'. Valid: local, sandbox."),
        (["--crm-target", "sandbx"], "there is no 'sandbx'; did you mean 'sandbox'? Valid: local, sandbox."),
        (["--crm-base-date", "x"], "argument --crm-base-date: 'x' is not a date; write it as YYYY-MM-DD."),
        (
            ["--crm-keep-for", "2"],
            "argument --crm-keep-for: '2' is not a time span; write a number and its unit",
        ),
        (
            ["--crm-base-url", "ftp://x"],
            "argument --crm-base-url: 'ftp://x' is no address; write it as https://",
        ),
        (
            ["--crm-rate", "x"],
            "argument --crm-rate: 'x' is not a pace; write requests per seconds, as in 100/10,",
        ),
        (
            ["--crm-on-error", "ignore"],
            "argument --crm-on-error: there is no 'ignore'. Valid: undo, keep-good.",
        ),
        (["--crm-conut", "3"], "unrecognized arguments: --crm-conut"),
    ],
)
def test_a_bad_option_is_a_usage_error_of_one_line(suite, options, sentence):
    suite.write(ONE_DEAL)
    result = suite.run(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.says(sentence).without_traceback()


@pytest.mark.parametrize(
    ("ini", "sentence"),
    [
        ("crm_count = 0", "crm_count = 0 (from pytest.ini): 0 is too small; the least is 1."),
        ("crm_allow_production = 1", "crm_allow_production"),
        ("crm_target = cloud", "crm_target = cloud (from pytest.ini): there is no 'cloud'."),
    ],
)
def test_a_bad_ini_value_is_a_usage_error_or_a_warning_of_pytest(suite, ini, sentence):
    suite.write(ONE_DEAL)
    suite.write(f"[pytest]\n{ini}\n", "pytest.ini")
    result = suite.run("--strict-config")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.says(sentence).without_traceback()


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("CRMSEED_COUNT", "many", "CRMSEED_COUNT=many (from the environment): 'many' is not a whole number."),
        (
            "CRMSEED_CONUT",
            "3",
            "CRMSEED_CONUT (in the environment) is not a setting; did you mean CRMSEED_COUNT?",
        ),
        (
            "CRMSEED_KEEP",
            "perhaps",
            "CRMSEED_KEEP=perhaps (from the environment): 'perhaps' is neither yes nor no;",
        ),
    ],
)
def test_a_bad_variable_is_a_usage_error_of_one_line(suite, monkeypatch, variable, value, sentence):
    monkeypatch.setenv(variable, value)
    suite.write(ONE_DEAL)
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.says(f"ERROR: {sentence}").without_traceback()
    assert len(result.err.strip().splitlines()) == 1


def test_a_misspelt_variable_in_the_env_file_is_named_with_its_file(suite):
    (suite.path / ".env").write_text("CRMSEED_CONUT=3\n")
    suite.write(ONE_DEAL)
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.says("ERROR: CRMSEED_CONUT (in .env) is not a setting; did you mean CRMSEED_COUNT?")


def test_a_line_of_the_env_file_that_is_none_is_named_without_its_text(suite):
    (suite.path / ".env").write_text("CRMSEED_COUNT=3\n\n pat-na1-secret is my token\n")
    suite.write(ONE_DEAL)
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.says(".env, line 3: this is not NAME=value.").without_traceback()
    assert "pat-na1" not in result.out + result.err


def test_an_unknown_provider_option_is_a_usage_error(suite):
    suite.write(ONE_DEAL)
    result = suite.run("--crm-provider", "hubspt")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.says("ERROR: crmseed: unknown provider 'hubspt'; did you mean 'hubspot'?").without_traceback()


def test_an_unknown_locale_names_the_nearest(suite, outside):
    suite.write(ONE_DEAL)
    result = suite.run(*outside.at, "--crm-locale", "de_DD")
    result.says("crmseed: unknown locale 'de_DD'; did you mean 'de_").without_traceback()
    assert outside.writes == 0


@pytest.mark.parametrize("option", ["--crm-ledger", "--crm-errors"])
def test_a_folder_that_cannot_be_written_to_is_named(suite, outside, option):
    blocked = suite.write("", "blocked.txt")
    suite.write(
        """
        @pytest.mark.crm_seed(contacts=count(1, nonsense_zzz=1))
        def test_it(crm_records):
            pass
        """
    )
    result = suite.run(*outside.at, option, blocked / "state" / "file")
    assert result.ret != 0
    result.without_traceback()
    if option == "--crm-ledger":
        result.says(
            f"crmseed: the ledger {blocked}/state/file cannot be written: ",
            "Choose a path in a folder that can be written to.",
        )
    else:
        result.says(
            "crmseed: HubSpot refused 1 contacts.",
            "contacts[0].nonsense_zzz = '1': Property \"nonsense_zzz\" does not exist",
            f"the error file {blocked}/state/file cannot be written: Not a directory.",
            "Name another with --crm-errors PATH.",
        )
    assert outside.live == 0
