"""The transport against a real server on the loopback interface."""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from pytest_crmseed._version import __version__
from pytest_crmseed.errors import CrmseedError, NotAPortal, OutcomeUnknown, Unreachable, UsageError
from pytest_crmseed.ingest.redaction import Redactor
from pytest_crmseed.ingest.transport import Transport, client_session, our_adapter
from pytest_crmseed.providers.base import Effect, Request

SECRET = "pat-eu1-5ecre7/+=and more"
OTHER_SECRET = "another-secret"
SIGNED = {"Authorization": f"Bearer {SECRET}"}

Make = Callable[..., Transport]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Transport] = []

    def make(url: str, **options: Any) -> Transport:
        made.append(Transport(url, **{"headers": SIGNED, **options}))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


def get(path: str = "/x", **options: Any) -> Request:
    return Request("GET", path, "read a deal", Effect.READ, **options)


def create(body: Any = None) -> Request:
    return Request("POST", "/deals", "create 2 deals", Effect.CREATE, body={} if body is None else body)


# -- what goes out -------------------------------------------------------------------------------
def test_a_request_arrives_as_it_was_meant(server: Any, make: Make) -> None:
    body = {"name": "Žluťoučký 🚲", "amount": 1.5, "list": [1, None, True]}
    request = Request(
        "POST",
        "/crm/v3/objects/contacts/a%40example.com",
        "create",
        Effect.CREATE,
        query=(("properties", "a"), ("properties", "b c"), ("q", "ü&=")),
        body=body,
    )
    answer = make(server.url).send(request)
    assert (answer.status, answer.body, answer.json(), answer.request) == (200, b"{}", {}, request)
    [got] = server.received
    assert got.method == "POST"
    assert got.target == "/crm/v3/objects/contacts/a%40example.com?properties=a&properties=b+c&q=%C3%BC%26%3D"
    assert got.body == json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    assert got.headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": f"pytest-crmseed/{__version__} python-requests/{requests.__version__}",
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "authorization": f"Bearer {SECRET}",
        "content-type": "application/json",
        "content-length": str(len(got.body)),
    }


def test_a_request_without_a_body_says_nothing_of_one(server: Any, make: Make) -> None:
    make(server.url, user_agent="mine/1").send(get())
    [got] = server.received
    assert (got.method, got.target, got.body) == ("GET", "/x", b"")
    assert "content-type" not in got.headers
    assert "content-length" not in got.headers
    assert got.headers["user-agent"] == "mine/1"


