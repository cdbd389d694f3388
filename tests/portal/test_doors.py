"""One contract for every door: server, server with TLS, adapter without a socket, mocked host."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from urllib3.exceptions import ProtocolError

from pytest_crmseed import LocalPortal, mock_crm
from pytest_crmseed.portal import VirtualClock
from pytest_crmseed.portal.doors.inprocess import InProcess, InProcessAdapter

CONTACTS = "/crm/v3/objects/contacts"


@dataclass
class Door:
    """A way to ask a portal as an application does."""

    portal: LocalPortal
    base_url: str
    session: requests.Session

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, self.base_url + path, **{"timeout": 30, **more})

    def create(self, **more: Any) -> requests.Response:
        return self.ask("POST", CONTACTS, json={"properties": {"firstname": "Ann"}}, **more)

    @property
    def contacts(self) -> int:
        number: int = self.portal.stats()["records"]["hubspot"]["contacts"]
        return number


@pytest.fixture(scope="module", params=["server", "tls", "inprocess", "mock"])
def opened(request: pytest.FixtureRequest) -> Iterator[tuple[LocalPortal, str, requests.Session]]:
    with requests.Session() as session:
        session.trust_env = False
        if request.param == "inprocess":
            portal = LocalPortal()
            session.mount("http://portal.test", InProcessAdapter(portal.portal))
            yield portal, "http://portal.test", session
            portal.close()
        elif request.param == "mock":
            with mock_crm() as crm:
                yield crm.portal, crm.environ["HUBSPOT_BASE_URL"], session
        else:
            with LocalPortal(tls=request.param == "tls") as portal:
                if request.param == "tls":
                    session.verify = portal.environ["REQUESTS_CA_BUNDLE"]
                yield portal, portal.base_url, session


@pytest.fixture
def door(opened: tuple[LocalPortal, str, requests.Session]) -> Door:
    portal, base_url, session = opened
    portal.reset()
    session.headers["Authorization"] = f"Bearer {portal.token}"
    return Door(portal, base_url, session)


def test_a_record_lives_and_dies(door: Door) -> None:
    made = door.ask(
        "POST", CONTACTS, json={"properties": {"email": "žiga@example.com", "city": "Škofja Loka"}}
    )
    assert (made.status_code, made.reason) == (201, "Created")
    path = f"{CONTACTS}/%C5%BEiga%40example.com"
    read = door.ask("GET", path, params={"idProperty": "email", "properties": ["city", "email"]})
    assert read.json()["properties"]["city"] == "Škofja Loka"
    assert read.headers["Content-Type"] == "application/json;charset=utf-8"
    assert read.headers["Server"] == "pytest-crmseed"
    gone = door.ask("DELETE", f"{CONTACTS}/{made.json()['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert door.ask("GET", f"{CONTACTS}/{made.json()['id']}").status_code == 404
    assert [each.status for each in door.portal.requests] == [201, 200, 204, 404]


def test_bodies_in_parts_without_bodies_and_for_head(door: Door) -> None:
    parts = (part for part in (b'{"properties":', b'{"firstname":"Ann"}}'))
    assert door.ask("POST", CONTACTS, data=parts, headers={"Content-Type": "application/json"}).ok
    head = door.ask("HEAD", "/nowhere")
    assert (head.status_code, head.content) == (404, b"")
    assert int(head.headers["Content-Length"]) > 0
    page = door.ask("GET", "/nowhere")
    assert page.headers["Content-Type"].startswith("text/html") and "404" in page.text


def test_refusals_come_as_they_are(door: Door) -> None:
    door.session.headers["Authorization"] = "Bearer nobody"
    assert door.create().status_code == 401
    door.session.headers["Authorization"] = f"Bearer {door.portal.token}"
    missing = door.ask("GET", "/crm/v3/imports")
    assert missing.status_code == 501
    assert "is not emulated by the local portal; emulated nearby: /crm/" in missing.json()["message"]
    door.portal.faults.migrate(3)
    moved = door.create()
    assert (moved.status_code, moved.headers["Retry-After"]) == (477, "3")


def test_a_dropped_connection(door: Door) -> None:
    door.portal.faults.drop_before_commit()
    with pytest.raises(requests.ConnectionError, match=r"Remote end closed connection without response"):
        door.create()
    assert door.contacts == 0
    door.portal.faults.drop_after_commit()
    with pytest.raises(requests.ConnectionError, match=r"Remote end closed connection without response"):
        door.create()
    assert door.contacts == 1
    assert door.create().status_code == 201
    assert [(each.status, each.faults) for each in door.portal.requests] == [
        (0, ("drop_before_commit",)),
        (201, ("drop_after_commit",)),
        (201, ()),
    ]


def test_a_body_that_is_cut(door: Door) -> None:
    door.portal.faults.cut_body()
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match=r"IncompleteRead"):
        door.create()
    assert door.contacts == 1
    assert door.create().status_code == 201


def test_a_page_in_the_place_of_the_answer(door: Door) -> None:
    door.portal.faults.html_body(502)
    answer = door.create()
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=UTF-8")
    assert "<h1>502 Bad Gateway</h1>" in answer.text and door.contacts == 1


def test_many_threads(door: Door) -> None:
    statuses: list[int] = []

    def work() -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = door.session.verify
            for prefix, adapter in door.session.adapters.items():
                session.mount(prefix, adapter)
            own = Door(door.portal, door.base_url, session)
            session.headers["Authorization"] = f"Bearer {door.portal.seed_token}"
            statuses.extend(own.create().status_code for _ in range(5))

    door.portal.faults.fail(500, times=3, seeder=True)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(statuses) == [201] * 37 + [500] * 3
    assert door.contacts == 37


@pytest.mark.parametrize("kind", ["inprocess", "mock"])
def test_without_a_socket_time_runs_out_on_the_portals_clock(kind: str) -> None:
    portal = LocalPortal(clock=VirtualClock())
    portal.faults.slow(31, times=2)
    with requests.Session() as session, mock_crm(portal) as crm:
        if kind == "inprocess":
            session.mount("https://api.hubapi.com", InProcessAdapter(portal.portal))
        session.headers["Authorization"] = f"Bearer {crm.token}"
        door = Door(portal, "https://api.hubapi.com", session)
        with pytest.raises(requests.ReadTimeout, match=r"Read timed out\. \(read timeout=30\)"):
            door.create(timeout=(3, 30))
        assert door.create(timeout=None).status_code == 201
        assert door.contacts == 2
    portal.close()


def test_a_body_that_is_cut_is_no_whole_one_for_who_reads_it_at_once() -> None:
    portal = LocalPortal()
    portal.faults.cut_body(times=2)
    headers = {"authorization": f"Bearer {portal.token}"}
    for amount in (None, 65_536):
        answer = InProcess(portal.portal).urlopen("GET", CONTACTS, headers=headers)
        with pytest.raises(ProtocolError, match="IncompleteRead"):
            while answer.read(amount):
                pass
    portal.close()
