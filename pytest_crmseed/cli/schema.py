"""``crmseed schema``: read a portal's schema, keep it in a file, look at it, compare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pytest_crmseed.cli.main import Loaded, found_credentials, with_settings
from pytest_crmseed.providers.registry import load
from pytest_crmseed.schema import documents
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Field, ObjectType, Schema
from pytest_crmseed.seeder import assemble, schemas
from pytest_crmseed.seeder.target import Address

_PORTAL = {
    "provider": "The CRM whose schema is read",
    "target": "Read the local portal's schema or a vendor's sandbox's",
    "base_url": "Read the portal at this address",
    "portal": "Refuse every portal but the one with this id",
    "api_version": "The version of the provider's API",
}


_from_file = click.option(
    "--schema",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read this pulled schema instead of the portal.",
)


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
    """Read the portal's schema live and write it to a file, to look at and compare later."""
    found = _live(loaded)
    documents.write(found, output)
    fields = sum(len(object_type.fields) for object_type in found.object_types.values())
    click.echo(
        f"{output}: {len(found.object_types)} object types, {fields} fields, of portal {found.portal_id}."
    )


@schema.command("list", short_help="List object types.")
@_from_file
@with_settings(**_PORTAL)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(loaded: Loaded, file: Path | None, as_json: bool) -> None:
    """List object types with their number of fields."""
    found = _given(loaded, file)
    if as_json:
        click.echo(json.dumps({name: len(o.fields) for name, o in found.object_types.items()}, indent=2))
        return
    for name, object_type in found.object_types.items():
        custom = sum(1 for field in object_type.fields.values() if field.custom)
        click.echo(f"{name:<16} {len(object_type.fields):>4} fields, {custom} custom")


@schema.command(short_help="Show the fields of an object type.")
@_from_file
@with_settings(**_PORTAL)
@click.argument("object_type")
@click.option("--all", "everything", is_flag=True, help="Also fields that cannot be set.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(loaded: Loaded, file: Path | None, object_type: str, everything: bool, as_json: bool) -> None:
    """Show the fields of OBJECT_TYPE with type, options, and what is required or read-only."""
    found = _given(loaded, file)
    translator = Translator(load(loaded.settings.provider).legend, found)
    canonical = translator.canonical(object_type)
    definition = translator.object_type(canonical)
    if as_json:
        click.echo(json.dumps(documents.document(found)["object_types"][definition.name], indent=2))
        return
    for line in _lines(translator, canonical, definition, everything):
        click.echo(line)


@schema.command(short_help="Compare two schemas.")
@with_settings(**_PORTAL)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path), required=False)
@click.pass_context
def diff(ctx: click.Context, loaded: Loaded, old: Path, new: Path | None) -> None:
    """Compare the schema file OLD with the file NEW, or with the portal; exit status 1 if they differ."""
    before = documents.read(old, provider=loaded.settings.provider)
    after = documents.read(new, provider=loaded.settings.provider) if new else _live(loaded)
    lines = list(documents.differences(before, after))
    for line in lines:
        click.echo(line)
    if lines:
        ctx.exit(1)
    click.echo("No difference.")


def _given(loaded: Loaded, file: Path | None) -> Schema:
    if file is not None:
        return documents.read(file, provider=loaded.settings.provider)
    return _live(loaded)


def _live(loaded: Loaded) -> Schema:
    settings = loaded.settings
    provider = load(settings.provider)
    with _address(loaded) as address:
        target = assemble.open_by_settings(settings, provider, address, writing=False)
        try:
            return schemas.live(target)
        finally:
            target.close()


@contextmanager
def _address(loaded: Loaded) -> Iterator[Address]:
    provider = load(loaded.settings.provider)
    address = assemble.outside_address(loaded.settings, provider, found_credentials(loaded, provider))
    if address is not None:
        yield address
        return
    from pytest_crmseed.portal import LocalPortal

    with LocalPortal() as portal:
        yield assemble.address_of(portal, provider)


def _lines(translator: Translator, name: str, definition: ObjectType, everything: bool) -> Iterator[str]:
    fields = [field for field in definition.fields.values() if everything or not field.read_only]
    width = max((len(field.name) for field in fields), default=0)
    required = {field for group in definition.required_any if len(group) == 1 for field in group}
    yield f"{definition.plural} ({definition.name}), {len(fields)} fields"
    for field in sorted(fields, key=lambda field: field.name):
        notes = [str(field.kind), *_notes(field, required)]
        neutral = translator.neutral_home(name, field.name)
        if neutral and neutral != field.name:
            notes.append(f"neutral name {neutral}")
        yield f"  {field.name.ljust(width)}  {', '.join(notes)}"
    for group in definition.required_any:
        if len(group) > 1:
            yield f"One of {', '.join(group)} is required."
    for pipeline in definition.pipelines:
        stages = ", ".join(f"{stage.id} ({stage.label})" for stage in pipeline.stages)
        yield f"Pipeline {pipeline.id} ({pipeline.label}): {stages}"


def _notes(field: Field, required: set[str]) -> Iterator[str]:
    if field.name in required or field.required:
        yield "required"
    if field.read_only:
        yield "read-only"
    if field.unique:
        yield "unique"
    if field.custom:
        yield "custom"
    if field.external:
        yield f"options: {field.external}"
    elif field.options:
        values = [option.value for option in field.options if not option.hidden]
        yield f"options: {', '.join(values[:8])}" + (
            f" and {len(values) - 8} more" if len(values) > 8 else ""
        )
