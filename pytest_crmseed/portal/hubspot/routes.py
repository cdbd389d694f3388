"""Which paths are emulated: templates, methods, handlers, scopes.

Three generations of paths answer over one store: legacy (v3, v4), version last
(``/crm/objects/v3``), and dated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from pytest_crmseed.portal.hubspot import (
    account_info,
    association_routes,
    batches,
    legacy_associations,
    merge,
    objects,
    pipelines,
    properties,
    search,
)
from pytest_crmseed.portal.hubspot import scopes as scopes_needed
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.message import PortalResponse

DATES = ("2025-09", "2026-03", "2026-09")

PREFIXES = frozenset(
    {
        "account-info",
        "analytics",
        "associations",
        "automation",
        "broadcast",
        "business-units",
        "cms",
        "comments",
        "communication-preferences",
        "companies",
        "contacts",
        "content",
        "conversations",
        "crm",
        "crm-associations",
        "crm-extensions",
        "crm-objects",
        "crm-object-schemas",
        "crm-pipelines",
        "deals",
        "ecomm",
        "email",
        "email-subscription",
        "engagements",
        "events",
        "feedback",
        "filemanager",
        "files",
        "forms",
        "hubdb",
        "integrations",
        "integrators",
        "marketing",
        "media-bridge",
        "oauth",
        "owners",
        "payments",
        "properties",
        "reports",
        "scheduler",
        "settings",
        "tax-rates",
        "timeline",
        "visitor-identification",
        "webhooks",
        "webhooks-journal",
    }
)
"""First segments of HubSpot's paths; everything else is unknown to HubSpot as well."""

