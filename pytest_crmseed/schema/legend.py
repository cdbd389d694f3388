"""The legend engine: neutral names and values to a provider's own, and back.

A provider supplies the tables (:class:`Legend`). The engine resolves names and labels, picklist
options, pipelines and stages, and says what is wrong with a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.schema import values
from pytest_crmseed.schema.model import Field, ObjectType, Schema
from pytest_crmseed.schema.names import Names
from pytest_crmseed.schema.outgoing import Outgoing
from pytest_crmseed.schema.pipelines import Pipelines
from pytest_crmseed.schema.stages import neutral_stage
from pytest_crmseed.schema.tables import Composed, FieldLegend, Legend, ObjectLegend, Problem

__all__ = ["Composed", "FieldLegend", "Legend", "ObjectLegend", "Problem", "Translator"]


class Translator(Names):
    """A legend applied to one portal's schema."""

    def __init__(self, legend: Legend, schema: Schema) -> None:
        super().__init__(legend, schema)
        self._pipelines: dict[str, Pipelines] = {}

    # -- values out ------------------------------------------------------------------------------
    def to_native(
        self, name: str, index: int, record: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Return a neutral record in native names and wire values, and what is wrong with it.

        ``record`` may hold neutral and native names side by side, and a mapping under ``native``;
        on a clash the neutral name wins. A value of None is left out, and so is an empty text for a
        field that holds no text.
        """
        if name not in self._pipelines:
            self._pipelines[name] = Pipelines(self.schema, self.entry(name), self.object_type(name))
        outgoing = Outgoing(self, self._pipelines[name], name, index)
        outgoing.take(record)
        return outgoing.values, outgoing.problems

    # -- values in -------------------------------------------------------------------------------
    def to_neutral(self, name: str, native: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record's neutral fields as Python values, from what the portal answered.

        A value the schema cannot explain stays as the portal wrote it.
        """
        entry = self.entry(name)
        object_type = self.object_type(name)
        out: dict[str, Any] = {}
        for neutral, field_legend in entry.fields.items():
            if field_legend.native not in native:
                continue
            raw = native[field_legend.native]
            definition = object_type.fields.get(field_legend.native)
            if raw is None or raw == "" or definition is None:
                out[neutral] = None if raw == "" else raw
            elif field_legend.role in ("stage", "status"):
                out[neutral] = _stage_name(object_type, raw, field_legend)
            else:
                out[neutral] = self._decode(definition, raw, field_legend)
        reading = [composed for composed in entry.composed if composed.read]
        if reading:
            decoded = self._decoded(object_type, native)
            for composed in reading:
                if composed.native in native:
                    out |= {neutral: read(decoded) for neutral, read in composed.read.items()}
        return out

    def _decoded(self, object_type: ObjectType, native: Mapping[str, Any]) -> dict[str, Any]:
        """Return native values as Python values, without those the portal has none for."""
        decoded = {}
        for name, raw in native.items():
            if raw is not None and raw != "":
                definition = object_type.fields.get(name)
                decoded[name] = raw if definition is None else self._decode(definition, raw)
        return decoded

    def _decode(self, definition: Field, raw: Any, field_legend: FieldLegend | None = None) -> Any:
        try:
            value = self.legend.from_wire[definition.kind](raw)
        except (ValueError, ArithmeticError):
            return raw
        if field_legend is None:
            return value
        if field_legend.options:
            # An option may be known by its label alone, where its value is a number of the portal's own.
            label = next((option.label for option in definition.options if option.value == value), value)
            for neutral, option in field_legend.options.items():
                if option in (value, label):
                    return neutral
        if field_legend.by_label:
            return next((option.label for option in definition.options if option.value == value), value)
        if field_legend.kind:
            return values.convert(value, field_legend.kind)
        return value


def _stage_name(object_type: ObjectType, raw: Any, field_legend: FieldLegend) -> Any:
    for name, id in field_legend.options.items():
        if id == raw:
            return name
    for pipeline in object_type.pipelines:
        for stage in pipeline.stages:
            if stage.id == raw:
                return neutral_stage(pipeline, stage, field_legend.role)
    return raw
