"""Run ids and unique keys."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.ingest.keys import LONGEST_KEY, Key, make_key, new_run_id, parse_key

RUN = "0mf3k2x9a1b2c3d4e5f6g7"
NOW = 1_790_000_000

run_ids = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=22)
seeds = st.one_of(
    st.integers(0, 99_999), st.builds("gw{}.{}".format, st.integers(0, 127), st.integers(0, 99_999))
)
object_types = st.one_of(
    st.sampled_from(["deals", "2-123", "Thing__c", "p123_name", "res.partner", "a-1-2", "-", "x_9-3"]),
    st.text(string.ascii_letters + string.digits + "_.-", min_size=1, max_size=28),
)
times = st.integers(0, 10_000_000_000)


@given(run_ids, times, times, object_types, seeds, st.integers(0, 999_999))
def test_a_key_says_what_it_was_made_from(
    run_id: str, issued: int, lasts: int, object_type: str, seed: int | str, index: int
) -> None:
    key = make_key(run_id, issued, issued + lasts, object_type, seed, index)
    assert parse_key(key) == Key(run_id, issued, issued + lasts, object_type, str(seed), index)
    assert len(key) <= LONGEST_KEY
    assert set(key) <= set(string.ascii_letters + string.digits + "-_.~")


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_any_name_of_an_object_type_makes_a_key(name: str, other: str) -> None:
    text = make_key(RUN, NOW, NOW, name, "gw12.99999", 999_999)
    key = parse_key(text)
    assert key is not None
    assert text.isascii() and text.isprintable() and " " not in text
    assert len(text) <= LONGEST_KEY
    assert key.is_of(name)
    assert key.is_of(other) == (name == other)


parts = st.tuples(st.sampled_from(["a", "a-1", "a-1-0", "1"]), seeds, st.integers(0, 50))


@given(st.lists(parts, unique_by=lambda p: (p[0], str(p[1]), p[2])))
def test_keys_of_a_run_differ(records: list[tuple[str, int | str, int]]) -> None:
    keys = {make_key(RUN, NOW, NOW + 7200, *record) for record in records}
    assert len(keys) == len(records)


def test_a_key_reads_as_documented() -> None:
    key = make_key(RUN, NOW, NOW + 7200, "2-123", "gw0.3", 41)
    assert key == f"crmseed-1-{RUN}-tlpwu8-tlq2e8-2-123-gw0_3-15"


def test_a_fractional_expiry_is_never_early() -> None:
    key = parse_key(make_key(RUN, 10.9, 20.1, "deals", 1, 0))
    assert key is not None
    assert (key.issued_at, key.expires_at) == (10, 21)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "crmseed",
        "something else",
        f"crmseed-2-{RUN}-a-b-deals-1-0",
        f"xcrmseed-1-{RUN}-a-b-deals-1-0",
        f"crmseed-1-{RUN}-a-b-deals-1-0\n",
        f"crmseed-1-{RUN}-a-b-deals-1",
        f"crmseed-1-{RUN}-a-b--1-0",
        f"crmseed-1-{RUN.upper()}-a-b-deals-1-0",
        f"crmseed-1-{RUN}-0a-b-deals-1-0",
        f"crmseed-1-{RUN}-b-a-deals-1-0",
        f"crmseed-1-{RUN}-a-b-de als-1-0",
        f"crmseed-1-{RUN}-a-b-{'x' * 100}-1-0",
    ],
)
def test_a_foreign_text_is_no_key(text: str | None) -> None:
    assert parse_key(text) is None


@given(
    st.sampled_from(["deals", "a-1", "x" * 40]),
    seeds,
    st.integers(0, 99),
    st.integers(0, 99),
    st.characters(),
)
def test_a_key_with_one_letter_changed_is_none_or_another_exact_key(
    name: str, seed: int | str, index: int, position: int, letter: str
) -> None:
    text = make_key(RUN, NOW, NOW + 99, name, seed, index)
    position %= len(text)
    changed = text[:position] + letter + text[position + 1 :]
    key = parse_key(changed)
    if key is not None and "~" not in key.object_type:
        made = make_key(key.run_id, key.issued_at, key.expires_at, key.object_type, key.seed, key.index)
        assert made == changed


def test_parts_that_cannot_stand_in_a_key_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^'Run-1' is no run id: 1 to 26 digits and small letters\.$"):
        make_key("Run-1", NOW, NOW, "deals", 1, 0)
    with pytest.raises(
        UsageError,
        match=r"^'a_b' cannot name a seed in a key: a number, or a worker and a number \(gw0\.3\)\.$",
    ):
        make_key(RUN, NOW, NOW, "deals", "a_b", 0)
    with pytest.raises(UsageError, match=r"^no key for 'deals'\[-1\], issued at 5, expiring at 5\.$"):
        make_key(RUN, 5, 5, "deals", 1, -1)
    with pytest.raises(UsageError, match=r"^no key for 'deals'\[0\], issued at 5, expiring at 4\.$"):
        make_key(RUN, 5, 4, "deals", 1, 0)
    with pytest.raises(UsageError, match=r"^the key 'crmseed-1-.*' is longer than 100 characters\.$"):
        make_key("z" * 26, NOW, NOW, "d" * 28, "gw123456.12345678", 36**9)


def test_run_ids_sort_by_time_and_differ() -> None:
    source = random.Random(7)
    early = [new_run_id(lambda: 1_790_000_000.0, source) for _ in range(50)]
    late = [new_run_id(lambda: 1_790_000_000.001, source) for _ in range(50)]
    assert len({*early, *late}) == 100
    assert max(early) < min(late)
    assert all(
        len(run_id) == 22 and set(run_id) <= set(string.ascii_lowercase + string.digits) for run_id in early
    )


def test_run_ids_do_not_follow_the_global_random_seed() -> None:
    random.seed(1)
    first = new_run_id(lambda: 1.0)
    random.seed(1)
    state = random.getstate()
    assert new_run_id(lambda: 1.0) != first
    assert random.getstate() == state
