"""The routes of v2 that all object types share: create, read, list, update, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import errors, lists, moments, rules
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.entities import Entity, answered, live, of_body
from pytest_crmseed.portal.pipedrive.kept import PROVIDER
from pytest_crmseed.portal.pipedrive.rows import Row, decoded, text
from pytest_crmseed.portal.store import StoredRecord

IDS_MOST = 100

Handler = Callable[[Call], PortalResponse]


def create(entity: Entity) -> Handler:
    """Return the handler of POST on the collection."""

    def handler(call: Call) -> PortalResponse:
        row = make(call, entity, call.body)
        return call.answer(answered(call, entity, row), status=entity.created)

    return handler


def make(call: Call, entity: Entity, body: dict[str, Any]) -> Row:
    """Create a record of a body in v2's form.

    Raises:
        ApiError: the body is not valid.
    """
    custom, problems = of_body(call, entity, body)
    rules.check(body, entity.rules, entity.required, problems)
    if body.get("is_deleted"):
        raise errors.invalid([("is_deleted", "A deleted record cannot be created")])
    if entity.check is not None:
        entity.check(call, body)
    now = call.company.now()
    given = {name: value for name, value in body.items() if name not in ("custom_fields", "is_deleted")}
    at = moments.parse_either(given.pop("add_time", "")) if "add_time" in given else None
    data = entity.prepare(call, given, None)
    created = now if at is None else at
    row = Row(call.company.new_id(entity.type), {**data, **custom}, created, now)
    call.company.save(entity.type, row)
    return row


def change(call: Call, entity: Entity, row: Row, body: dict[str, Any]) -> Row:
    """Update a record with a body in v2's form.

    Raises:
        ApiError: the body is not valid.
    """
    custom, problems = of_body(call, entity, body)
    rules.check(body, entity.rules, (), problems)
    if entity.check is not None:
        entity.check(call, body)
    given = {
        name: value for name, value in body.items() if name not in ("custom_fields", "is_deleted", "add_time")
    }
    data = entity.prepare(call, given, row)
    changed = Row(row.id, {**row.data, **data, **custom}, row.created, call.company.now())
    call.company.save(entity.type, changed)
    if body.get("is_deleted"):
        remove(call, entity, changed)
        changed.deleted = call.company.now()
    return changed


def remove(call: Call, entity: Entity, row: Row) -> None:
    """Delete a record."""
    if entity.deleting is not None:
        entity.deleting(call.company, row)
    call.company.delete(entity.type, row.id)


def get(entity: Entity) -> Handler:
    """Return the handler of GET on one record."""

    def handler(call: Call) -> PortalResponse:
        row = call.company.row(entity.type, call.id, deleted=call.company.behaviour.deleted_records_readable)
        if row is None:
            raise errors.not_found(entity.noun)
        return call.answer(answered(call, entity, row))

    return handler


def update(entity: Entity) -> Handler:
    """Return the handler of PATCH on one record."""

    def handler(call: Call) -> PortalResponse:
        if (
            entity.type == "deals"
            and call.company.behaviour.restore_by_patch
            and call.body == {"is_deleted": False}
        ):
            restore(call, entity)
        row = change(call, entity, live(call, entity, call.id), call.body)
        return call.answer(answered(call, entity, row))

    return handler


def restore(call: Call, entity: Entity) -> None:
    """Make a deleted record live again; what is live, or not there, stays so."""
    row = call.company.row(entity.type, call.id, deleted=True)
    if row is not None and row.deleted is not None:
        row.deleted = None
        call.company.save(entity.type, row)


def delete(entity: Entity) -> Handler:
    """Return the handler of DELETE on one record."""

    def handler(call: Call) -> PortalResponse:
        row = call.company.row(entity.type, call.id, deleted=True)
        status = call.company.behaviour.delete_deleted_status
        if row is not None and row.deleted is not None and status != 404:
            if status == 410:
                raise errors.ApiError(410, f"{entity.noun} is gone", "ERR_GONE")
            return call.answer({"id": row.id})
        if row is None or row.deleted is not None:
            raise errors.not_found(entity.noun)
        remove(call, entity, row)
        return call.answer({"id": row.id})

    return handler


def listed(entity: Entity) -> Handler:
    """Return the handler of GET on the collection."""

    def handler(call: Call) -> PortalResponse:
        rows, cursor = page(call, entity, conditions(call, entity))
        return lists.answer(call, [answered(call, entity, row) for row in rows], cursor)

    return handler


Condition = Callable[[StoredRecord], bool]


def conditions(call: Call, entity: Entity) -> list[Condition]:
    """Return what the query's filters ask of a record.

    Raises:
        ApiError: one makes no sense.
    """
    if call.argument("filter_id") is not None:
        raise errors.not_emulated("filter_id", [])
    found: list[Condition] = []
    for argument, name in entity.filters.items():
        given = call.argument(argument)
        if given is None:
            continue
        wanted = _wanted(call, entity, argument, given)
        found.append(_holds(name, wanted))
    among = None if entity.among is None else entity.among(call)
    if among is not None:
        found.append(lambda record: record.id in among)
    since, until = lists.since(call, "updated_since"), lists.since(call, "updated_until")
    if since is not None:
        found.append(lambda record: int(record.updated) >= since)
    if until is not None:
        found.append(lambda record: int(record.updated) < until)
    return found


def _holds(name: str, wanted: str) -> Condition:
    return lambda record: record.properties.get(name) == wanted


def _value(name: str) -> Callable[[StoredRecord], Any]:
    return lambda record: record.properties.get(name, "")


def _wanted(call: Call, entity: Entity, argument: str, given: str) -> str:
    rule = entity.rules.get(argument)
    if rule is not None and not rule.check(True):
        return text(given.lower() in ("true", "1"))
    if rule is not None and not rule.check("0" * 36):
        return text(given)
    return text(call.integer(argument))


def page(
    call: Call, entity: Entity, wanted: list[Condition], *, states: Iterable[bool] = (False,)
) -> tuple[list[Row], str | None]:
    """Return the records of a page and the next cursor; ``states`` are live (False) and deleted ones.

    Raises:
        ApiError: the query makes no sense.
    """
    company = call.company
    ids = call.several("ids")
    start = lists.start_of(call)
    states = tuple(states)
    if ids:
        if len(ids) > IDS_MOST:
            raise errors.invalid([("ids", f"At most {IDS_MOST} ids can be requested")])
        numbers = [int(id) for id in ids if id.isascii() and id.isdigit() and len(id) <= 18]
        stored = company.store.get(PROVIDER, entity.type, numbers).values()
        found = [
            record
            for record in stored
            if (record.archived is not None) in states and not company.is_purged(record)
        ]
    elif start is not None and not wanted and states == (False,):
        # The usual list is read no further than its page goes.
        found = company.records(entity.type, start=start, limit=call.limit() + 1)
    else:
        found = [record for state in states for record in company.records(entity.type, deleted=state)]
    for condition in wanted:
        found = [record for record in found if condition(record)]
    rows, cursor = lists.cursor_page(call, found, keys(entity))
    return [decoded(record) for record in rows], cursor


def keys(entity: Entity) -> dict[str, Callable[[StoredRecord], Any]]:
    """Return what a list of an object type is sorted by."""
    known: dict[str, Callable[[StoredRecord], Any]] = {
        "id": lambda record: record.id,
        "add_time": lambda record: moments.rfc(record.created),
        "update_time": lambda record: moments.rfc(record.updated),
    }
    more = {name: _value(name) for name in entity.sorts if name not in known}
    return {name: (known | more)[name] for name in ("id", *entity.sorts)}
