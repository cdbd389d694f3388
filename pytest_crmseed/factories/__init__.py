"""Generation: factories of reproducible records, which are dictionaries of neutral fields."""

from __future__ import annotations

from pytest_crmseed.factories.base import CRMFactory
from pytest_crmseed.factories.computed import Computed, Draw
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
from pytest_crmseed.factories.objects import CompanyFactory, ContactFactory, DealFactory, default_factories
from pytest_crmseed.factories.streams import Generation

__all__ = [
    "UNSET",
    "CRMFactory",
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
    "Pick",
    "Sometimes",
    "Unique",
    "Weighted",
    "default_factories",
]
