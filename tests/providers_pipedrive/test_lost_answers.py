"""Requests without a proper answer: nothing is there twice, and nothing is left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from pytest_crmseed.errors import OutcomeUnknown, VerificationFailed
from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.providers.base import Answer, Request
from pytest_crmseed.providers.pipedrive import Pipedrive

OBJECT_TYPES = list(Pipedrive.legend.objects)


@pytest.mark.parametrize("fault", ["drop_after_commit", "drop_before_commit", "html_body"])
@pytest.mark.parametrize("name", OBJECT_TYPES)
def test_each_record_is_made_once(bench: Any, name: str, fault: str) -> None:
    native = Pipedrive.legend.objects[name].native.partition(":")[0]
    bench.portal.faults.add(fault, route=_route(native), method="POST", seeder=True)
    seed = bench.seed({name: 3})
    assert len(seed.records[name]) == 3
    result = bench.engine.clean()
    assert (result.left, result.errors) == ([], [])
    assert bench.counts == {}


@pytest.mark.parametrize("name", OBJECT_TYPES)
def test_a_request_that_is_carried_out_twice_undoes_the_seed(bench: Any, name: str) -> None:
    native = Pipedrive.legend.objects[name].native.partition(":")[0]
    bench.portal.faults.deliver_twice(route=_route(native), method="POST", seeder=True)
    with pytest.raises(VerificationFailed, match="the portal has 2 records with its key"):
        bench.seed({name: 3})
    assert bench.counts == {}


@pytest.mark.parametrize("fault", ["drop_after_commit", "drop_before_commit"])
def test_a_deal_without_the_field_is_found_among_its_parents(benches: Any, fault: str) -> None:
    bench = benches(Behaviour(set_up=False))
    provider, connection = bench.target.provider, bench.target.connection
    for name in ("companies", "contacts"):
        connection.run(provider.make_key(name))
    bench.use_live_schema()
    bench.portal.faults.add(fault, route="/api/v2/deals", method="POST", seeder=True)
    assert len(bench.seed({"deals": 3}).records.deals) == 3
    assert bench.counts["deals"] == 3
    assert bench.engine.clean().complete
    assert bench.counts == {}


def test_a_lost_deal_is_not_mistaken_for_one_on_its_way(
    benches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two deals of the same title and parents: one is lost while the other is made and not yet answered."""
    bench = benches(Behaviour(set_up=False))
    provider, connection = bench.target.provider, bench.target.connection
    for name in ("companies", "contacts"):
        connection.run(provider.make_key(name))
    bench.use_live_schema()
    send: Callable[[Request], Answer] = connection.transport.send
    titles: list[str] = []
    other_made, looked = threading.Event(), threading.Event()

    def hold(request: Request) -> Answer:
        if request.path != "/api/v2/deals":
            return send(request)
        if request.method == "GET":
            answer = send(request)
            looked.set()
            return answer
        titles.append(request.body["title"])
        nth = titles.count(request.body["title"])
        if nth == 1 and titles[-1].endswith("Managed Services"):
            # Never longer: the other one must not go out meanwhile.
            other_made.wait(0.5)
            raise OutcomeUnknown("the connection was closed.")
        answer = send(request)
        if nth == 2:
            other_made.set()
            looked.wait(0.5)
        return answer

    monkeypatch.setattr(connection.transport, "send", hold)
    seed = bench.seed({"deals": 3})
    assert len({deal.id for deal in seed.records.deals}) == bench.counts["deals"] == 3
    assert titles[-1].endswith("Managed Services") and titles.count(titles[-1]) == 3
    assert bench.engine.clean().complete
    assert bench.counts == {}


def _route(native: str) -> str:
    if native == "deal_products":
        return "/api/v2/deals/*/products"
    return f"/api/v1/{native}" if native in ("leads", "notes") else f"/api/v2/{native}"
