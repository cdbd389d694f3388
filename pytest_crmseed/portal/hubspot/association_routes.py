"""The association calls, v4 and dated (HubSpot docs, "Associations guide")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_crmseed.portal.hubspot import automations, bodies, errors, links
from pytest_crmseed.portal.hubspot.account import record_id
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.errors import ApiError
from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.store import StoredLink
from pytest_crmseed.schema.model import Association

CREATE_LIMIT = 2_000
READ_LIMIT = 1_000
ARCHIVE_LIMIT = 100
PAGE = 500
"""Linked records on a page of one record's associations."""


def batch_create(call: Call) -> PortalResponse:
    """Link pairs by the types given: 201, or 207 when some are refused."""
    return _for_each_pair(call, call.json, status=201, default=False)


def batch_default(call: Call) -> PortalResponse:
    """Link pairs by the unlabelled type: 200, or 207 when some are refused."""
    return _for_each_pair(call, call.json, status=200, default=True)


def batch_read(call: Call) -> PortalResponse:
    """Read what records are linked to: 200, or 207 when some are linked to nothing."""
    batch = bodies.inputs(call.json, limit=READ_LIMIT)
    started = call.account.now()
    asked: dict[str, int] = {}
    for row in batch:
        bodies.required(row, "id")
        asked[bodies.as_text(row["id"])] = _after(row.get("after"))
    ids = [id for id in map(record_id, asked) if id is not None]
    found = call.account.store.links(PROVIDER, call.from_type.name, ids, call.to_type.name)
    results: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    for text, after in asked.items():
        id = record_id(text)
        some = [] if id is None else found.get(id, [])
        if not some:
            error = errors.no_associations(call.from_type.singular, text, call.to_type.singular)
            entries.append(error.entry())
            continue
        to, paging = _page(call, some, after, PAGE)
        results.append({"from": {"id": text}, "to": to, **paging})
    return call.batch_answer(results, entries, status=200, started=started)


def batch_archive(call: Call) -> PortalResponse:
    """Remove every association of the pairs given, whether or not there is one.

    v4 answers 204, the dated versions 200 with the body of a batch.
    """
    batch = bodies.inputs(call.json, limit=ARCHIVE_LIMIT)
    started = call.account.now()
    for row in batch:
        bodies.required(row, "from", "to")
        from_id = record_id(bodies.object_id(row["from"]))
        to_ids = [record_id(bodies.object_id(to)) for to in bodies.as_list(row["to"], "java.util.ArrayList")]
        if from_id is not None:
            known = [id for id in to_ids if id is not None]
            links.remove_all(call.account, call.from_type, from_id, call.to_type, known)
    return _archived(call, started)


def batch_labels_archive(call: Call) -> PortalResponse:
    """Remove the types given of the pairs given; what else links them stays. Answers as ``batch_archive``."""
    batch = bodies.inputs(call.json, limit=CREATE_LIMIT)
    started = call.account.now()
    for row in batch:
        bodies.required(row, "from", "to", "types")
        from_id, to_id = record_id(bodies.object_id(row["from"])), record_id(bodies.object_id(row["to"]))
        for association in links.parse_types(call.account, call.from_type, row["types"], call.to_type):
            if from_id is not None and to_id is not None:
                links.remove(call.account, call.from_type, from_id, association, to_id)
    return _archived(call, started)


def _archived(call: Call, started: float) -> PortalResponse:
    if call.version.startswith("v"):
        return PortalResponse(204)
    return call.batch_answer([], [], status=200, started=started)


def put(call: Call) -> PortalResponse:
    """Link two records by the types in the body, which is a bare array: 201."""
    types = links.parse_types(call.account, call.from_type, call.json, call.to_type)
    pair = links.existing_pair(
        call.account, call.from_type, call.params["id"], call.to_type, call.params["to_id"]
    )
    return PortalResponse.of(201, _link(call, pair, types))


def put_default(call: Call) -> PortalResponse:
    """Link two records by the unlabelled type: 200."""
    started = call.account.now()
    pair = links.existing_pair(
        call.account, call.from_type, call.params["id"], call.to_type, call.params["to_id"]
    )
    return call.batch_answer(_link_default(call, pair), [], status=200, started=started)


