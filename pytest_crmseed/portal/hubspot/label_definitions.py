"""Association labels: list, create, change, delete (HubSpot docs, "Associations guide")."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_crmseed.portal.hubspot import bodies, errors
from pytest_crmseed.portal.hubspot.account import record_id
from pytest_crmseed.portal.hubspot.association_types import USER_DEFINED
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.errors import invalid
from pytest_crmseed.portal.hubspot.instants import iso
from pytest_crmseed.portal.hubspot.schema_routes import remove_association
from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.schema.model import Association

LIMIT = 50
"""Labels between two object types; the next one is refused with status 437."""


def labels(call: Call) -> PortalResponse:
    """List the association types from one object type to another."""
    found = [each for each in call.from_type.associations if each.to == call.to_type.name]
    return _answer(found)


def create(call: Call) -> PortalResponse:
    """Define a label: 200 with the types of both directions."""
    body = bodies.as_object(call.json, "PublicAssociationDefinitionCreateRequest")
    bodies.required(body, "label", "name")
    name, label = bodies.as_text(body["name"]), bodies.as_text(body["label"])
    given = body.get("inverseLabel")
    inverse = None if given is None else bodies.as_text(given)
    account, start, to = call.account, call.from_type, call.to_type
    there = [each for each in start.associations if each.to == to.name]
    if any(account.association_types.of(start.name, each).get("name") == name for each in there):
        raise errors.association_exists(name)
    if len(account.association_types.labelled(start, to.name)) >= LIMIT:
        raise errors.too_many_labels(LIMIT)
    at = iso(account.now())
    return _answer(
        account.association_types.add(start, to, name=name, label=label, inverse_label=inverse, at=at)
    )


def update(call: Call) -> PortalResponse:
    """Change the text of a label: 204."""
    body = bodies.as_object(call.json, "PublicAssociationDefinitionUpdateRequest")
    bodies.required(body, "associationTypeId", "label")
    label = bodies.as_text(body["label"])
    given = body.get("inverseLabel")
    inverse = None if given is None else bodies.as_text(given)
    account, start = call.account, call.from_type
    found = _defined(call, bodies.as_text(body["associationTypeId"]))
    if found is None:
        # [unsure] of status and wording.
        raise invalid(f"There is no label with type id {body['associationTypeId']} to change.")
    at = iso(account.now())
    account.association_types.relabel(start.name, found, label, at=at)
    to = account.object_types.by_name[found.to]
    if inverse is not None and found.inverse != found.type_id:
        for back in to.associations:
            if (back.to, back.type_id, back.category) == (start.name, found.inverse, USER_DEFINED):
                account.association_types.relabel(to.name, back, inverse, at=at)
    return PortalResponse(204)


def delete(call: Call) -> PortalResponse:
    """Remove a label in both directions, with the links of it: 204, also when there is none [unsure]."""
    found = _defined(call, call.params["label"])
    if found is not None:
        remove_association(call.account, call.from_type, found)
    return PortalResponse(204)


def _defined(call: Call, text: str) -> Association | None:
    id = record_id(text)
    found = call.account.association_types.labelled(call.from_type, call.to_type.name)
    return next((each for each in found if each.type_id == id), None)


def _answer(found: Sequence[Association]) -> PortalResponse:
    results = [{"category": each.category, "typeId": each.type_id, "label": each.label} for each in found]
    return PortalResponse.of(200, {"results": results})
