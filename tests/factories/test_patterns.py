"""Texts of regular expressions: they match, are within their lengths, and are counted without repeats."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_crmseed.factories.patterns import Unmatchable, texts_of

ATOMS = [
    "a",
    "Z",
    "7",
    "-",
    r"\.",
    r"\d",
    r"\w",
    "[A-Z]",
    "[a-f0-9]",
    "[^0-9]",
    "[-x]",
    "[a-]",
    ".",
    r"[\d.]",
    " ",
]
SIGNS = ["", "?", "*", "+", "{3}", "{1,4}", "{2,}", "{,3}", "+?", "*?", "{2}?"]


@st.composite
def patterns(draw: st.DrawFn) -> str:
    def pieces(depth: int) -> str:
        out = []
        for _ in range(draw(st.integers(1, 3))):
            if depth and draw(st.booleans()):
                start = draw(st.sampled_from(["(", "(?:", f"(?P<n{draw(st.integers(0, 10**9))}>"]))
                inner = "|".join(pieces(depth - 1) for _ in range(draw(st.integers(1, 3))))
                out.append(f"{start}{inner})" + draw(st.sampled_from(SIGNS)))
            else:
                out.append(draw(st.sampled_from(ATOMS)) + draw(st.sampled_from(SIGNS)))
        return "".join(out)

    return draw(st.sampled_from(["", "^", r"\A"])) + pieces(1) + draw(st.sampled_from(["", "$"]))


@settings(max_examples=200)
@given(patterns(), st.integers(0, 12), st.one_of(st.none(), st.integers(0, 30)), st.data())
def test_every_text_matches_and_is_as_long_as_asked(
    pattern: str, least: int, more: int | None, data: st.DataObject
) -> None:
    try:
        re.compile(pattern)
    except re.error:
        assume(False)
    most = None if more is None else least + more
    try:
        node = texts_of(pattern, least, most)
    except Unmatchable:
        return
    text = node.text(data.draw(st.integers(0, node.size - 1)))
    assert re.fullmatch(pattern, text)
    assert least <= len(text)
    assert most is None or len(text) <= most


@pytest.mark.parametrize("pattern", [r"[A-C]\d", r"(a|b)[xyz]?", r"[01]{2,4}", r"x(\d|y)"])
def test_texts_are_counted_without_repeats(pattern: str) -> None:
    node = texts_of(pattern)
    texts = [node.text(rank) for rank in range(node.size)]
    assert len(set(texts)) == node.size
    assert all(re.fullmatch(pattern, text) for text in texts)


def test_texts_of_one_case_differ_also_for_a_portal_that_folds_it() -> None:
    node = texts_of("[A-Za-z]{2}", one_case=True)
    assert len({node.text(rank).casefold() for rank in range(node.size)}) == node.size == 26 * 26
    assert texts_of("[A-Z]{2}", one_case=True).text(0) == "AA"


def test_common_patterns_of_forms() -> None:
    assert texts_of(r"^[A-Z]{2}-\d{4}$").text(0) == "AA-0000"
    assert texts_of(r"\d{5}(-\d{4})?", 10).text(3) == "00000-0003"
    assert texts_of(r"[a-z]+", 20, 20).text(0) == "a" * 20
    assert texts_of("(red|green|blue)").size == 3


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?=x)x", "the group (?=x…) is not known here"),
        (r"\bfoo", r"\b is not known here"),
        (r"(a)\1", r"\1 is not known here"),
        (r"\x41", r"\x is not known here"),
        ("a++", "a possessive quantifier at 0 is not known here"),
        ("[", "it is no regular expression (unterminated character set at position 0)"),
        ("x$y", "the text 'xy' made for it does not match"),
    ],
)
def test_what_is_not_known_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(Unmatchable) as caught:
        texts_of(pattern)
    assert str(caught.value) == reason


def test_texts_that_would_be_matched_for_ever_are_short() -> None:
    # Two to the number of their characters: one of forty takes days.
    pattern = r"^( {,3}|.*?-{,3} {,3}| {2,})+([\d.]*[-x]*?| {,3}\w{2,})*$"
    node = texts_of(pattern)
    assert node.most <= 16
    assert re.fullmatch(pattern, node.text(node.size - 1))
    assert texts_of(r"([a-z]+\.)+[a-z]{2,}", most=255).most <= 16
    with pytest.raises(Unmatchable) as long:
        texts_of(r"([a-z]+\.)+[a-z]{2,}", 17)
    assert str(long.value) == "it has no text of 17 characters or more that is found here"
    # One group of alternatives, or what is repeated as it is, takes no such time.
    assert texts_of("(a+|b)?c{3,}", 30).most > 16
    assert texts_of("(abc)+", 30).most > 16


def test_lengths_that_no_text_has_are_refused() -> None:
    with pytest.raises(Unmatchable) as both:
        texts_of(r"\d{3}", 5, 9)
    assert str(both.value) == "it has no text of 5 to 9 characters that is found here"
    with pytest.raises(Unmatchable) as least:
        texts_of(r"\d{3}", 5)
    assert str(least.value) == "it has no text of 5 characters or more that is found here"
