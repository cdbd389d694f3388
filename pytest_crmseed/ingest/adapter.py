"""The adapter under all of our own traffic, and what a failed request was: sent, or surely not."""

from __future__ import annotations

import http.client
import ipaddress
import ssl
import threading
from collections.abc import Mapping
from typing import Any

import requests
import urllib3.exceptions as broken
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.poolmanager import ProxyManager
from urllib3.util import Timeout, parse_url

_thread = threading.local()


class _NotesFailure:
    """Note that connecting failed: nothing of a request is on its way before ``connect`` returns."""

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except BaseException:
            _thread.connected = False
            raise


class _Connection(_NotesFailure, HTTPConnection):
    pass


class _SecureConnection(_NotesFailure, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class Failed(Exception):
    """A request that got no answer: why, and whether something of it was sent."""

    def __init__(self, reason: Exception, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class Adapter(HTTPAdapter):
    """A ``requests`` adapter that no mock of ``HTTPAdapter.send`` reaches.

    Libraries that mock ``requests`` replace that method for the whole process; this class never
    calls it. It does not retry, follows no redirect, and uses no proxy for a loopback address.
    Errors hold no urllib3 error: its traceback would show the request's headers.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of connections that note whether connecting failed."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools behind a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        # A SOCKS proxy comes with pools of its own.
        if type(manager) is ProxyManager:
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def open(
        self,
        request: requests.PreparedRequest,
        *,
        timeout: Timeout,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> BaseHTTPResponse:
        """Send a request, and return its answer with the body still to be read.

        Raises:
            Failed: there is no answer.
        """
        assert request.url is not None and request.method is not None
        used = None if is_loopback(request.url) else dict(proxies or {})
        try:
            pool: Any = self.get_connection_with_tls_context(request, verify, proxies=used, cert=cert)
            adapter: Any = self
            adapter.cert_verify(pool, request.url, verify, cert)
            target = self.request_url(request, used)
        except (broken.HTTPError, requests.RequestException, OSError) as error:
            raise Failed(error, sent=False) from None
        _thread.connected = True
        try:
            answer: BaseHTTPResponse = pool.urlopen(
                request.method,
                target,
                body=request.body,
                headers=request.headers,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                retries=False,
                timeout=timeout,
                chunked=not (request.body is None or "Content-Length" in request.headers),
            )
            return answer
        except (broken.HTTPError, OSError, http.client.HTTPException) as error:
            never = isinstance(error, broken.NewConnectionError | broken.ConnectTimeoutError)
            raise Failed(error, sent=_thread.connected and not never) from None

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
            requests.RequestException: there is no answer.
        """
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        limits = timeout if isinstance(timeout, Timeout) else Timeout(connect=connect, read=read)
        try:
            answer = self.open(request, timeout=limits, verify=verify, cert=cert, proxies=proxies)
        except Failed as failed:
            error = _as_requests_error(failed, request)
        else:
            return self.build_response(request, answer)
        # Outside the handler: inside, Python would attach the error with its traceback.
        raise error


def _as_requests_error(failed: Failed, request: requests.PreparedRequest) -> requests.RequestException:
    reason = failed.reason
    if isinstance(reason, requests.RequestException):
        kind = type(reason)
    elif isinstance(reason, broken.ProxyError):
        kind = requests.exceptions.ProxyError
    elif isinstance(reason, broken.SSLError | ssl.SSLError):
        kind = requests.exceptions.SSLError
    elif isinstance(reason, broken.NewConnectionError):
        kind = requests.exceptions.ConnectionError
    elif isinstance(reason, broken.ConnectTimeoutError):
        kind = requests.exceptions.ConnectTimeout
    elif isinstance(reason, broken.ReadTimeoutError):
        kind = requests.exceptions.ReadTimeout
    else:
        kind = requests.exceptions.ConnectionError
    return kind(str(reason), request=request)


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine alone."""
    host = (parse_url(url).host or "").strip("[]")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
