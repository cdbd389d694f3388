"""Cases (Salesforce docs, "Case")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce.instants import stamp
from pytest_crmseed.portal.salesforce.rules.base import Rules

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.draft import Draft
    from pytest_crmseed.portal.salesforce.writing import Writer


class CaseRules(Rules):
    """Those of Case: closed by its status; its account is the contact's where nothing else is said."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        contact = writer.org.rows.by_id(draft["ContactId"] or "")
        if contact is not None and contact.object.name == "Contact":
            draft.default("AccountId", contact["AccountId"])
        done = draft["Status"] in writer.org.closed["Case"]
        draft.put("IsClosed", "true" if done else "false")
        if done and draft["ClosedDate"] is None:
            draft.put("ClosedDate", stamp(writer.org.now()))
        elif not done:
            draft.put("ClosedDate", None)
        # A comment becomes a row of its own, of an object that is not emulated.
        draft.put("Comments", None)
