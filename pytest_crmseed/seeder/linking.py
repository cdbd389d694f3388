"""The links of a plan against the portal's association types: whether there is one, and its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.planning import LinkRule, Step
from pytest_crmseed.records import Link
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Association, ObjectType
from pytest_crmseed.schema.tables import Problem
from pytest_crmseed.seeder.problems import Problems


class Linking:
    """Check the links of steps, and give labels as the portal spells them."""

    def __init__(
        self, translator: Translator, rules: Mapping[str, Mapping[str, LinkRule]], problems: Problems
    ) -> None:
        self._translator = translator
        self._rules = rules
        self._problems = problems

    def links(self, step: Step) -> Sequence[tuple[Link, ...]]:
        """Return the links of every record of a step; what is wrong with them goes to the problems."""
        object_type = self._translator.object_type(step.object_type)
        rules = self._rules.get(step.object_type, {})
        spelled: dict[tuple[str, str, str | None], str | None] = {}
        for link in (link for links in step.links for link in links):
            asked = (link.field, link.object_type, link.label)
            rule = rules.get(link.field)
            # A link that a field of the record holds needs no association type.
            if asked not in spelled and not (rule and rule.home):
                spelled[asked] = self._spelled(step, object_type, link)
        if all(label == asked[2] for asked, label in spelled.items()):
            return step.links
        return [
            tuple(
                replace(link, label=spelled.get((link.field, link.object_type, link.label), link.label))
                for link in links
            )
            for links in step.links
        ]

    def homes(self, name: str, links: Sequence[Link]) -> set[str]:
        """Return the native fields of a record that get the ids of its parents when it is sent."""
        rules = self._rules.get(name, {})
        return {rule.home for link in links if (rule := rules.get(link.field)) and rule.home}

    def named(self, problem: Problem) -> Problem:
        """Return a problem; of a field that links fill and nobody gave, it says which they are."""
        rules = self._rules.get(problem.object_type, {})
        fillers = [field for field, rule in rules.items() if rule.home and rule.home == problem.native]
        if problem.value is not None or not fillers:
            return problem
        links = f"the link {fillers[0]}" if len(fillers) == 1 else f"a link ({', '.join(fillers)})"
        return replace(problem, reason=f"{problem.reason}; {links} gives it")

    def _spelled(self, step: Step, object_type: ObjectType, link: Link) -> str | None:
        """Return the label of a link as the portal spells it."""
        to = self._translator.object_type(link.object_type).name
        known = [association for association in object_type.associations if association.to == to]
        if not known:
            self._refuse(step, link, self._no_association(step, link))
            return None
        if link.label is None:
            return None
        found = _labelled(known, link.label)
        if found is None:
            labels = [a.label for a in known if a.label and not a.primary]
            self._refuse(step, link, self._no_label(step, link, labels))
            return None
        # Which record is the main one, the order of the links says: the first linked.
        return None if found.primary else found.label

    def _refuse(self, step: Step, link: Link, error: UsageError) -> None:
        self._problems.name(step.object_type, link.field, link.label, error)

    def _no_association(self, step: Step, link: Link) -> UsageError:
        schema = self._translator.schema
        whose = "the portal" if schema.complete else f"the {schema.source} schema"
        return UsageError(
            f"{step.object_type}.{link.field} cannot be set: {whose} has no association type from "
            f"{step.object_type} to {link.object_type}.",
            remedy=f"Leave it out: {link.field}=None."
            if schema.complete
            else "If the portal has one, pull its schema with `crmseed schema pull` and give --crm-schema.",
        )

    def _no_label(self, step: Step, link: Link, labels: Sequence[str]) -> UsageError:
        schema = self._translator.schema
        return UnknownName(
            "association label",
            str(link.label),
            labels,
            where=f"from {step.object_type} to {link.object_type}",
            remedy=""
            if schema.complete
            else f"The {schema.source} schema has no labels that a portal defined for itself.",
        )


def _labelled(known: Sequence[Association], wanted: str) -> Association | None:
    """Return the association type of a label, written as people see it or as an internal name."""
    labelled = [association for association in known if association.label]
    for same in (str, str.casefold, _fold):
        for association in labelled:
            if same(association.label or "") == same(wanted):
                return association
    return None


def _fold(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
