"""The error file: one JSON line for each refused record, with what the API itself said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_crmseed.errors import UsageError
from pytest_crmseed.records import RecordResult


class ErrorFile:
    """Append refused records to a file; opened for each line, so that nothing is lost in a crash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0

    def write(
        self, result: RecordResult, *, provider: str, run_id: str, test: str, homes: Mapping[str, str]
    ) -> None:
        """Append one line for a refused record; ``homes`` gives neutral names by native name.

        Raises:
            UsageError: the file cannot be written.
        """
        draft = result.draft
        line = {
            "run": run_id,
            "test": test,
            "provider": provider,
            "object": draft.object_type,
            "index": draft.index,
            "key": draft.key,
            "sent": draft.values,
            "refusals": [
                {
                    "field": refusal.field,
                    "neutral_field": homes.get(refusal.field or ""),
                    "value": refusal.value,
                    "code": refusal.code,
                    "message": refusal.message,
                    "status": refusal.status,
                    "request_id": refusal.request_id,
                    "allowed": list(refusal.allowed),
                    "existing_id": refusal.existing_id,
                }
                for refusal in result.refusals
            ],
        }
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False, default=_plain) + "\n")
        except OSError as error:
            raise UsageError(
                f"the error file {self.path} cannot be written: {error.strerror or error}.",
                remedy="Name another with --crm-errors PATH.",
            ) from error
        self.lines += 1


def _plain(value: Any) -> str:
    return str(value)
