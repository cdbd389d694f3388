"""The only place that opens connections: requests out, answers in, errors by what they mean."""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections.abc import Collection, Mapping
from importlib.metadata import version
from typing import Any
from urllib.parse import urlencode, urljoin
from xml.sax.saxutils import escape

import requests
import urllib3.exceptions as broken
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import get_auth_from_url, get_environ_proxies
from urllib3.util import Timeout, parse_url

from pytest_crmseed._version import __version__
from pytest_crmseed.errors import NotAPortal, OutcomeUnknown, PortalError, Unreachable, UsageError
from pytest_crmseed.ingest.adapter import Adapter, Failed
from pytest_crmseed.ingest.redaction import Redactor, secrets_in
from pytest_crmseed.providers.base import SESSION, Answer, Effect, Request

__all__ = ["Redactor", "Transport", "client_session", "our_adapter"]

USER_AGENT = f"pytest-crmseed/{__version__} python-requests/{version('requests')}"
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0


class Transport:
    """Send requests to one address and give back answers; thread-safe.

    ``headers`` sign each request in; their values, and ``secrets``, are kept out of every text.
    Proxies and certificates come from the environment, as requests has them (``HTTPS_PROXY``,
    ``NO_PROXY``, ``REQUESTS_CA_BUNDLE``); a loopback address never goes through a proxy. There are
    no cookies, no netrc, no redirects and no retries. ``adapter`` stands in for the one that opens
    connections.

    Raises:
        UsageError: the address or a header's value cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        secrets: Collection[str] = (),
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        user_agent: str = USER_AGENT,
        pool_size: int = 8,
        adapter: Adapter | None = None,
    ) -> None:
        self.base_url = _checked_address(base_url)
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
        }
        self._signing = _checked_headers(headers)
        self._proxies = get_environ_proxies(self.base_url)
        proxy_passwords = {get_auth_from_url(proxy)[1] for proxy in self._proxies.values()}
        self.redactor = Redactor({*secrets, *secrets_in(headers), *proxy_passwords})
        self._verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self._timeout = Timeout(connect=connect_timeout, read=read_timeout)
        # One host: as many connections as threads, and a thread more than that waits.
        self._adapter = adapter or Adapter(pool_connections=1, pool_maxsize=pool_size, pool_block=True)

    def __repr__(self) -> str:
        return f"<Transport {self.base_url}>"

    def sign_in(self, headers: Mapping[str, str]) -> None:
        """Sign requests in by these headers from now on; their secrets are told to nobody."""
        self.redactor.learn(secrets_in(headers))
        self._signing = _checked_headers(headers)

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()

    def send(self, request: Request) -> Answer:
        """Send a request and return the answer, whatever its status.

        Raises:
            Unreachable: no connection was made; surely not executed.
            OutcomeUnknown: it was sent, and no complete answer came.
            NotAPortal: the answer is a redirect.
            UsageError: the request cannot be put into HTTP; nothing was sent.
        """
        prepared = self._prepare(request)
        error: PortalError
        try:
            raw = self._adapter.open(
                prepared, timeout=self._timeout, verify=self._verify, proxies=self._proxies
            )
            try:
                body = raw.read(decode_content=True)
            except (broken.HTTPError, OSError) as failure:
                raise Failed(failure, sent=True) from None
            finally:
                raw.release_conn()
        except Failed as failed:
            error = self._explain(request, failed)
        else:
            if 300 <= raw.status < 400:
                error = self._redirected(request, raw.status, raw.headers.get("Location", ""))
            else:
                headers = {name.lower(): value for name, value in raw.headers.items()}
                return Answer(raw.status, headers, body, request)
        # Outside the handler: inside, Python would attach the failure, and its traceback shows headers.
        raise error

    def _prepare(self, request: Request) -> requests.PreparedRequest:
        if not request.path.startswith("/"):
            raise UsageError(f"{request.what}: the path {request.path!r} does not start with a slash.")
        # Made by hand: a session would add cookies, and replace our sign-in by one from a netrc file.
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.prepare_url(self.base_url + request.path, list(request.query))
        # Not by way of a name: a traceback with its locals would show what signs in.
        prepared.prepare_headers(
            {
                **self._headers,
                **(self._signing if request.signed else {}),
                **_checked_headers(request.headers),
            }
        )
        if request.body is not None:
            try:
                text = json.dumps(request.body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
                prepared.body = text.encode("utf-8")
            except (TypeError, ValueError) as error:
                raise UsageError(f"{request.what}: the body is no JSON data ({error}).") from error
            prepared.headers["Content-Type"] = "application/json"
            prepared.headers["Content-Length"] = str(len(prepared.body))
        elif request.form is not None:
            prepared.body = urlencode(request.form).encode("ascii")
            prepared.headers["Content-Type"] = "application/x-www-form-urlencoded"
            prepared.headers["Content-Length"] = str(len(prepared.body))
        elif request.xml is not None:
            token = self._signing.get("Authorization", "").removeprefix("Bearer ")
            prepared.body = request.xml.replace(SESSION, escape(token)).encode("utf-8")
            prepared.headers["Content-Type"] = "text/xml; charset=UTF-8"
            prepared.headers["Content-Length"] = str(len(prepared.body))
        return prepared

    def _explain(self, request: Request, failed: Failed) -> PortalError:
        if failed.sent:
            if request.effect is Effect.READ:
                remedy = "Nothing was changed; check the network and the portal's status, and try again."
            else:
                remedy = "It may have been executed: look before it is sent again."
            message = f"{request.what}: {self.base_url} {_why_no_answer(failed.reason, self._timeout)}."
            timed_out = isinstance(failed.reason, broken.ReadTimeoutError)
            return OutcomeUnknown(self.redactor.text(message), remedy=remedy, timed_out=timed_out)
        why, remedy = _why_unreachable(failed.reason, self._timeout)
        message = f"{request.what}: {self.base_url} cannot be reached: {why}."
        return Unreachable(self.redactor.text(message), remedy=f"{remedy} Nothing was sent.")

    def _redirected(self, request: Request, status: int, location: str) -> NotAPortal:
        message = f"{request.what}: {self.base_url} answered with a redirect ({status}) to {location!r}."
        return NotAPortal(
            self.redactor.text(message),
            remedy="An API does not redirect: check the address (https, the host's name), or the proxy.",
            status=status,
        )


def _why_unreachable(reason: Exception, timeout: Timeout) -> tuple[str, str]:
    """Return why no connection was made, and what to do."""
    certificate = next((e for e in _chain(reason) if isinstance(e, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        return (
            f"its certificate is not trusted ({certificate.verify_message})",
            "Point REQUESTS_CA_BUNDLE at the certificates to trust.",
        )
    tunnel = "Tunnel connection failed" in str(reason)
    if tunnel or any(isinstance(e, broken.ProxyError) for e in _chain(reason)):
        return f"the proxy does not let it through ({reason})", "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY."
    if isinstance(reason, broken.NameResolutionError):
        return "its name is not known", "Check the address and the network."
    if isinstance(reason, broken.ConnectTimeoutError) and not isinstance(reason, broken.NewConnectionError):
        return (
            f"no connection within {timeout.connect_timeout} s",
            "Check the address, the network, and whether a proxy is needed (HTTPS_PROXY).",
        )
    if any(isinstance(e, ConnectionRefusedError) for e in _chain(reason)):
        return "nothing listens there (connection refused)", "Start the portal, or correct the address."
    if any(isinstance(e, ssl.SSLError) for e in _chain(reason)):
        return f"the TLS handshake failed ({reason})", "Check whether the address is https at all."
    if isinstance(reason, OSError) and "CA certificate bundle" in str(reason):
        return str(reason), "Correct REQUESTS_CA_BUNDLE."
    return f"{reason}", "Check the address and the network."


def _why_no_answer(reason: Exception, timeout: Timeout) -> str:
    """Return what went wrong after the request was sent."""
    if isinstance(reason, broken.ReadTimeoutError):
        return f"gave no answer within {timeout.read_timeout} s"
    if isinstance(reason, broken.DecodeError):
        return f"sent a body that cannot be decoded ({reason})"
    if any(isinstance(e, http.client.IncompleteRead) for e in _chain(reason)):
        return "closed the connection in the middle of its answer"
    return f"closed the connection without a proper answer ({_innermost(reason)})"


def _chain(error: BaseException) -> list[BaseException]:
    """Return an exception with those it wraps; urllib3 keeps them among the arguments."""
    found = [error]
    for current in found:
        wrapped = [a for a in (*current.args, current.__cause__) if isinstance(a, BaseException)]
        found += [e for e in wrapped if not any(e is known for known in found)]
    return found


def _innermost(error: BaseException) -> str:
    last = _chain(error)[-1]
    return f"{type(last).__name__}: {last}" if str(last) else type(last).__name__


def _checked_address(base_url: str) -> str:
    try:
        url = parse_url(base_url)
    except broken.LocationParseError:
        url = parse_url("")
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise UsageError(
            f"{base_url!r} is no address of a portal.", remedy="Give one such as https://api.example.com."
        )
    if url.auth:
        raise UsageError(
            f"The address of {url.host} holds a user name or a password.",
            remedy="Give credentials in the environment or in .env, and the address without them.",
        )
    return base_url.rstrip("/")


def _checked_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Refuse what would only be refused on sending, with the value in the message."""
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise UsageError(
                f"The value of the {name} header has a line break, a space at an end, or a letter that "
                "cannot stand in a header.",
                remedy="Check the token in the environment or .env: perhaps more than the token was copied.",
            )
    return headers


