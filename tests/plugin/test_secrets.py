"""No token in anything a run writes or prints, whether all goes well or not."""

from __future__ import annotations

import pytest

from pytest_crmseed.ingest import probe

LOUD = (
    "-vv",
    "--showlocals",
    "-rA",
    "--tb=long",
    "--junitxml=report.xml",
    "-o",
    "log_level=DEBUG",
    "-o",
    "log_cli=1",
)

PASSING = """
import logging

@pytest.mark.crm_seed(deals=2)
def test_it(crm_records, crm_portal, crm_seeder, crm_client):
    crm_seeder(companies=1)
    print(crm_records, crm_portal, crm_seeder, crm_client, repr(crm_portal))
"""
FAILING = """
@pytest.mark.crm_seed(deals=2)
def test_it(crm_records, crm_portal, crm_seeder, crm_client):
    records, portal, seeder, client = crm_records, crm_portal, crm_seeder, crm_client
    assert False
"""
REFUSED = """
@pytest.mark.crm_seed(companies=1, contacts=count(1, nonsense_zzz=1))
def test_it(crm_records, crm_portal):
    pass
"""
REFUSED_INSIDE = """
def test_it(crm_seeder, crm_portal):
    crm_seeder(companies=1, contacts=count(1, nonsense_zzz=1))
"""
WRONG = """
@pytest.mark.crm_seed(deels=1)
def test_it(crm_records):
    pass
"""
CLIENT_FAILS = """
def test_it(crm_client):
    crm_client.get("/crm/v3/objects/nothing").raise_for_status()
"""
CLIENT_ASTRAY = """
def test_it(crm_client):
    crm_client.get("http://127.0.0.2:9/")
"""


def everything(suite, result):
    """Return all that a run printed and wrote, files read as bytes."""
    files = {path for path in suite.path.rglob("*") if path.is_file()}
    written = {str(path.relative_to(suite.path)): path.read_bytes() for path in files}
    return {**written, "stdout": result.out.encode(), "stderr": result.err.encode()}


def assert_none(suite, result, *tokens):
    """Assert that no token is in anything; the part after the prefix counts, too."""
    for where, content in everything(suite, result).items():
        for token in tokens:
            for part in (token, token.removeprefix("pat-na1-"), token.rpartition("-")[2]):
                assert part.encode() not in content, f"a token is in {where}"


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        (PASSING, "passed"),
        (FAILING, "failed"),
        (REFUSED, "errors"),
        (REFUSED_INSIDE, "failed"),
        (WRONG, "errors"),
        (CLIENT_FAILS, "failed"),
        (CLIENT_ASTRAY, "failed"),
    ],
    ids=["passing", "failing", "refused", "refused inside", "wrong use", "client fails", "client astray"],
)
def test_on_a_sandbox(suite, outside, as_sandbox, monkeypatch, source, outcome):
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", outside.portal.seed_token)
    suite.write(source)
    result = suite.run(*as_sandbox(outside).at, *LOUD)
    assert result.outcomes == {outcome: 1}
    assert "report.xml" in everything(suite, result)
    assert_none(suite, result, outside.portal.seed_token, outside.portal.token)


@pytest.mark.parametrize("source", [PASSING, FAILING, REFUSED], ids=["passing", "failing", "refused"])
def test_on_a_local_portal(suite, outside, source):
    suite.write(source)
    result = suite.run(*outside.at, *LOUD)
    assert ".crmseed/ledger.sqlite" in everything(suite, result)
    assert_none(suite, result, outside.portal.seed_token, outside.portal.token)


def test_with_workers(suite, outside, as_sandbox, monkeypatch):
    pytest.importorskip("xdist")
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", outside.portal.seed_token)
    suite.write(PASSING + FAILING.replace("test_it", "test_fails"))
    result = suite.spawn(*as_sandbox(outside).at, *LOUD, "-n", "1")
    assert result.outcomes == {"passed": 1, "failed": 1}
    assert_none(suite, result, outside.portal.seed_token, outside.portal.token)


def broken_door(kind):
    """Return what a door answers that fails in some way."""
    if kind == "page":
        return lambda handler, body: (
            200,
            "text/html",
            b"<html>" + handler.headers.get("Authorization", "").encode(),
        )
    if kind == "unauthorised":
        # A portal that repeats what it was sent, as some proxies do.
        return lambda handler, body: (
            401,
            "application/json",
            b'{"status": "error", "message": "no: %s"}' % handler.headers.get("Authorization", "").encode(),
        )
    if kind == "fault":
        return lambda handler, body: (
            501,
            "application/json",
            b'{"message": "%s"}' % body.replace(b'"', b"'"),
        )
    return lambda handler, body: (302, "text/plain", handler.headers.get("Authorization", "").encode())


@pytest.mark.parametrize("kind", ["page", "unauthorised", "fault", "redirect"])
def test_when_the_portal_is_none_or_refuses(suite, open_door, monkeypatch, kind):
    token = "pat-na1-12345678-aaaa-bbbb-cccc-1234567890ab"
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", token)
    monkeypatch.setattr(probe, "READ_TIMEOUT", 1.0)
    suite.write(PASSING)
    result = suite.run(*open_door(broken_door(kind)).at, *LOUD)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert_none(suite, result, token)


def test_when_a_seeder_meets_it_inside_a_test(suite, open_door, monkeypatch):
    token = "pat-na1-12345678-aaaa-bbbb-cccc-1234567890ab"
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", token)
    suite.write(REFUSED_INSIDE)
    result = suite.run(*open_door(broken_door("unauthorised")).at, *LOUD)
    assert result.outcomes == {"failed": 1}
    result.says("HubSpot does not accept the access token (401)")
    assert_none(suite, result, token)


def test_from_the_env_file_and_the_credentials_fixture(suite, outside, as_sandbox):
    # These files hold the token because somebody wrote it there; all others must not.
    token = outside.portal.seed_token
    env = suite.path / ".env"
    env.write_text(f"HUBSPOT_ACCESS_TOKEN={token}\n")
    suite.write(FAILING)
    result = suite.run(*as_sandbox(outside).at, *LOUD)
    assert result.outcomes == {"failed": 1}
    env.unlink()
    assert_none(suite, result, token)


def test_the_search_does_find_a_token(suite, outside):
    suite.write(
        """
        def test_it(crm_portal):
            print(crm_portal.token)
        """
    )
    result = suite.run(*outside.at, *LOUD)
    with pytest.raises(AssertionError, match="a token is in "):
        assert_none(suite, result, outside.portal.token)
