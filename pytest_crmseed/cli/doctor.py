"""``crmseed doctor``: whether a portal can be seeded, and what stands in the way."""

from __future__ import annotations

import json
import shutil

import click

from pytest_crmseed.cli import options
from pytest_crmseed.cli.checks_here import here
from pytest_crmseed.cli.checks_portal import portal_findings
from pytest_crmseed.cli.completion import complete_objects
from pytest_crmseed.cli.findings import State, exit_code_of, lines
from pytest_crmseed.cli.main import Loaded, with_settings
from pytest_crmseed.cli.tables import plural

_WIDEST = 100


@click.command(short_help="Check whether a portal can be seeded.")
@click.argument("object_types", nargs=-1, metavar="[OBJECT]...", shell_complete=complete_objects)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(
    **options.PORTAL,
    schema=options.DATA["schema"],
    refresh_schema=options.DATA["refresh_schema"],
    api_version=options.DATA["api_version"],
    rate=options.DATA["rate"],
    errors="The file of refused records",
    ledger="The ledger that the test runs write",
)
@click.pass_context
def doctor(ctx: click.Context, loaded: Loaded, object_types: tuple[str, ...], as_json: bool) -> None:
    """Check everything that seeding OBJECT (by default all that the provider knows) depends on.

    Asks the portal who it is and what the token may do, looks at the clock, the schema and the ledger, and
    changes nothing. Each line is ok, warn or fail; what to do stands below it. The exit status is that of
    what fails: 1, 2 settings, 3 a guard, 4 the portal or the token. Warnings leave it at 0.
    """
    findings = [*portal_findings(loaded, object_types), *here(loaded)]
    code = exit_code_of(findings)
    if as_json:
        told = [
            {"check": f.check, "state": str(f.state), "text": f.text, "remedy": f.remedy} for f in findings
        ]
        click.echo(json.dumps({"exit_code": code, "checks": told}, indent=2))
        ctx.exit(code)
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    for line in lines(findings, width):
        click.echo(line)
    failed = sum(1 for finding in findings if finding.state is State.FAIL)
    warned = sum(1 for finding in findings if finding.state is State.WARN)
    if failed:
        click.secho(f"{plural(failed, 'check')} failed.", fg="red")
    elif warned:
        click.secho(f"Ready to seed; {plural(warned, 'warning')}.", fg="yellow")
    else:
        click.secho("Ready to seed.", fg="green")
    ctx.exit(code)
