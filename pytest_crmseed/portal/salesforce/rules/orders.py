"""Orders, their items, and contracts (Salesforce docs, "Order", "OrderItem", "Contract")."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce.errors import refusal
from pytest_crmseed.portal.salesforce.instants import stamp
from pytest_crmseed.portal.salesforce.rules.base import Rules
from pytest_crmseed.portal.salesforce.rules.prices import entry_of, integrity

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.draft import Draft
    from pytest_crmseed.portal.salesforce.rows import Row
    from pytest_crmseed.portal.salesforce.writing import Writer

DRAFT, ACTIVATED = "Draft", "Activated"
_CENTS = Decimal("0.01")


class OrderRules(Rules):
    """Those of Order: made as a draft, with an account; activated once it has items."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        activated = draft["Status"] == ACTIVATED
        draft.put("StatusCode", ACTIVATED if activated else DRAFT)
        draft.default("TotalAmount", "0.00")
        if activated and draft.changes("Status"):
            draft.put("ActivatedDate", stamp(writer.org.now()))
            draft.put("ActivatedById", writer.user_id)

    def required(self, writer: Writer, draft: Draft) -> Sequence[str]:
        return () if draft["AccountId"] else ("AccountId",)

    def check(self, writer: Writer, draft: Draft) -> None:
        if draft.old is None and draft["StatusCode"] != DRAFT:
            raise refusal("FAILED_ACTIVATION", "An order can only be created as a draft.", ["Status"])
        start, end = draft["EffectiveDate"], draft["EndDate"]
        if start is not None and end is not None and end < start:
            raise integrity("Order End Date can't be before Order Start Date.", "EndDate")
        if draft.old is None:
            return
        if draft.old["StatusCode"] == ACTIVATED and draft.changes("AccountId"):
            raise integrity("The account of an activated order can't be changed.", "AccountId")
        items = writer.org.rows.children(draft.old, "OrderItem")
        if draft.changes("Pricebook2Id") and items:
            raise integrity("The price book of an order with products can't be changed.", "Pricebook2Id")
        if draft["StatusCode"] == ACTIVATED and draft.old["StatusCode"] == DRAFT and not items:
            raise refusal("FAILED_ACTIVATION", "An order must have at least one product.", ["Status"])

    def deleting(self, writer: Writer, row: Row) -> None:
        if row["StatusCode"] == ACTIVATED:
            raise refusal("DELETE_FAILED", "You can't delete an activated order. Set it back to Draft first.")


class ItemRules(Rules):
    """Those of OrderItem: priced from its order's price book, and added up there."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        order = writer.org.rows.by_id(draft["OrderId"] or "")
        entry = entry_of(writer, draft, None if order is None else order["Pricebook2Id"])
        if entry is not None:
            draft.put("PricebookEntryId", entry.id)
            draft.put("Product2Id", entry["Product2Id"])
            draft.put("ListPrice", entry["UnitPrice"])
        draft.put("AvailableQuantity", draft["Quantity"])
        if draft["Quantity"] is not None and draft["UnitPrice"] is not None:
            total = Decimal(draft["Quantity"] or 0) * Decimal(draft["UnitPrice"] or 0)
            draft.put("TotalPrice", format(total.quantize(_CENTS, ROUND_HALF_UP), "f"))

    def required(self, writer: Writer, draft: Draft) -> Sequence[str]:
        return [name for name in ("PricebookEntryId", "UnitPrice") if not draft[name]]

    def check(self, writer: Writer, draft: Draft) -> None:
        order = writer.org.rows.by_id(draft["OrderId"] or "")
        entry = writer.org.rows.by_id(draft["PricebookEntryId"] or "")
        if order is None or entry is None:
            return
        _refuse_activated(order)
        if draft.old is not None:
            return
        if order["Pricebook2Id"] is None:
            raise integrity("Select a price book for the order before you add products.", "PricebookEntryId")
        if order["Pricebook2Id"] != entry["Pricebook2Id"]:
            message = "pricebook entry is in a different pricebook than the one assigned to order"
            raise integrity(message, "PricebookEntryId")
        if entry["IsActive"] != "true":
            raise integrity("pricebook entry is inactive", "PricebookEntryId")

    def saved(self, writer: Writer, draft: Draft, row: Row) -> None:
        _sum_up(writer, row)

    def deleting(self, writer: Writer, row: Row) -> None:
        order = writer.org.rows.by_id(row["OrderId"] or "")
        if order is not None:
            _refuse_activated(order)

    def deleted(self, writer: Writer, row: Row) -> None:
        _sum_up(writer, row)


class ContractRules(Rules):
    """Those of Contract: made as a draft; an activated one stays."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        codes = {"In Approval Process": "InApproval", ACTIVATED: ACTIVATED}
        draft.put("StatusCode", codes.get(draft["Status"] or "", DRAFT))
        start, term = draft["StartDate"], draft["ContractTerm"]
        draft.put("EndDate", None if start is None or term is None else _months_later(start, int(term)))
        if draft["Status"] == ACTIVATED and draft.changes("Status"):
            draft.put("ActivatedDate", stamp(writer.org.now()))
            draft.put("ActivatedById", writer.user_id)

    def check(self, writer: Writer, draft: Draft) -> None:
        if draft.old is None and draft["StatusCode"] == ACTIVATED:
            raise refusal(
                "FAILED_ACTIVATION", "Choose a valid contract status and save your changes.", ["Status"]
            )

    def deleting(self, writer: Writer, row: Row) -> None:
        if row["StatusCode"] == ACTIVATED:
            raise refusal("DELETE_FAILED", "You can't delete an activated contract.")


def _refuse_activated(order: Row) -> None:
    if order["StatusCode"] == ACTIVATED:
        raise refusal("ENTITY_IS_LOCKED", "The products of an activated order can't be changed.")


def _sum_up(writer: Writer, item: Row) -> None:
    order = writer.org.rows.by_id(item["OrderId"] or "")
    if order is None or order.deleted:
        return
    numbers = [number for _, number, _ in writer.org.rows.children(order, item.object.name)]
    items = writer.org.rows.get(item.object, numbers).values()
    total = sum((Decimal(each["TotalPrice"] or 0) for each in items), Decimal())
    writer.touch(order, TotalAmount=format(total.quantize(_CENTS, ROUND_HALF_UP), "f"))


def _months_later(start: str, months: int) -> str | None:
    """Return the last day of a term of so many months."""
    first = date.fromisoformat(start)
    years, month = divmod(first.month - 1 + months, 12)
    try:
        day = date(first.year + years, month + 1, 1) + timedelta(days=first.day - 2)
    except (ValueError, OverflowError):
        return None
    return day.isoformat()
