"""Drafts as rows of an import (``load``), which gives each record its external id in the same transaction.

An external id is unique in a database, so that the same row sent again makes no second record.

Source: Odoo docs, "ORM API", ``load``; "Export and import data" (external ids, columns).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_crmseed.providers.odoo.capabilities import MODULE
from pytest_crmseed.providers.odoo.definitions import LOST, STAGE_FIELD
from pytest_crmseed.schema.model import ObjectType

Row = dict[str, str]

# What makes records of one model into those of an object type, with columns by external id.
_CONSTANTS: Mapping[str, Row] = {
    "res.partner:company": {"is_company": "1"},
    "crm.lead": {"type": "lead"},
    "crm.lead:opportunity": {"type": "opportunity"},
    "mail.activity": {"activity_type_id/id": "mail.mail_activity_data_todo"},
    "mail.activity:call": {"activity_type_id/id": "mail.mail_activity_data_call"},
    "mail.activity:meeting": {"activity_type_id/id": "mail.mail_activity_data_meeting"},
    "mail.message": {"message_type": "comment", "subtype_id/id": "mail.mt_note"},
}

_BY_ID = ("many2one", "many2many")


def row_of(object_type: ObjectType, key: str, values: Mapping[str, Any], parents: Mapping[str, str]) -> Row:
    """Return the row of a record: its columns with their texts."""
    row: Row = {"id": f"{MODULE}.{key}"}
    for column, text in _CONSTANTS.get(object_type.name, {}).items():
        if column.partition("/")[0] not in values:
            row[column] = text
    for name, value in values.items():
        field = object_type.fields.get(name)
        if field is not None and field.external == "stages" and name == STAGE_FIELD:
            # A deal that is lost is archived, and one that is not has to say so beside it.
            row[f"{name}/.id"] = "" if value == LOST else str(value)
            row.setdefault("active", "0" if value == LOST else "1")
        elif field is not None and field.native.get("type") in _BY_ID:
            row[f"{name}/.id"] = str(value)
        else:
            row[name] = str(value)
    return {**row, **parents}


def matrix(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Return rows as the import takes them: the columns, and the cells of each row.

    An empty cell takes the value away that the server would have given.
    """
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return columns, [[row.get(column, "") for column in columns] for row in rows]


def held(object_type: ObjectType | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record's values in the forms of the schema, from what the server answered.

    Related records go by their ids, as text; what is not set is None.
    """
    values: dict[str, Any] = {}
    for name, value in row.items():
        field = object_type.fields.get(name) if object_type else None
        kind = field.native.get("type") if field else ""
        if kind == "many2one" and isinstance(value, list):
            values[name] = str(value[0])
        elif isinstance(value, list):
            values[name] = [str(each) for each in value]
        elif value is False and kind != "boolean":
            values[name] = None
        else:
            values[name] = value
    stage = object_type.fields.get(STAGE_FIELD) if object_type else None
    if stage is not None and stage.external == "stages" and row.get("active") is False:
        values[STAGE_FIELD] = LOST
    return values
