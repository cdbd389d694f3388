"""Counts and overrides → a plan: object types in dependency order, and who is whose parent.

A plan holds no records. Links are decided by index alone, so they are the same whatever is
generated, in whatever order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_crmseed.errors import UsageError
from pytest_crmseed.records import Link, Record, Ref


@dataclass(frozen=True, slots=True)
class Count:
    """How many records, and the overrides they all get. Make one with :func:`count`."""

    n: int
    overrides: Mapping[str, Any] = field(default_factory=dict)


def count(n: int, /, **overrides: Any) -> Count:
    """Ask for ``n`` records with these field values, for example ``count(9, stage="closed_won")``.

    A value may be a constant, a factory_boy declaration, or for a link field :func:`ref`, a record,
    a list of either, or None.

    Raises:
        UsageError: ``n`` is negative or no whole number.
    """
    return Count(checked_number(n), dict(overrides))


def checked_number(n: Any, where: str = "count()") -> int:
    """Return ``n`` if it can be a number of records.

    Raises:
        UsageError: it is negative or no whole number.
    """
    if isinstance(n, bool) or not isinstance(n, int):
        raise UsageError(f"{where} takes a whole number of records, not {n!r}.")
    if n < 0:
        raise UsageError(f"{where} takes a number of records from 0 on, not {n}.")
    return n


def as_count(value: Any, where: str) -> Count:
    """Return a marker's value (a number, or :func:`count`) as a count.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(value, Count):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"{where} takes a number or count(n, …), not {value!r}.")
    return Count(checked_number(value, where))


@dataclass(frozen=True, slots=True)
class LinkRule:
    """A link field of an object type: to which object type, one or several, made by default or not.

    ``of`` names another link field of the same object type: the parent is then chosen among those
    that have the same parent there (a deal's contact among its company's contacts). ``home`` is the
    native field that holds the parent's id, where the link is no association. A link that is not
    ``dealt`` is made only where the caller chooses the records it leads to.
    """

    object_type: str
    made: bool = False
    many: bool = False
    of: str | None = None
    home: str = ""
    dealt: bool = True


# The parents of the neutral object types, by link field. A provider may narrow or widen them.
NEUTRAL_LINKS: Mapping[str, Mapping[str, LinkRule]] = {
    "companies": {},
    "contacts": {"company": LinkRule("companies")},
    "deals": {
        "company": LinkRule("companies", made=True),
        "contacts": LinkRule("contacts", made=True, many=True, of="company"),
    },
    "tickets": {
        "company": LinkRule("companies"),
        "contacts": LinkRule("contacts", made=True, many=True, of="company"),
    },
    "products": {},
    "line_items": {
        "deal": LinkRule("deals", made=True),
        "product": LinkRule("products", made=True),
    },
    "orders": {"company": LinkRule("companies", made=True)},
    "leads": {},
    **{
        activity: {
            "company": LinkRule("companies"),
            "contacts": LinkRule("contacts", made=True, many=True, of="company"),
            "deal": LinkRule("deals", of="company"),
        }
        for activity in ("notes", "tasks", "calls", "meetings")
    },
}


