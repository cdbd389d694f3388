"""Did-you-mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.suggest import did_you_mean, nearest, valid_names

FIELDS = ["dealstage", "deal_name", "amount", "closed_won", "closed_lost"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("amout", "amount"),
        ("Deal Name", "deal_name"),
        ("DEAL-STAGE", "dealstage"),
        ("won", "closed_won"),
        ("closed", "closed_won"),
        ("on", None),
        ("zzzz", None),
        ("", None),
    ],
)
def test_the_nearest_name(name: str, found: str | None) -> None:
    assert nearest(name, FIELDS) == found


def test_a_part_that_several_names_have_means_none_of_them() -> None:
    assert nearest("clo", FIELDS) is None


def test_a_higher_cutoff_takes_slips_of_the_pen_only() -> None:
    assert nearest("amout", FIELDS, cutoff=0.82) == "amount"
    assert nearest("won", FIELDS, cutoff=0.82) is None
    assert nearest("mount_xy", FIELDS) == "amount"
    assert nearest("mount_xy", FIELDS, cutoff=0.82) is None


@given(st.lists(st.text("abcdef_", min_size=1), min_size=1, unique=True))
def test_a_name_is_nearest_to_itself_or_to_its_like(names: list[str]) -> None:
    for name in names:
        found = nearest(name, names)
        if name.strip("_"):
            assert found is not None and found.replace("_", "") == name.replace("_", "")


def test_the_sentence() -> None:
    assert did_you_mean("amout", ["stage", "amount"]) == "; did you mean 'amount'? Valid: stage, amount."
    assert did_you_mean("zzz", ["b", "a", "b"]) == ". Valid: b, a."
    assert did_you_mean("zzz", []) == "."


def test_long_lists_are_cut() -> None:
    names = [f"n{i:02}" for i in range(15)]
    assert valid_names(names) == f" Valid: {', '.join(names[:12])} and 3 more."
    assert valid_names(names[:12], "Allowed") == f" Allowed: {', '.join(names[:12])}."
    assert valid_names([]) == ""
