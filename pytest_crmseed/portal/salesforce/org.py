"""The org that the routes work on: its objects, rows, sessions, limits, switches and clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.salesforce import stages, system_rows
from pytest_crmseed.portal.salesforce.behaviour import SalesforceBehaviour
from pytest_crmseed.portal.salesforce.catalogue import Catalogue
from pytest_crmseed.portal.salesforce.cursors import Cursors
from pytest_crmseed.portal.salesforce.definitions import SObject
from pytest_crmseed.portal.salesforce.errors import not_found
from pytest_crmseed.portal.salesforce.limits import Limits
from pytest_crmseed.portal.salesforce.rows import Rows
from pytest_crmseed.portal.salesforce.sessions import Sessions
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import Schema


class Org:
    """One org on a store."""

    def __init__(
        self,
        store: Store,
        behaviour: Behaviour,
        sessions: Sessions,
        *,
        clock: Callable[[], float],
        schema: Schema | None,
    ) -> None:
        self.store = store
        self.behaviour = behaviour
        self.sessions = sessions
        self.clock = clock
        self._schema = schema
        self._furnished = False
        self.catalogue = Catalogue(store, behaviour, schema)
        self.rows = Rows(store, self.catalogue)
        self.limits = Limits(self.switches, clock)
        self.cursors = Cursors()
        self._read_stages()

    @property
    def switches(self) -> SalesforceBehaviour:
        """How the org behaves."""
        return self.behaviour.salesforce

    def now(self) -> float:
        """Return epoch seconds; rows tell whole ones."""
        return float(int(self.clock()))

    def object(self, name: str) -> SObject:
        """Return the object of a name in any case.

        Raises:
            Refusal: there is none (404).
        """
        found = self.catalogue.find(name)
        if found is None:
            raise not_found()
        return found

    def furnish(self) -> None:
        """Have the rows that every org has; within a transaction."""
        if not self._furnished:
            self.rows.foreign.clear()
            system_rows.furnish(self)
            self._furnished = True

    def undone(self) -> None:
        """Take anew what a transaction that was undone may have changed."""
        self._furnished = False
        if self.catalogue.changed:
            self.catalogue.load()

    def reset(self) -> None:
        """Forget what is kept outside the store."""
        self._furnished = False
        self.catalogue.load()
        self.limits.reset()
        self.cursors = Cursors()
        self._read_stages()

    def _read_stages(self) -> None:
        deal = self.object("Opportunity")
        stage = deal.by_name["stagename"]
        self.stages: Mapping[str, stages.Stage] = stages.stages(stage, self._schema)
        self.closed = {name: stages.closed(name, self._schema) for name in stages.CLOSED}
