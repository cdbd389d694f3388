"""Fields in v2 (Pipedrive docs, "Deal fields", "Person fields" etc.): definitions and their options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import errors, fields, lists, rules
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.fields import Field, Option
from pytest_crmseed.portal.pipedrive.rules import Rule

Handler = Callable[[Call], PortalResponse]

OPTIONS_MOST = 10_000
"""Options of a field at most."""

_INCLUDE: Mapping[str, tuple[str, ...]] = {
    "deal": ("ui_visibility", "important_fields", "required_fields"),
    "person": ("ui_visibility", "important_fields", "required_fields"),
    "organization": ("ui_visibility", "important_fields", "required_fields"),
    "product": ("ui_visibility",),
    "activity": ("ui_visibility",),
}

_FLAGS = {"add_visible_flag": rules.BOOLEAN, "details_visible_flag": rules.BOOLEAN}
_DIALOG = Rule(rules.object_of({"show": rules.BOOLEAN, "order": Rule(rules.integer, nullable=True)}))
_VISIBILITY: Mapping[str, Mapping[str, Rule]] = {
    "deal": {
        **_FLAGS,
        "projects_detail_visible_flag": rules.BOOLEAN,
        "show_in_pipelines": Rule(
            rules.object_of(
                {"show_in_all": rules.BOOLEAN, "pipeline_ids": Rule(rules.list_of(rules.integer))}
            )
        ),
    },
    "person": {**_FLAGS, "show_in_add_deal_dialog": _DIALOG},
    "organization": {**_FLAGS, "show_in_add_deal_dialog": _DIALOG, "show_in_add_person_dialog": _DIALOG},
    "product": _FLAGS,
}
_STAGES = {"enabled": rules.BOOLEAN, "stage_ids": Rule(rules.list_of(rules.integer))}


def _rules(entity: str, *, new: bool) -> dict[str, Rule]:
    found = {"field_name": Rule(rules.limited(255, least=1))}
    if new:
        found["field_type"] = Rule(rules.one_of(*fields.CREATABLE))
        found["options"] = Rule(
            rules.list_of(rules.object_of({"label": Rule(rules.limited(255, least=1))}, required=["label"]))
        )
    found["ui_visibility"] = Rule(rules.object_of(_VISIBILITY[entity]))
    if entity != "product":
        found["important_fields"] = Rule(rules.object_of(_STAGES))
        required = (
            {**_STAGES, "statuses": Rule(rules.any_object)}
            if entity == "deal"
            else {"enabled": rules.BOOLEAN}
        )
        found["required_fields"] = Rule(rules.object_of(required))
    if entity == "deal":
        found["description"] = Rule(rules.text, nullable=True)
    return found


def listed(entity: str) -> Handler:
    """Return the handler that lists an entity's fields."""

    def handler(call: Call) -> PortalResponse:
        found = call.company.fields.of(entity).values()
        # Fields are in no order that the API would tell; the cursor counts them by their numbers.
        page, cursor = lists.cursor_page(call, found, {"id": lambda field: field.id})
        return lists.answer(call, [_shown(call, entity, field) for field in page], cursor)

    return handler


def get(entity: str) -> Handler:
    """Return the handler that answers a field."""
    return lambda call: call.answer(_shown(call, entity, _field(call, entity)))


def create(entity: str) -> Handler:
    """Return the handler that makes a custom field."""

    def handler(call: Call) -> PortalResponse:
        body = call.body
        rules.check(body, _rules(entity, new=True), ("field_name", "field_type"))
        labels = [option["label"] for option in body.get("options", ())]
        field = make(call, entity, body["field_name"], body["field_type"], labels, _extra(body))
        if body.get("description") is not None:
            field = replace(field, description=body["description"])
            call.company.fields.put(entity, field)
        return call.answer(_shown(call, entity, field))

    return handler


def make(
    call: Call, entity: str, name: str, kind: str, labels: list[str], extra: Mapping[str, Any] | None = None
) -> Field:
    """Make a custom field. Texts of the refusals are [unsure].

    Raises:
        ApiError: it has no options and needs some, or the plan allows no more fields.
    """
    if kind in ("enum", "set") and not labels:
        raise errors.invalid([("options", f"Options are required for a field of the type '{kind}'")])
    if kind not in ("enum", "set") and labels:
        raise errors.invalid([("options", f"Options are not allowed for a field of the type '{kind}'")])
    _check_labels(labels)
    limit = call.company.behaviour.custom_fields_limit
    if limit is not None and call.company.fields.count() >= limit:
        text = "Couldn't add the field. Custom fields limit reached."
        raise errors.capped(text, "feature_capping_custom_fields_limit")
    now = call.company.now()
    return call.company.fields.new(entity, Field("", name, kind, made=now, changed=now, extra=extra), labels)


def update(entity: str) -> Handler:
    """Return the handler that renames a custom field, or changes how people see it."""

    def handler(call: Call) -> PortalResponse:
        field = _own(call, entity)
        body = call.body
        rules.check(body, _rules(entity, new=False))
        changed = replace(
            field,
            name=body.get("field_name", field.name),
            description=body.get("description", field.description),
            changed=call.company.now(),
            extra={**(field.extra or {}), **(_extra(body) or {})},
        )
        call.company.fields.put(entity, changed)
        return call.answer(_shown(call, entity, changed))

    return handler


def delete(entity: str) -> Handler:
    """Return the handler that marks a custom field as deleted; its values are in no reply any more."""

    def handler(call: Call) -> PortalResponse:
        field = _own(call, entity)
        call.company.fields.remove(entity, field)
        return call.answer(_shown(call, entity, field))

    return handler


