"""Fields: those that come with every company, and what is kept of each (Pipedrive docs, "Custom fields").

Types are those of v2. The codes of built-in fields are the keys of records in v2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

ENTITIES = ("deal", "person", "organization", "product", "activity")

CREATABLE = (
    "varchar",
    "varchar_auto",
    "text",
    "double",
    "monetary",
    "date",
    "daterange",
    "time",
    "timerange",
    "set",
    "enum",
    "user",
    "org",
    "people",
    "phone",
    "address",
)
"""The types of custom fields."""

SEARCHABLE = frozenset({"address", "varchar", "text", "varchar_auto", "double", "monetary", "phone"})
"""The types of custom fields that search looks through."""

ADDRESS_PARTS = (
    "country",
    "admin_area_level_1",
    "admin_area_level_2",
    "locality",
    "sublocality",
    "route",
    "street_number",
    "subpremise",
    "postal_code",
)

_SUBFIELDS: Mapping[str, Sequence[tuple[str, str]]] = {
    "monetary": (("value", "double"), ("currency", "varchar")),
    "daterange": (("value", "date"), ("until", "date")),
    "time": (("value", "time"), ("timezone_id", "int"), ("timezone_name", "varchar")),
    "timerange": (
        ("value", "time"),
        ("until", "time"),
        ("timezone_id", "int"),
        ("timezone_name", "varchar"),
    ),
    "address": tuple((part, "varchar") for part in ("value", *ADDRESS_PARTS, "formatted_address")),
}


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a field; ids of custom fields are numbers, those of built-in ones are texts."""

    id: int | str
    label: str
    color: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an entity. ``id`` is the number by which v1 knows it; ``extra`` are its settings for people.

    ``key`` is what v1 calls it where that is not its code.
    """

    code: str
    name: str
    type: str
    id: int = 0
    custom: bool = False
    options: tuple[Option, ...] = ()
    optional: bool = False
    description: str | None = None
    order: int = 0
    made: float = 0.0
    changed: float = 0.0
    key: str = ""
    extra: Mapping[str, Any] | None = None

    @property
    def v1_key(self) -> str:
        """The name by which v1 knows it."""
        return self.key or self.code

    def option(self, id: Any) -> Option | None:
        """Return the option of an id, or None."""
        return next((option for option in self.options if option.id == id), None)

    def as_json(self) -> dict[str, Any]:
        """Return what the store keeps."""
        return {
            "code": self.code,
            "name": self.name,
            "type": self.type,
            "id": self.id,
            "custom": self.custom,
            "options": [[option.id, option.label, option.color] for option in self.options],
            "description": self.description,
            "order": self.order,
            "made": self.made,
            "changed": self.changed,
            "key": self.key,
            "extra": dict(self.extra or {}),
        }


def of_json(data: Mapping[str, Any]) -> Field:
    """Return the field that the store keeps as ``data``."""
    options = tuple(Option(*option) for option in data["options"])
    return Field(**{**data, "options": options})


def subfields(field: Field) -> list[dict[str, str]] | None:
    """Return the parts of a field's value as a definition lists them, or None."""
    parts = _SUBFIELDS.get(field.type)
    if parts is None:
        return None
    return [
        {"field_code": code, "field_name": f"{code.replace('_', ' ').capitalize()} of {field.name}",
         "field_type": kind}
        for code, kind in parts
    ]  # fmt: skip


_VISIBLE = (
    Option("1", "Item owner"),
    Option("3", "Item owner's visibility group"),
    Option("5", "Item owner's visibility group and sub-groups"),
    Option("7", "Entire company"),
)
_STATUS = (Option("open", "Open"), Option("won", "Won"), Option("lost", "Lost"), Option("deleted", "Deleted"))
_YES_NO = (Option("true", "Yes"), Option("false", "No"))
_FREQUENCIES = tuple(
    Option(value, value.capitalize())
    for value in ("one-time", "annually", "semi-annually", "quarterly", "monthly", "weekly")
)
_INDUSTRIES = tuple(
    Option(number, label)
    for number, label in enumerate(
        ("Agriculture", "Construction", "Education", "Finance", "Healthcare", "Manufacturing", "Retail",
         "Technology", "Transport", "Other"),
        start=1,
    )
)  # fmt: skip
# What labels a new company comes with is [unsure].
_LABELS = (Option(1, "Hot", "red"), Option(2, "Warm", "yellow"), Option(3, "Cold", "blue"))
_CONTACT_LABELS = (
    Option(5, "Customer", "green"),
    Option(6, "Hot lead", "red"),
    Option(7, "Warm lead", "yellow"),
    Option(8, "Cold lead", "blue"),
)
_CATEGORIES = (Option(11, "Service"), Option(12, "Retail"))
_PRIORITIES = (Option(261, "High", "red"), Option(262, "Medium", "yellow"), Option(263, "Low", "gray"))


def _common() -> tuple[Field, ...]:
    return (
        Field("owner_id", "Owner", "user", key="user_id"),
        Field("add_time", "Created", "date"),
        Field("update_time", "Update time", "date"),
        Field("visible_to", "Visible to", "visible_to", options=_VISIBLE),
        Field("is_deleted", "Deleted", "boolean", options=_YES_NO, key="active_flag"),
    )


def _counters(*names: str, kind: str = "int") -> tuple[Field, ...]:
    return tuple(Field(name, name.replace("_", " ").capitalize(), kind, optional=True) for name in names)


