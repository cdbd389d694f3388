"""The dry run: what it prints, what it runs, and that it sends nothing."""

from __future__ import annotations

import re

import pytest

# For a child process: whoever makes a socket, or looks a name up, is found out.
NO_SOCKETS = """
import socket

class Forbidden:
    def __init__(self, *args, **kwargs):
        raise AssertionError("a socket was opened")

def forbidden(*args, **kwargs):
    raise AssertionError("the network was used")

socket.socket = Forbidden
socket.create_connection = socket.create_server = socket.socketpair = socket.getaddrinfo = forbidden
"""


def test_it_prints_requests_with_a_sample_of_payloads(suite):
    suite.write(
        """
        @pytest.mark.crm_seed(deals=count(250, stage="closed_won", amount=5000))
        def test_it(crm_records):
            raise AssertionError("a dry run runs no test")
        """
    )
    result = suite.run("--crm-dry-run", "--crm-random-seed", 7, "--crm-base-date", "2026-03-31")
    assert result.ret == 0
    lines = result.out.splitlines()
    assert "test_it.py::test_it" in lines
    result.says(
        "HubSpot, checked against the bundled schema of ",
        "1 companies (made as parents), 1 contacts (made as parents), 250 deals: 5 requests to "
        "create, 5 to read back, 10 to remove",
        "dry run: 1 seeds, 252 records, 5 requests to create, 5 to read them back and 10 to remove "
        "them; all valid. Nothing was sent.",
        "… and 99 more (--crm-dry-run-full prints all)",
        "… and 49 more (--crm-dry-run-full prints all)",
        '"dealstage": "closedwon"',
        '"amount": "5000"',
        '"id": "<companies[0].id>"',
        '"crmseed_key": "<key of deals[0]>"',
    )
    posts = [line.strip() for line in lines if line.strip().startswith("POST ")]
    assert posts == [
        "POST /crm/objects/2026-03/companies/batch/create",
        "POST /crm/objects/2026-03/contacts/batch/create",
        *["POST /crm/objects/2026-03/deals/batch/create"] * 3,
    ]
    assert result.out.count('"objectWriteTraceId"') == 5
    assert result.summary == []
    assert not (suite.path / ".crmseed").exists()
    assert "dry run (--crm-dry-run)" in result.header


def test_full_prints_every_payload(suite):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=3)
        def test_it():
            pass
        """
    )
    result = suite.run("--crm-dry-run-full")
    assert result.ret == 0
    assert [f'"<key of companies[{i}]>"' in result.out for i in range(3)] == [True] * 3
    assert "more (--crm-dry-run-full" not in result.out


def test_it_prints_what_a_run_sends(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=1)
        def test_it():
            pass
        """
    )
    again = ("--crm-random-seed", 7, "--crm-base-date", "2026-03-31")
    dry = suite.run("--crm-dry-run", *again)
    suite.run(*outside.at, *again)
    (sent,) = outside.sent("companies")
    for name, value in sent.items():
        if name not in ("crmseed_key", "domain"):
            assert f'"{name}": "{value}"' in dry.out


def test_what_is_wrong_is_told_for_each_test_and_the_exit_code_is_1(suite):
    suite.write(
        """
        @pytest.mark.crm_seed(deels=1)
        def test_name():
            pass

        @pytest.mark.crm_seed(deals=count(1, stage="closed_wun"))
        def test_value():
            pass

        @pytest.mark.crm_seed(companies=20_000)
        def test_size():
            pass

        @pytest.mark.crm_seed(companies=1)
        def test_right():
            pass
        """
    )
    result = suite.run("--crm-dry-run")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.says(
        "test_it.py::test_name unknown object type 'deels'; did you mean 'deals'?",
        "deals[0].stage (dealstage) = 'closed_wun': no such stage",
        "The plan has 20,000 records, more than --crm-max-records allows (10,000).",
        "dry run: 1 seeds, 1 records, 1 requests to create, 1 to read them back and 2 to remove "
        "them; 3 of the plans cannot be seeded. "
        "Nothing was sent.",
    ).without_traceback()


def test_it_runs_overrides_of_our_fixtures_and_nothing_else(suite):
    suite.write(
        """
        def pytest_runtest_setup(item):
            raise AssertionError("a hook ran")

        @pytest.fixture(scope="session")
        def numbers():
            return 77

        @pytest.fixture(scope="session")
        def crm_random_seed(numbers):
            print("OVERRIDE RAN")
            return numbers

        @pytest.fixture(autouse=True)
        def everywhere():
            raise AssertionError("an autouse fixture ran")

        @pytest.fixture(autouse=True, scope="session")
        def database():
            raise AssertionError("a session fixture ran")
        """,
        "conftest.py",
    )
    suite.write(
        """
        def setup_module():
            raise AssertionError("setup_module ran")

        def setup_function():
            raise AssertionError("setup_function ran")

        @pytest.mark.crm_seed(companies=1)
        def test_it(crm_records):
            raise AssertionError("the test ran")

        class TestIt:
            @classmethod
            def setup_class(cls):
                raise AssertionError("setup_class ran")

            def setup_method(self):
                raise AssertionError("setup_method ran")

            @pytest.mark.crm_seed(companies=1)
            def test_it(self):
                raise AssertionError("the test ran")
        """
    )
    result = suite.run("--crm-dry-run", "-s")
    assert result.ret == 0
    result.says("OVERRIDE RAN", "dry run: 2 seeds, 2 records").without_traceback()
    assert "AssertionError" not in result.out + result.err


