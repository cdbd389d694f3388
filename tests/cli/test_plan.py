"""``crmseed plan``: what a seed would send and cost; nothing is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed import LocalPortal
from pytest_crmseed.ingest.limits import RateOverride
from pytest_crmseed.ingest.schedule import Cost, least_seconds
from pytest_crmseed.providers.base import Rate

Crmseed = Callable[..., Any]
Serve = Callable[..., LocalPortal]


def test_offline_it_sends_nothing_at_all(
    crmseed: Crmseed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*args: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.socket.connect", refused)
    screen = crmseed("plan", "deals=250")
    assert (screen.code, screen.err) == (0, "")
    assert "deals          250\n" in screen.out
    assert "companies        1  made as parents\n" in screen.out
    assert "Requests: 20 (5 to make them, 5 to read them back, 10 to remove them).\n" in screen.out
    assert "Least time for making and reading: no waiting, by the portal's limits.\n" in screen.out
    assert (
        "Daily quota: 20 requests of 250,000 (less than 0.01 %), the least that the provider documents.\n"
        in screen.out
    )
    assert "POST /crm/objects/2026-03/deals/batch/create\n" in screen.out
    assert "… and 99 more (--full prints all)\n" in screen.out
    assert screen.out.endswith("\n\nValid. Nothing was sent.\n")
    assert list(folder.iterdir()) == []


def test_full_prints_every_payload(crmseed: Crmseed, folder: Path) -> None:
    out = crmseed("plan", "companies=3", "--full").out
    assert [f"<key of companies[{i}]>" in out for i in range(4)] == [True, True, True, False]
    assert "more (" not in out


def test_a_slow_pace_takes_its_time(crmseed: Crmseed, folder: Path) -> None:
    out = crmseed("plan", "companies=1000", "--rate", "5/10").out
    assert "Least time for making and reading: 30 s, by the portal's limits.\n" in out


@pytest.mark.parametrize(
    ("requests", "rates", "override", "seconds"),
    [
        (90, [Rate("burst", 100, 10.0)], RateOverride(), 0),
        (91, [Rate("burst", 100, 10.0)], RateOverride(), 10),
        (181, [Rate("burst", 100, 10.0)], RateOverride(), 20),
        (100, [Rate("burst", 100, 10.0)], RateOverride(share=1.0), 0),
        (11, [Rate("burst", 100, 10.0)], RateOverride(limit=5, seconds=2.0), 4),
        (1000, [Rate("daily", 100, 86_400.0)], RateOverride(), 0),
        (0, [Rate("burst", 1, 10.0)], RateOverride(), 0),
    ],
)
def test_the_least_time_is_that_of_full_windows(
    requests: int, rates: list[Rate], override: RateOverride, seconds: float
) -> None:
    assert least_seconds(Cost(writes=requests), rates, override) == seconds


def test_tokens_are_counted_where_the_portal_counts_them(crmseed: Crmseed, folder: Path) -> None:
    out = crmseed("plan", "deals=10", "--provider", "pipedrive").out
    assert "Daily quota: " in out and " tokens of 30,000 (" in out


def test_a_portal_that_is_configured_is_asked(crmseed: Crmseed, serve: Serve) -> None:
    portal = serve()
    data = json.loads(crmseed("plan", "deals=10", "--json", "--base-url", portal.base_url).out)
    assert data["records"] == {"companies": 1, "contacts": 1, "deals": 10}
    assert data["parents"] == ["companies", "contacts"]
    assert data["requests"] == {"create": 3, "read": 3, "remove": 6, "all": 12}
    quota = data["quota"]
    assert (quota["unit"], quota["takes"], quota["known_from"]) == ("requests", 12, "portal")
    assert 0 < quota["left"] <= quota["limit"] == 1_000_000
    assert data["payloads"][-1]["path"].endswith("/deals/batch/create")
    assert portal.stats()["requests"]["writes"] == 0
    screen = crmseed("plan", "deals=10", "--base-url", portal.base_url)
    assert "are left.\n" in screen.out and screen.out.endswith("Valid. Nothing was written.\n")
    before = portal.stats()["requests"]["total"]
    assert crmseed("plan", "deals=10", "--base-url", portal.base_url, "--offline").code == 0
    assert portal.stats()["requests"]["total"] == before


def test_what_the_token_may_not_do_is_said(
    crmseed: Crmseed, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_crmseed.providers.hubspot.HubSpot.scopes", lambda self, names: {
        "deals": (frozenset({"crm.objects.deals.admin"}),)
    })  # fmt: skip
    screen = crmseed("plan", "deals=10", "--base-url", serve().base_url)
    assert (screen.code, screen.out) == (3, "")
    assert "lacks crm.objects.deals.admin (for deals). Nothing was written." in screen.err


def test_values_that_cannot_be_sent_are_told_together(crmseed: Crmseed, folder: Path) -> None:
    (folder / "p.toml").write_text(
        '[deals]\ncount = 1\nstage = "wonn"\n[contacts]\ncount = 1\nfrst_name = "x"\n'
    )
    screen = crmseed("plan", "--plan", "p.toml")
    assert screen.code == 2
    assert "'wonn'" in screen.err and "did you mean 'first_name'?" in screen.err
