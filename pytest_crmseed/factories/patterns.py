"""Texts that match a regular expression, counted: the n-th text of a pattern.

Only what forms of portals are made of is known here: literals, escapes (``\\d``, ``\\w``, ``\\s``),
classes, groups, alternatives, and quantifiers. What looks around, back or ahead is refused.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

# What negated classes and the dot choose from.
_ANY = string.ascii_letters + string.digits
_CLASSES = {
    "d": string.digits,
    "w": string.ascii_letters + string.digits + "_",
    "s": " ",
    "D": string.ascii_letters,
    "W": "-.",
    "S": _ANY,
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_RANGE = re.compile(r"\{(\d*)(,?)(\d*)\}")

# How many more repetitions than it takes an open quantifier has, at most: first choice first.
_MORE = (8, 4, 2, 1, 0)
# Lengths beyond this are not tried.
_LONGEST = 4096
# Of a pattern that repeats what itself may be shorter or longer, as (a*|b)+ does: to match a text against it
# may take time that doubles with every character, here and where the value is checked before it is sent.
_LONGEST_NESTED = 16


class Unmatchable(Exception):
    """A pattern cannot be filled; the text is the reason."""


@dataclass(frozen=True)
class Node:
    """A part of a pattern: how many texts it has, and the length of the shortest and the longest."""

    size: int
    least: int
    most: int

    def text(self, rank: int) -> str:
        """Return the text number ``rank``, from 0 to ``size - 1``."""
        raise NotImplementedError


@dataclass(frozen=True)
class _Chars(Node):
    characters: str = ""

    def text(self, rank: int) -> str:
        return self.characters[rank]


@dataclass(frozen=True)
class _Sequence(Node):
    parts: tuple[Node, ...] = ()

    def text(self, rank: int) -> str:
        texts = []
        # The last part turns fastest, as in a counter.
        for part in reversed(self.parts):
            rank, own = divmod(rank, part.size)
            texts.append(part.text(own))
        return "".join(reversed(texts))


@dataclass(frozen=True)
class _Choice(Node):
    choices: tuple[Node, ...] = ()

    def text(self, rank: int) -> str:
        for choice in self.choices:
            if rank < choice.size:
                return choice.text(rank)
            rank -= choice.size
        raise IndexError(rank)


@lru_cache(maxsize=256)
def texts_of(pattern: str, least: int = 0, most: int | None = None, *, one_case: bool = False) -> Node:
    """Return the texts of ``least`` to ``most`` characters that match the whole of ``pattern``.

    Not all of them: an open quantifier (``+``, ``*``) repeats only a few times more than it must.
    With ``one_case`` no class chooses between a letter and its capital.

    Raises:
        Unmatchable: the pattern has something that is not known here, or no text is that long.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise Unmatchable(f"it is no regular expression ({error})") from None
    longest = _LONGEST if most is None else most
    for more in _MORE:
        # What is too short is repeated more often, each time.
        for extra in range(0, max(1, least + 1)):
            parser = _Parser(pattern, extra, extra + more, one_case)
            node = parser.whole()
            if parser.nested:
                longest = min(longest, _LONGEST_NESTED)
            if node.most > longest:
                break
            if node.least >= least:
                _check(compiled, node)
                return node
    bounds = f"of {least} characters or more" if most is None else f"of {least} to {most} characters"
    raise Unmatchable(f"it has no text {bounds} that is found here")