@dataclass(frozen=True, slots=True)
class Step:
    """One object type of a plan. ``links[i]`` are the links of the ``i``-th record."""

    object_type: str
    count: int
    overrides: Mapping[str, Any]
    asked: bool
    links: Sequence[tuple[Link, ...]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Object types in dependency order: parents come before what refers to them."""

    steps: tuple[Step, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Number of records by object type, in order."""
        return {step.object_type: step.count for step in self.steps}

    @property
    def total(self) -> int:
        """Number of all records."""
        return sum(step.count for step in self.steps)

    def step(self, object_type: str) -> Step | None:
        """Return the step of an object type, or None."""
        return next((step for step in self.steps if step.object_type == object_type), None)


def make_plan(
    counts: Mapping[str, Count],
    links: Mapping[str, Mapping[str, LinkRule]],
    *,
    wider: Mapping[str, Sequence[Record]] | None = None,
    limit: int | None = None,
) -> Plan:
    """Make the plan of a seed.

    ``counts`` go by canonical object type; ``links`` are the provider's link rules; ``wider`` holds
    records of wider scopes that may be parents; ``limit`` is the tracer bullet's most of each.

    Raises:
        UsageError: a link's override cannot be used, or links form a circle.
    """
    return _Planner(counts, links, wider or {}, limit).plan()


class _Planner:
    def __init__(
        self,
        counts: Mapping[str, Count],
        links: Mapping[str, Mapping[str, LinkRule]],
        wider: Mapping[str, Sequence[Record]],
        limit: int | None,
    ) -> None:
        self.links = links
        self.wider = wider
        self.asked = set(counts)
        self.overrides: dict[str, dict[str, Any]] = {}
        self.chosen: dict[str, dict[str, Any]] = {}
        # Where a link that was not written at its own object type was written; messages name that.
        self.written_at: dict[tuple[str, str], str] = {}
        self.numbers: dict[str, int] = {}
        for object_type, wanted in counts.items():
            n = wanted.n if limit is None else min(wanted.n, limit)
            self._take(object_type, n, wanted.overrides)
        self.made: dict[str, list[tuple[Link, ...]]] = {}

    def _take(self, object_type: str, n: int, overrides: Mapping[str, Any]) -> None:
        rules = self.links.get(object_type, {})
        self.numbers[object_type] = n
        self.chosen[object_type] = {name: value for name, value in overrides.items() if name in rules}
        for name, rule in rules.items():
            if rule.home and rule.home in overrides:
                # The id of a record that exists is given in the field itself: there is nothing to link.
                self.chosen[object_type].setdefault(name, None)
        self.overrides[object_type] = {name: value for name, value in overrides.items() if name not in rules}

    def plan(self) -> Plan:
        self._add_parents()
        order = self._order()
        steps = []
        for object_type in order:
            n = self.numbers[object_type]
            self.made[object_type] = self._links(object_type, n)
            steps.append(
                Step(
                    object_type,
                    n,
                    self.overrides[object_type],
                    object_type in self.asked,
                    self.made[object_type],
                )
            )
        return Plan(tuple(step for step in steps if step.count))

    def _add_parents(self) -> None:
        """Add one record of each parent that nobody asked for and no wider scope has."""
        pending = [name for name, n in self.numbers.items() if n]
        while pending:
            child = pending.pop(0)
            for link, rule in self.links.get(child, {}).items():
                parent = rule.object_type
                if not rule.made or link in self.chosen[child]:
                    continue
                if self.numbers.get(parent) or self.wider.get(parent):
                    continue
                if parent in self.asked:
                    # Asked for with a count of 0: the caller says that there are none.
                    continue
                # A contact made for a deal belongs to the deal's company, if one is chosen.
                chosen = {rule.of: self.chosen[child][rule.of]} if rule.of in self.chosen[child] else {}
                self._take(parent, 1, {name: x for name, x in chosen.items() if name in self.links[parent]})
                self.written_at |= {(parent, name): child for name in self.chosen[parent]}
                pending.append(parent)

    def _order(self) -> list[str]:
        order: list[str] = []
        underway: list[str] = []

        def visit(object_type: str) -> None:
            if object_type in order:
                return
            if object_type in underway:
                circle = " → ".join([*underway[underway.index(object_type) :], object_type])
                raise UsageError(f"links form a circle: {circle}.")
            underway.append(object_type)
            for link, rule in self.links.get(object_type, {}).items():
                if not rule.dealt and self.chosen[object_type].get(link) is None:
                    continue
                if rule.object_type in self.numbers and rule.object_type != object_type:
                    visit(rule.object_type)
            underway.pop()
            order.append(object_type)

        for object_type in self.numbers:
            visit(object_type)
        return order

    # -- links by index --------------------------------------------------------------------------
    def _links(self, object_type: str, n: int) -> list[tuple[Link, ...]]:
        per_field = []
        so_far: dict[str, list[tuple[Link, ...]]] = {}
        for name, rule in self.links.get(object_type, {}).items():
            if name in self.chosen[object_type]:
                chosen = self._chosen(object_type, name, rule, self.chosen[object_type][name])
                column = [chosen] * n
            else:
                column = list(self._dealt(object_type, name, rule, n, so_far))
            so_far[name] = column
            per_field.append(column)
        if not per_field:
            return [()] * n
        return [tuple(link for cell in row for link in cell) for row in zip(*per_field, strict=True)]

    def _chosen(self, object_type: str, name: str, rule: LinkRule, value: Any) -> tuple[Link, ...]:
        where = f"{self.written_at.get((object_type, name), object_type)}.{name}"
        if value is None:
            return ()
        several = list(value) if isinstance(value, list | tuple) else [value]
        if len(several) > 1 and not rule.many:
            raise UsageError(f"{where} takes one record, not {len(several)}.")
        links = tuple(self._one(where, name, rule, item) for item in several)
        if rule.object_type == object_type and any(link.index is not None for link in links):
            raise UsageError(
                f"{where} refers to records that are made together with it, which cannot be linked yet; "
                "give a record that exists, for example one of crm_seeder."
            )
        return links

    def _one(self, where: str, name: str, rule: LinkRule, item: Any) -> Link:
        parent = rule.object_type
        if isinstance(item, Record):
            if item.object_type != parent:
                raise UsageError(f"{where} takes {parent}, and {item!r} is one of {item.object_type}.")
            return Link(name, parent, id=item.id)
        if not isinstance(item, Ref):
            raise UsageError(f'{where} takes ref("{parent}", 0), a seeded record, or None, not {item!r}.')
        if item.object_type != parent:
            raise UsageError(f"{where} takes {parent}, and the ref names {item.object_type}.")
        here, wider = self.numbers.get(parent, 0), self.wider.get(parent, ())
        if here:
            # Under --crm-count there may be fewer than the ref counts on: it wraps around.
            return Link(name, parent, index=item.index % here, label=item.label)
        if wider:
            return Link(name, parent, id=wider[item.index % len(wider)].id, label=item.label)
        raise UsageError(
            f"{where} refers to {parent}[{item.index}], and no {parent} are asked for here or in a wider "
            f"scope; ask for them too, for example {parent}={item.index + 1}."
        )

    def _dealt(
        self,
        object_type: str,
        name: str,
        rule: LinkRule,
        n: int,
        so_far: Mapping[str, list[tuple[Link, ...]]],
    ) -> Iterator[tuple[Link, ...]]:
        candidates = self._candidates(name, rule) if rule.dealt else []
        if not candidates or (not rule.made and not self._offered(rule)):
            yield from [()] * n
            return
        if rule.of is None or rule.of not in so_far:
            for i in range(n):
                yield (candidates[i % len(candidates)],)
            return
        groups = self._grouped(rule, candidates)
        turns: dict[tuple[object, ...], int] = {}
        for i in range(n):
            whose = _identity(so_far[rule.of][i])
            # A parent without any of its own: dealt among all, so that no record goes without.
            group = groups.get(whose) or candidates
            turn = turns.get(whose, 0)
            turns[whose] = turn + 1
            yield (group[turn % len(group)],)

    def _offered(self, rule: LinkRule) -> bool:
        return bool(self.numbers.get(rule.object_type) or self.wider.get(rule.object_type))

    def _candidates(self, name: str, rule: LinkRule) -> list[Link]:
        parent = rule.object_type
        here = self.numbers.get(parent, 0)
        if here:
            return [Link(name, parent, index=i) for i in range(here)]
        if parent in self.asked:
            return []
        return [Link(name, parent, id=record.id) for record in self.wider.get(parent, ())]

    def _grouped(self, rule: LinkRule, candidates: list[Link]) -> dict[tuple[object, ...], list[Link]]:
        assert rule.of is not None
        groups: dict[tuple[object, ...], list[Link]] = {}
        wider = {record.id: record for record in self.wider.get(rule.object_type, ())}
        for candidate in candidates:
            if candidate.index is not None:
                own = [x for x in self.made[rule.object_type][candidate.index] if x.field == rule.of]
            else:
                assert candidate.id is not None
                own = [link for link in wider[candidate.id].links if link.field == rule.of]
            groups.setdefault(_identity(tuple(own)), []).append(candidate)
        return groups


def _identity(links: tuple[Link, ...]) -> tuple[object, ...]:
    return tuple((link.object_type, link.index, link.id) for link in links)
