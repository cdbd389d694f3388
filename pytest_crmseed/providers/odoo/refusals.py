"""Read Odoo's refusals: what the import says row by row, and exceptions by ``name`` and ``message``.

Sources: Odoo docs, "External JSON-2 API" (errors), ``BaseModel.load``; answers recorded from servers. JSON-2
answers 500 to mistakes of the caller's, and JSON-RPC answers 200 whatever failed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_crmseed.providers.base import Answer, Effect
from pytest_crmseed.providers.odoo.calls import JSON_RPC_PATH, model_and_method
from pytest_crmseed.records import Refusal

Json = Mapping[str, Any]

_PREFIX = "The operation cannot be completed: "
_FIELDS = (
    re.compile(r"Invalid field(?: name)? '(?P<field>[^'/]+)"),
    re.compile(r"Wrong value for [\w.]+\.(?P<field>\w+): "),
    re.compile(r"^Missing required value for the field .* \((?P<field>\w+)\)"),
    re.compile(r"constraint: .* \((?P<field>\w+)\)"),
)
# What a broken foreign key is said to be, whether a record is being deleted or made.
_BROKEN_KEY = "Another model is using the record you are trying to delete"
_TAKEN = re.compile(r"already exists|must be unique|duplicate key value", re.IGNORECASE)
_BUSY = re.compile(
    r"could not serialize access|deadlock detected|could not obtain lock|current transaction is aborted",
    re.IGNORECASE,
)
_BUSY_NAMES = ("SerializationFailure", "DeadlockDetected", "LockNotAvailable", "ConcurrencyError")


def exception_of(answer: Answer, body: object) -> Json | None:
    """Return the exception that an answer tells of: a mapping with ``name`` and ``message``; else None."""
    if not isinstance(body, Mapping):
        return None
    if answer.request.path == JSON_RPC_PATH:
        error = body.get("error")
        if not isinstance(error, Mapping):
            return None
        data = error.get("data")
        # Servers without data have a message of their own.
        return data if isinstance(data, Mapping) and "name" in data else {"name": "", **error}
    if answer.status >= 400 and "name" in body and "message" in body:
        return body
    return None


def import_errors(result: object) -> list[Json]:
    """Return the errors of an import that wrote nothing; none where it made its records."""
    if not isinstance(result, Mapping) or result.get("ids") is not False:
        return []
    messages: list[Json] = [entry for entry in result.get("messages") or () if isinstance(entry, Mapping)]
    nothing: Json = {}
    return [entry for entry in messages if entry.get("type") == "error"] or messages or [nothing]


def is_busy(name: str, message: str) -> bool:
    """Return whether it was another transaction that was in the way, and none of the values."""
    return name.endswith(_BUSY_NAMES) or bool(_BUSY.search(message))


def of_exception(answer: Answer, error: Json) -> tuple[Refusal, ...]:
    """Return what an exception says against a record."""
    making = answer.request.effect is Effect.CREATE
    name, message = str(error.get("name") or ""), str(error.get("message") or "no reason given")
    body = json.dumps({"name": name, "message": message}, ensure_ascii=False)
    return (_refusal(message, name, answer.status, body, making=making),)


def of_import(answer: Answer, errors: Sequence[Json]) -> tuple[Refusal, ...]:
    """Return what an import says against its rows; each thing once."""
    refusals = [
        _refusal(
            str(error.get("message") or "no reason given"),
            "",
            answer.status,
            json.dumps(error, ensure_ascii=False),
            making=True,
            field=str(error["field"]) if error.get("field") else None,
            allowed=_allowed(error.get("moreinfo")),
        )
        for error in errors
    ]
    return tuple({(each.message, each.field): each for each in refusals}.values())


def said(message: str) -> str:
    """Return a message without what stands before and behind it for screens."""
    return message.removeprefix(_PREFIX).strip()


def _refusal(
    message: str,
    code: str,
    status: int,
    body: str,
    *,
    making: bool,
    field: str | None = None,
    allowed: tuple[str, ...] = (),
) -> Refusal:
    text = said(message)
    found = next((match["field"] for pattern in _FIELDS if (match := pattern.search(text))), None)
    field = (field or found or "").partition("/")[0] or None
    if text.startswith(_BROKEN_KEY) and making:
        named = f"{field} names" if field else "a field names"
        text = f"{named} a record that does not exist (Odoo calls it: {text.splitlines()[0]})"
    elif text.startswith("Missing required value"):
        # What follows explains deletions, and names the model.
        text = text.splitlines()[0]
    return Refusal(
        message=" ".join(text.split()),
        code=code,
        field=field,
        allowed=allowed,
        status=status,
        conflict=making and bool(_TAKEN.search(text)),
        body=body,
    )


def _allowed(more: object) -> tuple[str, ...]:
    return tuple(map(str, more)) if isinstance(more, list) else ()


def is_import(answer: Answer) -> bool:
    """Return whether an answer is one to an import."""
    return model_and_method(answer.request)[1] == "load"
