"""A portal without a door, a clock that stands still, and short ways to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from pytest_crmseed.portal import Behaviour, Portal, PortalRequest, PortalResponse

START = 1_790_000_000.25


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Asker:
    """Asks a portal as one app does."""

    def __init__(self, portal: Portal, token: str | None) -> None:
        self.portal = portal
        self.token = token

    def __call__(
        self, method: str, url: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> PortalResponse:
        return self.portal.handle(PortalRequest.of(method, url, body, token=self.token, headers=headers))

    def get(self, url: str) -> PortalResponse:
        return self("GET", url)

    def post(self, url: str, body: Any = None) -> PortalResponse:
        return self("POST", url, body)

    def made(self, object_type: str, **properties: Any) -> str:
        """Create a record and return its id."""
        answer = self.post(f"/crm/v3/objects/{object_type}", {"properties": properties})
        assert answer.status == 201, answer.body
        id: str = answer.json()["id"]
        return id

    def company(self, **properties: Any) -> str:
        return self.made("companies", **{"name": "Acorn", **properties})

    def contact(self, **properties: Any) -> str:
        return self.made("contacts", **{"firstname": "Ann", **properties})

    def deal(self, **properties: Any) -> str:
        return self.made("deals", **{"dealname": "D", "dealstage": "qualifiedtobuy", **properties})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_portal(clock: Clock) -> Iterator[Callable[..., Portal]]:
    """Makes portals with given behaviour and limits; closed at the end."""
    made: list[Portal] = []

    def make(*, rate: tuple[int, float] = (190, 10.0), **behaviour: Any) -> Portal:
        made.append(Portal(behaviour=Behaviour(**behaviour), rate=rate, clock=clock))
        return made[-1]

    yield make
    for portal in made:
        portal.close()


@pytest.fixture
def portal(make_portal: Callable[..., Portal]) -> Portal:
    return make_portal()


@pytest.fixture
def ask(portal: Portal) -> Asker:
    """Asks as the seeder, whom no burst limit stops."""
    return Asker(portal, portal.hubspot.tokens()["seeder"])


@pytest.fixture
def asker() -> type[Asker]:
    return Asker


def refusal(answer: PortalResponse) -> dict[str, Any]:
    """Return a refusal's body without its correlation id, which is checked here once and for all."""
    body: dict[str, Any] = answer.json()
    assert body.pop("correlationId") == answer.headers["x-hubspot-correlation-id"]
    assert body["status"] == "error"
    return body


@pytest.fixture(name="refusal")
def _refusal() -> Callable[[PortalResponse], dict[str, Any]]:
    return refusal
