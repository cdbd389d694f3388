"""Every switch of the local portal, and every point where the vendor's behaviour is not certain."""

from __future__ import annotations

from dataclasses import dataclass

BURST_LIMIT = 190
"""Requests per rolling window and app, for Professional and Enterprise accounts, of which a
developer test account is one (HubSpot docs, "API usage guidelines and limits")."""

BURST_SECONDS = 10.0
"""The rolling window's length in seconds."""


@dataclass
class Behaviour:
    """How the local portal behaves; change a value at any time.

    The first block is the account, the second what HubSpot leaves open and a client must therefore
    cope with either way, the third what is plausible but not confirmed ([unsure]).
    """

    account_type: str = "DEVELOPER_TEST"
    """``APP_DEVELOPER``, ``DEVELOPER_TEST``, ``SANDBOX`` or ``STANDARD`` (production)."""
    portal_id: int = 47010001
    time_zone: str = "UTC"
    currency: str = "USD"
    daily_limit: int = 1_000_000
    """Requests per day and account, over all its apps; it starts anew at the account's midnight."""
    owner_ids: tuple[str, ...] = ("70000001",)
    """The owners that ``hubspot_owner_id`` may name."""
    set_up: bool = True
    """Whether every object type has the unique property ``crmseed_key``."""

    shuffle_results: bool = False
    """Answer batch results in another order than the inputs."""
    echo_trace_id: bool = True
    """Repeat ``objectWriteTraceId`` in the results that have succeeded."""
    retry_after_on_429: bool = False
    """Send ``Retry-After`` with a 429, which HubSpot does not document."""
    search_lag: float = 0.0
    """Seconds by which search trails behind writes; everything else is immediate."""
    search_limit: int = 5
    """Searches per second and account; no other limit counts them."""
    email_clash_as_race: bool = False
    """Refuse a contact whose address is taken with the 400 that two creates at once get, not with the 409."""
    companies_from_email_domains: bool = False
    """Make or link the company of a contact's e-mail domain, as the setting "Create and associate
    companies with contacts" does."""
    email_domains_without_company: tuple[str, ...] = ()
    """Domains that this setting leaves alone, beside those of free mail providers."""
    lifecycle_sync: bool = False
    """Move ``lifecyclestage`` along: with a deal to ``opportunity``, with a won one to ``customer``, and
    contacts with their primary company."""
    primary_company_for_deals: bool = False
    """Link a deal that is linked to a contact to the contact's primary company as well."""
    read_only_stages: tuple[str, ...] = ()
    """Ids of stages that the API can neither move a record into nor out of."""

    default_pipeline_when_missing: bool = True
    """[unsure] Take the default pipeline for a deal that names none, instead of refusing it."""
    both_directions_in_default_associations: bool = False
    """[unsure] List the way back as well in the answers of the default association calls."""
    archived_values_stay_unique: bool = False
    """[unsure] Let archived records hold their unique values; e-mail addresses are free in any case."""
    archiving_unknown_ids_fails: bool = False
    """[unsure] Answer 404 when a single record to be archived does not exist, instead of 204."""
    lifecycle_moves_forward_only: bool = True
    """Leave ``lifecyclestage`` as it is when an update would move it back (HubSpot docs, "Contacts
    guide"); that such an update is no error is [unsure]."""
    merge_makes_new_id: bool = False
    """[unsure] Give a merged record a new id, instead of the primary record's."""
    merged_ids_vanish_from_batch_updates: bool = False
    """Leave a record that a batch update names by a merged id out of the results, without an error, as
    it was seen on a live portal."""
    negative_filters_match_empty: bool = False
    """[unsure] Let NEQ, NOT_IN and NOT_CONTAINS_TOKEN find records without a value as well."""
