"""Texts as parts of addresses: domain labels and the local part of e-mail addresses, in ASCII."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

# RFC 1035 2.3.4: octets in a label. RFC 5321 4.5.3.1.1: octets in the part before the @.
LABEL_LENGTH = 63
LOCAL_LENGTH = 64

# Letters that Unicode does not decompose into an ASCII one and an accent.
_LETTERS = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "å": "a",
        "ð": "d",
        "đ": "d",
        "þ": "th",
        "ł": "l",
        "ħ": "h",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    }
)
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def letters(text: Any, locale: str) -> str:
    """Return the letters of ``text`` as a-z; empty where it has none that can be written so."""
    return re.sub("[^a-z]", "", _ascii(text, locale))


def label(text: Any, suffix: str, locale: str, *, instead: str) -> str:
    """Return ``text`` and ``suffix`` as a domain label; ``instead`` stands in for a text without ASCII."""
    slug = (_slug(text, locale) if isinstance(text, str) else "") or instead
    return slug[: LABEL_LENGTH - len(suffix)].rstrip("-") + suffix


def local_part(first: str, last: str, suffix: str, instead: str) -> str:
    """Return names made of a-z as ``first.last`` and ``suffix``; ``instead`` stands in for none at all."""
    names = f"{first}.{last}" if first and last else first or last or instead
    return names[: LOCAL_LENGTH - len(suffix)].rstrip(".") + suffix


# Somewhat more than the company names of a batch that differ.
@lru_cache(maxsize=4096)
def _slug(text: str, locale: str) -> str:
    return re.sub("[^a-z0-9]+", "-", _ascii(text, locale)).strip("-")


def _ascii(text: Any, locale: str) -> str:
    if not isinstance(text, str):
        return ""
    lower = unicodedata.normalize("NFC", text).lower()
    if locale.startswith("de"):
        lower = lower.translate(_GERMAN)
    decomposed = unicodedata.normalize("NFKD", lower.translate(_LETTERS))
    return decomposed.encode("ascii", "ignore").decode("ascii")
