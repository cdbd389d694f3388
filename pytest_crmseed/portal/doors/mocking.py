"""``mock_crm``: the vendors' real hosts, answered in this process for code that uses ``requests``."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Generator, Mapping
from fnmatch import fnmatchcase
from functools import wraps
from types import TracebackType
from typing import Any, Protocol, TypeVar, cast, overload
from unittest import mock as std_mock

import requests
import responses
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.util import parse_url

from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.doors.inprocess import InProcess, answered
from pytest_crmseed.portal.faults import Faults
from pytest_crmseed.portal.journal import RecordedRequest
from pytest_crmseed.portal.local import LocalPortal
from pytest_crmseed.schema.model import Schema

F = TypeVar("F", bound=Callable[..., Any])


class HasPortal(Protocol):
    """Something that stands for a local portal, as the fixture ``crm_portal`` does."""

    @property
    def local(self) -> LocalPortal:
        """The local portal."""


class MockCrm:
    """Vendors' hosts that a local portal answers. Made by :func:`mock_crm`.

    It may be entered again while it is active; the outermost exit ends it.
    """

    def __init__(
        self, portal: LocalPortal | HasPortal | None, behaviour: Behaviour | None, schema: Schema | None
    ) -> None:
        self._given = portal
        self._behaviour = behaviour
        self._schema = schema
        self._lock = threading.RLock()
        self._depth = 0
        self._portal: LocalPortal | None = None

    @property
    def portal(self) -> LocalPortal:
        """The portal that answers; a new one each time, unless one was given.

        Raises:
            UsageError: the mock is not active.
        """
        if self._portal is None:
            raise UsageError(
                "mock_crm() is not active.", remedy="Use it in its with block or decorated function."
            )
        return self._portal

    @property
    def token(self) -> str:
        """The application's bearer token for HubSpot; see :meth:`tokens` for the others."""
        return self.portal.token

    def tokens(self, provider: str) -> Mapping[str, str]:
        """Return a provider's standing tokens, of the ``application`` and of the ``seeder``."""
        return self.portal.tokens(provider)

    @property
    def environ(self) -> dict[str, str]:
        """The variables an application expects, with the vendors' own addresses."""
        apis = self.portal.portal.apis.values()
        return {name: value for api in apis for name, value in api.environ(f"https://{api.host}").items()}

    @property
    def requests(self) -> list[RecordedRequest]:
        """The last requests that the portal answered, oldest first."""
        return self.portal.requests

    @property
    def faults(self) -> Faults:
        """Faults to strike the application's requests."""
        return self.portal.faults

    def __enter__(self) -> MockCrm:
        with self._lock:
            if self._depth == 0:
                self._portal = self._opened()
                _ACTIVE.add(self._portal)
            self._depth += 1
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth:
                return
            portal, self._portal = self.portal, None
            _ACTIVE.remove(portal)
            if self._given is None:
                portal.close()

    def __call__(self, function: F) -> F:
        """Decorate a function, an ``async`` one, or a generator such as a fixture.

        Raises:
            UsageError: it is something else.
        """
        wrapper: Any = None
        if inspect.iscoroutinefunction(function):
            wrapper = self._around_coroutine(function)
        elif inspect.isgeneratorfunction(function):
            wrapper = self._around_generator(function)
        elif inspect.isroutine(function) and not inspect.isasyncgenfunction(function):
            wrapper = self._around(function)
        if wrapper is None:
            raise _not_decorated(function)
        decorated: Any = wraps(function)(wrapper)
        return cast(F, decorated)

    def _around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return wrapper

    def _around_coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        return wrapper

    def _around_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            with self:
                return (yield from function(*args, **kwargs))

        return wrapper

    def __repr__(self) -> str:
        return f"<MockCrm {'active' if self._depth else 'not active'}>"

    def _opened(self) -> LocalPortal:
        if self._given is None:
            return LocalPortal(behaviour=self._behaviour, schema=self._schema)
        return self._given if isinstance(self._given, LocalPortal) else self._given.local


@overload
def mock_crm(portal: F) -> F: ...


