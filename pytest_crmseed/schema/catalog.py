"""Where schemas come from: the snapshot bundled with a provider, and the file format they share.

The format is JSON that mirrors :mod:`pytest_crmseed.schema.model`, with everything left out that
has its default value::

    {"format": 1, "provider": "hubspot", "taken_at": "2026-08-21", "object_types": {
       "deals": {"label": "Deal", "plural": "Deals", "singular": "deal", "type_id": "0-3",
         "required_any": [["dealname"]],
         "fields": {"dealname": {"label": "Deal Name", "kind": "string",
                                 "native": {"type": "string", "fieldType": "text"}}, ...},
         "pipelines": [{"id": "default", "label": "Sales Pipeline", "stages": [
              {"id": "closedwon", "label": "Closed Won", "order": 5, "closed": true, "probability": 1.0}]}],
         "associations": [{"to": "companies", "type_id": 341, "category": "HUBSPOT_DEFINED",
                           "inverse": 342}]}}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import metadata, resources, util
from importlib.resources.abc import Traversable
from typing import Any

from pytest_crmseed.errors import UsageError
from pytest_crmseed.schema.model import (
    Association,
    Field,
    Group,
    Kind,
    ObjectType,
    Option,
    Pipeline,
    Schema,
    Stage,
)

FORMAT = 1


GROUP = "pytest_crmseed.providers"
"""The entry-point group in which installed distributions name their providers."""


@cache
def bundled(provider: str) -> Schema:
    """Return the snapshot bundled with a provider: ``schema.json`` in the package that its class is in.

    A provider of another distribution may come without one: then the schema has no object types, and
    nothing can be checked before the portal's own was read.

    Raises:
        UsageError: no provider of this name is installed.
    """
    source = resources.files("pytest_crmseed.providers").joinpath(provider, "schema.json")
    if not source.is_file():
        # Last, because it reads the metadata of every installed distribution.
        source = _package_of(provider).joinpath("schema.json")
    if not source.is_file():
        return Schema(provider, {})
    return parse(json.loads(source.read_text("utf-8")), source="bundled")


def _package_of(provider: str) -> Traversable:
    for entry in metadata.entry_points(group=GROUP):
        if entry.name == provider:
            spec = util.find_spec(entry.module)
            # A module of its own has no package for files; its folder belongs to all distributions.
            package = (
                entry.module if spec and spec.submodule_search_locations else entry.module.rpartition(".")[0]
            )
            if package:
                return resources.files(package)
            return resources.files("pytest_crmseed.providers").joinpath(provider)
    raise UsageError(f"provider {provider!r} has no bundled schema.")


def parse(document: Mapping[str, Any], *, source: str) -> Schema:
    """Return the schema that a document of the shared format holds.

    Raises:
        UsageError: the document is not of this format.
    """
    try:
        if document["format"] != FORMAT:
            raise UsageError(_of_another_format(document["format"]))
        object_types = {name: _object_type(name, entry) for name, entry in document["object_types"].items()}
        return Schema(
            provider=document["provider"],
            object_types=object_types,
            source=source,
            taken_at=document.get("taken_at", ""),
            portal_id=document.get("portal_id", ""),
            complete=document.get("complete", False),
            gaps=tuple(document.get("gaps", ())),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"this is not a schema document: {type(error).__name__}: {error}.") from error


def _of_another_format(found: object) -> str:
    if isinstance(found, int) and found > FORMAT:
        return (
            f"this schema is of format {found}, and this version of pytest-crmseed reads {FORMAT}: a newer "
            "one wrote it."
        )
    return f"this schema is of format {found!r}, and this version of pytest-crmseed reads {FORMAT}."


def _object_type(name: str, entry: Mapping[str, Any]) -> ObjectType:
    return ObjectType(
        name=name,
        label=entry["label"],
        plural=entry.get("plural", entry["label"]),
        singular=entry.get("singular", ""),
        type_id=entry.get("type_id", ""),
        groups=tuple(Group(**group) for group in entry.get("groups", ())),
        fields={field: _field(field, value) for field, value in entry["fields"].items()},
        pipelines=tuple(_pipeline(pipeline) for pipeline in entry.get("pipelines", ())),
        associations=tuple(Association(**association) for association in entry.get("associations", ())),
        required_any=tuple(tuple(group) for group in entry.get("required_any", ())),
        custom=entry.get("custom", False),
        display_field=entry.get("display_field", ""),
        searchable=tuple(entry.get("searchable", ())),
    )


def _field(name: str, entry: Mapping[str, Any]) -> Field:
    values = dict(entry)
    values["kind"] = Kind(values["kind"])
    values["options"] = tuple(_option(option) for option in values.get("options", ()))
    values["references"] = tuple(values.get("references", ()))
    return Field(name=name, **values)


def _option(entry: Mapping[str, Any]) -> Option:
    return Option(**{**entry, "valid_for": tuple(entry.get("valid_for", ()))})


def _pipeline(entry: Mapping[str, Any]) -> Pipeline:
    stages = sorted((Stage(**stage) for stage in entry["stages"]), key=lambda stage: stage.order)
    return Pipeline(id=entry["id"], label=entry["label"], stages=tuple(stages))
