"""``crmseed providers``: which CRMs there are, and what each signs in with."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import click

from pytest_crmseed.cli.tables import columns
from pytest_crmseed.errors import UsageError
from pytest_crmseed.providers.base import Credential
from pytest_crmseed.providers.registry import load, names


@click.command(short_help="List the CRMs, and what each signs in with.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def providers(as_json: bool) -> None:
    """List built-in and installed providers with the variables of their credentials.

    A sandbox takes the variables without brackets; those in brackets belong to other ways to sign in. A
    local portal takes none. CRMSEED_NAME wins over NAME, which belongs to the application.
    """
    emulated = _emulated()
    found = [_read(name, emulated) for name in names()]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    rows = [("provider", "title", "local portal", "API versions")]
    for entry in found:
        if "error" in entry:
            rows.append((entry["name"], "cannot be loaded", "", ""))
            continue
        versions = entry["api_versions"]
        shown = ", ".join(versions[:3]) + (", …" if len(versions) > 3 else "")
        rows.append((entry["name"], entry["title"], "yes" if entry["local_portal"] else "no", shown))
    for line in columns(rows):
        click.echo(line)
    for entry in found:
        click.echo("")
        if "error" in entry:
            click.secho(f"{entry['name']}: {entry['error']}", fg="red")
            continue
        click.secho(entry["title"], bold=True)
        for credential in entry["credentials"]:
            variable = credential["variable"] if credential["required"] else f"[{credential['variable']}]"
            click.echo(f"  {variable}" + (f": {credential['meaning']}" if credential["meaning"] else ""))


def _read(name: str, emulated: Collection[str]) -> dict[str, Any]:
    try:
        provider = load(name)
    except UsageError as error:
        return {"name": name, "error": str(error)}
    return {
        "name": name,
        "title": provider.title,
        "local_portal": name in emulated,
        "api_versions": list(provider.api_versions),
        "object_types": list(provider.legend.objects),
        "credentials": [_credential(credential) for credential in provider.credentials],
    }


def _credential(credential: Credential) -> dict[str, Any]:
    return {
        "variable": credential.variable,
        "secret": credential.secret,
        "required": credential.required,
        "meaning": credential.meaning,
    }


def _emulated() -> frozenset[str]:
    from pytest_crmseed.portal import LocalPortal

    portal = LocalPortal()
    try:
        return frozenset(portal.portal.apis)
    finally:
        portal.close()
