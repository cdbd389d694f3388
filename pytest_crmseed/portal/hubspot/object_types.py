"""Object types by any of their names (HubSpot docs, "Using object APIs")."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pytest_crmseed.portal.hubspot import errors
from pytest_crmseed.schema.model import Association, ObjectType, Pipeline

# Plural and singular names and ids of the object types that HubSpot has and the portal has not.
_NOT_EMULATED = {
    "tickets": "0-5",
    "products": "0-7",
    "line_items": "0-8",
    "quotes": "0-14",
    "communications": "0-18",
    "feedback_submissions": "0-19",
    "tasks": "0-27",
    "notes": "0-46",
    "meetings": "0-47",
    "calls": "0-48",
    "emails": "0-49",
    "invoices": "0-53",
    "marketing_events": "0-54",
    "subscriptions": "0-69",
    "goals": "0-74",
    "discounts": "0-84",
    "fees": "0-85",
    "taxes": "0-86",
    "commerce_payments": "0-101",
    "users": "0-115",
    "postal_mail": "0-116",
    "orders": "0-123",
    "leads": "0-136",
    "carts": "0-142",
    "services": "0-162",
    "courses": "0-410",
    "listings": "0-420",
    "appointments": "0-421",
    "projects": "0-970",
}
_CUSTOM = re.compile(r"2-\d+|p\d+_\w+|p_\w+", re.ASCII)

PRIMARY_TARGET = "companies"
"""The object type of which a record has one main record (HubSpot docs, "Associations guide")."""


class ObjectTypes:
    """The emulated object types, looked up by plural, singular or id, in any case."""

    def __init__(self, object_types: Mapping[str, ObjectType]) -> None:
        self.by_name = object_types
        self._by_alias: dict[str, ObjectType] = {}
        for object_type in object_types.values():
            for alias in (object_type.name, object_type.singular, object_type.type_id):
                self._by_alias[alias.lower()] = object_type
        self._known = {alias for name, type_id in _NOT_EMULATED.items() for alias in (name, type_id)}
        self._known |= {_singular(name) for name in _NOT_EMULATED}
        self._known -= set(self._by_alias)

    def find(self, name: str) -> ObjectType | None:
        """Return the object type of this name, or None when the portal does not emulate it.

        Raises:
            ApiError: HubSpot has no object type of this name either (400).
        """
        alias = name.lower()
        object_type = self._by_alias.get(alias)
        if object_type is None and alias not in self._known and not _CUSTOM.fullmatch(alias):
            raise errors.unknown_object_type(name)
        return object_type

    def resolve(self, name: str) -> ObjectType:
        """Return the object type of this name.

        Raises:
            ApiError: HubSpot has no object type of this name (400), or the portal has not (501).
        """
        object_type = self.find(name)
        if object_type is None:
            raise errors.not_emulated(f"The object type {name}", list(self.by_name))
        return object_type

    def association(self, from_type: ObjectType, type_id: int, category: str) -> Association | None:
        """Return the association type of an id that starts at ``from_type``, or None."""
        for association in from_type.associations:
            if association.type_id == type_id and association.category == category:
                return association
        return None

    def unlabelled(self, from_type: ObjectType, to: str) -> Association | None:
        """Return the association type that only says that two records are linked, or None."""
        return from_type.association(to)


def noun(object_type: ObjectType) -> str:
    """Return the name that HubSpot's texts use: ``CONTACT``."""
    return object_type.singular.upper()


def pipeline_properties(object_type: ObjectType) -> tuple[str, str] | None:
    """Return the names of the properties that hold pipeline and stage, or None without pipelines."""
    if not object_type.pipelines:
        return None
    by_external = {field.external: field.name for field in object_type.fields.values() if field.external}
    return by_external["pipelines"], by_external["stages"]


def pipeline(object_type: ObjectType, id: str) -> Pipeline | None:
    """Return a pipeline by id, or None."""
    return next((found for found in object_type.pipelines if found.id == id), None)


def _singular(plural: str) -> str:
    return plural.removesuffix("es") if plural.endswith("xes") else plural.removesuffix("s")
