"""Record ids: a prefix that tells the object, the instance, a counter, and three letters that check them.

Salesforce docs, "Object Reference", "ID Field Type". The instance stands for this portal: ids of other
orgs are well-formed and lead nowhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

INSTANCE = "7e0"

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT, _LONG, _COUNTER = 15, 18, 9
_TEXT = re.compile(r"[0-9A-Za-z]{15}([0-9A-Za-z]{3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Id:
    """An id. ``number`` is None for one that another org has given."""

    text: str
    prefix: str
    number: int | None


def made(prefix: str, number: int) -> str:
    """Return the id, of 18 characters, of a record of this portal."""
    digits = ""
    for _ in range(_COUNTER):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return full(prefix + INSTANCE + digits)


def full(short: str) -> str:
    """Return an id of 15 characters with the three that check it."""
    checks = ""
    for start in range(0, _SHORT, 5):
        group = short[start : start + 5]
        checks += _CHECKS[sum(1 << place for place, character in enumerate(group) if "A" <= character <= "Z")]
    return short + checks


def looks_like_one(text: str) -> bool:
    """Return whether a text has the shape of an id, be the letters that check it wrong."""
    return _TEXT.fullmatch(text) is not None


def parse(text: object) -> Id | None:
    """Return the id that a text is, of 15 or 18 characters; None when it is none."""
    if not isinstance(text, str) or not _TEXT.fullmatch(text):
        return None
    short = text[:_SHORT]
    whole = full(short)
    if len(text) == _LONG and whole != text:
        return None
    number = None
    if short[3:6] == INSTANCE:
        number = 0
        for character in short[-_COUNTER:]:
            number = number * len(_DIGITS) + _DIGITS.index(character)
    return Id(whole, short[:3], number)