def _check(compiled: re.Pattern[str], node: Node) -> None:
    for rank in {0, node.size // 3, node.size // 2, node.size - 1}:
        text = node.text(rank)
        if not compiled.fullmatch(text):
            raise Unmatchable(f"the text {text!r} made for it does not match")


class _Parser:
    """Reads a pattern once; open quantifiers repeat ``low`` to ``high`` times more than they must.

    It is ``nested`` if something is repeated that has alternatives or quantifiers of its own.
    """

    def __init__(self, pattern: str, low: int, high: int, one_case: bool) -> None:
        self._pattern = pattern
        self._low = low
        self._high = high
        self._one_case = one_case
        self._at = 0
        self._varied = 0
        self.nested = False

    def whole(self) -> Node:
        node = self._choice()
        if self._at < len(self._pattern):
            raise Unmatchable(f"{self._pattern[self._at]!r} at {self._at} has no counterpart")
        return node

    # -- parts -----------------------------------------------------------------------------------
    def _choice(self) -> Node:
        choices = [self._sequence()]
        while self._take("|"):
            self._varied += 1
            choices.append(self._sequence())
        return _choice(choices)

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            parts.extend(self._repeated())
        return _sequence(parts)

    def _repeated(self) -> Iterator[Node]:
        start = self._at
        if self._take("^") or self._take("$") or self._take(r"\A") or self._take(r"\Z"):
            # Around the whole they say nothing new; elsewhere the check of what is made tells.
            return
        varied = self._varied
        atom = self._atom()
        times = self._times()
        if self._pattern[self._at : self._at + 1] in ("?", "+") and times is not None:
            if self._pattern[self._at] == "+":
                raise Unmatchable(f"a possessive quantifier at {start} is not known here")
            self._at += 1
        if times is None:
            yield atom
            return
        least, most = times
        self.nested |= self._varied > varied and most != 1
        self._varied += least != most
        high = least + self._high if most is None else min(most, least + self._high)
        low = min(least + self._low, high)
        yield _choice([_sequence([atom] * count) for count in range(low, high + 1)])

    def _times(self) -> tuple[int, int | None] | None:
        for sign, times in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return times
        found = _RANGE.match(self._pattern, self._at)
        if found is None or not (found[1] or found[3]):
            return None
        self._at = found.end()
        least = int(found[1] or 0)
        if not found[2]:
            return least, least
        return least, int(found[3]) if found[3] else None

    def _atom(self) -> Node:
        if self._take("("):
            return self._group()
        if self._take("["):
            return self._characters(self._class())
        if self._take("."):
            return self._characters(_ANY)
        if self._take("\\"):
            return self._characters(self._escaped())
        return self._characters(self._next())

    def _group(self) -> Node:
        if self._take("?"):
            named = re.compile(r"P<\w+>").match(self._pattern, self._at)
            if named:
                self._at = named.end()
            elif not self._take(":"):
                raise Unmatchable(f"the group (?{self._pattern[self._at : self._at + 2]}…) is not known here")
        node = self._choice()
        self._expect(")")
        return node

    def _escaped(self) -> str:
        escaped = self._next()
        if escaped in _CLASSES:
            return _CLASSES[escaped]
        if escaped in _CONTROLS:
            return _CONTROLS[escaped]
        if escaped in "xuN":
            raise Unmatchable(f"\\{escaped} is not known here")
        if escaped.isalnum():
            raise Unmatchable(f"\\{escaped} is not known here")
        return escaped

    def _class(self) -> str:
        negated = self._take("^")
        members: list[str] = []
        first = True
        while first or self._pattern[self._at : self._at + 1] != "]":
            first = False
            low = self._member()
            if (
                len(low) == 1
                and self._pattern[self._at : self._at + 1] == "-"
                and self._pattern[self._at + 1 : self._at + 2] != "]"
            ):
                self._at += 1
                high = self._member()
                if len(high) != 1:
                    raise Unmatchable("a range in a class ends with a class")
                members += map(chr, range(ord(low), ord(high) + 1))
            else:
                members += low
        self._at += 1
        known = dict.fromkeys(members)
        if negated:
            known = {each: None for each in _ANY + " -_." if each not in known}
        if not known:
            raise Unmatchable("a class leaves nothing to choose from")
        return "".join(known)

    def _member(self) -> str:
        return self._escaped() if self._take("\\") else self._next()

    # -- characters ------------------------------------------------------------------------------
    def _characters(self, characters: str) -> Node:
        if self._one_case:
            known = dict.fromkeys(characters)
            characters = "".join(c for c in known if c == c.lower() or c.lower() not in known)
        return _Chars(len(characters), 1, 1, characters)

    def _take(self, wanted: str) -> bool:
        found = self._pattern.startswith(wanted, self._at)
        if found:
            self._at += len(wanted)
        return found

    def _expect(self, wanted: str) -> None:
        if not self._take(wanted):
            raise Unmatchable(f"{wanted!r} is missing at {self._at}")

    def _next(self) -> str:
        if self._at >= len(self._pattern):
            raise Unmatchable("it ends too early")
        self._at += 1
        return self._pattern[self._at - 1]


def _sequence(parts: Sequence[Node]) -> Node:
    size = 1
    for part in parts:
        size *= part.size
    return _Sequence(size, sum(part.least for part in parts), sum(part.most for part in parts), tuple(parts))


def _choice(choices: Sequence[Node]) -> Node:
    if len(choices) == 1:
        return choices[0]
    return _Choice(
        sum(choice.size for choice in choices),
        min(choice.least for choice in choices),
        max(choice.most for choice in choices),
        tuple(choices),
    )
