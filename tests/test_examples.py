"""The example suite passes by itself, and HubSpot's own client sees what the plugin seeded."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = {
    "test_total_is_the_sum_of_all_amounts",
    "test_deals_that_are_decided_weigh_all_or_nothing",
    "test_total_of_more_deals_than_fit_into_one_request",
    "test_customers_are_ranked_by_what_they_paid",
    "test_a_new_deal_changes_the_ranking",
    "test_subscriptions_are_paid_by_the_seat",
    "test_renewal_costs_the_same_and_is_open_again",
}

WITNESS = """
import pytest
from hubspot import HubSpot
from hubspot.crm.associations import v4 as associations

from pytest_crmseed import count


@pytest.fixture
def crm(crm_portal):
    url = crm_portal.base_url
    return HubSpot(access_token=crm_portal.token, host=url, base_url=url).crm


@pytest.mark.crm_seed(companies=2, contacts=4, deals=count(6, stage="closed_won"))
def test_the_client_sees_what_was_seeded(crm, crm_records):
    for name in ("companies", "contacts", "deals"):
        seeded = {record.id: record for record in crm_records[name]}
        fields = list(crm_records[name][0].native)
        seen = {record.id: record for record in getattr(crm, name).get_all(properties=fields)}
        assert seen.keys() == seeded.keys()
        for id, record in seen.items():
            assert {field: record.properties[field] for field in fields} == seeded[id].native
    assert sum(float(deal.properties["amount"]) for deal in seen.values()) == float(
        sum(deal["amount"] for deal in crm_records.deals)
    )
    assert {deal.properties["dealstage"] for deal in seen.values()} == {"closedwon"}


@pytest.mark.crm_seed(companies=2, contacts=4, deals=6)
@pytest.mark.parametrize("parents", ["companies", "contacts"])
def test_the_client_sees_the_associations(crm, crm_records, parents):
    inputs = [associations.PublicFetchAssociationsBatchRequest(id=deal.id) for deal in crm_records.deals]
    answer = crm.associations.v4.batch_api.get_page(
        "deals", parents, associations.BatchInputPublicFetchAssociationsBatchRequest(inputs=inputs)
    )
    seen = {found._from.id: {str(to.to_object_id) for to in found.to} for found in answer.results}
    assert seen == {
        deal.id: {link.id for link in deal.links if link.object_type == parents}
        for deal in crm_records.deals
    }
    assert all(seen.values())
    assert set.union(*seen.values()) == {record.id for record in crm_records[parents]}


@pytest.mark.parametrize("name", ["companies", "contacts", "deals"])
def test_the_client_sees_nothing_afterwards(crm, name):
    assert getattr(crm, name).get_all() == []
"""


def test_the_examples_pass_and_leave_nothing(tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "CRMSEED_LEDGER": str(tmp_path / "ledger.sqlite"),
        "CRMSEED_ERRORS": str(tmp_path / "errors.jsonl"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "examples/forecast", "-v", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    # The example's own pytest.ini counts, not this project's settings.
    assert f"rootdir: {ROOT / 'examples' / 'forecast'}\n" in run.stdout
    assert set(re.findall(r"::(\w+) PASSED", run.stdout)) == TESTS
    assert f"{len(TESTS)} passed" in run.stdout
    assert "skipped" not in run.stdout
    # Seven seeds, and the deal that the application made itself.
    assert "162 records in 7 seeds (" in run.stdout
    assert "; 163 removed.\n" in run.stdout
    assert " left" not in run.stdout and " kept" not in run.stdout
    assert not (tmp_path / "errors.jsonl").exists()


def test_the_official_client_sees_what_the_plugin_seeded(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(WITNESS)
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(
        ["*36 records in 3 seeds (companies=6, contacts=12, deals=18): *; 36 removed."]
    )
