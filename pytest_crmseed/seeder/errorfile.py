"""The error file: one JSON line for each refused record, with what the API itself said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_crmseed.errors import PortalError, UsageError
from pytest_crmseed.records import RecordResult, Refusal
from pytest_crmseed.suggest import nearest

# What the API said stands in each line as far as it is this short; else in a line of its own.
SHORT = 2_000
LONGEST = 64 * 1024


class ErrorFile:
    """Append refused records and failed requests to a file.

    It is opened for each line, so that nothing is lost in a crash. ``redact`` takes secrets out of a
    line; what the API said is kept whole, but for what goes beyond 64 KiB.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self._written: set[str] = set()

    def write(
        self,
        result: RecordResult,
        *,
        provider: str,
        run_id: str,
        test: str,
        homes: Mapping[str, str],
        redact: Callable[[str], str] = str,
    ) -> None:
        """Append one line for a refused record; ``homes`` gives neutral names by native name.

        Raises:
            UsageError: the file cannot be written.
        """
        draft = result.draft
        about = {"run": run_id, "test": test, "provider": provider}
        refusals = [self._refusal(refusal, about, homes, redact) for refusal in result.refusals]
        self._append(
            {
                **about,
                "object": draft.object_type,
                "index": draft.index,
                "key": draft.key,
                "sent": draft.values,
                "refusals": refusals,
            },
            redact,
        )

    def write_failure(
        self,
        error: PortalError,
        *,
        provider: str,
        run_id: str,
        test: str,
        redact: Callable[[str], str] = str,
    ) -> None:
        """Append one line for a request that failed as a whole, with the answer.

        Raises:
            UsageError: the file cannot be written.
        """
        about = {"run": run_id, "test": test, "provider": provider}
        said = self._said(error.body, about, redact)
        line = {**about, "error": type(error).__name__, "message": error.message, "status": error.status}
        self._append({**line, "body": said}, redact)

    def _refusal(
        self,
        refusal: Refusal,
        about: Mapping[str, str],
        homes: Mapping[str, str],
        redact: Callable[[str], str],
    ) -> dict[str, Any]:
        return {
            "field": refusal.field,
            "neutral_field": homes.get(refusal.field or ""),
            "value": refusal.value,
            "code": refusal.code,
            "message": refusal.message,
            "status": refusal.status,
            "request_id": refusal.request_id,
            "allowed": list(refusal.allowed),
            "suggestion": suggestion_for(refusal),
            "existing_id": refusal.existing_id,
            "body": self._said(refusal.body, about, redact),
        }

    def _said(self, body: str, about: Mapping[str, str], redact: Callable[[str], str]) -> Any:
        """Return what the API said, or where in this file it stands."""
        if not body:
            return None
        if len(body) <= SHORT:
            return _parsed(body)
        name = hashlib.sha256(body.encode("utf-8", "replace")).hexdigest()[:12]
        if name not in self._written:
            kept = _parsed(body) if len(body) <= LONGEST else f"{body[:LONGEST]}…"
            self._append({**about, "answer": name, "body": kept}, redact)
            self._written.add(name)
        return {"answer": name}

    def _append(self, line: Mapping[str, Any], redact: Callable[[str], str]) -> None:
        text = redact(json.dumps(line, ensure_ascii=False, default=str))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(text + "\n")
        except OSError as error:
            raise UsageError(
                f"the error file {self.path} cannot be written: {error.strerror or error}.",
                remedy="Name another with --crm-errors PATH.",
            ) from error
        self.lines += 1


def suggestion_for(refusal: Refusal) -> str | None:
    """Return the allowed value that is most like the refused one, if one is."""
    if refusal.value is None or not refusal.allowed or str(refusal.value) in refusal.allowed:
        return None
    return nearest(str(refusal.value), refusal.allowed)


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body
