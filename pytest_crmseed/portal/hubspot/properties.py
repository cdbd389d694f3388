"""Property definitions: list, read, create, change, archive (HubSpot docs, "Properties guide")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_crmseed.portal.hubspot import bodies, errors
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.definitions import Definition, custom_data, option_data
from pytest_crmseed.portal.hubspot.errors import ApiError, invalid
from pytest_crmseed.portal.hubspot.instants import iso
from pytest_crmseed.portal.message import PortalResponse

FIELD_TYPES: Mapping[str, Sequence[str]] = {
    "string": ("text", "textarea", "html", "file", "phonenumber", "calculation_equation"),
    "number": ("number", "calculation_equation"),
    "bool": ("booleancheckbox", "calculation_equation"),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox", "calculation_equation"),
    "date": ("date",),
    "datetime": ("date",),
    "phone_number": ("phonenumber",),
}
"""The field types that each type allows when a property is created."""

UNIQUE_LIMIT = 10
"""Unique properties that clients may define on an object type."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)
_CHANGEABLE = (
    "label",
    "type",
    "fieldType",
    "groupName",
    "description",
    "options",
    "displayOrder",
    "hidden",
    "formField",
)
_TEXTS = ("name", "label", "type", "fieldType", "groupName", "description", "referencedObjectType")
_FLAGS = ("hidden", "formField", "hasUniqueValue", "externalOptions")


def list_definitions(call: Call) -> PortalResponse:
    """List the definitions of an object type; all of them, without pages."""
    archived = call.flag("archived")
    found = call.account.definitions.all(call.object_type.name).values()
    results = [definition.data for definition in found if definition.archived == archived]
    return PortalResponse.of(200, {"results": results})


def read(call: Call) -> PortalResponse:
    """Read a definition; 404 when there is none."""
    return PortalResponse.of(200, _existing(call, call.params["name"], archived=call.flag("archived")).data)


def batch_read(call: Call) -> PortalResponse:
    """Read definitions by name: 200, or 207 with those that do not exist."""
    body = bodies.as_object(call.json, "BatchReadInputPropertyName")
    started = call.account.now()
    archived = body.get("archived") is True
    results: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    for row in bodies.inputs(body):
        bodies.required(row, "name")
        try:
            results.append(dict(_existing(call, bodies.as_text(row["name"]), archived=archived).data))
        except ApiError as error:
            entries.append(error.entry())
    return call.batch_answer(results, entries, status=200, started=started)


def create(call: Call) -> PortalResponse:
    """Create a definition: 201 with a ``Location``; 409 when the name is taken.

    The name of an archived property brings that one back, as posted, with its first ``createdAt``
    and the values that records had.
    """
    body = bodies.as_object(call.json, "PropertyCreate")
    bodies.required(body, "name", "label", "type", "fieldType", "groupName")
    _check_shape(body)
    name = body["name"]
    if not _NAME.fullmatch(name):
        # [unsure] of the wording.
        raise invalid(f"{name} is not a valid property name: lower-case letters, digits and _ only")
    _check_kind(body["type"], body["fieldType"])
    _check_group(call, body["groupName"])
    options = _options(body["type"], body.get("options"), elsewhere=body.get("externalOptions") is True)
    definitions = call.account.definitions
    old = definitions.all(call.object_type.name).get(name)
    if old is not None and not old.archived:
        raise ApiError(
            409,
            f"A property named '{name}' already exists.",
            "OBJECT_ALREADY_EXISTS",
            "Properties.PROPERTY_WITH_NAME_EXISTS",
        )
    unique = bool(body.get("hasUniqueValue"))
    if unique:
        _check_unique_limit(call)
    now = iso(call.account.now())
    data = custom_data(
        name=name,
        label=body["label"],
        type=body["type"],
        field_type=body["fieldType"],
        group=body["groupName"],
        description=body.get("description") or "",
        unique=unique,
        at=now,
    )
    data["options"] = options
    for key in ("displayOrder", "hidden", "formField", "externalOptions", "referencedObjectType"):
        if body.get(key) is not None:
            data[key] = body[key]
    data["calculated"] = body["fieldType"] == "calculation_equation"
    if old is not None:
        data["createdAt"] = old.data["createdAt"]
    made = definitions.put(call.object_type.name, data)
    location = f"{call.request.origin}{call.request.path.rstrip('/')}/{name}"
    return PortalResponse.of(201, made.data, {"location": location})


