"""Schemas as files: write one down, read it back, and say what differs between two."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_crmseed.errors import UsageError
from pytest_crmseed.schema.catalog import FORMAT, parse
from pytest_crmseed.schema.model import ObjectType, Schema

# What a file never holds: where the schema came from is the reader's business.
_NOT_WRITTEN = {"source"}


def document(schema: Schema) -> dict[str, Any]:
    """Return a schema in the shared format; ``catalog.parse`` of it gives the schema again."""
    return {"format": FORMAT, **_lean(schema)}


def write(schema: Schema, path: Path) -> None:
    """Write a schema to a file, which appears whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    text = json.dumps(document(schema), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    # Of this process's own: two that write the same file must not write into one another.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, "utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise UsageError(
            f"the schema cannot be written to {path}: {error.strerror or error}.",
            remedy="Name a file in a folder that can be written to.",
        ) from error


def read(path: Path, *, provider: str | None = None, source: str = "file") -> Schema:
    """Return the schema in a file; with ``provider``, of no other one.

    Raises:
        UsageError: the file cannot be read, is no schema, or is another provider's.
    """
    remedy = "Pull one with `crmseed schema pull`."
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            f"the schema file {path} cannot be read: {error.strerror or error}.", remedy=remedy
        ) from error
    except ValueError as error:
        raise UsageError(f"{path} is no schema file: {error}.", remedy=remedy) from error
    if not isinstance(data, Mapping):
        raise UsageError(f"{path} is no schema file: it holds no object.", remedy=remedy)
    try:
        schema = parse(data, source=source)
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", remedy=remedy) from error
    if provider is not None and schema.provider != provider:
        raise UsageError(
            f"{path} is a schema of {schema.provider}, and {provider} is to be seeded.", remedy=remedy
        )
    return schema


def differences(old: Schema, new: Schema) -> Iterator[str]:
    """Yield a line for each thing that differs, by object type and field."""
    for name in sorted({*old.object_types, *new.object_types}):
        before, after = old.object_types.get(name), new.object_types.get(name)
        if before is None or after is None:
            yield f"{'+' if before is None else '-'} {name}"
            continue
        yield from _in_object_type(name, before, after)


def _in_object_type(name: str, before: ObjectType, after: ObjectType) -> Iterator[str]:
    for field in sorted({*before.fields, *after.fields}):
        old, new = before.fields.get(field), after.fields.get(field)
        if old is None or new is None:
            yield f"{'+' if old is None else '-'} {name}.{field}"
            continue
        for attribute in dataclasses.fields(old):
            was, is_now = getattr(old, attribute.name), getattr(new, attribute.name)
            if attribute.name == "options":
                yield from _in_options(f"{name}.{field}", was, is_now)
            elif was != is_now:
                yield f"~ {name}.{field}: {attribute.name} {was!r} → {is_now!r}"
    for attribute_name in ("label", "plural", "display_field", "searchable"):
        was, is_now = getattr(before, attribute_name), getattr(after, attribute_name)
        if was != is_now:
            yield f"~ {name}: {attribute_name} {was!r} → {is_now!r}"
    for attribute_name in ("groups", "pipelines", "associations", "required_any"):
        for sign, only in (("-", (before, after)), ("+", (after, before))):
            there = getattr(only[1], attribute_name)
            for entry in getattr(only[0], attribute_name):
                if entry not in there:
                    yield f"{sign} {name} {attribute_name}: {_short(entry)}"


def _in_options(where: str, before: tuple[Any, ...], after: tuple[Any, ...]) -> Iterator[str]:
    old, new = {option.value: option for option in before}, {option.value: option for option in after}
    for value in old.keys() - new.keys():
        yield f"- {where} option {value!r}"
    for value in new.keys() - old.keys():
        yield f"+ {where} option {value!r}"
    for value in old.keys() & new.keys():
        if old[value] != new[value]:
            yield f"~ {where} option {value!r}: {old[value].label!r} → {new[value].label!r}"


def _short(entry: Any) -> str:
    label = getattr(entry, "label", None)
    to = getattr(entry, "to", None)
    if to is not None:
        return f"to {to}, type {entry.type_id}" + (f" ({label})" if label else "")
    return f"{getattr(entry, 'id', None) or entry.name} ({label})" if label else " or ".join(entry)


def _lean(value: Any) -> Any:
    """Return dataclasses as mappings without what has its default value, and without their own names."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        out = {}
        for attribute in dataclasses.fields(value):
            held = getattr(value, attribute.name)
            default = (
                attribute.default_factory()
                if attribute.default_factory is not dataclasses.MISSING
                else attribute.default
            )
            if attribute.name in _NOT_WRITTEN or held == default:
                continue
            out[attribute.name] = _lean(held)
        return out
    if isinstance(value, Mapping):
        return {name: _named(held) for name, held in value.items()}
    if isinstance(value, tuple):
        return [_lean(held) for held in value]
    return value


def _named(value: Any) -> Any:
    # The key says the name already.
    lean = _lean(value)
    if dataclasses.is_dataclass(value) and isinstance(lean, dict):
        lean.pop("name", None)
    return lean
