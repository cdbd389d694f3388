"""Seed CRM sandbox portals for tests, and clean them for sure.

The public names are loaded when they are first used: importing this package, as pytest does for
every run with the plugin installed, costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_crmseed._version import __version__

if TYPE_CHECKING:
    from pytest_crmseed.factories import CompanyFactory, ContactFactory, CRMFactory, DealFactory
    from pytest_crmseed.planning import Count, count
    from pytest_crmseed.plugin.handles import CrmPortal, CrmSeeder
    from pytest_crmseed.portal import LocalPortal
    from pytest_crmseed.records import Record, Ref, SeededRecords, ref
    from pytest_crmseed.seeder.public import Seeder

_HOMES = {
    "CRMFactory": "pytest_crmseed.factories",
    "CompanyFactory": "pytest_crmseed.factories",
    "CrmPortal": "pytest_crmseed.plugin.handles",
    "CrmSeeder": "pytest_crmseed.plugin.handles",
    "ContactFactory": "pytest_crmseed.factories",
    "Count": "pytest_crmseed.planning",
    "DealFactory": "pytest_crmseed.factories",
    "LocalPortal": "pytest_crmseed.portal",
    "Record": "pytest_crmseed.records",
    "Ref": "pytest_crmseed.records",
    "SeededRecords": "pytest_crmseed.records",
    "Seeder": "pytest_crmseed.seeder.public",
    "count": "pytest_crmseed.planning",
    "ref": "pytest_crmseed.records",
}

__all__ = [
    "CRMFactory",
    "CompanyFactory",
    "ContactFactory",
    "Count",
    "CrmPortal",
    "CrmSeeder",
    "DealFactory",
    "LocalPortal",
    "Record",
    "Ref",
    "SeededRecords",
    "Seeder",
    "__version__",
    "count",
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
