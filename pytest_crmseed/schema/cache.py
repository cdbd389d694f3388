"""Schemas that were read live, kept in files for a while; and how old a schema is, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_crmseed.errors import UsageError
from pytest_crmseed.schema import documents
from pytest_crmseed.schema.model import Schema

FRESH_FOR = timedelta(hours=24)
"""A schema that was read longer ago is read anew."""


class SchemaCache:
    """A folder with one schema file for each portal of each provider.

    The files have the format of pulled schemas. Each is written whole or not at all, so that several
    processes may read while one writes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, provider: str, portal_id: str) -> Path:
        """Return the file of a portal."""
        return self.folder / f"{_safe(provider)}-{_safe(portal_id)}.json"

    def read(self, provider: str, portal_id: str) -> Schema | None:
        """Return the schema kept of a portal, or None.

        Raises:
            UsageError: there is a file, and it cannot be used (another version wrote it, perhaps).
        """
        path = self.path(provider, portal_id)
        if not path.exists():
            return None
        schema = documents.read(path, provider=provider, source="cache")
        if schema.portal_id != portal_id or read_at(schema) is None:
            raise UsageError(f"{path} does not say that it is the schema of portal {portal_id}, and when.")
        return schema

    def latest(self, provider: str) -> Schema | None:
        """Return the schema of this provider that was read last, of whichever portal, or None.

        Files that cannot be used are passed by.
        """
        return max(self._all(provider), key=lambda schema: schema.taken_at, default=None)

    def _all(self, provider: str) -> Iterator[Schema]:
        for path in self.folder.glob(f"{_safe(provider)}-*.json"):
            try:
                schema = documents.read(path, provider=provider, source="cache")
            except UsageError:
                continue
            if read_at(schema) is not None:
                yield schema

    def write(self, schema: Schema) -> None:
        """Keep a schema in place of the one of its portal.

        Raises:
            UsageError: the folder cannot be written to.
        """
        documents.write(schema, self.path(schema.provider, schema.portal_id))

    def forget(self) -> None:
        """Remove all schemas."""
        for path in self.folder.glob("*.json"):
            path.unlink(missing_ok=True)


def _safe(text: str) -> str:
    return re.sub(r"[^\w.@]", "_", text, flags=re.ASCII)


# -- age ------------------------------------------------------------------------------------------
def stamp(now: datetime) -> str:
    """Return the text by which a schema says when it was read."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_at(schema: Schema) -> datetime | None:
    """Return when a schema was read; None where it does not say."""
    try:
        moment = datetime.fromisoformat(schema.taken_at)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def fresh(schema: Schema, now: datetime) -> bool:
    """Return whether a schema was read so short a time ago that it need not be read again."""
    moment = read_at(schema)
    # A time to come is that of a clock that was put right since: nobody knows how old it is.
    return moment is not None and timedelta(seconds=-1) < now - moment < FRESH_FOR


def age(schema: Schema, now: datetime) -> str:
    """Return in words how long ago a schema was read: ``just now``, ``5 min ago``, ``3 h ago``, …"""
    moment = read_at(schema)
    if moment is None:
        return "at a time that it does not tell"
    seconds = (now - moment).total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def told(schema: Schema, now: datetime, *, name: str = "") -> str:
    """Return where a schema comes from and how old it is; ``name`` is that of its file.

    ``live, read just now``; ``cached, read 3 h ago``; ``bundled, of 2026-08-21``;
    ``crm-schema.json, read 2 d ago from portal 1234567``.
    """
    if schema.source == "bundled":
        return f"bundled, of {schema.taken_at}"
    if schema.source == "file":
        return f"{name or 'a file'}, read {age(schema, now)} from portal {schema.portal_id or 'unknown'}"
    return f"{'cached' if schema.source == 'cache' else schema.source}, read {age(schema, now)}"


def older_than(schema: Schema, snapshot: Schema) -> bool:
    """Return whether a schema was read before the bundled snapshot was made."""
    mine, its = read_at(schema), read_at(snapshot)
    return mine is not None and its is not None and mine < its
