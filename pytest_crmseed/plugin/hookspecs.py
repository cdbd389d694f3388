"""Hooks that a conftest or another plugin may implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_crmseed.ingest.cleaner import CleanupResult
    from pytest_crmseed.planning import Plan
    from pytest_crmseed.records import SeededRecords


@pytest.hookspec(firstresult=True)
def pytest_crmseed_provider(config: pytest.Config) -> str | None:
    """Return the name of the provider to seed where no marker names one; the first result wins."""


def pytest_crmseed_plan(config: pytest.Config, item: pytest.Item, plan: Plan) -> None:
    """Look at a plan before its records are generated; an error raised here fails the test's setup."""


def pytest_crmseed_seeded(item: pytest.Item, records: SeededRecords) -> None:
    """Hear of records that were just seeded for a test."""


def pytest_crmseed_cleanup(config: pytest.Config, result: CleanupResult) -> None:
    """Hear of a cleanup: how many records were removed, and what is left."""
