"""The plugin beside pytest's own options and other plugins."""

from __future__ import annotations

import re

import pytest

SEEDED = """
@pytest.mark.crm_seed(companies=1)
def test_a(crm_records):
    assert len(crm_records) == 1

@pytest.mark.crm_seed(companies=1)
def test_b(crm_records):
    assert False, "on purpose"

@pytest.mark.crm_seed(companies=1)
def test_c(crm_records):
    pass
"""


# -- help ------------------------------------------------------------------------------------------
def test_help_lists_every_option_with_its_default(suite):
    result = suite.run("--help")
    assert result.ret == 0
    options = re.findall(r"^  (--crm-[a-z-]+)", result.out, re.MULTILINE)
    names = (
        "provider target base-url portal allow-production dry-run dry-run-full count on-error keep keep-for "
        "expire random-seed base-date errors ledger max-records rate batch-size locale email-domain "
        "api-version"
    )
    for name in names.split():
        assert f"--crm-{name}" in options
    result.says(
        "crmseed: seed CRM sandbox portals:",
        "Refuse to seed more records than this (default: 10000)",
        "Seed the built-in local portal or a vendor's sandbox; credentials never choose it (default: local)",
        "--crm-rate=N/SECONDS|P%",
    )
    # Ini keys stand in the help, too; allowing production is none.
    assert re.search(r"^  crm_target \(string\):", result.out, re.MULTILINE)
    assert not re.search(r"^  crm_allow_production", result.out, re.MULTILINE)


def test_markers_are_explained_by_their_signature(suite):
    result = suite.run("--markers")
    assert result.ret == 0
    result.says(
        "@pytest.mark.crm_seed(*, provider=None, scope='function', keep=False, objects=None, "
        "**counts): seed the "
        "CRM portal before the test, and remove the records afterward. Counts go by object type: "
        "deals=10, or "
        "deals=count(10, stage='closed_won'); scope is function, class, module, session; objects takes names "
        "that are no identifiers."
    )


def test_fixtures_are_explained_and_internal_ones_hidden(suite):
    result = suite.run("--fixtures")
    assert result.ret == 0
    for name in ("records", "seeder", "portal", "client"):
        assert re.search(rf"^crm_{name} -- ", result.out, re.MULTILINE), name
    for name in ("provider", "credentials", "factories", "locale", "random_seed"):
        assert re.search(rf"^crm_{name} \[session scope\] -- ", result.out, re.MULTILINE), name
    assert "_crm_" not in result.out
    result.says("The records that the test's crm_seed markers seeded, with the parents made for them.")


# -- without parts ---------------------------------------------------------------------------------
def test_without_the_plugin_the_marker_and_the_fixtures_are_unknown(suite):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=1)
        def test_marked():
            pass
        """
    )
    # In a process of its own: pytest remembers the markers that earlier runs declared.
    result = suite.spawn("-p", "no:crmseed")
    result.says("'crm_seed' not found in `markers` configuration option")
    suite.write(
        """
        def test_plain():
            pass

        def test_fixture(crm_records):
            pass
        """
    )
    result = suite.run("-p", "no:crmseed")
    assert result.outcomes == {"passed": 1, "errors": 1}
    result.says("fixture 'crm_records' not found")
    assert "crmseed:" not in result.out


@pytest.mark.parametrize(
    "part", ["cacheprovider", "terminal", "junitxml", "logging", "xdist", "rerunfailures"]
)
def test_other_plugins_may_be_missing(suite, outside, part):
    suite.write(SEEDED)
    verbose = () if part == "terminal" else ("-vv",)
    result = suite.run(*outside.at, "-p", f"no:{part}", *verbose)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert (outside.created("companies"), outside.live) == (3, 0)
    assert "INTERNALERROR" not in result.out + result.err


def test_without_capturing(suite, outside):
    suite.write(SEEDED)
    result = suite.run(*outside.at, "-p", "no:capture", "-vv")
    assert result.outcomes == {"passed": 2, "failed": 1}
    assert outside.live == 0


# -- order and selection ---------------------------------------------------------------------------
def test_random_order(suite, outside):
    suite.write(
        SEEDED.replace("assert False", "assert True")
        + """
