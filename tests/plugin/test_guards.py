"""Guards before the first test: the portal, the token, the plan; nothing is ever written first."""

from __future__ import annotations

import socket

import pytest

from pytest_crmseed.ingest import probe

DEALS = """
@pytest.mark.crm_seed(deals=3)
def test_it(crm_records):
    print("THE TEST RAN")
"""
OTHER = """
def test_unmarked():
    pass
"""
WITH_TOKEN = ("--crm-target", "sandbox")


@pytest.fixture
def refused(suite, monkeypatch):
    """Return a function that runs a suite which a guard refuses, and asserts how it looks."""

    def run(*options, token=None, says, source=DEALS):
        if token is not None:
            monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", token)
        suite.write(source)
        result = suite.run("-s", *options)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert result.err.startswith("ERROR: crmseed: ")
        assert len(result.err.strip().splitlines()) == 1
        result.says(*says).without_traceback()
        assert "THE TEST RAN" not in result.out
        assert token is None or token not in result.out + result.err
        return result

    return run


# -- the account -----------------------------------------------------------------------------------
def test_a_sandbox_without_credentials_is_a_usage_error(refused):
    refused(
        "--crm-target",
        "sandbox",
        says=[
            "--crm-target sandbox needs credentials for HubSpot: HUBSPOT_ACCESS_TOKEN (a private "
            "app's token, a "
            "service key, or an OAuth access token) is not set. Set it in the environment or in .env "
            "(CRMSEED_HUBSPOT_ACCESS_TOKEN wins over HUBSPOT_ACCESS_TOKEN), or override the crm_credentials "
            "fixture; --crm-target local needs none."
        ],
    )


def test_credentials_never_choose_the_target(suite, monkeypatch):
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "pat-na1-somebodys")
    suite.write(
        """
        @pytest.mark.crm_seed(deals=1)
        def test_it(crm_portal):
            assert crm_portal.is_local and crm_portal.base_url.startswith("http://127.0.0.1")
        """
    )
    assert suite.run().outcomes == {"passed": 1}


def test_a_wrong_token_is_named_with_its_variable(refused, outside, as_sandbox):
    refused(
        *as_sandbox(outside).at,
        token="pat-na1-00000000-aaaa-bbbb-cccc-000000000000",
        says=["HubSpot does not accept the access token (401): ", "Check HUBSPOT_ACCESS_TOKEN"],
    )
    assert (outside.writes, outside.live) == (0, 0)


def test_a_missing_scope_is_named_with_its_object_type(refused, outside, as_sandbox):
    token = outside.portal.portal.hubspot.issue(
        name="narrow",
        scopes=[
            f"crm.objects.{name}.{right}" for name in ("companies", "contacts") for right in ("read", "write")
        ],
    )
    refused(
        *as_sandbox(outside).at,
        token=token,
        says=[
            "The token of portal 47010001 lacks crm.objects.deals.read (for deals), "
            "crm.objects.deals.write (for "
            "deals). Nothing was written. Add the scopes to the app that issued the token, and use "
            "its new token."
        ],
    )
    assert outside.writes == 0


def test_scopes_are_asked_for_what_markers_name_alone(suite, outside, as_sandbox, monkeypatch):
    scopes = ["crm.objects.companies.read", "crm.objects.companies.write", "crm.schemas.companies.read"]
    monkeypatch.setenv(
        "CRMSEED_HUBSPOT_ACCESS_TOKEN", outside.portal.portal.hubspot.issue(name="narrow", scopes=scopes)
    )
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "pat-na1-the-applications-own")
    suite.write(
        """
        @pytest.mark.crm_seed(companies=2)
        def test_it(crm_records):
            assert len(crm_records.companies) == 2
        """
    )
    assert suite.run(*as_sandbox(outside).at).outcomes == {"passed": 1}
    assert outside.live == 0


