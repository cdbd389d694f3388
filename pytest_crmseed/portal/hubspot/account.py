"""The HubSpot account that the routes work on: its state, its switches, its clock."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.hubspot.definitions import PROVIDER, Definitions
from pytest_crmseed.portal.hubspot.limits import Limits
from pytest_crmseed.portal.hubspot.object_types import ObjectTypes
from pytest_crmseed.portal.hubspot.tokens import Tokens
from pytest_crmseed.portal.store import Store, StoredRecord
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.model import ObjectType, Schema

T = TypeVar("T")


class Account:
    """One HubSpot account on a store."""

    def __init__(
        self,
        store: Store,
        behaviour: Behaviour,
        *,
        rate: tuple[int, float],
        clock: Callable[[], float],
        schema: Schema | None = None,
    ) -> None:
        self.store = store
        self.behaviour = behaviour
        self.clock = clock
        object_types = (schema or catalog.bundled(PROVIDER)).object_types
        self.object_types = ObjectTypes(object_types)
        self.definitions = Definitions(store, object_types, set_up=behaviour.set_up)
        self.tokens = Tokens(store)
        self.limits = Limits(behaviour, rate=rate, clock=clock)
        self._random = random.Random(0)

    def reset(self) -> None:
        """Forget what is kept outside the store."""
        self.definitions.load(set_up=self.behaviour.set_up)
        self.limits.reset()

    def now(self) -> float:
        """Return epoch seconds, to the millisecond as HubSpot keeps them."""
        return round(self.clock(), 3)

    def new_id(self, object_type: ObjectType) -> int:
        """Return a new record id: 11 digits, growing with gaps, unique within the object type."""
        # Object types start at different places, so that an id of the wrong type is seldom a valid one.
        first = 20_000_000_000 + zlib.crc32(object_type.name.encode()) * 10
        return self.store.new_id(PROVIDER, object_type.name, first)

    def records(self, object_type: ObjectType, ids: Sequence[int]) -> dict[int, StoredRecord]:
        """Return those of the records that exist, live or archived, by id.

        The id of a record that was merged away leads to the one it was merged into.
        """
        found = self.store.get(PROVIDER, object_type.name, ids)
        missing = [id for id in ids if id not in found]
        merged = self.store.merged(PROVIDER, object_type.name, missing) if missing else {}
        if merged:
            into = self.store.get(PROVIDER, object_type.name, set(merged.values()))
            found |= {id: into[target] for id, target in merged.items() if target in into}
        return found

    def live(self, object_type: ObjectType, id: int) -> StoredRecord | None:
        """Return a live record, or None."""
        record = self.records(object_type, [id]).get(id)
        return None if record is None or record.archived is not None else record

    def trail(self, object_type: ObjectType, ids: Sequence[int]) -> None:
        """Let search go on seeing records as they are, for as long as it trails behind writes."""
        lag = self.behaviour.search_lag
        if lag > 0:
            self.store.trail(PROVIDER, object_type.name, ids, self.now() + lag)

    def external_options(self, object_type: ObjectType) -> Callable[[str], Sequence[str]]:
        """Return a look-up of the options that live outside an object type's definitions."""

        def options(external: str) -> Sequence[str]:
            match external:
                case "owners":
                    # A pulled schema names the owners of its portal in the properties that refer to them.
                    pulled = {
                        option.value
                        for field in object_type.fields.values()
                        if field.external == "owners"
                        for option in field.options
                    }
                    return [*self.behaviour.owner_ids, *sorted(pulled)]
                case "pipelines":
                    return [pipeline.id for pipeline in object_type.pipelines]
            return ()

        return options

    def order(self, results: list[T]) -> list[T]:
        """Return batch results in the order they are answered in."""
        if not self.behaviour.shuffle_results or len(results) < 2:
            return results
        shuffled = self._random.sample(results, len(results))
        # By chance a shuffle may change nothing, and then it would not catch a client that counts on it.
        return shuffled if any(a is not b for a, b in zip(shuffled, results, strict=True)) else results[::-1]


def record_id(text: str) -> int | None:
    """Return a record id, or None when the text cannot be one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
