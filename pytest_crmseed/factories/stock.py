"""The factories of this package, by the neutral object type they make."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pytest_crmseed.factories.activities import CallFactory, MeetingFactory, NoteFactory, TaskFactory
from pytest_crmseed.factories.base import CRMFactory
from pytest_crmseed.factories.commerce import LineItemFactory, OrderFactory, ProductFactory
from pytest_crmseed.factories.objects import CompanyFactory, ContactFactory, DealFactory
from pytest_crmseed.factories.service import LeadFactory, TicketFactory

_STOCK: Mapping[str, type[CRMFactory]] = MappingProxyType(
    {
        made._meta.object_type: made
        for made in (
            CompanyFactory,
            ContactFactory,
            LeadFactory,
            DealFactory,
            TicketFactory,
            ProductFactory,
            LineItemFactory,
            OrderFactory,
            NoteFactory,
            TaskFactory,
            CallFactory,
            MeetingFactory,
        )
    }
)


def default_factories() -> dict[str, type[CRMFactory]]:
    """Return the factories of this package by object type, in a dictionary of the caller's own."""
    return dict(_STOCK)
