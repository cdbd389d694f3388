"""One table of settings: options, ini keys, variables and help derive from it; values know their origin.

A setting ``x_y`` is the pytest option ``--crm-x-y``, the command line's ``--x-y``, the variable
``CRMSEED_X_Y`` (environment or ``.env``) and the ini key ``crm_x_y``. An option wins over the
environment, that over ``.env``, that over the ini file, that over the default.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from pytest_crmseed import parsers
from pytest_crmseed.environment import PREFIX, Secret, credentials, read_dotenv
from pytest_crmseed.errors import SettingsError, UnknownName
from pytest_crmseed.parsers import duration_text, shown
from pytest_crmseed.resolving import EVERYWHERE, Setting, Source, Type, find, parsed
from pytest_crmseed.suggest import nearest

__all__ = [
    "SETTINGS",
    "Secret",
    "Setting",
    "Settings",
    "Value",
    "credentials",
    "duration_text",
    "header_line",
    "ini_keys",
    "pytest_options",
    "read_dotenv",
    "read_ini",
    "shown",
    "unknown_variables",
]

T = TypeVar("T")

Target = Literal["local", "sandbox"]
OnError = Literal["undo", "keep-good"]
Verify = Literal["presence", "strict", "off"]

TARGETS: tuple[Target, ...] = ("local", "sandbox")
ON_ERROR: tuple[OnError, ...] = ("undo", "keep-good")
VERIFY: tuple[Verify, ...] = ("presence", "strict", "off")
PROVIDERS = ("hubspot", "salesforce", "pipedrive", "odoo")
DEFAULT = "default"


# -- the table ------------------------------------------------------------------------------------


def _setting(
    default: T,
    parse: Callable[[str], T],
    help: str,
    metavar: str = "",
    *,
    type: Type = "string",
    choices: tuple[str, ...] = (),
    sources: frozenset[Source] = EVERYWHERE,
    cli: bool = True,
    blank_is_unset: bool = True,
) -> T:
    setting = Setting(
        parse=parse,
        help=help,
        default=default,
        metavar=metavar or "|".join(choices),
        type=type,
        choices=choices,
        sources=sources,
        cli=cli,
        blank_is_unset=blank_is_unset,
    )
    return field(default=default, metadata={"setting": setting})


@dataclass(frozen=True, slots=True)
class Value:
    """A setting's value and where it came from: ``--crm-count``, ``CRMSEED_COUNT``, ``default``, …"""

    value: object
    origin: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a run. Each field is an entry of the table; ``origins`` names those not default.

    Paths that :meth:`load` returns are absolute. ``random_seed`` and ``base_date`` are None until
    the run picks its own, see :meth:`chosen`.
    """

    provider: str = _setting(
        "hubspot", parsers.text, "The CRM to seed: a built-in provider or an installed one", "NAME"
    )
    target: Target = _setting(
        "local",
        parsers.one_of(TARGETS),
        "Seed the built-in local portal or a vendor's sandbox; credentials never choose it",
        choices=TARGETS,
    )
    base_url: str | None = _setting(
        None,
        parsers.origin_url,
        "Seed the portal at this address: a running local portal, or a sandbox behind it; by default "
        "the local portal is started and a sandbox is found at its vendor's address",
        "URL",
    )
    portal: str | None = _setting(
        None,
        parsers.text,
        "Refuse every portal but the one with this id before anything is written; by default "
        "any portal that is provably a sandbox is taken",
        "ID",
        blank_is_unset=False,
    )
    allow_production: str | None = _setting(
        None,
        parsers.text,
        "Allow exactly the portal with this id though it is not provably a sandbox; by default "
        "such a portal is refused. Only as an option or in the environment",
        "ID",
        sources=frozenset({"option", "environment"}),
    )
    dry_run: bool = _setting(
        False,
        parsers.truth,
        "Plan, validate and print a sample of requests and payloads, run no test, open no connection",
        type="bool",
    )
    dry_run_full: bool = _setting(
        False,
        parsers.truth,
        "Like the dry run, and print every request and payload instead of a sample",
        type="bool",
    )
    count: int | None = _setting(
        None,
        parsers.whole(1, 1_000_000),
        "Tracer bullet: seed at most this many records of each object type; by default as many as asked for",
        "N",
        type="int",
    )
    on_error: OnError = _setting(
        "undo",
        parsers.one_of(ON_ERROR),
        "When a record is refused, undo the seed, or keep the good records; the test fails either way",
        choices=ON_ERROR,
    )
    verify: Verify = _setting(
        "presence",
        parsers.one_of(VERIFY),
        "Read seeded records back: an absent record or a dropped value fails the seed, with strict a value "
        "that the portal changed, too",
        choices=VERIFY,
    )
    empty_bin: bool = _setting(
        False,
        parsers.truth,
        "Take what is removed out of the CRM's recycle bin, too (Salesforce)",
        type="bool",
    )
    keep: bool = _setting(
        False,
        parsers.truth,
        "Leave the seeded records in the portal; the summary prints the command that removes them",
        type="bool",
        cli=False,
    )
    keep_for: timedelta = _setting(
        timedelta(days=1),
        parsers.duration,
        "How long kept records may stay; given on the command line, it keeps them",
        "TIME",
    )
    expire: timedelta = _setting(
        timedelta(hours=2),
        parsers.duration,
        "When a run that gives no more sign of life may be swept from elsewhere",
        "TIME",
    )
    random_seed: int | None = _setting(
        None,
        parsers.whole(0, 2**64 - 1),
        "Make the same data again; by default a new number, which the header prints",
        "N",
        type="int",
    )
    base_date: date | None = _setting(
        None, parsers.day, "The day that generated dates are counted from; by default today", "YYYY-MM-DD"
    )
    errors: Path = _setting(
        Path(".crmseed/crm-errors.jsonl"),
        parsers.path,
        "Write refused records and what the portal said here",
        "PATH",
    )
    report: Path | None = _setting(
        None,
        parsers.path,
        "Write a report of the run here, as JSON; by default none is written",
        "PATH",
    )
    ledger: Path = _setting(
        Path(".crmseed/ledger.sqlite"),
        parsers.path,
        "Write down here what was made, so that it is cleaned up",
        "PATH",
    )
    max_records: int = _setting(
        10_000, parsers.whole(0, 100_000_000), "Refuse to seed more records than this", "N", type="int"
    )
    schema: Path | None = _setting(
        None,
        parsers.path,
        "Check records by this schema file of `crmseed schema pull`, which the local portal then has too; "
        "by default by the portal's own schema, which is read once a day, or the bundled snapshot",
        "FILE",
    )
    refresh_schema: bool = _setting(
        False,
        parsers.truth,
        "Forget the schemas that were read from portals, and read them anew",
        type="bool",
        sources=frozenset({"option", "environment"}),
    )
    rate: str | None = _setting(
        None,
        parsers.rate,
        "Send at most N requests in SECONDS, or P% of what the portal allows; by default "
        "as fast as the portal allows",
        "N/SECONDS|P%",
    )
    batch_size: int | None = _setting(
        None,
        parsers.whole(1, 10_000),
        "Send at most this many records in one request; by default as many as the portal takes well",
        "N",
        type="int",
    )
    locale: str = _setting(
        "en_US", parsers.locale_name, "The language and country of generated names and addresses", "NAME"
    )
    email_domain: str | None = _setting(
        None,
        parsers.domain,
        "The domain of generated e-mail addresses; by default a subdomain of example.com of the run's own",
        "DOMAIN",
    )
    api_version: str | None = _setting(
        None,
        parsers.text,
        "The version of the provider's API; by default the newest that is known well",
        "VERSION",
    )
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def load(
        cls,
        options: Mapping[str, object],
        environ: Mapping[str, str],
        dotenv: Mapping[str, str] = MappingProxyType({}),
        ini: Mapping[str, object] = MappingProxyType({}),
        *,
        ini_name: str = "",
        root: Path | None = None,
        option_prefix: str = "--crm-",
    ) -> Settings:
        """Resolve every setting: option, then environment, ``.env``, ini file, default.

        ``options`` and ``ini`` go by setting name and hold text as it was written, a truth value or
        a number, or None where nothing was given. ``ini_name`` is the ini file's name ("pytest.ini").
        Relative paths count from the working directory where an option or the environment gave
        them, else from ``root``.

        Raises:
            SettingsError: a value cannot be used; the text names it, its origin and the reason.
        """
        values: dict[str, object] = {}
        origins: dict[str, str] = {}
        here, base = Path.cwd(), root or Path.cwd()
        for setting in SETTINGS.values():
            given = find(setting, options, environ, dotenv, ini, ini_name, option_prefix)
            value = setting.default
            if given is not None:
                value = parsed(setting, given)
                origins[setting.name] = given.origin
            if isinstance(value, Path):
                near = given is not None and given.source in {"option", "environment"}
                value = (here if near else base) / value
            values[setting.name] = value
        if values["dry_run_full"] and not values["dry_run"]:
            values["dry_run"], origins["dry_run"] = True, origins["dry_run_full"]
        # Only on the command line: in a file it says how long, and must not leave every run's records.
        if options.get("keep_for") is not None and "keep" not in origins:
            values["keep"], origins["keep"] = True, origins["keep_for"]
        loaded: dict[str, Any] = {**values, "origins": MappingProxyType(origins)}
        return cls(**loaded)

    def origin(self, name: str) -> str:
        """Return where a setting's value came from; ``default`` if nobody gave one.

        Raises:
            UnknownName: there is no such setting.
        """
        if name not in SETTINGS:
            raise UnknownName("setting", name, SETTINGS)
        return self.origins.get(name, DEFAULT)

    def value(self, name: str) -> Value:
        """Return a setting's value and origin by name.

        Raises:
            UnknownName: there is no such setting.
        """
        return Value(origin=self.origin(name), value=getattr(self, name))

    def chosen(self, origin: str, **values: object) -> Settings:
        """Return these settings with other values; ``origin`` says who chose them.

        Raises:
            UnknownName: there is no such setting.
        """
        for name in values:
            self.origin(name)
        changes: dict[str, Any] = {**values, "origins": {**self.origins, **dict.fromkeys(values, origin)}}
        return dataclasses.replace(self, **changes)


def _table() -> Iterator[tuple[str, Setting]]:
    for entry in dataclasses.fields(Settings):
        if "setting" in entry.metadata:
            setting: Setting = entry.metadata["setting"]
            yield entry.name, dataclasses.replace(setting, name=entry.name)


SETTINGS: Mapping[str, Setting] = MappingProxyType(dict(_table()))
"""The table by name, in the order of the help texts."""


# -- what the plugin and the command line are made of ----------------------------------------------


def pytest_options() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every pytest option with the keyword arguments of ``addoption``.

    A value is checked while the command line is read, and stays text: options travel to xdist's
    workers as they are.
    """
    for setting in SETTINGS.values():
        keywords: dict[str, Any] = {
            "dest": setting.key,
            "default": None,
            "help": setting.full_help.replace("%", "%%"),
        }
        if setting.flag:
            keywords["action"] = "store_true"
        else:
            keywords |= {"metavar": setting.metavar, "type": _checked(setting)}
        yield setting.option, keywords


