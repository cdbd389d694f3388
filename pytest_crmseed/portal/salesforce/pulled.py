"""A pulled schema as the objects of an org: what another org's describes told, in the shared model.

The model leaves some facts of a describe out; fields that every org has keep theirs, others get the
usual ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pytest_crmseed.portal.salesforce import custom, stock
from pytest_crmseed.portal.salesforce.definitions import TEXTS, Field, RecordType, SObject, Value
from pytest_crmseed.schema.model import Field as SchemaField
from pytest_crmseed.schema.model import Kind, ObjectType, Schema

_TYPES = {
    Kind.STRING: "string",
    Kind.TEXT: "textarea",
    Kind.EMAIL: "email",
    Kind.PHONE: "phone",
    Kind.URL: "url",
    Kind.INTEGER: "int",
    Kind.DECIMAL: "double",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: "datetime",
    Kind.TIME: "time",
    Kind.DURATION: "string",
    Kind.OPTION: "picklist",
    Kind.OPTIONS: "multipicklist",
    Kind.REFERENCE: "reference",
    Kind.OTHER: "anyType",
}
_PEOPLE = "Account:Person"
"""What a schema calls accounts that are people."""
_ALWAYS = frozenset(
    {
        "CreatedById",
        "CreatedDate",
        "Id",
        "IsDeleted",
        "LastModifiedById",
        "LastModifiedDate",
        "OwnerId",
        "SystemModstamp",
    }
)


def fields(schema: Schema, stock_names: Collection[str]) -> dict[str, tuple[Field, ...]]:
    """Return the fields that objects which every org has have in this one, by object."""
    return {each.name: tuple(_of_stock(each)) for each in _native(schema) if each.name in stock_names}


def objects(schema: Schema, stock_names: Collection[str]) -> list[SObject]:
    """Return the objects that other orgs do not have."""
    return [
        custom.sobject(
            each.name,
            each.label,
            each.plural,
            [_field(field, None) for name, field in each.fields.items() if name not in _ALWAYS],
            prefix=each.type_id,
            owned="OwnerId" in each.fields,
        )
        for each in _native(schema)
        if each.name not in stock_names
    ]


def record_types(schema: Schema) -> dict[str, tuple[RecordType, ...]]:
    """Return the record types of objects that have some beside the one that stands for none."""
    found: dict[str, tuple[RecordType, ...]] = {}
    for name, each in schema.object_types.items():
        field = each.fields.get("RecordTypeId")
        if field is not None and field.options and (":" not in name or name == _PEOPLE):
            own = name.partition(":")[0]
            made = tuple(
                RecordType(option.value, option.label, option.label.replace(" ", "_"), person=name == _PEOPLE)
                for option in field.options
            )
            found[own] = (*found.get(own, ()), *made)
    return found


def _native(schema: Schema) -> Iterator[ObjectType]:
    # "Task:Call" is another name for some rows of Task.
    people = schema.object_types.get(_PEOPLE)
    for name, each in schema.object_types.items():
        if ":" not in name:
            yield _with_people(each, people) if name == "Account" and people is not None else each


def _with_people(companies: ObjectType, people: ObjectType) -> ObjectType:
    """Return accounts of both kinds as the one object that they are; it requires neither's name."""
    both = {**people.fields, **companies.fields}
    for name in ("Name", "LastName"):
        both[name] = replace(both[name], required=False, read_only=False)
    return replace(companies, fields=both)


def _of_stock(each: ObjectType) -> Iterator[Field]:
    people = "IsPersonAccount" in each.fields
    known = {
        field.name: field
        for field in (stock.fields_with_people(each.name) if people else stock.fields(each.name))
    }
    for name, field in known.items():
        if name in each.fields:
            yield _field(each.fields[name], field)
        elif name in _ALWAYS:
            yield field
    for name, other in each.fields.items():
        # Fields of a price book entry go with a product under such names.
        if name not in known and "." not in name:
            yield _field(other, None)


def _field(field: SchemaField, known: Field | None) -> Field:
    entry: dict[str, Any] = {
        "name": field.name,
        "label": field.label,
        "type": field.native.get("type") or _TYPES[field.kind],
        "custom": field.custom,
        "unique": field.unique,
        "inlineHelpText": field.description or None,
        "referenceTo": list(field.references),
        "createable": not field.read_only,
        "calculated": field.calculated and "autoNumber" not in field.native,
    }
    for hint in ("autoNumber", "defaultedOnCreate", "externalId", "idLookup"):
        entry[hint] = field.native.get(hint) == "true"
    for hint in ("compoundFieldName", "relationshipName", "calculatedFormula"):
        entry[hint] = field.native.get(hint)
    for hint in ("precision", "scale"):
        entry[hint] = int(field.native.get(hint, 0))
    kind = entry["type"]
    if kind in TEXTS and (field.max_length or known is None):
        entry["length"] = field.max_length or 255
    if kind == "int" and field.maximum is not None:
        entry["digits"] = len(str(int(Decimal(field.maximum))))
    if kind == "reference":
        entry["relationshipName"] = entry["relationshipName"] or custom.relationship(field.name)
        if field.options:
            # Record types are options in a schema.
            entry["referenceTo"] = ["RecordType"]
    # A describe calls booleans and system fields not nillable too, which the model does not keep.
    entry["nillable"] = not (field.required or entry["autoNumber"] or kind in ("boolean", "id"))
    if field.kind in (Kind.OPTION, Kind.OPTIONS) and kind != "reference":
        entry |= {
            "restrictedPicklist": not field.unrestricted,
            "dependentPicklist": bool(field.controller),
            "controllerName": field.controller or None,
        }
    if kind == "multipicklist":
        entry |= {"length": 4_099, "byteLength": 4_099}
    if known is None:
        entry["updateable"] = entry["createable"]
    facts = stock.field(entry).facts
    if known is not None:
        # The vendor's own field: what the model does not tell is as everywhere.
        told = {name: facts[name] for name in entry if name not in ("createable", "nillable")}
        facts = {**known.facts, **told}
        if facts["length"] != known.length:
            facts["byteLength"] = stock.field(entry).facts["byteLength"]
        facts["createable"] = known.createable and not field.read_only
        facts["nillable"] = known.nillable and not field.required
    values = tuple(_values(field, known)) if kind != "reference" else ()
    limited = {option.value: option.valid_for for option in field.options} if field.controller else None
    return Field(facts, values, valid_for=limited)


def _values(field: SchemaField, known: Field | None) -> Iterator[Value]:
    stocked = {value.value: value for value in known.values} if known is not None else {}
    defaulted = field.native.get("defaultedOnCreate") == "true"
    chosen = next((value for value, each in stocked.items() if each.default), None)
    if defaulted and chosen not in {option.value for option in field.options}:
        chosen = field.options[0].value if field.options else None
    for option in field.options:
        own = stocked.get(option.value)
        # What a record cannot be made with is hidden in a schema, and is there all the same.
        active = own.active if own is not None else not option.hidden
        yield Value(option.value, option.label, active, defaulted and option.value == chosen)
