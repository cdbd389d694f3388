"""What pytest-html's report tells of seeds: a line by each seeded test, and one of the whole run."""

from __future__ import annotations

from collections.abc import Generator
from html import escape
from importlib import import_module
from typing import Any

import pytest

from pytest_crmseed.plugin.reporting import seed_lines
from pytest_crmseed.plugin.session import CrmSession


class HtmlExtras:
    """Add to pytest-html's report; registered where that plugin is. Works in workers, too."""

    def __init__(self, crm: CrmSession) -> None:
        self._crm = crm

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say by a test what was seeded for it, and where refused records stand if its seed failed."""
        report = yield
        lines = [line.strip() for line in seed_lines(report.user_properties)]
        if report.failed and report.when == "setup" and "crmseed:" in report.longreprtext:
            lines.append(f"crmseed: refused records and what the portal said: {self._crm.settings.errors}")
        if lines and (report.when == "call" or (report.when == "setup" and not report.passed)):
            # It has no types; what it takes is a dictionary of its own.
            extras: Any = import_module("pytest_html").extras
            told = "<br>".join(escape(line) for line in lines)
            extra = extras.html(f'<div class="crmseed">{told}</div>')
            setattr(report, "extras", [*getattr(report, "extras", []), extra])  # noqa: B010
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, postfix: list[str]) -> None:
        """Say above the results what was seeded in all."""
        totals = self._crm.totals
        if not totals.seeds:
            return
        records = ", ".join(f"{name}={number}" for name, number in totals.records.items())
        portals = ", ".join(totals.portals.values())
        postfix.append(
            f"<p>crmseed: {sum(totals.records.values())} records in {totals.seeds} "
            f"{'seed' if totals.seeds == 1 else 'seeds'} ({escape(records)}), {totals.requests} requests; "
            f"{escape(portals)}, run {escape(self._crm.run_id)}.</p>"
        )
