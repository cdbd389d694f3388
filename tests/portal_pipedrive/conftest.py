"""A Pipedrive company without a door, a clock that stands still, and short ways to ask.

Where Pipedrive's own API documents lie beside the repository, whatever the portal takes and answers in
these tests is held against them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from pipedrive_documents import Contract, find_contract

from pytest_crmseed.portal import Behaviour, Portal, PortalRequest, PortalResponse
from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour

START = 1_790_000_000.25
"""2026-09-21T14:13:20Z."""


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def contract() -> Contract:
    """Pipedrive's documents; skips where they are absent."""
    found = find_contract()
    if found is None:
        pytest.skip("Pipedrive's API documents, or openapi-core and PyYAML, are not there")
    return found


# -- asking ------------------------------------------------------------------------------------------
class Asker:
    """Asks a portal as one token does; what succeeds is held against the documents.

    ``carry`` says how the token goes over the wire: ``header``, ``query`` or ``bearer``.
    """

    def __init__(self, portal: Portal, token: str | None, carry: str = "header") -> None:
        self.portal = portal
        self.token = token
        self.carry = carry

    def __call__(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        documented: bool = True,
    ) -> PortalResponse:
        given = dict(headers or {})
        if self.token is not None and self.carry == "header":
            given["x-api-token"] = self.token
        elif self.token is not None and self.carry == "bearer":
            given["authorization"] = f"Bearer {self.token}"
        elif self.token is not None:
            url += f"{'&' if '?' in url else '?'}api_token={self.token}"
        request = PortalRequest.of(method, url, body, headers=given)
        answer = self.portal.handle(request)
        contract = find_contract() if documented and answer.status < 400 else None
        if contract is not None:
            assert contract.problems(request, None) == []
            assert contract.problems(request, answer) == []
        return answer

    def get(self, url: str, **more: Any) -> Any:
        """Return the data of what is read."""
        answer = self("GET", url, **more)
        assert answer.status == 200, answer.body
        return answer.json()["data"]

    def made(self, path: str, /, **body: Any) -> Any:
        """Create something in v2 and return its id."""
        answer = self("POST", f"/api/v2/{path}", body)
        assert answer.status in (200, 201), answer.body
        return answer.json()["data"]["id"]

    def key(self, entity: str, name: str = "crmseed_key") -> str:
        """Return the code of a field."""
        fields = self.get(f"/api/v2/{entity}Fields?limit=500")
        [code] = [field["field_code"] for field in fields if field["field_name"] == name]
        assert isinstance(code, str)
        return code

    def field(self, entity: str, kind: str, *labels: str, name: str = "Extra") -> Any:
        """Make a custom field and return its definition."""
        body: dict[str, Any] = {"field_name": name, "field_type": kind}
        if labels:
            body["options"] = [{"label": label} for label in labels]
        answer = self("POST", f"/api/v2/{entity}Fields", body)
        assert answer.status == 200, answer.body
        return answer.json()["data"]


def refusal(answer: PortalResponse) -> tuple[int, str, str | None]:
    """Return the status, text and code of a refusal."""
    body = answer.json()
    assert body["success"] is False
    return answer.status, body["error"], body.get("code")


@pytest.fixture(name="refusal")
def _refusal() -> Callable[[PortalResponse], tuple[int, str, str | None]]:
    return refusal


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_portal(clock: Clock) -> Iterator[Callable[..., Portal]]:
    """Makes portals with given switches of the Pipedrive company; closed at the end."""
    made: list[Portal] = []

    def make(*, search_lag: float = 0.0, set_up: bool = True, **switches: Any) -> Portal:
        own = PipedriveBehaviour(**switches)
        behaviour = Behaviour(search_lag=search_lag, set_up=set_up, pipedrive=own)
        made.append(Portal(behaviour=behaviour, clock=clock))
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
    return seeder(portal)


@pytest.fixture
def asker() -> type[Asker]:
    return Asker


def seeder(portal: Portal) -> Asker:
    """Return one that asks a portal as the seeder does."""
    return Asker(portal, portal.apis["pipedrive"].tokens()["seeder"])


@pytest.fixture(name="seeder")
def _seeder() -> Callable[[Portal], Asker]:
    return seeder
