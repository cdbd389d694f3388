"""What an emulated API gives back to the dispatcher."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_crmseed.portal.message import PortalResponse


@dataclass(frozen=True, slots=True)
class Handled:
    """An answer, and what the journal needs: the route's template, whether it creates or updates."""

    response: PortalResponse
    route: str
    write: bool = False
