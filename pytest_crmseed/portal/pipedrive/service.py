"""What happens to a request before and after its handler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.handled import Described, Handled
from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.portal.pipedrive import errors
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.company import Company
from pytest_crmseed.portal.pipedrive.errors import ApiError
from pytest_crmseed.portal.pipedrive.paths import located
from pytest_crmseed.portal.pipedrive.routes import all_routes
from pytest_crmseed.portal.pipedrive.routing import Route, Routes, parameters
from pytest_crmseed.portal.pipedrive.tokens import Tokens
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import Schema


class Service:
    """The routes of one company, made when the first request comes."""

    def __init__(
        self,
        store: Store,
        behaviour: Behaviour,
        tokens: Tokens,
        *,
        rate: tuple[int, float] | None,
        clock: Callable[[], float],
        schema: Schema | None,
    ) -> None:
        self.company = Company(store, behaviour, tokens, rate=rate, clock=clock, schema=schema)
        self.routes = Routes(all_routes())
        self._store = store

    def handle(self, request: PortalRequest) -> Handled:
        """Answer a request."""
        label, write = f"{request.method} (not emulated)", False
        headers: dict[str, str] = {}
        version, _ = located(request)
        try:
            route, values = self._find(request)
            label, write = f"{route.method} {route.template}", route.write
            response = self._answer(request, route, values, headers)
        except ApiError as error:
            response = error.response(version)
        return Handled(replace(response, headers={**headers, **response.headers}), label, write)

    def describe(self, request: PortalRequest) -> Described:
        """Return where a request leads, without handling it; never refuses."""
        label = f"{request.method} (not emulated)"
        token = self.company.tokens.of(request)
        seeder = token is not None and token.role == "seeder"
        found = self.routes.match(*located(request))
        known = {method: route for method, route in found[0].items() if route.handler} if found else {}
        route = known.get(request.method) or next(iter(known.values()), None)
        if route is None:
            return Described(label, seeder=seeder)
        if request.method not in known:
            return Described(label, route.template, route.object_type, seeder=seeder)
        label = f"{route.method} {route.template}"
        return Described(label, route.template, route.object_type, route.write, seeder)

    def _find(self, request: PortalRequest) -> tuple[Route, Sequence[str]]:
        version, segments = located(request)
        found = self.routes.match(version, segments)
        path = "/" + "/".join(segments)
        if found is None:
            nearby = self.routes.nearby(f"/api/v2{path}" if version == "v2" else f"/v1{path}")
            raise errors.not_emulated(f"{request.method} {request.path}", nearby)
        routes, values = found
        route = routes.get(request.method)
        if route is None:
            raise errors.wrong_method(sorted(routes))
        if route.handler is None:
            raise errors.not_emulated(f"{request.method} {request.path}", self.routes.nearby(route.template))
        return route, values

    def _answer(
        self, request: PortalRequest, route: Route, values: Sequence[str], headers: dict[str, str]
    ) -> PortalResponse:
        """Answer a request on a route; adds what the limits say to ``headers``."""
        company = self.company
        token = None
        if not route.open:
            token = company.tokens.of(request)
            if token is None or (token.expires is not None and token.expires <= company.now()):
                raise errors.unauthorized()
            if route.scopes and token.scopes is not None and not token.scopes.intersection(route.scopes):
                raise errors.wrong_scope()
            headers.update(company.limits.take(token, route.cost, searches=route.searches))
            if route.removed and not company.behaviour.v1_crud:
                raise errors.removed(company.behaviour.v1_removed_status)
        handler = route.handler
        if handler is None:
            raise errors.not_emulated(f"{request.method} {request.path}", [])
        call = Call(company, request, parameters(route, values), route.version, token)
        with self._store.alone():
            try:
                with self._store.transaction():
                    return handler(call)
            except BaseException:
                if company.kept.changed:
                    company.load()
                raise
            finally:
                company.kept.changed = False

    def coverage(self) -> list[tuple[str, str]]:
        """Return the routes that are emulated, as method and template."""
        return list(self.routes.coverage)
