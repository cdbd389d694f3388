"""Whatever is sent, the emulation answers in Pipedrive's words and never fails itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_crmseed.portal import Portal, PortalRequest
from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour
from pytest_crmseed.portal.pipedrive.fields import CREATABLE, STOCK
from pytest_crmseed.portal.pipedrive.routes import all_routes
from pytest_crmseed.portal.snapshot import Snapshot

ROUTES = [route for route in all_routes() if not route.open]
CODES = [f"{number:040x}" for number in range(len(CREATABLE))]
NAMES = sorted(
    {field.code for fields in STOCK.values() for field in fields}
    | {field.v1_key for fields in STOCK.values() for field in fields}
    | {
        "custom_fields",
        "content",
        "product_id",
        "item_price",
        "quantity",
        "data",
        "participants",
        "attendees",
    }
    | {"organization_id", "field_name", "field_type", "options", "color", "icon_key", "deal_probability"}
    | {"ui_visibility", "required_fields", "pinned_to_deal_flag", "location", "value", "currency", "until"}
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 20)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["", "x", "1", "2026-01-01", "09:00", "EUR", "open", "enum", "a b", "\ud800", "0" * 300]
    )
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5) | VALUES
QUERIES = st.dictionaries(
    st.sampled_from(
        [
            *(
                "limit",
                "cursor",
                "sort_by",
                "sort_direction",
                "ids",
                "status",
                "updated_since",
                "start",
                "term",
            ),
            *(
                "include_fields",
                "custom_fields",
                "sort",
                "fields",
                "field",
                "entity_type",
                "match",
                "deal_ids",
            ),
            *(
                "person_id",
                "org_id",
                "owner_id",
                "done",
                "include_option_labels",
                "item_types",
                "exact_match",
            ),
        ]
    ),
    st.sampled_from(["", "0", "1", "5", "x", "id", "name", "deal", "exact", "true", "asc", "add_time DESC"])
    | st.sampled_from(
        ["eyJ9", "2026-01-01T00:00:00Z", "open,won", "notes_count", "title", "99999999999999999"]
    ),
    max_size=3,
)


def filled() -> Portal:
    """Return a portal with a record and a custom field of every kind, and switches that let much through."""
    own = PipedriveBehaviour(v1_crud=True, contact_sync=True, campaigns=True, deal_probability=True)
    portal = Portal(behaviour=Behaviour(pipedrive=own), clock=lambda: 1_790_000_000.0)
    send(portal, "POST", "/api/v2/organizations", {"name": "Acorn"})
    send(portal, "POST", "/api/v2/persons", {"name": "Ann"})
    send(portal, "POST", "/api/v2/deals", {"title": "D"})
    send(portal, "POST", "/api/v2/products", {"name": "P"})
    for entity in ("deal", "person", "organization", "product"):
        for kind in CREATABLE:
            body: dict[str, Any] = {"field_name": kind, "field_type": kind}
            if kind in ("enum", "set"):
                body["options"] = [{"label": "A"}]
            assert send(portal, "POST", f"/api/v2/{entity}Fields", body).status == 200
    return portal


def send(portal: Portal, method: str, url: str, body: Any) -> Any:
    token = portal.apis["pipedrive"].tokens()["seeder"]
    return portal.handle(PortalRequest.of(method, url, body, headers={"x-api-token": token}))


def keys(portal: Portal) -> list[str]:
    fields = send(portal, "GET", "/api/v2/dealFields?limit=500", None).json()["data"]
    return [field["field_code"] for field in fields if field["is_custom_field"]]


@pytest.fixture(scope="module")
def full() -> Iterator[tuple[Portal, list[str], Snapshot]]:
    portal = filled()
    yield portal, keys(portal), portal.snapshot()
    portal.close()


@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data(), route=st.sampled_from(ROUTES), query=QUERIES)
def test_no_request_makes_the_emulation_fail(
    full: tuple[Portal, list[str], Snapshot], data: Any, route: Any, query: dict[str, str]
) -> None:
    portal, codes, snapshot = full
    portal.restore(snapshot)
    code = data.draw(st.sampled_from(codes))
    ids = st.sampled_from(["1003", "2006", "3009", "6017", "1", "x", code])
    segments = [data.draw(ids) if part.startswith("{") else part for part in route.template.split("/")]
    url = f"{'/'.join(segments)}?{urlencode(query)}"
    body = data.draw(BODIES) if route.method != "GET" else None
    if isinstance(body, dict):
        body |= {code: data.draw(VALUES), "custom_fields": {code: data.draw(VALUES)}}
    answer = send(portal, route.method, url, body)
    assert b"LOCAL_PORTAL_FAULT" not in answer.body, answer.body.decode()
    assert answer.json()["success"] is (answer.status < 400)


def test_many_threads_make_records_side_by_side() -> None:
    portal = Portal()
    statuses: list[int] = []

    def work() -> None:
        for _ in range(20):
            statuses.append(send(portal, "POST", "/api/v2/deals", {"title": "D"}).status)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert statuses == [200] * 160
    deals = send(portal, "GET", "/api/v2/deals?limit=500", None).json()["data"]
    assert len({deal["id"] for deal in deals}) == 160
    portal.close()
