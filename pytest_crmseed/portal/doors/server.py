"""The loopback door: a portal behind an HTTP server of werkzeug's, with keep-alive."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Any

from werkzeug.serving import DechunkedInput, ThreadedWSGIServer, WSGIRequestHandler

from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal.gate import refusal
from pytest_crmseed.portal.message import PortalRequest, PortalResponse

BODY_LIMIT = 10 * 1024 * 1024
"""Bytes of a request's body; a larger one is answered with 413."""

DEADLINE = 10.0
"""Seconds that starting and closing may take."""

# Read and thrown away, so that a client which is still sending sees the 413 and not a reset connection.
_DRAINED = 8 * BODY_LIMIT

_POLL = 0.02


class Server:
    """Serves ``handle`` on 127.0.0.1 from a daemon thread, from the moment it is made.

    ``tls`` has the certificate to show; without it the address is ``http``. Requests for other hosts
    than loopback ones and ``host_names``, and from pages of other sites, are refused.

    Raises:
        UsageError: the port cannot be bound, or the server does not start within the deadline.
    """

    def __init__(
        self,
        handle: Callable[[PortalRequest], PortalResponse],
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        host_names: Collection[str] = (),
    ) -> None:
        if not 0 <= port <= 65_535:
            raise _cannot_listen(port, "ports run from 0 to 65535")
        # Bound here and not by werkzeug, which prints what went wrong and ends the process.
        try:
            listener = socket.create_server(("127.0.0.1", port), backlog=128)
        except OSError as error:
            raise _cannot_listen(port, os.strerror(error.errno or 0)) from error
        with listener:
            self._server = _Server(handle, listener, tls, host_names)
        self.base_url = f"{self._server.scheme}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": _POLL},
            name="crmseed-portal",
            daemon=True,
        )
        self._thread.start()
        if not self._server.serving.wait(DEADLINE):
            raise UsageError(f"the local portal did not start within {DEADLINE:g} seconds.")

    def close(self) -> None:
        """Stop serving and drop all connections, within the deadline."""
        stopper = threading.Thread(target=self._server.shutdown, daemon=True)
        stopper.start()
        stopper.join(DEADLINE)
        self._server.drop_connections()
        self._server.server_close()
        self._thread.join(DEADLINE)


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one segment, at once: without both, keep-alive clients see stalls of
    # 40 ms (CPython issue 108736).
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)
        if isinstance(self.connection, ssl.SSLSocket):
            # Here and not on accepting: a client that says nothing holds up its own thread alone.
            self.connection.settimeout(DEADLINE)
            self.connection.do_handshake()
            self.connection.settimeout(None)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        try:
            super().finish()
        except OSError as error:
            self.connection_dropped(error)

    def handle_expect_100(self) -> bool:
        """Ask for the body at once: writes are buffered, and the client waits for this one."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def run_wsgi(self) -> None:
        """Answer one request. Replaces werkzeug's WSGI call, which closes the connection each time."""
        try:
            body = self._body()
        except ValueError:
            self.close_connection = True
            self._write(_problem(400, "The length of the request's body is not valid."))
            return
        if body is None:
            self.close_connection = True
            self._write(_problem(413, f"The request's body is larger than {BODY_LIMIT} bytes."))
            return
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = PortalRequest(self.command, path, query, headers, body, self.server.scheme)
        refused = refusal(request, self.server.host_names)
        self._write(self.server.answer(request) if refused is None else refused)

    def _body(self) -> bytes | None:
        """Return the body, or None when it is too large.

        Raises:
            ValueError: its length is not valid.
        """
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            # Untyped on purpose: socketserver declares a wider type of rfile than werkzeug takes.
            rfile: Any = self.rfile
            source = DechunkedInput(rfile)
            try:
                body: bytes = source.read(BODY_LIMIT + 1)
                while len(body) > BODY_LIMIT and source.read(BODY_LIMIT):
                    continue
            except OSError as error:
                raise ValueError(str(error)) from error
            return None if len(body) > BODY_LIMIT else body
        length = int(self.headers.get("Content-Length") or 0)
        if length < 0:
            raise ValueError("negative")
        if length <= BODY_LIMIT:
            return self.rfile.read(length)
        left = min(length, _DRAINED)
        while left > 0 and (part := self.rfile.read(min(left, 65_536))):
            left -= len(part)
        return None

    def _write(self, response: PortalResponse) -> None:
        if response.delivery != "whole":
            self.close_connection = True
        if response.delivery == "dropped":
            return
        status = HTTPStatus(response.status).phrase if response.status in set(HTTPStatus) else ""
        self.send_response(response.status, status)
        for name, value in response.headers.items():
            # A header's value may repeat what the client sent; a line break in it would end the header.
            self.send_header(name, value.replace("\r", " ").replace("\n", " "))
        if response.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(response.body)))
        # A connection that breaks in the middle is not announced.
        if self.close_connection and response.delivery == "whole":
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.arriving)
        self.wfile.flush()

    def version_string(self) -> str:
        """Return what the ``Server`` header says."""
        return "pytest-crmseed"

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: the portal runs inside other people's test output."""


class _Server(ThreadedWSGIServer):
    def __init__(
        self,
        answer: Callable[[PortalRequest], PortalResponse],
        listener: socket.socket,
        tls: ssl.SSLContext | None,
        host_names: Collection[str],
    ) -> None:
        self.answer = answer
        self.tls = tls
        self.scheme = "http" if tls is None else "https"
        self.host_names = host_names
        self.connections: set[socket.socket] = set()
        self.serving = threading.Event()
        port = listener.getsockname()[1]
        super().__init__("127.0.0.1", port, _no_wsgi, handler=_Handler, fd=listener.fileno())

    def service_actions(self) -> None:
        """Called by the loop of ``serve_forever`` in every round: it runs."""
        self.serving.set()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; its handshake is the handler's."""
        connection, address = super().get_request()
        if self.tls is not None:
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def drop_connections(self) -> None:
        """Cut the connections that clients keep alive, so that no thread answers any more."""
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client has closed it already

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a connection that broke; faults in handling are answered, not raised."""


def _no_wsgi(environ: object, start_response: object) -> list[bytes]:
    raise NotImplementedError("the portal's handler does not go through WSGI")


def _problem(status: int, message: str) -> PortalResponse:
    return PortalResponse.of(status, {"status": "error", "message": message})


def _cannot_listen(port: int, reason: str) -> UsageError:
    return UsageError(
        f"the local portal cannot listen on 127.0.0.1:{port}: {reason}.",
        remedy="Choose another port, or 0 for a free one.",
    )
