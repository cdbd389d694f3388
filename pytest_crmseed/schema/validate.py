"""Records against a schema → problems, before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pytest_crmseed.schema.legend import READ_ONLY, Problem
from pytest_crmseed.schema.model import Field, ObjectType, Schema


class Validator:
    """Check native records against a schema; remembers unique values over a whole plan."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._taken: dict[tuple[str, str, str], int] = {}

    def record(
        self,
        name: str,
        index: int,
        object_type: ObjectType,
        native: Mapping[str, Any],
        *,
        untranslated: Collection[str] = (),
    ) -> Iterable[Problem]:
        """Yield the problems of one record in native names and wire values.

        ``name`` is the object type's name in messages. A field that an incomplete schema does not
        have is not checkable, and no problem. Fields in ``untranslated`` were given values that
        could not be translated, which was said already; they do not count as missing.
        """
        for field_name, value in native.items():
            definition = object_type.fields.get(field_name)
            if definition is None:
                if self._schema.complete:
                    yield Problem(name, index, field_name, value, "the portal has no such field", field_name)
                continue
            yield from self._field(name, index, definition, value)
        for group in object_type.required_any:
            if not any(native.get(each) not in (None, "") or each in untranslated for each in group):
                wanted = " or ".join(group)
                yield Problem(name, index, group[0], None, f"a value for {wanted} is required on create")
        for definition in object_type.fields.values():
            if definition.name in untranslated:
                continue
            if definition.required and native.get(definition.name) in (None, ""):
                yield Problem(name, index, definition.name, None, "is required on create")

    def _field(self, name: str, index: int, definition: Field, value: Any) -> Iterable[Problem]:
        if definition.read_only:
            yield Problem(name, index, definition.name, value, READ_ONLY, definition.name)
            return
        if definition.archived:
            yield Problem(name, index, definition.name, value, "is archived in the portal", definition.name)
        limit = definition.max_length
        if limit is not None and isinstance(value, str) and len(value) > limit:
            reason = f"has {len(value)} characters; at most {limit} are allowed"
            yield Problem(name, index, definition.name, value[:40] + "…", reason, definition.name)
        if definition.unique and value not in (None, ""):
            # Portals fold the case of unique texts (HubSpot stores e-mails in lower case).
            taken = (name, definition.name, str(value).casefold())
            first = self._taken.setdefault(taken, index)
            if first != index:
                reason = f"must be unique, and {name}[{first}] has the same value"
                yield Problem(name, index, definition.name, value, reason, definition.name)
