"""Batches by column: the values of a field for a block of records, made at once.

factory_boy makes a record at a time and asks each field by name; nearly all of the time goes there.
A field whose values follow from numbers of its stream, the index, the parents and other such fields
needs none of that: its values for many records are one loop over as many numbers. The values are
the same either way.
"""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from types import NoneType
from typing import Any

from factory.builder import DeclarationSet
from factory.declarations import SKIP, BaseDeclaration, Maybe, SelfAttribute
from factory.enums import get_builder_phase

from pytest_crmseed.factories.streams import Generation, Scope, T

# What makes the values of one field.
Column = Callable[["Block"], Sequence[Any]]

# Records made at once: enough to forget what a block costs, few enough to forget its memory.
_SIZE = 1024


class Block:
    """Some records in a row that are being made together."""

    def __init__(self, scope: Scope, indices: range, columns: Mapping[str, Column]) -> None:
        self.indices = indices
        self.generation: Generation = scope.generation
        self._scope = scope
        self._columns = columns
        self._made: dict[str, Sequence[Any]] = {}
        self._numbers: dict[str, Sequence[int]] = {}
        self._parents: dict[str, Sequence[Mapping[str, Any]]] = {}

    def column(self, field: str) -> Sequence[Any]:
        """Return the values of a field."""
        if field not in self._made:
            self._made[field] = self._columns[field](self)
        return self._made[field]

    def numbers(self, path: str) -> Sequence[int]:
        """Return the numbers of the stream ``path``."""
        if path not in self._numbers:
            self._numbers[path] = self._scope.numbers(path, self.indices)
        return self._numbers[path]

    def parents(self, link: str) -> Sequence[Mapping[str, Any]]:
        """Return the values of the parents in a link field; they are empty without one."""
        if link not in self._parents:
            self._parents[link] = self._scope.parent_of_each(link, self.indices)
        return self._parents[link]

    def prepared(self, prepare: Callable[[Generation], T]) -> T:
        """Return ``prepare(generation)``, which is called once for all blocks."""
        return self._scope.prepared(prepare)


class Columnar(BaseDeclaration):
    """Base of the declarations that can make columns."""

    def column(self, compiler: Compiler) -> Column | None:
        """Return what makes the column of this declaration; None if it takes a record at a time."""
        return None


class Compiler:
    """Finds the fields of a factory that can be made by column."""

    def __init__(self, declarations: DeclarationSet) -> None:
        self._declarations = declarations
        self._columns: dict[str, Column | None] = {}

    def columns(self) -> dict[str, Column]:
        """Return what makes their columns, by field."""
        made = {field: self._column_of(field) for field in self._declarations}
        return {field: column for field, column in made.items() if column is not None}

    def has(self, field: str) -> bool:
        """Say whether a field can be made by column."""
        return self._column_of(field) is not None

    def column(self, value: Any) -> Column | None:
        """Return what makes the column of a declaration or a constant; None if nothing does."""
        if get_builder_phase(value) is None:
            return lambda block: [value] * len(block.indices)
        if type(value) is Maybe:
            decision = self._decision(value.decider)
            return None if decision is None else self.column(value.yes if decision else value.no)
        if isinstance(value, Columnar) and up_to_date(type(value), "column", "evaluate", "evaluate_pre"):
            return value.column(self)
        return None

    def _column_of(self, field: str) -> Column | None:
        if field not in self._columns:
            # For the time being: a field that needs itself is left to factory_boy, which reports it.
            self._columns[field] = None
            if field in self._declarations:
                self._columns[field] = self.column(self._declarations[field].declaration)
        return self._columns[field]

    def _decision(self, decider: Any) -> bool | None:
        """Return what a trait or another flag says of all records; None if it is theirs to say."""
        # A depth of 1 is the record itself.
        if type(decider) is not SelfAttribute or decider.depth > 1 or "." in decider.attribute_name:
            return None
        flag: Any = decider.default
        if decider.attribute_name in self._declarations:
            flag = self._declarations[decider.attribute_name].declaration
        return bool(flag) if isinstance(flag, bool | int | str | NoneType) else None


def blocks(indices: range) -> Iterator[range]:
    """Yield ``indices`` in blocks; they end where those of the streams do."""
    start = indices.start
    while start < indices.stop:
        stop = min(indices.stop, start - start % _SIZE + _SIZE)
        yield range(start, stop)
        start = stop


def as_rows(columns: Mapping[str, Sequence[Any]], count: int) -> list[dict[str, Any]]:
    """Return ``count`` rows of ``columns`` as dictionaries."""
    template: dict[str, Any] = dict.fromkeys(columns)
    # Faster than dict(zip(…)): what is copied has its keys in place.
    rows = [template.copy() for _ in range(count)]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return rows


def as_dictionaries(columns: Mapping[str, Sequence[Any]], count: int) -> list[dict[str, Any]]:
    """Return ``count`` rows of ``columns`` as dictionaries, without the values that are to be left out."""
    rows = as_rows(columns, count)
    for name, values in columns.items():
        # By identity, since values may compare as they like; and in C, since few fields have any.
        if any(map(operator.is_, values, repeat(SKIP))):
            for row in rows:
                if row[name] is SKIP:
                    del row[name]
    return rows


def up_to_date(kind: type, method: str, *others: str) -> bool:
    """Say whether the class that gives ``method`` is at least as derived as those that give ``others``.

    If not, ``method`` knows nothing of what a subclass of ``kind`` has changed.
    """

    def age(name: str) -> int:
        return next(place for place, base in enumerate(kind.__mro__) if name in vars(base))

    return age(method) <= min(map(age, others))
