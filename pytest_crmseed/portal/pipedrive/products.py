"""Products and their variations (Pipedrive docs, "Products")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import entities, errors, lists, rules
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.company import Company
from pytest_crmseed.portal.pipedrive.entities import Entity
from pytest_crmseed.portal.pipedrive.kept import PROVIDER
from pytest_crmseed.portal.pipedrive.rows import Row
from pytest_crmseed.portal.pipedrive.rules import Rule

FREQUENCIES = ("one-time", "annually", "semi-annually", "quarterly", "monthly", "weekly")
CYCLES_MOST = 208

PRICES = Rule(
    rules.list_of(
        rules.object_of(
            {
                "currency": rules.TEXT,
                "price": rules.NUMBER,
                "cost": Rule(rules.number, nullable=True),
                "direct_cost": Rule(rules.number, nullable=True),
                "notes": Rule(rules.text, nullable=True),
            },
            required=["currency", "price"],
        )
    )
)

_RULES: Mapping[str, Rule] = {
    "name": Rule(rules.limited(255, least=1)),
    "code": Rule(rules.limited(255)),
    "description": rules.TEXT,
    "unit": Rule(rules.limited(255)),
    "tax": rules.NUMBER,
    "category": rules.NUMBER,
    "owner_id": rules.INTEGER,
    "is_linkable": rules.BOOLEAN,
    "visible_to": rules.VISIBLE_TO,
    "prices": PRICES,
    "custom_fields": rules.CUSTOM_FIELDS,
    "billing_frequency": Rule(rules.one_of(*FREQUENCIES)),
    "billing_frequency_cycles": Rule(rules.integer, nullable=True),
}


def _prepare(call: Call, given: dict[str, Any], old: Row | None) -> dict[str, Any]:
    company = call.company
    if "owner_id" in given:
        entities.check_owner(call, given["owner_id"])
    field = company.fields.of("product")["category"]
    if "category" in given and field.option(given["category"]) is None:
        raise errors.invalid([("category", f"Invalid option '{given['category']}'")])
    check_billing(given, {} if old is None else old.data)
    data: dict[str, Any] = {}
    if old is None:
        data = {
            "owner_id": company.user.id,
            "tax": 0,
            "is_linkable": True,
            "visible_to": entities.default_visibility(company),
            "billing_frequency": "one-time",
            "prices": [_price({"currency": company.behaviour.currency, "price": 0})],
        }
    data |= given
    if "prices" in given:
        data["prices"] = checked_prices(call, given["prices"])
    return data


def check_billing(given: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Check how often a product is billed.

    Raises:
        ApiError: the number of cycles does not go with the frequency.
    """
    both = {**before, **given}
    frequency, cycles = both.get("billing_frequency", "one-time"), both.get("billing_frequency_cycles")
    problem = ""
    if frequency == "one-time" and cycles is not None:
        problem = "The value must be null for the billing frequency 'one-time'"
    elif frequency == "weekly" and cycles is None:
        problem = "The value is required for the billing frequency 'weekly'"
    elif cycles is not None and not 1 <= cycles <= CYCLES_MOST:
        problem = f"The value must be between 1 and {CYCLES_MOST}"
    if problem:
        raise errors.invalid([("billing_frequency_cycles", problem)])


def checked_prices(call: Call, prices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return prices as they are kept, one per currency.

    Raises:
        ApiError: a currency is unknown, or has two.
    """
    codes = [price["currency"] for price in prices]
    for code in codes:
        if not call.company.currency(code):
            raise errors.invalid([("prices", f"'{code}' is not a valid currency")])
    if len(set(codes)) < len(codes):
        raise errors.invalid([("prices", "Only one price per currency is allowed")])
    return [_price(price) for price in prices]


def _price(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "currency": given["currency"],
        "price": given["price"],
        "cost": given.get("cost") or 0,
        "direct_cost": given.get("direct_cost"),
        "notes": given.get("notes") or "",
    }


def _shown(company: Company, row: Row) -> dict[str, Any]:
    category = row["category"]
    return {
        "name": row["name"],
        "code": row["code"],
        "description": row["description"],
        "unit": row["unit"],
        "tax": row["tax"],
        "category": None if category is None else str(category),
        "is_linkable": row["is_linkable"],
        "visible_to": row["visible_to"],
        "owner_id": row["owner_id"],
        **entities.times(row, fresh_update=True),
        "billing_frequency": row["billing_frequency"],
        "billing_frequency_cycles": row["billing_frequency_cycles"],
        "prices": [{"product_id": row.id, **price} for price in row["prices"] or ()],
    }


ENTITY = Entity(
    type="products",
    noun="Product",
    fields="product",
    rules=_RULES,
    required=("name",),
    prepare=_prepare,
    shown=_shown,
    filters={"owner_id": "owner_id"},
    sorts=("name", "add_time", "update_time"),
    created=201,
)

# -- variations --------------------------------------------------------------------------------------
_VARIATION_RULES = {"name": Rule(rules.limited(255, least=1)), "prices": PRICES}


def variations(call: Call) -> PortalResponse:
    """List the variations of a product."""
    row = _product(call)
    page, cursor = lists.cursor_page(call, row["variations"] or (), {"id": lambda each: each["id"]})
    return lists.answer(call, [_variation(row, each) for each in page], cursor)


def add_variation(call: Call) -> PortalResponse:
    """Add a variation to a product: 201."""
    row = _product(call)
    rules.check(call.body, _VARIATION_RULES, ("name",))
    made = {
        "id": call.company.store.new_id(PROVIDER, "product_variation", 1),
        "name": call.body["name"],
        "prices": checked_prices(call, call.body.get("prices", [])),
    }
    _keep(call, row, [*(row["variations"] or ()), made])
    return call.answer(_variation(row, made), status=201)


def change_variation(call: Call) -> PortalResponse:
    """Change a variation of a product."""
    row = _product(call)
    found = _found(call, row)
    rules.check(call.body, _VARIATION_RULES)
    changed = {**found, **call.body}
    if "prices" in call.body:
        changed["prices"] = checked_prices(call, call.body["prices"])
    _keep(call, row, [changed if each is found else each for each in row["variations"]])
    return call.answer(_variation(row, changed))


def delete_variation(call: Call) -> PortalResponse:
    """Remove a variation from a product."""
    row = _product(call)
    found = _found(call, row)
    _keep(call, row, [each for each in row["variations"] if each is not found])
    return call.answer({"id": found["id"]})


def _product(call: Call) -> Row:
    return entities.live(call, ENTITY, call.id)


def _found(call: Call, row: Row) -> dict[str, Any]:
    id = call.number("product_variation_id")
    found: dict[str, Any] | None = next((each for each in row["variations"] or () if each["id"] == id), None)
    if found is None:
        raise errors.not_found("Product variation")
    return found


def _keep(call: Call, row: Row, variations: list[dict[str, Any]]) -> None:
    row.data["variations"] = variations
    row.updated = call.company.now()
    call.company.save("products", row)


def _variation(row: Row, variation: Mapping[str, Any]) -> dict[str, Any]:
    prices = [{"product_variation_id": variation["id"], **price} for price in variation["prices"]]
    return {"id": variation["id"], "name": variation["name"], "product_id": row.id, "prices": prices}
