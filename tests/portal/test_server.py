"""The loopback door: connections, bodies, closing."""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal import Behaviour, LocalPortal
from pytest_crmseed.portal.doors import server as server_module

DETAILS = "/account-info/v3/details"


@pytest.fixture
def local() -> Iterator[LocalPortal]:
    with LocalPortal() as portal:
        yield portal


@pytest.fixture
def session(local: LocalPortal) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {local.seed_token}"
        yield session


def connect(local: LocalPortal) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(local.base_url.removeprefix("http://"), timeout=30)


def raw(local: LocalPortal, text: bytes) -> bytes:
    """Send bytes on a connection of their own and return all that comes back."""
    port = int(local.base_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    return answer


def test_an_application_gets_all_it_needs(local: LocalPortal) -> None:
    assert local.environ == {
        **local.environ,
        "HUBSPOT_ACCESS_TOKEN": local.token,
        "HUBSPOT_BASE_URL": local.base_url,
    }
    assert local.base_url.startswith("http://127.0.0.1:")
    identity = requests.get(f"{local.base_url}/_portal/", timeout=30).json()
    assert identity["environ"] == local.environ
    assert identity["tokens"]["hubspot"] == {"application": local.token, "seeder": local.seed_token}


def test_requests_go_through_with_all_their_parts(local: LocalPortal, session: requests.Session) -> None:
    made = session.post(
        f"{local.base_url}/crm/v3/objects/contacts",
        json={"properties": {"email": "žiga@example.com", "city": "Škofja Loka"}},
        timeout=30,
    )
    assert made.status_code == 201
    assert made.headers["Server"] == "pytest-crmseed"
    read = session.get(
        f"{local.base_url}/crm/v3/objects/contacts/%C5%BEiga%40example.com",
        params={"idProperty": "email", "properties": ["city", "email"]},
        timeout=30,
    )
    assert read.json()["properties"]["city"] == "Škofja Loka"
    gone = session.delete(f"{local.base_url}/crm/v3/objects/contacts/{made.json()['id']}", timeout=30)
    assert (gone.status_code, gone.content) == (204, b"")
    assert "Content-Length" not in gone.headers
    assert [(each.method, each.status) for each in local.requests] == [
        ("POST", 201),
        ("GET", 200),
        ("DELETE", 204),
    ]


def test_connections_are_kept_alive(local: LocalPortal) -> None:
    connection = connect(local)
    connection.connect()
    used = connection.sock
    for method, path in [("GET", "/_portal/stats"), ("GET", "/nowhere"), ("HEAD", "/nowhere")] * 2:
        connection.request(method, path)
        answer = connection.getresponse()
        assert answer.version == 11
        body = answer.read()
        assert (body == b"") == (method == "HEAD")
        assert connection.sock is used
    connection.close()


def test_no_segment_waits_for_another(local: LocalPortal) -> None:
    # One write per answer, and at once: what makes the difference between 1 ms and 40 ms.
    handler = server_module._Handler
    assert handler.wbufsize == -1 and handler.disable_nagle_algorithm


def test_a_body_in_chunks(local: LocalPortal, session: requests.Session) -> None:
    parts = (part for part in (b'{"properties":', b'{"firstname":"Ann"}}'))
    url = f"{local.base_url}/crm/v3/objects/contacts"
    answer = session.post(url, data=parts, headers={"Content-Type": "application/json"}, timeout=30)
    assert answer.status_code == 201


def test_a_client_that_asks_before_it_sends_its_body(local: LocalPortal) -> None:
    port = int(local.base_url.rpartition(":")[2])
    body = b'{"scopes": []}'
    head = (
        b"POST /_portal/tokens HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head)
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 201 Created\r\n")


def test_chunks_that_are_none(local: LocalPortal) -> None:
    head = b"POST /crm/v3/objects/contacts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for tail in [b"zz\r\n", b"5\r\nab", b"2\r\nabcd\r\n"]:
        assert raw(local, head + tail).startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large(
    local: LocalPortal, session: requests.Session, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr(server_module, "BODY_LIMIT", 1000)
    url = f"{local.base_url}/crm/v3/objects/contacts"
    data: Any = (b"x" * 600 for _ in range(3)) if chunked else b"x" * 1001
    answer = session.post(url, data=data, timeout=30)
    assert (answer.status_code, answer.json()) == (
        413,
        {"status": "error", "message": "The request's body is larger than 1000 bytes."},
    )
    assert session.get(local.base_url + DETAILS, timeout=30).status_code == 200


@pytest.mark.parametrize("length", [b"ten", b"-1"])
def test_a_length_that_is_none(local: LocalPortal, length: bytes) -> None:
    answer = raw(local, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b'{"status":"error","message":"The length of the request\'s body is not valid."}')
    assert answer.lower().count(b"connection: close") == 1


@pytest.mark.parametrize(
    "text", [b"\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01"]
)
def test_what_is_no_request_ends_only_its_own_connection(
    local: LocalPortal, session: requests.Session, text: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    raw(local, text)
    assert session.get(local.base_url + DETAILS, timeout=30).status_code == 200
    assert capfd.readouterr() == ("", "")


def test_a_header_cannot_be_smuggled_into_an_answer(local: LocalPortal) -> None:
    answer = raw(
        local,
        b"POST /crm/v3/properties/contacts%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\n"
        b"Host: localhost\r\nAuthorization: Bearer "
        + local.seed_token.encode()
        + b"\r\nContent-Length: 0\r\n\r\n",
    )
    assert b"\r\nSet-Cookie" not in answer


def test_many_at_once(local: LocalPortal) -> None:
    def seed(number: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {local.seed_token}"
            for turn in range(5):
                inputs = [
                    {"properties": {"email": f"{number}-{turn}-{row}@example.com"}} for row in range(10)
                ]
                url = f"{local.base_url}/crm/objects/2026-03/contacts/batch/create"
                assert session.post(url, json={"inputs": inputs}, timeout=60).status_code == 201

    threads = [threading.Thread(target=seed, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    stats = local.stats()
    assert stats["records"]["hubspot"]["contacts"] == 300
    assert stats["requests"]["writes"] == 30
    assert 1 <= stats["max_in_flight"] <= 6


def test_requests_in_flight_are_counted_while_they_wait() -> None:
    both = threading.Barrier(3, timeout=30)
    with LocalPortal(latency=0.25, sleep=lambda seconds: both.wait()) as local:
        threads = [
            threading.Thread(target=requests.get, args=(local.base_url + DETAILS,), kwargs={"timeout": 30})
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        both.wait()
        for thread in threads:
            thread.join(30)
        assert local.stats()["max_in_flight"] == 2


def test_latency_is_slept_before_api_requests_only() -> None:
    slept: list[float] = []
    with LocalPortal(latency=0.25, sleep=slept.append) as local:
        requests.get(f"{local.base_url}/_portal/stats", timeout=30)
        requests.get(local.base_url + DETAILS, timeout=30)
    assert slept == [0.25]


def test_a_closed_portal_answers_nobody_any_more() -> None:
    before = set(threading.enumerate())
    local = LocalPortal().start()
    connection = connect(local)
    connection.request("GET", "/_portal/stats")
    connection.getresponse().read()
    port = int(local.base_url.rpartition(":")[2])
    # Not those of portals that other tests share.
    threads = [x for x in set(threading.enumerate()) - before if x.name == "crmseed-portal"]
    assert threads
    local.close()
    local.close()
    assert not [thread for thread in threads if thread.is_alive()]
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.request("GET", "/_portal/stats")
        connection.getresponse()
    connection.close()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_an_address_comes_with_the_start() -> None:
    local = LocalPortal()
    with pytest.raises(UsageError) as refused:
        _ = local.base_url
    assert str(refused.value) == "The local portal has no address yet. Call start() first."
    assert local.start() is local.start()
    local.close()


def test_a_port_that_is_taken(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        local = LocalPortal(port=port)
        with pytest.raises(UsageError) as refused, local:
            raise AssertionError("it has started")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        local.stats()
    assert str(refused.value) == (
        f"the local portal cannot listen on 127.0.0.1:{port}: Address already in use."
        " Choose another port, or 0 for a free one."
    )
    assert capfd.readouterr() == ("", "")


def test_a_port_that_is_none() -> None:
    local = LocalPortal(port=70_000)
    with pytest.raises(
        UsageError, match=r"cannot listen on 127\.0\.0\.1:70000: ports run from 0 to 65535\. Choose"
    ):
        local.start()
    local.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": (0, 10.0)}, "rate=(0, 10.0): at least 1 request in more than 0 seconds must be allowed."),
        ({"rate": (1, 0.0)}, "rate=(1, 0.0): at least 1 request in more than 0 seconds must be allowed."),
        ({"latency": -1.0}, "latency=-1.0: seconds to wait cannot be negative."),
    ],
)
def test_numbers_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        LocalPortal(**options)
    assert str(refused.value) == message


def test_rate_and_behaviour_reach_the_portal() -> None:
    with LocalPortal(rate=(1, 3600.0), behaviour=Behaviour(account_type="SANDBOX")) as local:
        headers = {"Authorization": f"Bearer {local.token}"}
        first, second = (
            requests.get(local.base_url + DETAILS, headers=headers, timeout=30) for _ in range(2)
        )
        assert (first.json()["accountType"], second.status_code) == ("SANDBOX", 429)
        assert first.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "3600000"


def test_importing_the_package_loads_no_server_and_no_database() -> None:
    code = (
        "import sys, pytest_crmseed.portal\n"
        "heavy = {'werkzeug', 'sqlite3', 'http.server', 'requests'} & set(sys.modules)\n"
        "from pytest_crmseed.portal import LocalPortal\n"
        "LocalPortal().close()\n"
        "print(sorted(heavy), 'werkzeug' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[] False\n"


def test_the_package_has_no_other_names() -> None:
    import pytest_crmseed.portal as package

    for name in package.__all__:
        assert getattr(package, name).__name__ == name
    with pytest.raises(AttributeError, match=r"^module 'pytest_crmseed\.portal' has no attribute 'Portals'$"):
        _ = package.Portals  # type: ignore[attr-defined]


def test_json_bodies_of_answers_are_utf_8(local: LocalPortal, session: requests.Session) -> None:
    url = f"{local.base_url}/crm/v3/objects/contacts"
    answer = session.post(url, json={"properties": {"firstname": "Škofja"}}, timeout=30)
    assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
    assert json.loads(answer.content)["properties"]["firstname"] == "Škofja"


# -- anything at all on the wire ---------------------------------------------------------------------
@pytest.fixture(scope="module")
def lasting() -> Iterator[LocalPortal]:
    with LocalPortal() as portal:
        yield portal


lines = st.sampled_from(
    [
        b"GET / HTTP/1.1",
        b"POST /crm/v3/objects/contacts HTTP/1.1",
        b"PUT /_portal/faults HTTP/1.0",
        b"Host: localhost",
        b"Host: evil.example",
        b"Content-Length: 5",
        b"Content-Length: 99999999999999999999",
        b"Transfer-Encoding: chunked",
        b"Expect: 100-continue",
        b"Connection: Upgrade, HTTP2-Settings",
        b"Authorization: Bearer \xff\x00",
        b"",
        b"5",
        b"hello",
        b"0",
    ]
)


@settings(max_examples=60)
@given(parts=st.lists(lines | st.binary(max_size=20), max_size=8))
def test_bytes_of_any_kind_leave_the_server_serving(lasting: LocalPortal, parts: list[bytes]) -> None:
    try:
        answer = raw(lasting, b"\r\n".join([*parts, b"", b""]))
    except OSError:
        answer = b""  # a connection that is reset is an answer, too
    assert b" 500 " not in answer.partition(b"\r\n")[0]
    assert b"LOCAL_PORTAL_FAULT" not in answer
    assert raw(lasting, b"GET /_portal/stats HTTP/1.1\r\nHost: localhost\r\n\r\n").startswith(
        b"HTTP/1.1 200 OK"
    )
