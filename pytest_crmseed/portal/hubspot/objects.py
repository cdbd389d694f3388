"""Single records and lists: create, read, update, archive (HubSpot docs, "Using object APIs")."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from pytest_crmseed.portal.hubspot import bodies, errors, history, records, render, uniqueness, writes
from pytest_crmseed.portal.hubspot.account import record_id
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.store import StoredRecord
from pytest_crmseed.schema.model import ObjectType


def create(call: Call) -> PortalResponse:
    """Create a record: 201 with what was set and what HubSpot computes."""
    body = bodies.as_object(call.json, "SimplePublicObjectInputForCreate")
    written = writes.create(call, bodies.properties(body), body.get("associations"))
    trace_id = body.get("objectWriteTraceId")
    trace = None if trace_id is None else bodies.as_text(trace_id)
    return PortalResponse.of(201, render.write_answer(call.account, call.object_type, written, trace))


def read(call: Call) -> PortalResponse:
    """Read a record by id or, with ``idProperty``, by a unique value; 404 when there is none."""
    record = _addressed(call, archived=call.flag("archived"))
    object_type = call.object_type
    past = call.several("propertiesWithHistory")
    answer = render.read_answer(call.account, object_type, record, call.several("properties"), past)
    linked = render.associations(call.account, object_type, [record.id], _asked_associations(call))
    if record.id in linked:
        answer["associations"] = linked[record.id]
    return PortalResponse.of(200, answer)


def update(call: Call) -> PortalResponse:
    """Change a live record; 404 when there is none."""
    body = bodies.as_object(call.json, "SimplePublicObjectInput")
    properties = bodies.properties(body)
    record = _addressed(call)
    written = writes.update(call, record, properties)
    return PortalResponse.of(200, render.write_answer(call.account, call.object_type, written))


def archive(call: Call) -> PortalResponse:
    """Archive a record: 204 whether or not there is one [unsure for unknown ids]."""
    id = record_id(call.params["id"])
    # [unsure] The id of a record that was merged away does not lead to the other one here.
    if id is not None and call.account.live(call.object_type, id) is not None:
        records.archive(call.account, call.object_type, [id])
    elif call.account.behaviour.archiving_unknown_ids_fails:
        raise errors.record_not_found()
    return PortalResponse(204)


def list_records(call: Call) -> PortalResponse:
    """List records by id; the cursor ``after`` is the id of the next record."""
    account, object_type = call.account, call.object_type
    past = call.several("propertiesWithHistory")
    limit = call.limit(most=history.LIMIT) if past else call.limit()
    after = call.argument("after")
    start = record_id(after) if after else 0
    if start is None:
        raise errors.invalid(f"after must be a value that paging.next.after had, not {after}")
    found = account.store.page(
        PROVIDER, object_type.name, start=start, limit=limit + 1, archived=call.flag("archived")
    )
    page, following = found[:limit], found[limit:]
    asked = call.several("properties")
    linked = render.associations(
        account, object_type, [record.id for record in page], _asked_associations(call)
    )
    results: list[dict[str, Any]] = []
    for record in page:
        answer = render.read_answer(account, object_type, record, asked, past)
        if record.id in linked:
            answer["associations"] = linked[record.id]
        results.append(answer)
    body: dict[str, Any] = {"results": results}
    if following:
        body["paging"] = {"next": _next(call, str(following[0].id))}
    return PortalResponse.of(200, body)


def _addressed(call: Call, *, archived: bool = False) -> StoredRecord:
    text = call.params["id"]
    id_property = call.argument("idProperty")
    if id_property:
        reading = call.request.method == "GET"
        id = uniqueness.find(call.account, call.object_type, id_property, text, reading=reading)
    else:
        id = record_id(text)
    record = None if id is None else call.account.records(call.object_type, [id]).get(id)
    # archived=true is documented as "only results that have been archived".
    if record is None or (record.archived is not None) != archived:
        raise errors.record_not_found()
    return record


def _asked_associations(call: Call) -> list[ObjectType]:
    asked = [call.account.object_types.find(name) for name in call.several("associations")]
    # Types that HubSpot has and the portal has not cannot be linked here: nothing to answer.
    return [object_type for object_type in asked if object_type is not None]


def _next(call: Call, after: str) -> dict[str, str]:
    arguments = {**call.request.arguments, "after": [after]}
    query = urlencode(arguments, doseq=True)
    return {"after": after, "link": f"{call.request.origin}{call.request.path}?{query}"}
