"""Declarations bound to their field: they draw from its streams, and their errors name it.

A declaration is bound by a copy, so that one object may serve several fields and classes.
"""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Mapping
from typing import Any

from factory.builder import BuildStep
from factory.declarations import (
    SKIP,
    BaseDeclaration,
    Dict,
    List,
    Maybe,
    RelatedFactory,
    SubFactory,
    Transformer,
)
from factory.declarations import Iterator as IteratorDeclaration
from factory.enums import get_builder_phase
from factory.faker import Faker as FakerDeclaration
from factory.fuzzy import BaseFuzzyAttribute

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories.columns import Column, Columnar, Compiler, as_dictionaries
from pytest_crmseed.factories.declarations import Sometimes, StreamDeclaration
from pytest_crmseed.factories.reseeding import Indexed, reseeded_faker, reseeded_fuzz
from pytest_crmseed.suggest import nearest

# Reprs of whole records end up in some messages; what matters stands at their start.
_LONGEST_TEXT = 300
_UNKNOWN_ATTRIBUTE = re.compile(r"The parameter '(\w+)' is unknown")


def bound_field(factory_name: str, field: str, declaration: Any, fields: frozenset[str]) -> Any:
    """Return what factory_boy is given for a field: a constant as it is, or a bound declaration.

    ``fields`` are the names its functions may ask the record for.

    Raises:
        UsageError: the declaration cannot be used here.
    """
    result = bound(declaration, field, f"{factory_name}.{field}")
    return _Guarded(factory_name, field, result, fields) if isinstance(result, BaseDeclaration) else result


def bound(declaration: Any, path: str, where: str) -> Any:
    """Return a copy of a declaration that draws from the stream ``path``; a constant as it is.

    Declarations inside it are bound too, those for other values to streams below ``path``.

    Raises:
        UsageError: it makes another record; ``where`` names the field in the text.
    """
    if path == "native":
        declaration = _as_native(declaration, where)
    if isinstance(declaration, Transformer.Force):
        return Transformer.Force(bound(declaration.forced_value, path, where))
    if not isinstance(declaration, BaseDeclaration):
        return declaration
    _refuse_other_records(declaration, where)
    if isinstance(declaration, IteratorDeclaration):
        return Indexed(declaration)
    result: Any = copy.copy(declaration)
    result._defaults = {
        name: bound(value, f"{path}.{name}", where) for name, value in declaration._defaults.items()
    }
    if isinstance(declaration, FakerDeclaration):
        # On the instance it goes before factory_boy's registry of shared generators.
        result._get_faker = functools.partial(reseeded_faker, path)
    elif isinstance(declaration, BaseFuzzyAttribute):
        result.fuzz = functools.partial(reseeded_fuzz, declaration, path)
    elif isinstance(declaration, _Native):
        result.values = {
            name: bound(value, f"{path}.{name}", where) for name, value in declaration.values.items()
        }
    elif isinstance(declaration, Maybe):
        result.decider = bound(declaration.decider, f"{path}.decider", where)
        result.yes = bound(declaration.yes, path, where)
        result.no = bound(declaration.no, path, where)
    elif isinstance(declaration, Transformer):
        result.default = bound(declaration.default, path, where)
    elif isinstance(declaration, Sometimes):
        result.branches = {
            key: bound(value, f"{path}.value", where) for key, value in declaration.branches.items()
        }
    if isinstance(result, StreamDeclaration):
        result.draw_from(path)
    return result


def _refuse_other_records(declaration: BaseDeclaration, where: str) -> None:
    makes_values = isinstance(declaration, Dict | List)
    if isinstance(declaration, SubFactory | RelatedFactory) and not makes_values:
        raise UsageError(
            f"{where} is a {type(declaration).__name__}, and a factory makes the values of one record.",
            remedy=_how_to_relate(declaration, where),
        )


