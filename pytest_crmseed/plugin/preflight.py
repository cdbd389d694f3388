"""Before the first test: evaluate our overridable fixtures, open the portals, check the guards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from pytest_crmseed.errors import CrmseedError, GuardRefused, UnknownName, UsageError
from pytest_crmseed.planning import Plan
from pytest_crmseed.plugin import marker
from pytest_crmseed.plugin.session import CrmSession
from pytest_crmseed.plugin.values import Values
from pytest_crmseed.records import Record
from pytest_crmseed.seeder.seeder import Engine


def preflight(crm: CrmSession, session: pytest.Session) -> None:
    """Open each portal that markers name, and check every guard against all of its seeds.

    Raises:
        CrmseedError: a guard refuses, or a portal cannot be opened; nothing was written.
    """
    by_provider: dict[str | None, list[pytest.Item]] = {}
    for item in session.items:
        if item.get_closest_marker(marker.NAME) is not None and item.get_closest_marker("skip") is None:
            by_provider.setdefault(marker.provider_of(item), []).append(item)
    # Under xdist nobody knows which test comes first, so nothing may stay set up.
    following = None if crm.worker else session.items[0]
    for provider, items in by_provider.items():
        values = values_of(items[0], following)
        if values is None:
            continue
        try:
            engine = crm.engine(values)
        except UnknownName:
            if provider is None:
                raise
            # The marker's own mistake: its tests fail at setup and say so.
            continue
        engine.check(plans_of(engine, items))


def plans_of(engine: Engine, items: Iterable[pytest.Item]) -> Iterator[Plan]:
    """Yield the plan of every seed that tests' markers ask for; one that several tests share comes once.

    Markers that are used wrongly are passed by: their tests fail at setup and say why.

    Raises:
        GuardRefused: a plan is too large; the text names its test.
    """
    known: set[tuple[str, str]] = set()
    for item in items:
        try:
            wider: dict[str, list[Record]] = {}
            for spec in marker.specs_of(item):
                if spec.provider not in (None, engine.target.provider.name) or not spec.counts:
                    continue
                plan = engine.plan(spec.counts, wider)
                identity = (marker.node_of(item, spec.scope), spec.identity)
                if identity not in known:
                    known.add(identity)
                    yield plan
                wider = {**wider, **stand_ins(plan)}
        except UsageError:
            continue
        except GuardRefused as refused:
            message = f"{item.nodeid}: {refused.message}"
            raise GuardRefused(refused.guard, message, remedy=refused.remedy) from None


def stand_ins(plan: Plan) -> dict[str, list[Record]]:
    """Return records that stand for a plan's in plans of narrower scopes."""
    return {
        step.object_type: [
            Record(object_type=step.object_type, index=i, id=f"<{step.object_type}[{i}].id>")
            for i in range(step.count)
        ]
        for step in plan.steps
    }


def values_of(item: pytest.Item, following: pytest.Item | None) -> Values | None:
    """Return what our overridable fixtures give for a test, without running any other of its fixtures.

    None for an item that is no Python test, or that is skipped. ``following`` is the item that is set up
    next, whose collectors stay set up.

    Raises:
        CrmseedError: a fixture fails or gives what cannot be used.
    """
    if not isinstance(item, pytest.Function) or item.parent is None:
        return None
    # A stand-in under the same parent sees the same overrides, and leaves the test itself untouched.
    stand_in = pytest.Function.from_parent(item.parent, name=item.name, callobj=_nothing)
    stand_in.own_markers[:] = item.own_markers
    stand_in.fixturenames[:] = ["_crm_values"]
    manager = item.config.pluginmanager
    # Only pytest's own set-up: a conftest's hooks may do anything, and are not asked.
    needed = [manager.get_plugin("runner"), manager.get_plugin("skipping")]
    others = [plugin for plugin in manager.get_plugins() if plugin not in needed]
    setup = manager.subset_hook_caller("pytest_runtest_setup", others)
    teardown = manager.subset_hook_caller("pytest_runtest_teardown", others)
    try:
        setup(item=stand_in)
        values = stand_in.funcargs["_crm_values"]
        assert isinstance(values, Values)
        return values
    except pytest.skip.Exception:
        return None
    except pytest.fail.Exception as failure:
        raise CrmseedError(str(failure.msg).removeprefix("crmseed: ")) from None
    except CrmseedError:
        raise
    except Exception as error:
        raise CrmseedError(
            f"a crm_* fixture for {item.nodeid} failed: {type(error).__name__}: {error}",
            remedy="It is an override in a conftest.py, or something it requests.",
        ) from error
    finally:
        teardown(item=stand_in, nextitem=following)


def _nothing() -> None:
    """Stand in for a test."""
