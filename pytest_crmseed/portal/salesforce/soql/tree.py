"""What a query says, once it is parsed.

Salesforce docs, "SOQL and SOSL Reference". ``at`` is where something stands in the query's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Path:
    """A field, or one of a parent: ``("Account", "Owner", "Name")``."""

    names: tuple[str, ...]
    at: int = 0

    @property
    def text(self) -> str:
        """The path as it is written."""
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written, with its currency's code if it has one."""

    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """A date literal such as ``TODAY`` or ``LAST_N_DAYS:7``, in capitals."""

    name: str
    n: int | None = None


Value: TypeAlias = str | Number | bool | date | datetime | Span | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field operator value``; the operator is one of ``= != < <= > >= like``."""

    path: Path
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Membership:
    """``field IN (...)``, of values or of what another query selects."""

    path: Path
    values: tuple[Value, ...] | Query
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Includes:
    """``field INCLUDES ('a;b', 'c')`` of a multi-select picklist: any of the sets is there wholly."""

    path: Path
    sets: tuple[frozenset[str], ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """``NOT condition``."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Every:
    """Conditions joined by AND."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Conditions joined by OR."""

    conditions: tuple[Condition, ...]


Condition: TypeAlias = Comparison | Membership | Includes | Not | Every | Either


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``COUNT(Id) n``; ``path`` is None for ``COUNT()``."""

    function: str
    path: Path | None
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A field that the answer calls by another name: ``Name n``."""

    path: Path
    alias: str


@dataclass(frozen=True, slots=True)
class Fields:
    """``FIELDS(ALL)``, ``FIELDS(STANDARD)`` or ``FIELDS(CUSTOM)``."""

    kind: str


@dataclass(frozen=True, slots=True)
class Order:
    """What rows are sorted by; ``nulls_last`` is None where the query does not say."""

    path: Path
    descending: bool = False
    nulls_last: bool | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A query, or one in another."""

    items: tuple[Path | Column | Aggregate | Fields | Query, ...]
    source: str
    at: int = 0
    alias: str | None = None
    where: Condition | None = None
    group: tuple[Path, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
