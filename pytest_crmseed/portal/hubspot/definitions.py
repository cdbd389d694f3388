"""Property definitions: the stock ones of the bundled schema, and those added or changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import Field, ObjectType

PROVIDER = "hubspot"
KEY = "crmseed_key"

STOCK_GROUPS = {
    "contacts": "contactinformation",
    "companies": "companyinformation",
    "deals": "dealinformation",
}
"""Each object type's own group of properties (HubSpot docs, "Properties guide")."""

# When HubSpot made its own definitions; any fixed moment before a portal's first record will do.
_STOCK_TIME = "2020-06-30T15:57:37.247Z"


@dataclass(frozen=True)
class Definition:
    """A property definition. ``data`` is its JSON form as the Properties API answers it."""

    data: Mapping[str, Any]
    external: str | None = None

    @property
    def name(self) -> str:
        """The internal name."""
        return str(self.data["name"])

    @property
    def archived(self) -> bool:
        """Whether it was deleted; records keep its values for the case that it comes back."""
        return bool(self.data.get("archived", False))

    @cached_property
    def type(self) -> str:
        """``string``, ``number``, ``bool``, ``enumeration``, ``date``, ``datetime``, ``phone_number``."""
        return str(self.data["type"])

    @cached_property
    def several(self) -> bool:
        """Whether the value is several options joined with ``;``."""
        return self.type == "enumeration" and self.data["fieldType"] == "checkbox"

    @cached_property
    def read_only(self) -> bool:
        """Whether no client can set it."""
        metadata = self.data.get("modificationMetadata", {})
        calculated = self.data.get("calculated") or str(self.data["fieldType"]).startswith("calculation_")
        return bool(metadata.get("readOnlyValue") or calculated)

    @cached_property
    def unique(self) -> bool:
        """Whether no two live records may have the same value."""
        return bool(self.data.get("hasUniqueValue", False))

    @cached_property
    def options(self) -> tuple[str, ...]:
        """The values that the definition itself lists, hidden ones included."""
        return tuple(str(option["value"]) for option in self.data["options"])


class Definitions:
    """The property definitions of all object types; changes go to the store."""

    def __init__(self, store: Store, object_types: Mapping[str, ObjectType], *, set_up: bool) -> None:
        self._store = store
        self._object_types = object_types
        self.load(set_up=set_up)

    def load(self, *, set_up: bool) -> None:
        """Take the stock definitions anew, ``crmseed_key`` with ``set_up``, then those in the store."""
        self._by_type: dict[str, dict[str, Definition]] = {}
        for name, object_type in self._object_types.items():
            stock = {field.name: _stock(field) for field in object_type.fields.values()}
            if set_up:
                stock[KEY] = _key(object_type.groups[0].name if object_type.groups else STOCK_GROUPS[name])
            self._by_type[name] = stock
        for object_type_name, name, data in self._store.definitions(PROVIDER):
            if object_type_name in self._by_type:
                self._by_type[object_type_name][name] = self._definition(object_type_name, data)
        self._index()

    def all(self, object_type: str) -> Mapping[str, Definition]:
        """Return the definitions of an object type by name, archived ones included."""
        return self._by_type[object_type]

    def live(self, object_type: str, name: str) -> Definition | None:
        """Return the definition of this name, unless there is none or it is archived."""
        return self._live[object_type].get(name)

    def unique(self, object_type: str) -> Mapping[str, Definition]:
        """Return the definitions of which no two live records may have the same value, by name."""
        return self._unique[object_type]

    def put(self, object_type: str, data: Mapping[str, Any]) -> Definition:
        """Keep a definition in place of the one of its name, and return it."""
        definition = self._definition(object_type, data)
        old = self._by_type[object_type].get(definition.name)
        self._store.define(PROVIDER, object_type, definition.name, dict(data))
        self._by_type[object_type][definition.name] = definition
        self._index()
        unique = definition.unique and not definition.archived
        was_unique = old is not None and old.unique and not old.archived
        if unique != was_unique:
            self._store.index_unique(PROVIDER, object_type, definition.name, unique=unique)
        return definition

    def _index(self) -> None:
        self._live = {
            object_type: {name: found for name, found in definitions.items() if not found.archived}
            for object_type, definitions in self._by_type.items()
        }
        self._unique = {
            object_type: {name: found for name, found in definitions.items() if found.unique}
            for object_type, definitions in self._live.items()
        }

    def _definition(self, object_type: str, data: Mapping[str, Any]) -> Definition:
        field = self._object_types[object_type].fields.get(data["name"])
        if field is not None:
            return Definition(data, field.external)
        return Definition(data, "owners" if data.get("referencedObjectType") == "OWNER" else None)


def option_data(value: str, label: str, order: int, *, hidden: bool = False) -> dict[str, Any]:
    """Return an option in its JSON form."""
    return {"label": label, "value": value, "displayOrder": order, "hidden": hidden, "description": ""}


def _stock(field: Field) -> Definition:
    native = field.native
    options = [
        option_data(option.value, option.label, order, hidden=option.hidden)
        for order, option in enumerate(field.options)
    ]
    data: dict[str, Any] = {
        "name": field.name,
        "label": field.label,
        "type": native["type"],
        "fieldType": native["fieldType"],
        "description": field.description,
        "groupName": native["groupName"],
        "options": options,
        "displayOrder": -1,
        "calculated": native.get("calculated") == "true",
        "externalOptions": field.external is not None,
        "hasUniqueValue": field.unique,
        "hidden": field.hidden,
        "hubspotDefined": not field.custom,
        "formField": not field.read_only and not field.hidden,
        "modificationMetadata": {
            "archivable": True,
            "readOnlyDefinition": not field.custom,
            "readOnlyOptions": field.external is not None or field.read_only,
            "readOnlyValue": field.read_only,
        },
        "dataSensitivity": "non_sensitive",
        "createdAt": _STOCK_TIME,
        "updatedAt": _STOCK_TIME,
    }
    if field.archived:
        data["archived"] = True
    if "referencedObjectType" in native:
        data["referencedObjectType"] = native["referencedObjectType"]
    if "showCurrencySymbol" in native:
        data["showCurrencySymbol"] = native["showCurrencySymbol"] == "true"
    if "currencyPropertyName" in native:
        data["currencyPropertyName"] = native["currencyPropertyName"]
    return Definition(data, field.external)


def _key(group: str) -> Definition:
    return Definition(
        custom_data(
            name=KEY,
            label="crmseed key",
            type="string",
            field_type="text",
            group=group,
            description="Marks records made by pytest-crmseed.",
            unique=True,
            at=_STOCK_TIME,
        )
    )


def custom_data(
    *,
    name: str,
    label: str,
    type: str,
    field_type: str,
    group: str,
    description: str = "",
    unique: bool = False,
    at: str,
) -> dict[str, Any]:
    """Return the JSON form of a definition that a client made, without options."""
    return {
        "name": name,
        "label": label,
        "type": type,
        "fieldType": field_type,
        "description": description,
        "groupName": group,
        "options": [],
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "hasUniqueValue": unique,
        "hidden": False,
        "hubspotDefined": False,
        "formField": False,
        "modificationMetadata": {
            "archivable": True,
            "readOnlyDefinition": False,
            "readOnlyOptions": False,
            "readOnlyValue": False,
        },
        "dataSensitivity": "non_sensitive",
        "archived": False,
        "createdAt": at,
        "updatedAt": at,
    }
