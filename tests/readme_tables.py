"""The README's tables, made from the code they describe.

``python tests/readme_tables.py`` writes them into the README; a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pytest_crmseed.settings import SETTINGS, shown

README = Path(__file__).resolve().parent.parent / "README.md"

_VERSION = re.compile(r"^v\d|^\d{4}-\d\d")


def settings_table() -> str:
    """Return the table of options with defaults and meanings."""
    rows = ["| option | default | meaning |", "|---|---|---|"]
    for entry in SETTINGS.values():
        option = entry.option if entry.flag else f"{entry.option} {entry.metavar}".replace("|", "\\|")
        default = "" if entry.default in (None, False) else f"`{shown(entry.default)}`"
        rows.append(f"| `{option}` | {default} | {entry.full_help.replace('|', chr(92) + '|')} |")
    return "\n".join(rows)


def coverage_table() -> str:
    """Return the table of what the local portal emulates, versions of one route in one row."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for route in _coverage():
        parts = route["route"].split("/")
        version = next((part for part in parts if _VERSION.match(part)), "-")
        # HubSpot writes /crm/v3/objects and /crm/objects/2026-03: one row, by the words alone.
        words = "/".join(part for part in parts if part != version)
        methods = found.setdefault((route["provider"], words), {}).setdefault(route["method"], [])
        methods.append(version)
    rows = ["| API | route (without its version) | methods | versions |", "|---|---|---|---|"]
    for (provider, words), methods in found.items():
        versions = list(dict.fromkeys(version for listed in methods.values() for version in listed))
        rows.append(f"| {provider} | `{words}` | {', '.join(methods)} | {', '.join(versions)} |")
    return "\n".join(rows)


def _coverage() -> list[Mapping[str, str]]:
    import requests

    from pytest_crmseed import LocalPortal

    with LocalPortal() as portal:
        answer = requests.get(f"{portal.base_url}/_portal/coverage", timeout=10)
    listed: list[Mapping[str, str]] = answer.json()
    return listed


TABLES = {"settings": settings_table, "coverage": coverage_table}


def with_tables(text: str) -> str:
    """Return the README's text with every table made anew."""
    for name, make in TABLES.items():
        marks = re.compile(f"(<!-- {name}-table -->\n).*?(\n<!-- end -->)", re.DOTALL)
        if not marks.search(text):
            raise SystemExit(f"the README has no place for the {name} table")
        text = marks.sub(lambda match, make=make: match[1] + make() + match[2], text)
    return text


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text("utf-8")), "utf-8")
