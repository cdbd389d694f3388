"""What HubSpot's API can do, and what it asks for, as values."""

from __future__ import annotations

from pytest_crmseed.providers.base import Capabilities, Credential, Rate

# The key every record of ours carries; a unique text property of each object type.
KEY = "crmseed_key"

# HubSpot docs, "Using object APIs" and "API usage guidelines and limits". The figures are those of
# free accounts; the answers' headers say what this portal really allows. No page gives a limit on a
# body's size, or says when a request that was cut off is over: batch_bytes and settle_seconds are
# cautious choices of ours.
CAPABILITIES = Capabilities(
    batch_records=100,
    batch_bytes=1_000_000,
    delete_records=100,
    read_records=100,
    in_flight=4,
    settle_seconds=5.0,
    rates=(
        Rate("burst", 100, 10.0),
        Rate("daily", 250_000, 86_400.0, per="portal"),
        Rate("search", 5, 1.0, per="portal"),
    ),
)

CREDENTIALS = (
    Credential(
        "HUBSPOT_ACCESS_TOKEN",
        secret=True,
        meaning="a private app's token, a service key, or an OAuth access token",
    ),
)

API_HOST = "https://api.hubapi.com"

# HubSpot docs, "Versioning": the default first; v3 is the last one without a date. From 2026-09 on, what
# the portal's administrator made required on create is enforced, and dates are normalised (changelog, "CRM
# API write validation enforcement").
API_VERSIONS = ("2026-03", "2026-09", "v3")

# HubSpot docs, "Account types": the only kinds that are surely not production.
TEST_ACCOUNTS = frozenset({"SANDBOX", "DEVELOPER_TEST"})

# HubSpot docs, "Scopes", and the published OpenAPI files. One of each set is needed: to read, to write.
Scopes = tuple[frozenset[str], ...]


def _both(name: str, *others: str) -> Scopes:
    return tuple(frozenset({f"crm.objects.{name}.{access}", *others}) for access in ("read", "write"))


_TICKETS = frozenset({"tickets"})

SCOPES: dict[str, Scopes] = {
    **{name: _both(name) for name in ("companies", "contacts", "deals", "leads", "orders", "quotes")},
    **{name: _both(name, "e-commerce") for name in ("products", "line_items")},
    "tickets": (_TICKETS, _TICKETS),
    # Activities belong to contacts; there are no scopes of their own.
    **{name: _both("contacts") for name in ("notes", "tasks", "calls", "meetings", "emails")},
}

CUSTOM_SCOPES: Scopes = _both("custom")
"""Those of every custom object."""
