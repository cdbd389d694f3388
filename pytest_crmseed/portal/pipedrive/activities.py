"""Activities and their types (Pipedrive docs, "Activities" and "Activity types")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import entities, errors, moments, rules, uuids
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.company import Company
from pytest_crmseed.portal.pipedrive.counters import COUNTERS
from pytest_crmseed.portal.pipedrive.entities import Entity
from pytest_crmseed.portal.pipedrive.fields import ADDRESS_PARTS
from pytest_crmseed.portal.pipedrive.rows import Row
from pytest_crmseed.portal.pipedrive.rules import Rule

NOTE_MOST = 100_000
"""Characters of a note (Pipedrive changelog, 2025-09-21)."""

ICONS = (
    "task", "email", "meeting", "deadline", "call", "lunch", "calendar", "downarrow", "document",
    "smartphone", "camera", "scissors", "cogs", "bubble", "uparrow", "checkbox", "signpost", "shuffle",
    "addressbook", "linegraph", "picture", "car", "world", "search", "clip", "sound", "brush", "key",
    "padlock", "pricetag", "suitcase", "finish", "plane", "loop", "wifi", "truck", "cart", "bulb", "bell",
    "presentation",
)  # fmt: skip


def _or_empty(check: rules.Check) -> Rule:
    return Rule(lambda value: "" if value == "" else check(value))


_RULES: Mapping[str, Rule] = {
    "subject": Rule(rules.limited(255)),
    "type": rules.TEXT,
    "owner_id": rules.INTEGER,
    "deal_id": rules.REFERENCE,
    "lead_id": Rule(rules.text, nullable=True),
    "person_id": rules.REFERENCE,
    "org_id": rules.REFERENCE,
    "project_id": rules.REFERENCE,
    "due_date": _or_empty(rules.date),
    "due_time": _or_empty(rules.time),
    "duration": _or_empty(rules.duration),
    "busy": rules.BOOLEAN,
    "done": rules.BOOLEAN,
    "location": rules.ADDRESS,
    "participants": Rule(
        rules.list_of(
            rules.object_of({"person_id": rules.INTEGER, "primary": rules.BOOLEAN}, required=["person_id"])
        )
    ),
    "attendees": Rule(
        rules.list_of(
            rules.object_of(
                {
                    "email": rules.TEXT,
                    "name": Rule(rules.text, nullable=True),
                    "status": Rule(rules.text, nullable=True),
                    "is_organizer": rules.BOOLEAN,
                    "person_id": rules.REFERENCE,
                    "user_id": rules.REFERENCE,
                },
                required=["email"],
            )
        )
    ),
    "public_description": rules.TEXT,
    "priority": Rule(rules.integer, nullable=True),
    "outcome": Rule(rules.integer, nullable=True),
    "note": Rule(rules.limited(NOTE_MOST), nullable=True),
}


def _prepare(call: Call, given: dict[str, Any], old: Row | None) -> dict[str, Any]:
    company = call.company
    # What a body says of the person is passed over: the primary participant is it.
    given.pop("person_id", None)
    _check(call, given)
    data: dict[str, Any] = {}
    if old is None:
        kind = given.get("type", "call")
        name = next((each["name"] for each in company.activity_types if each["key_string"] == kind), "Call")
        data = {
            "owner_id": company.user.id,
            "creator_user_id": company.user.id,
            "type": kind,
            "subject": name,
            "busy": False,
            "done": False,
            "participants": [],
        }
    data |= given
    for name in ("due_date", "due_time", "duration"):
        if name in given:
            data[name] = _filled(name, given[name])
    if "location" in given and given["location"] is not None:
        data["location"] = {name: given["location"].get(name) for name in ("value", *ADDRESS_PARTS)}
    if "participants" in given:
        data |= _participants(call, given["participants"])
    done = data.get("done", None if old is None else old["done"])
    if done and (old is None or not old["done"]):
        data["marked_as_done_time"] = moments.rfc(company.now())
    elif not done:
        data["marked_as_done_time"] = None
    return data


def _check(call: Call, given: Mapping[str, Any]) -> None:
    company = call.company
    if "owner_id" in given:
        entities.check_owner(call, given["owner_id"])
    if "type" in given and all(each["key_string"] != given["type"] for each in company.activity_types):
        raise errors.invalid([("type", f"'{given['type']}' is not a valid activity type")])
    entities.check_reference(call, "deal_id", "deals", given.get("deal_id"))
    entities.check_reference(call, "org_id", "organizations", given.get("org_id"))
    lead = given.get("lead_id")
    if lead is not None:
        number = uuids.number("lead", lead)
        if number is None or company.row("leads", number) is None:
            raise errors.invalid([("lead_id", f"Lead with id '{lead}' was not found")])
    if given.get("project_id") is not None:
        raise errors.invalid([("project_id", f"Project with id '{given['project_id']}' was not found")])
    priority = given.get("priority")
    if priority is not None and company.fields.of("activity")["priority"].option(priority) is None:
        raise errors.invalid([("priority", f"Invalid option '{priority}'")])


def _filled(name: str, value: str) -> str | None:
    if not value:
        return None
    return {"due_time": moments.full_time, "duration": moments.full_duration}.get(name, str)(value)


def _participants(call: Call, given: list[dict[str, Any]]) -> dict[str, Any]:
    for each in given:
        entities.check_reference(call, "participants", "persons", each["person_id"])
    chosen = [number for number, each in enumerate(given) if each.get("primary")]
    if len(chosen) > 1:
        raise errors.invalid([("participants", "Only one participant can be primary")])
    first = chosen[0] if chosen else 0
    participants = [
        {"person_id": each["person_id"], "primary": number == first} for number, each in enumerate(given)
    ]
    return {"participants": participants, "person_id": given[first]["person_id"] if given else None}


def _shown(company: Company, row: Row) -> dict[str, Any]:
    data = {name: row[name] for name in ("subject", "type", "owner_id", "creator_user_id")}
    data |= entities.times(row, fresh_update=True)
    data |= {name: row[name] for name in ("deal_id", "lead_id", "person_id", "org_id", "project_id")}
    data |= {name: row[name] for name in ("due_date", "due_time", "duration", "busy", "done")}
    data |= {name: row[name] for name in ("marked_as_done_time", "location")}
    data["participants"] = row["participants"] or []
    data |= dict.fromkeys(("conference_meeting_client", "conference_meeting_url", "conference_meeting_id"))
    data |= {name: row[name] for name in ("public_description", "priority", "note")}
    return data


ENTITY = Entity(
    type="activities",
    noun="Activity",
    fields="activity",
    rules=_RULES,
    required=(),
    prepare=_prepare,
    shown=_shown,
    filters={name: name for name in ("owner_id", "deal_id", "lead_id", "person_id", "org_id", "done")},
    sorts=("update_time", "add_time", "due_date"),
    has_custom=False,
    include=COUNTERS["activities"],
)


# -- types -------------------------------------------------------------------------------------------
def types(call: Call) -> PortalResponse:
    """List the activity types, on one page."""
    return call.answer([_type(each) for each in call.company.activity_types])


def add_type(call: Call) -> PortalResponse:
    """Make an activity type. Texts of the refusals are [unsure]."""
    body = call.body
    if not body.get("name") or body.get("icon_key") not in ICONS:
        raise errors.bad_request("Activity type name and icon must be given.")
    known = {each["key_string"] for each in call.company.activity_types}
    key = re.sub(r"\W+", "_", str(body["name"]).strip().lower()) or "type"
    if key in known:
        raise errors.bad_request("Activity type with this name already exists.")
    made = {
        "id": call.company.activity_types.new_id(),
        "order_nr": len(known) + 1,
        "name": body["name"],
        "key_string": key,
        "icon_key": body["icon_key"],
        "color": body.get("color"),
        "is_custom_flag": True,
        "is_deleted": False,
        "add_time": call.company.now(),
        "update_time": None,
    }
    return call.answer(_type(call.company.activity_types.put(made)))


def change_type(call: Call) -> PortalResponse:
    """Change an activity type; its key stays."""
    found = _found(call)
    allowed = ("name", "icon_key", "color", "order_nr")
    given = {name: call.body[name] for name in allowed if name in call.body}
    if "icon_key" in given and given["icon_key"] not in ICONS:
        raise errors.bad_request("Activity type icon is not valid.")
    changed = {**found, **given, "update_time": call.company.now()}
    return call.answer(_type(call.company.activity_types.put(changed)))


def delete_type(call: Call) -> PortalResponse:
    """Mark an activity type as deleted."""
    gone = {**_found(call), "is_deleted": True, "update_time": call.company.now()}
    return call.answer(_type(call.company.activity_types.put(gone)))


def _found(call: Call) -> dict[str, Any]:
    found = call.company.activity_types.get(call.id)
    if found is None:
        raise errors.ApiError(404, "Activity type not found")
    return found


def _type(data: Mapping[str, Any]) -> dict[str, Any]:
    changed = data["add_time"] if data["update_time"] is None else data["update_time"]
    return {
        "id": data["id"],
        "order_nr": data["order_nr"],
        "name": data["name"],
        "key_string": data["key_string"],
        "icon_key": data["icon_key"],
        "active_flag": not data.get("is_deleted", False),
        "color": data["color"],
        "is_custom_flag": data["is_custom_flag"],
        "add_time": moments.spaced(data["add_time"]),
        "update_time": moments.spaced(changed),
    }
