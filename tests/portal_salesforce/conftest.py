"""A Salesforce org without a door, a clock that stands still, and short ways to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from pytest_crmseed.portal import Behaviour, Portal, PortalRequest, PortalResponse, VirtualClock

ROOT = "/services/data/v66.0"


class AskedOrg:
    """An org to ask; paths are below the version where they do not begin with ``/services``."""

    root = ROOT

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.behaviour = behaviour or Behaviour()
        self.clock = VirtualClock()
        self.portal = Portal(behaviour=self.behaviour, clock=self.clock)
        self.api = self.portal.apis["salesforce"]
        self._token = self.api.tokens()["application"]

    @property
    def inner(self) -> Any:
        """The org behind the API."""
        return self.api.service.org

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> PortalResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = path if path.startswith("/services") else ROOT + path
        return self.portal.handle(PortalRequest.of(method, url, body, token=self._token, headers=named))

    def raw(self, method: str, path: str, body: bytes, *, content_type: str) -> PortalResponse:
        """Send a body as it is."""
        headers = {
            "host": "127.0.0.1",
            "authorization": f"Bearer {self._token}",
            "content-type": content_type,
        }
        return self.portal.handle(PortalRequest(method, ROOT + path, "", headers, body))

    def json(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        answer = self.ask(method, path, body, **headers)
        assert answer.status == status, answer.body
        return answer.json()

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
        answer = self.ask(method, path, body)
        (error,) = answer.json()
        return answer.status, error["errorCode"], error["message"]

    def make(self, name: str, **values: Any) -> str:
        id: str = self.json("POST", f"/sobjects/{name}", values, status=201)["id"]
        return id

    def delete(self, name: str, id: str) -> None:
        assert self.ask("DELETE", f"/sobjects/{name}/{id}").status == 204

    def query(self, text: str, *, resource: str = "query", **headers: str) -> Any:
        return self.json("GET", f"/{resource}?q={quote(text)}", **headers)

    def column(self, text: str, name: str = "Name", *, resource: str = "query") -> list[Any]:
        return [record[name] for record in self.query(text, resource=resource)["records"]]

    def unasked(self, text: str, *, resource: str = "query") -> tuple[int, str, str]:
        """Return how a query is refused: status, code, and the message without the place shown."""
        status, code, message = self.refused("GET", f"/{resource}?q={quote(text)}")
        return status, code, message.rpartition("\n")[2]

    @property
    def live(self) -> dict[str, int]:
        counts = self.portal.stats()["records"]["salesforce"]
        return {name: number for name, number in counts.items() if number}


@pytest.fixture(scope="module")
def new_org() -> Iterator[Callable[..., AskedOrg]]:
    """Makes orgs that are closed after the module."""
    made: list[AskedOrg] = []

    def make(behaviour: Behaviour | None = None) -> AskedOrg:
        made.append(AskedOrg(behaviour))
        return made[-1]

    yield make
    for org in made:
        org.portal.close()


@pytest.fixture
def org() -> Iterator[AskedOrg]:
    """An org of the test's own."""
    org = AskedOrg()
    yield org
    org.portal.close()