def test_an_empty_object_is_a_body(server: Any, make: Make) -> None:
    make(server.url).send(create({}))
    assert server.received[0].body == b"{}"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (Decimal("1.5"), "Object of type Decimal is not JSON serializable"),
        (date(2026, 1, 2), "Object of type date is not JSON serializable"),
        (float("nan"), "Out of range float values are not JSON compliant"),
        ("\ud800", "'utf-8' codec can't encode"),
    ],
)
def test_what_is_no_json_is_not_sent(server: Any, make: Make, value: object, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        make(server.url).send(create({"amount": value}))
    assert str(caught.value).startswith(f"create 2 deals: the body is no JSON data ({why}")
    assert server.received == []


@pytest.mark.parametrize("path", [".evil.example/x", "@evil.example/x", "x", "", "http://evil.example/x"])
def test_a_path_cannot_change_the_address(server: Any, make: Make, path: str) -> None:
    with pytest.raises(UsageError) as caught:
        make(server.url).send(get(path))
    assert str(caught.value) == f"read a deal: the path {path!r} does not start with a slash."


def test_a_path_of_two_slashes_stays_at_the_address(server: Any, make: Make) -> None:
    make(server.url).send(get("//evil.example/x"))
    assert server.received[0].target.endswith("/evil.example/x")


def test_a_base_path_is_kept(server: Any, make: Make) -> None:
    make(server.url + "/odoo/").send(get("/json/2"))
    assert server.received[0].target == "/odoo/json/2"


# -- what comes back -----------------------------------------------------------------------------
@pytest.mark.parametrize("status", [200, 201, 204, 207, 400, 401, 404, 409, 423, 429, 477, 500, 502, 521])
def test_any_status_is_an_answer(server: Any, make: Make, behave: Any, status: int) -> None:
    body = b"" if status == 204 else b'{"a":1}'
    headers = {"X-HubSpot-RateLimit-Max": "100", "Retry-After": "3"}
    server.script = [behave.answer(status, body, headers)]
    answer = make(server.url).send(create())
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers["x-hubspot-ratelimit-max"] == "100"
    assert answer.headers["retry-after"] == "3"


def test_a_compressed_body_is_unpacked(server: Any, make: Make, behave: Any) -> None:
    server.script = [behave.answer(200, gzip.compress(b'{"a":1}'), {"Content-Encoding": "gzip"})]
    assert make(server.url).send(get()).json() == {"a": 1}


def test_a_chunked_body_is_put_together(server: Any, make: Make, behave: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.script = [behave.send(head + b'3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n')]
    assert make(server.url).send(get()).json() == {"a": 1}


def test_a_connection_is_used_again(server: Any, make: Make) -> None:
    transport = make(server.url)
    for _ in range(3):
        transport.send(get())
    assert [got.connection for got in server.received] == [1, 1, 1]


def test_threads_have_connections_of_their_own(server: Any, make: Make) -> None:
    transport = make(server.url, pool_size=4)
    bodies: set[bytes] = set()

    def work(number: int) -> None:
        for index in range(10):
            answer = transport.send(create({"n": [number, index]}))
            bodies.add(json.dumps(answer.request.body).encode())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(bodies) == len({got.body for got in server.received}) == 80
    assert server.connections <= 4


# -- no connection -------------------------------------------------------------------------------
def test_nothing_listens(dead_url: str, make: Make) -> None:
    with pytest.raises(Unreachable) as caught:
        make(dead_url).send(create())
    assert str(caught.value) == (
        f"create 2 deals: {dead_url} cannot be reached: nothing listens there (connection refused). "
        "Start the portal, or correct the address. Nothing was sent."
    )


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    def unknown(*args: object, **options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable) as caught:
        make("https://portal.test").send(create())
    assert str(caught.value) == (
        "create 2 deals: https://portal.test cannot be reached: its name is not known. "
        "Check the address and the network. Nothing was sent."
    )


def test_connecting_takes_too_long(monkeypatch: pytest.MonkeyPatch, server: Any, make: Make) -> None:
    def slow(*args: object, **options: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", slow)
    with pytest.raises(Unreachable) as caught:
        make(server.url, connect_timeout=2.5).send(create())
    monkeypatch.undo()
    assert str(caught.value) == (
        f"create 2 deals: {server.url} cannot be reached: no connection within 2.5 s. Check the address, the "
        "network, and whether a proxy is needed (HTTPS_PROXY). Nothing was sent."
    )


def test_a_certificate_that_is_not_trusted(tls_server: Any, make: Make) -> None:
    with pytest.raises(Unreachable) as caught:
        make(tls_server.url).send(create())
    assert str(caught.value).replace("self signed", "self-signed") == (
        f"create 2 deals: {tls_server.url} cannot be reached: its certificate is not trusted (self-signed "
        "certificate). Point REQUESTS_CA_BUNDLE at the certificates to trust. Nothing was sent."
    )


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_certificate_of_ones_own_is_trusted(
    tls_server: Any, make: Make, certificate: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(certificate))
    assert make(tls_server.url).send(create()).status == 200
    assert make(tls_server.url.replace("127.0.0.1", "localhost")).send(create()).status == 200


def test_a_bundle_that_is_not_there(
    tls_server: Any, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(Unreachable) as caught:
        make(tls_server.url).send(create())
    assert str(caught.value) == (
        f"create 2 deals: {tls_server.url} cannot be reached: Could not find a suitable TLS CA certificate "
        f"bundle, invalid path: {tmp_path / 'none.pem'}. Correct REQUESTS_CA_BUNDLE. Nothing was sent."
    )


def test_https_at_an_address_that_is_http(server: Any, make: Make) -> None:
    with pytest.raises(Unreachable) as caught:
        make(server.url.replace("http:", "https:")).send(create())
    text = str(caught.value)
    assert text.startswith(f"create 2 deals: https://127.0.0.1:{server.port} cannot be reached: ")
    assert text.endswith("Nothing was sent.")


def test_a_connection_that_breaks_during_the_handshake() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        connection, _ = listener.accept()
        connection.recv(16)
        connection.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    transport = Transport(f"https://127.0.0.1:{listener.getsockname()[1]}", headers=SIGNED)
    with pytest.raises(Unreachable):
        transport.send(create())
    thread.join(10)
    transport.close()
    listener.close()


# -- sent, and no proper answer ------------------------------------------------------------------
REMOTE_END = (
    "closed the connection without a proper answer "
    "(RemoteDisconnected: Remote end closed connection without response)"
)
LOOK = "It may have been executed: look before it is sent again."


@pytest.mark.parametrize(
    ("behaviour", "what"),
    [
        ("close", REMOTE_END),
        ("reset", "closed the connection without a proper answer (ConnectionResetError: "),
        ("garbage", "closed the connection without a proper answer (BadStatusLine: SSH-2.0-x\r\n)"),
        ("half a body", "closed the connection in the middle of its answer"),
        ("half a chunk", "closed the connection in the middle of its answer"),
        ("no gzip", "sent a body that cannot be decoded"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none(server: Any, make: Make, behave: Any, behaviour: str, what: str) -> None:
    server.script = [
        {
            "close": behave.send(b""),
            "reset": behave.reset,
            "garbage": behave.send(b"SSH-2.0-x\r\n"),
            "half a body": behave.send(b"HTTP/1.1 201 Created\r\nContent-Length: 20\r\n\r\n{"),
            "half a chunk": behave.send(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"),
            "no gzip": behave.answer(201, b"{}", {"Content-Encoding": "gzip"}, stay=False),
        }[behaviour]
    ]
    with pytest.raises(OutcomeUnknown) as caught:
        make(server.url).send(create())
    message = caught.value.message
    assert message.removesuffix(".").startswith(f"create 2 deals: {server.url} {what}")
    assert caught.value.remedy == LOOK
    assert len(server.received) == 1


def test_no_answer_in_time(server: Any, make: Make, behave: Any) -> None:
    server.script = [behave.hang]
    with pytest.raises(OutcomeUnknown) as caught:
        make(server.url, read_timeout=0.05).send(create())
    assert str(caught.value) == f"create 2 deals: {server.url} gave no answer within 0.05 s. {LOOK}"


def test_a_body_that_does_not_end_in_time(server: Any, make: Make, behave: Any) -> None:
    def half(server: Any, connection: socket.socket) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
        server.wait_until_over()
        return False

    server.script = [half]
    with pytest.raises(OutcomeUnknown, match=r"gave no answer within 0\.05 s"):
        make(server.url, read_timeout=0.05).send(create())


def test_a_read_without_an_answer_changed_nothing(server: Any, make: Make, behave: Any) -> None:
    server.script = [behave.reset]
    with pytest.raises(OutcomeUnknown) as caught:
        make(server.url).send(get())
    assert caught.value.remedy == (
        "Nothing was changed; check the network and the portal's status, and try again."
    )


def test_a_kept_connection_that_is_closed_instead_of_an_answer(server: Any, make: Make, behave: Any) -> None:
    server.script = [behave.answer(), behave.send(b"")]
    transport = make(server.url)
    transport.send(create({"n": 1}))
    with pytest.raises(OutcomeUnknown):
        transport.send(create({"n": 2}))
    assert [got.connection for got in server.received] == [1, 1]
    assert transport.send(create({"n": 3})).status == 200


def test_a_kept_connection_that_was_closed_before_is_replaced(server: Any, make: Make, behave: Any) -> None:
    server.script = [behave.answer(stay=False)]
    transport = make(server.url)
    transport.send(create({"n": 1}))
    assert server.closed.wait(10)
    assert transport.send(create({"n": 2})).status == 200
    assert [got.connection for got in server.received] == [1, 2]


def test_a_tls_connection_lost_after_sending_is_no_failed_handshake(
    tls_server: Any, make: Make, behave: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    tls_server.script = [behave.reset]
    with pytest.raises(OutcomeUnknown):
        make(tls_server.url).send(create())


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_a_redirect_is_not_followed(server: Any, make: Make, behave: Any, status: int) -> None:
    server.script = [behave.answer(status, b"", {"Location": f"/login?token={SECRET}"})]
    with pytest.raises(NotAPortal) as caught:
        make(server.url).send(get())
    assert str(caught.value) == (
        f"read a deal: {server.url} answered with a redirect ({status}) to '/login?token=***'. "
        "An API does not redirect: check the address (https, the host's name), or the proxy."
    )
    assert caught.value.status == status
    assert len(server.received) == 1


# -- the environment -----------------------------------------------------------------------------
def test_a_netrc_never_replaces_our_sign_in(
    server: Any, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\ndefault login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    make(server.url).send(get())
    with client_session(server.url, SIGNED) as session:
        session.get("/x")
    assert [got.headers["authorization"] for got in server.received] == [f"Bearer {SECRET}"] * 2


def test_cookies_are_not_kept(server: Any, make: Make, behave: Any) -> None:
    server.script = [behave.answer(headers={"Set-Cookie": "a=b; Path=/"})]
    transport = make(server.url)
    transport.send(get())
    transport.send(get())
    assert "cookie" not in server.received[1].headers


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_loopback_address_never_goes_through_a_proxy(
    server: Any, make: Make, dead_url: str, monkeypatch: pytest.MonkeyPatch, variable: str, host: str
) -> None:
    monkeypatch.setenv(variable, dead_url)
    url = server.url.replace("127.0.0.1", host)
    assert make(url).send(get()).status == 200
    with client_session(url, SIGNED) as session:
        assert session.get("/x").status_code == 200


def test_other_addresses_go_through_the_proxy(
    server: Any, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    make("http://portal.test").send(get())
    assert (server.received[0].target, server.received[0].headers["host"]) == (
        "http://portal.test/x",
        "portal.test",
    )


def test_a_proxy_that_refuses_sends_nothing(
    server: Any, make: Make, behave: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script = [behave.answer(407, b"", stay=False)]
    monkeypatch.setenv("HTTPS_PROXY", server.url.replace("//", "//user:hunter2@"))
    with pytest.raises(Unreachable) as caught:
        make("https://portal.test").send(create())
    assert (server.received[0].method, server.received[0].target) == ("CONNECT", "portal.test:443")
    text = str(caught.value)
    assert text.startswith("create 2 deals: https://portal.test cannot be reached: the proxy does not let it")
    assert "407" in text
    assert text.endswith("Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY. Nothing was sent.")
    assert "hunter2" not in text


def test_a_proxy_that_is_not_there(dead_url: str, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", dead_url)
    with pytest.raises(Unreachable, match="the proxy does not let it through"):
        make("http://portal.test").send(create())


def test_no_proxy_is_obeyed(dead_url: str, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: str, *args: object, **options: object) -> None:
        raise socket.gaierror(-2, f"asked for {host}")

    monkeypatch.setenv("HTTP_PROXY", dead_url)
    monkeypatch.setenv("NO_PROXY", "portal.test")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match="its name is not known"):
        make("http://portal.test").send(create())


# -- mocks do not reach us -----------------------------------------------------------------------
@responses.activate
def test_an_active_mock_does_not_get_our_requests(server: Any, make: Make) -> None:
    with pytest.raises(requests.ConnectionError, match="Connection refused by Responses"):
        requests.get(server.url)
    assert make(server.url).send(get()).status == 200
    with client_session(server.url, SIGNED) as session:
        assert session.get("/x").status_code == 200
    with requests.Session() as session:
        session.mount(server.url, our_adapter())
        assert session.get(server.url + "/x").status_code == 200
    assert len(server.received) == 3


def test_a_mock_that_was_active_before_we_were_imported_gets_nothing(server: Any) -> None:
    code = """
import sys
import responses
responses.start()
assert "pytest_crmseed.ingest.transport" not in sys.modules
from pytest_crmseed.ingest.transport import Transport, client_session
from pytest_crmseed.providers.base import Effect, Request
transport = Transport(sys.argv[1], headers={})
print(transport.send(Request("GET", "/x", "read", Effect.READ)).status)
print(client_session(sys.argv[1], {}).get("/x").status_code)
responses.stop(allow_assert=False)
print(transport.send(Request("GET", "/x", "read", Effect.READ)).status)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", code, server.url], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (run.stdout.split(), run.stderr) == (["200", "200", "200"], "")
    assert len(server.received) == 3


# -- secrets -------------------------------------------------------------------------------------
def everything_about(error: BaseException) -> str:
    """All that a log, a traceback with locals or a debugger's first look would show of an error."""
    out = io.StringIO()
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        print(repr(current), current, file=out)
        if isinstance(current, BaseException):
            traceback.print_exception(current, file=out)
            waiting += [*current.args, *vars(current).values(), current.__cause__, current.__context__]
            frame = current.__traceback__
            while frame is not None:
                if frame.tb_frame.f_code.co_filename != __file__:
                    print(frame.tb_frame.f_locals, file=out)
                frame = frame.tb_next
    return out.getvalue()


@pytest.mark.parametrize("failure", ["dead", "reset", "redirect", "tls", "json"])
def test_no_error_holds_a_secret(server: Any, dead_url: str, make: Make, behave: Any, failure: str) -> None:
    server.script = [
        behave.answer(302, b"", {"Location": "/" + SECRET}) if failure == "redirect" else behave.reset
    ]
    url = {"dead": dead_url, "tls": server.url.replace("http:", "https:")}.get(failure, server.url)
    body = {"a": Decimal(1)} if failure == "json" else {}
    with pytest.raises(CrmseedError) as caught:
        make(url, secrets=[OTHER_SECRET]).send(create(body))
    text = everything_about(caught.value)
    assert "5ecre7" not in text
    assert OTHER_SECRET not in text
    assert failure == "json" or caught.value.__context__ is caught.value.__cause__ is None


def test_no_error_of_the_client_session_shows_a_secret(server: Any, dead_url: str, behave: Any) -> None:
    server.script = [behave.reset]
    for url in (dead_url, server.url):
        with client_session(url, SIGNED) as session:
            with pytest.raises(requests.ConnectionError) as caught:
                session.get("/x")
            assert "5ecre7" not in everything_about(caught.value)
            assert "5ecre7" not in repr(session) + repr(session.headers) + repr(session.auth)


def test_a_transport_shows_its_address_alone(make: Make) -> None:
    transport = make("https://api.example.com/")
    assert repr(transport) == "<Transport https://api.example.com>"
    assert repr(transport.redactor) == "<Redactor>"


@pytest.mark.parametrize("token", [" abc", "abc\n", "a\nb", "ab\x00", "abcé"])
@pytest.mark.parametrize("build", [lambda url, h: Transport(url, headers=h), client_session])
def test_a_token_that_cannot_be_sent_is_refused_without_showing_it(
    build: Callable[[str, dict[str, str]], object], token: str
) -> None:
    with pytest.raises(UsageError) as caught:
        build("http://127.0.0.1:1", {"X-Api-Token": token})
    assert str(caught.value) == (
        "The value of the X-Api-Token header has a line break, a space at an end, or a letter that cannot "
        "stand in a header. "
        "Check the token in the environment or .env: perhaps more than the token was copied."
    )
    assert token.strip() not in everything_about(caught.value).replace(str(caught.value), "").split()


@pytest.mark.parametrize(
    "url",
    ["", "api.example.com", "ftp://x", "https://", "https://x?a=1", "https://x#a", "http://[::1", "http:/x"],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    for build in (Transport, client_session):
        with pytest.raises(UsageError) as caught:
            build(url, headers={})
        assert (
            str(caught.value)
            == f"{url!r} is no address of a portal. Give one such as https://api.example.com."
        )


def test_credentials_do_not_belong_in_the_address() -> None:
    with pytest.raises(UsageError) as caught:
        Transport("https://me:hunter2@api.example.com", headers={})
    assert str(caught.value) == (
        "The address of api.example.com holds a user name or a password. "
        "Give credentials in the environment or in .env, and the address without them."
    )


# -- redaction -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        "pat-eu1-5ecre7%2F%2B%3Dand%20more",
        "pat-eu1-5ecre7%2F%2B%3Dand+more",
        "cGF0LWV1MS01ZWNyZTcvKz1hbmQgbW9yZQ==",
    ],
)
def test_secrets_are_replaced_in_any_form(shown: str) -> None:
    assert Redactor([SECRET]).text(f"a {shown} b {shown}") == "a *** b ***"


def test_the_longest_secret_is_replaced_first() -> None:
    assert Redactor(["abc", "abcdef", ""]).text("abcdef abc ab") == "*** *** ab"


def test_quotes_in_secrets_are_found_in_json_and_repr() -> None:
    secret = 'it\'s "q" \\ é'
    redactor = Redactor([secret])
    for shown in (
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        repr(secret),
        repr({"a": secret}),
    ):
        assert "q" not in redactor.text(shown)


def test_an_error_is_cleaned_with_all_that_it_holds() -> None:
    from pytest_crmseed.errors import ApiRefused
    from pytest_crmseed.records import Refusal

    cause = ValueError("bad", f"the {SECRET}", {"a": [SECRET]})
    error = ApiRefused(
        f"refused {SECRET}",
        remedy=f"use another than {SECRET}",
        refusals=[Refusal(f"no {SECRET}", value=SECRET)],
    )
    error.__cause__ = cause
    cause.__context__ = error
    Redactor([SECRET]).clean(error)
    assert "5ecre7" not in everything_about(error)
    assert str(error) == "refused *** use another than ***"
    assert error.refusals == (Refusal("no ***", value="***"),)
    assert cause.args == ("bad", "the ***", {"a": ["***"]})


# -- the application's session -------------------------------------------------------------------
@pytest.mark.parametrize(
    "path", ["/crm/v3/x?a=b", "crm/v3/x?a=b", "{base}/crm/v3/x?a=b", "//{netloc}/crm/v3/x?a=b"]
)
def test_relative_paths_go_to_the_portal(server: Any, path: str) -> None:
    with client_session(server.url, SIGNED) as session:
        answer = session.post(path.format(base=server.url, netloc=f"127.0.0.1:{server.port}"), json={"a": 1})
    assert answer.json() == {}
    [got] = server.received
    assert (got.method, got.target, got.body) == ("POST", "/crm/v3/x?a=b", b'{"a": 1}')
    assert got.headers["authorization"] == f"Bearer {SECRET}"
    assert got.headers["user-agent"] == f"pytest-crmseed/{__version__} python-requests/{requests.__version__}"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "//evil.example/x",
        "http://127.0.0.1:1/x",
        "https://127.0.0.1:{port}/x",
        "http://127.0.0.1:{port}@evil.example/x",
        "http://evil.example\\@127.0.0.1:{port}/x",
        "http://evil.example:{port}/x",
        "http://[::1/x",
        b"https://evil.example/x",
    ],
)
def test_another_origin_is_refused(server: Any, url: str | bytes) -> None:
    url = url.format(port=server.port) if isinstance(url, str) else url
    with client_session(server.url, SIGNED) as session, pytest.raises(UsageError) as caught:
        session.get(url)
    given = url.decode() if isinstance(url, bytes) else url
    assert str(caught.value) == (
        f"crm_client goes to {server.url} only, not to {given!r}. "
        "Use a relative path, or a session of your own."
    )
    assert server.received == []


def test_a_request_prepared_by_hand_is_signed_for_the_portal_alone(server: Any) -> None:
    with client_session(server.url, SIGNED) as session:
        ours = session.prepare_request(requests.Request("GET", server.url + "/x"))
        theirs = session.prepare_request(requests.Request("GET", "https://evil.example/x"))
    assert ours.headers["Authorization"] == f"Bearer {SECRET}"
    assert "Authorization" not in theirs.headers


def test_a_redirect_elsewhere_goes_without_our_headers(server: Any, another_server: Any, behave: Any) -> None:
    headers = {"x-api-token": SECRET, **SIGNED}
    server.script = [behave.answer(302, b"", {"Location": another_server.url + "/file"})]
    with client_session(server.url, headers) as session:
        assert session.get("/x").status_code == 200
    [got] = another_server.received
    assert "authorization" not in got.headers
    assert "x-api-token" not in got.headers


def test_a_redirect_within_the_portal_keeps_our_headers(server: Any, behave: Any) -> None:
    server.script = [behave.answer(302, b"", {"Location": "/y"})]
    with client_session(server.url, {"x-api-token": SECRET}) as session:
        session.get("/x")
    assert [(got.target, got.headers["x-api-token"]) for got in server.received] == [
        ("/x", SECRET),
        ("/y", SECRET),
    ]


def test_a_test_may_sign_in_as_somebody_else(server: Any) -> None:
    with client_session(server.url, SIGNED) as session:
        session.get("/x", headers={"Authorization": "Bearer other"})
    assert server.received[0].headers["authorization"] == "Bearer other"


def test_requests_of_the_session_have_time_outs(
    server: Any, behave: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_crmseed.ingest.transport.READ_TIMEOUT", 0.05)
    server.script = [behave.hang]
    with client_session(server.url, SIGNED) as session, pytest.raises(requests.ReadTimeout):
        session.get("/x")
    server.script = [behave.hang]
    with client_session(server.url, SIGNED) as session, pytest.raises(requests.ReadTimeout):
        session.get("/x", timeout=0.01)


def test_the_session_raises_what_requests_raises(
    dead_url: str, tls_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = {
        dead_url: requests.exceptions.ConnectionError,
        tls_server.url: requests.exceptions.SSLError,
    }
    for url, kind in cases.items():
        with client_session(url, SIGNED) as session, pytest.raises(kind) as caught:
            session.get("/x")
        assert type(caught.value) is kind
    monkeypatch.setenv("HTTP_PROXY", dead_url)
    with (
        client_session("http://portal.test", SIGNED) as session,
        pytest.raises(requests.exceptions.ProxyError),
    ):
        session.get("/x")


def test_the_session_streams(server: Any, behave: Any) -> None:
    server.script = [behave.answer(200, b"a" * 100_000)]
    with client_session(server.url, SIGNED) as session, session.get("/x", stream=True) as answer:
        assert sum(len(part) for part in answer.iter_content(1000)) == 100_000
