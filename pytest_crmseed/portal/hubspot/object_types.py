"""Object types by any of their names (HubSpot docs, "Using object APIs")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pytest_crmseed.portal.hubspot import errors
from pytest_crmseed.schema.model import Association, ObjectType, Pipeline

# Names and ids of the object types that HubSpot has; those that no schema here has are not emulated.
_OF_HUBSPOT = {
    "contacts": "0-1",
    "companies": "0-2",
    "deals": "0-3",
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
PRIMARY_TARGET = "companies"
"""The object type of which a record has one main record (HubSpot docs, "Associations guide")."""


class ObjectTypes:
    """The object types there are, looked up by plural, singular or id, in any case."""

    def __init__(self, object_types: Mapping[str, ObjectType]) -> None:
        self.load(object_types)

    def load(self, object_types: Mapping[str, ObjectType]) -> None:
        """Have these object types, by name, and no others; associations with others are left out."""
        object_types = {name: _among(each, object_types) for name, each in object_types.items()}
        by_alias: dict[str, ObjectType] = {}
        # HubSpot's own come first: a custom object cannot take their names away from them.
        for object_type in sorted(object_types.values(), key=lambda each: each.custom):
            for alias in (object_type.name, object_type.singular, object_type.type_id):
                by_alias.setdefault(alias.lower(), object_type)
        # New mappings rather than changed ones: other threads may be going through the old.
        self._by_alias = by_alias
        self.by_name: Mapping[str, ObjectType] = object_types

    def put(self, object_type: ObjectType) -> None:
        """Have an object type in place of the one of its name."""
        self.load({**self.by_name, object_type.name: object_type})

    def remove(self, name: str) -> None:
        """Have an object type no longer."""
        self.load({other: each for other, each in self.by_name.items() if other != name})

    def known(self, name: str) -> bool:
        """Return whether HubSpot or the portal has an object type of this name."""
        return name.lower() in _KNOWN or name.lower() in self._by_alias

    def find(self, name: str) -> ObjectType | None:
        """Return the object type of this name, or None when the portal does not emulate it.

        Raises:
            ApiError: HubSpot has no object type of this name either (400).
        """
        if not self.known(name):
            raise errors.unknown_object_type(name)
        return self._by_alias.get(name.lower())

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


def _among(object_type: ObjectType, others: Mapping[str, ObjectType]) -> ObjectType:
    if all(association.to in others for association in object_type.associations):
        return object_type
    kept = tuple(association for association in object_type.associations if association.to in others)
    return replace(object_type, associations=kept)


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
    if plural.endswith("ies"):
        return f"{plural[:-3]}y"
    return plural.removesuffix("es") if plural.endswith("xes") else plural.removesuffix("s")


_KNOWN = {alias for name, type_id in _OF_HUBSPOT.items() for alias in (name, _singular(name), type_id)}
