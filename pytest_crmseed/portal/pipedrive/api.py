"""The emulation of Pipedrive's API: its place among the portal's APIs.

What answers requests is loaded when the first one comes: every local portal has this API, and most
never use it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from pytest_crmseed.portal.behaviour import BURST_LIMIT, BURST_SECONDS, Behaviour
from pytest_crmseed.portal.fault_kinds import FaultAnswers
from pytest_crmseed.portal.handled import Described, Handled
from pytest_crmseed.portal.message import PortalRequest
from pytest_crmseed.portal.pipedrive import kept, paths
from pytest_crmseed.portal.pipedrive.kept import OBJECT_TYPES, PROVIDER
from pytest_crmseed.portal.pipedrive.tokens import Tokens
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import Schema

if TYPE_CHECKING:
    from pytest_crmseed.portal.pipedrive.service import Service


class PipedriveApi:
    """Pipedrive's API over a store; safe to use from many threads.

    ``rate`` is the burst limit of an API token, requests per seconds; None, and the portal's
    default, are that of the company's plan.
    """

    name: ClassVar[str] = PROVIDER
    host: ClassVar[str] = "api.pipedrive.com"
    hosts: ClassVar[tuple[str, ...]] = (host, "oauth.pipedrive.com", "*.pipedrive.com")

    def __init__(
        self,
        store: Store,
        behaviour: Behaviour,
        *,
        rate: tuple[int, float] | None,
        clock: Callable[[], float],
        schema: Schema | None = None,
    ) -> None:
        self._store = store
        self._behaviour = behaviour
        # What a portal has by default is HubSpot's limit; then the company's plan decides.
        self._rate = None if rate == (BURST_LIMIT, BURST_SECONDS) else rate
        self._clock = clock
        self._schema = schema
        self._lock = threading.RLock()
        self._made_tokens: Tokens | None = None
        self._made_service: Service | None = None

    @property
    def _tokens(self) -> Tokens:
        with self._lock:
            if self._made_tokens is None:
                self._made_tokens = Tokens(self._store)
            return self._made_tokens

    @property
    def _service(self) -> Service:
        with self._lock:
            if self._made_service is None:
                from pytest_crmseed.portal.pipedrive.service import Service

                self._made_service = Service(
                    self._store,
                    self._behaviour,
                    self._tokens,
                    rate=self._rate,
                    clock=self._clock,
                    schema=self._schema,
                )
            return self._made_service

    @property
    def fault_answers(self) -> FaultAnswers:
        """What Pipedrive answers when something goes wrong on purpose."""
        from pytest_crmseed.portal.pipedrive.fault_answers import PipedriveFaultAnswers

        return PipedriveFaultAnswers(self._clock)

    @property
    def stock(self) -> bool:
        """Whether the definitions are those of the bundled schema: never, for keys are each company's own."""
        return False

    def claims(self, request: PortalRequest) -> bool:
        """Return whether the path is one of Pipedrive's.

        Consent, which HubSpot has at the same path, is asked of a host of Pipedrive's or for its own app.
        """
        if paths.is_consent(request):
            host = request.headers.get("host", "").partition(":")[0]
            client_id = self._behaviour.pipedrive.oauth_client_id
            own = client_id is not None and client_id in request.arguments.get("client_id", ())
            return own or host.endswith(".pipedrive.com")
        return paths.claims(request)

    def handle(self, request: PortalRequest) -> Handled:
        """Answer a request."""
        return self._service.handle(request)

    def describe(self, request: PortalRequest) -> Described:
        """Return where a request leads, without handling it; never refuses."""
        return self._service.describe(request)

    def object_type(self, name: str) -> str | None:
        """Return Pipedrive's name of an object type that is named in any of its ways, or None."""
        return kept.object_type(name)

    def tokens(self) -> Mapping[str, str]:
        """Return the standing API tokens: ``application`` and ``seeder``."""
        return {"application": self._tokens.application.token, "seeder": self._tokens.seeder.token}

    def environ(self, base_url: str) -> Mapping[str, str]:
        """Return the variables that point an application at the portal."""
        return {
            "PIPEDRIVE_API_TOKEN": self._tokens.application.token,
            "PIPEDRIVE_COMPANY_DOMAIN": self._behaviour.pipedrive.company_domain,
            "PIPEDRIVE_BASE_URL": base_url,
        }

    def issue(
        self, *, name: str, scopes: list[str], burst: int | None = None, unlimited: bool = False
    ) -> str:
        """Return a new token; ``burst`` is its limit in the rolling window, by default the plan's.

        With scopes it is an access token, which goes over the wire as a bearer token; without any it is
        an API token, which may do all.
        """
        made = self._tokens.issue(name, scopes or None, burst=burst, unlimited=unlimited)
        return made.token

    def coverage(self) -> list[tuple[str, str]]:
        """Return the routes that are emulated, as method and template."""
        return self._service.coverage()

    def live_counts(self) -> Mapping[str, int]:
        """Return the number of live records of every object type."""
        counts = self._store.live_counts(PROVIDER)
        return {name: counts.get(name, 0) for name in OBJECT_TYPES}

    def reset(self) -> None:
        """Forget what is kept outside the store: added definitions, used-up limits."""
        with self._lock:
            if self._made_service is not None:
                self._made_service.company.reset()
