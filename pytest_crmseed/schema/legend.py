"""The legend engine: neutral names and values to a provider's own, and back.

A provider supplies the tables (:class:`Legend`): which native field is the home of a neutral one,
and how a Python value of each kind is written on the wire. The engine resolves names and labels,
picklist options, pipelines and stages, and says what is wrong with a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.schema import values
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Pipeline, Schema, Stage
from pytest_crmseed.schema.values import Unusable
from pytest_crmseed.suggest import nearest

# A name outside an incomplete schema that is this near to a known one is taken for a slip of the
# pen; anything less near may be a custom field the snapshot cannot know.
SLIP = 0.82

OPEN_STAGES = ("new", "qualified", "proposal", "negotiation")
CLOSED_STAGES = ("closed_won", "closed_lost")
STAGES = OPEN_STAGES + CLOSED_STAGES


@dataclass(frozen=True, slots=True)
class FieldLegend:
    """The home of a neutral field: its native name, and the kind of its neutral value.

    ``kind`` is None where the neutral value is of the native field's own kind. ``role`` marks
    fields that are read by the pipeline's metadata: ``"stage"`` or ``"pipeline"``. ``options``
    translates neutral values to option values where their names differ.
    """

    native: str
    kind: Kind | None = None
    role: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectLegend:
    """One object type: neutral name, native name, fields by neutral name.

    ``homeless`` holds neutral fields with no writable home here, each with the reason.
    """

    neutral: str
    native: str
    fields: Mapping[str, FieldLegend]
    homeless: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Legend:
    """A provider's tables.

    ``to_wire`` and ``from_wire`` hold one function per kind; the first takes the normal Python
    value of that kind, the second what the API answers. ``lacking`` names neutral object types
    the provider does not have, each with a sentence. ``key_field`` is the native name of the field
    for our unique key.
    """

    objects: Mapping[str, ObjectLegend]
    to_wire: Mapping[Kind, Callable[[Any], Any]]
    from_wire: Mapping[Kind, Callable[[Any], Any]]
    key_field: str
    lacking: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a value before it is sent.

    ``field`` is the name as the caller wrote it, ``native`` the field it resolves to.
    """

    object_type: str
    index: int
    field: str
    value: Any
    reason: str
    native: str = ""

    def __str__(self) -> str:
        where = f"{self.object_type}[{self.index}].{self.field}"
        home = f" ({self.native})" if self.native and self.native != self.field else ""
        shown = "" if self.value is None else f" = {self.value!r}"
        return f"{where}{home}{shown}: {self.reason}"


