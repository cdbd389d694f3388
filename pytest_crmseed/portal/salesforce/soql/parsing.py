"""The grammar: a query's text to its tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from pytest_crmseed.portal.salesforce.errors import Refusal, not_emulated, refusal
from pytest_crmseed.portal.salesforce.soql.tree import (
    Aggregate,
    Column,
    Comparison,
    Condition,
    Either,
    Every,
    Fields,
    Includes,
    Membership,
    Not,
    Number,
    Order,
    Path,
    Query,
    Span,
    Value,
)

LONGEST = 100_000
"""[unsure] Most characters of a query."""

# AND and OR do not mix without parentheses (docs, "Condition Expression Syntax").
_GRAMMAR = r"""
?start: query
query: SELECT items FROM path [alias] [where] [group] [order] [limit] [offset]
items: item ("," item)*
?item: path [ALIAS] -> column
    | FUNCTION "(" [path] ")" [alias] -> aggregate
    | FIELDS "(" NAME ")" -> fields
    | "(" query ")"
alias: NAME
where: WHERE condition
group: GROUP BY path ("," path)*
order: ORDER BY sorting ("," sorting)*
sorting: path [DIRECTION] [NULLS]
limit: LIMIT WHOLE
offset: OFFSET WHOLE

?condition: unit | unit (AND unit)+ -> every | unit (OR unit)+ -> either
?unit: NOT unit -> negation | "(" condition ")" | comparison
comparison: path OPERATOR value -> compared
    | path LIKE STRING -> like
    | path IN set -> within
    | path NOT IN set -> without
    | path INCLUDES "(" STRING ("," STRING)* ")" -> includes
    | path EXCLUDES "(" STRING ("," STRING)* ")" -> excludes
set: "(" value ("," value)* ")" -> listed
    | "(" query ")" -> selected
value: STRING -> text | MOMENT -> moment | DAY -> day | NUMBER -> number | INTEGER -> number
    | CONSTANT -> constant | SPAN -> span | SPAN_N -> span
path: NAME ("." NAME)*

