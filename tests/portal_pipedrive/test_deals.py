"""Deals: what is taken and answered, stages and pipelines, status, archived and deleted ones."""

from __future__ import annotations

from typing import Any

import pytest

NOW = "2026-09-21T14:13:20Z"


def test_a_deal_needs_a_title_alone(ask: Any) -> None:
    key = ask.key("deal")
    answer = ask("POST", "/api/v2/deals", {"title": "Deal"})
    assert answer.status == 200
    [id] = [answer.json()["data"]["id"]]
    assert answer.json() == {
        "success": True,
        "data": {
            "id": id,
            "title": "Deal",
            "creator_user_id": 14700001,
            "owner_id": 14700001,
            "value": 0,
            "person_id": None,
            "org_id": None,
            "stage_id": 1,
            "pipeline_id": 1,
            "currency": "USD",
            "archive_time": None,
            "add_time": NOW,
            "update_time": NOW,
            "stage_change_time": None,
            "status": "open",
            "is_archived": False,
            "probability": None,
            "lost_reason": None,
            "visible_to": 7,
            "close_time": None,
            "won_time": None,
            "lost_time": None,
            "local_won_date": None,
            "local_lost_date": None,
            "local_close_date": None,
            "expected_close_date": None,
            "label_ids": [],
            "origin": "API",
            "origin_id": None,
            "channel": None,
            "channel_id": None,
            "acv": None,
            "arr": None,
            "mrr": None,
            "is_deleted": False,
            "custom_fields": {key: None},
        },
    }
    assert ask.get(f"/api/v2/deals/{id}") == answer.json()["data"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "title: The value is required"),
        ({"title": ""}, "title: The value must not be empty"),
        ({"title": "x" * 256}, "title: The value is longer than 255 characters"),
        ({"title": 5}, "title: The value is not a valid 'string'"),
        ({"value": "12"}, "value: The value is not a valid 'number'"),
        ({"value": True}, "value: The value is not a valid 'number'"),
        ({"is_archived": 1}, "is_archived: The value is not a valid 'boolean'"),
        ({"visible_to": "3"}, "visible_to: The value must be one of 1, 3, 5, 7"),
        ({"owner_id": "1"}, "owner_id: The value is not a valid 'integer'"),
        ({"owner_id": 5}, "owner_id: User with id '5' was not found"),
        ({"owner_id": 14700003}, "owner_id: User with id '14700003' was not found"),
        ({"person_id": 5}, "person_id: Person with id '5' was not found"),
        ({"org_id": 5}, "org_id: Organization with id '5' was not found"),
        ({"stage_id": 99}, "stage_id: Stage with id '99' was not found"),
        ({"pipeline_id": 99}, "pipeline_id: Pipeline with id '99' was not found"),
        ({"currency": "XXX"}, "currency: 'XXX' is not a valid currency"),
        ({"status": "bogus"}, "status: The value must be one of open, won, lost"),
        ({"label_ids": [99]}, "label_ids: Invalid option '99'"),
        ({"probability": 50}, "probability: Deal probability is not enabled for the pipeline"),
        ({"probability": 101}, "probability: The value must be between 0 and 100"),
        ({"expected_close_date": None}, "expected_close_date: The value is not a valid 'string'"),
        ({"expected_close_date": "2026-02-30"}, "expected_close_date: The value is not a valid 'date'"),
        ({"lost_reason": "x"}, "lost_reason: The value can only be set when the status is lost"),
        ({"won_time": NOW}, "won_time: The value can only be set when the status is won"),
        ({"close_time": NOW}, "close_time: The value can only be set when the status is won or lost"),
        ({"is_deleted": True}, "is_deleted: A deleted record cannot be created"),
        ({"user_id": 1}, "user_id: Parameter 'user_id' is not allowed for this request"),
        ({"custom_fields": []}, "custom_fields: The value is not a valid 'object'"),
        ({"custom_fields": {"title": "x"}}, "custom_fields: Unknown key 'title'"),
    ],
)
def test_what_is_wrong_is_refused_with_its_key(
    ask: Any, refusal: Any, body: dict[str, Any], problem: str
) -> None:
    whole = body if not body or "title" in body else {"title": "D", **body}
    answer = ask("POST", "/api/v2/deals", whole)
    assert refusal(answer) == (400, f"Validation failed: {problem}", "ERR_SCHEMA_VALIDATION_FAILED")
    assert ask.get("/api/v2/deals") == []


