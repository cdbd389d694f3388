"""Read Salesforce's error bodies.

A single call's error is an array of ``{message, errorCode, fields}``; a row of a collections answer has
``statusCode`` in place of ``errorCode`` (Salesforce docs, "Status Codes and Error Responses", "SaveResult").
Messages begin with a field's label; the field's name stands in ``fields``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_crmseed.providers.salesforce.ids import full_id
from pytest_crmseed.records import Refusal

LOCKED = "UNABLE_TO_LOCK_ROW"
STORAGE = "STORAGE_LIMIT_EXCEEDED"
# What says that a record is gone: in the bin, gone for good, or never was.
GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"})

_DUPLICATE = "DUPLICATE_VALUE"
_DETECTED = "DUPLICATES_DETECTED"
_CONFLICTS = (_DUPLICATE, _DETECTED, "DUPLICATE_EXTERNAL_ID")
# The id of the other record has 15 characters.
_TAKEN = re.compile(
    r"duplicate value found: (?P<field>\S+) duplicates value on record with id: (?P<owner>\w{15,18})"
)
_NO_COLUMN = re.compile(r"No such column '(?P<field>[^']+)'")


def errors_of(body: object) -> list[Mapping[str, Any]]:
    """Return the errors of a body: those of an array, of a row, or of the token endpoint."""
    if isinstance(body, list):
        return [entry for entry in body if isinstance(entry, Mapping) and _code(entry)]
    if isinstance(body, Mapping):
        if isinstance(body.get("errors"), list):
            return errors_of(body["errors"])
        if body.get("error"):
            return [{"errorCode": body["error"], "message": body.get("error_description") or body["error"]}]
        return [body] if _code(body) else []
    return []


def codes_of(body: object) -> set[str]:
    """Return the codes of a body's errors."""
    return {_code(entry) for entry in errors_of(body)}


def read_refusals(
    body: object, *, status: int | None = None, sent: Mapping[str, Any] | None = None
) -> tuple[Refusal, ...]:
    """Return what an error body, or a row that failed, says; one refusal for each field it names.

    ``sent`` are the values of the record as sent, to name the refused ones. Never empty.
    """
    sent = sent or {}
    whole = json.dumps(body, ensure_ascii=False, default=str)
    found: list[Refusal] = []
    for entry in errors_of(body):
        message = str(entry.get("message") or _code(entry)).strip()
        code = _code(entry)
        taken, owner = _TAKEN.search(message), _matched(entry)
        fields: Sequence[Any] = entry.get("fields") or ()
        if taken is not None:
            owner = full_id(taken["owner"])
            fields = fields or (taken["field"],)
        elif not fields and (column := _NO_COLUMN.search(message)):
            fields = (column["field"],)
        for field in fields or (None,):
            found.append(
                Refusal(
                    message=message,
                    code=code,
                    field=None if field is None else str(field),
                    value=None if field is None else sent.get(str(field)),
                    status=status,
                    conflict=code in _CONFLICTS,
                    existing_id=owner,
                    body=whole,
                )
            )
    return tuple(found) or (Refusal("no reason given", status=status, body=whole),)


def _code(entry: Mapping[str, Any]) -> str:
    return str(entry.get("errorCode") or entry.get("statusCode") or "")


def _matched(entry: Mapping[str, Any]) -> str | None:
    """Return the id of the record that a duplicate rule found, where a single create tells it."""
    # The first spelling is Salesforce's own, in versions 50.0 and 51.0 at least.
    result = entry.get("duplicateResut") or entry.get("duplicateResult") or {}
    for match in result.get("matchResults") or ():
        for record in match.get("matchRecords") or ():
            record_id = (record.get("record") or {}).get("Id")
            if record_id:
                return full_id(str(record_id))
    return None
