"""What this provider takes for true though no page of Salesforce's, and no recorded answer, says so.

A live org's own describe replaces the bundled schema, so that a wrong guess on a field is at worst a
wrong local portal.
"""

from __future__ import annotations

from collections.abc import Mapping

UNSURE: Mapping[str, tuple[str, ...]] = {
    "Account": ("which fields person accounts alone have: by Person…, …__pc and the parts of a name",),
    "Opportunity": (
        "probabilities of the stock stages",
        "the first price book entry of a line item gives the opportunity its price book",
    ),
    "Case": ("only the last stock status is closed",),
    "Lead": ("a lead cannot be made with the status 'Closed - Converted'",),
    "Event": ("one with StartDateTime needs EndDateTime",),
    "Task": ("all fields", "TaskSubtype can be set on create"),
    "Product2": ("all fields", "deleting one takes its unused price book entries along"),
    "PricebookEntry": ("a fresh org's standard price book is active",),
    "OpportunityLineItem": (
        "UnitPrice or TotalPrice is required",
        "Product2Id does in place of PricebookEntryId",
    ),
    "Order": ("Status 'Draft' is the only one to create with", "lengths and flags of most fields"),
    "OrderItem": ("UnitPrice is required",),
    "CampaignMember": ("Status is taken from the campaign's own list",),
    "PermissionSet": ("the one that a profile owns takes field permissions",),
    "Organization": ("a Developer Edition is never production", "a trial may be anything"),
    "collections": ("a request that is refused as a whole was not executed",),
    "emptyRecycleBin": ("how it says that a record is not in the bin",),
    "composite": ("a reference to a query's first record is written @{name.records[0].Id}",),
    "graph": (
        "whether nodes obey the headers of the request: leads and cases, which rules may assign, are made "
        "by no graph, and what a duplicate rule that only alerts refuses goes again by collections",
    ),
    "DUPLICATE_VALUE": ("of a unique key, with HTTP 400 or in a row",),
    "STORAGE_LIMIT_EXCEEDED": ("the wording",),
}
"""By object type or subject, what is not confirmed."""
