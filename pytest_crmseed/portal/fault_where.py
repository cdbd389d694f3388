"""Which requests a fault strikes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypedDict

from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal.handled import Described
from pytest_crmseed.portal.message import PortalRequest
from pytest_crmseed.suggest import nearest

if TYPE_CHECKING:
    from pytest_crmseed.portal.app import Api


class Where(TypedDict, total=False):
    """Which requests a fault strikes, and how often.

    ``method`` is an HTTP method. ``route`` is a template as ``/_portal/coverage`` lists it, a path,
    or a pattern with ``*`` over either; ``object_type`` a name or id of the vendor's.

    ``times`` is how often it strikes (default once; None: always), ``after`` how many requests that
    match go by first. With ``probability`` each request is struck by chance, the same ones for the
    same ``seed``. The seeder's own requests are spared unless ``seeder`` is true.
    """

    method: str
    route: str
    object_type: str
    times: int | None
    after: int
    probability: float
    seed: int
    seeder: bool


def check_where(where: Mapping[str, Any], apis: Collection[Api]) -> None:
    """Check which requests a fault is to strike.

    Raises:
        UsageError: something makes no sense, or there is no such route or object type.
    """
    method, route, object_type = (where.get(name) for name in ("method", "route", "object_type"))
    for name, value in (("method", method), ("route", route), ("object_type", object_type)):
        if value is not None and (not isinstance(value, str) or not value):
            raise UsageError(f"{name}={value!r}: it is a text.")
    if method is not None and method != method.upper():
        raise UsageError(f"method={method!r}: HTTP methods are written in capitals, {method.upper()!r}.")
    if object_type is not None and not any(api.object_type(object_type) for api in apis):
        raise UsageError(f"object_type={object_type!r}: the local portal has no such object type.")
    if route is not None:
        _check_route(route, apis)
    _whole("times", where.get("times"), least=1, none=True)
    _whole("after", where.get("after", 0), least=0)
    _whole("seed", where.get("seed", 0), least=0)
    probability = where.get("probability", 1.0)
    if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 < probability <= 1:
        raise UsageError(f"probability={probability!r}: it is more than 0 and at most 1.")
    if not isinstance(where.get("seeder", False), bool):
        raise UsageError(f"seeder={where['seeder']!r}: it is true or false.")


def _check_route(route: str, apis: Collection[Api]) -> None:
    templates = [template for api in apis for _, template in api.coverage()]
    if any(fnmatchcase(template, route) for template in templates):
        return
    path = PortalRequest("GET", route)
    if not set("*{") & set(route) and any(api.describe(path).template for api in apis):
        return
    near = nearest(route, templates, cutoff=0.0)
    raise UsageError(
        f"route={route!r} is no emulated route; nearest is {near!r}.",
        remedy="A pattern such as '*/batch/create' takes all versions of a route.",
    )


def is_on(route: str, request: PortalRequest, described: Described) -> bool:
    """Return whether a request is on a route, by its template or its path."""
    path = "/" + "/".join(request.segments)
    return any(fnmatchcase(text, route) for text in (described.template, path) if text is not None)


def _whole(name: str, value: Any, *, least: int, none: bool = False) -> None:
    if value is None and none:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        also = ", or None" if none else ""
        raise UsageError(f"{name}={value!r}: it is a whole number of {least} or more{also}.")
