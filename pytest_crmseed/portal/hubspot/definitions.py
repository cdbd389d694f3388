"""Property definitions: the stock ones of the bundled schema, and those added or changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pytest_crmseed.portal.hubspot.kept import PROVIDER, Kept, Kind
from pytest_crmseed.portal.hubspot.object_types import ObjectTypes
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import Field, ObjectType

__all__ = ["KEY", "PROVIDER", "Definition", "Definitions", "custom_data", "option_data", "stock_group"]

KEY = "crmseed_key"

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
    """The property definitions of all object types."""

    def __init__(self, kept: Kept, store: Store, object_types: ObjectTypes) -> None:
        self._kept = kept
        self._store = store
        self._object_types = object_types
        self._set_up = False
        self._by_type: dict[str, dict[str, Definition]] = {}
        self._live: dict[str, dict[str, Definition]] = {}
        self._readable: dict[tuple[str, str], float] = {}
        self._unique: dict[str, dict[str, Definition]] = {}

    def load(self, *, set_up: bool) -> None:
        """Take the stock definitions anew, ``crmseed_key`` with ``set_up``, then those that were kept."""
        self._set_up = set_up
        self._by_type = {each.name: self._stock(each) for each in self._object_types.by_name.values()}
        for object_type, name, data in self._kept.all(Kind.PROPERTY):
            if object_type in self._by_type:
                self._by_type[object_type][name] = self._definition(object_type, data)
        self._live, self._unique, self._readable = {}, {}, {}
        for object_type in self._by_type:
            self._index(object_type)

    def add_type(self, object_type: ObjectType) -> None:
        """Have the stock definitions of an object type that is new."""
        self._by_type[object_type.name] = self._stock(object_type)
        self._index(object_type.name)

    def remove_type(self, name: str) -> None:
        """Have the definitions of an object type no longer."""
        for definitions in (self._by_type, self._live, self._unique):
            definitions.pop(name, None)

    def all(self, object_type: str) -> Mapping[str, Definition]:
        """Return the definitions of an object type by name, archived ones included."""
        return self._by_type[object_type]

    def live(self, object_type: str, name: str) -> Definition | None:
        """Return the definition of this name, unless there is none or it is archived."""
        return self._live[object_type].get(name)

    def unique(self, object_type: str) -> Mapping[str, Definition]:
        """Return the definitions of which no two live records may have the same value, by name."""
        return self._unique[object_type]

    def lag(self, object_type: str, name: str, until: float) -> None:
        """Let a new definition be readable from a moment on; records have the property at once."""
        self._readable[(object_type, name)] = until

    def readable(self, object_type: str, name: str, now: float) -> bool:
        """Return whether reads of definitions see one."""
        return self._readable.get((object_type, name), 0.0) <= now

    def put(self, object_type: str, data: Mapping[str, Any]) -> Definition:
        """Keep a definition in place of the one of its name, and return it."""
        definition = self._definition(object_type, data)
        old = self._by_type[object_type].get(definition.name)
        self._kept.put(Kind.PROPERTY, object_type, definition.name, data)
        self._by_type[object_type] = {**self._by_type[object_type], definition.name: definition}
        self._index(object_type)
        unique = definition.unique and not definition.archived
        was_unique = old is not None and old.unique and not old.archived
        if unique != was_unique:
            self._store.index_unique(PROVIDER, object_type, definition.name, unique=unique)
        return definition

    def _index(self, object_type: str) -> None:
        live = {name: found for name, found in self._by_type[object_type].items() if not found.archived}
        self._live[object_type] = live
        self._unique[object_type] = {name: found for name, found in live.items() if found.unique}

    def _stock(self, object_type: ObjectType) -> dict[str, Definition]:
        stock = {field.name: _stock(field) for field in object_type.fields.values()}
        if self._set_up:
            stock[KEY] = _key(stock_group(object_type))
        return stock

    def _definition(self, object_type: str, data: Mapping[str, Any]) -> Definition:
        field = self._object_types.by_name[object_type].fields.get(data["name"])
        if field is not None:
            return Definition(data, field.external)
        return Definition(data, "owners" if data.get("referencedObjectType") == "OWNER" else None)


def stock_group(object_type: ObjectType) -> str:
    """Return the name of an object type's own group of properties."""
    return object_type.groups[0].name if object_type.groups else f"{object_type.singular}information"


def option_data(
    value: str, label: str, order: int, *, hidden: bool = False, description: str = ""
) -> dict[str, Any]:
    """Return an option in its JSON form."""
    return {
        "label": label,
        "value": value,
        "displayOrder": order,
        "hidden": hidden,
        "description": description,
    }


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
