"""Plan → drafts: factories generate, the legend translates, the schema validates. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from pytest_crmseed.errors import UnknownName, UsageError, ValidationFailed
from pytest_crmseed.factories import CRMFactory, Generation
from pytest_crmseed.planning import Plan, Step
from pytest_crmseed.records import Draft, Record
from pytest_crmseed.schema.legend import Problem, Translator
from pytest_crmseed.schema.model import ObjectType
from pytest_crmseed.schema.validate import Validator

# So many problems are spelled out in one report; the rest is counted.
SPELLED_OUT = 10

KeyMaker = Callable[[str, int], str]
Drafts = dict[str, list[Draft]]


def prepare(
    plan: Plan,
    translator: Translator,
    factories: Mapping[str, type[CRMFactory]],
    generation: Generation,
    key: KeyMaker,
    *,
    wider: Mapping[str, Sequence[Record]] | None = None,
) -> Drafts:
    """Return the drafts of a plan by object type, generated, translated and validated.

    ``key(object_type, index)`` makes a record's unique key; ``wider`` holds the records of wider
    scopes that links may name by id.

    Raises:
        UsageError: an override names no field, or cannot be used.
        ValidationFailed: values that the schema refuses; the text lists them.
    """
    return _Preparation(translator, factories, generation, key, wider or {}).drafts(plan)


class _Preparation:
    def __init__(
        self,
        translator: Translator,
        factories: Mapping[str, type[CRMFactory]],
        generation: Generation,
        key: KeyMaker,
        wider: Mapping[str, Sequence[Record]],
    ) -> None:
        self._translator = translator
        self._factories = factories
        self._generation = generation
        self._key = key
        self._neutral: dict[str, list[Mapping[str, Any]]] = {}
        self._existing = {
            (record.object_type, record.id): record for records in wider.values() for record in records
        }

    def drafts(self, plan: Plan) -> Drafts:
        validator = Validator(self._translator.schema)
        problems: list[Problem] = []
        out: Drafts = {}
        for step in plan.steps:
            out[step.object_type] = list(self._step(step, validator, problems))
        if problems:
            raise ValidationFailed(report(problems), problems)
        return out

    def _step(self, step: Step, validator: Validator, problems: list[Problem]) -> Iterable[Draft]:
        name = step.object_type
        object_type = self._translator.object_type(name)
        self._check_labels(step, object_type)
        for index, record in enumerate(self._generate(step)):
            self._neutral.setdefault(name, []).append(record)
            values, wrong = self._translator.to_native(name, index, record)
            problems += wrong
            untranslated = {problem.native for problem in wrong}
            problems += validator.record(name, index, object_type, values, untranslated=untranslated)
            yield Draft(name, index, self._key(name, index), values, step.links[index], record)

    # -- generation ------------------------------------------------------------------------------
    def _generate(self, step: Step) -> list[dict[str, Any]]:
        name = step.object_type
        factory = self._factories.get(name)
        if factory is None:
            raise UsageError(
                f"there is no factory for {name}.",
                remedy=f"Give one in the crm_factories fixture: {{{name!r}: YourFactory}}.",
            )
        resolved = self._resolve(name, factory, step.overrides)
        extra = {field: value for field, value in resolved.items() if field not in factory.fields()}
        if extra:
            factory = _with_fields(factory, extra)
        records = factory.generate(
            self._generation, step.count, overrides=resolved, parents=lambda i: self._parents(step, i)
        )
        homes = self._translator.neutral_fields(name)
        unwanted = {
            field
            for field in _stock_fields(name)
            if field in factory.record_fields() and field not in homes and field not in resolved
        }
        own = factory.record_fields() - unwanted - {"native"}
        # A field the user's factory declares may be native or a label; a slip is refused.
        respelled = {field: self._translator.resolve(name, field) for field in own}
        return [self._settled(name, record, respelled, unwanted, resolved.keys()) for record in records]

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
        for native in record.get("native") or ():
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
            field = given if known else self._translator.resolve(name, given)
            before = given_by.get(field)
            if before is not None:
                if field not in (before, given):
                    raise UsageError(f"{name}: {before!r} and {given!r} both set {field!r}; give one.")
                if before == field:
                    continue
            given_by[field] = given
            resolved[field] = value
        return resolved

    def _check_labels(self, step: Step, object_type: ObjectType) -> None:
        labelled = {(link.object_type, link.label) for links in step.links for link in links if link.label}
        for parent, label in sorted(labelled):
            to = self._translator.object_type(parent).name
            if label and object_type.association(to, label=label) is None:
                known = [
                    a.label for a in object_type.associations if a.to == to and a.label and not a.primary
                ]
                schema = self._translator.schema
                remedy = (
                    ""
                    if schema.complete
                    else f"The {schema.source} schema has no labels that a portal defined for itself."
                )
                raise UnknownName(
                    "association label",
                    label,
                    known,
                    where=f"from {step.object_type} to {parent}",
                    remedy=remedy,
                )

    def _parents(self, step: Step, index: int) -> dict[str, Mapping[str, Any]]:
        parents: dict[str, Mapping[str, Any]] = {}
        for link in step.links[index]:
            if link.field in parents:
                continue
            if link.id is None:
                parents[link.field] = self._neutral[link.object_type][link.index or 0]
            elif (link.object_type, link.id) in self._existing:
                parents[link.field] = self._existing[(link.object_type, link.id)]
        return parents


def _stock_fields(name: str) -> frozenset[str]:
    from pytest_crmseed.factories import default_factories

    stock = default_factories().get(name)
    return stock.record_fields() if stock else frozenset()


def _with_fields(factory: type[CRMFactory], values: Mapping[str, Any]) -> type[CRMFactory]:
    """Return a factory that declares further fields, so that declarations work for them too."""
    import types

    # As a class statement would: the metaclass reads the declarations from the body.
    return types.new_class(factory.__name__, (factory,), exec_body=lambda body: body.update(values))


def report(problems: Sequence[Problem]) -> str:
    """Return the text that lists problems, equal ones of many records as one."""
    groups: dict[tuple[str, str, str, str], list[Problem]] = {}
    for problem in problems:
        alike = (problem.object_type, problem.field, repr(problem.value), problem.reason)
        groups.setdefault(alike, []).append(problem)
    lines = []
    for group in list(groups.values())[:SPELLED_OUT]:
        more = f" (and {len(group) - 1} more records)" if len(group) > 1 else ""
        lines.append(f"{group[0]}{more}")
    rest = len(groups) - len(lines)
    if rest > 0:
        lines.append(f"and {rest} more problems")
    what = "A value" if len(groups) == 1 else f"{len(groups)} values"
    return f"{what} cannot be sent; nothing was written.\n  " + "\n  ".join(lines)
