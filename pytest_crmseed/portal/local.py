"""A portal on a loopback address, for a test run or for ``crmseed portal``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal.app import Api, Portal
from pytest_crmseed.portal.behaviour import BURST_LIMIT, BURST_SECONDS, Behaviour
from pytest_crmseed.portal.clock import Clock
from pytest_crmseed.portal.faults import Faults
from pytest_crmseed.portal.journal import RecordedRequest
from pytest_crmseed.portal.snapshot import Snapshot
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import Schema
from pytest_crmseed.suggest import valid_names

if TYPE_CHECKING:
    from pytest_crmseed.portal.doors.server import Server
    from pytest_crmseed.portal.doors.tls import Certificates


class LocalPortal:
    """The emulated APIs on ``http://127.0.0.1``; a context manager that starts and closes.

    ``db`` names a file that keeps records, associations, definitions and tokens; without one all is
    in memory. Used-up limits, faults, recorded requests and the clock start anew each time.
    ``port`` 0 takes a free one. ``latency`` seconds are slept before each API request is handled.
    ``rate`` is the burst limit of an application's token, as requests per seconds; by default
    HubSpot's for a developer test account, 190 in 10.

    ``schema`` is a pulled schema (``pytest_crmseed.schema.documents.read``), whose fields, pipelines
    and association types the portal has in place of its provider's stock ones.

    ``clock`` is a :class:`~pytest_crmseed.portal.clock.Clock`, such as a ``VirtualClock()``, or gives
    epoch seconds. With ``tls`` the address is ``https://``, with a certificate of a throw-away
    authority; ``environ`` then makes usual clients trust it. ``host_names`` are names for this
    machine beside 127.0.0.1 and localhost, on which requests are answered.

    Two apps sign in: ``token`` is the application's. ``seed_token`` is the seeder's, an app of its
    own without a burst limit, so that seeding never eats the application's window.

    Raises:
        UsageError: ``db`` cannot be used, a number makes no sense, or the extra ``tls`` is not installed.
    """

    def __init__(
        self,
        *,
        db: str | os.PathLike[str] | None = None,
        port: int = 0,
        latency: float = 0.0,
        rate: tuple[int, float] | None = None,
        behaviour: Behaviour | None = None,
        schema: Schema | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        tls: bool = False,
        host_names: Collection[str] = (),
    ) -> None:
        limit, seconds = rate or (BURST_LIMIT, BURST_SECONDS)
        if limit < 1 or seconds <= 0:
            raise UsageError(f"rate={rate!r}: at least 1 request in more than 0 seconds must be allowed.")
        if latency < 0:
            raise UsageError(f"latency={latency!r}: seconds to wait cannot be negative.")
        self._port = port
        self._server: Server | None = None
        self._certificates: Certificates | None = None
        if tls:
            from pytest_crmseed.portal.doors.tls import Certificates

            self._certificates = Certificates(["127.0.0.1", "localhost", *host_names])
        self.portal = Portal(
            Store(db),
            behaviour=behaviour,
            rate=(limit, seconds),
            latency=latency,
            clock=clock,
            sleep=sleep,
            schema=schema,
            host_names=host_names,
        )

    def start(self) -> LocalPortal:
        """Serve until :meth:`close`, in a thread that does not keep the process alive.

        Raises:
            UsageError: the port is taken, or nothing answers within the deadline.
        """
        from pytest_crmseed.portal.doors.server import Server

        if self._server is None:
            context = None
            if self._certificates is not None:
                context = self._certificates.start()
            self._server = Server(
                self.portal.handle, port=self._port, tls=context, host_names=self.portal.host_names
            )
        return self

    def close(self) -> None:
        """Stop serving, drop open connections, close the database. May be called twice."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._certificates is not None:
            self._certificates.remove()
        self.portal.close()

    def __enter__(self) -> LocalPortal:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """The address, without a path.

        Raises:
            UsageError: the portal has not been started.
        """
        if self._server is None:
            raise UsageError("The local portal has no address yet.", remedy="Call start() first.")
        return self._server.base_url

    @property
    def token(self) -> str:
        """The application's bearer token for HubSpot, with all scopes; see :meth:`tokens` for the others."""
        return self.tokens("hubspot")["application"]

    @property
    def seed_token(self) -> str:
        """The seeder's bearer token for HubSpot, with all scopes and without a burst limit."""
        return self.tokens("hubspot")["seeder"]

    def tokens(self, provider: str) -> Mapping[str, str]:
        """Return a provider's standing tokens, of the ``application`` and of the ``seeder``.

        Raises:
            UsageError: the provider is none that the local portal emulates.
        """
        return self._api(provider).tokens()

    @property
    def environ(self) -> dict[str, str]:
        """The variables that point an application at this portal, and make it trust it."""
        environ = self.portal.environ(self.base_url)
        if self._certificates is not None:
            environ |= self._certificates.environ
        return environ

    @property
    def faults(self) -> Faults:
        """Faults to strike the application's requests: ``portal.faults.throttle(times=2)``."""
        return self.portal.faults

    @property
    def clock(self) -> Clock:
        """The portal's time: ``portal.clock.advance(3600)``."""
        return self.portal.clock

    def stock(self, provider: str) -> bool:
        """Return whether the definitions of a provider are those of the bundled schema, and no others."""
        return self._api(provider).stock

    def _api(self, provider: str) -> Api:
        api = self.portal.apis.get(provider)
        if api is None:
            emulated = valid_names(self.portal.apis, "It emulates")
            raise UsageError(
                f"The local portal does not emulate {provider}.{emulated}",
                remedy="Seed a portal of its own: --crm-target sandbox, or --crm-base-url with its address.",
            )
        return api

    @property
    def requests(self) -> list[RecordedRequest]:
        """The last requests to the emulated APIs, oldest first."""
        return self.portal.requests

    def stats(self) -> dict[str, Any]:
        """Return the counts of requests and live records, as ``GET /_portal/stats`` does."""
        return self.portal.stats()

    def reset(self) -> None:
        """Forget records, added definitions, faults and requests; tokens stay."""
        self.portal.reset()

    def snapshot(self) -> Snapshot:
        """Return what the portal holds now (records, associations, definitions), for :meth:`restore`."""
        return self.portal.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Make the portal hold what it held then.

        Tokens stay, ids are never given twice, and used-up limits are as new.
        """
        self.portal.restore(snapshot)
