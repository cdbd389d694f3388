"""``pytest --crm-dry-run``: plan, validate, print requests and payloads; run no test, open no socket."""

from __future__ import annotations

from itertools import zip_longest

import pytest

from pytest_crmseed.errors import CrmseedError
from pytest_crmseed.plugin import marker
from pytest_crmseed.plugin.preflight import stand_ins, values_of
from pytest_crmseed.plugin.session import CrmSession
from pytest_crmseed.plugin.values import Values
from pytest_crmseed.records import Record
from pytest_crmseed.seeder.preview import Preview


class DryRun:
    """Print what every marked test would seed, each shared seed once."""

    def __init__(self, crm: CrmSession, session: pytest.Session, items: list[pytest.Item]) -> None:
        self._crm = crm
        self._session = session
        self._items = items
        self._previews: dict[str, Preview] = {}
        self._problems = 0
        terminal: pytest.TerminalReporter | None = session.config.pluginmanager.get_plugin("terminalreporter")
        self._terminal = terminal

    def run(self) -> bool:
        """Print all plans; return whether every one of them is valid."""
        self._write("")
        known: dict[tuple[str, str], None] = {}
        uncovered = []
        for item in self._items:
            if "crm_seeder" in getattr(item, "fixturenames", ()):
                uncovered.append(item.nodeid)
        marked = [item for item in self._items if item.get_closest_marker(marker.NAME) is not None]
        for item, following in zip_longest(marked, marked[1:]):
            try:
                # Overrides of the session or a module are set up once, for all that share them.
                values = values_of(item, following)
                if values is not None:
                    self._item(item, values, known)
            except CrmseedError as error:
                self._refuse(item.nodeid, error)
        self._summary(uncovered)
        return self._problems == 0

    def _item(self, item: pytest.Item, values: Values, known: dict[tuple[str, str], None]) -> None:
        wider: dict[str, list[Record]] = {}
        for spec in marker.specs_of(item):
            if not spec.counts:
                continue
            preview = self._preview(spec.provider or values.provider)
            plan = preview.plan(spec.counts, wider)
            self._crm.config.hook.pytest_crmseed_plan(config=self._crm.config, item=item, plan=plan)
            node = marker.node_of(item, spec.scope)
            identity = (node, spec.identity)
            if identity not in known:
                known[identity] = None
                title = item.nodeid if spec.scope == "function" else f"{spec.scope} {node}".rstrip()
                lines = preview.render(plan, self._crm.recipe(values), node=node, wider=wider)
                self._write(title, bold=True)
                for line in lines:
                    self._write(f"  {line}")
            wider = {**wider, **stand_ins(plan)}

    def _preview(self, provider: str) -> Preview:
        if provider not in self._previews:
            self._previews[provider] = Preview(
                provider, self._crm.settings, full=self._crm.settings.dry_run_full
            )
            self._write(self._previews[provider].heading)
            for note in self._previews[provider].chosen.notes:
                self._write(note, yellow=True)
        return self._previews[provider]

    def _refuse(self, nodeid: str, error: CrmseedError) -> None:
        self._problems += 1
        self._write(nodeid, bold=True)
        self._write(f"  {error}", red=True)

    def _summary(self, uncovered: list[str]) -> None:
        for nodeid in uncovered:
            self._write(f"not covered: {nodeid} seeds while it runs (crm_seeder)")
        previews = self._previews.values()
        seeds = sum(preview.seeds for preview in previews)
        records = sum(preview.records for preview in previews)
        writes = sum(preview.cost.writes for preview in previews)
        reads = sum(preview.cost.reads for preview in previews)
        cleanup = sum(preview.cost.cleanup for preview in previews)
        tokens = sum(preview.cost.tokens for preview in previews)
        back = f", {reads} to read them back" if reads else ""
        price = f" ({tokens:,} tokens of the daily budget)" if tokens else ""
        verdict = f"{self._problems} of the plans cannot be seeded" if self._problems else "all valid"
        self._write(
            f"dry run: {seeds} seeds, {records} records, {writes} requests to create{back} and {cleanup} to "
            f"remove them{price}; {verdict}. Nothing was sent.",
            red=bool(self._problems),
            green=not self._problems,
        )

    def _write(self, text: str, **markup: bool) -> None:
        if self._terminal is not None:
            self._terminal.write_line(text, **markup)
