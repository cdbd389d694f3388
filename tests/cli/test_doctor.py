"""``crmseed doctor``: each line ok, warn or fail, with what to do, and the exit status of design."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed import LocalPortal
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.portal import Behaviour

Crmseed = Callable[..., Any]
Serve = Callable[..., LocalPortal]


def checks(screen: Any) -> dict[str, tuple[str, str, str]]:
    return {c["check"]: (c["state"], c["text"], c["remedy"]) for c in json.loads(screen.out)["checks"]}


def test_in_an_empty_folder_all_is_well_and_nothing_is_left(crmseed: Crmseed, folder: Path) -> None:
    screen = crmseed("doctor")
    assert (screen.code, screen.err) == (0, "")
    assert screen.out.endswith("\nReady to seed.\n")
    assert max(map(len, screen.out.splitlines())) <= 80
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("provider", ["hubspot", "salesforce", "pipedrive"])
def test_a_local_portal_of_every_crm(crmseed: Crmseed, serve: Serve, provider: str) -> None:
    portal = serve()
    screen = crmseed("doctor", "--provider", provider, "--base-url", portal.base_url, "--json")
    assert screen.code == 0
    found = checks(screen)
    assert {state for state, _, _ in found.values()} == {"ok"}
    assert list(found) == [
        "provider", "target", "credentials", "token", "account", "pin", "rights", "quota", "clock",
        "unique key", "schema", "ledger",
    ]  # fmt: skip
    assert found["target"][1] == f"local portal at {portal.base_url} (from --base-url)"
    assert portal.stats()["requests"]["writes"] == 0


def sandbox(monkeypatch: pytest.MonkeyPatch, portal: LocalPortal, token: str = "") -> tuple[str, ...]:
    """Have a local portal be taken for a sandbox behind an address."""
    monkeypatch.setattr("pytest_crmseed.seeder.target.probe", lambda url: None)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", token or portal.token)
    return ("--target", "sandbox", "--base-url", portal.base_url)


def test_a_sandbox_without_a_pin_is_worth_a_warning(
    crmseed: Crmseed, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = sandbox(monkeypatch, serve())
    screen = crmseed("doctor", *at)
    assert screen.code == 0
    assert "Ready to seed; 1 warning.\n" in screen.out
    found = checks(crmseed("doctor", *at, "--json"))
    assert found["credentials"] == ("ok", "from HUBSPOT_ACCESS_TOKEN", "")
    assert found["pin"] == (
        "warn",
        "none: other credentials in the same variables would seed another portal.",
        "Set CRMSEED_PORTAL=500000001, or crm_portal in the ini file.",
    )
    assert checks(crmseed("doctor", *at, "--json", "--portal", "500000001"))["pin"][0] == "ok"


def test_the_wrong_portal_fails_at_the_pin_alone(
    crmseed: Crmseed, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = crmseed("doctor", *sandbox(monkeypatch, serve()), "--portal", "7", "--json")
    assert screen.code == 3
    found = checks(screen)
    assert {check for check, (state, _, _) in found.items() if state == "fail"} == {"pin"}
    assert found["pin"][1] == "--portal pins 7, and the credentials lead to 500000001."


def test_a_production_portal(crmseed: Crmseed, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    at = sandbox(monkeypatch, serve(account_type="STANDARD"))
    screen = crmseed("doctor", *at, "--portal", "500000001", "--json")
    assert screen.code == 3
    state, text, remedy = checks(screen)["account"]
    assert (state, text) == (
        "fail",
        "HubSpot portal 500000001 is a production portal (account type STANDARD).",
    )
    assert remedy.endswith("--allow-production 500000001.")
    allowed = crmseed("doctor", *at, "--portal", "500000001", "--allow-production", "500000001", "--json")
    assert allowed.code == 0
    assert checks(allowed)["account"][:2] == (
        "warn", "kind STANDARD: production, and allowed by --allow-production",
    )  # fmt: skip


def test_a_token_that_is_not_accepted(
    crmseed: Crmseed, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = crmseed("doctor", *sandbox(monkeypatch, serve(), "pat-wrong"), "--json")
    assert screen.code == 4
    found = checks(screen)
    assert found["token"][0] == "fail"
    assert "pat-wrong" not in screen.out
    # What lies on this machine is looked at all the same.
    assert found["ledger"][0] == "ok"


def test_missing_credentials_and_no_answer(
    crmseed: Crmseed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN", raising=False)
    screen = crmseed("doctor", "--target", "sandbox", "--json")
    assert screen.code == 2
    assert "HUBSPOT_ACCESS_TOKEN" in checks(screen)["target"][1]
    silent = crmseed("doctor", "--base-url", "http://127.0.0.1:9", "--json")
    assert silent.code == 4
    assert checks(silent)["target"][0] == "fail"


def test_rights_that_are_missing_fail_where_they_are_asked_for(
    crmseed: Crmseed, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    portal = serve()
    made = requests.post(
        f"{portal.base_url}/_portal/tokens",
        json={"scopes": ["oauth", "crm.objects.contacts.read", "crm.objects.contacts.write"]},
        timeout=10,
    ).json()
    at = sandbox(monkeypatch, portal, made["token"])
    all_types = crmseed("doctor", *at, "--json")
    state, text, _ = checks(all_types)["rights"]
    assert (all_types.code, state) == (0, "warn")
    assert "deals lacks crm.objects.deals.read, crm.objects.deals.write" in text
    assert checks(crmseed("doctor", "contacts", *at, "--json"))["rights"][0] == "ok"
    named = crmseed("doctor", "deals", *at, "--json")
    assert (named.code, checks(named)["rights"][0]) == (3, "fail")


def test_a_clock_that_is_wrong(crmseed: Crmseed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import datetime, timedelta

    class Late(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) - timedelta(hours=2)

    monkeypatch.setattr("pytest_crmseed.cli.checks_portal.datetime", Late)
    state, text, remedy = checks(crmseed("doctor", "--json"))["clock"]
    assert state == "warn"
    assert re.fullmatch(r"this machine is 7,\d\d\d s behind the portal\.", text)
    assert remedy.startswith("Set it right: ")


@pytest.mark.parametrize(("left", "state"), [(0, "fail"), (50_000, "warn"), (500_000, "ok")])
def test_quota(
    crmseed: Crmseed, folder: Path, monkeypatch: pytest.MonkeyPatch, left: int, state: str
) -> None:
    import dataclasses

    from pytest_crmseed.providers.hubspot import HubSpot

    account = HubSpot.account

    def asked(self: Any, credentials: Any) -> Any:
        found = yield from account(self, credentials)
        return dataclasses.replace(found, daily_left=left)

    monkeypatch.setattr(HubSpot, "account", asked)
    screen = crmseed("doctor", "--json")
    assert checks(screen)["quota"][:2] == (state, f"{left:,} of 1,000,000 requests left for today")
    assert screen.code == (3 if state == "fail" else 0)


def test_a_portal_without_the_field_for_the_key(crmseed: Crmseed, tmp_path: Path) -> None:
    behaviour = Behaviour(portal_id=500_000_009, set_up=False)
    with LocalPortal(behaviour=behaviour) as portal:
        screen = crmseed("doctor", "deals", "companies", "--base-url", portal.base_url, "--json")
    state, text, remedy = checks(screen)["unique key"]
    assert state in ("warn", "fail")
    assert "crmseed_key" in text
    assert "crmseed setup " in remedy


def test_the_ledger_and_what_runs_left(
    crmseed: Crmseed, serve: Serve, keep: Callable[..., str], rewrite: Callable[..., None], folder: Path
) -> None:
    run_id = keep(serve())
    found = checks(crmseed("doctor", "--json"))
    assert found["ledger"][1].startswith(".crmseed/ledger.sqlite: 1 run, ")
    assert found["kept runs"] == ("ok", "4 records of 1 run (crmseed runs)", "")
    with Ledger(folder / ".crmseed" / "ledger.sqlite") as ledger:
        ledger.keep(run_id, 1.0, seed="1")
    state, text, remedy = checks(crmseed("doctor", "--json"))["kept runs"]
    assert (state, text) == ("warn", "4 records of 1 run are past their time.")
    assert remedy.endswith(f"at once: crmseed cleanup --run {run_id}")


def test_a_dead_run(crmseed: Crmseed, serve: Serve, rewrite: Callable[..., None]) -> None:
    from pytest_crmseed import Seeder

    seeder = Seeder(base_url=serve().base_url)
    seeder.seed(deals=2)
    seeder._engine.liveness.close()
    seeder._engine.ledger.close()
    seeder._engine.target.close()
    state, text, remedy = checks(crmseed("doctor", "--json"))["dead runs"]
    assert (state, text) == ("warn", "1 run ended before cleaning up: 4 records left.")
    assert remedy.endswith(f"at once: crmseed cleanup --run {seeder.run_id}")


def test_a_damaged_ledger(crmseed: Crmseed, folder: Path) -> None:
    (folder / "notes.txt").write_text("not a database at all, and not a short text either")
    screen = crmseed("doctor", "--ledger", "notes.txt", "--json")
    assert screen.code == 2
    state, text, _ = checks(screen)["ledger"]
    assert state == "fail" and "is damaged, or no SQLite database" in text


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to(crmseed: Crmseed, folder: Path) -> None:
    folder.chmod(0o500)
    try:
        screen = crmseed("doctor", "--json")
    finally:
        folder.chmod(0o700)
    assert checks(screen)["ledger"][0] == "fail"


def test_an_unknown_object_type(crmseed: Crmseed, folder: Path) -> None:
    screen = crmseed("doctor", "deels")
    assert screen.code == 2
    assert "unknown object type 'deels'; did you mean 'deals'?" in screen.err
