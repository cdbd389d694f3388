"""Python values by kind: what may be given, and its one normal form."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from pytest_crmseed.schema.model import Field, Kind, Option
from pytest_crmseed.schema.tables import Problem, shown
from pytest_crmseed.schema.values import Unusable, convert, is_empty, kind_of, normal, options, plain

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
        (Kind.DECIMAL, "+.5", Decimal("0.5")),
        (Kind.DECIMAL, "5.", Decimal(5)),
        (Kind.DECIMAL, -0.0, Decimal("0.0")),
        (Kind.DECIMAL, 10**300, Decimal(10**300)),
        (Kind.STRING, 1e22, "10000000000000000000000"),
        (Kind.STRING, "", ""),
        (Kind.EMAIL, "", ""),
        (Kind.EMAIL, "Ödön.o'neil+x@münchen.xn--p1ai", "Ödön.o'neil+x@münchen.xn--p1ai"),
        (Kind.PHONE, "ask at the desk", "ask at the desk"),
        (Kind.URL, "no scheme", "no scheme"),
        (Kind.INTEGER, "7.0", 7),
        (Kind.INTEGER, Decimal("1E+2"), 100),
        (Kind.INTEGER, 3.0, 3),
        (Kind.BOOLEAN, True, True),
        (Kind.BOOLEAN, "False", False),
        (Kind.BOOLEAN, "yes", True),
        (Kind.BOOLEAN, "0", False),
        (Kind.BOOLEAN, 1, True),
        (Kind.BOOLEAN, 0, False),
        (Kind.DATE, date(2026, 3, 31), date(2026, 3, 31)),
        (Kind.DATE, "2026-03-31", date(2026, 3, 31)),
        (Kind.DATE, datetime(2026, 3, 31, 1, tzinfo=CET), date(2026, 3, 31)),
        (Kind.DATE, "2026-03-31T00:00:00Z", date(2026, 3, 31)),
        (Kind.DATETIME, datetime(2026, 3, 31, 9), datetime(2026, 3, 31, 9, tzinfo=UTC)),
        (Kind.DATETIME, datetime(2026, 3, 31, 0, 30, tzinfo=CET), datetime(2026, 3, 30, 23, 30, tzinfo=UTC)),
        (Kind.DATETIME, date(2026, 3, 31), datetime(2026, 3, 31, tzinfo=UTC)),
        (Kind.DATETIME, "2026-03-31T09:00:00Z", datetime(2026, 3, 31, 9, tzinfo=UTC)),
        (Kind.DURATION, timedelta(hours=1), timedelta(hours=1)),
        (Kind.TIME, time(9, 30, 1, 5), time(9, 30, 1, 5)),
        (Kind.TIME, time(9, tzinfo=UTC), time(9)),
        (Kind.TIME, "09:30", time(9, 30)),
        (Kind.TIME, "23:59:59.5Z", time(23, 59, 59, 500_000)),
        (Kind.OPTIONS, "a", ("a",)),
        (Kind.OPTIONS, ["b", "a"], ("b", "a")),
        (Kind.OPTIONS, {"b", "a"}, ("a", "b")),
        (Kind.OPTIONS, {1, "a"}, ("1", "a")),
        (Kind.OPTIONS, ["a", "b", "a"], ("a", "b")),
        (Kind.OPTIONS, "b; a;;b", ("b", "a")),
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
        (Kind.STRING, {"x": 1}, "takes text, not dict"),
        (Kind.STRING, len, "takes text, not builtin_function_or_method"),
        (Kind.STRING, date(2026, 3, 31), "takes text, not date"),
        (Kind.STRING, b"x", "takes text, not bytes; decode it first"),
        (Kind.STRING, float("nan"), "is no finite number"),
        (Kind.STRING, "\ud83d", "holds half of a surrogate pair, which is no character"),
        (Kind.EMAIL, "me", "is no e-mail address: it has no @"),
        (Kind.EMAIL, "@x.org", "is no e-mail address: nothing stands before the @"),
        (Kind.EMAIL, "a@", "is no e-mail address: nothing stands after the @"),
        (Kind.EMAIL, "a@b@x.org", "is no e-mail address: it has more than one @"),
        (Kind.EMAIL, "a..b@x.org", "is no e-mail address: it has two dots in a row"),
        (Kind.EMAIL, ".a@x.org", "is no e-mail address: the part before the @ begins or ends with a dot"),
        (
            Kind.EMAIL,
            "a,b@x.org",
            "is no e-mail address: 'a,b' has characters that cannot stand before the @",
        ),
        (Kind.EMAIL, "a@x.1", "is no e-mail address: the domain 'x.1' has no ending as .com"),
        (Kind.EMAIL, "a@-x.org", "is no e-mail address: '-x.org' is no domain"),
        (Kind.EMAIL, f"{'a' * 320}@x.org", "is no e-mail address: it is longer than 320 characters"),
        (Kind.EMAIL, 5, "is no e-mail address: it has no @"),
        (Kind.DECIMAL, "1,234.50", "is no number; write it with digits and a point, as 1234.50"),
        (Kind.DECIMAL, "1_000", "is no number; write it with digits and a point, as 1234.50"),
        (Kind.DECIMAL, "€ 5", "is no number; write it with digits and a point, as 1234.50"),
        (Kind.DECIMAL, "-inf", "is no finite number"),
        (Kind.DECIMAL, "", "is no number"),
        (Kind.DECIMAL, "1e999", "is a number of more than 400 digits"),
        (Kind.DECIMAL, Decimal("1E-999999"), "is a number of more than 400 digits"),
        (Kind.DECIMAL, 10**4000, "is a number of more than 400 digits"),
        (Kind.INTEGER, Decimal("1E+1000000"), "is a number of more than 400 digits"),
        (Kind.DECIMAL, b"5", "takes a number, not bytes"),
        (Kind.DECIMAL, 1j, "takes a number, not complex"),
        (Kind.EMAIL, "a@b", "is no e-mail address: the domain 'b' has no ending as .com"),
        (Kind.EMAIL, "a b@x.org", "is no e-mail address: it has a space"),
        (Kind.DECIMAL, "much", "is no number"),
        (Kind.DECIMAL, float("nan"), "is no finite number"),
        (Kind.DECIMAL, Decimal("-Infinity"), "is no finite number"),
        (Kind.DECIMAL, True, "takes a number, not bool"),
        (Kind.DECIMAL, [1], "takes a number, not list"),
        (Kind.INTEGER, "1.5", "is no whole number"),
        (Kind.INTEGER, "inf", "is no finite number"),
        (Kind.BOOLEAN, 2, "takes True or False"),
        (Kind.BOOLEAN, "maybe", "takes True or False"),
        (Kind.DATE, "soon", "is no date; give a date, or text as 2026-03-31"),
        (Kind.DATETIME, "soon", "is no date and time; give a datetime, or text as 2026-03-31T09:00:00Z"),
        (Kind.TIME, "9:30", "is no time of day; give a datetime.time, or text as 09:00"),
        (Kind.TIME, "24:00", "is no time of day; give a datetime.time, or text as 09:00"),
        (Kind.TIME, "09:30+01:00", "is no time of day; give a datetime.time, or text as 09:00"),
        (
            Kind.TIME,
            time(9, tzinfo=CET),
            "takes a time of day without a zone; give a datetime.time, or text as 09:00",
        ),
        (Kind.TIME, 9, "takes a time of day, not int; give a datetime.time, or text as 09:00"),
        (Kind.DURATION, 60, "takes a timedelta, as timedelta(minutes=30), not int"),
        (Kind.DURATION, "1h", "takes a timedelta, as timedelta(minutes=30), not str"),
        (Kind.OPTIONS, 3, "takes several options, as a list, not int"),
        (Kind.OPTIONS, {"a": 1}, "takes several options, as a list, not dict"),
        (Kind.OPTIONS, [["a"]], "takes text, not list"),
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
        (time(9), Kind.TIME),
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
YES_NO = Field("ok", "OK", Kind.BOOLEAN, (Option("true", "Ja"), Option("false", "Nein")))
FLAG = Field("flag", "Flag", Kind.OPTION, (Option("true", "Yes"), Option("false", "No")))


class Colour(Enum):
    RED = "RED"


COLOURS = Field("colours", "Colours", Kind.OPTIONS, (Option("RED", "Red"), Option("BLUE", "Blue")))


@pytest.mark.parametrize(
    ("given", "value"), [("M", "M"), ("m", "M"), ("medium", "M"), ("Extra Large", "XL"), ("OLD", "OLD")]
)
def test_an_option_by_value_label_or_case(given: str, value: str) -> None:
    assert options(SIZE, given) == value


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("RED;blue", ("RED", "BLUE")),
        ("red; Blue", ("RED", "BLUE")),
        (["Blue"], ("BLUE",)),
        (("RED", "Red", "BLUE"), ("RED", "BLUE")),
        ({"RED", "BLUE"}, ("BLUE", "RED")),
        ([Colour.RED], ("RED",)),
        ("", ()),
        ([], ()),
    ],
)
def test_several_options(given: Any, value: Any) -> None:
    assert options(COLOURS, given) == value


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("Meduim", "is not one of the options; did you mean 'Medium'? Allowed: S, M, XL"),
        ("42", "is not one of the options. Allowed: S, M, XL"),
        (True, "takes an option, not bool. Allowed: S, M, XL"),
        (["S", "M"], "takes one option, not a list of 2"),
        (None, "takes text, not NoneType"),
    ],
)
def test_no_such_option(given: Any, said: str) -> None:
    with pytest.raises(Unusable) as unusable:
        options(SIZE, given)
    assert str(unusable.value) == said


def test_what_was_meant_and_what_is_allowed_can_be_read_apart_from_the_text() -> None:
    with pytest.raises(Unusable) as unusable:
        options(SIZE, "Meduim")
    assert (unusable.value.suggestion, unusable.value.allowed) == ("Medium", ("S", "M", "XL"))


def test_a_text_that_is_an_option_s_label_is_one_whatever_it_holds() -> None:
    field = Field(
        "f", "F", Kind.OPTIONS, (Option("a", "Red; warm"), Option("b", "Red"), Option("c; d", "Both"))
    )
    assert options(field, "Red; warm") == ("a",)
    assert options(field, "c; d") == ("c; d",)
    assert options(field, "Red; Both") == ("b", "c; d")


def test_options_are_not_added_to_a_record_that_is_new() -> None:
    with pytest.raises(Unusable) as unusable:
        options(COLOURS, ";RED")
    assert str(unusable.value) == (
        "begins with ';', which adds options to those a record has; a new record has none, so give the "
        "options alone"
    )
    assert unusable.value.suggestion == "RED"


def test_owners_by_id_or_name() -> None:
    owner = Field("owner", "Owner", Kind.OPTION, (Option("77", "Ann Other"),), external="owners")
    assert (options(owner, 77), options(owner, "ann other")) == ("77", "77")
    with pytest.raises(Unusable, match=r"^is no owner of this portal\. Allowed: 77$"):
        options(owner, "5")


@pytest.mark.parametrize(("given", "value"), [("JA", True), ("nein", False), ("no", False), (True, True)])
def test_a_boolean_by_its_labels(given: Any, value: bool) -> None:
    assert options(YES_NO, given) is value
    with pytest.raises(Unusable, match=r"^takes True or False$"):
        options(YES_NO, "vielleicht")


def test_a_picklist_of_true_and_false_takes_booleans() -> None:
    assert (options(FLAG, True), options(FLAG, "no")) == ("true", "false")


class Scalar:
    """As numpy's: a type of its own around a Python value."""

    shape = ()

    def item(self) -> int:
        return 5


