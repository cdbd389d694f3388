"""Operations of v1 that have a twin in v2, for companies that still serve them.

They are out of support since 2026-08-01 (Pipedrive changelog, "Deprecated API v1 endpoints become out of
support"). Bodies and replies are those of the last document that had them: flat keys, references as objects,
``active_flag``, times with a blank. What a body says is translated, and then judged as in v2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import (
    deal_products,
    deals,
    definitions,
    errors,
    lists,
    moments,
    records,
    values,
)
from pytest_crmseed.portal.pipedrive.call import Call, whole
from pytest_crmseed.portal.pipedrive.entities import Entity
from pytest_crmseed.portal.pipedrive.rows import Row, decoded, text
from pytest_crmseed.portal.store import StoredRecord

Handler = Callable[[Call], PortalResponse]

_NAMES = {
    "user_id": "owner_id",
    "label": "label_ids",
    "email": "emails",
    "phone": "phones",
    "selectable": "is_linkable",
    "busy_flag": "busy",
}
_IDS = frozenset(
    {"owner_id", "person_id", "org_id", "deal_id", "stage_id", "pipeline_id", "product_id", "visible_to"}
)
_NUMBERS = frozenset(
    {"deal_probability", "value", "probability", "tax", "item_price", "quantity", "discount"}
)
_FLAGS = frozenset({"done", "busy", "is_linkable", "is_enabled"})
_STAGE_KEYS = ("name", "pipeline_id", "deal_probability")
_MISSING = {
    "deals": "Deal title must be given.",
    "persons": "Name must be given.",
    "organizations": "Organization name must be given.",
    "products": "Name must be given.",
}


def create(entity: Entity) -> Handler:
    """Return the handler of POST on the collection: 201."""

    def handler(call: Call) -> PortalResponse:
        body = _translated(call, entity)
        missing = _MISSING.get(entity.type)
        name = entity.required[0] if entity.required else "name"
        if missing is not None and not body.get(name) and not body.get("first_name"):
            raise errors.bad_request(missing)
        row = records.make(call, entity, body)
        return call.answer(_shown(call, entity, row), status=201)

    return handler


def get(entity: Entity) -> Handler:
    """Return the handler of GET on one record; deleted ones are there, and say so."""

    def handler(call: Call) -> PortalResponse:
        row = call.company.row(entity.type, call.id, deleted=True)
        if row is None:
            raise errors.ApiError(404, f"{entity.noun} not found")
        return call.answer(_shown(call, entity, row))

    return handler


def update(entity: Entity) -> Handler:
    """Return the handler of PUT on one record."""

    def handler(call: Call) -> PortalResponse:
        row = _live(call, entity)
        row = records.change(call, entity, row, _translated(call, entity))
        return call.answer(_shown(call, entity, row))

    return handler


def delete(entity: Entity) -> Handler:
    """Return the handler of DELETE on one record."""

    def handler(call: Call) -> PortalResponse:
        row = _live(call, entity)
        records.remove(call, entity, row)
        return call.answer({"id": row.id})

    return handler


def listed(entity: Entity, **parents: str) -> Handler:
    """Return the handler of a list; ``parents`` are keys that hold the id of the path."""

    def handler(call: Call) -> PortalResponse:
        found = call.company.records(entity.type)
        if entity.type == "deals":
            found = [record for record in found if record.properties.get("is_archived") != text(True)]
        for name in parents.values():
            found = [record for record in found if record.properties.get(name) == text(call.id)]
        found = _filtered(call, entity, found)
        return lists.offset_page(call, found, lambda record: _shown(call, entity, decoded(record)))

    return handler


def deals_of_product(call: Call) -> PortalResponse:
    """List the deals that a product is attached to."""
    attached = call.company.rows_with("deal_products", "product_id", call.id)
    ids = {row["deal_id"] for row in attached}
    found = [record for record in call.company.records("deals") if record.id in ids]
    return lists.offset_page(call, found, lambda record: _shown(call, deals.ENTITY, decoded(record)))


def _filtered(call: Call, entity: Entity, found: list[StoredRecord]) -> list[StoredRecord]:
    for name in ("user_id", "stage_id", "pipeline_id", "status", "done", "type", "org_id"):
        given = call.argument(name)
        if given is None or (given in ("0", "all_not_deleted") and name in ("user_id", "status")):
            continue
        key = _NAMES.get(name, name)
        wanted = text(given in ("1", "true")) if name == "done" else text(given)
        if name.endswith("_id"):
            wanted = text(call.integer(name))
        found = [record for record in found if record.properties.get(key) == wanted]
    ids = call.several("ids")
    return [record for record in found if not ids or str(record.id) in ids]


# -- products of deals -------------------------------------------------------------------------------
def add_product(call: Call) -> PortalResponse:
    """Attach a product to a deal."""
    deal = _live(call, deals.ENTITY)
    body = {
        name: _coerced(name, value)
        for name, value in call.body.items()
        if name not in ("deal_id", "duration", "duration_unit", "discount_percentage", "enabled_flag")
    }
    if "enabled_flag" in call.body:
        body["is_enabled"] = call.body["enabled_flag"] in (1, "1", True)
    row = deal_products.attach(call, deal, {"quantity": 1, **body})
    return call.answer(deal_products.shown(call.company, row), status=201)


def deal_products_listed(call: Call) -> PortalResponse:
    """List the products of a deal."""
    deal = _live(call, deals.ENTITY)
    rows = call.company.products_of(deal.id)
    return lists.offset_page(call, rows, lambda row: deal_products.shown(call.company, row))


# -- pipelines and stages ----------------------------------------------------------------------------
def pipelines_listed(call: Call) -> PortalResponse:
    """List pipelines, on one page."""
    return call.answer([_pipeline(each) for each in call.company.pipelines])


def pipeline(call: Call) -> PortalResponse:
    """Answer a pipeline."""
    found = call.company.pipelines.get(call.id)
    if found is None:
        raise errors.ApiError(404, "Pipeline not found")
    return call.answer(_pipeline(found))


def stages_listed(call: Call) -> PortalResponse:
    """List stages, of one pipeline or all, on one page."""
    wanted = call.integer("pipeline_id")
    found = [stage for stage in call.company.stages if wanted in (None, stage["pipeline_id"])]
    return call.answer([_stage(call, each) for each in found])


def stage(call: Call) -> PortalResponse:
    """Answer a stage."""
    return call.answer(_stage(call, _found_stage(call)))


def create_stage(call: Call) -> PortalResponse:
    """Make a stage."""
    body = {name: _coerced(name, value) for name, value in call.body.items() if name in _STAGE_KEYS}
    if not body.get("name") or call.company.pipelines.get(body.get("pipeline_id")) is None:
        raise errors.bad_request("Stage name and pipeline must be given.")
    order = len(call.company.stages_of(body["pipeline_id"])) + 1
    id = call.company.stages.new_id()
    made = definitions.stage(id, body["name"], body["pipeline_id"], order, at=call.company.now())
    return call.answer(_stage(call, call.company.stages.put({**made, **body})), status=201)


def update_stage(call: Call) -> PortalResponse:
    """Change a stage."""
    body = {name: _coerced(name, value) for name, value in call.body.items() if name in _STAGE_KEYS}
    if "pipeline_id" in body and call.company.pipelines.get(body["pipeline_id"]) is None:
        raise errors.bad_request("Pipeline does not exist.")
    changed = {**_found_stage(call), **body, "update_time": call.company.now()}
    return call.answer(_stage(call, call.company.stages.put(changed)))


def delete_stage(call: Call) -> PortalResponse:
    """Mark a stage as deleted."""
    found = _found_stage(call)
    call.company.stages.put({**found, "is_deleted": True, "update_time": call.company.now()})
    return call.answer({"id": found["id"]})


def _found_stage(call: Call) -> dict[str, Any]:
    found = call.company.stages.get(call.id)
    if found is None:
        raise errors.ApiError(404, "Stage not found")
    return found


def _pipeline(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": data["id"],
        "name": data["name"],
        "url_title": data["name"].replace(" ", "-"),
        "order_nr": data["order_nr"],
        "active": True,
        "deal_probability": data["is_deal_probability_enabled"],
        **_times(data["add_time"], data["update_time"]),
        "selected": data["order_nr"] == 1,
    }


def _stage(call: Call, data: Mapping[str, Any]) -> dict[str, Any]:
    found = call.company.pipelines.get(data["pipeline_id"], deleted=True) or {}
    return {
        "id": data["id"],
        "order_nr": data["order_nr"],
        "name": data["name"],
        "active_flag": True,
        "deal_probability": data["deal_probability"],
        "pipeline_id": data["pipeline_id"],
        "rotten_flag": data["is_deal_rot_enabled"],
        "rotten_days": data["days_to_rotten"],
        **_times(data["add_time"], data["update_time"]),
        "pipeline_name": found.get("name"),
        "pipeline_deal_probability": found.get("is_deal_probability_enabled"),
    }


def _times(at: float, changed: float | None) -> dict[str, Any]:
    return {
        "add_time": moments.spaced(at),
        "update_time": None if changed is None else moments.spaced(changed),
    }


# -- bodies ------------------------------------------------------------------------------------------
def _live(call: Call, entity: Entity) -> Row:
    row = call.company.row(entity.type, call.id, deleted=True)
    if row is None:
        raise errors.ApiError(404, f"{entity.noun} not found")
    if row.deleted is not None:
        raise errors.deleted(entity.noun, forbidden=call.company.behaviour.deleted_records_answer_forbidden)
    return row


def _translated(call: Call, entity: Entity) -> dict[str, Any]:
    """Return a body in v2's form. Keys that nobody knows are passed over, as v1 does."""
    company = call.company
    if "id" in call.body and call.request.method == "POST":
        raise errors.bad_request("Inserting ID with POST request is not allowed.")
    body: dict[str, Any] = {}
    for name, value in call.body.items():
        key = _NAMES.get(name, name)
        if key in entity.rules and key != "custom_fields":
            body[key] = _coerced(key, value)
    custom: dict[str, Any] = {}
    fields = company.fields.custom(entity.fields) if entity.has_custom else []
    for field in fields:
        if any(key in call.body for key in values.keys_of(field)):
            try:
                custom[field.code] = values.of_flat(
                    field, call.body, entity.fields, company.behaviour.currency
                )
            except values.Wrong as error:
                raise errors.bad_request("Bad request") from error
    if custom:
        body["custom_fields"] = custom
    if entity.type == "activities" and call.body.get("person_id"):
        person = _coerced("person_id", call.body["person_id"])
        body.setdefault("participants", [{"person_id": person, "primary": True}])
    return body


