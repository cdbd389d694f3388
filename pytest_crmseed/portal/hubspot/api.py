"""The emulation of HubSpot's CRM API: what happens to a request before and after its handler."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.handled import Described, Handled
from pytest_crmseed.portal.hubspot import errors
from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.errors import ApiError
from pytest_crmseed.portal.hubspot.fault_answers import HubSpotFaultAnswers
from pytest_crmseed.portal.hubspot.routes import PREFIXES, Routes, parameters
from pytest_crmseed.portal.hubspot.routing import BETAS, Route
from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import Schema


class HubSpotApi:
    """HubSpot's API over a store; safe to use from many threads."""

    name: ClassVar[str] = PROVIDER
    host: ClassVar[str] = "api.hubapi.com"
    hosts: ClassVar[tuple[str, ...]] = (host,)

    def __init__(
        self,
        store: Store,
        behaviour: Behaviour,
        *,
        rate: tuple[int, float],
        clock: Callable[[], float],
        schema: Schema | None = None,
    ) -> None:
        self.account = Account(store, behaviour, rate=rate, clock=clock, schema=schema)
        self.fault_answers = HubSpotFaultAnswers(self.account)
        self._store = store
        self._bundled = schema is None
        self._routes = Routes()

    @property
    def stock(self) -> bool:
        """Whether the definitions are those of the bundled schema, and no others were added or changed."""
        return self._bundled and not self._store.any_definitions(PROVIDER)

    def claims(self, request: PortalRequest) -> bool:
        """Return whether the path is one of HubSpot's."""
        return request.segments[0] in PREFIXES

    def handle(self, request: PortalRequest) -> Handled:
        """Answer a request."""
        correlation_id = str(uuid.uuid4())
        headers = {"x-hubspot-correlation-id": correlation_id}
        label, write = f"{request.method} (not emulated)", False
        try:
            route, values = self._find(request)
            label, write = f"{route.method} {route.template}", route.write
            response = self._answer(request, route, values, headers)
        except ApiError as error:
            response = error.response(correlation_id)
        return Handled(replace(response, headers={**headers, **response.headers}), label, write)

    def describe(self, request: PortalRequest) -> Described:
        """Return where a request leads, without handling it; never refuses."""
        label = f"{request.method} (not emulated)"
        token = self.account.tokens.bearer(request.headers.get("authorization", ""))
        seeder = token is not None and token.role == "seeder"
        found = self._match(request)
        if found is None:
            return Described(label, seeder=seeder)
        routes, values = found
        known = {method: route for method, route in routes.items() if route.handler is not None}
        route = known.get(request.method) or next(iter(known.values()), None)
        if route is None:
            return Described(label, seeder=seeder)
        named = parameters(route, values)
        object_type = self.object_type(named.get("type") or named.get("from") or "")
        if request.method not in known:
            return Described(label, route.template, object_type, seeder=seeder)
        return Described(f"{route.method} {route.template}", route.template, object_type, route.write, seeder)

    def object_type(self, name: str) -> str | None:
        """Return HubSpot's name of an object type that is named in any of its ways, or None."""
        try:
            return self.account.object_types.resolve(name).name
        except ApiError:
            return None

    def _match(self, request: PortalRequest) -> tuple[Mapping[str, Route], list[str]] | None:
        segments = request.segments
        if self.account.behaviour.beta_versions:
            segments = (*(BETAS.get(segment, segment) for segment in segments[:3]), *segments[3:])
        return self._routes.match(segments)

    def _find(self, request: PortalRequest) -> tuple[Route, list[str]]:
        found = self._match(request)
        if found is not None:
            routes, values = found
            route = routes.get(request.method)
            if route is not None:
                return route, values
            if any(each.handler is not None for each in routes.values()):
                raise errors.wrong_method(sorted(routes))
        raise self._not_emulated(request)

    def _not_emulated(self, request: PortalRequest) -> ApiError:
        path = "/" + "/".join(request.segments)
        return errors.not_emulated(f"{request.method} {path}", self._routes.nearby(path))

    def _answer(
        self, request: PortalRequest, route: Route, values: list[str], headers: dict[str, str]
    ) -> PortalResponse:
        """Answer a request on a route; adds what the limits say to ``headers``."""
        if route.handler is None:
            raise self._not_emulated(request)
        token = None
        if not route.open:
            token = self.account.tokens.bearer(request.headers.get("authorization", ""))
            if token is None:
                raise errors.unauthorized()
            if token.expires is not None and token.expires <= self.account.now():
                raise errors.token_expired(int(self.account.now() - token.expires))
            take = self.account.limits.take_search if route.searches else self.account.limits.take
            headers.update(take(token, headers["x-hubspot-correlation-id"]))
        call = Call(self.account, request, parameters(route, values), route.version, token)
        needed = route.scopes(call)
        if needed and token is not None and not token.scopes.intersection(needed):
            raise errors.missing_scopes(needed)
        with self._store.alone():
            try:
                with self._store.transaction():
                    # Anew: what the path names may have changed since its scopes were looked at.
                    return route.handler(replace(call))
            except BaseException:
                if self.account.kept.changed:
                    self.account.load()
                raise
            finally:
                self.account.kept.changed = False

    def tokens(self) -> Mapping[str, str]:
        """Return the standing tokens: ``application`` and ``seeder``."""
        tokens = self.account.tokens
        return {"application": tokens.application.token, "seeder": tokens.seeder.token}

    def environ(self, base_url: str) -> Mapping[str, str]:
        """Return the variables that point an application at the portal."""
        return {
            "HUBSPOT_ACCESS_TOKEN": self.account.tokens.application.token,
            "HUBSPOT_BASE_URL": base_url,
        }

    def issue(
        self, *, name: str, scopes: list[str], burst: int | None = None, unlimited: bool = False
    ) -> str:
        """Return a new token; ``burst`` is its limit in the rolling window, by default the portal's."""
        return self.account.tokens.issue(name, scopes, burst=burst, unlimited=unlimited).token

    def coverage(self) -> list[tuple[str, str]]:
        """Return the routes that are emulated, as method and template."""
        return list(self._routes.coverage)

    def live_counts(self) -> Mapping[str, int]:
        """Return the number of live records of every object type."""
        counts = self._store.live_counts(PROVIDER)
        return {name: counts.get(name, 0) for name in self.account.object_types.by_name}

    def reset(self) -> None:
        """Forget what is kept outside the store: added definitions, used-up limits."""
        self.account.reset()