# -- options -----------------------------------------------------------------------------------------
def add_options(entity: str) -> Handler:
    """Return the handler that adds options: all of them or none."""

    def handler(call: Call) -> PortalResponse:
        field = _with_options(call, entity)
        labels = [row["label"] for row in _option_rows(call, {"label": Rule(rules.limited(255, least=1))})]
        _check_labels([*(option.label for option in field.options), *labels])
        added = tuple(call.company.fields.new_option(label) for label in labels)
        _keep(call, entity, field, (*field.options, *added))
        return call.answer(_options_shown(added))

    return handler


def change_options(entity: str) -> Handler:
    """Return the handler that renames options: all of them or none."""

    def handler(call: Call) -> PortalResponse:
        field = _with_options(call, entity)
        rows = _option_rows(call, {"id": rules.INTEGER, "label": Rule(rules.limited(255, least=1))})
        labels = {row["id"]: row["label"] for row in rows}
        _known(field, labels)
        options = tuple(
            replace(option, label=labels.get(_number(option), option.label)) for option in field.options
        )
        _check_labels([option.label for option in options])
        _keep(call, entity, field, options)
        return call.answer(_options_shown(tuple(option for option in options if option.id in labels)))

    return handler


def delete_options(entity: str) -> Handler:
    """Return the handler that deletes options: all of them or none."""

    def handler(call: Call) -> PortalResponse:
        field = _with_options(call, entity)
        ids = [row["id"] for row in _option_rows(call, {"id": rules.INTEGER})]
        _known(field, ids)
        left = tuple(option for option in field.options if option.id not in ids)
        _keep(call, entity, field, left)
        return call.answer(_options_shown(tuple(option for option in field.options if option.id in ids)))

    return handler


def _option_rows(call: Call, keys: Mapping[str, Rule]) -> list[dict[str, Any]]:
    rows = call.json
    problem = rules.list_of(rules.object_of(keys, required=list(keys)))(rows)
    if problem or not rows:
        raise errors.invalid([("options", problem or "At least one option is required")])
    return list(rows)


def _with_options(call: Call, entity: str) -> Field:
    field = _field(call, entity)
    if field.type not in ("enum", "set"):
        raise errors.invalid([("field_code", f"A field of the type '{field.type}' has no options")])
    return field


def _known(field: Field, ids: Any) -> None:
    for id in ids:
        if field.option(id) is None:
            raise errors.invalid([("id", f"Option with id '{id}' was not found")])


def _check_labels(labels: list[str]) -> None:
    if len(labels) > OPTIONS_MOST:
        raise errors.invalid([("options", f"At most {OPTIONS_MOST} options are allowed")])
    if len(set(labels)) < len(labels):
        raise errors.invalid([("options", "Labels of options must be unique")])


def _keep(call: Call, entity: str, field: Field, options: tuple[Option, ...]) -> None:
    call.company.fields.put(entity, replace(field, options=options, changed=call.company.now()))


def _options_shown(options: tuple[Option, ...]) -> list[dict[str, Any]]:
    return [{"id": option.id, "label": option.label} for option in options]


def _number(option: Option) -> int:
    return option.id if isinstance(option.id, int) else -1


# -- definitions -------------------------------------------------------------------------------------
def _field(call: Call, entity: str) -> Field:
    field = call.company.fields.of(entity).get(call.params["field_code"])
    if field is None:
        raise errors.not_found("Field")
    return field


def _own(call: Call, entity: str) -> Field:
    field = _field(call, entity)
    if not field.custom:
        raise errors.bad_request("Only custom fields can be changed", "ERR_BAD_REQUEST")
    return field


def _extra(body: Mapping[str, Any]) -> dict[str, Any] | None:
    found = {name: body[name] for name in _INCLUDE["deal"] if name in body}
    return found or None


def _shown(call: Call, entity: str, field: Field) -> dict[str, Any]:
    included = call.several("include_fields")
    for name in included:
        if name not in _INCLUDE[entity]:
            raise errors.invalid(
                [("include_fields", f"The value must be one of {', '.join(_INCLUDE[entity])}")]
            )
    data: dict[str, Any] = {"field_name": field.name, "field_code": field.code}
    if entity == "deal":
        data["description"] = field.description
    data |= {
        "field_type": field.type,
        "options": _options(call, entity, field),
        "subfields": fields.subfields(field),
        "is_custom_field": field.custom,
        "is_optional_response_field": field.optional,
    }
    for name in included:
        data[name] = {**_defaults(entity)[name], **(field.extra or {}).get(name, {})}
    return data


def _options(call: Call, entity: str, field: Field) -> list[dict[str, Any]] | None:
    if (entity, field.code) == ("activity", "type"):
        return [{"id": each["key_string"], "label": each["name"]} for each in call.company.activity_types]
    if not field.options and not (field.custom and field.type in ("enum", "set")):
        return None
    return [
        {"id": option.id, "label": option.label, "color": option.color, "update_time": None, "add_time": None}
        for option in field.options
    ]


def _defaults(entity: str) -> dict[str, Any]:
    visibility: dict[str, Any] = {"add_visible_flag": False, "details_visible_flag": True}
    dialog = {"show": False, "order": None}
    required: dict[str, Any] = {"enabled": False}
    match entity:
        case "deal":
            visibility["projects_detail_visible_flag"] = False
            visibility["show_in_pipelines"] = {"show_in_all": True, "pipeline_ids": []}
            required |= {"stage_ids": [], "statuses": {}}
        case "person":
            visibility["show_in_add_deal_dialog"] = dialog
        case "organization":
            visibility |= {"show_in_add_deal_dialog": dialog, "show_in_add_person_dialog": dialog}
    important = {"enabled": False, "stage_ids": []}
    return {"ui_visibility": visibility, "important_fields": important, "required_fields": required}
