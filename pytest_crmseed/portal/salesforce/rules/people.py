"""Accounts, contacts, leads, users: names, and what a converted lead takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce.errors import refusal
from pytest_crmseed.portal.salesforce.rules.base import Rules
from pytest_crmseed.portal.salesforce.stages import CONVERTED

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.draft import Draft
    from pytest_crmseed.portal.salesforce.writing import Writer


class AccountRules(Rules):
    """Those of Account."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        # What a row starts with, though its describe names no default (recorded).
        draft.default("CleanStatus", "Pending")


class PersonRules(Rules):
    """Those of objects whose rows are people: Contact, Lead and User."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        if draft.object.field("CleanStatus") is not None:
            draft.default("CleanStatus", "Pending")
        parts = (draft[name] for name in ("FirstName", "MiddleName", "LastName", "Suffix"))
        draft.put("Name", " ".join(part for part in parts if part) or None)


class UserRules(PersonRules):
    """Those of User."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        super().prepare(writer, draft)
        draft.default("CommunityNickname", (draft["Username"] or "").partition("@")[0][:40] or None)
        draft.default("UserType", "Standard")


class LeadRules(PersonRules):
    """Those of Lead."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        super().prepare(writer, draft)
        if draft.old is None and "IsUnreadByOwner" not in draft.given:
            draft.put("IsUnreadByOwner", "true")

    def check(self, writer: Writer, draft: Draft) -> None:
        if draft.before("IsConverted") == "true":
            raise refusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        if draft["Status"] == CONVERTED and not draft.flag("IsConverted") and draft.changes("Status"):
            message = f"Lead Status: invalid status for an unconverted lead: {CONVERTED}"
            raise refusal("INVALID_STATUS", message, ["Status"])
