"""CRMFactory: a factory_boy factory whose records are reproducible dictionaries of neutral fields."""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from factory.base import Factory, FactoryOptions, OptionDefault
from factory.builder import DeclarationSet
from factory.declarations import Trait
from factory.enums import SPLITTER

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.factories.binding import bound_field
from pytest_crmseed.factories.plan import Plan
from pytest_crmseed.factories.streams import Generation, Parents, Scope, current_scope

_NATIVE_REMEDY = "Names of the portal's own go into native={…}."


class CRMFactoryOptions(FactoryOptions):
    """``class Meta`` of a CRM factory: factory_boy's options, and ``object_type``."""

    factory: Any
    base_factory: Any
    object_type: str
    exclude: tuple[str, ...]
    rename: Mapping[str, str]

    def _build_default_options(self) -> list[OptionDefault]:
        return [*super()._build_default_options(), OptionDefault("object_type", None, inherit=True)]

    def contribute_to_class(
        self,
        made: type[CRMFactory],
        meta: Any = None,
        base_meta: Any = None,
        base_factory: Any = None,
        params: Any = None,
    ) -> None:
        _refuse_split_names(made, params)
        super().contribute_to_class(
            made, meta=meta, base_meta=base_meta, base_factory=base_factory, params=params
        )
        if not self.abstract and not self.object_type:
            raise UsageError(
                f"{made.__name__} does not say what it makes.",
                remedy='Add `class Meta: object_type = "deals"`, or derive it from a factory that has one.',
            )
        # The declarations themselves stay as they are: subclasses inherit and bind them anew.
        self.pre_declarations = self._bound(self.pre_declarations)
        self.post_declarations = self._bound(self.post_declarations)

    @cached_property
    def plan(self) -> Plan:
        """How a batch without overrides is made."""
        return Plan(self, {})

    def _bound(self, declarations: DeclarationSet) -> DeclarationSet:
        fields = self.factory.fields()
        return DeclarationSet(
            {
                name: bound_field(self.factory.__name__, name, value, fields)
                for name, value in declarations.as_dict().items()
            }
        )

    def _get_counter_reference(self) -> Any:
        # factory_boy shares the counter of factories with one model, and here all make dictionaries.
        same_type = getattr(self.base_factory._meta, "object_type", None) == self.object_type
        return self.base_factory._meta.counter_reference if self.object_type and same_type else self


class CRMFactory(Factory[dict[str, Any]]):
    """Makes records of one object type as dictionaries of neutral fields; derive your own from one.

    ::

        class RenewalFactory(DealFactory):
            name = factory.Sequence(lambda n: f"Renewal {n}")
            amount = DecimalBetween("100.00", "900.00", step=50)

            class Params:
                lost = factory.Trait(stage="closed_lost", description="Churned")

    A class made from scratch says what it makes: ``class Meta: object_type = "deals"``. Values are
    the same again for the same :class:`Generation` and index. That includes ``factory.Faker`` (bar
    its dates that are relative to today), ``factory.fuzzy`` and ``factory.Iterator``, not
    functions of your own that draw from elsewhere.

    Constants and what this package declares, bar :class:`Computed`, are made for a thousand records
    at once; whatever else is declared costs a call of factory_boy's for each record, which is slower.

    It works as any factory of factory_boy too (``DealFactory()``, ``DealFactory.build_batch(3)``),
    with a default :class:`Generation` and factory_boy's own counter as the index.
    """

    _options_class = CRMFactoryOptions
    _meta: CRMFactoryOptions

    class Meta:
        abstract = True
        model = dict

    @classmethod
    def generate(  # type: ignore[override]  # factory_boy's takes the name of a strategy
        cls,
        generation: Generation,
        count: int,
        *,
        start: int = 0,
        overrides: Mapping[str, Any] | None = None,
        parents: Parents | None = None,
    ) -> list[dict[str, Any]]:
        """Return the records of index ``start`` to ``start + count - 1``.

        ``overrides`` go by field. A value is a constant (also a function: it is not called) or a
        declaration; ``native={…}`` passes values by the portal's own names through.
        ``parents(index)`` gives the neutral values of a record's parents by link field, to which
        its own values are made to fit: ``{"company": {"name": …}}``.

        Raises:
            UsageError: a declaration failed, or a number is negative; an override that is no field
                of this factory is an ``UnknownName``.
        """
        if cls._meta.abstract:
            raise UsageError(
                f"{cls.__name__} is abstract and makes no records.", remedy="Use a class derived from it."
            )
        for name, number in (("count", count), ("start", start)):
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise UsageError(
                    f"{cls.__name__}.generate(): {name} is a whole number from 0 on, not {number!r}."
                )
        scope = Scope(generation, cls._meta.object_type, parents)
        return cls._plan(overrides or {}).records(scope, range(start, start + count))

    @classmethod
    def fields(cls) -> frozenset[str]:
        """Return the names of the fields, parameters and traits that may be overridden."""
        meta = cls._meta
        return frozenset({*meta.pre_declarations, *meta.post_declarations, *meta.parameters} - {"native"})

    @classmethod
    def record_fields(cls) -> frozenset[str]:
        """Return the names of the fields that a record may have: those without parameters and traits."""
        meta = cls._meta
        names = {*meta.pre_declarations} - {*meta.parameters, *meta.exclude, "native"}
        return frozenset(meta.rename.get(name, name) for name in names)

    @classmethod
    def simple_generate(cls, create: bool, **kwargs: Any) -> dict[str, Any]:
        """Return a record, as :meth:`create` or as :meth:`build` makes it."""
        return cls.create(**kwargs) if create else cls.build(**kwargs)

    @classmethod
    def _generate(cls, strategy: str, params: dict[str, Any]) -> Any:
        if cls._meta.abstract:
            return super()._generate(strategy, params)
        sequence = params.pop("__sequence", None)
        index = cls._meta.next_sequence() if sequence is None else sequence
        around = current_scope()
        scope = Scope(around.generation if around else Generation(), cls._meta.object_type)
        return cls._plan(params).records_by_row(scope, (index,), strategy)[0]

    @classmethod
    def _plan(cls, overrides: Mapping[str, Any]) -> Plan:
        return Plan(cls._meta, cls._bound_overrides(overrides)) if overrides else cls._meta.plan

    @classmethod
    def _bound_overrides(cls, overrides: Mapping[str, Any]) -> dict[str, Any]:
        fields = cls.fields()
        for name in overrides:
            if name not in fields and name != "native":
                raise UnknownName(
                    "field", name, sorted(fields), where=f"in {cls.__name__}", remedy=_NATIVE_REMEDY
                )
        return {name: bound_field(cls.__name__, name, value, fields) for name, value in overrides.items()}


def _refuse_split_names(made: type[CRMFactory], params: Any) -> None:
    # factory_boy reads `a__b` as the parameter `b` of the declaration `a`.
    parameters = vars(params) if params else {}
    names = [*vars(made), *parameters]
    for trait in parameters.values():
        if isinstance(trait, Trait):
            names += trait.overrides
    for name in names:
        if SPLITTER in name and not name.startswith("_"):
            raise UsageError(
                f"{name!r} in {made.__name__}: a field's name has no two underscores in it.",
                remedy=_NATIVE_REMEDY,
            )
