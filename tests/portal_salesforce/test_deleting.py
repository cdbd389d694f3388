"""Deletes: what goes with a row, what stops it, and what only loses its lookup."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_crmseed.portal import Behaviour
from pytest_crmseed.portal.salesforce.behaviour import (
    CustomField,
    CustomObject,
    FailingTrigger,
    SalesforceBehaviour,
)

Org = Any
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-05-31"}


def test_an_account_takes_its_people_and_deals_along(org: Org) -> None:
    account, parent = org.make("Account", Name="A"), org.make("Account", Name="P")
    child = org.make("Account", Name="C", ParentId=account)
    contact = org.make("Contact", LastName="B", AccountId=account)
    deal = org.make("Opportunity", **DEAL, AccountId=account)
    role = org.make("OpportunityContactRole", OpportunityId=deal, ContactId=contact)
    task = org.make("Task", WhatId=account)
    event = org.make("Event", WhoId=contact, ActivityDate="2026-01-01", IsAllDayEvent=True)
    order = org.make(
        "Order", AccountId=account, EffectiveDate="2026-01-01", Status="Draft", BillToContactId=contact
    )
    org.delete("Account", account)
    assert org.live == {"Account": 2}
    assert org.json("GET", f"/sobjects/Account/{child}")["ParentId"] is None
    assert org.json("GET", f"/sobjects/Account/{parent}")["ParentId"] is None
    gone = {
        "Contact": contact,
        "Opportunity": deal,
        "OpportunityContactRole": role,
        "Task": task,
        "Event": event,
    }
    for name, id in {**gone, "Order": order}.items():
        refused = org.refused("DELETE", f"/sobjects/{name}/{id}")
        assert refused == (404, "ENTITY_IS_DELETED", "entity is deleted")
    text = "SELECT Id FROM Contact WHERE IsDeleted = true"
    assert org.column(text, "Id", resource="queryAll") == [contact]


def test_cases_hold_their_account_and_contact(org: Org) -> None:
    account = org.make("Account", Name="Acorn")
    contact = org.make("Contact", LastName="Bell", AccountId=account)
    cases = [org.make("Case", ContactId=contact) for _ in range(2)]
    numbers = ", ".join(org.json("GET", f"/sobjects/Case/{id}")["CaseNumber"] for id in cases)
    for name, id, label in (("Contact", contact, "Bell"), ("Account", account, "Acorn")):
        assert org.refused("DELETE", f"/sobjects/{name}/{id}") == (
            400,
            "DELETE_FAILED",
            f"Your attempt to delete {label} could not be completed because it is associated with the"
            " following"
            f" cases.: {numbers}\n",
        )
    assert org.live == {"Account": 1, "Case": 2, "Contact": 1}
    for id in cases:
        org.delete("Case", id)
    org.delete("Account", account)
    assert org.live == {}


def test_a_row_that_only_loses_its_lookup_is_changed(org: Org) -> None:
    campaign = org.make("Campaign", Name="Spring")
    child = org.make("Campaign", Name="Late spring", ParentId=campaign)
    org.clock.advance(60)
    org.delete("Campaign", campaign)
    row = org.json("GET", f"/sobjects/Campaign/{child}")
    assert (row["ParentId"], row["SystemModstamp"]) == (None, "2026-01-01T00:01:00.000+0000")


def test_custom_lookups_and_masters(new_org: Any) -> None:
    fields = (
        CustomField(
            "Master__c",
            type="reference",
            references=("Account",),
            child_relationship="Details__r",
            cascade=True,
        ),
        CustomField("Loose__c", type="reference", references=("Contact",)),
        CustomField("Held__c", type="reference", references=("Lead",), restrict=True),
    )
    org = new_org(
        Behaviour(salesforce=SalesforceBehaviour(custom_objects=(CustomObject("Detail__c", fields=fields),)))
    )
    account, contact = org.make("Account", Name="A"), org.make("Contact", LastName="B")
    lead = org.make("Lead", LastName="C", Company="D")
    detail = org.make("Detail__c", Master__c=account, Loose__c=contact, Held__c=lead, Name="Item")
    assert org.refused("DELETE", f"/sobjects/Lead/{lead}")[2] == (
        "Your attempt to delete C could not be completed because it is associated with the following"
        " details.: Item\n"
    )
    org.delete("Contact", contact)
    assert org.json("GET", f"/sobjects/Detail__c/{detail}")["Loose__c"] is None
    [child] = [
        each
        for each in org.json("GET", "/sobjects/Account/describe")["childRelationships"]
        if each["childSObject"] == "Detail__c"
    ]
    assert (child["relationshipName"], child["cascadeDelete"], child["field"]) == (
        "Details__r",
        True,
        "Master__c",
    )
    org.delete("Account", account)
    org.delete("Lead", lead)
    assert org.live == {}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_deleted_nothing_live_refers_to_it(new_org: Any, data: st.DataObject) -> None:
    """Rows refer to each other at random; deletes leave no lookup to what is gone."""
    org = new_org()
    made: dict[str, list[str]] = {"Account": [], "Contact": [], "Opportunity": [], "Task": [], "Case": []}
    lookups = {
        "Account": {"ParentId": "Account"},
        "Contact": {"AccountId": "Account", "ReportsToId": "Contact"},
        "Opportunity": {"AccountId": "Account", "ContactId": "Contact"},
        "Task": {"WhoId": "Contact", "WhatId": "Opportunity"},
        "Case": {"ContactId": "Contact", "ParentId": "Case"},
    }
    values: dict[str, dict[str, str]] = {
        "Account": {"Name": "A"},
        "Contact": {"LastName": "B"},
        "Opportunity": DEAL,
        "Task": {},
        "Case": {},
    }
    for name in data.draw(st.lists(st.sampled_from(sorted(made)), max_size=12)):
        chosen = dict(values[name])
        for field, target in lookups[name].items():
            if made[target] and data.draw(st.booleans()):
                chosen[field] = data.draw(st.sampled_from(made[target]))
        made[name].append(org.make(name, **chosen))
    for name, id in data.draw(st.permutations([(each, id) for each in made for id in made[each]])):
        answer = org.ask("DELETE", f"/sobjects/{name}/{id}")
        if answer.status != 204:
            assert answer.json()[0]["errorCode"] in ("DELETE_FAILED", "ENTITY_IS_DELETED")
        live = {id for each in made for id in org.column(f"SELECT Id FROM {each}", "Id")}
        for each, of in lookups.items():
            for row in org.query(f"SELECT {', '.join(of)} FROM {each}")["records"]:
                assert {row[field] for field in of} - {None} <= live


def test_a_delete_within_a_trigger_that_fails_undoes_all(new_org: Any) -> None:
    org = new_org()
    account = org.make("Account", Name="A")
    org.make("Contact", LastName="B", AccountId=account)
    org.behaviour.salesforce.failing_triggers = (FailingTrigger("Contact", "Keep", "before delete", "no"),)
    assert org.refused("DELETE", f"/sobjects/Account/{account}") == (
        400,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "Keep: execution of BeforeDelete\n\ncaused by: no\n\n(): Keep",
    )
    assert org.live == {"Account": 1, "Contact": 1}


def test_what_was_deleted_and_changed_is_listed(org: Org) -> None:
    ids = [org.make("Account", Name=name) for name in "AB"]
    org.clock.advance(60)
    org.delete("Account", ids[0])
    span = "?start=2026-01-01T00:00:30%2B00:00&end=2026-01-01T01:00:00+00:00"
    assert org.json("GET", f"/sobjects/Account/deleted/{span}") == {
        "deletedRecords": [{"id": ids[0], "deletedDate": "2026-01-01T00:01:00.000+0000"}],
        "earliestDateAvailable": "2025-12-17T00:01:00.000+0000",
        "latestDateCovered": "2026-01-01T01:00:00.000+0000",
    }
    assert org.json("GET", f"/sobjects/Account/updated{span}")["ids"] == []
    assert org.ask("PATCH", f"/sobjects/Account/{ids[1]}", {"Name": "C"}).status == 204
    assert org.json("GET", f"/sobjects/Account/updated{span}")["ids"] == [ids[1]]


@pytest.mark.parametrize(
    ("span", "code", "message"),
    [
        ("", "JSON_PARSER_ERROR", "start and end are moments such as 2026-01-01T00:00:00+00:00"),
        (
            "?start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z",
            "INVALID_REPLICATION_DATE",
            "endDate must be greater than startDate",
        ),
    ],
)
def test_spans_that_are_none(org: Org, span: str, code: str, message: str) -> None:
    assert org.refused("GET", f"/sobjects/Account/deleted{span}") == (400, code, message)
