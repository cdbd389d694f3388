"""Single rows: create, read, update, upsert by a key, delete (Salesforce docs, "sObject Rows")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.salesforce import ids, reading
from pytest_crmseed.portal.salesforce.call import Call
from pytest_crmseed.portal.salesforce.definitions import Field
from pytest_crmseed.portal.salesforce.deleting import delete
from pytest_crmseed.portal.salesforce.errors import (
    no_such_column,
    no_such_key,
    not_found,
    refusal,
)
from pytest_crmseed.portal.salesforce.instants import http_date
from pytest_crmseed.portal.salesforce.routing import Route
from pytest_crmseed.portal.salesforce.rows import Row

_UPSERT_TELLS_SINCE = 46


def create(call: Call) -> PortalResponse:
    """Make a row."""
    row = call.writer.create(call.object, call.json_object)
    return call.answer(201, {"id": row.id, "success": True, "errors": []}, {"Location": _path(call, row)})


def read(call: Call) -> PortalResponse:
    """Answer a row with all its fields, or those that are asked for."""
    each = call.object
    row = call.org.rows.by_id(_id(call))
    if row is None or row.deleted or row.object.name != each.name:
        raise not_found()
    return _shown(call, row)


def update(call: Call) -> PortalResponse:
    """Change a row."""
    each = call.object
    row = call.writer.found(each, _id(call))
    body = call.json_object
    _refuse_key(body, "Id")
    call.writer.update(row, body)
    return call.empty()


def remove(call: Call) -> PortalResponse:
    """Delete a row."""
    each = call.object
    delete(call.writer, call.writer.found(each, _id(call)))
    return call.empty()


def read_by_key(call: Call) -> PortalResponse:
    """Answer the row that has a value of a field by which rows are found."""
    return _shown(call, _one(call))


def upsert_by_key(call: Call) -> PortalResponse:
    """Change the row that has a key, or make it."""
    field, body = _key(call), call.json_object
    _refuse_key(body, field.name)
    row, created = call.writer.upsert(call.object, field, call.params["value"], body)
    if created:
        told = {"id": row.id, "success": True, "errors": [], "created": True}
        return call.answer(201, told, {"Location": _path(call, row)})
    if call.version < _UPSERT_TELLS_SINCE:
        return call.empty()
    return call.answer(200, {"id": row.id, "success": True, "errors": [], "created": False})


def create_by_id_field(call: Call) -> PortalResponse:
    """Make a row, at the path of an upsert by an id that is still to be given."""
    if call.params["field"].lower() != "id":
        raise no_such_key(call.params["field"])
    row = call.writer.create(call.object, call.json_object)
    told = {"id": row.id, "success": True, "errors": [], "created": True}
    return call.answer(201, told, {"Location": _path(call, row)})


def remove_by_key(call: Call) -> PortalResponse:
    """Delete the row that has a key."""
    delete(call.writer, _one(call))
    return call.empty()


def fields_of(call: Call, names: str | None) -> list[Field] | None:
    """Return the fields that a comma-separated list names; None where there is no list.

    Raises:
        Refusal: one of them is unknown.
    """
    if names is None or not names.strip(","):
        return None
    found = []
    for name in names.split(","):
        field = call.object.field(name.strip())
        if field is None:
            raise no_such_column(name.strip(), call.object.name)
        found.append(field)
    return found


def _id(call: Call) -> str:
    """Return the id that the path names.

    Raises:
        Refusal: it is none; then it is taken for the name of a field (recorded).
    """
    given = call.params["id"]
    if not ids.looks_like_one(given) and call.org.rows.by_id(given) is None:
        raise no_such_key(given)
    return given


def _shown(call: Call, row: Row) -> PortalResponse:
    fields = fields_of(call, call.argument("fields"))
    body = reading.shown(call.org, row, call.home, fields)
    return call.answer(200, body, {"Last-Modified": http_date(row.record.updated)})


def _key(call: Call) -> Field:
    field = call.object.field(call.params["field"])
    if field is None or not field.key:
        raise no_such_key(call.params["field"])
    return field


def _one(call: Call) -> Row:
    found = call.writer.by_key(call.object, _key(call), call.params["value"])
    if not found:
        raise not_found()
    if len(found) > 1:
        raise call.writer.several(found)
    return found[0]


def _refuse_key(body: Mapping[str, Any], name: str) -> None:
    given = next((key for key in body if key.lower() == name.lower()), None)
    if given is not None:
        message = f"The {name} field should not be specified in the sobject data."
        raise refusal("INVALID_FIELD", message, None)


def _path(call: Call, row: Row) -> str:
    return f"{call.home}/sobjects/{row.object.name}/{row.id}"


ROUTES = (
    Route("POST", "/sobjects/{object}", create, write=True),
    Route("GET", "/sobjects/{object}/{id}", read),
    Route("PATCH", "/sobjects/{object}/{id}", update, write=True),
    Route("DELETE", "/sobjects/{object}/{id}", remove),
    Route("POST", "/sobjects/{object}/{field}", create_by_id_field, write=True),
    Route("GET", "/sobjects/{object}/{field}/{value}", read_by_key),
    Route("PATCH", "/sobjects/{object}/{field}/{value}", upsert_by_key, write=True),
    Route("DELETE", "/sobjects/{object}/{field}/{value}", remove_by_key),
)
