"""Salesforce keeps the contract, on the local portal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_crmseed import LocalPortal
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.testing import PortalUnderTest, ProviderContract


class TestSalesforce(ProviderContract):
    provider = Salesforce
    invalid = ("deals", {"close_date": "some day"})
    refused = ("deals", {"CloseDate": "some day"})
    # The org has one currency and no record types.
    absent = frozenset({"deals.currency", "deals.pipeline", "products.currency", "orders.currency"})

    @pytest.fixture(scope="class")
    @classmethod
    def portal(cls) -> Iterator[PortalUnderTest]:
        with LocalPortal() as portal:
            yield PortalUnderTest(
                portal.base_url,
                {
                    "SALESFORCE_INSTANCE_URL": portal.base_url,
                    "SALESFORCE_ACCESS_TOKEN": portal.tokens("salesforce")["seeder"],
                },
                lambda name: portal.stats()["records"]["salesforce"].get(
                    Salesforce.legend.objects[name].native, 0
                ),
            )
