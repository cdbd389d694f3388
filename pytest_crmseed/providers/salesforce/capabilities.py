"""What Salesforce's API can do, and what it asks for, as values."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_crmseed.providers.base import Capabilities, Credential, Rate

# The key every record of ours carries: a unique external id of each object type.
KEY = "crmseed_key__c"

# The default first. 53.0 is the first version that has all we use (collections in composite requests,
# the duplicate rule header); 41.0 to 68.0 are supported (Salesforce docs, "API End-of-Life Policy").
API_VERSIONS = tuple(f"{number}.0" for number in (66, 68, 67, *range(65, 52, -1)))

# Salesforce docs, "Create Multiple Records with Fewer Round-Trips": 200 records a call. There are no limits
# by the second; those by the day are the org's own, and every answer tells them. No page gives a limit on a
# body's size, or says when a request that was cut off is over (it may run for ten minutes): batch_bytes and
# settle_seconds are cautious choices of ours.
CAPABILITIES = Capabilities(
    batch_records=200,
    batch_bytes=4_000_000,
    delete_records=200,
    read_records=200,
    in_flight=4,
    settle_seconds=10.0,
    rates=(Rate("daily", 15_000, 86_400.0, per="portal"),),
)

INSTANCE_URL = "SALESFORCE_INSTANCE_URL"
ACCESS_TOKEN = "SALESFORCE_ACCESS_TOKEN"
REFRESH_TOKEN = "SALESFORCE_REFRESH_TOKEN"
CLIENT_ID = "SALESFORCE_CLIENT_ID"
CLIENT_SECRET = "SALESFORCE_CLIENT_SECRET"
USERNAME = "SALESFORCE_USERNAME"
PRIVATE_KEY = "SALESFORCE_PRIVATE_KEY"
AUDIENCE = "SALESFORCE_AUDIENCE"

CREDENTIALS = (
    Credential(INSTANCE_URL, secret=False, meaning="the org's My Domain, as https://name.my.salesforce.com"),
    Credential(ACCESS_TOKEN, secret=True, required=False, meaning="a session's access token"),
    Credential(REFRESH_TOKEN, secret=True, required=False, meaning="a refresh token, with the client id"),
    Credential(CLIENT_SECRET, secret=True, required=False, meaning="the connected app's consumer secret"),
    Credential(PRIVATE_KEY, secret=True, required=False, meaning="the JWT flow's private key, as PEM text"),
    Credential(CLIENT_ID, secret=False, required=False, meaning="the connected app's consumer key"),
    Credential(USERNAME, secret=False, required=False, meaning="the user of the JWT flow"),
    Credential(AUDIENCE, secret=False, required=False, meaning="the JWT's audience, if not the usual one"),
)

WRITING_HEADERS: Mapping[str, str] = {
    # Made-up people resemble each other, and a rule that only alerts lets them in (docs, "Duplicate Rule
    # Header").
    "Sforce-Duplicate-Rule-Header": "allowSave=true",
    # No assignment rules: they would give records to people, and mail them (docs, "Assignment Rule Header").
    "Sforce-Auto-Assign": "false",
}
"""Headers of every request that makes records."""

MASTER_RECORD_TYPE = "012000000000000AAA"
"""The id, the same in every org, of the record type that stands for none."""
