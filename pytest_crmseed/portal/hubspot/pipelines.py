"""Pipelines and their stages: list, read, create, change, replace, delete (HubSpot docs, "Pipelines")."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from pytest_crmseed.portal.hubspot import bodies, errors
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.errors import invalid
from pytest_crmseed.portal.hubspot.instants import iso
from pytest_crmseed.portal.hubspot.object_types import pipeline_properties
from pytest_crmseed.portal.hubspot.pipeline_definitions import has_pipelines, metadata_of, stage_ids
from pytest_crmseed.portal.message import PortalResponse

Json = Mapping[str, Any]

# A pipeline or stage that does not exist is a 404 without a body, as live portals answer it.
_NOTHING = PortalResponse(404)

STAGE_LIMIT = 100
"""Stages of a pipeline (HubSpot knowledge base, "Set up pipelines")."""


def list_pipelines(call: Call) -> PortalResponse:
    """List the pipelines of an object type."""
    return PortalResponse.of(200, {"results": [_in_order(found) for found in _live(call)]})


def read(call: Call) -> PortalResponse:
    """Read a pipeline."""
    found = _find(call)
    return _NOTHING if found is None else PortalResponse.of(200, _in_order(found))


def create(call: Call) -> PortalResponse:
    """Create a pipeline with its stages: 201."""
    name = _type(call)
    body = bodies.as_object(call.json, "PipelineInput")
    bodies.required(body, "label", "stages")
    label = bodies.as_text(body["label"])
    _check_label(call, label)
    now = iso(call.account.now())
    stages = _stages(call, body["stages"], ())
    _check_stages(name, stages)
    data = {
        "id": call.account.pipelines.new_id(),
        "label": label,
        "displayOrder": _order(body, len(_live(call))),
        "archived": False,
        "createdAt": now,
        "updatedAt": now,
        "stages": stages,
    }
    return PortalResponse.of(201, _in_order(call.account.pipelines.put(name, data)))


def update(call: Call) -> PortalResponse:
    """Change a pipeline's label or place; ``archived`` false brings back one that was deleted."""
    name = _type(call)
    body = bodies.as_object(call.json, "PipelinePatchInput")
    found = _find(call)
    if found is None and body.get("archived") is False:
        archived = call.account.pipelines.archived(name)
        found = next((each for each in archived if each["id"] == call.params["id"]), None)
    if found is None:
        return _NOTHING
    label = found["label"] if body.get("label") is None else bodies.as_text(body["label"])
    _check_label(call, label, besides=found["id"])
    order = _order(body, found["displayOrder"])
    kept = {key: value for key, value in found.items() if key != "archivedAt"}
    return _put(call, {**kept, "label": label, "displayOrder": order, "archived": False})


def replace(call: Call) -> PortalResponse:
    """Replace a pipeline's label, place and stages; a stage keeps its id by its label [unsure]."""
    found = _find(call)
    if found is None:
        return _NOTHING
    body = bodies.as_object(call.json, "PipelineInput")
    bodies.required(body, "label", "displayOrder", "stages")
    label = bodies.as_text(body["label"])
    _check_label(call, label, besides=found["id"])
    stages = _stages(call, body["stages"], found["stages"])
    _check_stages(_type(call), stages)
    _check_unused(call, set(stage_ids(found)).difference(stage["id"] for stage in stages))
    return _put(call, {**found, "label": label, "displayOrder": _order(body, 0), "stages": stages})


def delete(call: Call) -> PortalResponse:
    """Delete a pipeline that no record is in: 204. The last one stays [unsure]."""
    found = _find(call)
    if found is None:
        return _NOTHING
    _check_unused(call, stage_ids(found))
    if len(_live(call)) == 1:
        raise invalid("An object type needs at least one pipeline.")
    now = iso(call.account.now())
    changes = {"archived": True, "archivedAt": now, "updatedAt": now}
    call.account.pipelines.put(_type(call), {**found, **changes})
    return PortalResponse(204)


# -- stages --------------------------------------------------------------------------------------------


def list_stages(call: Call) -> PortalResponse:
    """List the stages of a pipeline."""
    found = _find(call)
    return _NOTHING if found is None else PortalResponse.of(200, {"results": _in_order(found)["stages"]})


def read_stage(call: Call) -> PortalResponse:
    """Read a stage."""
    found = _find(call)
    stage = _stage(call, found)
    return _NOTHING if stage is None else PortalResponse.of(200, stage)


def create_stage(call: Call) -> PortalResponse:
    """Add a stage to a pipeline: 201."""
    found = _find(call)
    if found is None:
        return _NOTHING
    made = _made(call, bodies.as_object(call.json, "PipelineStageInput"), len(found["stages"]))
    stages = [*found["stages"], made]
    _check_stages(_type(call), stages)
    _put(call, {**found, "stages": stages})
    return PortalResponse.of(201, made)


def update_stage(call: Call) -> PortalResponse:
    """Change a stage's label, place or metadata; metadata that is not given stays."""
    return _change_stage(call, whole=False)


def replace_stage(call: Call) -> PortalResponse:
    """Replace a stage's label, place and metadata."""
    return _change_stage(call, whole=True)


def delete_stage(call: Call) -> PortalResponse:
    """Delete a stage that no record is in: 204, also when there is none of its id."""
    found = _find(call)
    if found is None:
        return _NOTHING
    stage = _stage(call, found)
    if stage is not None:
        _check_unused(call, [stage["id"]])
        stages = [each for each in found["stages"] if each["id"] != stage["id"]]
        _check_stages(_type(call), stages)
        _put(call, {**found, "stages": stages})
    return PortalResponse(204)


