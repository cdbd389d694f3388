"""Which paths are emulated."""

from __future__ import annotations

from pytest_crmseed.portal.salesforce import (
    collections,
    composite,
    org_routes,
    picklist_routes,
    query_routes,
    record_routes,
    tooling_routes,
    tree,
)
from pytest_crmseed.portal.salesforce.routing import Route, Table

ROUTES: tuple[Route, ...] = (
    *org_routes.ROUTES,
    *picklist_routes.ROUTES,
    *record_routes.ROUTES,
    *tooling_routes.ROUTES,
    *query_routes.ROUTES,
    *collections.ROUTES,
    *composite.ROUTES,
    *tree.ROUTES,
)
"""All routes below a version."""


def table() -> Table:
    """Return the routes, ready to be looked up."""
    return Table(ROUTES)
