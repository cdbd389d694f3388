"""Which paths are emulated, and how a path finds its route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from pytest_crmseed.portal.hubspot import definition_routes, record_routes
from pytest_crmseed.portal.hubspot.routing import Route

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


def _all_routes() -> list[Route]:
    found = [
        Route(method, prefix + suffix, handler, version, scopes, write)
        for entries, prefixes in (*record_routes.FAMILIES, *definition_routes.FAMILIES)
        for prefix, version in prefixes.items()
        for method, suffix, handler, scopes, write in entries
    ]
    return [*found, *definition_routes.OPEN]


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
