"""Leads and their labels, which only v1 has (Pipedrive docs, "Leads" and "Lead labels").

Custom fields are those of deals, flat among the other keys. Texts of refusals that are not quoted
anywhere are [unsure].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import entities, errors, lists, moments, rules, uuids, values
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.rows import Row, decoded, text
from pytest_crmseed.portal.pipedrive.rules import Check

COLORS = (
    "blue", "brown", "dark-gray", "gray", "green", "orange", "pink", "purple", "red", "yellow"
)  # fmt: skip

_CHECKS: Mapping[str, Check] = {
    "title": rules.limited(255, least=1),
    "owner_id": rules.integer,
    "label_ids": rules.list_of(rules.text),
    "person_id": rules.integer,
    "organization_id": rules.integer,
    "is_archived": rules.boolean,
    "value": rules.object_of(
        {"amount": rules.NUMBER, "currency": rules.TEXT}, required=["amount", "currency"]
    ),
    "expected_close_date": rules.date,
    "visible_to": rules.one_of("1", "3", "5", "7"),
    "was_seen": rules.boolean,
    "origin_id": rules.limited(255),
    "channel": rules.integer,
    "channel_id": rules.limited(255),
}
_NULLABLE = frozenset(
    {"person_id", "organization_id", "value", "expected_close_date", "origin_id", "channel", "channel_id"}
)
_ONLY_NEW = frozenset({"origin_id"})
_ONLY_OLD = frozenset({"is_archived"})


def create(call: Call) -> PortalResponse:
    """Create a lead: 201."""
    given, custom = _checked(call, _ONLY_OLD)
    if not given.get("title"):
        raise errors.bad_request("Lead title must be given.")
    if given.get("person_id") is None and given.get("organization_id") is None:
        raise errors.bad_request('One of the "person_id" or "organization_id" must be set.')
    company = call.company
    now = company.now()
    data = {
        "owner_id": company.user.id,
        "creator_id": company.user.id,
        "label_ids": [],
        "is_archived": False,
        "was_seen": False,
        "visible_to": str(entities.default_visibility(company)),
        **given,
        **custom,
    }
    row = Row(company.new_id("leads"), data, now, now)
    company.save("leads", row)
    return call.answer(shown(call, row), status=201)


def get(call: Call) -> PortalResponse:
    """Answer a lead."""
    return call.answer(shown(call, _lead(call)))


def update(call: Call) -> PortalResponse:
    """Change a lead."""
    row = _lead(call)
    given, custom = _checked(call, _ONLY_NEW)
    data = {**row.data, **given, **custom}
    if data.get("person_id") is None and data.get("organization_id") is None:
        raise errors.bad_request('One of the "person_id" or "organization_id" must be set.')
    changed = Row(row.id, data, row.created, call.company.now())
    call.company.save("leads", changed)
    return call.answer(shown(call, changed))


def delete(call: Call) -> PortalResponse:
    """Delete a lead for good."""
    row = _lead(call)
    call.company.purge("leads", row.id)
    return call.answer({"id": uuids.of("lead", row.id)})


def listed(call: Call) -> PortalResponse:
    """List leads that are not archived."""
    return _listed(call, archived=False)


def archived(call: Call) -> PortalResponse:
    """List archived leads."""
    return _listed(call, archived=True)


def _listed(call: Call, *, archived: bool) -> PortalResponse:
    if call.argument("filter_id") is not None:
        raise errors.not_emulated("filter_id", [])
    found = call.company.records("leads")
    held = text(archived)
    found = [record for record in found if record.properties.get("is_archived") == held]
    for name in ("owner_id", "person_id", "organization_id"):
        wanted = call.integer(name)
        if wanted is not None:
            found = [record for record in found if record.properties.get(name) == text(wanted)]
    since = lists.since(call, "updated_since")
    if since is not None:
        found = [record for record in found if int(record.updated) >= since]
    rows = [decoded(record) for record in found]
    for name, descending in _order(call):
        rows.sort(key=_KEYS[name], reverse=descending)
    return lists.offset_page(call, rows, lambda row: shown(call, row))


_KEYS: Mapping[str, Callable[[Row], Any]] = {
    "id": lambda row: row.id,
    "title": lambda row: row["title"],
    "owner_id": lambda row: row["owner_id"],
    "creator_id": lambda row: row["creator_id"],
    "was_seen": lambda row: row["was_seen"],
    "expected_close_date": lambda row: row["expected_close_date"] or "",
    "next_activity_id": lambda row: 0,
    "add_time": lambda row: row.created,
    "update_time": lambda row: row.updated,
}


def _order(call: Call) -> list[tuple[str, bool]]:
    """Return what leads are sorted by, the least important first."""
    found = []
    for part in call.several("sort"):
        name, _, direction = part.partition(" ")
        if name not in _KEYS or direction.upper() not in ("", "ASC", "DESC"):
            raise errors.bad_request(f"Cannot sort leads by '{part}'")
        found.append((name, direction.upper() == "DESC"))
    return found[::-1]


def shown(call: Call, row: Row) -> dict[str, Any]:
    """Return a lead as it is answered; custom fields without a value are absent."""
    own = call.company.behaviour
    data: dict[str, Any] = {
        "id": uuids.of("lead", row.id),
        "title": row["title"],
        "owner_id": row["owner_id"],
        "creator_id": row["creator_id"],
        "label_ids": row["label_ids"] or [],
        "person_id": row["person_id"],
        "organization_id": row["organization_id"],
        "source_name": "API",
        "origin": "API",
        "origin_id": row["origin_id"],
        "channel": row["channel"],
        "channel_id": row["channel_id"],
        "source_deal_id": None,
        "is_archived": row["is_archived"],
        "was_seen": row["was_seen"],
        "value": row["value"],
        "expected_close_date": row["expected_close_date"],
        "next_activity_id": None,
        "add_time": moments.precise(row.created),
        "update_time": moments.precise(row.updated),
        "visible_to": row["visible_to"],
        "cc_email": f"{own.company_domain}+{own.company_id}+lead{row.id}@pipedrivemail.com",
    }
    for field in call.company.fields.custom("deal"):
        data |= values.flat(field, row[field.code])
    return data


def _lead(call: Call) -> Row:
    number = uuids.number("lead", call.params["id"])
    row = None if number is None else call.company.row("leads", number)
    if row is None:
        raise errors.object_not_found("requested lead not found")
    return row


def _checked(call: Call, refused: frozenset[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the built-in and the custom values of a body."""
    body, company = call.body, call.company
    fields = company.fields.custom("deal")
    custom_keys = {key for field in fields for key in values.keys_of(field)}
    for name in body:
        if (name not in _CHECKS or name in refused) and name not in custom_keys:
            raise errors.bad_request(f"Invalid field(s) in the payload: {name}")
    given = {name: value for name, value in body.items() if name in _CHECKS}
    for name, value in given.items():
        problem = "" if value is None and name in _NULLABLE else _CHECKS[name](value)
        if problem:
            raise errors.bad_request(f'"{name}": {problem}')
    _check_references(call, given)
    custom: dict[str, Any] = {}
    for field in fields:
        if any(key in body for key in values.keys_of(field)):
            try:
                custom[field.code] = values.of_flat(field, body, "deal", company.behaviour.currency)
            except values.Wrong as error:
                raise errors.bad_request(str(error)) from error
    return given, custom


