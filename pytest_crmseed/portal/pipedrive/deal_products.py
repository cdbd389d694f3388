"""Products that are attached to deals (Pipedrive docs, "Deals": products), one by one or in bulk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import deals, entities, errors, lists, moments, rules
from pytest_crmseed.portal.pipedrive.call import Call, whole
from pytest_crmseed.portal.pipedrive.company import Company
from pytest_crmseed.portal.pipedrive.products import FREQUENCIES, check_billing
from pytest_crmseed.portal.pipedrive.rows import Row
from pytest_crmseed.portal.pipedrive.rules import Rule

BULK_MOST = 100
RECURRING_MOST = 20
"""Products at once, and recurring products of a deal."""

_TYPE = "deal_products"
_RULES: Mapping[str, Rule] = {
    "product_id": rules.INTEGER,
    "item_price": rules.NUMBER,
    "quantity": rules.NUMBER,
    "tax": rules.NUMBER,
    "comments": rules.TEXT,
    "discount": rules.NUMBER,
    "is_enabled": rules.BOOLEAN,
    "tax_method": Rule(rules.one_of("exclusive", "inclusive", "none")),
    "discount_type": Rule(rules.one_of("percentage", "amount")),
    "product_variation_id": Rule(rules.integer, nullable=True),
    "billing_frequency": Rule(rules.one_of(*FREQUENCIES)),
    "billing_frequency_cycles": Rule(rules.integer, nullable=True),
    "billing_start_date": Rule(rules.date, nullable=True),
}
_REQUIRED = ("product_id", "item_price", "quantity")


def listed(call: Call) -> PortalResponse:
    """List the products of a deal."""
    deal = entities.live(call, deals.ENTITY, call.id)
    return _page(call, call.company.products_of(deal.id))


def of_deals(call: Call) -> PortalResponse:
    """List the products of several deals."""
    ids = call.several("deal_ids")
    numbers = [number for id in ids if (number := whole(id)) is not None]
    if not ids or len(numbers) < len(ids) or len(ids) > BULK_MOST:
        raise errors.invalid([("deal_ids", f"1 to {BULK_MOST} ids are required")])
    return _page(call, [row for id in numbers for row in call.company.products_of(id)])


def _page(call: Call, rows: list[Row]) -> PortalResponse:
    keys: dict[str, Callable[[Row], Any]] = {
        "id": lambda row: row.id,
        "add_time": lambda row: moments.rfc(row.created),
        "update_time": lambda row: moments.rfc(row.updated),
        "order_nr": lambda row: row["order_nr"],
    }
    page, cursor = lists.cursor_page(call, rows, keys)
    return lists.answer(call, [shown(call.company, row) for row in page], cursor)


def add(call: Call) -> PortalResponse:
    """Attach a product to a deal: 201."""
    deal = entities.live(call, deals.ENTITY, call.id)
    row = attach(call, deal, call.body)
    return call.answer(shown(call.company, row), status=201)


def attach(call: Call, deal: Row, body: dict[str, Any]) -> Row:
    """Attach a product to a deal, whose value changes.

    Raises:
        ApiError: the body is not valid.
    """
    rules.check(body, _RULES, _REQUIRED)
    row = _made(call, deal, body, call.company.products_of(deal.id))
    _add_up(call, deal)
    return row


def add_many(call: Call) -> PortalResponse:
    """Attach up to 100 products to a deal, all of them or none: 201."""
    deal = entities.live(call, deals.ENTITY, call.id)
    rules.check(call.body, {"data": Rule(rules.list_of(rules.any_object))}, ("data",))
    rows = call.body["data"]
    if not 1 <= len(rows) <= BULK_MOST:
        raise errors.invalid([("data", f"1 to {BULK_MOST} products are required")])
    for row in rows:
        rules.check(row, _RULES, _REQUIRED)
    attached = call.company.products_of(deal.id)
    made: list[Row] = []
    for row in rows:
        made.append(_made(call, deal, row, [*attached, *made]))
    _add_up(call, deal)
    return call.answer([shown(call.company, row) for row in made], status=201)


def _made(call: Call, deal: Row, body: Mapping[str, Any], attached: list[Row]) -> Row:
    company = call.company
    product = _product(call, body)
    check_billing(body, {})
    _check_recurring(attached, body)
    now = company.now()
    data = {
        "deal_id": deal.id,
        "name": product["name"],
        "order_nr": max((row["order_nr"] for row in attached), default=0) + 1,
        "tax": 0,
        "comments": "",
        "discount": 0,
        "discount_type": "percentage",
        "tax_method": "inclusive",
        "is_enabled": True,
        "billing_frequency": "one-time",
        **body,
    }
    row = Row(company.new_id(_TYPE), data, now, now)
    company.save(_TYPE, row)
    company.attach(deal.id, row.id)
    return row


def _product(call: Call, body: Mapping[str, Any]) -> Row:
    entities.check_reference(call, "product_id", "products", body["product_id"])
    product = call.company.row("products", body["product_id"])
    if product is None or not product["is_linkable"]:
        raise errors.invalid(
            [("product_id", f"Product with id '{body['product_id']}' cannot be added to deals")]
        )
    variation = body.get("product_variation_id")
    if variation is not None and all(each["id"] != variation for each in product["variations"] or ()):
        raise errors.invalid(
            [("product_variation_id", f"Product variation with id '{variation}' was not found")]
        )
    return product


def _check_recurring(attached: list[Row], body: Mapping[str, Any]) -> None:
    recurring = [row for row in attached if row["billing_frequency"] != "one-time"]
    if body.get("billing_frequency", "one-time") != "one-time" and len(recurring) >= RECURRING_MOST:
        raise errors.bad_request(
            f"A deal can have at most {RECURRING_MOST} recurring products", "ERR_BAD_REQUEST"
        )


def update(call: Call) -> PortalResponse:
    """Change a product of a deal."""
    deal = entities.live(call, deals.ENTITY, call.id)
    row = _attached(call, deal)
    rules.check(call.body, _RULES)
    check_billing(call.body, row.data)
    data = {**row.data, **call.body}
    if "product_id" in call.body or "product_variation_id" in call.body:
        data["name"] = _product(call, data)["name"]
    changed = Row(row.id, data, row.created, call.company.now())
    call.company.save(_TYPE, changed)
    _add_up(call, deal)
    return call.answer(shown(call.company, changed))


def delete(call: Call) -> PortalResponse:
    """Take a product from a deal."""
    deal = entities.live(call, deals.ENTITY, call.id)
    row = _attached(call, deal)
    call.company.purge(_TYPE, row.id)
    _add_up(call, deal)
    return call.answer({"id": row.id})


def delete_many(call: Call) -> PortalResponse:
    """Take products from a deal: those of ``ids``, or the first 100."""
    deal = entities.live(call, deals.ENTITY, call.id)
    attached = call.company.products_of(deal.id)
    ids = call.several("ids")
    if len(ids) > BULK_MOST:
        raise errors.invalid([("ids", f"At most {BULK_MOST} ids can be given")])
    chosen = [row for row in attached if not ids or str(row.id) in ids][:BULK_MOST]
    for row in chosen:
        call.company.purge(_TYPE, row.id)
    _add_up(call, deal)
    more = not ids and len(attached) > len(chosen)
    return call.answer({"ids": [row.id for row in chosen]}, {"more_items_in_collection": more})


def _attached(call: Call, deal: Row) -> Row:
    row = call.company.row(_TYPE, call.number("product_attachment_id"))
    if row is None or row["deal_id"] != deal.id:
        raise errors.not_found("Deal product")
    return row


def _add_up(call: Call, deal: Row) -> None:
    """Let a deal be worth what its products are."""
    attached = call.company.products_of(deal.id)
    deal.data["value"] = _plain(sum(_sum(row) for row in attached if row["is_enabled"]))
    deal.updated = call.company.now()
    call.company.save("deals", deal)


def _sum(row: Row) -> float:
    # That taxes are added to an exclusive price, and an amount taken off once, is [unsure].
    whole: float = row["item_price"] * row["quantity"]
    discount = row["discount"] or 0
    whole -= whole * discount / 100 if row["discount_type"] == "percentage" else discount
    if row["tax_method"] == "exclusive":
        whole += whole * (row["tax"] or 0) / 100
    return round(whole, 2)


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else round(value, 2)


def shown(company: Company, row: Row) -> dict[str, Any]:
    """Return a deal product as it is answered."""
    deal = company.row("deals", row["deal_id"], deleted=True)
    currency = company.behaviour.currency if deal is None else deal["currency"]
    return {
        "id": row.id,
        "sum": _plain(_sum(row)),
        "tax": row["tax"],
        "deal_id": row["deal_id"],
        "name": row["name"],
        "product_id": row["product_id"],
        "product_variation_id": row["product_variation_id"],
        "order_nr": row["order_nr"],
        **entities.times(row, fresh_update=True),
        "comments": row["comments"],
        "currency": currency,
        "discount": row["discount"],
        "quantity": row["quantity"],
        "item_price": row["item_price"],
        "tax_method": row["tax_method"],
        "discount_type": row["discount_type"],
        "is_enabled": row["is_enabled"],
        "billing_frequency": row["billing_frequency"],
        "billing_frequency_cycles": row["billing_frequency_cycles"],
        "billing_start_date": row["billing_start_date"],
    }
