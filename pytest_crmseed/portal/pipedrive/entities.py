"""What an object type of v2 is, as the routes that all of them share need it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_crmseed.portal.pipedrive import errors, moments, values
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.company import Company
from pytest_crmseed.portal.pipedrive.rows import Row
from pytest_crmseed.portal.pipedrive.rules import Rule

CUSTOM_MOST = 15
"""Keys that ``custom_fields`` of a query names at most (Pipedrive docs, "Custom fields")."""


@dataclass(frozen=True)
class Entity:
    """An object type: its name in the store and of one of it, its keys, and what is particular to it.

    ``fields`` names the entity whose custom fields it has; activities have none. ``prepare`` returns the
    values to be kept from a checked body and the record as it was (None for a new one). ``shown`` returns
    a record as it is answered, without what is common to all. ``filters`` are keys of the query that
    compare a value, ``sorts`` what a list is sorted by beside the id; ``among`` returns ids
    that the query limits a list to. ``deleting`` is called when a record
    is deleted.
    """

    type: str
    noun: str
    fields: str
    rules: Mapping[str, Rule]
    required: Sequence[str]
    prepare: Callable[[Call, dict[str, Any], Row | None], dict[str, Any]]
    shown: Callable[[Company, Row], dict[str, Any]]
    filters: Mapping[str, str]
    sorts: Sequence[str] = ("update_time", "add_time")
    created: int = 200
    has_custom: bool = True
    include: Mapping[str, Callable[[Company, Row], Any]] | None = None
    check: Callable[[Call, Mapping[str, Any]], None] | None = None
    among: Callable[[Call], Collection[int] | None] | None = None
    deleting: Callable[[Company, Row], None] | None = None


def of_body(
    call: Call, entity: Entity, body: Mapping[str, Any]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the custom values of a body as they are kept, and what is wrong with the others.

    Raises:
        ApiError: they are wrapped twice, on which the service fails (500).
    """
    given = body.get("custom_fields")
    if not isinstance(given, dict):
        return {}, []
    if isinstance(given.get("custom_fields"), dict):
        raise errors.ApiError(500, "Internal Server Error", "ERR_UNKNOWN")
    known = call.company.fields.of(entity.fields)
    found: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for code, value in given.items():
        field = known.get(code)
        if field is None or not field.custom:
            problems.append(("custom_fields", f"Unknown key '{code}'"))
            continue
        try:
            found[code] = values.accepted(field, value, entity.fields, call.company.behaviour.currency)
        except values.Wrong as error:
            problems.append(("custom_fields", str(error)))
    return found, problems


def custom_of(call: Call, entity: Entity, row: Row) -> dict[str, Any]:
    """Return the ``custom_fields`` of a reply: all of the company's, those without a value as null.

    Raises:
        ApiError: the query names too many keys.
    """
    wanted = call.several("custom_fields")
    if len(wanted) > CUSTOM_MOST:
        raise errors.invalid([("custom_fields", f"At most {CUSTOM_MOST} keys can be requested")])
    labels = call.flag("include_option_labels")
    return {
        field.code: values.shown(field, row[field.code], labels=labels)
        for field in call.company.fields.custom(entity.fields)
        if not wanted or field.code in wanted
    }


def answered(call: Call, entity: Entity, row: Row) -> dict[str, Any]:
    """Return a record as v2 answers it.

    Raises:
        ApiError: ``include_fields`` names something else.
    """
    data = {"id": row.id, **entity.shown(call.company, row), "is_deleted": row.deleted is not None}
    if entity.has_custom:
        data["custom_fields"] = custom_of(call, entity, row)
    if call.flag("include_labels") and "label_ids" in data:
        field = call.company.fields.of(entity.fields)["label_ids"]
        chosen = [option for id in data["label_ids"] if (option := field.option(id)) is not None]
        data["labels"] = [{"id": each.id, "label": each.label, "color": each.color} for each in chosen]
    include = entity.include or {}
    for name in call.several("include_fields"):
        if name not in include:
            raise errors.invalid([("include_fields", f"The value must be one of {', '.join(include)}")])
        data[name] = include[name](call.company, row)
    return data


def live(call: Call, entity: Entity, id: int) -> Row:
    """Return a record that can be edited.

    Raises:
        ApiError: it does not exist, or is deleted.
    """
    row = call.company.row(entity.type, id, deleted=True)
    if row is None:
        raise errors.not_found(entity.noun)
    if row.deleted is not None:
        forbidden = call.company.behaviour.deleted_records_answer_forbidden
        raise errors.deleted(entity.noun, forbidden=forbidden)
    return row


# -- references and values that several object types have ---------------------------------------------
_NOUNS = {
    "persons": "Person",
    "organizations": "Organization",
    "deals": "Deal",
    "products": "Product",
    "leads": "Lead",
}


def check_reference(call: Call, name: str, object_type: str, value: Any) -> None:
    """Check that a record that a body names exists. [unsure] of the text.

    Raises:
        ApiError: it does not, or is deleted.
    """
    if value is not None and call.company.row(object_type, value) is None:
        raise errors.invalid([(name, f"{_NOUNS[object_type]} with id '{value}' was not found")])


def check_owner(call: Call, value: Any, name: str = "owner_id") -> None:
    """Check that an owner is a user who is active. [unsure] of the text.

    Raises:
        ApiError: there is none.
    """
    user = call.company.find_user(value)
    if user is None or not user.active:
        raise errors.invalid([(name, f"User with id '{value}' was not found")])


def check_labels(call: Call, entity: str, ids: Any) -> None:
    """Check that labels are options of the label field. [unsure] of the text.

    Raises:
        ApiError: one is not.
    """
    field = call.company.fields.of(entity)["label_ids"]
    for id in ids:
        if field.option(id) is None:
            raise errors.invalid([("label_ids", f"Invalid option '{id}'")])


def primary(entries: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return e-mail addresses or phone numbers with their labels, one of them primary.

    Raises:
        ApiError: several are primary.
    """
    chosen = [number for number, entry in enumerate(entries) if entry.get("primary")]
    if len(chosen) > 1:
        raise errors.invalid([(name, "Only one value can be primary")])
    first = chosen[0] if chosen else 0
    return [
        {"label": entry.get("label", "work"), "value": entry["value"], "primary": number == first}
        for number, entry in enumerate(entries)
    ]


def times(row: Row, *, fresh_update: bool) -> dict[str, Any]:
    """Return the time stamps of a record; without ``fresh_update`` a new one has no time of update."""
    updated = moments.rfc(row.updated) if fresh_update or row.updated > row.created else None
    return {"add_time": moments.rfc(row.created), "update_time": updated}


def default_visibility(company: Company) -> int:
    """Return who sees a record when nobody says so: the whole company."""
    return 3 if company.behaviour.plan in ("lite", "growth") else 7
