"""The paths of records, searches and associations between records.

Three generations of paths answer over one store: legacy (v3, v4), version last
(``/crm/objects/v3``), and dated.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_crmseed.portal.hubspot import (
    association_routes,
    batches,
    legacy_associations,
    merge,
    objects,
    search,
)
from pytest_crmseed.portal.hubspot.routing import Entry, Family, of_links, of_records, prefixes

_OBJECTS: Sequence[Entry] = (
    ("GET", "", objects.list_records, of_records("read"), False),
    ("POST", "", objects.create, of_records("write"), True),
    ("GET", "/{id}", objects.read, of_records("read"), False),
    ("PATCH", "/{id}", objects.update, of_records("write"), True),
    ("DELETE", "/{id}", objects.archive, of_records("write"), False),
    ("POST", "/batch/create", batches.create, of_records("write"), True),
    ("POST", "/batch/read", batches.read, of_records("read"), False),
    ("POST", "/batch/update", batches.update, of_records("write"), True),
    ("POST", "/batch/upsert", batches.upsert, of_records("write"), True),
    ("POST", "/batch/archive", batches.archive, of_records("write"), False),
    ("POST", "/search", search.search, of_records("read"), False),
    ("POST", "/merge", merge.merge, of_records("write"), True),
    ("POST", "/gdpr-delete", merge.gdpr_delete, of_records("write"), False),
)

_LINK_BATCHES: Sequence[Entry] = (
    ("POST", "/batch/create", association_routes.batch_create, of_links("write"), True),
    ("POST", "/batch/associate/default", association_routes.batch_default, of_links("write"), True),
    ("POST", "/batch/read", association_routes.batch_read, of_links("read"), False),
    ("POST", "/batch/archive", association_routes.batch_archive, of_links("write"), False),
    ("POST", "/batch/labels/archive", association_routes.batch_labels_archive, of_links("write"), False),
)

_LEGACY_LINKS: Sequence[Entry] = (
    ("POST", "/batch/create", legacy_associations.batch_create, of_links("write"), True),
    ("POST", "/batch/read", legacy_associations.batch_read, of_links("read"), False),
    ("POST", "/batch/archive", legacy_associations.batch_archive, of_links("write"), False),
    ("GET", "/types", legacy_associations.types, of_links("read"), False),
)

_LINKS: Sequence[Entry] = (
    ("GET", "/{to}", association_routes.read, of_links("read"), False),
    ("PUT", "/{to}/{to_id}", association_routes.put, of_links("write"), True),
    ("DELETE", "/{to}/{to_id}", association_routes.delete, of_links("write"), False),
    ("PUT", "/default/{to}/{to_id}", association_routes.put_default, of_links("write"), True),
)

FAMILIES: Sequence[Family] = (
    (
        _OBJECTS,
        {"/crm/objects/v3/{type}": "v3", **prefixes("/crm/v3/objects/{type}", "/crm/objects/{}/{type}")},
    ),
    (
        _LINK_BATCHES,
        prefixes("/crm/v4/associations/{from}/{to}", "/crm/associations/{}/{from}/{to}", "v4"),
    ),
    (_LEGACY_LINKS, {"/crm/v3/associations/{from}/{to}": "v3"}),
    (
        _LINKS,
        prefixes(
            "/crm/v4/objects/{from}/{id}/associations", "/crm/objects/{}/{from}/{id}/associations", "v4"
        ),
    ),
)
