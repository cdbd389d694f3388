"""MiniCRM keeps the contract of pytest-crmseed's providers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from crmseed_minicrm import MiniCRM
from minicrm_server import MiniCRMServer

from pytest_crmseed.testing import PortalUnderTest, ProviderContract


class TestMiniCRM(ProviderContract):
    provider = MiniCRM
    invalid = ("deals", {"close_date": "some day"})
    refused = ("deals", {"value": "much"})

    @pytest.fixture(scope="class")
    @classmethod
    def portal(cls) -> Iterator[PortalUnderTest]:
        with MiniCRMServer() as server:
            yield PortalUnderTest(
                server.url,
                {"MINICRM_API_KEY": server.api_key},
                lambda name: server.count(MiniCRM.legend.objects[name].native),
            )
