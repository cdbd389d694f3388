"""Notes, which only v1 has (Pipedrive docs, "Notes")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import errors, lists, moments, uuids
from pytest_crmseed.portal.pipedrive.call import Call, whole
from pytest_crmseed.portal.pipedrive.company import Company
from pytest_crmseed.portal.pipedrive.rows import Row, decoded, text

_PARENTS = {
    "deal_id": ("deals", "deal"),
    "person_id": ("persons", "person"),
    "org_id": ("organizations", "organization"),
    "lead_id": ("leads", "lead"),
}
_ABSENT = ("project_id", "task_id")
_PINS = {
    "pinned_to_lead_flag": "lead_id",
    "pinned_to_deal_flag": "deal_id",
    "pinned_to_organization_flag": "org_id",
    "pinned_to_person_flag": "person_id",
    "pinned_to_project_flag": "project_id",
    "pinned_to_task_flag": "task_id",
}
_SCRIPT = re.compile(r"<(script|style|iframe)\b.*?(</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_HANDLER = re.compile(r"""\son\w+\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""", re.IGNORECASE)

_CONTENT_MOST = 100_000


def create(call: Call) -> PortalResponse:
    """Create a note; the answer is 200."""
    given = _checked(call)
    if not given.get("content"):
        raise errors.bad_request("Content must be given.")
    if all(given.get(name) is None for name in _PARENTS):
        raise errors.bad_request(
            "Note must be associated with at least one organization, person, deal, lead or project."
        )
    _check_pins(given)
    company = call.company
    now = company.now()
    created = given.pop("add_time", now)
    row = Row(company.new_id("notes"), {"user_id": company.user.id, **given}, created, now)
    company.save("notes", row)
    return call.answer(_shown(company, row))


def get(call: Call) -> PortalResponse:
    """Answer a note."""
    return call.answer(_shown(call.company, _note(call)))


def update(call: Call) -> PortalResponse:
    """Change a note."""
    row = _note(call)
    given = _checked(call)
    created = given.pop("add_time", row.created)
    data = {**row.data, **given}
    _check_pins(data)
    changed = Row(row.id, data, created, call.company.now())
    call.company.save("notes", changed)
    return call.answer(_shown(call.company, changed))


def delete(call: Call) -> PortalResponse:
    """Delete a note for good."""
    call.company.purge("notes", _note(call).id)
    return call.answer(True)


def listed(call: Call) -> PortalResponse:
    """List notes."""
    found = call.company.records("notes")
    for name in (*_PARENTS, "user_id"):
        given = call.argument(name)
        if given is not None:
            wanted = text(given) if name == "lead_id" else text(call.integer(name))
            found = [record for record in found if record.properties.get(name) == wanted]
    for name in _PINS:
        if call.argument(name) is not None:
            wanted = text(call.flag(name))
            found = [record for record in found if record.properties.get(name, "false") == wanted]
    since = lists.since(call, "updated_since")
    if since is not None:
        found = [record for record in found if int(record.updated) >= since]
    start, end = call.argument("start_date"), call.argument("end_date")
    found = [
        record
        for record in found
        if (start is None or moments.day(record.created) >= start)
        and (end is None or moments.day(record.created) <= end)
    ]
    rows = [decoded(record) for record in found]
    for part in call.several("sort")[::-1]:
        name, _, direction = part.partition(" ")
        rows.sort(key=lambda row: _sort_key(row, name), reverse=direction.upper() == "DESC")
    return lists.offset_page(call, rows, lambda row: _shown(call.company, row))


def _sort_key(row: Row, name: str) -> tuple[bool, Any]:
    own = {"id": row.id, "add_time": row.created, "update_time": row.updated}
    value = own[name] if name in own else row[name]
    if isinstance(value, dict | list):
        value = str(value)
    return (value is not None, value if value is not None else 0)


def _note(call: Call) -> Row:
    row = call.company.row("notes", call.id)
    if row is None:
        raise errors.ApiError(404, "Note not found")
    return row


def _checked(call: Call) -> dict[str, Any]:
    """Return the values of a body; numbers may be texts, flags are 0 and 1."""
    company = call.company
    given: dict[str, Any] = {}
    for name, value in call.body.items():
        if name == "content":
            if not isinstance(value, str) or len(value) > _CONTENT_MOST:
                raise errors.bad_request("Content is not valid.")
            given[name] = _HANDLER.sub("", _SCRIPT.sub("", value))
        elif name in _PARENTS:
            given[name] = _parent(company, name, value)
        elif name in _PINS:
            given[name] = _flag(name, value)
        elif name == "user_id":
            given[name] = _number(value)
            if company.find_user(given[name]) is None:
                raise errors.bad_request("User does not exist.")
        elif name == "add_time":
            at = moments.parse_either(value) if isinstance(value, str) else None
            if at is None:
                raise errors.bad_request("add_time is not valid.")
            given[name] = at
        elif name in _ABSENT:
            if value is not None:
                kind = name.removesuffix("_id")
                raise _no_parent(kind)
        else:
            raise errors.bad_request(f"Invalid field(s) in the payload: {name}")
    return given


def _parent(company: Company, name: str, value: Any) -> Any:
    object_type, kind = _PARENTS[name]
    if value is None or value == "":
        return None
    number = uuids.number("lead", str(value)) if name == "lead_id" else _number(value)
    if number is None or company.row(object_type, number) is None:
        raise _no_parent(kind)
    return uuids.of("lead", number) if name == "lead_id" else number


def _no_parent(kind: str) -> errors.ApiError:
    why = f"{kind} does not exist or you have no permissions to access this {kind}"
    return errors.bad_request(f"Cannot add/update note because {why}.")


def _number(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return whole(value) if isinstance(value, str) else None


def _flag(name: str, value: Any) -> bool:
    if value in (0, 1, "0", "1") or isinstance(value, bool):
        return value not in (0, "0", False)
    raise errors.bad_request(f"{name} must be 0 or 1.")


def _check_pins(data: Mapping[str, Any]) -> None:
    for pin, parent in _PINS.items():
        if data.get(pin) and data.get(parent) is None:
            raise errors.bad_request(f"{pin} can only be set for a note with {parent}.")


def _shown(company: Company, row: Row) -> dict[str, Any]:
    user = company.find_user(row["user_id"]) or company.user
    data: dict[str, Any] = {
        "id": row.id,
        "active_flag": True,
        "add_time": moments.spaced(row.created),
        "update_time": moments.spaced(row.updated),
        "content": row["content"],
        "deal": _named(company, "deals", row["deal_id"], "title"),
        "deal_id": row["deal_id"],
        "lead_id": row["lead_id"],
        "person": _named(company, "persons", row["person_id"], "name"),
        "person_id": row["person_id"],
        "organization": _named(company, "organizations", row["org_id"], "name"),
        "org_id": row["org_id"],
        "project_id": None,
        "task_id": None,
        "user": {
            "email": user.email,
            "icon_url": None,
            "is_you": user == company.user,
            "name": user.name,
        },
        "user_id": user.id,
        "last_update_user_id": None if row.updated == row.created else company.user.id,
    }
    return data | {pin: bool(row[pin]) for pin in _PINS}


def _named(company: Company, object_type: str, id: int | None, name: str) -> dict[str, Any] | None:
    found = None if id is None else company.row(object_type, id, deleted=True)
    return None if found is None else {name: found[name]}