SELECT.2: /SELECT\b/i
FROM.2: /FROM\b/i
WHERE.2: /WHERE\b/i
GROUP.2: /GROUP\b/i
ORDER.2: /ORDER\b/i
BY.2: /BY\b/i
LIMIT.2: /LIMIT\b/i
OFFSET.2: /OFFSET\b/i
AND.2: /AND\b/i
OR.2: /OR\b/i
NOT.2: /NOT\b/i
LIKE.2: /LIKE\b/i
IN.2: /IN\b/i
INCLUDES.2: /INCLUDES\b/i
EXCLUDES.2: /EXCLUDES\b/i
DIRECTION.2: /(ASC|DESC)\b/i
NULLS.2: /NULLS\s+(FIRST|LAST)\b/i
FUNCTION.3: /(COUNT_DISTINCT|COUNT|SUM|AVG|MIN|MAX)(?=\s*\()/i
FIELDS.3: /FIELDS(?=\s*\()/i
CONSTANT.3: /(TRUE|FALSE|NULL)\b/i
SPAN.3: /(TODAY|YESTERDAY|TOMORROW|(LAST|THIS|NEXT)_(WEEK|MONTH|QUARTER|YEAR|90_DAYS))(?![\w:])/i
SPAN_N.3: /((LAST|NEXT)_N_(DAY|WEEK|MONTH|QUARTER|YEAR)S|N_(DAY|WEEK|MONTH|QUARTER|YEAR)S_AGO)\s*:\s*\d{1,9}/i
OPERATOR: "<=" | ">=" | "!=" | "<>" | "=" | "<" | ">"
STRING: /'(\\.|[^'\\])*'/s
MOMENT.5: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)/i
DAY.4: /\d{4}-\d\d-\d\d/
NUMBER.3: /[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?/
INTEGER.2: /[+-]?\d+/
WHOLE: /\d+/
ALIAS: /[A-Za-z]\w*(?=\s*(,|FROM\b))/i
NAME: /[A-Za-z][A-Za-z0-9_]*/
%ignore /\s+/
"""

# Parts of the language that are not emulated, as they stand outside texts.
_BEYOND = re.compile(
    r"\b(TYPEOF|HAVING|ROLLUP|CUBE|USING\s+SCOPE|WITH\s+\w+|FOR\s+(?:VIEW|REFERENCE|UPDATE)|ALL\s+ROWS"
    r"|UPDATE\s+(?:TRACKING|VIEWSTAT)|toLabel\s*\(|FORMAT\s*\(|convertCurrency\s*\(|convertTimezone\s*\("
    r"|DISTANCE\s*\(|GEOLOCATION\s*\(|GROUPING\s*\(|(?:CALENDAR|FISCAL)_\w+\s*\("
    r"|(?:DAY|HOUR|WEEK)_(?:IN|ONLY)_?\w*\s*\(|\w+_FISCAL_\w+"
    r"|ORDER\s+BY\s[^()]*\b(?:COUNT_DISTINCT|COUNT|SUM|AVG|MIN|MAX)\s*\()"
    # Several objects in FROM, amounts with a currency, times of day.
    r"|\bFROM\s+\w+(?:\s+\w+)?\s*,|[=<>]\s*[A-Z]{3}\d|(?<![\dT:+-])\d\d:\d\d:\d\d",
    re.IGNORECASE,
)
_STRING = re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_KNOWN_ESCAPES = frozenset("nrtbfNRTBF'\"\\_%")


def parse(text: str) -> Query:
    """Return the tree of a query.

    Raises:
        Refusal: it is none (``MALFORMED_QUERY``), or uses what is not emulated (501).
    """
    if len(text) > LONGEST:
        raise refusal(
            "QUERY_TOO_COMPLICATED", "SOQL statements cannot be longer than 100000 characters.", None
        )
    beyond = _BEYOND.search(_STRING.sub(lambda found: " " * len(found[0]), text))
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        if beyond is not None:
            raise not_emulated(f"{' '.join(beyond[0].split())} in SOQL", ()) from error
        raise framed(text, error.pos_in_stream or 0, "MALFORMED_QUERY", _said(text, error)) from error
    try:
        query: Query = _Tree().transform(tree)
    except RecursionError as error:
        message = "Query is either selecting too many fields or the filter conditions are too complicated."
        raise refusal("QUERY_TOO_COMPLICATED", message, None) from error
    except VisitError as error:
        if isinstance(error.orig_exc, Refusal):
            raise error.orig_exc from error
        raise
    return query


def framed(text: str, at: int, code: str, message: str) -> Refusal:
    """Return a refusal that shows the place in the query, with row and column."""
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)]
    row = text.count("\n", 0, at) + 1
    column = at - start + 1
    # A long line is shown around the place, as the API does it [unsure how much of it].
    first = max(0, column - 1 - 40)
    shown, pointer = line[first : column + 40], " " * (column - 1 - first) + "^"
    return refusal(code, f"\n{shown}\n{pointer}\nERROR at Row:{row}:Column:{column}\n{message}", None)


def _said(text: str, error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return "unexpected token: '<EOF>'"
    if isinstance(error, UnexpectedToken):
        return f"unexpected token: '{error.token}'"
    if isinstance(error, UnexpectedCharacters):
        found = re.compile(r"\w+|.", re.DOTALL).match(text, error.pos_in_stream or 0)
        return f"unexpected token: '{found[0] if found else ''}'"
    return "unexpected token: '<EOF>'"


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=True, propagate_positions=True)


@v_args(inline=True)
class _Tree(Transformer[Token, Any]):
    """Makes the tree of ours of the parser's."""

    def path(self, *names: Token) -> Path:
        return Path(tuple(map(str, names)), names[0].start_pos or 0)

    def alias(self, name: Token) -> str:
        return str(name)

    def column(self, path: Path, alias: Token | None) -> Path | Column:
        return path if alias is None else Column(path, str(alias))

    def items(self, *items: Any) -> tuple[Any, ...]:
        return items

    def aggregate(self, function: Token, path: Path | None, alias: str | None) -> Aggregate:
        return Aggregate(function.upper(), path, alias)

    def fields(self, _: Token, kind: Token) -> Fields:
        return Fields(kind.upper())

    def query(self, *parts: Any) -> Query:
        rest = [part for part in parts if not isinstance(part, Token)]
        items, source, alias, where, group, order, limit, offset = rest
        return Query(
            items, source.text, source.at, alias, where, group or (), order or (), limit, offset or 0
        )

    def where(self, _: Token, condition: Condition) -> Condition:
        return condition

    def group(self, _: Token, __: Token, *paths: Path) -> tuple[Path, ...]:
        return paths

    def order(self, _: Token, __: Token, *sortings: Order) -> tuple[Order, ...]:
        return sortings

    def sorting(self, path: Path, direction: Token | None, nulls: Token | None) -> Order:
        last = None if nulls is None else nulls.upper().endswith("LAST")
        return Order(path, direction is not None and direction.upper() == "DESC", last)

    def limit(self, _: Token, number: Token) -> int:
        return _whole(number)

    def offset(self, _: Token, number: Token) -> int:
        return _whole(number)

    # -- conditions ------------------------------------------------------------------------------
    def every(self, *parts: Any) -> Every:
        return Every(tuple(_conditions(parts)))

    def either(self, *parts: Any) -> Either:
        return Either(tuple(_conditions(parts)))

    def negation(self, _: Token, condition: Condition) -> Not:
        return Not(condition)

    def compared(self, path: Path, operator: Token, value: Value) -> Comparison:
        return Comparison(path, "!=" if operator == "<>" else str(operator), value)

    def like(self, path: Path, _: Token, pattern: Token) -> Comparison:
        # The pattern keeps its escapes: an escaped % is no wildcard.
        return Comparison(path, "like", str(pattern)[1:-1])

    def within(self, path: Path, _: Token, values: Any) -> Membership:
        return Membership(path, values)

    def without(self, path: Path, _: Token, __: Token, values: Any) -> Membership:
        return Membership(path, values, negated=True)

    def includes(self, path: Path, _: Token, *texts: Token) -> Includes:
        return Includes(path, tuple(frozenset(_text(text).lower().split(";")) for text in texts))

    def excludes(self, path: Path, _: Token, *texts: Token) -> Includes:
        return Includes(
            path, tuple(frozenset(_text(text).lower().split(";")) for text in texts), negated=True
        )

    def listed(self, *values: Value) -> tuple[Value, ...]:
        return values

    def selected(self, query: Query) -> Query:
        return query

    # -- values ----------------------------------------------------------------------------------
    def text(self, token: Token) -> str:
        return _text(token)

    def number(self, token: Token) -> Number:
        return Number(str(token))

    def constant(self, token: Token) -> bool | None:
        return {"TRUE": True, "FALSE": False, "NULL": None}[token.upper()]

    def moment(self, token: Token) -> datetime:
        try:
            return datetime.fromisoformat(str(token).upper()).astimezone(UTC)
        except ValueError:
            raise refusal("MALFORMED_QUERY", f"{token} is not a valid datetime", None) from None

    def day(self, token: Token) -> date:
        try:
            return date.fromisoformat(str(token))
        except ValueError:
            raise refusal("MALFORMED_QUERY", f"{token} is not a valid date", None) from None

    def span(self, token: Token) -> Span:
        name, _, number = "".join(token.upper().split()).partition(":")
        return Span(name, int(number) if number else None)


def _conditions(parts: tuple[Any, ...]) -> Iterator[Condition]:
    return (part for part in parts if not isinstance(part, Token))


def _whole(token: Token) -> int:
    # Python reads no number of very many digits.
    if len(token) > 10 or int(token) >= 2**31:
        raise refusal("MALFORMED_QUERY", f"numeric value out of range: {token}", None)
    return int(token)


def _text(token: Token) -> str:
    def unescaped(found: re.Match[str]) -> str:
        if found[1] not in _KNOWN_ESCAPES:
            raise refusal("MALFORMED_QUERY", f"Invalid string literal '{token[1:-1]}'", None)
        return _ESCAPES.get(found[1].lower(), found[1])

    return _ESCAPE.sub(unescaped, str(token)[1:-1])
