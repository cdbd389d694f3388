"""Collections: up to 200 rows in one call, each with a result of its own.

Salesforce docs, "REST API Developer Guide", "sObject Collections".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.salesforce import reading, record_routes, values
from pytest_crmseed.portal.salesforce.call import Call
from pytest_crmseed.portal.salesforce.definitions import SObject
from pytest_crmseed.portal.salesforce.deleting import delete
from pytest_crmseed.portal.salesforce.errors import (
    Problem,
    Refusal,
    is_deleted,
    no_such_key,
    no_such_row,
    refusal,
)
from pytest_crmseed.portal.salesforce.routing import Route

MOST_ROWS = 200
MOST_READ = 2_000
MOST_RUNS = 10

_ROLLED_BACK = Problem(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


class _Undo(Exception):
    """Some rows failed, and all or none was asked for."""


def _create(call: Call) -> PortalResponse:
    records = _records(call)
    objects = [_object_of(call, record) for record in records]
    _check_runs(objects)

    def make(number: int) -> dict[str, Any]:
        row = call.writer.create(_known(objects[number], records[number]), records[number])
        return _made(row.id)

    return call.answer(200, _each(call, len(records), make, all_or_none=_all_or_none(call)))


def _update(call: Call) -> PortalResponse:
    records = _records(call)
    objects = [_object_of(call, record) for record in records]
    _check_runs(objects)

    def change(number: int) -> dict[str, Any]:
        record = dict(records[number])
        id = next((record.pop(name) for name in list(record) if name.lower() == "id"), None)
        each = _known(objects[number], record)
        if not isinstance(id, str):
            raise refusal("MISSING_ARGUMENT", "Id not specified in an update call", [])
        row = call.writer.found(each, id)
        call.writer.update(row, record)
        return _made(row.id)

    return call.answer(200, _each(call, len(records), change, all_or_none=_all_or_none(call)))


def _upsert(call: Call) -> PortalResponse:
    records = _records(call)
    each = call.object
    field = each.field(call.params["field"])
    if field is None or not (field.key or field.type == "id"):
        raise no_such_key(call.params["field"])

    keys: set[str] = set()

    def put(number: int) -> dict[str, Any]:
        record = dict(records[number])
        key = next((record.pop(name) for name in list(record) if name.lower() == field.name.lower()), None)
        of = _known(_object_of(call, records[number]), record)
        if of is not each:
            raise refusal("INVALID_TYPE", f"an upsert takes one type: {each.name}, not {of.name}", [])
        if key is None and field.type == "id":
            row, created = call.writer.create(each, record), True
        elif key is None:
            raise refusal("MISSING_ARGUMENT", f"{field.name} not specified", [])
        else:
            same = values.comparable(field, str(key))
            if same in keys:
                raise refusal("DUPLICATE_EXTERNAL_ID", f"duplicate external id specified: {key}")
            keys.add(same)
            row, created = call.writer.upsert(each, field, key, record)
        return {**_made(row.id), "created": created}

    return call.answer(200, _each(call, len(records), put, all_or_none=_all_or_none(call)))


def _remove(call: Call) -> PortalResponse:
    ids = [id for id in (call.argument("ids") or "").split(",") if id]
    if not ids:
        raise refusal("MISSING_ARGUMENT", "ids not specified", None)
    _check_number(len(ids), MOST_ROWS)
    objects = [call.org.catalogue.of_id(id[:3]) for id in ids]
    _check_runs(objects)

    def remove(number: int) -> dict[str, Any]:
        row = call.org.rows.by_id(ids[number])
        if row is None:
            raise no_such_row()
        if row.deleted:
            raise is_deleted()
        delete(call.writer, row)
        return _made(row.id)

    wanted = (call.argument("allOrNone") or "").lower() == "true"
    return call.answer(200, _each(call, len(ids), remove, all_or_none=wanted))


def _read(call: Call) -> PortalResponse:
    ids = (call.argument("ids") or "").split(",")
    return _rows(call, [id for id in ids if id], call.argument("fields"))


def _read_by_post(call: Call) -> PortalResponse:
    body = call.json_object
    ids, fields = body.get("ids"), body.get("fields")
    if not isinstance(ids, list) or not isinstance(fields, list):
        raise refusal("JSON_PARSER_ERROR", "ids and fields are lists", None)
    return _rows(call, [str(id) for id in ids], ",".join(map(str, fields)))


def _rows(call: Call, ids: Sequence[str], names: str | None) -> PortalResponse:
    if not ids or not names:
        raise refusal("MISSING_ARGUMENT", "ids and fields have to be specified", None)
    _check_number(len(ids), MOST_READ)
    fields = record_routes.fields_of(call, names)
    found = {id[:15]: row for id, row in call.org.rows.by_ids(ids).items()}
    shown: list[dict[str, Any] | None] = []
    for id in ids:
        row = found.get(id[:15]) if len(id) in (15, 18) else None
        there = row is not None and not row.deleted and row.object is call.object
        shown.append(reading.shown(call.org, row, call.home, fields) if row is not None and there else None)
    return call.answer(200, shown)


# -- rows of a call ------------------------------------------------------------------------------------
def _each(
    call: Call, number: int, carry_out: Callable[[int], dict[str, Any]], *, all_or_none: bool
) -> list[dict[str, Any]]:
    """Carry out a step for each row; return the results in order."""
    results: list[dict[str, Any]] = []
    try:
        with call.org.store.savepoint():
            for row in range(number):
                try:
                    with call.org.store.savepoint():
                        results.append(carry_out(row))
                except Refusal as refused:
                    # Matches of a duplicate rule are told of a single row alone (docs).
                    results.append(refused.row())
            if all_or_none and not all(result["success"] for result in results):
                raise _Undo
    except _Undo:
        rolled_back = Refusal([_ROLLED_BACK]).row()
        results = [rolled_back if result["success"] else result for result in results]
    return results


def _made(id: str) -> dict[str, Any]:
    return {"id": id, "success": True, "errors": []}


def _records(call: Call) -> list[Mapping[str, Any]]:
    records = call.json_object.get("records")
    if not isinstance(records, list) or not records:
        raise refusal("MISSING_ARGUMENT", "records not specified", None)
    if not all(isinstance(record, dict) for record in records):
        raise refusal("JSON_PARSER_ERROR", "each of the records is an object", None)
    _check_number(len(records), MOST_ROWS)
    return records


def _all_or_none(call: Call) -> bool:
    wanted = call.json_object.get("allOrNone", False)
    return wanted is True or str(wanted).lower() == "true"


def _object_of(call: Call, record: Mapping[str, Any]) -> SObject | None:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, Mapping) else None
    return call.org.catalogue.find(name) if isinstance(name, str) else None


def _known(each: SObject | None, record: Mapping[str, Any]) -> SObject:
    if each is not None:
        return each
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, Mapping) else None
    if name is None:
        raise refusal("INVALID_TYPE", "attributes.type not specified", [])
    raise refusal("INVALID_TYPE", f"sObject type '{name}' is not supported.", [])


def _check_number(number: int, most: int) -> None:
    if number > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise refusal("EXCEEDED_ID_LIMIT", message, None)


def _check_runs(objects: Iterable[SObject | None]) -> None:
    names = [each.name if each is not None else "" for each in objects]
    runs = sum(1 for number, name in enumerate(names) if number == 0 or names[number - 1] != name)
    if runs > MOST_RUNS:
        message = (
            f"Cannot have more than {MOST_RUNS} chunks in a single operation. Please rearrange the data to "
            "reduce chunking."
        )
        raise refusal("LIMIT_EXCEEDED", message, None)


ROUTES: tuple[Route, ...] = (
    Route("POST", "/composite/sobjects", _create, write=True, since=42),
    Route("PATCH", "/composite/sobjects", _update, write=True, since=42),
    Route("DELETE", "/composite/sobjects", _remove, since=42),
    Route("PATCH", "/composite/sobjects/{object}/{field}", _upsert, write=True, since=46),
    Route("GET", "/composite/sobjects/{object}", _read, since=42),
    Route("POST", "/composite/sobjects/{object}", _read_by_post, since=42),
)
