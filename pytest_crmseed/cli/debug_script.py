"""``crmseed debug-script``: one hardcoded record by raw HTTP, in a file of its own."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import click

from pytest_crmseed.cli import options
from pytest_crmseed.cli.completion import complete_objects
from pytest_crmseed.cli.kept import some_portal
from pytest_crmseed.cli.main import Loaded, with_settings
from pytest_crmseed.cli.script_text import Script, places
from pytest_crmseed.providers.base import Provider
from pytest_crmseed.providers.registry import load
from pytest_crmseed.schema.model import Schema
from pytest_crmseed.seeder import assemble
from pytest_crmseed.seeder.report import unwritable
from pytest_crmseed.seeder.target import Target
from pytest_crmseed.seeder.tracer import tracer


@click.command("debug-script", short_help="Write a script that makes one record by raw HTTP.")
@click.argument("object_type", metavar="OBJECT", shell_complete=complete_objects)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the script here (default: print it).",
)
@with_settings(
    **options.PORTAL,
    random_seed=options.DATA["random_seed"],
    base_date=options.DATA["base_date"],
    schema=options.DATA["schema"],
    locale=options.DATA["locale"],
    email_domain=options.DATA["email_domain"],
    api_version=options.DATA["api_version"],
    expire="When the record may be swept, if the script did not get to delete it",
    ledger="The ledger; the kept local portal and cached schemas lie beside it",
)
def debug_script(loaded: Loaded, object_type: str, output: Path | None) -> None:
    """Write a Python file that makes one valid record of OBJECT, prints all that is said, and deletes it.

    It needs `requests` and nothing of crmseed's: what it sends is exactly what a seed would. Change a
    value, run it, read the portal's own answer. Credentials come from the environment of the script, and
    are neither written into it nor printed. CRMSEED_BASE_URL leads it to another address, such as that of
    `crmseed portal`.
    """
    settings = loaded.settings
    provider = load(settings.provider)
    recipe = assemble.recipe_of(
        settings,
        random_seed=random.SystemRandom().randrange(2**32)
        if settings.random_seed is None
        else settings.random_seed,
        base_date=settings.base_date or date.today(),
    )
    with some_portal(loaded, provider, make=True) as address:
        target = assemble.open_by_settings(settings, provider, address, writing=False)
        try:
            shots = tracer(target, object_type, recipe, assemble.run_of(settings, assemble.make_run_id()))
            stands = places(provider.credentials)
            script = Script(
                shots,
                title=provider.title,
                base_url=_base_url(target, provider, stands),
                headers=target.provider.headers(stands),
                credentials=provider.credentials,
                secrets={
                    c.variable: address.credentials.get(c.variable, "")
                    for c in provider.credentials
                    if c.secret
                },
            ).text()
        finally:
            target.close()
    if output is None:
        click.echo(script, nl=False)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(script, encoding="utf-8")
    except OSError as error:
        raise unwritable(output, error) from error
    click.echo(f"{output}: makes and deletes {', '.join(shot.object_type for shot in shots)}. Run it with")
    click.echo(f"  {_variables(provider)} python {output}")


def _base_url(target: Target, provider: type[Provider], stands: dict[str, str]) -> str:
    if target.address.file is None:
        return target.address.base_url
    # The kept local portal's is another one each time: the script is written for the vendor's.
    return provider(Schema(provider.name, {})).base_url(stands)


def _variables(provider: type[Provider]) -> str:
    wanted = [c.variable for c in provider.credentials if c.required]
    secret = next((c.variable for c in provider.credentials if c.secret), "")
    return " ".join(f"{name}=…" for name in dict.fromkeys([*wanted, secret]) if name)
