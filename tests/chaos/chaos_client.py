"""The client in a portal without a socket: our own transport's way in, and providers that seed by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import requests
import urllib3.exceptions as broken
from chaos_schedules import INTERRUPT_FAULT, UNREACHABLE_FAULT, Order
from urllib3 import BaseHTTPResponse
from urllib3.util import Timeout

from pytest_crmseed.ingest.adapter import Adapter, Failed
from pytest_crmseed.portal import Portal
from pytest_crmseed.portal.doors.inprocess import InProcess
from pytest_crmseed.providers.base import KeyRoute
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.schema.model import Schema

KEY = "crmseed_key"
ORIGIN = "http://127.0.0.1"

ROUTES = {"create": "*/batch/create", "read": "*/batch/read", "archive": "*/batch/archive"}
LIST = "/crm/objects/*/{type}"


class OneByOne(HubSpot):
    """The client's HubSpot, one request after the other: a schedule then strikes the same ones each time."""

    capabilities = replace(HubSpot.capabilities, in_flight=1)


class Loose(OneByOne):
    """A portal whose ``crmseed_key`` is not kept unique, as HubSpot has it on products."""

    ROUTE: ClassVar[KeyRoute] = KeyRoute("field", KEY)

    def __init__(self, schema: Schema, *, api_version: str | None = None) -> None:
        super().__init__(schema, api_version=api_version)
        self.routes = dict.fromkeys(["companies", "contacts", "deals"], self.ROUTE)

    def key_routes(self, object_types: Sequence[str]) -> Any:
        """Go without the question: the field is there, and is not unique."""
        return dict.fromkeys(object_types, self.ROUTE)
        yield


class Parallel(HubSpot):
    """The client's HubSpot as it is."""


class Door(Adapter):
    """The way into a portal without a socket, for our own transport, with faults of its own."""

    KINDS = (UNREACHABLE_FAULT, INTERRUPT_FAULT)

    def __init__(self, portal: Portal) -> None:
        super().__init__()
        self._door = InProcess(portal, ORIGIN)
        self.orders: list[Order] = []
        self.struck: Counter[str] = Counter()
        self._passed: Counter[int] = Counter()

    def open(
        self,
        request: requests.PreparedRequest,
        *,
        timeout: Timeout,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> BaseHTTPResponse:
        """Send a request into the portal."""
        kind = next((order.kind for order in self.orders if self._strikes(order, request)), None)
        if kind is not None:
            self.struck[kind] += 1
        if kind == UNREACHABLE_FAULT:
            raise Failed(ConnectionRefusedError(111, "Connection refused"), sent=False)
        try:
            return self._door.urlopen(
                request.method or "",
                request.url or "",
                request.body,
                request.headers,
                timeout=timeout,
            )
        except broken.HTTPError as error:
            raise Failed(error, sent=True) from None
        finally:
            if kind == INTERRUPT_FAULT:
                raise KeyboardInterrupt

    def _strikes(self, order: Order, request: requests.PreparedRequest) -> bool:
        path = (request.url or "").partition("?")[0]
        if order.step != "any" and not path.endswith(ROUTES[order.step].removeprefix("*")):
            return False
        if order.object_type is not None and f"/{order.object_type}/" not in path:
            return False
        self._passed[id(order)] += 1
        number = self._passed[id(order)] - order.after
        return number > 0 and (order.times is None or number <= order.times)
