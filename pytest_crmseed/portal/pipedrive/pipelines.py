"""Pipelines and stages (Pipedrive docs, "Pipelines" and "Stages")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import definitions, errors, lists, moments, rules
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.definitions import Defined
from pytest_crmseed.portal.pipedrive.rules import Rule

_NAME = Rule(rules.limited(255, least=1))
_PIPELINE_RULES = {"name": _NAME, "is_deal_probability_enabled": rules.BOOLEAN}
_STAGE_RULES = {
    "name": _NAME,
    "pipeline_id": rules.INTEGER,
    "deal_probability": Rule(rules.between(0, 100)),
    "is_deal_rot_enabled": rules.BOOLEAN,
    "days_to_rotten": Rule(rules.integer, nullable=True),
}
_KEYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "id": lambda each: each["id"],
    "add_time": lambda each: moments.rfc(each["add_time"]),
    "update_time": lambda each: moments.rfc(each["update_time"] or each["add_time"]),
}


def listed(call: Call) -> PortalResponse:
    """List pipelines."""
    page, cursor = lists.cursor_page(call, call.company.pipelines, _KEYS)
    return lists.answer(call, [_shown(each) for each in page], cursor)


def create(call: Call) -> PortalResponse:
    """Make a pipeline; it goes last."""
    rules.check(call.body, _PIPELINE_RULES, ("name",))
    company = call.company
    order = max((each["order_nr"] for each in company.pipelines), default=0) + 1
    enabled = call.body.get("is_deal_probability_enabled", False)
    made = definitions.pipeline(
        company.pipelines.new_id(), call.body["name"], order, probability=enabled, at=company.now()
    )
    company.pipelines.put(made)
    if company.behaviour.stages_of_new_pipelines:
        for number, (name, probability) in enumerate(definitions.STAGES, start=1):
            stage = definitions.stage(
                company.stages.new_id(),
                name,
                made["id"],
                number,
                deal_probability=probability,
                at=company.now(),
            )
            company.stages.put(stage)
    return call.answer(_shown(made))


def get(call: Call) -> PortalResponse:
    """Answer a pipeline."""
    return call.answer(_shown(_found(call, call.company.pipelines, "Pipeline")))


def update(call: Call) -> PortalResponse:
    """Change a pipeline."""
    found = _found(call, call.company.pipelines, "Pipeline", live=True)
    rules.check(call.body, _PIPELINE_RULES)
    changed = {**found, **call.body, "update_time": call.company.now()}
    return call.answer(_shown(call.company.pipelines.put(changed)))


def delete(call: Call) -> PortalResponse:
    """Mark a pipeline as deleted, and its stages with it."""
    found = _found(call, call.company.pipelines, "Pipeline", live=True)
    for stage in call.company.stages_of(found["id"]):
        _delete(call, call.company.stages, stage)
    return _delete(call, call.company.pipelines, found)


def stages(call: Call) -> PortalResponse:
    """List stages, of one pipeline or all."""
    wanted = call.integer("pipeline_id")
    found = [stage for stage in call.company.stages if wanted in (None, stage["pipeline_id"])]
    keys = {**_KEYS, "order_nr": lambda each: each["order_nr"]}
    page, cursor = lists.cursor_page(call, found, keys)
    return lists.answer(call, [_shown(each) for each in page], cursor)


def create_stage(call: Call) -> PortalResponse:
    """Make a stage; it goes last in its pipeline."""
    rules.check(call.body, _STAGE_RULES, ("name", "pipeline_id"))
    company = call.company
    _check_pipeline(call)
    order = max((each["order_nr"] for each in company.stages_of(call.body["pipeline_id"])), default=0) + 1
    made = definitions.stage(
        company.stages.new_id(), call.body["name"], call.body["pipeline_id"], order, at=company.now()
    )
    return call.answer(_shown(company.stages.put({**made, **call.body})))


def get_stage(call: Call) -> PortalResponse:
    """Answer a stage."""
    return call.answer(_shown(_found(call, call.company.stages, "Stage")))


def update_stage(call: Call) -> PortalResponse:
    """Change a stage."""
    found = _found(call, call.company.stages, "Stage", live=True)
    rules.check(call.body, _STAGE_RULES)
    _check_pipeline(call)
    changed = {**found, **call.body, "update_time": call.company.now()}
    return call.answer(_shown(call.company.stages.put(changed)))


def delete_stage(call: Call) -> PortalResponse:
    """Mark a stage as deleted."""
    return _delete(call, call.company.stages, _found(call, call.company.stages, "Stage", live=True))


def _check_pipeline(call: Call) -> None:
    id = call.body.get("pipeline_id")
    if id is not None and call.company.pipelines.get(id) is None:
        raise errors.invalid([("pipeline_id", f"Pipeline with id '{id}' was not found")])


def _found(call: Call, among: Defined, noun: str, *, live: bool = False) -> dict[str, Any]:
    deleted = not live and call.company.behaviour.deleted_records_readable
    found = among.get(call.id, deleted=deleted)
    if found is None:
        raise errors.not_found(noun)
    return found


def _delete(call: Call, among: Defined, found: Mapping[str, Any]) -> PortalResponse:
    among.put({**found, "is_deleted": True, "update_time": call.company.now()})
    return call.answer({"id": found["id"]})


def _shown(data: Mapping[str, Any]) -> dict[str, Any]:
    at, changed = data["add_time"], data["update_time"]
    return {
        **data,
        "add_time": moments.rfc(at),
        "update_time": None if changed is None else moments.rfc(changed),
    }
