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
    if association.primary or association.category == "USER_DEFINED":
        # [unsure] of labels that clients have made: a live primary link carries both entries.
        unlabelled = account.object_types.unlabelled(from_type, association.to)
        if unlabelled is not None:
            made += _both_ways(from_type, from_id, unlabelled, to_id)
    account.store.link(PROVIDER, made)


def remove_all(
    account: Account, from_type: ObjectType, from_id: int, to_type: ObjectType, to_ids: Sequence[int]
) -> None:
    """Remove every association between a record and others, in both directions."""
    gone = account.store.links_between(PROVIDER, from_type.name, from_id, to_type.name, to_ids)
    for to_id in to_ids:
        gone += account.store.links_between(PROVIDER, to_type.name, to_id, from_type.name, [from_id])
    account.store.unlink(PROVIDER, gone)


def remove(
    account: Account, from_type: ObjectType, from_id: int, association: Association, to_id: int
) -> None:
    """Remove one association between two records, in both directions; others of theirs stay."""
    account.store.unlink(PROVIDER, _both_ways(from_type, from_id, association, to_id))


def has_primary(account: Account, object_type: ObjectType, id: int, to: str) -> bool:
    """Return whether a record has the one main record of a type that it may have."""
    association = object_type.association(to, primary=True)
    if association is None or not _exclusive(object_type.name, to):
        return False
    found = account.store.links(PROVIDER, object_type.name, [id], to).get(id, [])
    return any(link.type_id == association.type_id for link in found)


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


def name(account: Account, from_type: ObjectType, to_type: ObjectType, association: Association) -> str:
    """Return an association type's name in the objects API and in v3: ``contact_to_company``.

    Where there is a primary type, that one has the plain name and the unlabelled one ends in
    ``_unlabeled``; what clients have labelled themselves is named by its label [unsure].
    """
    plain = f"{from_type.singular}_to_{to_type.singular}"
    match (from_type.name, association.type_id):
        case ("companies", 13):
            return "parent_to_child_company"
        case ("companies", 14):
            return "child_to_parent_company"
    if association.primary:
        return plain
    if association.label:
        return f"{plain}_{association.label.lower().replace(' ', '_')}"
    return f"{plain}_unlabeled" if from_type.association(to_type.name, primary=True) else plain


def name_of(account: Account, from_type: ObjectType, link: StoredLink) -> str:
    """Return the name of a link's association type."""
    to_type = account.object_types.by_name[link.to_type]
    association = account.object_types.association(from_type, link.type_id, link.category)
    if association is None:
        return f"{from_type.singular}_to_{to_type.singular}"
    return name(account, from_type, to_type, association)


def _existing(account: Account, object_type_name: str, text: str) -> int:
    object_type = account.object_types.by_name[object_type_name]
    id = record_id(text)
    record = None if id is None else account.live(object_type, id)
    if record is None:
        raise errors.invalid_object_ids([(noun(object_type), text)])
    return record.id


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


def _exclusive(from_type: str, to_type: str) -> bool:
    # One primary company for any record, and for a lead one primary record of any type [unsure].
    return to_type == PRIMARY_TARGET or from_type == "leads"


def _demote(account: Account, made: Sequence[StoredLink]) -> None:
    """Remove the primary association of a record before the new one is made; the unlabelled one stays."""
    for link in made:
        if not _exclusive(link.from_type, link.to_type):
            continue
        for old in account.store.links(PROVIDER, link.from_type, [link.from_id], link.to_type).get(
            link.from_id, []
        ):
            if old.type_id == link.type_id:
                from_type = account.object_types.by_name[old.from_type]
                association = account.object_types.association(from_type, old.type_id, old.category)
                if association is not None:
                    account.store.unlink(PROVIDER, _both_ways(from_type, old.from_id, association, old.to_id))
