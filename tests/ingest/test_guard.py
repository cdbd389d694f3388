"""The guards' sentences: which one refuses, why, and what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_crmseed.errors import GuardRefused
from pytest_crmseed.ingest.guard import (
    Demand,
    Limits,
    check_account,
    check_demand,
    check_plan_size,
    check_unique_keys,
)
from pytest_crmseed.ingest.schedule import Cost
from pytest_crmseed.portal import Behaviour, LocalPortal
from pytest_crmseed.providers.base import Account, KeyRoute
from pytest_crmseed.schema.model import Schema
from pytest_crmseed.seeder.target import Target

SANDBOX = Account(
    "111", "SANDBOX", production=False, scopes=frozenset({"a.read"}), daily_limit=1000, daily_left=10
)
PRODUCTION = Account("222", "STANDARD", production=True)
UNPROVEN = Account("333", "?", production=None)


def test_a_sandbox_passes_and_so_does_its_pin() -> None:
    check_account(SANDBOX, Limits(), title="HubSpot")
    check_account(SANDBOX, Limits(portal="111"), title="HubSpot")


def test_another_portal_than_the_pinned_one_is_refused() -> None:
    with pytest.raises(GuardRefused) as refused:
        check_account(SANDBOX, Limits(portal="999"), title="HubSpot")
    assert refused.value.guard == "pin"
    assert str(refused.value) == (
        "The credentials lead to HubSpot portal 111, and --crm-portal pins 999. Nothing was written. Use the "
        "credentials of the pinned portal, or correct the pin."
    )


@pytest.mark.parametrize(
    ("account", "why"),
    [
        (PRODUCTION, "HubSpot portal 222 is a production portal (account type STANDARD)."),
        (UNPROVEN, "HubSpot portal 333 cannot be proven to be a sandbox."),
    ],
)
@pytest.mark.parametrize("allowed", [None, "111", ""])
def test_production_is_refused_unless_exactly_this_portal_is_allowed(
    account: Account, why: str, allowed: str | None
) -> None:
    with pytest.raises(GuardRefused) as refused:
        check_account(account, Limits(allow_production=allowed), title="HubSpot")
    assert refused.value.guard == "production"
    assert str(refused.value) == (
        f"{why} Nothing was written. Use a sandbox or a developer test account; or allow exactly this portal "
        f"with --crm-allow-production {account.portal_id}."
    )
    check_account(account, Limits(allow_production=account.portal_id), title="HubSpot")


def test_a_pin_is_no_permission_for_production() -> None:
    with pytest.raises(GuardRefused, match="is a production portal"):
        check_account(PRODUCTION, Limits(portal="222"), title="HubSpot")


def test_the_size_of_a_plan() -> None:
    check_plan_size(10_000, Limits())
    with pytest.raises(GuardRefused) as refused:
        check_plan_size(10_001, Limits())
    assert refused.value.guard == "plan size"
    assert str(refused.value) == (
        "The plan has 10,001 records, more than --crm-max-records allows (10,000). Nothing was written. "
        "Ask for "
        "fewer, or raise the limit if you mean it."
    )


def test_missing_scopes_are_named_with_what_they_are_for() -> None:
    scopes = {"deals": (frozenset({"a.read"}), frozenset({"c.write", "b.write"})), "notes": ()}
    with pytest.raises(GuardRefused) as refused:
        check_demand(SANDBOX, Demand(["deals", "notes", "custom"], 1, Cost(1)), scopes)
    assert refused.value.guard == "scopes"
    assert str(refused.value) == (
        "The token of portal 111 lacks b.write or c.write (for deals). Nothing was written. Add the "
        "scopes to "
        "the app that issued the token, and use its new token."
    )


def test_scopes_that_a_token_does_not_tell_are_no_reason_to_refuse() -> None:
    check_demand(PRODUCTION, Demand(["deals"], 1, Cost(10**9)), {"deals": (frozenset({"x"}),)})


def test_the_quota_of_the_day() -> None:
    check_demand(SANDBOX, Demand([], 1, Cost(4, 6)), {})
    with pytest.raises(GuardRefused) as refused:
        check_demand(SANDBOX, Demand([], 1, Cost(5, 6)), {})
    assert refused.value.guard == "quota"
    assert str(refused.value) == (
        "All seeds together take at least 11 requests, and portal 111 has 10 left of its 1,000 for today. "
        "Nothing was written. Ask for fewer records (--crm-count 1 makes one of each), or wait until the "
        "quota "
        "resets."
    )
    without_limit = Account("111", "SANDBOX", production=False, daily_left=3)
    with pytest.raises(GuardRefused, match=r"portal 111 has 3 left for today\."):
        check_demand(without_limit, Demand([], 1, Cost(4)), {})


def test_a_portal_without_our_unique_field_is_refused(opened: Callable[[LocalPortal], Target]) -> None:
    with LocalPortal(behaviour=Behaviour(set_up=False)) as portal:
        target = opened(portal)
        target.provider.schema = Schema("hubspot", {})
        with pytest.raises(GuardRefused) as refused:
            check_unique_keys(target.connection, target.account, ["companies", "contacts", "deals"])
        assert refused.value.guard == "unique key"
        assert str(refused.value) == (
            "Portal 47010001 has no unique text field 'crmseed_key' for companies, deals, and nothing else "
            "by which their records could be told from others after a crash. Nothing was written. Make it "
            "with `crmseed setup companies deals` and a token that may write schemas, or create crmseed_key "
            "(text, unique values) for these object types in the portal's settings."
        )
        assert portal.stats()["requests"]["writes"] == 0


def test_a_portal_that_is_set_up_passes(
    one_portal: LocalPortal, opened: Callable[[LocalPortal], Target]
) -> None:
    target = opened(one_portal)
    names = ["companies", "contacts", "deals"]
    routes = check_unique_keys(target.connection, target.account, names)
    assert routes == dict.fromkeys(names, KeyRoute("unique", "crmseed_key"))
