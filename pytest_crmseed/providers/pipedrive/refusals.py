"""Read Pipedrive's error bodies (Pipedrive docs, "HTTP status codes"; bodies of real companies)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pytest_crmseed.records import Refusal

_VALIDATION = "Validation failed: "
# Several problems stand in one text, each behind the key it is about.
_PROBLEM = re.compile(r"(?:^|; )(?P<field>[A-Za-z0-9_.\[\]]+): ")


def code_of(body: object) -> str:
    """Return the code of an error body, or nothing."""
    return str(body.get("code") or "") if isinstance(body, Mapping) else ""


def said_in(body: object, otherwise: str = "no reason given") -> str:
    """Return the text of an error body."""
    return str(body.get("error") or otherwise) if isinstance(body, Mapping) else otherwise


def read_refusals(body: object, *, status: int | None = None) -> tuple[Refusal, ...]:
    """Return what an error body says; one refusal for each field it names. Never empty."""
    whole = json.dumps(body, ensure_ascii=False, default=str)
    text, code = said_in(body), code_of(body)

    def refusal(message: str, field: str | None = None) -> Refusal:
        return Refusal(message=message, code=code, field=field, status=status, body=whole)

    problems: list[tuple[str, str]] = []
    if text.startswith(_VALIDATION):
        rest = text.removeprefix(_VALIDATION)
        found = list(_PROBLEM.finditer(rest))
        ends: list[Any] = [match.start() for match in found[1:]]
        problems = [
            (match["field"], rest[match.end() : end].strip())
            for match, end in zip(found, [*ends, None], strict=True)
        ]
    return tuple(refusal(said, field) for field, said in problems) or (refusal(text),)