_ACTIVITY_COUNTERS = (
    "next_activity_id",
    "last_activity_id",
    "activities_count",
    "done_activities_count",
    "undone_activities_count",
    "files_count",
    "notes_count",
    "followers_count",
    "email_messages_count",
)

STOCK: Mapping[str, tuple[Field, ...]] = {
    "deal": (
        Field("id", "ID", "int"),
        Field("title", "Title", "varchar"),
        Field("value", "Value", "monetary"),
        Field("currency", "Currency", "varchar"),
        *_common(),
        Field("creator_user_id", "Creator", "user"),
        Field("person_id", "Contact person", "people"),
        Field("org_id", "Organization", "org"),
        Field("pipeline_id", "Pipeline", "int"),
        Field("stage_id", "Stage", "stage"),
        Field("status", "Status", "status", options=_STATUS),
        Field("label_ids", "Label", "set", options=_LABELS, key="label"),
        Field("probability", "Probability", "int"),
        Field("lost_reason", "Lost reason", "varchar_options"),
        Field("expected_close_date", "Expected close date", "date"),
        Field("close_time", "Deal closed on", "date"),
        Field("won_time", "Won time", "date"),
        Field("lost_time", "Lost time", "date"),
        Field("stage_change_time", "Last stage change", "date"),
        Field("is_archived", "Archive status", "boolean", options=_YES_NO),
        Field("archive_time", "Archive time", "date"),
        Field("origin", "Source origin", "varchar"),
        Field("origin_id", "Source origin ID", "varchar"),
        Field("channel", "Source channel", "enum"),
        Field("channel_id", "Source channel ID", "varchar"),
        Field("acv", "ACV", "monetary"),
        Field("arr", "ARR", "monetary"),
        Field("mrr", "MRR", "monetary"),
        *_counters(*_ACTIVITY_COUNTERS, "products_count", "participants_count"),
    ),
    "person": (
        Field("id", "ID", "int"),
        Field("name", "Name", "varchar"),
        Field("first_name", "First name", "varchar"),
        Field("last_name", "Last name", "varchar"),
        *_common(),
        Field("org_id", "Organization", "org"),
        Field("emails", "Email", "varchar", key="email"),
        Field("phones", "Phone", "phone", key="phone"),
        Field("label_ids", "Label", "set", options=_CONTACT_LABELS, key="label"),
        Field("picture_id", "Profile picture", "picture"),
        *_counters(*_ACTIVITY_COUNTERS, "open_deals_count", "closed_deals_count"),
    ),
    "organization": (
        Field("id", "ID", "int"),
        Field("name", "Name", "varchar"),
        *_common(),
        Field("address", "Address", "address"),
        Field("label_ids", "Label", "set", options=_CONTACT_LABELS, key="label"),
        Field("website", "Website", "varchar"),
        Field("linkedin", "LinkedIn profile", "varchar"),
        Field("industry", "Industry", "enum", options=_INDUSTRIES),
        Field("annual_revenue", "Annual revenue", "double"),
        Field("employee_count", "Number of employees", "int"),
        *_counters(*_ACTIVITY_COUNTERS, "open_deals_count", "closed_deals_count", "people_count"),
    ),
    "product": (
        Field("id", "ID", "int"),
        Field("name", "Name", "varchar"),
        Field("code", "Product code", "varchar"),
        Field("description", "Description", "text"),
        Field("unit", "Unit", "varchar"),
        Field("tax", "Tax", "double"),
        Field("category", "Category", "enum", options=_CATEGORIES),
        *_common(),
        Field("is_linkable", "Linkable", "boolean", options=_YES_NO, key="selectable"),
        Field("prices", "Unit prices", "price_list"),
        Field("billing_frequency", "Billing frequency", "billing_frequency", options=_FREQUENCIES),
        Field("billing_frequency_cycles", "Billing frequency cycles", "int"),
    ),
    "activity": (
        Field("id", "ID", "int"),
        Field("subject", "Subject", "varchar"),
        Field("type", "Type", "enum"),
        Field("owner_id", "Assigned to user", "user", key="user_id"),
        Field("creator_user_id", "Creator", "user"),
        Field("deal_id", "Deal", "deal"),
        Field("lead_id", "Lead", "lead"),
        Field("person_id", "Contact person", "people"),
        Field("org_id", "Organization", "org"),
        Field("project_id", "Project", "project"),
        Field("due_date", "Due date", "date"),
        Field("due_time", "Due time", "time"),
        Field("duration", "Duration", "time"),
        Field("busy", "Free/busy", "boolean", options=_YES_NO),
        Field("done", "Done", "boolean", options=_YES_NO),
        Field("marked_as_done_time", "Marked as done time", "date"),
        Field("location", "Location", "address"),
        Field("public_description", "Public description", "text"),
        Field("priority", "Priority", "enum", options=_PRIORITIES),
        Field("note", "Note", "text"),
        Field("add_time", "Add time", "date"),
        Field("update_time", "Update time", "date"),
        Field("is_deleted", "Deleted", "boolean", options=_YES_NO, key="active_flag"),
    ),
}


def stock(entity: str, first_id: int) -> list[Field]:
    """Return the built-in fields of an entity, numbered from ``first_id`` on."""
    return [
        replace(field, id=first_id + number, order=number)
        for number, field in enumerate(STOCK[entity], start=1)
    ]
