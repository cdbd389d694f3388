"""Fields in v1 (Pipedrive docs, "Deal fields" etc. of v1), which are known by numbers there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import errors, field_routes, fields, lists, moments
from pytest_crmseed.portal.pipedrive.call import Call, whole
from pytest_crmseed.portal.pipedrive.fields import Field, Option

Handler = Callable[[Call], PortalResponse]

_NOTE_FIELDS = (
    ("content", "Content", "text"),
    ("add_time", "Add time", "date"),
    ("update_time", "Update time", "date"),
    ("user_id", "User", "user"),
    ("deal_id", "Deal", "deal"),
    ("person_id", "Person", "people"),
    ("org_id", "Organization", "org"),
    ("lead_id", "Lead", "lead"),
    ("pinned_to_deal_flag", "Note is pinned to deal", "boolean"),
    ("pinned_to_person_flag", "Note is pinned to person", "boolean"),
    ("pinned_to_organization_flag", "Note is pinned to organization", "boolean"),
    ("pinned_to_lead_flag", "Note is pinned to lead", "boolean"),
)


def listed(entity: str) -> Handler:
    """Return the handler that lists an entity's fields."""

    def handler(call: Call) -> PortalResponse:
        found = sorted(call.company.fields.of(entity).values(), key=lambda field: field.id)
        return lists.offset_page(call, found, lambda field: _shown(call, entity, field))

    return handler


def note_fields(call: Call) -> PortalResponse:
    """List the fields of notes."""
    found = [Field(code, name, kind, id=number) for number, (code, name, kind) in enumerate(_NOTE_FIELDS, 1)]
    return lists.offset_page(call, found, lambda field: _shown(call, "note", field))


def get(entity: str) -> Handler:
    """Return the handler that answers a field."""
    return lambda call: call.answer(_shown(call, entity, _field(call, entity)))


def create(entity: str) -> Handler:
    """Return the handler that makes a custom field; of products the answer is 201, else 200."""

    def handler(call: Call) -> PortalResponse:
        name, kind = call.body.get("name"), call.body.get("field_type")
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= 255:
            raise errors.bad_request("Name must be given.")
        if kind not in fields.CREATABLE:
            raise errors.bad_request("Field type must be given, and be one of those that can be created.")
        labels = [option["label"] for option in _options(call)]
        field = field_routes.make(call, entity, name, kind, labels)
        return call.answer(_shown(call, entity, field), status=201 if entity == "product" else 200)

    return handler


def update(entity: str) -> Handler:
    """Return the handler that changes a custom field; options that are not sent again are deleted."""

    def handler(call: Call) -> PortalResponse:
        field = _own(call, entity)
        name = call.body.get("name", field.name)
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= 255:
            raise errors.bad_request("Name must be given.")
        options = field.options
        if "options" in call.body:
            options = tuple(_kept(call, field, option) for option in _options(call))
        changed = replace(field, name=name, options=options, changed=call.company.now())
        call.company.fields.put(entity, changed)
        return call.answer(_shown(call, entity, changed))

    return handler


def delete(entity: str) -> Handler:
    """Return the handler that marks a custom field as deleted."""

    def handler(call: Call) -> PortalResponse:
        field = _own(call, entity)
        call.company.fields.remove(entity, field)
        return call.answer({"id": field.id})

    return handler


def delete_many(entity: str) -> Handler:
    """Return the handler that marks custom fields as deleted."""

    def handler(call: Call) -> PortalResponse:
        numbers = [whole(id) for id in call.several("ids")]
        found = [call.company.fields.by_id(entity, number) for number in numbers if number is not None]
        gone = [field for field in found if field is not None and field.custom]
        for field in gone:
            call.company.fields.remove(entity, field)
        return call.answer({"id": [field.id for field in gone]})

    return handler


def _field(call: Call, entity: str) -> Field:
    field = call.company.fields.by_id(entity, call.id)
    if field is None and entity == "product":
        error = "The field is not found"
        raise errors.ApiError(410, error, body={"success": False, "error": error})
    if field is None:
        raise errors.ApiError(404, "Field not found")
    return field


def _own(call: Call, entity: str) -> Field:
    field = _field(call, entity)
    if not field.custom:
        raise errors.bad_request("Only custom fields can be changed.")
    return field


def _options(call: Call) -> list[dict[str, Any]]:
    options = call.body.get("options") or []
    fine = isinstance(options, list) and all(
        isinstance(option, dict) and isinstance(option.get("label"), str) and option["label"]
        for option in options
    )
    if not fine:
        raise errors.bad_request("Options must be a list of objects with labels.")
    return list(options)


def _kept(call: Call, field: Field, given: Mapping[str, Any]) -> Option:
    if given.get("id") is None:
        return call.company.fields.new_option(given["label"])
    known = field.option(given["id"])
    if known is None:
        raise errors.bad_request(f"Option with id {given['id']} does not exist.")
    return replace(known, label=given["label"])


def _shown(call: Call, entity: str, field: Field) -> dict[str, Any]:
    user = call.company.user.id
    options: Iterable[Option] = field.options
    data: dict[str, Any] = {
        "id": field.id,
        "key": field.v1_key,
        "name": field.name,
        "order_nr": field.order,
        "field_type": field.type,
        "add_time": moments.spaced(field.made),
        "update_time": moments.spaced(field.changed),
        "last_updated_by_user_id": user if field.custom else None,
        "created_by_user_id": user if field.custom else None,
        "active_flag": True,
        "edit_flag": field.custom,
        "index_visible_flag": True,
        "details_visible_flag": True,
        "add_visible_flag": False,
        "important_flag": False,
        "bulk_edit_allowed": True,
        "searchable_flag": field.type in fields.SEARCHABLE,
        "filtering_allowed": True,
        "sortable_flag": True,
        "mandatory_flag": field.code in ("title", "name", "content"),
    }
    if entity == "product":
        data = {name: user if value is None else value for name, value in data.items()}
    if (entity, field.code) == ("activity", "type"):
        types = call.company.activity_types
        data["options"] = [{"id": each["key_string"], "label": each["name"]} for each in types]
    elif field.options:
        data["options"] = [{"id": option.id, "label": option.label} for option in options]
    return data