def _check_references(call: Call, given: Mapping[str, Any]) -> None:
    company = call.company
    for name, object_type in (("person_id", "persons"), ("organization_id", "organizations")):
        value = given.get(name)
        if value is not None and company.row(object_type, value) is None:
            raise errors.object_not_found(f"{name.removesuffix('_id').capitalize()} {value} was not found")
    if "owner_id" in given:
        user = company.find_user(given["owner_id"])
        if user is None or not user.active:
            raise errors.object_not_found(f"User {given['owner_id']} was not found")
    for label in given.get("label_ids", ()):
        number = uuids.number("label", label)
        if company.lead_labels.get(number) is None:
            raise errors.object_not_found(f"Lead label {label} was not found")
    value = given.get("value")
    if value is not None and not company.currency(value["currency"]):
        raise errors.bad_request(f"'{value['currency']}' is not a valid currency")


# -- labels ------------------------------------------------------------------------------------------
def labels(call: Call) -> PortalResponse:
    """List lead labels, on one page."""
    return call.answer([_label(each) for each in call.company.lead_labels])


def add_label(call: Call) -> PortalResponse:
    """Make a lead label."""
    body = _label_body(call)
    if not body.get("name") or not body.get("color"):
        raise errors.bad_request("Name and color of the label must be given.")
    now = call.company.now()
    made = {
        "id": call.company.lead_labels.new_id(),
        "name": body["name"],
        "color": body["color"],
        "is_deleted": False,
        "add_time": now,
        "update_time": now,
    }
    return call.answer(_label(call.company.lead_labels.put(made)))


def change_label(call: Call) -> PortalResponse:
    """Change a lead label."""
    changed = {**_found_label(call), **_label_body(call), "update_time": call.company.now()}
    return call.answer(_label(call.company.lead_labels.put(changed)))


def delete_label(call: Call) -> PortalResponse:
    """Delete a lead label; leads lose it."""
    found = _found_label(call)
    call.company.lead_labels.put({**found, "is_deleted": True})
    gone = uuids.of("label", found["id"])
    for record in call.company.records("leads"):
        row = decoded(record)
        if gone in (row["label_ids"] or ()):
            row.data["label_ids"] = [id for id in row["label_ids"] if id != gone]
            call.company.save("leads", row)
    return call.answer({"id": gone})


def _label_body(call: Call) -> dict[str, Any]:
    body = call.body
    for name, value in body.items():
        if name not in ("name", "color"):
            raise errors.bad_request(f"Invalid field(s) in the payload: {name}")
        if not isinstance(value, str) or (name == "color" and value not in COLORS):
            raise errors.bad_request(f'"{name}" is not valid')
    return body


def _found_label(call: Call) -> dict[str, Any]:
    number = uuids.number("label", call.params["id"])
    found = call.company.lead_labels.get(number)
    if found is None:
        raise errors.object_not_found("requested lead label not found")
    return found


def _label(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": uuids.of("label", data["id"]),
        "name": data["name"],
        "color": data["color"],
        "add_time": moments.precise(data["add_time"]),
        "update_time": moments.precise(data["update_time"]),
    }