def read(call: Call) -> PortalResponse:
    """Read what one record is linked to, page by page; 404 when the record does not exist [unsure]."""
    id = record_id(call.params["id"])
    record = None if id is None else call.account.live(call.from_type, id)
    if record is None:
        raise errors.record_not_found()
    found = call.account.store.links(PROVIDER, call.from_type.name, [record.id], call.to_type.name)
    some = found.get(record.id, [])
    limit = call.limit(default=PAGE, most=PAGE)
    to, paging = _page(call, some, _after(call.argument("after")), limit)
    return PortalResponse.of(200, {"results": to, **paging})


def delete(call: Call) -> PortalResponse:
    """Remove every association between two records, whether or not there is one: 204."""
    from_id, to_id = record_id(call.params["id"]), record_id(call.params["to_id"])
    if from_id is not None and to_id is not None:
        links.remove_all(call.account, call.from_type, from_id, call.to_type, [to_id])
    return PortalResponse(204)


def _for_each_pair(call: Call, data: Any, *, status: int, default: bool) -> PortalResponse:
    batch = bodies.inputs(data, limit=CREATE_LIMIT)
    started = call.account.now()
    results: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    for row in batch:
        bodies.required(row, *(("from", "to") if default else ("from", "to", "types")))
        from_id, to_id = bodies.object_id(row["from"]), bodies.object_id(row["to"])
        types = [] if default else links.parse_types(call.account, call.from_type, row["types"], call.to_type)
        try:
            pair = links.existing_pair(call.account, call.from_type, from_id, call.to_type, to_id)
        except ApiError as error:
            # [unsure] whether one unknown record refuses the batch; the specification lists a 207.
            entries.append(error.entry())
            continue
        results.extend(_link_default(call, pair) if default else [_link(call, pair, types)])
    return call.batch_answer(results, entries, status=status, started=started)


def _link(call: Call, pair: tuple[int, int], types: Sequence[Association]) -> dict[str, Any]:
    from_id, to_id = pair
    for association in types:
        links.add(call.account, call.from_type, from_id, association, to_id)
    automations.after_link(call.account, call.from_type, from_id, call.to_type.name, to_id)
    return {
        "fromObjectTypeId": call.from_type.type_id,
        "fromObjectId": from_id,
        "toObjectTypeId": call.to_type.type_id,
        "toObjectId": to_id,
        "labels": [association.label for association in types if association.label],
    }


def _link_default(call: Call, pair: tuple[int, int]) -> list[dict[str, Any]]:
    association = call.account.object_types.unlabelled(call.from_type, call.to_type.name)
    if association is None:
        raise errors.not_emulated(
            f"The default association from {call.from_type.name} to {call.to_type.name}", ["batch/create"]
        )
    from_id, to_id = pair
    links.add(call.account, call.from_type, from_id, association, to_id)
    automations.after_link(call.account, call.from_type, from_id, call.to_type.name, to_id)
    answers = [_default_answer(from_id, to_id, association.category, association.type_id)]
    if call.account.behaviour.both_directions_in_default_associations and association.inverse is not None:
        answers.append(_default_answer(to_id, from_id, association.category, association.inverse))
    return answers


def _default_answer(from_id: int, to_id: int, category: str, type_id: int) -> dict[str, Any]:
    return {
        "from": {"id": str(from_id)},
        "to": {"id": str(to_id)},
        "associationSpec": {"associationCategory": category, "associationTypeId": type_id},
    }


def _page(
    call: Call, some: Sequence[StoredLink], after: int, limit: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    by_target: dict[int, list[dict[str, Any]]] = {}
    for link in some:
        association = call.account.object_types.association(call.from_type, link.type_id, link.category)
        by_target.setdefault(link.to_id, []).append(
            {
                "category": link.category,
                "typeId": link.type_id,
                "label": association.label if association else None,
            }
        )
    targets = [id for id in sorted(by_target) if id >= after]
    # from.id is text, toObjectId a number: so live portals answer it.
    to = [
        {"toObjectId": id, "associationTypes": sorted(by_target[id], key=_unlabelled_first)}
        for id in targets[:limit]
    ]
    paging = {"paging": {"next": {"after": str(targets[limit])}}} if len(targets) > limit else {}
    return to, paging


def _unlabelled_first(answered: dict[str, Any]) -> tuple[bool, int]:
    return answered["label"] is not None, answered["typeId"]


def _after(value: Any) -> int:
    if value is None or value == "":
        return 0
    after = record_id(bodies.as_text(value))
    if after is None:
        raise errors.invalid(f"after must be a value that paging.next.after had, not {value}")
    return after
