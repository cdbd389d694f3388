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

    default_pipeline_when_missing: bool = True
    """[unsure] Take the default pipeline for a deal that names none, instead of refusing it."""
    both_directions_in_default_associations: bool = False
    """[unsure] List the way back as well in the answers of the default association calls."""
