"""Pipelines and stages: definitions, rules, and what records may name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

DEALS = "/crm/v3/pipelines/deals"
BASES = [DEALS, *(f"/crm/pipelines/{date}/deals" for date in ("2025-09", "2026-03", "2026-09"))]


def stage(label: str, probability: Any = "0.5", **more: Any) -> dict[str, Any]:
    return {"label": label, "displayOrder": 0, "metadata": {"probability": probability}, **more}


def renewals(**changes: Any) -> dict[str, Any]:
    stages = [stage("Open", 0.25), stage("Won", "1.0", displayOrder=2), stage("Lost", 0, displayOrder=1)]
    return {"label": "Renewals", "displayOrder": 1, "stages": stages, **changes}


@pytest.fixture
def made(ask: Any) -> dict[str, Any]:
    answer = ask.post(DEALS, renewals())
    assert answer.status == 201, answer.body
    pipeline: dict[str, Any] = answer.json()
    return pipeline


def test_a_new_pipeline_is_used_at_once(ask: Any, made: dict[str, Any]) -> None:
    assert [(each["label"], each["metadata"]) for each in made["stages"]] == [
        ("Open", {"probability": "0.25", "isClosed": "false"}),
        ("Lost", {"probability": "0", "isClosed": "true"}),
        ("Won", {"probability": "1.0", "isClosed": "true"}),
    ]
    assert (made["label"], made["displayOrder"], made["archived"]) == ("Renewals", 1, False)
    assert made["createdAt"] == made["updatedAt"] == "2026-09-21T14:13:20.250Z"
    for base in BASES:
        assert [each["id"] for each in ask.get(base).json()["results"]] == ["default", made["id"]]
        assert ask.get(f"{base}/{made['id']}").json() == made
        assert ask.get(f"{base}/{made['id']}/stages").json() == {"results": made["stages"]}
        one = made["stages"][0]
        assert ask.get(f"{base}/{made['id']}/stages/{one['id']}").json() == one
    won = made["stages"][2]["id"]
    deal = ask.deal(pipeline=made["id"], dealstage=won)
    read = ask.get(f"/crm/v3/objects/deals/{deal}?properties=hs_is_closed_won,pipeline").json()
    assert (read["properties"]["hs_is_closed_won"], read["properties"]["pipeline"]) == ("true", made["id"])
    wrong = {"dealname": "D", "pipeline": made["id"], "dealstage": "closedwon"}
    answer = ask.post("/crm/v3/objects/deals", {"properties": wrong})
    assert answer.json()["errors"][0]["code"] == "INVALID_OPTION"


UNSET = "Invalid input JSON on line 1, column 2. Some required fields were not set:"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": "Sales Pipeline"}, "An active pipeline with label Sales Pipeline already exists."),
        ({"stages": []}, "A pipeline needs at least one stage."),
        ({"stages": [{"label": "A"}]}, "must specify probability when writing a dealstage"),
        ({"stages": [stage("A", "2")]}, "probability must be a number from 0.0 to 1.0, not 2"),
        ({"stages": [stage("A", "NaN")]}, "probability must be a number from 0.0 to 1.0, not NaN"),
        ({"stages": [stage("A"), stage("A")]}, "The pipeline has two stages with label A."),
        ({"stages": [stage(str(n)) for n in range(101)]}, "A pipeline has at most 100 stages."),
        ({"stages": None}, f"{UNSET} [stages]"),
        ({"stages": [{"metadata": {}}]}, f"{UNSET} [label]"),
    ],
)
def test_pipelines_that_are_refused(ask: Any, changes: Any, message: str) -> None:
    answer = ask.post(DEALS, renewals(**changes))
    assert (answer.status, answer.json()["message"]) == (400, message)
    assert len(ask.get(DEALS).json()["results"]) == 1


def test_changing_and_replacing_a_pipeline(ask: Any, made: dict[str, Any], clock: Any) -> None:
    url = f"{DEALS}/{made['id']}"
    clock.now += 1
    changed = ask("PATCH", url, {"label": "Repeat"}).json()
    assert (changed["label"], changed["stages"]) == ("Repeat", made["stages"])
    assert changed["createdAt"] < changed["updatedAt"]
    answer = ask("PATCH", url, {"label": "Sales Pipeline"})
    assert answer.json()["message"] == "An active pipeline with label Sales Pipeline already exists."
    replaced = ask("PUT", url, renewals(stages=[stage("Open"), stage("Asked")])).json()
    assert [each["label"] for each in replaced["stages"]] == ["Open", "Asked"]
    assert replaced["stages"][0]["id"] == made["stages"][0]["id"]
    assert ask("PUT", url, {"label": "X"}).status == 400


def test_stages_by_themselves(ask: Any, made: dict[str, Any]) -> None:
    url = f"{DEALS}/{made['id']}/stages"
    answer = ask.post(url, stage("Talk", "0.6", displayOrder=5))
    assert answer.status == 201
    talk = answer.json()
    assert [each["label"] for each in ask.get(url).json()["results"]] == ["Open", "Lost", "Won", "Talk"]
    changed = ask("PATCH", f"{url}/{talk['id']}", {"label": "Talks"}).json()
    assert (changed["label"], changed["metadata"]["probability"]) == ("Talks", "0.6")
    assert ask("PATCH", f"{url}/{talk['id']}", {"metadata": {"probability": 1}}).json()["metadata"] == {
        "probability": "1",
        "isClosed": "true",
    }
    answer = ask("PUT", f"{url}/{talk['id']}", {"label": "T", "displayOrder": 0})
    assert answer.json()["message"] == "must specify probability when writing a dealstage"
    assert ask("PUT", f"{url}/{talk['id']}", stage("T")).json()["label"] == "T"
    assert ask("PATCH", f"{url}/{talk['id']}", {"label": "Won"}).status == 400
    assert ask("DELETE", f"{url}/{talk['id']}").status == 204
    # Of a stage that there is not, nothing is left to delete.
    assert ask("DELETE", f"{url}/{talk['id']}").status == 204
    assert ask.get(f"{url}/{talk['id']}").status == 404


def test_what_is_in_use_cannot_be_deleted(
    ask: Any, made: dict[str, Any], refusal: Callable[..., Any]
) -> None:
    opened = made["stages"][0]["id"]
    deal = ask.deal(pipeline=made["id"], dealstage=opened)
    for url in (f"{DEALS}/{made['id']}", f"{DEALS}/{made['id']}/stages/{opened}"):
        answer = ask("DELETE", f"{url}?validateReferencesBeforeDelete=true")
        assert (answer.status, refusal(answer)) == (
            400,
            {
                "status": "error",
                "message": f"Stages {opened} are in use and cannot be deleted.",
                "category": "VALIDATION_ERROR",
                "subCategory": "PipelineError.STAGE_ID_IN_USE",
                "context": {"stageIds": [opened], "objectIds": [deal]},
            },
        )
    answer = ask("PUT", f"{DEALS}/{made['id']}", renewals(stages=[stage("Else")]))
    assert answer.json()["subCategory"] == "PipelineError.STAGE_ID_IN_USE"
    assert ask("DELETE", f"/crm/v3/objects/deals/{deal}").status == 204
    assert ask("DELETE", f"{DEALS}/{made['id']}").status == 204
    assert ask.get(f"{DEALS}/{made['id']}").status == 404
    refused = ask.post("/crm/v3/objects/deals", {"properties": {"dealname": "D", "pipeline": made["id"]}})
    assert refused.json()["errors"][0]["code"] == "INVALID_OPTION"
    back = ask("PATCH", f"{DEALS}/{made['id']}", {"archived": False})
    assert (back.status, back.json()["stages"]) == (200, made["stages"])
    assert "archivedAt" not in back.json()
    assert ask.deal(pipeline=made["id"], dealstage=opened)


def test_a_last_pipeline_and_a_last_stage_stay(ask: Any) -> None:
    answer = ask("DELETE", f"{DEALS}/default")
    assert answer.json()["message"] == "An object type needs at least one pipeline."
    made = ask.post(DEALS, renewals(stages=[stage("Only")])).json()
    answer = ask("DELETE", f"{DEALS}/{made['id']}/stages/{made['stages'][0]['id']}")
    assert (answer.status, answer.json()["message"]) == (400, "A pipeline needs at least one stage.")


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("tail", ["", "/stages/1"])
def test_a_pipeline_that_does_not_exist_has_no_body(ask: Any, method: str, tail: str) -> None:
    answer = ask(method, f"{DEALS}/nope{tail}", {} if method in ("PATCH", "PUT") else None)
    assert (answer.status, answer.body) == (404, b"")


def test_ticket_pipelines_keep_a_closed_stage(ask: Any) -> None:
    url = "/crm/v3/pipelines/tickets"
    [stock] = ask.get(url).json()["results"]
    assert [each["metadata"]["ticketState"] for each in stock["stages"]] == ["OPEN", "OPEN", "OPEN", "CLOSED"]
    body = {"label": "Support", "displayOrder": 1, "stages": [{"label": "In"}]}
    message = "A ticket pipeline needs at least one stage with ticketState CLOSED."
    assert ask.post(url, body).json()["message"] == message
    body["stages"] = [{"label": "In"}, {"label": "Out", "metadata": {"ticketState": "CLOSED"}}]
    made = ask.post(url, body).json()
    assert [each["metadata"] for each in made["stages"]] == [
        {"ticketState": "OPEN", "isClosed": "false"},
        {"ticketState": "CLOSED", "isClosed": "true"},
    ]
    closed = made["stages"][1]["id"]
    assert ask("DELETE", f"{url}/{made['id']}/stages/{closed}").json()["message"] == message
    change = {"metadata": {"ticketState": "OPEN"}}
    assert ask("PATCH", f"{url}/{made['id']}/stages/{closed}", change).json()["message"] == message


def test_scopes(ask: Any) -> None:
    ask.token = ask.portal.hubspot.issue(name="n", scopes=["crm.objects.deals.write"])
    for method, path in (("POST", DEALS), ("PATCH", f"{DEALS}/default"), ("GET", DEALS)):
        assert ask(method, path, {} if method != "GET" else None).status == 403
    ask.token = ask.portal.hubspot.issue(name="n", scopes=["tickets"])
    assert ask.post("/crm/v3/pipelines/tickets", {}).status == 400
    assert ask.get(DEALS).status == 200
