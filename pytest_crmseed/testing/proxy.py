"""A proxy on the loopback interface that loses requests or answers, in front of any HTTP server."""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
import threading
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

HEADER = "X-Crmseed-Cut"
"""The header by which a request asks to be cut; the server behind the proxy never sees it."""

# Of this hop alone, or set anew for the next one.
_HOP = frozenset(
    {"connection", "host", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}
)
# As long as the slowest server under test may take.
_SECONDS = 60


class Cut(StrEnum):
    """What becomes of a request: it never arrives, or it is carried out and its answer is lost."""

    REQUEST_LOST = "request lost"
    ANSWER_LOST = "answer lost"
    ANSWER_HALVED = "answer halved"
    BAD_GATEWAY = "bad gateway"

    @property
    def executed(self) -> bool:
        """Whether the server carries the request out."""
        return self is not Cut.REQUEST_LOST


class CuttingProxy:
    """Forward requests to ``upstream``, and cut those that ask for it in the header ``X-Crmseed-Cut``.

    It needs nothing of the server: an answer is lost after the server gave it, so that what the request
    did is done. Use it as a context manager.
    """

    def __init__(self, upstream: str) -> None:
        address = urlsplit(upstream)
        secure = address.scheme == "https"
        assert address.hostname is not None
        host, port = address.hostname, address.port or (443 if secure else 80)

        def connect() -> http.client.HTTPConnection:
            if secure:
                context = ssl.create_default_context()
                return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=context)
            return http.client.HTTPConnection(host, port, timeout=_SECONDS)

        class Handler(_Handler):
            upstream_connection = staticmethod(connect)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        # Short polls: the server notices soon that it shall stop.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_SECONDS)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    # A connection that is kept open must not keep its thread for ever.
    timeout = _SECONDS

    @staticmethod
    def upstream_connection() -> http.client.HTTPConnection:
        raise AssertionError("each proxy has its own")

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        cut = self.headers.get(HEADER)
        if cut == Cut.REQUEST_LOST:
            return self._reset()
        status, headers, content = self._ask(body)
        if cut == Cut.ANSWER_LOST:
            return self._reset()
        if cut == Cut.BAD_GATEWAY:
            status, headers, content = 502, [("Content-Type", "text/html")], b"<html>Bad Gateway</html>"
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status not in (204, 304):
            # One byte more than there are, where there is nothing to halve.
            length = len(content) or 1 if cut == Cut.ANSWER_HALVED else len(content)
            self.send_header("Content-Length", str(length))
        elif cut == Cut.ANSWER_HALVED:
            return self._reset()
        self.end_headers()
        if cut == Cut.ANSWER_HALVED:
            self.wfile.write(content[: len(content) // 2])
            return self._reset()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = forward

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = self.upstream_connection()
        dropped = {*_HOP, HEADER.lower()}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        passed = [
            (name, value)
            for name, value in answer.getheaders()
            if name.lower() not in {*_HOP, "content-length", "date", "server"}
        ]
        return answer.status, passed, content

    def _reset(self) -> None:
        self.wfile.flush()
        # Without lingering, closing resets the connection: what a broken line looks like from here.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""
