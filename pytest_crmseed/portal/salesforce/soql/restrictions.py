"""What a query may not do though it is well-formed: joins, and all fields of any number of rows."""

from __future__ import annotations

from pytest_crmseed.portal.salesforce.errors import refusal
from pytest_crmseed.portal.salesforce.soql.tree import (
    Comparison,
    Condition,
    Either,
    Every,
    Fields,
    Membership,
    Not,
    Query,
)

MOST_WHOLE = 200
"""Most rows of a query that asks for all fields, or for all custom ones (docs, "FIELDS()")."""

MOST_JOINS = 2
"""Most queries within the condition of one (docs, "Semi-Joins with IN and Anti-Joins with NOT IN")."""

JOINED = ("id", "reference")
"""Types of fields that a query within a condition is compared with, and selects."""


def joins(where: Condition | None) -> list[Query]:
    """Return the queries within a condition."""
    match where:
        case Membership(_, Query() as query):
            return [query]
        case Not(inner):
            return joins(inner)
        case Every(conditions) | Either(conditions):
            return [query for each in conditions for query in joins(each)]
    return []


def check_joins(where: Condition | None) -> None:
    """Refuse queries within a condition where they may not stand."""
    if len(joins(where)) > MOST_JOINS:
        message = f"Maximum {MOST_JOINS} semi join sub-selects are allowed"
        raise refusal("MALFORMED_QUERY", message, None)
    match where:
        case Every(conditions):
            for each in conditions:
                check_joins(each)
        case Either() if joins(where):
            message = "Semi join sub-selects are not allowed with the 'OR' operator"
            raise refusal("MALFORMED_QUERY", message, None)
        case Not() if joins(where):
            message = "Semi join sub-selects are not allowed with the 'NOT' operator"
            raise refusal("MALFORMED_QUERY", message, None)


def check_limit(query: Query) -> None:
    """Refuse to select all fields of any number of rows."""
    unbounded = any(isinstance(item, Fields) and item.kind in ("ALL", "CUSTOM") for item in query.items)
    if unbounded and (query.limit is None or query.limit > MOST_WHOLE) and not _few(query.where):
        message = f"The SOQL FIELDS function must have a LIMIT of at most {MOST_WHOLE}"
        raise refusal("MALFORMED_QUERY", message, None)


def _few(where: Condition | None) -> bool:
    """Return whether a condition names the ids of few rows."""
    match where:
        case Comparison(path, "=", str()):
            return path.text.lower() == "id"
        case Membership(path, tuple(listed), negated=False):
            return path.text.lower() == "id" and len(listed) <= MOST_WHOLE
        case Every(conditions):
            return any(map(_few, conditions))
        case Either(conditions):
            return len(conditions) <= MOST_WHOLE and all(map(_few, conditions))
    return False
