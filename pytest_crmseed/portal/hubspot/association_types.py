"""The association types that clients define: labels, and what custom objects are associated with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pytest_crmseed.portal.hubspot.kept import Kept, Kind
from pytest_crmseed.portal.hubspot.object_types import ObjectTypes
from pytest_crmseed.schema.model import Association, ObjectType

USER_DEFINED = "USER_DEFINED"


class AssociationTypes:
    """The association types that were added, renamed or removed, as parts of the object types.

    Each has a type id for either direction; both ids are given together and are neighbours.
    """

    def __init__(self, kept: Kept, object_types: ObjectTypes) -> None:
        self._kept = kept
        self._object_types = object_types
        self._data: dict[tuple[str, str, int], Mapping[str, Any]] = {}

    def load(self) -> None:
        """Have those that were kept beside the ones that the object types come with."""
        self._data = {}
        # In the order in which they were made.
        for start, _, data in sorted(
            self._kept.all(Kind.ASSOCIATION), key=lambda kept: int(kept[2]["typeId"])
        ):
            self._have(start, data)

    def of(self, start: str, association: Association) -> Mapping[str, Any]:
        """Return what was kept of an association type beside its ids; nothing of those clients did not make.

        ``name`` is the internal name, ``createdAt`` and ``updatedAt`` say when it was made and changed.
        """
        return self._data.get((start, association.category, association.type_id), {})

    def labelled(self, start: ObjectType, to: str) -> list[Association]:
        """Return the association types with a label that clients defined."""
        return [
            association
            for association in start.associations
            if association.to == to and association.label and association.category == USER_DEFINED
        ]

    def add(
        self,
        start: ObjectType,
        to: ObjectType,
        *,
        name: str,
        label: str | None = None,
        inverse_label: str | None = None,
        at: str,
    ) -> list[Association]:
        """Define an association type, and return both of its directions.

        From an object type to itself with the same label either way, there is but one.
        """
        first = 1 + max(self._ids(), default=0)
        alone = start.name == to.name and inverse_label in (None, label)
        back_label = label if inverse_label is None else inverse_label
        second = first if alone else first + 1
        made = [Association(to.name, first, USER_DEFINED, label, second)]
        self._put(start.name, made[0], name, at, at)
        if not alone:
            made.append(Association(start.name, second, USER_DEFINED, back_label, first))
            self._put(to.name, made[1], name, at, at)
        return made

    def relabel(self, start: str, association: Association, label: str, *, at: str) -> None:
        """Give another label to one direction."""
        data = self.of(start, association)
        changed = replace(association, label=label)
        self._put(start, changed, str(data.get("name", "")), str(data.get("createdAt", at)), at)

    def remove(self, start: str, association: Association) -> None:
        """Have an association type no longer, in neither direction."""
        self._remove(start, association)
        for back in self._object_types.by_name[association.to].associations:
            if (back.to, back.type_id, back.category) == (start, association.inverse, association.category):
                self._remove(association.to, back)

    def forget_type(self, name: str) -> None:
        """Have no association types of an object type that is gone for good, should its name come back."""
        for (start, _, _), data in list(self._data.items()):
            if not data["removed"] and name in (start, data["to"]):
                key = {each: data[each] for each in ("to", "typeId", "category")}
                self._keep(start, {**key, "removed": True})

    def _ids(self) -> Iterator[int]:
        # [unsure] whether two categories may have the same id; here they never do.
        for _, _, type_id in self._data:
            yield type_id
        for object_type in self._object_types.by_name.values():
            for association in object_type.associations:
                yield association.type_id

    def _put(self, start: str, association: Association, name: str, made: str, changed: str) -> None:
        data = {
            "to": association.to,
            "typeId": association.type_id,
            "category": association.category,
            "label": association.label,
            "inverse": association.inverse,
            "primary": association.primary,
            "name": name,
            "createdAt": made,
            "updatedAt": changed,
            "removed": False,
        }
        self._keep(start, data)

    def _remove(self, start: str, association: Association) -> None:
        key = {"to": association.to, "typeId": association.type_id, "category": association.category}
        self._keep(start, {**key, "removed": True})

    def _keep(self, start: str, data: Mapping[str, Any]) -> None:
        self._kept.put(Kind.ASSOCIATION, start, f"{data['category']} {data['typeId']}", data)
        self._have(start, data)

    def _have(self, start: str, data: Mapping[str, Any]) -> None:
        self._data[(start, data["category"], data["typeId"])] = data
        object_type = self._object_types.by_name.get(start)
        if object_type is None:
            # Of a custom object that is archived.
            return
        others = [
            association
            for association in object_type.associations
            if (association.type_id, association.category) != (data["typeId"], data["category"])
        ]
        if not data["removed"] and data["to"] in self._object_types.by_name:
            label, inverse, primary = data["label"], data["inverse"], data["primary"]
            others.append(Association(data["to"], data["typeId"], data["category"], label, inverse, primary))
        self._object_types.put(replace(object_type, associations=tuple(others)))
