"""Objects, fields and record types that the switches add to an org."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytest_crmseed.portal.salesforce import ids, stock
from pytest_crmseed.portal.salesforce.behaviour import CustomField, CustomObject, RecordTypeOf
from pytest_crmseed.portal.salesforce.definitions import TEXTS, Field, RecordType, SObject

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FIRST_RECORD_TYPE = 1_001
_SCOPES = "everything"

OF_COMPANIES = RecordTypeOf("Business Account", default=True)
OF_PEOPLE = RecordTypeOf("Person Account", person=True)
"""What an org with person accounts has at least; the second one is Salesforce's own."""


def objects(switches: Iterable[CustomObject]) -> list[SObject]:
    """Return the objects that switches describe; their prefixes are still to be given."""
    return [
        sobject(
            each.name,
            each.label or _words(each.name),
            each.plural or f"{each.label or _words(each.name)}s",
            [name_field(each), *map(field, each.fields)],
        )
        for each in switches
    ]


def sobject(
    name: str, label: str, plural: str, own: Sequence[Field], *, prefix: str = "", owned: bool = True
) -> SObject:
    """Return a custom object with its own fields and those that every object has.

    Rows of a detail are not ``owned``: they belong to their master's owner.
    """
    system = [stock.field(entry) for entry in _system() if owned or entry["name"] != "OwnerId"]
    first = [each for each in system if each.name in ("Id", "OwnerId", "IsDeleted")]
    rest = [each for each in system if each not in first]
    return SObject(
        name=name,
        label=label,
        label_plural=plural,
        prefix=prefix,
        flags=stock.flags({"custom": True, "mruEnabled": False, "searchable": True}),
        fields=(*first, *own, *rest),
        scopes=((_SCOPES, f"All {plural.lower()}"),),
        custom=True,
    )


def name_field(each: CustomObject) -> Field:
    """Return the name of a custom object's rows: a text, or a number that counts up."""
    label = each.name_label or f"{each.label or _words(each.name)} Name"
    entry: dict[str, Any] = {
        "name": "Name",
        "type": "string",
        "label": label,
        "length": 80,
        "nameField": True,
        "idLookup": True,
        # Who leaves the name of a custom row out gets its id for it.
        "defaultedOnCreate": True,
    }
    if each.auto_number is not None:
        entry |= {
            "autoNumber": True,
            "createable": False,
            "updateable": False,
            "nillable": False,
            "mask": each.auto_number,
        }
    return stock.field(entry)


def field(each: CustomField) -> Field:
    """Return the field that a switch describes.

    A dependent picklist's ``valid_for`` can only be told by the list of its controlling field; it holds
    values until :func:`placed` puts places in.
    """
    calculated = each.formula is not None
    entry: dict[str, Any] = {
        "name": each.name,
        "type": each.type,
        "label": each.label or _words(each.name),
        "custom": True,
        "nillable": not each.required and each.type != "boolean",
        "unique": each.unique,
        "externalId": each.external_id,
        "idLookup": each.external_id,
        "caseSensitive": each.case_sensitive,
        "defaultedOnCreate": each.type == "boolean" or each.default is not None,
    }
    if each.type in TEXTS:
        entry["length"] = each.length
    if each.type in ("double", "currency", "percent"):
        entry |= {"precision": each.precision, "scale": each.scale}
    if each.type == "int":
        entry["digits"] = 8
    if each.type == "multipicklist":
        entry |= {"length": 4_099, "byteLength": 4_099, "precision": 4}
    if each.type == "boolean":
        entry["defaultValue"] = each.default is True
    elif each.default is not None:
        entry["defaultValue"] = each.default
    if each.values:
        entry |= {
            "restrictedPicklist": each.restricted,
            "picklistValues": [
                {"value": value, "label": value, "defaultValue": value == each.default}
                for value in each.values
            ],
        }
    if each.references:
        entry |= {
            "referenceTo": list(each.references),
            "relationshipName": each.relationship or relationship(each.name),
            "cascadeDelete": each.cascade,
            "restrictedDelete": each.restrict,
            "updateable": not each.cascade,
        }
    if calculated:
        entry |= {
            "calculated": True,
            "calculatedFormula": each.formula,
            "createable": False,
            "updateable": False,
        }
    made = stock.field(entry, children=each.child_relationship)
    if each.controller is None:
        return made
    facts = {**made.facts, "dependentPicklist": True, "controllerName": each.controller}
    return Field(facts, made.values, children=made.children, valid_for=each.valid_for)


