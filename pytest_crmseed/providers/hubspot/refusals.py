"""Read HubSpot's error bodies.

A refused property is named in one of two carriers: ``errors[]`` with ``code`` and
``context.propertyName``, or a JSON list inside the text of ``message``. Batch entries have only the
second (HubSpot docs, "Using object APIs" and "Error handling").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pytest_crmseed.records import Refusal

_CARRIER = "Property values were not valid: "
_EXISTING_CONTACT = re.compile(r"Existing ID:\s*(\d+)")
# The second number is the record that has the value; the first never came to be.
_TAKEN = re.compile(
    r"propertyName=(?P<field>\w+), value=(?P<value>.*?)\} on \d+\. (?P<owner>\d+) already has that value"
)
_ALLOWED = re.compile(r"was not one of the allowed options: \[(?P<options>.*)\]\s*$", re.DOTALL)
_DUMPED_VALUE = re.compile(r'\bvalue: \\?"([^"\\]*)\\?"')


def read_refusals(
    body: Mapping[str, Any], *, status: int | None = None, sent: Mapping[str, Any] | None = None
) -> tuple[Refusal, ...]:
    """Return what an error body, or one entry of a batch answer's ``errors``, says.

    ``sent`` are the values of the record as sent, to name the refused one. Never empty: a body that
    names no field gives one refusal with its message.
    """
    message = str(body.get("message") or body.get("category") or "no reason given")
    request_id = body.get("correlationId")
    sent = sent or {}

    def refusal(text: str, code: str, field: str | None, *, conflict: bool = False, owner: str | None = None) -> Refusal:
        return Refusal(
            message=text,
            code=code,
            field=field,
            value=sent.get(field) if field else None,
            allowed=_allowed(text),
            status=status,
            request_id=request_id if isinstance(request_id, str) else None,
            conflict=conflict,
            existing_id=owner,
        )

    existing = _EXISTING_CONTACT.search(message)
    if existing:
        return (refusal(message, str(body.get("category", "CONFLICT")), "email", conflict=True, owner=existing[1]),)
    taken = _TAKEN.search(message)
    if taken:
        field = taken["field"]
        return (refusal(message, "CONFLICTING_UNIQUE_VALUE", field, conflict=True, owner=taken["owner"]),)

    found = [
        refusal(str(entry.get("message", message)), str(entry.get("code") or entry.get("error") or ""), field)
        for entry, field in _entries(body, message)
    ]
    if found:
        return tuple(found)
    missing = (body.get("context") or {}).get("properties")
    if isinstance(missing, list) and missing:
        code = str(body.get("category", ""))
        return tuple(refusal(message, code, str(field)) for field in missing)
    return (refusal(message, str(body.get("category", "")), None),)


def _entries(body: Mapping[str, Any], message: str) -> list[tuple[Mapping[str, Any], str]]:
    entries: list[tuple[Mapping[str, Any], str]] = []
    for entry in body.get("errors") or ():
        names = (entry.get("context") or {}).get("propertyName") if isinstance(entry, Mapping) else None
        if names:
            entries.append((entry, str(names[0])))
    if entries:
        return entries
    if message.startswith(_CARRIER):
        try:
            listed = json.loads(message[len(_CARRIER) :])
        except ValueError:
            return []
        return [(entry, str(entry["name"])) for entry in listed if isinstance(entry, dict) and "name" in entry]
    return []


def _allowed(message: str) -> tuple[str, ...]:
    match = _ALLOWED.search(message)
    if match is None:
        return ()
    # Two renderings are in use: a plain comma list, and a dump of each option.
    dumped = _DUMPED_VALUE.findall(match["options"])
    if dumped:
        return tuple(dumped)
    return tuple(option.strip() for option in match["options"].split(",") if option.strip())
