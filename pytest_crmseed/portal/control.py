"""The control endpoints under ``/_portal/``: what was asked, reset, faults, tokens, coverage, clock.

They need no token and are therefore for this machine alone: requests with a Host that is not
loopback (DNS rebinding), or from another origin's page, are refused.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_crmseed._version import __version__
from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal.gate import is_own
from pytest_crmseed.portal.message import PortalRequest, PortalResponse

if TYPE_CHECKING:
    from pytest_crmseed.portal.app import Portal

PREFIX = "_portal"


class _Refused(Exception):
    """A control request that is wrong; the text says how."""


class Control:
    """Answers the control endpoints of a portal."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._endpoints = {
            "": {"GET": self._identity},
            "stats": {"GET": self._stats},
            "requests": {"GET": self._requests},
            "reset": {"POST": self._reset},
            "faults": {"GET": self._faults, "POST": self._add_faults, "DELETE": self._clear_faults},
            "tokens": {"POST": self._tokens},
            "coverage": {"GET": self._coverage},
            "clock": {"GET": self._clock, "POST": self._advance},
        }

    def claims(self, request: PortalRequest) -> bool:
        """Return whether the path is a control endpoint's."""
        return request.segments[0] == PREFIX

    def handle(self, request: PortalRequest) -> PortalResponse:
        """Answer a control request."""
        host = request.headers.get("host", "")
        if not is_own(host, self._portal.host_names):
            return _problem(403, f"The control endpoints answer on loopback hosts only, not on {host!r}.")
        origin = request.headers.get("origin")
        if origin is not None and origin != request.origin:
            return _problem(403, f"The control endpoints refuse requests from another origin ({origin}).")
        name = "/".join(request.segments[1:])
        methods = self._endpoints.get(name)
        if methods is None:
            known = ", ".join(f"/{PREFIX}/{endpoint}" for endpoint in self._endpoints)
            return _problem(404, f"There is no control endpoint {request.path}. There are: {known}.")
        endpoint = methods.get(request.method)
        if endpoint is None:
            allowed = ", ".join(methods)
            refusal = _problem(405, f"/{PREFIX}/{name} takes {allowed}, not {request.method}.")
            return PortalResponse(405, refusal.body, {**refusal.headers, "allow": allowed})
        try:
            return endpoint(request)
        except (_Refused, UsageError) as error:
            return _problem(400, str(error))

    def _identity(self, request: PortalRequest) -> PortalResponse:
        apis = self._portal.apis
        return PortalResponse.of(
            200,
            {
                "portal": "pytest-crmseed",
                "version": __version__,
                "providers": list(apis),
                "tokens": {name: dict(api.tokens()) for name, api in apis.items()},
                "environ": self._portal.environ(request.origin),
                "stock": [name for name, api in apis.items() if api.stock],
            },
        )

    def _stats(self, request: PortalRequest) -> PortalResponse:
        return PortalResponse.of(200, self._portal.stats())

    def _requests(self, request: PortalRequest) -> PortalResponse:
        return PortalResponse.of(200, [recorded.as_dict() for recorded in self._portal.requests])

    def _reset(self, request: PortalRequest) -> PortalResponse:
        self._portal.reset()
        return PortalResponse.of(200, {"status": "reset"})

    def _faults(self, request: PortalRequest) -> PortalResponse:
        return PortalResponse.of(200, [fault.as_dict() for fault in self._portal.faults.all])

    def _add_faults(self, request: PortalRequest) -> PortalResponse:
        parameters = _object(request.body)
        kind = parameters.pop("fault", None)
        if not isinstance(kind, str):
            raise _Refused('"fault" names a fault, such as "throttle".')
        return PortalResponse.of(201, self._portal.faults.add(kind, **parameters).as_dict())

    def _clear_faults(self, request: PortalRequest) -> PortalResponse:
        self._portal.faults.clear()
        return PortalResponse.of(200, {"status": "cleared"})

    def _clock(self, request: PortalRequest) -> PortalResponse:
        clock = self._portal.clock
        return PortalResponse.of(200, {"now": clock.now(), "ahead": clock.ahead})

    def _advance(self, request: PortalRequest) -> PortalResponse:
        seconds = _object(request.body).get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise _Refused('"advance" is a number of seconds.')
        self._portal.clock.advance(seconds)
        return self._clock(request)

    def _tokens(self, request: PortalRequest) -> PortalResponse:
        wanted = _object(request.body)
        apis = self._portal.apis
        provider = wanted.get("provider", next(iter(apis)))
        if not isinstance(provider, str) or provider not in apis:
            raise _Refused(f'"provider" is one of {", ".join(apis)}, not {provider!r}.')
        scopes = wanted.get("scopes", [])
        if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
            raise _Refused('"scopes" is a list of scope names.')
        burst = wanted.get("burst")
        if burst is not None and (isinstance(burst, bool) or not isinstance(burst, int) or burst < 1):
            raise _Refused('"burst" is a number of requests, or null for no limit.')
        name = wanted.get("name", "token")
        if not isinstance(name, str):
            raise _Refused('"name" is a text.')
        unlimited = "burst" in wanted and burst is None
        token = apis[provider].issue(name=name, scopes=scopes, burst=burst, unlimited=unlimited)
        return PortalResponse.of(201, {"token": token})

    def _coverage(self, request: PortalRequest) -> PortalResponse:
        return PortalResponse.of(
            200,
            [
                {"provider": name, "method": method, "route": route}
                for name, api in self._portal.apis.items()
                for method, route in api.coverage()
            ],
        )


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise _Refused(f"the body is no JSON: {error}.") from error
    if not isinstance(data, dict):
        raise _Refused("the body is no JSON object.")
    return data


def _problem(status: int, message: str) -> PortalResponse:
    return PortalResponse.of(status, {"error": message})
