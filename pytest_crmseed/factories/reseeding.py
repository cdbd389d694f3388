"""Stock declarations of factory_boy, made to depend on the record at work alone.

``factory.Faker`` and ``factory.fuzzy`` draw from process-wide generators, ``factory.Iterator`` takes
turns within the process. Here they are given the number of their field's stream, or the index.
"""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, SimpleNamespace
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import factory.random
import faker
from factory.builder import BuildStep
from factory.declarations import BaseDeclaration
from factory.declarations import Iterator as IteratorDeclaration
from factory.faker import Faker as FakerDeclaration
from factory.fuzzy import BaseFuzzyAttribute
from faker.providers import DynamicProvider

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories.streams import Scope, current_scope

_Taken = tuple[Iterator[Any], list[Any]]


class Indexed(BaseDeclaration):
    """A ``factory.Iterator`` read by the record's index instead of by turns."""

    # Shared by all that are made from one declaration: an iterator can be taken from only once,
    # while a declaration is bound anew in each subclass.
    _taken: ClassVar[WeakKeyDictionary[BaseDeclaration, _Taken]] = WeakKeyDictionary()
    # Reentrant: what is iterated over may make records itself.
    _lock: ClassVar[threading.RLock] = threading.RLock()

    def __init__(self, original: IteratorDeclaration) -> None:
        super().__init__()
        self._original = original

    def evaluate(self, instance: Any, step: BuildStep, extra: Mapping[str, Any]) -> Any:
        value = self._item(_scope().index)
        return value if self._original.getter is None else self._original.getter(value)

    def _item(self, index: int) -> Any:
        if index < 0:
            raise IndexError(f"an Iterator has no item {index}")
        with self._lock:
            if self._original not in self._taken:
                self._taken[self._original] = (iter(self._original.iterator_builder()), [])
            source, taken = self._taken[self._original]
            while len(taken) <= index:
                try:
                    taken.append(next(source))
                except StopIteration:
                    raise IndexError(f"the iterator ended after {len(taken)} values") from None
            return taken[index]


def _scope() -> Scope:
    scope = current_scope()
    if scope is None:
        raise UsageError("a declaration of a CRM factory was evaluated outside of it.")
    return scope


# -- factory.Faker -------------------------------------------------------------------------------
_private = threading.local()


def reseeded_faker(path: str, locale: str | None = None) -> faker.Faker:
    """Return this thread's own Faker, seeded for the field ``path`` of the record at work."""
    scope = _scope()
    own = _own_faker(locale or scope.generation.locale)
    # Before any draw: unseeded, Faker's instances all share one generator.
    own.seed_instance(scope.number(path))
    return own


def _own_faker(locale: str) -> faker.Faker:
    fakers: dict[str, tuple[faker.Faker, dict[int, Any]]] = _private.__dict__.setdefault("fakers", {})
    if locale not in fakers:
        fakers[locale] = (faker.Faker(locale), {})
    own, adopted = fakers[locale]
    for provider in _added_providers(locale):
        if id(provider) not in adopted:
            adopted[id(provider)] = provider
            own.add_provider(_adopted(provider, own))
    return own


def _added_providers(locale: str) -> Iterator[Any]:
    """Yield the Faker generators that were added by ``factory.Faker.add_provider``, oldest first."""
    registry: Mapping[str, faker.Faker] = FakerDeclaration._FAKER_REGISTRY
    for name in dict.fromkeys([FakerDeclaration._DEFAULT_LOCALE, locale]):
        if name in registry:
            for provider in reversed(registry[name].get_providers()):
                module = type(provider).__module__
                if isinstance(provider, DynamicProvider) or not module.startswith("faker.providers."):
                    yield provider


def _adopted(provider: Any, own: faker.Faker) -> Any:
    generator = own.factories[0]
    if isinstance(provider, DynamicProvider):
        adopted = DynamicProvider(provider.provider_name, generator=generator)
        # The same list: elements may still be added to the original.
        adopted.elements = provider.elements
        return adopted
    return type(provider)(generator)


# -- factory.fuzzy -------------------------------------------------------------------------------
def reseeded_fuzz(original: BaseFuzzyAttribute, path: str) -> Any:
    """Return what ``original.fuzz()`` gives with a generator seeded for the record at work."""
    seeded = random.Random(_scope().number(path))
    fuzz = type(original).fuzz
    if isinstance(fuzz, FunctionType):
        fuzz = _with_generator(fuzz, seeded)
    return fuzz(original)


def _with_generator(function: FunctionType, seeded: random.Random) -> Callable[..., Any]:
    """Return a copy of ``function`` that finds ``seeded`` where it looks for factory_boy's generator.

    The generator is a module's variable there; exchanging that one would reach other threads.
    """
    module = SimpleNamespace(randgen=seeded)
    stand_ins: dict[int, Any] = {
        id(factory.random.randgen): seeded,
        id(factory.random): module,
        id(factory): SimpleNamespace(**{**vars(factory), "random": module}),
    }
    names = {name: stand_ins.get(id(value), value) for name, value in function.__globals__.items()}
    own = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    own.__kwdefaults__ = function.__kwdefaults__
    return own