def test_a_custom_key_at_the_top_is_refused_and_all_problems_are_told(ask: Any, refusal: Any) -> None:
    key = ask.key("deal")
    answer = ask("POST", "/api/v2/deals", {key: "x", "value": "1"})
    assert refusal(answer) == (
        400,
        f"Validation failed: {key}: Parameter '{key}' is not allowed for this request; "
        "title: The value is required; value: The value is not a valid 'number'",
        "ERR_SCHEMA_VALIDATION_FAILED",
    )


def test_a_stage_decides_the_pipeline(ask: Any, clock: Any) -> None:
    pipeline = ask.made("pipelines", name="Second")
    stages = [ask.made("stages", name=name, pipeline_id=pipeline) for name in ("First", "Next")]
    both = ask.made("deals", title="D", stage_id=stages[1], pipeline_id=1)
    of_pipeline = ask.made("deals", title="D", pipeline_id=pipeline)
    found = {deal["id"]: (deal["pipeline_id"], deal["stage_id"]) for deal in ask.get("/api/v2/deals")}
    assert found == {both: (pipeline, stages[1]), of_pipeline: (pipeline, stages[0])}
    clock.now += 60
    moved = ask("PATCH", f"/api/v2/deals/{both}", {"stage_id": 3}).json()["data"]
    assert (moved["pipeline_id"], moved["stage_id"]) == (1, 3)
    assert moved["stage_change_time"] == moved["update_time"] == "2026-09-21T14:14:20Z"
    back = ask("PATCH", f"/api/v2/deals/{both}", {"pipeline_id": pipeline}).json()["data"]
    assert back["stage_id"] == stages[0]


def test_a_pipeline_without_stages_takes_no_deals(ask: Any, refusal: Any) -> None:
    pipeline = ask.made("pipelines", name="Empty")
    answer = ask("POST", "/api/v2/deals", {"title": "D", "pipeline_id": pipeline})
    assert refusal(answer) == (400, "The pipeline has no stages", "ERR_BAD_REQUEST")


def test_probability_is_taken_where_the_pipeline_has_it(make_portal: Any, seeder: Any) -> None:
    ask = seeder(make_portal(deal_probability=True))
    id = ask.made("deals", title="D", probability=40)
    assert ask.get(f"/api/v2/deals/{id}")["probability"] == 40


def test_status_keeps_its_times(ask: Any, clock: Any) -> None:
    id = ask.made("deals", title="D", status="won")
    won = ask.get(f"/api/v2/deals/{id}")
    assert (won["status"], won["won_time"], won["close_time"], won["local_won_date"]) == (
        "won",
        NOW,
        NOW,
        "2026-09-21",
    )
    lost = ask("PATCH", f"/api/v2/deals/{id}", {"status": "lost", "lost_reason": "Price"}).json()["data"]
    assert (lost["won_time"], lost["lost_time"], lost["lost_reason"]) == (None, NOW, "Price")
    again = ask("PATCH", f"/api/v2/deals/{id}", {"status": "open"}).json()["data"]
    assert [again[name] for name in ("lost_time", "close_time", "lost_reason")] == [None] * 3
    body = {"title": "D", "status": "won", "won_time": "2026-01-02 03:04:05"}
    past = ask("POST", "/api/v2/deals", body).json()["data"]
    assert (past["won_time"], past["close_time"]) == ("2026-01-02T03:04:05Z",) * 2


def test_a_date_is_cleared_by_an_empty_text_alone(ask: Any) -> None:
    id = ask.made("deals", title="D", expected_close_date="2026-10-01")
    # The document knows dates alone here.
    body = {"expected_close_date": ""}
    cleared = ask("PATCH", f"/api/v2/deals/{id}", body, documented=False).json()["data"]
    assert cleared["expected_close_date"] == "0000-00-00"


def test_times_without_a_value_can_be_absent(make_portal: Any, seeder: Any) -> None:
    ask = seeder(make_portal(absent_times=True))
    deal = ask.get(f"/api/v2/deals/{ask.made('deals', title='D')}")
    assert {"won_time", "lost_time", "expected_close_date", "stage_change_time"}.isdisjoint(deal)
    assert "org_id" in deal


def test_a_deleted_deal_is_gone_in_every_way(ask: Any, refusal: Any, clock: Any) -> None:
    id, other = ask.made("deals", title="D"), ask.made("deals", title="E")
    answer = ask("DELETE", f"/api/v2/deals/{id}")
    assert (answer.status, answer.json()) == (200, {"success": True, "data": {"id": id}})
    assert ask.get(f"/api/v2/deals/{id}")["is_deleted"] is True
    assert refusal(ask("DELETE", f"/api/v2/deals/{id}")) == (404, "Deal not found", "ERR_NOT_FOUND")
    text = "Entity is deleted. You must first restore it before you can edit"
    assert refusal(ask("PATCH", f"/api/v2/deals/{id}", {"title": "x"})) == (400, text, "ERR_DEAL_DELETED")
    ids = {query: [deal["id"] for deal in ask.get(f"/api/v2/deals{query}")] for query in (
        "", "?status=deleted", "?status=open,deleted", f"?ids={id},{other},77", "?status=won",
    )}  # fmt: skip
    assert ids == {
        "": [other],
        "?status=deleted": [id],
        "?status=open,deleted": [id, other],
        f"?ids={id},{other},77": [other],
        "?status=won": [],
    }
    clock.now += 30 * 86_400
    assert refusal(ask("GET", f"/api/v2/deals/{id}")) == (404, "Deal not found", "ERR_NOT_FOUND")
    assert ask.get("/api/v2/deals?status=deleted") == []


