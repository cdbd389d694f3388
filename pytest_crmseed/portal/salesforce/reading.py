"""Rows as answers have them: kept values, those the org adds, and those that follow from others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_crmseed.portal.salesforce import derived, values
from pytest_crmseed.portal.salesforce.definitions import Field
from pytest_crmseed.portal.salesforce.instants import stamp
from pytest_crmseed.portal.salesforce.rows import Row

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.org import Org

_ADDED: Mapping[str, Callable[[Row], Any]] = {
    "Id": lambda row: row.id,
    "IsDeleted": lambda row: row.deleted,
    "CreatedDate": lambda row: stamp(row.record.created),
    "LastModifiedDate": lambda row: stamp(row.record.updated),
    "SystemModstamp": lambda row: stamp(row.record.updated),
    # Who makes a row by the API has seen it (recorded).
    "LastViewedDate": lambda row: stamp(row.record.created),
    "LastReferencedDate": lambda row: stamp(row.record.created),
    "PhotoUrl": lambda row: f"/services/images/photo/{row.id}",
}


def value(org: Org, row: Row, field: Field) -> Any:
    """Return the value of a field as an answer has it: a text, number, boolean, object or None."""
    added = _ADDED.get(field.name)
    if added is not None:
        return added(row)
    if field.type == "address":
        return _address(row, field)
    follows = derived.DERIVED.get((row.object.name, field.name))
    text = row[field.name] if follows is None else follows(org, row)
    return values.shown(field, text)


def shown(org: Org, row: Row, home: str, fields: Iterable[Field] | None = None) -> dict[str, Any]:
    """Return a row with all its fields, or with some, as a single read answers it."""
    name = row.object.name
    body: dict[str, Any] = {"attributes": {"type": name, "url": f"{home}/sobjects/{name}/{row.id}"}}
    for field in row.object.fields if fields is None else fields:
        body[field.name] = value(org, row, field)
    return body


def _address(row: Row, field: Field) -> dict[str, Any] | None:
    parts = {
        part.name.removeprefix(field.name.removesuffix("Address")): values.shown(part, row[part.name])
        for part in row.object.fields
        if part.compound == field.name
    }
    if all(part is None for part in parts.values()):
        return None
    return {
        "city": parts.get("City"),
        "country": parts.get("Country"),
        "geocodeAccuracy": parts.get("GeocodeAccuracy"),
        "latitude": parts.get("Latitude"),
        "longitude": parts.get("Longitude"),
        "postalCode": parts.get("PostalCode"),
        "state": parts.get("State"),
        "street": parts.get("Street"),
    }
