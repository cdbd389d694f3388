"""``--crm-schema``: a suite with custom properties and pipelines runs offline."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_crmseed.schema import catalog, documents
from pytest_crmseed.schema.model import Field, Kind, Option, Pipeline, Stage

NATIVE = {"type": "enumeration", "fieldType": "select", "groupName": "dealinformation"}
TIER = Field(
    "customer_tier",
    "Customer Tier",
    Kind.OPTION,
    options=(Option("t1", "Gold"), Option("t2", "Silver")),
    custom=True,
    native=NATIVE,
)
RENEWALS = Pipeline(
    "renewals",
    "Renewals",
    (Stage("due", "Due", 0, probability=0.5), Stage("renewed", "Renewed", 1, closed=True, probability=1.0)),
)


@pytest.fixture
def schema_file(suite):
    """A portal's schema with a custom property, a pipeline, and an owner of its own."""
    known = catalog.bundled("hubspot")
    deals = known.object_types["deals"]
    owner = replace(deals.fields["hubspot_owner_id"], options=(Option("77", "Ann Lee"),))
    fields = {**deals.fields, TIER.name: TIER, "hubspot_owner_id": owner}
    changed = replace(deals, fields=fields, pipelines=(*deals.pipelines, RENEWALS))
    schema = replace(
        known,
        object_types={**known.object_types, "deals": changed},
        source="live",
        portal_id="1234567",
        taken_at="2026-03-31T00:00:00Z",
        complete=True,
    )
    path = suite.path / "crm-schema.json"
    documents.write(schema, path)
    return path


def test_custom_properties_and_pipelines_are_seeded_on_the_local_portal(suite, schema_file):
    suite.write(
        """
        RENEWED = {"Customer Tier": "Gold", "pipeline": "Renewals", "stage": "closed_won"}

        @pytest.mark.crm_seed(deals=count(2, **RENEWED, hubspot_owner_id="Ann Lee"))
        def test_it(crm_records, crm_client):
            deal = crm_records.deals[0]
            asked = {"properties": "customer_tier,pipeline,dealstage,hubspot_owner_id"}
            held = crm_client.get(f"/crm/v3/objects/deals/{deal.id}", params=asked).json()["properties"]
            assert held["customer_tier"] == "t1"
            assert (held["pipeline"], held["dealstage"]) == ("renewals", "renewed")
            assert held["hubspot_owner_id"] == "77"
            assert deal["stage"] == "closed_won"
        """
    )
    result = suite.run("--crm-schema", schema_file)
    assert result.outcomes == {"passed": 1}
    assert "schema" in result.header


def test_what_the_portal_does_not_have_is_refused(suite, schema_file):
    suite.write(
        """
        @pytest.mark.crm_seed(deals=count(1, region_of_the_moon="x"))
        def test_field(): ...

        @pytest.mark.crm_seed(deals=count(1, customer_tier="Bronze"))
        def test_option(): ...
        """
    )
    result = suite.run("--crm-schema", schema_file)
    assert result.outcomes == {"errors": 2}
    result.says(
        "unknown field 'region_of_the_moon' of deals",
        "deals[0].customer_tier = 'Bronze': is not one of the options. Allowed: t1, t2",
    )
    result.without_traceback()


def test_a_dry_run_is_checked_against_it(suite, schema_file):
    suite.write(
        """
        @pytest.mark.crm_seed(deals=count(1, customer_tier="Silver"))
        def test_it(): ...
        """
    )
    result = suite.run("--crm-dry-run", "--crm-schema", schema_file)
    assert result.ret == 0
    result.says(
        "HubSpot, checked against crm-schema.json, the schema of portal 1234567, read ",
        " d ago (2026-03-31T00:00:00Z).",
        # It is older than this version's own snapshot.
        "crm-schema.json was read on 2026-03-31, before the bundled schema of",
        '"customer_tier": "t2"',
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "crm-schema.json is no schema file: Expecting property name"),
        (
            '{"format": 1, "provider": "odoo", "object_types": {}}',
            "is a schema of odoo, and hubspot is to be seeded",
        ),
    ],
)
@pytest.mark.parametrize(("option", "status"), [((), 4), (("--crm-dry-run",), 1)])
def test_what_is_no_schema_file_is_refused(suite, text, said, option, status):
    (suite.path / "crm-schema.json").write_text(text)
    suite.write(
        """
        @pytest.mark.crm_seed(deals=1)
        def test_it(): ...
        """
    )
    result = suite.run("--crm-schema", "crm-schema.json", *option)
    assert result.ret == status
    result.says(said, "Pull one with `crmseed schema pull`.")
    result.without_traceback()
