"""The report of a run: as JSON (``--crm-report``), and on the page of a GitHub job."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_crmseed.errors import CrmseedError
from pytest_crmseed.plugin import marker
from pytest_crmseed.plugin.reporting import seeds_of
from pytest_crmseed.plugin.session import CrmSession

if TYPE_CHECKING:
    from pytest_crmseed.seeder.report import Report

# What a test's outcome is called, worst first: one phase that failed decides.
_WORST = ("error", "failed", "skipped", "passed")


class RunReport:
    """Gather what came of the tests that were seeded for, and write it all at the end.

    Registered in the process that has the terminal: the reports of workers' tests pass through it.
    """

    def __init__(self, crm: CrmSession) -> None:
        self._crm = crm
        self._started = time.time()
        self._tests: dict[str, dict[str, Any]] = {}
        path = crm.settings.report
        if path is not None:
            from pytest_crmseed.seeder.report import check_writable

            # Before the first test: an hour later nobody would thank us for the news.
            check_writable(path)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that was seeded for, with the worst outcome of its phases."""
        seeds = seeds_of(report.user_properties)
        # A test whose seed failed has none, and is worth the more.
        if not seeds and marker.NAME not in report.keywords and report.nodeid not in self._tests:
            return
        known = self._tests.setdefault(
            report.nodeid, {"test": report.nodeid, "outcome": "passed", "seeds": []}
        )
        known["seeds"] = seeds or known["seeds"]
        outcome = report.outcome if report.when == "call" or not report.failed else "error"
        known["outcome"] = min(known["outcome"], outcome, key=_WORST.index)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Write the report once the portals are closed, and before the summary is printed."""
        result = yield
        if self._crm.settings.dry_run:
            return result
        from pytest_crmseed.seeder.report import write_report, write_summary

        report = self.report()
        if self._crm.settings.report is not None:
            try:
                write_report(report, self._crm.settings.report)
            except CrmseedError as error:
                self._crm.totals.troubles.append(str(error))
        if trouble := write_summary(report, os.environ):
            self._crm.totals.notes.append(trouble)
        return result

    def report(self) -> Report:
        """Return the report as things stand."""
        from pytest_crmseed.seeder.report import Report

        crm = self._crm
        totals = dataclasses.asdict(crm.totals)
        shared = {field.name for field in dataclasses.fields(Report)}
        return Report(
            run=crm.run_id,
            settings=crm.settings,
            random_seed=crm.random_seed,
            base_date=crm.base_date,
            started_at=self._started,
            ended_at=time.time(),
            tests=list(self._tests.values()),
            **{name: value for name, value in totals.items() if name in shared},
        )
