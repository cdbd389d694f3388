"""Writes as clients make them: a record by the rules, then what the portal does by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pytest_crmseed.portal.hubspot import automations, records
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.records import Written
from pytest_crmseed.portal.store import StoredRecord


def create(
    call: Call, properties: Mapping[str, Any], associations: Any = None, *, siblings: Collection[int] = ()
) -> Written:
    """Create a record of the call's object type.

    Raises:
        ApiError: HubSpot would refuse the record. Nothing has been stored then.
    """
    written = records.create(
        call.account,
        call.object_type,
        properties,
        associations,
        origin=call.origin,
        since_2026_09=call.since_2026_09,
        siblings=siblings,
    )
    automations.after_write(call.account, call.object_type, written, {})
    return written


def update(call: Call, record: StoredRecord, properties: Mapping[str, Any]) -> Written:
    """Change properties of a live record.

    Raises:
        ApiError: HubSpot would refuse the values. Nothing has been stored then.
    """
    written = records.update(
        call.account,
        call.object_type,
        record,
        properties,
        origin=call.origin,
        since_2026_09=call.since_2026_09,
    )
    automations.after_write(call.account, call.object_type, written, record.properties)
    return written
