"""The org's API at work: what happens to a request before and after its handler."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.handled import Described, Handled
from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.portal.salesforce import open_routes, routes
from pytest_crmseed.portal.salesforce.call import Call
from pytest_crmseed.portal.salesforce.catalogue import SYSTEM
from pytest_crmseed.portal.salesforce.definitions import PROVIDER
from pytest_crmseed.portal.salesforce.errors import (
    JSON_TYPE,
    Refusal,
    invalid_session,
    not_emulated,
    not_found,
    refusal,
    wrong_method,
)
from pytest_crmseed.portal.salesforce.org import Org
from pytest_crmseed.portal.salesforce.routing import Route, parameters
from pytest_crmseed.portal.salesforce.sessions import Session, Sessions
from pytest_crmseed.portal.salesforce.versions import NEWEST, OLDEST
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import Schema

_VERSION = re.compile(r"v(\d{1,3})\.(\d)", re.ASCII | re.IGNORECASE)
_DATA = ("services", "data")
_BOOKS = "Pricebook2"

_LONGEST = 16_384
"""Most bytes of an address and the headers (Salesforce docs, "API Request Limits"); codes are [unsure]."""


@dataclass(frozen=True, slots=True)
class _Found:
    routes: Mapping[str, Route]
    values: list[str]
    version: int


class Service:
    """Answers the requests to one org; safe to use from many threads."""

    def __init__(
        self,
        store: Store,
        behaviour: Behaviour,
        sessions: Sessions,
        *,
        clock: Callable[[], float],
        schema: Schema | None,
    ) -> None:
        self.org = Org(store, behaviour, sessions, clock=clock, schema=schema)
        self._store = store
        self._table = routes.table()

    def handle(self, request: PortalRequest) -> Handled:
        """Answer a request."""
        described = self.describe(request)
        try:
            response = self._answer(request)
        except Refusal as refused:
            response = refused.response()
        if _below_data(request):
            usage = {"Sforce-Limit-Info": self.org.limits.header()}
            response = replace(response, headers={**usage, **response.headers})
        if request.headers.get("x-prettyprint", "").lower() in ("1", "true"):
            response = _pretty(response)
        if request.method == "HEAD":
            response = replace(response, body=b"")
        return Handled(response, described.label, described.write)

    def describe(self, request: PortalRequest) -> Described:
        """Return where a request leads, without handling it; never refuses."""
        method = _method(request)
        session = self.org.sessions.find(request.headers.get("authorization", ""))
        seeder = session is not None and session.role == "seeder"
        opened = open_routes.find(request, method)
        if opened is not None:
            return Described(f"{method} {opened.template}", opened.template, seeder=seeder)
        found = self._find(request)
        if found is None:
            return Described(f"{method} (not emulated)", seeder=seeder)
        route = found.routes.get(method) or next(iter(found.routes.values()))
        named = parameters(route, found.values)
        object_type = self._object_of(request, route, named)
        if method not in found.routes:
            return Described(f"{method} (not emulated)", route.template, object_type, seeder=seeder)
        write = route.write and _writes(request, route)
        return Described(f"{method} {route.template}", route.template, object_type, write, seeder)

    def coverage(self) -> list[tuple[str, str]]:
        """Return the routes that are emulated, as method and template."""
        opened = [(route.method, route.template) for route in open_routes.ROUTES]
        return [*opened, *((route.method, route.template) for route in self._table.routes)]

    def live_counts(self) -> Mapping[str, int]:
        """Return the number of live records of every object, those that make the org itself left out."""
        counts = self._store.live_counts(PROVIDER)
        books = counts.get(_BOOKS, 0)
        # The standard price book is the org's own.
        counts[_BOOKS] = max(0, books - 1)
        return {name: counts.get(name, 0) for name in self.org.catalogue.names if name not in SYSTEM}

    # -- one request -------------------------------------------------------------------------------
    def _answer(self, request: PortalRequest) -> PortalResponse:
        method = _method(request)
        opened = open_routes.find(request, method)
        if opened is not None:
            return self._alone(lambda: opened.handler(self.org, request))
        if not _below_data(request):
            raise self._not_emulated(request)
        _check_length(request)
        session = self._session(request)
        self._check_version(request)
        self.org.limits.take(session)
        return self._alone(lambda: self._routed(request, session))

    def _session(self, request: PortalRequest) -> Session:
        session = self.org.sessions.find(request.headers.get("authorization", ""))
        if session is None or (session.expires is not None and session.expires <= self.org.clock()):
            raise invalid_session()
        return session

    def _alone(self, handle: Callable[[], PortalResponse]) -> PortalResponse:
        with self._store.alone():
            try:
                with self._store.transaction():
                    self.org.furnish()
                    return handle()
            except BaseException:
                self.org.undone()
                raise
            finally:
                self.org.catalogue.changed = False

    def _routed(self, request: PortalRequest, session: Session, *, inside: bool = False) -> PortalResponse:
        found = self._find(request)
        if found is None:
            raise self._not_emulated(request)
        method = _method(request)
        route = found.routes.get(method)
        if route is None:
            head = {"HEAD"} if "GET" in found.routes else set()
            raise wrong_method(method, sorted({*found.routes, *head}))
        named = parameters(route, found.values)
        return route.handler(Call(self.org, request, named, found.version, session, self._again, inside))

    def _again(self, request: PortalRequest, session: Session, counted: bool) -> PortalResponse:
        """Carry a request out within another one; what a refused one has done is undone."""
        try:
            if not _below_data(request):
                raise not_found()
            self._check_version(request)
            if counted:
                self.org.limits.take(session)
            with self._store.savepoint():
                return self._routed(request, session, inside=True)
        except Refusal as refused:
            if self.org.catalogue.changed:
                self.org.catalogue.load()
                # Fields that earlier parts made are still undone with the whole.
                self.org.catalogue.changed = True
            return refused.response()

    # -- paths -------------------------------------------------------------------------------------
    def _find(self, request: PortalRequest) -> _Found | None:
        version = _version(request)
        if version is None or not OLDEST <= version <= NEWEST:
            return None
        matched = self._table.match(request.segments[3:], version)
        return None if matched is None else _Found(*matched, version)

    def _check_version(self, request: PortalRequest) -> None:
        version = _version(request)
        if version is None or version > NEWEST:
            raise not_found()
        if version < OLDEST:
            raise refusal("GONE", "The requested API version has been retired.", None, status=410)

    def _object_of(self, request: PortalRequest, route: Route, named: Mapping[str, str]) -> str | None:
        name = named.get("object")
        if name is None and route.below == "/composite/sobjects":
            name = _first_type(request, self.org)
        each = self.org.catalogue.find(name or "")
        return None if each is None else each.name

    def _not_emulated(self, request: PortalRequest) -> Refusal:
        path = "/" + "/".join(request.segments)
        return not_emulated(f"{request.method} {path}", self._table.nearby(path))


def _below_data(request: PortalRequest) -> bool:
    return tuple(segment.lower() for segment in request.segments[:2]) == _DATA and len(request.segments) > 2


def _check_length(request: PortalRequest) -> None:
    address = len(request.path) + len(request.query)
    if address > _LONGEST:
        raise refusal("URI_TOO_LONG", f"The URI is longer than {_LONGEST} bytes", None, status=414)
    if address + sum(len(name) + len(value) for name, value in request.headers.items()) > _LONGEST:
        message = f"The URI and the headers are longer than {_LONGEST} bytes"
        raise refusal("REQUEST_HEADER_FIELDS_TOO_LARGE", message, None, status=431)


def _version(request: PortalRequest) -> int | None:
    if not _below_data(request):
        return None
    found = _VERSION.fullmatch(request.segments[2])
    return int(found[1]) if found is not None and found[2] == "0" else None


def _writes(request: PortalRequest, route: Route) -> bool:
    """Whether a request that may create or update does so: one made of others may only read and delete."""
    lists = {"/composite": "compositeRequest", "/composite/batch": "batchRequests"}
    name = lists.get(route.below)
    if name is None:
        return True
    try:
        parts = json.loads(request.body)[name]
        return any(str(part["method"]).upper() not in ("GET", "HEAD", "DELETE") for part in parts)
    except (ValueError, KeyError, TypeError, RecursionError):
        return True


def _method(request: PortalRequest) -> str:
    if request.method == "HEAD":
        return "GET"
    # For clients that have no PATCH (Salesforce docs, "Update a Record").
    named = request.arguments.get("_HttpMethod", [""])[-1].upper()
    return named if named and request.method == "POST" else request.method


def _first_type(request: PortalRequest, org: Org) -> str | None:
    """Return the object of a collections call's first row."""
    if request.method == "DELETE":
        return org.catalogue.by_prefix.get(request.arguments.get("ids", [""])[0][:3])
    try:
        return str(json.loads(request.body)["records"][0]["attributes"]["type"])
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None


def _pretty(response: PortalResponse) -> PortalResponse:
    if not response.body or response.headers.get("content-type") != JSON_TYPE:
        return response
    text = json.dumps(response.json(), ensure_ascii=False, indent=2, separators=(",", " : "))
    return replace(response, body=text.encode("utf-8", "replace"))
