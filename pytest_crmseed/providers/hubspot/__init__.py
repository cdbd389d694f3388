"""HubSpot, through its CRM object APIs."""

from pytest_crmseed.providers.hubspot.wire import HubSpot

__all__ = ["HubSpot"]
