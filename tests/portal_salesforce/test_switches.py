"""What an org's own people set up: objects, fields, record types, rules; and what they may forbid."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from pytest_crmseed.portal import Behaviour
from pytest_crmseed.portal.salesforce.behaviour import (
    CustomField,
    CustomObject,
    DuplicateRule,
    FailingTrigger,
    RecordTypeOf,
    SalesforceBehaviour,
    ValidationRule,
)

Org = Any
NewOrg = Callable[..., Org]
RESTRICTED = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


def with_switches(new_org: NewOrg, **switches: Any) -> Org:
    return new_org(Behaviour(salesforce=SalesforceBehaviour(**switches)))


def described(org: Org, name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    body = org.json("GET", f"/sobjects/{name}/describe")
    return body, {field["name"]: field for field in body["fields"]}


# -- objects and fields ----------------------------------------------------------------------------------
def test_a_custom_object(new_org: NewOrg) -> None:
    fields = (
        CustomField("Amount__c", "Amount", "currency", precision=6, scale=2, required=True),
        CustomField("Score__c", type="double", formula="Amount__c * 2"),
        CustomField("Code__c", unique=True, external_id=True, case_sensitive=True, length=5),
        CustomField("Open__c", type="boolean", default=True),
        CustomField(
            "Account__c", type="reference", references=("Account",), child_relationship="Invoices__r"
        ),
    )
    numbered = CustomObject("Invoice__c", "Invoice", "Invoices", fields, auto_number="INV-{0000}")
    org = with_switches(new_org, custom_objects=(numbered, CustomObject("Crate__c")))
    body, known = described(org, "invoice__C")
    told = [body[name] for name in ("label", "labelPlural", "custom", "keyPrefix", "createable")]
    assert told == ["Invoice", "Invoices", True, "a01", True]
    names = ["Id", "OwnerId", "IsDeleted", "Name", *(field.name for field in fields)]
    assert sorted(list(known)[: len(names)]) == sorted(names) and list(known)[-1] == "crmseed_key__c"
    assert known["Account__c"]["relationshipName"] == "Account__r"
    assert (known["Score__c"]["calculated"], known["Score__c"]["createable"]) == (True, False)
    account = org.make("Account", Name="A")
    id = org.make("Invoice__c", Amount__c="12.345", Code__c="ab", Account__c=account)
    assert id.startswith("a01")
    row = org.json("GET", f"/sobjects/Invoice__c/{id}")
    told = [row[name] for name in ("Amount__c", "Open__c", "Score__c", "OwnerId")]
    assert told == [12.35, True, None, row["CreatedById"]]
    assert row["Name"].startswith("INV-") and row["Name"][4:].isdigit()
    org.make("Invoice__c", Amount__c=1, Code__c="AB")
    for values, code, message in (
        ({}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Amount__c]"),
        (
            {"Amount__c": 10_000},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Amount: value outside of valid range on numeric field: 10000.00",
        ),
        (
            {"Amount__c": 1, "Code__c": "ab"},
            "DUPLICATE_VALUE",
            f"duplicate value found: Code__c duplicates value on record with id: {id[:15]}",
        ),
        (
            {"Amount__c": 1, "Code__c": "abcdef"},
            "STRING_TOO_LONG",
            "Code: data value too large: abcdef (max length=5)",
        ),
    ):
        assert org.refused("POST", "/sobjects/Invoice__c", values) == (400, code, message)
    assert org.json("GET", "/sobjects/Invoice__c/Code__c/AB")["Id"] != id
    # Who is given no name has its id for one.
    crate = org.make("Crate__c")
    assert org.json("GET", f"/sobjects/Crate__c/{crate}")["Name"] == crate[:15]
    assert not org.api.stock


def test_fields_of_activities_are_shared(new_org: NewOrg) -> None:
    fields = {"Activity": (CustomField("Mood__c"),), "Lead": (CustomField("X__c"),)}
    org = with_switches(new_org, custom_fields=fields)
    for name in ("Task", "Event"):
        assert "Mood__c" in described(org, name)[1]
    assert "X__c" in described(org, "Lead")[1] and "X__c" not in described(org, "Contact")[1]


def test_quotes_are_there_once_they_are_turned_on(new_org: NewOrg) -> None:
    assert new_org().ask("GET", "/sobjects/Quote/describe").status == 404
    org = with_switches(new_org, quotes=True)
    body, fields = described(org, "Quote")
    assert (body["keyPrefix"], fields["OpportunityId"]["referenceTo"]) == ("0Q0", ["Opportunity"])
    names = [child["childSObject"] for child in described(org, "Opportunity")[0]["childRelationships"]]
    assert "Quote" in names


# -- picklists -------------------------------------------------------------------------------------------
def test_dependent_picklists(new_org: NewOrg) -> None:
    country = CustomField("Country__c", type="picklist", values=("France", "Spain", "Italy"))
    city = CustomField(
        "City__c",
        type="picklist",
        values=("Paris", "Lyon", "Madrid"),
        controller="Country__c",
        valid_for={"Paris": ("France",), "Lyon": ("France", "Italy"), "Madrid": ("Spain",)},
    )
    vip = CustomField("Vip__c", type="boolean")
    table = CustomField(
        "Table__c",
        type="multipicklist",
        values=("1", "2"),
        restricted=False,
        controller="Vip__c",
        valid_for={"1": ("true",), "2": ("true", "false")},
    )
    org = with_switches(new_org, custom_fields={"Account": (country, city, vip, table)})
    field = described(org, "Account")[1]["City__c"]
    assert (field["dependentPicklist"], field["controllerName"]) == (True, "Country__c")
    bits = [base64.b64decode(value["validFor"])[0] for value in field["picklistValues"]]
    assert bits == [0b10000000, 0b10100000, 0b01000000]
    flags = described(org, "Account")[1]["Table__c"]["picklistValues"]
    assert [base64.b64decode(value["validFor"])[0] for value in flags] == [0b01000000, 0b11000000]

    org.make("Account", Name="A", Country__c="france", City__c="PARIS")
    org.make("Account", Name="A", Vip__c=True, Table__c="1;2")
    org.make("Account", Name="A", Table__c="2;other")
    bad = "bad value for restricted picklist field"
    for values, message in (
        ({"Country__c": "Spain", "City__c": "Paris"}, f"City: {bad}: Paris"),
        ({"City__c": "Paris"}, f"City: {bad}: Paris"),
        ({"Country__c": "Spain", "City__c": "Rome"}, f"City: {bad}: Rome"),
        ({"Table__c": "2;1"}, f"Table: {bad}: 2;1"),
    ):
        assert org.refused("POST", "/sobjects/Account", {"Name": "A", **values}) == (400, RESTRICTED, message)

    path = "/ui-api/object-info/Account/picklist-values/012000000000000AAA"
    one = org.json("GET", f"{path}/City__c")
    assert one["controllerValues"] == {"France": 0, "Spain": 1, "Italy": 2}
    assert [(value["value"], value["validFor"]) for value in one["values"]] == [
        ("Paris", [0]),
        ("Lyon", [0, 2]),
        ("Madrid", [1]),
    ]
    assert org.json("GET", f"{path}/Table__c")["controllerValues"] == {"false": 0, "true": 1}
    every = org.json("GET", path)["picklistFieldValues"]
    assert every["City__c"] == one and every["Type"]["values"][0] == {
        "attributes": None,
        "label": "Prospect",
        "validFor": [],
        "value": "Prospect",
    }
    assert every["Type"]["controllerValues"] == {} and every["Type"]["defaultValue"] is None
    for wrong in (f"{path}/Name", f"{path}/Nope", path.replace("012000000000000AAA", "0127e0000000009")):
        assert org.refused("GET", wrong)[:2] == (404, "NOT_FOUND")


def test_record_types(new_org: NewOrg) -> None:
    tier = CustomField("Tier__c", type="picklist", values=("Gold", "Silver"))
    types = (RecordTypeOf("New Business", {"Tier__c": ("Gold",)}), RecordTypeOf("Renewal", default=True))
    org = with_switches(
        new_org,
        custom_fields={"Opportunity": (tier,)},
        record_types={"Opportunity": types, "Account": (RecordTypeOf("Partner"),)},
    )
    body, fields = described(org, "Opportunity")
    names = ("name", "developerName", "defaultRecordTypeMapping")
    assert [[each[name] for name in names] for each in body["recordTypeInfos"]] == [
        ["New Business", "New_Business", False],
        ["Renewal", "Renewal", True],
        ["Master", "Master", False],
    ]
    assert fields["RecordTypeId"]["referenceTo"] == ["RecordType"]
    assert "RecordTypeId" not in described(org, "Contact")[1]
    new, renewal = (each["recordTypeId"] for each in body["recordTypeInfos"][:2])
    rows = org.query("SELECT Id FROM RecordType WHERE SobjectType = 'Opportunity' AND IsActive = true")
    assert [row["Id"] for row in rows["records"]] == [new, renewal]

    deal = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-01-01"}
    id = org.make("Opportunity", **deal, RecordTypeId=new[:15], Tier__c="Gold")
    assert org.json("GET", f"/sobjects/Opportunity/{id}")["RecordTypeId"] == new
    refused = org.refused("POST", "/sobjects/Opportunity", {**deal, "RecordTypeId": new, "Tier__c": "Silver"})
    assert refused == (400, RESTRICTED, "Tier: bad value for restricted picklist field: Silver")
    # Who names none gets the user's default one.
    usual = org.make("Opportunity", **deal, Tier__c="Silver")
    assert org.json("GET", f"/sobjects/Opportunity/{usual}")["RecordTypeId"] == renewal
    master = org.make("Opportunity", **deal, RecordTypeId="012000000000000AAA")
    assert org.json("GET", f"/sobjects/Opportunity/{master}")["RecordTypeId"] is None
    partner = org.query("SELECT Id FROM RecordType WHERE SobjectType = 'Account'")["records"][0]["Id"]
    for wrong in (partner, "0128M0000004HVOQA2"):
        assert org.refused("POST", "/sobjects/Opportunity", {**deal, "RecordTypeId": wrong}) == (
            400,
            "INVALID_CROSS_REFERENCE_KEY",
            f"Record Type ID: this ID value isn't valid for the user: {wrong}",
        )
    path = f"/ui-api/object-info/Opportunity/picklist-values/{new}/Tier__c"
    assert [value["value"] for value in org.json("GET", path)["values"]] == ["Gold"]


# -- rules -----------------------------------------------------------------------------------------------
def test_validation_rules(new_org: NewOrg) -> None:
    rules = (
        ValidationRule("Opportunity", "Amount", (None,), "Please contact your administrator.", "Amount"),
        ValidationRule("opportunity", "StageName", ("Closed Lost",), "Tell why."),
    )
    org = with_switches(new_org, validation_rules=rules)
    deal = {"Name": "D", "StageName": "Closed Lost", "CloseDate": "2026-01-01"}
    assert org.ask("POST", "/sobjects/Opportunity", deal).json() == [
        {
            "message": "Please contact your administrator.",
            "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "fields": ["Amount"],
        },
        {"message": "Tell why.", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": []},
    ]
    id = org.make("Opportunity", **{**deal, "StageName": "Prospecting", "Amount": 1})
    assert org.ask("PATCH", f"/sobjects/Opportunity/{id}", {"Amount": None}).status == 400


@pytest.mark.parametrize(
    ("moment", "call", "done"),
    [
        ("before insert", "BeforeInsert", []),
        ("after insert", "AfterInsert", []),
        ("before update", "BeforeUpdate", ["A"]),
        ("after update", "AfterUpdate", ["A"]),
    ],
)
def test_triggers_that_fail(new_org: NewOrg, moment: Any, call: str, done: list[str]) -> None:
    org = with_switches(new_org, failing_triggers=(FailingTrigger("Account", "Guard", moment),))
    text = "System.NullPointerException: Attempt to de-reference a null object"
    refused = (
        400,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        f"Guard: execution of {call}\n\ncaused by: {text}\n\n(): Guard",
    )
    if "insert" in moment:
        assert org.refused("POST", "/sobjects/Account", {"Name": "A"}) == refused
    else:
        id = org.make("Account", Name="A")
        assert org.refused("PATCH", f"/sobjects/Account/{id}", {"Name": "B"}) == refused
    assert org.column("SELECT Name FROM Account") == done
    org.make("Contact", LastName="B")


def test_a_part_of_a_request_that_fails_late_leaves_nothing(new_org: NewOrg) -> None:
    org = with_switches(new_org, failing_triggers=(FailingTrigger("Account", "Guard", "after insert"),))
    home = "/services/data/v66.0/sobjects"
    requests = [
        {"method": "POST", "url": f"{home}/Account", "referenceId": "a", "body": {"Name": "A"}},
        {"method": "POST", "url": f"{home}/Contact", "referenceId": "b", "body": {"LastName": "B"}},
    ]
    answer = org.json("POST", "/composite", {"allOrNone": False, "compositeRequest": requests})
    assert [part["httpStatusCode"] for part in answer["compositeResponse"]] == [400, 201]
    assert org.live == {"Contact": 1}


def test_duplicate_rules(new_org: NewOrg) -> None:
    alert = DuplicateRule("Contact", ("LastName", "Email"), "Contacts_DR")
    org = with_switches(new_org, duplicate_rules=(alert,))
    person = {"LastName": "Bell", "Email": "b@example.com"}
    first = org.make("Contact", **person)
    answer = org.ask("POST", "/sobjects/Contact", {**person, "LastName": "BELL"})
    url = f"/services/data/v66.0/sobjects/Contact/{first}"
    record = {"attributes": {"type": "Contact", "url": url}, "Id": first}
    match = {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100, "record": record}
    told = {
        "allowSave": True,
        "duplicateRule": "Contacts_DR",
        "duplicateRuleEntityType": "Contact",
        "errorMessage": "Use one of these records?",
        "matchResults": [
            {
                "entityType": "Contact",
                "errors": [],
                "matchEngine": "ExactMatchEngine",
                "matchRecords": [match],
                "rule": "Contact_MR",
                "size": 1,
                "success": True,
            }
        ],
    }
    error = {"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?"}
    assert (answer.status, answer.json()) == (400, [{"duplicateResut": told, **error}])
    org.behaviour.salesforce.duplicate_result_spelled_right = True
    details = {"Sforce_Duplicate_Rule_Header": "includeRecordDetails=true"}
    [refused] = org.ask("POST", "/sobjects/Contact", person, **details).json()
    found = refused["duplicateResult"]["matchResults"][0]["matchRecords"][0]["record"]
    assert found == {**record, "Name": "Bell", "Email": "b@example.com", "Phone": None}
    # In a collection no matches are told.
    records = [{"attributes": {"type": "Contact"}, **person}]
    [row] = org.json("POST", "/composite/sobjects", {"records": records})
    assert row["errors"] == [
        {"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []}
    ]
    header = {"Sforce_Duplicate_Rule_Header": "allowSave=true; runAsCurrentUser=true"}
    assert org.ask("POST", "/sobjects/Contact", person, **header).status == 201
    org.make("Contact", LastName="Bell")
    assert org.ask("PATCH", f"/sobjects/Contact/{first}", {"Phone": "1"}).status == 400
    org.behaviour.salesforce.duplicate_rules = (DuplicateRule("Contact", ("Email",), blocks=True),)
    [refused] = org.ask("POST", "/sobjects/Contact", person, **header).json()
    assert refused["duplicateResult"]["allowSave"] is False
    for _ in range(2):
        org.make("Contact", LastName="Without an address")


def test_locked_rows(org: Org) -> None:
    account = org.make("Account", Name="A")
    contact = org.make("Contact", LastName="B", AccountId=account)
    org.behaviour.salesforce.locked = frozenset({account})
    message = f"unable to obtain exclusive access to this record or 1 records: {account[:15]}"
    locked = (400, "UNABLE_TO_LOCK_ROW", message)
    assert org.refused("PATCH", f"/sobjects/Account/{account}", {"Name": "B"}) == locked
    assert org.refused("POST", "/sobjects/Contact", {"LastName": "C", "AccountId": account}) == locked
    assert org.refused("PATCH", f"/sobjects/Contact/{contact}", {"LastName": "C"}) == locked
    assert org.refused("DELETE", f"/sobjects/Account/{account}") == locked
    org.make("Contact", LastName="D")
    org.behaviour.salesforce.locked = frozenset({contact[:15]})
    assert org.refused("DELETE", f"/sobjects/Account/{account}")[1] == "UNABLE_TO_LOCK_ROW"


def test_parents_out_of_reach(org: Org) -> None:
    org.behaviour.salesforce.missing_parents_are_out_of_reach = True
    body = {"LastName": "B", "AccountId": "0015e00000tW1f0"}
    assert org.refused("POST", "/sobjects/Contact", body) == (
        400,
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "insufficient access rights on cross-reference id: 0015e00000tW1f0",
    )


def test_another_org(new_org: NewOrg) -> None:
    org = with_switches(
        new_org,
        organization_name="Acme",
        is_sandbox=False,
        organization_type="Enterprise Edition",
        trial_expires="2026-12-31T00:00:00.000+0000",
        organization_number=7,
    )
    fields = "Id, Name, IsSandbox, OrganizationType, TrialExpirationDate"
    [row] = org.query(f"SELECT {fields} FROM Organization LIMIT 1")["records"]
    assert list(row.values())[1:] == [
        "00D7e0000000007EAA",
        "Acme",
        False,
        "Enterprise Edition",
        "2026-12-31T00:00:00.000+0000",
    ]
    assert org.api.tokens()["application"].startswith("00D7e0000000007!AQ")