def test_a_failing_override_is_named(suite):
    suite.write(
        """
        @pytest.fixture(scope="session")
        def crm_factories():
            raise RuntimeError("on purpose")
        """,
        "conftest.py",
    )
    suite.write(
        """
        @pytest.mark.crm_seed(companies=1)
        def test_it():
            pass
        """
    )
    result = suite.run("--crm-dry-run")
    assert result.ret == 1
    result.says(
        "a crm_* fixture for test_it.py::test_it failed: RuntimeError: on purpose It is an override in a "
        "conftest.py, or something it requests."
    ).without_traceback()


def test_shared_seeds_are_printed_once_and_refs_to_wider_scopes_by_name(suite):
    suite.write(
        """
        pytestmark = pytest.mark.crm_seed(companies=2, scope="module")

        @pytest.mark.crm_seed(contacts=count(1, company=ref("companies", 1)))
        def test_a():
            pass

        def test_b():
            pass
        """
    )
    result = suite.run("--crm-dry-run")
    assert result.ret == 0
    assert result.out.count("module test_it.py") == 1
    result.says("dry run: 2 seeds, 3 records", '"id": "<companies[1].id>"')


def test_skipped_tests_are_left_out_and_the_seeders_are_listed(suite):
    suite.write(
        """
        @pytest.mark.skip(reason="not today")
        @pytest.mark.crm_seed(deels=1)
        def test_absent():
            pass

        @pytest.mark.skipif(True, reason="not here")
        @pytest.mark.crm_seed(deels=1)
        def test_elsewhere():
            pass

        def test_inside(crm_seeder):
            crm_seeder(deals=1)

        @pytest.mark.crm_seed(companies=1)
        def test_both(crm_seeder):
            pass
        """
    )
    result = suite.run("--crm-dry-run")
    assert result.ret == 0
    assert "test_absent" not in result.out
    assert "test_elsewhere" not in result.out
    result.says(
        "not covered: test_it.py::test_inside seeds while it runs (crm_seeder)",
        "not covered: test_it.py::test_both seeds while it runs (crm_seeder)",
        "dry run: 1 seeds, 1 records",
    )


def test_counts_are_cut_as_in_a_run(suite):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=50, contacts=count(70, company=ref("companies", 49)))
        def test_it():
            pass
        """
    )
    result = suite.run("--crm-dry-run", "--crm-count", 1)
    result.says(
        "1 companies, 1 contacts: 2 requests to create, 2 to read back, 4 to remove",
        '"id": "<companies[0].id>"',
    )


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_it_opens_no_socket(suite, options):
    if options:
        pytest.importorskip("xdist")
    suite.write(NO_SOCKETS, "conftest.py")
    suite.write(
        """
        @pytest.mark.crm_seed(deals=10)
        def test_it(crm_records, crm_portal, crm_client):
            raise AssertionError("the test ran")
        """
    )
    # That plugin opens a socket of its own where pytest-xdist is installed.
    result = suite.spawn("--crm-dry-run", "-p", "no:rerunfailures", *options)
    assert result.ret == 0
    result.says("dry run: 1 seeds, 12 records, 3 requests to create").without_traceback()
    assert "a socket was opened" not in result.out + result.err


def test_the_probe_finds_a_socket(suite):
    suite.write(NO_SOCKETS, "conftest.py")
    suite.write(
        """
        @pytest.mark.crm_seed(deals=10)
        def test_it():
            pass
        """
    )
    result = suite.spawn("-p", "no:rerunfailures")
    assert result.ret != 0
    assert re.search("a socket was opened|the network was used", result.out + result.err)


def test_it_needs_neither_portal_nor_credentials(suite):
    suite.write(
        """
        @pytest.mark.crm_seed(deals=1)
        def test_it():
            pass
        """
    )
    for options in (("--crm-target", "sandbox"), ("--crm-base-url", "http://127.0.0.1:1")):
        result = suite.run("--crm-dry-run", *options)
        assert result.ret == 0
        result.says("all valid. Nothing was sent.")


def test_a_suite_without_markers(suite):
    suite.write("def test_it():\n    raise AssertionError\n")
    result = suite.run("--crm-dry-run")
    assert result.ret == 0
    result.says("dry run: 0 seeds, 0 records")


def test_a_sessions_override_is_set_up_once(suite):
    suite.write(
        """
        import pytest

        made = []

        @pytest.fixture(scope="session")
        def crm_locale():
            made.append(1)
            print("LOCALE SET UP")
            yield "de_DE"
        """,
        "conftest.py",
    )
    suite.write(
        """
        import pytest

        @pytest.mark.crm_seed(contacts=1)
        @pytest.mark.parametrize("n", range(3))
        def test_it(n): ...
        """
    )
    result = suite.run("--crm-dry-run", "-s")
    assert result.ret == 0
    assert result.out.count("LOCALE SET UP") == 1
