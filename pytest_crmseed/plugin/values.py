"""What our overridable fixtures give for a test, and how errors of ours reach it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_crmseed.errors import CrmseedError, UsageError
from pytest_crmseed.plugin import marker

if TYPE_CHECKING:
    from pytest_crmseed.factories import CRMFactory


@dataclass(frozen=True)
class Values:
    """What the overridable fixtures give for one test."""

    provider: str
    credentials: Mapping[str, str] = field(repr=False)
    factories: Mapping[str, type[CRMFactory]]
    locale: str
    random_seed: int

    @classmethod
    def read(cls, request: pytest.FixtureRequest) -> Values:
        """Return the values of a test's fixtures.

        Raises:
            UsageError: a fixture gives what cannot be used.
        """
        with reported():
            provider = marker.provider_of(request.node) or request.getfixturevalue("crm_provider")
            given = request.getfixturevalue("crm_credentials")
            factories = _factories(request.getfixturevalue("crm_factories"))
            random_seed = request.getfixturevalue("crm_random_seed")
            if not isinstance(provider, str):
                raise UsageError(f"crm_provider gives {provider!r}; it takes the name of a provider.")
            if not isinstance(given, Mapping):
                raise UsageError("crm_credentials takes a mapping of variable names to values.")
            if isinstance(random_seed, bool) or not isinstance(random_seed, int):
                raise UsageError(f"crm_random_seed gives {random_seed!r}; it takes a whole number.")
            return cls(provider, given, factories, request.getfixturevalue("crm_locale"), random_seed)


def _factories(given: object) -> Mapping[str, type[CRMFactory]]:
    if not isinstance(given, Mapping):
        raise UsageError(f'crm_factories takes a mapping such as {{"deals": MyDealFactory}}, not {given!r}.')
    return given


class reported:
    """Turn an error of ours into a test's failure of one paragraph, without a traceback."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, CrmseedError):
            # Not pytest.fail(): the error itself would be printed above its own text as the cause.
            raise pytest.fail.Exception(f"crmseed: {error}", pytrace=False) from None