@overload
def mock_crm(
    portal: LocalPortal | HasPortal | None = None,
    *,
    behaviour: Behaviour | None = None,
    schema: Schema | None = None,
) -> MockCrm: ...


def mock_crm(portal: Any = None, *, behaviour: Behaviour | None = None, schema: Schema | None = None) -> Any:
    """Answer the vendors' real hosts in this process; a context manager and a decorator.

        with mock_crm() as crm:
            requests.get("https://api.hubapi.com/crm/v3/objects/deals",
                         headers={"Authorization": f"Bearer {crm.token}"})

    It is for code that uses ``requests``, whose other hosts are refused as ``responses`` refuses
    them. The user's own mocks on ``responses`` go on, inside and around it, and come first where
    they match. Each time a new, empty portal answers, unless ``portal`` is given: a
    :class:`LocalPortal`, or the fixture ``crm_portal``, so that the seeded records are there.
    """
    if inspect.isroutine(portal):
        return MockCrm(None, behaviour, schema)(portal)
    if inspect.isclass(portal):
        raise _not_decorated(portal)
    if portal is not None and (behaviour is not None or schema is not None):
        raise UsageError("mock_crm() takes a portal, or a behaviour and a schema for a new one, not both.")
    return MockCrm(portal, behaviour, schema)


class _PortalAnswer(responses.BaseResponse):
    """A registration of ``responses`` that a portal answers."""

    def __init__(self, portal: LocalPortal, request: requests.PreparedRequest) -> None:
        super().__init__(request.method or "GET", request.url or "")
        self._door = InProcess(portal.portal)

    def get_response(self, request: requests.PreparedRequest) -> HTTPResponse:
        """Return the portal's answer."""
        sent: Any = request
        return answered(self._door, request, sent.req_kwargs.get("timeout"))


class _Active:
    """The portals of all mocks that are active; the latest answers.

    ``responses`` asks each of its mocks for a registration that matches. What none is found for is
    looked up here, in whichever mock it was: a user's own around ours, one inside, or the one that
    is started for lack of another.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._portals: list[LocalPortal] = []
        self._undo: list[Callable[[], object]] = []

    def add(self, portal: LocalPortal) -> None:
        """Have a portal answer."""
        with self._lock:
            if not self._portals:
                self._start()
            self._portals.append(portal)

    def remove(self, portal: LocalPortal) -> None:
        """Have it answer no more; wherever it stands, for fixtures may end in another order."""
        with self._lock:
            last = max(number for number, active in enumerate(self._portals) if active is portal)
            del self._portals[last]
            if not self._portals:
                while self._undo:
                    self._undo.pop()()

    def _start(self) -> None:
        find = responses.RequestsMock._find_match

        def find_match(
            mock: responses.RequestsMock, request: requests.PreparedRequest
        ) -> tuple[responses.BaseResponse | None, list[str]]:
            match, reasons = find(mock, request)
            portal = self._for(request.url or "") if match is None else None
            return (match if portal is None else _PortalAnswer(portal, request)), reasons

        patch = std_mock.patch.object(responses.RequestsMock, "_find_match", find_match)
        patch.start()
        self._undo.append(patch.stop)
        if HTTPAdapter.send.__module__ != responses.__name__:
            own = responses.RequestsMock(
                assert_all_requests_are_fired=False, real_adapter_send=HTTPAdapter.send
            )
            own.start()
            self._undo.append(own.stop)

    def _for(self, url: str) -> LocalPortal | None:
        host = (parse_url(url).host or "").lower()
        with self._lock:
            for portal in reversed(self._portals):
                hosts = (pattern for api in portal.portal.apis.values() for pattern in api.hosts)
                if any(fnmatchcase(host, pattern) for pattern in hosts):
                    return portal
        return None


_ACTIVE = _Active()


def _not_decorated(thing: object) -> UsageError:
    name = getattr(thing, "__name__", repr(thing))
    return UsageError(
        f"mock_crm() decorates functions, and {name} is none.",
        remedy="Decorate its functions, or use `with mock_crm():`.",
    )
