"""The emulation of Salesforce's REST API, made when it is first asked for something."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from pytest_crmseed.portal.handled import Described, Handled
from pytest_crmseed.portal.message import PortalRequest
from pytest_crmseed.portal.salesforce import ids
from pytest_crmseed.portal.salesforce.definitions import HOST, PROVIDER
from pytest_crmseed.portal.salesforce.fault_answers import SalesforceFaultAnswers
from pytest_crmseed.portal.salesforce.sessions import Sessions
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import Schema

if TYPE_CHECKING:
    from pytest_crmseed.portal.behaviour import Behaviour
    from pytest_crmseed.portal.salesforce.service import Service


class SalesforceApi:
    """Salesforce's API over a store; safe to use from many threads.

    Salesforce has no limit of requests in seconds: ``rate`` is the other vendors'.
    """

    name: ClassVar[str] = PROVIDER
    host: ClassVar[str] = HOST
    hosts: ClassVar[tuple[str, ...]] = ("*.my.salesforce.com", "login.salesforce.com", "test.salesforce.com")

    def __init__(
        self,
        store: Store,
        behaviour: Behaviour,
        *,
        rate: tuple[int, float],
        clock: Callable[[], float],
        schema: Schema | None = None,
    ) -> None:
        self.fault_answers = SalesforceFaultAnswers()
        self._store = store
        self._behaviour = behaviour
        self._clock = clock
        self._schema = schema
        self._making = threading.RLock()
        self._made_sessions: Sessions | None = None
        self._made_service: Service | None = None

    @property
    def _sessions(self) -> Sessions:
        with self._making:
            if self._made_sessions is None:
                number = self._behaviour.salesforce.organization_number
                self._made_sessions = Sessions(self._store, ids.made("00D", number))
            return self._made_sessions

    @property
    def service(self) -> Service:
        """What answers; most local portals never need it."""
        with self._making:
            if self._made_service is None:
                from pytest_crmseed.portal.salesforce.service import Service

                self._made_service = Service(
                    self._store, self._behaviour, self._sessions, clock=self._clock, schema=self._schema
                )
            return self._made_service

    @property
    def stock(self) -> bool:
        """Whether the definitions are those of every org, and no others were added or changed."""
        switches = self._behaviour.salesforce
        own = switches.custom_objects or switches.custom_fields or switches.record_types or switches.quotes
        return self._schema is None and not own and not self._store.any_definitions(PROVIDER)

    def claims(self, request: PortalRequest) -> bool:
        """Return whether the path is one of Salesforce's."""
        first = request.segments[0].lower()
        return first == "services" or (first == "id" and len(request.segments) == 3)

    def handle(self, request: PortalRequest) -> Handled:
        """Answer a request."""
        return self.service.handle(request)

    def describe(self, request: PortalRequest) -> Described:
        """Return where a request leads, without handling it; never refuses."""
        return self.service.describe(request)

    def object_type(self, name: str) -> str | None:
        """Return the name of an object in its own case, or None."""
        found = self.service.org.catalogue.find(name)
        return None if found is None else found.name

    def tokens(self) -> Mapping[str, str]:
        """Return the standing tokens: ``application`` and ``seeder``."""
        sessions = self._sessions
        return {"application": sessions.application.token, "seeder": sessions.seeder.token}

    def environ(self, base_url: str) -> Mapping[str, str]:
        """Return the variables that point an application at the portal."""
        return {
            "SALESFORCE_INSTANCE_URL": base_url,
            "SALESFORCE_ACCESS_TOKEN": self._sessions.application.token,
        }

    def issue(
        self, *, name: str, scopes: list[str], burst: int | None = None, unlimited: bool = False
    ) -> str:
        """Return a new token; ``burst`` are its requests in ten seconds, by default without a limit.

        Names and scopes of tokens are not emulated: rights are the user's.
        """
        return self._sessions.open("issued", burst=burst).token

    def coverage(self) -> list[tuple[str, str]]:
        """Return the routes that are emulated, as method and template."""
        return self.service.coverage()

    def live_counts(self) -> Mapping[str, int]:
        """Return the number of live records of every object, those that make the org itself left out."""
        return self.service.live_counts()

    def reset(self) -> None:
        """Forget what is kept outside the store: definitions, used-up limits."""
        with self._making:
            if self._made_service is not None:
                self._made_service.org.reset()
