"""The paths of definitions (properties, pipelines, labels), of the account and of tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_crmseed.portal.hubspot import (
    account_info,
    label_definitions,
    limits_tracking,
    oauth,
    owners,
    pipelines,
    properties,
    property_groups,
    property_validations,
    schema_routes,
)
from pytest_crmseed.portal.hubspot.routing import (
    DATES,
    Entry,
    Family,
    Handler,
    Route,
    any_of,
    no_scopes,
    of_links,
    prefixes,
    read_any_records,
    read_definitions,
    write_definitions,
)

_PROPERTIES: Sequence[Entry] = (
    ("GET", "", properties.list_definitions, read_definitions, False),
    ("POST", "", properties.create, write_definitions, True),
    ("GET", "/{name}", properties.read, read_definitions, False),
    ("PATCH", "/{name}", properties.update, write_definitions, True),
    ("DELETE", "/{name}", properties.archive, write_definitions, False),
    ("POST", "/batch/read", properties.batch_read, read_definitions, False),
    ("POST", "/batch/create", properties.batch_create, write_definitions, True),
    ("POST", "/batch/archive", properties.batch_archive, write_definitions, False),
    ("GET", "/groups", property_groups.list_groups, read_definitions, False),
    ("POST", "/groups", property_groups.create, write_definitions, True),
    ("GET", "/groups/{group}", property_groups.read, read_definitions, False),
    ("PATCH", "/groups/{group}", property_groups.update, write_definitions, True),
    ("DELETE", "/groups/{group}", property_groups.archive, write_definitions, False),
)

_PIPELINES: Sequence[Entry] = (
    ("GET", "", pipelines.list_pipelines, read_definitions, False),
    ("POST", "", pipelines.create, write_definitions, True),
    ("GET", "/{id}", pipelines.read, read_definitions, False),
    ("PUT", "/{id}", pipelines.replace, write_definitions, True),
    ("PATCH", "/{id}", pipelines.update, write_definitions, True),
    ("DELETE", "/{id}", pipelines.delete, write_definitions, False),
    ("GET", "/{id}/stages", pipelines.list_stages, read_definitions, False),
    ("POST", "/{id}/stages", pipelines.create_stage, write_definitions, True),
    ("GET", "/{id}/stages/{stage}", pipelines.read_stage, read_definitions, False),
    ("PUT", "/{id}/stages/{stage}", pipelines.replace_stage, write_definitions, True),
    ("PATCH", "/{id}/stages/{stage}", pipelines.update_stage, write_definitions, True),
    ("DELETE", "/{id}/stages/{stage}", pipelines.delete_stage, write_definitions, False),
)

_LABELS: Sequence[Entry] = (
    ("GET", "", label_definitions.labels, of_links("read"), False),
    # [unsure] which scopes writing labels needs: those of associations themselves.
    ("POST", "", label_definitions.create, of_links("write"), True),
    ("PUT", "", label_definitions.update, of_links("write"), True),
    ("DELETE", "/{label}", label_definitions.delete, of_links("write"), False),
)

_read_schemas = any_of("crm.schemas.custom.read", "crm.objects.custom.read")
_write_schemas = any_of("crm.schemas.custom.write")

_SCHEMAS: Sequence[Entry] = (
    ("GET", "", schema_routes.list_schemas, _read_schemas, False),
    ("POST", "", schema_routes.create, _write_schemas, True),
    ("GET", "/{type}", schema_routes.read, _read_schemas, False),
    ("PATCH", "/{type}", schema_routes.update, _write_schemas, True),
    ("DELETE", "/{type}", schema_routes.delete, _write_schemas, False),
    ("POST", "/{type}/associations", schema_routes.create_association, _write_schemas, True),
    ("DELETE", "/{type}/associations/{id}", schema_routes.delete_association, _write_schemas, False),
)

_OWNERS: Sequence[Entry] = (
    ("GET", "", owners.list_owners, any_of("crm.objects.owners.read", "automation"), False),
    ("GET", "/{id}", owners.read, any_of("crm.objects.owners.read", "automation"), False),
)

_VALIDATIONS: Sequence[Entry] = (
    ("GET", "", property_validations.list_rules, read_definitions, False),
    ("GET", "/{name}", property_validations.read, read_definitions, False),
    ("GET", "/{name}/rule-type/{rule}", property_validations.read_rule, read_definitions, False),
    ("PUT", "/{name}/rule-type/{rule}", property_validations.put_rule, write_definitions, True),
)

_LIMITS: Sequence[Entry] = (
    ("GET", "/records", limits_tracking.records, read_any_records, False),
    ("GET", "/pipelines", limits_tracking.pipelines, read_any_records, False),
    ("GET", "/custom-properties", limits_tracking.custom_properties, read_any_records, False),
    ("GET", "/calculated-properties", limits_tracking.calculated_properties, read_any_records, False),
    ("GET", "/custom-object-types", limits_tracking.custom_object_types, read_any_records, False),
    ("GET", "/associations/labels", limits_tracking.association_labels, read_any_records, False),
)

_DETAILS: Sequence[Entry] = (("GET", "", account_info.details, no_scopes, False),)
_USAGE: Sequence[Entry] = (("GET", "", account_info.daily_usage, no_scopes, False),)

FAMILIES: Sequence[Family] = (
    (_PROPERTIES, prefixes("/crm/v3/properties/{type}", "/crm/properties/{}/{type}")),
    (_PIPELINES, prefixes("/crm/v3/pipelines/{type}", "/crm/pipelines/{}/{type}")),
    (
        _LABELS,
        {
            "/crm/associations/v4/{from}/{to}/labels": "v4",
            **prefixes(
                "/crm/v4/associations/{from}/{to}/labels", "/crm/associations/{}/{from}/{to}/labels", "v4"
            ),
        },
    ),
    (
        _SCHEMAS,
        {
            # The spelling of older documentation pages.
            "/crm/v3/schemas": "v3",
            **prefixes("/crm-object-schemas/v3/schemas", "/crm-object-schemas/{}/schemas"),
        },
    ),
    (_OWNERS, prefixes("/crm/v3/owners", "/crm/owners/{}")),
    (
        _VALIDATIONS,
        prefixes("/crm/v3/property-validations/{type}", "/crm/property-validations/{}/{type}"),
    ),
    (_LIMITS, prefixes("/crm/v3/limits", "/crm/limits/{}")),
    (_DETAILS, prefixes("/account-info/v3/details", "/account-info/{}/details")),
    (
        _USAGE,
        prefixes(
            "/account-info/v3/api-usage/daily/private-apps", "/account-info/{}/api-usage/daily/private-apps"
        ),
    ),
)

_TOKENS: Mapping[str, Sequence[tuple[str, str, Handler]]] = {
    "v1": (
        ("POST", "/token", oauth.token),
        ("GET", "/access-tokens/{token}", oauth.access_token),
        ("GET", "/refresh-tokens/{token}", oauth.refresh_token),
        ("DELETE", "/refresh-tokens/{token}", oauth.delete_refresh_token),
    ),
    "v2": (("POST", "/private-apps/get/access-token-info", account_info.token_info),),
    **{
        version: (
            ("POST", "/token", oauth.token),
            ("POST", "/token/introspect", oauth.introspect),
            ("POST", "/token/revoke", oauth.revoke),
        )
        for version in ("v3", *DATES[1:])
    },
}

OPEN: Sequence[Route] = (
    Route("GET", "/oauth/authorize", oauth.authorize, "v1", no_scopes, open=True),
    *(
        Route(method, f"/oauth/{version}{path}", handler, version, no_scopes, open=True)
        for version, routes in _TOKENS.items()
        for method, path, handler in routes
    ),
)
"""Routes that are answered without a token in the header."""
