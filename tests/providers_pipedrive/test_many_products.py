"""A deal with more products than one page has: what stands on later pages is not taken for gone."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_crmseed.errors import PortalError
from pytest_crmseed.planning import count
from pytest_crmseed.providers.base import Answer, Request
from pytest_crmseed.providers.pipedrive import lists
from pytest_crmseed.records import ref

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
