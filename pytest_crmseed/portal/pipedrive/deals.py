"""Deals (Pipedrive docs, "Deals"): stages and pipelines, status and its times, value and products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import entities, errors, lists, moments, records, rules
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.company import Company
from pytest_crmseed.portal.pipedrive.counters import COUNTERS
from pytest_crmseed.portal.pipedrive.entities import Entity
from pytest_crmseed.portal.pipedrive.rows import Row, text
from pytest_crmseed.portal.pipedrive.rules import Rule

NO_DATE = "0000-00-00"
"""What a date is that was cleared with an empty text; null is refused."""

_TIMES = ("stage_change_time", "archive_time", "close_time", "won_time", "lost_time")
_MOMENT = Rule(rules.moment)
_RULES: Mapping[str, Rule] = {
    "title": Rule(rules.limited(255, least=1)),
    "owner_id": rules.INTEGER,
    "person_id": rules.REFERENCE,
    "org_id": rules.REFERENCE,
    "pipeline_id": rules.INTEGER,
    "stage_id": rules.INTEGER,
    "value": rules.NUMBER,
    "currency": rules.TEXT,
    "is_deleted": rules.BOOLEAN,
    "is_archived": rules.BOOLEAN,
    "archive_time": _MOMENT,
    "status": Rule(rules.one_of("open", "won", "lost")),
    "probability": Rule(rules.between(0, 100), nullable=True),
    "lost_reason": Rule(rules.limited(255), nullable=True),
    "visible_to": rules.VISIBLE_TO,
    "close_time": Rule(rules.moment, nullable=True),
    "won_time": _MOMENT,
    "lost_time": _MOMENT,
    "expected_close_date": Rule(rules.date_or_empty),
    "label_ids": rules.LABELS,
    "custom_fields": rules.CUSTOM_FIELDS,
}


def _prepare(call: Call, given: dict[str, Any], old: Row | None) -> dict[str, Any]:
    company = call.company
    _check(call, given, old)
    data: dict[str, Any] = {} if old is not None else _defaults(company)
    data |= given
    if given.get("expected_close_date") == "":
        data["expected_close_date"] = NO_DATE
    data |= _placed(call, given, old)
    data |= _decided(call, given, old)
    if given.get("is_archived") and (old is None or not old["is_archived"]):
        data.setdefault("archive_time", moments.rfc(company.now()))
    for name in _TIMES:
        if isinstance(data.get(name), str):
            data[name] = moments.rfc(moments.parse_either(data[name]) or 0.0)
    return data


def _defaults(company: Company) -> dict[str, Any]:
    return {
        "owner_id": company.user.id,
        "creator_user_id": company.user.id,
        "value": 0,
        "currency": company.behaviour.currency,
        "status": "open",
        "visible_to": entities.default_visibility(company),
        "label_ids": [],
        "is_archived": False,
        "origin": "API",
    }


def _check(call: Call, given: Mapping[str, Any], old: Row | None) -> None:
    company = call.company
    if old is not None and old["is_archived"] and given.get("is_archived") is not False:
        raise errors.bad_request("Archived deals cannot be updated", "ERR_DEAL_ARCHIVED")
    if "owner_id" in given:
        entities.check_owner(call, given["owner_id"])
    entities.check_reference(call, "person_id", "persons", given.get("person_id"))
    entities.check_reference(call, "org_id", "organizations", given.get("org_id"))
    entities.check_labels(call, "deal", given.get("label_ids", ()))
    if "currency" in given and not company.currency(given["currency"]):
        raise errors.invalid([("currency", f"'{given['currency']}' is not a valid currency")])
    if "value" in given and old is not None and company.products_of(old.id):
        raise errors.bad_request("Cannot update deal value, the deal has products attached to it.")
    opens = given.get("status", "open") == "open" and (old is None or old["status"] != "open")
    limit = company.behaviour.open_deals_limit
    if opens and limit is not None and len(company.ids_with("deals", "status", "open")) >= limit:
        what = "add" if old is None else "update"
        text = f"Couldn't {what} the deal. Open deals limit reached."
        raise errors.capped(text, "feature_capping_deals_limit")


def _placed(call: Call, given: Mapping[str, Any], old: Row | None) -> dict[str, Any]:
    """Return the stage and pipeline of a deal; a stage decides, whatever pipeline is named beside it."""
    company = call.company
    stage = company.stages.get(old["stage_id"]) if old is not None else None
    if given.get("stage_id") is not None:
        stage = company.stages.get(given["stage_id"])
        if stage is None or company.pipelines.get(stage["pipeline_id"]) is None:
            raise errors.invalid([("stage_id", f"Stage with id '{given['stage_id']}' was not found")])
    elif given.get("pipeline_id") is not None and (old is None or given["pipeline_id"] != old["pipeline_id"]):
        pipeline = company.pipelines.get(given["pipeline_id"])
        if pipeline is None:
            raise errors.invalid(
                [("pipeline_id", f"Pipeline with id '{given['pipeline_id']}' was not found")]
            )
        stage = _first_stage(company, pipeline)
    elif old is None:
        stage = _first_stage(company, company.first_pipeline())
    data: dict[str, Any] = {}
    if stage is not None:
        data = {"stage_id": stage["id"], "pipeline_id": stage["pipeline_id"]}
        if old is not None and old["stage_id"] != stage["id"]:
            data["stage_change_time"] = moments.rfc(company.now())
    pipeline = company.pipelines.get(data.get("pipeline_id"))
    if given.get("probability") is not None and not (pipeline and pipeline["is_deal_probability_enabled"]):
        raise errors.invalid([("probability", "Deal probability is not enabled for the pipeline")])
    return data


def _first_stage(company: Company, pipeline: Mapping[str, Any] | None) -> dict[str, Any]:
    stages = [] if pipeline is None else company.stages_of(pipeline["id"])
    if not stages:
        raise errors.bad_request("The pipeline has no stages", "ERR_BAD_REQUEST")
    return stages[0]


def _decided(call: Call, given: Mapping[str, Any], old: Row | None) -> dict[str, Any]:
    """Return what follows of a deal's status: when it was won, lost, closed."""
    before = "open" if old is None else old["status"]
    status = given.get("status", before)
    wrong = [
        (name, f"The value can only be set when the status is {wanted}")
        for name, wanted in (("lost_reason", "lost"), ("lost_time", "lost"), ("won_time", "won"))
        if given.get(name) is not None and status != wanted
    ]
    if given.get("close_time") is not None and status == "open":
        wrong.append(("close_time", "The value can only be set when the status is won or lost"))
    if wrong:
        raise errors.invalid(wrong)
    if status == before:
        return {}
    cleared: dict[str, Any] = dict.fromkeys(("close_time", "won_time", "lost_time", "lost_reason"))
    if status == "open":
        return cleared
    now = moments.rfc(call.company.now())
    at = given.get(f"{status}_time") or given.get("close_time") or now
    kept = {name: given[name] for name in ("close_time", "lost_reason") if given.get(name) is not None}
    return {**cleared, f"{status}_time": at, "close_time": at, **kept}


