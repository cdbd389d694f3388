"""What the environment and the file ``.env`` say: variables, and the credentials among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from pytest_crmseed.errors import SettingsError, UnknownName

PREFIX = "CRMSEED_"


def read_dotenv(root: Path) -> dict[str, str]:
    """Return the variables of the file ``.env`` in this directory; nothing is exported.

    A directory of that name is not looked into.

    Raises:
        SettingsError: the file cannot be read, or a line of it cannot be understood.
    """
    file = root / ".env"
    if not file.exists() or file.is_dir():
        return {}
    import io

    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        content = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"{file} cannot be read: {reason}.") from None
    for binding in parse_stream(io.StringIO(content)):
        if binding.error:
            # The line may hold a secret: its number is enough. The parser's is that of blank lines before it.
            read = binding.original.string
            blank_lines = read[: len(read) - len(read.lstrip())].count("\n")
            raise SettingsError(
                f"{file}, line {binding.original.line + blank_lines}: this is not NAME=value."
            )
    return {
        name: value for name, value in dotenv_values(stream=io.StringIO(content)).items() if value is not None
    }


@dataclass(frozen=True, slots=True)
class Secret:
    """One value of a credential and where it came from; never shown, in whatever way it is printed."""

    value: str = field(repr=False)
    origin: str


def credentials(
    variables: Sequence[str],
    environ: Mapping[str, str],
    dotenv: Mapping[str, str] = MappingProxyType({}),
    override: Mapping[str, str | None] = MappingProxyType({}),
) -> dict[str, Secret]:
    """Return those of a provider's variables that somebody gave.

    ``override`` (the fixture ``crm_credentials``) wins over the environment, that over ``.env``; in
    each of them ``CRMSEED_HUBSPOT_ACCESS_TOKEN`` wins over ``HUBSPOT_ACCESS_TOKEN``, which belongs
    to the application. An empty value counts as not given.

    Raises:
        UnknownName: ``override`` holds a name that looks like one of this provider's and is none.
        SettingsError: a value is no text or holds a line break; the text never shows it.
    """
    family = tuple({f"{variable.partition('_')[0]}_" for variable in variables})
    for name in override:
        if name not in variables and name.startswith(family):
            raise UnknownName("credential", name, variables, where="in crm_credentials")
    found = {}
    for variable in variables:
        prefixed = f"{PREFIX}{variable}"
        places: tuple[tuple[str, Mapping[str, str | None], str], ...] = (
            (variable, override, f"crm_credentials ({variable})"),
            (prefixed, environ, prefixed),
            (variable, environ, variable),
            (prefixed, dotenv, f".env ({prefixed})"),
            (variable, dotenv, f".env ({variable})"),
        )
        for name, place, origin in places:
            value = place.get(name)
            if value is None:
                continue
            if not isinstance(value, str):
                raise SettingsError(f"{origin} is {type(value).__name__}; a credential is text.")
            # A file or a paste leaves a line break at the end; inside, the HTTP client would print all of it.
            value = value.strip()
            if not value.isprintable():
                raise SettingsError(f"{origin} holds a line break or another control character.")
            if value:
                found[variable] = Secret(value, origin)
                break
    return found
