"""What a route is, and how a path finds its route."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.salesforce.call import Call

Handler = Callable[[Call], PortalResponse]

_HOME = "/services/data/{version}"


@dataclass(frozen=True, slots=True)
class Route:
    """A method on a template below a version, such as ``/sobjects/{object}/{id}``.

    ``since`` is the version that brought it. A ``write`` creates or updates records.
    """

    method: str
    below: str
    handler: Handler
    write: bool = False
    since: int = 0

    @property
    def template(self) -> str:
        """The whole path's template."""
        return _HOME + self.below


@dataclass
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Table:
    """Routes, looked up by the segments of a path below a version; literal segments in any case."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        self.routes = list(routes)
        for route in self.routes:
            node = self._root
            for segment in _segments(route.below):
                if segment.startswith("{"):
                    node.any = node.any or _Node()
                    node = node.any
                else:
                    node = node.literals.setdefault(segment.lower(), _Node())
            node.routes[route.method] = route

    def match(self, segments: Sequence[str], version: int) -> tuple[Mapping[str, Route], list[str]] | None:
        """Return the routes of a path by method, and the values of its placeholders; None without any."""
        found = _walk(self._root, segments, [])
        if found is None:
            return None
        known = {method: route for method, route in found[0].items() if route.since <= version}
        return (known, found[1]) if known else None

    def nearby(self, path: str) -> list[str]:
        """Return the templates that are most like a path."""
        templates = list(dict.fromkeys(route.template for route in self.routes))
        return get_close_matches(path, templates, n=3, cutoff=0.0)


def parameters(route: Route, values: Sequence[str]) -> dict[str, str]:
    """Return the values of a template's placeholders by their names."""
    names = [segment[1:-1] for segment in _segments(route.below) if segment.startswith("{")]
    return dict(zip(names, values, strict=True))


def _segments(below: str) -> list[str]:
    return [segment for segment in below.split("/") if segment]


def _walk(
    node: _Node, segments: Sequence[str], values: list[str]
) -> tuple[Mapping[str, Route], list[str]] | None:
    if not segments:
        return (node.routes, values) if node.routes else None
    first, rest = segments[0], segments[1:]
    literal = node.literals.get(first.lower())
    if literal is not None:
        found = _walk(literal, rest, values)
        if found is not None:
            return found
    return _walk(node.any, rest, [*values, first]) if node.any is not None and first else None
