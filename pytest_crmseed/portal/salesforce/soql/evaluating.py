"""Queries evaluated over the rows of an org."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_crmseed.portal.salesforce import reading
from pytest_crmseed.portal.salesforce.definitions import Field, SObject
from pytest_crmseed.portal.salesforce.errors import Refusal, not_emulated, refusal
from pytest_crmseed.portal.salesforce.rows import Row
from pytest_crmseed.portal.salesforce.soql import comparing, grouping, restrictions
from pytest_crmseed.portal.salesforce.soql.candidates import candidates
from pytest_crmseed.portal.salesforce.soql.resolving import Names, Resolved, source_of
from pytest_crmseed.portal.salesforce.soql.tree import (
    Aggregate,
    Column,
    Comparison,
    Condition,
    Every,
    Fields,
    Includes,
    Membership,
    Not,
    Order,
    Path,
    Query,
)

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.org import Org

MOST_SKIPPED = 2_000
"""Most rows that OFFSET skips (docs, "OFFSET")."""

Passes: TypeAlias = Callable[[Row], bool]
Shows: TypeAlias = Callable[[Row], dict[str, Any]]


class Evaluator:
    """Evaluates one query, whose whole text is ``text``; with ``deleted`` the recycle bin is seen, too."""

    def __init__(self, org: Org, text: str, home: str, *, deleted: bool = False) -> None:
        self._org = org
        self._text = text
        self._home = home
        self._deleted = deleted
        self._now = datetime.fromtimestamp(org.now(), UTC)
        self._parents: dict[str, Row | None] = {}

    def answer(self, query: Query) -> tuple[int, list[dict[str, Any]]]:
        """Return how many rows a query finds, and the records of its answer.

        Raises:
            Refusal: a name or a value in it is wrong.
        """
        source = source_of(self._org, self._text, query.source, query.at)
        names = Names(self._org, self._text, source, query.alias)
        aggregates = [item for item in query.items if isinstance(item, Aggregate)]
        if len(query.items) == 1 and aggregates and aggregates[0].path is None:
            if aggregates[0].function != "COUNT":
                raise refusal("MALFORMED_QUERY", f"{aggregates[0].function}() takes a field", None)
            if query.group:
                raise refusal("MALFORMED_QUERY", "Grouped query cannot use COUNT()", None)
            return sum(1 for _ in self._found(query, names, source)), []
        if aggregates or query.group:
            groups = grouping.Groups(names, query, self.value)
            return groups.answer(self._found(query, names, source, ordered=False))
        shows = self._shows(query, names)
        rows = list(self._found(query, names, source))
        return len(rows), [shows(row) for row in rows]

    # -- rows --------------------------------------------------------------------------------------
    def _found(
        self,
        query: Query,
        names: Names,
        source: SObject,
        among: Iterable[Row] | None = None,
        *,
        ordered: bool = True,
    ) -> Iterator[Row]:
        """Return the rows that a query finds, in its order, oldest first where it has none."""
        if query.offset > MOST_SKIPPED:
            message = f"Maximum SOQL offset allowed is {MOST_SKIPPED}"
            raise refusal("NUMBER_OUTSIDE_VALID_RANGE", message, None)
        restrictions.check_joins(query.where)
        passes = self._test(query.where, names)
        rows: Iterable[Row] = self._rows(source, query.where, names) if among is None else among
        found: Iterable[Row] = filter(passes, rows)
        if not ordered:
            return iter(found)
        if query.order:
            found = self._sorted(list(found), query.order, names)
        return _cut(found, query.offset, query.limit)

    def _rows(self, source: SObject, where: Condition | None, names: Names) -> Iterable[Row]:
        some = candidates(self._org, source, where, names, deleted=self._deleted)
        if some is not None:
            return [row for row in some if self._deleted or not row.deleted]
        rows = [*self._org.rows.scan(source)]
        if self._deleted:
            rows = sorted([*rows, *self._org.rows.scan(source, deleted=True)], key=lambda r: r.record.id)
        return rows

    def _sorted(self, rows: list[Row], order: Sequence[Order], names: Names) -> list[Row]:
        # From the last to the first: sorting keeps what is equal in its order.
        for by in reversed(order):
            resolved = names.resolve(by.path)
            if resolved.field is not None and not resolved.field.facts["sortable"]:
                message = f"field '{by.path.text}' can not be sorted in a query call"
                raise names.refusal(by.path, message, "MALFORMED_QUERY")
            rank = comparing.rank(resolved.field)
            keyed = [(rank(self.value(row, resolved)), row) for row in rows]
            with_value = [pair for pair in keyed if pair[0] is not None]
            without = [row for held, row in keyed if held is None]
            with_value.sort(key=lambda pair: pair[0], reverse=by.descending)
            held = [row for _, row in with_value]
            rows = [*held, *without] if by.nulls_last else [*without, *held]
        return rows

    # -- values ------------------------------------------------------------------------------------
    def value(self, row: Row, resolved: Resolved) -> Any:
        """Return what a row, or its parent, has of a field; None where there is no parent."""
        parent = self._parent(row, resolved)
        if parent is None:
            return None
        if resolved.field is not None:
            return reading.value(self._org, parent, resolved.field)
        if resolved.name == "Type":
            return parent.object.name
        field = parent.object.field(resolved.name)
        return None if field is None else reading.value(self._org, parent, field)

    def _parent(self, row: Row, resolved: Resolved) -> Row | None:
        found: Row | None = row
        for step in resolved.steps:
            id = None if found is None else reading.value(self._org, found, step.field)
            if not isinstance(id, str):
                return None
            if id not in self._parents:
                self._parents[id] = self._org.rows.by_id(id)
            found = self._parents[id]
        return found

    # -- conditions --------------------------------------------------------------------------------
    def _test(self, condition: Condition | None, names: Names) -> Passes:
        match condition:
            case None:
                return lambda row: True
            case Not(inner):
                passes = self._test(inner, names)
                return lambda row: not passes(row)
            case Comparison():
                return self._compared(condition, names)
            case Membership():
                return self._member(condition, names)
            case Includes():
                return self._includes(condition, names)
        several = [self._test(each, names) for each in condition.conditions]
        if isinstance(condition, Every):
            return lambda row: all(passes(row) for passes in several)
        return lambda row: any(passes(row) for passes in several)

    def _filtered(self, path: Path, names: Names) -> Resolved:
        resolved = names.resolve(path)
        if resolved.field is not None and not resolved.field.facts["filterable"]:
            raise names.refusal(path, f"field '{path.text}' can not be filtered in a query call")
        return resolved

    def _compared(self, condition: Comparison, names: Names) -> Passes:
        resolved = self._filtered(condition.path, names)
        field = resolved.field
        if not comparing.takes(field, condition.operator):
            message = f"invalid operator on {'string' if field is None else field.type} field"
            raise names.refusal(condition.path, message, "INVALID_QUERY_FILTER_OPERATOR")
        if condition.operator == "like":
            matches = comparing.like(str(condition.value))
            return lambda row: matches(self.value(row, resolved))
        try:
            passes = comparing.test(field, condition.operator, condition.value, self._now)
        except (comparing.Mismatch, comparing.NoId) as wrong:
            raise _wrong_value(names, condition.path, wrong) from None
        return lambda row: passes(comparing.comparable(field, self.value(row, resolved)))

    def _member(self, condition: Membership, names: Names) -> Passes:
        resolved = self._filtered(condition.path, names)
        field = resolved.field
        if isinstance(condition.values, Query):
            if resolved.steps or field is None or field.type not in restrictions.JOINED:
                message = (
                    f"Semi join sub-selects can only query id fields, cannot use: '{condition.path.text}'"
                )
                raise names.refusal(condition.path, message, "MALFORMED_QUERY")
            sought = self._selected(condition.values, names.source)
        else:
            try:
                sought = {comparing.wanted(field, value) for value in condition.values}
            except (comparing.Mismatch, comparing.NoId) as wrong:
                raise _wrong_value(names, condition.path, wrong) from None
        negated = condition.negated
        return lambda row: (comparing.comparable(field, self.value(row, resolved)) in sought) is not negated

    def _selected(self, query: Query, outer: SObject) -> set[Any]:
        """Return what a query within a condition selects: one field of the rows it finds."""
        if query.order or query.limit is not None or query.offset or query.group:
            message = "ORDER BY, LIMIT and GROUP BY are not supported in semi join sub-selects"
            raise refusal("MALFORMED_QUERY", message, None)
        if restrictions.joins(query.where):
            message = "Nesting of semi join sub-selects is not supported"
            raise refusal("MALFORMED_QUERY", message, None)
        source = source_of(self._org, self._text, query.source, query.at)
        names = Names(self._org, self._text, source, query.alias)
        if len(query.items) != 1 or not isinstance(query.items[0], Path):
            raise refusal(
                "MALFORMED_QUERY", "The inner select of a semi join selects exactly one field", None
            )
        resolved = names.resolve(query.items[0])
        if resolved.steps or resolved.field is None or resolved.field.type not in restrictions.JOINED:
            message = f"Semi join sub-selects can only query id fields, cannot use: '{query.items[0].text}'"
            raise names.refusal(query.items[0], message, "MALFORMED_QUERY")
        if source.name == outer.name:
            message = "The inner and outer selects should not be on the same object type"
            raise refusal("MALFORMED_QUERY", message, None)
        rows = self._found(query, names, source)
        held = {comparing.comparable(resolved.field, self.value(row, resolved)) for row in rows}
        return held - {None}

    def _includes(self, condition: Includes, names: Names) -> Passes:
        resolved = self._filtered(condition.path, names)
        if resolved.field is None or resolved.field.type != "multipicklist":
            message = f"{condition.path.text}: INCLUDES and EXCLUDES take multi-select picklists alone"
            raise names.refusal(condition.path, message, "INVALID_QUERY_FILTER_OPERATOR")

        def passes(row: Row) -> bool:
            held = set(str(self.value(row, resolved) or "").lower().split(";"))
            return any(wanted <= held for wanted in condition.sets) is not condition.negated

        return passes

    # -- what is shown -----------------------------------------------------------------------------
    def _shows(self, query: Query, names: Names) -> Shows:
        restrictions.check_limit(query)
        shown: list[tuple[Sequence[str], Callable[[Row], Any]]] = []
        for item in query.items:
            match item:
                case Path():
                    shown.append(self._field(names.resolve(item)))
                case Fields():
                    shown += [
                        self._field(Resolved((), field, field.name)) for field in _of_kind(names.source, item)
                    ]
                case Column():
                    message = "only aggregate expressions use field aliasing"
                    raise names.refusal(item.path, message, "MALFORMED_QUERY")
                case Query():
                    shown.append(self._children(item, names))
        if not shown:
            message = "'FIELDS(...)' expansion function must result in at least one field being selected."
            raise refusal("MALFORMED_QUERY", message, None)
        counted = Counter(tuple(path) for path, _ in shown)
        twice = next((".".join(path) for path, number in counted.items() if number > 1), None)
        if twice is not None:
            raise refusal("INVALID_FIELD", f"duplicate field selected: {twice}", None)

        def record(row: Row) -> dict[str, Any]:
            out: dict[str, Any] = {"attributes": self._attributes(row)}
            for path, value in shown:
                self._place(out, row, path, value)
            return out

        return record

    def _field(self, resolved: Resolved) -> tuple[Sequence[str], Callable[[Row], Any]]:
        path = [*(step.shown for step in resolved.steps), resolved.name]
        if not resolved.steps:
            return path, lambda row: self.value(row, resolved)
        return path, lambda row: _Nested(
            [self._parent(row, Resolved(resolved.steps[: n + 1], None, "")) for n in range(len(path) - 1)],
            self.value(row, resolved),
        )

    def _place(self, out: dict[str, Any], row: Row, path: Sequence[str], value: Callable[[Row], Any]) -> None:
        held = value(row)
        if not isinstance(held, _Nested):
            out[path[0]] = held
            return
        for name, parent in zip(path[:-1], held.parents, strict=True):
            if parent is None:
                out[name] = None
                return
            if not isinstance(out.get(name), dict):
                out[name] = {"attributes": self._attributes(parent)}
            out = out[name]
        out[path[-1]] = held.value

    def _children(self, query: Query, names: Names) -> tuple[Sequence[str], Callable[[Row], Any]]:
        if self._deleted:
            raise not_emulated("queries of children in queryAll", ())
        if query.group or any(isinstance(item, Aggregate) for item in query.items):
            message = "only root queries support aggregate expressions"
            raise refusal("MALFORMED_QUERY", message, None)
        child = names.children(query.source, query.at)
        source = self._org.object(child.object)
        inner = Names(self._org, self._text, source, query.alias)
        shows = self._shows(query, inner)

        def records(row: Row) -> Any:
            linked = self._org.rows.children(row, child.object)
            numbers = [number for _, number, field in linked if field == child.field]
            rows = self._org.rows.get(source, numbers)
            found = list(self._found(query, inner, source, [rows[n] for n in sorted(rows)]))
            if not found:
                return None
            return {"totalSize": len(found), "done": True, "records": [shows(each) for each in found]}

        return [child.relationship or query.source], records

    def _attributes(self, row: Row) -> dict[str, str]:
        name = row.object.name
        return {"type": name, "url": f"{self._home}/sobjects/{name}/{row.id}"}


class _Nested:
    """A value of a parent, and the parents on the way to it."""

    def __init__(self, parents: Sequence[Row | None], value: Any) -> None:
        self.parents = parents
        self.value = value


def _wrong_value(names: Names, path: Path, wrong: comparing.Mismatch | comparing.NoId) -> Refusal:
    if isinstance(wrong, comparing.NoId):
        return names.refusal(path, f"invalid ID field: {wrong}", "INVALID_QUERY_FILTER_OPERATOR")
    return names.refusal(path, f"value of filter criterion for field '{path.names[-1]}' {wrong}")


def _of_kind(source: SObject, item: Fields) -> list[Field]:
    if item.kind not in ("ALL", "STANDARD", "CUSTOM"):
        raise refusal("MALFORMED_QUERY", f"FIELDS({item.kind}) is none of ALL, STANDARD and CUSTOM", None)
    wanted: Mapping[str, Callable[[Field], bool]] = {
        "ALL": lambda field: True,
        "STANDARD": lambda field: not field.custom,
        "CUSTOM": lambda field: field.custom,
    }
    return [field for field in source.fields if wanted[item.kind](field)]


def _cut(rows: Iterable[Row], offset: int, limit: int | None) -> Iterator[Row]:
    last = None if limit is None else offset + limit
    for number, row in enumerate(rows):
        if last is not None and number >= last:
            return
        if number >= offset:
            yield row
