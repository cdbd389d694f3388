"""Opportunities, their contacts' roles and their line items (Salesforce docs, "Object Reference")."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce.errors import refusal
from pytest_crmseed.portal.salesforce.rules.base import Rules
from pytest_crmseed.portal.salesforce.rules.prices import entry_of, integrity
from pytest_crmseed.portal.salesforce.stages import forecast_category

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.draft import Draft
    from pytest_crmseed.portal.salesforce.rows import Row
    from pytest_crmseed.portal.salesforce.writing import Writer

_CENTS = Decimal("0.01")


class OpportunityRules(Rules):
    """Those of Opportunity: probability and forecast follow the stage."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        stage = writer.org.stages.get(draft["StageName"] or "")
        moved = draft.old is None or draft.changes("StageName")
        if moved and "Probability" not in draft.given:
            draft.put("Probability", None if stage is None else str(stage.probability))
        if moved and "ForecastCategoryName" not in draft.given:
            draft.put("ForecastCategoryName", "Pipeline" if stage is None else stage.forecast)
        draft.put("ForecastCategory", forecast_category(draft["ForecastCategoryName"] or "Pipeline"))
        draft.put("IsClosed", "true" if stage is not None and stage.closed else "false")
        draft.put("IsWon", "true" if stage is not None and stage.won else "false")
        if draft.old is not None and draft.old["HasOpportunityLineItem"] == "true":
            # The sum of its line items; what an update says of it is passed over (docs, "Opportunity").
            draft.put("Amount", draft.old["Amount"])
        draft.put("ExpectedRevenue", _expected(draft["Amount"], draft["Probability"]))
        day = draft["CloseDate"]
        if day is not None:
            quarter = (int(day[5:7]) + 2) // 3
            draft.put("FiscalYear", day[:4])
            draft.put("FiscalQuarter", str(quarter))
            draft.put("Fiscal", f"{day[:4]} {quarter}")

    def check(self, writer: Writer, draft: Draft) -> None:
        probability = draft["Probability"]
        if probability is not None and not 0 <= Decimal(probability) <= 100:
            message = f"Probability (%): value outside of valid range on numeric field: {probability}"
            raise refusal("NUMBER_OUTSIDE_VALID_RANGE", message, ["Probability"])
        sold = draft.old is not None and draft.old["HasOpportunityLineItem"] == "true"
        if sold and draft.changes("Pricebook2Id"):
            raise integrity("cannot change the price book of an opportunity with products", "Pricebook2Id")

    def saved(self, writer: Writer, draft: Draft, row: Row) -> None:
        contact = row["ContactId"]
        if draft.old is None and contact is not None:
            writer.make("OpportunityContactRole", OpportunityId=row.id, ContactId=contact, IsPrimary="true")


class RoleRules(Rules):
    """Those of OpportunityContactRole: one contact is the primary one."""

    def saved(self, writer: Writer, draft: Draft, row: Row) -> None:
        if row["IsPrimary"] != "true" or not draft.changes("IsPrimary"):
            return
        deal = writer.org.rows.by_id(row["OpportunityId"] or "")
        if deal is None:
            return
        writer.touch(deal, ContactId=row["ContactId"])
        numbers = [number for _, number, _ in writer.org.rows.children(deal, row.object.name)]
        for other in writer.org.rows.get(row.object, numbers).values():
            if other.id != row.id and other["IsPrimary"] == "true":
                writer.touch(other, IsPrimary="false")


class LineItemRules(Rules):
    """Those of OpportunityLineItem: one price book, one price, and the sums of its opportunity."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        deal = writer.org.rows.by_id(draft["OpportunityId"] or "")
        entry = entry_of(writer, draft, None if deal is None else deal["Pricebook2Id"])
        if entry is not None:
            product = writer.org.rows.by_id(entry["Product2Id"] or "")
            names = [part["Name"] or "" for part in (deal, product) if part is not None]
            draft.put("PricebookEntryId", entry.id)
            draft.put("Product2Id", entry["Product2Id"])
            draft.put("ProductCode", None if product is None else product["ProductCode"])
            draft.put("ListPrice", entry["UnitPrice"])
            draft.put("Name", " ".join(names).strip()[:376] or None)
        _price(draft)

    def required(self, writer: Writer, draft: Draft) -> Sequence[str]:
        missing = [] if draft["PricebookEntryId"] else ["PricebookEntryId"]
        return missing if draft["UnitPrice"] or draft["TotalPrice"] else [*missing, "UnitPrice"]

    def check(self, writer: Writer, draft: Draft) -> None:
        if draft.old is None and {"UnitPrice", "TotalPrice"} <= draft.given:
            raise integrity("specify either a sales price or a total price, not both", "TotalPrice")
        if Decimal(draft["Quantity"] or 0) == 0:
            raise integrity("Quantity: the quantity of a product cannot be 0", "Quantity")
        if draft.old is not None:
            return
        deal = writer.org.rows.by_id(draft["OpportunityId"] or "")
        entry = writer.org.rows.by_id(draft["PricebookEntryId"] or "")
        if deal is None or entry is None:
            return
        if entry["IsActive"] != "true":
            raise integrity("pricebook entry is inactive", "PricebookEntryId")
        if deal["Pricebook2Id"] not in (None, entry["Pricebook2Id"]):
            message = "pricebook entry is in a different pricebook than the one assigned to opportunity"
            raise integrity(message, "PricebookEntryId")
        if deal["Pricebook2Id"] is None:
            writer.touch(deal, Pricebook2Id=entry["Pricebook2Id"])

    def saved(self, writer: Writer, draft: Draft, row: Row) -> None:
        _sum_up(writer, row)

    def deleted(self, writer: Writer, row: Row) -> None:
        _sum_up(writer, row)


def _price(draft: Draft) -> None:
    quantity = Decimal(draft["Quantity"] or 0)
    share = 1 - Decimal(draft["Discount"] or 0) / 100
    unit, total = draft["UnitPrice"], draft["TotalPrice"]
    if total is not None and "TotalPrice" in draft.given and "UnitPrice" not in draft.given:
        if quantity and share:
            draft.put("UnitPrice", _cents(Decimal(total) / quantity / share))
    elif unit is not None:
        draft.put("TotalPrice", _cents(Decimal(unit) * quantity * share))
    if draft["UnitPrice"] is not None:
        draft.put("Subtotal", _cents(Decimal(draft["UnitPrice"] or 0) * quantity))


def _sum_up(writer: Writer, item: Row) -> None:
    deal = writer.org.rows.by_id(item["OpportunityId"] or "")
    if deal is None or deal.deleted:
        return
    numbers = [number for _, number, _ in writer.org.rows.children(deal, item.object.name)]
    items = writer.org.rows.get(item.object, numbers).values()
    if not items:
        writer.touch(deal, HasOpportunityLineItem="false")
        return
    amount = _cents(sum((Decimal(each["TotalPrice"] or 0) for each in items), Decimal()))
    writer.touch(
        deal,
        HasOpportunityLineItem="true",
        Amount=amount,
        ExpectedRevenue=_expected(amount, deal["Probability"]),
        TotalOpportunityQuantity=_cents(sum((Decimal(each["Quantity"] or 0) for each in items), Decimal())),
    )


def _expected(amount: str | None, probability: str | None) -> str | None:
    if amount is None or probability is None:
        return None
    return _cents(Decimal(amount) * Decimal(probability) / 100)


def _cents(number: Decimal) -> str:
    return format(number.quantize(_CENTS, ROUND_HALF_UP), "f")
