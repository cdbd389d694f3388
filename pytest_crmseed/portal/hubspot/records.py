"""The rules of writing a record: values, required properties, unique values, associations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pytest_crmseed.portal.hubspot import (
    admin_rules,
    errors,
    lifecycle,
    links,
    property_validations,
    uniqueness,
)
from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.portal.hubspot.bodies import cannot_deserialize
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.errors import Problem
from pytest_crmseed.portal.hubspot.object_types import noun, pipeline, pipeline_properties
from pytest_crmseed.portal.hubspot.values import Unacceptable, accept, text_of
from pytest_crmseed.portal.store import PastValue, StoredRecord
from pytest_crmseed.schema.model import Association, ObjectType


@dataclass(frozen=True, slots=True)
class Written:
    """A record that was written, the properties that the request named, what was normalised, linked."""

    record: StoredRecord
    names: Collection[str]
    warnings: tuple[Mapping[str, Any], ...] = ()
    linked: tuple[tuple[Association, int], ...] = ()
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
    origin: str = "",
    since_2026_09: bool = False,
    siblings: Collection[int] = (),
) -> Written:
    """Create a record with its associations.

    ``origin`` says who made it, ``siblings`` are records of the same request: their unique values
    count as taken in a race.

    Raises:
        ApiError: HubSpot would refuse the record. Nothing has been stored then.
    """
    given = dict(properties)
    _default_pipeline(account, object_type, given)
    values = _checked(account, object_type, given, {}, since_2026_09=since_2026_09)
    held = {name: text for name, text in values.texts.items() if text}
    if since_2026_09:
        admin_rules.check(account, object_type, held, {})
    missing = [name for group in object_type.required_any if not held.keys() & set(group) for name in group]
    if missing:
        raise errors.missing_required(noun(object_type), missing)
    id = account.new_id(object_type)
    uniqueness.check(account, object_type, held, held, id, siblings=siblings)
    wanted = links.parse_inline(account, object_type, associations)
    now = account.now()
    record = StoredRecord(id, held, created=now, updated=now, origin=origin)
    account.trail(object_type, [id])
    account.store.save(PROVIDER, object_type.name, record)
    uniqueness.hold(account, object_type, held, held, id, new=True)
    for association, to_id in wanted:
        links.add(account, object_type, id, association, to_id)
    return Written(record, values.texts.keys(), values.warnings, tuple(wanted), new=True)


def update(
    account: Account,
    object_type: ObjectType,
    record: StoredRecord,
    properties: Mapping[str, Any],
    *,
    origin: str = "",
    since_2026_09: bool = False,
) -> Written:
    """Change properties of a live record; an empty text clears one.

    Raises:
        ApiError: HubSpot would refuse the values. Nothing has been stored then.
    """
    if not properties:
        raise errors.invalid("No properties found to update, please provide at least one.")
    values = _checked(account, object_type, properties, record.properties, since_2026_09=since_2026_09)
    if since_2026_09:
        admin_rules.check(account, object_type, {**record.properties, **values.texts}, record.properties)
    before, stage = record.properties.get(lifecycle.PROPERTY, ""), values.texts.get(lifecycle.PROPERTY)
    forward_only = account.behaviour.lifecycle_moves_forward_only
    if stage and forward_only and lifecycle.is_step_back(account, object_type, before, stage):
        values.texts[lifecycle.PROPERTY] = before
    changed = overwrite(account, object_type, record, values.texts, origin=origin)
    return Written(changed, values.texts.keys(), values.warnings)


def overwrite(
    account: Account,
    object_type: ObjectType,
    record: StoredRecord,
    texts: Mapping[str, str],
    *,
    origin: str,
) -> StoredRecord:
    """Put texts that are known to be valid on a record, and return it as it is then.

    Raises:
        ApiError: a unique value is taken. Nothing has been stored then.
    """
    held = {name: text for name, text in {**record.properties, **texts}.items() if text}
    uniqueness.check(account, object_type, held, texts, record.id)
    now = max(account.now(), record.updated)
    changed = replace(record, properties=held, updated=now)
    _remember(account, object_type, record, texts, now, origin)
    account.trail(object_type, [record.id])
    account.store.save(PROVIDER, object_type.name, changed)
    uniqueness.hold(account, object_type, held, texts, record.id)
    return changed


def archive(account: Account, object_type: ObjectType, ids: Iterable[int]) -> None:
    """Archive live records; others are passed over."""
    ids = list(ids)
    unique = account.definitions.unique(object_type.name)
    # An address is free again (HubSpot docs, "Contact and form limits"); of other values that is unsure.
    holding = (
        [name for name in unique if name != "email"] if account.behaviour.archived_values_stay_unique else []
    )
    account.trail(object_type, ids)
    account.store.archive(PROVIDER, object_type.name, ids, account.now(), holding=holding)


def _remember(
    account: Account,
    object_type: ObjectType,
    record: StoredRecord,
    texts: Mapping[str, str],
    now: float,
    origin: str,
) -> None:
    past = account.store.history(PROVIDER, object_type.name, record.id)
    for name, text in texts.items():
        before = record.properties.get(name, "")
        if text == before:
            continue
        values = [PastValue(now, text, origin)]
        if before and name not in past:
            values.insert(0, PastValue(record.created, before, record.origin))
        account.store.remember(PROVIDER, object_type.name, record.id, name, values)


def _checked(
    account: Account,
    object_type: ObjectType,
    properties: Mapping[str, Any],
    current: Mapping[str, str],
    *,
    since_2026_09: bool,
) -> _Values:
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    warnings: list[Mapping[str, Any]] = []
    external = account.external_options(object_type)
    obeyed = since_2026_09 or not account.behaviour.old_versions_pass_over_rules
    rules = account.validations.all(object_type.name) if obeyed else {}
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
                normalise_dates=since_2026_09,
            )
        except Unacceptable as error:
            problems.append(Problem(name, error.code, error.message, text))
            continue
        broken = account.validations.problem(object_type.name, name, accepted.text) if name in rules else None
        if broken is not None:
            problems.append(Problem(name, property_validations.CODE, broken, text))
            continue
        texts[name] = accepted.text
        if accepted.normalised is not None:
            warnings.append(_normalised(name, text, accepted.normalised))
    problems.extend(_stage_problems(account, object_type, texts, current))
    if problems:
        raise errors.invalid_properties(problems, account.behaviour.portal_id)
    return _Values(texts, tuple(warnings))


def _stage_problems(
    account: Account, object_type: ObjectType, texts: Mapping[str, str], current: Mapping[str, str]
) -> list[Problem]:
    names = pipeline_properties(object_type)
    if names is None or not texts.keys() & set(names):
        return []
    of_pipeline, of_stage = names
    before = current.get(of_stage, "")
    stage = texts.get(of_stage, before)
    found = pipeline(object_type, texts.get(of_pipeline) or current.get(of_pipeline, ""))
    allowed = [
        each.id for candidate in ([found] if found else object_type.pipelines) for each in candidate.stages
    ]
    closed = set(account.behaviour.read_only_stages).intersection((stage, before))
    if closed and stage != before:
        # [unsure] of code and text: the stages exist, what the API answers was not found.
        message = f"Stage {min(closed)} is read only; records cannot be moved into it or out of it."
        return [Problem(of_stage, "READ_ONLY_VALUE", message, stage)]
    if not stage or stage in allowed:
        return []
    # [unsure] of the text: a stage that does not exist is an option that does not.
    message = f"{stage} was not one of the allowed options: [{', '.join(allowed)}]"
    return [Problem(of_stage, "INVALID_OPTION", message, stage)]


def _default_pipeline(account: Account, object_type: ObjectType, properties: dict[str, Any]) -> None:
    names = pipeline_properties(object_type)
    if names is not None and account.behaviour.default_pipeline_when_missing and not properties.get(names[0]):
        properties[names[0]] = object_type.pipelines[0].id


def _normalised(name: str, raw: str, value: str) -> Mapping[str, Any]:
    return {
        "category": "PROPERTY_VALUE_NORMALIZED",
        "message": f"{name} was normalized",
        "context": {"propertyName": name, "rawValue": raw, "normalizedValue": value},
    }
