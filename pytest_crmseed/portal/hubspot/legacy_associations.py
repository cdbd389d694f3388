"""The association calls of v3, which name types by texts such as ``contact_to_company``."""

from __future__ import annotations

from typing import Any

from pytest_crmseed.portal.hubspot import automations, bodies, errors, links
from pytest_crmseed.portal.hubspot.account import record_id
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.errors import ApiError
from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.schema.model import Association

CREATE_LIMIT = 2_000
READ_LIMIT = 1_000
"""[unsure] Inputs of a batch: those of v4."""


def batch_create(call: Call) -> PortalResponse:
    """Link pairs by the types given: 201, or 207 when records do not exist."""
    batch = bodies.inputs(call.json, limit=CREATE_LIMIT)
    started = call.account.now()
    results: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    for row in batch:
        association, from_text, to_text = _row(call, row)
        try:
            from_id, to_id = links.existing_pair(
                call.account, call.from_type, from_text, call.to_type, to_text
            )
        except ApiError as error:
            entries.append(error.entry())
            continue
        links.add(call.account, call.from_type, from_id, association, to_id)
        automations.after_link(call.account, call.from_type, from_id, call.to_type.name, to_id)
        results.append(
            {"from": {"id": str(from_id)}, "to": {"id": str(to_id)}, "type": bodies.as_text(row["type"])}
        )
    return call.batch_answer(results, entries, status=201, started=started)


def batch_read(call: Call) -> PortalResponse:
    """Read what records are linked to: 200, or 207 when some are linked to nothing."""
    batch = bodies.inputs(call.json, limit=READ_LIMIT)
    started = call.account.now()
    asked: dict[str, int | None] = {}
    for row in batch:
        bodies.required(row, "id")
        text = bodies.as_text(row["id"])
        asked[text] = record_id(text)
    ids = [id for id in asked.values() if id is not None]
    found = call.account.store.links(PROVIDER, call.from_type.name, ids, call.to_type.name)
    results: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    for text, id in asked.items():
        some = [] if id is None else found.get(id, [])
        if not some:
            error = errors.no_associations(call.from_type.singular, text, call.to_type.singular)
            entries.append(error.entry())
            continue
        to = [
            {"id": str(link.to_id), "type": links.name_of(call.account, call.from_type, link)}
            for link in some
        ]
        results.append({"from": {"id": text}, "to": to})
    return call.batch_answer(results, entries, status=200, started=started)


def batch_archive(call: Call) -> PortalResponse:
    """Remove the associations of the pairs and types given, whether or not there is one: 204."""
    for row in bodies.inputs(call.json, limit=CREATE_LIMIT):
        association, from_text, to_text = _row(call, row)
        from_id, to_id = record_id(from_text), record_id(to_text)
        if from_id is not None and to_id is not None:
            links.remove(call.account, call.from_type, from_id, association, to_id)
    return PortalResponse(204)


def types(call: Call) -> PortalResponse:
    """List the association types from one object type to another, by id and name."""
    return PortalResponse.of(
        200,
        {
            "results": [
                {
                    "id": str(association.type_id),
                    "name": links.name(call.account, call.from_type, call.to_type, association),
                }
                for association in call.from_type.associations
                if association.to == call.to_type.name
            ]
        },
    )


def _row(call: Call, row: dict[str, Any]) -> tuple[Association, str, str]:
    bodies.required(row, "from", "to", "type")
    wanted = bodies.as_text(row["type"])
    for association in call.from_type.associations:
        if association.to == call.to_type.name and wanted.lower() in (
            str(association.type_id),
            links.name(call.account, call.from_type, call.to_type, association),
        ):
            return association, bodies.object_id(row["from"]), bodies.object_id(row["to"])
    # [unsure] of the text.
    raise errors.invalid(
        f"{wanted} is no association type from {call.from_type.singular} to {call.to_type.singular}",
        {"type": [wanted]},
    )
