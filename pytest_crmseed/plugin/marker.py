"""The marker ``crm_seed``: its signature, and how several of them on one test merge."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.planning import Count, as_count

NAME = "crm_seed"
SCOPES = ("session", "module", "class", "function")  # widest first


def crm_seed(
    *,
    provider: str | None = None,
    scope: str = "function",
    keep: bool = False,
    objects: Mapping[str, int | Count] | None = None,
    **counts: int | Count,
) -> Spec:
    """Return what one marker asks for; Python itself checks the arguments' names.

    Raises:
        UsageError: a value cannot be used.
    """
    if scope not in SCOPES:
        raise UnknownName("scope", str(scope), SCOPES)
    if provider is not None and not isinstance(provider, str):
        raise UsageError(f"provider takes a name, not {provider!r}.")
    if not isinstance(keep, bool):
        raise UsageError(f"keep takes True or False, not {keep!r}.")
    if objects is not None and not isinstance(objects, Mapping):
        raise UsageError(f'objects takes a mapping such as {{"2-123": 4}}, not {objects!r}.')
    twice = sorted(set(objects or ()) & set(counts))
    if twice:
        raise UsageError(f"{twice[0]!r} is asked for twice, in objects and by name; give one.")
    wanted = {**counts, **(objects or {})}
    return Spec(scope, provider, keep, {name: as_count(value, f"{name}=") for name, value in wanted.items()})


@dataclass(frozen=True)
class Spec:
    """What is to be seeded for one scope: counts by object type as the markers wrote them."""

    scope: str
    provider: str | None
    keep: bool
    counts: Mapping[str, Count] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """A text that is equal for equal specs, so that tests of one scope share one seed."""
        counts = ", ".join(f"{name}={value!r}" for name, value in sorted(self.counts.items()))
        return f"{self.scope} {self.provider} {self.keep} {counts}"


def line() -> str:
    """Return the text of ``pytest --markers``, made from the signature so that it cannot drift."""
    signature = inspect.signature(crm_seed).replace(return_annotation=inspect.Signature.empty)
    bare = signature.replace(
        parameters=[p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    )
    return (
        f"{NAME}{bare}: seed the CRM portal before the test, and remove the records afterward. "
        "Counts go by object type: deals=10, or deals=count(10, stage='closed_won'); "
        f"scope is {', '.join(reversed(SCOPES))}; objects takes names that are no identifiers."
    )


def spec_of(mark: pytest.Mark) -> Spec:
    """Return what a marker asks for.

    Raises:
        UsageError: it is used wrongly.
    """
    shown = f"@pytest.mark.{NAME}"
    if mark.args:
        raise UsageError(
            f"{shown} takes keywords only, such as {shown}(deals=10), not {mark.args[0]!r} by position."
        )
    try:
        return crm_seed(**mark.kwargs)
    except UsageError as error:
        raise UsageError(f"{shown}: {error.message}", remedy=error.remedy) from None


def merged(marks: Iterable[tuple[Any, pytest.Mark]]) -> list[Spec]:
    """Return the specs of a test, widest scope first, from its markers with their nodes, nearest first.

    Markers of one scope merge key by key, and the nearest wins; markers that differ in provider or
    keep stay apart, the nearest of them last.

    Raises:
        UsageError: a marker is used wrongly.
    """
    groups: dict[tuple[str, str | None, bool], dict[str, Count]] = {}
    for _, mark in marks:
        spec = spec_of(mark)
        group = groups.setdefault((spec.scope, spec.provider, spec.keep), {})
        for name, value in spec.counts.items():
            group.setdefault(name, value)
    specs = [Spec(*key, counts) for key, counts in groups.items()]
    specs.reverse()
    return sorted(specs, key=lambda spec: SCOPES.index(spec.scope))


def specs_of(item: pytest.Item) -> list[Spec]:
    """Return what a test's markers ask for, widest scope first.

    Raises:
        UsageError: a marker is used wrongly.
    """
    return merged(item.iter_markers_with_node(NAME))


def provider_of(item: pytest.Item) -> str | None:
    """Return the provider that the nearest marker names, or None."""
    for mark in item.iter_markers(NAME):
        provider = mark.kwargs.get("provider")
        if isinstance(provider, str):
            return provider
    return None


def node_of(item: pytest.Item, scope: str) -> str:
    """Return the node id of a test's scope; the session's is empty."""
    if scope == "session":
        return ""
    if scope == "function":
        return item.nodeid
    kind = pytest.Class if scope == "class" else pytest.Module
    parent = item.getparent(kind)
    if parent is None:
        # A test outside any class is a class of its own to pytest's scopes.
        return item.nodeid
    return parent.nodeid
