"""What stands in the error file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.errors import PortalError, RecordsRefused, Unauthorized
from pytest_crmseed.planning import count
from pytest_crmseed.providers.base import Answer, Request
from pytest_crmseed.records import Draft, RecordResult, Refusal
from pytest_crmseed.seeder.errorfile import LONGEST, ErrorFile, suggestion_for
from pytest_crmseed.seeder.refusals import report

Send = Callable[[Request], Answer]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def refused(index: int, body: str) -> RecordResult:
    draft = Draft("deals", index, f"key-{index}", {"amount": "x"})
    return RecordResult(draft, refusals=(Refusal("No.", field="amount", value="x", body=body),))


ABOUT: dict[str, Any] = {
    "provider": "hubspot",
    "run_id": "r1",
    "test": "t.py::t",
    "homes": {"amount": "amount"},
}


def test_a_short_answer_stands_in_the_record_s_own_line(tmp_path: Path) -> None:
    file = ErrorFile(tmp_path / "sub" / "errors.jsonl")
    file.write(refused(0, '{"message": "No.", "category": "X"}'), **ABOUT)
    file.write(refused(1, "<html>"), **ABOUT)
    file.write(refused(2, ""), **ABOUT)
    assert [line["refusals"][0]["body"] for line in lines(file.path)] == [
        {"message": "No.", "category": "X"},
        "<html>",
        None,
    ]
    assert file.lines == 3


def test_a_long_answer_to_many_records_stands_there_once_and_whole(tmp_path: Path) -> None:
    file = ErrorFile(tmp_path / "errors.jsonl")
    body = json.dumps({"message": "N" * 5000})
    for index in range(3):
        file.write(refused(index, body), **ABOUT)
    answer, *records = lines(file.path)
    assert answer["body"] == json.loads(body)
    assert [line["refusals"][0]["body"] for line in records] == [{"answer": answer["answer"]}] * 3
    assert [line["index"] for line in records] == [0, 1, 2]


def test_an_endless_answer_is_cut(tmp_path: Path) -> None:
    file = ErrorFile(tmp_path / "errors.jsonl")
    file.write(refused(0, "x" * (LONGEST + 1)), **ABOUT)
    assert lines(file.path)[0]["body"] == "x" * LONGEST + "…"


def test_no_secret_gets_into_the_file(tmp_path: Path) -> None:
    file = ErrorFile(tmp_path / "errors.jsonl")
    body = json.dumps({"message": "The token tok-123 is bad. " + "x" * 3000})
    file.write(refused(0, body), **ABOUT, redact=lambda text: text.replace("tok-123", "***"))
    error = PortalError("tok-123 failed.", status=400)
    error.body = '{"token": "tok-123"}'
    file.write_failure(
        error, provider="hubspot", run_id="r1", test="t", redact=lambda text: text.replace("tok-123", "***")
    )
    assert "tok-123" not in file.path.read_text()
    assert lines(file.path)[-1] == {
        "run": "r1",
        "test": "t",
        "provider": "hubspot",
        "error": "PortalError",
        "message": "*** failed.",
        "status": 400,
        "body": {"token": "***"},
    }


def stand_in(status: int, body: object, request: Request) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode(), request)


def test_a_request_that_is_refused_as_a_whole_leaves_its_answer_too(one_bench: Any) -> None:
    body = {
        "status": "error",
        "message": "This app hasn't been granted all required scopes.",
        "category": "X",
    }
    one_bench.wire.fault = lambda request, send: (
        stand_in(403, body, request) if request.path.endswith("batch/create") else send(request)
    )
    with pytest.raises(Unauthorized):
        one_bench.seed({"contacts": 1})
    (line,) = one_bench.lines
    assert (line["error"], line["status"], line["body"]) == ("Unauthorized", 403, body)
    token = one_bench.portal.seed_token
    assert token not in one_bench.errors.path.read_text()


def test_an_atomic_refusal_leaves_the_whole_body_at_each_guilty_record(one_bench: Any) -> None:
    """The answer names no record; the batch is halved until the guilty ones stand alone."""

    def refuse(request: Request, send: Send) -> Answer:
        rows = request.body["inputs"] if request.path.endswith("batch/create") else []
        if any(row["properties"].get("city") == "Nowhere" for row in rows):
            inner = json.dumps([{"message": "No such city.", "name": "city", "error": "BAD"}])
            text = f"Property values were not valid: {inner}"
            body = {
                "status": "error",
                "message": text,
                "category": "VALIDATION_ERROR",
                "correlationId": "c-9",
            }
            return stand_in(400, body, request)
        return send(request)

    one_bench.wire.fault = refuse
    cities = iter(["Rome", "Nowhere", "Oslo", "Bern", "Nowhere", "Lima", "Cork"])
    from factory.declarations import LazyFunction

    city = LazyFunction(lambda: next(cities))  # type: ignore[no-untyped-call]
    with pytest.raises(RecordsRefused) as failed:
        one_bench.seed({"contacts": count(7, city=city)})
    assert str(failed.value).startswith(
        "HubSpot refused 2 contacts.\n  contacts[1].city = 'Nowhere' (and 1 more): No such city. [BAD]\n"
        "The seed was undone: "
    )
    assert [(line["index"], line["refusals"][0]["request_id"]) for line in one_bench.lines] == [
        (1, "c-9"),
        (4, "c-9"),
    ]
    assert one_bench.lines[0]["refusals"][0]["body"]["category"] == "VALIDATION_ERROR"
    assert one_bench.lines[0]["refusals"][0]["neutral_field"] == "city"
    assert one_bench.lines[0]["refusals"][0]["value"] == "Nowhere"
    assert one_bench.records == {}


def test_allowed_values_come_from_the_schema_where_the_answer_lists_none(one_bench: Any) -> None:
    def terse(request: Request, send: Send) -> Answer:
        if not request.path.endswith("contacts/batch/create"):
            return send(request)
        message = (
            'Property values were not valid: [{"message": "Bad.", "name": "lifecyclestage", "error": "E"}]'
        )
        trace = request.body["inputs"][0]["objectWriteTraceId"]
        entry = {"message": message, "category": "V", "context": {"objectWriteTraceId": [trace]}}
        return stand_in(207, {"results": [], "errors": [entry]}, request)

    one_bench.wire.fault = terse
    with pytest.raises(RecordsRefused) as failed:
        one_bench.seed({"contacts": count(1, lifecycle_stage="lead")})
    assert (
        "contacts[0].lifecycle_stage (lifecyclestage) = 'lead': Bad. [E] Allowed: subscriber, lead, "
        in str(failed.value)
    )
    assert one_bench.lines[0]["refusals"][0]["allowed"][:2] == ["subscriber", "lead"]


def test_a_value_that_a_deleted_record_of_ours_still_holds_is_explained(one_bench: Any) -> None:
    (contact,) = (seed := one_bench.seed({"contacts": count(1, email="jo@r.example.com")})).records.contacts
    one_bench.engine.clean(seed.name)

    def still_taken(request: Request, send: Send) -> Answer:
        if not request.path.endswith("contacts/batch/create"):
            return send(request)
        body = {"message": f"Contact already exists. Existing ID: {contact.id}", "category": "CONFLICT"}
        return stand_in(409, body, request)

    one_bench.wire.fault = still_taken
    with pytest.raises(RecordsRefused) as failed:
        one_bench.seed({"contacts": count(1, email="jo@r.example.com")})
    assert type(failed.value) is RecordsRefused
    assert (
        f"The value is held by contacts[0] (id {contact.id}) of seed 1 of run run1, which was deleted "
        "already; give another one." in str(failed.value)
    )


def test_the_allowed_value_that_was_meant_is_suggested(tmp_path: Path) -> None:
    refusal = Refusal("No.", field="lifecyclestage", value="subscribr", allowed=("lead", "subscriber"))
    assert suggestion_for(refusal) == "subscriber"
    # A value that is allowed was refused for another reason.
    assert suggestion_for(replace(refusal, value="lead")) is None
    assert suggestion_for(replace(refusal, value="zzz")) is None
    assert suggestion_for(replace(refusal, value=None)) is None
    assert suggestion_for(replace(refusal, allowed=())) is None
    file = ErrorFile(tmp_path / "errors.jsonl")
    draft = Draft("contacts", 0, "k", {"lifecyclestage": "subscribr"})
    result = RecordResult(draft, refusals=(refusal,))
    file.write(result, **ABOUT)
    assert lines(file.path)[0]["refusals"][0]["suggestion"] == "subscriber"
    text = report("No.", [result], {"contacts": {"lifecyclestage": "lifecycle_stage"}})
    assert text.endswith(" = 'subscribr': No. Allowed: lead, subscriber. Did you mean 'subscriber'?")
