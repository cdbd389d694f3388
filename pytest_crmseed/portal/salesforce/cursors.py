"""What is left of a query's answer, to be fetched page by page."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_crmseed.portal.salesforce import ids

PREFIX = "01g"
# Salesforce docs, "Query": a cursor lasts two days.
_SECONDS = 2 * 86_400


@dataclass(frozen=True, slots=True)
class Cursor:
    """A query's whole answer as it was when it was asked."""

    id: str
    path: str
    records: Sequence[dict[str, Any]]
    page: int
    opened: float

    def answer(self, start: int) -> dict[str, Any]:
        """Return the page that begins at a record."""
        end = start + self.page
        done = end >= len(self.records)
        body: dict[str, Any] = {"totalSize": len(self.records), "done": done}
        if not done:
            body["nextRecordsUrl"] = f"{self.path}/{self.id}-{end}"
        body["records"] = self.records[start:end]
        return body


class Cursors:
    """The cursors of an org."""

    def __init__(self) -> None:
        self._open: dict[str, Cursor] = {}
        self._numbers = itertools.count(1)

    def opened(self, path: str, records: Sequence[dict[str, Any]], page: int, now: float) -> Cursor:
        """Keep an answer, and return its cursor; those that are over are forgotten."""
        self._open = {id: each for id, each in self._open.items() if each.opened + _SECONDS > now}
        cursor = Cursor(ids.made(PREFIX, next(self._numbers)), path, records, page, now)
        self._open[cursor.id] = cursor
        return cursor

    def find(self, id: str, now: float) -> Cursor | None:
        """Return a cursor that is not over, or None."""
        cursor = self._open.get(id)
        return cursor if cursor is not None and cursor.opened + _SECONDS > now else None
