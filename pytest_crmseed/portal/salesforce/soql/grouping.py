"""COUNT, SUM and the like, over all rows or by group.

Salesforce docs, "SOQL and SOSL Reference", "Aggregate Functions" and "GROUP BY".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from pytest_crmseed.portal.salesforce.definitions import NUMBERS
from pytest_crmseed.portal.salesforce.errors import refusal
from pytest_crmseed.portal.salesforce.rows import Row
from pytest_crmseed.portal.salesforce.soql import comparing
from pytest_crmseed.portal.salesforce.soql.resolving import Names, Resolved
from pytest_crmseed.portal.salesforce.soql.tree import Aggregate, Path, Query

_ATTRIBUTES = {"type": "AggregateResult"}


class Groups:
    """The groups of one query."""

    def __init__(self, names: Names, query: Query, value: Callable[[Row, Resolved], Any]) -> None:
        self._names = names
        self._query = query
        self._value = value
        self._by = [names.resolve(path) for path in query.group]
        self._columns = self._named()

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
                case Path():
                    resolved = self._names.resolve(item)
                    if resolved not in self._by:
                        message = f"Field must be grouped or aggregated: {item.text}"
                        raise self._names.wrong_value(item, message)
                    columns.append((resolved.name, item, resolved))
                case _:
                    raise refusal("MALFORMED_QUERY", "Grouped query cannot use child relationships", None)
        if self._query.order or self._query.offset:
            message = "The local portal does not emulate ORDER BY and OFFSET of groups in SOQL."
            raise refusal("NOT_EMULATED", message, None, status=501)
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
            raise self._names.wrong_value(item.path, message)
        if not held:
            return None
        total = sum(Decimal(str(value)) for value in held)
        return float(total if item.function == "SUM" else total / len(held))
