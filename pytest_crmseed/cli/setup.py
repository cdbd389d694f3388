"""``crmseed setup``: make the field for our unique key in a portal."""

from __future__ import annotations

import json
from dataclasses import dataclass

import click

from pytest_crmseed.cli.completion import complete_objects
from pytest_crmseed.cli.kept import known_portal
from pytest_crmseed.cli.main import EXIT_FAILED, Loaded, fail, sentence, with_settings
from pytest_crmseed.errors import PortalError, UsageError
from pytest_crmseed.providers.registry import load
from pytest_crmseed.seeder import assemble
from pytest_crmseed.seeder.target import Target


@dataclass(frozen=True)
class Step:
    """What became of one object type.

    ``state`` is "there", "not unique" (there), "made", "made, not unique", "in a text" (there can be none),
    "missing" (dry run) or "failed".
    """

    object_type: str
    state: str
    reason: str = ""


@click.command(short_help="Make the field for the unique key.")
@click.argument("object_types", nargs=-1, metavar="[OBJECT]...", shell_complete=complete_objects)
@click.option("--dry-run", is_flag=True, help="Say what would be made, and make nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(
    provider="The CRM to set up",
    target="The portal to set up: local or sandbox",
    base_url="The address of the portal",
    portal="Refuse every portal but the one with this id",
    allow_production="Allow exactly the portal with this id though it is not provably a sandbox",
    api_version="The version of the provider's API",
)
@click.pass_context
def setup(
    ctx: click.Context, loaded: Loaded, object_types: tuple[str, ...], dry_run: bool, as_json: bool
) -> None:
    """Make the unique field that marks records of ours, on each OBJECT (by default on all that need it).

    By it a record is found again whose creation got no answer, and after a crash without the ledger.
    It is made once for each portal; nothing else ever changes a portal's schema. The token needs the right
    to write schemas, which seeding itself does not.
    """
    settings = loaded.settings
    provider = load(settings.provider)
    none = UsageError(
        "there is no portal to set up: a local portal of a test run comes with the field.",
        remedy="Say --target sandbox, or give the address of a portal with --base-url.",
    )
    with known_portal(loaded, provider, none=none) as address:
        target = assemble.open_by_settings(settings, provider, address, writing=not dry_run)
        try:
            steps = _set_up(target, object_types, dry_run=dry_run)
        finally:
            target.close()
    if as_json:
        click.echo(json.dumps([step.__dict__ for step in steps], indent=2))
    else:
        _print(steps, target)
    if any(step.state == "failed" for step in steps):
        ctx.exit(EXIT_FAILED)


def _set_up(target: Target, wanted: tuple[str, ...], *, dry_run: bool) -> list[Step]:
    provider, connection = target.provider, target.connection
    names = [target.translator.canonical(name) for name in wanted or target.translator.schema.object_types]
    routes = connection.run(provider.key_routes(names))
    steps = []
    for name in dict.fromkeys(names):
        route = routes.get(name)
        if name in provider.capabilities.no_key_field:
            steps.append(Step(name, "in a text"))
            continue
        if route is not None and route.kind in ("unique", "field"):
            steps.append(Step(name, "there" if route.enforced else "not unique"))
        elif dry_run:
            steps.append(Step(name, "missing"))
        else:
            try:
                connection.run(provider.make_key(name))
                made = connection.run(provider.key_routes([name])).get(name)
            except PortalError as error:
                steps.append(Step(name, "failed", sentence(error)))
            else:
                steps.append(Step(name, "made" if made is not None and made.enforced else "made, not unique"))
    return steps


def _print(steps: list[Step], target: Target) -> None:
    field = target.provider.legend.key_field
    for state, sentence_ in (
        ("there", f"{field} is there already on"),
        ("not unique", f"{field} is there already, but not kept unique, on"),
        ("missing", f"{field} would be made on"),
        ("made", f"{field} was made on"),
        ("made, not unique", f"{field} was made, but this portal does not keep it unique, on"),
    ):
        names = [step.object_type for step in steps if step.state == state]
        if names:
            click.echo(f"{sentence_} {', '.join(names)} in {target.title}.")
    texts = [step.object_type for step in steps if step.state == "in a text"]
    if texts:
        click.echo(f"{', '.join(texts)} in {target.title} take no such field: a text holds the key.")
    for step in steps:
        if step.state == "failed":
            fail(f"{field} could not be made on {step.object_type}: {step.reason}")
