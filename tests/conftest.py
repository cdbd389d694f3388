"""Local portals, and targets whose wire a test can cut, for the rooms that send."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.ingest import guard
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.portal import Behaviour, LocalPortal
from pytest_crmseed.providers.base import Answer, Request
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder.target import Target, local_address, open_target

# Test modules are no packages; what several rooms share is loaded here, under a name of its own.
for _name in ("crm_strategies", "pipedrive_documents"):
    _shared = importlib.util.spec_from_file_location(_name, Path(__file__).with_name(f"{_name}.py"))
    assert _shared is not None and _shared.loader is not None
    sys.modules[_name] = importlib.util.module_from_spec(_shared)
    _shared.loader.exec_module(sys.modules[_name])

Send = Callable[[Request], Answer]


class CuttableTransport:
    """A real transport; ``fault`` may take a request over, and is given the real way to send it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.redactor = inner.redactor
        self.sent: list[Request] = []
        self.fault: Callable[[Request, Send], Answer] | None = None

    def send(self, request: Request) -> Answer:
        self.sent.append(request)
        if self.fault is not None:
            return self.fault(request, self._inner.send)
        answer: Answer = self._inner.send(request)
        return answer

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def hubspot() -> HubSpot:
    return HubSpot(catalog.bundled("hubspot"))


@pytest.fixture(params=["plain", "shuffled, no echo"])
def local_portal(request: pytest.FixtureRequest) -> Iterator[LocalPortal]:
    """A portal as it is at its kindest, and one that uses every freedom HubSpot's documentation leaves."""
    free = request.param != "plain"
    with LocalPortal(behaviour=Behaviour(shuffle_results=free, echo_trace_id=not free)) as portal:
        yield portal


@pytest.fixture
def one_portal() -> Iterator[LocalPortal]:
    with LocalPortal() as portal:
        yield portal


@pytest.fixture
def opened() -> Iterator[Callable[[LocalPortal], Target]]:
    """Opens a portal as the seeder does; the target's transport is a :class:`CuttableTransport`."""
    targets: list[Target] = []

    def open_one(portal: LocalPortal, **more: Any) -> Target:
        address = local_address(
            HubSpot, portal.base_url, portal.seed_token, portal.token, portal.environ, private=True
        )
        target = open_target(
            HubSpot,
            Translator(HubSpot.legend, catalog.bundled("hubspot")),
            address,
            guard.Limits(),
            policy=RetryPolicy(sleep=lambda seconds: None),
            **more,
        )
        target.connection.transport = CuttableTransport(target.connection.transport)  # type: ignore[assignment]
        targets.append(target)
        return target

    yield open_one
    for target in targets:
        target.close()
