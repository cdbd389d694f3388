"""Associations between records (HubSpot docs, "Associations guide").

Every association is kept in both directions, each with its own type id. A primary association
also makes the unlabelled one, and a record has one primary company.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_crmseed.portal.hubspot import bodies, errors
from pytest_crmseed.portal.hubspot.account import Account, record_id
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.object_types import PRIMARY_TARGET, noun
from pytest_crmseed.portal.store import StoredLink
from pytest_crmseed.schema.model import Association, ObjectType


def parse_inline(account: Account, from_type: ObjectType, data: Any) -> list[tuple[Association, int]]:
    """Return the associations in a create's body, as type and target.

    Raises:
        ApiError: the shape is wrong, a type does not start at ``from_type``, or a record does not
            exist. That one bad association rejects the record is [unsure].
    """
    wanted: list[tuple[Association, int]] = []
    for item in bodies.as_list([] if data is None else data, "java.util.ArrayList"):
        given = bodies.as_object(item, "PublicAssociationsForObject")
        bodies.required(given, "to", "types")
        to = bodies.as_object(given["to"], "PublicObjectId")
        bodies.required(to, "id")
        for association in parse_types(account, from_type, given["types"]):
            wanted.append((association, _existing(account, association.to, bodies.as_text(to["id"]))))
    return wanted


def parse_types(
    account: Account, from_type: ObjectType, data: Any, to_type: ObjectType | None = None
) -> list[Association]:
    """Return the association types of a list of specifications, in requests' spelling of the keys.

    Raises:
        ApiError: the shape is wrong, or a type does not run from ``from_type`` (to ``to_type``).
    """
    found: list[Association] = []
    for item in bodies.as_list(data, "java.util.HashSet<AssociationSpec>"):
        spec = bodies.as_object(item, "AssociationSpec")
        bodies.required(spec, "associationCategory", "associationTypeId")
        category = bodies.as_text(spec["associationCategory"])
        id = record_id(bodies.as_text(spec["associationTypeId"])) or 0
        association = account.object_types.association(from_type, id, category)
        if association is None or (to_type is not None and association.to != to_type.name):
            target = "any object" if to_type is None else noun(to_type)
            raise errors.invalid_association_type(id, category, noun(from_type), target)
        found.append(association)
    if not found:
        raise errors.fields_not_set(["types"])
    return found


def existing_pair(
    account: Account, from_type: ObjectType, from_id: str, to_type: ObjectType, to_id: str
) -> tuple[int, int]:
    """Return the ids of two live records.

    Raises:
        ApiError: one of them does not exist; the text names it.
    """
    return _existing(account, from_type.name, from_id), _existing(account, to_type.name, to_id)


def add(account: Account, from_type: ObjectType, from_id: int, association: Association, to_id: int) -> None:
    """Link two live records; a link that exists already stays as it is."""
    made = _both_ways(from_type, from_id, association, to_id)
    if association.primary:
        _demote(account, made)
        unlabelled = account.object_types.unlabelled(from_type, association.to)
        if unlabelled is not None:
            made += _both_ways(from_type, from_id, unlabelled, to_id)
    account.store.link(PROVIDER, made)


def remove_all(
    account: Account, from_type: ObjectType, from_id: int, to_type: ObjectType, to_ids: Sequence[int]
) -> None:
    """Remove every association between a record and others, in both directions."""
    gone = set(to_ids)
    forth = account.store.links(PROVIDER, from_type.name, [from_id], to_type.name).get(from_id, [])
    back = [
        link
        for others in account.store.links(PROVIDER, to_type.name, to_ids, from_type.name).values()
        for link in others
        if link.to_id == from_id
    ]
    account.store.unlink(PROVIDER, [link for link in forth if link.to_id in gone] + back)


def primary_target(account: Account, object_type: ObjectType, id: int) -> int | None:
    """Return the id of a record's primary company, or None."""
    association = object_type.association(PRIMARY_TARGET, primary=True)
    if association is None:
        return None
    found = account.store.links(PROVIDER, object_type.name, [id], PRIMARY_TARGET).get(id, [])
    return next((link.to_id for link in found if link.type_id == association.type_id), None)


def count(account: Account, object_type: ObjectType, id: int, to: str) -> int:
    """Return how many records of a type a record is linked to."""
    found = account.store.links(PROVIDER, object_type.name, [id], to).get(id, [])
    return len({link.to_id for link in found})


def names(account: Account, from_type: ObjectType, link: StoredLink) -> str:
    """Return a link's name in the answers of the objects API: ``contact_to_company``.

    Where there is a primary type, that one has the plain name and the other ends in
    ``_unlabeled`` [unsure].
    """
    to_type = account.object_types.by_name[link.to_type]
    plain = f"{from_type.singular}_to_{to_type.singular}"
    match (from_type.name, link.type_id):
        case ("companies", 13):
            return "parent_to_child_company"
        case ("companies", 14):
            return "child_to_parent_company"
    has_primary = from_type.association(link.to_type, primary=True)
    unlabelled = account.object_types.unlabelled(from_type, link.to_type)
    if has_primary and unlabelled and link.type_id == unlabelled.type_id:
        return f"{plain}_unlabeled"
    return plain


def _existing(account: Account, object_type_name: str, text: str) -> int:
    object_type = account.object_types.by_name[object_type_name]
    id = record_id(text)
    if id is None or account.live(object_type, id) is None:
        raise errors.invalid_object_ids([(noun(object_type), text)])
    return id


def _both_ways(from_type: ObjectType, from_id: int, association: Association, to_id: int) -> list[StoredLink]:
    forth = StoredLink(
        from_type.name, from_id, association.to, to_id, association.category, association.type_id
    )
    if association.inverse is None:
        return [forth]
    back = StoredLink(
        association.to, to_id, from_type.name, from_id, association.category, association.inverse
    )
    return [forth, back]


def _demote(account: Account, made: Sequence[StoredLink]) -> None:
    """Remove the primary association of a record before the new one is made; the unlabelled one stays."""
    for link in made:
        if link.to_type != PRIMARY_TARGET:
            continue
        for old in account.store.links(PROVIDER, link.from_type, [link.from_id], PRIMARY_TARGET).get(
            link.from_id, []
        ):
            if old.type_id == link.type_id:
                from_type = account.object_types.by_name[old.from_type]
                association = account.object_types.association(from_type, old.type_id, old.category)
                if association is not None:
                    account.store.unlink(PROVIDER, _both_ways(from_type, old.from_id, association, old.to_id))
