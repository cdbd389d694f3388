"""The Tooling API's ``CustomField``: making a field (Salesforce docs, "CustomField")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.salesforce import ids
from pytest_crmseed.portal.salesforce.behaviour import CustomField
from pytest_crmseed.portal.salesforce.call import Call
from pytest_crmseed.portal.salesforce.catalogue import ACTIVITIES, SYSTEM
from pytest_crmseed.portal.salesforce.definitions import PROVIDER
from pytest_crmseed.portal.salesforce.errors import not_emulated, refusal
from pytest_crmseed.portal.salesforce.routing import Route

# Types of the Metadata API, and those of a describe.
_TYPES: Mapping[str, str] = {
    "Checkbox": "boolean",
    "Currency": "currency",
    "Date": "date",
    "DateTime": "datetime",
    "Email": "email",
    "LongTextArea": "textarea",
    "Lookup": "reference",
    "MasterDetail": "reference",
    "MultiselectPicklist": "multipicklist",
    "Number": "double",
    "Percent": "percent",
    "Phone": "phone",
    "Picklist": "picklist",
    "Text": "string",
    "TextArea": "textarea",
    "Time": "time",
    "Url": "url",
}
_LENGTHS = {"Email": 80, "LongTextArea": 32_768, "Phone": 40, "TextArea": 255, "Url": 255}
_NAME = re.compile(r"(\w+)\.([A-Za-z]\w*__c)", re.ASCII)
_FIRST = 1_000_000


def make_field(call: Call) -> PortalResponse:
    """Make a custom field. Nobody sees it until field permissions show it, unless it is required."""
    body = call.json_object
    given, metadata = body.get("FullName"), body.get("Metadata")
    found = _NAME.fullmatch(given) if isinstance(given, str) else None
    if found is None or not isinstance(metadata, Mapping):
        raise refusal("INVALID_FIELD", "FullName is Object.Field__c, and Metadata describes the field", None)
    holder, name = found.groups()
    catalogue = call.org.catalogue
    held_by = catalogue.holders(holder)
    if not held_by:
        raise refusal("INVALID_CROSS_REFERENCE_KEY", f"Entity Enumeration Or ID: {holder} is not valid", None)
    holder = "Activity" if len(held_by) > 1 else held_by[0]
    if holder in SYSTEM or holder in ACTIVITIES:
        message = f"Custom fields of {holder} cannot be made there"
        raise refusal("INVALID_CROSS_REFERENCE_KEY", message, None)
    if catalogue.taken(holder, name):
        label = name.removesuffix("__c")
        message = f"There is already a field named {label} on {holder}."
        raise refusal("DUPLICATE_DEVELOPER_NAME", message, ["DeveloperName"])
    field = _described(name, metadata)
    catalogue.make_field(holder, field, call.org.now(), visible=field.required or field.cascade)
    number = call.org.store.new_id(PROVIDER, "CustomField", _FIRST)
    told = {"id": ids.made("00N", number), "success": True, "errors": [], "warnings": [], "infos": []}
    return call.answer(201, told)


def _described(name: str, metadata: Mapping[str, Any]) -> CustomField:
    kind, label = metadata.get("type"), metadata.get("label")
    if metadata.get("formula") is not None or kind in ("AutoNumber", "Summary", "Html", "Location"):
        raise not_emulated(f"making custom fields of the type {kind}, or with a formula", ())
    if not isinstance(kind, str) or kind not in _TYPES:
        raise refusal("INVALID_FIELD", f"{kind} is not a valid value for the enum FieldType", None)
    if not isinstance(label, str) or not label:
        raise refusal("REQUIRED_FIELD_MISSING", "Required fields are missing: [MasterLabel]", ["MasterLabel"])
    length = _whole(metadata, "length", _LENGTHS.get(kind, 0))
    if kind == "Text" and not 0 < length <= 255:
        raise refusal("INVALID_FIELD", "You must specify a length from 1 to 255 for a Text field", None)
    values = _values(metadata)
    target = metadata.get("referenceTo")
    return CustomField(
        name,
        label,
        _TYPES[kind],
        length,
        _whole(metadata, "precision", 18),
        _whole(metadata, "scale", 0),
        required=metadata.get("required") is True or kind == "MasterDetail",
        unique=metadata.get("unique") is True,
        external_id=metadata.get("externalId") is True,
        case_sensitive=metadata.get("caseSensitive") is True,
        values=tuple(value for value, _ in values),
        default=_default(kind, metadata, values),
        restricted=_set(metadata).get("restricted") is True,
        references=(target,) if isinstance(target, str) else (),
        child_relationship=_relationship(metadata),
        cascade=kind == "MasterDetail",
    )


def _default(kind: str, metadata: Mapping[str, Any], values: list[tuple[str, bool]]) -> str | bool | None:
    if kind == "Checkbox":
        return str(metadata.get("defaultValue")).lower() == "true"
    return next((value for value, default in values if default), None)


def _relationship(metadata: Mapping[str, Any]) -> str | None:
    # The Metadata API says it without the ending.
    name = metadata.get("relationshipName")
    return f"{name}__r" if isinstance(name, str) and name else None


def _set(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    found = metadata.get("valueSet")
    return found if isinstance(found, Mapping) else {}


def _values(metadata: Mapping[str, Any]) -> list[tuple[str, bool]]:
    definition = _set(metadata).get("valueSetDefinition")
    listed = definition.get("value") if isinstance(definition, Mapping) else None
    found = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    named = [(each.get("valueName") or each.get("fullName"), each.get("default") is True) for each in found]
    return [(str(name), default) for name, default in named if name]


def _whole(metadata: Mapping[str, Any], name: str, default: int) -> int:
    value = metadata.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default


ROUTES = (Route("POST", "/tooling/sobjects/CustomField", make_field),)
