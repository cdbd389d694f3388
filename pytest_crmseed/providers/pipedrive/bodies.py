"""Records as Pipedrive's API has them: values in their places and shapes, and back into one row of values.

Custom fields have a place of their own in v2, and stand beside all others in v1 (leads). Sources: Pipedrive
docs, "Custom fields", "API v2 migration guide".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pytest_crmseed.providers.pipedrive.capabilities import KEY
from pytest_crmseed.schema.model import Field, ObjectType

Json = dict[str, Any]

PATHS: Mapping[str, str] = {
    **{name: f"/api/v2/{name}" for name in ("organizations", "persons", "deals", "products", "activities")},
    **{name: f"/api/v1/{name}" for name in ("leads", "notes")},
}
"""The paths of records, by object type as the API knows it; those of deal products lie below their deals."""

DEAL_PRODUCTS = "deal_products"
WON_OR_LOST = ("won", "lost")

CODE = re.compile(r"[0-9a-f]{40}")
"""The code of a custom field."""

_WHOLE = re.compile(r"-?\d{1,18}")
_UNTIL = ("daterange", "timerange")


def base_of(native: str) -> str:
    """Return the name by which the API knows an object type."""
    return native.partition(":")[0]


def number(text: Any) -> Any:
    """Return the number that an id's text stands for; other texts (ids of leads) as they are."""
    return int(text) if isinstance(text, str) and _WHOLE.fullmatch(text) else text


# -- out -----------------------------------------------------------------------------------------
def body_of(object_type: ObjectType, values: Mapping[str, Any], *, key_code: str, currency: str) -> Json:
    """Return the body that creates a record of these values, in native names.

    ``key_code`` is the code of the field for our key, ``currency`` the default one of the user.
    """
    base = base_of(object_type.name)
    plain: Json = {}
    custom: Json = {}
    for name, value in values.items():
        field = object_type.fields.get(name)
        code, _, _part = name.partition("_") if CODE.match(name) else (name, "", "")
        if name == KEY:
            custom[key_code] = value
        elif (field is not None and field.custom) or CODE.fullmatch(code):
            custom[name] = value
        else:
            plain[name] = _shaped(field, value)
    body = _SHAPES.get(base, _as_it_is)(plain, currency)
    if base == "leads":
        return body | _flat(object_type, custom)
    if custom:
        body["custom_fields"] = _custom(object_type, custom, currency)
    return body


def _shaped(field: Field | None, value: Any) -> Any:
    """Return the value of a built-in field: ids are numbers."""
    native = field.native.get("field_type", "") if field is not None else ""
    if native in ("enum", "visible_to", "pipeline", "stage"):
        return number(value)
    if native == "set":
        return [number(each) for each in value]
    if native == "flag":
        return int(value)
    return value


def _custom(object_type: ObjectType, values: Mapping[str, Any], currency: str) -> Json:
    shaped: Json = {}
    for name, value in values.items():
        code, second, part = name.partition("_") if CODE.match(name) else (name, "", "")
        if second:
            if code in values:
                continue
            # An end without a beginning, a currency without a value: the API says what it lacks.
            shaped[code] = {part: value}
            continue
        field = object_type.fields.get(name)
        kind = field.native.get("field_type", "") if field is not None else ""
        if kind == "monetary":
            shaped[name] = {"value": value, "currency": values.get(f"{name}_currency", currency)}
        elif kind in _UNTIL:
            shaped[name] = {"value": value, "until": values.get(f"{name}_until", value)}
        elif kind in ("time", "address"):
            shaped[name] = {"value": value}
        elif kind == "enum":
            shaped[name] = number(value)
        elif kind == "set":
            shaped[name] = [number(each) for each in value]
        else:
            shaped[name] = value
    return shaped


def _flat(object_type: ObjectType, values: Mapping[str, Any]) -> Json:
    """Return the values of custom fields in v1, where they stand beside all others, a range's end too."""
    flat: Json = {}
    for name, value in values.items():
        flat[name] = ",".join(value) if isinstance(value, list) else value
        field = object_type.fields.get(name)
        if field is not None and field.native.get("field_type") in _UNTIL:
            flat.setdefault(f"{name}_until", values.get(f"{name}_until", value))
    return flat


def _as_it_is(values: Json, currency: str) -> Json:
    return values


def _organization(values: Json, currency: str) -> Json:
    parts = {name.partition(".")[2]: values.pop(name) for name in list(values) if name.startswith("address.")}
    if "address" in values or parts:
        values["address"] = {"value": values.get("address", ", ".join(map(str, parts.values()))), **parts}
    return values


