"""Declarations whose value follows from other fields of the record, and from its parents."""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from factory.builder import BuildStep

from pytest_crmseed.factories.columns import Block, Column, Compiler
from pytest_crmseed.factories.declarations import StreamDeclaration
from pytest_crmseed.factories.streams import Generation, Scope


@dataclass(frozen=True, slots=True)
class Draw:
    """What a :class:`Computed` value may use besides the record: number, index, generation, parents."""

    number: int
    index: int
    generation: Generation
    _scope: Scope

    def parent(self, link: str) -> Mapping[str, Any]:
        """Return the neutral values of the parent in a link field; empty without one."""
        return self._scope.parent(link)


class Computed(StreamDeclaration):
    """``function(record, draw)``: a value that follows from other fields and a number of its own.

    ``record`` gives the other fields as attributes, as in factory_boy's ``LazyAttribute``; ``draw``
    is a :class:`Draw`.
    """

    def __init__(self, function: Callable[[Any, Draw], Any], *, stream: str = "") -> None:
        super().__init__(stream=stream)
        self._function = function

    def evaluate(self, instance: Any, step: BuildStep, extra: Mapping[str, Any]) -> Any:
        """Return the value of the record at work."""
        scope = self._scope()
        draw = Draw(scope.number(self._path), scope.index, scope.generation, scope)
        return self._function(instance, draw)


class Given(Enum):
    """What a :class:`Derived` value may follow from besides fields and parents."""

    NUMBER = auto()
    INDEX = auto()


@dataclass(frozen=True, slots=True)
class Parent:
    """The neutral values of the parent in a link field; empty without one."""

    link: str


# A text is the name of another field.
Input = Given | Parent | str


class Derived(StreamDeclaration):
    """``prepare(generation)(*inputs)``: a value that follows from inputs that are named beforehand.

    So a batch of values can be made by column, which :class:`Computed` cannot: its function may ask
    the record for anything.
    """

    def __init__(
        self, prepare: Callable[[Generation], Callable[..., Any]], *inputs: Input, stream: str = ""
    ) -> None:
        super().__init__(stream=stream)
        self._prepare = prepare
        self._inputs = inputs

    def evaluate(self, instance: Any, step: BuildStep, extra: Mapping[str, Any]) -> Any:
        """Return the value of the record at work."""
        scope = self._scope()
        return scope.prepared(self._prepare)(*[self._input(one, scope, instance) for one in self._inputs])

    def column(self, compiler: Compiler) -> Column | None:
        """Return the function that makes a column of values."""
        if not all([compiler.has(one) for one in self._inputs if isinstance(one, str)]):
            return None
        return lambda block: list(
            map(block.prepared(self._prepare), *[self._inputs_of(one, block) for one in self._inputs])
        )

    def _input(self, one: Input, scope: Scope, instance: Any) -> Any:
        match one:
            case Given.NUMBER:
                return scope.number(self._path)
            case Given.INDEX:
                return scope.index
            case Parent(link):
                return scope.parent(link)
        return getattr(instance, one)

    def _inputs_of(self, one: Input, block: Block) -> Sequence[Any]:
        match one:
            case Given.NUMBER:
                return block.numbers(self._path)
            case Given.INDEX:
                return block.indices
            case Parent(link):
                return block.parents(link)
        return block.column(one)
