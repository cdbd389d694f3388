"""SOQL: texts quoted, queries as requests and as parts of composite ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from pytest_crmseed.providers.base import Effect, Exchange, Request

BUCKETS = ("daily",)

_ESCAPES = str.maketrans(
    {"\\": r"\\", "'": r"\'", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"}
)


def text(value: str) -> str:
    """Return a text as SOQL writes it, in quotes."""
    return f"'{value.translate(_ESCAPES)}'"


def texts(values: Iterable[str]) -> str:
    """Return texts as the list that follows ``IN``."""
    return f"({', '.join(map(text, values))})"


def root(version: str) -> str:
    """Return the path that all resources of a version lie under."""
    return f"/services/data/v{version}"


def query(version: str, statement: str, what: str) -> Request:
    """Return the request of a query."""
    return Request(
        "GET", f"{root(version)}/query", what, Effect.READ, query=(("q", statement),), buckets=BUCKETS
    )


def part(version: str, statement: str, name: str) -> dict[str, str]:
    """Return a query as a part of a composite request, where its length does not matter."""
    return {
        "method": "GET",
        "url": f"{root(version)}/query?q={quote(statement, safe='')}",
        "referenceId": name,
    }


def rows(version: str, statement: str, what: str) -> Exchange[list[dict[str, Any]]]:
    """Return all rows of a query, page by page."""
    found: list[dict[str, Any]] = []
    request = query(version, statement, what)
    while True:
        body = (yield request).json()
        found += body.get("records") or ()
        following = str(body.get("nextRecordsUrl") or "")
        if body.get("done", True) or not following.startswith("/"):
            return found
        request = Request("GET", following, what, Effect.READ, buckets=BUCKETS)


def chunks(items: list[str], most: int) -> Iterator[list[str]]:
    """Yield items in groups of at most so many."""
    for start in range(0, len(items), most):
        yield items[start : start + most]
