"""Stages of a pipeline: neutral names ⇄ the portal's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pytest_crmseed.schema.model import Pipeline, Stage

OPEN_STAGES = ("new", "qualified", "proposal", "negotiation")
CLOSED_STAGES = ("closed_won", "closed_lost")
STAGES = OPEN_STAGES + CLOSED_STAGES

Named = TypeVar("Named", Pipeline, Stage)


def stage_of(pipeline: Pipeline, value: object) -> Stage | None:
    """Return the stage a value stands for: a neutral stage, a stage id, or a label.

    Won and lost are found by the pipeline's own metadata, open ones by position; a pipeline with
    fewer open stages than neutral names gives its last open one.
    """
    text = str(value)
    # An id of the portal is exact and goes first: a portal may call a stage "new" itself.
    for stage in pipeline.stages:
        if stage.id == text:
            return stage
    if text in OPEN_STAGES:
        open_stages = [stage for stage in pipeline.stages if not stage.closed]
        if open_stages:
            return open_stages[min(OPEN_STAGES.index(text), len(open_stages) - 1)]
    if text in CLOSED_STAGES:
        for stage in pipeline.stages:
            if stage.closed and _won(stage) == (text == "closed_won"):
                return stage
    return by_id_or_label(pipeline.stages, text)


def neutral_stage(pipeline: Pipeline, stage: Stage) -> str:
    """Return the neutral name of a stage; open stages past the fourth are all "negotiation"."""
    if stage.closed:
        return "closed_won" if _won(stage) else "closed_lost"
    open_stages = [candidate for candidate in pipeline.stages if not candidate.closed]
    return OPEN_STAGES[min(open_stages.index(stage), len(OPEN_STAGES) - 1)]


def by_id_or_label(candidates: Sequence[Named], wanted: object) -> Named | None:
    """Return the pipeline or stage with this id, else with this label in any case."""
    text = str(wanted)
    for candidate in candidates:
        if candidate.id == text:
            return candidate
    for candidate in candidates:
        if candidate.label.casefold() == text.casefold():
            return candidate
    return None


def _won(stage: Stage) -> bool:
    return stage.probability is not None and stage.probability >= 1
