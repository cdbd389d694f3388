"""Pipelines and their stages (HubSpot docs, "Pipelines")."""

from __future__ import annotations

from typing import Any

from pytest_crmseed.portal.hubspot import errors
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.instants import iso
from pytest_crmseed.portal.hubspot.object_types import pipeline
from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.schema.model import ObjectType, Pipeline, Stage


def list_pipelines(call: Call) -> PortalResponse:
    """List the pipelines of an object type."""
    object_type = _with_pipelines(call)
    results = [_answer(found, order) for order, found in enumerate(object_type.pipelines)]
    return PortalResponse.of(200, {"results": results})


def read(call: Call) -> PortalResponse:
    """Read a pipeline; 404 without a body when there is none."""
    object_type = _with_pipelines(call)
    found = pipeline(object_type, call.params["id"])
    if found is None:
        return PortalResponse(404)
    return PortalResponse.of(200, _answer(found, object_type.pipelines.index(found)))


def _with_pipelines(call: Call) -> ObjectType:
    if not call.object_type.pipelines:
        having = [each.name for each in call.account.object_types.by_name.values() if each.pipelines]
        raise errors.not_emulated(f"Pipelines of {call.object_type.name}", having)
    return call.object_type


def _answer(found: Pipeline, order: int) -> dict[str, Any]:
    return {
        "id": found.id,
        "label": found.label,
        "displayOrder": order,
        "archived": False,
        "createdAt": iso(0),
        "updatedAt": iso(0),
        "stages": [_stage(stage) for stage in found.stages],
    }


def _stage(stage: Stage) -> dict[str, Any]:
    metadata = {"isClosed": "true" if stage.closed else "false"}
    if stage.probability is not None:
        metadata["probability"] = str(stage.probability)
    return {
        "id": stage.id,
        "label": stage.label,
        "displayOrder": stage.order,
        "metadata": metadata,
        "archived": False,
        "createdAt": iso(0),
        "updatedAt": iso(0),
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }
