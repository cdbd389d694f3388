"""Pipedrive's schema, read live: field definitions, pipelines and stages, activity types, lead labels.

Sources: Pipedrive docs, "API v2 reference", "API v1 reference". Requests: one list for each entity's fields,
one each for pipelines, stages, activity types and lead labels; together less than 100 tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, Unauthorized
from pytest_crmseed.providers.base import Exchange, Rounds, together
from pytest_crmseed.providers.pipedrive import definitions, lists
from pytest_crmseed.providers.pipedrive.bodies import base_of
from pytest_crmseed.providers.pipedrive.definitions import ENTITIES
from pytest_crmseed.schema.model import ObjectType, Schema

# What else is read: path, tokens, and what it means where it cannot be.
_LISTS = {
    "pipelines": ("/api/v2/pipelines", 5, "those of a new company are assumed"),
    "stages": ("/api/v2/stages", 5, "those of a new company are assumed"),
    "activity types": ("/api/v1/activityTypes", 20, "those of a new company are assumed"),
    "lead labels": ("/api/v1/leadLabels", 10, "they have to be given by id"),
}
_FIELDS = "its custom fields cannot be set"


class Discovery:
    """Read the schema of one company: object types of the snapshot ``known``.

    What the token's user may not see is noted in the schema's ``gaps``.
    """

    def __init__(self, known: Schema) -> None:
        self._known = known
        self._read: dict[str, list[dict[str, Any]]] = {}
        self._gaps: list[str] = []

    def schema(self, names: Sequence[str], *, portal_id: str, taken_at: str) -> Rounds[Schema]:
        """Read object types, by native name."""
        wanted = [name for name in names if name in self._known.object_types]
        entities = {ENTITIES[base] for name in wanted if (base := base_of(name)) in ENTITIES}
        exchanges = [
            self._list(entity, f"/api/v2/{entity}Fields", f"the fields of {entity}s", 10, _FIELDS)
            for entity in sorted(entities)
        ]
        exchanges += [
            self._list(name, path, f"the {name}", cost, gap) for name, (path, cost, gap) in _LISTS.items()
        ]
        yield from together(exchanges)
        return Schema(
            provider=self._known.provider,
            object_types={name: self._object_type(name) for name in wanted},
            source="live",
            taken_at=taken_at,
            portal_id=portal_id,
            complete=not self._gaps,
            gaps=tuple(sorted(self._gaps)),
        )

    def _object_type(self, name: str) -> ObjectType:
        base = base_of(name)
        found = definitions.with_fields(
            self._known.object_types[name], self._read.get(ENTITIES.get(base, ""))
        )
        if base == "deals" and {"pipelines", "stages"} <= self._read.keys():
            found = definitions.with_pipelines(found, self._read["pipelines"], self._read["stages"])
        elif base == "activities":
            types = self._read.get("activity types", ())
            live = [each for each in types if each.get("active_flag", True)]
            options = [(str(each.get("key_string")), str(each.get("name"))) for each in live]
            found = definitions.with_options(found, "type", options)
        elif base == "leads":
            labels = self._read.get("lead labels", ())
            options = [(str(each.get("id")), str(each.get("name"))) for each in labels]
            found = definitions.with_options(found, "label_ids", options)
        return found

    def _list(self, name: str, path: str, what: str, cost: int, gap: str) -> Exchange[None]:
        try:
            self._read[name] = yield from lists.pages(path, f"read {what}", cost=cost)
        except (ApiRefused, Unauthorized, NotAPortal) as refused:
            self._note(what, gap, refused)

    def _note(self, what: str, gap: str, refused: PortalError) -> None:
        if refused.status == 401:
            raise refused
        self._gaps.append(
            f"{what[:1].upper()}{what[1:]} could not be read (Pipedrive answers {refused.status}): {gap}."
        )
