"""Rights to fields: who may see what was made (Salesforce docs, "FieldPermissions")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce.errors import refusal
from pytest_crmseed.portal.salesforce.rules.base import Rules
from pytest_crmseed.portal.salesforce.rules.prices import integrity

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.draft import Draft
    from pytest_crmseed.portal.salesforce.rows import Row
    from pytest_crmseed.portal.salesforce.writing import Writer

_PAIR = "ParentId+Field"


class FieldPermissionRules(Rules):
    """Those of FieldPermissions: a field is seen from then on."""

    def check(self, writer: Writer, draft: Draft) -> None:
        holder, _, name = (draft["Field"] or "").partition(".")
        if holder != draft["SobjectType"] or not writer.org.catalogue.taken(holder, name):
            message = f"Field: bad value for restricted picklist field: {draft['Field']}"
            raise refusal("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ["Field"])
        if draft.flag("PermissionsEdit") and not draft.flag("PermissionsRead"):
            raise integrity("Read access is required for edit access.", "PermissionsRead")
        held = writer.org.rows.holder(draft.object, _PAIR, _pair(draft))
        if draft.old is None and held is not None:
            message = f"duplicate value found: Field duplicates value on record with id: {held.id[:15]}"
            raise refusal("DUPLICATE_VALUE", message)

    def saved(self, writer: Writer, draft: Draft, row: Row) -> None:
        if draft.old is None:
            writer.org.rows.hold(row, _PAIR, [_pair(draft)], new=True)
        if draft.flag("PermissionsRead"):
            holder, _, name = (draft["Field"] or "").partition(".")
            writer.org.catalogue.show_field(holder, name, writer.org.now())


def _pair(draft: Draft) -> str:
    return f"{draft['ParentId']}|{(draft['Field'] or '').lower()}"
