"""A server on the loopback interface that answers, or fails to, exactly as a test says."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# A certificate for localhost that nobody trusts, valid from 2020 to 2120.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBfDCCASGgAwIBAgIBATAKBggqhkjOPQQDAjAeMRwwGgYDVQQDDBNweXRlc3Qt
Y3Jtc2VlZCB0ZXN0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAe
MRwwGgYDVQQDDBNweXRlc3QtY3Jtc2VlZCB0ZXN0MFkwEwYHKoZIzj0CAQYIKoZI
zj0DAQcDQgAEHVwVt7JGA8NXwjojarxdA6LFGGjEqb7tww8AGBXvMi0sWd2OVpQ/
yudS/Gle6OY0xpPd1O3qz13Lq3DdXX05SqNOMEwwDwYDVR0TAQH/BAUwAwEB/zAa
BgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwHQYDVR0OBBYEFP4SQClFPmotOn5P
l1MzPvSRMHTRMAoGCCqGSM49BAMCA0kAMEYCIQDV4DEbXTq0ygXJxMlMmvSxBdXd
2Vg2GlkQzG6KW8QCOwIhAOMdcoarUMtf98QUTXvq2nq56ofGOSdEwz9bqjcFWDV9
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0kOmvI3XBnicykpZ
FTWkRylIb8yJ16uv2YSzNCDBUsChRANCAAQdXBW3skYDw1fCOiNqvF0DosUYaMSp
vu3DDwAYFe8yLSxZ3Y5WlD/K51L8aV7o5jTGk93U7erPXcurcN1dfTlK
-----END PRIVATE KEY-----
"""


@dataclass
class Received:
    """A request as it came over the wire; header names are lower-case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


Behaviour = Callable[["Server", socket.socket], bool]
"""Answers a request; says whether the connection stays open."""


class Server:
    """Takes its behaviours one by one from ``script``; after the last one answers ``{}``."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.script: list[Behaviour] = []
        self.received: list[Received] = []
        self.connections = 0
        self.closed = threading.Event()
        self._tls = tls
        self._over = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        self._over.set()
        # Wakes accept() up, which closing the socket does not everywhere.
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._threads[0].join(10)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # the client may have closed it
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def wait_until_over(self) -> None:
        self._over.wait(60)

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._over.is_set():
                connection.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with self._lock:
                self._open.add(connection)
            with connection, connection.makefile("rb") as stream:
                while self._receive(stream, number):
                    with self._lock:
                        behaviour = self.script.pop(0) if self.script else answer()
                    if not behaviour(self, connection):
                        break
        except (OSError, ValueError):
            pass  # the client went away, did not want this certificate, or spoke no HTTP
        finally:
            connection.close()
            with self._lock:
                self._open.discard(connection)
            self.closed.set()

    def _receive(self, stream: Any, number: int) -> bool:
        line = stream.readline()
        if not line:
            return False
        method, target, _ = line.decode("ascii").split(" ")
        headers: dict[str, str] = {}
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        self.received.append(Received(method, target, headers, body, number))
        return True


def answer(
    status: int = 200, body: bytes = b"{}", headers: Mapping[str, str] | None = None, *, stay: bool = True
) -> Behaviour:
    lines = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return send(head.encode("latin-1") + b"\r\n" + body, stay=stay)


def send(content: bytes, *, stay: bool = False) -> Behaviour:
    def behave(server: Server, connection: socket.socket) -> bool:
        connection.sendall(content)
        return stay

    return behave


def hang(server: Server, connection: socket.socket) -> bool:
    server.wait_until_over()
    return False


def reset(server: Server, connection: socket.socket) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


class Behaviours:
    """What a test scripts a server with."""

    answer = staticmethod(answer)
    send = staticmethod(send)
    hang = staticmethod(hang)
    reset = staticmethod(reset)


@pytest.fixture
def behave() -> Behaviours:
    return Behaviours()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def another_server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "certificate.pem"
    path.write_text(CERTIFICATE)
    return path


@pytest.fixture
def tls_server(tmp_path: Path, certificate: Path) -> Iterator[Server]:
    key = tmp_path / "key.pem"
    key.write_text(KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = Server(context)
    yield server
    server.stop()


@pytest.fixture
def dead_url() -> str:
    """An address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"
