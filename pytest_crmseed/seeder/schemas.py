"""A portal's own schema, read live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from pytest_crmseed.schema.model import Schema
from pytest_crmseed.seeder.target import Target


def live(target: Target, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Schema:
    """Read the schema of the object types the provider knows, from the portal itself.

    Raises:
        PortalError: the portal cannot be read.
    """
    provider = target.provider
    return target.connection.run(
        provider.discover(
            list(provider.schema.object_types),
            portal_id=target.account.portal_id,
            taken_at=now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
    )
