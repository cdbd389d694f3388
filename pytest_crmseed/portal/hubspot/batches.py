"""Batches of records (HubSpot docs, "Using object APIs" and "Error handling").

A write batch is all or nothing, unless every input has an ``objectWriteTraceId`` of its own: then
what is valid is written, and the answer is a 207 that names the rest by trace id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_crmseed.portal.hubspot import bodies, errors, history, records, render, uniqueness, writes
from pytest_crmseed.portal.hubspot.account import record_id
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.object_types import noun
from pytest_crmseed.portal.hubspot.records import Written
from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.store import StoredRecord

Row = Mapping[str, Any]


def create(call: Call) -> PortalResponse:
    """Create records: 201, or 207 when some are refused."""
    batch = bodies.inputs(call.json)
    siblings: set[int] = set()

    def write(row: Row) -> Written:
        written = writes.create(call, bodies.properties(row), row.get("associations"), siblings=siblings)
        siblings.add(written.record.id)
        return written

    # The specification of 2025-09 lists 200 where all others list 201.
    return _write(call, batch, write, status=200 if call.version == "2025-09" else 201)


def update(call: Call) -> PortalResponse:
    """Change records: 200, or 207 when some do not exist or are refused."""
    batch = bodies.inputs(call.json)
    ids = [_input_id(row) for row in batch]
    _refuse_duplicates(ids)
    found: dict[str, StoredRecord] = {}
    vanished: set[str] = set()
    for row, text in zip(batch, ids, strict=True):
        id = _target(call, row, text)
        record = None if id is None else call.account.live(call.object_type, id)
        if record is not None:
            found[text] = record
            if record.id != id and call.account.behaviour.merged_ids_vanish_from_batch_updates:
                vanished.add(text)
    missing = [text for text in ids if text not in found]
    present = [row for row, text in zip(batch, ids, strict=True) if text in found.keys() - vanished]

    def write(row: Row) -> Written:
        # Read anew: two keys may name one record, and then the first input has changed it.
        id = found[_input_id(row)].id
        record = call.account.records(call.object_type, [id])[id]
        return writes.update(call, record, bodies.properties(row))

    gone = [row for row, text in zip(batch, ids, strict=True) if text not in found]
    entries = [_not_found(call, missing, gone)] if missing else []
    partial = bodies.trace_ids(batch) is not None
    return _write(call, present, write, status=200, entries=entries, partial=partial)


def upsert(call: Call) -> PortalResponse:
    """Change the records that hold unique values, create the others: 200, or 207."""
    batch = bodies.inputs(call.json)
    keys: list[str] = []
    for row in batch:
        key = _input_id(row)
        bodies.required(row, "idProperty")
        name = bodies.as_text(row["idProperty"])
        if not uniqueness.identifier(call.account, call.object_type, name):
            raise errors.non_unique(call.object_type.type_id, name)
        keys.append(key.lower() if name == "email" else key)
    _refuse_duplicates(keys)

    def write(row: Row) -> Written:
        name, key = bodies.as_text(row["idProperty"]), _input_id(row)
        properties = bodies.properties(row)
        id = uniqueness.find(call.account, call.object_type, name, key)
        record = None if id is None else call.account.live(call.object_type, id)
        if record is None:
            return writes.create(call, {name: key, **properties})
        # [unsure] what a sparse upsert by email does to the properties it does not name: nothing, here.
        return writes.update(call, record, properties or {name: key})

    return _write(call, batch, write, status=200, with_new=True)


def read(call: Call) -> PortalResponse:
    """Read records by id or by one identifying property: 200, or 207 with the missing ones."""
    body = bodies.as_object(call.json, "BatchReadInputSimplePublicObjectId")
    batch = bodies.inputs(body)
    past = bodies.names(body, "propertiesWithHistory")
    if past and len(batch) > history.LIMIT:
        raise errors.too_many_for_history(history.LIMIT)
    asked = bodies.names(body, "properties")
    account, object_type = call.account, call.object_type
    id_property = body.get("idProperty")
    archived = call.flag("archived")
    # [unsure] A record asked for twice is answered once.
    started = account.now()
    texts = list(dict.fromkeys(_input_id(row) for row in batch))
    if id_property:
        name = bodies.as_text(id_property)
        ids = [uniqueness.find(account, object_type, name, text, reading=True) for text in texts]
    else:
        ids = [record_id(text) for text in texts]
    found = account.records(object_type, [id for id in ids if id is not None])
    results: list[dict[str, Any]] = []
    missing: list[str] = []
    for text, id in zip(texts, ids, strict=True):
        record = None if id is None else found.get(id)
        if record is None or (record.archived is not None) != archived:
            missing.append(text)
        else:
            results.append(render.read_answer(account, object_type, record, asked, past))
    entries = [errors.objects_not_found(noun(object_type), missing).entry()] if missing else []
    return call.batch_answer(results, entries, status=200, started=started)


def archive(call: Call) -> PortalResponse:
    """Archive records: 204 whether or not they exist [unsure for unknown ids]."""
    batch = bodies.inputs(call.json)
    ids = [record_id(_input_id(row)) for row in batch]
    records.archive(call.account, call.object_type, [id for id in ids if id is not None])
    return PortalResponse(204)


def _write(
    call: Call,
    batch: Sequence[Row],
    write: Callable[[Row], Written],
    *,
    status: int,
    entries: Sequence[dict[str, Any]] = (),
    partial: bool | None = None,
    with_new: bool = False,
) -> PortalResponse:
    started = call.account.now()
    if partial is None:
        partial = bodies.trace_ids(batch) is not None
    results: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for row in batch:
        trace_id = row.get("objectWriteTraceId")
        trace = None if trace_id is None else bodies.as_text(trace_id)
        try:
            written = write(row)
        except errors.ApiError as error:
            if not partial or trace is None or error.status == 501:
                raise
            refused.append(error.entry([trace]))
            continue
        answer = render.write_answer(call.account, call.object_type, written, trace)
        if with_new:
            answer["new"] = written.new
        results.append(answer)
    return call.batch_answer(results, [*entries, *refused], status=status, started=started)


def _input_id(row: Row) -> str:
    bodies.required(row, "id")
    return bodies.as_text(row["id"])


def _target(call: Call, row: Row, text: str) -> int | None:
    id_property = row.get("idProperty")
    if id_property:
        return uniqueness.find(call.account, call.object_type, bodies.as_text(id_property), text)
    return record_id(text)


def _refuse_duplicates(ids: Sequence[str]) -> None:
    twice = [id for id, times in Counter(ids).items() if times > 1]
    if twice:
        raise errors.duplicate_ids(twice)


def _not_found(call: Call, ids: Sequence[str], rows: Sequence[Row]) -> dict[str, Any]:
    traces = [bodies.as_text(row["objectWriteTraceId"]) for row in rows if row.get("objectWriteTraceId")]
    return errors.objects_not_found(noun(call.object_type), ids).entry(traces)
