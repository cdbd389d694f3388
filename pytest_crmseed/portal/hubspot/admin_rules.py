"""What the portal's administrator requires of records.

HubSpot changelog, "CRM API write validation enforcement": versions before 2026-09 pass over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.portal.hubspot.errors import ApiError
from pytest_crmseed.schema.model import ObjectType


def check(
    account: Account, object_type: ObjectType, held: Mapping[str, str], before: Mapping[str, str]
) -> None:
    """Check the values that a record is going to hold; ``before`` are those it held, none when it is new.

    Raises:
        ApiError: required properties have no value; all of them are told.
    """
    problems: list[Mapping[str, Any]] = []
    if not before:
        problems += [
            _problem("MISSING_REQUIRED_PROPERTY", f"A value for {name} must be provided", name)
            for name in _required(account, object_type)
            if not held.get(name)
        ]
    for rule in account.behaviour.conditional_rules:
        if rule.object_type != object_type.name or held.get(rule.when) not in rule.values:
            continue
        text = f"is required because of a conditional property rule based on [{rule.when}]"
        problems += [
            _problem("MISSING_CONDITIONAL_REQUIRED_PROPERTY", f"{name} {text}", name)
            for name in rule.required
            if not held.get(name)
        ]
    if problems:
        message = "The property values provided are invalid"
        raise ApiError(400, message, "VALIDATION_ERROR", errors=problems)


def _required(account: Account, object_type: ObjectType) -> list[str]:
    by_schema = (field.name for field in object_type.fields.values() if field.admin_required)
    return list(dict.fromkeys((*by_schema, *account.behaviour.required_by_admin.get(object_type.name, ()))))


def _problem(code: str, message: str, name: str) -> Mapping[str, Any]:
    return {"code": code, "message": message, "context": {"propertyName": [name]}}
