"""Describes: objects and fields as clients read them (Salesforce docs, "sObject Describe").

Older versions tell less; which one brought a key is told by recordings of 42, 48, 52 and 59, and between
them [unsure].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_crmseed.portal.salesforce.definitions import Child, Field, RecordType, SObject

_LATE_FIELD_KEYS = ("aiPredictionField", "formulaTreatNullNumberAsZero")
_LATER, _ASSOCIATED = 43, 50
_WITH_RECORD_TYPE_NAMES = 43

_GLOBAL_FLAGS = (
    "activateable",
    "createable",
    "custom",
    "customSetting",
    "deepCloneable",
    "deletable",
    "deprecatedAndHidden",
    "feedEnabled",
    "hasSubtypes",
    "isInterface",
    "isSubtype",
    "layoutable",
    "mergeable",
    "mruEnabled",
    "queryable",
    "replicateable",
    "retrieveable",
    "searchable",
    "triggerable",
    "undeletable",
    "updateable",
)
_GLOBAL_LINKS = (
    "approvalLayouts",
    "caseArticleSuggestions",
    "caseRowArticleSuggestions",
    "compactLayouts",
    "describe",
    "layouts",
    "listviews",
    "namedLayouts",
    "passwordUtilities",
    "quickActions",
    "rowTemplate",
    "sobject",
)
_USUAL_LINKS = ("describe", "layouts", "rowTemplate", "sobject")


def in_global(each: SObject, home: str, version: int) -> dict[str, Any]:
    """Return an object's entry in the list of all."""
    links = _links(each, home, "")
    body: dict[str, Any] = {
        **({"associateEntityType": None, "associateParentEntity": None} if version >= _ASSOCIATED else {}),
        **{name: each.flags[name] for name in _GLOBAL_FLAGS},
        "keyPrefix": each.prefix,
        "label": each.label,
        "labelPlural": each.label_plural,
        "name": each.name,
        "urls": {name: links[name] for name in _GLOBAL_LINKS if name in links},
    }
    if version < _LATER:
        for name in ("deepCloneable", "isInterface"):
            del body[name]
    return body


def described(each: SObject, home: str, version: int, origin: str) -> dict[str, Any]:
    """Return an object's describe."""
    body: dict[str, Any] = {
        "actionOverrides": [],
        **each.flags,
        "childRelationships": [_child(child) for child in each.children],
        "fields": [field_entry(field, version) for field in each.fields],
        "keyPrefix": each.prefix,
        "label": each.label,
        "labelPlural": each.label_plural,
        "listviewable": None,
        "lookupLayoutable": None,
        "name": each.name,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [
            _record_type(record_type, each, home, version) for record_type in each.record_types
        ],
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": label, "name": name} for name, label in each.scopes],
        "urls": _links(each, home, origin),
    }
    if version >= _ASSOCIATED:
        body |= {"associateEntityType": None, "associateParentEntity": None}
    if version >= _LATER:
        body |= {
            "defaultImplementation": None,
            "extendedBy": None,
            "extendsInterfaces": None,
            "implementedBy": None,
            "implementsInterfaces": None,
        }
    else:
        for name in ("deepCloneable", "isInterface"):
            del body[name]
    return dict(sorted(body.items()))


def field_entry(field: Field, version: int) -> dict[str, Any]:
    """Return a field's entry in a describe."""
    body = {**field.facts, "picklistValues": [value.described() for value in field.values]}
    if version < _LATER:
        for name in _LATE_FIELD_KEYS:
            del body[name]
    return dict(sorted(body.items()))


def _child(child: Child) -> dict[str, Any]:
    lists, references = child.junctions
    return {
        "cascadeDelete": child.cascade,
        "childSObject": child.object,
        "deprecatedAndHidden": False,
        "field": child.field,
        "junctionIdListNames": list(lists),
        "junctionReferenceTo": list(references),
        "relationshipName": child.relationship,
        "restrictedDelete": child.restrict,
    }


def _record_type(record_type: RecordType, each: SObject, home: str, version: int) -> dict[str, Any]:
    layout = f"{home}/sobjects/{each.name}/describe/layouts/{record_type.id}"
    body = {
        "active": record_type.active,
        "available": record_type.available,
        "defaultRecordTypeMapping": record_type.default,
        "developerName": record_type.developer_name,
        "master": record_type.master,
        "name": record_type.name,
        "recordTypeId": record_type.id,
        "urls": {"layout": layout},
    }
    if version < _WITH_RECORD_TYPE_NAMES:
        del body["developerName"]
    return body


def _links(each: SObject, home: str, origin: str) -> dict[str, str]:
    here = f"{home}/sobjects/{each.name}"
    known: Mapping[str, str] = {
        "approvalLayouts": f"{here}/describe/approvalLayouts",
        "caseArticleSuggestions": f"{here}/suggestedArticles",
        "caseRowArticleSuggestions": f"{here}/{{ID}}/suggestedArticles",
        "compactLayouts": f"{here}/describe/compactLayouts",
        "describe": f"{here}/describe",
        "eventSeriesUpdates": f"{here}/{{ID}}/fromThisEventOnwards",
        "layouts": f"{here}/describe/layouts",
        "listviews": f"{here}/listviews",
        "namedLayouts": f"{here}/describe/namedLayouts/{{LayoutName}}",
        "passwordUtilities": f"{here}/{{ID}}/password",
        "quickActions": f"{here}/quickActions",
        "rowTemplate": f"{here}/{{ID}}",
        "sobject": here,
        "uiDetailTemplate": f"{origin}/{{ID}}",
        "uiEditTemplate": f"{origin}/{{ID}}/e",
        "uiNewRecord": f"{origin}/{each.prefix}/e",
    }
    return {name: known[name] for name in each.links or _USUAL_LINKS if name in known}
