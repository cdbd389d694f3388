"""Find providers: the built-in ones, and those installed through the entry-point group."""

from __future__ import annotations

from importlib import metadata

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.providers.base import Provider
from pytest_crmseed.schema.catalog import GROUP


def names() -> list[str]:
    """Return the names of all installed providers, sorted."""
    return sorted({entry.name for entry in metadata.entry_points(group=GROUP)})


def load(name: str) -> type[Provider]:
    """Return the provider class of this name.

    Raises:
        UnknownName: no installed distribution provides it.
        UsageError: it is installed and cannot be imported.
    """
    for entry in metadata.entry_points(group=GROUP):
        if entry.name == name:
            try:
                provider: type[Provider] = entry.load()
            except (ImportError, AttributeError) as error:
                raise UsageError(
                    f"provider {name!r} ({entry.value}) cannot be loaded: {error}.",
                    remedy="Reinstall the distribution that provides it.",
                ) from error
            return provider
    raise UnknownName(
        "provider", name, names(), remedy="Others are installed as packages, through an entry point."
    )
