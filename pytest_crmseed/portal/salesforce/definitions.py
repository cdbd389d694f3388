"""Objects and fields as the portal knows them: what a describe tells, ready to be asked.

Salesforce docs, "sObject Describe" and "Field properties".
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

PROVIDER = "salesforce"

HOST = "local.my.salesforce.com"
"""The org's own domain, where the vendor's hosts are mocked."""

MASTER_RECORD_TYPE = "012000000000000AAA"
"""The record type of objects that have no others; its id is the same in every org."""

TEXTS = frozenset({"string", "textarea", "url", "email", "phone", "picklist", "combobox", "encryptedstring"})
NUMBERS = frozenset({"int", "double", "currency", "percent"})


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a picklist. ``valid_for`` are places in the controlling field's list, None for all."""

    value: str
    label: str
    active: bool = True
    default: bool = False
    valid_for: frozenset[int] | None = None

    def described(self) -> dict[str, Any]:
        """Return it as a describe lists it."""
        return {
            "active": self.active,
            "defaultValue": self.default,
            "label": self.label,
            "validFor": None if self.valid_for is None else _bits(self.valid_for),
            "value": self.value,
        }


class Field:
    """A field. ``facts`` is its entry in a describe, without the picklist's ``values``.

    ``children`` is what its target calls the rows that refer to it by this field. ``valid_for`` are the
    controlling values of a dependent picklist's values, until :meth:`placed` puts their places in.
    """

    def __init__(
        self,
        facts: Mapping[str, Any],
        values: Sequence[Value] = (),
        *,
        children: str | None = None,
        valid_for: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.facts = facts
        self.values = tuple(values)
        self.children = children
        self.valid_for = valid_for
        # Asked for each value of each row, and therefore looked up once.
        self.name: str = facts["name"]
        self.label: str = facts["label"]
        self.type: str = facts["type"]
        self.length: int = facts["length"]
        self.createable: bool = facts["createable"]
        self.updateable: bool = facts["updateable"]
        self.references: tuple[str, ...] = tuple(facts["referenceTo"])
        self.relationship: str | None = facts["relationshipName"]
        self.unique: bool = facts["unique"]
        self.restricted: bool = facts["restrictedPicklist"]
        self.controller: str | None = facts["controllerName"] if facts["dependentPicklist"] else None

    def __repr__(self) -> str:
        return f"<Field {self.name} {self.type}>"

    def placed(self, controlling: Sequence[str]) -> Field:
        """Return it with its values limited to places in the controlling field's list."""
        known = self.valid_for or {}
        values = tuple(
            replace(value, valid_for=frozenset(map(controlling.index, known.get(value.value, ()))))
            for value in self.values
        )
        return Field(self.facts, values, children=self.children)

    @cached_property
    def required(self) -> bool:
        """Whether a describe says that a new row needs a value."""
        facts = self.facts
        return (
            self.createable
            and not facts["nillable"]
            and not facts["defaultedOnCreate"]
            and self.type != "boolean"
        )

    @cached_property
    def nillable(self) -> bool:
        """Whether a row can be without a value."""
        return bool(self.facts["nillable"])

    @cached_property
    def custom(self) -> bool:
        """Whether the org's own people made it."""
        return bool(self.facts["custom"])

    @cached_property
    def options(self) -> list[str]:
        """The values that a field which controls another one can have, in order."""
        if self.type == "boolean":
            return ["false", "true"]
        return [value.value for value in self.values]

    @cached_property
    def key(self) -> bool:
        """Whether rows can be found and upserted by its value."""
        return bool(self.facts["externalId"] or self.facts["idLookup"])

    @cached_property
    def case_sensitive(self) -> bool:
        """Whether values that differ in case alone are different."""
        return bool(self.facts["caseSensitive"])

    @cached_property
    def default(self) -> Any:
        """The value of a new row that names none, or None."""
        chosen = next((value.value for value in self.values if value.default), None)
        return chosen if chosen is not None else self.facts["defaultValue"]

    @cached_property
    def allowed(self) -> Mapping[str, Value]:
        """The active values of a picklist, by the value in small letters."""
        return {value.value.lower(): value for value in self.values if value.active}

    @cached_property
    def compound(self) -> str | None:
        """The field that this one is a part of, or None."""
        found = self.facts["compoundFieldName"]
        return None if found is None or found == self.name else str(found)


@dataclass(frozen=True, slots=True)
class Child:
    """A field of another object that refers to this one, and what a delete of this one does to its rows."""

    object: str
    field: str
    relationship: str | None
    cascade: bool = False
    restrict: bool = False
    junctions: tuple[Sequence[str], Sequence[str]] = ((), ())


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record type of an object. ``values`` are those it leaves of picklists, by field in its own case.

    ``person`` ones make an account a person.
    """

    id: str
    name: str
    developer_name: str
    active: bool = True
    available: bool = True
    default: bool = False
    master: bool = False
    values: Mapping[str, tuple[str, ...]] | None = None
    person: bool = False


@dataclass(frozen=True)
class SObject:
    """An object with its fields in the order of a describe."""

    name: str
    label: str
    label_plural: str
    prefix: str
    flags: Mapping[str, bool]
    fields: tuple[Field, ...]
    children: tuple[Child, ...] = ()
    record_types: tuple[RecordType, ...] = ()
    scopes: tuple[tuple[str, str], ...] = ()
    links: tuple[str, ...] = ()
    custom: bool = False

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by their names in small letters."""
        return {field.name.lower(): field for field in self.fields}

    def field(self, name: str) -> Field | None:
        """Return the field of a name in any case, or None."""
        return self.by_name.get(name.lower())

    @cached_property
    def parents(self) -> Mapping[str, Field]:
        """The fields that refer to other rows, by relationship name in small letters."""
        return {
            field.relationship.lower(): field
            for field in self.fields
            if field.relationship and field.references
        }

    @cached_property
    def child_lists(self) -> Mapping[str, Child]:
        """The relationships to other objects' rows, by name in small letters."""
        return {child.relationship.lower(): child for child in self.children if child.relationship}

    @cached_property
    def required(self) -> tuple[Field, ...]:
        """The fields without which a describe lets no row be created."""
        return tuple(field for field in self.fields if field.required)

    @cached_property
    def unique(self) -> tuple[Field, ...]:
        """The fields whose values are unique."""
        return tuple(field for field in self.fields if field.unique)

    @cached_property
    def auto_numbers(self) -> tuple[Field, ...]:
        """The fields that count up by themselves."""
        return tuple(field for field in self.fields if field.facts["autoNumber"])

    @cached_property
    def references(self) -> tuple[Field, ...]:
        """The fields that refer to other rows."""
        return tuple(field for field in self.fields if field.references)

    @cached_property
    def defaults(self) -> tuple[tuple[str, str], ...]:
        """The names and stored values of what a new row has if nobody says otherwise."""
        found = []
        for field in self.fields:
            if field.type == "boolean":
                found.append((field.name, "true" if field.default is True else "false"))
            elif field.default is not None:
                found.append((field.name, str(field.default)))
        return tuple(found)

    def record_type(self, id: str) -> RecordType | None:
        """Return the record type of an id, or None."""
        return next((each for each in self.record_types if each.id == id), None)


def _bits(places: Iterable[int]) -> str:
    chosen = set(places)
    octets = bytearray(max(chosen, default=0) // 8 + 1)
    for place in chosen:
        octets[place >> 3] |= 0x80 >> (place & 7)
    return base64.b64encode(bytes(octets)).decode("ascii")
