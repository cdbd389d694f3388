"""Plan files: what to seed, in TOML, in the words of the marker.

::

    companies = 3
    "2-1234567" = 4

    [deals]
    count = 9
    stage = "closed_won"
    company = { ref = "companies", index = 0 }

    [contacts]
    count = 6
    without = ["company"]

A table ``objects`` takes object types as well, as the marker's ``objects`` does.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_crmseed.errors import UsageError
from pytest_crmseed.planning import Count
from pytest_crmseed.records import Ref, ref

# Keys of an object type's table that are no fields; fields of these names go into `native`.
COUNT, WITHOUT = "count", "without"
OBJECTS = "objects"
NATIVE = "native"
_UNITS = ("weeks", "days", "hours", "minutes", "seconds")


def read_plan(path: Path) -> Mapping[str, Count]:
    """Return the counts of a plan file by object type, as it names them.

    Raises:
        UsageError: the file cannot be read, is no TOML (the text says line and column), or says
            something that is no plan (the text names the key).
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"there is no plan file {path}.", remedy="Correct the path.") from None
    except OSError as error:
        raise UsageError(f"the plan file {path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the plan file {path} is not UTF-8 text ({error.reason}).") from error
    try:
        # Numbers as they are written: an amount of 0.1 is one tenth.
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the plan file {path} is no TOML: {error}.") from error
    counts = {name: _count(path, name, value) for name, value in document.items() if name != OBJECTS}
    objects = document.get(OBJECTS, {})
    if not isinstance(objects, dict):
        raise UsageError(
            f'{path}: {OBJECTS} takes a table, such as {{ "2-123" = 4 }}, not {_shown(objects)}.'
        )
    for name, value in objects.items():
        if name in counts:
            raise UsageError(f"{path}: {name} stands in {OBJECTS} and beside it.", remedy="Keep one of them.")
        counts[name] = _count(path, name, value)
    return counts


def _count(path: Path, name: str, value: Any) -> Count:
    if not isinstance(value, dict):
        return Count(_number(path, name, value))
    table = dict(value)
    if COUNT not in table:
        raise UsageError(f"{path}: [{name}] does not say how many.", remedy=f"Add a line {COUNT} = 10 to it.")
    number = _number(path, f"{name}.{COUNT}", table.pop(COUNT))
    without = table.pop(WITHOUT, [])
    if not (isinstance(without, list) and all(isinstance(field, str) for field in without)):
        raise UsageError(
            f'{path}: {name}.{WITHOUT} takes a list of link fields, such as ["company"], not {without!r}.'
        )
    overrides = {field: _value(path, f"{name}.{field}", given) for field, given in table.items()}
    for field in without:
        if field in overrides:
            raise UsageError(f"{path}: {name}.{field} is given, and {name}.{WITHOUT} leaves it out.")
        overrides[field] = None
    return Count(number, overrides)


def _number(path: Path, where: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"{path}: {where} takes a whole number of records from 0 on, not {_shown(value)}.")
    return value


def _value(path: Path, where: str, value: Any) -> Any:
    """Return an override; a table is a link or a time span, but for the values in ``native``."""
    if where.endswith(f".{NATIVE}") and isinstance(value, dict):
        return value
    if isinstance(value, list):
        return [_value(path, where, each) for each in value]
    if not isinstance(value, dict):
        return value
    if "ref" in value:
        return _ref(path, where, value)
    if value and set(value) <= set(_UNITS):
        return timedelta(**{unit: float(number) for unit, number in value.items()})
    raise UsageError(
        f"{path}: {where} is a table that is neither a link nor a time span.",
        remedy='Write { ref = "companies", index = 0 }, or { minutes = 30 }.',
    )


def _ref(path: Path, where: str, value: Mapping[str, Any]) -> Ref:
    unknown = sorted(set(value) - {"ref", "index", "label"})
    if unknown:
        raise UsageError(f"{path}: {where}: a link has ref, index and label, and no {unknown[0]!r}.")
    label = value.get("label")
    if label is not None and not isinstance(label, str):
        raise UsageError(f"{path}: {where}: label takes a text, not {_shown(label)}.")
    try:
        return ref(value["ref"], value.get("index", 0), label=label)
    except UsageError as error:
        raise UsageError(f"{path}: {where}: {error.message}") from None


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, Decimal) else repr(value)
