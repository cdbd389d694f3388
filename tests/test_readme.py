"""The README tells the truth: its tables are the code's own."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from pytest_crmseed.settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent


def tables() -> object:
    spec = importlib.util.spec_from_file_location("readme_tables", ROOT / "tests" / "readme_tables.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_made_from_the_code() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    made = tables().with_tables(text)  # type: ignore[attr-defined]
    assert text == made, "run: python tests/readme_tables.py"


def test_a_stale_table_is_noticed() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    stale = text.replace("--crm-provider NAME", "--crm-provider NAMES")
    assert stale != text
    assert tables().with_tables(stale) == text  # type: ignore[attr-defined]


@pytest.mark.parametrize("mark", ["example-command", "test-command"])
def test_the_two_commands_are_one_line_each(mark: str) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    found = re.findall(f"<!-- {mark} -->\n```sh\n(.*?)\n```", text, re.DOTALL)
    assert len(found) == 1
    assert "\n" not in found[0]
    assert found[0].startswith("python3 -m venv .venv && .venv/bin/pip install")


def test_every_fixture_and_option_is_named() -> None:
    from pytest_crmseed import plugin

    text = (ROOT / "README.md").read_text("utf-8")
    fixtures = [name for name in plugin.__all__ if name.startswith("crm_")]
    assert [name for name in fixtures if f"`{name}`" not in text] == []
    assert [entry.option for entry in SETTINGS.values() if entry.option not in text] == []
