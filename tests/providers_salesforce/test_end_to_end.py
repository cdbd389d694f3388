"""Every object type of Salesforce, seeded through the engine, read back, and removed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_crmseed.errors import OutcomeUnknown, RecordsRefused
from pytest_crmseed.planning import count
from pytest_crmseed.providers.base import Answer
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.providers.salesforce.capabilities import KEY
from pytest_crmseed.records import ref

OBJECT_TYPES = list(Salesforce.legend.objects)


@pytest.mark.parametrize("name", OBJECT_TYPES)
def test_an_object_type_is_seeded_as_the_factory_meant_it_and_removed(bench: Any, name: str) -> None:
    records = bench.seed({name: 3}).records
    assert len(records[name]) == 3
    for record in records[name]:
        made = dict(record)
        assert made
        reloaded = dict(record.reload())
        assert {field: reloaded[field] for field in made} == made
    result = bench.engine.clean()
    assert (result.left, result.errors) == ([], [])
    assert bench.org.counts == {}
    assert bench.ledger.live("run1") == []


def test_ten_deals_take_one_write(bench: Any) -> None:
    seed = bench.seed({"deals": 10})
    assert len(bench.org.writes) == 1
    assert bench.org.counts == {
        "Account": 1,
        "Contact": 1,
        "Opportunity": 10,
        "OpportunityContactRole": 10,
    }
    account, contact = seed.records.companies[0], seed.records.contacts[0]
    for deal in seed.records.deals:
        assert deal.native["AccountId"] == account.id
        assert deal["stage"] in ("new", "qualified", "proposal", "negotiation", "closed_won", "closed_lost")
    for role in bench.org.rows["OpportunityContactRole"].values():
        assert (role["ContactId"], role["IsPrimary"]) == (contact.id, True)
    assert bench.engine.clean().complete
    assert bench.org.counts == {}


def test_all_object_types_at_once_are_linked_as_the_plan_says(bench: Any) -> None:
    records = bench.seed(dict.fromkeys((*OBJECT_TYPES, "OrderItem", "CampaignMember"), 2)).records
    for record in records:
        for link in record.links:
            home = Salesforce.links[record.object_type][link.field].home
            if home == "PricebookEntryId":
                entry = bench.org.rows["PricebookEntry"][record.native[home]]
                assert (entry["Product2Id"], entry["Pricebook2Id"]) == (link.id, bench.org.book)
            elif home and not (home == "WhatId" and link.field == "company"):
                assert record.native[home] == link.id, (record, link)
    # What an activity is about is one thing: the deal, whose company it is.
    assert {task.native["WhatId"] for task in records.tasks} == {deal.id for deal in records.deals}
    assert all(order["Pricebook2Id"] == bench.org.book for order in records.orders)
    result = bench.engine.clean()
    assert (result.left, result.errors) == ([], [])
    assert bench.org.counts == {}


def test_notes_calls_and_tasks_are_tasks_of_different_kinds(bench: Any) -> None:
    records = bench.seed({"notes": 1, "calls": 1, "tasks": 1}).records
    rows = bench.org.rows["Task"]
    (note,), (call,), (task,) = records.notes, records.calls, records.tasks
    assert (rows[note.id]["Status"], "TaskSubtype" in rows[note.id]) == ("Completed", False)
    assert (rows[call.id]["Status"], rows[call.id]["TaskSubtype"]) == ("Completed", "Call")
    assert "TaskSubtype" not in rows[task.id]
    connection, provider = bench.connection, bench.target.provider
    # All are found by any of the three; whose each is, its key says.
    for name in ("notes", "calls", "tasks"):
        assert connection.run(provider.marked(name)).keys() == {note.id, call.id, task.id}
    assert connection.run(provider.marked("notes"))[note.id] == note.key


def test_a_contact_s_part_in_a_deal_is_its_role(bench: Any) -> None:
    contacts = [ref("contacts", 1, label="decision_maker"), ref("contacts", 0)]
    seed = bench.seed({"contacts": 2, "deals": count(2, contacts=contacts)})
    roles = [
        (row["OpportunityId"], row["ContactId"], row.get("Role"), row["IsPrimary"])
        for row in bench.org.rows["OpportunityContactRole"].values()
    ]
    first, second = seed.records.contacts
    assert roles == [
        role
        for deal in seed.records.deals
        for role in ((deal.id, second.id, "Decision Maker", True), (deal.id, first.id, None, False))
    ]


def test_a_product_has_its_price_in_the_standard_price_book(bench: Any) -> None:
    (product,) = bench.seed({"products": count(1, price="19.90")}).records.products
    (entry,) = bench.org.rows["PricebookEntry"].values()
    assert (entry["UnitPrice"], entry["IsActive"], entry["Pricebook2Id"]) == (19.9, True, bench.org.book)
    assert str(product["price"]) == "19.9"
    assert [request.path for request in bench.org.writes] == ["/services/data/v66.0/composite"]
    # The price book is asked for once.
    bench.seed({"products": 1})
    parts = bench.org.writes[-1].body["compositeRequest"]
    assert [part["referenceId"] for part in parts] == ["records", "companions0"]


def test_two_thousand_records_take_no_more_requests_than_their_batches(bench: Any) -> None:
    counts = {"companies": 400, "contacts": 600, "deals": 600, "products": 100, "line_items": 300}
    seed = bench.seed(counts)
    assert bench.engine.demand([seed.plan]).cost.writes == len(bench.org.writes) == 2 + 3 + 3 + 1 + 2
    before = len(bench.org.requests)
    result = bench.engine.clean()
    assert (result.removed, result.left) == (2000, [])
    assert len(bench.org.requests) - before == 2 * 11
    assert bench.org.counts == {}


# -- when things go wrong ------------------------------------------------------------------------------
def test_records_whose_answer_was_lost_are_found_by_key_and_not_made_twice(bench: Any) -> None:
    def lose(request: Any) -> None:
        if request.effect.value == "create" and request.what == "create 3 products":
            bench.org.after.clear()
            raise OutcomeUnknown("lost")

    bench.org.after.append(lose)
    records = bench.seed({"products": 3, "line_items": 3}).records
    assert bench.org.counts["Product2"] == bench.org.counts["PricebookEntry"] == 3
    # Line items refer to entries that were made by the lost request.
    assert all("PricebookEntryId" in item.native for item in records.line_items)
    assert bench.engine.clean().complete
    assert bench.org.counts == {}


def test_records_that_were_never_made_are_sent_again(bench: Any) -> None:
    def lose(request: Any) -> None:
        if request.effect.value == "create":
            bench.org.faults.clear()
            raise OutcomeUnknown("lost")

    bench.org.faults.append(lose)
    bench.seed({"companies": 3})
    assert bench.org.counts == {"Account": 3}
    assert bench.slept == [10.0]
    # By our key: should the first request come after all, it makes none twice.
    assert [(request.method, request.path.partition("/composite")[2]) for request in bench.org.writes] == [
        ("POST", "/sobjects"),
        ("PATCH", f"/sobjects/Account/{KEY}"),
    ]


def test_an_upsert_takes_what_came_late_for_its_own(bench: Any) -> None:
    """Lost, not there when it is looked for twice, and there when what is missing is sent again."""

    def lose(request: Any) -> Any:
        if request.effect.value == "create" and not late:
            late.append(request)
            raise OutcomeUnknown("lost")
        if request.method == "PATCH" and len(late) == 1:
            late.append(request)
            bench.org.handle("POST", late[0].path, {}, late[0].body)
        return None

    late: list[Any] = []
    bench.org.faults.append(lose)
    seed = bench.seed({"contacts": 3})
    assert bench.org.counts == {"Contact": 3}
    assert {contact.id for contact in seed.records.contacts} == set(bench.org.rows["Contact"])
    # One look more than the two that found nothing would be one for a conflict.
    reads = [request.what for request in bench.org.requests if request.what == "read 3 contacts"]
    assert len(reads) == 2 + 1
    assert bench.engine.clean().complete
    assert bench.org.counts == {}


def test_what_has_companions_is_not_sent_again_by_upsert(bench: Any) -> None:
    def lose(request: Any) -> None:
        if request.effect.value == "create":
            bench.org.faults.clear()
            raise OutcomeUnknown("lost")

    bench.org.faults.append(lose)
    bench.seed({"products": 2})
    assert [request.method for request in bench.org.writes] == ["POST", "POST"]
    assert (bench.org.counts["Product2"], bench.org.counts["PricebookEntry"]) == (2, 2)


def test_a_product_without_its_price_is_no_product(bench: Any) -> None:
    def no_price(row: Any) -> Any:
        if row["attributes"]["type"] == "PricebookEntry" and row["UnitPrice"] == 5:
            error = {"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Too cheap.", "fields": []}
            return {"success": False, "errors": [error]}
        return None

    bench.org.row_faults.append(no_price)
    with pytest.raises(RecordsRefused) as refused:
        bench.seed({"products": count(2, price=5)})
    text = str(refused.value)
    assert "PricebookEntry: Too cheap. [FIELD_CUSTOM_VALIDATION_EXCEPTION]" in text
    assert bench.org.counts == {}


def test_what_waits_for_somebody_s_lock_is_sent_again(bench: Any) -> None:
    locked = {
        "statusCode": "UNABLE_TO_LOCK_ROW",
        "message": "unable to obtain exclusive access to this record",
        "fields": [],
    }
    left = [None, None]

    def lock(row: Any) -> Any:
        if row["attributes"]["type"] == "Contact" and left:
            left.pop()
            return {"success": False, "errors": [locked]}
        return None

    bench.org.row_faults.append(lock)
    bench.seed({"contacts": 5})
    assert bench.org.counts == {"Contact": 5}


def test_a_batch_that_stays_locked_is_halved(bench: Any) -> None:
    def locks(request: Any) -> Any:
        rows = (request.body or {}).get("records") or ()
        if len(rows) < 3:
            return None
        error = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain", "fields": []}
        row = {"success": False, "errors": [error]}
        return Answer(200, {}, json.dumps([row] * len(rows)).encode(), request)

    bench.org.faults.append(locks)
    bench.seed({"contacts": 8})
    assert bench.org.counts == {"Contact": 8}
    sizes = [len(request.body["records"]) for request in bench.org.writes]
    # Five times as it is, then half of its bytes, and so on.
    assert sizes[:5] == [8] * 5
    assert sizes[5] <= 4
    assert sum(size for size in sizes if size < 3) == 8


def test_a_refused_record_is_told_with_the_org_s_own_words(bench: Any) -> None:
    def rule(row: Any) -> Any:
        message = "Job Title: bad value for restricted picklist field: Boss"
        code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        error = {"statusCode": code, "message": message, "fields": ["Title"]}
        return {"success": False, "errors": [error]} if row.get("Title") == "Boss" else None

    bench.org.row_faults.append(rule)
    with pytest.raises(RecordsRefused) as refused:
        bench.seed({"contacts": count(3, job_title="Boss")})
    assert str(refused.value).startswith(
        "Salesforce refused 3 contacts.\n"
        "  contacts[0].job_title (Title) = 'Boss' (and 2 more): Job Title: bad value for restricted picklist "
        "field: Boss [INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST]\n"
    )
    assert bench.org.counts == {}


def test_records_that_are_gone_already_are_as_good_as_removed(bench: Any) -> None:
    seed = bench.seed({"deals": 2, "tickets": 1})
    bench.org._delete(seed.records.deals[0].id)
    result = bench.engine.clean()
    assert (result.left, result.errors) == ([], [])
    assert bench.org.counts == {}


def test_what_somebody_else_hangs_on_to_is_told_in_the_org_s_words(bench: Any) -> None:
    seed = bench.seed({"companies": 1})
    bench.org._create({"attributes": {"type": "Case"}, "AccountId": seed.records.companies[0].id})
    result = bench.engine.clean()
    assert len(result.left) == 1
    (error,) = result.errors
    assert error.startswith(
        "companies: 1 records are still there after their deletion. Salesforce refused to "
    )
    assert "it is associated with Case. [DELETE_FAILED]" in error
