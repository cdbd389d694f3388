"""Random numbers by position: what a value depends on, and the streams it is drawn from.

A value depends on (random seed, node, object type, field, index) and, for dates, on the base date;
never on what was generated before it. Each field has a stream of its own, and its ``index``-th
number can be read without reading the others, so the order of tests and the size of batches do not
matter.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from typing import Any

from faker.config import AVAILABLE_LOCALES

from pytest_crmseed.errors import UnknownName, UsageError

Parents = Callable[[int], Mapping[str, Mapping[str, Any]]]

# Numbers of a stream lie in [0, 2**64).
BITS = 64
_REST = (1 << BITS) - 1

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
        wanted, offset = divmod(index, _BLOCK)
        block, numbers = self._latest
        if block != wanted:
            state = self._state.copy()
            state.update(wanted.to_bytes(8, "little", signed=True))
            numbers = _UNPACK.unpack(state.digest(_UNPACK.size))
            # One assignment, so that another thread sees either block, never half of each.
            self._latest = (wanted, numbers)
        return numbers[offset]


def below(number: int, limit: int) -> int:
    """Return a number of a stream as a whole number from 0 to ``limit - 1``."""
    return number * limit >> BITS


def split(number: int, limit: int) -> tuple[int, int]:
    """Return a whole number from 0 to ``limit - 1``, and what is left of ``number`` to draw from.

    So one number of a stream serves a choice within a choice.
    """
    scaled = number * limit
    return scaled >> BITS, scaled & _REST


def digits(number: int, template: str) -> str:
    """Return ``template`` with each ``#`` replaced by a digit."""
    count = template.count("#")
    drawn = iter(f"{below(number, 10**count):0{count}d}")
    return "".join(next(drawn) if character == "#" else character for character in template)


class Scope:
    """The records that are being generated: whose they are, and which one is at work (``index``)."""

    __slots__ = ("_parents", "_parents_of", "_streams", "generation", "index", "object_type")

    def __init__(self, generation: Generation, object_type: str, parents: Parents | None = None) -> None:
        self.generation = generation
        self.object_type = object_type
        self.index = 0
        self._parents = parents
        self._parents_of: tuple[int, Mapping[str, Mapping[str, Any]]] | None = None
        self._streams: dict[str, Stream] = {}

    def number(self, path: str) -> int:
        """Return the number of the stream ``path`` for the record at work."""
        stream = self._streams.get(path)
        if stream is None:
            about = self.generation
            stream = Stream(about.random_seed, about.node, self.object_type, path)
            self._streams[path] = stream
        return stream.number(self.index)

    def parent(self, link: str) -> Mapping[str, Any]:
        """Return the values of the parent in a link field of the record at work; empty without one."""
        if self._parents is None:
            return {}
        if self._parents_of is None or self._parents_of[0] != self.index:
            self._parents_of = (self.index, self._parents(self.index))
        return self._parents_of[1].get(link) or {}


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
