"""The field for our unique key: whether it is there, and how it is made.

Source: Salesforce docs, "Tooling API", CustomField; "Object Reference", FieldPermissions. Only
:func:`make_key` ever changes an org's schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.errors import ApiRefused, PortalError
from pytest_crmseed.providers.base import Effect, Exchange, KeyRoute, Request
from pytest_crmseed.providers.salesforce import soql
from pytest_crmseed.providers.salesforce.capabilities import KEY

# The fields that people define for tasks and events are those of both.
_HOLDERS = {"Task": "Activity", "Event": "Activity"}

_LONGEST_KEY = 100

# Where there is no field for our key, it stands in this one.
_TEXT = "Description"
# Their price book entries and contact roles name them by our key.
_COMPANIONED = frozenset({"Product2", "Opportunity"})


def key_routes(version: str, api_names: Mapping[str, str]) -> Exchange[dict[str, KeyRoute]]:
    """Return the best route to the records of object types, given with their API names.

    Without the field for our key, it stands in the text of the description, where records need no
    companions that name them by the key.
    """
    routes: dict[str, KeyRoute | None] = {}
    for name, api_name in api_names.items():
        if api_name not in routes:
            try:
                fields = yield from _fields(version, api_name, name)
            except ApiRefused as refused:
                if refused.status != 404:
                    raise
                fields = {}
            routes[api_name] = _route(api_name, fields)
    return {name: route for name, api_name in api_names.items() if (route := routes[api_name]) is not None}


def _route(api_name: str, fields: Mapping[str, Mapping[str, Any]]) -> KeyRoute | None:
    if _is_key(fields.get(KEY)):
        return KeyRoute("unique", KEY)
    if api_name in _COMPANIONED:
        return None
    for name, kind in ((KEY, "field"), (_TEXT, "text")):
        if fields.get(name, {}).get("createable"):
            return KeyRoute("field" if kind == "field" else "text", name)
    return None


def make_key(version: str, api_name: str, object_type: str) -> Exchange[None]:
    """Make the field on an object type, unless it is there, and let the user's profile see it.

    Raises:
        PortalError: the org refuses, or does not show the field after all.
    """
    if (yield from _is_there(version, api_name, object_type)):
        return
    holder = _HOLDERS.get(api_name, api_name)
    try:
        yield Request(
            "POST",
            f"{soql.root(version)}/tooling/sobjects/CustomField",
            f"make {KEY} on {holder}",
            Effect.CREATE,
            body={
                "FullName": f"{holder}.{KEY}",
                "Metadata": {
                    "type": "Text",
                    "label": "crmseed key",
                    "description": (
                        "Marks test records made by pytest-crmseed, so that they are found and removed "
                        "again. Records of your own leave it empty."
                    ),
                    "length": _LONGEST_KEY,
                    "externalId": True,
                    "unique": True,
                    "caseSensitive": False,
                },
            },
            buckets=soql.BUCKETS,
        )
    except ApiRefused as refused:
        # It is there, and hidden from this user.
        if not any(refusal.code == "DUPLICATE_DEVELOPER_NAME" for refusal in refused.refusals):
            raise
    if (yield from _is_there(version, api_name, object_type)):
        return
    yield from _grant(version, holder)
    if not (yield from _is_there(version, api_name, object_type)):
        raise PortalError(
            f"{holder}.{KEY} was made, and the user of these credentials does not see it.",
            remedy=(
                f"Give the user's profile or a permission set read and edit access to {holder}.{KEY}; if it "
                "was made by hand, make it a unique external id."
            ),
        )


def _is_there(version: str, api_name: str, object_type: str) -> Exchange[bool]:
    """Look for the field, unique and writable, in the describe."""
    return _is_key((yield from _fields(version, api_name, object_type)).get(KEY))


def _is_key(field: Mapping[str, Any] | None) -> bool:
    return bool(field and field.get("unique") and field.get("externalId") and field.get("createable"))


def _fields(version: str, api_name: str, object_type: str) -> Exchange[dict[str, Mapping[str, Any]]]:
    path = f"{soql.root(version)}/sobjects/{api_name}/describe"
    request = Request("GET", path, f"look for {KEY} of {object_type}", Effect.READ, buckets=soql.BUCKETS)
    described: Any = (yield request).json()
    return {str(field.get("name")): field for field in described.get("fields") or ()}


def _grant(version: str, holder: str) -> Exchange[None]:
    """Let the profile of the user of these credentials read and edit the field."""
    request = Request(
        "GET", "/services/oauth2/userinfo", "ask for the user", Effect.READ, buckets=soql.BUCKETS
    )
    user: Any = (yield request).json()
    owned = (
        "SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = true AND ProfileId IN "
        f"(SELECT ProfileId FROM User WHERE Id = {soql.text(str(user.get('user_id') or ''))})"
    )
    rows = yield from soql.rows(version, owned, "ask for the profile's permissions")
    if not rows:
        return
    yield Request(
        "POST",
        f"{soql.root(version)}/sobjects/FieldPermissions",
        f"let the user's profile see {holder}.{KEY}",
        Effect.CREATE,
        body={
            "ParentId": str(rows[0]["Id"]),
            "SobjectType": holder,
            "Field": f"{holder}.{KEY}",
            "PermissionsRead": True,
            "PermissionsEdit": True,
        },
        buckets=soql.BUCKETS,
    )
