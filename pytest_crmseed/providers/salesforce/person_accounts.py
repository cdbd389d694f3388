"""Person accounts: accounts that are people, in orgs that have turned them on.

Source: Salesforce docs, "SOAP API Developer Guide", Person Account Record Types; a describe recorded from
such an org. An account is a person or a company by its record type, and takes other fields by that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from pytest_crmseed.providers.salesforce.capabilities import KEY
from pytest_crmseed.schema.model import Field, ObjectType, Option

ACCOUNT = "Account"
PERSON = "Account:Person"
"""The object type of accounts that are people; the API knows them as accounts."""

PERSON_TYPES = "SELECT Id FROM RecordType WHERE SobjectType = 'Account' AND IsPersonType = true"

_MARK, _RECORD_TYPE = "IsPersonAccount", "RecordTypeId"
# The key of the contact that Salesforce makes with a person: it has none, since it goes with its account.
_KEY_OF_CONTACT = f"{KEY.removesuffix('c')}pc"
_NAMES = frozenset({"LastName", "FirstName", "MiddleName", "Salutation", "Suffix"})


def are_on(account: ObjectType) -> bool:
    """Return whether an org has person accounts, by what it tells of its accounts."""
    return _MARK in account.fields


def split(account: ObjectType, person_types: Collection[str] | None) -> list[ObjectType]:
    """Return the accounts that are companies, and those that are people, as object types.

    A describe has all fields of both, and requires none of them. ``person_types`` are the ids of record
    types that make an account a person; None where they cannot be read, and the one that Salesforce
    makes itself is known by its name.
    """
    company, person = {}, {}
    for name, field in account.fields.items():
        if name == "Name":
            company[name] = replace(field, required=True)
            # Salesforce puts it together from the parts of the name.
            person[name] = replace(field, read_only=True)
        elif name == "LastName":
            person[name] = replace(field, required=True)
        elif name == _RECORD_TYPE:
            of_people = [option for option in field.options if _makes_a_person(option, person_types)]
            others = [option for option in field.options if option not in of_people]
            company[name] = replace(field, options=tuple(others))
            person[name] = replace(field, options=tuple(of_people))
        elif name != _KEY_OF_CONTACT:
            person[name] = field
            if not _of_people(field):
                company[name] = field
    return [
        replace(account, fields=company),
        replace(
            account,
            name=PERSON,
            label="Person Account",
            plural="Person Accounts",
            singular="PersonAccount",
            type_id="",
            fields=person,
        ),
    ]


def record_type(object_type: ObjectType) -> Mapping[str, str]:
    """Return the record type that makes a new account what its object type says.

    The org's own choice for rows that name none may be of the other kind.
    """
    field = object_type.fields.get(_RECORD_TYPE)
    if not are_on(object_type) or field is None or not field.options:
        return {}
    return {_RECORD_TYPE: field.options[0].value}


def _makes_a_person(option: Option, person_types: Collection[str] | None) -> bool:
    if person_types is None:
        return option.label.replace(" ", "").lower() == "personaccount"
    return option.value in person_types


def _of_people(field: Field) -> bool:
    """Return whether a company cannot have a value: the person's own fields, and those of its contact."""
    if field.read_only:
        return False
    return field.name in _NAMES or field.name.endswith("__pc") or field.name.startswith("Person")
