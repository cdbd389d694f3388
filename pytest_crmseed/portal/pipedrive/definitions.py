"""What is defined in a company: fields, pipelines and stages, activity types, lead labels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pytest_crmseed.portal.pipedrive import fields
from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour
from pytest_crmseed.portal.pipedrive.fields import ENTITIES, Field
from pytest_crmseed.portal.pipedrive.kept import PROVIDER, Kept, Kind
from pytest_crmseed.portal.store import Store

MARKER = "crmseed_key"
"""The field that carries our unique key."""

MARKED = ("deal", "person", "organization", "product")
"""The entities that have it."""

_FIRST_FIELD = 12_400
_FIELDS_EACH = 100
_FIRST_OPTION = 300


class Fields:
    """The fields of all entities, by entity and code."""

    def __init__(self, kept: Kept, store: Store, behaviour: PipedriveBehaviour) -> None:
        self._kept = kept
        self._store = store
        self._behaviour = behaviour
        self._by_entity: dict[str, dict[str, Field]] = {}

    def load(self, pulled: Mapping[str, Iterable[Field]], *, set_up: bool) -> None:
        """Take all fields anew: those the company came with, then those in the store."""
        self._by_entity = {}
        for number, entity in enumerate(ENTITIES):
            first = _FIRST_FIELD + number * _FIELDS_EACH
            found = {field.code: field for field in fields.stock(entity, first)}
            found |= {field.code: field for field in pulled.get(entity, ())}
            if set_up and entity in MARKED and not any(field.name == MARKER for field in found.values()):
                # The number of a field is v1's own; the last one of the entity's range is free.
                key = self._key(entity, MARKER)
                found[key] = Field(
                    key, MARKER, "varchar", id=first + _FIELDS_EACH - 1, custom=True, order=_FIELDS_EACH
                )
            self._by_entity[entity] = found
        for entity, code, data in self._kept.all(Kind.FIELD):
            if data.get("deleted"):
                self._by_entity[entity].pop(code, None)
            else:
                self._by_entity[entity][code] = fields.of_json(data)

    def of(self, entity: str) -> Mapping[str, Field]:
        """Return the fields of an entity, by code."""
        return self._by_entity[entity]

    def custom(self, entity: str) -> list[Field]:
        """Return the custom fields of an entity."""
        return [field for field in self._by_entity[entity].values() if field.custom]

    def by_id(self, entity: str, id: int) -> Field | None:
        """Return the field of a number of v1, or None."""
        return next((field for field in self._by_entity[entity].values() if field.id == id), None)

    def new(self, entity: str, field: Field, labels: Iterable[str]) -> Field:
        """Keep a new custom field with options of these labels, and return it with its key."""
        number = self._store.new_id(PROVIDER, "field", _FIRST_FIELD + 1_000)
        made = replace(
            field,
            code=self._key(entity, str(number)),
            id=number,
            custom=True,
            order=len(self._by_entity[entity]) + 1,
            options=tuple(self.new_option(label) for label in labels),
        )
        self.put(entity, made)
        return made

    def new_option(self, label: str) -> fields.Option:
        """Return a new option; its id is no other field's."""
        used = {
            option.id
            for found in self._by_entity.values()
            for field in found.values()
            for option in field.options
        }
        id = self._store.new_id(PROVIDER, "option", _FIRST_OPTION)
        while id in used:
            id = self._store.new_id(PROVIDER, "option", _FIRST_OPTION)
        return fields.Option(id, label)

    def put(self, entity: str, field: Field) -> None:
        """Keep a field in place of the one of its code."""
        self._kept.put(Kind.FIELD, entity, field.code, field.as_json())
        self._by_entity[entity] = {**self._by_entity[entity], field.code: field}

    def remove(self, entity: str, field: Field) -> None:
        """Mark a field as deleted; its key is never given again."""
        self._kept.put(Kind.FIELD, entity, field.code, {"deleted": True})
        left = {code: each for code, each in self._by_entity[entity].items() if code != field.code}
        self._by_entity[entity] = left

    def count(self) -> int:
        """Return how many custom fields there are in all."""
        return sum(len(self.custom(entity)) for entity in ENTITIES)

    def _key(self, entity: str, name: str) -> str:
        # 40 characters that look random, are other ones in each company, and the same ones every time.
        text = f"{self._behaviour.company_id} {entity} {name}"
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Defined:
    """Things of one kind that have an id: pipelines, stages, activity types, lead labels.

    Each is JSON data with ``id``, ``add_time`` and ``update_time`` (epoch seconds, or None).
    """

    def __init__(self, kept: Kept, store: Store, kind: Kind, first_id: int) -> None:
        self._kept = kept
        self._store = store
        self._kind = kind
        self._first_id = first_id
        self._by_id: dict[int, dict[str, Any]] = {}

    def load(self, stock: Iterable[Mapping[str, Any]]) -> None:
        """Take all anew: those the company came with, then those in the store."""
        self._by_id = {each["id"]: dict(each) for each in stock}
        for _, _, data in self._kept.all(self._kind):
            self._by_id[data["id"]] = data

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield those that are not deleted, by id."""
        for id in sorted(self._by_id):
            if not self._by_id[id].get("is_deleted"):
                yield self._by_id[id]

    def get(self, id: Any, *, deleted: bool = False) -> dict[str, Any] | None:
        """Return the one of an id, or None; a deleted one only when asked for."""
        found = self._by_id.get(id) if isinstance(id, int) else None
        return None if found is None or (found.get("is_deleted") and not deleted) else found

    def new_id(self) -> int:
        """Return an id never given before."""
        id = self._store.new_id(PROVIDER, self._kind, self._first_id)
        while id in self._by_id:
            id = self._store.new_id(PROVIDER, self._kind, self._first_id)
        return id

    def put(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Keep one in place of the one of its id, and return it."""
        kept = dict(data)
        self._kept.put(self._kind, "", str(kept["id"]), kept)
        self._by_id = {**self._by_id, kept["id"]: kept}
        return kept


