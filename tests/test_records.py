"""Seeded records as tests see them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.records import Draft, Record, RecordResult, Ref, SeededRecords, ref


def decoded(object_type: str, native: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"amount": Decimal(native["amount"]), "name": native["dealname"]}


def deal(index: int = 0, id: str = "7", **native: Any) -> Record:
    return Record(
        object_type="deals",
        index=index,
        id=id,
        native={"amount": "5", "dealname": "D", **native},
        decode=decoded,
    )


def test_neutral_values_first_then_native_ones() -> None:
    record = deal()
    assert (record["amount"], record["name"], record["dealname"]) == (Decimal(5), "D", "D")
    assert record.native == {"amount": "5", "dealname": "D"}
    assert dict(record) == {"amount": Decimal(5), "name": "D"} and len(record) == 2
    assert "dealname" in record and "name" in record and "nope" not in record
    assert record.get("nope") is None and record.get("name") == "D"


def test_a_field_it_has_not() -> None:
    with pytest.raises(KeyError) as wrong:
        deal(index=3)["amout"]
    assert wrong.value.args == (
        "deals[3] has no field 'amout'; did you mean 'amount'? Valid: amount, name, dealname.",
    )


def test_records_are_equal_by_type_and_id() -> None:
    assert deal() == deal(index=4, amount="9")
    assert deal() != deal(id="8")
    assert deal() != Record(object_type="contacts", index=0, id="7")
    assert deal() != {"amount": Decimal(5), "name": "D"}
    assert len({deal(), deal(index=1), deal(id="8")}) == 2
    assert repr(deal()) == "<Record deals[0] id=7>"


def test_reload_reads_again() -> None:
    def reload(record: Record) -> tuple[Mapping[str, Any], str | None]:
        return {"amount": "6", "dealname": "E"}, None

    record = Record(
        object_type="deals", index=0, id="7", native={"amount": "5"}, url="u", decode=decoded, reload=reload
    )
    assert record.reload() is record
    assert (record["amount"], record["name"], record.url) == (Decimal(6), "E", "u")
    with pytest.raises(UsageError) as nothing:
        deal().reload()
    assert str(nothing.value) == "<Record deals[0] id=7> was not seeded by a portal and cannot be reloaded."


def test_seeded_records_by_type() -> None:
    contact = Record(object_type="contacts", index=0, id="1")
    records = SeededRecords(
        {"contacts": [contact], "deals": [deal(), deal(1, "8")]}, aliases={"0-3": "deals"}
    )
    assert records.deals == records["deals"] == records["0-3"] == (deal(), deal(id="8"))
    assert list(records) == [contact, deal(), deal(id="8")] and len(records) == 3
    assert records.object_types == ("contacts", "deals")
    assert "deals" in records and "0-3" in records and "companies" not in records
    assert records.get("companies") == () and records.get("0-3") == records.deals
    assert repr(records) == "<SeededRecords contacts=1, deals=2>"
    assert repr(SeededRecords()) == "<SeededRecords none>"


def test_an_object_type_that_was_not_seeded() -> None:
    records = SeededRecords({"deals": [deal()]}, hint="Ask for them.")
    with pytest.raises(UnknownName) as unknown:
        records["deal"]
    assert (
        str(unknown.value)
        == "unknown seeded object type 'deal'; did you mean 'deals'? Valid: deals. Ask for them."
    )
    with pytest.raises(AttributeError) as missing:
        records.contacts  # noqa: B018
    assert str(missing.value) == "unknown seeded object type 'contacts'. Valid: deals. Ask for them."
    assert not hasattr(records, "contacts") and not hasattr(records, "_private")


def test_a_narrower_layer_shadows_by_object_type() -> None:
    wide = SeededRecords({"deals": [deal()], "contacts": []}, aliases={"0-3": "deals"})
    narrow = SeededRecords({"deals": [deal(id="9")]})
    view = SeededRecords.layered([wide, narrow], hint="h")
    assert view.deals == view["0-3"] == (deal(id="9"),)
    assert view.contacts == ()


def test_a_result_is_a_record_when_it_has_an_id() -> None:
    draft = Draft("deals", 0, "k", {})
    assert not RecordResult(draft).ok
    assert RecordResult(draft, id="7").ok


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("companies", -1), "ref('companies', -1): the index is a whole number from 0 on."),
        (("companies", True), "ref('companies', True): the index is a whole number from 0 on."),
        (("companies", "0"), "ref('companies', '0'): the index is a whole number from 0 on."),
        ((0, "companies"), "ref() takes an object type's name first, not 0."),
        (("", 0), "ref() takes an object type's name first, not ''."),
    ],
)
def test_refs_that_point_nowhere(arguments: Any, said: str) -> None:
    with pytest.raises(UsageError) as wrong:
        ref(*arguments)
    assert str(wrong.value) == said


def test_a_ref() -> None:
    assert ref("contacts", 2, label="boss") == Ref("contacts", 2, "boss")
