"""What objects demand and do beyond what their describe tells, by object."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_crmseed.portal.salesforce.rules.activities import EventRules, TaskRules
from pytest_crmseed.portal.salesforce.rules.base import Rules
from pytest_crmseed.portal.salesforce.rules.campaigns import CampaignRules, MemberRules
from pytest_crmseed.portal.salesforce.rules.deals import LineItemRules, OpportunityRules, RoleRules
from pytest_crmseed.portal.salesforce.rules.orders import ContractRules, ItemRules, OrderRules
from pytest_crmseed.portal.salesforce.rules.people import AccountRules, ContactRules, LeadRules, UserRules
from pytest_crmseed.portal.salesforce.rules.prices import EntryRules, PriceBookRules, ProductRules
from pytest_crmseed.portal.salesforce.rules.service import CaseRules
from pytest_crmseed.portal.salesforce.rules.setup import FieldPermissionRules

_PLAIN = Rules()
_BY_NAME: Mapping[str, Rules] = {
    "Account": AccountRules(),
    "Campaign": CampaignRules(),
    "CampaignMember": MemberRules(),
    "Case": CaseRules(),
    "Contact": ContactRules(),
    "Contract": ContractRules(),
    "Event": EventRules(),
    "FieldPermissions": FieldPermissionRules(),
    "Lead": LeadRules(),
    "Opportunity": OpportunityRules(),
    "OpportunityContactRole": RoleRules(),
    "OpportunityLineItem": LineItemRules(),
    "Order": OrderRules(),
    "OrderItem": ItemRules(),
    "Pricebook2": PriceBookRules(),
    "PricebookEntry": EntryRules(),
    "Product2": ProductRules(),
    "Task": TaskRules(),
    "User": UserRules(),
}


def rules_of(name: str) -> Rules:
    """Return the rules of an object."""
    return _BY_NAME.get(name, _PLAIN)