# -- for the application's side of a test -----------------------------------------------------------
def our_adapter() -> HTTPAdapter:
    """Return an adapter to mount on a ``requests.Session``, so that no mock gets hold of its traffic."""
    return Adapter()


def client_session(base_url: str, headers: Mapping[str, str]) -> requests.Session:
    """Return a session whose relative paths go to the portal, signed in by ``headers``.

    A URL of another origin is refused with :class:`UsageError`; a redirect to one is followed
    without our headers. Time-outs are those of our own traffic, unless given.
    """
    return _ClientSession(base_url, headers)


class _SignIn(AuthBase):
    """Add our headers on the way to the portal; being an ``auth``, it keeps netrc out."""

    def __init__(self, origin: tuple[str | None, str | None, int | None], headers: Mapping[str, str]) -> None:
        self._origin = origin
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if _origin(request.url or "") == self._origin:
            for name, value in self._headers.items():
                request.headers.setdefault(name, value)
        return request


class _ClientSession(requests.Session):
    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        super().__init__()
        self._base_url = _checked_address(base_url)
        self._signing = dict(_checked_headers(headers))
        self.headers["User-Agent"] = USER_AGENT
        self.auth = _SignIn(_origin(self._base_url), self._signing)
        self.mount("http://", our_adapter())
        self.mount("https://", our_adapter())

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request to the portal; see :meth:`requests.Session.request`."""
        given = _text(url)
        try:
            absolute = urljoin(self._base_url + "/", given)
        except ValueError:
            absolute = ""
        if _origin(absolute) != _origin(self._base_url):
            raise UsageError(
                f"crm_client goes to {self._base_url} only, not to {given!r}.",
                remedy="Use a relative path, or a session of your own.",
            )
        kwargs.setdefault("timeout", (CONNECT_TIMEOUT, READ_TIMEOUT))
        return super().request(_text(method), absolute, *args, **kwargs)

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Take our headers off a redirect to another origin, and add none from a netrc file."""
        if _origin(prepared_request.url or "") != _origin(self._base_url):
            for name in ("Authorization", *self._signing):
                prepared_request.headers.pop(name, None)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _origin(url: str) -> tuple[str | None, str | None, int | None]:
    """Return scheme, host and port as the parser sees them that connections are made by."""
    try:
        parsed = parse_url(url)
    except broken.LocationParseError:
        return None, None, None
    return parsed.scheme, parsed.host, parsed.port or {"http": 80, "https": 443}.get(parsed.scheme or "")
