"""Stages and statuses: what a record's state means, and the rows that say so.

Salesforce docs, "Object Reference": OpportunityStage, CaseStatus, TaskStatus, LeadStatus. Probabilities
of the stock stages are [unsure].
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_crmseed.portal.salesforce.definitions import Field
from pytest_crmseed.schema.model import Schema


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of an opportunity. ``probability`` runs from 0 to 100."""

    value: str
    label: str
    probability: int
    closed: bool
    won: bool

    @property
    def forecast(self) -> str:
        """The forecast category, as ForecastCategoryName has it."""
        if self.closed:
            return "Closed" if self.won else "Omitted"
        return "Best Case" if self.probability >= 50 else "Pipeline"


_STOCK = {
    "Prospecting": 10,
    "Qualification": 10,
    "Needs Analysis": 20,
    "Value Proposition": 50,
    "Id. Decision Makers": 60,
    "Perception Analysis": 70,
    "Proposal/Price Quote": 75,
    "Negotiation/Review": 90,
    "Closed Won": 100,
    "Closed Lost": 0,
}
_STOCK_CLOSED = frozenset({"Closed Won", "Closed Lost"})
_FORECASTS = {"Best Case": "BestCase", "Commit": "Forecast"}

# Which of an object's statuses are the end of it.
CLOSED = {"Case": frozenset({"Closed"}), "Task": frozenset({"Completed"})}
CONVERTED = "Closed - Converted"


def stages(field: Field, schema: Schema | None) -> dict[str, Stage]:
    """Return the stages that a picklist lists, by value; a pulled schema tells what they mean."""
    told = {}
    pulled = None if schema is None else schema.object_types.get("Opportunity")
    for pipeline in () if pulled is None else pulled.pipelines:
        told.update({stage.id: stage for stage in pipeline.stages})
    found = {}
    for value in field.values:
        known = told.get(value.value)
        percent, closed = _STOCK.get(value.value, 0), value.value in _STOCK_CLOSED
        if known is not None:
            percent, closed = round(100 * (known.probability or 0)), known.closed
        found[value.value] = Stage(value.value, value.label, percent, closed, closed and percent == 100)
    return found


def closed(name: str, schema: Schema | None) -> frozenset[str]:
    """Return the statuses of an object that are the end of it."""
    pulled = None if schema is None else schema.object_types.get(name)
    if pulled is None or not pulled.pipelines:
        return CLOSED.get(name, frozenset())
    return frozenset(stage.id for pipeline in pulled.pipelines for stage in pipeline.stages if stage.closed)


def forecast_category(name: str) -> str:
    """Return ForecastCategory's value for one of ForecastCategoryName."""
    return _FORECASTS.get(name, name)
