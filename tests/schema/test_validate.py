"""Native records against a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pytest_crmseed.schema.model import Field, Kind, ObjectType, Schema
from pytest_crmseed.schema.validate import Validator
from pytest_crmseed.seeder.problems import report

THINGS = ObjectType(
    "things",
    "Thing",
    "Things",
    {
        "name": Field("name", "Name", Kind.STRING, max_length=5),
        "code": Field("code", "Code", Kind.STRING, unique=True),
        "made_at": Field("made_at", "Made at", Kind.DATETIME, read_only=True),
        "old": Field("old", "Old", Kind.STRING, archived=True),
        "must": Field("must", "Must", Kind.STRING, required=True),
        "sum": Field("sum", "Sum", Kind.DECIMAL, calculated=True, read_only=True, required=True),
        "rank": Field("rank", "Rank", Kind.INTEGER, minimum="1", maximum="9"),
        "part": Field("part", "Part", Kind.STRING, min_length=3, pattern=r"[A-Z]+\d"),
        "tier": Field("tier", "Tier", Kind.STRING, admin_required=True),
        "strange": Field("strange", "Strange", Kind.STRING, pattern="(?<"),
    },
    required_any=(("name", "code"),),
)
GOOD = {"name": "n", "must": "m"}


def said(record: Mapping[str, Any], *, complete: bool = False, **more: Any) -> list[str]:
    validator = Validator(Schema("x", {"things": THINGS}, complete=complete))
    return [str(problem) for problem in validator.record("things", 2, THINGS, record, **more)]


@pytest.mark.parametrize(
    ("record", "problems"),
    [
        (GOOD, []),
        ({**GOOD, "made_at": "now"}, ["things[2].made_at = 'now': is read-only; the portal sets it itself"]),
        (
            {**GOOD, "sum": "5"},
            ["things[2].sum = '5': is calculated by the portal from other values; it cannot be set"],
        ),
        ({**GOOD, "rank": "1"}, []),
        ({**GOOD, "rank": 9}, []),
        ({**GOOD, "rank": "0.9"}, ["things[2].rank = '0.9': is less than the smallest allowed, 1"]),
        ({**GOOD, "rank": 10}, ["things[2].rank = 10: is more than the largest allowed, 9"]),
        ({**GOOD, "rank": ""}, []),
        ({**GOOD, "part": "AB1"}, []),
        ({**GOOD, "part": "AB1\n"}, ["things[2].part = 'AB1\\n': does not match the pattern [A-Z]+\\d"]),
        ({**GOOD, "part": "A1"}, ["things[2].part = 'A1': has 2 characters; at least 3 are needed"]),
        ({**GOOD, "strange": "x"}, []),
        ({**GOOD, "old": "x"}, ["things[2].old = 'x': is archived in the portal"]),
        ({**GOOD, "name": "12345"}, []),
        ({**GOOD, "name": "123456"}, ["things[2].name = '123456': has 6 characters; at most 5 are allowed"]),
        ({"must": "m"}, ["things[2].name: a value for name or code is required on create"]),
        (
            {"must": "m", "code": "", "name": None},
            ["things[2].name: a value for name or code is required on create"],
        ),
        ({"code": "c"}, ["things[2].must: is required on create"]),
        ({**GOOD, "unheard_of": 1}, []),
    ],
)
def test_problems(record: dict[str, Any], problems: list[str]) -> None:
    assert said(record) == problems


def test_a_complete_schema_refuses_fields_it_does_not_have() -> None:
    assert said({**GOOD, "unheard_of": 1}, complete=True) == [
        "things[2].unheard_of = 1: the portal has no such field. Valid: name, code, made_at, old, "
        "must, sum, rank, part, tier, strange"
    ]
    (problem,) = said({**GOOD, "codes": 1}, complete=True)
    assert problem == (
        "things[2].codes = 1: the portal has no such field; did you mean 'code'? Valid: name, code, made_at, "
        "old, must, sum, rank, part, tier, strange"
    )


def test_what_could_not_be_translated_does_not_count_as_missing() -> None:
    assert said({}, untranslated={"name", "must"}) == []


def test_unique_values_over_a_whole_plan_whatever_their_case() -> None:
    validator = Validator(Schema("x", {"things": THINGS}))

    def problems(index: int, code: str, name: str = "things") -> list[str]:
        return [str(p) for p in validator.record(name, index, THINGS, {**GOOD, "code": code})]

    assert problems(0, "Abc") == []
    assert problems(1, "abd") == []
    assert problems(2, "aBC") == ["things[2].code = 'aBC': must be unique, and things[0] has the same value"]
    # Another object type has its own values, and no value clashes with none.
    assert problems(3, "abc", "others") == []
    assert problems(4, "") == problems(5, "") == []


def test_the_report_groups_equal_problems_and_cuts_long_lists() -> None:
    validator = Validator(Schema("x", {"things": THINGS}))
    problems = [
        problem
        for index in range(3)
        for problem in validator.record("things", index, THINGS, {"must": "m", "made_at": "now"})
    ]
    assert report(problems) == (
        "2 values cannot be sent; nothing was written.\n"
        "  things[0].made_at = 'now': is read-only; the portal sets it itself (and 2 more records)\n"
        "  things[0].name: a value for name or code is required on create (and 2 more records)"
    )
    different = [
        p for i in range(27) for p in validator.record("things", i, THINGS, {**GOOD, "old": f"v{i}"})
    ]
    assert report(different).splitlines()[-2:] == [
        "  things[24].old = 'v24': is archived in the portal",
        "  and 2 more problems",
    ]
    assert report(different[:1]).startswith("A value cannot be sent; nothing was written.\n")


def test_what_administrators_require_counts_only_where_the_api_obeys_it() -> None:
    schema = Schema("x", {"things": THINGS})
    assert list(Validator(schema).record("things", 0, THINGS, GOOD)) == []
    (problem,) = Validator(schema, admin_rules=True).record("things", 0, THINGS, GOOD)
    assert str(problem) == "things[0].tier: is required on create"


def test_messages_use_neutral_names() -> None:
    problems = Validator(Schema("x", {"things": THINGS})).record(
        "things", 0, THINGS, {"code": "", "name": ""}, neutral={"name": "title", "must": "need"}
    )
    assert [str(problem) for problem in problems] == [
        "things[0].title (name): a value for title or code is required on create",
        "things[0].need (must): is required on create",
    ]


def test_fields_that_share_unique_values() -> None:
    pools = {"things": [("code", "name")]}
    validator = Validator(Schema("x", {"things": THINGS}), unique_together=pools)

    def problems(index: int, **values: str) -> list[str]:
        record = {"must": "m", **values}
        return [str(p) for p in validator.record("things", index, THINGS, record)]

    assert problems(0, code="a", name="b;c") == []
    assert problems(1, code="C") == ["things[1].code = 'C': must be unique, and things[0] has the same value"]
    assert problems(2, name="d; A") == [
        "things[2].name = 'd; A': must be unique, and things[0] has the same value"
    ]
    # One record may say the same twice.
    assert problems(3, code="e", name="e") == []