def _person(values: Json, currency: str) -> Json:
    first, last = values.get("first_name"), values.get("last_name")
    if not (first and last) and (first or last):
        # Pipedrive takes both, or a name.
        values.pop("first_name", None)
        values.pop("last_name", None)
        values.setdefault("name", first or last)
    if first and last:
        values.pop("name", None)
    email, phone, mobile = (values.pop(name, None) for name in ("emails", "phones", "phones.mobile"))
    if email:
        values["emails"] = [{"value": email, "primary": True, "label": "work"}]
    phones = [("work", phone), ("mobile", mobile)]
    given = [(label, value) for label, value in phones if value]
    if given:
        values["phones"] = [
            {"value": value, "primary": place == 0, "label": label}
            for place, (label, value) in enumerate(given)
        ]
    if "org_id" in values:
        values["org_id"] = number(values["org_id"])
    return values


def _deal(values: Json, currency: str) -> Json:
    stage = values.pop("stage", None)
    if stage in WON_OR_LOST:
        values["status"] = stage
    elif stage is not None:
        # The stage says which pipeline it is in.
        values.pop("pipeline_id", None)
        values["stage_id"] = number(stage)
    return values


def _lead(values: Json, currency: str) -> Json:
    given = values.pop("currency", currency)
    if "value" in values:
        values["value"] = {"amount": values["value"], "currency": given}
    if "visible_to" in values:
        values["visible_to"] = str(values["visible_to"])
    return values


def _product(values: Json, currency: str) -> Json:
    price = {name.partition(".")[2]: values.pop(name) for name in list(values) if name.startswith("prices.")}
    if price:
        values["prices"] = [{"price": 0, "currency": currency} | price]
    return values


def _note(values: Json, currency: str) -> Json:
    if "add_time" in values:
        values["add_time"] = str(values["add_time"]).replace("T", " ").rstrip("Z")
    return values


def _activity(values: Json, currency: str) -> Json:
    person = values.pop("person_id", None)
    if person is not None:
        # The field itself is read-only: it is the first participant's.
        values["participants"] = [{"person_id": number(person), "primary": True}]
    if "location" in values:
        values["location"] = {"value": values["location"]}
    return values


def _deal_product(values: Json, currency: str) -> Json:
    values.pop("deal_id", None)
    if "discount" in values:
        values.setdefault("discount_type", "amount")
    return values


_SHAPES: Mapping[str, Callable[[Json, str], Json]] = {
    "organizations": _organization,
    "persons": _person,
    "deals": _deal,
    "leads": _lead,
    "products": _product,
    "notes": _note,
    "activities": _activity,
    DEAL_PRODUCTS: _deal_product,
}


# -- in ------------------------------------------------------------------------------------------
def native_of(native: str, row: Mapping[str, Any], *, key_code: str) -> Json:
    """Return a record's values by the names of the schema, from what the API answered."""
    base = base_of(native)
    values = dict(row)
    for code, value in (values.pop("custom_fields", None) or {}).items():
        values |= _unfolded(code, value)
    if key_code in values:
        values[KEY] = values.pop(key_code)
    for name in ("address", "location"):
        if isinstance(values.get(name), Mapping):
            parts = values[name]
            values |= {f"{name}.{part}": value for part, value in parts.items() if part != "value"}
            values[name] = parts.get("value")
    if base == "persons":
        phones = values.get("phones") or ()
        values["phones.mobile"] = next(
            (each.get("value") for each in phones if each.get("label") == "mobile"), None
        )
        values["emails"] = _main(values.get("emails") or ())
        values["phones"] = _main([each for each in phones if each.get("label") != "mobile"])
    elif base == "products":
        price: Json = next(iter(values.pop("prices", None) or ()), {})
        values |= {f"prices.{name}": value for name, value in price.items()}
    elif base == "leads" and isinstance(values.get("value"), Mapping):
        values["currency"], values["value"] = values["value"].get("currency"), values["value"].get("amount")
    elif base == "deals":
        status = values.get("status")
        stage = values.get("stage_id")
        values["stage"] = status if status in WON_OR_LOST else None if stage is None else str(stage)
    elif base == DEAL_PRODUCTS:
        values["id"] = id_of(native, row)
    return values


def _main(entries: Any) -> Any:
    """Return the value of the primary entry."""
    return next(
        (each.get("value") for each in sorted(entries, key=lambda each: not each.get("primary"))), None
    )


def _unfolded(code: str, value: Any) -> Json:
    if not isinstance(value, Mapping):
        return {code: value}
    held = {code: value.get("value")}
    return held | {f"{code}_{part}": value[part] for part in ("currency", "until") if part in value}


def id_of(native: str, row: Mapping[str, Any]) -> str:
    """Return the id of a record; a deal product's holds its deal's."""
    if base_of(native) == DEAL_PRODUCTS:
        return f"{row['deal_id']}/{row['id']}"
    return str(row["id"])