def _change_stage(call: Call, *, whole: bool) -> PortalResponse:
    found = _find(call)
    stage = _stage(call, found)
    if found is None or stage is None:
        return _NOTHING
    body = bodies.as_object(call.json, "PipelineStageInput" if whole else "PipelineStagePatchInput")
    if whole:
        bodies.required(body, "label", "displayOrder")
    given = _metadata(call, body, {} if whole else stage["metadata"])
    changed = {
        **stage,
        "label": stage["label"] if body.get("label") is None else bodies.as_text(body["label"]),
        "displayOrder": _order(body, stage["displayOrder"]),
        "metadata": given,
        "updatedAt": iso(call.account.now()),
    }
    stages = [changed if each["id"] == stage["id"] else each for each in found["stages"]]
    _check_stages(_type(call), stages)
    _put(call, {**found, "stages": stages})
    return PortalResponse.of(200, changed)


# -- rules ---------------------------------------------------------------------------------------------


def _type(call: Call) -> str:
    if not has_pipelines(call.object_type):
        having = [each.name for each in call.account.object_types.by_name.values() if has_pipelines(each)]
        raise errors.not_emulated(f"Pipelines of {call.object_type.name}", having)
    return call.object_type.name


def _live(call: Call) -> Sequence[Json]:
    return call.account.pipelines.live(_type(call))


def _find(call: Call) -> Json | None:
    return next((each for each in _live(call) if each["id"] == call.params["id"]), None)


def _stage(call: Call, found: Json | None) -> dict[str, Any] | None:
    stages: Sequence[dict[str, Any]] = found["stages"] if found else ()
    return next((each for each in stages if each["id"] == call.params["stage"]), None)


def _put(call: Call, data: Json) -> PortalResponse:
    changed = {**data, "updatedAt": iso(call.account.now())}
    return PortalResponse.of(200, _in_order(call.account.pipelines.put(_type(call), changed)))


def _in_order(data: Json) -> Json:
    return {**data, "stages": sorted(data["stages"], key=lambda stage: int(stage["displayOrder"]))}


def _stages(call: Call, data: Any, before: Sequence[Json]) -> list[dict[str, Any]]:
    made = []
    old = {stage["label"]: stage for stage in before}
    for place, item in enumerate(bodies.as_list(data, "java.util.ArrayList")[: STAGE_LIMIT + 1]):
        stage = _made(call, bodies.as_object(item, "PipelineStageInput"), place)
        same = old.get(stage["label"])
        made.append(stage if same is None else {**stage, "id": same["id"], "createdAt": same["createdAt"]})
    return made


def _made(call: Call, body: Json, place: int) -> dict[str, Any]:
    bodies.required(body, "label")
    now = iso(call.account.now())
    return {
        "id": call.account.pipelines.new_id(),
        "label": bodies.as_text(body["label"]),
        "displayOrder": _order(body, place),
        "metadata": _metadata(call, body, {}),
        "archived": False,
        "createdAt": now,
        "updatedAt": now,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }


def _metadata(call: Call, body: Json, before: Mapping[str, str]) -> dict[str, str]:
    given = body.get("metadata")
    metadata = dict(before)
    for key, value in bodies.as_object({} if given is None else given, "java.util.LinkedHashMap").items():
        match value:
            case bool():
                metadata[key] = "true" if value else "false"
            case Decimal() | int() | str():
                metadata[key] = str(value)
            case _:
                raise bodies.cannot_deserialize(value, "java.lang.String")
    name = call.object_type.name
    if name == "deals" and "probability" not in metadata:
        raise invalid("must specify probability when writing a dealstage")
    if "probability" in metadata and not _is_probability(metadata["probability"]):
        # [unsure] of the wording.
        raise invalid(f"probability must be a number from 0.0 to 1.0, not {metadata['probability']}")
    return metadata_of(name, metadata)


def _is_probability(text: str) -> bool:
    try:
        return Decimal(text).is_finite() and 0 <= Decimal(text) <= 1
    except InvalidOperation:
        return False


def _order(body: Json, default: int) -> int:
    order = body.get("displayOrder")
    if order is None:
        return default
    if isinstance(order, bool) or not isinstance(order, int):
        raise bodies.cannot_deserialize(order, "java.lang.Integer")
    return order


def _check_label(call: Call, label: str, *, besides: str = "") -> None:
    if any(each["label"] == label and each["id"] != besides for each in _live(call)):
        raise invalid(f"An active pipeline with label {label} already exists.")


def _check_stages(object_type: str, stages: Sequence[Json]) -> None:
    # [unsure] of the wordings.
    if not stages:
        raise invalid("A pipeline needs at least one stage.")
    if len(stages) > STAGE_LIMIT:
        raise invalid(f"A pipeline has at most {STAGE_LIMIT} stages.")
    labels = [stage["label"] for stage in stages]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise invalid(f"The pipeline has two stages with label {twice}.")
    if object_type == "tickets" and all(stage["metadata"]["isClosed"] != "true" for stage in stages):
        raise invalid("A ticket pipeline needs at least one stage with ticketState CLOSED.")


def _check_unused(call: Call, ids: Collection[str]) -> None:
    names = pipeline_properties(call.object_type)
    if names is None or not ids:
        return
    account = call.account
    records = account.store.live_with(PROVIDER, call.object_type.name, names[1], sorted(ids), limit=100)
    if records:
        found = account.store.get(PROVIDER, call.object_type.name, records).values()
        used = sorted({record.properties[names[1]] for record in found})
        # [unsure] of the text; sub-category and context are as seen on a live portal.
        raise errors.ApiError(
            400,
            f"Stages {', '.join(used)} are in use and cannot be deleted.",
            "VALIDATION_ERROR",
            "PipelineError.STAGE_ID_IN_USE",
            {"stageIds": used, "objectIds": [str(id) for id in records]},
        )
