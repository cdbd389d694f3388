"""Lookups: rows found by a key, and whether what a row refers to is there and of the right object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_crmseed.portal.salesforce import ids, values
from pytest_crmseed.portal.salesforce.definitions import MASTER_RECORD_TYPE, Field, SObject
from pytest_crmseed.portal.salesforce.errors import Problem, Refusal, no_such_column, refusal

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.draft import Draft
    from pytest_crmseed.portal.salesforce.org import Org
    from pytest_crmseed.portal.salesforce.rows import Row


def by_key(org: Org, each: SObject, field: Field, value: Any) -> list[Row]:
    """Return the live rows that have a value of a field by which rows are found."""
    try:
        text = values.stored(field, value)
    except values.Unusable:
        return []
    if text is None:
        return []
    if field.type == "id":
        row = org.rows.by_id(text)
        return [row] if row is not None and not row.deleted and row.object.name == each.name else []
    wanted = values.comparable(field, text)
    if field.unique:
        holder = org.rows.holder(each, field.name, wanted)
        return [] if holder is None else [holder]
    found = []
    for row in org.rows.scan(each):
        kept = row[field.name]
        if kept is not None and values.comparable(field, kept) == wanted:
            found.append(row)
    return found


def parent_id(org: Org, field: Field, given: Mapping[str, Any]) -> str:
    """Return the id of the row that a nested object names by a key: ``{"Account": {"Ext__c": "k1"}}``.

    Raises:
        Refusal: it names no key, or no row has it.
    """
    attributes = given.get("attributes")
    named = attributes.get("type") if isinstance(attributes, Mapping) else None
    keys = {name: value for name, value in given.items() if name.lower() not in ("attributes", "type")}
    targets = [each for name in field.references if (each := org.catalogue.find(name)) is not None]
    named = named or given.get("type")
    if isinstance(named, str):
        targets = [each for each in targets if each.name.lower() == named.lower()]
    if len(keys) != 1 or not targets:
        message = f"The lookup {field.relationship} names exactly one external ID field of its parent"
        raise refusal("INVALID_FIELD", message)
    [(name, value)] = keys.items()
    each = next((each for each in targets if each.field(name) is not None), None)
    key = None if each is None else each.field(name)
    if each is None or key is None:
        raise no_such_column(name, targets[0].name)
    if not key.key and key.type != "id":
        message = f"Field name provided, {key.name} is not an External ID or indexed field for {each.name}"
        raise refusal("INVALID_FIELD", message)
    found = by_key(org, each, key, value)
    if len(found) != 1:
        what = "not found" if not found else "matches more than one record"
        message = f"Foreign key external ID: {value} {what} for field {key.name} in entity {each.name}"
        raise refusal("INVALID_FIELD", message)
    return found[0].id


def check(org: Org, draft: Draft) -> None:
    """Check what a draft refers to, and write ids in their long form.

    Raises:
        Refusal: something is not there, or of another object.
    """
    wanted = {
        field.name: (field, text)
        for field in draft.object.references
        if (text := draft[field.name]) is not None and draft.changes(field.name)
    }
    if not wanted:
        return
    rows = org.rows.by_ids(text for _, text in wanted.values())
    for name, (field, text) in wanted.items():
        if name == "RecordTypeId":
            draft.put(name, _record_type(org, draft, field, text))
            continue
        parsed = ids.parse(text)
        if parsed is None:
            raise Refusal([_incorrect("MALFORMED_ID", field, text)])
        row = rows.get(parsed.text)
        of = org.catalogue.by_prefix.get(parsed.prefix)
        absent = [target for target in field.references if org.catalogue.find(target) is None]
        if of not in field.references and (of is not None or not absent):
            raise Refusal([_incorrect("FIELD_INTEGRITY_EXCEPTION", field, text)])
        if row is None:
            raise _missing(org, parsed.text)
        if row.deleted:
            raise refusal("ENTITY_IS_DELETED", "entity is deleted", [])
        if name == "OwnerId" and row.object.name == "User" and row["IsActive"] != "true":
            whose = draft.object.label.lower()
            message = f"operation performed with inactive user [{row.id[:15]}] as owner of {whose}"
            raise refusal("INACTIVE_OWNER_OR_USER", message, ["OwnerId"])
        draft.put(name, row.id)


def _record_type(org: Org, draft: Draft, field: Field, text: str) -> str | None:
    if text[:15] == MASTER_RECORD_TYPE[:15]:
        return None
    found = draft.object.record_type(text)
    if found is None and (parsed := ids.parse(text)) is not None:
        found = draft.object.record_type(parsed.text)
    if found is None or not found.available or not found.active:
        message = f"{field.label}: this ID value isn't valid for the user: {text}"
        raise refusal("INVALID_CROSS_REFERENCE_KEY", message, [field.name])
    return found.id


def _incorrect(code: str, field: Field, text: str) -> Problem:
    return Problem(code, f"{field.label}: id value of incorrect type: {text}", (field.name,))


def _missing(org: Org, id: str) -> Refusal:
    if org.switches.missing_parents_are_out_of_reach:
        return refusal(
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            f"insufficient access rights on cross-reference id: {id[:15]}",
        )
    return refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
