"""Generation: factories of reproducible records, which are dictionaries of neutral fields."""

from __future__ import annotations

from pytest_crmseed.factories.activities import CallFactory, MeetingFactory, NoteFactory, TaskFactory
from pytest_crmseed.factories.base import CRMFactory
from pytest_crmseed.factories.commerce import LineItemFactory, OrderFactory, ProductFactory
from pytest_crmseed.factories.computed import Computed, Draw
from pytest_crmseed.factories.custom import factory_for
from pytest_crmseed.factories.declarations import (
    UNSET,
    DateBetween,
    DecimalBetween,
    Drawn,
    IntegerBetween,
    Pick,
    Sometimes,
    Unique,
    Weighted,
)
from pytest_crmseed.factories.objects import CompanyFactory, ContactFactory, DealFactory
from pytest_crmseed.factories.service import LeadFactory, TicketFactory
from pytest_crmseed.factories.stock import default_factories
from pytest_crmseed.factories.streams import Generation

__all__ = [
    "UNSET",
    "CRMFactory",
    "CallFactory",
    "CompanyFactory",
    "Computed",
    "ContactFactory",
    "DateBetween",
    "DealFactory",
    "DecimalBetween",
    "Draw",
    "Drawn",
    "Generation",
    "IntegerBetween",
    "LeadFactory",
    "LineItemFactory",
    "MeetingFactory",
    "NoteFactory",
    "OrderFactory",
    "Pick",
    "ProductFactory",
    "Sometimes",
    "TaskFactory",
    "TicketFactory",
    "Unique",
    "Weighted",
    "default_factories",
    "factory_for",
]
