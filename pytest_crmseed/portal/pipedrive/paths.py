"""Which paths are Pipedrive's, and what they lead to."""

from __future__ import annotations

from functools import lru_cache

from pytest_crmseed.portal.message import PortalRequest

_RESOURCES = frozenset(
    {
        "activities",
        "activityFields",
        "activityTypes",
        "billing",
        "boards",
        "callLogs",
        "channels",
        "currencies",
        "dealFields",
        "deals",
        "files",
        "filters",
        "goals",
        "itemSearch",
        "leadFields",
        "leadLabels",
        "leadSources",
        "leads",
        "legacyTeams",
        "mailbox",
        "meetings",
        "noteFields",
        "notes",
        "oauth",
        "organizationFields",
        "organizationRelationships",
        "organizations",
        "permissionSets",
        "personFields",
        "persons",
        "phases",
        "pipelines",
        "productFields",
        "products",
        "projectFields",
        "projectTemplates",
        "projects",
        "recents",
        "roles",
        "stages",
        "tasks",
        "userConnections",
        "userSettings",
        "users",
        "webhooks",
    }
)
"""First segments below a version of Pipedrive's API."""


def claims(request: PortalRequest) -> bool:
    """Return whether a path is one of Pipedrive's."""
    version, segments = located(request)
    return version == "oauth" or (bool(version) and bool(segments) and segments[0] in _RESOURCES)


def is_consent(request: PortalRequest) -> bool:
    """Return whether a path asks a user for consent."""
    return request.segments == ("oauth", "authorize")


def located(request: PortalRequest) -> tuple[str, tuple[str, ...]]:
    """Return the version of a path (``v1``, ``v2``, ``oauth``; empty for none) and what stands below it.

    v2 answers below ``/api/v2`` alone, v1 below ``/v1`` and ``/api/v1``. Double slashes, which clients with
    a slash at the end of their address send, count for one.
    """
    return _located(request.segments)


@lru_cache(maxsize=256)
def _located(segments: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    path = tuple(segment for segment in segments if segment)
    if path[:2] == ("oauth", "token") or path == ("oauth", "authorize"):
        return "oauth", path
    if path[:2] in (("api", "v1"), ("api", "v2")):
        return path[1], path[2:]
    return ("v1", path[1:]) if path[:1] == ("v1",) else ("", path)