@pytest.mark.parametrize("hidden", [True, False])
def test_a_production_portal_is_refused_wherever_it_stands(refused, start_portal, as_sandbox, hidden):
    production = start_portal(account_type="STANDARD", portal_id=1234567)
    at = as_sandbox(production).at if hidden else production.at
    refused(
        *at,
        token=production.portal.seed_token if hidden else None,
        says=[
            "HubSpot portal 1234567 is a production portal (account type STANDARD). Nothing was "
            "written. Use a "
            "sandbox or a developer test account; or allow exactly this portal with "
            "--crm-allow-production 1234567."
        ],
    )
    assert production.writes == 0


def test_exactly_the_allowed_production_portal_is_taken(suite, start_portal, as_sandbox, monkeypatch):
    production = start_portal(account_type="STANDARD", portal_id=1234567)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", production.portal.seed_token)
    suite.write(DEALS)
    at = as_sandbox(production).at
    assert suite.run(*at, "--crm-allow-production", "1234568").ret == pytest.ExitCode.USAGE_ERROR
    assert production.writes == 0
    assert suite.run(*at, "--crm-allow-production", "1234567").outcomes == {"passed": 1}
    assert (production.writes, production.live) == (3, 0)


def test_allowing_production_is_not_taken_from_a_file(suite, start_portal):
    suite.write(DEALS)
    (suite.path / ".env").write_text("CRMSEED_ALLOW_PRODUCTION=1234567\n")
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.says(
        "ERROR: allow production is not taken from .env. Give --crm-allow-production, or "
        "CRMSEED_ALLOW_PRODUCTION in the environment."
    )


def test_another_portal_than_the_pinned_one_is_refused(refused, outside, as_sandbox):
    refused(
        *as_sandbox(outside).at,
        "--crm-portal",
        "999",
        token=outside.portal.seed_token,
        says=[
            "The credentials lead to HubSpot portal 47010001, and --crm-portal pins 999. Nothing was "
            "written. "
            "Use the credentials of the pinned portal, or correct the pin."
        ],
    )
    assert outside.writes == 0


def test_the_pinned_portal_is_taken(suite, outside, as_sandbox, monkeypatch):
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", outside.portal.seed_token)
    suite.write("[pytest]\ncrm_portal = 47010001\n", "pytest.ini")
    suite.write(DEALS)
    result = suite.run(*as_sandbox(outside).at)
    assert result.outcomes == {"passed": 1}
    assert "portal 47010001 (pytest.ini: crm_portal)" in result.header


# -- the plan --------------------------------------------------------------------------------------
def test_a_plan_too_large_is_refused_with_its_test(refused, outside):
    refused(
        *outside.at,
        "--crm-max-records",
        "4",
        says=[
            "test_it.py::test_it: The plan has 5 records, more than --crm-max-records allows (4). "
            "Nothing was "
            "written. Ask for fewer, or raise the limit if you mean it."
        ],
    )
    assert outside.writes == 0


def test_a_huge_plan_is_refused_before_it_is_made(refused, outside):
    refused(
        *outside.at,
        source="""
        @pytest.mark.crm_seed(deals=10**12)
        def test_it(crm_records):
            pass
        """,
        says=["The plan has 1,000,000,000,000 records, more than --crm-max-records allows (10,000)."],
    )
    assert outside.writes == 0


def test_all_markers_together_must_fit_into_the_days_quota(refused, start_portal):
    # Each seed takes 3 creates, 3 archives and twice 3 reads; four tests more than 30.
    small = start_portal(daily_limit=30)
    result = refused(
        *small.at,
        source="""
        @pytest.mark.parametrize("turn", range(4))
        @pytest.mark.crm_seed(deals=1)
        def test_it(turn):
            print("THE TEST RAN")
        """,
        says=[
            "All seeds together take at least 48 requests, and portal 47010001 has ",
            " left of its 30 for today. Nothing was written. Ask for fewer records (--crm-count 1 "
            "makes one of "
            "each), or wait until the quota resets.",
        ],
    )
    assert result
    assert small.writes == 0


