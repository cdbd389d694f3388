"""Declarations that draw from the stream of their field: one number per value.

They are used like those of factory_boy, in classes derived from
:class:`~pytest_crmseed.factories.base.CRMFactory` and in overrides::

    class BigDealFactory(DealFactory):
        amount = DecimalBetween("100000.00", "900000.00", step=1000)
        region = Pick(["north", "south"])
"""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from factory.builder import BuildStep
from factory.declarations import SKIP, BaseDeclaration

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories.columns import Block, Column, Columnar, Compiler, up_to_date
from pytest_crmseed.factories.streams import BITS, Generation, Scope, below, current_scope, split

T = TypeVar("T")

# A field that is declared without a default: the record has it only by override.
UNSET: Any = SKIP


class StreamDeclaration(Columnar):
    """Base of the declarations that draw from a stream.

    ``stream`` names another stream than the field's own, for fields that must agree.
    """

    def __init__(self, *, stream: str = "") -> None:
        super().__init__()
        self._stream = stream
        self._path = ""

    def draw_from(self, path: str) -> None:
        """Draw from the stream ``path`` from now on, unless this declaration names its own."""
        self._path = self._stream or path

    def _scope(self) -> Scope:
        scope = current_scope()
        if scope is None or not self._path:
            raise UsageError(
                f"{type(self).__name__} has no field to draw for.",
                remedy="Use it as an attribute of a class derived from CRMFactory, or as an override.",
            )
        return scope


class Drawn(StreamDeclaration):
    """Base of the declarations whose value follows from one number; subclasses give ``value``.

    Those that can make many values faster than one by one give ``values`` too.
    """

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if not up_to_date(cls, "values", "value"):
            # What is inherited makes the values of the parent class.
            cls.values = Drawn.values  # type: ignore[method-assign]

    def value(self, number: int, generation: Generation) -> Any:
        """Return the value that ``number``, in [0, 2**64), stands for."""
        raise NotImplementedError

    def values(self, numbers: Sequence[int], generation: Generation) -> Sequence[Any]:
        """Return the value of each of ``numbers``."""
        return [self.value(number, generation) for number in numbers]

    def evaluate(self, instance: Any, step: BuildStep, extra: Mapping[str, Any]) -> Any:
        """Return the value of the record at work."""
        scope = self._scope()
        return self.value(scope.number(self._path), scope.generation)

    def column(self, compiler: Compiler) -> Column:
        """Return the function that makes a column of values."""
        return lambda block: self.values(block.numbers(self._path), block.generation)


class Pick(Drawn, Generic[T]):
    """One value of ``pool``, each as likely as the others.

    ``pool`` is a sequence, or a function that returns the sequence for a locale.

    Raises:
        UsageError: the pool is empty.
    """

    def __init__(self, pool: Sequence[T] | Callable[[str], Sequence[T]], *, stream: str = "") -> None:
        super().__init__(stream=stream)
        self._pool = pool if callable(pool) else tuple(pool)
        if not callable(pool) and not self._pool:
            raise UsageError("Pick() takes a pool with at least one value.")

    def value(self, number: int, generation: Generation) -> T:
        """Return the value that ``number`` stands for."""
        pool = self._pool_of(generation)
        return pool[below(number, len(pool))]

    def values(self, numbers: Sequence[int], generation: Generation) -> Sequence[T]:
        """Return the value of each of ``numbers``."""
        pool = self._pool_of(generation)
        size = len(pool)
        return [pool[number * size >> BITS] for number in numbers]

    def _pool_of(self, generation: Generation) -> Sequence[T]:
        return self._pool(generation.locale) if callable(self._pool) else self._pool


class Weighted(Drawn):
    """One of several values, by weight: ``Weighted({"new": 3, "open": 1})``.

    Weights are whole numbers. A value may be a declaration that draws (``IntegerBetween(1, 9)``).

    Raises:
        UsageError: there are no values, or a weight is no whole number above 0.
    """

    def __init__(self, weights: Mapping[Any, int], *, stream: str = "") -> None:
        super().__init__(stream=stream)
        if not weights:
            raise UsageError("Weighted() takes at least one value with its weight.")
        for value, weight in weights.items():
            if isinstance(weight, bool) or not isinstance(weight, int) or weight < 1:
                raise UsageError(
                    f"Weighted(): the weight of {value!r} is a whole number above 0, not {weight!r}."
                )
        self._values = tuple(weights)
        self._bounds = tuple(itertools.accumulate(weights.values()))

    def value(self, number: int, generation: Generation) -> Any:
        """Return the value that ``number`` stands for."""
        ticket, rest = split(number, self._bounds[-1])
        value = self._values[bisect.bisect_right(self._bounds, ticket)]
        return value.value(rest, generation) if isinstance(value, Drawn) else value

    def values(self, numbers: Sequence[int], generation: Generation) -> Sequence[Any]:
        """Return the value of each of ``numbers``."""
        chosen, bounds, total = self._values, self._bounds, self._bounds[-1]
        if not any(isinstance(value, Drawn) for value in chosen):
            return [chosen[bisect.bisect_right(bounds, number * total >> BITS)] for number in numbers]
        # The values that draw get their numbers all at once, and give them back in the order of `places`.
        places, rests = [], [list[int]() for _ in chosen]
        for number in numbers:
            ticket, rest = split(number, total)
            places.append(place := bisect.bisect_right(bounds, ticket))
            rests[place].append(rest)
        drawn = [
            iter(value.values(numbers, generation) if isinstance(value, Drawn) else [value] * len(numbers))
            for value, numbers in zip(chosen, rests, strict=True)
        ]
        return [next(drawn[place]) for place in places]


