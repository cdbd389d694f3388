"""Plan → drafts: factories generate, the legend translates, the schema validates. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pytest_crmseed.factories import CRMFactory, Generation
from pytest_crmseed.planning import LinkRule, Plan, Step
from pytest_crmseed.providers.base import KeyRoute
from pytest_crmseed.records import Draft, Record
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.validate import Validator
from pytest_crmseed.seeder.generating import Generating
from pytest_crmseed.seeder.linking import Linking
from pytest_crmseed.seeder.marking import Marking
from pytest_crmseed.seeder.problems import Problems

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
    links: Mapping[str, Mapping[str, LinkRule]] | None = None,
    admin_rules: bool = False,
    routes: Mapping[str, KeyRoute] | None = None,
) -> Drafts:
    """Return the drafts of a plan by object type, generated, translated and validated.

    ``key(object_type, index)`` makes a record's unique key; ``wider`` holds the records of wider
    scopes that links may name by id; ``links`` are the provider's link rules. ``admin_rules`` says
    that the API enforces what the portal's administrators made required. ``routes`` are those by which
    records are found again, where the portal was asked.

    Raises:
        UsageError: an override names no field, and nothing else is wrong.
        ValidationFailed: names and values that the schema refuses; the text lists them all.
    """
    preparation = _Preparation(translator, factories, generation, key, wider or {}, routes or {})
    return preparation.drafts(plan, links or {}, admin_rules=admin_rules)


class _Preparation:
    def __init__(
        self,
        translator: Translator,
        factories: Mapping[str, type[CRMFactory]],
        generation: Generation,
        key: KeyMaker,
        wider: Mapping[str, Sequence[Record]],
        routes: Mapping[str, KeyRoute],
    ) -> None:
        self._translator = translator
        self._factories = factories
        self._generation = generation
        self._key = key
        self._neutral: dict[str, list[Mapping[str, Any]]] = {}
        self._problems = Problems()
        self._marking = Marking(routes, generation.unique_tag, translator.neutral_home)
        self._existing = {
            (record.object_type, record.id): record for records in wider.values() for record in records
        }

    def drafts(self, plan: Plan, links: Mapping[str, Mapping[str, LinkRule]], *, admin_rules: bool) -> Drafts:
        legend = self._translator.legend.objects.values()
        validator = Validator(
            self._translator.schema,
            admin_rules=admin_rules,
            unique_together={entry.native: entry.unique_together for entry in legend},
        )
        linking = Linking(self._translator, links, self._problems)
        self._generating = Generating(
            self._translator,
            self._factories,
            self._generation,
            links,
            self._problems,
            admin_rules=admin_rules,
        )
        out: Drafts = {}
        for step in plan.steps:
            out[step.object_type] = list(self._step(step, validator, linking))
        self._problems.check()
        return out

    def _step(self, step: Step, validator: Validator, linking: Linking) -> Iterable[Draft]:
        name = step.object_type
        object_type = self._translator.object_type(name)
        spellings = self._translator.spellings(name)
        links = linking.links(step)
        records = self._generating.records(step, lambda i: self._parents(step, i))
        for index, record in enumerate(records):
            self._neutral.setdefault(name, []).append(record)
            values, wrong = self._translator.to_native(name, index, record)
            key = self._key(name, index)
            self._problems.add(*self._marking.mark(name, index, key, values, links[index]))
            untranslated = {problem.native for problem in wrong} | linking.homes(name, links[index])
            invalid = validator.record(
                name, index, object_type, values, untranslated=untranslated, neutral=spellings
            )
            self._problems.add(*wrong, *map(linking.named, invalid))
            yield Draft(name, index, key, values, links[index], record)

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
