"""Custom objects: their schemas, and the object types that follow (HubSpot docs, "Custom objects")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_crmseed.portal.hubspot.kept import PROVIDER, Kept, Kind
from pytest_crmseed.portal.hubspot.object_types import ObjectTypes
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import Field, Group, ObjectType
from pytest_crmseed.schema.model import Kind as FieldKind

# Of the object types that came with the portal nothing says when they were made.
_STOCK_TIME = "2020-06-30T15:57:37.247Z"
_FIRST_TYPE_ID = 30_010_001

_SYSTEM: Sequence[tuple[str, str, str, str, FieldKind]] = (
    ("hs_object_id", "Record ID", "number", "number", FieldKind.INTEGER),
    ("hs_createdate", "Object create date/time", "datetime", "date", FieldKind.DATETIME),
    ("hs_lastmodifieddate", "Object last modified date/time", "datetime", "date", FieldKind.DATETIME),
    ("hs_created_by_user_id", "Created by user ID", "number", "number", FieldKind.INTEGER),
    ("hs_updated_by_user_id", "Updated by user ID", "number", "number", FieldKind.INTEGER),
    ("hs_merged_object_ids", "Merged record IDs", "string", "text", FieldKind.STRING),
    ("hs_object_source", "Record creation source", "string", "text", FieldKind.STRING),
    ("hs_object_source_label", "Record source", "string", "text", FieldKind.STRING),
    ("hs_unique_creation_key", "Unique creation key", "string", "text", FieldKind.STRING),
    ("hubspot_owner_assigneddate", "Owner assigned date", "datetime", "date", FieldKind.DATETIME),
)
_OF_PIPELINES = (
    ("hs_pipeline", "Pipeline", "select", "pipelines"),
    ("hs_pipeline_stage", "Pipeline stage", "radio", "stages"),
)


class Schemas:
    """The schemas of custom objects in their JSON form, without properties and associations.

    Their keys are HubSpot's; ``archived`` ones are no object types.
    """

    def __init__(self, kept: Kept, store: Store, object_types: ObjectTypes) -> None:
        self._kept = kept
        self._store = store
        self._object_types = object_types
        self._data: dict[str, Mapping[str, Any]] = {}
        self._stock: Mapping[str, ObjectType] = {}

    def load(self, stock: Mapping[str, ObjectType]) -> None:
        """Have the custom objects among ``stock``, then those that were kept."""
        self._stock = stock
        self._data = {name: schema_of(each) for name, each in stock.items() if each.custom}
        for name, _, data in self._kept.all(Kind.SCHEMA):
            self._have(name, data)

    def all(self) -> Mapping[str, Mapping[str, Any]]:
        """Return all schemas by fully qualified name, archived ones included."""
        return self._data

    def find(self, name: str) -> Mapping[str, Any] | None:
        """Return the schema of a fully qualified name, name or type id, in any case; archived ones too."""
        wanted = name.lower()
        for data in self._data.values():
            if wanted in (str(data[key]).lower() for key in ("fullyQualifiedName", "name", "objectTypeId")):
                return data
        return None

    def new_type_id(self) -> str:
        """Return the id of a new object type, which none ever had."""
        return f"2-{self._store.new_id(PROVIDER, 'object types', _FIRST_TYPE_ID)}"

    def put(self, data: Mapping[str, Any]) -> None:
        """Keep a schema in place of the one of its name."""
        name = str(data["fullyQualifiedName"])
        self._kept.put(Kind.SCHEMA, name, "", data)
        self._have(name, data)

    def purge(self, name: str) -> None:
        """Forget a custom object with all its definitions and archived records."""
        while found := self._store.page(PROVIDER, name, start=0, limit=100, archived=True):
            for record in found:
                self._store.purge(PROVIDER, name, record.id)
        self._kept.forget(name)
        if name in self._stock:
            # It would be back with the next look at what the portal came with.
            self._kept.put(Kind.SCHEMA, name, "", {**self._data[name], "archived": True, "purged": True})
        self._data.pop(name)
        self._object_types.remove(name)

    def _have(self, name: str, data: Mapping[str, Any]) -> None:
        if data.get("purged"):
            self._data.pop(name, None)
            self._object_types.remove(name)
            return
        self._data[name] = data
        if data["archived"]:
            self._object_types.remove(name)
        else:
            old = self._object_types.by_name.get(name) or self._stock.get(name)
            self._object_types.put(_object_type(data, old))


def _object_type(data: Mapping[str, Any], old: ObjectType | None) -> ObjectType:
    name, labels = str(data["name"]), data["labels"]
    base = old or ObjectType(
        name=str(data["fullyQualifiedName"]),
        label="",
        plural="",
        singular=name,
        type_id=str(data["objectTypeId"]),
        fields=_system_fields(f"{name}_information"),
        groups=(Group(f"{name}_information", f"{labels['singular']} information"),),
        custom=True,
    )
    return replace(
        base,
        label=str(labels["singular"]),
        plural=str(labels["plural"]),
        required_any=tuple((str(each),) for each in data["requiredProperties"]),
        display_field=str(data.get("primaryDisplayProperty") or ""),
        searchable=tuple(map(str, data["searchableProperties"])),
    )


def _system_fields(group: str) -> Mapping[str, Field]:
    """Return the properties that every custom object has; [unsure] of those beyond the first three."""

    def field(name: str, label: str, type: str, widget: str, kind: FieldKind, external: str = "") -> Field:
        native = {"type": type, "fieldType": widget, "groupName": group}
        if external == "owners":
            native["referencedObjectType"] = "OWNER"
        return Field(
            name, label, kind, external=external or None, read_only=not external, group=group, native=native
        )

    fields = [field(*row) for row in _SYSTEM]
    option = FieldKind.OPTION
    fields.append(field("hubspot_owner_id", "Owner", "enumeration", "select", option, "owners"))
    for name, label, widget, external in _OF_PIPELINES:
        fields.append(field(name, label, "enumeration", widget, option, external))
    return {each.name: each for each in fields}


def schema_of(object_type: ObjectType) -> Mapping[str, Any]:
    """Return the schema of an object type that the portal came with."""
    name = object_type.singular if object_type.custom else object_type.singular.upper()
    return {
        "id": object_type.type_id.removeprefix("2-"),
        "objectTypeId": object_type.type_id,
        "fullyQualifiedName": object_type.name if object_type.custom else name,
        "name": name,
        "labels": {"singular": object_type.label, "plural": object_type.plural},
        "primaryDisplayProperty": object_type.display_field or None,
        "secondaryDisplayProperties": [],
        "searchableProperties": list(object_type.searchable),
        "requiredProperties": [group[0] for group in object_type.required_any if len(group) == 1],
        "archived": False,
        "createdAt": _STOCK_TIME,
        "updatedAt": _STOCK_TIME,
    }