@pytest.mark.parametrize(
    ("switches", "method", "status", "error", "code"),
    [
        ({"deleted_records_readable": False}, "GET", 404, "Deal not found", "ERR_NOT_FOUND"),
        ({"delete_deleted_status": 410}, "DELETE", 410, "Deal is gone", "ERR_GONE"),
        (
            {"deleted_records_answer_forbidden": True},
            "PATCH",
            403,
            "Deal is deleted and cannot be edited",
            "ERR_FORBIDDEN",
        ),
    ],
)
def test_gone_has_other_faces(
    make_portal: Any,
    seeder: Any,
    refusal: Any,
    switches: Any,
    method: str,
    status: int,
    error: str,
    code: str,
) -> None:
    ask = seeder(make_portal(**switches))
    id = ask.made("deals", title="D")
    ask("DELETE", f"/api/v2/deals/{id}")
    body = {"title": "x"} if method == "PATCH" else None
    assert refusal(ask(method, f"/api/v2/deals/{id}", body)) == (status, error, code)


def test_a_second_delete_can_succeed_and_a_patch_restore(make_portal: Any, seeder: Any) -> None:
    ask = seeder(make_portal(delete_deleted_status=200, restore_by_patch=True))
    id = ask.made("deals", title="D")
    for _ in range(2):
        assert ask("DELETE", f"/api/v2/deals/{id}").json()["data"] == {"id": id}
    assert ask("PATCH", f"/api/v2/deals/{id}", {"is_deleted": False}).json()["data"]["is_deleted"] is False
    assert [deal["id"] for deal in ask.get("/api/v2/deals")] == [id]


def test_archived_deals_are_listed_apart_and_not_changed(ask: Any, refusal: Any) -> None:
    id, other = ask.made("deals", title="D", is_archived=True), ask.made("deals", title="E")
    assert [deal["id"] for deal in ask.get("/api/v2/deals")] == [other]
    [archived] = ask.get("/api/v2/deals/archived")
    assert (archived["id"], archived["archive_time"]) == (id, NOW)
    answer = ask("PATCH", f"/api/v2/deals/{id}", {"title": "x"})
    assert refusal(answer) == (400, "Archived deals cannot be updated", "ERR_DEAL_ARCHIVED")
    assert ask("PATCH", f"/api/v2/deals/{id}", {"is_archived": False}).status == 200


def test_the_plan_caps_open_deals(make_portal: Any, seeder: Any) -> None:
    ask = seeder(make_portal(open_deals_limit=1))
    won = ask.made("deals", title="W", status="won")
    id = ask.made("deals", title="D")
    answer = ask("POST", "/api/v2/deals", {"title": "E"})
    assert (answer.status, answer.json()) == (
        403,
        {
            "success": False,
            "error": "Couldn't add the deal. Open deals limit reached.",
            "error_info": "Please check developers.pipedrive.com for more information about Pipedrive API.",
            "data": None,
            "additional_data": None,
            "code": "feature_capping_deals_limit",
        },
    )
    assert ask("PATCH", f"/api/v2/deals/{won}", {"status": "open"}).status == 403
    assert ask("PATCH", f"/api/v2/deals/{id}", {"title": "F"}).status == 200


def test_more_is_told_when_asked_for(ask: Any, refusal: Any) -> None:
    person = ask.made("persons", name="Ann")
    id = ask.made("deals", title="D", person_id=person, label_ids=[1])
    ask.made("activities", subject="Call", type="call", deal_id=id, done=True)
    deal = ask.get(f"/api/v2/deals/{id}?include_fields=activities_count,notes_count&include_labels=true")
    assert (deal["activities_count"], deal["notes_count"]) == (1, 0)
    assert deal["labels"] == [{"id": 1, "label": "Hot", "color": "red"}]
    answer = ask("GET", "/api/v2/deals?include_fields=nonsense")
    assert refusal(answer)[1].startswith("Validation failed: include_fields: The value must be one of next_")