def _checked(setting: Setting) -> Callable[[str], str]:
    def check(written: str) -> str:
        try:
            setting.parse(written)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return written

    return check


def ini_keys() -> Iterator[tuple[str, str, Type]]:
    """Yield every ini key with its help text and pytest's name for its type; its default is None."""
    for setting in SETTINGS.values():
        if "ini" in setting.sources:
            yield setting.key, setting.full_help, setting.type


def read_ini(
    getini: Callable[[str], object], ini_name: str, *, refusals: tuple[type[Exception], ...] = ()
) -> dict[str, object]:
    """Return what the ini file holds by setting name, read with pytest's ``config.getini``.

    ``refusals`` are the exceptions by which pytest refuses a value, beside TypeError and ValueError.

    Raises:
        SettingsError: pytest refuses a value of the wrong type.
    """
    caught: tuple[type[Exception], ...] = (TypeError, ValueError, *refusals)
    found: dict[str, object] = {}
    for setting in SETTINGS.values():
        if "ini" not in setting.sources:
            continue
        try:
            found[setting.name] = getini(setting.key)
        except caught as error:
            kind = {"bool": "true or false", "int": "a whole number", "string": "text"}[setting.type]
            raise SettingsError(
                f"{setting.key} (from {ini_name or '-o'}): it takes {kind} ({str(error).rstrip('.')})."
            ) from error
    return found


