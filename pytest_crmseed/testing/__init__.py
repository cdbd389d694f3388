"""What the author of a provider tests it with. Needs pytest; imported by nothing else of the package."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("pytest_crmseed.testing.contract")

from pytest_crmseed.testing.bench import PortalUnderTest  # noqa: E402
from pytest_crmseed.testing.contract import ProviderContract  # noqa: E402
from pytest_crmseed.testing.proxy import Cut, CuttingProxy  # noqa: E402

__all__ = ["Cut", "CuttingProxy", "PortalUnderTest", "ProviderContract"]
