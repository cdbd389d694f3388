"""What an emulated API tells the dispatcher of a request: where it leads, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_crmseed.portal.message import PortalResponse


@dataclass(frozen=True, slots=True)
class Described:
    """Where a request leads, before it is handled.

    ``template`` is None for what is not emulated, ``object_type`` for what concerns no one type.
    ``seeder`` says whether it comes from the seeder's own app.
    """

    label: str
    template: str | None = None
    object_type: str | None = None
    write: bool = False
    seeder: bool = False


@dataclass(frozen=True, slots=True)
class Handled:
    """An answer, and what the journal needs: the route's template, whether it creates or updates."""

    response: PortalResponse
    route: str
    write: bool = False