Scopes = Callable[[Call], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method on a template. Any one of ``scopes`` will do; none are needed when it is empty.

    ``handler`` None marks what HubSpot has and the portal has not, where another template of the
    portal would otherwise match.
    """

    method: str
    template: str
    handler: Callable[[Call], PortalResponse] | None
    version: str
    scopes: Scopes
    write: bool = False
    open: bool = False

    @property
    def searches(self) -> bool:
        """Whether the limit of searches counts it, and no other one."""
        return self.template.endswith("/search")


def _no_scopes(call: Call) -> Sequence[str]:
    return ()


def _records(right: str) -> Scopes:
    return lambda call: scopes_needed.of_records(call.object_type, right)


def _links(right: str) -> Scopes:
    # [unsure] The specification lists many alternatives; here it is those of the type a call starts at.
    def scopes(call: Call) -> Sequence[str]:
        call.account.object_types.resolve(call.params["to"])
        return scopes_needed.of_records(call.from_type, right)

    return scopes


def _read_definitions(call: Call) -> Sequence[str]:
    # Any object's read scope will do; the ones of the object asked for are named first in a refusal.
    others = sorted(call.account.object_types.by_name)
    names = [call.object_type.name, *(name for name in others if name != call.object_type.name)]
    return [f"crm.{area}.{name}.read" for name in names for area in ("objects", "schemas")]


def _write_definitions(call: Call) -> Sequence[str]:
    return [f"crm.schemas.{call.object_type.name}.write"]


_Entry = tuple[str, str, Callable[[Call], PortalResponse] | None, Scopes, bool]

_OBJECTS: Sequence[_Entry] = (
    ("GET", "", objects.list_records, _records("read"), False),
    ("POST", "", objects.create, _records("write"), True),
    ("GET", "/{id}", objects.read, _records("read"), False),
    ("PATCH", "/{id}", objects.update, _records("write"), True),
    ("DELETE", "/{id}", objects.archive, _records("write"), False),
    ("POST", "/batch/create", batches.create, _records("write"), True),
    ("POST", "/batch/read", batches.read, _records("read"), False),
    ("POST", "/batch/update", batches.update, _records("write"), True),
    ("POST", "/batch/upsert", batches.upsert, _records("write"), True),
    ("POST", "/batch/archive", batches.archive, _records("write"), False),
    ("POST", "/search", search.search, _records("read"), False),
    ("POST", "/merge", merge.merge, _records("write"), True),
    ("POST", "/gdpr-delete", merge.gdpr_delete, _records("write"), False),
)

_LINK_BATCHES: Sequence[_Entry] = (
    ("POST", "/batch/create", association_routes.batch_create, _links("write"), True),
    ("POST", "/batch/associate/default", association_routes.batch_default, _links("write"), True),
    ("POST", "/batch/read", association_routes.batch_read, _links("read"), False),
    ("POST", "/batch/archive", association_routes.batch_archive, _links("write"), False),
    ("POST", "/batch/labels/archive", association_routes.batch_labels_archive, _links("write"), False),
)

_LEGACY_LINKS: Sequence[_Entry] = (
    ("POST", "/batch/create", legacy_associations.batch_create, _links("write"), True),
    ("POST", "/batch/read", legacy_associations.batch_read, _links("read"), False),
    ("POST", "/batch/archive", legacy_associations.batch_archive, _links("write"), False),
    ("GET", "/types", legacy_associations.types, _links("read"), False),
)

_LINKS: Sequence[_Entry] = (
    ("GET", "/{to}", association_routes.read, _links("read"), False),
    ("PUT", "/{to}/{to_id}", association_routes.put, _links("write"), True),
    ("DELETE", "/{to}/{to_id}", association_routes.delete, _links("write"), False),
    ("PUT", "/default/{to}/{to_id}", association_routes.put_default, _links("write"), True),
)

_LABELS: Sequence[_Entry] = (
    ("GET", "", association_routes.labels, _links("read"), False),
    ("POST", "", None, _no_scopes, False),
    ("PUT", "", None, _no_scopes, False),
)

_PROPERTIES: Sequence[_Entry] = (
    ("GET", "", properties.list_definitions, _read_definitions, False),
    ("POST", "", properties.create, _write_definitions, True),
    ("GET", "/{name}", properties.read, _read_definitions, False),
    ("PATCH", "/{name}", properties.update, _write_definitions, True),
    ("DELETE", "/{name}", properties.archive, _write_definitions, False),
    ("POST", "/batch/read", properties.batch_read, _read_definitions, False),
    ("POST", "/batch/create", None, _no_scopes, False),
    ("POST", "/batch/archive", None, _no_scopes, False),
    ("GET", "/groups", None, _no_scopes, False),
    ("POST", "/groups", None, _no_scopes, False),
)

_PIPELINES: Sequence[_Entry] = (
    ("GET", "", pipelines.list_pipelines, _read_definitions, False),
    ("POST", "", None, _no_scopes, False),
    ("GET", "/{id}", pipelines.read, _read_definitions, False),
    ("PUT", "/{id}", None, _no_scopes, False),
    ("PATCH", "/{id}", None, _no_scopes, False),
    ("DELETE", "/{id}", None, _no_scopes, False),
)

_DETAILS: Sequence[_Entry] = (("GET", "", account_info.details, _no_scopes, False),)
_USAGE: Sequence[_Entry] = (("GET", "", account_info.daily_usage, _no_scopes, False),)

_FAMILIES: Sequence[tuple[Sequence[_Entry], Mapping[str, str]]] = (
    (
        _OBJECTS,
        {
            "/crm/v3/objects/{type}": "v3",
            "/crm/objects/v3/{type}": "v3",
            **{f"/crm/objects/{date}/{{type}}": date for date in DATES},
        },
    ),
    (
        _LINK_BATCHES,
        {
            "/crm/v4/associations/{from}/{to}": "v4",
            **{f"/crm/associations/{date}/{{from}}/{{to}}": date for date in DATES},
        },
    ),
    (_LEGACY_LINKS, {"/crm/v3/associations/{from}/{to}": "v3"}),
    (
        _LINKS,
        {
            "/crm/v4/objects/{from}/{id}/associations": "v4",
            **{f"/crm/objects/{date}/{{from}}/{{id}}/associations": date for date in DATES},
        },
    ),
    (
        _LABELS,
        {
            "/crm/v4/associations/{from}/{to}/labels": "v4",
            "/crm/associations/v4/{from}/{to}/labels": "v4",
            **{f"/crm/associations/{date}/{{from}}/{{to}}/labels": date for date in DATES},
        },
    ),
    (
        _PROPERTIES,
        {
            "/crm/v3/properties/{type}": "v3",
            **{f"/crm/properties/{date}/{{type}}": date for date in DATES},
        },
    ),
    (
        _PIPELINES,
        {
            "/crm/v3/pipelines/{type}": "v3",
            **{f"/crm/pipelines/{date}/{{type}}": date for date in DATES},
        },
    ),
    (
        _DETAILS,
        {
            "/account-info/v3/details": "v3",
            **{f"/account-info/{date}/details": date for date in DATES},
        },
    ),
    (
        _USAGE,
        {
            "/account-info/v3/api-usage/daily/private-apps": "v3",
            **{f"/account-info/{date}/api-usage/daily/private-apps": date for date in DATES},
        },
    ),
)


def _all_routes() -> list[Route]:
    found = [
        Route(method, prefix + suffix, handler, version, scopes, write)
        for entries, prefixes in _FAMILIES
        for prefix, version in prefixes.items()
        for method, suffix, handler, scopes, write in entries
    ]
    token_info = "/oauth/v2/private-apps/get/access-token-info"
    found.append(Route("POST", token_info, account_info.token_info, "v2", _no_scopes, open=True))
    return found


@dataclass
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Routes:
    """All routes, looked up by the segments of a path."""

    def __init__(self) -> None:
        self._root = _Node()
        self._templates: list[str] = []
        self.coverage: list[tuple[str, str]] = []
        for route in _all_routes():
            self._add(route)

    def match(self, segments: Sequence[str]) -> tuple[Mapping[str, Route], list[str]] | None:
        """Return the routes of a path by method, and the values of its placeholders; None without any."""
        return _walk(self._root, segments, [])

    def nearby(self, path: str) -> list[str]:
        """Return the templates that are most like a path."""
        return get_close_matches(path, self._templates, n=3, cutoff=0.0)

    def _add(self, route: Route) -> None:
        node = self._root
        for segment in route.template.strip("/").split("/"):
            if segment.startswith("{"):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.literals.setdefault(segment, _Node())
        node.routes[route.method] = route
        if route.handler is not None:
            self.coverage.append((route.method, route.template))
            if route.template not in self._templates:
                self._templates.append(route.template)


def parameters(route: Route, values: Sequence[str]) -> dict[str, str]:
    """Return the values of a template's placeholders by their names."""
    names = [segment[1:-1] for segment in route.template.split("/") if segment.startswith("{")]
    return dict(zip(names, values, strict=True))


def _walk(
    node: _Node, segments: Sequence[str], values: list[str]
) -> tuple[Mapping[str, Route], list[str]] | None:
    if not segments:
        return (node.routes, values) if node.routes else None
    first, rest = segments[0], segments[1:]
    if first in node.literals:
        found = _walk(node.literals[first], rest, values)
        if found is not None:
            return found
    return _walk(node.any, rest, [*values, first]) if node.any is not None and first else None
