"""The portal: one dispatcher that every door calls. No web framework, safe for many threads."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, Protocol, TypeVar

from pytest_crmseed.portal.behaviour import BURST_LIMIT, BURST_SECONDS, Behaviour
from pytest_crmseed.portal.clock import Clock
from pytest_crmseed.portal.control import Control
from pytest_crmseed.portal.fault_kinds import FaultAnswers
from pytest_crmseed.portal.faults import Faults, Outcome
from pytest_crmseed.portal.handled import Described, Handled
from pytest_crmseed.portal.hubspot import HubSpotApi
from pytest_crmseed.portal.journal import Journal, RecordedRequest
from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.portal.pipedrive.api import PipedriveApi
from pytest_crmseed.portal.salesforce.api import SalesforceApi
from pytest_crmseed.portal.snapshot import Snapshot
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import Schema


class Api(Protocol):
    """One vendor's API, emulated."""

    name: ClassVar[str]
    host: ClassVar[str]
    """The host that an application is pointed at where the real ones are mocked."""
    hosts: ClassVar[tuple[str, ...]]
    """The hosts on which the vendor serves it, as patterns (``*.my.salesforce.com``)."""

    def __init__(
        self,
        store: Store,
        behaviour: Behaviour,
        *,
        rate: tuple[int, float],
        clock: Callable[[], float],
        schema: Schema | None = None,
    ) -> None: ...

    @property
    def fault_answers(self) -> FaultAnswers:
        """What the vendor answers when something goes wrong on purpose."""

    @property
    def stock(self) -> bool:
        """Whether its definitions are those of the bundled schema, and no others."""

    def claims(self, request: PortalRequest) -> bool:
        """Return whether the path belongs to this vendor."""

    def handle(self, request: PortalRequest) -> Handled:
        """Answer a request."""

    def describe(self, request: PortalRequest) -> Described:
        """Return where a request leads, without handling it; never refuses."""

    def object_type(self, name: str) -> str | None:
        """Return the vendor's name of an object type that is named in any of its ways, or None."""

    def tokens(self) -> Mapping[str, str]:
        """Return the standing tokens: ``application`` and ``seeder``."""

    def environ(self, base_url: str) -> Mapping[str, str]:
        """Return the variables that point an application at the portal."""

    def issue(
        self, *, name: str, scopes: list[str], burst: int | None = None, unlimited: bool = False
    ) -> str:
        """Return a new token; ``burst`` is its limit in the rolling window, by default the portal's."""

    def coverage(self) -> list[tuple[str, str]]:
        """Return the routes that are emulated, as method and template."""

    def live_counts(self) -> Mapping[str, int]:
        """Return the number of live records of every object type."""

    def reset(self) -> None:
        """Forget what is kept outside the store: added definitions, used-up limits."""


A = TypeVar("A", bound=Api)


class Portal:
    """A local portal without a door: requests in, answers out.

    ``rate`` is the burst limit of an application's token, requests per seconds; ``latency`` is
    slept before each API request is handled. ``clock`` gives epoch seconds, or is a
    :class:`~pytest_crmseed.portal.clock.Clock`. ``host_names`` are hosts that the control endpoints
    answer on beside the loopback ones.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        behaviour: Behaviour | None = None,
        rate: tuple[int, float] = (BURST_LIMIT, BURST_SECONDS),
        latency: float = 0.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        schema: Schema | None = None,
        host_names: Collection[str] = (),
    ) -> None:
        self.store = store or Store()
        self.behaviour = behaviour or Behaviour()
        self.clock = clock if isinstance(clock, Clock) else Clock(clock, sleep)
        self.host_names = frozenset(name.lower() for name in host_names)
        self.journal = Journal(self.clock)
        self._latency = latency

        def made(api: type[A]) -> A:
            own = schema if schema is not None and schema.provider == api.name else None
            return api(self.store, self.behaviour, rate=rate, clock=self.clock, schema=own)

        self.hubspot = made(HubSpotApi)
        every = (self.hubspot, made(SalesforceApi), made(PipedriveApi))
        self.apis: Mapping[str, Api] = {api.name: api for api in every}
        self.faults = Faults(self.apis, self.clock)
        self._control = Control(self)

    def handle(self, request: PortalRequest) -> PortalResponse:
        """Answer a request; never raises."""
        try:
            if self._control.claims(request):
                return self._control.handle(request)
            with self.journal.in_flight():
                if self._latency:
                    self.clock.sleep(self._latency)
                outcome = self._answer(request)
        except Exception as error:  # a fault of the emulation itself: tell it, in full, to whoever tests
            outcome = Outcome(Handled(_fault(error), f"{request.method} (fault)"))
        for delivered, handled in ((request, outcome.handled), *outcome.again):
            self.journal.add(
                delivered, handled.response, handled.route, write=handled.write, faults=outcome.struck
            )
        return outcome.handled.response

    def _answer(self, request: PortalRequest) -> Outcome:
        # HubSpot, the first, claims all of /oauth, of which others have some paths.
        api = next((api for api in reversed(list(self.apis.values())) if api.claims(request)), None)
        if api is None:
            unknown = Handled(_PAGE_NOT_FOUND, f"{request.method} (unknown)")
            return self.faults.handle(request, None, lambda request: unknown)
        return self.faults.handle(request, api, api.handle)

    @property
    def requests(self) -> list[RecordedRequest]:
        """The last requests to the emulated APIs, oldest first."""
        return self.journal.requests()

    def stats(self) -> dict[str, Any]:
        """Return what ``GET /_portal/stats`` answers."""
        self.faults.settle()
        stats = self.journal.stats()
        records = {name: dict(api.live_counts()) for name, api in self.apis.items()}
        return {
            "requests": stats["requests"],
            "records": records,
            "throttled": stats["throttled"],
            "max_in_flight": stats["max_in_flight"],
        }

    def environ(self, base_url: str) -> dict[str, str]:
        """Return the variables that point an application at the portal, of all providers."""
        return {name: value for api in self.apis.values() for name, value in api.environ(base_url).items()}

    def reset(self) -> None:
        """Make the portal as it was at first; only tokens stay, and ids are never given twice."""
        self.faults.clear()
        with self.store.transaction():
            self.store.clear()
            for api in self.apis.values():
                api.reset()
        self.journal.clear()

    def snapshot(self) -> Snapshot:
        """Return what the portal holds now: records, associations, definitions."""
        return Snapshot(self.store.copy())

    def restore(self, snapshot: Snapshot) -> None:
        """Make the portal hold what it held then.

        Tokens stay, ids are never given twice, and used-up limits are as new.
        """
        with snapshot.lock, self.store.alone():
            self.store.put_back(snapshot.copied)
            for api in self.apis.values():
                api.reset()

    def close(self) -> None:
        """Close the store."""
        self.store.close()


# A path that no vendor has answers as HubSpot does: a page, not JSON (live portals, "Error 404").
_PAGE_NOT_FOUND = PortalResponse(
    404,
    b"<html><head><title>Error 404 Not Found</title></head>"
    b"<body><h2>HTTP ERROR 404 Not Found</h2></body></html>",
    {"content-type": "text/html;charset=utf-8"},
)


def _fault(error: Exception) -> PortalResponse:
    text = "".join(traceback.format_exception(error))
    message = "The local portal failed on this request. This is a fault of pytest-crmseed; please report it."
    body = {"status": "error", "category": "LOCAL_PORTAL_FAULT", "message": message, "traceback": text}
    return PortalResponse.of(500, body)
