from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.factories import Generation
from pytest_crmseed.factories.streams import Stream, below, filled, split

NUMBERS = st.integers(0, 2**64 - 1)
INDICES = st.integers(0, 100_000)


@given(st.lists(INDICES, min_size=1, max_size=20))
def test_a_number_is_the_same_whatever_was_read_before(indices: list[int]) -> None:
    stream = Stream(1, "node", "deals", "amount")
    assert [stream.number(i) for i in indices] == [
        Stream(1, "node", "deals", "amount").number(i) for i in indices
    ]


def test_numbers_stay_as_they_are_across_releases() -> None:
    stream = Stream(0, "", "deals", "amount")
    assert [stream.number(i) for i in (0, 1, 255, 256, 10**12)] == [
        6193056417043476316,
        161584305781638594,
        16082057412392038358,
        2127502918806864549,
        3451221390867167620,
    ]


def test_each_part_of_the_key_makes_another_stream() -> None:
    keys = [
        (0, "a", "b", "c"),
        (1, "a", "b", "c"),
        (0, "", "ab", "c"),
        (0, "ab", "", "c"),
        (0, "a", "bc", ""),
    ]
    assert len({Stream(*key).number(0) for key in keys}) == len(keys)


def test_a_node_id_may_hold_any_text() -> None:
    assert 0 <= Stream(-5, "tests/test_ü.py::test[\udcff\x00]", "deals", "name").number(-3) < 2**64


def test_threads_may_share_a_stream() -> None:
    shared = Stream(0, "", "deals", "amount")
    indices = list(range(0, 20_000, 7)) * 2
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(shared.number, indices))
    own = Stream(0, "", "deals", "amount")
    assert drawn == [own.number(i) for i in indices]


@given(NUMBERS, st.integers(1, 10**6))
def test_below_and_split_agree_and_stay_in_range(number: int, limit: int) -> None:
    chosen, rest = split(number, limit)
    assert chosen == below(number, limit)
    assert 0 <= chosen < limit
    assert 0 <= rest < 2**64


def test_what_split_leaves_over_is_spread_as_evenly_as_a_number() -> None:
    stream = Stream(3)
    pairs = [split(stream.number(i), 3) for i in range(3000)]
    counts = {(chosen, below(rest, 3)): 0 for chosen, rest in pairs}
    for chosen, rest in pairs:
        counts[chosen, below(rest, 3)] += 1
    assert len(counts) == 9
    assert all(230 < count < 450 for count in counts.values())


def test_a_template_is_filled_with_all_digits_it_may_have() -> None:
    start, ends = filled("+1 212 555 01##")
    assert start == "+1 212 555 01"
    assert ends == tuple(f"{n:02d}" for n in range(100))
    assert filled("+33 6 39 98 ## ##")[1][12 * 100 + 34] == "12 34"
    assert filled("100% of #") == ("100% of ", tuple("0123456789"))
    assert filled("#%")[1][7] == "7%"
    assert filled("none") == ("none", ("",))


def test_a_generation_has_defaults_and_is_a_value() -> None:
    assert Generation() == Generation(0, date(2026, 1, 1), "", "", "en_US", "example.com")
    assert Generation().tagged_domain == "example.com"
    assert Generation(unique_tag="k3", email_domain="seed.test").tagged_domain == "k3.seed.test"


@pytest.mark.parametrize("tag", ["K3", "a-b", "a.b", "ü", "x" * 41, "a\n"])
def test_a_tag_that_is_no_part_of_a_domain_is_refused(tag: str) -> None:
    with pytest.raises(UsageError) as caught:
        Generation(unique_tag=tag)
    assert str(caught.value) == (
        f"the unique tag {tag!r} cannot be part of a domain name. "
        "It takes at most 40 of the characters a-z and 0-9."
    )


@pytest.mark.parametrize(
    "domain", ["", "localhost", "Example.com", "a..b", "-a.com", "a b.com", "x" * 121 + ".com"]
)
def test_an_email_domain_that_is_none_is_refused(domain: str) -> None:
    with pytest.raises(UsageError) as caught:
        Generation(email_domain=domain)
    assert str(caught.value) == (
        f"the e-mail domain {domain!r} is no domain name. It takes lower-case labels joined by dots, "
        "like seed.example.com, at most 120 characters."
    )


def test_an_unknown_locale_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"^unknown locale 'de-DE'; did you mean 'de_DE'\? Valid: a"):
        Generation(locale="de-DE")
