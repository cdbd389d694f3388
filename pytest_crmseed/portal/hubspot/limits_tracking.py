"""How much of the account's limits is used (HubSpot docs, "Limits tracking").

The figures of an Enterprise account; [unsure] of those that no page tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_crmseed.portal.hubspot import property_rules
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.label_definitions import LIMIT as LABEL_LIMIT
from pytest_crmseed.portal.hubspot.pipeline_definitions import has_pipelines
from pytest_crmseed.portal.hubspot.schemas import schema_of
from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.schema.model import ObjectType

Json = Mapping[str, Any]

RECORD_LIMIT = 15_000_000
CUSTOM_RECORD_LIMIT = 1_500_000
CUSTOM_OBJECT_LIMIT = 10
PIPELINE_LIMIT = 100
CALCULATED_LIMIT = 200


def records(call: Call) -> PortalResponse:
    """Answer how many records there are of each object type."""
    counts = call.account.store.live_counts(PROVIDER)
    return _by_origin(call, lambda each: counts.get(each.name, 0), RECORD_LIMIT, CUSTOM_RECORD_LIMIT)


def pipelines(call: Call) -> PortalResponse:
    """Answer how many pipelines each object type has that can have some."""

    def count(object_type: ObjectType) -> int | None:
        return len(call.account.pipelines.live(object_type.name)) if has_pipelines(object_type) else None

    return _by_origin(call, count, PIPELINE_LIMIT, PIPELINE_LIMIT)


def custom_properties(call: Call) -> PortalResponse:
    """Answer how many custom properties each object type has."""
    counts = [(each, len(property_rules.custom(call.account, each.name))) for each in _types(call)]
    limit = property_rules.CUSTOM_LIMIT
    answer = _overall([_used(each, count, limit) for each, count in counts], property_rules.TOTAL_LIMIT)
    return PortalResponse.of(200, answer)


def calculated_properties(call: Call) -> PortalResponse:
    """Answer how many calculated properties each object type has that clients defined."""
    found = [
        _used(
            each, sum(bool(d.data.get("calculated")) for d in property_rules.custom(call.account, each.name))
        )
        for each in _types(call)
    ]
    return PortalResponse.of(200, _overall(found, CALCULATED_LIMIT))


def custom_object_types(call: Call) -> PortalResponse:
    """Answer how many custom objects there are."""
    count = sum(each.custom for each in _types(call))
    return PortalResponse.of(200, _use(count, CUSTOM_OBJECT_LIMIT))


def association_labels(call: Call) -> PortalResponse:
    """Answer the labels of each pair of object types that has some, as the query narrows them."""
    types = call.account.object_types.by_name
    wanted = [call.argument("fromObjectTypeId"), call.argument("toObjectTypeId")]
    results: list[Json] = []
    for start in types.values():
        for to in types.values():
            labels = [each.label for each in call.account.association_types.labelled(start, to.name)]
            asked = all(not id or id == each.type_id for id, each in zip(wanted, (start, to), strict=True))
            if labels and asked:
                ends = {"fromObjectType": schema_of(start), "toObjectType": schema_of(to)}
                results.append({"allLabels": labels, **ends, **_use(len(labels), LABEL_LIMIT)})
    return PortalResponse.of(200, {"results": results})


def _types(call: Call) -> Sequence[ObjectType]:
    return list(call.account.object_types.by_name.values())


def _by_origin(
    call: Call, count: Callable[[ObjectType], int | None], limit: int, custom_limit: int
) -> PortalResponse:
    standard: list[Json] = []
    custom: list[Json] = []
    for each in _types(call):
        number = count(each)
        if number is not None and each.custom:
            custom.append(_used(each, number))
        elif number is not None:
            standard.append(_used(each, number, limit))
    body = {"hubspotDefinedObjectTypes": standard, "customObjectTypes": _overall(custom, custom_limit)}
    return PortalResponse.of(200, body)


def _used(object_type: ObjectType, count: int, limit: int | None = None) -> Json:
    names = {
        "objectTypeId": object_type.type_id,
        "singularLabel": object_type.label,
        "pluralLabel": object_type.plural,
    }
    return {**names, **({"usage": count} if limit is None else _use(count, limit))}


def _use(count: int, limit: int) -> Json:
    return {"limit": limit, "usage": count, "percentage": _percentage(count, limit)}


def _overall(found: Sequence[Json], limit: int) -> Json:
    count = sum(each["usage"] for each in found)
    return {
        "byObjectType": found,
        "overallLimit": limit,
        "overallUsage": count,
        "overallPercentage": _percentage(count, limit),
    }


def _percentage(count: int, limit: int) -> float:
    return round(100 * count / limit, 3)
