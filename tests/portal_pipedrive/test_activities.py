"""Activities, activity types, notes."""

from __future__ import annotations

from typing import Any

import pytest

NOW = "2026-09-21T14:13:20Z"


def test_the_person_of_an_activity_is_its_primary_participant(ask: Any) -> None:
    ann, bob = (ask.made("persons", name=name) for name in ("Ann", "Bob"))
    body = {
        "subject": "Lunch",
        "type": "lunch",
        "person_id": ann,
        "participants": [{"person_id": ann, "primary": False}, {"person_id": bob, "primary": True}],
        "due_date": "2026-10-01",
        "due_time": "09:30",
        "duration": "1:00",
        "location": {"value": "Here"},
        "attendees": [{"email": "a@example.com"}],
    }
    data = ask("POST", "/api/v2/activities", body).json()["data"]
    assert (data["person_id"], data["due_time"], data["duration"]) == (bob, "09:30:00", "01:00:00")
    assert (data["location"]["value"], data["location"]["country"]) == ("Here", None)
    assert "attendees" not in data
    assert "custom_fields" not in data
    path = f"/api/v2/activities/{data['id']}"
    assert ask.get(f"{path}?include_fields=attendees")["attendees"] == [{"email": "a@example.com"}]
    done = ask("PATCH", path, {"done": True}).json()["data"]
    assert (done["done"], done["marked_as_done_time"], done["person_id"]) == (True, NOW, bob)
    assert ask("PATCH", path, {"done": False}).json()["data"]["marked_as_done_time"] is None


def test_activities_are_listed_by_what_they_belong_to(ask: Any) -> None:
    person = ask.made("persons", name="Ann")
    deal = ask.made("deals", title="D")
    lead = ask("POST", "/v1/leads", {"title": "L", "person_id": person}).json()["data"]["id"]
    late = ask.made("activities", subject="A", type="call", deal_id=deal, due_date="2026-10-02")
    early = ask.made("activities", subject="B", type="call", lead_id=lead, due_date="2026-10-01", done=True)

    def ids(query: str) -> list[int]:
        return [each["id"] for each in ask.get(f"/api/v2/activities?{query}")]

    assert (ids(f"deal_id={deal}"), ids(f"lead_id={lead}")) == ([late], [early])
    assert (ids("done=true"), ids("done=false"), ids("sort_by=due_date")) == ([early], [late], [early, late])


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"type": "fishing"}, "type: 'fishing' is not a valid activity type"),
        ({"done": 1}, "done: The value is not a valid 'boolean'"),
        ({"due_date": None}, "due_date: The value is not a valid 'string'"),
        ({"due_time": "25:00"}, "due_time: The value is not a valid 'time'"),
        ({"deal_id": 5}, "deal_id: Deal with id '5' was not found"),
        ({"lead_id": "x"}, "lead_id: Lead with id 'x' was not found"),
        ({"project_id": 5}, "project_id: Project with id '5' was not found"),
        ({"participants": [{"person_id": 5}]}, "participants: Person with id '5' was not found"),
        ({"priority": 5}, "priority: Invalid option '5'"),
        ({"custom_fields": {}}, "custom_fields: Parameter 'custom_fields' is not allowed for this request"),
        ({"note": "x" * 100_001}, "note: The value is longer than 100000 characters"),
    ],
)
def test_an_activity_that_is_wrong_is_refused(ask: Any, refusal: Any, body: Any, problem: str) -> None:
    answer = ask("POST", "/api/v2/activities", {"subject": "A", **body})
    assert refusal(answer)[1] == f"Validation failed: {problem}"


def test_activity_types_are_made_changed_and_deleted(ask: Any, refusal: Any) -> None:
    keys = ["call", "meeting", "task", "deadline", "email", "lunch"]
    assert [each["key_string"] for each in ask.get("/v1/activityTypes")] == keys
    body = {"name": "Video call", "icon_key": "camera", "color": "aeb31b"}
    made = ask("POST", "/v1/activityTypes", body).json()["data"]
    assert (made["key_string"], made["order_nr"], made["is_custom_flag"]) == ("video_call", 7, True)
    assert refusal(ask("POST", "/v1/activityTypes", body))[1] == (
        "Activity type with this name already exists."
    )
    path = f"/v1/activityTypes/{made['id']}"
    assert ask("PUT", path, {"name": "Call on video"}).json()["data"]["key_string"] == "video_call"
    assert ask.made("activities", subject="A", type="video_call")
    assert ask("DELETE", path).json()["data"]["active_flag"] is False
    assert refusal(ask("DELETE", path)) == (404, "Activity type not found", None)
    assert [each["key_string"] for each in ask.get("/v1/activityTypes")] == keys


