"""``crmseed schema``: pull, list, show, diff."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from pytest_crmseed import LocalPortal
from pytest_crmseed.portal import Behaviour
from pytest_crmseed.schema import catalog, documents
from pytest_crmseed.schema.cache import SchemaCache, stamp
from pytest_crmseed.schema.model import Association, Field, Group, Kind, ObjectType, Schema

Run = Callable[..., Any]
STOCK = len(catalog.bundled("hubspot").object_types)


def define_tier(portal: LocalPortal) -> None:
    made = requests.post(
        f"{portal.base_url}/crm/v3/properties/deals",
        json={
            "name": "tier",
            "label": "Tier",
            "type": "enumeration",
            "fieldType": "select",
            "groupName": "dealinformation",
            "options": [{"label": "Gold", "value": "gold", "displayOrder": 0, "hidden": False}],
        },
        headers={"Authorization": f"Bearer {portal.token}"},
        timeout=10,
    )
    assert made.status_code == 201


def test_pull_show_and_diff_see_what_the_portal_has(
    crmseed: Run, folder: Path, one_portal: LocalPortal
) -> None:
    at = ("--base-url", one_portal.base_url)
    pulled = crmseed("schema", "pull", *at)
    assert pulled.code == 0, pulled.err
    assert pulled.out.startswith(f"crm-schema.json: {STOCK} object types (0 custom), ")
    define_tier(one_portal)
    shown = crmseed("schema", "show", "Deal", *at)
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert lines[0] == "Schema: live, read just now."
    assert any(line.split() == ["tier", "option,", "custom,", "options:", "gold"] for line in lines)
    assert any("closedate" in line and "neutral name close_date" in line for line in lines)
    assert "hs_is_closed" not in shown.out
    assert "Pipeline default (Sales Pipeline): appointmentscheduled" in shown.out
    assert any(line.startswith("Associated to companies: 341, 'Primary' 5 (primary)") for line in lines)
    differing = crmseed("schema", "diff", "crm-schema.json", *at)
    assert (differing.code, differing.out) == (1, "+ deals.tier\n")
    crmseed("schema", "pull", *at, "-o", "new.json")
    assert crmseed("schema", "diff", "crm-schema.json", "new.json").code == 1
    same = crmseed("schema", "diff", "new.json", "new.json")
    assert (same.code, same.out) == (0, "No difference.\n")


def test_list_and_show_as_json(crmseed: Run, folder: Path) -> None:
    listed = json.loads(crmseed("schema", "list", "--json").out)
    assert set(listed) == set(catalog.bundled("hubspot").object_types)
    assert listed["deals"] == {"fields": listed["deals"]["fields"], "custom": False, "type_id": "0-3"}
    assert "fields, 1 custom" in crmseed("schema", "list").out
    shown = json.loads(crmseed("schema", "show", "deals", "--json").out)
    assert shown["fields"]["hs_is_closed"]["read_only"] is True
    assert "read-only" in crmseed("schema", "show", "deals", "--all").out


def write(path: Path, **changes: Any) -> Schema:
    cars = ObjectType(
        "p7_cars",
        "Car",
        "Cars",
        {
            "model": Field("model", "Model", Kind.STRING, group="cars_information", custom=True),
            "vin": Field(
                "vin",
                "VIN",
                Kind.STRING,
                unique=True,
                custom=True,
                min_length=17,
                pattern="[A-Z0-9]+",
                group="cars_information",
            ),
            "doors": Field(
                "doors",
                "Doors",
                Kind.INTEGER,
                minimum="2",
                maximum="5",
                admin_required=True,
                group="cars_size",
            ),
            "weight": Field("weight", "Weight", Kind.DECIMAL, maximum="9000.5", group="cars_size"),
            "hs_object_id": Field("hs_object_id", "Record ID", Kind.INTEGER, read_only=True, unique=True),
        },
        type_id="2-123",
        singular="cars",
        groups=(Group("cars_size", "Size", 0), Group("cars_information", "Car information", 1)),
        associations=(
            Association("contacts", 31, "USER_DEFINED"),
            Association("contacts", 33, "USER_DEFINED", "Driver"),
        ),
        required_any=(("model",),),
        custom=True,
    )
    known = catalog.bundled("hubspot")
    schema = replace(
        known,
        object_types={"contacts": known.object_types["contacts"], "p7_cars": cars},
        taken_at=stamp(datetime.now(UTC) - timedelta(hours=3, minutes=1)),
        portal_id="7",
        complete=True,
        **changes,
    )
    documents.write(schema, path)
    return schema


def test_a_custom_object_of_a_file(crmseed: Run, folder: Path) -> None:
    write(folder / "crm.json")
    listed = crmseed("schema", "list", "--schema", "crm.json").out.splitlines()
    assert listed[0] == "Schema: crm.json, read 3 h ago from portal 7."
    assert listed[2] == "p7_cars   2-123     5 fields, 2 custom  custom object Car"
    shown = crmseed("schema", "show", "Cars", "--schema", "crm.json")
    assert shown.out.splitlines()[1:] == [
        "Cars (p7_cars, 2-123): 4 fields, and 1 that cannot be set (--all shows them)",
        "Size (cars_size):",
        "  doors   integer, required by the administrator, 2 to 5",
        "  weight  decimal, … to 9000.5",
        "Car information (cars_information):",
        "  model   string, required, custom",
        "  vin     string, unique, custom, at least 17 characters, like [A-Z0-9]+",
        "Associated to contacts: 31, 'Driver' 33",
    ]
    everything = crmseed("schema", "show", "2-123", "--schema", "crm.json", "--all").out.splitlines()
    assert everything[1] == "Cars (p7_cars, 2-123): 5 fields"
    assert everything[-2] == "  hs_object_id  integer, read-only, unique"


def test_what_was_kept_is_compared(crmseed: Run, folder: Path, one_portal: LocalPortal) -> None:
    missing = crmseed("schema", "diff", "--base-url", one_portal.base_url)
    assert missing.code == 2
    assert "there is no cached schema to compare with. Name a file of `crmseed schema pull`" in missing.err
    crmseed("schema", "pull", "--base-url", one_portal.base_url)
    schema = documents.read(folder / "crm-schema.json", provider="hubspot")
    SchemaCache(folder / ".crmseed" / "schemas").write(schema)
    assert crmseed("schema", "diff", "--base-url", one_portal.base_url).out == "No difference.\n"
    define_tier(one_portal)
    changed = crmseed("schema", "diff", "--base-url", one_portal.base_url)
    assert (changed.code, changed.out) == (1, "+ deals.tier\n")
    against_bundled = crmseed("schema", "diff", "bundled", "cached")
    assert against_bundled.code == 1
    keys = {f"+ {name}.crmseed_key" for name in schema.object_types}
    assert keys <= set(against_bundled.out.splitlines())


def test_a_sandbox_is_read_once_a_day(
    crmseed: Run, folder: Path, one_portal: LocalPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A portal that does not say it is a local one.
    monkeypatch.setattr("pytest_crmseed.seeder.target.probe", lambda base_url: None)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", one_portal.seed_token)
    # Three readings are more than a window of HubSpot's burst limit takes.
    monkeypatch.setenv("CRMSEED_RATE", "1000/1")
    at = ("--base-url", one_portal.base_url, "--target", "sandbox")
    assert crmseed("schema", "list", *at).out.startswith("Schema: live, read just now.\n")
    before = len(one_portal.requests)
    assert crmseed("schema", "list", *at).out.startswith("Schema: cached, read just now.\n")
    assert len(one_portal.requests) - before <= 3  # who the account is
    define_tier(one_portal)
    assert "tier" not in crmseed("schema", "show", "deals", *at).out
    assert crmseed("schema", "diff", *at).out == "+ deals.tier\n"
    assert "tier" in crmseed("schema", "show", "deals", *at, "--refresh-schema").out
    assert crmseed("schema", "diff", *at).out == "No difference.\n"


def test_notes_go_to_standard_error(crmseed: Run, folder: Path) -> None:
    write(folder / "crm.json", gaps=("The owners could not be read.",))
    listed = crmseed("schema", "list", "--schema", "crm.json", "--json")
    assert "crmseed: The owners could not be read." in listed.err
    json.loads(listed.out)


def test_a_production_portal_may_be_read(crmseed: Run, folder: Path) -> None:
    with LocalPortal(behaviour=Behaviour(account_type="STANDARD", portal_id=99)) as portal:
        assert crmseed("schema", "pull", "--base-url", portal.base_url).code == 0
        pinned = crmseed("schema", "pull", "--base-url", portal.base_url, "--portal", "1")
        assert portal.stats()["requests"]["writes"] == 0
    assert pinned.code == 3
    assert "pins 1" in pinned.err


def test_wrong_use_is_a_sentence(crmseed: Run, folder: Path) -> None:
    misspelt = crmseed("schema", "show", "deels")
    assert misspelt.code == 2
    assert "unknown object type 'deels'; did you mean 'deals'?" in misspelt.err
    missing = crmseed("schema", "list", "--schema", "none.json")
    assert missing.code == 2
    assert "none.json cannot be read: No such file or directory." in missing.err
    (folder / "bad.json").write_text("[")
    assert crmseed("schema", "diff", "bad.json", "bad.json").code == 2
    (folder / "newer.json").write_text('{"format": 7}')
    newer = crmseed("schema", "show", "deals", "--schema", "newer.json")
    assert newer.code == 2
    assert "is of format 7, and this version of pytest-crmseed reads 1: a newer one wrote it." in newer.err
    unwritable = crmseed("schema", "pull", "-o", "bad.json/x.json")
    assert unwritable.code == 2
    assert "cannot be written" in unwritable.err
