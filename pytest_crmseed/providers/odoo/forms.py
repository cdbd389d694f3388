"""Values as Odoo's import takes them, all texts; and as its records hold them, JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from html import escape, unescape
from typing import Any

from pytest_crmseed.schema.model import Kind


# -- out -----------------------------------------------------------------------------------------
def _number(value: Any) -> str:
    return format(Decimal(value), "f")


def _boolean(value: Any) -> str:
    return "1" if value else "0"


def _datetime(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def html(text: str | None) -> str | None:
    """Return a text as HTML; what looks like HTML stays as it is."""
    if text is None or ("<" in text and ">" in text):
        return text
    return "".join(f"<p>{escape(line, quote=False)}</p>" for line in text.split("\n"))


# -- in ------------------------------------------------------------------------------------------
def plain(markup: str | None) -> str | None:
    """Return the text of paragraphs without any other markup; other HTML as it is."""
    if markup is None:
        return None
    inner = markup.removeprefix("<p>").removesuffix("</p>").replace("</p><p>", "\n")
    return markup if "<" in inner else unescape(inner)


def _read_decimal(raw: Any) -> Decimal:
    if isinstance(raw, bool):
        raise ValueError(f"{raw!r} is no number")
    return Decimal(str(raw))


def _read_integer(raw: Any) -> Any:
    number = _read_decimal(raw)
    return int(number) if number == number.to_integral_value() else number


def _read_boolean(raw: Any) -> bool:
    if raw in (True, "1"):
        return True
    if raw in (False, "0"):
        return False
    raise ValueError(f"{raw!r} is no boolean")


def _read_datetime(raw: Any) -> datetime:
    moment = datetime.fromisoformat(str(raw))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_options(raw: Any) -> tuple[str, ...]:
    parts = raw if isinstance(raw, list) else str(raw).split(",")
    return tuple(str(part) for part in parts if part != "")


TO_WIRE: Mapping[Kind, Callable[[Any], str]] = {
    **dict.fromkeys(Kind, str),
    Kind.INTEGER: _number,
    Kind.DECIMAL: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: date.isoformat,
    Kind.DATETIME: _datetime,
    Kind.OPTIONS: ",".join,
}
"""By kind: a normal Python value → the text that the import takes."""

FROM_WIRE: Mapping[Kind, Callable[[Any], Any]] = {
    **dict.fromkeys(Kind, str),
    Kind.INTEGER: _read_integer,
    Kind.DECIMAL: _read_decimal,
    Kind.BOOLEAN: _read_boolean,
    Kind.DATE: lambda raw: date.fromisoformat(str(raw)),
    Kind.DATETIME: _read_datetime,
    Kind.OPTIONS: _read_options,
}
"""By kind: what Odoo answers, and what was sent → the Python value.

The functions raise ValueError or ArithmeticError for what is not of the kind.
"""
