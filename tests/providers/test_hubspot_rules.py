"""Property validation rules, as bounds of a field."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.providers.hubspot import rules
from pytest_crmseed.schema.model import Field, Kind

TEXT = Field("code", "Code", Kind.STRING, max_length=65_536)
NUMBER = Field("size", "Size", Kind.DECIMAL)


def rule(name: str, *arguments: str) -> dict[str, Any]:
    return {"ruleType": name, "ruleArguments": list(arguments)}


@pytest.mark.parametrize(
    ("field", "given_rule", "changed"),
    [
        (TEXT, rule("MAX_LENGTH", "10"), {"max_length": 10}),
        (TEXT, rule("MIN_LENGTH", "2"), {"min_length": 2}),
        (NUMBER, rule("MIN_NUMBER", "-10.5"), {"minimum": "-10.5"}),
        (NUMBER, rule("MAX_NUMBER", "1e3"), {"maximum": "1000"}),
        (NUMBER, rule("DECIMAL", "0"), {"kind": Kind.INTEGER}),
        (TEXT, rule("REGEX", "^[A-Z]+$", "Must be uppercase"), {"pattern": "^[A-Z]+$"}),
        (TEXT, rule("ALPHANUMERIC", "NUMERIC_ONLY"), {"pattern": "[0-9]*"}),
        (TEXT, rule("ALPHANUMERIC", "ALPHA_ONLY"), {"pattern": r"[^\W\d_]*"}),
        (TEXT, rule("SPECIAL_CHARACTERS", "NOT_ALLOWED"), {"pattern": r"(?:[^\W_]|\s)*"}),
        (TEXT, rule("EMAIL"), {"kind": Kind.EMAIL}),
        (TEXT, rule("URL_ALLOWED_DOMAINS", "example.com"), {"kind": Kind.URL}),
        (TEXT, rule("PHONE_NUMBER_WITH_EXPLICIT_COUNTRY_CODE", "us"), {"kind": Kind.PHONE}),
    ],
)
def test_what_a_rule_asks_for(field: Field, given_rule: dict[str, Any], changed: dict[str, Any]) -> None:
    kept = {rules.NATIVE: json.dumps([given_rule], sort_keys=True)}
    assert rules.apply(field, [given_rule]) == replace(field, native=kept, **changed)


@pytest.mark.parametrize(
    ("field", "given_rule"),
    [
        (NUMBER, rule("DECIMAL", "2")),
        (NUMBER, rule("MIN_NUMBER", "many")),
        (NUMBER, rule("MIN_NUMBER", "NaN")),
        (TEXT, rule("MAX_LENGTH")),
        (TEXT, rule("MAX_LENGTH", "x")),
        (TEXT, rule("REGEX", r"\pL+[")),
        (TEXT, rule("REGEX")),
        (TEXT, rule("ALPHANUMERIC", "RUNES_ONLY")),
        (TEXT, rule("FORMAT", "UPPER")),
        (TEXT, rule("DAYS_OF_WEEK", "MONDAY")),
        (TEXT, rule("A_RULE_TO_COME", "1")),
        (replace(TEXT, kind=Kind.TEXT), rule("EMAIL")),
        (TEXT, {"ruleType": None}),
    ],
)
def test_what_has_no_place_is_kept_as_it_is(field: Field, given_rule: dict[str, Any]) -> None:
    kept = {rules.NATIVE: json.dumps([given_rule], sort_keys=True)}
    assert rules.apply(field, [given_rule]) == replace(field, native=kept)


def test_an_expression_of_the_portals_own_weighs_most() -> None:
    both = [rule("ALPHANUMERIC", "NUMERIC_ONLY"), rule("MAX_LENGTH", "4"), rule("REGEX", "[12]+")]
    found = rules.apply(TEXT, both)
    assert (found.pattern, found.max_length) == ("[12]+", 4)
    assert json.loads(found.native[rules.NATIVE]) == both


@given(
    st.lists(
        st.fixed_dictionaries(
            {"ruleType": st.sampled_from([*rules._RULES, "OTHER"])},
            optional={"ruleArguments": st.lists(st.text(max_size=6), max_size=2)},
        ),
        max_size=4,
    )
)
def test_no_rule_ever_fails(listed: list[dict[str, Any]]) -> None:
    for field in (TEXT, NUMBER):
        found = rules.apply(field, listed)
        assert json.loads(found.native[rules.NATIVE]) == listed
        re.compile(found.pattern)
