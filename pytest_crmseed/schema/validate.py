"""Records against a schema → problems, before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from pytest_crmseed.schema.model import Field, Kind, ObjectType, Schema
from pytest_crmseed.schema.outgoing import not_writable
from pytest_crmseed.schema.tables import Problem
from pytest_crmseed.suggest import did_you_mean, nearest

_NUMBERS = {Kind.INTEGER, Kind.DECIMAL, Kind.DURATION}


@dataclass(frozen=True, slots=True)
class _Rules:
    """What holds for a whole record of an object type."""

    required: tuple[str, ...]
    required_any: tuple[tuple[str, ...], ...]
    # The first field of a group whose values are unique together stands for all of it.
    pools: Mapping[str, str]


class Validator:
    """Check native records against a schema; remembers unique values over a whole plan.

    ``admin_rules`` says that this version of the API enforces what an administrator made required.
    ``unique_together`` holds, by native object type, groups of fields that share unique values.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        admin_rules: bool = False,
        unique_together: Mapping[str, Sequence[Sequence[str]]] | None = None,
    ) -> None:
        self._schema = schema
        self._admin_rules = admin_rules
        self._unique_together = unique_together or {}
        self._rules: dict[str, _Rules] = {}
        self._taken: dict[tuple[str, str, str], int] = {}

    def record(
        self,
        name: str,
        index: int,
        object_type: ObjectType,
        native: Mapping[str, Any],
        *,
        untranslated: Collection[str] = (),
        neutral: Mapping[str, str] | None = None,
    ) -> Iterable[Problem]:
        """Yield the problems of one record in native names and wire values.

        ``name`` is the object type's name in messages, ``neutral`` the neutral name of each native
        field that has one. A field that an incomplete schema does not have is not checkable, and no
        problem. Fields in ``untranslated`` were given values that could not be translated, which was
        said already; they do not count as missing.
        """
        spelled = neutral or {}
        rules = self._rules_of(object_type)
        for field_name, value in native.items():
            definition = object_type.fields.get(field_name)
            given = spelled.get(field_name, field_name)
            if definition is None:
                if self._schema.complete:
                    known = object_type.fields
                    reason = f"the portal has no such field{did_you_mean(field_name, known)}".rstrip(".")
                    near = nearest(field_name, known)
                    yield Problem(name, index, given, value, reason, field_name, tuple(known), near)
                continue
            for reason in _wrong(definition, value):
                yield Problem(name, index, given, value, reason, definition.name)
            if definition.controller:
                yield from _under_controller(name, index, given, definition, value, native)
            if (definition.unique or field_name in rules.pools) and value not in (None, ""):
                clash = self._clash(name, index, rules.pools, definition, value)
                if clash is not None:
                    reason = f"must be unique, and {name}[{clash}] has the same value"
                    yield Problem(name, index, given, value, reason, definition.name)
        yield from self._missing(name, index, rules, native, untranslated, spelled)

    def _missing(
        self,
        name: str,
        index: int,
        rules: _Rules,
        native: Mapping[str, Any],
        untranslated: Collection[str],
        spelled: Mapping[str, str],
    ) -> Iterator[Problem]:
        def absent(field_name: str) -> bool:
            return native.get(field_name) in (None, "") and field_name not in untranslated

        for group in rules.required_any:
            if all(absent(each) for each in group):
                wanted = tuple(spelled.get(each, each) for each in group)
                reason = f"a value for {' or '.join(wanted)} is required on create"
                yield Problem(name, index, wanted[0], None, reason, group[0])
        for field_name in rules.required:
            if absent(field_name):
                given = spelled.get(field_name, field_name)
                yield Problem(name, index, given, None, "is required on create", field_name)

    def _rules_of(self, object_type: ObjectType) -> _Rules:
        if object_type.name not in self._rules:
            alone = {group[0] for group in object_type.required_any if len(group) == 1}
            required = tuple(
                field.name
                for field in object_type.fields.values()
                if (field.required or (self._admin_rules and field.admin_required))
                and not (field.name in alone or field.archived or not_writable(field))
            )
            pools = {
                member: group[0]
                for group in self._unique_together.get(object_type.name, ())
                for member in group
            }
            self._rules[object_type.name] = _Rules(required, object_type.required_any, pools)
        return self._rules[object_type.name]

    def _clash(
        self, name: str, index: int, pools: Mapping[str, str], definition: Field, value: Any
    ) -> int | None:
        """Take a unique value for a record; return the record that has it already, or None."""
        pool = pools.get(definition.name, definition.name)
        parts = str(value).split(";") if pool != definition.name else [str(value)]
        for part in parts:
            # Portals fold the case of unique texts (HubSpot stores e-mails in lower case).
            first = self._taken.setdefault((name, pool, part.strip().casefold()), index)
            if first != index:
                return first
        return None


def _under_controller(
    name: str, index: int, given: str, definition: Field, value: Any, native: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield what is wrong with a value of a picklist whose options depend on another field's value."""
    chosen = native.get(definition.controller)
    # A checkbox that is not given is not ticked.
    under = "false" if chosen is None else str(chosen).lower() if isinstance(chosen, bool) else str(chosen)
    parts = str(value).split(";") if definition.kind is Kind.OPTIONS else [str(value)]
    for option in definition.options:
        if option.value not in parts or under in option.valid_for:
            continue
        allowed = tuple(each.value for each in definition.options if under in each.valid_for)
        with_it = f"with {definition.controller} = {chosen!r}"
        if chosen is None:
            with_it = f"without a value for {definition.controller}"
        fits = " or ".join(map(repr, option.valid_for))
        reason = f"{option.value!r} is not allowed {with_it}; it goes with {fits or 'no value of it'}"
        yield Problem(name, index, given, value, reason, definition.name, allowed)


def _wrong(definition: Field, value: Any) -> Iterator[str]:
    """Yield what is wrong with a wire value for a field."""
    reason = not_writable(definition)
    if reason:
        yield reason
        return
    if definition.archived:
        yield "is archived in the portal"
        return
    if value in (None, ""):
        return
    if isinstance(value, str):
        yield from _wrong_text(definition, value)
    if definition.kind in _NUMBERS and (definition.minimum is not None or definition.maximum is not None):
        yield from _out_of_bounds(definition, value)


def _wrong_text(definition: Field, value: str) -> Iterator[str]:
    most, least = definition.max_length, definition.min_length
    if most is not None and len(value) > most:
        yield f"has {len(value)} characters; at most {most} are allowed"
    if least is not None and len(value) < least:
        yield f"has {len(value)} characters; at least {least} are needed"
    pattern = compiled(definition.pattern)
    if pattern is not None and not pattern.fullmatch(value):
        yield f"does not match the pattern {definition.pattern}"


def _out_of_bounds(definition: Field, value: Any) -> Iterator[str]:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return
    if definition.minimum is not None and number < Decimal(definition.minimum):
        yield f"is less than the smallest allowed, {definition.minimum}"
    if definition.maximum is not None and number > Decimal(definition.maximum):
        yield f"is more than the largest allowed, {definition.maximum}"


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """Return a portal's pattern, or None where there is none or Python cannot read its dialect."""
    if not pattern:
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None
