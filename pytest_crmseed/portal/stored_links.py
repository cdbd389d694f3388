"""Links between records in the store: one row for each direction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_crmseed.portal.database import Database, parts


@dataclass(frozen=True, slots=True)
class StoredLink:
    """One direction of an association between two records."""

    from_type: str
    from_id: int
    to_type: str
    to_id: int
    category: str
    type_id: int


class LinkTables(Database):
    """The part of the store that holds links."""

    def link(self, provider: str, links: Iterable[StoredLink]) -> None:
        """Add links; one that exists already stays as it is."""
        with self._lock:
            self._db.executemany(
                "INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (provider, a.from_type, a.from_id, a.to_type, a.to_id, a.category, a.type_id)
                    for a in links
                ],
            )

    def unlink(self, provider: str, links: Iterable[StoredLink]) -> None:
        """Remove links; those that do not exist are passed over."""
        with self._lock:
            self._db.executemany(
                "DELETE FROM links WHERE provider = ? AND from_type = ? AND from_id = ? AND to_type = ?"
                " AND to_id = ? AND category = ? AND type_id = ?",
                [
                    (provider, a.from_type, a.from_id, a.to_type, a.to_id, a.category, a.type_id)
                    for a in links
                ],
            )

    def unlink_type(self, provider: str, from_type: str, category: str, type_id: int) -> None:
        """Remove all links of a type that start at an object type."""
        with self._lock:
            self._db.execute(
                "DELETE FROM links WHERE provider = ? AND from_type = ? AND category = ? AND type_id = ?",
                (provider, from_type, category, type_id),
            )

    def links(
        self, provider: str, from_type: str, from_ids: Iterable[int], to_type: str | None = None
    ) -> dict[int, list[StoredLink]]:
        """Return the links that start at records, by their id, ordered by target and type."""
        found: dict[int, list[StoredLink]] = {}
        only = "" if to_type is None else " AND to_type = ?"
        last = () if to_type is None else (to_type,)
        with self._lock:
            for part in parts(list(from_ids)):
                marks = ",".join("?" * len(part))
                rows = self._db.execute(
                    "SELECT from_type, from_id, to_type, to_id, category, type_id FROM links"
                    f" WHERE provider = ? AND from_type = ? AND from_id IN ({marks}){only}"
                    " ORDER BY from_id, to_type, to_id, type_id",
                    (provider, from_type, *part, *last),
                )
                for row in rows:
                    found.setdefault(row[1], []).append(StoredLink(*row))
        return found

    def links_between(
        self, provider: str, from_type: str, from_id: int, to_type: str, to_ids: Iterable[int]
    ) -> list[StoredLink]:
        """Return the links from a record to some others, in this direction alone."""
        found: list[StoredLink] = []
        with self._lock:
            for part in parts(list(to_ids)):
                marks = ",".join("?" * len(part))
                rows = self._db.execute(
                    "SELECT from_type, from_id, to_type, to_id, category, type_id FROM links"
                    f" WHERE provider = ? AND from_type = ? AND from_id = ? AND to_type = ?"
                    f" AND to_id IN ({marks})",
                    (provider, from_type, from_id, to_type, *part),
                )
                found.extend(StoredLink(*row) for row in rows)
        return found
