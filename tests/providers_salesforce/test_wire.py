"""Salesforce's requests, byte by byte, and what is read from its answers."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, UsageError
from pytest_crmseed.providers.base import Answer, Effect, KeyRoute, Reading, Request, Sought
from pytest_crmseed.providers.salesforce import Salesforce, soql
from pytest_crmseed.providers.salesforce.organization import kind_of
from pytest_crmseed.records import Batch, Draft, Link
from pytest_crmseed.schema import catalog

ROOT = "/services/data/v66.0"
SCHEMA = catalog.bundled("salesforce")


def answered(request: Request, body: object, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, json.dumps(body).encode(), request)


def exchanged(exchange: Generator[Request, Answer, Any], *answers: object) -> tuple[Any, list[Request]]:
    """Run an exchange on answers, or on errors; return its result and its requests."""
    requests = [next(exchange)]
    for body in answers:
        try:
            if isinstance(body, Exception):
                requests.append(exchange.throw(body))
            else:
                requests.append(exchange.send(answered(requests[-1], body)))
        except StopIteration as done:
            return done.value, requests
    raise AssertionError("the exchange goes on")


def batch_of(*drafts: Draft) -> Batch:
    return Batch(drafts[0].object_type, 1, 1, list(drafts))


# -- create ----------------------------------------------------------------------------------------
def test_a_create_is_a_collections_call_as_the_documentation_writes_it(salesforce: Salesforce) -> None:
    draft = Draft("contacts", 0, "K1", {"LastName": "Ä"}, (Link("company", "companies", index=3),))
    request = salesforce.create(batch_of(draft), {("companies", 3): "0014S000007NxmlQAC"})
    assert (request.method, request.path) == ("POST", f"{ROOT}/composite/sobjects")
    assert (request.what, request.effect, request.records) == ("create 1 contacts", Effect.CREATE, 1)
    assert request.headers == {
        "Sforce-Duplicate-Rule-Header": "allowSave=true",
        "Sforce-Auto-Assign": "false",
    }
    assert json.dumps(request.body, ensure_ascii=False, separators=(",", ":")) == (
        '{"allOrNone":false,"records":[{"attributes":{"type":"Contact"},"AccountId":"0014S000007NxmlQAC",'
        '"LastName":"Ä","crmseed_key__c":"K1"}]}'
    )


def test_a_field_that_the_caller_gives_goes_before_a_parent_nobody_named(salesforce: Salesforce) -> None:
    draft = Draft("contacts", 0, "K", {"AccountId": "001A"}, (Link("company", "companies", id="001B"),))
    assert salesforce.create(batch_of(draft), {}).body["records"][0]["AccountId"] == "001A"


def test_deals_and_their_contacts_roles_are_one_request(salesforce: Salesforce) -> None:
    links = (
        Link("contacts", "contacts", id="003A", label="Evaluator"),
        Link("contacts", "contacts", id="003B"),
    )
    request = salesforce.create(batch_of(Draft("deals", 0, "K1", {"Name": "D"}, links)), {})
    assert request.path == f"{ROOT}/composite"
    records, roles = request.body["compositeRequest"]
    assert (records["method"], records["url"]) == ("POST", f"{ROOT}/composite/sobjects")
    assert records["httpHeaders"] == request.headers
    assert records["body"]["records"] == [
        {"attributes": {"type": "Opportunity"}, "Name": "D", "crmseed_key__c": "K1"}
    ]
    assert roles["body"] == {
        "allOrNone": False,
        "records": [
            {
                "attributes": {"type": "OpportunityContactRole"},
                "Opportunity": {"crmseed_key__c": "K1"},
                "ContactId": "003A",
                "Role": "Evaluator",
                "IsPrimary": True,
            },
            {
                "attributes": {"type": "OpportunityContactRole"},
                "Opportunity": {"crmseed_key__c": "K1"},
                "ContactId": "003B",
                "IsPrimary": False,
            },
        ],
    }


def test_many_roles_are_cut_at_two_hundred_a_call(salesforce: Salesforce) -> None:
    def deals(number: int, contacts: int) -> Batch:
        links = tuple(Link("contacts", "contacts", id=f"003{i}") for i in range(contacts))
        return batch_of(*(Draft("deals", i, f"K{i}", {}, links) for i in range(number)))

    parts = salesforce.create(deals(100, 5), {}).body["compositeRequest"]
    assert [len(part["body"]["records"]) for part in parts] == [100, 200, 200, 100]
    with pytest.raises(UsageError) as refused:
        salesforce.create(deals(200, 5), {})
    assert str(refused.value) == (
        "A batch of 200 records has 1000 contacts' roles, and one request to Salesforce takes 800. Make "
        "smaller "
        "batches (--crm-batch-size 50)."
    )


def test_products_and_their_prices_are_one_request_that_finds_the_price_book(salesforce: Salesforce) -> None:
    draft = Draft("products", 0, "K1", {"Name": "P", "PricebookEntry.UnitPrice": 5})
    book, products, prices = salesforce.create(batch_of(draft), {}).body["compositeRequest"]
    assert parse_qs(urlsplit(book["url"]).query) == {
        "q": ["SELECT Id FROM Pricebook2 WHERE IsStandard = true"]
    }
    assert products["body"]["records"] == [
        {"attributes": {"type": "Product2"}, "Name": "P", "crmseed_key__c": "K1"}
    ]
    assert prices["body"]["records"] == [
        {
            "attributes": {"type": "PricebookEntry"},
            "Pricebook2Id": "@{book.records[0].Id}",
            "Product2": {"crmseed_key__c": "K1"},
            "UnitPrice": 5,
            "IsActive": True,
        }
    ]


def test_a_line_item_says_which_product_where_its_price_is_not_known(salesforce: Salesforce) -> None:
    links = (Link("deal", "deals", id="006A"), Link("product", "products", id="01tA"))
    draft = Draft("line_items", 0, "K", {"Quantity": 2, "UnitPrice": 5}, links)
    (row,) = salesforce.create(batch_of(draft), {}).body["records"]
    assert (row["OpportunityId"], row["Product2Id"], "PricebookEntryId" in row) == ("006A", "01tA", False)


@given(st.lists(st.text(max_size=30), min_size=1, max_size=4), st.integers(0, 3))
def test_a_batch_is_never_larger_than_its_drafts_say(texts: list[str], contacts: int) -> None:
    salesforce = Salesforce(SCHEMA)
    links = tuple(Link("contacts", "contacts", index=i, label="Evaluator") for i in range(contacts))
    ids = {("contacts", i): "0" * 18 for i in range(contacts)}
    for name, values in (("deals", "Name"), ("products", "Name")):
        own = links if name == "deals" else ()
        drafts = [Draft(name, i, f"K{i}", {values: text}, own) for i, text in enumerate(texts)]
        body = salesforce.create(batch_of(*drafts), ids).body
        size = len(
            json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        )
        # What stands around all of them is the composite request's own.
        assert size <= sum(map(salesforce.size, drafts)) + 1000


# -- results ---------------------------------------------------------------------------------------
def test_results_go_by_position(salesforce: Salesforce) -> None:
    drafts = [Draft("companies", i, f"K{i}", {"Name": f"A{i}"}) for i in range(2)]
    batch = batch_of(*drafts)
    request = salesforce.create(batch, {})
    # Rows of recorded answers: one that failed has no id at all.
    rows = [
        {"id": "0014S000007NxmlQAC", "success": True, "errors": []},
        {
            "success": False,
            "errors": [
                {
                    "statusCode": "REQUIRED_FIELD_MISSING",
                    "message": "Required fields are missing: [Name]",
                    "fields": ["Name"],
                }
            ],
        },
    ]
    good, bad = salesforce.results(batch, answered(request, rows))
    assert (good.id, good.ok, good.refusals) == ("0014S000007NxmlQAC", True, ())
    assert good.native == {"Name": "A0", "crmseed_key__c": "K0"}
    assert (bad.id, bad.refusals[0].field, bad.refusals[0].value) == (None, "Name", "A1")


def test_an_answer_of_another_length_leaves_all_open(salesforce: Salesforce) -> None:
    batch = batch_of(Draft("companies", 0, "K0", {}), Draft("companies", 1, "K1", {}))
    row = {"id": "0014S000007NxmlQAC", "success": True, "errors": []}
    results = salesforce.results(batch, answered(salesforce.create(batch, {}), [row]))
    assert [(result.id, result.refusals) for result in results] == [(None, ()), (None, ())]
    assert results[0].remarks == ("Salesforce's answer has not as many rows as there are records.",)


def test_a_locked_row_is_left_open_and_a_full_store_says_what_takes_how_much(salesforce: Salesforce) -> None:
    batch = batch_of(Draft("companies", 0, "K0", {}), Draft("companies", 1, "K1", {}))
    errors = [
        ("UNABLE_TO_LOCK_ROW", "unable to obtain"),
        ("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded"),
    ]
    rows = [{"success": False, "errors": [{"statusCode": c, "message": m, "fields": []}]} for c, m in errors]
    locked, full = salesforce.results(batch, answered(salesforce.create(batch, {}), rows))
    assert (locked.refusals, locked.remarks) == ((), ("unable to obtain",))
    assert full.refusals[0].message == (
        "storage limit exceeded. Most records take 2 KB of the org's data storage, campaigns 8 KB; a "
        "Developer "
        "Edition has 5 MB (about 2,500 records), a developer sandbox 200 MB. Setup, 'Storage Usage' shows "
        "what is "
        "left"
    )


# -- read, delete ----------------------------------------------------------------------------------
def queries(request: Request) -> list[str]:
    return [parse_qs(urlsplit(part["url"]).query)["q"][0] for part in request.body["compositeRequest"]]


def test_a_read_is_one_request_whatever_the_number_of_ids(salesforce: Salesforce) -> None:
    request = salesforce.read("contacts", ["003A", "003B"], ["LastName", "Id"])
    assert (request.method, request.path, request.effect) == ("POST", f"{ROOT}/composite", Effect.READ)
    assert queries(request) == [
        "SELECT Id, LastName FROM Contact WHERE Id IN ('003A')",
        "SELECT Id, LastName FROM Contact WHERE Id IN ('003B')",
    ]
    assert len(queries(salesforce.read("contacts", [f"003{i}" for i in range(200)], []))) == 4
    salesforce.routes = {"contacts": UNIQUE}
    assert queries(salesforce.read("contacts", ["003A"], ["LastName"])) == [
        "SELECT Id, crmseed_key__c, LastName FROM Contact WHERE Id IN ('003A')"
    ]


def test_records_are_found_by_key(salesforce: Salesforce) -> None:
    request = next(salesforce.find("notes", UNIQUE, [Sought("K'1")], [], since=0.0))
    assert queries(request) == [r"SELECT Id, crmseed_key__c FROM Task WHERE crmseed_key__c IN ('K\'1')"]


def test_where_the_key_stands_in_a_text_what_was_made_since_is_looked_through(salesforce: Salesforce) -> None:
    rows = [
        {"Id": "001A", "Name": "A", "Description": "Text\n\ncrmseed-1-k-1"},
        {"Id": "001B", "Name": "B", "Description": None},
        {"Id": "001C", "Name": "C", "Description": "crmseed-1-k-2"},
    ]
    found, requests = exchanged(
        salesforce.find("companies", TEXT, [Sought("crmseed-1-k-1")], ["Name"], since=1_790_000_000.0),
        {"records": rows, "done": True},
    )
    assert {key: [record.id for record in some] for key, some in found.items()} == {"crmseed-1-k-1": ["001A"]}
    assert dict(requests[0].query)["q"] == (
        "SELECT Id, Name, Description FROM Account WHERE CreatedDate >= 2026-09-21T14:13:20Z"
    )


def test_products_are_read_with_their_standard_price(salesforce: Salesforce) -> None:
    request = salesforce.read("products", ["01tA"], ["Name", "PricebookEntry.UnitPrice"])
    assert queries(request) == [
        "SELECT Id, Name, (SELECT Id, UnitPrice FROM PricebookEntries WHERE Pricebook2.IsStandard = true) "
        "FROM Product2 WHERE Id IN ('01tA')"
    ]
    entry = {"attributes": {"type": "PricebookEntry"}, "Id": "01uA", "UnitPrice": 5.5}
    nested = {"totalSize": 1, "done": True, "records": [entry]}
    row = {"attributes": {"type": "Product2"}, "Id": "01tA", "Name": "P", "PricebookEntries": nested}
    bare = {"attributes": {"type": "Product2"}, "Id": "01tB", "Name": "Q", "PricebookEntries": None}
    part = {"body": {"totalSize": 2, "done": True, "records": [row, bare]}, "httpStatusCode": 200}
    priced, unpriced = salesforce.found(answered(request, {"compositeResponse": [part]}))
    assert (priced.id, priced.native) == (
        "01tA",
        {"Id": "01tA", "Name": "P", "PricebookEntry.UnitPrice": 5.5},
    )
    assert unpriced.native == {"Id": "01tB", "Name": "Q"}
    # From now on line items of it can be made.
    draft = Draft("line_items", 0, "K", {}, (Link("product", "products", id="01tA"),))
    assert salesforce.create(batch_of(draft), {}).body["records"][0]["PricebookEntryId"] == "01uA"


def test_an_answer_that_is_cut_short_proves_nothing(salesforce: Salesforce) -> None:
    request = salesforce.read("contacts", ["003A"], [])
    part = {"body": {"totalSize": 9, "done": False, "records": []}, "httpStatusCode": 200}
    with pytest.raises(PortalError) as cut:
        salesforce.found(answered(request, {"compositeResponse": [part]}))
    assert str(cut.value) == (
        "Salesforce cut its answer short: read 1 contacts. Make smaller batches (--crm-batch-size 50)."
    )
    with pytest.raises(NotAPortal, match=r"^The address answered 200 without results to: read 1 contacts\."):
        salesforce.found(answered(request, {"ok": True}))


def test_a_delete_names_ids_and_lets_each_go_by_itself(salesforce: Salesforce) -> None:
    request = salesforce.delete("contacts", ["003A", "003B"])
    assert (request.method, request.path, request.effect) == (
        "DELETE",
        f"{ROOT}/composite/sobjects",
        Effect.DELETE,
    )
    assert request.query == (("ids", "003A,003B"), ("allOrNone", "false"))


@given(st.text(max_size=40))
def test_a_text_in_a_query_ends_where_it_should(value: str) -> None:
    written = soql.text(value)
    assert written[0] == written[-1] == "'"
    inside = written[1:-1]
    # Every quote inside is escaped, by an odd number of backslashes.
    position = inside.find("'")
    while position != -1:
        before = len(inside[:position]) - len(inside[:position].rstrip("\\"))
        assert before % 2 == 1
        position = inside.find("'", position + 1)


# -- who is there ----------------------------------------------------------------------------------
def test_the_organization_tells_who_is_there_and_how_many_requests_are_left(salesforce: Salesforce) -> None:
    exchange = salesforce.account({"SALESFORCE_INSTANCE_URL": "https://acme.my.salesforce.com/"})
    request = next(exchange)
    assert request.path == f"{ROOT}/query"
    row = {
        "Id": "00D7e0000000001EAA",
        "IsSandbox": True,
        "TrialExpirationDate": None,
        "OrganizationType": "X",
    }
    body = {"totalSize": 1, "done": True, "records": [row]}
    with pytest.raises(StopIteration) as done:
        exchange.send(answered(request, body, sforce_limit_info="api-usage=18/15000"))
    account = done.value.value
    assert (account.portal_id, account.kind, account.production) == ("00D7e0000000001EAA", "sandbox", False)
    assert (account.daily_limit, account.daily_left) == (15_000, 14_982)
    exchange = salesforce.account({})
    with pytest.raises(NotAPortal, match=r"^The address answers, but not with a Salesforce organization\."):
        exchange.send(answered(next(exchange), {"records": []}))


@pytest.mark.parametrize(
    ("sandbox", "kind", "expires", "expected"),
    [
        (True, "Enterprise Edition", None, ("sandbox", False)),
        # The recorded row is a scratch org's.
        (True, "Developer Edition", "2022-03-25T16:21:17.000+0000", ("scratch org", False)),
        (False, "Developer Edition", None, ("Developer Edition", False)),
        (False, "Enterprise Edition", "2022-03-25T16:21:17.000+0000", ("Enterprise Edition trial", None)),
        (False, "Enterprise Edition", None, ("Enterprise Edition", True)),
        (False, "", None, ("production", True)),
    ],
)
def test_only_proof_makes_an_org_no_production_org(
    sandbox: bool, kind: str, expires: str | None, expected: tuple[str, bool | None]
) -> None:
    row = {"IsSandbox": sandbox, "OrganizationType": kind, "TrialExpirationDate": expires}
    assert kind_of(row) == expected


def test_the_limit_header_is_read_and_other_answers_tell_nothing(salesforce: Salesforce) -> None:
    def readings(header: str | None) -> Any:
        request = salesforce.read("contacts", ["003A"], [])
        headers: Mapping[str, str] = {} if header is None else {"sforce-limit-info": header}
        return salesforce.readings(request, Answer(200, headers, b"{}", request), None)  # type: ignore[arg-type]

    assert readings("api-usage=18/5000; per-app-api-usage=17/250(appName=sample-connected-app)") == [
        Reading("daily", 5000, 4982)
    ]
    assert readings("api-usage=5001/5000") == [Reading("daily", 5000, 0)]
    assert readings(None) == readings("nonsense") == []


# -- the key ---------------------------------------------------------------------------------------
def described(*names: str, unique: bool = True) -> dict[str, Any]:
    return {"fields": [{"name": n, "unique": unique, "externalId": True, "createable": True} for n in names]}


UNIQUE, TEXT = KeyRoute("unique", "crmseed_key__c"), KeyRoute("text", "Description")


def test_without_a_unique_external_id_the_key_stands_in_the_description(salesforce: Salesforce) -> None:
    there, lacking = described("Name", "crmseed_key__c"), described("Name", "Description")
    routes, requests = exchanged(
        salesforce.key_routes(["companies", "notes", "tasks", "deals", "Gone__c", "tickets"]),
        there,
        lacking,
        lacking,
        ApiRefused("gone", status=404),
        described("crmseed_key__c", "Description", unique=False),
    )
    # A deal's contact roles name it by its key.
    assert routes == {
        "companies": UNIQUE,
        "notes": TEXT,
        "tasks": TEXT,
        "tickets": KeyRoute("field", "crmseed_key__c"),
    }
    # Notes and tasks are one object there.
    assert [request.path.split("/")[5] for request in requests] == [
        "Account",
        "Task",
        "Opportunity",
        "Gone__c",
        "Case",
    ]


def test_the_key_is_made_by_the_tooling_api_on_activity_for_tasks(salesforce: Salesforce) -> None:
    _, (_, make, _) = exchanged(
        salesforce.make_key("notes"),
        described("Id"),
        {"id": "00N", "success": True},
        described("crmseed_key__c"),
    )
    assert (make.method, make.path) == ("POST", f"{ROOT}/tooling/sobjects/CustomField")
    assert make.body["FullName"] == "Activity.crmseed_key__c"
    metadata = make.body["Metadata"]
    assert (metadata["type"], metadata["length"]) == ("Text", 100)
    assert (metadata["externalId"], metadata["unique"], metadata["caseSensitive"]) == (True, True, False)
    _, requests = exchanged(salesforce.make_key("notes"), described("crmseed_key__c"))
    assert len(requests) == 1


def test_a_key_that_nobody_sees_is_shown_to_the_user_s_profile(salesforce: Salesforce) -> None:
    from pytest_crmseed.records import Refusal

    refusal = Refusal("There is already a field named crmseed_key on Account.", "DUPLICATE_DEVELOPER_NAME")
    answers = (
        described("Id"),
        ApiRefused("there", refusals=[refusal]),
        described("Id"),
        {"user_id": "005A"},
        {"done": True, "records": [{"Id": "0PSA"}]},
        {"id": "01k", "success": True},
    )
    _, requests = exchanged(salesforce.make_key("companies"), *answers, described("crmseed_key__c"))
    assert requests[5].body == {
        "ParentId": "0PSA",
        "SobjectType": "Account",
        "Field": "Account.crmseed_key__c",
        "PermissionsRead": True,
        "PermissionsEdit": True,
    }
    with pytest.raises(PortalError) as hidden:
        exchanged(salesforce.make_key("companies"), *answers, described("Id"))
    assert str(hidden.value) == (
        "Account.crmseed_key__c was made, and the user of these credentials does not see it. Give the user's "
        "profile or a permission set read and edit access to Account.crmseed_key__c; if it was made by "
        "hand, make "
        "it a unique external id."
    )


def test_records_of_ours_are_found_page_by_page(salesforce: Salesforce) -> None:
    first = {
        "done": False,
        "nextRecordsUrl": f"{ROOT}/query/01g-2000",
        "records": [{"Id": "001A", "crmseed_key__c": "crmseed-1-a"}],
    }
    second = {"done": True, "records": [{"Id": "001B", "crmseed_key__c": "crmseed-1-b"}]}
    found, requests = exchanged(salesforce.marked("companies"), first, second)
    assert found == {"001A": "crmseed-1-a", "001B": "crmseed-1-b"}
    assert requests[0].query == (
        ("q", "SELECT Id, crmseed_key__c FROM Account WHERE crmseed_key__c LIKE 'crmseed-%'"),
    )
    assert requests[1].path == f"{ROOT}/query/01g-2000"
