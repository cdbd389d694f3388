"""The portal's own schema: read before the first seed, kept for a day, read anew when asked."""

from __future__ import annotations

import json

import pytest
import requests

TIER = {
    "name": "customer_tier",
    "label": "Customer Tier",
    "type": "enumeration",
    "fieldType": "select",
    "groupName": "dealinformation",
    "options": [{"label": "Gold", "value": "t1", "displayOrder": 0, "hidden": False}],
}
SEEDED = """
    @pytest.mark.crm_seed(deals=count(1, **{"Customer Tier": "Gold"}))
    def test_it(crm_records):
        assert crm_records.deals[0].native["customer_tier"] == "t1"
    """


def define(outside, method="POST", path="/crm/v3/properties/deals", **body):
    answer = requests.request(
        method,
        f"{outside.url}{path}",
        json=body or None,
        headers={"Authorization": f"Bearer {outside.portal.token}"},
        timeout=10,
    )
    assert answer.status_code < 300, answer.text


def read(outside, path="/crm/properties/2026-03/deals"):
    """Return how many times a definition was read."""
    return sum(1 for request in outside.portal.requests if (request.method, request.path) == ("GET", path))


@pytest.fixture
def sandbox(outside, as_sandbox, monkeypatch):
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", outside.portal.seed_token)
    # Two readings are more than a window of HubSpot's burst limit takes.
    monkeypatch.setenv("CRMSEED_RATE", "1000/1")
    return as_sandbox(outside)


def test_it_is_read_once_and_kept(suite, outside, sandbox):
    define(outside, **TIER)
    suite.write(SEEDED)
    first = suite.run(*sandbox.at)
    assert first.outcomes == {"passed": 1}
    portal = outside.portal.portal.hubspot.account.behaviour.portal_id
    assert f"Schema of HubSpot portal {portal}: live, read just now." in first.summary
    assert read(outside) == 1
    kept = suite.path / ".crmseed" / "schemas" / f"hubspot-{portal}.json"
    assert json.loads(kept.read_text())["portal_id"] == str(portal)
    second = suite.run(*sandbox.at)
    assert second.outcomes == {"passed": 1}
    assert f"Schema of HubSpot portal {portal}: cached, read just now." in second.summary
    assert read(outside) == 1


def test_a_dry_run_goes_by_what_was_kept(suite, outside, sandbox):
    define(outside, **TIER)
    suite.write(SEEDED)
    assert suite.run("--crm-dry-run").says("checked against the bundled schema of").ret == 0
    assert suite.run(*sandbox.at).ret == 0
    portal = outside.portal.portal.hubspot.account.behaviour.portal_id
    before = len(outside.portal.requests)
    dry = suite.run("--crm-dry-run", "--crm-portal", portal, *sandbox.at)
    assert dry.ret == 0
    dry.says(
        f"HubSpot, checked against the cached schema of portal {portal}, read just now (",
        '"customer_tier": "t1"',
    )
    assert len(outside.portal.requests) == before


def test_a_portal_that_changed_since_is_read_anew_when_asked(suite, outside, sandbox):
    suite.write(
        """
        @pytest.mark.crm_seed(deals=1)
        def test_before(): ...
        """
    )
    assert suite.run(*sandbox.at).ret == 0
    define(outside, **TIER)
    suite.write(SEEDED)
    old = suite.run(*sandbox.at)
    assert old.outcomes == {"errors": 1}
    old.says(
        "unknown field 'Customer Tier' of deals",
        "The portal's schema was read just now; if the portal has changed since, --crm-refresh-schema reads "
        "it anew.",
    ).without_traceback()
    assert suite.run(*sandbox.at, "--crm-refresh-schema").outcomes == {"passed": 1}
    assert read(outside) == 2


def test_what_the_portal_refuses_since_says_so_too(suite, outside, sandbox):
    define(outside, **TIER)
    suite.write(SEEDED)
    assert suite.run(*sandbox.at).ret == 0
    define(outside, "DELETE", "/crm/v3/properties/deals/customer_tier")
    old = suite.run(*sandbox.at)
    assert old.outcomes == {"errors": 1}
    old.says("customer_tier", "--crm-refresh-schema reads it anew.").without_traceback()


def test_workers_read_it_once(suite, outside, sandbox):
    pytest.importorskip("xdist")
    define(outside, **TIER)
    suite.write(
        """
        @pytest.mark.parametrize("n", range(4))
        @pytest.mark.crm_seed(deals=count(1, customer_tier="Gold"))
        def test_it(n): ...
        """
    )
    result = suite.spawn(*sandbox.at, "-n2", "--crm-refresh-schema")
    assert result.outcomes == {"passed": 4}
    assert read(outside) == 1
    assert [line for line in result.summary if line.startswith("Schema of ")] == [
        f"Schema of HubSpot portal {outside.portal.portal.hubspot.account.behaviour.portal_id}: "
        "live, read just now."
    ]


def test_nobody_asks_when_nothing_is_seeded(suite, outside, sandbox):
    suite.write("def test_it(): ...")
    assert suite.run(*sandbox.at).outcomes == {"passed": 1}
    assert outside.portal.requests == []
    assert not (suite.path / ".crmseed").exists()


def test_what_cannot_be_read_is_said_once(suite, outside, as_sandbox, monkeypatch):
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", outside.portal.seed_token)

    def closed(method, path):
        if path.startswith("/crm/owners"):
            body = {"status": "error", "message": "no", "category": "MISSING_SCOPES", "correlationId": "1"}
            return 403, "application/json", json.dumps(body).encode()
        return None

    suite.write(
        """
        @pytest.mark.crm_seed(deals=1)
        def test_one(): ...

        @pytest.mark.crm_seed(deals=1)
        def test_two(): ...
        """
    )
    result = suite.run(*as_sandbox(outside, closed).at)
    assert result.outcomes == {"passed": 2}
    note = "The owners could not be read (HubSpot answers 403): owners' ids are not checked."
    assert result.summary.count(note) == 1


def test_a_running_local_portal_is_asked_only_where_it_is_not_the_stock_one(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(deals=1)
        def test_it(): ...
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1}
    assert read(outside) == 0
    define(outside, **TIER)
    suite.write(SEEDED)
    result = suite.run(*outside.at)
    assert result.outcomes == {"passed": 1}
    assert any(line.endswith("live, read just now.") for line in result.summary)
    assert read(outside) == 1
    assert not (suite.path / ".crmseed" / "schemas").exists()
