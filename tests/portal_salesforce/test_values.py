"""Ids, and values of fields: read, kept, answered."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.portal.salesforce import ids, instants, stock, values

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def field(kind: str, **facts: Any) -> Any:
    return stock.field({"name": "F", "label": "F", "type": kind, **facts})


# -- ids -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "whole",
    [
        "001D000000IRFmaIAH",
        "012000000000000AAA",
        "0015500001QdQWfAAN",
        "0014S000007NxmlQAC",
        "0034S000005YJVlQAO",
        "00Q4S000002sSacUAE",
        "7014S00000097HcQAI",
        "0TO4S000000GuXcWAK",
    ],
)
def test_ids_of_real_orgs_check(whole: str) -> None:
    assert ids.full(whole[:15]) == whole
    assert ids.parse(whole) == ids.parse(whole[:15]) == ids.Id(whole, whole[:3], None)


@given(st.sampled_from(["001", "00Q", "a0X"]), st.integers(min_value=0, max_value=62**9 - 1))
def test_ids_lead_back_to_their_number(prefix: str, number: int) -> None:
    id = ids.made(prefix, number)
    assert (len(id), ids.parse(id)) == (18, ids.Id(id, prefix, number))
    assert ids.parse(id[:15]) == ids.parse(id)


@given(st.text(_ALPHABET, min_size=15, max_size=15), st.integers(0, 14), st.sampled_from(_ALPHABET))
def test_one_wrong_letter_is_seen_or_changes_no_case(short: str, place: int, letter: str) -> None:
    whole = ids.full(short)
    changed = short[:place] + letter + short[place + 1 :]
    same_case = letter.isupper() == short[place].isupper()
    assert (ids.parse(changed + whole[15:]) is not None) == same_case


@pytest.mark.parametrize(
    "text", ["", "001", "0017e000001Luw4AA", "0017e000001Luw-", None, 1, "0017e000001Luw4AAD"]
)
def test_what_is_no_id(text: object) -> None:
    assert ids.parse(text) is None


# -- what a client sends -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "sent", "kept"),
    [
        ("string", " a ", "a"),
        ("string", 12, "12"),
        ("string", True, "true"),
        ("string", "", None),
        ("textarea", "a\r\nb \n", "a\nb"),
        ("boolean", True, "true"),
        ("boolean", "FALSE", "false"),
        ("boolean", 1, "true"),
        ("boolean", None, "false"),
        ("boolean", "", "false"),
        ("int", "10000", "10000"),
        ("int", 7.0, "7"),
        ("int", "", None),
        ("double", "1e2", "100"),
        ("double", -0.0, "0"),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", "2026-03-01T00:30:00+01:00", "2026-02-28"),
        ("datetime", "2026-02-28T10:00:00Z", "2026-02-28T10:00:00.000+0000"),
        ("datetime", "2026-02-28T10:00:00.1234+01:00", "2026-02-28T09:00:00.123+0000"),
        ("datetime", "2021-04-14T18:52:45.000+0000", "2021-04-14T18:52:45.000+0000"),
        ("datetime", "2026-02-28", "2026-02-28T00:00:00.000+0000"),
        ("time", "11:59:59.5Z", "11:59:59.500Z"),
        ("multipicklist", "a; b;;c", "a;b;c"),
    ],
)
def test_values_as_they_are_kept(kind: str, sent: Any, kept: str | None) -> None:
    assert values.stored(field(kind), sent) == kept


@pytest.mark.parametrize(
    ("kind", "sent", "what"),
    [
        ("boolean", "yes", "boolean from VALUE_STRING value yes"),
        ("int", 1.5, "int from VALUE_NUMBER_FLOAT value 1.5"),
        ("int", True, "int from VALUE_TRUE value true"),
        ("currency", "1,50", "double from VALUE_STRING value 1,50"),
        ("double", "inf", "double from VALUE_STRING value inf"),
        ("double", "1e999", "double from VALUE_STRING value 1e999"),
        ("date", "2026-02-30", "date from VALUE_STRING value 2026-02-30"),
        ("date", 5, "date from VALUE_NUMBER_INT value 5"),
        ("datetime", "2013-08-12T15:20:00+0000", "datetime from VALUE_STRING value 2013-08-12T15:20:00+0000"),
        ("datetime", "2026-02-28T10:00:00", "datetime from VALUE_STRING value 2026-02-28T10:00:00"),
        (
            "datetime",
            "0001-01-01T00:00:00+01:00",
            "datetime from VALUE_STRING value 0001-01-01T00:00:00+01:00",
        ),
        ("time", "25:00:00", "time from VALUE_STRING value 25:00:00"),
        ("string", ["a"], "string from START_ARRAY value ["),
        ("string", {"a": 1}, "string from START_OBJECT value {"),
    ],
)
def test_values_that_are_of_another_type(kind: str, sent: Any, what: str) -> None:
    with pytest.raises(values.Unusable) as caught:
        values.stored(field(kind), sent)
    problem = caught.value.problem
    told = (
        f"Cannot deserialize instance of {what} or request may be missing a required field"
        " at [line:1, column:1]"
    )
    assert (problem.code, problem.message, problem.fields) == ("JSON_PARSER_ERROR", told, None)


@given(
    st.decimals(min_value=-(10**15), max_value=10**15, allow_nan=False, allow_infinity=False, places=5),
    st.integers(0, 4),
)
def test_numbers_are_rounded_to_their_scale(number: Decimal, scale: int) -> None:
    kept = values.stored(field("currency", precision=18, scale=scale), str(number))
    assert kept is not None
    assert abs(Decimal(kept) - number) <= Decimal(5).scaleb(-scale - 1)
    assert kept == format(Decimal(kept), "f") and -Decimal(kept).as_tuple().exponent == scale  # type: ignore[operator]


@given(st.datetimes(min_value=datetime(1700, 1, 1)))
def test_moments_come_back_as_they_went_in(moment: datetime) -> None:
    text = f"{moment.isoformat(timespec='milliseconds')}+0000"
    assert instants.moment(text) == text
    assert instants.moment(text.replace("+0000", "Z")) == text
    assert instants.day(text) == text[:10]


# -- values by themselves ------------------------------------------------------------------------------
_COLOURS = field("multipicklist", picklistValues=["Red", "Green"], restrictedPicklist=True, length=4099)


def test_several_values_of_a_list() -> None:
    assert values.same_case(_COLOURS, "green;RED;blue") == "Green;Red;blue"
    problem = values.problem(_COLOURS, "Green;Blue;Black")
    assert problem is not None
    assert problem.message == "F: bad value for restricted picklist field: Blue"
    assert values.problem(_COLOURS, "Green;Red") is None


@pytest.mark.parametrize(
    ("kind", "facts", "text", "bad"),
    [
        ("percent", {"precision": 3}, "999", False),
        ("percent", {"precision": 3}, "1000", True),
        ("double", {"precision": 18, "scale": 15}, "-999.5", False),
        ("double", {"precision": 18, "scale": 15}, "1000", True),
        ("int", {"digits": 4}, "-9999", False),
        ("int", {"digits": 4}, "10000", True),
    ],
)
def test_bounds_of_numbers(kind: str, facts: dict[str, Any], text: str, bad: bool) -> None:
    problem = values.problem(field(kind, **facts), text)
    assert (problem is not None) == bad
    if problem is not None:
        assert problem.message == f"F: value outside of valid range on numeric field: {text}"
