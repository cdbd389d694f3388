"""What objects demand and do beyond what their describe tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

Org = Any

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-05-31"}


def fields(org: Org, name: str, id: str, *names: str) -> list[Any]:
    row = org.json("GET", f"/sobjects/{name}/{id}?fields={','.join(names)}")
    return [row[each] for each in names]


def sold(org: Org, **prices: Any) -> tuple[str, str]:
    """A product and its active entry in the standard price book."""
    product = org.make("Product2", Name="Acorns", ProductCode="AC", IsActive=True)
    return product, entry(org, product, **prices)


def entry(org: Org, product: str, book: str | None = None, **prices: Any) -> str:
    values = {"IsActive": True, "UnitPrice": 5, **prices}
    id: str = org.make("PricebookEntry", Pricebook2Id=book or standard(org), Product2Id=product, **values)
    return id


def standard(org: Org) -> str:
    id: str = org.query("SELECT Id FROM Pricebook2 WHERE IsStandard = true")["records"][0]["Id"]
    return id


# -- people ------------------------------------------------------------------------------------------
def test_names_of_people(org: Org) -> None:
    id = org.make("Contact", LastName="Bell", FirstName="Ann", Salutation="Ms.")
    assert fields(org, "Contact", id, "Name", "CleanStatus") == ["Ann Bell", "Pending"]
    assert org.ask("PATCH", f"/sobjects/Contact/{id}", {"FirstName": None}).status == 204
    assert fields(org, "Contact", id, "Name") == ["Bell"]
    lead = org.make("Lead", LastName="Bell", FirstName="Ann", Company="Acorn")
    assert fields(org, "Lead", lead, "Name", "Status", "IsUnreadByOwner", "IsConverted") == [
        "Ann Bell",
        "Open - Not Contacted",
        True,
        False,
    ]
    user = {
        "Username": "new@example.com",
        "LastName": "New",
        "Email": "new@example.com",
        "Alias": "new",
        "TimeZoneSidKey": "UTC",
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "ProfileId": org.query("SELECT Id FROM Profile")["records"][0]["Id"],
    }
    made = org.make("User", **user)
    assert fields(org, "User", made, "Name", "CommunityNickname", "UserType") == ["New", "new", "Standard"]


def test_a_converted_lead_stays_as_it_is(org: Org) -> None:
    converted = {"LastName": "Bell", "Company": "Acorn", "Status": "Closed - Converted"}
    assert org.refused("POST", "/sobjects/Lead", converted) == (
        400,
        "INVALID_STATUS",
        "Lead Status: invalid status for an unconverted lead: Closed - Converted",
    )
    id = org.make("Lead", **converted, IsConverted=True)
    assert org.refused("PATCH", f"/sobjects/Lead/{id}", {"LastName": "NoEdit"}) == (
        400,
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "cannot reference converted lead",
    )


# -- deals -------------------------------------------------------------------------------------------
_FOLLOWING = ("Probability", "ForecastCategoryName", "ForecastCategory", "IsClosed", "IsWon")


@pytest.mark.parametrize(
    ("stage", "following"),
    [
        ("Prospecting", [10.0, "Pipeline", "Pipeline", False, False]),
        ("Value Proposition", [50.0, "Best Case", "BestCase", False, False]),
        ("closed won", [100.0, "Closed", "Closed", True, True]),
        ("Closed Lost", [0.0, "Omitted", "Omitted", True, False]),
        ("In Progress", [None, "Pipeline", "Pipeline", False, False]),
    ],
)
def test_what_follows_the_stage(new_org: Any, stage: str, following: list[Any]) -> None:
    org = new_org()
    id = org.make("Opportunity", **{**DEAL, "StageName": stage})
    assert fields(org, "Opportunity", id, *_FOLLOWING) == following


def test_a_deal_moves_on(org: Org) -> None:
    id = org.make("Opportunity", **DEAL, Probability=33, Amount="10.005", ForecastCategoryName="Commit")
    names = ("Probability", "Amount", "ExpectedRevenue", "ForecastCategory", "Fiscal", "FiscalYear")
    assert fields(org, "Opportunity", id, *names) == [33.0, 10.01, 3.3, "Forecast", "2026 2", 2026]
    assert org.ask("PATCH", f"/sobjects/Opportunity/{id}", {"StageName": "Closed Won"}).status == 204
    assert fields(org, "Opportunity", id, *_FOLLOWING) == [100.0, "Closed", "Closed", True, True]
    assert org.refused("PATCH", f"/sobjects/Opportunity/{id}", {"Probability": 250}) == (
        400,
        "NUMBER_OUTSIDE_VALID_RANGE",
        "Probability (%): value outside of valid range on numeric field: 250",
    )


def test_a_deals_contacts(org: Org) -> None:
    ann, bob = (org.make("Contact", LastName=name) for name in ("Ann", "Bob"))
    deal = org.make("Opportunity", **DEAL, ContactId=ann)
    query = f"SELECT ContactId, IsPrimary FROM OpportunityContactRole WHERE OpportunityId = '{deal}'"
    assert org.column(query, "ContactId") == [ann]
    org.make("OpportunityContactRole", OpportunityId=deal, ContactId=bob, IsPrimary=True)
    roles = {row["ContactId"]: row["IsPrimary"] for row in org.query(query)["records"]}
    assert roles == {ann: False, bob: True}
    assert fields(org, "Opportunity", deal, "ContactId") == [bob]


def test_line_items_add_up(org: Org) -> None:
    product, priced = sold(org, UnitPrice="9.99")
    deal = org.make("Opportunity", **DEAL, Amount=1)
    item = org.make(
        "OpportunityLineItem", OpportunityId=deal, PricebookEntryId=priced, Quantity=3, UnitPrice=7
    )
    names = ("Name", "Product2Id", "ProductCode", "ListPrice", "TotalPrice", "Subtotal")
    told = ["Deal Acorns", product, "AC", 9.99, 21.0, 21.0]
    assert fields(org, "OpportunityLineItem", item, *names) == told
    sums = ("Amount", "ExpectedRevenue", "TotalOpportunityQuantity", "HasOpportunityLineItem", "Pricebook2Id")
    assert fields(org, "Opportunity", deal, *sums) == [21.0, 2.1, 3.0, True, standard(org)]
    by_product = {"OpportunityId": deal, "Product2Id": product, "Quantity": 2, "TotalPrice": 8}
    second = org.make("OpportunityLineItem", **by_product)
    assert fields(org, "OpportunityLineItem", second, "UnitPrice", "PricebookEntryId") == [4.0, priced]
    assert fields(org, "Opportunity", deal, "Amount") == [29.0]
    # What an update says of the sum is passed over.
    assert org.ask("PATCH", f"/sobjects/Opportunity/{deal}", {"Amount": 99, "NextStep": "x"}).status == 204
    assert fields(org, "Opportunity", deal, "Amount", "NextStep") == [29.0, "x"]
    assert org.ask("PATCH", f"/sobjects/OpportunityLineItem/{item}", {"Quantity": 1}).status == 204
    assert fields(org, "Opportunity", deal, "Amount") == [15.0]
    for each in (item, second):
        org.delete("OpportunityLineItem", each)
    assert fields(org, "Opportunity", deal, "HasOpportunityLineItem", "Amount") == [False, 8.0]


def test_line_items_that_are_refused(org: Org) -> None:
    product, priced = sold(org)
    other = org.make("Pricebook2", Name="Partners", IsActive=True)
    special = entry(org, product, other)
    deal = org.make("Opportunity", **DEAL, Pricebook2Id=other)
    usual: Mapping[str, Any] = {
        "OpportunityId": deal,
        "PricebookEntryId": special,
        "Quantity": 1,
        "UnitPrice": 1,
    }

    def refused(**values: Any) -> tuple[int, str, str]:
        told: tuple[int, str, str] = org.refused("POST", "/sobjects/OpportunityLineItem", {**usual, **values})
        return told

    missing = "REQUIRED_FIELD_MISSING", "Required fields are missing: [UnitPrice]"
    assert refused(UnitPrice=None) == (400, *missing)
    missing = "REQUIRED_FIELD_MISSING", "Required fields are missing: [PricebookEntryId]"
    assert refused(PricebookEntryId=None) == (400, *missing)
    broken = "FIELD_INTEGRITY_EXCEPTION"
    message = "specify either a sales price or a total price, not both"
    assert refused(TotalPrice=1) == (400, broken, message)
    assert refused(Quantity=0) == (400, broken, "Quantity: the quantity of a product cannot be 0")
    message = "pricebook entry is in a different pricebook than the one assigned to opportunity"
    assert refused(PricebookEntryId=priced) == (400, broken, message)
    org.make("OpportunityLineItem", **usual)
    assert org.refused("PATCH", f"/sobjects/Opportunity/{deal}", {"Pricebook2Id": standard(org)}) == (
        400,
        broken,
        "cannot change the price book of an opportunity with products",
    )
    assert org.ask("PATCH", f"/sobjects/PricebookEntry/{special}", {"IsActive": False}).status == 204
    assert refused() == (400, broken, "pricebook entry is inactive")
    assert org.live["OpportunityLineItem"] == 1


# -- prices ------------------------------------------------------------------------------------------
def test_the_standard_price_comes_first(org: Org) -> None:
    product = org.make("Product2", Name="Acorns")
    book = org.make("Pricebook2", Name="Partners", IsActive=True)
    custom = {"Pricebook2Id": book, "Product2Id": product, "UnitPrice": 4}
    undefined = (
        400,
        "STANDARD_PRICE_NOT_DEFINED",
        "Before creating a custom price, create a standard price.",
    )
    assert org.refused("POST", "/sobjects/PricebookEntry", custom) == undefined
    first = entry(org, product, IsActive=False, UnitPrice="5.25")
    assert org.refused("POST", "/sobjects/PricebookEntry", custom) == undefined
    assert org.ask("PATCH", f"/sobjects/PricebookEntry/{first}", {"IsActive": True}).status == 204
    second = org.make("PricebookEntry", **{**custom, "UseStandardPrice": True})
    assert fields(org, "PricebookEntry", second, "Name", "UnitPrice", "IsActive") == ["Acorns", 5.25, False]
    assert org.refused("POST", "/sobjects/PricebookEntry", custom) == (
        400,
        "DUPLICATE_VALUE",
        "This price definition already exists in this price book",
    )
    assert org.ask("PATCH", f"/sobjects/Product2/{product}", {"Name": "Nuts"}).status == 204
    assert fields(org, "PricebookEntry", second, "Name") == ["Nuts"]


def test_the_standard_price_book_stays(org: Org) -> None:
    assert org.refused("DELETE", f"/sobjects/Pricebook2/{standard(org)}") == (
        400,
        "DEPENDENCY_EXISTS",
        "Cannot complete this operation.",
    )
    org.delete("Pricebook2", org.make("Pricebook2", Name="Partners"))
    assert org.live == {}


def test_a_product_goes_with_its_prices_unless_it_was_sold(org: Org) -> None:
    product, priced = sold(org)
    deal = org.make("Opportunity", **DEAL)
    org.make("OpportunityLineItem", OpportunityId=deal, PricebookEntryId=priced, Quantity=1, UnitPrice=1)
    assert org.refused("DELETE", f"/sobjects/Product2/{product}") == (
        400,
        "DELETE_FAILED",
        "Your attempt to delete Acorns could not be completed because it is associated with the following"
        " opportunity product.: Deal Acorns\n",
    )
    org.delete("Opportunity", deal)
    org.delete("Product2", product)
    assert org.live == {}


# -- orders ------------------------------------------------------------------------------------------
def test_an_order_from_draft_to_activation(org: Org) -> None:
    _, priced = sold(org)
    account = org.make("Account", Name="A")
    draft = {"AccountId": account, "EffectiveDate": "2026-01-31", "Status": "Draft"}
    missing = (400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [AccountId]")
    assert org.refused("POST", "/sobjects/Order", {**draft, "AccountId": None}) == missing
    assert org.refused("POST", "/sobjects/Order", {**draft, "Status": "Activated"}) == (
        400,
        "FAILED_ACTIVATION",
        "An order can only be created as a draft.",
    )
    assert org.refused("POST", "/sobjects/Order", {**draft, "EndDate": "2026-01-30"}) == (
        400,
        "FIELD_INTEGRITY_EXCEPTION",
        "Order End Date can't be before Order Start Date.",
    )
    order = org.make("Order", **draft)
    path, item = f"/sobjects/Order/{order}", {"OrderId": order, "PricebookEntryId": priced, "Quantity": 2}
    assert org.refused("POST", "/sobjects/OrderItem", {**item, "UnitPrice": 4}) == (
        400,
        "FIELD_INTEGRITY_EXCEPTION",
        "Select a price book for the order before you add products.",
    )
    assert org.ask("PATCH", path, {"Pricebook2Id": standard(org)}).status == 204
    assert org.refused("PATCH", path, {"Status": "Activated"}) == (
        400,
        "FAILED_ACTIVATION",
        "An order must have at least one product.",
    )
    missing = (400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [UnitPrice]")
    assert org.refused("POST", "/sobjects/OrderItem", item) == missing
    made = org.make("OrderItem", **item, UnitPrice="4.50")
    names = ("ListPrice", "TotalPrice", "AvailableQuantity", "OrderItemNumber")
    assert fields(org, "OrderItem", made, *names)[:3] == [5.0, 9.0, 2.0]
    assert len(fields(org, "OrderItem", made, *names)[3]) == 10
    assert fields(org, "Order", order, "TotalAmount", "StatusCode") == [9.0, "Draft"]
    changed = (400, "FIELD_INTEGRITY_EXCEPTION", "The price book of an order with products can't be changed.")
    other = org.make("Pricebook2", Name="Partners", IsActive=True)
    assert org.refused("PATCH", path, {"Pricebook2Id": other}) == changed

    assert org.ask("PATCH", path, {"Status": "Activated"}).status == 204
    told = fields(org, "Order", order, "StatusCode", "ActivatedDate")
    assert told == ["Activated", "2026-01-01T00:00:00.000+0000"]
    locked = (400, "ENTITY_IS_LOCKED", "The products of an activated order can't be changed.")
    assert org.refused("PATCH", f"/sobjects/OrderItem/{made}", {"Quantity": 1}) == locked
    assert org.refused("DELETE", f"/sobjects/OrderItem/{made}") == locked
    kept = (400, "DELETE_FAILED", "You can't delete an activated order. Set it back to Draft first.")
    assert org.refused("DELETE", path) == org.refused("DELETE", f"/sobjects/Account/{account}") == kept
    assert org.refused("PATCH", path, {"AccountId": org.make("Account", Name="B")}) == (
        400,
        "FIELD_INTEGRITY_EXCEPTION",
        "The account of an activated order can't be changed.",
    )
    assert org.ask("PATCH", path, {"Status": "Draft"}).status == 204
    org.delete("Account", account)
    assert "Order" not in org.live and "OrderItem" not in org.live


def test_items_of_another_price_book(org: Org) -> None:
    product, priced = sold(org)
    book = org.make("Pricebook2", Name="Partners", IsActive=True)
    special = entry(org, product, book, IsActive=False)
    account = org.make("Account", Name="A")
    draft = {"AccountId": account, "EffectiveDate": "2026-01-31", "Status": "Draft", "Pricebook2Id": book}
    order = org.make("Order", **draft)
    item = {"OrderId": order, "PricebookEntryId": priced, "Quantity": 2, "UnitPrice": 1}
    message = "pricebook entry is in a different pricebook than the one assigned to order"
    broken = (400, "FIELD_INTEGRITY_EXCEPTION")
    assert org.refused("POST", "/sobjects/OrderItem", item) == (*broken, message)
    item["PricebookEntryId"] = special
    assert org.refused("POST", "/sobjects/OrderItem", item) == (*broken, "pricebook entry is inactive")


def test_contracts(org: Org) -> None:
    account = org.make("Account", Name="A")
    start = {"AccountId": account, "StartDate": "2026-01-31", "ContractTerm": 12}
    id = org.make("Contract", **start)
    names = ("Status", "StatusCode", "EndDate", "ContractNumber")
    assert fields(org, "Contract", id, *names)[:3] == ["Draft", "Draft", "2027-01-30"]
    assert org.refused("POST", "/sobjects/Contract", {**start, "Status": "Activated"}) == (
        400,
        "FAILED_ACTIVATION",
        "Choose a valid contract status and save your changes.",
    )
    assert org.ask("PATCH", f"/sobjects/Contract/{id}", {"Status": "Activated"}).status == 204
    assert org.refused("DELETE", f"/sobjects/Contract/{id}") == (
        400,
        "DELETE_FAILED",
        "You can't delete an activated contract.",
    )


# -- service -----------------------------------------------------------------------------------------
def test_cases(org: Org) -> None:
    account = org.make("Account", Name="A")
    contact = org.make("Contact", LastName="B", AccountId=account, Email="b@example.com")
    id = org.make("Case", ContactId=contact, Comments="not kept")
    names = ("Status", "Priority", "AccountId", "ContactEmail", "IsClosed", "Comments")
    assert fields(org, "Case", id, *names) == ["New", "Medium", account, "b@example.com", False, None]
    [number] = fields(org, "Case", id, "CaseNumber")
    assert len(number) == 8 and number.isdigit()
    by_number = org.json("GET", f"/sobjects/Case/CaseNumber/{number}")
    assert by_number["Id"] == id
    assert org.ask("PATCH", f"/sobjects/Case/{id}", {"Status": "Closed"}).status == 204
    assert fields(org, "Case", id, "IsClosed", "ClosedDate") == [True, "2026-01-01T00:00:00.000+0000"]
    assert org.ask("PATCH", f"/sobjects/Case/{id}", {"Status": "Working"}).status == 204
    assert fields(org, "Case", id, "IsClosed", "ClosedDate") == [False, None]
    other = org.make("Case")
    [nothing, next_number] = fields(org, "Case", other, "AccountId", "CaseNumber")
    assert nothing is None and next_number > number


# -- activities --------------------------------------------------------------------------------------
def test_tasks(org: Org) -> None:
    account = org.make("Account", Name="A")
    contact = org.make("Contact", LastName="B", AccountId=account)
    lead = org.make("Lead", LastName="C", Company="D")
    id = org.make("Task", Subject="Anything", WhoId=contact, ActivityDate="2026-02-28T10:00:00Z")
    names = ("Status", "Priority", "AccountId", "ActivityDate", "IsClosed", "TaskSubtype", "IsHighPriority")
    told = ["Not Started", "Normal", account, "2026-02-28", False, "Task", False]
    assert fields(org, "Task", id, *names) == told
    done = {"Status": "Completed", "Priority": "High"}
    assert org.ask("PATCH", f"/sobjects/Task/{id}", done).status == 204
    names = ("IsClosed", "IsHighPriority", "CompletedDateTime")
    assert fields(org, "Task", id, *names) == [True, True, "2026-01-01T00:00:00.000+0000"]
    message = "Related To ID: a task or event of a lead cannot be related to anything else"
    refused = (400, "FIELD_INTEGRITY_EXCEPTION", message)
    assert org.refused("POST", "/sobjects/Task", {"WhoId": lead, "WhatId": account}) == refused
    org.make("Task", WhoId=lead)


_TIMES = ("StartDateTime", "EndDateTime", "ActivityDate", "DurationInMinutes", "EndDate", "ActivityDateTime")
_TEN, _NOON = "2026-01-01T10:00:00.000+0000", "2026-01-01T12:00:00.000+0000"


@pytest.mark.parametrize(
    ("given", "times"),
    [
        (
            {"StartDateTime": "2026-01-01T10:00:00Z", "EndDateTime": "2026-01-01T13:00:00+01:00"},
            [_TEN, _NOON, "2026-01-01", 120, "2026-01-01", _TEN],
        ),
        (
            {"ActivityDateTime": "2026-01-01T10:00:00Z", "DurationInMinutes": 120},
            [_TEN, _NOON, "2026-01-01", 120, "2026-01-01", _TEN],
        ),
        (
            {"IsAllDayEvent": True, "ActivityDate": "2026-01-01"},
            [
                "2026-01-01T00:00:00.000+0000",
                "2026-01-01T00:00:00.000+0000",
                "2026-01-01",
                1440,
                "2026-01-01",
                "2026-01-01T00:00:00.000+0000",
            ],
        ),
    ],
)
def test_events_have_a_start_and_an_end(org: Org, given: dict[str, Any], times: list[Any]) -> None:
    assert fields(org, "Event", org.make("Event", **given), *_TIMES) == times


def test_an_event_is_moved(org: Org) -> None:
    id = org.make("Event", StartDateTime="2026-01-01T10:00:00Z", DurationInMinutes=30)
    path = f"/sobjects/Event/{id}"
    assert org.ask("PATCH", path, {"EndDateTime": "2026-01-01T12:00:00Z"}).status == 204
    assert fields(org, "Event", id, "DurationInMinutes") == [120]
    assert org.ask("PATCH", path, {"StartDateTime": "2026-01-02T10:00:00Z"}).status == 204
    told = ["2026-01-02T10:00:00.000+0000", "2026-01-02T12:00:00.000+0000", 120]
    assert fields(org, "Event", id, "ActivityDateTime", "EndDateTime", "DurationInMinutes") == told


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (
            {},
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [ActivityDateTime, DurationInMinutes]",
        ),
        (
            {"StartDateTime": "2026-01-01T10:00:00Z"},
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [DurationInMinutes]",
        ),
        ({"IsAllDayEvent": True}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [ActivityDate]"),
        (
            {"StartDateTime": "2026-01-01T10:00:00Z", "EndDateTime": "2026-01-01T09:00:00Z"},
            "FIELD_INTEGRITY_EXCEPTION",
            "The event's end is before its start.",
        ),
        (
            {"StartDateTime": "2026-01-01T10:00:00Z", "DurationInMinutes": 14 * 24 * 60 + 1},
            "FIELD_INTEGRITY_EXCEPTION",
            "An event lasts 14 days at most.",
        ),
        (
            {"StartDateTime": "2026-01-01T10:00:00Z", "DurationInMinutes": 99_999_999},
            "FIELD_INTEGRITY_EXCEPTION",
            "An event lasts 14 days at most.",
        ),
        (
            {
                "StartDateTime": "2026-01-01T10:00:00Z",
                "EndDateTime": "2026-01-01T11:00:00Z",
                "DurationInMinutes": 30,
            },
            "FIELD_INTEGRITY_EXCEPTION",
            "The event's duration is not the time between its start and end.",
        ),
        (
            {"IsAllDayEvent": True, "ActivityDate": "2026-01-01", "ShowAs": "Out of Office"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Show Time As: bad value for restricted picklist field: Out of Office",
        ),
    ],
)
def test_events_that_are_refused(new_org: Any, given: dict[str, Any], code: str, message: str) -> None:
    assert new_org().refused("POST", "/sobjects/Event", given) == (400, code, message)


# -- campaigns ---------------------------------------------------------------------------------------
def test_campaigns_and_their_members(org: Org) -> None:
    account = org.make("Account", Name="Acorn")
    contact = org.make("Contact", LastName="B", FirstName="A", AccountId=account, MailingCity="Bled")
    lead = org.make("Lead", LastName="C", Company="D", City="Ptuj")
    id = org.make("Campaign", Name="Spring")
    assert fields(org, "Campaign", id, "Type", "Status", "IsActive") == ["Conference", "Planned", False]
    statuses = org.query("SELECT Label, IsDefault, HasResponded FROM CampaignMemberStatus")["records"]
    found = [(row["Label"], row["IsDefault"], row["HasResponded"]) for row in statuses]
    assert found == [("Sent", True, False), ("Responded", False, True)]
    first = org.make("CampaignMember", CampaignId=id, ContactId=contact)
    second = org.make("CampaignMember", CampaignId=id, LeadId=lead, Status="Responded")
    names = ("Status", "HasResponded", "Name", "City", "CompanyOrAccount", "Type", "LeadOrContactId")
    told = ["Sent", False, "A B", "Bled", "Acorn", "Contact", contact]
    assert fields(org, "CampaignMember", first, *names) == told
    told = ["Responded", True, "C", "Ptuj", "D", "Lead", lead]
    assert fields(org, "CampaignMember", second, *names) == told
    deal = org.make("Opportunity", **{**DEAL, "StageName": "Closed Won", "Amount": 10, "CampaignId": id})
    org.make("Opportunity", **DEAL, Amount=5, CampaignId=id)
    counts = {
        "NumberOfContacts": 1,
        "NumberOfLeads": 1,
        "NumberOfResponses": 1,
        "NumberOfConvertedLeads": 0,
        "NumberOfOpportunities": 2,
        "NumberOfWonOpportunities": 1,
        "AmountAllOpportunities": 15.0,
        "AmountWonOpportunities": 10.0,
    }
    assert fields(org, "Campaign", id, *counts) == list(counts.values())
    assert org.refused("POST", "/sobjects/CampaignMember", {"CampaignId": id, "LeadId": lead}) == (
        400,
        "DUPLICATE_VALUE",
        "Already a campaign member.",
    )
    both = {"CampaignId": org.make("Campaign", Name="Autumn"), "LeadId": lead, "ContactId": contact}
    assert org.refused("POST", "/sobjects/CampaignMember", both) == (
        400,
        "FIELD_INTEGRITY_EXCEPTION",
        "A campaign member is a lead or a contact, not both.",
    )
    assert org.refused("POST", "/sobjects/CampaignMember", {"CampaignId": id}) == (
        400,
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [ContactId, LeadId]",
    )
    assert org.ask("PATCH", f"/sobjects/CampaignMember/{first}", {"ContactId": contact}).status == 400
    # Deals only lose their campaign; members and statuses go with it.
    org.delete("Campaign", id)
    assert fields(org, "Opportunity", deal, "CampaignId") == [None]
    assert "CampaignMember" not in org.live and org.live["CampaignMemberStatus"] == 2


def test_a_person_goes_with_memberships(org: Org) -> None:
    id = org.make("Campaign", Name="Spring")
    lead = org.make("Lead", LastName="C", Company="D")
    org.make("CampaignMember", CampaignId=id, LeadId=lead)
    org.delete("Lead", lead)
    assert "CampaignMember" not in org.live
