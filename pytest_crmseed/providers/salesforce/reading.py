"""Reads of records: SOQL out, records in.

Source: Salesforce docs, "Query", "Composite", "SOQL and SOSL Reference".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_crmseed.errors import PortalError
from pytest_crmseed.providers.base import Answer, Found
from pytest_crmseed.providers.salesforce import soql

READS = "read"

_PRODUCT, _ENTRIES, _ENTRY = "Product2", "PricebookEntries", "PricebookEntry."


def statement(api_name: str, fields: Sequence[str], by: str, values: Sequence[str]) -> str:
    """Return the query of records by ids or keys."""
    return f"{selection(api_name, fields)} WHERE {by} IN {soql.texts(values)}"


def selection(api_name: str, fields: Sequence[str]) -> str:
    """Return the query of all records; products come with their standard price."""
    wanted = list(dict.fromkeys(["Id", *(field for field in fields if "." not in field)]))
    if api_name == _PRODUCT:
        own = [field.removeprefix(_ENTRY) for field in fields if field.startswith(_ENTRY)]
        of_entry = ", ".join(dict.fromkeys(["Id", "UnitPrice", *own]))
        wanted.append(f"(SELECT {of_entry} FROM {_ENTRIES} WHERE Pricebook2.IsStandard = true)")
    return f"SELECT {', '.join(wanted)} FROM {api_name}"


def found_in(answer: Answer, origin: str) -> tuple[list[Found], dict[str, str]]:
    """Return the records of a read, and the price book entries of products by product.

    Raises:
        PortalError: Salesforce cut the answer short.
        KeyError, TypeError, AttributeError, ValueError: the answer is none to a read.
    """
    records: list[Found] = []
    entries: dict[str, str] = {}
    for part in answer.json()["compositeResponse"]:
        body = part["body"]
        if not body["done"]:
            raise PortalError(
                f"Salesforce cut its answer short: {answer.request.what}.",
                remedy="Make smaller batches (--crm-batch-size 50).",
                status=answer.status,
            )
        for row in body["records"]:
            record, entry = found_row(row, origin)
            records.append(record)
            if entry is not None:
                entries[record.id] = entry
    return records, entries


def found_row(row: Mapping[str, Any], origin: str) -> tuple[Found, str | None]:
    """Return the record of a row, and the id of a product's price book entry."""
    record_id = str(row["Id"])
    native = {name: value for name, value in row.items() if name != "attributes"}
    entry = _entry(native.pop(_ENTRIES, None))
    native |= {f"{_ENTRY}{name}": value for name, value in entry.items() if name != "Id"}
    found = Found(record_id, native, f"{origin}/{record_id}" if origin else None)
    return found, str(entry["Id"]) if entry else None


def _entry(nested: Any) -> dict[str, Any]:
    """Return the one entry of the standard price book, or nothing."""
    rows = (nested or {}).get("records") or ()
    return {name: value for name, value in rows[0].items() if name != "attributes"} if rows else {}
