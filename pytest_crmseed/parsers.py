"""Parsers of settings: text as somebody wrote it → value; ValueError with a sentence that says why not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from pytest_crmseed.suggest import did_you_mean

Name = TypeVar("Name", bound=str)


def text(written: str) -> str:
    """Return the text without the space around it; refuse nothing at all."""
    value = written.strip()
    if not value:
        raise ValueError("it is empty.")
    return value


def truth(written: str) -> bool:
    """Return what a yes or no says: 1, true, yes, on; 0, false, no, off."""
    word = written.strip().casefold()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError(
        f"{shortened(written)} is neither yes nor no; write 1, true, yes or on, or 0, false, no or off."
    )


def one_of(names: tuple[Name, ...]) -> Callable[[str], Name]:
    """Return a parser for one of these names."""

    def parse(written: str) -> Name:
        word = written.strip().casefold()
        for name in names:
            if name == word:
                return name
        raise ValueError(f"there is no {shortened(written)}{did_you_mean(word, names)}")

    return parse


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return a parser for a whole number between these two, both included."""

    def parse(written: str) -> int:
        digits = written.strip()
        if not re.fullmatch(r"[+-]?[0-9]+(_[0-9]+)*", digits):
            raise ValueError(f"{shortened(written)} is not a whole number.")
        # Longer text is out of range whatever it says, and int() refuses thousands of digits.
        number = int(digits) if len(digits) < 40 else (least - 1 if digits.startswith("-") else most + 1)
        if number < least:
            raise ValueError(f"{shortened(digits, quoted=False)} is too small; the least is {least:,}.")
        if number > most:
            raise ValueError(f"{shortened(digits, quoted=False)} is too large; the most is {most:,}.")
        return number

    return parse


_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LONGEST = timedelta(days=365)


def duration(written: str) -> timedelta:
    """Return a time span written with its units: 45s, 90m, 2h, 1d, 1w, 1h30m."""
    compact = re.sub(r"\s+", "", written).casefold()
    if not re.fullmatch(r"([0-9]{1,9}[wdhms])+", compact):
        raise ValueError(
            f"{shortened(written)} is not a time span; write a number and its unit, as in 90m, 2h or 1d."
        )
    parts = re.findall(r"([0-9]+)([wdhms])", compact)
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if not seconds:
        raise ValueError(f"{shortened(written)} is no time at all; the least is 1s.")
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"{shortened(written)} is too long; the most is {_LONGEST.days}d.")
    return timedelta(seconds=seconds)


def day(written: str) -> date:
    """Return a date written as YYYY-MM-DD."""
    stripped = written.strip()
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", stripped):
        raise ValueError(f"{shortened(written)} is not a date; write it as YYYY-MM-DD.")
    try:
        return date.fromisoformat(stripped)
    except ValueError as error:
        raise ValueError(f"{stripped!r} is not in the calendar ({error}).") from error


def path(written: str) -> Path:
    """Return a path; ``~`` is the home directory."""
    value = text(written)
    if "\0" in value:
        raise ValueError(f"{shortened(written)} holds a null character.")
    try:
        return Path(value).expanduser()
    except (RuntimeError, UnicodeError) as error:
        raise ValueError(f"{shortened(written)} is no path here: {str(error).rstrip('.')}.") from error


def origin_url(written: str) -> str:
    """Return the address of a portal, scheme and host only; refuse a password or a path in it."""
    from urllib.parse import urlsplit

    address = written.strip()
    example = "write it as https://host or http://127.0.0.1:8000"
    if "@" in address:
        raise ValueError("it holds a name or password; credentials go into the environment or .env.")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{shortened(written)} is no address ({error}); {example}.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", address):
        raise ValueError(f"{shortened(written)} is no address; {example}.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{shortened(written)} holds more than scheme, host and port; {example}.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def rate(written: str) -> str:
    """Return a pace as it is written, N/SECONDS or P%, without spaces."""
    compact = re.sub(r"\s+", "", written)
    number = r"0*[1-9][0-9]{0,8}"
    decimal = r"(?=[0-9.]*[1-9])[0-9]{1,9}(\.[0-9]{1,6})?"
    percent = re.fullmatch(rf"({decimal})%", compact)
    if (percent and float(percent[1]) <= 100) or re.fullmatch(rf"{number}/{decimal}", compact):
        return compact
    raise ValueError(
        f"{shortened(written)} is not a pace; write requests per seconds, as in 100/10, "
        "or a share of the portal's own limit up to 100%, as in 50%."
    )


def locale_name(written: str) -> str:
    """Return a locale as Faker names it: en_US, de_DE, ja_JP."""
    parts = re.fullmatch(r"([A-Za-z]{2,3})(?:[_-]([A-Za-z]{2,4}))?", written.strip())
    if not parts:
        raise ValueError(f"{shortened(written)} is not a locale; write it as in en_US or de_DE.")
    language, region = parts[1].lower(), parts[2]
    return f"{language}_{region.upper() if len(region) == 2 else region.title()}" if region else language


def domain(written: str) -> str:
    """Return a domain name in lower case; a leading ``@`` does not count."""
    name = written.strip().removeprefix("@").rstrip(".").lower()
    label = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    if len(name) > 200 or not re.fullmatch(rf"({label}\.)+{label}", name):
        raise ValueError(f"{shortened(written)} is not a domain; write it as in seed.example.com.")
    return name


def shortened(written: str, *, quoted: bool = True) -> str:
    """Return text as an error quotes it, cut after forty characters."""
    cut = written if len(written) <= 40 else written[:37] + "..."
    return repr(cut) if quoted else cut


def shown(value: object) -> str:
    """Return a value as somebody would write it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, timedelta):
        return duration_text(value)
    return str(value)


def duration_text(span: timedelta) -> str:
    """Return a time span as :func:`duration` reads it, in one unit: ``90m``, ``2h``, ``1d``."""
    seconds = max(int(span.total_seconds()), 1)
    for unit, size in _UNITS.items():
        if unit != "w" and seconds % size == 0:
            return f"{seconds // size}{unit}"
    raise AssertionError("every whole number of seconds is a multiple of one")
