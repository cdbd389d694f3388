"""What Pipedrive's API can do, and what it asks for, as values."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_crmseed.providers.base import Capabilities, Credential, Price, Rate

KEY = "crmseed_key"
"""The name of the custom field for our unique key; its code is another one in each company."""

API_VERSIONS = ("v2",)

API_TOKEN = "PIPEDRIVE_API_TOKEN"
COMPANY_DOMAIN = "PIPEDRIVE_COMPANY_DOMAIN"

CREDENTIALS = (
    Credential(API_TOKEN, secret=True, meaning="a user's personal API token"),
    Credential(COMPANY_DOMAIN, secret=False, meaning="the company's domain, as acme-sandbox"),
)

SANDBOX_SUFFIX = "-sandbox"
"""How the domains of developer sandboxes end by custom; Pipedrive promises it nowhere."""

# Pipedrive docs, "Rate limiting": what each operation takes of the day's tokens.
V2 = Price(create=5, delete=3, read=1, page=10)
V1 = Price(create=10, delete=6, read=2, page=20)

PRICES: Mapping[str, Price] = {
    **dict.fromkeys(("companies", "contacts", "deals", "products", "tasks", "calls", "meetings"), V2),
    # A single product of a deal cannot be read: it takes the list of them.
    "line_items": Price(create=5, delete=3, read=10, page=10),
    **dict.fromkeys(("leads", "notes"), V1),
}

BURST, SEARCH, DAILY = "burst", "search", "daily"
BUCKETS = (BURST, DAILY)
BURST_SECONDS = 2.0

# Pipedrive docs, "Rate limiting": the figures are those of the lowest plan with one seat; the answers'
# headers say what this company really has. No page gives a limit on a body's size, or says when a request
# that was cut off is over: batch_bytes and settle_seconds are cautious choices of ours.
CAPABILITIES = Capabilities(
    batch_records=1,
    batch_bytes=1_000_000,
    delete_records=1,
    read_records=100,
    in_flight=4,
    settle_seconds=5.0,
    rates=(
        Rate(BURST, 20, BURST_SECONDS),
        Rate(SEARCH, 10, BURST_SECONDS),
        Rate(DAILY, 30_000, 86_400.0, per="portal"),
    ),
    read_records_of={"leads": 1, "notes": 1},
    find_records=100_000,
    page_records=500,
    prices=PRICES,
    unique_keys=False,
    id_within={"line_items": "deals"},
    no_key_field=frozenset({"leads", "line_items", "notes", "tasks", "calls", "meetings"}),
)
