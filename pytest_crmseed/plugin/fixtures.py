"""The fixtures; the work is done by the session's :class:`~pytest_crmseed.plugin.session.CrmSession`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import requests

    from pytest_crmseed.factories import CRMFactory
    from pytest_crmseed.plugin.handles import CrmPortal, CrmSeeder
    from pytest_crmseed.plugin.scopes import ScopeSeeds, TestSeeds
    from pytest_crmseed.plugin.values import Values
    from pytest_crmseed.records import SeededRecords


# -- what a conftest may override ------------------------------------------------------------------
@pytest.fixture(scope="session")
def crm_provider(pytestconfig: pytest.Config) -> str:
    """The name of the provider to seed, where no marker names one. Override it in a conftest."""
    from pytest_crmseed.plugin.session import session_of

    return session_of(pytestconfig).default_provider()


@pytest.fixture(scope="session")
def crm_credentials() -> Mapping[str, str]:
    """Credentials by variable name, which win over the environment. Override it in a conftest."""
    return {}


@pytest.fixture(scope="session")
def crm_factories() -> Mapping[str, type[CRMFactory]]:
    """Factories by object type that replace the stock ones. Override it in a conftest."""
    return {}


@pytest.fixture(scope="session")
def crm_locale(pytestconfig: pytest.Config) -> str:
    """The locale of generated names and addresses, such as "de_DE". Override it in a conftest."""
    from pytest_crmseed.plugin.session import session_of

    return session_of(pytestconfig).settings.locale


@pytest.fixture(scope="session")
def crm_random_seed(pytestconfig: pytest.Config) -> int:
    """The number that generated values depend on. Override it in a conftest."""
    from pytest_crmseed.plugin.session import session_of

    return session_of(pytestconfig).random_seed


# -- what a test asks for --------------------------------------------------------------------------
@pytest.fixture
def crm_records(_crm_seed: TestSeeds) -> SeededRecords:
    """The records that the test's crm_seed markers seeded, with the parents made for them."""
    return _crm_seed.records()


@pytest.fixture
def crm_seeder(_crm_seed: TestSeeds) -> CrmSeeder:
    """Seed inside the test, crm_seeder(deals=3), with the same cleanup; adopt what the application made."""
    from pytest_crmseed.plugin.handles import CrmSeeder

    return CrmSeeder(_crm_seed)


@pytest.fixture
def crm_portal(_crm_seed: TestSeeds) -> Iterator[CrmPortal]:
    """The portal of the test's marker: base_url, token and environ to point the application at it."""
    from pytest_crmseed.plugin.handles import CrmPortal

    yield CrmPortal(_crm_seed)
    if _crm_seed.session.own_portal is not None:
        _crm_seed.session.own_portal.faults.clear()


@pytest.fixture
def crm_client(_crm_seed: TestSeeds) -> Iterator[requests.Session]:
    """An authorised requests.Session whose relative paths go to the portal."""
    client = _crm_seed.client()
    yield client
    client.close()


# -- internal --------------------------------------------------------------------------------------
@pytest.fixture
def _crm_values(request: pytest.FixtureRequest) -> Values:
    """Internal: what the overridable fixtures give for a test."""
    from pytest_crmseed.plugin.values import Values

    return Values.read(request)


@pytest.fixture
def _crm_seed(request: pytest.FixtureRequest, _crm_values: Values) -> TestSeeds:
    """Internal: seed what the test's markers ask for."""
    from pytest_crmseed.plugin.scopes import TestSeeds
    from pytest_crmseed.plugin.session import session_of

    return TestSeeds.prepare(session_of(request.config), request, _crm_values)


@pytest.fixture(scope="session")
def _crm_seeds_session(pytestconfig: pytest.Config) -> Iterator[ScopeSeeds]:
    """Internal: the seeds of the session, cleaned at its end."""
    yield from _scope_seeds(pytestconfig)


@pytest.fixture(scope="module")
def _crm_seeds_module(pytestconfig: pytest.Config) -> Iterator[ScopeSeeds]:
    """Internal: the seeds of a module, cleaned at its end."""
    yield from _scope_seeds(pytestconfig)


@pytest.fixture(scope="class")
def _crm_seeds_class(pytestconfig: pytest.Config) -> Iterator[ScopeSeeds]:
    """Internal: the seeds of a class, cleaned at its end."""
    yield from _scope_seeds(pytestconfig)


@pytest.fixture
def _crm_seeds_function(pytestconfig: pytest.Config) -> Iterator[ScopeSeeds]:
    """Internal: the seeds of a test, cleaned at its end."""
    yield from _scope_seeds(pytestconfig)


def _scope_seeds(config: pytest.Config) -> Iterator[ScopeSeeds]:
    from pytest_crmseed.plugin.scopes import ScopeSeeds
    from pytest_crmseed.plugin.session import session_of

    seeds = ScopeSeeds(session_of(config))
    yield seeds
    seeds.clean()