def unknown_variables(
    variables: Mapping[str, str],
    *,
    where: str = "the environment",
    providers: Iterable[str] = PROVIDERS,
    installed: Callable[[], Iterable[str]] = tuple,
) -> list[str]:
    """Return a sentence for every ``CRMSEED_`` variable that is no setting but looks like one.

    Variables of the ``providers`` (``CRMSEED_HUBSPOT_…``) are credentials, and are passed by; so are
    those of the ``installed`` ones, which are asked for only where a variable looks wrong.
    """
    known = [setting.variable.removeprefix(PREFIX) for setting in SETTINGS.values()]
    suspects = {}
    for variable in sorted(variables):
        name = variable.removeprefix(PREFIX)
        if name == variable or name in known or _of_any(name, providers):
            continue
        near = nearest(name, known)
        if near:
            suspects[variable] = near
    others = installed() if suspects else ()
    return [
        f"{variable} (in {where}) is not a setting; did you mean {PREFIX}{near}?"
        for variable, near in suspects.items()
        if not _of_any(variable.removeprefix(PREFIX), others)
    ]


def _of_any(name: str, providers: Iterable[str]) -> bool:
    return name.startswith(tuple(f"{provider.upper().replace('-', '_')}_" for provider in providers))


def header_line(settings: Settings) -> str:
    """Return one line that names the provider, the target and what is not default, with its origin."""
    parts = []
    for name, setting in SETTINGS.items():
        value, origin = getattr(settings, name), settings.origin(name)
        if origin == DEFAULT and name not in {"provider", "target"}:
            continue
        said = setting.title if value is True else f"{setting.title} {shown(value)}"
        # "pytest.ini (crm_count)" → "(pytest.ini: crm_count)"
        place = origin.replace(" (", ": ").removesuffix(")")
        parts.append(said if origin == DEFAULT else f"{said} ({place})")
    return "crmseed: " + ", ".join(parts)
