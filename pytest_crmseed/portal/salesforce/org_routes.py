"""What a client reads about the org: resources, limits, objects and their describes."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.salesforce.call import Call
from pytest_crmseed.portal.salesforce.describing import described, in_global
from pytest_crmseed.portal.salesforce.errors import parser_error, refusal
from pytest_crmseed.portal.salesforce.instants import http_date, moment, stamp
from pytest_crmseed.portal.salesforce.limits import DAY
from pytest_crmseed.portal.salesforce.routing import Route
from pytest_crmseed.portal.salesforce.system_rows import FOUNDED

_KEPT_DAYS = 15
_RESOURCES = ("composite", "limits", "query", "queryAll", "sobjects", "tooling", "ui-api")


def resources(call: Call) -> PortalResponse:
    """List the resources of a version."""
    who = f"{call.request.origin}/id/{call.org.sessions.organization_id}/{call.session.user_id}"
    return call.answer(200, {**{name: f"{call.home}/{name}" for name in _RESOURCES}, "identity": who})


def limits(call: Call) -> PortalResponse:
    """Tell the org's limits, and what is left."""
    counts = call.org.rows.counts()
    seeded = {name: number for name, number in counts.items() if call.org.catalogue.seedable(name)}
    return call.answer(200, call.org.limits.all(seeded))


def record_count(call: Call) -> PortalResponse:
    """Count live rows. Real orgs count now and then, so that their figures lag."""
    counts = call.org.rows.counts()
    asked = [call.org.catalogue.find(name.strip()) for name in (call.argument("sObjects") or "").split(",")]
    found = [each for each in asked if each is not None and counts.get(each.name)]
    return call.answer(200, {"sObjects": [{"count": counts[each.name], "name": each.name} for each in found]})


def global_describe(call: Call) -> PortalResponse:
    """List the objects."""
    names = sorted(call.org.catalogue.names)
    entries = [in_global(call.org.object(name), call.home, call.version) for name in names]
    return call.answer(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": entries})


def describe(call: Call) -> PortalResponse:
    """Describe an object; not again for a client that has it already."""
    changed = max(FOUNDED, call.org.catalogue.defined_at)
    headers = {"Last-Modified": http_date(changed), "ETag": f'"{int(changed)}-{call.object.name}"'}
    since = call.request.headers.get("if-modified-since")
    if since is not None and _is_since(since, changed):
        return call.empty(304, headers)
    body = described(call.object, call.home, call.version, call.request.origin)
    return call.answer(200, body, headers)


def basic(call: Call) -> PortalResponse:
    """Describe an object in short, without its fields."""
    entry = in_global(call.object, call.home, call.version)
    return call.answer(200, {"objectDescribe": entry, "recentItems": []})


def deleted(call: Call) -> PortalResponse:
    """List rows that were deleted in a span of time."""
    start, end = _span(call)
    found = [
        {"id": row.id, "deletedDate": at}
        for row in call.org.rows.scan(call.object, deleted=True)
        if start <= (at := stamp(row.record.archived or 0)) < end
    ]
    return call.answer(
        200,
        {
            "deletedRecords": found,
            "earliestDateAvailable": stamp(call.org.now() - _KEPT_DAYS * DAY),
            "latestDateCovered": end,
        },
    )


def updated(call: Call) -> PortalResponse:
    """List ids of rows that were made or changed in a span of time."""
    start, end = _span(call)
    rows = call.org.rows.scan(call.object)
    found = [row.id for row in rows if start <= stamp(row.record.updated) < end]
    return call.answer(200, {"ids": found, "latestDateCovered": end})


def _span(call: Call) -> tuple[str, str]:
    # A plus that was not encoded arrives as a space.
    start, end = (moment((call.argument(name) or "").replace(" ", "+")) for name in ("start", "end"))
    if start is None or end is None:
        raise parser_error("start and end are moments such as 2026-01-01T00:00:00+00:00")
    if end <= start:
        raise refusal("INVALID_REPLICATION_DATE", "endDate must be greater than startDate", None)
    return start, end


def _is_since(text: str, changed: float) -> bool:
    try:
        return parsedate_to_datetime(text).timestamp() >= int(changed)
    except (TypeError, ValueError, OverflowError):
        return False


ROUTES = (
    Route("GET", "", resources),
    Route("GET", "/limits", limits),
    Route("GET", "/limits/recordCount", record_count),
    Route("GET", "/sobjects", global_describe),
    Route("GET", "/sobjects/{object}", basic),
    Route("GET", "/sobjects/{object}/describe", describe),
    Route("GET", "/sobjects/{object}/deleted", deleted),
    Route("GET", "/sobjects/{object}/updated", updated),
)
