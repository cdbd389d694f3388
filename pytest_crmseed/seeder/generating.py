"""Plan step → records: the factory of an object type, its overrides, and what the schema requires besides."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.factories import CRMFactory, Generation, default_factories
from pytest_crmseed.factories.custom import (
    can_be_declared,
    factory_for,
    fillable_of,
    filling,
    required_fields,
)
from pytest_crmseed.planning import LinkRule, Step
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import ObjectType
from pytest_crmseed.schema.names import SLIP
from pytest_crmseed.seeder.problems import Problems
from pytest_crmseed.suggest import nearest

Parents = Callable[[int], Mapping[str, Mapping[str, Any]]]


class Generating:
    """Make the neutral records of steps; names that nothing is known by go to the problems."""

    def __init__(
        self,
        translator: Translator,
        factories: Mapping[str, type[CRMFactory]],
        generation: Generation,
        links: Mapping[str, Mapping[str, LinkRule]],
        problems: Problems,
        *,
        admin_rules: bool = False,
    ) -> None:
        self._translator = translator
        self._factories = self._by_canonical_name(factories)
        self._generation = generation
        self._links = links
        self._problems = problems
        self._admin_rules = admin_rules

    def records(self, step: Step, parents: Parents) -> list[dict[str, Any]]:
        """Return the records of a step; ``parents(index)`` gives a record's parents by link field."""
        name = step.object_type
        factory = self._factories.get(name) or self._by_schema(name)
        resolved = self._resolve(name, factory, step.overrides)
        factory, resolved = _with_overridden(factory, resolved)
        records = factory.generate(self._generation, step.count, overrides=resolved, parents=parents)
        homes = self._translator.neutral_fields(name)
        unwanted = {
            field
            for field in _stock_fields(name)
            if field in factory.record_fields() and field not in homes and field not in resolved
        }
        own = factory.record_fields() - unwanted - {"native"}
        # A field the user's factory declares may be native or a label; a slip is refused.
        respelled = {field: self._native_or_neutral(name, field, None) or field for field in own}
        settled = [self._settled(name, record, respelled, unwanted, resolved.keys()) for record in records]
        self._fill(step, settled, resolved)
        return settled

    def _by_canonical_name(self, factories: Mapping[str, type[CRMFactory]]) -> dict[str, type[CRMFactory]]:
        stock = default_factories()
        named: dict[str, type[CRMFactory]] = {}
        for given, factory in factories.items():
            if stock.get(given) is factory:
                named.setdefault(given, factory)
                continue
            name = self._known(given, f"crm_factories[{given!r}]")
            own = self._known(factory._meta.object_type, f"{factory.__name__}.Meta.object_type")
            if name is None or own is None:
                continue
            if name != own:
                raise UsageError(
                    f"crm_factories[{given!r}] is {factory.__name__}, which makes {own} and not {name}.",
                    remedy=f"Derive it from a factory of {name}, or give it under {own!r}.",
                )
            named[name] = factory
        return named

    def _known(self, given: str, where: str) -> str | None:
        """Return the canonical name of an object type; None for one that this portal may well not have.

        A suite may have factories for several portals. What looks like a slip of the pen is refused.
        """
        try:
            return self._translator.canonical(given)
        except UnknownName as unknown:
            if self._translator.schema.complete or nearest(given, unknown.known, cutoff=SLIP):
                raise UnknownName(unknown.kind, given, unknown.known, where=f"in {where}") from None
            return None
        except UsageError:
            return None

    def _by_schema(self, name: str) -> type[CRMFactory]:
        return factory_for(
            self._translator.object_type(name),
            name=name,
            leave=self._not_ours(name),
            admin_rules=self._admin_rules,
        )

    def _not_ours(self, name: str) -> set[str]:
        """Return the native fields that get their values elsewhere: our key, and parents' ids."""
        rules = self._links.get(name, {}).values()
        return {self._translator.legend.key_field, *(rule.home for rule in rules if rule.home)}

    # -- names -----------------------------------------------------------------------------------
    def _settled(
        self,
        name: str,
        record: Mapping[str, Any],
        respelled: Mapping[str, str],
        unwanted: Collection[str],
        overridden: Collection[str],
    ) -> dict[str, Any]:
        """Return a generated record with one value for each field of the portal.

        A value under a native name replaces the generated one, not one that the caller gave under
        the neutral name.
        """
        out: dict[str, Any] = {}
        by_other_names: dict[str, Any] = {}
        for field, value in record.items():
            if field in unwanted:
                continue
            target = respelled.get(field, field)
            if target == field:
                out[field] = value
            elif target not in overridden:
                by_other_names[target] = value
        out |= by_other_names
        for native in _native(record):
            home = self._translator.neutral_home(name, native)
            if home is not None and home not in overridden:
                out.pop(home, None)
        return out

    def _resolve(self, name: str, factory: type[CRMFactory], overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Return overrides by the name the factory or the legend knows them by.

        A neutral name wins over a native one for the same field.
        """
        resolved: dict[str, Any] = {}
        given_by: dict[str, str] = {}
        homeless = self._translator.homeless(name)
        for given, value in overrides.items():
            known = given == "native" or (given in factory.fields() and given not in homeless)
            field = given if known else self._native_or_neutral(name, given, value)
            if field is None:
                continue
            before = given_by.get(field)
            if before is not None:
                if field not in (before, given):
                    both = UsageError(f"{name}: {before!r} and {given!r} both set {field!r}; give one.")
                    self._problems.name(name, given, value, both)
                if before == field:
                    continue
            given_by[field] = given
            resolved[field] = value
        return resolved

    def _native_or_neutral(self, name: str, given: str, value: Any) -> str | None:
        """Return the name a field goes by; None for one that there is not, which goes to the problems."""
        try:
            return self._translator.resolve(name, given)
        except UsageError as error:
            self._problems.name(name, given, value, error)
            return None

    # -- what the schema requires besides ----------------------------------------------------------
    def _fill(self, step: Step, records: Sequence[dict[str, Any]], overridden: Collection[str]) -> None:
        """Give values for fields that are required on create and that neither factory nor caller set.

        A value of None is set: the caller, or the factory, wants it to be left out.
        """
        name = step.object_type
        object_type = self._translator.object_type(name)
        leave = self._not_ours(name)
        setters = {
            field: self._setters(name, field)
            for field in required_fields(object_type, leave=leave, admin_rules=self._admin_rules)
        }
        groups = self._groups(name, object_type, leave)
        missing: dict[str, list[int]] = {}
        for index, record in enumerate(records):
            given = record.keys() | _native(record).keys() | set(overridden)
            for field, names in setters.items():
                if names.isdisjoint(given):
                    missing.setdefault(field, []).append(index)
            for field, names in groups:
                if names.isdisjoint(given):
                    missing.setdefault(field, []).append(index)
        if not missing:
            return
        filler = filling(object_type, missing, name=name)
        values = filler.generate(self._generation, step.count)
        for field, indices in missing.items():
            for index in indices:
                made = values[index]
                value = made[field] if field in made else made["native"][field]
                records[index].setdefault(self._translator.neutral_home(name, field) or field, value)

    def _setters(self, name: str, native: str) -> set[str]:
        """Return the names by which a native field is given a value: its own, and neutral ones."""
        entry = self._translator.entry(name)
        names = {native}
        roles = {home.role for home in entry.fields.values() if home.native == native}
        for neutral, home in entry.fields.items():
            # A stage says which pipeline it is of.
            if home.native == native or ("pipeline" in roles and home.role):
                names |= {neutral, home.native}
        for composed in entry.composed:
            if composed.native == native:
                names.update(composed.parts)
        return names

    def _groups(
        self, name: str, object_type: ObjectType, leave: Collection[str]
    ) -> list[tuple[str, set[str]]]:
        """Return for each group of which one field is required: the one to fill, and what sets any."""
        groups = []
        for group in object_type.required_any:
            chosen = fillable_of(object_type, group)
            if chosen is not None and not set(group) & set(leave):
                groups.append((chosen, {setter for each in group for setter in self._setters(name, each)}))
        return groups


def _native(record: Mapping[str, Any]) -> Mapping[str, Any]:
    given = record.get("native")
    return given if isinstance(given, Mapping) else {}


def _stock_fields(name: str) -> frozenset[str]:
    stock = default_factories().get(name)
    return stock.record_fields() if stock else frozenset()


def _with_overridden(
    factory: type[CRMFactory], overrides: Mapping[str, Any]
) -> tuple[type[CRMFactory], dict[str, Any]]:
    """Return a factory that declares what is overridden, and the overrides it takes.

    So declarations work for fields that it does not have. A name that no attribute can have goes
    under ``native``.
    """
    extra = {
        field: value
        for field, value in overrides.items()
        if field not in factory.fields() and field != "native"
    }
    if not extra:
        return factory, dict(overrides)
    own = {field: value for field, value in extra.items() if can_be_declared(field)}
    taken = {field: value for field, value in overrides.items() if field not in extra or field in own}
    if len(own) < len(extra):
        native = {field: value for field, value in extra.items() if field not in own}
        taken["native"] = {**native, **_given_native(overrides)}
    if own:
        # As a class statement would: the metaclass reads the declarations from the body.
        factory = types.new_class(factory.__name__, (factory,), exec_body=lambda body: body.update(own))
    return factory, taken


def _given_native(overrides: Mapping[str, Any]) -> Mapping[str, Any]:
    given = overrides.get("native", {})
    if not isinstance(given, Mapping):
        raise UsageError(
            "native={…} takes a dictionary of values by the portal's own names where names with two "
            f"underscores are given beside it, not {given!r}."
        )
    return given
