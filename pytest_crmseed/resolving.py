"""One setting: its name at each of its sources, and how the value that somebody gave is found and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pytest_crmseed import parsers
from pytest_crmseed.environment import PREFIX
from pytest_crmseed.errors import SettingsError
from pytest_crmseed.parsers import shortened, shown

Source = Literal["option", "environment", "dotenv", "ini"]
Type = Literal["bool", "int", "string"]

EVERYWHERE: frozenset[Source] = frozenset({"option", "environment", "dotenv", "ini"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One entry of the table; ``parse`` turns text into the value or raises ValueError with a sentence.

    ``type`` is pytest's name for what an ini file holds; ``cli``: the ``crmseed`` command has it too.
    ``blank_is_unset``: an empty variable counts as not given, because CI systems make one of every
    value they lack; not so for a guard, which would be gone without a word.
    """

    parse: Callable[[str], object]
    help: str
    name: str = ""
    default: object = None
    metavar: str = ""
    type: Type = "string"
    choices: tuple[str, ...] = ()
    sources: frozenset[Source] = EVERYWHERE
    cli: bool = True
    blank_is_unset: bool = True

    @property
    def flag(self) -> bool:
        """Whether it is a yes or no, an option without a value."""
        return self.type == "bool"

    @property
    def option(self) -> str:
        """The pytest option."""
        return f"--crm-{self.dashed}"

    @property
    def cli_option(self) -> str:
        """The option of the ``crmseed`` command."""
        return f"--{self.dashed}"

    @property
    def key(self) -> str:
        """The ini key, and the pytest option's ``dest``."""
        return f"crm_{self.name}"

    @property
    def variable(self) -> str:
        """The variable."""
        return f"{PREFIX}{self.name.upper()}"

    @property
    def dashed(self) -> str:
        """The name as options spell it."""
        return self.name.replace("_", "-")

    @property
    def title(self) -> str:
        """The name as prose spells it."""
        return self.name.replace("_", " ")

    @property
    def full_help(self) -> str:
        """The help text with the default, if there is one to tell."""
        told = self.default is not None and not self.flag
        return f"{self.help} (default: {shown(self.default)})" if told else self.help


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody wrote: the raw value, its source, the origin to show, and the words of an error."""

    raw: object
    source: Source
    origin: str
    assigned: str
    place: str


def find(
    setting: Setting,
    options: Mapping[str, object],
    environ: Mapping[str, str],
    dotenv: Mapping[str, str],
    ini: Mapping[str, object],
    ini_name: str,
    option_prefix: str,
) -> Given | None:
    """Return what the strongest source says of a setting, None where none says anything.

    Raises:
        SettingsError: only a source that the setting is not taken from says something.
    """
    option = f"{option_prefix}{setting.dashed}"
    raw = options.get(setting.name)
    if raw is not None:
        return Given(raw, "option", option, f"{option} ", "")
    variable, file = setting.variable, ini_name or "-o"
    others = (
        Given(environ.get(variable), "environment", variable, f"{variable}=", "the environment"),
        Given(dotenv.get(variable), "dotenv", f".env ({variable})", f"{variable}=", ".env"),
        Given(ini.get(setting.name), "ini", f"{file} ({setting.key})", f"{setting.key} = ", file),
    )
    for given in others:
        if given.raw is None or (not str(given.raw).strip() and setting.blank_is_unset):
            continue
        if given.source not in setting.sources:
            raise SettingsError(
                f"{setting.title} is not taken from {given.place}.",
                remedy=f"Give {option}, or {setting.variable} in the environment.",
            )
        return given
    return None


def parsed(setting: Setting, given: Given) -> object:
    """Return the value of what somebody wrote.

    Raises:
        SettingsError: it cannot be used; the text names it, its origin and the reason.
    """
    if setting.flag and isinstance(given.raw, bool):
        return given.raw
    written = str(given.raw)
    try:
        return setting.parse(written)
    except ValueError as error:
        # An address may hold a password that should not have been there.
        secret = setting.parse is parsers.origin_url and "@" in written
        safe = "…@" + written.rpartition("@")[2] if secret else written
        told = shortened(safe, quoted=not safe.strip() or not safe.isprintable())
        place = f" (from {given.place})" if given.place else ""
        raise SettingsError(f"{given.assigned}{told}{place}: {error}") from None
