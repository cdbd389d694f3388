"""What the tests share: the application, and the kind of deals that this company sells."""

from __future__ import annotations

import factory
import pytest
from forecast import Forecast

from pytest_crmseed import DealFactory
from pytest_crmseed.factories import IntegerBetween

PRICE_OF_A_SEAT = 120


class SubscriptionFactory(DealFactory):
    """Deals as our sales team closes them: a yearly subscription, paid by the seat."""

    class Params:
        seats = IntegerBetween(5, 500)

    name = factory.LazyAttribute(lambda deal: f"Subscription, {deal.seats} seats")
    amount = factory.LazyAttribute(lambda deal: deal.seats * PRICE_OF_A_SEAT)


@pytest.fixture(scope="session")
def crm_factories():
    """Make every seeded deal a subscription."""
    return {"deals": SubscriptionFactory}


@pytest.fixture
def forecast(crm_portal) -> Forecast:
    """The application, pointed at the portal that the test's records are in."""
    return Forecast(base_url=crm_portal.base_url, token=crm_portal.token)
