"""The tables of a legend, which a provider fills in: homes of neutral fields, forms of values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_crmseed.schema.model import Kind


@dataclass(frozen=True, slots=True)
class FieldLegend:
    """The home of a neutral field: its native name, and the kind of its neutral value.

    ``kind`` is None where the neutral value is of the native field's own kind. ``role`` marks
    fields that are read by the pipeline's metadata: ``"stage"`` or ``"pipeline"``. ``options``
    translates neutral values to option values where their names differ.
    """

    native: str
    kind: Kind | None = None
    role: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Composed:
    """A native field whose value follows from several neutral ones, or a neutral one from several native.

    ``write`` takes the normal values of the neutral fields in ``parts``, None for each that is not
    given, and returns the value for ``native``, or None to leave the field out; a value given for
    ``native`` itself wins. ``read`` says how neutral fields come back: by neutral name, a function of the
    record's decoded native values (by native name).
    """

    native: str
    parts: tuple[str, ...]
    write: Callable[..., Any]
    read: Mapping[str, Callable[[Mapping[str, Any]], Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectLegend:
    """One object type: neutral name, native name, fields by neutral name.

    ``homeless`` holds neutral fields with no writable home here, each with the reason. ``composed``
    holds native fields made from several neutral ones; their parts are writable without a home of
    their own.
    """

    neutral: str
    native: str
    fields: Mapping[str, FieldLegend]
    composed: tuple[Composed, ...] = ()
    homeless: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Legend:
    """A provider's tables.

    ``to_wire`` and ``from_wire`` hold one function per kind; the first takes the normal Python
    value of that kind, the second what the API answers. ``lacking`` names neutral object types
    the provider does not have, each with a sentence. ``key_field`` is the native name of the field
    for our unique key.
    """

    objects: Mapping[str, ObjectLegend]
    to_wire: Mapping[Kind, Callable[[Any], Any]]
    from_wire: Mapping[Kind, Callable[[Any], Any]]
    key_field: str
    lacking: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a value before it is sent.

    ``field`` is the name as the caller wrote it, ``native`` the field it resolves to.
    """

    object_type: str
    index: int
    field: str
    value: Any
    reason: str
    native: str = ""

    def __str__(self) -> str:
        where = f"{self.object_type}[{self.index}].{self.field}"
        home = f" ({self.native})" if self.native and self.native != self.field else ""
        shown = "" if self.value is None else f" = {self.value!r}"
        return f"{where}{home}{shown}: {self.reason}"