def _how_to_relate(declaration: SubFactory | RelatedFactory, where: str) -> str:
    """Return how records are asked for that belong to another."""
    try:
        meta = declaration.get_factory()._meta
    except (ImportError, AttributeError):
        meta = None
    others = getattr(meta, "object_type", None) or "companies"
    overrides = "".join(f", {name}={value!r}" for name, value in declaration._defaults.items())
    given = overrides if len(overrides) <= _LONGEST_TEXT else ", …"
    asked = f"Ask for records that belong to it in the marker: {others}=count(3{given})"
    if isinstance(declaration, RelatedFactory):
        return f"{asked}; link them by ref()."
    return f'{asked}; they are dealt out in turn, and {where.split(".")[-1]}=ref("{others}", 0) picks one.'


class _Guarded(Columnar):
    """A declaration whose errors name factory, field and record."""

    def __init__(self, factory_name: str, field: str, inner: Any, fields: frozenset[str]) -> None:
        super().__init__()
        self._name = f"{factory_name}.{field}"
        self._inner = inner
        self._fields = fields
        self.CAPTURE_OVERRIDES = inner.CAPTURE_OVERRIDES
        self.FACTORY_BUILDER_PHASE = inner.FACTORY_BUILDER_PHASE

    def column(self, compiler: Compiler) -> Column | None:
        return compiler.column(self._inner)

    def evaluate_pre(self, instance: Any, step: BuildStep, overrides: dict[str, Any]) -> Any:
        try:
            # A copy: a Transformer takes the override out, and the dictionary serves a whole batch.
            return self._inner.evaluate_pre(instance=instance, step=step, overrides=dict(overrides))
        except UsageError:
            raise
        except Exception as error:
            raise self._failure(step, error) from error

    def evaluate_post(self, instance: Any, step: BuildStep, overrides: dict[str, Any]) -> Any:
        try:
            return self._inner.evaluate_post(instance=instance, step=step, overrides=dict(overrides))
        except UsageError:
            raise
        except Exception as error:
            raise self._failure(step, error) from error

    def _failure(self, step: BuildStep, error: Exception) -> UsageError:
        text = str(error)
        if isinstance(error, AttributeError) and (unknown := _UNKNOWN_ATTRIBUTE.match(text)):
            near = nearest(unknown[1], self._fields)
            text = f"the record has no field {unknown[1]!r}" + (f"; did you mean {near!r}?" if near else "")
        elif len(text) > _LONGEST_TEXT:
            text = f"{text[:_LONGEST_TEXT]}…"
        reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
        full_stop = "" if reason.endswith((".", "?", "!", "…")) else "."
        return UsageError(f"{self._name} failed for the record of index {step.sequence}: {reason}{full_stop}")


class _Native(Columnar):
    """``native={…}``: values by native name, each a constant or a declaration.

    Not factory_boy's ``Dict``: that one splits names at ``__``, which native names may contain.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__()
        self.values = dict(values)

    def evaluate(self, instance: Any, step: BuildStep, extra: Mapping[str, Any]) -> dict[str, Any]:
        evaluated = {
            name: value.evaluate_pre(instance=instance, step=step, overrides={})
            if isinstance(value, BaseDeclaration)
            else value
            for name, value in self.values.items()
        }
        return {name: value for name, value in evaluated.items() if value is not SKIP}

    def column(self, compiler: Compiler) -> Column | None:
        columns = {name: compiler.column(value) for name, value in self.values.items()}
        known = {name: column for name, column in columns.items() if column is not None}
        if len(known) < len(columns):
            return None
        return lambda block: as_dictionaries(
            {name: column(block) for name, column in known.items()}, len(block.indices)
        )


def _as_native(declaration: Any, where: str) -> Any:
    """Return what gives the values of ``native``: a declaration, or nothing."""
    if isinstance(declaration, Mapping):
        return _Native(declaration)
    if isinstance(declaration, Dict):
        return _Native(declaration._defaults)
    if get_builder_phase(declaration) or declaration is SKIP:
        return declaration
    raise UsageError(f"{where} takes a dictionary of values by the portal's own names, not {declaration!r}.")
