"""Merging two records, and deleting a contact for good (HubSpot docs, "Using object APIs")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pytest_crmseed.portal.hubspot import bodies, errors, lifecycle, links, records, render, uniqueness
from pytest_crmseed.portal.hubspot.account import Account, record_id
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.records import Written
from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.store import StoredLink, StoredRecord
from pytest_crmseed.schema.model import ObjectType

LIMIT = 250
"""Records that one record can take in (HubSpot docs, "Error handling")."""

_MERGING = ("contacts", "companies", "deals", "tickets")

# [unsure] What HubSpot writes as the source of a value that came with a merge.
_ORIGIN = "MERGE_OBJECTS"


def merge(call: Call) -> PortalResponse:
    """Merge a record into another one of its type: 200 with what came of it.

    The primary record keeps its values and its id, and gets what only the other one had; both are
    [unsure] in detail. The other id leads to the primary record from then on.
    """
    account, object_type = call.account, call.object_type
    if object_type.name not in _MERGING and not object_type.custom:
        raise errors.not_emulated(f"Merging {object_type.name}", _MERGING)
    body = bodies.as_object(call.json, "PublicMergeInput")
    bodies.required(body, "primaryObjectId", "objectIdToMerge")
    primary, other = (_live(call, body[key]) for key in ("primaryObjectId", "objectIdToMerge"))
    if primary.id == other.id:
        raise errors.invalid(f"Record {primary.id} cannot be merged with itself.")
    taken_in = [
        id
        for each in (primary, other)
        for id in account.store.merged_into(PROVIDER, object_type.name, each.id)
    ]
    if len(taken_in) >= LIMIT:
        raise errors.ApiError(
            414, f"Record {primary.id} has taken in {LIMIT} records; no more can be merged."
        )
    merged = _merge(account, object_type, primary, other)
    written = Written(merged, merged.properties.keys(), new=True)
    return PortalResponse.of(200, render.write_answer(account, object_type, written))


def gdpr_delete(call: Call) -> PortalResponse:
    """Delete a contact for good: 204. An unknown address is blocked for all contacts to come.

    That an unknown id is no error is [unsure].
    """
    account, object_type = call.account, call.object_type
    if object_type.name != "contacts":
        raise errors.not_emulated(f"The GDPR delete of {object_type.name}", ["contacts"])
    body = bodies.as_object(call.json, "PublicGdprDeleteInput")
    bodies.required(body, "objectId")
    text = bodies.as_text(body["objectId"])
    id_property = body.get("idProperty")
    name = bodies.as_text(id_property) if id_property else "hs_object_id"
    id = uniqueness.find(account, object_type, name, text)
    record = None if id is None else account.records(object_type, [id]).get(id)
    if record is not None:
        account.trail(object_type, [record.id])
        account.store.purge(PROVIDER, object_type.name, record.id)
    elif name == "email":
        account.store.block(PROVIDER, name, text.lower())
    return PortalResponse(204)


def _live(call: Call, data: object) -> StoredRecord:
    id = record_id(bodies.as_text(data))
    record = None if id is None else call.account.live(call.object_type, id)
    if record is None:
        raise errors.record_not_found()
    return record


def _merge(
    account: Account, object_type: ObjectType, primary: StoredRecord, other: StoredRecord
) -> StoredRecord:
    name = object_type.name
    account.trail(object_type, [primary.id, other.id])
    moving = account.store.links(PROVIDER, name, [primary.id, other.id])
    target = primary
    if account.behaviour.merge_makes_new_id:
        target = replace(primary, id=account.new_id(object_type))
        account.trail(object_type, [target.id])
        account.store.save(PROVIDER, name, replace(target, properties={}))
    texts = _texts(account, object_type, primary, other)
    gone = [other] if target is primary else [primary, other]
    for record in gone:
        account.store.purge(PROVIDER, name, record.id)
        account.store.merge(PROVIDER, name, record.id, target.id)
    # What the primary record was linked by comes first, so that its primary company stays.
    for record in (primary, other):
        if record in gone:
            _move(account, object_type, moving.get(record.id, []), {each.id for each in gone}, target.id)
    return records.overwrite(account, object_type, target, texts, origin=_ORIGIN)


def _texts(
    account: Account, object_type: ObjectType, primary: StoredRecord, other: StoredRecord
) -> Mapping[str, str]:
    texts = {**other.properties, **primary.properties}
    if object_type.name == "contacts":
        addresses = [
            *uniqueness.additional_emails(primary.properties),
            *filter(None, [other.properties.get("email")]),
            *uniqueness.additional_emails(other.properties),
        ]
        others = [address for address in dict.fromkeys(addresses) if address != texts.get("email")]
        if others:
            texts[uniqueness.ADDITIONAL_EMAILS] = ";".join(others)
    # [unsure] The stage that is further on stays, whosever it is.
    stages = [record.properties.get(lifecycle.PROPERTY, "") for record in (primary, other)]
    if all(stages) and lifecycle.is_step_back(account, object_type, stages[1], stages[0]):
        texts[lifecycle.PROPERTY] = stages[1]
    return texts


def _move(
    account: Account, object_type: ObjectType, some: list[StoredLink], gone: set[int], target: int
) -> None:
    for link in some:
        to_id = target if link.to_type == object_type.name and link.to_id in gone else link.to_id
        association = account.object_types.association(object_type, link.type_id, link.category)
        if association is None or (link.to_type == object_type.name and to_id == target):
            continue
        if association.primary and links.has_primary(account, object_type, target, link.to_type):
            continue
        links.add(account, object_type, target, association, to_id)
