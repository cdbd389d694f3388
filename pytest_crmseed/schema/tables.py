"""The tables of a legend, which a provider fills in: homes of neutral fields, forms of values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_crmseed.schema.model import Kind

# A value longer than this is cut in a message.
_SHOWN = 80


class Unusable(Exception):
    """A value cannot be used for a field; the text is the reason, to follow "…: ".

    ``allowed`` are the values that can be, where they can be listed; ``suggestion`` is what was
    probably meant.
    """

    def __init__(self, reason: str, *, allowed: tuple[str, ...] = (), suggestion: str | None = None) -> None:
        super().__init__(reason)
        self.allowed = allowed
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class FieldLegend:
    """The home of a neutral field: its native name, and the kind of its neutral value.

    ``kind`` is None where the neutral value is of the native field's own kind. ``role`` marks
    fields that are read by the pipeline's metadata: ``"pipeline"``, ``"stage"`` (a deal's) or
    ``"status"`` (a ticket's). ``options`` translates neutral values to option values where their
    names differ; of a stage, to the ids that the provider's own stages have in every portal, which
    go before what the role's metadata say. ``by_label`` marks a picklist whose values are ids of the
    portal's own: the neutral value is the label.
    """

    native: str
    kind: Kind | None = None
    role: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    by_label: bool = False


@dataclass(frozen=True, slots=True)
class Composed:
    """A native field whose value follows from several neutral ones, or a neutral one from several native.

    ``write`` takes the normal values of the neutral fields in ``parts``, None for each that is not
    given, and returns the value for ``native``, or None to leave the field out; it may raise
    :class:`Unusable`. A value given for ``native`` itself wins. ``kinds`` tells the kinds of parts
    that have no home of their own, where they are no texts. ``read`` says
    how neutral fields come back: by neutral name, a function of the record's decoded native values
    (by native name; a value the portal did not answer is not among them).
    """

    native: str
    parts: tuple[str, ...]
    write: Callable[..., Any]
    read: Mapping[str, Callable[[Mapping[str, Any]], Any]] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectLegend:
    """One object type: neutral name, native name, fields by neutral name.

    ``homeless`` holds neutral fields with no writable home here, each with the reason. ``composed``
    holds native fields made from several neutral ones; their parts are writable without a home of
    their own. ``unique_together`` holds groups of native fields of which no two records may have a
    value in common (a contact's e-mail and its additional ones).
    """

    neutral: str
    native: str
    fields: Mapping[str, FieldLegend]
    composed: tuple[Composed, ...] = ()
    homeless: Mapping[str, str] = field(default_factory=dict)
    unique_together: tuple[tuple[str, ...], ...] = ()


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
    """Something wrong with a record before it is sent.

    ``index`` is None where it holds for every record of the object type. ``field`` is the neutral name
    where there is one, else the name as the caller wrote it; ``native`` is the field it stands for.
    ``allowed`` lists the allowed values or names where the schema does, ``suggestion`` is what was
    probably meant; ``reason`` says both in words.
    """

    object_type: str
    index: int | None
    field: str
    value: Any
    reason: str
    native: str = ""
    allowed: tuple[str, ...] = ()
    suggestion: str | None = None

    @property
    def shown(self) -> str:
        """The value as a message shows it: its representation, cut where it is long."""
        return shown(self.value)

    def __str__(self) -> str:
        number = "" if self.index is None else f"[{self.index}]"
        home = f" ({self.native})" if self.native and self.native != self.field else ""
        value = "" if self.value is None else f" = {self.shown}"
        return f"{self.object_type}{number}.{self.field}{home}{value}: {self.reason}"


def shown(value: Any) -> str:
    """Return a value's representation for a message, cut where it is long."""
    if isinstance(value, int) and value.bit_length() > 4 * _SHOWN:
        # Python itself refuses to write out numbers of thousands of digits.
        return f"a whole number of {value.bit_length()} bits"
    if isinstance(value, str | bytes) and len(value) > _SHOWN:
        return (
            f"{value[: _SHOWN // 2]!r}… ({len(value)} {'characters' if isinstance(value, str) else 'bytes'})"
        )
    try:
        text = repr(value)
    except Exception:  # a value's own __repr__ may fail in any way, and it is the value that is told of
        return object.__repr__(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
