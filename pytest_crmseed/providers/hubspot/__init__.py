"""HubSpot: contacts, companies and deals through the CRM object APIs."""

from pytest_crmseed.providers.hubspot.wire import HubSpot

__all__ = ["HubSpot"]
