"""The HubSpot account that the routes work on: its state, its switches, its clock."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from pytest_crmseed.portal.behaviour import Behaviour, Owner
from pytest_crmseed.portal.hubspot.association_types import AssociationTypes
from pytest_crmseed.portal.hubspot.definitions import Definitions
from pytest_crmseed.portal.hubspot.kept import PROVIDER, Kept
from pytest_crmseed.portal.hubspot.limits import Limits
from pytest_crmseed.portal.hubspot.object_types import ObjectTypes
from pytest_crmseed.portal.hubspot.pipeline_definitions import Pipelines
from pytest_crmseed.portal.hubspot.property_groups import PropertyGroups
from pytest_crmseed.portal.hubspot.property_validations import PropertyValidations
from pytest_crmseed.portal.hubspot.schemas import Schemas
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
        self._stock = (schema or catalog.bundled(PROVIDER)).object_types
        self._pulled_owners = _owners_of(self._stock)
        self.kept = Kept(store)
        self.object_types = ObjectTypes(self._stock)
        self.schemas = Schemas(self.kept, store, self.object_types)
        self.association_types = AssociationTypes(self.kept, self.object_types)
        self.pipelines = Pipelines(self.kept, store, self.object_types)
        self.definitions = Definitions(self.kept, store, self.object_types)
        self.groups = PropertyGroups(self.kept, self.object_types, self.definitions)
        self.validations = PropertyValidations(self.kept, self.object_types)
        self.load()
        self.tokens = Tokens(store)
        self.limits = Limits(behaviour, rate=rate, clock=clock)
        self._random = random.Random(0)

    def reset(self) -> None:
        """Forget what is kept outside the store."""
        self.load()
        self.limits.reset()

    def load(self) -> None:
        """Take all definitions anew: those the portal came with, then those in the store."""
        self.object_types.load(self._stock)
        self.schemas.load(self._stock)
        self.association_types.load()
        self.pipelines.load()
        self.definitions.load(set_up=self.behaviour.set_up)
        self.groups.load()
        self.validations.load()
        self.kept.changed = False

    def add_type(self, name: str) -> None:
        """Have what an object type that is new comes with."""
        object_type = self.object_types.by_name[name]
        self.pipelines.add_type(object_type)
        self.definitions.add_type(object_type)
        self.groups.add_type(name)

    def remove_type(self, name: str) -> None:
        """Have nothing of an object type that is no more."""
        for part in (self.pipelines, self.definitions, self.groups):
            part.remove_type(name)

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

    def owners(self) -> list[Owner]:
        """Return the owners of the account, and those whom a pulled schema names."""
        return list({owner.id: owner for owner in (*self._pulled_owners, *self.behaviour.owners)}.values())

    def external_options(self, object_type: ObjectType) -> Callable[[str], Sequence[str]]:
        """Return a look-up of the options that live outside an object type's definitions."""

        def options(external: str) -> Sequence[str]:
            match external:
                case "owners":
                    return [owner.id for owner in self.owners() if not owner.archived]
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


def _owners_of(object_types: Mapping[str, ObjectType]) -> list[Owner]:
    # A pulled schema names the owners of its portal in the properties that refer to them.
    options = {
        option.value: option.label
        for object_type in object_types.values()
        for field in object_type.fields.values()
        if field.external == "owners"
        for option in field.options
    }
    names = ((id, *label.partition(" ")[::2]) for id, label in options.items())
    return [Owner(id, "", first, last) for id, first, last in names]


def record_id(text: str) -> int | None:
    """Return a record id, or None when the text cannot be one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