def test_plain_values() -> None:
    assert plain(Colour.RED) == "RED"
    assert plain(Scalar()) == 5
    assert plain("x") == "x"


@pytest.mark.parametrize(
    ("kind", "value", "empty"),
    [
        (Kind.DECIMAL, "", True),
        (Kind.OPTION, "", True),
        (Kind.OPTIONS, "", True),
        (Kind.STRING, "", False),
        (Kind.EMAIL, "", False),
        (Kind.DATE, " ", False),
        (Kind.OPTIONS, [], False),
    ],
)
def test_an_empty_text_is_no_value_where_no_text_is_held(kind: Kind, value: Any, empty: bool) -> None:
    assert is_empty(kind, value) is empty


class Odd:
    def __repr__(self) -> str:
        raise RuntimeError("no")


ODD = [
    Odd(),
    Odd,
    b"x",
    bytearray(b"x"),
    {},
    {1: 2},
    object(),
    lambda: 1,
    1j,
    ...,
    iter(()),
    [[]],
    {()},
    time(9, tzinfo=CET),
]


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("kind", [kind for kind in Kind])
def test_odd_values_give_a_reason_for_every_kind(kind: Kind, value: Any) -> None:
    with pytest.raises(Unusable, match=r"^(takes|is no) "):
        normal(kind, value)
    for definition in (SIZE, COLOURS, YES_NO):
        with pytest.raises(Unusable, match=r"^takes "):
            options(definition, value)
    assert str(Problem("deals", 0, "x", value, "no")).endswith(": no")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x" * 81, f"'{'x' * 40}'… (81 characters)"),
        (b"x" * 100, f"b'{'x' * 40}'… (100 bytes)"),
        (10**4000, "a whole number of 13288 bits"),
        (
            list(range(100)),
            "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 2…",
        ),
    ],
)
def test_long_values_are_cut_in_messages(value: Any, text: str) -> None:
    assert shown(value) == text
