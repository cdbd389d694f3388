"""One property's value: what HubSpot accepts for a definition, and the text it keeps.

Values are kept and answered as text whatever they were sent as (HubSpot docs, "Properties guide").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pytest_crmseed.portal.hubspot import instants
from pytest_crmseed.portal.hubspot.definitions import Definition

MAX_LENGTH = 65_536
"""Characters in a string value (HubSpot docs, "Properties guide")."""

MAX_DIGITS = 400
"""[unsure] Characters in a number: more than any amount needs, few enough to calculate with."""

_NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@([\w](?:[\w-]*[\w])?\.)+[^\W\d_][\w-]*[^\W_]")
# Ten digits of seconds reach the year 2286; as milliseconds they are a day of January to April 1970.
_SECONDS = re.compile(r"-?\d{1,10}", re.ASCII)


class Unacceptable(Exception):
    """A value that HubSpot refuses, with its code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Accepted:
    """The text that is kept (empty: no value), and what it was normalised to, where it was."""

    text: str
    normalised: str | None = None


def text_of(value: Any) -> str | None:
    """Return a JSON value as text, or None when it is an object or a list.

    Numbers and booleans are as good as text; null clears like the empty text [unsure].
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        # Digits beyond what anyone means would be written out one by one; such a number is refused later.
        return format(value, "f") if value.is_finite() and abs(value.adjusted()) < MAX_DIGITS else str(value)
    return None


def accept(
    definition: Definition,
    text: str,
    *,
    current: str = "",
    external: Callable[[str], Sequence[str]],
    normalise_dates: bool = False,
) -> Accepted:
    """Return what is kept of ``text`` as a definition's value.

    ``current`` is the value so far (a leading ``;`` adds to it), ``external(name)`` lists options
    that live outside the definition. ``normalise_dates`` is the rule of version 2026-09 and later.

    Raises:
        Unacceptable: HubSpot would refuse the value.
    """
    if not text:
        return Accepted("")
    if definition.external == "stages":
        # Which stages there are depends on the record's pipeline; that is checked once both are known.
        return Accepted(text)
    match definition.type:
        case "enumeration":
            options = definition.options or (external(definition.external) if definition.external else ())
            return Accepted(_option(text, options, several=definition.several, current=current))
        case "bool":
            lowered = text.lower()
            return Accepted(_option(lowered if lowered in ("true", "false") else text, ("true", "false")))
        case "number":
            return Accepted(_number(text))
        case "date":
            return _date(text, normalise=normalise_dates)
        case "datetime":
            return Accepted(_datetime(text))
        case _:
            return Accepted(_string(definition, text))


def _string(definition: Definition, text: str) -> str:
    if len(text) > MAX_LENGTH:
        # [unsure] of code and text: only the length itself is documented.
        message = f"The value is {len(text)} characters long; at most {MAX_LENGTH} are allowed."
        raise Unacceptable("VALUE_TOO_LONG", message)
    if definition.name == "email" and definition.data.get("hubspotDefined"):
        if not is_email(text):
            raise Unacceptable("INVALID_EMAIL", f"Email address {text} is invalid")
        return text.lower()
    return text


def is_email(text: str) -> bool:
    """Return whether a text has the syntax of an address; reserved domains have."""
    return len(text) <= 320 and _EMAIL.fullmatch(text) is not None and ".." not in text


def _number(text: str) -> str:
    if len(text) > MAX_DIGITS or not _NUMBER.fullmatch(text):
        raise Unacceptable("INVALID_INTEGER", f"{text} was not a valid number.")
    return text


def _option(text: str, options: Sequence[str], *, several: bool = False, current: str = "") -> str:
    chosen = [part for part in text.split(";") if part] if several else [text]
    for value in chosen:
        if value not in options:
            allowed = ", ".join(options)
            raise Unacceptable("INVALID_OPTION", f"{value} was not one of the allowed options: [{allowed}]")
    if several and text.startswith(";"):
        chosen = [part for part in current.split(";") if part] + chosen
    return ";".join(dict.fromkeys(chosen))


def _date(text: str, *, normalise: bool) -> Accepted:
    day = instants.parse_date(text)
    if day is not None:
        return Accepted(day.isoformat())
    milliseconds = instants.parse_ms(text)
    try:
        if milliseconds is not None and instants.is_midnight(milliseconds):
            return Accepted(instants.date_of_ms(milliseconds).isoformat())
        if normalise:
            return _normalised_date(text)
        if milliseconds is None:
            milliseconds = instants.parse_iso_ms(text)
            if milliseconds is None or instants.is_midnight(milliseconds):
                raise _no_instant(text)
        message = f"{text} is at {instants.time_of_day(milliseconds)} UTC, not midnight!"
        raise Unacceptable("INVALID_DATE", message)
    except OverflowError:
        raise _no_instant(text) from None


def _normalised_date(text: str) -> Accepted:
    milliseconds = instants.parse_ms(text)
    if milliseconds is not None and _SECONDS.fullmatch(text):
        milliseconds *= 1000
    if milliseconds is None:
        milliseconds = instants.parse_iso_ms(text)
    if milliseconds is None:
        raise _no_instant(text)
    day = instants.date_of_ms(milliseconds)
    return Accepted(day.isoformat(), str(instants.ms_of_date(day)))


def _datetime(text: str) -> str:
    milliseconds = instants.parse_ms(text)
    if milliseconds is None:
        milliseconds = instants.parse_iso_ms(text)
    if milliseconds is None:
        day = instants.parse_date(text)
        if day is None:
            raise _no_instant(text)
        milliseconds = instants.ms_of_date(day)
    try:
        return instants.iso_of_ms(milliseconds)
    except OverflowError:
        raise _no_instant(text) from None


def _no_instant(text: str) -> Unacceptable:
    # [unsure] of the wording: HubSpot reads a date that is no ISO text as a number of milliseconds.
    return Unacceptable("INVALID_LONG", f"{text} was not a valid long.")