class IntegerBetween(Drawn):
    """A whole number from ``low`` to ``high``, both included.

    Raises:
        UsageError: ``low`` is above ``high``.
    """

    def __init__(self, low: int, high: int, *, stream: str = "") -> None:
        super().__init__(stream=stream)
        _check_order("IntegerBetween", low, high)
        self._low = low
        self._size = high - low + 1

    def value(self, number: int, generation: Generation) -> int:
        """Return the value that ``number`` stands for."""
        return self._low + below(number, self._size)

    def values(self, numbers: Sequence[int], generation: Generation) -> Sequence[int]:
        """Return the value of each of ``numbers``."""
        low, size = self._low, self._size
        return [low + (number * size >> BITS) for number in numbers]


class DecimalBetween(Drawn):
    """A Decimal from ``low`` to ``high``, both included, in steps of ``step`` from ``low``.

    It has as many decimal places as the most precise of the three: ``DecimalBetween("10.00", 90,
    step=5)`` gives 10.00, 15.00, and so on. Floats are taken by their shortest text.

    Raises:
        UsageError: ``low`` is above ``high``, or ``step`` is not above 0.
    """

    def __init__(
        self,
        low: Decimal | int | float | str,
        high: Decimal | int | float | str,
        *,
        step: Decimal | int | float | str = "0.01",
        stream: str = "",
    ) -> None:
        super().__init__(stream=stream)
        self._low, top, self._step = (Decimal(str(number)) for number in (low, high, step))
        _check_order("DecimalBetween", self._low, top)
        if self._step <= 0:
            raise UsageError(f"DecimalBetween() takes a step above 0, not {step}.")
        self._size = int((top - self._low) // self._step) + 1

    def value(self, number: int, generation: Generation) -> Decimal:
        """Return the value that ``number`` stands for."""
        return self._low + below(number, self._size) * self._step

    def values(self, numbers: Sequence[int], generation: Generation) -> Sequence[Decimal]:
        """Return the value of each of ``numbers``."""
        low, size, step = self._low, self._size, self._step
        return [low + (number * size >> BITS) * step for number in numbers]


class DateBetween(Drawn):
    """A date from ``first`` to ``last`` days after the base date, both included.

    Days before the base date are negative: ``DateBetween(-30, -1)`` is in the month before it.

    Raises:
        UsageError: ``first`` is above ``last``.
    """

    def __init__(self, first: int, last: int, *, stream: str = "") -> None:
        super().__init__(stream=stream)
        _check_order("DateBetween", first, last)
        self._first = first
        self._size = last - first + 1

    def value(self, number: int, generation: Generation) -> date:
        """Return the value that ``number`` stands for."""
        return generation.base_date + timedelta(days=self._first + below(number, self._size))

    def values(self, numbers: Sequence[int], generation: Generation) -> Sequence[date]:
        """Return the value of each of ``numbers``."""
        first, size = generation.base_date.toordinal() + self._first, self._size
        return [date.fromordinal(first + (number * size >> BITS)) for number in numbers]


class Unique(StreamDeclaration):
    """A text that no other record of the object type has: ``Unique("SKU-")`` gives SKU-0, SKU-1, …

    The unique tag, where there is one, is part of it: SKU-0-k3x9.
    """

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self._prefix = prefix

    def evaluate(self, instance: Any, step: BuildStep, extra: Mapping[str, Any]) -> str:
        """Return the value of the record at work."""
        scope = self._scope()
        return f"{self._prefix}{scope.index}{self._suffix(scope.generation)}"

    def column(self, compiler: Compiler) -> Column:
        """Return the function that makes a column of values."""

        def values(block: Block) -> Sequence[str]:
            prefix, suffix = self._prefix, self._suffix(block.generation)
            return [f"{prefix}{index}{suffix}" for index in block.indices]

        return values

    @staticmethod
    def _suffix(generation: Generation) -> str:
        return f"-{generation.unique_tag}" if generation.unique_tag else ""


class Sometimes(StreamDeclaration):
    """``declaration`` for about ``percent`` of 100 records, ``otherwise`` for the rest.

    ``otherwise`` defaults to leaving the field out. Either may be any declaration or a constant.

    Raises:
        UsageError: ``percent`` is not from 0 to 100.
    """

    def __init__(self, percent: float, declaration: Any, otherwise: Any = UNSET) -> None:
        super().__init__()
        if not 0 <= percent <= 100:
            raise UsageError(f"Sometimes() takes a percentage from 0 to 100, not {percent!r}.")
        self._limit = int(percent * 10_000)
        self.branches = {True: declaration, False: otherwise}

    def evaluate(self, instance: Any, step: BuildStep, extra: Mapping[str, Any]) -> Any:
        """Return the value of the record at work."""
        chosen = self.branches[below(self._scope().number(self._path), 1_000_000) < self._limit]
        if isinstance(chosen, BaseDeclaration):
            return chosen.evaluate_pre(instance=instance, step=step, overrides={})
        return chosen

    def column(self, compiler: Compiler) -> Column | None:
        """Return the function that makes a column of values."""
        yes, no = (compiler.column(self.branches[branch]) for branch in (True, False))
        if yes is None or no is None:
            return None

        def values(block: Block) -> Sequence[Any]:
            drawn = zip(block.numbers(self._path), yes(block), no(block), strict=True)
            return [this if below(number, 1_000_000) < self._limit else that for number, this, that in drawn]

        return values


def _check_order(name: str, low: Any, high: Any) -> None:
    if low > high:
        raise UsageError(f"{name}() takes the lower bound first, not {low} before {high}.")
