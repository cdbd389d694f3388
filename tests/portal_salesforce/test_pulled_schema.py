"""A pulled schema gives the org its objects, fields, picklists, record types and stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pytest_crmseed.portal import LocalPortal, PortalRequest
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Option, Pipeline, Schema, Stage

RECORD_TYPE = "0125j000000RqVkAAK"


def schema() -> Schema:
    """The bundled schema, with what another org's people changed."""
    bundled = catalog.bundled("salesforce")
    deal = bundled.object_types["Opportunity"]
    stages = (Stage("Idea", "Idea", 0, probability=0.25), Stage("Signed", "Signed!", 1, True, 1.0))
    fields = {
        **deal.fields,
        "StageName": replace(
            deal.fields["StageName"], options=tuple(Option(stage.id, stage.label) for stage in stages)
        ),
        "RecordTypeId": Field(
            "RecordTypeId",
            "Record Type ID",
            Kind.OPTION,
            options=(Option(RECORD_TYPE, "New Business"),),
            native={"type": "reference", "relationshipName": "RecordType", "defaultedOnCreate": "true"},
        ),
        "Region__c": Field(
            "Region__c",
            "Region",
            Kind.OPTION,
            options=(Option("North", "North"), Option("South", "South", hidden=True)),
            required=True,
            custom=True,
            native={"type": "picklist"},
        ),
        "City__c": Field(
            "City__c",
            "City",
            Kind.OPTION,
            options=(Option("Oslo", "Oslo", valid_for=("North",)), Option("Rome", "Rome")),
            controller="Region__c",
            custom=True,
            native={"type": "picklist"},
        ),
    }
    del fields["NextStep"]
    deal = replace(deal, fields=fields, pipelines=(Pipeline("012000000000000AAA", "Stages", stages),))
    invoice = ObjectType(
        name="Invoice__c",
        label="Invoice",
        plural="Invoices",
        type_id="a0X",
        custom=True,
        fields={
            "Id": Field("Id", "Record ID", Kind.REFERENCE, read_only=True, native={"type": "id"}),
            "Name": Field(
                "Name",
                "Invoice Number",
                Kind.STRING,
                read_only=True,
                calculated=True,
                native={"type": "string", "autoNumber": "true", "defaultedOnCreate": "true"},
            ),
            "Account__c": Field(
                "Account__c",
                "Account",
                Kind.REFERENCE,
                required=True,
                references=("Account",),
                custom=True,
                native={"type": "reference", "relationshipName": "Account__r"},
            ),
            "Total__c": Field(
                "Total__c",
                "Total",
                Kind.DECIMAL,
                custom=True,
                maximum="999.99",
                native={"type": "currency", "precision": "5", "scale": "2"},
            ),
            "Ref__c": Field(
                "Ref__c",
                "Ref",
                Kind.STRING,
                custom=True,
                unique=True,
                max_length=9,
                native={"type": "string", "externalId": "true", "idLookup": "true"},
            ),
        },
    )
    return replace(
        bundled,
        source="file",
        object_types={**bundled.object_types, "Opportunity": deal, "Invoice__c": invoice},
    )


@pytest.fixture(scope="module")
def portal() -> Iterator[LocalPortal]:
    portal = LocalPortal(schema=schema())
    yield portal
    portal.close()


