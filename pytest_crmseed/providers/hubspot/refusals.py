"""Read HubSpot's error bodies, and its warnings.

A refused property is named in one of two carriers: ``errors[]`` with ``code`` and
``context.propertyName``, or a JSON list inside the text of ``message``. Batch entries have only the
second (HubSpot docs, "Using object APIs" and "Error handling").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pytest_crmseed.records import Refusal, Warned

_CARRIER = "Property values were not valid: "
_EXISTING_CONTACT = re.compile(r"Existing ID:\s*(\d+)")
# The second number is the record that has the value; the first never came to be.
_TAKEN = re.compile(
    r"propertyName=(?P<field>\w+), value=(?P<value>.*?)\} on \d+\. (?P<owner>\d+) already has that value"
)
_ALLOWED = re.compile(r"was not one of the allowed options: \[(?P<options>.*)\]\s*$", re.DOTALL)
# The codes of a unique value that another record has; the second is that of marketing events.
_UNIQUE_CODES = ("CONFLICTING_UNIQUE_VALUE", "UNIQUE_VALUE_CONFLICT")
_CONFLICTS = ("CONFLICT", "OBJECT_ALREADY_EXISTS")
_DUMPED_VALUE = re.compile(r'\bvalue: \\?"([^"\\]*)\\?"')


def read_refusals(
    body: Mapping[str, Any], *, status: int | None = None, sent: Mapping[str, Any] | None = None
) -> tuple[Refusal, ...]:
    """Return what an error body, or one entry of a batch answer's ``errors``, says.

    ``sent`` are the values of the record as sent, to name the refused one. Never empty: a body that
    names no field gives one refusal with its message.
    """
    message = str(body.get("message") or body.get("category") or "no reason given")
    category = str(body.get("category") or body.get("errorType") or "")
    request_id = body.get("correlationId")
    sent = sent or {}
    of_conflict = status == 409 or category in _CONFLICTS
    whole = json.dumps(body, ensure_ascii=False, default=str)

    def refusal(text: str, code: str, field: str | None) -> Refusal:
        existing, taken = _EXISTING_CONTACT.search(text), _TAKEN.search(text)
        value = sent.get(field) if field else None
        owner = None
        if existing:
            field, owner = "email", existing[1]
            value = sent.get(field)
        elif taken:
            field, owner = taken["field"], taken["owner"]
            value = sent.get(field, taken["value"])
            if code not in _UNIQUE_CODES:
                code = _UNIQUE_CODES[0]
        return Refusal(
            message=text,
            code=code,
            field=field,
            value=value,
            allowed=_allowed(text),
            status=status,
            request_id=request_id if isinstance(request_id, str) else None,
            conflict=owner is not None or code in _UNIQUE_CODES or of_conflict,
            existing_id=owner,
            body=whole,
        )

    found = [
        refusal(str(entry.get("message", message)), _code(entry), field)
        for entry, field in _entries(body, message)
    ]
    if found:
        return tuple(found)
    missing = (body.get("context") or {}).get("properties")
    if isinstance(missing, list) and missing:
        return tuple(refusal(message, category, str(field)) for field in missing)
    return (refusal(message, category, None),)


def read_warnings(record: Mapping[str, Any]) -> tuple[Warned, ...]:
    """Return what a batch answer warns of in one of its ``results``.

    From version 2026-09 on HubSpot normalises dates and says so (changelog, "CRM API write validation
    enforcement").
    """
    properties = record.get("properties") or {}
    found = []
    for entry in record.get("warnings") or ():
        about = {name: _first(value) for name, value in (entry.get("context") or {}).items()}
        field = about.get("propertyName")
        found.append(
            Warned(
                message=str(entry.get("message") or entry.get("category") or "a warning without a reason"),
                code=str(entry.get("category") or ""),
                field=field,
                sent=about.get("rawValue"),
                # What the record holds now is said better by the record itself: a day, not milliseconds.
                held=properties.get(field) or about.get("normalizedValue"),
            )
        )
    return tuple(found)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _code(entry: Mapping[str, Any]) -> str:
    return str(entry.get("code") or entry.get("error") or entry.get("errorType") or "")


def _entries(body: Mapping[str, Any], message: str) -> list[tuple[Mapping[str, Any], str | None]]:
    """Return what is said property by property, each with the property's name where it is given."""
    listed = [entry for entry in body.get("errors") or () if isinstance(entry, Mapping)]
    if not listed and message.startswith(_CARRIER):
        try:
            carried, _ = json.JSONDecoder().raw_decode(message[len(_CARRIER) :])
        except ValueError:
            return []
        return [(entry, entry.get("name")) for entry in carried if isinstance(entry, dict)]
    entries: list[tuple[Mapping[str, Any], str | None]] = []
    for entry in listed:
        names = (entry.get("context") or {}).get("propertyName") or [entry.get("in")]
        entries += [(entry, str(name) if name else None) for name in names]
    return entries


def _allowed(message: str) -> tuple[str, ...]:
    match = _ALLOWED.search(message)
    if match is None:
        return ()
    # Two renderings are in use: a plain comma list, and a dump of each option.
    dumped = _DUMPED_VALUE.findall(match["options"])
    if dumped:
        return tuple(dumped)
    return tuple(option.strip() for option in match["options"].split(",") if option.strip())
