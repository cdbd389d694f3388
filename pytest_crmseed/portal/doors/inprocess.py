"""The door without a socket: requests of this process, answered by a portal in the caller's thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from http.client import HTTPMessage, IncompleteRead, RemoteDisconnected
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError, ReadTimeoutError
from urllib3.util import Timeout

from pytest_crmseed.portal.message import PortalRequest, PortalResponse

if TYPE_CHECKING:
    from pytest_crmseed.portal.app import Portal


class InProcess:
    """A portal as urllib3's pools of connections are: ``urlopen`` sends a request.

    ``origin`` is the scheme and host that targets without them stand for.
    """

    def __init__(self, portal: Portal, origin: str = "http://127.0.0.1") -> None:
        self._portal = portal
        self._origin = origin

    def urlopen(
        self,
        method: str,
        url: str,
        body: bytes | str | Iterable[bytes] | None = None,
        headers: Mapping[str, str | bytes] | None = None,
        *,
        timeout: Timeout | float | None = None,
        **ignored: Any,
    ) -> HTTPResponse:
        """Send a request and return its answer, with the body still to be read.

        ``ignored`` is what concerns sockets, redirects and retries; there are none.

        Raises:
            ProtocolError: a fault closes the connection before an answer.
            ReadTimeoutError: on the portal's clock the answer took longer than ``timeout``.
        """
        parts = urlsplit(url)
        scheme, host = (parts.scheme, parts.netloc) if parts.netloc else tuple(self._origin.split("://", 1))
        given = {name.lower(): _text(value) for name, value in (headers or {}).items()}
        request = PortalRequest(
            method, parts.path or "/", parts.query, {"host": host, **given}, _bytes(body), scheme
        )
        clock = self._portal.clock
        started = clock.now()
        answer = self._portal.handle(request)
        limit = timeout.read_timeout if isinstance(timeout, Timeout) else timeout
        if isinstance(limit, int | float) and clock.now() - started > limit:
            # urllib3's own error takes a pool; this one stands in for it.
            pool: Any = self
            raise ReadTimeoutError(pool, url, f"Read timed out. (read timeout={limit})")
        if answer.delivery == "dropped":
            gone = RemoteDisconnected("Remote end closed connection without response")
            raise ProtocolError("Connection aborted.", gone)
        return _as_urllib3(method, answer)


class InProcessAdapter(HTTPAdapter):
    """Mount on a ``requests.Session``: its requests go to a portal without a socket.

        session.mount("https://api.hubapi.com", InProcessAdapter(portal))

    It does not call ``HTTPAdapter.send``, which mocks replace.
    """

    def __init__(self, portal: Portal) -> None:
        super().__init__()
        self._door = InProcess(portal)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request of a session.

        Raises:
            requests.ConnectionError: a fault closes the connection before an answer.
            requests.ReadTimeout: on the portal's clock the answer took longer than ``timeout``.
        """
        response = self.build_response(request, answered(self._door, request, timeout))
        return response


def answered(door: InProcess, request: requests.PreparedRequest, timeout: Any = None) -> HTTPResponse:
    """Return the answer to a request of ``requests``, with its own errors.

    Raises:
        requests.ConnectionError: a fault closes the connection before an answer.
        requests.ReadTimeout: on the portal's clock the answer took longer than ``timeout``.
    """
    read = timeout[1] if isinstance(timeout, tuple) else timeout
    try:
        return door.urlopen(
            request.method or "GET",
            request.url or "",
            request.body,
            request.headers,
            timeout=read,
        )
    except ProtocolError as error:
        raise requests.ConnectionError(error, request=request) from error
    except ReadTimeoutError as error:
        raise requests.ReadTimeout(error, request=request) from error


class _Cut(BytesIO):
    """A body that ends too early; who reads all of it at once is told, as by a connection."""

    def __init__(self, body: bytes, missing: int) -> None:
        super().__init__(body)
        self._missing = missing

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if size is None or size < 0:
            raise IncompleteRead(data, self._missing)
        return data


def _as_urllib3(method: str, answer: PortalResponse) -> HTTPResponse:
    body = b"" if method == "HEAD" else answer.arriving
    cut = len(answer.body) - len(body) if answer.delivery == "cut" and method != "HEAD" else 0
    headers = {name: value.replace("\r", " ").replace("\n", " ") for name, value in answer.headers.items()}
    headers["Server"] = "pytest-crmseed"
    if answer.status != HTTPStatus.NO_CONTENT:
        headers["Content-Length"] = str(len(answer.body))
    known = answer.status in set(HTTPStatus)
    # requests looks there for cookies; a portal sets none.
    cookies = HTTPMessage()
    original: Any = SimpleNamespace(msg=cookies, isclosed=lambda: True, close=lambda: None)
    return HTTPResponse(
        body=_Cut(body, cut) if cut else BytesIO(body),
        headers=headers,
        status=answer.status,
        reason=HTTPStatus(answer.status).phrase if known else "",
        original_response=original,
        request_method=method,
        preload_content=False,
        enforce_content_length=True,
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    if hasattr(body, "read"):
        return _bytes(body.read())
    return b"".join(_bytes(part) for part in body)
