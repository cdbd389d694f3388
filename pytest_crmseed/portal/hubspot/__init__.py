"""HubSpot's CRM API, emulated from its documentation for contacts, companies and deals."""

from __future__ import annotations

from pytest_crmseed.portal.hubspot.api import HubSpotApi

__all__ = ["HubSpotApi"]
