"""The functions that SQL calls when the store searches: case, words, wildcards."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass

_RUN = re.compile(r"\w+")


def prepare(database: sqlite3.Connection) -> None:
    """Give a connection the functions that search and its indexes use."""
    database.create_function("folded", 1, folded, deterministic=True)
    database.create_function("has_token", 2, has_token, deterministic=True)
    database.create_function("has_words", 3, _has_words, deterministic=True)
    database.create_function("words_of", 1, _words_of, deterministic=True)
    database.create_function("words_in", 2, _words_in, deterministic=True)


def folded(text: str | None) -> str | None:
    """Return a text as it is compared in any case."""
    return None if text is None else text.casefold()


def has_token(text: str | None, pattern: str) -> bool:
    """Return whether a text contains words, in any case; ``*`` stands for anything.

    A pattern with ``*`` is held against the whole text, what is between blanks, and each word.
    """
    if text is None:
        return False
    text, pattern = text.casefold(), pattern.casefold()
    if "*" not in pattern:
        words = _RUN.findall(pattern)
        return bool(words) and f" {' '.join(words)} " in f" {' '.join(_RUN.findall(text))} "
    return any(_fits(each, pattern) for each in (text, *text.split(), *_RUN.findall(text)))


@dataclass(frozen=True, slots=True)
class Stem:
    """A word, or with ``open`` end how a word starts."""

    word: str
    open: bool = False


def stems_of_pattern(pattern: str) -> list[Stem]:
    """Return words that a text which fits a pattern of :func:`has_token` surely has; may be none."""
    pieces = pattern.casefold().split("*")
    stems: list[Stem] = []
    for number, piece in enumerate(pieces):
        for run in _RUN.finditer(piece):
            starts = run.start() > 0 or number == 0
            ends = run.end() < len(piece) or number == len(pieces) - 1
            if starts:
                stems.append(Stem(run.group(), open=not ends))
    return stems


def stems_of_query(text: str) -> list[Stem]:
    """Return words that a record in which all words of a text are surely has; may be none."""
    return [
        Stem(run.group(), open=run.end() == len(word))
        for word in text.casefold().split()
        for run in _RUN.finditer(word)
    ]


def _words_of(text: str | None) -> str:
    return json.dumps(sorted(set(_RUN.findall((text or "").casefold()))))


def _words_in(properties: str, fields: str) -> str:
    held = json.loads(properties)
    return _words_of(" ".join(held.get(name, "") for name in json.loads(fields)))


def _fits(text: str, pattern: str) -> bool:
    first, *middle, last = pattern.split("*")
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _has_words(properties: str, fields: str, text: str) -> bool:
    held = json.loads(properties)
    values = " ".join(held.get(name, "") for name in json.loads(fields)).casefold()
    starts = f" {' '.join(values.split())} {' '.join(_RUN.findall(values))}"
    return all(f" {word}" in starts for word in text.casefold().split())
