"""The pytest plugin: hooks, thin over the seeder. Imports the standard library and pytest only."""

from __future__ import annotations

import os
import random
from collections.abc import Generator
from datetime import date
from typing import Any

import pytest

from pytest_crmseed import settings as table
from pytest_crmseed.errors import CrmseedError, SettingsError
from pytest_crmseed.plugin import marker
from pytest_crmseed.plugin.fixtures import (
    _crm_seed,
    _crm_seeds_class,
    _crm_seeds_function,
    _crm_seeds_module,
    _crm_seeds_session,
    _crm_values,
    crm_client,
    crm_credentials,
    crm_factories,
    crm_locale,
    crm_portal,
    crm_provider,
    crm_random_seed,
    crm_records,
    crm_seeder,
)
from pytest_crmseed.plugin.session import SESSION, CrmSession, session_of

__all__ = [
    "_crm_seed",
    "_crm_seeds_class",
    "_crm_seeds_function",
    "_crm_seeds_module",
    "_crm_seeds_session",
    "_crm_values",
    "crm_client",
    "crm_credentials",
    "crm_factories",
    "crm_locale",
    "crm_portal",
    "crm_provider",
    "crm_random_seed",
    "crm_records",
    "crm_seeder",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare every setting as an option and an ini key."""
    group = parser.getgroup("crmseed", "crmseed: seed CRM sandbox portals")
    for option, keywords in table.pytest_options():
        group.addoption(option, **keywords)
    for key, text, kind in table.ini_keys():
        parser.addini(key, text, type=kind, default=None)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare our own hooks."""
    from pytest_crmseed.plugin import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def _providers() -> list[str]:
    # Only when a variable looks wrong: it reads the metadata of every installed distribution.
    from pytest_crmseed.providers.registry import names

    return names()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Resolve the settings; a wrong one is a usage error of one line."""
    config.addinivalue_line("markers", marker.line())
    handed: dict[str, Any] = getattr(config, "workerinput", {}).get("crmseed", {})
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    try:
        environ = dict(os.environ)
        dotenv = table.read_dotenv(config.rootpath)
        settings = _load(config, environ, dotenv)
        for variables, where in ((environ, "the environment"), (dotenv, ".env")):
            for sentence in table.unknown_variables(variables, where=where, installed=_providers):
                raise SettingsError(sentence)
    except CrmseedError as error:
        raise pytest.UsageError(str(error)) from None
    if settings.refresh_schema and not worker:
        from pytest_crmseed.seeder.schemas import cache_of

        cache_of(settings).forget()
    # Workers get what the controller chose, so that all make the same data in one run.
    seed = handed.get("random_seed", settings.random_seed)
    base_date = date.fromisoformat(handed["base_date"]) if handed else settings.base_date
    session = CrmSession(
        config,
        settings,
        dotenv,
        environ,
        run_id=handed.get("run_id"),
        random_seed=random.SystemRandom().randrange(2**32) if seed is None else seed,
        base_date=base_date or date.today(),
        worker=worker,
    )
    config.stash[SESSION] = session
    if settings.dry_run:
        # A dry run runs no test, so there is nothing to share out among workers.
        for option, value in (("dist", "no"), ("numprocesses", None), ("tx", [])):
            if hasattr(config.option, option):
                setattr(config.option, option, value)
    elif config.pluginmanager.hasplugin("xdist"):
        from pytest_crmseed.plugin.sharing import Controller, Worker

        config.pluginmanager.register(Worker(session) if worker else Controller(session), "crmseed-xdist")
    if not worker:
        from pytest_crmseed.plugin.reporting import Reporter

        config.pluginmanager.register(Reporter(session), "crmseed-reporter")
        # A run whose environment asks for no report does without importing what writes one.
        if settings.report is not None or environ.get("GITHUB_STEP_SUMMARY"):
            from pytest_crmseed.plugin.run_report import RunReport

            try:
                config.pluginmanager.register(RunReport(session), "crmseed-report")
            except CrmseedError as error:
                raise pytest.UsageError(str(error)) from None
    if config.pluginmanager.hasplugin("html") and getattr(config.option, "htmlpath", None):
        from pytest_crmseed.plugin.html import HtmlExtras

        config.pluginmanager.register(HtmlExtras(session), "crmseed-html")


def _load(config: pytest.Config, environ: dict[str, str], dotenv: dict[str, str]) -> table.Settings:
    options = {name: config.getoption(entry.key, None) for name, entry in table.SETTINGS.items()}
    ini_name = config.inipath.name if config.inipath else ""
    ini = table.read_ini(config.getini, ini_name, refusals=(pytest.UsageError,))
    return table.Settings.load(options, environ, dotenv, ini, ini_name=ini_name, root=config.rootpath)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have every marked test seeded before its other fixtures, whether or not it asks for one of ours."""
    for item in items:
        if item.get_closest_marker(marker.NAME) is None:
            continue
        names: list[str] | None = getattr(item, "fixturenames", None)
        if names is not None and "_crm_seed" not in names:
            names.insert(0, "_crm_seed")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse the marker on what has no fixtures, rather than run it unseeded."""
    if not hasattr(item, "fixturenames") and item.get_closest_marker(marker.NAME) is not None:
        pytest.fail(
            f"crmseed: {type(item).__name__} items take no fixtures, so @pytest.mark.{marker.NAME} cannot "
            "seed for them; mark a test function instead.",
            pytrace=False,
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Check the guards for all markers before the first test; or make the dry run instead."""
    crm = session_of(session.config)
    option = session.config.option
    # With --setup-plan pytest shows fixtures and runs none of them.
    idle = (
        option.collectonly
        or getattr(option, "setupplan", False)
        or (session.testsfailed and not option.continue_on_collection_errors)
    )
    if not idle and _concerned(session):
        if crm.settings.dry_run:
            from pytest_crmseed.plugin.dryrun import DryRun

            session.items, items = [], session.items
            result = yield
            if not DryRun(crm, session, items).run():
                session.testsfailed += 1
            return result
        from pytest_crmseed.plugin.preflight import preflight

        try:
            preflight(crm, session)
        except CrmseedError as error:
            if not crm.worker:
                raise pytest.UsageError(f"crmseed: {error}") from None
            # A worker's usage error would be lost on its way; its first seeded test tells instead.
            crm.refusal = error
    return (yield)


def _concerned(session: pytest.Session) -> bool:
    if session_of(session.config).settings.dry_run:
        return True
    # The controller of a parallel run has no items itself.
    return any(item.get_closest_marker(marker.NAME) is not None for item in session.items)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """Clean what is left, close everything; leftovers turn a green run red."""
    crm = session.config.stash.get(SESSION, None)
    if crm is None:
        return
    crm.close()
    if (crm.totals.left or crm.totals.troubles) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close what a run that ended early left open."""
    crm = config.stash.get(SESSION, None)
    if crm is not None:
        crm.close()
