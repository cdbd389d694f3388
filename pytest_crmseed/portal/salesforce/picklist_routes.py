"""The values of picklists by record type (Salesforce docs, UI API, "Picklist Values")."""

from __future__ import annotations

from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.salesforce import ids
from pytest_crmseed.portal.salesforce.call import Call
from pytest_crmseed.portal.salesforce.definitions import (
    MASTER_RECORD_TYPE,
    Field,
    RecordType,
    SObject,
    Value,
)
from pytest_crmseed.portal.salesforce.errors import not_found
from pytest_crmseed.portal.salesforce.routing import Route

_PICKLISTS = ("combobox", "multipicklist", "picklist")
_TAG = "8c7e5e2f0b1d4a6b9f3c"


def all_of(call: Call) -> PortalResponse:
    """Tell the values of all picklists of an object under a record type."""
    record_type = _record_type(call)
    fields = [field for field in call.object.fields if field.type in _PICKLISTS and field.values]
    told = {field.name: _told(call, field, record_type) for field in fields}
    return call.answer(200, {"eTag": _TAG, "picklistFieldValues": told})


def one(call: Call) -> PortalResponse:
    """Tell the values of one picklist under a record type."""
    field = call.object.field(call.params["field"])
    if field is None or field.type not in _PICKLISTS:
        raise not_found()
    return call.answer(200, _told(call, field, _record_type(call)))


def _record_type(call: Call) -> RecordType | None:
    given = call.params["record_type"]
    parsed = ids.parse(given)
    text = given if parsed is None else parsed.text
    found = call.object.record_type(text)
    if found is None and text != MASTER_RECORD_TYPE:
        raise not_found()
    return found


def _told(call: Call, field: Field, record_type: RecordType | None) -> dict[str, Any]:
    left = None if record_type is None or record_type.values is None else record_type.values.get(field.name)
    values = [value for value in field.values if value.active and (left is None or value.value in left)]
    default = next((value for value in values if value.default), None)
    id = MASTER_RECORD_TYPE if record_type is None else record_type.id
    path = f"{call.home}/ui-api/object-info/{call.object.name}/picklist-values/{id}/{field.name}"
    return {
        "controllerValues": _controllers(call.object, field),
        "defaultValue": None if default is None else _value(default),
        "eTag": _TAG,
        "url": path,
        "values": [_value(value) for value in values],
    }


def _value(value: Value) -> dict[str, Any]:
    return {
        "attributes": None,
        "label": value.label,
        "validFor": sorted(value.valid_for or ()),
        "value": value.value,
    }


def _controllers(each: SObject, field: Field) -> dict[str, int]:
    controlling = each.field(field.controller or "")
    return {} if controlling is None else {value: place for place, value in enumerate(controlling.options)}


_BASE = "/ui-api/object-info/{object}/picklist-values/{record_type}"
ROUTES = (Route("GET", _BASE, all_of), Route("GET", f"{_BASE}/{{field}}", one))
