"""Pools of names by locale, drawn once from Faker's own data by a private generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import faker

from pytest_crmseed.factories import slugs

# Draws per pool. Repeats stay in: they keep how frequent a name is.
_DRAWS = 512
_GENERATORS = ["faker.providers.person", "faker.providers.company"]


@lru_cache
def first_names(locale: str) -> tuple[str, ...]:
    """Return first names of a locale."""
    return tuple(name for name, _ in _first_names(locale))


@lru_cache
def last_names(locale: str) -> tuple[str, ...]:
    """Return last names of a locale."""
    return tuple(name for name, _ in _last_names(locale))


@lru_cache
def company_names(locale: str) -> tuple[str, ...]:
    """Return company names of a locale."""
    private = _faker(locale)
    return tuple(private.company() for _ in range(_DRAWS))


@lru_cache
def romanised(locale: str) -> Mapping[str, str]:
    """Return Latin spellings by name, where Faker knows them (``ja_JP``); else nothing."""
    # A name may have several readings; the first one drawn is taken.
    spellings: dict[str, str] = {}
    for name, latin in (*_first_names(locale), *_last_names(locale)):
        if latin:
            spellings.setdefault(name, latin)
    return spellings


@lru_cache
def letters_of(locale: str) -> Callable[[str], str]:
    """Return the function that returns the letters of a name as a-z; empty where it has none."""
    latin = romanised(locale)

    # Somewhat more than the names of a locale.
    @lru_cache(maxsize=4 * _DRAWS)
    def letters(name: str) -> str:
        return slugs.letters(latin.get(name, name), locale)

    return letters


def _first_names(locale: str) -> list[tuple[str, str]]:
    private = _faker(locale)
    if hasattr(private, "first_name_pair"):
        return [(pair[0], pair[-1]) for pair in (private.first_name_pair() for _ in range(_DRAWS))]
    return [(private.first_name(), "") for _ in range(_DRAWS)]


def _last_names(locale: str) -> list[tuple[str, str]]:
    private = _faker(locale)
    if hasattr(private, "last_name_pair"):
        return [(pair[0], pair[-1]) for pair in (private.last_name_pair() for _ in range(_DRAWS))]
    return [(private.last_name(), "") for _ in range(_DRAWS)]


def _faker(locale: str) -> faker.Faker:
    private = faker.Faker(locale, providers=_GENERATORS)
    # Any fixed seed: the pool is the same in every process, what is taken from it is not.
    private.seed_instance(0)
    return private
