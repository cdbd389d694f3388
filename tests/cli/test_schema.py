"""``crmseed schema``: pull, list, show, diff."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import requests

from pytest_crmseed import LocalPortal
from pytest_crmseed.portal import Behaviour

Run = Callable[..., object]


def test_pull_show_and_diff_see_what_the_portal_has(
    crmseed: Callable[..., object], folder: Path, one_portal: LocalPortal
) -> None:
    at = ("--base-url", one_portal.base_url)
    pulled = crmseed("schema", "pull", *at)
    assert pulled.code == 0, pulled.err
    assert pulled.out.startswith("crm-schema.json: 3 object types, ")
    made = requests.post(
        f"{one_portal.base_url}/crm/v3/properties/deals",
        json={
            "name": "tier",
            "label": "Tier",
            "type": "enumeration",
            "fieldType": "select",
            "groupName": "dealinformation",
            "options": [{"label": "Gold", "value": "gold", "displayOrder": 0, "hidden": False}],
        },
        headers={"Authorization": f"Bearer {one_portal.token}"},
        timeout=10,
    )
    assert made.status_code == 201
    shown = crmseed("schema", "show", "Deal", *at)
    assert shown.code == 0
    assert any(
        line.split() == ["tier", "option,", "custom,", "options:", "gold"] for line in shown.out.splitlines()
    )
    assert any("closedate" in line and "neutral name close_date" in line for line in shown.out.splitlines())
    assert "hs_is_closed" not in shown.out
    assert "Pipeline default (Sales Pipeline): appointmentscheduled" in shown.out
    differing = crmseed("schema", "diff", "crm-schema.json", *at)
    assert (differing.code, differing.out) == (1, "+ deals.tier\n")
    crmseed("schema", "pull", *at, "-o", "new.json")
    assert crmseed("schema", "diff", "crm-schema.json", "new.json").code == 1
    same = crmseed("schema", "diff", "new.json", "new.json")
    assert (same.code, same.out) == (0, "No difference.\n")


def test_list_and_show_as_json(crmseed: Callable[..., object], folder: Path) -> None:
    listed = crmseed("schema", "list", "--json")
    assert set(json.loads(listed.out)) == {"companies", "contacts", "deals"}
    assert "fields, 1 custom" in crmseed("schema", "list").out
    shown = json.loads(crmseed("schema", "show", "deals", "--json").out)
    assert shown["fields"]["hs_is_closed"]["read_only"] is True
    assert "read-only" in crmseed("schema", "show", "deals", "--all").out


def test_a_production_portal_may_be_read(crmseed: Callable[..., object], folder: Path) -> None:
    with LocalPortal(behaviour=Behaviour(account_type="STANDARD", portal_id=99)) as portal:
        assert crmseed("schema", "pull", "--base-url", portal.base_url).code == 0
        pinned = crmseed("schema", "pull", "--base-url", portal.base_url, "--portal", "1")
        assert portal.stats()["requests"]["writes"] == 0
    assert pinned.code == 3
    assert "pins 1" in pinned.err


def test_wrong_use_is_a_sentence(crmseed: Callable[..., object], folder: Path) -> None:
    misspelt = crmseed("schema", "show", "deels")
    assert misspelt.code == 2
    assert "unknown object type 'deels'; did you mean 'deals'?" in misspelt.err
    missing = crmseed("schema", "list", "--schema", "none.json")
    assert missing.code == 2
    assert "none.json cannot be read: No such file or directory." in missing.err
    (folder / "bad.json").write_text("[")
    assert crmseed("schema", "diff", "bad.json", "bad.json").code == 2
    unwritable = crmseed("schema", "pull", "-o", "bad.json/x.json")
    assert unwritable.code == 2
    assert "cannot be written" in unwritable.err
