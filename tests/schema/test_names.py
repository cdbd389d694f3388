"""Fields by any of their names."""

from __future__ import annotations

import pytest

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.providers.hubspot.legend import LEGEND
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Schema

FIELDS = (
    Field("dealname", "Deal Name", Kind.STRING),
    Field("Tier__c", "Tier", Kind.STRING),
    Field("region_a", "Region", Kind.STRING),
    Field("region_b", "region", Kind.STRING),
    Field("old_owner", "Owner", Kind.STRING, archived=True),
    Field("owner_id", "Owner", Kind.STRING),
)
DEALS = ObjectType("deals", "Deal", "Deals", {field.name: field for field in FIELDS})
NAMES = Translator(LEGEND, Schema("hubspot", {"deals": DEALS}, complete=True))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("name", "name"),
        ("NAME", "name"),
        ("DealName", "name"),
        ("tier__C", "Tier__c"),
        ("TIER", "Tier__c"),
        ("region_a", "region_a"),
        # Of two fields of one label, the archived one is not meant.
        ("owner", "owner_id"),
    ],
)
def test_names_and_labels_in_any_case(wanted: str, found: str) -> None:
    assert NAMES.resolve("deals", wanted) == found


def test_a_label_of_several_fields_is_not_guessed() -> None:
    with pytest.raises(UsageError) as several:
        NAMES.resolve("deals", "Region")
    assert str(several.value) == (
        "'Region' is the label of 2 fields of deals: region_a, region_b. Give one of these names."
    )


def test_a_near_miss_is_refused_with_what_was_meant() -> None:
    with pytest.raises(
        UnknownName, match=r"^unknown field 'teir' of deals; did you mean 'Tier__c'\? Valid: "
    ):
        NAMES.resolve("deals", "teir")


def test_the_neutral_names_of_native_fields() -> None:
    assert NAMES.spellings("deals")["dealname"] == "name"
    assert NAMES.spellings("deals").get("Tier__c") is None
