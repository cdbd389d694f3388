"""Refuse before anything is written: wrong portal, production, missing rights, plans too large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_crmseed.errors import GuardRefused
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.schedule import Cost
from pytest_crmseed.providers.base import Account, KeyRoute


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings allow: the pinned portal, a production portal, the largest plan."""

    portal: str | None = None
    allow_production: str | None = None
    max_records: int = 10_000


@dataclass(frozen=True, slots=True)
class Demand:
    """What is about to be asked of a portal: object types, the largest plan's records, all requests."""

    object_types: Sequence[str]
    largest_plan: int
    cost: Cost


def check_account(account: Account, limits: Limits, *, title: str, writing: bool = True) -> None:
    """Check that this is the portal that is meant, and that it is surely no production portal.

    Without ``writing``, a production portal will do: nothing is made or changed there.

    Raises:
        GuardRefused: it is not (``guard`` is ``"pin"`` or ``"production"``).
    """
    if limits.portal is not None and account.portal_id != limits.portal:
        raise GuardRefused(
            "pin",
            f"The credentials lead to {title} portal {account.portal_id}, and --crm-portal pins "
            f"{limits.portal}. Nothing was written.",
            remedy="Use the credentials of the pinned portal, or correct the pin.",
        )
    if not writing or account.production is False:
        return
    if account.sandbox_name is not None:
        _check_named(account, limits, title)
        return
    if limits.allow_production == account.portal_id:
        return
    if account.production:
        what = f"is a production portal (account type {account.kind})"
    else:
        what = "cannot be proven to be a sandbox"
    raise GuardRefused(
        "production",
        f"{title} portal {account.portal_id} {what}. Nothing was written.",
        remedy=(
            "Use a sandbox or a developer test account; or allow exactly this portal with "
            f"--crm-allow-production {account.portal_id}."
        ),
    )


def _check_named(account: Account, limits: Limits, title: str) -> None:
    """Check a portal of which only the name tells what it is: it takes a pin, and a name or a permission."""
    if limits.portal is None:
        raise GuardRefused(
            "production",
            f"{title} portal {account.portal_id} cannot be proven to be a sandbox. Nothing was written.",
            remedy=(
                f"If it is the one that is meant, pin it with --crm-portal {account.portal_id}"
                + (
                    "."
                    if account.sandbox_name
                    else f", and allow it with --crm-allow-production {account.portal_id}."
                )
            ),
        )
    if account.sandbox_name or limits.allow_production == account.portal_id:
        return
    raise GuardRefused(
        "production",
        f"{title} portal {account.portal_id} is not called as sandboxes are, and nothing else could prove "
        "that it is one. Nothing was written.",
        remedy=(
            f"Use a sandbox; or allow exactly this portal with --crm-allow-production {account.portal_id}."
        ),
    )


def check_plan_size(records: int, limits: Limits) -> None:
    """Check a plan against ``--crm-max-records``.

    Raises:
        GuardRefused: it is larger (``guard`` is ``"plan size"``).
    """
    if records > limits.max_records:
        raise GuardRefused(
            "plan size",
            f"The plan has {records:,} records, more than --crm-max-records allows ({limits.max_records:,}). "
            "Nothing was written.",
            remedy="Ask for fewer, or raise the limit if you mean it.",
        )


def check_demand(account: Account, demand: Demand, scopes: Mapping[str, tuple[frozenset[str], ...]]) -> None:
    """Check the token's scopes and the day's quota against what is about to be asked.

    Raises:
        GuardRefused: a scope is missing, or the quota is too small (``guard`` is ``"scopes"`` or
            ``"quota"``).
    """
    if account.scopes is not None:
        lacking = []
        for object_type in demand.object_types:
            for alternatives in scopes.get(object_type, ()):
                if not alternatives & account.scopes:
                    lacking.append(f"{' or '.join(sorted(alternatives))} (for {object_type})")
        if lacking:
            raise GuardRefused(
                "scopes",
                f"The token of portal {account.portal_id} lacks {', '.join(lacking)}. Nothing was written.",
                remedy="Add the scopes to the app that issued the token, and use its new token.",
            )
    tokens = demand.cost.tokens
    needed = tokens or demand.cost.requests
    if account.daily_left is not None and needed > account.daily_left:
        what = f"{needed:,} tokens of the daily budget" if tokens else f"{needed:,} requests"
        raise GuardRefused(
            "quota",
            f"All seeds together take at least {what}, and portal "
            f"{account.portal_id} has {account.daily_left:,} left{_of_its(account.daily_limit)} for today. "
            "Nothing was written.",
            remedy="Ask for fewer records (--crm-count 1 makes one of each), or wait until the quota resets.",
        )


def check_unique_keys(
    connection: Connection, account: Account, object_types: Sequence[str]
) -> Mapping[str, KeyRoute]:
    """Return the routes by which records of these object types are found again, each has one.

    Raises:
        GuardRefused: an object type has none (``guard`` is ``"unique key"``).
    """
    routes = connection.run(connection.provider.key_routes(object_types))
    missing = [name for name in object_types if name not in routes]
    if missing:
        field = connection.provider.legend.key_field
        raise GuardRefused(
            "unique key",
            f"Portal {account.portal_id} has no unique text field {field!r} for {', '.join(missing)}, and "
            "nothing else by which their records could be told from others after a crash. Nothing was "
            "written.",
            remedy=(
                f"Make it with `crmseed setup {' '.join(missing)}` and a token that may write schemas, or "
                f"create {field} (text, unique values) for these object types in the portal's settings."
            ),
        )
    return routes


def _of_its(daily_limit: int | None) -> str:
    return "" if daily_limit is None else f" of its {daily_limit:,}"
