"""How a batch of records is made: fields by column where they can be, the rest by factory_boy."""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import repeat
from typing import Any

from factory.base import BaseFactory, FactoryOptions
from factory.builder import BuildStep, Resolver, StepBuilder, parse_declarations
from factory.declarations import SKIP
from factory.enums import BUILD_STRATEGY

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories.columns import Block, Column, Compiler, as_dictionaries, as_rows, blocks
from pytest_crmseed.factories.streams import Scope, generating

# Where subclasses change how values become a record.
_OF_FACTORIES = ("_adjust_kwargs", "_build", "_after_postgeneration")
_OF_OPTIONS = ("get_model_class", "prepare_arguments", "instantiate", "use_postgeneration_results")


class Plan:
    """What is known of a batch before its first record: one for each class and set of overrides."""

    def __init__(self, meta: Any, overrides: Mapping[str, Any]) -> None:
        self._meta = meta
        self._pre, post = parse_declarations(
            overrides, base_pre=meta.pre_declarations, base_post=meta.post_declarations
        )
        self._hooks = [post[name] for name in post.sorted()]
        left_out = {name for name in self._pre if self._pre[name].declaration is SKIP}
        self._hidden = {*meta.exclude, *meta.parameters, *left_out}
        self._plain = not self._hooks and _makes_plain_dictionaries(meta)

    @cached_property
    def _columns(self) -> dict[str, Column]:
        return Compiler(self._pre).columns()

    @property
    def by_row(self) -> frozenset[str]:
        """The fields that factory_boy evaluates record by record, because they take no column."""
        return frozenset(self._pre) - self._columns.keys()

    @property
    def by_column_alone(self) -> bool:
        """Whether records are made without factory_boy's doing."""
        return self._plain and not self.by_row

    def records(self, scope: Scope, indices: range) -> list[dict[str, Any]]:
        """Return the records of ``indices``."""
        records: list[dict[str, Any]] = []
        with generating(scope):
            for block in blocks(indices):
                records += self._block(scope, block)
        return records

    def records_by_row(
        self, scope: Scope, indices: Iterable[int], strategy: str = BUILD_STRATEGY
    ) -> list[Any]:
        """Return the records of ``indices`` as factory_boy makes them, by one of its strategies."""
        with generating(scope):
            return self._by_row(scope, indices, repeat({}), strategy)

    def _block(self, scope: Scope, indices: range) -> list[Any]:
        block = Block(scope, indices, self._columns)
        try:
            columns = {field: block.column(field) for field in self._columns}
        except Exception:
            # A column does not know which record it failed for. By row the error comes up again,
            # and names it.
            return self._by_row(scope, indices, repeat({}))
        self._check_lengths(columns, len(indices))
        if self.by_column_alone:
            shown = {field: values for field, values in columns.items() if field not in self._hidden}
            return as_dictionaries(shown, len(indices))
        return self._by_row(scope, indices, as_rows(columns, len(indices)))

    def _check_lengths(self, columns: Mapping[str, Sequence[Any]], count: int) -> None:
        for field, values in columns.items():
            if len(values) != count:
                raise UsageError(
                    f"{self._meta.factory.__name__}.{field} has {len(values)} values for {count} records.",
                    remedy="The values() of its declaration returns one value for each number it is given.",
                )

    def _by_row(
        self,
        scope: Scope,
        indices: Iterable[int],
        known: Iterable[Mapping[str, Any]],
        strategy: str = BUILD_STRATEGY,
    ) -> list[Any]:
        """Do for each record what factory_boy's ``StepBuilder.build`` does, with the overrides read once.

        ``known`` are the values that each record has already.
        """
        meta = self._meta
        builder = StepBuilder(meta, {}, strategy)
        records = []
        for index, values in zip(indices, known, strict=False):
            scope.index = index
            step = BuildStep(builder=builder, sequence=index)
            step.stub = Resolver(declarations=self._pre, step=step, sequence=index)
            # As plain attributes they are found before the resolver is asked to evaluate them.
            vars(step.stub).update(values)
            for field in self._pre:
                step.attributes[field] = getattr(step.stub, field)
            args, kwargs = meta.prepare_arguments(step.attributes)
            record = meta.instantiate(step, args, kwargs)
            results = {
                hook.name: hook.declaration.evaluate_post(instance=record, step=step, overrides=hook.context)
                for hook in self._hooks
            }
            meta.use_postgeneration_results(instance=record, step=step, results=results)
            records.append(record)
        return records


def _makes_plain_dictionaries(meta: Any) -> bool:
    """Say whether a factory's record is its values by field, in a dictionary, and no more."""
    untouched = [
        _found(made, name) is _found(stock, name)
        for made, stock, names in (
            (meta.factory, BaseFactory, _OF_FACTORIES),
            (type(meta), FactoryOptions, _OF_OPTIONS),
        )
        for name in names
    ]
    return all(untouched) and meta.model is dict and not meta.rename and not meta.inline_args


def _found(kind: type, name: str) -> Any:
    return next(vars(base)[name] for base in kind.__mro__ if name in vars(base))
