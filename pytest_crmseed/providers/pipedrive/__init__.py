"""The Pipedrive provider: organizations, persons, deals, leads, products, notes and activities."""

from pytest_crmseed.providers.pipedrive.wire import Pipedrive

__all__ = ["Pipedrive"]
