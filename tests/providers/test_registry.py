"""Finding providers by name."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.providers import registry
from pytest_crmseed.providers.hubspot import HubSpot


def test_the_built_in_provider_is_found_by_its_entry_point() -> None:
    assert "hubspot" in registry.names()
    assert registry.load("hubspot") is HubSpot


def test_an_unknown_one_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownName) as unknown:
        registry.load("hubspto")
    assert str(unknown.value) == (
        f"unknown provider 'hubspto'; did you mean 'hubspot'? Valid: {', '.join(registry.names())}. "
        f"Others are "
        "installed as packages, through an entry point."
    )


@pytest.mark.parametrize("value", ["no_such_module_at_all:P", "json:NoSuchProvider"])
def test_one_that_cannot_be_imported_says_so(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    entry = metadata.EntryPoint("broken", value, registry.GROUP)

    def entry_points(**group: Any) -> list[metadata.EntryPoint]:
        return [entry]

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    with pytest.raises(UsageError) as broken:
        registry.load("broken")
    text = str(broken.value)
    assert text.startswith(f"provider 'broken' ({value}) cannot be loaded: ")
    assert text.endswith("Reinstall the distribution that provides it.")