STAGES = (
    ("Qualified", 20),
    ("Contact Made", 40),
    ("Demo Scheduled", 60),
    ("Proposal Made", 80),
    ("Negotiations Started", 90),
)
"""[unsure] The stages of a new company, with their probabilities in percent."""

ACTIVITY_TYPES = (
    ("Call", "call", "call"),
    ("Meeting", "meeting", "meeting"),
    ("Task", "task", "task"),
    ("Deadline", "deadline", "deadline"),
    ("Email", "email", "email"),
    ("Lunch", "lunch", "lunch"),
)
"""[unsure] The usual activity types: name, key, icon."""

LEAD_LABELS = (("Hot", "red"), ("Cold", "blue"), ("Warm", "yellow"))


def stock_stages(pipeline_id: int, first_id: int) -> list[dict[str, Any]]:
    """Return the stages that a company's first pipeline comes with."""
    return [
        stage(first_id + number, name, pipeline_id, number + 1, deal_probability=probability)
        for number, (name, probability) in enumerate(STAGES)
    ]


def pipeline(id: int, name: str, order: int, *, probability: bool = False, at: float = 0.0) -> dict[str, Any]:
    """Return a pipeline."""
    return {
        "id": id,
        "name": name,
        "order_nr": order,
        "is_deleted": False,
        "is_deal_probability_enabled": probability,
        "add_time": at,
        "update_time": None,
    }


def stage(
    id: int, name: str, pipeline_id: int, order: int, *, deal_probability: float = 100, at: float = 0.0
) -> dict[str, Any]:
    """Return a stage."""
    return {
        "id": id,
        "order_nr": order,
        "name": name,
        "is_deleted": False,
        "deal_probability": deal_probability,
        "pipeline_id": pipeline_id,
        "is_deal_rot_enabled": False,
        "days_to_rotten": None,
        "add_time": at,
        "update_time": None,
    }
