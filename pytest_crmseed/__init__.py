"""Seed CRM sandbox portals for tests, and clean them for sure.

The public names are loaded when they are first used: importing this package, as pytest does for
every run with the plugin installed, costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_crmseed._version import __version__

if TYPE_CHECKING:
    from pytest_crmseed.factories import (
        CallFactory,
        CompanyFactory,
        ContactFactory,
        CRMFactory,
        DealFactory,
        LeadFactory,
        LineItemFactory,
        MeetingFactory,
        NoteFactory,
        OrderFactory,
        ProductFactory,
        TaskFactory,
        TicketFactory,
    )
    from pytest_crmseed.planning import Count, count
    from pytest_crmseed.plugin.handles import CrmPortal, CrmSeeder
    from pytest_crmseed.portal import LocalPortal
    from pytest_crmseed.portal.doors.mocking import mock_crm
    from pytest_crmseed.records import Record, Ref, SeededRecords, ref
    from pytest_crmseed.seeder.public import Seeder

_HOMES = {
    "CRMFactory": "pytest_crmseed.factories",
    "CallFactory": "pytest_crmseed.factories",
    "CompanyFactory": "pytest_crmseed.factories",
    "ContactFactory": "pytest_crmseed.factories",
    "Count": "pytest_crmseed.planning",
    "CrmPortal": "pytest_crmseed.plugin.handles",
    "CrmSeeder": "pytest_crmseed.plugin.handles",
    "DealFactory": "pytest_crmseed.factories",
    "LeadFactory": "pytest_crmseed.factories",
    "LineItemFactory": "pytest_crmseed.factories",
    "LocalPortal": "pytest_crmseed.portal",
    "MeetingFactory": "pytest_crmseed.factories",
    "NoteFactory": "pytest_crmseed.factories",
    "OrderFactory": "pytest_crmseed.factories",
    "ProductFactory": "pytest_crmseed.factories",
    "Record": "pytest_crmseed.records",
    "Ref": "pytest_crmseed.records",
    "SeededRecords": "pytest_crmseed.records",
    "Seeder": "pytest_crmseed.seeder.public",
    "TaskFactory": "pytest_crmseed.factories",
    "TicketFactory": "pytest_crmseed.factories",
    "count": "pytest_crmseed.planning",
    "mock_crm": "pytest_crmseed.portal.doors.mocking",
    "ref": "pytest_crmseed.records",
}

__all__ = [
    "CRMFactory",
    "CallFactory",
    "CompanyFactory",
    "ContactFactory",
    "Count",
    "CrmPortal",
    "CrmSeeder",
    "DealFactory",
    "LeadFactory",
    "LineItemFactory",
    "LocalPortal",
    "MeetingFactory",
    "NoteFactory",
    "OrderFactory",
    "ProductFactory",
    "Record",
    "Ref",
    "SeededRecords",
    "Seeder",
    "TaskFactory",
    "TicketFactory",
    "__version__",
    "count",
    "mock_crm",
    "ref",
]

# Not for type checkers: a module-level __getattr__ makes them accept any misspelt import.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            from importlib import import_module

            return getattr(import_module(_HOMES[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return __all__
