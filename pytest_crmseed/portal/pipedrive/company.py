"""The Pipedrive company that the routes work on: its state, its switches, its clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.pipedrive import definitions, pulled, samples
from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour, PipedriveUser
from pytest_crmseed.portal.pipedrive.currencies import CURRENCIES
from pytest_crmseed.portal.pipedrive.definitions import Defined, Fields
from pytest_crmseed.portal.pipedrive.kept import OBJECT_TYPES, PROVIDER, Kept, Kind
from pytest_crmseed.portal.pipedrive.limits import Limits
from pytest_crmseed.portal.pipedrive.rows import Row, decoded, encoded, text
from pytest_crmseed.portal.pipedrive.tokens import Tokens
from pytest_crmseed.portal.store import Store, StoredLink, StoredRecord
from pytest_crmseed.schema.model import Schema

DELETED_SECONDS = 30 * 86_400
"""How long a deleted record can still be read (Pipedrive docs, "Deals", "Persons" etc.)."""


class Company:
    """One Pipedrive company on a store."""

    def __init__(
        self,
        store: Store,
        behaviour: Behaviour,
        tokens: Tokens,
        *,
        rate: tuple[int, float] | None,
        clock: Callable[[], float],
        schema: Schema | None = None,
    ) -> None:
        self.store = store
        self.tokens = tokens
        self._shared = behaviour
        self.clock = clock
        self._schema = schema
        self.kept = Kept(store)
        self.fields = Fields(self.kept, store, behaviour.pipedrive)
        self.pipelines = Defined(self.kept, store, Kind.PIPELINE, 1)
        self.stages = Defined(self.kept, store, Kind.STAGE, 10)
        self.activity_types = Defined(self.kept, store, Kind.ACTIVITY_TYPE, 10)
        self.lead_labels = Defined(self.kept, store, Kind.LEAD_LABEL, 10)
        self.limits = Limits(behaviour.pipedrive, rate=rate, clock=clock)
        self.load()

    @property
    def behaviour(self) -> PipedriveBehaviour:
        """The switches of the company."""
        return self._shared.pipedrive

    def reset(self) -> None:
        """Forget what is kept outside the store."""
        self.load()
        self.limits.reset()

    def load(self) -> None:
        """Take all definitions anew: those the company came with, then those in the store."""
        self.fields.load(pulled.custom_fields(self._schema), set_up=self._shared.set_up)
        pipelines, stages = pulled.pipelines(self._schema)
        if not pipelines:
            enabled = self.behaviour.deal_probability
            pipelines = [definitions.pipeline(1, "Pipeline", 1, probability=enabled)]
            stages = definitions.stock_stages(1, 1)
        self.pipelines.load(pipelines)
        self.stages.load(stages)
        self.activity_types.load(
            {"id": number, "order_nr": number, "name": name, "key_string": key, "icon_key": icon,
             "color": None, "is_custom_flag": False, "add_time": 0.0, "update_time": None}
            for number, (name, key, icon) in enumerate(definitions.ACTIVITY_TYPES, start=1)
        )  # fmt: skip
        self.lead_labels.load(
            {"id": number, "name": name, "color": color, "add_time": 0.0, "update_time": 0.0}
            for number, (name, color) in enumerate(definitions.LEAD_LABELS, start=1)
        )
        self.kept.changed = False
        if self.behaviour.sample_records and not any(self.store.live_counts(PROVIDER).values()):
            samples.add(self)

    def now(self) -> float:
        """Return epoch seconds, to the millisecond."""
        return round(self.clock(), 3)

    # -- people ----------------------------------------------------------------------------------
    @property
    def user(self) -> PipedriveUser:
        """The user whom all tokens are of."""
        users = self.behaviour.users
        return users[0] if users else PipedriveUser(1, "Me", "me@example.com")

    def find_user(self, id: Any) -> PipedriveUser | None:
        """Return the user of an id, or None."""
        users = self.behaviour.users or (self.user,)
        return next((user for user in users if user.id == id), None)

    def currency(self, code: Any) -> bool:
        """Return whether there is a currency."""
        return code in CURRENCIES

    # -- records ---------------------------------------------------------------------------------
    def new_id(self, object_type: str) -> int:
        """Return a new record id, unique within the object type."""
        # Object types start at different places, so that an id of the wrong type is seldom a valid one.
        return self.store.new_id(PROVIDER, object_type, 1_000 * (1 + OBJECT_TYPES.index(object_type)))

    def row(self, object_type: str, id: int, *, deleted: bool = False) -> Row | None:
        """Return a record, or None; a deleted one only when asked for, and for 30 days."""
        record = self.store.get(PROVIDER, object_type, [id]).get(id)
        if record is None or (record.archived is not None and not deleted) or self.is_purged(record):
            return None
        return decoded(record)

    def is_purged(self, record: StoredRecord) -> bool:
        """Return whether a record was deleted so long ago that it is gone for good."""
        return record.archived is not None and record.archived + DELETED_SECONDS <= self.now()

    def records(
        self, object_type: str, *, start: int = 0, limit: int = -1, deleted: bool = False
    ) -> list[StoredRecord]:
        """Return live or deleted records by id, at most ``limit`` unless it is -1."""
        found = self.store.page(PROVIDER, object_type, start=start, limit=limit, archived=deleted)
        return [record for record in found if not self.is_purged(record)] if deleted else found

    def rows_with(self, object_type: str, name: str, value: Any) -> list[Row]:
        """Return the live records whose value of a key is this one, oldest first."""
        ids = self.ids_with(object_type, name, value)
        found = self.store.get(PROVIDER, object_type, ids)
        return [decoded(found[id]) for id in ids]

    def ids_with(self, object_type: str, name: str, value: Any, *, limit: int = -1) -> list[int]:
        """Return the ids of the live records whose value of a key is this one, at most ``limit``."""
        return self.store.live_with(PROVIDER, object_type, name, [text(value)], limit=limit)

    def products_of(self, deal_id: int) -> list[Row]:
        """Return the products of a deal, oldest first."""
        links = self.store.links(PROVIDER, "deals", [deal_id], "deal_products").get(deal_id, ())
        found = self.store.get(PROVIDER, "deal_products", [link.to_id for link in links])
        return [decoded(found[id]) for id in sorted(found)]

    def attach(self, deal_id: int, id: int) -> None:
        """Let a deal have a product."""
        self.store.link(PROVIDER, [StoredLink("deals", deal_id, "deal_products", id, "", 0)])

    def save(self, object_type: str, row: Row) -> None:
        """Keep a record; search may see it later."""
        self.trail(object_type, [row.id])
        self.store.save(PROVIDER, object_type, encoded(row))

    def delete(self, object_type: str, id: int) -> None:
        """Mark a record as deleted."""
        self.trail(object_type, [id])
        self.store.archive(PROVIDER, object_type, [id], self.now())

    def purge(self, object_type: str, id: int) -> None:
        """Remove a record for good."""
        self.trail(object_type, [id])
        self.store.purge(PROVIDER, object_type, id)

    def trail(self, object_type: str, ids: Iterable[int]) -> None:
        """Let search go on seeing records as they are, for as long as it trails behind writes."""
        lag = self._shared.search_lag
        if lag > 0:
            self.store.trail(PROVIDER, object_type, ids, self.now() + lag)

    # -- pipelines -------------------------------------------------------------------------------
    def stages_of(self, pipeline_id: int) -> list[dict[str, Any]]:
        """Return a pipeline's stages in order."""
        found = [stage for stage in self.stages if stage["pipeline_id"] == pipeline_id]
        return sorted(found, key=lambda stage: (stage["order_nr"], stage["id"]))

    def first_pipeline(self) -> dict[str, Any] | None:
        """Return the pipeline that a deal is in when nobody says so."""
        return min(self.pipelines, key=lambda each: (each["order_nr"], each["id"]), default=None)
