"""Queries over HTTP: ``/query``, ``/queryAll``, and the pages that follow.

Salesforce docs, "REST API Developer Guide", "Query" and "QueryAll", "Query Options Header".
"""

from __future__ import annotations

import re
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.salesforce.call import Call
from pytest_crmseed.portal.salesforce.errors import not_emulated, refusal
from pytest_crmseed.portal.salesforce.routing import Route

FEWEST, MOST = 200, 2_000
"""Records on a page that a client may ask for."""

_SIZE = re.compile(r"batchsize\s*=\s*(\d+)", re.IGNORECASE)


def _query(call: Call) -> PortalResponse:
    return _asked(call, "query", deleted=False)


def _query_all(call: Call) -> PortalResponse:
    return _asked(call, "queryAll", deleted=True)


def _asked(call: Call, name: str, *, deleted: bool) -> PortalResponse:
    text = call.argument("q")
    if not text or not text.strip():
        if call.argument("explain") is not None:
            raise not_emulated("query plans", ())
        message = "SOQL statement is missing: it goes into the parameter q"
        raise refusal("MALFORMED_QUERY", message, None)
    total, records = evaluated(call, text, deleted=deleted)
    size = page_size(call)
    if len(records) <= size:
        return call.answer(200, {"totalSize": total, "done": True, "records": records})
    cursor = call.org.cursors.opened(f"{call.home}/{name}", records, size, call.org.clock())
    return call.answer(200, cursor.answer(0))


def evaluated(call: Call, text: str, *, deleted: bool = False) -> tuple[int, list[dict[str, Any]]]:
    """Return how many rows a query finds, and the records of its answer.

    Raises:
        Refusal: it is no query, or something in it is wrong.
    """
    # Not before the first query: most portals never see one, and the parser's library takes its time.
    from pytest_crmseed.portal.salesforce.soql.evaluating import Evaluator
    from pytest_crmseed.portal.salesforce.soql.parsing import parse

    return Evaluator(call.org, text, call.home, deleted=deleted).answer(parse(text))


def page_size(call: Call) -> int:
    """Return how many records a page has, as the org's switch and the header say."""
    found = _SIZE.search(call.request.headers.get("sforce-query-options", ""))
    wanted = MOST if found is None else max(FEWEST, min(MOST, int(found[1])))
    return min(wanted, call.org.switches.page_size)


def _next(call: Call) -> PortalResponse:
    id, _, start = call.params["locator"].rpartition("-")
    cursor = call.org.cursors.find(id, call.org.clock())
    known = cursor is not None and start.isascii() and start.isdigit()
    if cursor is None or not known or int(start) >= len(cursor.records):
        raise refusal("INVALID_QUERY_LOCATOR", "invalid query locator", None)
    return call.answer(200, cursor.answer(int(start)))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/query", _query),
    Route("GET", "/queryAll", _query_all),
    Route("GET", "/query/{locator}", _next),
    Route("GET", "/queryAll/{locator}", _next),
)