class Translator:
    """A legend applied to one portal's schema."""

    def __init__(self, legend: Legend, schema: Schema) -> None:
        self.legend = legend
        self.schema = schema
        self._by_native = {entry.native: entry for entry in legend.objects.values()}

    # -- object types ----------------------------------------------------------------------------
    def canonical(self, name: str) -> str:
        """Return the name an object type goes by: its neutral one, else its native one.

        Takes the neutral name, the native name, a label, or the type id.

        Raises:
            UsageError: the provider lacks it.
            UnknownName: there is no such object type.
        """
        if name in self.legend.objects:
            return name
        if name in self.legend.lacking:
            raise UsageError(f"{self.legend.lacking[name]}")
        native = self._native_name(name)
        entry = self._by_native.get(native)
        return entry.neutral if entry else native

    def _native_name(self, name: str) -> str:
        if name in self.schema.object_types:
            return name
        folded = name.casefold()
        for native, candidate in self.schema.object_types.items():
            spellings = (native, candidate.label, candidate.plural, candidate.singular, candidate.type_id)
            if folded in (spelling.casefold() for spelling in spellings if spelling):
                return native
        raise UnknownName("object type", name, [*self.legend.objects, *self.schema.object_types])

    def object_type(self, name: str) -> ObjectType:
        """Return the schema's object type of a canonical name."""
        entry = self.legend.objects.get(name)
        native = entry.native if entry else self._native_name(name)
        try:
            return self.schema.object_types[native]
        except KeyError:
            raise UnknownName("object type", native, self.schema.object_types) from None

    def _entry(self, name: str) -> ObjectLegend:
        return self.legend.objects.get(name) or ObjectLegend(name, name, {})

    def aliases(self) -> dict[str, str]:
        """Return native name → neutral name, where they differ."""
        return {e.native: e.neutral for e in self.legend.objects.values() if e.native != e.neutral}

    # -- names of fields -------------------------------------------------------------------------
    def neutral_fields(self, name: str) -> tuple[str, ...]:
        """Return the neutral fields that have a home in this object type."""
        return tuple(self._entry(name).fields)

    def homeless(self, name: str) -> Mapping[str, str]:
        """Return the neutral fields that cannot be set in this object type, with the reasons."""
        return self._entry(name).homeless

    def resolve(self, name: str, field_name: str) -> str:
        """Return the neutral or native name that ``field_name`` stands for.

        Takes a neutral name, a native name, or a label of the portal. A name that an incomplete
        schema cannot know is returned as it is.

        Raises:
            UsageError: the field has no writable home here, or is a near miss of a known one.
        """
        entry = self._entry(name)
        if field_name in entry.fields:
            return field_name
        if field_name in entry.homeless:
            raise UsageError(f"{name}.{field_name} cannot be set: {entry.homeless[field_name]}")
        native = self.object_type(name).fields
        if field_name in native:
            return field_name
        folded = field_name.casefold()
        for candidate in native.values():
            if candidate.label.casefold() == folded:
                return candidate.name
        known = [*entry.fields, *native]
        if self.schema.complete or nearest(field_name, known, cutoff=SLIP):
            remedy = "" if self.schema.complete else f"If the portal has it, write native={{{field_name!r}: …}}."
            raise UnknownName("field", field_name, known, where=f"of {name}", remedy=remedy)
        return field_name

    # -- values out ------------------------------------------------------------------------------
    def to_native(self, name: str, index: int, record: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """Return a neutral record in native names and wire values, and what is wrong with it.

        ``record`` may hold neutral and native names side by side, and a mapping under ``native``;
        on a clash the neutral name wins. A value of None is left out.
        """
        entry = self._entry(name)
        object_type = self.object_type(name)
        out: dict[str, Any] = {}
        problems: list[Problem] = []

        def put(given: str, native: str, value: Any, field_legend: FieldLegend | None) -> None:
            definition = object_type.fields.get(native)
            try:
                out[native] = self._encode(definition, value, field_legend)
            except Unusable as unusable:
                problems.append(Problem(name, index, given, value, str(unusable), native))

        for given, value in (record.get("native") or {}).items():
            if value is not None:
                put(given, given, value, None)
        neutral: dict[str, Any] = {}
        for given, value in record.items():
            if given == "native" or value is None:
                continue
            if given in entry.fields:
                neutral[given] = value
            else:
                put(given, given, value, None)
        pipeline = self._pipeline(object_type, entry, neutral, out, problems, index)
        for given, value in neutral.items():
            field_legend = entry.fields[given]
            if field_legend.role == "pipeline":
                continue
            if field_legend.role == "stage":
                self._put_stage(object_type, entry, given, value, pipeline, out, problems, index)
            else:
                put(given, field_legend.native, value, field_legend)
        return out, problems

    def _encode(self, definition: Field | None, value: Any, field_legend: FieldLegend | None) -> Any:
        if definition is None:
            # Not in the schema: the value goes out as its own Python type suggests.
            kind = values.kind_of(value)
            return self.legend.to_wire[kind](values.normal(kind, value))
        if field_legend and field_legend.options and isinstance(value, str):
            value = field_legend.options.get(value, value)
        if definition.options and definition.kind in (Kind.OPTION, Kind.OPTIONS):
            value = values.options(definition, value)
        elif field_legend and field_legend.kind:
            value = values.convert(values.normal(field_legend.kind, value), definition.kind)
        normal = values.normal(definition.kind, value)
        return self.legend.to_wire[definition.kind](normal)

    # -- pipelines and stages --------------------------------------------------------------------
    def _role(self, entry: ObjectLegend, role: str) -> tuple[str, str] | None:
        for neutral, field_legend in entry.fields.items():
            if field_legend.role == role:
                return neutral, field_legend.native
        return None

    def _pipeline(
        self,
        object_type: ObjectType,
        entry: ObjectLegend,
        neutral: Mapping[str, Any],
        out: dict[str, Any],
        problems: list[Problem],
        index: int,
    ) -> Pipeline | None:
        home = self._role(entry, "pipeline")
        if home is None or not object_type.pipelines:
            return None
        given, native = home
        wanted = neutral.get(given, out.get(native))
        if wanted is None:
            pipeline = self._pipeline_of_stage(object_type, entry, neutral) or object_type.pipelines[0]
        else:
            found = _by_id_or_label(object_type.pipelines, wanted)
            if found is None:
                if not self.schema.complete and given not in neutral:
                    return None
                labels = [f"{p.id} ({p.label})" for p in object_type.pipelines]
                reason = f"no such pipeline; this portal has {', '.join(labels)}"
                problems.append(Problem(entry.neutral, index, given, wanted, reason, native))
                return None
            pipeline = found
        out[native] = pipeline.id
        return pipeline

    def _pipeline_of_stage(
        self, object_type: ObjectType, entry: ObjectLegend, neutral: Mapping[str, Any]
    ) -> Pipeline | None:
        home = self._role(entry, "stage")
        wanted = neutral.get(home[0]) if home else None
        for pipeline in object_type.pipelines:
            if wanted is not None and _by_id_or_label(pipeline.stages, wanted):
                return pipeline
        return None

    def _put_stage(
        self,
        object_type: ObjectType,
        entry: ObjectLegend,
        given: str,
        value: Any,
        pipeline: Pipeline | None,
        out: dict[str, Any],
        problems: list[Problem],
        index: int,
    ) -> None:
        native = entry.fields[given].native
        if pipeline is None:
            if object_type.pipelines and not problems:
                out[native] = str(value)
            return
        stage = stage_of(pipeline, value)
        if stage is None:
            known = [*STAGES, *(s.id for s in pipeline.stages), *(s.label for s in pipeline.stages)]
            near = nearest(str(value), known)
            hint = f"; did you mean {near!r}?" if near else ""
            stages = ", ".join(f"{s.id} ({s.label})" for s in pipeline.stages)
            reason = (
                f"no such stage in pipeline {pipeline.label!r}{hint or '.'} "
                f"Neutral stages: {', '.join(STAGES)}; this portal's: {stages}"
            )
            problems.append(Problem(entry.neutral, index, given, value, reason, native))
            return
        out[native] = stage.id

    # -- values in -------------------------------------------------------------------------------
    def to_neutral(self, name: str, native: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record's neutral fields as Python values, from what the portal answered.

        A value the schema cannot explain stays as the portal wrote it.
        """
        entry = self._entry(name)
        object_type = self.object_type(name)
        out: dict[str, Any] = {}
        for neutral, field_legend in entry.fields.items():
            if field_legend.native not in native:
                continue
            raw = native[field_legend.native]
            definition = object_type.fields.get(field_legend.native)
            if raw is None or raw == "" or definition is None:
                out[neutral] = None if raw == "" else raw
            elif field_legend.role == "stage":
                out[neutral] = self._stage_name(object_type, raw)
            else:
                out[neutral] = self._decode(definition, raw, field_legend)
        return out

    def _decode(self, definition: Field, raw: Any, field_legend: FieldLegend) -> Any:
        value = self.legend.from_wire[definition.kind](raw)
        if field_legend.options:
            for neutral, option in field_legend.options.items():
                if option == value:
                    return neutral
        if field_legend.kind:
            return values.convert(value, field_legend.kind)
        return value

    def _stage_name(self, object_type: ObjectType, raw: Any) -> Any:
        for pipeline in object_type.pipelines:
            for stage in pipeline.stages:
                if stage.id == raw:
                    return neutral_stage(pipeline, stage)
        return raw


def stage_of(pipeline: Pipeline, value: Any) -> Stage | None:
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
    labelled: Stage | None = _by_id_or_label(pipeline.stages, value)
    return labelled


def neutral_stage(pipeline: Pipeline, stage: Stage) -> str:
    """Return the neutral name of a stage; open stages past the fourth are all "negotiation"."""
    if stage.closed:
        return "closed_won" if _won(stage) else "closed_lost"
    open_stages = [candidate for candidate in pipeline.stages if not candidate.closed]
    return OPEN_STAGES[min(open_stages.index(stage), len(OPEN_STAGES) - 1)]


def _won(stage: Stage) -> bool:
    return stage.probability is not None and stage.probability >= 1


def _by_id_or_label(candidates: tuple[Any, ...], wanted: Any) -> Any:
    text = str(wanted)
    for candidate in candidates:
        if candidate.id == text:
            return candidate
    for candidate in candidates:
        if candidate.label.casefold() == text.casefold():
            return candidate
    return None