def update(call: Call) -> PortalResponse:
    """Change a definition. ``options`` replaces the whole list; what may not change is passed over."""
    old = _existing(call, call.params["name"])
    body = bodies.as_object(call.json, "PropertyUpdate")
    _check_shape(body)
    changes = {key: body[key] for key in _CHANGEABLE if body.get(key) is not None}
    metadata = old.data["modificationMetadata"]
    if metadata["readOnlyDefinition"] and changes.keys() - {"options"}:
        # [unsure] of the wording: only that the definition is marked read-only is documented.
        raise invalid(f"{old.name} is a HubSpot-defined property; its definition is read only.")
    kind = changes.get("type", old.type)
    if "options" in changes:
        if metadata["readOnlyOptions"]:
            raise invalid(f"The options of {old.name} are read only.")
        changes["options"] = _options(kind, changes["options"], elsewhere=False)
    _check_kind(kind, changes.get("fieldType", old.data["fieldType"]))
    if "groupName" in changes:
        _check_group(call, changes["groupName"])
    data = {**old.data, **changes, "updatedAt": iso(call.account.now())}
    return PortalResponse.of(200, call.account.definitions.put(call.object_type.name, data).data)


def archive(call: Call) -> PortalResponse:
    """Archive a definition: 204. Records keep the values, for the case that it comes back."""
    old = _existing(call, call.params["name"])
    if old.data.get("hubspotDefined"):
        raise invalid(f"{old.name} is a HubSpot-defined property; it cannot be deleted.")
    now = iso(call.account.now())
    data = {**old.data, "archived": True, "archivedAt": now, "updatedAt": now}
    call.account.definitions.put(call.object_type.name, data)
    return PortalResponse(204)


def _existing(call: Call, name: str, *, archived: bool = False) -> Definition:
    definition = call.account.definitions.all(call.object_type.name).get(name)
    if definition is None or definition.archived != archived:
        # [unsure] of the wording; the category is known.
        raise ApiError(404, f"A property named '{name}' does not exist.", "OBJECT_NOT_FOUND")
    return definition


def _check_shape(body: Mapping[str, Any]) -> None:
    for key in _TEXTS:
        if body.get(key) is not None and not isinstance(body[key], str):
            raise bodies.cannot_deserialize(body[key], "java.lang.String")
    for key in _FLAGS:
        if body.get(key) is not None and not isinstance(body[key], bool):
            raise bodies.cannot_deserialize(body[key], "java.lang.Boolean")
    order = body.get("displayOrder")
    if order is not None and (isinstance(order, bool) or not isinstance(order, int)):
        raise bodies.cannot_deserialize(order, "java.lang.Integer")


def _check_kind(kind: str, field_type: str) -> None:
    # [unsure] of both wordings.
    if kind not in FIELD_TYPES:
        raise invalid(f"{kind} is not one of the property types: {', '.join(FIELD_TYPES)}")
    if field_type not in FIELD_TYPES[kind]:
        allowed = ", ".join(FIELD_TYPES[kind])
        raise invalid(f"{field_type} is not one of the field types of {kind} properties: {allowed}")


def _check_group(call: Call, group: str) -> None:
    groups = {d.data["groupName"] for d in call.account.definitions.all(call.object_type.name).values()}
    if group not in groups:
        # [unsure] of the wording; groups themselves are not emulated.
        raise invalid(f"The property group {group} does not exist. There are: {', '.join(sorted(groups))}")


def _check_unique_limit(call: Call) -> None:
    held = [
        definition
        for definition in call.account.definitions.all(call.object_type.name).values()
        if definition.unique and not definition.archived and not definition.data.get("hubspotDefined")
    ]
    if len(held) >= UNIQUE_LIMIT:
        # [unsure] of the wording.
        raise invalid(f"At most {UNIQUE_LIMIT} properties of an object type can have unique values.")


def _options(kind: str, data: Any, *, elsewhere: bool) -> list[dict[str, Any]]:
    """Return options in their JSON form; ``elsewhere`` says that the definition may list none.

    Raises:
        ApiError: their shape is wrong, or there are too few or others than the type takes.
    """
    given = [
        bodies.as_object(item, "OptionInput")
        for item in bodies.as_list([] if data is None else data, "java.util.ArrayList")
    ]
    options: list[dict[str, Any]] = []
    for order, option in enumerate(given):
        bodies.required(option, "label", "value")
        _check_shape(option)
        shown = option.get("displayOrder", order)
        made = option_data(
            bodies.as_text(option["value"]),
            option["label"],
            order if shown is None else shown,
            hidden=bool(option.get("hidden")),
        )
        options.append(made)
    values = [option["value"] for option in options]
    if len(set(values)) < len(values):
        raise invalid("Property option values must be unique.")  # [unsure] of the wording
    if kind == "bool" and sorted(values) != ["false", "true"]:
        raise ApiError(
            400,
            "Boolean properties must have exactly two options: true and false.",  # [unsure] of the wording
            "VALIDATION_ERROR",
            errors=[{"message": "The options must be true and false.", "code": "INVALID_BOOLEAN_OPTION"}],
        )
    if kind == "enumeration" and not values and not elsewhere:
        raise errors.fields_not_set(["options"])
    return options
