"""Python values by kind: what may be given for a field, and its one normal form.

Normal forms: ``str`` for texts, ``int``, ``Decimal``, ``bool``, ``date``, aware ``datetime`` in UTC,
``timedelta``, ``time`` without a zone, a picklist value (``str``) or several (``tuple[str, ...]``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any

from pytest_crmseed.schema import moments, scalars
from pytest_crmseed.schema.model import Field, Kind
from pytest_crmseed.schema.names import SLIP
from pytest_crmseed.schema.tables import Unusable
from pytest_crmseed.suggest import nearest, valid_names

__all__ = ["Unusable", "convert", "is_empty", "kind_of", "normal", "options", "plain"]

_TEXTS = {Kind.STRING, Kind.TEXT, Kind.PHONE, Kind.URL, Kind.REFERENCE, Kind.OTHER, Kind.OPTION, Kind.EMAIL}
# What joins several options in one text.
_SEPARATOR = ";"


def plain(value: Any) -> Any:
    """Return the value of an enumeration's member or of a numpy-like scalar, else the value itself."""
    if isinstance(value, Enum):
        return value.value
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return value.item()
    return value


def is_empty(kind: Kind, value: Any) -> bool:
    """Return whether a value says that the field has none: the empty text, unless the field holds text."""
    return isinstance(value, str) and not value and (kind not in _TEXTS or kind is Kind.OPTION)


def normal(kind: Kind, value: Any) -> Any:
    """Return the normal form of a value for a field of ``kind``.

    Raises:
        Unusable: the value is not of that kind.
    """
    of_kind = _NORMAL.get(kind)
    return of_kind(value) if of_kind else scalars.text(value)


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
    if isinstance(value, time):
        return Kind.TIME
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


# -- options -----------------------------------------------------------------------------------------
def options(definition: Field, value: Any) -> Any:
    """Return the option value(s) a picklist value, a label, or a spelling of either stands for.

    Of a boolean's two options it is True or False.

    Raises:
        Unusable: there is no such option.
    """
    if definition.kind is Kind.BOOLEAN:
        return _boolean_option(definition, value)
    if definition.kind is not Kind.OPTIONS:
        if isinstance(value, list | tuple | set | frozenset):
            raise Unusable(f"takes one option, not a {type(value).__name__} of {len(value)}")
        return _option(definition, value)
    parts = [value] if isinstance(value, str) and _is_one(definition, value) else _several(value)
    # The same option twice, by value and by label for instance, is there once.
    return tuple(dict.fromkeys(_option(definition, plain(part)) for part in parts))


def _option(definition: Field, value: Any) -> str:
    # A picklist of true and false takes Python's own.
    wanted = ("true" if value else "false") if isinstance(value, bool) else scalars.text(value)
    found = _exact(definition, wanted)
    if found is None:
        folded = wanted.casefold()
        for option in definition.options:
            if folded in (option.value.casefold(), option.label.casefold()):
                return option.value
        if definition.unrestricted and not isinstance(value, bool):
            # The portal takes any text; one that is nearly an option is a slip of the pen all the same.
            if (near := _nearest(wanted, _spellings(definition), cutoff=SLIP)) is None:
                return wanted
            raise Unusable(
                f"is not one of the options; did you mean {near!r}? The portal takes other values too: "
                f"if it is meant, write native={{{definition.name!r}: {value!r}}}",
                allowed=_visible(definition),
                suggestion=near,
            )
        raise _no_such_option(definition, value, wanted)
    return found


def _is_one(definition: Field, text: str) -> bool:
    """Return whether a text is one option as it stands, whatever separators it holds."""
    return any(text in (option.value, option.label) for option in definition.options)


def _exact(definition: Field, wanted: str) -> str | None:
    return next((option.value for option in definition.options if option.value == wanted), None)


def _no_such_option(definition: Field, value: Any, wanted: str) -> Unusable:
    visible = _visible(definition)
    if isinstance(value, bool):
        return Unusable(f"takes an option, not bool.{valid_names(visible, 'Allowed')}".rstrip("."))
    near = _nearest(wanted, _spellings(definition))
    hint = f"; did you mean {near!r}?" if near else "."
    what = "is no owner of this portal" if definition.external == "owners" else "is not one of the options"
    reason = f"{what}{hint}{valid_names(_shown(definition), 'Allowed')}".rstrip(".")
    return Unusable(reason, allowed=visible, suggestion=near)


def _visible(definition: Field) -> tuple[str, ...]:
    return tuple(option.value for option in definition.options if not option.hidden)


def _shown(definition: Field) -> tuple[str, ...]:
    """Return the options as people tell them apart: numbers, which say nothing, with their labels."""
    if definition.external or not all(option.value.isdigit() for option in definition.options):
        return _visible(definition)
    visible = [option for option in definition.options if not option.hidden]
    return tuple(o.value if o.value == o.label else f"{o.value} ({o.label})" for o in visible)


def _spellings(definition: Field) -> tuple[str, ...]:
    return tuple(name for option in definition.options for name in (option.value, option.label))


# Many records often have the same wrong value, and likeness is costly to find.
_nearest = lru_cache(maxsize=256)(nearest)


def _boolean_option(definition: Field, value: Any) -> bool:
    try:
        return scalars.boolean(value)
    except Unusable:
        for option in definition.options:
            if isinstance(value, str) and value.casefold() == option.label.casefold():
                return scalars.boolean(option.value)
        raise


def _several(value: Any) -> Iterable[Any]:
    if isinstance(value, str):
        if value.startswith(_SEPARATOR):
            raise Unusable(
                "begins with ';', which adds options to those a record has; a new record has none, so give "
                "the options alone",
                suggestion=value.lstrip(_SEPARATOR),
            )
        return [part.strip() for part in value.split(_SEPARATOR) if part.strip()]
    if isinstance(value, set | frozenset):
        # A set has no order of its own that lasts from one process to the next.
        return sorted(value, key=str)
    if isinstance(value, list | tuple):
        return value
    raise Unusable(f"takes several options, as a list, not {type(value).__name__}")


def _options(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(scalars.text(plain(part)) for part in _several(value)))


_NORMAL: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.EMAIL: scalars.email,
    Kind.DECIMAL: scalars.decimal,
    Kind.INTEGER: scalars.integer,
    Kind.BOOLEAN: scalars.boolean,
    Kind.DATE: moments.day,
    Kind.TIME: moments.time_of_day,
    Kind.DATETIME: moments.moment,
    Kind.DURATION: scalars.duration,
    Kind.OPTIONS: _options,
}
