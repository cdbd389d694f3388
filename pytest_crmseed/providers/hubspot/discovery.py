"""HubSpot's schema, read live: properties and their groups and rules, pipelines, owners, custom
objects, association types.

Sources: HubSpot docs "Properties guide", "Property validations API", "Pipelines", "Custom objects",
"Associations guide", "Owners"; the published OpenAPI files for the shapes. What the API does not tell
(required on create, for all but custom objects) comes from the bundled snapshot.

Requests: two for owners and custom objects; properties, groups and rules of each object type;
pipelines of those that have some; and the association labels of the pairs that records are linked
by, not of all pairs, of which there would be a square of the number of object types. HubSpot's own
association types are the same in every portal, so those of the other pairs come from the snapshot.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, Unauthorized
from pytest_crmseed.planning import LinkRule
from pytest_crmseed.providers.base import Effect, Exchange, Request, Rounds, together
from pytest_crmseed.providers.hubspot.definitions import (
    Json,
    associations_of,
    associations_of_schemas,
    field_of,
    groups_in_use,
    groups_of,
    paired,
    pipelines_of,
)
from pytest_crmseed.schema.model import Association, ObjectType, Option, Schema
from pytest_crmseed.schema.tables import Legend

# What cannot be read, and what that means for who seeds.
_CONSEQUENCES = {
    "owners": "owners' ids are not checked",
    "custom objects": "they cannot be seeded",
    "property groups": "they are known by name alone",
    "validation rules": "values are not checked by them",
    "pipelines": "stages are not checked",
    "association labels": "those of the bundled snapshot are used",
    "properties": "these object types cannot be seeded",
}

# The association types by the object types they start and end at.
_Links: TypeAlias = dict[str, dict[str, list[Association]]]


def linked_pairs(legend: Legend, links: Mapping[str, Mapping[str, LinkRule]]) -> frozenset[tuple[str, str]]:
    """Return the pairs of native object types whose records are linked by associations."""

    def native(name: str) -> str:
        entry = legend.objects.get(name)
        return entry.native if entry else name

    return frozenset(
        (native(name), native(rule.object_type))
        for name, rules in links.items()
        for rule in rules.values()
        if not rule.home
    )


class Discovery:
    """Read the schema of one portal: its object types of the snapshot ``known``, and its custom ones.

    ``pairs`` are the object types whose association types are read. What the portal does not have or
    the token may not read is left out and noted in the schema's ``gaps``.
    """

    def __init__(
        self, api_version: str, known: Schema, pairs: Collection[tuple[str, str]] = frozenset()
    ) -> None:
        self._api_version = api_version
        self._known = known
        self._pairs = pairs
        self._refused: dict[tuple[str, str], list[str]] = {}
        self._first_refusal: PortalError | None = None
        self._found: dict[str, ObjectType] = {}
        self._entries: Sequence[Json] = ()
        self._owner_options: list[Option] = []

    def schema(self, object_types: Sequence[str], *, portal_id: str, taken_at: str) -> Rounds[Schema]:
        """Return the live schema of these object types, by native name, and of all custom objects.

        Raises:
            PortalError: the portal fails, or lets nothing be read.
        """
        first = [self._owners(), self._custom_schemas(), *map(self._standard, object_types)]
        yield from together(first)
        if not self._found and self._first_refusal is not None:
            raise self._first_refusal
        yield from together([self._custom(entry) for entry in self._entries])
        links = self._known_links()
        wanted = {
            (start, to)
            for start, to in (
                *self._pairs,
                *((start, to) for start in links for to in links[start] if self._found[start].custom),
            )
            if start in self._found and to in self._found
        }
        yield from together([self._pair(start, to, links) for start, to in sorted(wanted)])
        return Schema(
            provider=self._known.provider,
            object_types={
                name: replace(
                    self._with_owners(object_type),
                    associations=tuple(a for types in links[name].values() for a in types),
                )
                for name, object_type in self._found.items()
            },
            source="live",
            taken_at=taken_at,
            portal_id=portal_id,
            complete=True,
            gaps=tuple(self._gaps()),
        )

    # -- object types ----------------------------------------------------------------------------
    def _standard(self, name: str) -> Exchange[None]:
        # Before the first answer, so that the object types keep their order whoever answers first.
        self._found[name] = self._known.object_types.get(name) or ObjectType(name, name, name, {})
        listed = yield from self._listed("properties", name, self._path("properties", name))
        if listed is None:
            del self._found[name]
        else:
            self._found[name] = yield from self._definitions(self._found[name], listed)

    def _custom_schemas(self) -> Exchange[None]:
        path = self._path("crm-object-schemas", "schemas", area="")
        listed = yield from self._listed("custom objects", "", path)
        self._entries = [entry for entry in listed or () if not entry.get("archived")]

    def _custom(self, entry: Json) -> Exchange[None]:
        labels = entry.get("labels") or {}
        name = str(entry["name"])
        label = str(labels.get("singular") or name)
        base = ObjectType(
            name=str(entry.get("fullyQualifiedName") or f"p_{name}"),
            label=label,
            plural=str(labels.get("plural") or label),
            singular=name,
            fields={},
            type_id=str(entry.get("objectTypeId") or entry["id"]),
            required_any=tuple((str(each),) for each in entry.get("requiredProperties") or ()),
            custom=True,
            display_field=str(entry.get("primaryDisplayProperty") or ""),
            searchable=tuple(map(str, entry.get("searchableProperties") or ())),
        )
        self._found[base.name] = base
        properties: Sequence[Json] | None = entry.get("properties")
        if not properties:
            # A schema holds them by default; no object type is without any.
            properties = yield from self._listed("properties", name, self._path("properties", base.name))
        self._found[base.name] = yield from self._definitions(base, properties or ())

    def _definitions(self, base: ObjectType, properties: Sequence[Json]) -> Exchange[ObjectType]:
        """Return an object type with its fields, groups and pipelines; reads the last two, and the rules."""
        name = base.name
        groups = yield from self._listed("property groups", name, self._path("properties", f"{name}/groups"))
        rules_path = self._path("property-validations", base.type_id or name)
        validated = (yield from self._listed("validation rules", name, rules_path)) or ()
        rules = {str(v["propertyName"]): v.get("propertyValidationRules") or () for v in validated}
        snapshot = self._known.object_types.get(name)
        found = [field_of(entry, snapshot, rules.get(str(entry["name"]), ())) for entry in properties]
        pipelines = None
        if any(field.external in ("pipelines", "stages") for field in found):
            pipelines = yield from self._listed("pipelines", name, self._path("pipelines", name))
        return replace(
            base,
            fields={field.name: field for field in found},
            groups=groups_in_use(base.groups, found) if groups is None else groups_of(groups),
            pipelines=pipelines_of(pipelines or ()),
        )

    def _with_owners(self, object_type: ObjectType) -> ObjectType:
        fields = {
            name: replace(field, options=tuple(self._owner_options))
            if field.external == "owners" and not field.options
            else field
            for name, field in object_type.fields.items()
        }
        return replace(object_type, fields=fields)

    # -- associations ----------------------------------------------------------------------------
    def _known_links(self) -> _Links:
        """Return what is known without asking: the snapshot's association types, and custom objects' own."""
        links: _Links = {name: {} for name in self._found}
        for name, types in links.items():
            snapshot = self._known.object_types.get(name)
            for association in snapshot.associations if snapshot else ():
                if association.to in self._found:
                    types.setdefault(association.to, []).append(association)
        listed = associations_of_schemas(self._entries, self._found)
        for start, to, association in listed:
            links[start].setdefault(to, []).append(association)
        return links

    def _pair(self, start: str, to: str, links: _Links) -> Exchange[None]:
        """Read the association types of a pair of object types into ``links``."""
        there = yield from self._labels(start, to, links)
        if there is None:
            return
        if any(association.inverse is None for association in there):
            # The portal's own labels: the other direction has ids of its own.
            back = yield from self._labels(to, start, links)
            if back is not None:
                there, back = paired(there, back), paired(back, there)
                if start != to:
                    links[to][start] = back
        links[start][to] = there

    def _labels(self, start: str, to: str, links: _Links) -> Exchange[list[Association] | None]:
        path = self._path("associations", f"{start}/{to}/labels", legacy="v4")
        what = f"read the association types of {start} to {to}"
        try:
            answer = yield Request("GET", path, what, Effect.READ)
        except ApiRefused as refused:
            if refused.status not in (400, 404):
                raise
            # The two cannot be associated.
            return []
        except Unauthorized as refused:
            self._note("association labels", f"{start} to {to}", refused)
            return None
        return associations_of(to, answer.json().get("results") or (), links[start].get(to, []))

    # -- owners ----------------------------------------------------------------------------------
    def _owners(self) -> Exchange[None]:
        after = ""
        while True:
            query = (("limit", "100"), *((("after", after),) if after else ()))
            request = Request("GET", self._path("owners", ""), "read the owners", Effect.READ, query=query)
            try:
                body = (yield request).json()
            except (ApiRefused, Unauthorized, NotAPortal) as refused:
                self._note("owners", "", refused)
                return
            for entry in body.get("results") or ():
                name = " ".join(filter(None, (entry.get("firstName"), entry.get("lastName"))))
                self._owner_options.append(
                    Option(str(entry["id"]), name or str(entry.get("email") or entry["id"]))
                )
            after = str(((body.get("paging") or {}).get("next") or {}).get("after") or "")
            if not after:
                return

    # -- what may be missing ---------------------------------------------------------------------
    def _listed(self, part: str, name: str, path: str) -> Exchange[Sequence[Json] | None]:
        """Return the results of a list, or None with a note when the portal refuses it."""
        what = f"read the {part} of {name}" if name else f"read the {part}"
        try:
            body: Any = (yield Request("GET", path, what, Effect.READ)).json()
        except (ApiRefused, Unauthorized, NotAPortal) as refused:
            self._note(part, name, refused)
            return None
        results: Sequence[Json] = body.get("results") or ()
        return results

    def _note(self, part: str, name: str, refused: PortalError) -> None:
        if refused.status == 401:
            raise refused
        self._first_refusal = self._first_refusal or refused
        scopes = refused.scopes if isinstance(refused, Unauthorized) else ()
        reason = f"HubSpot answers {refused.status}"
        if scopes:
            reason = f"the token lacks a scope ({', '.join(scopes[:3])}{', …' if len(scopes) > 3 else ''})"
        self._refused.setdefault((part, reason), []).append(name)

    def _gaps(self) -> Sequence[str]:
        gaps = []
        for (part, reason), names in self._refused.items():
            everywhere = self._found.keys() <= set(names)
            of = f" of {', '.join(names)}" if any(names) and not everywhere else ""
            gaps.append(f"The {part}{of} could not be read ({reason}): {_CONSEQUENCES[part]}.")
        return gaps

    # -- paths -----------------------------------------------------------------------------------
    def _path(self, family: str, tail: str, *, legacy: str = "v3", area: str = "/crm") -> str:
        if self._api_version[0].isdigit():
            root = f"{area}/{family}/{self._api_version}"
        else:
            root = f"{area}/{legacy}/{family}" if area else f"/{family}/{legacy}"
        return f"{root}/{tail}" if tail else root
