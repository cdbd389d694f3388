"""Products, their variations, and the products of deals."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def deal(ask: Any) -> Any:
    return ask.made("deals", title="D", value=5)


@pytest.fixture
def product(ask: Any) -> Any:
    return ask.made("products", name="Pen")


def test_a_product_has_a_price_in_the_users_currency(ask: Any) -> None:
    answer = ask("POST", "/api/v2/products", {"name": "Pen"})
    data = answer.json()["data"]
    price = {
        "product_id": data["id"],
        "currency": "USD",
        "price": 0,
        "cost": 0,
        "direct_cost": None,
        "notes": "",
    }
    assert (answer.status, data["prices"], data["tax"], data["is_linkable"]) == (201, [price], 0, True)
    assert "description" in data


def test_prices_are_replaced_as_a_whole_and_a_category_becomes_a_text(ask: Any) -> None:
    prices = [{"currency": "EUR", "price": 5, "cost": 2}, {"currency": "GBP", "price": 4.5}]
    id = ask.made("products", name="Pen", prices=prices, category=11, code="P1")
    data = ask.get(f"/api/v2/products/{id}")
    assert ([price["currency"] for price in data["prices"]], data["category"]) == (["EUR", "GBP"], "11")
    changed = ask("PATCH", f"/api/v2/products/{id}", {"prices": prices[1:]}).json()["data"]
    assert [price["price"] for price in changed["prices"]] == [4.5]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "name: The value is required"),
        ({"name": ""}, "name: The value must not be empty"),
        ({"name": "P", "prices": [{"price": 1}]}, "prices: currency: The value is required"),
        ({"name": "P", "prices": [{"price": 1, "currency": "XXX"}]}, "prices: 'XXX' is not a valid currency"),
        (
            {"name": "P", "prices": [{"price": 1, "currency": "EUR"}] * 2},
            "prices: Only one price per currency is allowed",
        ),
        ({"name": "P", "category": 99}, "category: Invalid option '99'"),
        (
            {"name": "P", "billing_frequency": "daily"},
            "billing_frequency: The value must be one of one-time, annually, semi-annually, quarterly,"
            " monthly, weekly",
        ),
        (
            {"name": "P", "billing_frequency_cycles": 3},
            "billing_frequency_cycles: The value must be null for the billing frequency 'one-time'",
        ),
        (
            {"name": "P", "billing_frequency": "weekly"},
            "billing_frequency_cycles: The value is required for the billing frequency 'weekly'",
        ),
        (
            {"name": "P", "billing_frequency": "monthly", "billing_frequency_cycles": 209},
            "billing_frequency_cycles: The value must be between 1 and 208",
        ),
    ],
)
def test_a_product_that_is_wrong_is_refused(ask: Any, refusal: Any, body: Any, problem: str) -> None:
    answer = ask("POST", "/api/v2/products", body)
    assert refusal(answer) == (400, f"Validation failed: {problem}", "ERR_SCHEMA_VALIDATION_FAILED")


def test_variations_come_and_go(ask: Any, refusal: Any, product: int) -> None:
    path = f"/api/v2/products/{product}/variations"
    prices = [{"currency": "EUR", "price": 5}]
    answer = ask("POST", path, {"name": "Blue", "prices": prices})
    id = answer.json()["data"]["id"]
    price = {
        "product_variation_id": id,
        "currency": "EUR",
        "price": 5,
        "cost": 0,
        "direct_cost": None,
        "notes": "",
    }
    blue = {"id": id, "name": "Blue", "product_id": product, "prices": [price]}
    assert (answer.status, answer.json()["data"], ask.get(path)) == (201, blue, [blue])
    assert ask("PATCH", f"{path}/{id}", {"name": "Red"}).json()["data"] == {**blue, "name": "Red"}
    assert ask("DELETE", f"{path}/{id}").json()["data"] == {"id": id}
    assert ask.get(path) == []
    assert refusal(ask("DELETE", f"{path}/{id}")) == (404, "Product variation not found", "ERR_NOT_FOUND")


def test_products_of_a_deal_make_its_value(ask: Any, refusal: Any, deal: int, product: int) -> None:
    path = f"/api/v2/deals/{deal}/products"
    body = {"product_id": product, "item_price": 10, "quantity": 2}
    answer = ask("POST", path, {**body, "tax": 10, "tax_method": "exclusive", "discount": 50})
    data = answer.json()["data"]
    assert (answer.status, data["sum"], data["name"], data["currency"], data["order_nr"]) == (
        201,
        11,
        "Pen",
        "USD",
        1,
    )
    second = ask("POST", path, {**body, "discount": 5, "discount_type": "amount"}).json()["data"]
    assert (second["sum"], ask.get(f"/api/v2/deals/{deal}")["value"]) == (15, 26)
    answer = ask("PATCH", f"/api/v2/deals/{deal}", {"value": 1, "title": "New"})
    text = "Cannot update deal value, the deal has products attached to it."
    assert refusal(answer) == (400, text, None)
    assert ask.get(f"/api/v2/deals/{deal}")["title"] == "D"
    changed = ask("PATCH", f"{path}/{second['id']}", {"is_enabled": False, "quantity": 3}).json()["data"]
    assert (changed["sum"], ask.get(f"/api/v2/deals/{deal}")["value"]) == (25, 11)
    assert [each["id"] for each in ask.get(path)] == [data["id"], second["id"]]
    assert [each["id"] for each in ask.get(f"/api/v2/deals/products?deal_ids={deal}")] == [
        data["id"],
        second["id"],
    ]
    assert ask("DELETE", f"{path}/{data['id']}").json()["data"] == {"id": data["id"]}
    assert refusal(ask("DELETE", f"{path}/{data['id']}")) == (404, "Deal product not found", "ERR_NOT_FOUND")


def test_products_are_added_in_bulk_all_or_none(ask: Any, refusal: Any, deal: int, product: int) -> None:
    path = f"/api/v2/deals/{deal}/products"
    row = {"product_id": product, "item_price": 1, "quantity": 1}
    answer = ask("POST", f"{path}/bulk", {"data": [row] * 100})
    assert (answer.status, len(answer.json()["data"])) == (201, 100)
    assert ask.get(f"/api/v2/deals/{deal}")["value"] == 100
    answer = ask("POST", f"{path}/bulk", {"data": [row, {**row, "product_id": 1}]})
    assert refusal(answer)[1] == "Validation failed: product_id: Product with id '1' was not found"
    assert refusal(ask("POST", f"{path}/bulk", {"data": [row] * 101}))[1] == (
        "Validation failed: data: 1 to 100 products are required"
    )
    assert refusal(ask("POST", f"{path}/bulk", {}))[1] == "Validation failed: data: The value is required"
    more = ask.made(path.removeprefix("/api/v2/"), **row)
    first = ask("DELETE", path)
    assert (len(first.json()["data"]["ids"]), first.json()["additional_data"]) == (
        100,
        {"more_items_in_collection": True},
    )
    last = ask("DELETE", f"{path}?ids={more},5")
    assert last.json() == {
        "success": True,
        "data": {"ids": [more]},
        "additional_data": {"more_items_in_collection": False},
    }


def test_a_deal_has_20_recurring_products_at_most(ask: Any, refusal: Any, deal: int, product: int) -> None:
    row = {"product_id": product, "item_price": 1, "quantity": 1, "billing_frequency": "monthly"}
    path = f"/api/v2/deals/{deal}/products/bulk"
    assert ask("POST", path, {"data": [row] * 20}).status == 201
    answer = ask("POST", path, {"data": [row]})
    assert refusal(answer)[1] == "A deal can have at most 20 recurring products"


@pytest.mark.parametrize("missing", ["product_id", "item_price", "quantity"])
def test_a_deal_product_needs_three_keys(ask: Any, refusal: Any, deal: int, missing: str) -> None:
    body = {"product_id": 1, "item_price": 1, "quantity": 1}
    del body[missing]
    answer = ask("POST", f"/api/v2/deals/{deal}/products", body)
    assert refusal(answer)[1] == f"Validation failed: {missing}: The value is required"


def test_what_cannot_be_linked_is_refused(ask: Any, refusal: Any, deal: int, product: int) -> None:
    ask("PATCH", f"/api/v2/products/{product}", {"is_linkable": False})
    answer = ask(
        "POST", f"/api/v2/deals/{deal}/products", {"product_id": product, "item_price": 1, "quantity": 1}
    )
    assert refusal(answer)[1] == (
        f"Validation failed: product_id: Product with id '{product}' cannot be added to deals"
    )


def test_products_go_with_their_deal(ask: Any, deal: int, product: int, portal: Any) -> None:
    ask.made(f"deals/{deal}/products", product_id=product, item_price=1, quantity=1)
    ask("DELETE", f"/api/v2/deals/{deal}")
    counts = portal.stats()["records"]["pipedrive"]
    assert (counts["deals"], counts["deal_products"], counts["products"]) == (0, 0, 1)
