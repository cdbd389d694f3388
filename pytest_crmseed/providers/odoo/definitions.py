"""Odoo's field definitions and stages, as the schema holds them.

Sources: Odoo docs, "External JSON-2 API" (``fields_get``), "ORM API" (fields); definitions and rules of a
running server for what ``fields_get`` does not tell.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_crmseed.providers.odoo.capabilities import KEY
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Option, Pipeline, Stage

Json = Mapping[str, Any]

ATTRIBUTES = ("type", "string", "required", "readonly", "store", "selection", "relation", "size", "manual")
"""What is asked of ``fields_get``."""

_KINDS = {
    "char": Kind.STRING,
    "text": Kind.TEXT,
    "html": Kind.TEXT,
    "integer": Kind.INTEGER,
    "many2one_reference": Kind.INTEGER,
    "float": Kind.DECIMAL,
    "monetary": Kind.DECIMAL,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "selection": Kind.OPTION,
    "many2one": Kind.REFERENCE,
}
_EMAILS, _PHONES = ("email", "email_from"), ("phone", "mobile")

LISTS = (
    "crm.lost.reason",
    "crm.recurring.plan",
    "crm.tag",
    "crm.team",
    "mail.activity.type",
    "product.category",
    "res.country",
    "res.currency",
    "res.partner.category",
    "res.partner.industry",
    "uom.uom",
    "utm.campaign",
    "utm.medium",
    "utm.source",
)
"""Models that are lists to choose from: what refers to them takes names as well as ids."""

LEAD, OPPORTUNITY, STAGE = "crm.lead", "crm.lead:opportunity", "crm.stage"
STAGE_FIELD = "stage_id"
LOST = "lost"
"""The stage of deals that are lost: they are archived, and have none."""

VARIANTS: Mapping[str, Mapping[str, str]] = {
    "res.partner": {"res.partner:company": "Company"},
    LEAD: {OPPORTUNITY: "Opportunity"},
    "mail.activity": {"mail.activity:call": "Call", "mail.activity:meeting": "Meeting"},
}
"""Object types that share a model, by its name, with their labels."""

# What the database or the model demands, and fields_get does not tell.
_DEMANDED = dict.fromkeys(("res.partner", "product.template", "product.product"), ("name",))
# What goes out with a link.
_LINKED = {"mail.activity": ("res_id", "res_model", "res_model_id"), "mail.message": ("res_id", "model")}
# Without one, an unassigned activity is not made, and a note can never be deleted (seen with Odoo 19).
_DOCUMENT = {"mail.activity": "res_id", "mail.message": "res_id"}
# One side of what another record holds: it is made with that one.
_OF_OTHERS = ("one2many", "binary", "properties", "properties_definition", "json", "image")


def model_of(native: str) -> str:
    """Return the model whose records an object type is made of."""
    return native.partition(":")[0]


def object_type_of(
    model: str,
    label: str,
    definitions: Mapping[str, Json],
    *,
    defaults: Collection[str],
    options: Mapping[str, Sequence[Option]],
    inside: Collection[str] = (),
    manual: bool = False,
) -> ObjectType:
    """Return an object type as ``fields_get`` tells of it.

    ``defaults`` are the fields that the server fills itself; ``options`` the rows of models in
    :data:`LISTS`, where they were read; ``inside`` the models whose records are made with each record.
    """
    given = {*defaults, *(name for name, entry in definitions.items() if entry.get("relation") in inside)}
    fields = {
        name: _field(model, name, entry, given, options) for name, entry in definitions.items() if name != KEY
    }
    display = next((name for name in ("name", "summary", "x_name", "subject") if name in fields), "")
    return ObjectType(
        model,
        label,
        label,
        fields,
        singular=label.lower(),
        custom=manual,
        display_field=display,
        required_any=tuple((name,) for name in [_DOCUMENT.get(model)] if name in fields),
    )


def _field(
    model: str,
    name: str,
    entry: Json,
    defaults: Collection[str],
    options: Mapping[str, Sequence[Option]],
) -> Field:
    type_, relation = str(entry.get("type")), str(entry.get("relation") or "")
    kind = _KINDS.get(type_, Kind.OTHER)
    chosen: Sequence[Option] = ()
    pattern = ""
    if type_ == "selection":
        chosen = [Option(str(value), str(said)) for value, said in entry.get("selection") or ()]
    elif type_ in ("many2one", "many2many") and options.get(relation):
        chosen, kind = options[relation], Kind.OPTION if type_ == "many2one" else Kind.OPTIONS
    elif type_ == "many2one":
        pattern = "[0-9]+"
    elif type_ == "many2many":
        pattern = "[0-9]+(,[0-9]+)*"
    elif name in _EMAILS:
        kind = Kind.EMAIL
    elif name in _PHONES:
        kind = Kind.PHONE
    demanded = name in _DEMANDED.get(model, ())
    # What a record inside requires, its own model may see to.
    required = bool(entry.get("required")) and bool(entry.get("store", True))
    required = required and name not in defaults and name not in _LINKED.get(model, ())
    # What is not stored may well be writable: fields of a record inside are such.
    read_only = bool(entry.get("readonly")) or type_ in _OF_OTHERS
    return Field(
        name,
        str(entry.get("string") or name),
        kind,
        options=tuple(chosen),
        required=demanded or (required and kind is not Kind.BOOLEAN and not read_only),
        read_only=read_only,
        custom=bool(entry.get("manual")),
        max_length=int(entry.get("size") or 0) or None,
        pattern=pattern,
        references=(relation,) if type_ == "many2one" else (),
        # Rows may be made at any time, by a seed as well.
        unrestricted=bool(chosen) and type_ != "selection",
        native={"type": type_, **({"relation": relation} if relation else {})},
    )


# -- stages, and what shares a model -----------------------------------------------------------------
def with_stages(object_type: ObjectType, rows: Sequence[Json]) -> ObjectType:
    """Return an object type with the stages of deals as its one pipeline; lost ends it.

    Stages of single teams count as all others. ``rows`` are those of ``crm.stage``.
    """
    if STAGE_FIELD not in object_type.fields or not rows:
        return object_type
    ordered = sorted(rows, key=lambda row: (row.get("sequence") or 0, row["id"]))
    stages = [
        Stage(
            str(row["id"]),
            str(row["name"]),
            place,
            closed=bool(row.get("is_won")),
            probability=1.0 if row.get("is_won") else None,
        )
        for place, row in enumerate(ordered)
    ]
    stages.append(Stage(LOST, "Lost", len(stages), closed=True, probability=0.0))
    field = replace(
        object_type.fields[STAGE_FIELD],
        kind=Kind.OPTION,
        options=tuple(Option(stage.id, stage.label) for stage in stages),
        external="stages",
        pattern="",
        references=(),
        unrestricted=False,
    )
    return replace(
        object_type,
        fields={**object_type.fields, STAGE_FIELD: field},
        pipelines=(Pipeline(STAGE, "Pipeline", tuple(stages)),),
    )


def variants(object_type: ObjectType, stages: Sequence[Json]) -> list[ObjectType]:
    """Return an object type and those others that are made of the same model."""
    others = [
        replace(object_type, name=name, label=label, plural=label, singular=label.lower())
        for name, label in VARIANTS.get(object_type.name, {}).items()
    ]
    return [
        object_type,
        *(with_stages(other, stages) if other.name == OPPORTUNITY else other for other in others),
    ]
