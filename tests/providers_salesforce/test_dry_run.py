"""What a dry run prints of requests to Salesforce."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.errors import UsageError
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.seeder import preview
from pytest_crmseed.seeder.recipe import Recipe
from pytest_crmseed.settings import Settings


def lines_of(counts: dict[str, Any], monkeypatch: pytest.MonkeyPatch, folder: Path, **more: Any) -> list[str]:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(preview, "load", lambda name: Salesforce)
    shown = preview.Preview("salesforce", Settings(provider="salesforce"), **more)
    recipe = Recipe(random_seed=1, base_date=date(2026, 11, 1))
    return list(shown.render(shown.plan(counts), recipe, node="test"))


def test_a_composite_request_is_shown_part_by_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = lines_of({"products": 3}, monkeypatch, tmp_path)
    assert lines[0].startswith("3 products: 1 requests to create, ")
    book = "SELECT%20Id%20FROM%20Pricebook2%20WHERE%20IsStandard%20%3D%20true"
    heads = [line for line in lines if line.strip().startswith(("POST", "GET"))]
    assert heads == [
        "POST /services/data/v66.0/composite",
        f"  GET /services/data/v66.0/query?q={book}",
        "  POST /services/data/v66.0/composite/sobjects",
        "  POST /services/data/v66.0/composite/sobjects",
    ]
    assert lines.count("    … and 2 more (--crm-dry-run-full prints all)") == 2


def test_parents_that_do_not_exist_yet_stand_as_what_they_will_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = lines_of({"line_items": 100, "deals": 101}, monkeypatch, tmp_path, full=True)
    assert '    "OpportunityId": "<deals[0].id>",' in lines
    # Only the portal will tell the price book entry.
    assert '    "Product2Id": "<products[0].id>",' in lines


def test_a_bin_that_is_none_is_refused_as_in_a_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    preview.Preview("salesforce", Settings(provider="salesforce", empty_bin=True))
    with pytest.raises(UsageError, match="--crm-empty-bin: no API of HubSpot's empties its recycle bin"):
        preview.Preview("hubspot", Settings(provider="hubspot", empty_bin=True))


def test_a_small_plan_is_shown_as_the_graph_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = lines_of({"line_items": 2}, monkeypatch, tmp_path)
    assert ", 2 line_items: 2 requests to create, " in lines[0]
    heads = [line for line in lines if re.match(r" *(POST|GET|…)", line)]
    sobjects = "  POST /services/data/v66.0/sobjects"
    assert heads == [
        "GET /services/data/v66.0/query?q=SELECT+Id+FROM+Pricebook2+WHERE+IsStandard+%3D+true",
        "POST /services/data/v66.0/composite/graph",
        f"{sobjects}/Account",
        f"{sobjects}/Product2",
        f"{sobjects}/PricebookEntry",
        f"{sobjects}/Contact",
        f"{sobjects}/Opportunity",
        f"{sobjects}/OpportunityContactRole",
        f"{sobjects}/OpportunityLineItem",
        "  … and 1 more (--crm-dry-run-full prints all)",
    ]
    assert '      "Pricebook2Id": "<Id of the standard Pricebook2>",' in lines
    assert '      "PricebookEntryId": "@{products_0__0.id}",' in lines
    full = lines_of({"line_items": 2}, monkeypatch, tmp_path, full=True)
    assert full.count(f"{sobjects}/OpportunityLineItem") == 2
    assert not any("…" in line for line in full)
