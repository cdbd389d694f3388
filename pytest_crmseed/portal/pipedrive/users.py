"""Users and the company (Pipedrive docs, "Users"), and small look-ups of v1."""

from __future__ import annotations

from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import errors
from pytest_crmseed.portal.pipedrive.behaviour import PipedriveUser
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.company import Company
from pytest_crmseed.portal.pipedrive.currencies import CURRENCIES

_PERMISSION_SETS = {
    "sales": "62cc4d7f-4038-4352-abf3-a8c1c822b631",
    "global": "233b7976-39bd-43a9-b305-ef3a2b0998e5",
    "account_settings": "982c5ce5-b8ba-4b47-b102-9da024f4b990",
}
_REGULAR = "f07d229d-088a-4144-a40f-1fe64295d180"
_SINCE = "2026-01-01 08:00:00"


def me(call: Call) -> PortalResponse:
    """Answer the user whom the token is of, with the company."""
    company = call.company
    own = company.behaviour
    data = _user(company, company.user) | {
        "company_id": own.company_id,
        "company_name": own.company_name,
        "company_domain": own.company_domain,
        "company_country": own.country,
        "company_industry": "IT Services",
        "language": {"language_code": "en", "country_code": "US"},
    }
    return call.answer(data)


def get(call: Call) -> PortalResponse:
    """Answer a user."""
    user = call.company.find_user(call.id)
    if user is None:
        raise _no_user()
    return call.answer(_user(call.company, user))


def _no_user() -> errors.ApiError:
    error = "User not found or not accessible."
    return errors.ApiError(404, error, body={"success": False, "error": error})


def listed(call: Call) -> PortalResponse:
    """List all users, on one page."""
    company = call.company
    users = company.behaviour.users or (company.user,)
    return call.answer([_user(company, user) for user in users])


def find(call: Call) -> PortalResponse:
    """List the users whose name, or e-mail address, contains a term."""
    term = (call.argument("term") or "").casefold()
    if not term:
        raise errors.bad_request("Search term must be given.")
    by_email = call.flag("search_by_email")
    found = [
        user
        for user in call.company.behaviour.users
        if term in (user.email if by_email else user.name).casefold()
    ]
    return call.answer([_user(call.company, user) for user in found])


def settings(call: Call) -> PortalResponse:
    """Answer the settings of the token's user."""
    return call.answer(
        {
            "marketplace_team": False,
            "list_limit": 100,
            "beta_app": True,
            "prevent_salesphone_callto_override": False,
            "file_upload_destination": "s3",
            "callto_link_syntax": "callto:[number]",
            "autofill_deal_expected_close_date": False,
            "person_duplicate_condition": "name && (org_id || email || phone)",
        }
    )


def currencies(call: Call) -> PortalResponse:
    """List the currencies whose code or name contains a term."""
    term = (call.argument("term") or "").casefold()
    found = [
        currency
        for currency in CURRENCIES.values()
        if term in currency["code"].casefold() or term in currency["name"].casefold()
    ]
    return call.answer(found)


def lead_sources(call: Call) -> PortalResponse:
    """List the sources of leads."""
    names = (
        "Manually created", "Deal", "Web forms", "Prospector", "Leadbooster", "Live chat", "Import",
        "Website visitors", "Workflow automation", "API",
    )  # fmt: skip
    return call.answer([{"name": name} for name in names])


def _user(company: Company, user: PipedriveUser) -> dict[str, Any]:
    # An administrator manages all apps, others have the sales app alone.
    apps = _PERMISSION_SETS if user.admin else {"sales": _REGULAR}
    return {
        "id": user.id,
        "name": user.name,
        "default_currency": company.behaviour.currency,
        "locale": "en_US",
        "lang": 1,
        "email": user.email,
        "phone": None,
        "activated": True,
        "last_login": _SINCE,
        "created": _SINCE,
        "modified": _SINCE,
        "has_created_company": user == company.user,
        "access": [
            {"app": app, "admin": user.admin, "permission_set_id": permissions}
            for app, permissions in apps.items()
        ],
        "active_flag": user.active,
        "timezone_name": "UTC",
        "timezone_offset": "+00:00",
        "role_id": 1,
        "icon_url": None,
        "is_you": user == company.user,
        "is_deleted": False,
    }
