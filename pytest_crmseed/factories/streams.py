"""Random numbers by position: what a value depends on, and the streams it is drawn from.

A value depends on (random seed, node, object type, field, index) and, for dates, on the base date;
never on what was generated before it. Each field has a stream of its own, and its ``index``-th
number can be read without reading the others, so the order of tests and the size of batches do not
matter.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar, cast

from faker.config import AVAILABLE_LOCALES

from pytest_crmseed.errors import UnknownName, UsageError

T = TypeVar("T")

Parents = Callable[[int], Mapping[str, Mapping[str, Any]]]

# Numbers of a stream lie in [0, 2**64).
BITS = 64
REST = (1 << BITS) - 1

# Numbers made by one call into C. Part of what values depend on: another size, other data.
_BLOCK = 256
_UNPACK = struct.Struct(f"<{_BLOCK}Q")

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})+")
# Room for the tag and the longest label in front of it, within the 253 characters of a host name.
_DOMAIN_LENGTH = 120
_TAG_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Generation:
    """All that generated values depend on, besides object type, field and index.

    ``node`` is the node id of the scope that is seeded. ``unique_tag`` (a-z and 0-9, at most 40
    characters) goes into unique values alone: two seeds whose records may exist in one portal at
    the same time need different tags, also when their nodes differ. ``locale`` is one of Faker's;
    unique addresses are subdomains of ``email_domain``, or addresses in it.

    Raises:
        UsageError: a value cannot be used; an unknown locale is an ``UnknownName``.
    """

    random_seed: int = 0
    base_date: date = date(2026, 1, 1)
    node: str = ""
    unique_tag: str = ""
    locale: str = "en_US"
    email_domain: str = "example.com"

    def __post_init__(self) -> None:
        if not re.fullmatch(rf"[a-z0-9]{{0,{_TAG_LENGTH}}}", self.unique_tag):
            raise UsageError(
                f"the unique tag {self.unique_tag!r} cannot be part of a domain name.",
                remedy=f"It takes at most {_TAG_LENGTH} of the characters a-z and 0-9.",
            )
        if len(self.email_domain) > _DOMAIN_LENGTH or not _DOMAIN.fullmatch(self.email_domain):
            raise UsageError(
                f"the e-mail domain {self.email_domain!r} is no domain name.",
                remedy=(
                    "It takes lower-case labels joined by dots, like seed.example.com, "
                    f"at most {_DOMAIN_LENGTH} characters."
                ),
            )
        if self.locale not in AVAILABLE_LOCALES:
            raise UnknownName("locale", self.locale, sorted(AVAILABLE_LOCALES))

    @property
    def tagged_domain(self) -> str:
        """The domain of this seed's unique addresses: the tag's subdomain of ``email_domain``."""
        return f"{self.unique_tag}.{self.email_domain}" if self.unique_tag else self.email_domain


class Stream:
    """An endless sequence of 64-bit numbers that is read by position."""

    __slots__ = ("_latest", "_state")

    def __init__(self, *key: int | str) -> None:
        # JSON keeps the parts apart whatever they hold, and escapes what UTF-8 cannot encode.
        self._state = hashlib.shake_128(json.dumps(key).encode("ascii"))
        self._latest: tuple[int | None, tuple[int, ...]] = (None, ())

    def number(self, index: int) -> int:
        """Return the number at ``index``, in [0, 2**64)."""
        block, offset = divmod(index, _BLOCK)
        return self._block(block)[offset]

    def numbers(self, indices: range) -> list[int]:
        """Return the numbers at ``indices``, which have a step of 1."""
        first, skipped = divmod(indices.start, _BLOCK)
        blocks = map(self._block, range(first, -(-indices.stop // _BLOCK)))
        numbers = itertools.chain.from_iterable(blocks)
        return list(itertools.islice(numbers, skipped, skipped + len(indices)))

    def _block(self, wanted: int) -> tuple[int, ...]:
        block, numbers = self._latest
        if block != wanted:
            state = self._state.copy()
            state.update(wanted.to_bytes(8, "little", signed=True))
            numbers = _UNPACK.unpack(state.digest(_UNPACK.size))
            # One assignment, so that another thread sees either block, never half of each.
            self._latest = (wanted, numbers)
        return numbers


def below(number: int, limit: int) -> int:
    """Return a number of a stream as a whole number from 0 to ``limit - 1``."""
    return number * limit >> BITS


def split(number: int, limit: int) -> tuple[int, int]:
    """Return a whole number from 0 to ``limit - 1``, and what is left of ``number`` to draw from.

    So one number of a stream serves a choice within a choice.
    """
    scaled = number * limit
    return scaled >> BITS, scaled & REST


def filled(template: str) -> tuple[str, tuple[str, ...]]:
    """Return what stands in front of the first ``#`` of a template, and all that may follow it.

    Each ``#`` is a digit. There are few of them: four make ten thousand texts.
    """
    start, mark, rest = template.partition("#")
    return start, _endings(mark + rest)


@lru_cache
def _endings(template: str) -> tuple[str, ...]:
    count = template.count("#")
    form = template.replace("%", "%%").replace("#", "%s")
    return tuple(form % drawn for drawn in itertools.product("0123456789", repeat=count))


class Scope:
    """The records that are being generated: whose they are, and which one is at work (``index``)."""

    __slots__ = ("_families", "_parents", "_prepared", "_streams", "generation", "index", "object_type")

    def __init__(self, generation: Generation, object_type: str, parents: Parents | None = None) -> None:
        self.generation = generation
        self.object_type = object_type
        self.index = 0
        self._parents = parents
        # The parents of the records at work, by index.
        self._families: dict[int, Mapping[str, Mapping[str, Any]]] = {}
        self._streams: dict[str, Stream] = {}
        self._prepared: dict[Callable[[Generation], Any], Any] = {}

    def number(self, path: str) -> int:
        """Return the number of the stream ``path`` for the record at work."""
        return self._stream(path).number(self.index)

    def numbers(self, path: str, indices: range) -> list[int]:
        """Return the numbers of the stream ``path`` for several records."""
        return self._stream(path).numbers(indices)

    def parent(self, link: str) -> Mapping[str, Any]:
        """Return the values of the parent in a link field of the record at work; empty without one."""
        return self.parent_of_each(link, range(self.index, self.index + 1))[0]

    def parent_of_each(self, link: str, indices: range) -> Sequence[Mapping[str, Any]]:
        """Return the values of the parents in a link field of several records; empty without one."""
        if self._parents is None:
            return [{}] * len(indices)
        if indices.start not in self._families or indices[-1] not in self._families:
            self._families = {index: self._parents(index) for index in indices}
        return [self._families[index].get(link) or {} for index in indices]

    def prepared(self, prepare: Callable[[Generation], T]) -> T:
        """Return ``prepare(generation)``, which is called once."""
        if prepare not in self._prepared:
            self._prepared[prepare] = prepare(self.generation)
        return cast(T, self._prepared[prepare])

    def _stream(self, path: str) -> Stream:
        stream = self._streams.get(path)
        if stream is None:
            about = self.generation
            stream = Stream(about.random_seed, about.node, self.object_type, path)
            self._streams[path] = stream
        return stream


# A context variable, so that threads, and factories called within factories, each have their own.
_scope: ContextVar[Scope | None] = ContextVar("pytest_crmseed_factory_scope", default=None)


def current_scope() -> Scope | None:
    """Return the scope of the record at work in this thread, or None outside of generation."""
    return _scope.get()


@contextmanager
def generating(scope: Scope) -> Iterator[Scope]:
    """Make ``scope`` the current one."""
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)
