"""Groups of properties: list, read, create, change, archive (HubSpot docs, "Properties guide")."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_crmseed.portal.hubspot import bodies
from pytest_crmseed.portal.hubspot.definitions import Definitions
from pytest_crmseed.portal.hubspot.errors import ApiError, invalid
from pytest_crmseed.portal.hubspot.kept import Kept, Kind
from pytest_crmseed.portal.hubspot.object_types import ObjectTypes
from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.schema.model import Group

if TYPE_CHECKING:
    from pytest_crmseed.portal.hubspot.call import Call

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)


class PropertyGroups:
    """The groups of all object types, by name, archived ones included."""

    def __init__(self, kept: Kept, object_types: ObjectTypes, definitions: Definitions) -> None:
        self._kept = kept
        self._object_types = object_types
        self._definitions = definitions
        self._by_type: dict[str, dict[str, Mapping[str, Any]]] = {}

    def load(self) -> None:
        """Take the groups of the object types anew, then those that were kept."""
        self._by_type = {}
        for name in self._object_types.by_name:
            self.add_type(name)
        for object_type, name, data in self._kept.all(Kind.GROUP):
            if object_type in self._by_type:
                self._by_type[object_type][name] = data

    def add_type(self, name: str) -> None:
        """Have the stock groups of an object type."""
        groups = {
            group.name: _data(group, place)
            for place, group in enumerate(self._object_types.by_name[name].groups)
        }
        for definition in self._definitions.all(name).values():
            group = str(definition.data["groupName"])
            if group not in groups:
                # A pulled schema may name its groups in the properties alone.
                groups[group] = _data(Group(group, group), len(groups))
        self._by_type[name] = groups

    def remove_type(self, name: str) -> None:
        """Have the groups of an object type no longer."""
        self._by_type.pop(name, None)

    def all(self, object_type: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the groups of an object type in their JSON form, by name."""
        return self._by_type[object_type]

    def live(self, object_type: str) -> list[str]:
        """Return the names of the groups that are not archived."""
        return [name for name, data in self._by_type[object_type].items() if not data["archived"]]

    def put(self, object_type: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep a group in place of the one of its name, and return it."""
        self._kept.put(Kind.GROUP, object_type, data["name"], data)
        self._by_type[object_type] = {**self._by_type[object_type], data["name"]: data}
        return data


def list_groups(call: Call) -> PortalResponse:
    """List the groups of an object type; all of them, without pages."""
    groups = call.account.groups.all(call.object_type.name).values()
    return PortalResponse.of(200, {"results": [group for group in groups if not group["archived"]]})


def read(call: Call) -> PortalResponse:
    """Read a group; 404 when there is none."""
    return PortalResponse.of(200, _existing(call))


def create(call: Call) -> PortalResponse:
    """Create a group: 201; 409 when the name is taken. The name of an archived one brings it back."""
    body = bodies.as_object(call.json, "PropertyGroupCreate")
    bodies.required(body, "name", "label")
    name = bodies.as_text(body["name"])
    if not _NAME.fullmatch(name):
        # [unsure] of the wording.
        raise invalid(f"{name} is not a valid group name: lower-case letters, digits and _ only")
    groups = call.account.groups
    old = groups.all(call.object_type.name).get(name)
    if old is not None and not old["archived"]:
        # [unsure] of the text: the body of a property whose name is taken is known.
        raise ApiError(409, f"A property group named '{name}' already exists.", "OBJECT_ALREADY_EXISTS")
    place = _order(body, len(groups.all(call.object_type.name)))
    data = {"name": name, "label": bodies.as_text(body["label"]), "displayOrder": place, "archived": False}
    return PortalResponse.of(201, groups.put(call.object_type.name, data))


def update(call: Call) -> PortalResponse:
    """Change a group's label or place."""
    old = _existing(call)
    body = bodies.as_object(call.json, "PropertyGroupUpdate")
    label = old["label"] if body.get("label") is None else bodies.as_text(body["label"])
    data = {**old, "label": label, "displayOrder": _order(body, old["displayOrder"])}
    return PortalResponse.of(200, call.account.groups.put(call.object_type.name, data))


def archive(call: Call) -> PortalResponse:
    """Archive a group without properties: 204."""
    old = _existing(call)
    members = [
        definition.name
        for definition in call.account.definitions.all(call.object_type.name).values()
        if not definition.archived and definition.data["groupName"] == old["name"]
    ]
    if members:
        # The message is a JSON text, as it was seen on a live portal; [unsure] of the sentence in it.
        text = {
            "status": "error",
            "message": f"Property group {old['name']} still has active properties.",
            "subCategory": "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES",
            "context": {"properties": members},
        }
        raise invalid(json.dumps(text, ensure_ascii=False, separators=(",", ":")))
    call.account.groups.put(call.object_type.name, {**old, "archived": True})
    return PortalResponse(204)


def _existing(call: Call) -> Mapping[str, Any]:
    name = call.params["group"]
    group = call.account.groups.all(call.object_type.name).get(name)
    if group is None or group["archived"]:
        # [unsure] of the text.
        raise ApiError(404, f"A property group named '{name}' does not exist.", "OBJECT_NOT_FOUND")
    return group


def _order(body: Mapping[str, Any], default: int) -> int:
    order = body.get("displayOrder")
    if order is None:
        return default
    if isinstance(order, bool) or not isinstance(order, int):
        raise bodies.cannot_deserialize(order, "java.lang.Integer")
    return order


def _data(group: Group, place: int) -> Mapping[str, Any]:
    return {
        "name": group.name,
        "label": group.label,
        "displayOrder": group.order or place,
        "archived": False,
    }
