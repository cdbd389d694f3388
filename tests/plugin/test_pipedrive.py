"""The suites that seed HubSpot seed Pipedrive, unchanged but for what it has not."""

from __future__ import annotations

import re

import pytest

SUITE = """
    from decimal import Decimal

    @pytest.mark.crm_seed(deals=10)
    def test_deals(crm_records, crm_portal, crm_client):
        (company,), (contact,) = crm_records.companies, crm_records.contacts
        assert len(crm_records.deals) == 10
        total = sum(deal["amount"] for deal in crm_records.deals)
        if crm_portal.provider == "pipedrive":
            answer = crm_client.get("/api/v2/deals", params={"org_id": company.id}).json()
            assert sum(Decimal(str(deal["value"])) for deal in answer["data"]) == total

    @pytest.mark.crm_seed(companies=3, deals=count(9, stage="closed_won", amount=5000), scope="module")
    @pytest.mark.crm_seed(contacts=count(2, last_name="Byron"))
    def test_scopes(crm_records):
        assert {deal["stage"] for deal in crm_records.deals} == {"closed_won"}
        assert {contact["last_name"] for contact in crm_records.contacts} == {"Byron"}
        crm_records.deals[0].reload()

    @pytest.mark.crm_seed(products=1, line_items=2, notes=1, tasks=1, calls=1, meetings=1)
    def test_the_rest(crm_records, crm_seeder):
        crm_seeder(leads=2)
        for record in crm_records:
            record.reload()
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_one_suite_for_both(suite, outside, options):
    if options:
        pytest.importorskip("xdist")
    suite.write(SUITE)
    for provider in ("hubspot", "pipedrive"):
        result = suite.run(*outside.at, "--crm-provider", provider, *options)
        assert (result.ret, result.outcomes) == (0, {"passed": 3}), result.out
        assert sum(outside.portal.stats()["records"][provider].values()) == 0


def test_a_dry_run_tells_the_tokens(suite):
    suite.write("@pytest.mark.crm_seed(deals=2)\ndef test_it():\n    pass\n")
    result = suite.run("--crm-provider", "pipedrive", "--crm-dry-run")
    assert result.ret == 0
    result.says("tokens of the daily budget", "all valid. Nothing was sent.")
    # Each request's, and once more all together.
    assert re.search(r"to remove them \([0-9,]+ tokens of the daily budget\); all valid\.", result.out)


@pytest.mark.parametrize(
    ("marker", "sentences"),
    [
        ("tickets=1", ["Pipedrive has no tickets"]),
        ("deels=1", ["unknown object type 'deels'; did you mean 'deals'?"]),
        ("deals=count(1, stage='Closed Wan')", ["'Closed Wan'", "did you mean"]),
        ("deals=count(1, name=None)", ["deals[0].name", "required"]),
        (
            "leads=count(1, contacts=None, company=None)",
            ["leads[0]", "a value for person_id or organization_id is required on create"],
        ),
        ("deals=count(1, native={'label_idz': [1]})", ["label_idz"]),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(suite, outside, marker, sentences):
    suite.write(f"@pytest.mark.crm_seed({marker})\ndef test_it():\n    pass\n")
    result = suite.run(*outside.at, "--crm-provider", "pipedrive")
    assert result.ret != 0
    result.says(*sentences).without_traceback()
    assert sum(outside.portal.stats()["records"]["pipedrive"].values()) == 0


def test_a_day_without_enough_tokens_is_refused_before_the_first_write(suite, start_portal):
    small = start_portal()
    small.portal.portal.behaviour.pipedrive.daily_budget = 150
    suite.write("@pytest.mark.crm_seed(deals=20)\ndef test_it():\n    pass\n")
    result = suite.run(*small.at, "--crm-provider", "pipedrive")
    assert result.ret == 4
    result.says("tokens of the daily budget", "left of its 150 for today. Nothing was written.")
    assert sum(small.portal.stats()["records"]["pipedrive"].values()) == 0


def test_another_company_than_the_pinned_one_is_refused(suite, outside):
    suite.write("@pytest.mark.crm_seed(deals=1)\ndef test_it():\n    pass\n")
    result = suite.run(*outside.at, "--crm-provider", "pipedrive", "--crm-portal", "1@acme")
    assert result.ret == 4
    result.says("--crm-portal pins 1@acme. Nothing was written.")
    assert outside.writes == 0