def ask(portal: LocalPortal, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    token = portal.tokens("salesforce")["application"]
    request = PortalRequest.of(method, f"/services/data/v66.0{path}", body, token=token)
    answer = portal.portal.handle(request)
    return answer.status, answer.json() if answer.body else None


def described(portal: LocalPortal, name: str) -> dict[str, dict[str, Any]]:
    status, body = ask(portal, "GET", f"/sobjects/{name}/describe")
    assert status == 200
    return {field["name"]: field for field in body["fields"]}


def test_fields_that_every_org_has_keep_what_the_schema_does_not_tell(portal: LocalPortal) -> None:
    plain = LocalPortal()
    for name in ("Account", "Campaign", "Case", "Contact", "Lead"):
        theirs, ours = described(plain, name), described(portal, name)
        assert list(ours) == list(theirs)
        assert ours == theirs, name
    plain.close()
    assert not portal.portal.apis["salesforce"].stock


def test_what_the_org_has_not_is_not_there(portal: LocalPortal) -> None:
    fields = described(portal, "Opportunity")
    assert "NextStep" not in fields and {"Region__c", "City__c", "RecordTypeId", "crmseed_key__c"} <= set(
        fields
    )
    assert ask(portal, "GET", "/sobjects/Task:Call/describe")[0] == 404


def test_stages_and_picklists_are_the_orgs_own(portal: LocalPortal) -> None:
    deal = {"Name": "D", "StageName": "Signed", "CloseDate": "2026-01-01", "Region__c": "North"}
    status, made = ask(portal, "POST", "/sobjects/Opportunity", deal)
    _, row = ask(portal, "GET", f"/sobjects/Opportunity/{made['id']}")
    assert (row["Probability"], row["IsWon"], row["IsClosed"]) == (100.0, True, True)
    query = "/query?q=SELECT+ApiName,MasterLabel,DefaultProbability+FROM+OpportunityStage"
    rows = [list(row.values())[1:] for row in ask(portal, "GET", query)[1]["records"]]
    assert rows == [["Idea", "Idea", 25.0], ["Signed", "Signed!", 100.0]]
    for values, message in (
        ({"Region__c": None}, "Required fields are missing: [Region__c]"),
        ({"Region__c": "South"}, "Region: bad value for restricted picklist field: South"),
        ({"City__c": "Rome"}, "City: bad value for restricted picklist field: Rome"),
    ):
        status, [error] = ask(portal, "POST", "/sobjects/Opportunity", {**deal, **values})
        assert (status, error["message"]) == (400, message)
    assert ask(portal, "POST", "/sobjects/Opportunity", {**deal, "City__c": "Oslo"})[0] == 201


def test_record_types_have_the_ids_of_their_org(portal: LocalPortal) -> None:
    deal = {"Name": "D", "StageName": "Idea", "CloseDate": "2026-01-01", "Region__c": "North"}
    status, made = ask(portal, "POST", "/sobjects/Opportunity", {**deal, "RecordTypeId": RECORD_TYPE[:15]})
    assert status == 201
    query = f"/query?q=SELECT+RecordType.Name+FROM+Opportunity+WHERE+Id='{made['id']}'"
    status, found = ask(portal, "GET", query)
    assert status == 200, found
    [row] = found["records"]
    assert row["RecordType"]["Name"] == "New Business"
    status, row = ask(portal, "GET", f"/sobjects/RecordType/{RECORD_TYPE}")
    assert (status, row["SobjectType"], row["Id"]) == (200, "Opportunity", RECORD_TYPE)


def test_custom_objects(portal: LocalPortal) -> None:
    fields = described(portal, "Invoice__c")
    told = {
        name: fields["Total__c"][name] for name in ("type", "precision", "scale", "nillable", "updateable")
    }
    assert told == {"type": "currency", "precision": 5, "scale": 2, "nillable": True, "updateable": True}
    assert (fields["Name"]["autoNumber"], fields["Name"]["createable"]) == (True, False)
    assert list(fields) == [
        "Id",
        "IsDeleted",
        "Name",
        "Account__c",
        "Total__c",
        "Ref__c",
        "CreatedDate",
        "CreatedById",
        "LastModifiedDate",
        "LastModifiedById",
        "SystemModstamp",
        "crmseed_key__c",
    ]
    nillable = [name for name, field in fields.items() if field["nillable"]]
    assert nillable == ["Total__c", "Ref__c", "crmseed_key__c"]
    _, account = ask(portal, "POST", "/sobjects/Account", {"Name": "A"})
    status, made = ask(portal, "POST", "/sobjects/Invoice__c", {"Account__c": account["id"], "Ref__c": "r1"})
    assert status == 201 and made["id"].startswith("a0X")
    status, row = ask(portal, "GET", "/sobjects/Invoice__c/Ref__c/R1")
    assert (status, row["Account__c"], len(row["Name"])) == (200, account["id"], 8)
    status, [error] = ask(portal, "POST", "/sobjects/Invoice__c", {"Ref__c": "r2"})
    assert error["message"] == "Required fields are missing: [Account__c]"
