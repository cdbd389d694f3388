"""Pipeline and stage of a record: which fields hold them, and what a value for them stands for."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_crmseed.schema.model import ObjectType, Pipeline, Schema, Stage
from pytest_crmseed.schema.stages import by_id_or_label, names_of, stage_of
from pytest_crmseed.schema.tables import ObjectLegend, Unusable
from pytest_crmseed.suggest import nearest


@dataclass(frozen=True, slots=True)
class Home:
    """The field that holds a pipeline or a stage; ``neutral`` is None where the legend has no name for it.

    ``ids`` are those of the provider's own stages, by neutral name.
    """

    native: str
    neutral: str | None = None
    role: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The neutral names of stages."""
        return tuple(self.ids) or names_of(self.role)


@dataclass(frozen=True, slots=True)
class Given:
    """A value for a pipeline or a stage, a text, under the name it was given by.

    ``by_native`` marks the native name, under which may come what an incomplete schema lacks.
    """

    home: Home
    name: str
    value: Any
    by_native: bool


class Pipelines:
    """The pipelines of one object type of one portal."""

    def __init__(self, schema: Schema, entry: ObjectLegend, object_type: ObjectType) -> None:
        self._schema = schema
        self._known = object_type.pipelines
        self.pipeline_home = _home(entry, object_type, ("pipeline",), "pipelines")
        self.stage_home = _home(entry, object_type, ("stage", "status"), "stages")
        # A record of ours always says which pipeline it is in, if the legend knows such records.
        self._always = any(home.role for home in entry.fields.values())

    def take(
        self, neutral: MutableMapping[str, Any], native: MutableMapping[str, Any]
    ) -> tuple[Given | None, Given | None]:
        """Remove pipeline and stage from what is given, and return them; the neutral name wins."""
        return _take(self.pipeline_home, neutral, native), _take(self.stage_home, neutral, native)

    def pipeline(self, given: Given | None, stage: Given | None) -> Pipeline | None:
        """Return the pipeline a record is in; None where none is asked for, or it is not known here.

        Without a pipeline it is the one that has the stage, else the default one.

        Raises:
            Unusable: the portal has no such pipeline.
        """
        if not self._known or not (given or stage or self._always):
            return None
        if given is None:
            return self._of_stage(stage) or self._known[0]
        wanted = str(given.value)
        found = by_id_or_label(self._known, wanted)
        if found is not None or (given.by_native and not self._schema.complete):
            return found
        allowed = tuple(pipeline.id for pipeline in self._known)
        near = _near(wanted, self._known)
        hint = f"; did you mean {near!r}? {_begin(self._whose())}" if near else f"; {self._whose()}"
        reason = f"no such pipeline{hint} has {_list(self._known)}"
        if not self._schema.complete:
            homes = [home.native for home in (self.pipeline_home, self.stage_home) if home]
            ids = ", ".join(f"{each!r}: …" for each in homes)
            reason += f". If the portal has it all the same, give ids: native={{{ids}}}"
        raise Unusable(reason, allowed=allowed, suggestion=near)

    def _of_stage(self, stage: Given | None) -> Pipeline | None:
        if stage is None:
            return None
        if not stage.by_native and stage.value in stage.home.names:
            # A neutral stage is one of the default pipeline, whatever others call theirs.
            id = stage.home.ids.get(stage.value)
            return next((pipeline for pipeline in self._known if _has(pipeline, id)), None)
        for pipeline in self._known:
            if by_id_or_label(pipeline.stages, stage.value):
                return pipeline
        return None

    def stage(self, given: Given, pipeline: Pipeline | None, unknown_pipeline: object = None) -> str:
        """Return the id of the stage that is meant.

        ``pipeline`` is None where its stages are not known here, ``unknown_pipeline`` how it is called.

        Raises:
            Unusable: the pipeline has no such stage.
        """
        wanted = str(given.value)
        names = given.home.names
        own = None if given.by_native else given.home.ids.get(wanted)
        if pipeline is None:
            if wanted not in names:
                return wanted
            where = "any pipeline" if unknown_pipeline is None else f"pipeline {unknown_pipeline!r}"
            raise Unusable(f"the stages of {where} are not in {self._whose()}; give the id of a stage")
        if own is not None and _has(pipeline, own):
            return own
        found = stage_of(pipeline, wanted, given.home.role)
        if found is not None:
            return found.id
        if given.by_native and not self._schema.complete:
            return wanted
        # A neutral name that this pipeline has no stage for is no slip of the pen.
        near = None if wanted in names else _near(wanted, pipeline.stages, names)
        hint = f"; did you mean {near!r}?" if near else "."
        whose = f"{self._whose()} has {_list(pipeline.stages)}"
        neutral = f"Neutral stages: {', '.join(names)}; {whose}" if names else _begin(whose)
        raise Unusable(
            f"no such stage in pipeline {pipeline.label!r}{hint} {neutral}",
            allowed=(*names, *(stage.id for stage in pipeline.stages)),
            suggestion=near,
        )

    def _whose(self) -> str:
        return "this portal" if self._schema.complete else f"the {self._schema.source} schema"


def _home(entry: ObjectLegend, object_type: ObjectType, roles: Sequence[str], external: str) -> Home | None:
    for neutral, field_legend in entry.fields.items():
        if field_legend.role in roles:
            return Home(field_legend.native, neutral, field_legend.role, field_legend.options)
    for definition in object_type.fields.values():
        if definition.external == external:
            return Home(definition.name)
    return None


def _has(pipeline: Pipeline, stage_id: str | None) -> bool:
    return any(stage.id == stage_id for stage in pipeline.stages)


def _take(
    home: Home | None, neutral: MutableMapping[str, Any], native: MutableMapping[str, Any]
) -> Given | None:
    if home is None:
        return None
    native_value = native.pop(home.native, None)
    value = neutral.pop(home.neutral, None) if home.neutral else None
    if value is not None and value != "":
        assert home.neutral is not None
        return Given(home, home.neutral, value, by_native=False)
    if native_value is None or native_value == "":
        return None
    return Given(home, home.native, native_value, by_native=True)


def _near(wanted: str, known: Sequence[Pipeline] | Sequence[Stage], names: Sequence[str] = ()) -> str | None:
    return nearest(wanted, [*names, *(each.id for each in known), *(each.label for each in known)])


def _begin(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _list(known: Sequence[Pipeline] | Sequence[Stage]) -> str:
    return ", ".join(f"{each.id} ({each.label})" for each in known)