def _shown(company: Company, row: Row) -> dict[str, Any]:
    data = {
        name: row[name]
        for name in (
            "title", "creator_user_id", "owner_id", "value", "person_id", "org_id", "stage_id",
            "pipeline_id", "currency", "archive_time",
        )
    }  # fmt: skip
    data |= entities.times(row, fresh_update=True)
    data |= {name: row[name] for name in ("stage_change_time", "status", "is_archived", "probability")}
    data |= {name: row[name] for name in ("lost_reason", "visible_to", "close_time", "won_time", "lost_time")}
    for status in ("won", "lost", "close"):
        at = row[f"{status}_time"]
        data[f"local_{status}_date"] = None if at is None else at[:10]
    data["expected_close_date"] = row["expected_close_date"]
    data["label_ids"] = row["label_ids"] or []
    data |= {name: row[name] for name in ("origin", "origin_id", "channel", "channel_id")}
    data |= dict.fromkeys(("acv", "arr", "mrr"))
    if company.behaviour.absent_times:
        absent = (*_TIMES, "expected_close_date", "local_won_date", "local_lost_date", "local_close_date")
        data = {name: value for name, value in data.items() if value is not None or name not in absent}
    return data


def _delete_products(company: Company, row: Row) -> None:
    for attached in company.products_of(row.id):
        company.delete("deal_products", attached.id)


ENTITY = Entity(
    type="deals",
    noun="Deal",
    fields="deal",
    rules=_RULES,
    required=("title",),
    prepare=_prepare,
    shown=_shown,
    filters={name: name for name in ("owner_id", "person_id", "org_id", "pipeline_id", "stage_id")},
    include=COUNTERS["deals"],
    deleting=_delete_products,
)

_STATUSES = ("open", "won", "lost", "deleted")


def listed(call: Call) -> PortalResponse:
    """List deals that are not archived; those that are deleted only when the status says so."""
    return _listed(call, archived=False)


def archived(call: Call) -> PortalResponse:
    """List archived deals."""
    return _listed(call, archived=True)


def _listed(call: Call, *, archived: bool) -> PortalResponse:
    statuses = call.several("status")
    for status in statuses:
        if status not in _STATUSES:
            raise errors.invalid([("status", f"The value must be one of {', '.join(_STATUSES)}")])
    wanted = records.conditions(call, ENTITY)
    states = [False]
    if statuses:
        states = [state for state in (False, True) if state is ("deleted" in statuses)]
        if "deleted" in statuses and len(statuses) > 1:
            states = [False, True]
        of_status = {text(status) for status in statuses}
        wanted.append(
            lambda record: (
                "deleted" in statuses
                if record.archived is not None
                else record.properties.get("status") in of_status
            )
        )
    if archived or call.company.ids_with("deals", "is_archived", True, limit=1):
        held = text(True)
        wanted.append(lambda record: (record.properties.get("is_archived") == held) is archived)
    rows, cursor = records.page(call, ENTITY, wanted, states=states)
    return lists.answer(call, [entities.answered(call, ENTITY, row) for row in rows], cursor)
