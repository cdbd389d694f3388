"""Property definitions: list, read, create, change, archive (HubSpot docs, "Properties guide")."""

from __future__ import annotations

from typing import Any

from pytest_crmseed.portal.hubspot import bodies, property_rules
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.definitions import Definition
from pytest_crmseed.portal.hubspot.errors import ApiError, invalid
from pytest_crmseed.portal.message import PortalResponse


def list_definitions(call: Call) -> PortalResponse:
    """List the definitions of an object type, without pages; sensitive ones only when they are asked for."""
    archived = call.flag("archived")
    sensitivity = _sensitivity(call.argument("dataSensitivity"))
    names = call.several("properties")
    found = call.account.definitions.all(call.object_type.name).values()
    results = [
        definition.data
        for definition in found
        if definition.archived == archived
        and definition.data["dataSensitivity"] == sensitivity
        and (not names or definition.name in names)
        and call.account.definitions.readable(call.object_type.name, definition.name, call.account.now())
    ]
    return PortalResponse.of(200, {"results": results})


def read(call: Call) -> PortalResponse:
    """Read a definition; 404 when there is none."""
    found = _existing(call, call.params["name"], archived=call.flag("archived"))
    sensitivity = call.argument("dataSensitivity")
    if sensitivity and found.data["dataSensitivity"] != _sensitivity(sensitivity):
        raise _missing(found.name)
    return PortalResponse.of(200, found.data)


def batch_read(call: Call) -> PortalResponse:
    """Read definitions by name: 200, or 207 with those that do not exist."""
    body = bodies.as_object(call.json, "BatchReadInputPropertyName")
    started = call.account.now()
    archived = body.get("archived") is True
    wanted = body.get("dataSensitivity")
    sensitivity = None if wanted is None else _sensitivity(bodies.as_text(wanted))
    results: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    for name in _names(call, body):
        try:
            found = _existing(call, name, archived=archived)
            if sensitivity and found.data["dataSensitivity"] != sensitivity:
                raise _missing(name)
            results.append(dict(found.data))
        except ApiError as error:
            entries.append(error.entry())
    return call.batch_answer(results, entries, status=200, started=started)


def create(call: Call) -> PortalResponse:
    """Create a definition: 201 with a ``Location``; 409 when the name is taken."""
    body = bodies.as_object(call.json, "PropertyCreate")
    made = property_rules.define(call.account, call.object_type, body)
    call.account.definitions.lag(call.object_type.name, made["name"], _readable_at(call))
    location = f"{call.request.origin}{call.request.path.rstrip('/')}/{made['name']}"
    return PortalResponse.of(201, made, {"location": location})


def batch_create(call: Call) -> PortalResponse:
    """Create definitions: 201, or 207 when some are refused; the others stand."""
    started = call.account.now()
    results: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    for row in bodies.inputs(call.json):
        try:
            made = property_rules.define(call.account, call.object_type, row)
        except ApiError as error:
            name = row.get("name")
            entries.append(error.entry() | ({"context": {"name": [name]}} if isinstance(name, str) else {}))
            continue
        call.account.definitions.lag(call.object_type.name, made["name"], _readable_at(call))
        results.append(dict(made))
    return call.batch_answer(results, entries, status=201, started=started)


def update(call: Call) -> PortalResponse:
    """Change a definition. ``options`` replaces the whole list; what may not change is passed over."""
    old = _existing(call, call.params["name"])
    body = bodies.as_object(call.json, "PropertyUpdate")
    return PortalResponse.of(200, property_rules.change(call.account, call.object_type, old, body))


def archive(call: Call) -> PortalResponse:
    """Archive a definition that nothing uses: 204."""
    property_rules.archive(call.account, call.object_type, _existing(call, call.params["name"]))
    return PortalResponse(204)


def batch_archive(call: Call) -> PortalResponse:
    """Archive definitions: 204 whatever their state; those that cannot be archived stay [unsure]."""
    for name in _names(call, bodies.as_object(call.json, "BatchInputPropertyName")):
        try:
            property_rules.archive(call.account, call.object_type, _existing(call, name))
        except ApiError:
            continue
    return PortalResponse(204)


def _names(call: Call, body: dict[str, Any]) -> list[str]:
    rows = bodies.inputs(body)
    for row in rows:
        bodies.required(row, "name")
    return [bodies.as_text(row["name"]) for row in rows]


def _existing(call: Call, name: str, *, archived: bool = False) -> Definition:
    definitions = call.account.definitions
    definition = definitions.all(call.object_type.name).get(name)
    readable = definitions.readable(call.object_type.name, name, call.account.now())
    if definition is None or definition.archived != archived or not readable:
        raise _missing(name)
    return definition


def _missing(name: str) -> ApiError:
    # [unsure] of the wording; the category is known.
    return ApiError(404, f"A property named '{name}' does not exist.", "OBJECT_NOT_FOUND")


def _readable_at(call: Call) -> float:
    return call.account.now() + call.account.behaviour.definition_lag


def _sensitivity(text: str | None) -> str:
    wanted = (text or "non_sensitive").lower()
    if wanted not in property_rules.SENSITIVITIES:
        # [unsure] of the wording.
        raise invalid(f"dataSensitivity must be one of {', '.join(property_rules.SENSITIVITIES)}")
    return wanted
