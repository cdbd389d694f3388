"""The forecast, tested on records that exist in a CRM: made before each test, gone after it."""

from __future__ import annotations

from decimal import Decimal

import factory
import pytest

from pytest_crmseed import count


def ids(records):
    return [record.id for record in records]


# Ten deals, with the company and the contact they need. The values are the factory's.
@pytest.mark.crm_seed(deals=10)
def test_total_is_the_sum_of_all_amounts(forecast, crm_records):
    assert forecast.total(ids(crm_records.deals)) == sum(deal["amount"] for deal in crm_records.deals)


# Values that matter to the test stand in the marker.
@pytest.mark.crm_seed(deals=count(4, stage=factory.Iterator(["closed_won", "closed_lost"]), amount=1000))
def test_deals_that_are_decided_weigh_all_or_nothing(forecast, crm_records):
    assert forecast.weighted(ids(crm_records.deals)) == {"Closed Won": 2000, "Closed Lost": 0}


# More than one batch of the API: does the application page?
@pytest.mark.crm_seed(deals=count(120, amount=Decimal("0.10")))
def test_total_of_more_deals_than_fit_into_one_request(forecast, crm_records):
    assert forecast.total(ids(crm_records.deals)) == 12


# Seeded once for all tests of this module that carry it: nine deals dealt out over three companies.
three_customers = pytest.mark.crm_seed(
    companies=3, deals=count(9, stage="closed_won", amount=5000), scope="module"
)


@three_customers
def test_customers_are_ranked_by_what_they_paid(forecast, crm_records):
    ranking = dict(forecast.largest_customers(ids(crm_records.deals)))
    assert ranking == {company["name"]: 15_000 for company in crm_records.companies}


@three_customers
def test_a_new_deal_changes_the_ranking(forecast, crm_records, crm_seeder):
    second = crm_records.companies[1]
    late = crm_seeder(deals=count(1, stage="closed_won", amount=700, company=second))
    ranking = forecast.largest_customers(ids([*crm_records.deals, *late.deals]), n=1)
    assert ranking == [(second["name"], 15_700)]


# Fields of our own factory (conftest.py) work in the marker, too.
@pytest.mark.crm_seed(deals=count(3, seats=20))
def test_subscriptions_are_paid_by_the_seat(forecast, crm_records):
    assert crm_records.deals[0]["name"] == "Subscription, 20 seats"
    assert forecast.total(ids(crm_records.deals)) == 3 * 20 * 120


# What the application makes itself is adopted: the plugin reads it, and removes it with the rest.
@pytest.mark.crm_seed(deals=count(1, stage="closed_won", seats=50))
def test_renewal_costs_the_same_and_is_open_again(forecast, crm_records, crm_seeder):
    contract = crm_records.deals[0]
    renewal = crm_seeder.adopt("deals", forecast.renew(contract.id))
    assert renewal["name"] == "Subscription, 50 seats (renewal)"
    assert renewal["amount"] == contract["amount"]
    assert renewal["stage"] == "new"
