"""Odoo keeps the contract, on a real server, by both of its protocols."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_crmseed.providers.odoo import Odoo
from pytest_crmseed.testing import PortalUnderTest, ProviderContract


class TestOdoo(ProviderContract):
    provider = Odoo
    invalid = ("deals", {"close_date": "some day"})
    refused = ("deals", {"date_deadline": "some day"})
    # Odoo 19 has no second phone number.
    absent = frozenset({"contacts.mobile_phone"})

    @pytest.fixture(scope="class")
    @classmethod
    def portal(cls, odoo: Any) -> Iterator[PortalUnderTest]:
        # One stage for each of the four open ones that we have names for.
        stages = odoo.call("crm.stage", "create", vals_list=[{"name": "Negotiation", "sequence": 5}])
        yield odoo.under_test()
        odoo.call("crm.stage", "unlink", ids=stages)
