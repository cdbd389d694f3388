"""Python values by kind: what may be given for a field, and its one normal form.

Normal forms: ``str`` for texts, ``int``, ``Decimal``, ``bool``, ``date``, aware ``datetime`` in UTC,
``timedelta``, a picklist value (``str``) or several (``tuple[str, ...]``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from pytest_crmseed.schema.model import Field, Kind
from pytest_crmseed.suggest import nearest, valid_names

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_TRUE = {"true", "yes", "1"}
_FALSE = {"false", "no", "0"}
_TEXTS = {Kind.STRING, Kind.TEXT, Kind.PHONE, Kind.URL, Kind.REFERENCE, Kind.OTHER, Kind.OPTION}


class Unusable(Exception):
    """A value cannot be used for a field; the text is the reason, to follow "…: "."""


def normal(kind: Kind, value: Any) -> Any:
    """Return the normal form of a value for a field of ``kind``.

    Raises:
        Unusable: the value is not of that kind.
    """
    if kind in _TEXTS:
        return _text(value)
    return _NORMAL[kind](value)


def kind_of(value: Any) -> Kind:
    """Return the kind a Python value suggests, for a field no schema knows."""
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int):
        return Kind.INTEGER
    if isinstance(value, float | Decimal):
        return Kind.DECIMAL
    if isinstance(value, datetime):
        return Kind.DATETIME
    if isinstance(value, date):
        return Kind.DATE
    if isinstance(value, timedelta):
        return Kind.DURATION
    if isinstance(value, list | tuple | set | frozenset):
        return Kind.OPTIONS
    return Kind.STRING


def convert(value: Any, kind: Kind) -> Any:
    """Return a normal value as the nearest one of another kind (a date as its midnight in UTC)."""
    if isinstance(value, datetime) and kind is Kind.DATE:
        return value.astimezone(UTC).date()
    if isinstance(value, date) and not isinstance(value, datetime) and kind is Kind.DATETIME:
        return datetime.combine(value, time(), UTC)
    if isinstance(value, Decimal) and kind is Kind.INTEGER and value == value.to_integral_value():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and kind is Kind.DECIMAL:
        return Decimal(value)
    return value


def options(definition: Field, value: Any) -> Any:
    """Return the option value(s) a picklist value, a label, or a spelling of either stands for.

    Raises:
        Unusable: there is no such option.
    """
    if definition.kind is Kind.OPTIONS:
        given = [value] if isinstance(value, str) else list(_several(value))
        if isinstance(value, str):
            given = [part for part in value.split(";") if part]
        return tuple(_option(definition, part) for part in given)
    return _option(definition, value)


def _option(definition: Field, value: Any) -> str:
    text = _text(value)
    for option in definition.options:
        if option.value == text:
            return option.value
    folded = text.casefold()
    for option in definition.options:
        if folded in (option.value.casefold(), option.label.casefold()):
            return option.value
    near = nearest(text, [name for option in definition.options for name in (option.value, option.label)])
    hint = f"; did you mean {near!r}?" if near else "."
    visible = [option.value for option in definition.options if not option.hidden]
    raise Unusable(f"is not one of the options{hint}{valid_names(visible, 'Allowed')}".rstrip("."))


def _several(value: Any) -> Iterable[Any]:
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(value) if isinstance(value, set | frozenset) else value
    raise Unusable(f"takes several options, as a list, not {type(value).__name__}")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        raise Unusable(f"takes text, not {type(value).__name__}")
    return str(value)


def _email(value: Any) -> str:
    text = _text(value)
    if not _EMAIL.fullmatch(text):
        raise Unusable("is no e-mail address")
    return text


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise Unusable(f"takes a number, not {type(value).__name__}")
    try:
        # A float goes through its shortest text: 0.1 means 0.1, not its binary neighbour.
        number = Decimal(str(value).strip()) if not isinstance(value, Decimal) else value
    except InvalidOperation:
        raise Unusable("is no number") from None
    if not number.is_finite():
        raise Unusable("is no finite number")
    return number


def _integer(value: Any) -> int:
    number = _decimal(value)
    if number != number.to_integral_value():
        raise Unusable("is no whole number")
    return int(number)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.casefold() in _TRUE | _FALSE:
        return value.casefold() in _TRUE
    raise Unusable("takes True or False")


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        moment = _datetime(value)
        if moment.time() != time():
            raise Unusable("takes a day; this moment is not midnight in UTC")
        return moment.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
        try:
            return _date(datetime.fromisoformat(value))
        except ValueError:
            pass
    raise Unusable("is no date; give a date, or text as 2026-03-31")


def _datetime(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise Unusable("is no date and time; give a datetime, or text as 2026-03-31T09:00:00Z") from None
    if isinstance(value, datetime):
        # A moment without a zone is taken as UTC: the portal's zone is the portal's own business.
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise Unusable("is outside the years 1 to 9999 in UTC") from None
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise Unusable(f"takes a date and time, not {type(value).__name__}")


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    raise Unusable(f"takes a timedelta, not {type(value).__name__}")


def _options(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(_text(part) for part in _several(value))


_NORMAL = {
    Kind.EMAIL: _email,
    Kind.DECIMAL: _decimal,
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.DURATION: _duration,
    Kind.OPTIONS: _options,
}
