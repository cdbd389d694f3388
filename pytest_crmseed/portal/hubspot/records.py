"""The rules of writing a record: values, required properties, unique values, associations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pytest_crmseed.portal.hubspot import errors, links
from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.portal.hubspot.bodies import cannot_deserialize
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.errors import Problem
from pytest_crmseed.portal.hubspot.object_types import noun, pipeline, pipeline_properties
from pytest_crmseed.portal.hubspot.values import Unacceptable, accept, text_of
from pytest_crmseed.portal.store import StoredRecord
from pytest_crmseed.schema.model import ObjectType


@dataclass(frozen=True, slots=True)
class Written:
    """A record that was written, the properties that the request named, what was normalised."""

    record: StoredRecord
    names: Collection[str]
    warnings: tuple[Mapping[str, Any], ...] = ()
    new: bool = False


@dataclass(frozen=True, slots=True)
class _Values:
    texts: dict[str, str]
    warnings: tuple[Mapping[str, Any], ...]


def create(
    account: Account,
    object_type: ObjectType,
    properties: Mapping[str, Any],
    associations: Any = None,
    *,
    normalise_dates: bool = False,
    siblings: Collection[int] = (),
) -> Written:
    """Create a record with its associations.

    ``siblings`` are records of the same request: their unique values count as taken in a race.

    Raises:
        ApiError: HubSpot would refuse the record. Nothing has been stored then.
    """
    given = dict(properties)
    _default_pipeline(account, object_type, given)
    values = _checked(account, object_type, given, {}, normalise_dates=normalise_dates)
    held = {name: text for name, text in values.texts.items() if text}
    missing = [name for group in object_type.required_any if not held.keys() & set(group) for name in group]
    if missing:
        raise errors.missing_required(noun(object_type), missing)
    id = account.new_id(object_type)
    _check_unique(account, object_type, held, id, siblings=siblings)
    wanted = links.parse_inline(account, object_type, associations)
    now = account.now()
    record = StoredRecord(id, held, created=now, updated=now)
    account.store.save(PROVIDER, object_type.name, record)
    _hold_unique(account, object_type, held, id, new=True)
    for association, to_id in wanted:
        links.add(account, object_type, id, association, to_id)
    return Written(record, values.texts.keys(), values.warnings, new=True)


def update(
    account: Account,
    object_type: ObjectType,
    record: StoredRecord,
    properties: Mapping[str, Any],
    *,
    normalise_dates: bool = False,
) -> Written:
    """Change properties of a live record; an empty text clears one.

    Raises:
        ApiError: HubSpot would refuse the values. Nothing has been stored then.
    """
    if not properties:
        raise errors.invalid("No properties found to update, please provide at least one.")
    values = _checked(account, object_type, properties, record.properties, normalise_dates=normalise_dates)
    _check_unique(account, object_type, values.texts, record.id)
    held = {name: text for name, text in {**record.properties, **values.texts}.items() if text}
    changed = replace(record, properties=held, updated=max(account.now(), record.updated))
    account.store.save(PROVIDER, object_type.name, changed)
    _hold_unique(account, object_type, values.texts, record.id, new=False)
    return Written(changed, values.texts.keys(), values.warnings)


def identifier(account: Account, object_type: ObjectType, name: str) -> bool:
    """Return whether no two live records may have the same value of a property."""
    return name in account.definitions.unique(object_type.name)


def find(
    account: Account, object_type: ObjectType, id_property: str, value: str, *, reading: bool = False
) -> int | None:
    """Return the id of the live record that has a value of an identifying property.

    For reading, a company's ``domain`` identifies as well, though it is not unique: the oldest
    company of that domain is taken [unsure] (HubSpot docs, "Properties guide").

    Raises:
        ApiError: the property identifies no record.
    """
    if id_property == "hs_object_id":
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None
    if identifier(account, object_type, id_property):
        text = value.lower() if id_property == "email" else value
        return account.store.holder(PROVIDER, object_type.name, id_property, text)
    if reading and (object_type.name, id_property) == ("companies", "domain"):
        return account.store.first_with(PROVIDER, object_type.name, id_property, value)
    raise errors.non_unique(object_type.type_id, id_property)


def _checked(
    account: Account,
    object_type: ObjectType,
    properties: Mapping[str, Any],
    current: Mapping[str, str],
    *,
    normalise_dates: bool,
) -> _Values:
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    warnings: list[Mapping[str, Any]] = []
    external = account.external_options(object_type)
    for name, raw in properties.items():
        definition = account.definitions.live(object_type.name, name)
        if definition is None:
            problems.append(Problem(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
            continue
        text = text_of(raw)
        if text is None:
            raise cannot_deserialize(raw, "java.lang.String")
        if definition.read_only:
            message = f'"{name}" is a read only property; its value cannot be set.'
            problems.append(Problem(name, "READ_ONLY_VALUE", message, text))
            continue
        try:
            accepted = accept(
                definition,
                text,
                current=current.get(name, ""),
                external=external,
                normalise_dates=normalise_dates,
            )
        except Unacceptable as error:
            problems.append(Problem(name, error.code, error.message, text))
            continue
        texts[name] = accepted.text
        if accepted.normalised is not None:
            warnings.append(_normalised(name, text, accepted.normalised))
    problems.extend(_stage_problems(object_type, texts, current))
    if problems:
        raise errors.invalid_properties(problems, account.behaviour.portal_id)
    return _Values(texts, tuple(warnings))


def _stage_problems(
    object_type: ObjectType, texts: Mapping[str, str], current: Mapping[str, str]
) -> list[Problem]:
    names = pipeline_properties(object_type)
    if names is None or not texts.keys() & set(names):
        return []
    of_pipeline, of_stage = names
    stage = texts.get(of_stage, current.get(of_stage, ""))
    found = pipeline(object_type, texts.get(of_pipeline) or current.get(of_pipeline, ""))
    allowed = [
        each.id for candidate in ([found] if found else object_type.pipelines) for each in candidate.stages
    ]
    if not stage or stage in allowed:
        return []
    # [unsure] of the text: a stage that does not exist is an option that does not.
    message = f"{stage} was not one of the allowed options: [{', '.join(allowed)}]"
    return [Problem(of_stage, "INVALID_OPTION", message, stage)]


def _default_pipeline(account: Account, object_type: ObjectType, properties: dict[str, Any]) -> None:
    names = pipeline_properties(object_type)
    if names is not None and account.behaviour.default_pipeline_when_missing and not properties.get(names[0]):
        properties[names[0]] = object_type.pipelines[0].id


def _check_unique(
    account: Account,
    object_type: ObjectType,
    texts: Mapping[str, str],
    id: int,
    *,
    siblings: Collection[int] | None = None,
) -> None:
    for name in account.definitions.unique(object_type.name):
        text = texts.get(name)
        if not text:
            continue
        existing = account.store.holder(PROVIDER, object_type.name, name, text)
        if existing is None or existing == id:
            continue
        # The 409 is known for creates that find the address taken by an older contact only.
        creating = siblings is not None and existing not in siblings
        if creating and (object_type.name, name) == ("contacts", "email"):
            raise errors.contact_exists(existing)
        raise errors.unique_value_taken(
            portal_id=account.behaviour.portal_id,
            noun=noun(object_type),
            name=name,
            value=text,
            id=id,
            existing=existing,
        )


def _hold_unique(
    account: Account, object_type: ObjectType, texts: Mapping[str, str], id: int, *, new: bool
) -> None:
    for name in account.definitions.unique(object_type.name):
        if name in texts:
            account.store.hold(PROVIDER, object_type.name, name, texts[name] or None, id, new=new)


def _normalised(name: str, raw: str, value: str) -> Mapping[str, Any]:
    return {
        "category": "PROPERTY_VALUE_NORMALIZED",
        "message": f"{name} was normalized",
        "context": {"propertyName": name, "rawValue": raw, "normalizedValue": value},
    }
