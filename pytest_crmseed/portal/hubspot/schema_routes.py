"""Custom objects' schemas: list, read, create, change, delete, associate (HubSpot docs, "Custom objects")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.portal.hubspot import bodies, links, schema_rules
from pytest_crmseed.portal.hubspot.account import Account, record_id
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.errors import ApiError, invalid
from pytest_crmseed.portal.hubspot.schemas import schema_of
from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.schema.model import Association, ObjectType

Json = Mapping[str, Any]


def list_schemas(call: Call) -> PortalResponse:
    """List the schemas of custom objects; all of them, without pages."""
    archived = call.flag("archived")
    found = [data for data in call.account.schemas.all().values() if data["archived"] == archived]
    return PortalResponse.of(200, {"results": [_whole(call.account, data) for data in found]})


def read(call: Call) -> PortalResponse:
    """Read a schema; of HubSpot's own object types as well."""
    data = call.account.schemas.find(call.params["type"])
    if data is None:
        data = schema_of(_standard(call))
    elif data["archived"] and not call.flag("archived"):
        raise _missing(call)
    return PortalResponse.of(200, _whole(call.account, data))


def create(call: Call) -> PortalResponse:
    """Define a custom object: 201; records of it can be made at once."""
    body = bodies.as_object(call.json, "ObjectSchemaEgg")
    name = schema_rules.define(call.account, body)
    return PortalResponse.of(201, _whole(call.account, call.account.schemas.all()[name]))


def update(call: Call) -> PortalResponse:
    """Change a schema: 200 with the definition alone, without properties and associations."""
    data = _custom(call)
    body = bodies.as_object(call.json, "ObjectTypeDefinitionPatch")
    return PortalResponse.of(200, _definition(call.account, schema_rules.change(call.account, data, body)))


def delete(call: Call) -> PortalResponse:
    """Archive a schema without records: 204. With ``archived`` in the query it is purged."""
    purge = call.flag("archived")
    schema_rules.archive(call.account, _custom(call, archived=purge), purge=purge)
    return PortalResponse(204)


def create_association(call: Call) -> PortalResponse:
    """Let a custom object be associated with another object type: 201."""
    account = call.account
    start = _object_type(call)
    body = bodies.as_object(call.json, "AssociationDefinitionEgg")
    bodies.required(body, "fromObjectTypeId", "toObjectTypeId")
    ends = [
        account.object_types.resolve(bodies.as_text(body[key]))
        for key in ("fromObjectTypeId", "toObjectTypeId")
    ]
    if start.name not in (ends[0].name, ends[1].name):
        # [unsure] of the wording.
        raise invalid(f"Neither end of the association is {start.singular}.")
    given = body.get("name")
    name = f"{ends[0].singular}_to_{ends[1].singular}" if given is None else bodies.as_text(given)
    type_id = schema_rules.associate(account, ends[0].name, ends[1].name, name)
    made = account.object_types.by_name[ends[0].name]
    association = next(each for each in made.associations if each.type_id == type_id)
    return PortalResponse.of(201, _association(account, made, association))


def delete_association(call: Call) -> PortalResponse:
    """Remove an association type of a custom object, with the links of it: 204."""
    object_type = _object_type(call)
    id = record_id(call.params["id"])
    for association in object_type.associations:
        if association.type_id == id and association.category == "USER_DEFINED":
            remove_association(call.account, object_type, association)
            break
    return PortalResponse(204)


def remove_association(account: Account, start: ObjectType, association: Association) -> None:
    """Remove an association type that clients defined, with the links of it."""
    ends = [(start.name, association.type_id)]
    if association.inverse is not None:
        ends.append((association.to, association.inverse))
    account.association_types.remove(start.name, association)
    for name, type_id in ends:
        account.store.unlink_type("hubspot", name, association.category, type_id)


def _standard(call: Call) -> ObjectType:
    try:
        return call.object_type
    except ApiError as error:
        raise (error if error.status == 501 else _missing(call)) from None


def _object_type(call: Call) -> ObjectType:
    return call.account.object_types.by_name[str(_custom(call)["fullyQualifiedName"])]


def _custom(call: Call, *, archived: bool = False) -> Json:
    data = call.account.schemas.find(call.params["type"])
    if data is None or (data["archived"] and not archived):
        if call.account.object_types.known(call.params["type"]):
            # [unsure] of the text.
            raise invalid(f"{call.params['type']} is no custom object; its schema cannot be changed.")
        raise _missing(call)
    return data


def _missing(call: Call) -> ApiError:
    # [unsure] of the text.
    return ApiError(404, f"Unable to find object type {call.params['type']}.", "OBJECT_NOT_FOUND")


def _definition(account: Account, data: Json) -> Json:
    return {"portalId": account.behaviour.portal_id, **{k: v for k, v in data.items() if v is not None}}


def _whole(account: Account, data: Json) -> Json:
    full_name, type_id = str(data["fullyQualifiedName"]), str(data["objectTypeId"])
    found = account.object_types.by_name.values()
    object_type = next((each for each in found if type_id in (each.type_id, each.name)), None)
    if object_type is None and full_name in account.object_types.by_name:
        object_type = account.object_types.by_name[full_name]
    properties: list[Json] = []
    associations: list[Json] = []
    if object_type is not None:
        definitions = account.definitions.all(object_type.name).values()
        properties = [definition.data for definition in definitions if not definition.archived]
        associations = [
            _association(account, start, association)
            for start in found
            for association in start.associations
            if object_type.name in (start.name, association.to)
        ]
    associations.sort(key=lambda each: int(each["id"]))
    return {**_definition(account, data), "properties": properties, "associations": associations}


def _association(account: Account, start: ObjectType, association: Association) -> Json:
    to = account.object_types.by_name[association.to]
    kept = account.association_types.of(start.name, association)
    answer = {
        "id": str(association.type_id),
        "fromObjectTypeId": start.type_id,
        "toObjectTypeId": to.type_id,
        "name": kept.get("name") or links.name(account, start, to, association),
    }
    return answer | {key: kept[key] for key in ("createdAt", "updatedAt") if key in kept}
