"""Accounts that are people: an account and its contact, made, changed and deleted as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.portal import Behaviour
from pytest_crmseed.portal.salesforce.behaviour import CustomField, RecordTypeOf, SalesforceBehaviour

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reference" / "describe" / "salesforce"
RECORDED = FOLDER / "Account.describe.person-accounts.v59.cumulusci.json"

TITLE = CustomField("Nickname__c", length=40)


@pytest.fixture(scope="module")
def org(new_org: Any) -> Any:
    switches = SalesforceBehaviour(person_accounts=True, custom_fields={"Contact": (TITLE,)})
    return new_org(Behaviour(salesforce=switches))


@pytest.fixture(scope="module")
def types(org: Any) -> dict[str, str]:
    infos = org.json("GET", "/sobjects/Account/describe")["recordTypeInfos"]
    return {each["developerName"]: each["recordTypeId"] for each in infos}


def account(org: Any, id: str) -> Any:
    return org.json("GET", f"/sobjects/Account/{id}")


def contact(org: Any, of: str) -> Any:
    return org.json("GET", f"/sobjects/Contact/{account(org, of)['PersonContactId']}")


@pytest.fixture
def doe(org: Any, types: dict[str, str]) -> str:
    id: str = org.make(
        "Account",
        FirstName="Jo",
        LastName="Doe",
        PersonEmail="jo@example.com",
        PersonMailingCity="Reno",
        Phone="1",
        Nickname__pc="J",
        RecordTypeId=types["PersonAccount"],
    )
    return id


@pytest.mark.skipif(not RECORDED.is_file(), reason=f"no recording at {RECORDED}")
def test_fields_are_described_as_in_a_recorded_org(org: Any) -> None:
    recorded = {each["name"]: each for each in json.loads(RECORDED.read_text("utf-8"))["fields"]}
    answer = org.ask("GET", "/services/data/v59.0/sobjects/Account/describe")
    ours = {each["name"]: each for each in answer.json()["fields"]}
    of_people = [name for name in recorded if name.startswith("Person") or name.endswith("Name")]
    assert {"PersonContactId", "IsPersonAccount", "LastName", "Salutation"} <= ours.keys()
    assert len(of_people) == 42
    for name in [*of_people, "IsPersonAccount", "Salutation"]:
        assert ours[name] == recorded[name]


def test_record_types_say_which_are_of_people(org: Any, types: dict[str, str]) -> None:
    rows = org.query("SELECT Id, DeveloperName, IsPersonType FROM RecordType WHERE SobjectType = 'Account'")
    found = {row["DeveloperName"]: (row["Id"], row["IsPersonType"]) for row in rows["records"]}
    assert found == {
        "Business_Account": (types["Business_Account"], False),
        "PersonAccount": (types["PersonAccount"], True),
    }


def test_a_person_is_an_account_and_a_contact(org: Any, doe: str) -> None:
    row, own = account(org, doe), contact(org, doe)
    assert (row["Name"], row["IsPersonAccount"], row["PersonEmail"]) == ("Jo Doe", True, "jo@example.com")
    assert (own["Name"], own["IsPersonAccount"], own["AccountId"]) == ("Jo Doe", True, doe)
    assert (own["Email"], own["MailingCity"], own["Phone"]) == ("jo@example.com", "Reno", "1")
    assert own["Nickname__c"] == row["Nickname__pc"] == "J"
    assert (own["OwnerId"], own["Title"]) == (row["OwnerId"], None)
    # A deal and a case of the person's are as of any.
    org.make("Case", AccountId=doe, ContactId=own["Id"])


def test_each_changes_with_the_other(org: Any, doe: str) -> None:
    own = contact(org, doe)["Id"]
    assert (
        org.ask("PATCH", f"/sobjects/Account/{doe}", {"LastName": "Roe", "PersonTitle": "Boss"}).status == 204
    )
    assert (contact(org, doe)["Name"], contact(org, doe)["Title"]) == ("Jo Roe", "Boss")
    assert org.ask("PATCH", f"/sobjects/Contact/{own}", {"FirstName": "Al", "Email": None}).status == 204
    row = account(org, doe)
    assert (row["FirstName"], row["Name"], row["PersonEmail"]) == ("Al", "Al Roe", None)
    assert (row["PersonTitle"], row["Nickname__pc"]) == ("Boss", "J")


def test_a_deleted_person_takes_its_contact_along(org: Any, doe: str) -> None:
    own = contact(org, doe)["Id"]
    assert org.refused("DELETE", f"/sobjects/Contact/{own}") == (
        400,
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "insufficient access rights on object id",
    )
    org.delete("Account", doe)
    assert org.ask("GET", f"/sobjects/Contact/{own}").status == 404


def test_each_kind_has_its_own_fields(org: Any, types: dict[str, str], doe: str) -> None:
    bad = "Account: bad field names on insert/update call: "
    code = "INVALID_FIELD_FOR_INSERT_UPDATE"
    person = {"RecordTypeId": types["PersonAccount"]}

    def refused(**values: Any) -> Any:
        return org.refused("POST", "/sobjects/Account", values)

    assert refused(Name="Doe", LastName="Doe", **person) == (400, code, f"{bad}Name")
    assert refused(Name="Acme", LastName="Doe") == (400, code, f"{bad}LastName")
    assert refused(Name="Acme", PersonEmail="a@example.com", Nickname__pc="x") == (
        400,
        code,
        f"{bad}Nickname__pc, PersonEmail",
    )
    assert refused(FirstName="Jo", **person)[1:] == (
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [LastName]",
    )
    assert refused(Phone="1")[1:] == ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]")
    assert org.refused("PATCH", f"/sobjects/Account/{doe}", {"Name": "x"}) == (400, code, f"{bad}Name")
    own = contact(org, doe)["Id"]
    company = org.make("Account", Name="Acme")
    moved = org.refused("PATCH", f"/sobjects/Contact/{own}", {"AccountId": company})
    assert moved == (400, code, f"{bad}AccountId")
    more = org.refused("POST", "/sobjects/Contact", {"LastName": "Two", "AccountId": doe})
    assert more[1] == "FIELD_INTEGRITY_EXCEPTION"
    turned = org.ask("PATCH", f"/sobjects/Account/{doe}", {"RecordTypeId": types["Business_Account"]})
    assert turned.status == 501
    assert (account(org, company)["IsPersonAccount"], account(org, company)["PersonContactId"]) == (
        False,
        None,
    )


def test_the_org_s_own_record_types_may_make_people_by_themselves(new_org: Any) -> None:
    own = (RecordTypeOf("Client", default=True, person=True), RecordTypeOf("Firm"))
    org = new_org(
        Behaviour(salesforce=SalesforceBehaviour(person_accounts=True, record_types={"Account": own}))
    )
    assert account(org, org.make("Account", LastName="Doe"))["IsPersonAccount"] is True
    bad = org.refused("POST", "/sobjects/Account", {"Name": "Acme"})
    assert bad[2] == "Account: bad field names on insert/update call: Name"


def test_without_them_nothing_tells_of_them(new_org: Any) -> None:
    org = new_org()
    names = {each["name"] for each in org.json("GET", "/sobjects/Account/describe")["fields"]}
    assert not {"IsPersonAccount", "LastName", "PersonEmail"} & names
    assert org.unasked("SELECT IsPersonType FROM RecordType")[1] == "INVALID_FIELD"
