"""HubSpot's schema, read live: property definitions, pipelines, association types, owners.

Sources: HubSpot docs "Properties guide", "Pipelines", "Associate records"; the published OpenAPI
files for the shapes. What the API does not tell (required on create, lengths) comes from the
bundled snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_crmseed.errors import ApiRefused, Unauthorized
from pytest_crmseed.providers.base import Effect, Exchange, Request
from pytest_crmseed.schema.model import (
    Association,
    Field,
    Kind,
    ObjectType,
    Option,
    Pipeline,
    Schema,
    Stage,
)

# The value of a text property at most (docs, "Properties guide").
_LONGEST_TEXT = 65_536

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
_REFERENCED = {"COMPANY": "companies", "CONTACT": "contacts", "DEAL": "deals"}

# What else of a definition is worth keeping as it is.
_HINTS = ("referencedObjectType", "showCurrencySymbol", "currencyPropertyName")

# The labels HubSpot itself gives the association types that make a company the main one.
_PRIMARY = "primary"


class Discovery:
    """Read the schema of one portal. ``path`` builds a path: family, then what follows the version."""

    def __init__(self, api_version: str, known: Schema) -> None:
        self._api_version = api_version
        self._known = known

    def schema(self, object_types: Sequence[str], *, portal_id: str, taken_at: str) -> Exchange[Schema]:
        """Return the live schema of these object types, by native name."""
        owners = yield from self._owners()
        found = {}
        for name in object_types:
            found[name] = yield from self._object_type(name, object_types, owners)
        return Schema(
            provider=self._known.provider,
            object_types=found,
            source="live",
            taken_at=taken_at,
            portal_id=portal_id,
            complete=True,
        )

    def _object_type(
        self, name: str, all_types: Sequence[str], owners: Sequence[Option]
    ) -> Exchange[ObjectType]:
        snapshot = self._known.object_types.get(name)
        answer = yield self._get("properties", name, f"read the properties of {name}")
        fields = {
            str(entry["name"]): _field(entry, snapshot, owners)
            for entry in answer.json().get("results") or ()
        }
        pipelines: tuple[Pipeline, ...] = ()
        if any(field.external in ("pipelines", "stages") for field in fields.values()):
            answer = yield self._get("pipelines", name, f"read the pipelines of {name}")
            pipelines = _pipelines(answer.json().get("results") or ())
        associations: list[Association] = []
        for other in all_types:
            associations += yield from self._associations(name, other, snapshot)
        base = snapshot or ObjectType(name, name, name, {})
        return replace(base, fields=fields, pipelines=pipelines, associations=tuple(associations))

    def _associations(
        self, name: str, other: str, snapshot: ObjectType | None
    ) -> Exchange[list[Association]]:
        stock = {a.type_id: a for a in snapshot.associations if a.to == other} if snapshot else {}
        path = self._path("associations", f"{name}/{other}/labels", legacy="v4")
        try:
            answer = yield Request("GET", path, f"read the associations of {name} to {other}", Effect.READ)
        except ApiRefused as refused:
            if refused.status not in (400, 404):
                raise
            # The two cannot be associated.
            return []
        found = []
        for entry in answer.json().get("results") or ():
            type_id, label = int(entry["typeId"]), entry.get("label")
            known = stock.get(type_id)
            primary = known.primary if known else (label or "").casefold() == _PRIMARY
            found.append(
                Association(
                    to=other,
                    type_id=type_id,
                    category=str(entry["category"]),
                    label=label,
                    inverse=known.inverse if known else None,
                    primary=primary,
                )
            )
        return found

    def _owners(self) -> Exchange[list[Option]]:
        owners: list[Option] = []
        after = ""
        while True:
            query = (("limit", "100"), *((("after", after),) if after else ()))
            path = self._path("owners", "")
            try:
                answer = yield Request("GET", path, "read the owners", Effect.READ, query=query)
            except (ApiRefused, Unauthorized):
                # Owners need a scope of their own; without it their ids are not checkable.
                return []
            body = answer.json()
            for entry in body.get("results") or ():
                name = " ".join(filter(None, (entry.get("firstName"), entry.get("lastName"))))
                owners.append(Option(str(entry["id"]), name or str(entry.get("email") or entry["id"])))
            after = str(((body.get("paging") or {}).get("next") or {}).get("after") or "")
            if not after:
                return owners

    # -- paths -----------------------------------------------------------------------------------
    def _get(self, family: str, tail: str, what: str) -> Request:
        return Request("GET", self._path(family, tail), what, Effect.READ)

    def _path(self, family: str, tail: str, *, legacy: str = "v3") -> str:
        dated = self._api_version[0].isdigit()
        root = f"/crm/{family}/{self._api_version}" if dated else f"/crm/{legacy}/{family}"
        return f"{root}/{tail}" if tail else root


def _field(entry: Mapping[str, Any], snapshot: ObjectType | None, owners: Sequence[Option]) -> Field:
    name = str(entry["name"])
    known = snapshot.fields.get(name) if snapshot else None
    native_type, widget = str(entry.get("type")), str(entry.get("fieldType"))
    references = entry.get("referencedObjectType")
    options = tuple(
        Option(str(o["value"]), str(o.get("label") or o["value"]), bool(o.get("hidden")))
        for o in sorted(entry.get("options") or (), key=lambda o: o.get("displayOrder") or 0)
    )
    external = _external(name, entry, known)
    if external == "owners" and not options:
        options = tuple(owners)
    calculated = bool(entry.get("calculated")) or widget.startswith("calculation_")
    modification = entry.get("modificationMetadata") or {}
    return Field(
        name=name,
        label=str(entry.get("label") or name),
        kind=known.kind if known and _same(known, native_type, widget) else _kind(native_type, widget),
        options=options,
        external=external,
        read_only=calculated or bool(modification.get("readOnlyValue")),
        unique=bool(entry.get("hasUniqueValue")) or bool(known and known.unique),
        hidden=bool(entry.get("hidden")),
        archived=bool(entry.get("archived")),
        custom=not entry.get("hubspotDefined"),
        max_length=_LONGEST_TEXT if native_type == "string" else None,
        references=(_REFERENCED[references],) if references in _REFERENCED else (),
        description=str(entry.get("description") or ""),
        native={
            "type": native_type,
            "fieldType": widget,
            "groupName": str(entry.get("groupName") or ""),
            **({"calculated": "true"} if calculated else {}),
            **{hint: _text(entry[hint]) for hint in _HINTS if entry.get(hint)},
        },
    )


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


def _external(name: str, entry: Mapping[str, Any], known: Field | None) -> str | None:
    if entry.get("referencedObjectType") == "OWNER":
        return "owners"
    if known is not None and known.external:
        return known.external
    if entry.get("externalOptions"):
        # Stages and pipelines of objects newer than deals are named like this (docs, "Pipelines").
        return {"hs_pipeline": "pipelines", "hs_pipeline_stage": "stages"}.get(name)
    return None


def _pipelines(entries: Sequence[Mapping[str, Any]]) -> tuple[Pipeline, ...]:
    ordered = sorted(entries, key=lambda entry: entry.get("displayOrder") or 0)
    return tuple(
        Pipeline(str(entry["id"]), str(entry["label"]), _stages(entry.get("stages") or ()))
        for entry in ordered
        if not entry.get("archived")
    )


def _stages(entries: Sequence[Mapping[str, Any]]) -> tuple[Stage, ...]:
    stages = []
    for entry in sorted(entries, key=lambda entry: entry.get("displayOrder") or 0):
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
                order=int(entry.get("displayOrder") or 0),
                closed=closed,
                probability=float(probability) if probability not in (None, "") else None,
            )
        )
    return tuple(stages)
