"""Which values identify a record, and who holds them (HubSpot docs, "Properties guide").

A contact's e-mail addresses are unique together: its ``email`` and all of ``hs_additional_emails``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from pytest_crmseed.portal.hubspot import errors
from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.object_types import noun
from pytest_crmseed.schema.model import ObjectType

ADDITIONAL_EMAILS = "hs_additional_emails"


def identifier(account: Account, object_type: ObjectType, name: str) -> bool:
    """Return whether no two live records may have the same value of a property."""
    return name in account.definitions.unique(object_type.name)


def find(
    account: Account, object_type: ObjectType, id_property: str, value: str, *, reading: bool = False
) -> int | None:
    """Return the id of the record that has a value of an identifying property.

    For reading, a company's ``domain`` identifies as well, though it is not unique: the oldest
    company of that domain is taken [unsure] (HubSpot docs, "Properties guide").

    Raises:
        ApiError: the property identifies no record.
    """
    if id_property == "hs_object_id":
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None
    if identifier(account, object_type, id_property):
        text = value.lower() if id_property == "email" else value
        return account.store.holder(PROVIDER, object_type.name, id_property, text)
    if reading and (object_type.name, id_property) == ("companies", "domain"):
        return account.store.first_with(PROVIDER, object_type.name, id_property, value)
    raise errors.non_unique(object_type.type_id, id_property)


def check(
    account: Account,
    object_type: ObjectType,
    held: Mapping[str, str],
    changed: Collection[str],
    id: int,
    *,
    siblings: Collection[int] | None = None,
) -> None:
    """Check that nobody else holds the unique values among ``changed`` properties.

    ``siblings`` are records of the same request when one is created, None when one is updated.

    Raises:
        ApiError: another record does (409 for the address of a new contact, else 400).
    """
    for name, value in _values(account, object_type, held, changed):
        existing = account.store.holder(PROVIDER, object_type.name, name, value)
        if existing is None or existing == id:
            if name == "email" and account.store.blocked(PROVIDER, name, value):
                raise errors.blocked_email(value)
            continue
        # The 409 is known for creates that find the address taken by an older contact only; two
        # creates at once get the other refusal.
        creating = siblings is not None and existing not in siblings
        racing = account.behaviour.email_clash_as_race
        if creating and (object_type.name, name) == ("contacts", "email") and not racing:
            raise errors.contact_exists(existing)
        raise errors.unique_value_taken(
            portal_id=account.behaviour.portal_id,
            noun=noun(object_type),
            name=name,
            value=value,
            id=id,
            existing=existing,
        )


def hold(
    account: Account,
    object_type: ObjectType,
    held: Mapping[str, str],
    changed: Collection[str],
    id: int,
    *,
    new: bool = False,
) -> None:
    """Let a record hold its unique values among ``changed`` properties, in place of earlier ones."""
    values: dict[str, list[str]] = {}
    for name in account.definitions.unique(object_type.name):
        if name in changed or (name == "email" and ADDITIONAL_EMAILS in changed):
            values[name] = []
    for name, value in _values(account, object_type, held, changed):
        values[name].append(value)
    for name, some in values.items():
        account.store.hold(PROVIDER, object_type.name, name, dict.fromkeys(some), id, new=new)


def additional_emails(held: Mapping[str, str]) -> list[str]:
    """Return a contact's other addresses, as they are compared."""
    return [part.strip().lower() for part in held.get(ADDITIONAL_EMAILS, "").split(";") if part.strip()]


def _values(
    account: Account, object_type: ObjectType, held: Mapping[str, str], changed: Collection[str]
) -> Iterator[tuple[str, str]]:
    for name in account.definitions.unique(object_type.name):
        addresses = name == "email" and object_type.name == "contacts"
        if name not in changed and not (addresses and ADDITIONAL_EMAILS in changed):
            continue
        if held.get(name):
            yield name, held[name]
        if addresses and ADDITIONAL_EMAILS in held:
            for address in additional_emails(held):
                yield name, address