def test_a_note_is_kept_without_scripts_and_flags_become_booleans(ask: Any, clock: Any) -> None:
    deal = ask.made("deals", title="Big")
    body = {
        "content": '<b onclick="x()">Hi</b><script>alert(1)</script>',
        "deal_id": deal,
        "pinned_to_deal_flag": 1,
    }
    answer = ask("POST", "/v1/notes", body)
    id = answer.json()["data"]["id"]
    assert (answer.status, answer.json()["data"]) == (
        200,
        {
            "id": id,
            "active_flag": True,
            "add_time": "2026-09-21 14:13:20",
            "update_time": "2026-09-21 14:13:20",
            "content": "<b>Hi</b>",
            "deal": {"title": "Big"},
            "deal_id": deal,
            "lead_id": None,
            "person": None,
            "person_id": None,
            "organization": None,
            "org_id": None,
            "project_id": None,
            "task_id": None,
            "user": {
                "email": "olive.owner@example.com",
                "icon_url": None,
                "is_you": True,
                "name": "Olive Owner",
            },
            "user_id": 14700001,
            "last_update_user_id": None,
            "pinned_to_lead_flag": False,
            "pinned_to_deal_flag": True,
            "pinned_to_organization_flag": False,
            "pinned_to_person_flag": False,
            "pinned_to_project_flag": False,
            "pinned_to_task_flag": False,
        },
    )
    clock.now += 1
    assert ask("PUT", f"/v1/notes/{id}", {"content": "New"}).json()["data"]["content"] == "New"
    assert ask("DELETE", f"/v1/notes/{id}").json() == {"success": True, "data": True}
    assert ask("GET", f"/v1/notes/{id}").status == 404


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "Content must be given."),
        (
            {"content": "x"},
            "Note must be associated with at least one organization, person, deal, lead or project.",
        ),
        (
            {"content": "x", "deal_id": 5},
            "Cannot add/update note because deal does not exist or you have no permissions to access"
            " this deal.",
        ),
        ({"content": "x", "title": "y"}, "Invalid field(s) in the payload: title"),
        ({"content": "x", "pinned_to_deal_flag": 5}, "pinned_to_deal_flag must be 0 or 1."),
        ({"content": "x", "user_id": 5}, "User does not exist."),
    ],
)
def test_a_note_that_is_wrong_is_refused(ask: Any, refusal: Any, body: Any, error: str) -> None:
    assert refusal(ask("POST", "/v1/notes", body)) == (400, error, None)


def test_notes_are_listed_by_what_they_are_about(ask: Any, clock: Any) -> None:
    person, organization = ask.made("persons", name="Ann"), ask.made("organizations", name="Acorn")
    first = ask("POST", "/v1/notes", {"content": "1", "person_id": person}).json()["data"]["id"]
    clock.now += 86_400
    second = ask("POST", "/v1/notes", {"content": "2", "org_id": organization}).json()["data"]["id"]

    def ids(query: str) -> list[int]:
        return [each["id"] for each in ask.get(f"/v1/notes?{query}")]

    assert (ids(f"person_id={person}"), ids(f"org_id={organization}")) == ([first], [second])
    assert ids("sort=id%20DESC") == [second, first]
    assert (ids("start_date=2026-09-22"), ids("end_date=2026-09-21")) == ([second], [first])
    assert ids("updated_since=2026-09-22T00:00:00Z") == [second]
    page = ask("GET", "/v1/notes?limit=1").json()
    assert page["additional_data"]["pagination"] == {
        "start": 0,
        "limit": 1,
        "more_items_in_collection": True,
        "next_start": 1,
    }
    assert ids("limit=1&start=1") == [second]
