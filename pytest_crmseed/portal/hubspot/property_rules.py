"""What HubSpot accepts as a property's definition (HubSpot docs, "Properties guide")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_crmseed.portal.hubspot import bodies, errors
from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.portal.hubspot.definitions import Definition, custom_data, option_data
from pytest_crmseed.portal.hubspot.errors import ApiError, invalid
from pytest_crmseed.portal.hubspot.instants import iso
from pytest_crmseed.schema.model import ObjectType

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

CUSTOM_LIMIT = 1_000
"""Custom properties of an object type; archived ones do not count [unsure]."""

TOTAL_LIMIT = 10_000
"""Custom properties of all object types together."""

SENSITIVITIES = ("non_sensitive", "sensitive", "highly_sensitive")

# Of HubSpot's own object types these offer unique properties; of orders that is reported [unsure].
_UNIQUE_OFFERED = frozenset({"companies", "contacts", "deals", "orders", "tickets"})

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
    "calculationFormula",
)
# Kept as posted, and answered again.
_EXTRAS = (
    "displayOrder",
    "hidden",
    "formField",
    "externalOptions",
    "referencedObjectType",
    "calculationFormula",
    "dataSensitivity",
    "showCurrencySymbol",
    "currencyPropertyName",
    "numberDisplayHint",
    "textDisplayHint",
    "dateDisplayHint",
)
_TEXTS = (
    "name",
    "label",
    "type",
    "fieldType",
    "groupName",
    "description",
    "referencedObjectType",
    "calculationFormula",
    "dataSensitivity",
    "currencyPropertyName",
    "numberDisplayHint",
    "textDisplayHint",
    "dateDisplayHint",
)
_FLAGS = ("hidden", "formField", "hasUniqueValue", "externalOptions", "showCurrencySymbol")


def define(account: Account, object_type: ObjectType, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Create a definition from a posted one, and return it in its JSON form.

    The name of an archived property brings that one back, as posted, with its first ``createdAt``
    and the values that records had.

    Raises:
        ApiError: HubSpot would refuse it (409 when the name is taken). Nothing has been stored then.
    """
    bodies.required(body, "name", "label", "type", "fieldType", "groupName")
    check_shape(body)
    if body["groupName"] not in account.groups.live(object_type.name):
        raise _no_group(account, object_type, body["groupName"])
    data = posted(body, at=iso(account.now()))
    definitions = account.definitions
    old = definitions.all(object_type.name).get(data["name"])
    if old is not None and not old.archived:
        raise ApiError(
            409,
            f"A property named '{old.name}' already exists.",
            "OBJECT_ALREADY_EXISTS",
            "Properties.PROPERTY_WITH_NAME_EXISTS",
        )
    if data["hasUniqueValue"]:
        _check_unique(account, object_type)
    _check_limits(account, object_type)
    if old is not None:
        data["createdAt"] = old.data["createdAt"]
    return definitions.put(object_type.name, data).data


def posted(body: Mapping[str, Any], *, at: str) -> dict[str, Any]:
    """Return a posted definition in the form in which it is kept.

    Raises:
        ApiError: its name, type or options are none that HubSpot takes.
    """
    if not _NAME.fullmatch(body["name"]):
        # [unsure] of the wording.
        raise invalid(f"{body['name']} is not a valid property name: lower-case letters, digits and _ only")
    _check_kind(body["type"], body["fieldType"])
    data = custom_data(
        name=body["name"],
        label=body["label"],
        type=body["type"],
        field_type=body["fieldType"],
        group=body["groupName"],
        description=body.get("description") or "",
        unique=bool(body.get("hasUniqueValue")),
        at=at,
    )
    elsewhere = body.get("externalOptions") is True or body.get("referencedObjectType") is not None
    data["options"] = _options(body["type"], body.get("options"), elsewhere=elsewhere)
    data |= {key: body[key] for key in _EXTRAS if body.get(key) is not None}
    if data["dataSensitivity"] not in SENSITIVITIES:
        raise invalid(f"dataSensitivity must be one of {', '.join(SENSITIVITIES)}")  # [unsure] of the wording
    data["calculated"] = body["fieldType"] == "calculation_equation"
    return data