def _coerced(name: str, value: Any) -> Any:
    if name in _IDS and isinstance(value, str):
        return whole(value) if whole(value) is not None else value
    if name in _NUMBERS and isinstance(value, str):
        try:
            return int(value) if value.isdigit() else float(value)
        except ValueError:
            return value
    if name in _FLAGS and value in (0, 1, "0", "1"):
        return value in (1, "1")
    if name in ("emails", "phones"):
        given = value if isinstance(value, list) else [value]
        return [each if isinstance(each, dict) else {"value": each} for each in given if each]
    if name == "address" and isinstance(value, str):
        return {"value": value}
    if name == "label_ids":
        given = value if isinstance(value, list) else [] if value is None else [value]
        return [whole(each) if isinstance(each, str) else each for each in given]
    return value


# -- replies -----------------------------------------------------------------------------------------
def _shown(call: Call, entity: Entity, row: Row) -> dict[str, Any]:
    company = call.company
    data = {"id": row.id, **entity.shown(company, row)}
    changed = row.updated if row.updated > row.created else None
    data |= _times(row.created, changed)
    for name in ("stage_change_time", "close_time", "won_time", "lost_time", "marked_as_done_time"):
        if data.get(name):
            data[name] = data[name].replace("T", " ").removesuffix("Z")
    owner = company.find_user(row["owner_id"]) or company.user
    deleted = row.deleted is not None
    shown_owner = {"id": owner.id, "name": owner.name, "email": owner.email, "has_pic": 0, "pic_hash": None,
                   "active_flag": owner.active, "value": owner.id}  # fmt: skip
    data.pop("owner_id", None)
    for name in ("person_id", "org_id"):
        if name in data and entity.type in ("deals", "persons"):
            data[name] = _reference(call, name, data[name])
    data["visible_to"] = None if row["visible_to"] is None else str(row["visible_to"])
    match entity.type:
        case "deals":
            status = "deleted" if deleted else data["status"]
            data |= {"user_id": shown_owner, "active": not deleted, "deleted": deleted, "status": status}
            labels = data.pop("label_ids")
            data["label"] = ",".join(map(str, labels)) or None
        case "persons" | "organizations":
            data |= {
                "owner_id": shown_owner,
                "active_flag": not deleted,
                "company_id": company.behaviour.company_id,
            }
            labels = data.pop("label_ids")
            data |= {"label": labels[0] if labels else None, "label_ids": labels}
            if entity.type == "persons":
                data |= {"email": data.pop("emails"), "phone": data.pop("phones")}
            else:
                address = data["address"]
                data["address"] = address["value"] if address else None
        case "products":
            data |= {
                "owner_id": shown_owner,
                "active_flag": not deleted,
                "selectable": data.pop("is_linkable"),
            }
        case "activities":
            data |= {"user_id": owner.id, "active_flag": not deleted, "busy_flag": data.pop("busy")}
            data.pop("visible_to")
    fields = company.fields.custom(entity.fields) if entity.has_custom else []
    for field in fields:
        data |= {key: None for key in values.keys_of(field)} | values.flat(field, row[field.code])
    return data


def _reference(call: Call, name: str, id: int | None) -> dict[str, Any] | None:
    object_type = "persons" if name == "person_id" else "organizations"
    row = None if id is None else call.company.row(object_type, id, deleted=True)
    if row is None:
        return None
    found: dict[str, Any] = {"active_flag": row.deleted is None, "name": row["name"], "value": row.id}
    if object_type == "persons":
        return found | {"email": row["emails"] or [], "phone": row["phones"] or []}
    address = row["address"]
    return found | {"address": address["value"] if address else None, "owner_id": row["owner_id"]}
