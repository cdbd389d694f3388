"""``crmseed schema``: read a portal's schema, keep it in a file, look at it, compare."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pytest_crmseed.cli.completion import complete_objects
from pytest_crmseed.cli.kept import some_portal
from pytest_crmseed.cli.main import Loaded, warn, with_settings
from pytest_crmseed.cli.schema_lines import described, listed
from pytest_crmseed.errors import UsageError
from pytest_crmseed.providers.registry import load
from pytest_crmseed.schema import catalog, documents
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder import assemble, schemas
from pytest_crmseed.seeder.assemble import SchemaUse
from pytest_crmseed.seeder.schemas import Chosen

_PORTAL = {
    "provider": "The CRM whose schema is read",
    "target": "Read the local portal's schema or a vendor's sandbox's",
    "base_url": "Read the portal at this address",
    "portal": "Refuse every portal but the one with this id",
    "api_version": "The version of the provider's API",
}
_LOOKING = {
    "schema": "Read this pulled schema instead of the portal",
    "refresh_schema": "Read the portal's schema anew, though it was read within the last day",
    **_PORTAL,
}

# What `schema diff` takes beside files.
LIVE, CACHED, BUNDLED = "live", "cached", "bundled"


@click.group(short_help="Read, show and compare a portal's schema.")
def schema() -> None:
    """Read a portal's schema, keep it in a file, show it, compare it."""


@schema.command(short_help="Read the schema and write it to a file.")
@with_settings(**_PORTAL)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("crm-schema.json"),
    show_default=True,
    help="The file to write.",
)
def pull(loaded: Loaded, output: Path) -> None:
    """Read the portal's schema live and write it to a file.

    With pytest's --crm-schema FILE, dry runs check records by it and the local portal has it.
    """
    found = _of_portal(loaded, "live").schema
    documents.write(found, output)
    fields = sum(len(object_type.fields) for object_type in found.object_types.values())
    custom = sum(1 for object_type in found.object_types.values() if object_type.custom)
    click.echo(
        f"{output}: {len(found.object_types)} object types ({custom} custom), {fields} fields, "
        f"of portal {found.portal_id}."
    )


@schema.command("list", short_help="List object types.")
@with_settings(**_LOOKING)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(loaded: Loaded, as_json: bool) -> None:
    """List object types with their number of fields, and say where that is known from."""
    chosen = _looked_at(loaded)
    if as_json:
        click.echo(
            json.dumps(
                {
                    name: {"fields": len(o.fields), "custom": o.custom, "type_id": o.type_id}
                    for name, o in chosen.schema.object_types.items()
                },
                indent=2,
            )
        )
        return
    click.echo(f"Schema: {chosen.told()}.")
    for line in listed(_translator(loaded, chosen)):
        click.echo(line)


@schema.command(short_help="Show an object type: fields, pipelines, association types.")
@with_settings(**_LOOKING)
@click.argument("object_type", shell_complete=complete_objects)
@click.option("--all", "everything", is_flag=True, help="Also fields that cannot be set.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(loaded: Loaded, object_type: str, everything: bool, as_json: bool) -> None:
    """Show OBJECT_TYPE: fields with type, options, and what is required, read-only or unique.

    OBJECT_TYPE is a neutral name (deals), the portal's own name, a label or a type id (0-3).
    """
    chosen = _looked_at(loaded)
    translator = _translator(loaded, chosen)
    canonical = translator.canonical(object_type)
    if as_json:
        name = translator.object_type(canonical).name
        click.echo(json.dumps(documents.document(chosen.schema)["object_types"][name], indent=2))
        return
    click.echo(f"Schema: {chosen.told()}.")
    for line in described(translator, canonical, everything=everything):
        click.echo(line)


@schema.command(short_help="Compare two schemas.")
@with_settings(**_PORTAL)
@click.argument("old", default=CACHED)
@click.argument("new", default=LIVE)
@click.pass_context
def diff(ctx: click.Context, loaded: Loaded, old: str, new: str) -> None:
    """Compare two schemas; exit status 1 if they differ.

    OLD and NEW are files that `schema pull` wrote, or one of the words cached, live and bundled.
    Without NEW it is the portal as it is now, without OLD what was read from it last.
    """
    before, after = _side(loaded, old), _side(loaded, new)
    lines = list(documents.differences(before.schema, after.schema))
    for line in lines:
        click.echo(line)
    if lines:
        ctx.exit(1)
    click.echo("No difference.")


def _side(loaded: Loaded, name: str) -> Chosen:
    provider = load(loaded.settings.provider)
    if name == LIVE:
        # Past the cache: that may be the other side.
        return _of_portal(loaded, "live")
    if name == BUNDLED:
        return Chosen(catalog.bundled(provider.name))
    if name == CACHED:
        chosen = schemas.offline(provider, loaded.settings)
        if chosen.schema.source != "cache":
            raise UsageError(
                "there is no cached schema to compare with.",
                remedy="Name a file of `crmseed schema pull`, or compare with `bundled`.",
            )
        return chosen
    return schemas.from_file(provider, Path(name))


def _looked_at(loaded: Loaded) -> Chosen:
    settings = loaded.settings
    if settings.schema is not None:
        chosen = schemas.from_file(load(settings.provider), settings.schema)
        _tell(chosen)
        return chosen
    return _of_portal(loaded, "refreshed" if settings.refresh_schema else "read")


def _of_portal(loaded: Loaded, use: SchemaUse) -> Chosen:
    settings = loaded.settings
    provider = load(settings.provider)
    with some_portal(loaded, provider) as address:
        # A local portal tells at once what it has, crmseed_key included.
        use = "live" if address.is_local else use
        target = assemble.open_by_settings(settings, provider, address, writing=False, schema=use)
        target.close()
    _tell(target.chosen)
    return target.chosen


def _tell(chosen: Chosen) -> None:
    for note in chosen.notes:
        warn(note)


def _translator(loaded: Loaded, chosen: Chosen) -> Translator:
    return Translator(load(loaded.settings.provider).legend, chosen.schema)