def change(
    account: Account, object_type: ObjectType, old: Definition, body: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Change a definition, and return it in its JSON form.

    ``options`` replaces the whole list; what may not change is passed over.

    Raises:
        ApiError: HubSpot would refuse the change. Nothing has been stored then.
    """
    check_shape(body)
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
    group = changes.get("groupName")
    if group is not None and group not in account.groups.live(object_type.name):
        raise _no_group(account, object_type, group)
    data = {**old.data, **changes, "updatedAt": iso(account.now())}
    return account.definitions.put(object_type.name, data).data


def archive(account: Account, object_type: ObjectType, old: Definition) -> None:
    """Archive a definition. Records keep the values, for the case that it comes back.

    Raises:
        ApiError: it is one of HubSpot's own, or something uses it.
    """
    if old.data.get("hubspotDefined"):
        raise invalid(f"{old.name} is a HubSpot-defined property; it cannot be deleted.")
    uses = _uses(account, object_type, old.name)
    if uses:
        # [unsure] of the texts; sub-category and one error for each use are as seen on a live portal.
        message = f"Property {old.name} is in use and cannot be deleted."
        found = [{"message": use, "context": {"propertyName": [old.name]}} for use in uses]
        category = "PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE"
        raise ApiError(400, message, "VALIDATION_ERROR", category, errors=found)
    now = iso(account.now())
    data = {**old.data, "archived": True, "archivedAt": now, "updatedAt": now}
    account.definitions.put(object_type.name, data)


def custom(account: Account, object_type: str) -> list[Definition]:
    """Return the properties of an object type that clients defined, without archived ones."""
    return [
        definition
        for definition in account.definitions.all(object_type).values()
        if not definition.archived and not definition.data.get("hubspotDefined")
    ]


def check_shape(body: Mapping[str, Any]) -> None:
    """Check the JSON types of a posted definition.

    Raises:
        ApiError: one is wrong.
    """
    for key in _TEXTS:
        if body.get(key) is not None and not isinstance(body[key], str):
            raise bodies.cannot_deserialize(body[key], "java.lang.String")
    for key in _FLAGS:
        if body.get(key) is not None and not isinstance(body[key], bool):
            raise bodies.cannot_deserialize(body[key], "java.lang.Boolean")
    order = body.get("displayOrder")
    if order is not None and (isinstance(order, bool) or not isinstance(order, int)):
        raise bodies.cannot_deserialize(order, "java.lang.Integer")


def _uses(account: Account, object_type: ObjectType, name: str) -> list[str]:
    uses = []
    if object_type.custom:
        roles = {
            "primary display property": [object_type.display_field],
            "required property": [each for group in object_type.required_any for each in group],
            "searchable property": object_type.searchable,
        }
        uses = [
            f"{name} is a {role} of {object_type.singular}" for role, names in roles.items() if name in names
        ]
    for rule in account.behaviour.conditional_rules:
        if object_type.name == rule.object_type and name in (rule.when, *rule.required):
            uses.append(f"{name} is part of a conditional property rule")
    if name in account.behaviour.required_by_admin.get(object_type.name, ()):
        uses.append(f"{name} is required to create a {object_type.singular}")
    return uses


def _check_kind(kind: str, field_type: str) -> None:
    # [unsure] of both wordings.
    if kind not in FIELD_TYPES:
        raise invalid(f"{kind} is not one of the property types: {', '.join(FIELD_TYPES)}")
    if field_type not in FIELD_TYPES[kind]:
        allowed = ", ".join(FIELD_TYPES[kind])
        raise invalid(f"{field_type} is not one of the field types of {kind} properties: {allowed}")


def _no_group(account: Account, object_type: ObjectType, group: str) -> ApiError:
    # [unsure] of the wording.
    there = ", ".join(sorted(account.groups.live(object_type.name)))
    return invalid(f"The property group {group} does not exist. There are: {there}")


def _check_unique(account: Account, object_type: ObjectType) -> None:
    # [unsure] of the wordings.
    if object_type.name not in _UNIQUE_OFFERED and not object_type.custom:
        raise invalid(f"Properties of {object_type.name} cannot have unique values.")
    held = [definition for definition in custom(account, object_type.name) if definition.unique]
    if len(held) >= UNIQUE_LIMIT:
        raise invalid(f"At most {UNIQUE_LIMIT} properties of an object type can have unique values.")


def _check_limits(account: Account, object_type: ObjectType) -> None:
    # [unsure] of the wordings.
    if len(custom(account, object_type.name)) >= CUSTOM_LIMIT:
        raise invalid(f"At most {CUSTOM_LIMIT} custom properties of an object type can be defined.")
    if sum(len(custom(account, name)) for name in account.object_types.by_name) >= TOTAL_LIMIT:
        raise invalid(f"At most {TOTAL_LIMIT} custom properties can be defined.")


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
        check_shape(option)
        shown = option.get("displayOrder", order)
        made = option_data(
            bodies.as_text(option["value"]),
            option["label"],
            order if shown is None else shown,
            hidden=bool(option.get("hidden")),
            description=option.get("description") or "",
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
