"""Lists: pages, cursors, order and filters."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def marker(cursor: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


def pages(ask: Any, url: str) -> list[list[int]]:
    """Follow the cursors of a list."""
    found: list[list[int]] = []
    cursor = ""
    while True:
        answer = ask("GET", f"{url}{'&' if '?' in url else '?'}{cursor}").json()
        found.append([each["id"] for each in answer["data"]])
        following = answer["additional_data"]["next_cursor"]
        if following is None:
            return found
        assert "=" not in following
        cursor = f"cursor={following}"


def test_a_cursor_marks_where_the_next_page_starts(ask: Any) -> None:
    ids = [ask.made("deals", title="D") for _ in range(5)]
    answer = ask("GET", "/api/v2/deals?limit=2").json()
    cursor = answer["additional_data"]["next_cursor"]
    assert marker(cursor) == {"field": "id", "fieldValue": ids[2], "sortDirection": "asc", "id": ids[2]}
    assert pages(ask, "/api/v2/deals?limit=2") == [ids[:2], ids[2:4], ids[4:]]
    assert pages(ask, "/api/v2/deals?limit=5") == [ids]


def test_what_is_made_meanwhile_may_be_on_the_next_page(ask: Any) -> None:
    ids = [ask.made("deals", title="D") for _ in range(3)]
    cursor = ask("GET", "/api/v2/deals?limit=2").json()["additional_data"]["next_cursor"]
    late = ask.made("deals", title="D")
    ask("DELETE", f"/api/v2/deals/{ids[2]}")
    assert [deal["id"] for deal in ask.get(f"/api/v2/deals?limit=2&cursor={cursor}")] == [late]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    times=st.lists(st.integers(0, 3), min_size=1, max_size=9),
    limit=st.integers(1, 5),
    key=st.sampled_from(["id", "add_time", "update_time"]),
    descending=st.booleans(),
)
def test_pages_in_any_order_hold_everything_once(
    make_portal: Any, seeder: Any, clock: Any, times: list[int], limit: int, key: str, descending: bool
) -> None:
    ask = seeder(make_portal())
    start = clock.now
    made = []
    for time in times:
        clock.now = start + time
        made.append((ask.made("organizations", name="A"), time))
    clock.now = start
    found = pages(
        ask,
        f"/api/v2/organizations?limit={limit}&sort_by={key}&sort_direction={'desc' if descending else 'asc'}",
    )
    expected = sorted(made, key=lambda pair: pair if key == "id" else (pair[1], pair[0]), reverse=descending)
    assert [id for page in found for id in page] == [id for id, _ in expected]
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("limit=0", "limit: The value must be between 1 and 500"),
        ("limit=501", "limit: The value must be between 1 and 500"),
        ("limit=x", "limit: The value is not a valid 'integer'"),
        ("sort_by=title", "sort_by: The value must be one of id, update_time, add_time"),
        ("sort_direction=up", "sort_direction: The value must be one of asc, desc"),
        ("cursor=", "cursor: The value is not a valid cursor"),
        ("cursor=abc", "cursor: The value is not a valid cursor"),
        ("cursor=e30", "cursor: The value is not a valid cursor"),
        (
            "updated_since=2026-01-01T00:00:00.000Z",
            "updated_since: '2026-01-01T00:00:00.000Z' is not a valid datetime",
        ),
        ("updated_until=2026-01-01", "updated_until: '2026-01-01' is not a valid datetime"),
        ("status=lost,gone", "status: The value must be one of open, won, lost, deleted"),
        ("owner_id=me", "owner_id: The value is not a valid 'integer'"),
        ("ids=" + ",".join(["1"] * 101), "ids: At most 100 ids can be requested"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(ask: Any, refusal: Any, query: str, problem: str) -> None:
    answer = ask("GET", f"/api/v2/deals?{query}")
    assert refusal(answer) == (400, f"Validation failed: {problem}", "ERR_SCHEMA_VALIDATION_FAILED")


def test_a_cursor_of_another_list_is_refused(ask: Any, refusal: Any) -> None:
    for data in (
        {"field": "due_date", "fieldValue": "x", "sortDirection": "asc", "id": 1},
        {"field": "add_time", "fieldValue": 5, "sortDirection": "asc", "id": 1},
    ):
        ask.made("deals", title="D")
        cursor = base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")
        answer = ask("GET", f"/api/v2/deals?cursor={cursor}")
        assert refusal(answer)[1] == "Validation failed: cursor: The value is not a valid cursor"


def test_since_is_included_and_until_is_not(ask: Any, clock: Any) -> None:
    first = ask.made("deals", title="D")
    clock.now += 1
    second = ask.made("deals", title="E")

    def ids(query: str) -> list[int]:
        return [deal["id"] for deal in ask.get(f"/api/v2/deals?{query}")]

    assert ids("updated_since=2026-09-21T14:13:20Z") == [first, second]
    assert ids("updated_since=2026-09-21T14:13:21Z") == [second]
    assert ids("updated_since=2026-09-21T16:13:21%2B02:00") == [second]
    assert ids("updated_until=2026-09-21T14:13:21Z") == [first]
    clock.now += 5
    ask("PATCH", f"/api/v2/deals/{first}", {"title": "F"})
    assert ids("updated_since=2026-09-21T14:13:26Z") == [first]
    assert ids("sort_by=update_time&sort_direction=desc") == [first, second]


def test_new_persons_are_found_by_time_though_they_show_none(ask: Any) -> None:
    id = ask.made("persons", name="Ann")
    [found] = ask.get("/api/v2/persons?updated_since=2026-09-21T14:13:20Z")
    assert (found["id"], found["update_time"]) == (id, None)


def test_deals_are_filtered(ask: Any) -> None:
    organization, person = ask.made("organizations", name="A"), ask.made("persons", name="B")
    first = ask.made("deals", title="D", org_id=organization, stage_id=2, owner_id=14700002)
    second = ask.made("deals", title="E", person_id=person, status="won")

    def ids(query: str) -> list[int]:
        return [deal["id"] for deal in ask.get(f"/api/v2/deals?{query}")]

    queries = (f"org_id={organization}", "stage_id=2", "owner_id=14700002", "status=open")
    assert [ids(query) for query in queries] == [[first]] * 4
    assert [ids(query) for query in (f"person_id={person}", "status=won,lost", "stage_id=1")] == [
        [second]
    ] * 3
    assert ids("pipeline_id=1&stage_id=1") == [second]
    assert ids(f"ids={second},{first},999") == [first, second]


def test_a_filter_of_the_company_is_not_emulated(ask: Any, refusal: Any) -> None:
    answer = ask("GET", "/api/v2/deals?filter_id=1")
    assert (answer.status, answer.json()["error"]) == (
        501,
        "filter_id is not emulated by the local portal of pytest-crmseed.",
    )


def test_fields_pipelines_and_stages_have_pages_too(ask: Any) -> None:
    codes = []
    cursor = ""
    while True:
        answer = ask("GET", f"/api/v2/dealFields?limit=20{cursor}").json()
        codes += [field["field_code"] for field in answer["data"]]
        following = answer["additional_data"]["next_cursor"]
        if following is None:
            break
        cursor = f"&cursor={following}"
    assert len(codes) == len(set(codes)) > 20
    assert pages(ask, "/api/v2/stages?limit=2") == [[1, 2], [3, 4], [5]]
    assert pages(ask, "/api/v2/stages?pipeline_id=1&sort_by=order_nr&sort_direction=desc") == [
        [5, 4, 3, 2, 1]
    ]
    assert pages(ask, "/api/v2/pipelines") == [[1]]
