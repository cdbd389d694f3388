"""A sales forecast: what deals in HubSpot are worth, who buys most, and which contracts to renew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice

from hubspot import HubSpot
from hubspot.crm import companies, deals
from hubspot.crm.associations import v4 as associations

HUBSPOT = "https://api.hubapi.com"
BATCH = 100  # records in one request, at most
DEAL_TO_PRIMARY_COMPANY = 5  # HubSpot's own association type


class Forecast:
    """Answers a sales manager's questions about the deals of one HubSpot account."""

    def __init__(self, *, token: str, base_url: str = HUBSPOT) -> None:
        self._crm = HubSpot(access_token=token, host=base_url, base_url=base_url).crm

    def total(self, deal_ids: Iterable[str]) -> Decimal:
        """Return what these deals add up to."""
        return sum((_amount(deal) for deal in self._deals(deal_ids)), Decimal())

    def weighted(self, deal_ids: Iterable[str]) -> dict[str, Decimal]:
        """Return by stage what these deals are likely to bring: amount times probability."""
        stages = {
            stage.id: stage
            for pipeline in self._crm.pipelines.pipelines_api.get_all("deals").results
            for stage in pipeline.stages
        }
        worth: Counter[str] = Counter()
        for deal in self._deals(deal_ids):
            stage = stages[deal.properties["dealstage"]]
            worth[stage.label] += _amount(deal) * Decimal(stage.metadata["probability"])
        return dict(worth)

    def largest_customers(self, deal_ids: Iterable[str], n: int = 10) -> list[tuple[str, Decimal]]:
        """Return the ``n`` companies that have bought most in these deals, with what they paid."""
        won = {
            deal.id: _amount(deal)
            for deal in self._deals(deal_ids)
            if deal.properties["hs_is_closed_won"] == "true"
        }
        paid: Counter[str] = Counter()
        for deal_id, company_id in self._companies_of(won):
            paid[company_id] += won[deal_id]
        names = self._company_names(paid)
        return [(names[company_id], amount) for company_id, amount in paid.most_common(n)]

    def renew(self, deal_id: str) -> str:
        """Open a deal for next year's contract with the same customer, and return its id."""
        (deal,) = self._deals([deal_id])
        customer = [
            deals.PublicAssociationsForObject(
                to=deals.PublicObjectId(id=company_id),
                types=[deals.AssociationSpec("HUBSPOT_DEFINED", DEAL_TO_PRIMARY_COMPANY)],
            )
            for _, company_id in self._companies_of([deal_id])
        ]
        renewal = {
            "dealname": f"{deal.properties['dealname']} (renewal)",
            "amount": deal.properties["amount"],
            "pipeline": "default",
            "dealstage": "appointmentscheduled",
        }
        made = self._crm.deals.basic_api.create(
            deals.SimplePublicObjectInputForCreate(properties=renewal, associations=customer)
        )
        return made.id

    def _deals(self, deal_ids: Iterable[str]) -> Iterator[deals.SimplePublicObject]:
        for ids in _batches(deal_ids):
            wanted = deals.BatchReadInputSimplePublicObjectId(
                inputs=[deals.SimplePublicObjectId(id=deal_id) for deal_id in ids],
                properties=["dealname", "amount", "dealstage", "hs_is_closed_won"],
                properties_with_history=[],
            )
            yield from self._crm.deals.batch_api.read(wanted).results

    def _companies_of(self, deal_ids: Iterable[str]) -> Iterator[tuple[str, str]]:
        for ids in _batches(deal_ids):
            wanted = associations.BatchInputPublicFetchAssociationsBatchRequest(
                inputs=[associations.PublicFetchAssociationsBatchRequest(id=deal_id) for deal_id in ids]
            )
            for found in self._crm.associations.v4.batch_api.get_page("deals", "companies", wanted).results:
                for company in found.to:
                    yield found._from.id, str(company.to_object_id)

    def _company_names(self, company_ids: Iterable[str]) -> dict[str, str]:
        names = {}
        for ids in _batches(company_ids):
            wanted = companies.BatchReadInputSimplePublicObjectId(
                inputs=[companies.SimplePublicObjectId(id=company_id) for company_id in ids],
                properties=["name"],
                properties_with_history=[],
            )
            for company in self._crm.companies.batch_api.read(wanted).results:
                names[company.id] = company.properties["name"]
        return names


def _amount(deal: deals.SimplePublicObject) -> Decimal:
    return Decimal(deal.properties["amount"] or 0)


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(ids)
    while batch := list(islice(remaining, BATCH)):
        yield batch
