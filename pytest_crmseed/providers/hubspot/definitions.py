"""HubSpot's definitions of properties, groups, pipelines and association types, as the schema holds them.

Sources: HubSpot docs "Properties guide", "Pipelines", "Associations guide"; the published OpenAPI
files for the shapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_crmseed.providers.hubspot import rules
from pytest_crmseed.schema.model import (
    Association,
    Field,
    Group,
    Kind,
    ObjectType,
    Option,
    Pipeline,
    Stage,
)

Json = Mapping[str, Any]

# The value of a text property at most (docs, "Properties guide").
LONGEST_TEXT = 65_536

_KINDS = {
    "number": Kind.DECIMAL,
    "bool": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "phone_number": Kind.PHONE,
    "string": Kind.STRING,
}
_TEXT_WIDGETS = {"textarea": Kind.TEXT, "html": Kind.TEXT, "phonenumber": Kind.PHONE}

# Objects that a property may refer to by id; owners are options, not records.
_REFERENCED = {"COMPANY": "companies", "CONTACT": "contacts", "DEAL": "deals", "PRODUCT": "products"}

# What else of a definition is worth keeping as it is.
_HINTS = ("referencedObjectType", "showCurrencySymbol", "currencyPropertyName")

# The label HubSpot itself gives the association types that make a company the main one.
_PRIMARY = "primary"


def field_of(entry: Json, snapshot: ObjectType | None, validations: Sequence[Json] = ()) -> Field:
    """Return a property's definition as a field.

    ``snapshot`` knows what the API does not tell, such as that a text is an e-mail address.
    """
    name = str(entry["name"])
    known = snapshot.fields.get(name) if snapshot else None
    native_type, widget = str(entry.get("type")), str(entry.get("fieldType"))
    same = known is not None and _same(known, native_type, widget)
    references = entry.get("referencedObjectType")
    external = _external(name, entry, known)
    options = tuple(
        Option(str(o["value"]), str(o.get("label") or o["value"]), bool(o.get("hidden")))
        for o in sorted(entry.get("options") or (), key=lambda o: o.get("displayOrder") or 0)
    )
    calculated = bool(entry.get("calculated")) or widget.startswith("calculation_")
    modification = entry.get("modificationMetadata") or {}
    longest = LONGEST_TEXT if native_type == "string" else None
    group = str(entry.get("groupName") or "")
    field = Field(
        name=name,
        label=str(entry.get("label") or name),
        kind=known.kind if known and same else _kind(native_type, widget),
        options=options,
        external=external,
        required=bool(known and known.required),
        read_only=calculated or bool(modification.get("readOnlyValue")),
        calculated=calculated,
        unique=bool(entry.get("hasUniqueValue")) or bool(known and known.unique),
        hidden=bool(entry.get("hidden")),
        archived=bool(entry.get("archived")),
        custom=not entry.get("hubspotDefined"),
        max_length=(known.max_length if known and same else None) or longest,
        group=group,
        references=(_REFERENCED[references],) if references in _REFERENCED else (),
        description=str(entry.get("description") or ""),
        native={
            "type": native_type,
            "fieldType": widget,
            "groupName": group,
            **({"calculated": "true"} if calculated else {}),
            **{hint: _text(entry[hint]) for hint in _HINTS if entry.get(hint)},
        },
    )
    return rules.apply(field, validations) if validations else field


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _same(known: Field, native_type: str, widget: str) -> bool:
    # The snapshot knows finer kinds (e-mail, whole number) than HubSpot's definitions tell.
    return known.native.get("type") == native_type and known.native.get("fieldType") == widget


def _kind(native_type: str, widget: str) -> Kind:
    if native_type == "enumeration":
        return Kind.OPTIONS if widget == "checkbox" else Kind.OPTION
    if native_type == "string":
        return _TEXT_WIDGETS.get(widget, Kind.STRING)
    return _KINDS.get(native_type, Kind.OTHER)


def _external(name: str, entry: Json, known: Field | None) -> str | None:
    if entry.get("referencedObjectType") == "OWNER":
        return "owners"
    if known is not None and known.external:
        return known.external
    if entry.get("externalOptions"):
        # Stages and pipelines of objects newer than deals are named like this (docs, "Pipelines").
        return {"hs_pipeline": "pipelines", "hs_pipeline_stage": "stages"}.get(name)
    return None


def groups_of(entries: Sequence[Json]) -> tuple[Group, ...]:
    """Return property groups, in display order."""
    found = [
        Group(str(entry["name"]), str(entry.get("label") or entry["name"]), _order(entry))
        for entry in entries
        if not entry.get("archived")
    ]
    return tuple(sorted(found, key=lambda group: (group.order, group.name)))


def groups_in_use(known: Sequence[Group], fields: Sequence[Field]) -> tuple[Group, ...]:
    """Return the groups that fields are in, where the portal does not list them: by name, or as known."""
    by_name = {group.name: group for group in known}
    names = dict.fromkeys(field.group for field in fields if field.group)
    return tuple(by_name.get(name) or Group(name, name) for name in names)


def pipelines_of(entries: Sequence[Json]) -> tuple[Pipeline, ...]:
    """Return pipelines in display order, without archived ones."""
    return tuple(
        Pipeline(str(entry["id"]), str(entry["label"]), _stages(entry.get("stages") or ()))
        for entry in sorted(entries, key=_order)
        if not entry.get("archived")
    )


def _order(entry: Json) -> int:
    return int(entry.get("displayOrder") or 0)


def _stages(entries: Sequence[Json]) -> tuple[Stage, ...]:
    stages = []
    for entry in sorted(entries, key=_order):
        if entry.get("archived"):
            continue
        metadata = entry.get("metadata") or {}
        probability = metadata.get("probability")
        closed = (
            str(metadata.get("isClosed", "")).lower() == "true" or metadata.get("ticketState") == "CLOSED"
        )
        stages.append(
            Stage(
                id=str(entry["id"]),
                label=str(entry["label"]),
                order=_order(entry),
                closed=closed,
                probability=float(probability) if probability not in (None, "") else None,
            )
        )
    return tuple(stages)


def associations_of(to: str, entries: Sequence[Json], stock: Sequence[Association]) -> list[Association]:
    """Return the association types to an object type, from the labels of a pair; ``stock`` are known ones."""
    # A portal's own labels are numbered apart: an id means a type together with its category.
    known = {
        (association.category, association.type_id): association
        for association in stock
        if association.to == to
    }
    found = []
    for entry in entries:
        type_id, label = int(entry["typeId"]), entry.get("label") or None
        same = known.get((str(entry["category"]), type_id))
        found.append(
            Association(
                to=to,
                type_id=type_id,
                category=str(entry["category"]),
                label=label,
                inverse=same.inverse if same else None,
                primary=same.primary if same else (label or "").casefold() == _PRIMARY,
            )
        )
    return found


def _alike(there: Association, back: Association) -> bool:
    return there.label == back.label and there.primary == back.primary


def _neighbours(there: Association, back: Association) -> bool:
    return abs(there.type_id - back.type_id) == 1


def paired(there: Sequence[Association], back: Sequence[Association]) -> list[Association]:
    """Return the association types of one direction, each with the id of its inverse in the other.

    HubSpot answers each direction by itself and does not say which belong together: those without a
    label do, those with the same label, and two neighbouring ids, as the two ends of a label get
    theirs together [unsure].
    """
    inverse: dict[tuple[str, int], int] = {}
    taken = {(association.category, association.inverse) for association in there}
    for belongs in (_alike, _neighbours):
        for association in there:
            own = (association.category, association.type_id)
            if association.inverse is not None or own in inverse:
                continue
            ends = (b for b in back if b.category == association.category)
            found = next(
                (b for b in ends if (b.category, b.type_id) not in taken and belongs(association, b)), None
            )
            if found is not None:
                inverse[own] = found.type_id
                taken.add((found.category, found.type_id))
    return [replace(a, inverse=a.inverse or inverse.get((a.category, a.type_id))) for a in there]


def associations_of_schemas(
    entries: Sequence[Json], object_types: Mapping[str, ObjectType]
) -> list[tuple[str, str, Association]]:
    """Return the association types that custom objects' schemas list: start, end, type.

    A schema lists both directions of each; the two share a name [unsure]. Labels are not in it.
    """
    by_id = {object_type.type_id: name for name, object_type in object_types.items() if object_type.type_id}
    listed: dict[tuple[str, str, str], int] = {}
    for entry in entries:
        for association in entry.get("associations") or ():
            start = by_id.get(str(association.get("fromObjectTypeId")))
            to = by_id.get(str(association.get("toObjectTypeId")))
            if start is not None and to is not None and str(association.get("id")).isdigit():
                listed[(start, to, str(association.get("name") or ""))] = int(association["id"])
    return [
        (start, to, Association(to, type_id, "USER_DEFINED", inverse=listed.get((to, start, name))))
        for (start, to, name), type_id in listed.items()
    ]
