"""The factories of products, line items and orders."""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from factory.declarations import Trait

from pytest_crmseed.factories import texts
from pytest_crmseed.factories.base import CRMFactory
from pytest_crmseed.factories.computed import Derived, Given, Parent
from pytest_crmseed.factories.declarations import UNSET, DecimalBetween, IntegerBetween, Pick, Weighted
from pytest_crmseed.factories.streams import Generation, below, split

_NUMBER, _INDEX = Given.NUMBER, Given.INDEX
_CENT = Decimal("0.01")
_NOTHING = Decimal("0.00")

_PRODUCT_NAMES = tuple(f"{what} {edition}" for what in texts.PRODUCTS for edition in texts.PRODUCT_EDITIONS)
# By the name of a product, since an override may give any.
_KINDS = {
    f"{what} {edition}": kind for what, kind in texts.PRODUCTS.items() for edition in texts.PRODUCT_EDITIONS
}
_ANY_KIND = tuple(texts.PRODUCTS.values())


# -- products ------------------------------------------------------------------------------------
def _sku(about: Generation) -> Callable[..., str]:
    suffix = f"-{about.unique_tag}" if about.unique_tag else ""

    def value(index: int, name: Any) -> str:
        words = name.split() if isinstance(name, str) else ()
        initials = "".join(word[0] for word in words if word[0].isascii() and word[0].isalnum())
        return f"{initials[:4].upper() or 'SKU'}-{1000 + index}{suffix}"

    return value


def _price(about: Generation) -> Callable[..., Decimal]:
    def value(number: int, name: Any) -> Decimal:
        kind, rest = split(number, len(_ANY_KIND))
        known = _KINDS.get(name) if isinstance(name, str) else None
        low, high, _ = known or _ANY_KIND[kind]
        # Whole amounts and those that end in 90 cents, as price lists have them.
        steps, rest = split(rest, high - low)
        return Decimal(low + steps) + (Decimal("0.90") if below(rest, 2) else _NOTHING)

    return value


def _product_description(about: Generation) -> Callable[..., str]:
    def value(number: int, name: Any) -> str:
        known = _KINDS.get(name) if isinstance(name, str) else None
        return (known or _ANY_KIND[below(number, len(_ANY_KIND))])[2]

    return value


class ProductFactory(CRMFactory):
    """Makes products that are on sale. The stock-keeping unit (``sku``) is unique.

    ``currency`` is set by override only. Trait: ``inactive``.
    """

    class Meta:
        object_type = "products"

    class Params:
        inactive = Trait(active=False)

    name = Pick(_PRODUCT_NAMES)
    sku = Derived(_sku, _INDEX, "name")
    price = Derived(_price, _NUMBER, "name")
    currency = UNSET
    description = Derived(_product_description, _NUMBER, "name")
    active = True


# -- line items ----------------------------------------------------------------------------------
_ANY_PRICE = DecimalBetween("10.00", "990.00", step=10)


def _line_price(about: Generation) -> Callable[..., Any]:
    def value(number: int, product: Mapping[str, Any]) -> Any:
        price = product.get("price")
        return _ANY_PRICE.value(number, about) if price is None else price

    return value


def _amount(value: Any) -> Decimal:
    """Return a number that an override may have given in any form; 0 for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return _NOTHING
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return _NOTHING
    return number if number.is_finite() and number > 0 else _NOTHING


def _discount(about: Generation) -> Callable[..., Decimal]:
    def value(number: int, price: Any, quantity: Any, discounted: Any) -> Decimal:
        chance, rest = split(number, 100)
        if not discounted and chance >= 25:
            return _NOTHING
        # Of one unit, and no more than all of them cost: some CRMs take it off each, some off the sum.
        least = _amount(price) * min(_amount(quantity), Decimal(1))
        percent = 5 * (1 + below(rest, 4))
        return (least * percent / 100).quantize(_CENT) if least < Decimal(10) ** 20 else _NOTHING

    return value


class LineItemFactory(CRMFactory):
    """Makes line items. The price is that of the product; about one in four has a discount.

    A discount is an amount of money, at most a fifth of the price of one unit. Trait:
    ``discounted``, with which all have one.
    """

    class Meta:
        object_type = "line_items"

    class Params:
        discounted = False

    quantity = Weighted({IntegerBetween(1, 5): 70, IntegerBetween(6, 25): 25, IntegerBetween(26, 200): 5})
    price = Derived(_line_price, _NUMBER, Parent("product"))
    discount = Derived(_discount, _NUMBER, "price", "quantity", "discounted")


# -- orders --------------------------------------------------------------------------------------
def _order_name(about: Generation) -> Callable[..., str]:
    def value(index: int, company: Mapping[str, Any]) -> str:
        number = f"Order {about.base_date.year}-{1001 + index}"
        name = company.get("name")
        return f"{number} - {name}" if name else number

    return value


class OrderFactory(CRMFactory):
    """Makes orders, named for their company. ``currency`` is set by override only."""

    class Meta:
        object_type = "orders"

    name = Derived(_order_name, _INDEX, Parent("company"))
    amount = Weighted(
        {
            DecimalBetween("50.00", "495.00", step=5): 50,
            DecimalBetween("500.00", "9950.00", step=50): 40,
            DecimalBetween("10000.00", "50000.00", step=250): 10,
        }
    )
    currency = UNSET