def test_guards_are_checked_once_before_the_first_test(suite, start_portal):
    production = start_portal(account_type="STANDARD")
    suite.write(OTHER + DEALS)
    result = suite.run(*production.at)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "passed" not in result.out


def test_tests_without_a_marker_meet_no_guard(suite, start_portal):
    production = start_portal(account_type="STANDARD")
    suite.write(OTHER)
    assert suite.run(*production.at).outcomes == {"passed": 1}
    assert production.portal.requests == []


def test_a_seeder_inside_a_test_meets_the_guards(suite, start_portal):
    production = start_portal(account_type="STANDARD")
    suite.write(
        """
        def test_it(crm_seeder):
            crm_seeder(deals=1)
        """
    )
    result = suite.run(*production.at)
    assert result.outcomes == {"failed": 1}
    result.says("crmseed: HubSpot portal 47010001 is a production portal").without_traceback()
    assert production.writes == 0


# -- the address -----------------------------------------------------------------------------------
def test_an_address_where_nothing_listens_is_named(refused):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    refused(
        "--crm-base-url",
        f"http://127.0.0.1:{port}",
        says=[
            f"http://127.0.0.1:{port} cannot be reached: nothing listens there (connection refused). "
            "Start the portal, or correct the address. Nothing was sent."
        ],
    )


def test_an_address_that_never_answers_is_named(refused, monkeypatch):
    monkeypatch.setattr(probe, "READ_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        refused(
            "--crm-base-url",
            url,
            says=[
                f"ask whether it is a local portal: {url} gave no answer within 0.2 s. Nothing was "
                f"changed; check "
                "the network and the portal's status, and try again."
            ],
        )


def test_an_address_that_answers_a_page_is_named(refused, open_door):
    door = open_door(lambda handler, body: (200, "text/html; charset=utf-8", b"<html>Welcome</html>"))
    refused(
        *door.at,
        token="pat-na1-00000000-aaaa-bbbb-cccc-000000000000",
        says=[
            "The address answered 200 with text/html instead of JSON to: ask for the account. Is "
            "this HubSpot's "
            "API? Check the base URL, and proxies on the way."
        ],
    )


def test_an_address_that_is_no_local_portal_though_one_is_asked_for(refused, open_door):
    door = open_door(lambda handler, body: (200, "application/json", b"{}"))
    refused(
        *door.at,
        "--crm-target",
        "local",
        says=[
            f"--crm-target local, but what answers at {door.url} is no local portal. Start one with "
            "`crmseed portal`, or say --crm-target sandbox if it is a portal."
        ],
    )


def test_an_address_that_answers_something_else_than_an_account(refused, open_door):
    door = open_door(lambda handler, body: (200, "application/json", b'{"hello": "world"}'))
    refused(
        *door.at,
        token="pat-na1-00000000-aaaa-bbbb-cccc-000000000000",
        says=["The address answers, but not with a HubSpot account's details. Check the base URL."],
    )


def test_a_token_with_a_line_break_is_refused_without_showing_it(suite, outside, as_sandbox, monkeypatch):
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "pat-na1-first\nsecond-half")
    suite.write(DEALS)
    result = suite.run(*as_sandbox(outside).at)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.says("HUBSPOT_ACCESS_TOKEN holds a line break or another control character.").without_traceback()
    assert "second-half" not in result.out + result.err


def test_a_worker_tells_a_refusal_by_its_first_seeded_test(suite, start_portal):
    pytest.importorskip("xdist")
    production = start_portal(account_type="STANDARD", portal_id=1234567)
    suite.write(DEALS)
    result = suite.spawn(*production.at, "-n", "1")
    assert result.ret != 0
    result.says("crmseed: HubSpot portal 1234567 is a production portal (account type STANDARD).")
    assert production.writes == 0
