"""Stages of a pipeline: neutral names ⇄ the portal's own.

What the neutral names are depends on the role of the field: a deal has a ``"stage"``, a ticket a
``"status"``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pytest_crmseed.schema.model import Pipeline, Stage

Named = TypeVar("Named", Pipeline, Stage)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The neutral names of stages: open ones by position, closed ones by what is true of the stage.

    A pipeline with fewer open stages than names gives its last open one; open stages beyond the
    names all go by the last name. Of several closed stages that a name fits, the first is taken.
    """

    open: tuple[str, ...]
    closed: Mapping[str, Callable[[Stage], bool]]

    @property
    def names(self) -> tuple[str, ...]:
        """All neutral names, in the order of a pipeline."""
        return (*self.open, *self.closed)


def _won(stage: Stage) -> bool:
    return stage.probability is not None and stage.probability >= 1


VOCABULARIES: Mapping[str, Vocabulary] = {
    "stage": Vocabulary(
        ("new", "qualified", "proposal", "negotiation"),
        {"closed_won": _won, "closed_lost": lambda stage: not _won(stage)},
    ),
    "status": Vocabulary(("new", "waiting"), {"closed": lambda stage: True}),
}

STAGES = VOCABULARIES["stage"].names


def names_of(role: str) -> tuple[str, ...]:
    """Return the neutral names of stages for a field of this role; empty for one without any."""
    vocabulary = VOCABULARIES.get(role)
    return vocabulary.names if vocabulary else ()


def stage_of(pipeline: Pipeline, value: object, role: str = "stage") -> Stage | None:
    """Return the stage a value stands for: a neutral stage, a stage id, or a label."""
    text = str(value)
    # An id of the portal is exact and goes first: a portal may call a stage "new" itself.
    for stage in pipeline.stages:
        if stage.id == text:
            return stage
    vocabulary = VOCABULARIES.get(role)
    if vocabulary and text in vocabulary.open:
        open_stages = [stage for stage in pipeline.stages if not stage.closed]
        if open_stages:
            return open_stages[min(vocabulary.open.index(text), len(open_stages) - 1)]
    if vocabulary and text in vocabulary.closed:
        for stage in pipeline.stages:
            if stage.closed and vocabulary.closed[text](stage):
                return stage
    return by_id_or_label(pipeline.stages, text)


def neutral_stage(pipeline: Pipeline, stage: Stage, role: str = "stage") -> str:
    """Return the neutral name of a stage; open stages past the last name all go by that one.

    A role without neutral names gives the stage's id.
    """
    vocabulary = VOCABULARIES.get(role)
    if vocabulary is None:
        return stage.id
    if stage.closed:
        return next(name for name, fits in vocabulary.closed.items() if fits(stage))
    open_stages = [candidate for candidate in pipeline.stages if not candidate.closed]
    return vocabulary.open[min(open_stages.index(stage), len(vocabulary.open) - 1)]


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
