"""HubSpot keeps the contract, on the local portal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_crmseed import LocalPortal
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.testing import PortalUnderTest, ProviderContract


class TestHubSpot(ProviderContract):
    provider = HubSpot
    invalid = ("deals", {"close_date": "some day"})
    refused = ("deals", {"amount": "much"})

    @pytest.fixture(scope="class")
    @classmethod
    def portal(cls) -> Iterator[PortalUnderTest]:
        with LocalPortal() as portal:
            yield PortalUnderTest(
                portal.base_url,
                {"HUBSPOT_ACCESS_TOKEN": portal.seed_token},
                lambda name: portal.stats()["records"]["hubspot"].get(name, 0),
            )
