"""Request bodies: JSON, and the shapes that HubSpot expects, with its refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

from pytest_crmseed.portal.hubspot import errors
from pytest_crmseed.portal.message import PortalRequest

BATCH_LIMIT = 100
"""Inputs of a batch of records, for every object and verb (HubSpot docs, "Using object APIs")."""


def parse(request: PortalRequest) -> Any:
    """Return a request's JSON body.

    Raises:
        ApiError: there is none (400), it is not said to be JSON (415), or it is none (400).
    """
    if not request.body:
        raise errors.no_body()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise errors.wrong_content_type()
    try:
        data = json.loads(request.body, parse_float=Decimal, parse_constant=_refuse_constant)
        # A lone surrogate, which only an escape can smuggle in, can be neither stored nor answered.
        return _without_surrogates(data) if b"\\ud" in request.body.lower() else data
    except json.JSONDecodeError as error:
        raise errors.bad_json(error.msg, error.lineno, error.colno) from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise errors.bad_json(f"{error}") from error


def parse_form(request: PortalRequest) -> dict[str, str]:
    """Return the fields of a request's form; of one that is given twice, the last.

    Raises:
        ApiError: the body is not said to be a form (415).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise errors.wrong_content_type()
    text = request.body.decode("utf-8", "replace")
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}


def as_object(data: Any, expected: str) -> dict[str, Any]:
    """Return a JSON object. ``expected`` is the type that the refusal names.

    Raises:
        ApiError: it is none.
    """
    if not isinstance(data, dict):
        raise cannot_deserialize(data, expected)
    return data


def as_list(data: Any, expected: str) -> list[Any]:
    """Return a JSON list.

    Raises:
        ApiError: it is none.
    """
    if not isinstance(data, list):
        raise cannot_deserialize(data, expected)
    return data


def as_text(data: Any) -> str:
    """Return a text; a whole number, as which ids may be sent, is as good.

    Raises:
        ApiError: it is something else.
    """
    if isinstance(data, str):
        return data
    if isinstance(data, int) and not isinstance(data, bool):
        return str(data)
    raise cannot_deserialize(data, "java.lang.String")


def required(data: Mapping[str, Any], *names: str) -> None:
    """Check that keys are set.

    Raises:
        ApiError: some are not; it names them.
    """
    missing = [name for name in names if data.get(name) is None]
    if missing:
        raise errors.fields_not_set(missing)


def inputs(data: Any, *, limit: int = BATCH_LIMIT) -> list[dict[str, Any]]:
    """Return the inputs of a batch.

    Raises:
        ApiError: there are none, too many, or they are no objects.
    """
    body = as_object(data, "BatchInput")
    required(body, "inputs")
    found = [as_object(item, "BatchInputItem") for item in as_list(body["inputs"], "java.util.ArrayList")]
    if not found:
        raise errors.empty_batch()
    if len(found) > limit:
        raise errors.batch_too_large(limit)
    return found


def properties(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a record, by property name.

    Raises:
        ApiError: they are missing or no object.
    """
    required(data, "properties")
    return as_object(data["properties"], "java.util.LinkedHashMap")


def object_id(data: Any) -> str:
    """Return the id in ``{"id": ...}``.

    Raises:
        ApiError: the shape is another one.
    """
    given = as_object(data, "PublicObjectId")
    required(given, "id")
    return as_text(given["id"])


def names(data: Mapping[str, Any], key: str) -> list[str]:
    """Return a list of texts that may be missing.

    Raises:
        ApiError: it is something else.
    """
    value = data.get(key)
    return [] if value is None else [as_text(name) for name in as_list(value, "java.util.ArrayList")]


def trace_ids(batch: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """Return the inputs' ``objectWriteTraceId`` when every one has its own, else None.

    With them a batch may succeed in part; without them it is all or nothing (HubSpot docs, "Error
    handling").
    """
    found = [item.get("objectWriteTraceId") for item in batch]
    texts = [as_text(trace_id) for trace_id in found if trace_id is not None]
    return texts if len(texts) == len(batch) == len(set(texts)) else None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"Non-standard token '{name}'")


def _without_surrogates(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode("utf-8", "replace").decode()
    if isinstance(data, list):
        return [_without_surrogates(item) for item in data]
    if isinstance(data, dict):
        return {_without_surrogates(key): _without_surrogates(value) for key, value in data.items()}
    return data


_TOKENS = {
    dict: ("Object value", "START_OBJECT"),
    list: ("Array value", "START_ARRAY"),
    str: ("String value", "VALUE_STRING"),
    bool: ("Boolean value", "VALUE_TRUE"),
    int: ("Integer value", "VALUE_NUMBER_INT"),
    Decimal: ("Floating-point value", "VALUE_NUMBER_FLOAT"),
    type(None): ("Null value", "VALUE_NULL"),
}


def cannot_deserialize(data: Any, expected: str) -> errors.ApiError:
    """Return the refusal of JSON data of another type than ``expected``."""
    what, token = _TOKENS[type(data)]
    if data is False:
        token = "VALUE_FALSE"
    detail = f"Cannot deserialize value of type `{expected}` from {what} (token `JsonToken.{token}`)"
    return errors.bad_json(detail)
