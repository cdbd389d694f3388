"""Pipedrive keeps the contract, on the local portal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_crmseed import LocalPortal
from pytest_crmseed.providers.pipedrive import Pipedrive
from pytest_crmseed.testing import PortalUnderTest, ProviderContract


class TestPipedrive(ProviderContract):
    provider = Pipedrive
    invalid = ("deals", {"close_date": "some day"})
    refused = ("deals", {"expected_close_date": "some day"})
    # The company has switched probabilities of deals off.
    absent = frozenset({"deals.probability"})

    @pytest.fixture(scope="class")
    @classmethod
    def portal(cls) -> Iterator[PortalUnderTest]:
        with LocalPortal() as portal:
            yield PortalUnderTest(
                portal.base_url,
                {
                    "PIPEDRIVE_API_TOKEN": portal.tokens("pipedrive")["seeder"],
                    "PIPEDRIVE_COMPANY_DOMAIN": "local-portal-sandbox",
                },
                lambda name: portal.stats()["records"]["pipedrive"].get(
                    Pipedrive.legend.objects[name].native, 0
                ),
                pin="13470001@local-portal-sandbox",
            )
