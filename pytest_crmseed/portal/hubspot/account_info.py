"""Who the account is, what it has used, what a token may do."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pytest_crmseed.portal.hubspot import bodies, errors
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.instants import iso
from pytest_crmseed.portal.hubspot.limits import zone
from pytest_crmseed.portal.hubspot.render import UI_HOST
from pytest_crmseed.portal.message import PortalResponse

# When the account was made, in epoch milliseconds; any moment before its first record will do.
_CREATED = 1_593_532_657_247


def details(call: Call) -> PortalResponse:
    """Answer the account's identity, with the type that tells a sandbox from production."""
    behaviour = call.account.behaviour
    here = datetime.fromtimestamp(call.account.now(), zone(behaviour.time_zone))
    offset = here.utcoffset() or timedelta()
    sign = "-" if offset < timedelta() else "+"
    minutes = abs(offset) // timedelta(minutes=1)
    # Told from 2026-09 on.
    newer = {"portalName": behaviour.portal_name, "createdAt": _CREATED} if call.since_2026_09 else {}
    return PortalResponse.of(
        200,
        {
            "portalId": behaviour.portal_id,
            "accountType": behaviour.account_type,
            "timeZone": behaviour.time_zone,
            "companyCurrency": behaviour.currency,
            "additionalCurrencies": [],
            "utcOffset": f"{sign}{minutes // 60:02}:{minutes % 60:02}",
            "utcOffsetMilliseconds": offset // timedelta(milliseconds=1),
            "uiDomain": urlsplit(UI_HOST).hostname,
            "dataHostingLocation": "na1",
            **newer,
        },
    )


def daily_usage(call: Call) -> PortalResponse:
    """Answer the daily figure of all private apps together."""
    limits = call.account.limits
    return PortalResponse.of(
        200,
        {
            "results": [
                {
                    "name": "private-apps-api-calls-daily",
                    "usageLimit": call.account.behaviour.daily_limit,
                    "currentUsage": limits.used_today,
                    "collectedAt": iso(call.account.now()),
                    "fetchStatus": "SUCCESS",
                    "resetsAt": iso(limits.resets_at().timestamp()),
                }
            ]
        },
    )


def token_info(call: Call) -> PortalResponse:
    """Answer a token's account, app and scopes. The token in the body is all that signs this call in."""
    body = bodies.as_object(call.json, "AccessTokenInfoRequest")
    bodies.required(body, "tokenKey")
    token = call.account.tokens.find(bodies.as_text(body["tokenKey"]))
    if token is None:
        raise errors.unauthorized()  # [unsure] of the answer for a token that is not known
    return PortalResponse.of(
        200,
        {
            "userId": 1,
            "hubId": call.account.behaviour.portal_id,
            "appId": token.app_id,
            "scopes": sorted(token.scopes | {"oauth"}),
            "isUserToken": False,
        },
    )
