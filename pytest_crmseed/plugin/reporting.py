"""What people see: the header, a line per seeded test, progress, the summary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from pytest_crmseed.plugin.session import CrmSession
from pytest_crmseed.settings import header_line

if TYPE_CHECKING:
    from pytest_crmseed.events import Event


class Reporter:
    """Tell the terminal; registered in the process that has one."""

    def __init__(self, crm: CrmSession) -> None:
        self._crm = crm
        crm.listeners.append(self._warn)
        if crm.config.get_verbosity() >= 2:
            crm.listeners.append(self._progress)

    def pytest_report_header(self, config: pytest.Config) -> str:
        """Return one line: the settings that count, each with its origin."""
        crm = self._crm
        settings = crm.settings
        if settings.origin("random_seed") == "default":
            settings = settings.chosen("this run's own", random_seed=crm.random_seed)
        if settings.origin("base_date") == "default":
            settings = settings.chosen("today", base_date=crm.base_date)
        return header_line(settings)

    # -- while it runs ---------------------------------------------------------------------------
    def _terminal(self) -> pytest.TerminalReporter | None:
        manager = self._crm.config.pluginmanager
        terminal: pytest.TerminalReporter | None = manager.get_plugin("terminalreporter")
        return terminal

    def _progress(self, event: Event) -> None:
        from pytest_crmseed.events import BatchSent, Remark

        if isinstance(event, BatchSent):
            self._write(f"  {event.object_type}: batch {event.number}/{event.of}")
        elif isinstance(event, Remark):
            self._write(f"  {event}")

    def _warn(self, event: Event) -> None:
        # The first portal is opened after the header was printed.
        if type(event).__name__ == "Degraded":
            self._write(f"crmseed: {event}", yellow=True)

    def _write(self, text: str, **markup: bool) -> None:
        terminal = self._terminal()
        if terminal is None:
            return
        capture = self._crm.config.pluginmanager.get_plugin("capturemanager")
        if capture is None:
            terminal.write_line(text, **markup)
            return
        # A seed is made while pytest captures the output of the test's setup.
        with capture.global_and_fixture_disabled():
            terminal.write_line(text, **markup)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """With -v, tell after a test what was seeded for it; works for the tests of workers too."""
        if report.when != "teardown" or self._crm.config.get_verbosity() < 1:
            return
        terminal = self._terminal()
        if terminal is None:
            return
        for line in seed_lines(report.user_properties):
            terminal.write_line(line)

    # -- at the end ------------------------------------------------------------------------------
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write one section, only if something was seeded or went wrong."""
        totals = self._crm.totals
        told = (totals.seeds, totals.left, totals.troubles, totals.refused, totals.swept, totals.sweeping)
        if not any((*told, totals.notes)):
            return
        # Not section(): after a line of dots, the first line below it would be an empty one.
        terminalreporter.write_sep("=", "crmseed")
        if totals.seeds:
            records = ", ".join(f"{name}={number}" for name, number in totals.records.items())
            terminalreporter.write_line(
                f"{sum(totals.records.values())} records in {totals.seeds} "
                f"{'seed' if totals.seeds == 1 else 'seeds'} ({records}): "
                f"{totals.requests} requests in {totals.seconds:.2f} s; {totals.removed} removed."
            )
            for title in totals.portals.values():
                terminalreporter.write_line(f"Portal: {title}, run {self._crm.run_id}.")
            for text in totals.schemas.values():
                terminalreporter.write_line(text)
        for note in dict.fromkeys(totals.notes):
            terminalreporter.write_line(note, yellow=True)
        if totals.retries:
            terminalreporter.write_line(f"{totals.retries} requests were sent again after a passing fault.")
        if totals.lost:
            what = "1 answer was" if totals.lost == 1 else f"{totals.lost} answers were"
            terminalreporter.write_line(f"{what} lost; the records were looked up by their keys.")
        if totals.changed:
            fields = ", ".join(f"{name} ({number})" for name, number in totals.changed.items())
            terminalreporter.write_line(
                f"The portal holds other values than were sent: {fields}; --crm-verify strict fails for them."
            )
        if totals.refused:
            terminalreporter.write_line(
                f"{totals.refused} records were refused; details: {self._crm.settings.errors}", red=True
            )
        if totals.kept and totals.kept_privately:
            terminalreporter.write_line(
                f"{totals.kept} records were kept in a local portal that ended with this run; to look at "
                "them, start one with `crmseed portal` and give its address with --crm-base-url."
            )
        elif totals.kept:
            terminalreporter.write_line(
                f"{totals.kept} records are kept; remove them with: crmseed cleanup --run {self._crm.run_id}"
            )
        for run_id, number in totals.swept.items():
            what = "1 record" if number == 1 else f"{number} records"
            verb = "was" if number == 1 else "were"
            terminalreporter.write_line(f"{what} that run {run_id} had left {verb} removed first.")
        for trouble in dict.fromkeys(totals.sweeping):
            terminalreporter.write_line(
                f"An earlier run's records could not be removed: {trouble} Try `crmseed cleanup --all-mine`.",
                yellow=True,
            )
        for trouble in dict.fromkeys(totals.troubles):
            terminalreporter.write_line(f"Cleanup: {trouble}", red=True)
        for run_id, number in totals.left.items():
            what = f"{number} records are left" if number else "Records may be left"
            terminalreporter.write_line(f"{what}; remove them with: crmseed cleanup --run {run_id}", red=True)


def seeds_of(properties: Iterable[tuple[str, object]]) -> list[dict[str, object]]:
    """Return what a test report's properties tell of each seed: run, portal, records, requests, seconds."""
    seeds: list[dict[str, object]] = []
    for name, value in properties:
        if name == "crmseed_run":
            seeds.append({})
        if name.startswith("crmseed_") and seeds:
            seeds[-1][name.removeprefix("crmseed_")] = value
    return seeds


def seed_lines(properties: list[tuple[str, object]]) -> list[str]:
    """Return a line for each seed noted in a test report's properties."""
    return [
        f"  crmseed: {seed.get('records')} in {seed.get('portal')}, "
        f"{seed.get('requests')} requests, {seed.get('seconds')} s"
        for seed in seeds_of(properties)
    ]
