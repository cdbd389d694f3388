"""Python values by kind: what may be given, and its one normal form."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from pytest_crmseed.schema.model import Field, Kind, Option
from pytest_crmseed.schema.values import Unusable, convert, kind_of, normal, options

CET = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (Kind.STRING, "x", "x"),
        (Kind.STRING, 5551234, "5551234"),
        (Kind.TEXT, Decimal("1.50"), "1.50"),
        (Kind.EMAIL, "a.b@x.example.com", "a.b@x.example.com"),
        (Kind.DECIMAL, "1E+3", Decimal("1E+3")),
        (Kind.DECIMAL, " 12.5 ", Decimal("12.5")),
        (Kind.DECIMAL, 0.1, Decimal("0.1")),
        (Kind.DECIMAL, 1e22, Decimal("1E+22")),
        (Kind.DECIMAL, 7, Decimal(7)),
        (Kind.INTEGER, "7.0", 7),
        (Kind.INTEGER, Decimal("1E+2"), 100),
        (Kind.INTEGER, 3.0, 3),
        (Kind.BOOLEAN, True, True),
        (Kind.BOOLEAN, "False", False),
        (Kind.BOOLEAN, "yes", True),
        (Kind.BOOLEAN, "0", False),
        (Kind.DATE, date(2026, 3, 31), date(2026, 3, 31)),
        (Kind.DATE, "2026-03-31", date(2026, 3, 31)),
        (Kind.DATE, datetime(2026, 3, 31, 1, tzinfo=CET), date(2026, 3, 31)),
        (Kind.DATE, "2026-03-31T00:00:00Z", date(2026, 3, 31)),
        (Kind.DATETIME, datetime(2026, 3, 31, 9), datetime(2026, 3, 31, 9, tzinfo=UTC)),
        (Kind.DATETIME, datetime(2026, 3, 31, 0, 30, tzinfo=CET), datetime(2026, 3, 30, 23, 30, tzinfo=UTC)),
        (Kind.DATETIME, date(2026, 3, 31), datetime(2026, 3, 31, tzinfo=UTC)),
        (Kind.DATETIME, "2026-03-31T09:00:00Z", datetime(2026, 3, 31, 9, tzinfo=UTC)),
        (Kind.DURATION, timedelta(hours=1), timedelta(hours=1)),
        (Kind.OPTIONS, "a", ("a",)),
        (Kind.OPTIONS, ["b", "a"], ("b", "a")),
        (Kind.OPTIONS, {"b", "a"}, ("a", "b")),
    ],
)
def test_normal_forms(kind: Kind, given: Any, expected: Any) -> None:
    found = normal(kind, given)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (Kind.STRING, True, "takes text, not bool"),
        (Kind.STRING, ["x"], "takes text, not list"),
        (Kind.EMAIL, "a@b", "is no e-mail address"),
        (Kind.EMAIL, "a b@x.org", "is no e-mail address"),
        (Kind.DECIMAL, "much", "is no number"),
        (Kind.DECIMAL, float("nan"), "is no finite number"),
        (Kind.DECIMAL, Decimal("-Infinity"), "is no finite number"),
        (Kind.DECIMAL, True, "takes a number, not bool"),
        (Kind.DECIMAL, [1], "takes a number, not list"),
        (Kind.INTEGER, "1.5", "is no whole number"),
        (Kind.INTEGER, "inf", "is no finite number"),
        (Kind.BOOLEAN, 1, "takes True or False"),
        (Kind.BOOLEAN, "maybe", "takes True or False"),
        (Kind.DATE, "soon", "is no date; give a date, or text as 2026-03-31"),
        (Kind.DATE, 20260331, "is no date; give a date, or text as 2026-03-31"),
        (Kind.DATE, datetime(2026, 3, 31, 9), "takes a day; this moment is not midnight in UTC"),
        (Kind.DATE, "2026-03-31T09:00:00Z", "takes a day; this moment is not midnight in UTC"),
        (Kind.DATETIME, "soon", "is no date and time; give a datetime, or text as 2026-03-31T09:00:00Z"),
        (Kind.DATETIME, 5, "takes a date and time, not int"),
        (Kind.DATETIME, datetime(1, 1, 1, tzinfo=CET), "is outside the years 1 to 9999 in UTC"),
        (Kind.DURATION, 60, "takes a timedelta, not int"),
        (Kind.OPTIONS, 3, "takes several options, as a list, not int"),
    ],
)
def test_values_that_cannot_be_used(kind: Kind, given: Any, said: str) -> None:
    with pytest.raises(Unusable) as unusable:
        normal(kind, given)
    assert str(unusable.value) == said


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, Kind.BOOLEAN),
        (1, Kind.INTEGER),
        (1.5, Kind.DECIMAL),
        (Decimal(1), Kind.DECIMAL),
        (datetime(2026, 1, 1), Kind.DATETIME),
        (date(2026, 1, 1), Kind.DATE),
        (timedelta(1), Kind.DURATION),
        (["a"], Kind.OPTIONS),
        ("a", Kind.STRING),
    ],
)
def test_the_kind_a_value_suggests(value: Any, kind: Kind) -> None:
    assert kind_of(value) is kind
    normal(kind, value)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (datetime(2026, 3, 31, 0, 30, tzinfo=CET), Kind.DATE, date(2026, 3, 30)),
        (date(2026, 3, 31), Kind.DATETIME, datetime(2026, 3, 31, tzinfo=UTC)),
        (Decimal("5.0"), Kind.INTEGER, 5),
        (Decimal("5.5"), Kind.INTEGER, Decimal("5.5")),
        (5, Kind.DECIMAL, Decimal(5)),
        (True, Kind.DECIMAL, True),
        ("x", Kind.DATE, "x"),
    ],
)
def test_conversion_between_near_kinds(value: Any, kind: Kind, expected: Any) -> None:
    found = convert(value, kind)
    assert found == expected and type(found) is type(expected)


SIZE = Field(
    "size",
    "Size",
    Kind.OPTION,
    (
        Option("S", "Small"),
        Option("M", "Medium"),
        Option("XL", "Extra large"),
        Option("OLD", "Old", hidden=True),
    ),
)
COLOURS = Field("colours", "Colours", Kind.OPTIONS, (Option("RED", "Red"), Option("BLUE", "Blue")))


@pytest.mark.parametrize(
    ("given", "value"), [("M", "M"), ("m", "M"), ("medium", "M"), ("Extra Large", "XL"), ("OLD", "OLD")]
)
def test_an_option_by_value_label_or_case(given: str, value: str) -> None:
    assert options(SIZE, given) == value


@pytest.mark.parametrize(("given", "value"), [("RED;blue", ("RED", "BLUE")), (["Blue"], ("BLUE",)), ("", ())])
def test_several_options(given: Any, value: Any) -> None:
    assert options(COLOURS, given) == value


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("Meduim", "is not one of the options; did you mean 'Medium'? Allowed: S, M, XL"),
        ("42", "is not one of the options. Allowed: S, M, XL"),
        (True, "takes text, not bool"),
    ],
)
def test_no_such_option(given: Any, said: str) -> None:
    with pytest.raises(Unusable) as unusable:
        options(SIZE, given)
    assert str(unusable.value) == said
