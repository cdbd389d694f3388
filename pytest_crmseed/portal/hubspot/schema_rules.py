"""What HubSpot accepts as a custom object's schema (HubSpot docs, "Custom objects")."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pytest_crmseed.portal.hubspot import bodies, errors, property_rules
from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.portal.hubspot.errors import ApiError, invalid
from pytest_crmseed.portal.hubspot.instants import iso
from pytest_crmseed.schema.model import ObjectType

NAME_LIMIT = 50

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_LISTS = ("requiredProperties", "searchableProperties", "secondaryDisplayProperties")

# What every custom object is associated with from the start; [unsure] of the list.
_ACTIVITIES = ("calls", "emails", "meetings", "notes", "tasks")


def define(account: Account, body: Mapping[str, Any]) -> str:
    """Define a custom object with its properties and associations, and return its fully qualified name.

    The exact name of one that exists gives that one as it is; that of an archived one brings it
    back [unsure].

    Raises:
        ApiError: HubSpot would refuse it (409 when the name differs from an existing one in case alone).
    """
    bodies.required(body, "labels", "name", "primaryDisplayProperty", "properties")
    name = bodies.as_text(body["name"])
    if not _NAME.fullmatch(name) or len(name) > NAME_LIMIT:
        # [unsure] of the wording.
        raise invalid(
            f"{name} is not a valid name: it must match ^[A-Za-z][A-Za-z0-9_]*$, {NAME_LIMIT} at most"
        )
    old = account.schemas.find(name)
    if old is not None and old["name"] == name:
        if old["archived"]:
            _restore(account, old)
        return str(old["fullyQualifiedName"])
    if old is not None:
        # [unsure] of the text.
        raise ApiError(409, f"An object type named '{old['name']}' already exists.", "OBJECT_ALREADY_EXISTS")
    now = iso(account.now())
    type_id = account.schemas.new_type_id()
    data = {
        "id": type_id.removeprefix("2-"),
        "objectTypeId": type_id,
        "fullyQualifiedName": f"p{account.behaviour.portal_id}_{name}",
        "name": name,
        **_given(body, {"labels": {}, "description": None, **{key: [] for key in _LISTS}}),
        "archived": False,
        "createdAt": now,
        "updatedAt": now,
    }
    properties = [_property(row, name) for row in bodies.as_list(body["properties"], "java.util.ArrayList")]
    to = _associated(account, body)
    account.schemas.put(data)
    full_name = str(data["fullyQualifiedName"])
    account.add_type(full_name)
    object_type = account.object_types.by_name[full_name]
    for row in properties:
        property_rules.define(account, object_type, row)
    _check_names(account, object_type, data)
    for other in to:
        associate(account, full_name, other.name, f"{name}_to_{other.singular}")
    return full_name


def change(account: Account, data: Mapping[str, Any], body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Change a schema's labels, description and lists of properties, and return it.

    Raises:
        ApiError: HubSpot would refuse the change.
    """
    changed = {**data, **_given(body, data), "updatedAt": iso(account.now())}
    if body.get("clearDescription") is True:
        changed["description"] = None
    object_type = account.object_types.by_name[str(data["fullyQualifiedName"])]
    _check_names(account, object_type, changed)
    account.schemas.put(changed)
    return changed


def archive(account: Account, data: Mapping[str, Any], *, purge: bool) -> None:
    """Archive the schema of a custom object without records, or forget it with ``purge``.

    Raises:
        ApiError: there are live records.
    """
    name = str(data["fullyQualifiedName"])
    if account.store.page("hubspot", name, start=0, limit=1):
        # [unsure] of the text.
        message = f"Object type {data['name']} still has records and cannot be deleted."
        raise ApiError(400, message, "VALIDATION_ERROR", "ObjectSchemaError.EXISTING_OBJECT_RECORDS")
    if purge:
        account.schemas.purge(name)
        account.association_types.forget_type(name)
    else:
        now = iso(account.now())
        account.schemas.put({**data, "archived": True, "archivedAt": now, "updatedAt": now})
    account.remove_type(name)


def associate(account: Account, start: str, to: str, name: str) -> int:
    """Let records of two object types be associated, and return the type id from ``start``.

    Raises:
        ApiError: an association type of this name exists between them.
    """
    types = account.object_types.by_name
    for association in types[start].associations:
        if association.to == to and account.association_types.of(start, association).get("name") == name:
            raise errors.association_exists(name)
    made = account.association_types.add(types[start], types[to], name=name, at=iso(account.now()))
    return made[0].type_id


def _restore(account: Account, data: Mapping[str, Any]) -> None:
    kept = {key: value for key, value in data.items() if key != "archivedAt"}
    account.schemas.put({**kept, "archived": False, "updatedAt": iso(account.now())})
    account.load()
    # What is in memory is as the store has it within this transaction, and would be wrong after its end.
    account.kept.changed = True


def _given(body: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    given = bodies.as_object(
        {} if body.get("labels") is None else body["labels"], "ObjectTypeDefinitionLabels"
    )
    labels = {**before["labels"]}
    for key in ("singular", "plural"):
        if given.get(key) is not None:
            labels[key] = bodies.as_text(given[key])
    if labels.keys() != {"singular", "plural"}:
        raise errors.fields_not_set([f"labels.{key}" for key in ("singular", "plural") if key not in labels])
    found: dict[str, Any] = {"labels": labels}
    for key in ("description", "primaryDisplayProperty"):
        value = body.get(key)
        found[key] = before.get(key) if value is None else bodies.as_text(value)
    for key in _LISTS:
        found[key] = bodies.names(body, key) if body.get(key) is not None else before[key]
    return found


def _property(row: Any, name: str) -> Mapping[str, Any]:
    body = bodies.as_object(row, "ObjectTypePropertyCreate")
    return body if body.get("groupName") is not None else {**body, "groupName": f"{name}_information"}


def _associated(account: Account, body: Mapping[str, Any]) -> Collection[ObjectType]:
    found = {
        name: account.object_types.by_name[name]
        for name in _ACTIVITIES
        if name in account.object_types.by_name
    }
    for name in bodies.names(body, "associatedObjects"):
        object_type = account.object_types.resolve(name)
        found[object_type.name] = object_type
    return found.values()


def _check_names(account: Account, object_type: ObjectType, data: Mapping[str, Any]) -> None:
    named: Sequence[str] = [
        *([data["primaryDisplayProperty"]] if data["primaryDisplayProperty"] else []),
        *(name for key in _LISTS for name in data[key]),
    ]
    for name in named:
        if account.definitions.live(object_type.name, name) is None:
            # [unsure] of the wording.
            raise invalid(f"The property {name} is not defined on {data['name']}.", {"properties": [name]})
