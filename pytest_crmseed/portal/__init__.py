"""The local portal: a faithful emulation of CRM HTTP APIs, on a loopback address.

    with LocalPortal() as portal:
        application = Application(base_url=portal.base_url, token=portal.token)

Importing this package loads neither a web server nor SQLite; starting a portal does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_crmseed.portal.app import Portal
    from pytest_crmseed.portal.behaviour import Behaviour
    from pytest_crmseed.portal.clock import Clock, VirtualClock
    from pytest_crmseed.portal.faults import Fault, Faults
    from pytest_crmseed.portal.journal import RecordedRequest
    from pytest_crmseed.portal.local import LocalPortal
    from pytest_crmseed.portal.message import PortalRequest, PortalResponse
    from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour, PipedriveUser
    from pytest_crmseed.portal.salesforce.behaviour import SalesforceBehaviour
    from pytest_crmseed.portal.snapshot import Snapshot

__all__ = [
    "Behaviour",
    "Clock",
    "Fault",
    "Faults",
    "LocalPortal",
    "PipedriveBehaviour",
    "PipedriveUser",
    "Portal",
    "PortalRequest",
    "PortalResponse",
    "RecordedRequest",
    "SalesforceBehaviour",
    "Snapshot",
    "VirtualClock",
]

_HOMES = {
    "Behaviour": "behaviour",
    "Clock": "clock",
    "Fault": "faults",
    "Faults": "faults",
    "LocalPortal": "local",
    "PipedriveBehaviour": "pipedrive.behaviour",
    "PipedriveUser": "pipedrive.behaviour",
    "Portal": "app",
    "PortalRequest": "message",
    "PortalResponse": "message",
    "RecordedRequest": "journal",
    "SalesforceBehaviour": "salesforce.behaviour",
    "Snapshot": "snapshot",
    "VirtualClock": "clock",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
