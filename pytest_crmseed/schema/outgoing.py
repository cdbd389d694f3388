"""One record on its way out: neutral and native names and Python values → native names and wire values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pytest_crmseed.schema import scalars, values
from pytest_crmseed.schema.model import Field, Kind
from pytest_crmseed.schema.names import Names
from pytest_crmseed.schema.pipelines import Given, Pipelines
from pytest_crmseed.schema.tables import Composed, FieldLegend, Problem, Unusable

READ_ONLY = "is read-only; the portal sets it itself"
CALCULATED = "is calculated by the portal from other values; it cannot be set"
KEY = "is the unique key by which records of ours are known; it cannot be given"


def not_writable(definition: Field) -> str:
    """Return why no value can be given for a field, or nothing."""
    if definition.calculated:
        return CALCULATED
    return READ_ONLY if definition.read_only else ""


class Outgoing:
    """What becomes of one record: ``values`` by native name, and ``problems``."""

    def __init__(self, names: Names, pipelines: Pipelines, name: str, index: int) -> None:
        self.values: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self._name = name
        self._index = index
        self._pipelines = pipelines
        self._schema = names.schema
        self._legend = names.legend
        self._entry = names.entry(name)
        self._object_type = names.object_type(name)
        self._fields = self._object_type.fields

    def take(self, record: Mapping[str, Any]) -> None:
        """Translate a record; see :meth:`Translator.to_native`."""
        neutral: dict[str, Any] = {}
        parts = {part for composed in self._entry.composed for part in composed.parts}
        loose: dict[str, Any] = {}
        native = self._native(record.get("native"))
        for given, value in record.items():
            if given == "native" or value is None:
                continue
            value = values.plain(value)
            if given in self._entry.fields:
                neutral[given] = value
            elif given in parts:
                loose[given] = value
            else:
                native[given] = value
        self._pipeline_and_stage(neutral, native)
        for given, value in native.items():
            self._put(given, given, value, None)
        for given, value in neutral.items():
            field_legend = self._entry.fields[given]
            self._put(given, field_legend.native, value, field_legend)
        named = {*native, *(self._entry.fields[given].native for given in neutral)}
        for composed in self._entry.composed:
            if composed.native not in named:
                self._compose(composed, neutral, loose)

    def _native(self, given: Any) -> dict[str, Any]:
        """Return what stands under ``native``, but for options that only the portal may know."""
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            self._problem("native", given, "takes a mapping of native names to values, as native={'name': …}")
            return {}
        native = {}
        for name, value in given.items():
            if not isinstance(name, str):
                self._problem("native", given, f"names are text, and {name!r} is none")
            elif value is not None and not self._beyond_snapshot(name, values.plain(value)):
                native[name] = values.plain(value)
        return native

    def _beyond_snapshot(self, name: str, value: Any) -> bool:
        """Take an option that a schema lacks which is not all there is: this is what ``native`` is for."""
        definition = self._fields.get(name)
        if definition is None or not definition.options:
            return False
        if self._schema.complete and not definition.unrestricted:
            return False
        if not isinstance(value, str) or definition.kind is not Kind.OPTION or not_writable(definition):
            return False
        try:
            values.options(definition, value)
        except Unusable:
            self.values[definition.name] = value
            return True
        return False

    # -- one value -------------------------------------------------------------------------------
    def _put(self, given: str, native: str, value: Any, field_legend: FieldLegend | None) -> None:
        if native == self._legend.key_field:
            self._problem(given, value, KEY, native)
            return
        definition = self._fields.get(native)
        reason = not_writable(definition) if definition else ""
        if reason:
            self._problem(given, value, reason, native)
            return
        if definition is not None and values.is_empty(definition.kind, value):
            self.values.pop(native, None)
            return
        try:
            self.values[native] = self._encoded(definition, value, field_legend)
        except Unusable as unusable:
            self._unusable(given, value, unusable, native)

    def _encoded(self, definition: Field | None, value: Any, field_legend: FieldLegend | None) -> Any:
        if definition is None:
            # Not in the schema: the value goes out as its own Python type suggests.
            kind = values.kind_of(value)
            return self._legend.to_wire[kind](values.normal(kind, value))
        normal = self._normal(definition, value, field_legend)
        return self._legend.to_wire[definition.kind](normal)

    def _normal(self, definition: Field, value: Any, field_legend: FieldLegend | None) -> Any:
        if field_legend and field_legend.options and isinstance(value, str):
            value = field_legend.options.get(value, value)
        if definition.options and definition.kind in (Kind.OPTION, Kind.OPTIONS, Kind.BOOLEAN):
            try:
                value = values.options(definition, value)
            except Unusable as unusable:
                said = self._schema.complete or definition.unrestricted
                if said or not unusable.allowed or definition.kind is not Kind.OPTION:
                    raise
                raise Unusable(
                    f"{unusable}. If the portal has it all the same, write "
                    f"native={{{definition.name!r}: {value!r}}}",
                    allowed=unusable.allowed,
                    suggestion=unusable.suggestion,
                ) from None
        elif field_legend and field_legend.kind:
            value = values.convert(values.normal(field_legend.kind, value), definition.kind)
        return values.normal(definition.kind, value)

    # -- composed fields -------------------------------------------------------------------------
    def _compose(self, composed: Composed, neutral: Mapping[str, Any], loose: Mapping[str, Any]) -> None:
        given = [part for part in composed.parts if part in neutral or part in loose]
        if not given:
            return
        parts: dict[str, Any] = {}
        for part in given:
            try:
                if part in neutral:
                    parts[part] = self._part(self._entry.fields[part], neutral[part])
                else:
                    parts[part] = values.normal(composed.kinds.get(part, Kind.STRING), loose[part])
            except Unusable as unusable:
                if part in loose:
                    self._unusable(part, loose[part], unusable, composed.native)
                return
        try:
            value = composed.write(*(parts.get(part) for part in composed.parts))
        except Unusable as unusable:
            self._unusable(given[0], parts[given[0]], unusable, composed.native)
            return
        if value is not None:
            self._put(given[0], composed.native, value, None)

    def _part(self, field_legend: FieldLegend, value: Any) -> Any:
        if field_legend.kind is not None:
            return values.normal(field_legend.kind, value)
        definition = self._fields.get(field_legend.native)
        if definition is None:
            return values.normal(values.kind_of(value), value)
        return self._normal(definition, value, field_legend)

    # -- pipelines and stages --------------------------------------------------------------------
    def _pipeline_and_stage(self, neutral: dict[str, Any], native: dict[str, Any]) -> None:
        """Take pipeline and stage out of what is given, and put them where they belong."""
        taken = self._pipelines.take(neutral, native)
        wanted, stage = (self._as_text(given) if given else None for given in taken)
        if wanted is None and taken[0] is not None:
            self._unjudged(stage)
            return
        try:
            pipeline = self._pipelines.pipeline(wanted, stage)
        except Unusable as unusable:
            assert wanted is not None
            self._unusable(wanted.name, wanted.value, unusable, wanted.home.native)
            self._unjudged(stage)
            return
        home = self._pipelines.pipeline_home
        if pipeline is not None and home is not None:
            self._put_id(wanted.name if wanted else home.neutral or home.native, home.native, pipeline.id)
        elif wanted is not None:
            self._put_id(wanted.name, wanted.home.native, wanted.value)
        if stage is None:
            return
        try:
            id = self._pipelines.stage(stage, pipeline, wanted.value if wanted else None)
        except Unusable as unusable:
            self._unusable(stage.name, stage.value, unusable, stage.home.native)
            return
        self._put_id(stage.name, stage.home.native, id)

    def _as_text(self, given: Given) -> Given | None:
        try:
            return replace(given, value=scalars.text(given.value))
        except Unusable as unusable:
            self._unusable(given.name, given.value, unusable, given.home.native)
            return None

    def _unjudged(self, stage: Given | None) -> None:
        # The pipeline is wrong; which stages the right one has is another question.
        if stage is not None:
            self.values[stage.home.native] = stage.value

    def _put_id(self, given: str, native: str, id: str) -> None:
        definition = self._fields.get(native)
        reason = not_writable(definition) if definition else ""
        if reason:
            self._problem(given, id, reason, native)
        else:
            self.values[native] = id

    # -- problems --------------------------------------------------------------------------------
    def _problem(self, given: str, value: Any, reason: str, native: str = "") -> None:
        self.problems.append(Problem(self._name, self._index, given, value, reason, native))

    def _unusable(self, given: str, value: Any, unusable: Unusable, native: str) -> None:
        problem = Problem(
            self._name,
            self._index,
            given,
            value,
            str(unusable),
            native,
            unusable.allowed,
            unusable.suggestion,
        )
        self.problems.append(problem)
