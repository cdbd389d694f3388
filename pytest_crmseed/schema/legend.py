"""The legend engine: neutral names and values to a provider's own, and back.

A provider supplies the tables (:class:`Legend`). The engine resolves names and labels, picklist
options, pipelines and stages, and says what is wrong with a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.schema import values
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Pipeline, Schema
from pytest_crmseed.schema.stages import STAGES, by_id_or_label, neutral_stage, stage_of
from pytest_crmseed.schema.tables import FieldLegend, Legend, ObjectLegend, Problem
from pytest_crmseed.schema.values import Unusable
from pytest_crmseed.suggest import nearest

# A name outside an incomplete schema that is this near to a known one is taken for a slip of the
# pen; anything less near may be a custom field the snapshot cannot know.
SLIP = 0.82

READ_ONLY = "is read-only; the portal sets it itself"

__all__ = ["FieldLegend", "Legend", "ObjectLegend", "Problem", "Translator"]


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
        """Return other names of object types: native name and type id → canonical name."""
        names: dict[str, str] = {}
        for native, object_type in self.schema.object_types.items():
            entry = self._by_native.get(native)
            canonical = entry.neutral if entry else native
            names |= {other: canonical for other in (native, object_type.type_id) if other}
        return {other: canonical for other, canonical in names.items() if other != canonical}

    # -- names of fields -------------------------------------------------------------------------
    def neutral_fields(self, name: str) -> tuple[str, ...]:
        """Return the neutral fields that have a home in this object type."""
        return tuple(self._entry(name).fields)

    def homeless(self, name: str) -> Mapping[str, str]:
        """Return the neutral fields that cannot be set in this object type, with the reasons."""
        return self._entry(name).homeless

    def neutral_home(self, name: str, native: str) -> str | None:
        """Return the neutral field whose home is the native field ``native``, or None."""
        for neutral, home in self._entry(name).fields.items():
            if home.native == native:
                return neutral
        return None

    def resolve(self, name: str, field_name: str) -> str:
        """Return the name that ``field_name`` stands for: the neutral one, else the native one.

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
            return self.neutral_home(name, field_name) or field_name
        folded = field_name.casefold()
        for candidate in native.values():
            if candidate.label.casefold() == folded:
                return self.neutral_home(name, candidate.name) or candidate.name
        known = [*entry.fields, *native]
        if self.schema.complete or nearest(field_name, known, cutoff=SLIP):
            remedy = (
                "" if self.schema.complete else f"If the portal has it, write native={{{field_name!r}: …}}."
            )
            raise UnknownName("field", field_name, known, where=f"of {name}", remedy=remedy)
        return field_name

    # -- values out ------------------------------------------------------------------------------
    def to_native(
        self, name: str, index: int, record: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Return a neutral record in native names and wire values, and what is wrong with it.

        ``record`` may hold neutral and native names side by side, and a mapping under ``native``;
        on a clash the neutral name wins. A value of None is left out.
        """
        entry = self._entry(name)
        object_type = self.object_type(name)
        out: dict[str, Any] = {}
        problems: list[Problem] = []

        def put(given: str, native: str, value: Any, field_legend: FieldLegend | None) -> None:
            if native == self.legend.key_field:
                reason = "is the unique key by which records of ours are known; it cannot be given"
                problems.append(Problem(name, index, given, value, reason, native))
                return
            definition = object_type.fields.get(native)
            if definition is not None and definition.read_only:
                problems.append(Problem(name, index, given, value, READ_ONLY, native))
                return
            try:
                out[native] = self._encode(definition, value, field_legend)
            except Unusable as unusable:
                problems.append(Problem(name, index, given, value, str(unusable), native))

        for given, value in (record.get("native") or {}).items():
            if value is not None and not self._beyond_snapshot(object_type.fields.get(given), value, out):
                put(given, given, _plain(value), None)
        neutral: dict[str, Any] = {}
        for given, value in record.items():
            if given == "native" or value is None:
                continue
            if given in entry.fields:
                neutral[given] = _plain(value)
            else:
                put(given, given, _plain(value), None)
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

    def _beyond_snapshot(self, definition: Field | None, value: Any, out: dict[str, Any]) -> bool:
        """Take an option that only the portal may know, as it is: this is what ``native`` is for."""
        if self.schema.complete or definition is None or not definition.options:
            return False
        if not isinstance(value, str) or definition.kind is not Kind.OPTION:
            return False
        try:
            values.options(definition, value)
        except Unusable:
            out[definition.name] = value
            return True
        return False

    def _encode(self, definition: Field | None, value: Any, field_legend: FieldLegend | None) -> Any:
        if definition is None:
            # Not in the schema: the value goes out as its own Python type suggests.
            kind = values.kind_of(value)
            return self.legend.to_wire[kind](values.normal(kind, value))
        if field_legend and field_legend.options and isinstance(value, str):
            value = field_legend.options.get(value, value)
        if definition.options and definition.kind in (Kind.OPTION, Kind.OPTIONS):
            try:
                value = values.options(definition, value)
            except Unusable as unusable:
                if self.schema.complete or definition.kind is Kind.OPTIONS:
                    raise
                raise Unusable(
                    f"{unusable}. If the portal has it all the same, write "
                    f"native={{{definition.name!r}: {value!r}}}"
                ) from None
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
            found = by_id_or_label(object_type.pipelines, wanted)
            if found is None:
                if not self.schema.complete and given not in neutral:
                    return None
                known = ", ".join(f"{p.id} ({p.label})" for p in object_type.pipelines)
                reason = f"no such pipeline; {self._whose()} has {known}"
                if not self.schema.complete:
                    homes = [home[1] for role in ("pipeline", "stage") if (home := self._role(entry, role))]
                    ids = ", ".join(f"{each!r}: …" for each in homes)
                    reason += f". If the portal has it all the same, give ids: native={{{ids}}}"
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
        if wanted is None or wanted in STAGES:
            # A neutral stage is one of the default pipeline, whatever others call theirs.
            return None
        for pipeline in object_type.pipelines:
            if by_id_or_label(pipeline.stages, wanted):
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
            self._put_bare_stage(entry, given, value, out, problems, index)
            return
        stage = stage_of(pipeline, value)
        if stage is None:
            known = [*STAGES, *(s.id for s in pipeline.stages), *(s.label for s in pipeline.stages)]
            near = nearest(str(value), known)
            hint = f"; did you mean {near!r}?" if near else ""
            stages = ", ".join(f"{s.id} ({s.label})" for s in pipeline.stages)
            reason = (
                f"no such stage in pipeline {pipeline.label!r}{hint or '.'} "
                f"Neutral stages: {', '.join(STAGES)}; {self._whose()} has {stages}"
            )
            problems.append(Problem(entry.neutral, index, given, value, reason, native))
            return
        out[native] = stage.id

    def _put_bare_stage(
        self,
        entry: ObjectLegend,
        given: str,
        value: Any,
        out: dict[str, Any],
        problems: list[Problem],
        index: int,
    ) -> None:
        """Take a stage without a pipeline to look it up in: an id, as it is."""
        home = self._role(entry, "pipeline")
        pipeline, pipeline_field = (home[0], home[1]) if home else ("", "")
        if any(problem.field == pipeline for problem in problems):
            # The pipeline is wrong; which stages the right one has is another question.
            out[entry.fields[given].native] = str(value)
            return
        native = entry.fields[given].native
        if value in STAGES:
            where = f"pipeline {out[pipeline_field]!r}" if pipeline_field in out else "any pipeline"
            reason = f"the stages of {where} are not in {self._whose()}; give the id of a stage"
            problems.append(Problem(entry.neutral, index, given, value, reason, native))
            return
        out[native] = str(value)

    def _whose(self) -> str:
        return "this portal" if self.schema.complete else f"the {self.schema.source} schema"

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
        try:
            value = self.legend.from_wire[definition.kind](raw)
        except (ValueError, ArithmeticError):
            return raw
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


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