def key_field(name: str) -> Field:
    """Return the unique external id by which our records are found again."""
    return stock.field(
        {
            "name": name,
            "type": "string",
            "label": "crmseed key",
            "length": 100,
            "custom": True,
            "externalId": True,
            "idLookup": True,
            "unique": True,
        }
    )


def record_type_field() -> Field:
    """Return the field that says of which record type a row is."""
    return stock.field(
        {
            "name": "RecordTypeId",
            "type": "reference",
            "label": "Record Type ID",
            "defaultedOnCreate": True,
            "groupable": True,
            "referenceTo": ["RecordType"],
            "relationshipName": "RecordType",
        }
    )


def record_types(switches: Mapping[str, Sequence[RecordTypeOf]]) -> dict[str, tuple[RecordType, ...]]:
    """Return the record types that switches describe, by object."""
    found: dict[str, tuple[RecordType, ...]] = {}
    number = _FIRST_RECORD_TYPE
    for name, some in switches.items():
        made = []
        for each in some:
            developer = re.sub(r"\W+", "" if each is OF_PEOPLE else "_", each.name)
            id = ids.made("012", number)
            made.append(
                RecordType(
                    id, each.name, developer, default=each.default, values=each.values, person=each.person
                )
            )
            number += 1
        found[name] = tuple(made)
    return found


def with_people(switches: Mapping[str, Sequence[RecordTypeOf]]) -> dict[str, Sequence[RecordTypeOf]]:
    """Return the record types of an org with person accounts: both kinds of accounts have some."""
    given = tuple(switches.get("Account", ()))
    companies = () if any(not each.person for each in given) else (OF_COMPANIES,)
    people = () if any(each.person for each in given) else (OF_PEOPLE,)
    return {**switches, "Account": (*companies, *given, *people)}


def of_contact(field: Field) -> Field:
    """Return a custom field of contacts as accounts that are people have it.

    What is unique among contacts is not among accounts [unsure].
    """
    facts = {
        **field.facts,
        "name": field.name.removesuffix("c") + "pc",
        "unique": False,
        "externalId": False,
        "idLookup": False,
    }
    if facts["relationshipName"]:
        facts["relationshipName"] = facts["relationshipName"].removesuffix("r") + "pr"
    return Field(facts, field.values, valid_for=field.valid_for)


def prefix(number: int) -> str:
    """Return the first letters of the ids of the so-manieth custom object."""
    return "a" + _LETTERS[number // len(_LETTERS)] + _LETTERS[number % len(_LETTERS)]


def relationship(name: str) -> str:
    """Return what a custom lookup calls the row it refers to."""
    return f"{name[:-1]}r" if name.endswith("__c") else name.removesuffix("Id")


def _words(name: str) -> str:
    return name.removesuffix("__c").replace("_", " ")


def _system() -> list[Mapping[str, Any]]:
    common: Mapping[str, Mapping[str, Any]] = stock.data()["common"]
    names = (
        "IsDeleted",
        "OwnerId",
        "CreatedDate",
        "CreatedById",
        "LastModifiedDate",
        "LastModifiedById",
        "SystemModstamp",
    )
    id = {
        "name": "Id",
        "type": "id",
        "label": "Record ID",
        "createable": False,
        "defaultedOnCreate": True,
        "idLookup": True,
        "nillable": False,
        "updateable": False,
    }
    return [id, *(common[name] for name in names)]
