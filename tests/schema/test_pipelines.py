"""Pipelines and stages of tickets, of leads, and of object types that no legend knows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.providers.hubspot.forms import FROM_WIRE, TO_WIRE
from pytest_crmseed.schema.legend import FieldLegend, Legend, ObjectLegend, Translator
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Pipeline, Schema, Stage
from pytest_crmseed.schema.stages import neutral_stage, stage_of

SUPPORT = Pipeline(
    "0",
    "Support Pipeline",
    (
        Stage("1", "New", 0),
        Stage("2", "Waiting on contact", 1),
        Stage("3", "Waiting on us", 2),
        Stage("4", "Closed", 3, closed=True),
        Stage("5", "Spam", 4, closed=True),
    ),
)
ESCALATED = Pipeline("9", "Escalated", (Stage("91", "Open", 0), Stage("92", "Done", 1, closed=True)))
FIELDS = (
    Field("hs_pipeline", "Pipeline", Kind.OPTION, external="pipelines"),
    Field("hs_pipeline_stage", "Status", Kind.OPTION, external="stages", required=True),
)
LEGEND = Legend(
    objects={
        "tickets": ObjectLegend(
            "tickets", "tickets", {"status": FieldLegend("hs_pipeline_stage", role="status")}
        ),
        "leads": ObjectLegend(
            "leads",
            "leads",
            {"status": FieldLegend("hs_pipeline_stage", role="status", options={"won": "92", "lost": "93"})},
        ),
    },
    to_wire=TO_WIRE,
    from_wire=FROM_WIRE,
    key_field="crmseed_key",
)


def translator(*pipelines: Pipeline, complete: bool = True) -> Translator:
    fields = {field.name: field for field in FIELDS}
    types = {
        name: ObjectType(name, name, name, fields, pipelines=pipelines)
        for name in ("tickets", "leads", "machines")
    }
    return Translator(LEGEND, Schema("hubspot", types, complete=complete))


@pytest.mark.parametrize(
    ("record", "pipeline", "stage", "read"),
    [
        ({"status": "new"}, "0", "1", "new"),
        ({"status": "waiting"}, "0", "2", "waiting"),
        ({"status": "closed"}, "0", "4", "closed"),
        ({"status": "Waiting on us"}, "0", "3", "waiting"),
        ({"status": "Spam"}, "0", "5", "closed"),
        ({"status": 5}, "0", "5", "closed"),
        ({"status": "91"}, "9", "91", "new"),
        ({"status": "waiting", "hs_pipeline": "Escalated"}, "9", "91", "new"),
        ({"status": "closed", "native": {"hs_pipeline": "9"}}, "9", "92", "closed"),
        ({"native": {"hs_pipeline_stage": "done"}}, "9", "92", "closed"),
    ],
)
def test_the_status_of_a_ticket(record: dict[str, Any], pipeline: str, stage: str, read: str) -> None:
    tickets = translator(SUPPORT, ESCALATED)
    native = {"hs_pipeline": pipeline, "hs_pipeline_stage": stage}
    assert tickets.to_native("tickets", 0, record) == (native, [])
    assert tickets.to_neutral("tickets", native) == {"status": read}


def test_a_record_without_a_status_is_in_the_default_pipeline() -> None:
    assert translator(SUPPORT).to_native("tickets", 0, {}) == ({"hs_pipeline": "0"}, [])


def test_a_stage_that_has_a_neutral_name_of_its_own() -> None:
    leads = translator(ESCALATED)
    native = {"hs_pipeline": "9", "hs_pipeline_stage": "92"}
    assert leads.to_native("leads", 0, {"status": "won"}) == (native, [])
    assert leads.to_neutral("leads", native) == {"status": "won"}
    _, (problem,) = leads.to_native("leads", 0, {"status": "lost"})
    assert str(problem) == (
        "leads[0].status (hs_pipeline_stage) = 'lost': no such stage in pipeline 'Escalated'. Neutral stages"
        ": won, lost; this portal has 91 (Open), 92 (Done)"
    )


@pytest.mark.parametrize(
    ("record", "native"),
    [
        ({}, {}),
        ({"hs_pipeline_stage": "Done"}, {"hs_pipeline": "9", "hs_pipeline_stage": "92"}),
        ({"hs_pipeline": "Escalated"}, {"hs_pipeline": "9"}),
        ({"hs_pipeline": "", "hs_pipeline_stage": ""}, {}),
    ],
)
def test_an_object_type_without_a_legend(record: dict[str, Any], native: dict[str, Any]) -> None:
    assert translator(SUPPORT, ESCALATED).to_native("machines", 0, record) == (native, [])


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            {"hs_pipeline_stage": "new"},
            "machines[0].hs_pipeline_stage = 'new': no such stage in pipeline 'Escalated'. This portal has "
            "91 (Open), 92 (Done)",
        ),
        (
            {"hs_pipeline": "Escalate", "hs_pipeline_stage": "x"},
            "machines[0].hs_pipeline = 'Escalate': no such pipeline; did you mean 'Escalated'? This portal "
            "has 9 (Escalated)",
        ),
        ({"hs_pipeline": ["9"]}, "machines[0].hs_pipeline = ['9']: takes text, not list"),
        ({"hs_pipeline_stage": True}, "machines[0].hs_pipeline_stage = True: takes text, not bool"),
    ],
)
def test_what_is_no_pipeline_or_stage(record: dict[str, Any], said: str) -> None:
    _, (problem,) = translator(ESCALATED).to_native("machines", 0, record)
    assert str(problem) == said


@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_neutral_statuses_come_back_wherever_the_pipeline_has_them(closed: list[bool]) -> None:
    stages = tuple(Stage(f"s{i}", f"L{i}", i, closed=shut) for i, shut in enumerate(closed))
    pipeline = Pipeline("p", "P", stages)
    for name, there in (
        ("new", not all(closed)),
        ("waiting", closed.count(False) > 1),
        ("closed", any(closed)),
    ):
        found = stage_of(pipeline, name, "status")
        if there:
            assert found is not None and neutral_stage(pipeline, found, "status") == name
    for stage in stages:
        assert neutral_stage(pipeline, stage, "status") in ("new", "waiting", "closed")
        assert neutral_stage(pipeline, stage, "") == stage.id
