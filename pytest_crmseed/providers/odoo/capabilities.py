"""What Odoo's external API can do, and what it asks for, as values."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_crmseed.providers.base import Capabilities, Credential

KEY = "external_id"
"""What holds our unique key: a record's external id, which is a row of ``ir.model.data`` and no field."""

MODULE = "crmseed"
"""The module of our external ids, one that nobody installs; module and name together are unique."""

JSON_2, JSON_RPC = "json-2", "json-rpc"
API_VERSIONS = (JSON_2, JSON_RPC)
JSON_2_SINCE = 19

URL = "ODOO_URL"
DATABASE = "ODOO_DATABASE"
API_KEY = "ODOO_API_KEY"
LOGIN = "ODOO_LOGIN"

CREDENTIALS = (
    Credential(API_KEY, secret=True, meaning="a user's API key; before Odoo 14, the password"),
    Credential(URL, secret=False, meaning="the server's address, as https://acme-staging.odoo.com"),
    Credential(DATABASE, secret=False, meaning="the name of the database"),
    Credential(LOGIN, secret=False, required=False, meaning="the key's user; needed before Odoo 19"),
)

CONTEXT: Mapping[str, object] = {
    # Refusals are read, and options are named, in English; times go out in UTC.
    "lang": "en_US",
    "tz": "UTC",
    # Nobody gets mail for made-up records, and they come without a log of their making.
    "tracking_disable": True,
    "mail_activity_quick_update": True,
}
"""The context of each call."""

# Odoo limits no requests of signed-in users, and names no largest batch: its docs say to keep a call short.
# A worker that takes longer than 120 seconds is ended (docs, "Command-line interface", --limit-time-real),
# and what it did with it; batch_records is what a small server does in a second or two.
CAPABILITIES = Capabilities(
    batch_records=200,
    batch_bytes=4_000_000,
    delete_records=200,
    read_records=500,
    in_flight=4,
    settle_seconds=5.0,
    rates=(),
    same_fields=True,
    atomic_deletes=True,
)
