"""Which org this is, and whether it is surely no production org.

Source: Salesforce docs, "Object Reference", Organization; rows recorded from real orgs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_crmseed.errors import NotAPortal
from pytest_crmseed.providers.base import Account, Answer, Exchange
from pytest_crmseed.providers.salesforce import soql

_STATEMENT = (
    "SELECT Id, Name, IsSandbox, OrganizationType, TrialExpirationDate, InstanceName, NamespacePrefix "
    "FROM Organization LIMIT 1"
)

Usage = Callable[[Answer], tuple[int, int] | None]


def account_of(version: str, origin: str, usage: Usage) -> Exchange[Account]:
    """Ask for the Organization row.

    Raises:
        NotAPortal: the answer holds none.
    """
    answer = yield soql.query(version, _STATEMENT, "ask for the organization")
    try:
        row = answer.json()["records"][0]
        portal_id = str(row["Id"])
        kind, production = kind_of(row)
    except (KeyError, TypeError, IndexError, ValueError):
        raise NotAPortal(
            "The address answers, but not with a Salesforce organization.",
            remedy="Check SALESFORCE_INSTANCE_URL.",
        ) from None
    limit, left = usage(answer) or (None, None)
    return Account(
        portal_id=portal_id,
        kind=kind,
        production=production,
        daily_limit=limit,
        daily_left=left,
        ui_url=origin,
    )


def kind_of(row: Mapping[str, Any]) -> tuple[str, bool | None]:
    """Return what kind of org a row is of, and whether it is production: None where nothing proves it."""
    sandbox, expires = row["IsSandbox"], row.get("TrialExpirationDate")
    organization_type = str(row.get("OrganizationType") or "")
    if not isinstance(sandbox, bool):
        raise TypeError("IsSandbox is no boolean")
    if sandbox:
        return ("scratch org" if expires else "sandbox"), False
    if organization_type == "Developer Edition":
        return organization_type, False
    if expires:
        return f"{organization_type} trial", None
    return organization_type or "production", True
