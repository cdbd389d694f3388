"""The suites that seed HubSpot seed Salesforce, unchanged."""

from __future__ import annotations

import pytest

SUITE = """
    from decimal import Decimal

    @pytest.mark.crm_seed(deals=10)
    def test_deals(crm_records, crm_portal, crm_client):
        (company,), (contact,) = crm_records.companies, crm_records.contacts
        assert len(crm_records.deals) == 10
        total = sum(deal["amount"] for deal in crm_records.deals)
        assert isinstance(total, Decimal)
        if crm_portal.provider == "salesforce":
            query = f"SELECT SUM(Amount) total FROM Opportunity WHERE AccountId = '{company.id}'"
            answer = crm_client.get("/services/data/v66.0/query", params={"q": query}).json()
            assert Decimal(str(answer["records"][0]["total"])) == total

    @pytest.mark.crm_seed(companies=3, deals=count(9, stage="closed_won", amount=5000), scope="module")
    @pytest.mark.crm_seed(contacts=count(2, job_title="Buyer"))
    def test_scopes(crm_records):
        assert {deal["stage"] for deal in crm_records.deals} == {"closed_won"}
        assert [contact["job_title"] for contact in crm_records.contacts] == ["Buyer"] * 2
        crm_records.deals[0].reload()

    @pytest.mark.crm_seed(
        contacts=2, deals=count(1, contacts=[ref("contacts", 1), ref("contacts", 0)])
    )
    def test_links(crm_records):
        assert len(crm_records.deals) == 1

    @pytest.mark.crm_seed(tickets=1, line_items=2, orders=1, notes=1, tasks=1, calls=1, meetings=1)
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
    for provider in ("hubspot", "salesforce"):
        result = suite.run(*outside.at, "--crm-provider", provider, *options)
        assert (result.ret, result.outcomes) == (0, {"passed": 4}), result.out
        records = outside.portal.stats()["records"][provider]
        assert sum(records.values()) == 0, records


def test_ten_deals_take_one_write(suite, outside):
    suite.write("@pytest.mark.crm_seed(deals=10)\ndef test_it():\n    pass\n")
    before = outside.writes
    result = suite.run(*outside.at, "--crm-provider", "salesforce", "--crm-verify", "off")
    assert (result.ret, result.outcomes) == (0, {"passed": 1})
    assert outside.writes - before == 1
    assert sum(outside.portal.stats()["records"]["salesforce"].values()) == 0


def test_a_dry_run_prints_what_would_be_sent(suite):
    suite.write("@pytest.mark.crm_seed(deals=1)\ndef test_it():\n    pass\n")
    result = suite.run("--crm-provider", "salesforce", "--crm-dry-run")
    assert result.ret == 0
    result.says(
        "POST /services/data/v66.0/composite/graph",
        "  POST /services/data/v66.0/sobjects/Opportunity",
        '"AccountId": "@{companies_0.id}"',
        '"crmseed_key__c": "<key of deals[0]>"',
        "all valid. Nothing was sent.",
    )


@pytest.mark.parametrize(
    ("marker", "sentences"),
    [
        ("deels=1", ["unknown object type 'deels'; did you mean 'deals'?"]),
        ("contacts=count(1, first_nam='Ada')", ["first_nam", "did you mean 'first_name'?"]),
        ("deals=count(1, stage='Closed Wan')", ["'Closed Wan'", "did you mean"]),
        ("companies=count(1, name='x' * 300)", ["companies[0].name (Name)", "255"]),
        ("quotes=1", ["unknown object type 'quotes'"]),
        ("contacts=count(1, lifecycle_stage='lead')", ["contacts.lifecycle_stage"]),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(suite, outside, marker, sentences):
    suite.write(f"@pytest.mark.crm_seed({marker})\ndef test_it():\n    pass\n")
    before = outside.writes
    result = suite.run(*outside.at, "--crm-provider", "salesforce")
    assert result.ret != 0
    result.says(*sentences).without_traceback()
    assert outside.writes == before
