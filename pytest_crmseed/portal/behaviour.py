"""Every switch of the local portal, and every point where the vendor's behaviour is not certain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour
from pytest_crmseed.portal.salesforce.behaviour import SalesforceBehaviour

BURST_LIMIT = 190
"""Requests per rolling window and app, for Professional and Enterprise accounts, of which a
developer test account is one (HubSpot docs, "API usage guidelines and limits")."""

BURST_SECONDS = 10.0
"""The rolling window's length in seconds."""


@dataclass(frozen=True)
class Owner:
    """A user or queue that records can be assigned to. ``teams`` are names; the first is the main one."""

    id: str
    email: str
    first_name: str = ""
    last_name: str = ""
    archived: bool = False
    queue: bool = False
    teams: tuple[str, ...] = ()


OWNERS = (
    Owner("70000001", "olive.owner@example.com", "Olive", "Owner", teams=("Sales",)),
    Owner("70000002", "sam.seller@example.com", "Sam", "Seller"),
    Owner("70000003", "gina.gone@example.com", "Gina", "Gone", archived=True),
)


@dataclass(frozen=True)
class ConditionalRule:
    """A rule of the portal's administrator: records whose ``when`` is one of ``values`` need ``required``."""

    object_type: str
    when: str
    values: tuple[str, ...]
    required: tuple[str, ...]


@dataclass
class Behaviour:
    """How the local portal behaves; change a value at any time.

    The first block is the account, the second what HubSpot leaves open and a client must therefore
    cope with either way, the third what is plausible but not confirmed ([unsure]).
    """

    account_type: str = "DEVELOPER_TEST"
    """``APP_DEVELOPER``, ``DEVELOPER_TEST``, ``SANDBOX`` or ``STANDARD`` (production)."""
    portal_id: int = 47010001
    portal_name: str = "Local portal"
    time_zone: str = "UTC"
    currency: str = "USD"
    daily_limit: int = 1_000_000
    """Requests per day and account, over all its apps; it starts anew at the account's midnight."""
    owners: tuple[Owner, ...] = OWNERS
    """The owners that ``hubspot_owner_id`` may name, and those that were deactivated."""
    oauth_client_id: str | None = None
    """The client id that OAuth takes; None takes any."""
    oauth_client_secret: str | None = None
    """The client secret that OAuth takes; None takes any."""
    oauth_token_seconds: int = 1_800
    """[unsure] How long an OAuth access token lasts; so it is typically."""
    set_up: bool = True
    """Whether every object type has the unique property ``crmseed_key`` (Salesforce: ``crmseed_key__c``)."""

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

    required_by_admin: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Properties without which the administrator lets no record be created, by object type; versions before
    2026-09 pass over that (HubSpot changelog, "CRM API write validation enforcement")."""
    conditional_rules: tuple[ConditionalRule, ...] = ()
    """What the administrator requires of records with certain values; versions before 2026-09 pass
    over that."""
    definition_lag: float = 0.0
    """Seconds after which a new property's definition can be read; on live portals 0.25 to 0.7 were
    measured. Records can have the property at once [unsure]."""
    old_versions_pass_over_rules: bool = False
    """[unsure] Let versions before 2026-09 take values that a property's validation rules refuse."""
    beta_versions: bool = True
    """[unsure] Answer paths of beta versions as those of the versions they became."""

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

    salesforce: SalesforceBehaviour = field(default_factory=SalesforceBehaviour)
    """The switches of the Salesforce org."""

    pipedrive: PipedriveBehaviour = field(default_factory=PipedriveBehaviour)
    """The switches of the Pipedrive company."""
