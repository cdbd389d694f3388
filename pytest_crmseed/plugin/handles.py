"""What the fixtures ``crm_portal`` and ``crm_seeder`` hand to a test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_crmseed.errors import UsageError
from pytest_crmseed.planning import Count
from pytest_crmseed.plugin.values import reported

if TYPE_CHECKING:
    from pytest_crmseed.plugin.scopes import TestSeeds
    from pytest_crmseed.portal import Clock, Faults, LocalPortal, RecordedRequest, Snapshot
    from pytest_crmseed.records import Record, SeededRecords


class CrmSeeder:
    """Seed inside a test: ``records = crm_seeder(deals=3)``. Given by the fixture ``crm_seeder``."""

    def __init__(self, seeds: TestSeeds) -> None:
        self._seeds = seeds

    def __call__(
        self, *, objects: Mapping[str, int | Count] | None = None, **counts: int | Count
    ) -> SeededRecords:
        """Make records and what they depend on, and return just these; cleaned after the test.

        A value is a number or ``count(n, …)``; ``objects`` takes names that are no identifiers.
        Records of the test's markers are parents where they fit.
        """
        return self._seeds.seed_inside({**counts, **(objects or {})})

    def adopt(self, object_type: str, record_id: str) -> Record:
        """Take a record that the application made into the test's cleanup, and return it.

        The test fails if the portal has no such record.
        """
        return self._seeds.adopt(object_type, record_id)

    def wait_until_searchable(self, records: Iterable[Record] | Record, *, seconds: float = 60.0) -> None:
        """Return as soon as the portal's search finds records, whose index trails behind writes.

        The test fails if it does not within ``seconds``.
        """
        self._seeds.wait_until_searchable(records, seconds)

    def __repr__(self) -> str:
        return "<CrmSeeder>"


@dataclass(frozen=True, eq=False)
class CrmSnapshot:
    """What a local portal held at one moment of a test. Given by ``crm_portal.snapshot()``."""

    held: Snapshot
    test: object
    wider: list[tuple[int, int]]

    def __repr__(self) -> str:
        return "<CrmSnapshot>"


class CrmPortal:
    """The portal of the test's marker. Given by the fixture ``crm_portal``."""

    def __init__(self, seeds: TestSeeds) -> None:
        self._seeds = seeds

    @property
    def provider(self) -> str:
        """The provider's name, such as ``"hubspot"``."""
        return self._seeds.values.provider

    @property
    def base_url(self) -> str:
        """The origin of the portal's API, without a path."""
        return self._seeds.address.base_url

    @property
    def token(self) -> str:
        """The application's bearer token, or API key."""
        return self._seeds.address.token

    @property
    def environ(self) -> dict[str, str]:
        """The variables an application expects, to point it at this portal."""
        return dict(self._seeds.address.environ)

    @property
    def is_local(self) -> bool:
        """Whether this is a local portal."""
        return self._seeds.address.is_local

    @property
    def local(self) -> LocalPortal:
        """The local portal itself, to hand to ``mock_crm()``."""
        return self._own("local")

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests the local portal answered, oldest first, the seeder's own among them."""
        return self._own("requests").requests

    @property
    def faults(self) -> Faults:
        """Faults to strike the application's requests; gone at the end of the test.

        ``crm_portal.faults.throttle(times=2, route="*/batch/create")``.
        """
        return self._own("faults").faults

    @property
    def clock(self) -> Clock:
        """The local portal's time; ``crm_portal.clock.advance(3600)`` sets it forward."""
        return self._own("clock").clock

    def reset(self) -> None:
        """Empty the local portal; refused while seeds of a wider scope live."""
        portal = self._own("reset()")
        with reported():
            wider = [scope for scope, _ in self._seeds.layers if scope != "function"]
            others = any(seeds for seeds in self._seeds.session.live if seeds is not self._function_seeds())
            if wider or others:
                raise UsageError(
                    "crm_portal.reset() would remove records of a wider scope that other tests still use.",
                    remedy="Seed with scope='function' where a test resets the portal.",
                )
        portal.reset()

    def snapshot(self) -> CrmSnapshot:
        """Return what the local portal holds now, to go back to within this test."""
        return CrmSnapshot(self._own("snapshot()").snapshot(), self._function_seeds(), self._wider_seeds())

    def restore(self, snapshot: CrmSnapshot) -> None:
        """Make the local portal hold what it held at a snapshot of this test.

        What was seeded since is gone then; refused if seeds of a wider scope are among it.
        """
        portal = self._own("restore()")
        with reported():
            if snapshot.test is not self._function_seeds():
                raise UsageError(
                    "crm_portal.restore() takes a snapshot of the same test: another test's would bring"
                    " records back that are cleaned up.",
                    remedy="Take the snapshot in the test that restores it.",
                )
            if snapshot.wider != self._wider_seeds():
                raise UsageError(
                    "crm_portal.restore() would remove records of a wider scope, seeded since the snapshot.",
                    remedy="Take the snapshot later.",
                )
        portal.restore(snapshot.held)

    def _wider_seeds(self) -> list[tuple[int, int]]:
        own = self._function_seeds()
        return [(id(seeds), len(seeds)) for seeds in self._seeds.session.live if seeds and seeds is not own]

    def _function_seeds(self) -> object:
        return self._seeds.scope("function")

    def _own(self, what: str) -> LocalPortal:
        with reported():
            self._seeds.address  # noqa: B018  (opens the portal if nothing was seeded yet)
            portal = self._seeds.session.own_portal
            if portal is None or not self._seeds.address.private:
                raise UsageError(
                    f"crm_portal.{what} is there only on the local portal that the test run started itself."
                )
            return portal

    def __repr__(self) -> str:
        return f"<CrmPortal {self.provider} {self.base_url}>"
