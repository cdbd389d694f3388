"""The rows that make an org: itself, its people and their rights, record types, stages, the price book."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce import ids
from pytest_crmseed.portal.salesforce.definitions import PROVIDER
from pytest_crmseed.portal.salesforce.sessions import ADMINISTRATOR
from pytest_crmseed.portal.salesforce.stages import CONVERTED, forecast_category
from pytest_crmseed.portal.store import StoredRecord

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.org import Org

STANDARD_PRICE_BOOK = 1
_PROFILE = 1
_PERMISSION_SET = 1
_FIRST_USER = 101

# Before any row that a client makes; fixed, so that two portals are alike.
FOUNDED = 1_735_689_600.0

_LOCALE = {
    "EmailEncodingKey": "UTF-8",
    "LanguageLocaleKey": "en_US",
    "LocaleSidKey": "en_US",
    "TimeZoneSidKey": "America/Los_Angeles",
}


def furnish(org: Org) -> None:
    """Put the rows that every org has into the store, unless they are there."""
    administrator = ids.made("005", ADMINISTRATOR)
    for name, number, values in _rows(org):
        each = org.catalogue.find(name)
        if each is None:
            continue
        if "Id" in values:
            org.rows.foreign[values["Id"]] = (name, number)
        if number in org.store.get(PROVIDER, name, [number]):
            continue
        kept = {**dict(each.defaults), **values}
        if each.field("CreatedById") is not None:
            kept |= {"CreatedById": administrator, "LastModifiedById": administrator}
        org.store.save(PROVIDER, name, StoredRecord(number, kept, FOUNDED, FOUNDED))


def _rows(org: Org) -> Iterator[tuple[str, int, Mapping[str, str]]]:
    switches = org.switches
    yield "Organization", 1, _organization(org)
    yield "Profile", _PROFILE, {"Name": "System Administrator", "UserType": "Standard"}
    yield (
        "PermissionSet",
        _PERMISSION_SET,
        {
            "Name": "X00e_System_Administrator",
            "Label": "System Administrator",
            "ProfileId": ids.made("00e", _PROFILE),
            "IsOwnedByProfile": "true",
        },
    )
    yield "User", ADMINISTRATOR, _user(switches.username, "User", "User", active=True)
    for number, user in enumerate(switches.users, _FIRST_USER):
        yield "User", number, _user(user.username, user.first_name, user.last_name, active=user.active)
    yield (
        "Pricebook2",
        STANDARD_PRICE_BOOK,
        {"Name": "Standard Price Book", "IsActive": "true", "IsStandard": "true"},
    )
    number = 1
    for name in org.catalogue.names:
        each = org.catalogue.find(name)
        if each is None or len(each.record_types) < 2:
            continue
        for record_type in each.record_types:
            if not record_type.master:
                values = {
                    "Name": record_type.name,
                    "DeveloperName": record_type.developer_name,
                    "SobjectType": name,
                    "IsActive": "true" if record_type.active else "false",
                }
                if org.catalogue.person_accounts:
                    values["IsPersonType"] = "true" if record_type.person else "false"
                yield "RecordType", number, {**values, "Id": record_type.id}
                number += 1
    yield from _statuses(org)


def _organization(org: Org) -> Mapping[str, str]:
    switches = org.switches
    values = {
        "Id": org.sessions.organization_id,
        "Name": switches.organization_name,
        "IsSandbox": "true" if switches.is_sandbox else "false",
        "OrganizationType": switches.organization_type,
        "InstanceName": "LOCAL",
        "Country": "US",
        "SignupCountryIsoCode": "US",
        "PrimaryContact": "User User",
        "DefaultLocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "TimeZoneSidKey": "America/Los_Angeles",
        "FiscalYearStartMonth": "1",
        "NumKnowledgeService": "2",
        "MonthlyPageViewsUsed": "0",
        "MonthlyPageViewsEntitlement": "0",
        "UiSkin": "Theme3",
        "WebToCaseDefaultOrigin": "Web",
        "DefaultAccountAccess": "Edit",
        "DefaultContactAccess": "ControlledByParent",
        "DefaultOpportunityAccess": "Edit",
        "DefaultLeadAccess": "ReadEditTransfer",
        "DefaultCaseAccess": "ReadEditTransfer",
        "DefaultCalendarAccess": "HideDetailsInsert",
        "DefaultPricebookAccess": "ReadSelect",
        "DefaultCampaignAccess": "All",
    }
    if switches.trial_expires is not None:
        values["TrialExpirationDate"] = switches.trial_expires
    return values


def _user(username: str, first_name: str, last_name: str, *, active: bool) -> Mapping[str, str]:
    last = last_name or username.partition("@")[0]
    return {
        "Username": username,
        "FirstName": first_name,
        "LastName": last,
        "Name": f"{first_name} {last}".strip(),
        "Email": username,
        "Alias": re.sub(r"\W", "", last.lower())[:8],
        "CommunityNickname": username.partition("@")[0],
        "IsActive": "true" if active else "false",
        "UserType": "Standard",
        "ProfileId": ids.made("00e", _PROFILE),
        **_LOCALE,
    }


def _statuses(org: Org) -> Iterator[tuple[str, int, Mapping[str, str]]]:
    for order, stage in enumerate(org.stages.values(), 1):
        yield (
            "OpportunityStage",
            order,
            {
                "MasterLabel": stage.label,
                "ApiName": stage.value,
                "SortOrder": str(order),
                "IsActive": "true",
                "IsClosed": "true" if stage.closed else "false",
                "IsWon": "true" if stage.won else "false",
                "DefaultProbability": str(stage.probability),
                "ForecastCategoryName": stage.forecast,
                "ForecastCategory": forecast_category(stage.forecast),
            },
        )
    for name, of in (("CaseStatus", "Case"), ("TaskStatus", "Task"), ("LeadStatus", "Lead")):
        each = org.catalogue.find(of)
        field = None if each is None else each.field("Status")
        for order, value in enumerate(() if field is None else field.values, 1):
            end = value.value in org.closed.get(of, ())
            yield (
                name,
                order,
                {
                    "MasterLabel": value.label,
                    "ApiName": value.value,
                    "SortOrder": str(order),
                    "IsDefault": "true" if value.default else "false",
                    "IsClosed": "true" if end else "false",
                    "IsConverted": "true" if value.value == CONVERTED else "false",
                },
            )
