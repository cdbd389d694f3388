"""What a portal holds, in SQLite: records, unique values, links, definitions, tokens.

Every provider shares one store; rows carry the provider's name. The store knows no rules: what is
valid, unique or required is decided by the provider's own room, inside one transaction.
"""

from __future__ import annotations

import json
import os
from typing import Any

from pytest_crmseed.portal.stored_links import LinkTables, StoredLink
from pytest_crmseed.portal.stored_records import PastValue, StoredRecord
from pytest_crmseed.portal.stored_search import SearchTables

__all__ = ["PastValue", "Store", "StoredLink", "StoredRecord"]


class Store(LinkTables, SearchTables):
    """The records of all providers of one portal; safe to use from many threads.

    ``path`` None keeps everything in memory; a file is locked for this process alone.

    Raises:
        UsageError: the file is no portal database, cannot be written, or another portal uses it.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        super().__init__(path)
        self._unsaved_ids = set()
        self._take_ids()

    def _take_ids(self) -> None:
        self._last_ids = {
            (provider, object_type): last
            for provider, object_type, last in self._db.execute("SELECT * FROM last_ids")
        }

    def definitions(self, provider: str, kind: str) -> list[tuple[str, str, Any]]:
        """Return the definitions of a kind that were added or changed: object type, name, JSON data."""
        with self._lock:
            rows = self._db.execute(
                "SELECT object_type, name, definition FROM definitions WHERE provider = ? AND kind = ?",
                (provider, kind),
            )
            return [(object_type, name, json.loads(text)) for object_type, name, text in rows]

    def any_definitions(self, provider: str) -> bool:
        """Return whether definitions of any kind were added or changed."""
        with self._lock:
            row = self._db.execute("SELECT 1 FROM definitions WHERE provider = ? LIMIT 1", (provider,))
            return row.fetchone() is not None

    def define(self, provider: str, kind: str, object_type: str, name: str, definition: Any) -> None:
        """Keep a definition in place of the one of the same kind and name."""
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO definitions VALUES (?, ?, ?, ?, ?)",
                (provider, kind, object_type, name, json.dumps(definition)),
            )

    def undefine(self, provider: str, object_type: str) -> None:
        """Forget all definitions of an object type."""
        with self._lock:
            self._db.execute(
                "DELETE FROM definitions WHERE provider = ? AND object_type = ?", (provider, object_type)
            )

    def tokens(self, provider: str) -> list[tuple[str, str, Any]]:
        """Return the tokens that were issued, in order: role, token, JSON details."""
        with self._lock:
            rows = self._db.execute(
                "SELECT role, token, details FROM tokens WHERE provider = ? ORDER BY rowid", (provider,)
            )
            return [(role, token, json.loads(details)) for role, token, details in rows]

    def issue(self, provider: str, role: str, token: str, details: Any) -> None:
        """Keep a token."""
        with self._lock:
            self._db.execute(
                "INSERT INTO tokens VALUES (?, ?, ?, ?)", (provider, role, token, json.dumps(details))
            )

    def revoke(self, provider: str, token: str) -> None:
        """Forget a token."""
        with self._lock:
            self._db.execute("DELETE FROM tokens WHERE provider = ? AND token = ?", (provider, token))
