"""COUNT, SUM and the like, over all rows or by group.

Salesforce docs, "SOQL and SOSL Reference", "Aggregate Functions" and "GROUP BY".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from pytest_crmseed.portal.salesforce.definitions import NUMBERS
from pytest_crmseed.portal.salesforce.errors import not_emulated, refusal
from pytest_crmseed.portal.salesforce.rows import Row
from pytest_crmseed.portal.salesforce.soql import comparing
from pytest_crmseed.portal.salesforce.soql.resolving import Names, Resolved
from pytest_crmseed.portal.salesforce.soql.tree import Aggregate, Column, Fields, Path, Query

_ATTRIBUTES = {"type": "AggregateResult"}


class Groups:
    """The groups of one query."""

    def __init__(self, names: Names, query: Query, value: Callable[[Row, Resolved], Any]) -> None:
        self._names = names
        self._query = query
        self._value = value
        self._by = [self._grouped(path) for path in query.group]
        self._columns = self._named()

    def _grouped(self, path: Path) -> Resolved:
        resolved = self._names.resolve(path)
        if resolved.field is not None and not resolved.field.facts["groupable"]:
            message = f"field '{path.text}' can not be grouped in a query call"
            raise self._names.refusal(path, message, "MALFORMED_QUERY")
        return resolved

    def _named(self) -> list[tuple[str, Path | Aggregate, Resolved]]:
        columns: list[tuple[str, Path | Aggregate, Resolved]] = []
        unnamed = 0
        for item in self._query.items:
            match item:
                case Aggregate(_, None, _):
                    raise refusal("MALFORMED_QUERY", "Grouped query cannot use COUNT()", None)
                case Aggregate(_, Path() as path, alias):
                    columns.append((alias or f"expr{unnamed}", item, self._names.resolve(path)))
                    unnamed += not alias
                case Path() | Column():
                    path, alias = (item.path, item.alias) if isinstance(item, Column) else (item, None)
                    resolved = self._names.resolve(path)
                    if resolved not in self._by:
                        message = f"Field must be grouped or aggregated: {path.text}"
                        raise self._names.refusal(path, message, "MALFORMED_QUERY")
                    columns.append((alias or resolved.name, path, resolved))
                case Fields():
                    raise refusal("MALFORMED_QUERY", "Field must be grouped or aggregated: FIELDS()", None)
                case _:
                    raise refusal("MALFORMED_QUERY", "Grouped query cannot use child relationships", None)
        if self._query.limit is not None and not self._by:
            message = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
            raise refusal("MALFORMED_QUERY", message, None)
        if self._query.order or self._query.offset:
            raise not_emulated("ORDER BY and OFFSET of groups in SOQL", ())
        return columns

    def answer(self, rows: Iterable[Row]) -> tuple[int, list[dict[str, Any]]]:
        """Return how many groups there are, and a record of each."""
        groups: dict[tuple[Any, ...], list[Row]] = {} if self._by else {(): []}
        for row in rows:
            held = (comparing.comparable(by.field, self._value(row, by)) for by in self._by)
            groups.setdefault(tuple(held), []).append(row)
        # Nulls first, as rows are.
        order = sorted(groups, key=lambda held: [(each is not None, each) for each in held])
        records = [self._record(groups[held]) for held in order]
        records = records[: self._query.limit]
        return len(records), records

    def _record(self, rows: Sequence[Row]) -> dict[str, Any]:
        out: dict[str, Any] = {"attributes": dict(_ATTRIBUTES)}
        for name, item, resolved in self._columns:
            held = [value for row in rows if (value := self._value(row, resolved)) is not None]
            if isinstance(item, Path):
                out[name] = held[0] if held else None
            else:
                out[name] = self._aggregated(item, resolved, held)
        return out

    def _aggregated(self, item: Aggregate, resolved: Resolved, held: Sequence[Any]) -> Any:
        field = resolved.field
        match item.function:
            case "COUNT":
                return len(held)
            case "COUNT_DISTINCT":
                return len({comparing.comparable(field, value) for value in held})
            case "MIN" | "MAX":
                least = min if item.function == "MIN" else max
                return least(held, key=lambda value: comparing.comparable(field, value)) if held else None
        if field is None or field.type not in NUMBERS:
            assert item.path is not None
            message = f"field {item.path.text} does not support aggregate operator {item.function}"
            raise self._names.refusal(item.path, message, "MALFORMED_QUERY")
        if not held:
            return None
        total = sum(Decimal(str(value)) for value in held)
        return float(total if item.function == "SUM" else total / len(held))
