"""A deal with more products than one page has: what stands on later pages is not taken for gone."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pytest_crmseed.errors import PortalError
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.planning import count
from pytest_crmseed.providers.base import Answer, Effect, Request
from pytest_crmseed.providers.pipedrive import lists
from pytest_crmseed.records import ref
from pytest_crmseed.seeder.seeder import Engine, RunInfo
from pytest_crmseed.seeder.sweep import Sweeper

MANY = 25


@pytest.fixture
def items(bench: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    # As with 500, and quicker.
    monkeypatch.setattr(lists, "PAGE", 20)
    return bench.seed({"deals": 1, "products": 1, "line_items": count(MANY, deal=ref("deals", 0))}).records


def test_the_last_one_is_read_and_all_are_removed(bench: Any, items: Any) -> None:
    last = items.line_items[MANY - 1]
    assert last.reload()["quantity"] == last["quantity"]
    gone = items.line_items[MANY - 2]
    bench.target.connection.send(bench.target.provider.delete("line_items", [gone.id]))
    with pytest.raises(PortalError, match="is gone from the portal"):
        gone.reload()
    result = bench.engine.clean()
    assert (result.left, result.errors) == ([], [])
    assert bench.counts == {}


def test_a_deletion_that_did_nothing_is_seen_on_a_later_page(
    bench: Any, items: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = items.line_items[MANY - 1].id
    transport = bench.target.connection.transport
    send = transport.send

    def pass_over(request: Request) -> Answer:
        if request.method == "DELETE" and request.path.endswith(f"/products/{last.partition('/')[2]}"):
            return Answer(200, {"content-type": "application/json"}, b'{"success": true}', request)
        answer: Answer = send(request)
        return answer

    monkeypatch.setattr(transport, "send", pass_over)
    live = [entry for entry in bench.engine.live() if entry.id == last]
    result = bench.engine.clean_entries(live)
    assert [entry.id for entry in result.left] == [last]
    (said,) = result.errors
    assert said.startswith("line_items: 1 records are still there after their deletion.")


def test_those_behind_600_others_are_read_and_removed(bench: Any) -> None:
    parents = bench.seed({"deals": 1, "products": 1}).records
    deal = parents.deals[0]
    row = {"product_id": int(parents.products[0].id), "item_price": 1, "quantity": 1}
    for _ in range(6):
        path = f"/api/v2/deals/{deal.id}/products/bulk"
        body = {"data": [row] * 100}
        bench.target.connection.send(Request("POST", path, "attach 100", Effect.CREATE, body=body))
    ours = bench.seed({"line_items": count(3, deal=deal)}).records.line_items
    assert [item.reload().id for item in ours] == [item.id for item in ours]
    assert bench.engine.adopt("one of ours", "line_items", ours[2].id).id == ours[2].id
    live = [entry for entry in bench.engine.live() if entry.object_type == "line_items"]
    result = bench.engine.clean_entries(live)
    assert (result.left, result.errors) == ([], [])
    assert bench.counts["deal_products"] == 600


def test_all_are_swept_from_elsewhere(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE", 10)
    # A deal that stays: with one of ours, its products would go as well.
    body = {"title": "The application's"}
    made = bench.target.connection.send(
        Request("POST", "/api/v2/deals", "make a deal", Effect.CREATE, body=body)
    )
    deal = bench.engine.adopt("theirs", "deals", str(made.json()["data"]["id"]))
    bench.seed({"line_items": count(MANY, deal=deal)})
    ledger = Ledger(bench.folder / "elsewhere.sqlite", durable=False)
    try:
        elsewhere = Engine(bench.target, ledger, RunInfo("elsewhere"), Limits(), sleep=bench.slept.append)
        swept = Sweeper(elsewhere, clock=lambda: time.time() + 86_400).by_keys()
        assert (swept.left, swept.errors, list(swept.removed)) == ({}, [], ["run1"])
    finally:
        ledger.close()
    assert bench.counts == {"deals": 1}