@pytest.mark.crm_seed(contacts=1, scope="module")
@pytest.mark.parametrize("turn", range(5))
def test_wide(crm_records, turn):
    assert len(crm_records.contacts) == 1
"""
    )
    for seed in (1, 2):
        result = suite.run(*outside.at, randomly=seed)
        assert result.outcomes == {"passed": 8}
        assert f"Using --randomly-seed={seed}" in result.out
        assert outside.live == 0


def test_stop_at_the_first_failure(suite, outside):
    suite.write(SEEDED)
    assert suite.run(*outside.at, "-x").outcomes == {"passed": 1, "failed": 1}
    assert (outside.created("companies"), outside.live) == (2, 0)


def test_the_last_failed_test_is_seeded_again_alone(suite, outside):
    suite.write(SEEDED)
    suite.run(*outside.at)
    outside.portal.reset()
    assert suite.run(*outside.at, "--lf").outcomes == {"failed": 1}
    assert (outside.created("companies"), outside.live) == (1, 0)


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan", "--fixtures-per-test"])
def test_what_only_shows_tests_seeds_nothing(suite, outside, option):
    suite.write(SEEDED)
    result = suite.run(*outside.at, option)
    assert result.ret == 0
    assert result.summary == []
    assert outside.portal.requests == []
    assert not (suite.path / ".crmseed").exists()


def test_set_up_only_seeds_and_cleans(suite, outside):
    suite.write(SEEDED)
    assert suite.run(*outside.at, "--setup-only").ret == 0
    assert (outside.created("companies"), outside.live) == (3, 0)


def test_a_collection_error_elsewhere_seeds_nothing(suite, outside):
    suite.write(SEEDED)
    suite.write("import there_is_no_such_module\n", "test_broken.py")
    assert suite.run(*outside.at).ret == pytest.ExitCode.INTERRUPTED
    assert outside.portal.requests == []


@pytest.mark.parametrize("scope", ["function", "class", "module", "session"])
def test_a_rerun_of_a_failed_test_is_seeded_cleanly(suite, outside, scope):
    suite.write(
        f"""
        turns = []

        class TestIt:
            @pytest.mark.crm_seed(contacts=2, scope="{scope}")
            def test_flaky(self, crm_records, crm_seeder):
                crm_seeder(companies=1)
                assert all(record.reload() for record in crm_records)
                turns.append(crm_records)
                assert len(turns) == 2, "on purpose"
        """
    )
    result = suite.run(*outside.at, "--reruns", 1)
    assert result.outcomes == {"passed": 1, "rerun": 1}
    assert outside.live == 0


def test_a_failing_setup_of_another_fixture_leaves_nothing(suite, outside):
    suite.write(
        """
        @pytest.fixture
        def broken(crm_records):
            raise RuntimeError("on purpose")

        @pytest.fixture
        def broken_later(crm_records):
            yield
            raise RuntimeError("on purpose")

        @pytest.mark.crm_seed(deals=2)
        def test_a(broken):
            pass

        @pytest.mark.crm_seed(deals=2)
        def test_b(broken_later):
            pass
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1, "errors": 2}
    assert (outside.created("deals"), outside.live) == (2, 0)


def test_an_interrupted_run_leaves_nothing(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=2, scope="session")
        def test_a(crm_records):
            raise KeyboardInterrupt

        def test_b():
            pass
        """
    )
    result = suite.run(*outside.at, no_reraise_ctrlc=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert (outside.created("companies"), outside.live) == (1, 0)


def test_a_terminated_run_leaves_nothing(suite, outside):
    suite.write(
        """
        import os, signal

        @pytest.mark.crm_seed(deals=2, scope="session")
        def test_a(crm_records):
            os.kill(os.getpid(), signal.SIGTERM)

        def test_b():
            print("WENT ON")
        """
    )
    result = suite.spawn(*outside.at, "-s")
    assert result.ret != 0
    assert "WENT ON" not in result.out
    assert (outside.created("deals"), outside.live) == (1, 0)


def test_pytest_exit_leaves_nothing(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(deals=2, scope="module")
        def test_a(crm_records):
            pytest.exit("enough", returncode=3)
        """
    )
    assert suite.run(*outside.at).ret == 3
    assert (outside.created("deals"), outside.live) == (1, 0)
