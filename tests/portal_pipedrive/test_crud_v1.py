"""Operations of v1 that are out of support, in a company that still serves them."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def old(make_portal: Any, seeder: Any) -> Any:
    """Ask for what no document has any more."""
    ask = seeder(make_portal(v1_crud=True))

    def asked(method: str, url: str, body: Any = None) -> Any:
        return ask(method, url, body, documented=False)

    return asked


def test_v1_expands_what_a_deal_refers_to(old: Any) -> None:
    organization = old("POST", "/v1/organizations", {"name": "Acorn", "address": "Main St"}).json()["data"]
    assert (organization["address"], organization["active_flag"]) == ("Main St", True)
    person = old(
        "POST", "/v1/persons", {"name": "Ann", "email": "a@example.com", "org_id": organization["id"]}
    )
    assert (person.status, person.json()["data"]["email"]) == (
        201,
        [{"label": "work", "value": "a@example.com", "primary": True}],
    )
    id = person.json()["data"]["id"]
    body = {"title": "D", "value": "12.5", "person_id": str(id), "stage_id": "2", "unknown": 1}
    deal = old("POST", "/v1/deals", body).json()["data"]
    assert (deal["value"], deal["stage_id"], deal["person_id"]["value"], deal["org_id"]) == (
        12.5,
        2,
        id,
        None,
    )
    assert (deal["add_time"], deal["visible_to"], deal["active"], deal["user_id"]["value"]) == (
        "2026-09-21 14:13:20",
        "7",
        True,
        14700001,
    )


def test_v1_deletes_softly_and_says_so(old: Any, refusal: Any) -> None:
    id = old("POST", "/v1/deals", {"title": "D"}).json()["data"]["id"]
    path = f"/v1/deals/{id}"
    assert old("PUT", path, {"title": "E"}).json()["data"]["title"] == "E"
    assert old("DELETE", path).json()["data"] == {"id": id}
    gone = old("GET", path)
    assert (gone.status, gone.json()["data"]["deleted"], gone.json()["data"]["status"]) == (
        200,
        True,
        "deleted",
    )
    assert refusal(old("PUT", path, {"title": "F"}))[2] == "ERR_DEAL_DELETED"
    missing = old("GET", "/v1/deals/5")
    assert (missing.status, missing.json()) == (
        404,
        {
            "success": False,
            "error": "Deal not found",
            "error_info": "Please check developers.pipedrive.com for more information about Pipedrive API.",
            "data": None,
            "additional_data": None,
        },
    )


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("deals", {}, "Deal title must be given."),
        ("persons", {}, "Name must be given."),
        ("organizations", {}, "Organization name must be given."),
        ("deals", {"id": 5, "title": "D"}, "Inserting ID with POST request is not allowed."),
        ("stages", {"name": "S"}, "Stage name and pipeline must be given."),
    ],
)
def test_v1_has_its_own_words(old: Any, refusal: Any, path: str, body: Any, error: str) -> None:
    assert refusal(old("POST", f"/v1/{path}", body)) == (400, error, None)


def test_custom_fields_are_flat_in_v1(old: Any, refusal: Any) -> None:
    field = old("POST", "/v1/dealFields", {"name": "Money", "field_type": "monetary"}).json()["data"]
    key = field["key"]
    choice = old(
        "POST", "/v1/dealFields", {"name": "Tier", "field_type": "enum", "options": [{"label": "A"}]}
    ).json()["data"]
    [option] = choice["options"]
    body = {"title": "D", key: "5", f"{key}_currency": "EUR", choice["key"]: str(option["id"])}
    deal = old("POST", "/v1/deals", body).json()["data"]
    assert (deal[key], deal[f"{key}_currency"], deal[choice["key"]]) == (5, "EUR", str(option["id"]))
    other = old("POST", "/v1/deals", {"title": "E"}).json()["data"]
    assert (other[key], other[f"{key}_currency"], other[choice["key"]]) == (None, None, None)
    assert refusal(old("POST", "/v1/deals", {**body, choice["key"]: "99"}))[1] == "Bad request"


def test_v1_lists_have_starts_and_filters(old: Any) -> None:
    ids = [old("POST", "/v1/deals", {"title": "D", "status": status}).json()["data"]["id"]
           for status in ("open", "won", "open")]  # fmt: skip
    page = old("GET", "/v1/deals?limit=2").json()
    assert [deal["id"] for deal in page["data"]] == ids[:2]
    assert page["additional_data"]["pagination"]["next_start"] == 2

    def found(query: str) -> list[int]:
        return [deal["id"] for deal in old("GET", f"/v1/{query}").json()["data"]]

    assert (found("deals?status=won"), found("deals?user_id=14700002")) == ([ids[1]], [])
    assert found("deals?status=all_not_deleted&user_id=0") == ids
    assert found(f"deals?ids={ids[2]}") == [ids[2]]


def test_products_of_deals_in_v1(old: Any) -> None:
    deal = old("POST", "/v1/deals", {"title": "D"}).json()["data"]["id"]
    product = old("POST", "/v1/products", {"name": "P"}).json()["data"]["id"]
    body = {"product_id": product, "item_price": "5", "quantity": "2", "enabled_flag": 1}
    assert old("POST", f"/v1/deals/{deal}/products", body).json()["data"]["sum"] == 10
    assert [each["product_id"] for each in old("GET", f"/v1/deals/{deal}/products").json()["data"]] == [
        product
    ]


def test_stages_and_pipelines_in_v1(old: Any, refusal: Any) -> None:
    made = old("POST", "/v1/stages", {"name": "S", "pipeline_id": "1", "deal_probability": "40"})
    data = made.json()["data"]
    assert (made.status, data["order_nr"], data["deal_probability"], data["active_flag"]) == (
        201,
        6,
        40,
        True,
    )
    path = f"/v1/stages/{data['id']}"
    assert old("PUT", path, {"name": "T"}).json()["data"]["name"] == "T"
    assert refusal(old("PUT", path, {"pipeline_id": 9}))[1] == "Pipeline does not exist."
    assert old("DELETE", path).json()["data"] == {"id": data["id"]}
    assert refusal(old("GET", path)) == (404, "Stage not found", None)
    assert old("GET", "/v1/pipelines").json()["data"][0]["name"] == "Pipeline"
    assert refusal(old("GET", "/v1/pipelines/9")) == (404, "Pipeline not found", None)


def test_deals_of_a_stage_pipeline_and_product_are_still_in_support(ask: Any) -> None:
    deal, product = ask.made("deals", title="D", stage_id=2), ask.made("products", name="P")
    ask.made(f"deals/{deal}/products", product_id=product, item_price=1, quantity=1)
    for path in ("stages/2", "pipelines/1", f"products/{product}"):
        found = ask.get(f"/v1/{path}/deals", documented=False)
        assert [each["id"] for each in found] == [deal]
    assert ask.get("/v1/stages/1/deals") == []
