"""The command group, and how errors end a command."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import update_wrapper
from pathlib import Path
from typing import Any

import click

from pytest_crmseed._version import __version__
from pytest_crmseed.errors import (
    CleanupIncomplete,
    CrmseedError,
    GuardRefused,
    PortalError,
    RecordsRefused,
    SettingsError,
)
from pytest_crmseed.parsers import duration
from pytest_crmseed.providers.base import Provider
from pytest_crmseed.providers.registry import names
from pytest_crmseed.settings import (
    SETTINGS,
    Settings,
    credentials,
    read_dotenv,
    shown,
    unknown_variables,
)
from pytest_crmseed.suggest import nearest

EXIT_FAILED, EXIT_USAGE, EXIT_GUARD, EXIT_PORTAL = 1, 2, 3, 4
# What shells give a command that Ctrl-C ended.
EXIT_INTERRUPTED = 130


class Group(click.Group):
    """A group that suggests the nearest command, and turns our errors into exit codes."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or fail with a suggestion."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = nearest(args[0], self.list_commands(ctx)) if args else None
            if near and "Did you mean" not in error.message:
                text = f"{error.message.rstrip('.')}. Did you mean {near!r}?"
                raise click.UsageError(text, ctx) from None
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours is one paragraph on standard error and an exit code."""
        try:
            return super().invoke(ctx)
        except CrmseedError as error:
            fail(error)
            ctx.exit(exit_code(error))
        except KeyboardInterrupt as error:
            notes = " ".join(note.removeprefix("crmseed: ") for note in getattr(error, "__notes__", ()))
            fail(f"interrupted. {notes}".rstrip())
            ctx.exit(EXIT_INTERRUPTED)


def fail(error: CrmseedError | str) -> None:
    """Say on standard error what went wrong."""
    click.secho("crmseed:", fg="red", nl=False, err=True)
    click.echo(f" {sentence(error)}", err=True)


def warn(text: str) -> None:
    """Say on standard error what is worth knowing."""
    click.secho("crmseed:", fg="yellow", nl=False, err=True)
    click.echo(f" {sentence(text)}", err=True)


def sentence(error: CrmseedError | str) -> str:
    """Return an error's text with the options as this command spells them, without pytest's prefix."""
    return str(error).replace("--crm-", "--")


def exit_code(error: CrmseedError) -> int:
    """Return the exit code that an error stands for."""
    if isinstance(error, GuardRefused):
        return EXIT_GUARD
    if isinstance(error, PortalError):
        return EXIT_PORTAL
    if isinstance(error, CleanupIncomplete | RecordsRefused):
        return EXIT_FAILED
    return EXIT_USAGE


def time_span(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    """Return an option's value, such as 90m or 2h, as a time span, or fail with a usage error."""
    try:
        return None if value is None else duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


@dataclass(frozen=True)
class Loaded:
    """The settings of a command, and the ``.env`` they were read with."""

    settings: Settings
    dotenv: dict[str, str]


def found_credentials(loaded: Loaded, provider: type[Provider]) -> dict[str, str]:
    """Return a provider's credentials from the environment and ``.env``, by variable."""
    variables = [credential.variable for credential in provider.credentials]
    found = credentials(variables, os.environ, loaded.dotenv)
    return {name: secret.value for name, secret in found.items()}


def _completions(name: str) -> dict[str, Any]:
    from pytest_crmseed.cli.completion import complete_providers

    if name == "provider":
        return {"shell_complete": complete_providers}
    choices = SETTINGS[name].choices
    if choices:
        return {"shell_complete": lambda ctx, param, start: [c for c in choices if c.startswith(start)]}
    return {"type": click.Path()} if isinstance(SETTINGS[name].default, Path) else {}


def with_settings(**helps: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command options by setting name and help text, and hand it the loaded settings first."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        def run(**given: Any) -> Any:
            options = {name: given.pop(name) for name in helps}
            dotenv = read_dotenv(Path.cwd())
            for variables, where in ((os.environ, "the environment"), (dotenv, ".env")):
                for text in unknown_variables(variables, where=where, installed=names):
                    raise SettingsError(text)
            settings = Settings.load(options, os.environ, dotenv, root=Path.cwd(), option_prefix="--")
            return command(Loaded(settings, dotenv), **given)

        wrapped: Callable[..., Any] = update_wrapper(run, command)
        for name in reversed(helps):
            entry = SETTINGS[name]
            if entry.flag:
                # None where it is not given: the environment may say it, too.
                flag = click.option(
                    entry.cli_option, name, is_flag=True, default=None, help=f"{helps[name]}."
                )
                wrapped = flag(wrapped)
                continue
            default = "" if entry.default is None else f" (default: {shown(entry.default)})"
            text = f"{helps[name]}{default}."
            wrapped = click.option(
                entry.cli_option, name, metavar=entry.metavar, help=text, **_completions(name)
            )(wrapped)
        return wrapped

    return decorate


def color_of(environ: Mapping[str, str]) -> bool | None:
    """Return whether screens have colour whatever they are written to; None leaves it to that.

    ``NO_COLOR`` and ``FORCE_COLOR`` count where they are not empty, the former first (no-color.org).
    """
    if environ.get("NO_COLOR"):
        return False
    return True if environ.get("FORCE_COLOR") else None


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
    epilog="Exit status: 0 ok, 1 some records failed, 2 usage, 3 refused by a guard, 4 portal "
    "unreachable or unauthorised.",
)
@click.version_option(__version__, prog_name="crmseed", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Seed a CRM portal, look at it, and leave nothing behind.

    Works on a local portal kept in .crmseed/portal.sqlite, unless --target sandbox or --base-url says
    otherwise. Tests are seeded by pytest: see the option group "crmseed" of `pytest --help`.
    """
    ctx.color = color_of(os.environ)


def _add_commands() -> None:
    from pytest_crmseed.cli.cleanup import cleanup
    from pytest_crmseed.cli.debug_script import debug_script
    from pytest_crmseed.cli.doctor import doctor
    from pytest_crmseed.cli.plan import plan
    from pytest_crmseed.cli.portal import portal
    from pytest_crmseed.cli.providers import providers
    from pytest_crmseed.cli.runs import runs
    from pytest_crmseed.cli.schema import schema
    from pytest_crmseed.cli.seed import seed
    from pytest_crmseed.cli.setup import setup

    for command in (doctor, plan, seed, runs, cleanup, debug_script, portal, providers, schema, setup):
        main.add_command(command)


_add_commands()
