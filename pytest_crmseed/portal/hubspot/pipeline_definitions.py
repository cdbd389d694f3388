"""The pipelines of all object types: those they came with, and those that were added or changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_crmseed.portal.hubspot.instants import iso
from pytest_crmseed.portal.hubspot.kept import PROVIDER, Kept, Kind
from pytest_crmseed.portal.hubspot.object_types import ObjectTypes
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import ObjectType, Pipeline, Stage

_FIRST_ID = 740_010_001


class Pipelines:
    """The pipelines in their JSON form; what records may name follows from them."""

    def __init__(self, kept: Kept, store: Store, object_types: ObjectTypes) -> None:
        self._kept = kept
        self._store = store
        self._object_types = object_types
        self._by_type: dict[str, dict[str, Mapping[str, Any]]] = {}

    def load(self) -> None:
        """Have the pipelines that the object types come with, then those that were kept."""
        self._by_type = {}
        for object_type in self._object_types.by_name.values():
            self.add_type(object_type)
        for object_type_name, id, data in self._kept.all(Kind.PIPELINE):
            if object_type_name in self._by_type:
                self._by_type[object_type_name][id] = data
                self._apply(object_type_name)

    def add_type(self, object_type: ObjectType) -> None:
        """Have the pipelines that an object type comes with."""
        self._by_type[object_type.name] = {
            found.id: _stock(object_type, found, order) for order, found in enumerate(object_type.pipelines)
        }

    def remove_type(self, name: str) -> None:
        """Have the pipelines of an object type no longer."""
        self._by_type.pop(name, None)

    def live(self, object_type: str) -> list[Mapping[str, Any]]:
        """Return the pipelines of an object type, in display order."""
        found = [data for data in self._by_type[object_type].values() if not data["archived"]]
        return sorted(found, key=lambda data: int(data["displayOrder"]))

    def archived(self, object_type: str) -> list[Mapping[str, Any]]:
        """Return the archived pipelines of an object type."""
        return [data for data in self._by_type[object_type].values() if data["archived"]]

    def new_id(self) -> str:
        """Return the id of a new pipeline or stage, which none ever had."""
        return str(self._store.new_id(PROVIDER, "pipelines", _FIRST_ID))

    def put(self, object_type: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep a pipeline in place of the one of its id, and return it."""
        self._kept.put(Kind.PIPELINE, object_type, data["id"], data)
        self._by_type[object_type] = {**self._by_type[object_type], data["id"]: data}
        self._apply(object_type)
        return data

    def _apply(self, name: str) -> None:
        pipelines = tuple(_pipeline(data) for data in self.live(name))
        self._object_types.put(replace(self._object_types.by_name[name], pipelines=pipelines))


def has_pipelines(object_type: ObjectType) -> bool:
    """Return whether an object type's records have properties for pipeline and stage."""
    return {"pipelines", "stages"} <= {field.external for field in object_type.fields.values()}


def metadata_of(object_type: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return a stage's metadata with ``isClosed``, which follows from the others.

    A deal stage is closed when its probability is 0 or 1, a ticket's when its state is CLOSED.
    """
    metadata = dict(given)
    closed = metadata.get("isClosed", "").lower() == "true"
    if object_type == "deals":
        closed = float(metadata["probability"]) in (0.0, 1.0)
    elif object_type == "tickets":
        metadata["ticketState"] = "CLOSED" if metadata.get("ticketState") == "CLOSED" else "OPEN"
        closed = metadata["ticketState"] == "CLOSED"
    return metadata | {"isClosed": "true" if closed else "false"}


def stage_ids(data: Mapping[str, Any]) -> Sequence[str]:
    """Return the ids of a pipeline's stages."""
    return [stage["id"] for stage in data["stages"]]


def _pipeline(data: Mapping[str, Any]) -> Pipeline:
    stages = sorted(data["stages"], key=lambda stage: int(stage["displayOrder"]))
    return Pipeline(data["id"], data["label"], tuple(_stage(stage) for stage in stages))


def _stage(data: Mapping[str, Any]) -> Stage:
    metadata = data["metadata"]
    return Stage(
        id=data["id"],
        label=data["label"],
        order=data["displayOrder"],
        closed=metadata["isClosed"] == "true",
        probability=float(metadata["probability"]) if "probability" in metadata else None,
    )


def _stock(object_type: ObjectType, found: Pipeline, order: int) -> Mapping[str, Any]:
    return {
        "id": found.id,
        "label": found.label,
        "displayOrder": order,
        "archived": False,
        "createdAt": iso(0),
        "updatedAt": iso(0),
        "stages": [_stock_stage(object_type, stage) for stage in found.stages],
    }


def _stock_stage(object_type: ObjectType, stage: Stage) -> Mapping[str, Any]:
    metadata = {"isClosed": "true" if stage.closed else "false"}
    if stage.probability is not None:
        metadata["probability"] = str(stage.probability)
    if object_type.name == "tickets":
        metadata["ticketState"] = "CLOSED" if stage.closed else "OPEN"
    return {
        "id": stage.id,
        "label": stage.label,
        "displayOrder": stage.order,
        "metadata": metadata,
        "archived": False,
        "createdAt": iso(0),
        "updatedAt": iso(0),
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }
