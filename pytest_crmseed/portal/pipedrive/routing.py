"""What a route is, and how a path finds its route."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive.call import Call

Handler = Callable[[Call], PortalResponse]


@dataclass(frozen=True, slots=True)
class Route:
    """A method on a template below ``/api/v2`` or ``/v1``.

    ``cost`` are the tokens it takes of the daily budget. Any one of ``scopes`` will do; none are needed
    when it is empty. ``removed`` operations of v1 answer only where the company says so. ``handler`` None
    marks what Pipedrive has and the portal has not, where another template would otherwise match.
    """

    version: str
    method: str
    path: str
    handler: Handler | None
    cost: int
    scopes: tuple[str, ...] = ()
    object_type: str | None = None
    write: bool = False
    searches: bool = False
    open: bool = False
    removed: bool = False

    @property
    def template(self) -> str:
        """The path as coverage and statistics show it."""
        if self.open:
            return self.path
        return f"/api/v2{self.path}" if self.version == "v2" else f"/v1{self.path}"


@dataclass
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Routes:
    """Routes, looked up by the version and segments of a path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._roots: dict[str, _Node] = {}
        self._templates: list[str] = []
        self.coverage: list[tuple[str, str]] = []
        for route in routes:
            self._add(route)

    def match(self, version: str, segments: Sequence[str]) -> tuple[Mapping[str, Route], list[str]] | None:
        """Return the routes of a path by method, and the values of its placeholders; None without any."""
        return _walk(self._roots.get(version, _Node()), segments, [])

    def nearby(self, path: str) -> list[str]:
        """Return the templates that are most like a path."""
        return get_close_matches(path, self._templates, n=3, cutoff=0.0)

    def _add(self, route: Route) -> None:
        node = self._roots.setdefault(route.version, _Node())
        for segment in route.path.strip("/").split("/"):
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
    names = [segment[1:-1] for segment in route.path.split("/") if segment.startswith("{")]
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
