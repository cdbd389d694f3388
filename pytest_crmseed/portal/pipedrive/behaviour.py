"""The switches of the local portal's Pipedrive company, and the points where its behaviour is not certain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Plan = Literal["lite", "growth", "premium", "ultimate"]

ALL_SCOPES = (
    "base",
    "deals:full",
    "contacts:full",
    "leads:full",
    "activities:full",
    "products:full",
    "search:read",
    "users:read",
    "deal-fields:full",
    "contact-fields:full",
    "product-fields:full",
    "admin",
)
"""The scopes that what is emulated needs (Pipedrive docs, "Scopes and permissions explanations")."""

BURSTS = {"lite": 20, "growth": 40, "premium": 100, "ultimate": 120}
"""Requests of an API token in 2 rolling seconds; of an OAuth token four times as many (Pipedrive docs,
"Rate limiting")."""

MULTIPLIERS = {"lite": 1, "growth": 2, "premium": 5, "ultimate": 7}
"""What 30,000 tokens and the number of seats are multiplied by, for the daily budget."""


@dataclass(frozen=True)
class PipedriveUser:
    """A user of the company."""

    id: int
    name: str
    email: str
    admin: bool = True
    active: bool = True


PIPEDRIVE_USERS = (
    PipedriveUser(14700001, "Olive Owner", "olive.owner@example.com"),
    PipedriveUser(14700002, "Sam Seller", "sam.seller@example.com", admin=False),
    PipedriveUser(14700003, "Gina Gone", "gina.gone@example.com", admin=False, active=False),
)


@dataclass
class PipedriveBehaviour:
    """How the local portal's Pipedrive company behaves; change a value at any time.

    The first block is the company, the second what is plausible but not confirmed ([unsure]).
    """

    company_id: int = 13470001
    company_domain: str = "local-portal-sandbox"
    company_name: str = "Local portal"
    country: str = "US"
    currency: str = "USD"
    """The default currency of all users."""
    users: tuple[PipedriveUser, ...] = PIPEDRIVE_USERS
    """The users; all tokens are of the first one."""
    plan: Plan = "premium"
    """Decides the burst limit, the daily budget and who may see what."""
    seats: int = 5
    """Paid seats, by which the daily budget grows; a developer sandbox has 5."""
    extra_tokens: int = 0
    """Tokens that were bought on top of the daily budget."""
    daily_budget: int | None = None
    """Tokens per day for the whole company, in place of what plan and seats give."""
    search_burst: int = 10
    """Searches in 2 rolling seconds and token, whatever the plan."""
    deal_probability: bool = False
    """Whether the first pipeline has deal probability turned on."""
    contact_sync: bool = False
    """Whether Contact Sync was set up; without it ``birthday``, ``job_title``, ``notes``, ``im`` and
    ``postal_address`` of persons cannot be written."""
    campaigns: bool = False
    """Whether the company has Campaigns; without it ``marketing_status`` cannot be written."""
    v1_crud: bool = False
    """Serve the operations of v1 that have a twin in v2 and are out of support since 2026-08-01."""
    open_deals_limit: int | None = None
    """How many open deals the plan allows; None has no end."""
    custom_fields_limit: int | None = None
    """How many custom fields the plan allows; None has no end."""
    sample_records: bool = False
    """Whether the company comes with the records of a new account, whose names start with ``[Sample]``."""
    oauth_client_id: str | None = None
    """The client id that OAuth takes; None takes any. On the loopback address a path of consent is
    Pipedrive's when it names this one, else HubSpot's."""
    oauth_client_secret: str | None = None
    """The client secret that OAuth takes; None takes any."""
    oauth_scopes: tuple[str, ...] = ALL_SCOPES
    """The scopes of the apps that sign in by OAuth, as the Developer Hub has them."""
    oauth_token_seconds: int = 3_600
    """How long an OAuth access token lasts."""

    v1_removed_status: int = 410
    """[unsure] What operations of v1 that are out of support answer: 410 or 404."""
    daily_headers: bool = True
    """Send ``x-daily-ratelimit-token-limit`` and ``-remaining``, which is not documented."""
    retry_after_on_burst: bool = False
    """[unsure] Send ``retry-after`` with the 429 of the burst limit as well."""
    flood_limit: int | None = 100
    """[unsure] After how many 429 in a minute a token gets the page of Cloudflare's 403; None is never."""
    flood_seconds: float = 1_500.0
    """[unsure] For how long it then gets it; 20 to 30 minutes were reported."""
    deleted_records_readable: bool = True
    """[unsure] Answer GET of a deleted record with it and ``is_deleted``; else with 404."""
    deleted_records_answer_forbidden: bool = False
    """Refuse edits of deleted records with 403 ``ERR_FORBIDDEN``, in place of 400 ``ERR_DEAL_DELETED``."""
    delete_deleted_status: int = 404
    """[unsure] What a second DELETE answers: 404, 410, or 200."""
    restore_by_patch: bool = False
    """[unsure] Let a deal be restored by PATCH of ``is_deleted`` to false."""
    stages_of_new_pipelines: bool = False
    """[unsure] Give a new pipeline the stages that the first one came with."""
    absent_times: bool = False
    """Leave time fields that have no value out of deals, instead of answering null; both were seen."""

    @property
    def burst(self) -> int:
        """Requests of an API token in 2 rolling seconds."""
        return BURSTS[self.plan]

    @property
    def budget(self) -> int:
        """Tokens per day for the whole company."""
        if self.daily_budget is not None:
            return self.daily_budget
        return 30_000 * MULTIPLIERS[self.plan] * self.seats + self.extra_tokens
