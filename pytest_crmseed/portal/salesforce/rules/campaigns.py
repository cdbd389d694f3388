"""Campaigns and their members (Salesforce docs, "CampaignMember", "CampaignMemberStatus")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce.errors import refusal
from pytest_crmseed.portal.salesforce.instants import stamp
from pytest_crmseed.portal.salesforce.rules.base import Rules
from pytest_crmseed.portal.salesforce.rules.prices import integrity

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.draft import Draft
    from pytest_crmseed.portal.salesforce.rows import Row
    from pytest_crmseed.portal.salesforce.writing import Writer

_PAIR = "CampaignId+LeadOrContactId"
# What every campaign starts with: label, whether it is the default, whether it counts as a response.
_STATUSES = (("Sent", True, False), ("Responded", False, True))


class CampaignRules(Rules):
    """Those of Campaign: it comes with its statuses of members."""

    def saved(self, writer: Writer, draft: Draft, row: Row) -> None:
        if draft.old is not None:
            return
        for order, (label, default, responded) in enumerate(_STATUSES, 1):
            writer.make(
                "CampaignMemberStatus",
                CampaignId=row.id,
                Label=label,
                SortOrder=str(order),
                IsDefault="true" if default else "false",
                HasResponded="true" if responded else "false",
            )


class MemberRules(Rules):
    """Those of CampaignMember: one person of one campaign, once."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        statuses = _statuses_of(writer, draft["CampaignId"])
        if not statuses:
            return
        default = next((each for each in statuses if each["IsDefault"] == "true"), statuses[0])
        # A status that the campaign does not have gives way to its default one.
        chosen = next((each for each in statuses if each["Label"] == draft["Status"]), default)
        draft.put("Status", chosen["Label"])
        responded = chosen["HasResponded"] == "true"
        draft.put("HasResponded", "true" if responded else "false")
        if responded and draft["FirstRespondedDate"] is None:
            draft.put("FirstRespondedDate", stamp(writer.org.now())[:10])

    def required(self, writer: Writer, draft: Draft) -> Sequence[str]:
        return () if draft["ContactId"] or draft["LeadId"] else ("ContactId", "LeadId")

    def check(self, writer: Writer, draft: Draft) -> None:
        if draft.old is not None:
            return
        if draft["ContactId"] and draft["LeadId"]:
            raise integrity("A campaign member is a lead or a contact, not both.", "LeadId")
        if writer.org.rows.holder(draft.object, _PAIR, _pair(draft)) is not None:
            raise refusal("DUPLICATE_VALUE", "Already a campaign member.")

    def saved(self, writer: Writer, draft: Draft, row: Row) -> None:
        if draft.old is None:
            writer.org.rows.hold(row, _PAIR, [_pair(draft)], new=True)


def _pair(draft: Draft) -> str:
    return f"{draft['CampaignId']}|{draft['ContactId'] or draft['LeadId']}"


def _statuses_of(writer: Writer, campaign: str | None) -> list[Row]:
    row = writer.org.rows.by_id(campaign or "")
    if row is None or row.object.name != "Campaign":
        return []
    each = writer.org.object("CampaignMemberStatus")
    numbers = [number for _, number, _ in writer.org.rows.children(row, each.name)]
    return sorted(writer.org.rows.get(each, numbers).values(), key=lambda one: int(one["SortOrder"] or 0))
