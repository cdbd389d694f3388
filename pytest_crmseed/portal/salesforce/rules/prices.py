"""Products, price books and their entries (Salesforce docs, "PricebookEntry")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce import ids
from pytest_crmseed.portal.salesforce.errors import Refusal, refusal
from pytest_crmseed.portal.salesforce.rules.base import Rules
from pytest_crmseed.portal.salesforce.system_rows import STANDARD_PRICE_BOOK

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.draft import Draft
    from pytest_crmseed.portal.salesforce.rows import Row
    from pytest_crmseed.portal.salesforce.writing import Writer

STANDARD = ids.made("01s", STANDARD_PRICE_BOOK)
"""The id of the price book that every org has."""

_PAIR = "Pricebook2Id+Product2Id"


class ProductRules(Rules):
    """Those of Product2: its entries have its name and code."""

    def saved(self, writer: Writer, draft: Draft, row: Row) -> None:
        if draft.old is None or not (draft.changes("Name") or draft.changes("ProductCode")):
            return
        entries = writer.org.object("PricebookEntry")
        numbers = [number for _, number, _ in writer.org.rows.children(row, entries.name)]
        for entry in writer.org.rows.get(entries, numbers).values():
            writer.touch(entry, Name=row["Name"], ProductCode=row["ProductCode"])


class PriceBookRules(Rules):
    """Those of Pricebook2: the standard one stays."""

    def deleting(self, writer: Writer, row: Row) -> None:
        if row["IsStandard"] == "true":
            raise refusal("DEPENDENCY_EXISTS", "Cannot complete this operation.")


class EntryRules(Rules):
    """Those of PricebookEntry: a product has a standard price before it has others."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        product = writer.org.rows.by_id(draft["Product2Id"] or "")
        if product is not None:
            draft.put("Name", product["Name"])
            draft.put("ProductCode", product["ProductCode"])
        if draft.flag("UseStandardPrice"):
            standard = _entry(writer, STANDARD, draft["Product2Id"])
            if standard is not None:
                draft.put("UnitPrice", standard["UnitPrice"])

    def check(self, writer: Writer, draft: Draft) -> None:
        if draft.old is not None:
            return
        book, product = draft["Pricebook2Id"], draft["Product2Id"]
        held = writer.org.rows.holder(draft.object, _PAIR, f"{book}|{product}")
        if held is not None:
            message = "This price definition already exists in this price book"
            raise refusal("DUPLICATE_VALUE", message)
        if book != STANDARD:
            standard = _entry(writer, STANDARD, product)
            if standard is None or standard["IsActive"] != "true":
                message = "Before creating a custom price, create a standard price."
                raise refusal("STANDARD_PRICE_NOT_DEFINED", message)

    def saved(self, writer: Writer, draft: Draft, row: Row) -> None:
        if draft.old is None:
            pair = f"{row['Pricebook2Id']}|{row['Product2Id']}"
            writer.org.rows.hold(row, _PAIR, [pair], new=True)


def entry_of(writer: Writer, draft: Draft, book: str | None) -> Row | None:
    """Return the price book entry that a line item names, be it by its product; None without one."""
    entry = writer.org.rows.by_id(draft["PricebookEntryId"] or "")
    if entry is not None:
        return entry if not entry.deleted and entry.object.name == "PricebookEntry" else None
    product = writer.org.rows.by_id(draft["Product2Id"] or "")
    return None if product is None else _entry(writer, book or STANDARD, product.id)


def integrity(message: str, *fields: str) -> Refusal:
    """Return the refusal of values that do not go together."""
    return refusal("FIELD_INTEGRITY_EXCEPTION", message, fields)


def _entry(writer: Writer, book: str | None, product: str | None) -> Row | None:
    return writer.org.rows.holder(writer.org.object("PricebookEntry"), _PAIR, f"{book}|{product}")
