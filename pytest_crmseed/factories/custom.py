"""Factories made from a portal's schema alone, for object types that have none of their own."""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

import re
import types
from collections.abc import Callable, Collection, Iterator
from typing import Any

from factory.enums import SPLITTER

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories.base import CRMFactory
from pytest_crmseed.factories.computed import Derived
from pytest_crmseed.factories.fill import fill
from pytest_crmseed.factories.streams import Generation
from pytest_crmseed.schema.model import Field, Kind, ObjectType


def factory_for(
    object_type: ObjectType,
    *,
    name: str = "",
    leave: Collection[str] = (),
    admin_rules: bool = False,
) -> type[CRMFactory]:
    """Return a factory of an object type that is known by its schema alone.

    It fills what is required on create, and of the other fields those that the portal's people
    defined and that can be filled; fields named in ``leave`` it does not. ``name`` is the object
    type's name, if it goes by another than the native one. ``admin_rules`` says that what
    administrators made required is.
    """
    wanted = [
        *required_fields(object_type, leave=leave, admin_rules=admin_rules),
        *_first_of_groups(object_type, leave),
    ]
    optional = [
        field
        for field in object_type.fields.values()
        if field.custom and field.name not in {*leave, *wanted} and _may_be_filled(field)
    ]
    return filling(object_type, wanted, name=name, optional=[field.name for field in optional])


def required_fields(
    object_type: ObjectType, *, leave: Collection[str] = (), admin_rules: bool = False
) -> list[str]:
    """Return the native fields that need a value on create, each by itself."""
    return [
        field.name
        for field in object_type.fields.values()
        if (field.required or (admin_rules and field.admin_required))
        and field.name not in leave
        and is_writable(field)
    ]


def _first_of_groups(object_type: ObjectType, leave: Collection[str]) -> Iterator[str]:
    for group in object_type.required_any:
        chosen = fillable_of(object_type, group)
        if chosen is not None and not set(group) & set(leave) and not object_type.fields[chosen].required:
            yield chosen


def fillable_of(object_type: ObjectType, group: Collection[str]) -> str | None:
    """Return the first field of a group that a value can be made up for, or None."""
    known = [object_type.fields[name] for name in group if name in object_type.fields]
    return next((field.name for field in known if is_writable(field) and _fills(field, object_type)), None)


def is_writable(field: Field) -> bool:
    """Say whether values of ours can be given for a field."""
    return not (field.read_only or field.calculated or field.archived)


def _may_be_filled(field: Field) -> bool:
    """Say whether a field that nobody requires gets a value: not what names people or records."""
    return (
        is_writable(field)
        and not field.hidden
        and field.external is None
        and not field.references
        and field.kind not in (Kind.REFERENCE, Kind.OTHER)
    )


def _fills(field: Field, object_type: ObjectType) -> bool:
    try:
        fill(field, object_type)
    except UsageError:
        return False
    return True


def filling(
    object_type: ObjectType, wanted: Collection[str], *, name: str = "", optional: Collection[str] = ()
) -> type[CRMFactory]:
    """Return a factory with values for the fields ``wanted``, and those of ``optional`` that have some.

    A field of ``wanted`` that no value can be made up for is refused when a record is made.
    """
    fields = object_type.fields
    pipeline = next((each for each in wanted if fields[each].external == "pipelines"), "")
    declared: dict[str, Any] = {}
    native: dict[str, Any] = {}
    for field_name in dict.fromkeys((*wanted, *optional)):
        if field_name in optional and not _fills(fields[field_name], object_type):
            continue
        own = can_be_declared(field_name)
        # What stands under ``native`` cannot be asked for by others.
        asked = pipeline if own and can_be_declared(pipeline) else ""
        (declared if own else native)[field_name] = _declaration(fields[field_name], object_type, asked)
    body: dict[str, Any] = {
        "__module__": __name__,
        "Meta": type("Meta", (), {"object_type": name or object_type.name}),
        **declared,
    }
    if native:
        body["native"] = native
    return types.new_class(_class_name(object_type), (CRMFactory,), exec_body=lambda into: into.update(body))


def can_be_declared(field_name: str) -> bool:
    """Say whether a field can be an attribute of a factory; others go under ``native``."""
    return (
        field_name.isidentifier()
        and SPLITTER not in field_name
        and not field_name.startswith("_")
        and field_name not in ("Meta", "Params", "native")
        and not hasattr(CRMFactory, field_name)
    )


def _declaration(field: Field, object_type: ObjectType, pipeline_field: str) -> Any:
    try:
        return fill(field, object_type, pipeline_field=pipeline_field)
    except UsageError as refused:
        return Derived(_refusal(refused))


def _refusal(refused: UsageError) -> Callable[[Generation], Callable[..., Any]]:
    def prepare(about: Generation) -> Callable[..., Any]:
        raise UsageError(refused.message, remedy=refused.remedy)

    return prepare


def _class_name(object_type: ObjectType) -> str:
    words = re.findall("[A-Za-z0-9]+", object_type.singular or object_type.label or object_type.name)
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return f"{name}Factory" if name and not name[0].isdigit() else "CustomFactory"
