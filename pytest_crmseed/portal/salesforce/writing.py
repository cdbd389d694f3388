"""How rows are made and changed: from what a client sends to a row in the store, or a refusal.

Checks come in Salesforce's order [unsure in detail]: unknown fields, types, fields that cannot be set,
required ones, each value by itself, lookups, the objects' own rules, triggers, validation rules, duplicate
rules, unique values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_crmseed.portal.salesforce import duplicates, lookups, values
from pytest_crmseed.portal.salesforce.definitions import Field, RecordType, SObject
from pytest_crmseed.portal.salesforce.draft import Draft
from pytest_crmseed.portal.salesforce.errors import (
    Problem,
    Refusal,
    is_deleted,
    locked,
    no_such_column,
    no_such_row,
    not_writable,
    refusal,
    required,
    storage_full,
)
from pytest_crmseed.portal.salesforce.limits import size_kb, storage_kb
from pytest_crmseed.portal.salesforce.rows import FIRST, Row
from pytest_crmseed.portal.salesforce.rules import rules_of
from pytest_crmseed.portal.store import StoredRecord

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.behaviour import Moment
    from pytest_crmseed.portal.salesforce.org import Org

_DIGITS = re.compile(r"\{(0+)\}")
_HEADER = "sforce-duplicate-rule-header"


@dataclass(frozen=True, slots=True)
class Options:
    """What the headers of a write ask for."""

    allow_save: bool = False
    include_records: bool = False
    auto_assign: bool = True

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Options:
        """Return what a request's headers, with names in small letters, ask for."""
        parts = (part.partition("=") for part in headers.get(_HEADER, "").split(";"))
        told = {name.strip().lower(): value.strip().lower() == "true" for name, _, value in parts}
        return cls(
            told.get("allowsave", False),
            told.get("includerecorddetails", False),
            headers.get("sforce-auto-assign", "true").strip().lower() != "false",
        )


class Writer:
    """Writes rows in the name of a user. Every method works within a transaction of its caller's."""

    def __init__(self, org: Org, user_id: str, options: Options, home: str) -> None:
        self.org = org
        self.user_id = user_id
        self.options = options
        self.home = home

    def create(self, each: SObject, given: Mapping[str, Any]) -> Row:
        """Make a row of what a client sent.

        Raises:
            Refusal: it cannot be.
        """
        if not each.flags["createable"]:
            raise refusal(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {each.label}"
            )
        sent = self._read(each, given)
        if "Id" in sent:
            raise refusal("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
        self._writable(each, sent, new=True)
        kept = dict(each.defaults)
        for name, value in sent.items():
            if value is None:
                kept.pop(name, None)
            else:
                kept[name] = value
        draft = Draft(each, kept, frozenset(name for name, value in sent.items() if value is not None))
        if "RecordTypeId" not in sent:
            draft.put("RecordTypeId", next((one.id for one in each.record_types if _usual(one)), None))
        if each.field("OwnerId") is not None:
            draft.values.setdefault("OwnerId", self.user_id)
        return self._save(draft)

    def update(self, row: Row, given: Mapping[str, Any]) -> Row:
        """Change a row by what a client sent.

        Raises:
            Refusal: it cannot be.
        """
        each = row.object
        if not each.flags["updateable"]:
            raise refusal(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be updated: {each.label}"
            )
        sent = self._read(each, given)
        sent.pop("Id", None)
        self._writable(each, sent, new=False)
        draft = Draft(each, dict(row.record.properties), frozenset(sent), row)
        for name, value in sent.items():
            draft.put(name, value)
        return self._save(draft)

    def upsert(self, each: SObject, field: Field, value: Any, given: Mapping[str, Any]) -> tuple[Row, bool]:
        """Change the row with a key, or make it; return it, and whether it was made.

        Raises:
            Refusal: it cannot be; 300 where several rows have the key.
        """
        if field.type == "id":
            if value is None or value == "":
                return self.create(each, given), True
            return self.update(self.found(each, str(value)), given), False
        found = self.by_key(each, field, value)
        if len(found) > 1:
            raise self.several(found)
        if found:
            return self.update(found[0], given), False
        return self.create(each, {**given, field.name: value}), True

    def found(self, each: SObject, id: str) -> Row:
        """Return the live row of an object that an id leads to.

        Raises:
            Refusal: there is none; it says in which way (404).
        """
        row = self.org.rows.by_id(id)
        if row is None or row.object.name != each.name:
            raise no_such_row()
        if row.deleted:
            raise is_deleted()
        return row

    def by_key(self, each: SObject, field: Field, value: Any) -> list[Row]:
        """Return the live rows that have a value of a field by which rows are found."""
        return lookups.by_key(self.org, each, field, value)

    def several(self, rows: list[Row]) -> Refusal:
        """Return the refusal of a key that several rows have."""
        return _Several([f"{self.home}/sobjects/{row.object.name}/{row.id}" for row in rows])

    def touch(self, row: Row, **changed: str | None) -> Row:
        """Change a row by the org itself: nothing is checked, and no rule runs."""
        kept = dict(row.record.properties)
        for name, value in changed.items():
            if value is None:
                kept.pop(name, None)
            else:
                kept[name] = value
        new = Row(row.object, replace(row.record, properties=kept, updated=self.org.now()), row.id)
        self.org.rows.save(new)
        self._note_references(new, row, changed)
        return new

    def make(self, name: str, **kept: str) -> Row:
        """Make a row by the org itself: nothing is checked, and no rule runs."""
        each = self.org.object(name)
        return self._insert(Draft(each, {**dict(each.defaults), **kept}, frozenset()))

    # -- what a client sent ------------------------------------------------------------------------
    def _read(self, each: SObject, given: Mapping[str, Any]) -> dict[str, str | None]:
        known: dict[str, tuple[Field, Any]] = {}
        for name, value in given.items():
            if name.lower() == "attributes":
                continue
            field = each.field(name)
            if field is None:
                parent = each.parents.get(name.lower())
                if parent is None or not isinstance(value, Mapping):
                    raise no_such_column(name, each.name)
                field, value = parent, lookups.parent_id(self.org, parent, value)
            known[field.name] = (field, value)
        found = {}
        for name, (field, value) in known.items():
            try:
                text = values.stored(field, value)
            except values.Unusable as error:
                raise Refusal([error.problem]) from error
            found[name] = None if text is None else values.same_case(field, text)
        return found

    def _writable(self, each: SObject, sent: Mapping[str, str | None], *, new: bool) -> None:
        bad = []
        for name in sent:
            field = each.by_name[name.lower()]
            if not (field.createable if new else field.updateable):
                bad.append(name)
        if bad:
            raise not_writable(bad)

    # -- a row as a whole --------------------------------------------------------------------------
    def _save(self, draft: Draft) -> Row:
        each, new = draft.object, draft.old is None
        rules = rules_of(each.name)
        self._check_locks(draft)
        rules.prepare(self, draft)
        self._check_values(draft)
        lookups.check(self.org, draft)
        self._trigger(each, "before insert" if new else "before update")
        rules.check(self, draft)
        self._validation_rules(draft)
        duplicates.check(self, draft)
        self._check_unique(draft)
        if new:
            self._check_room(each)
            row = self._insert(draft)
        else:
            row = self._replace(draft)
        rules.saved(self, draft, row)
        self._trigger(each, "after insert" if new else "after update")
        return row

    def _insert(self, draft: Draft) -> Row:
        each, now = draft.object, self.org.now()
        number = self.org.rows.new_number(each)
        if each.field("CreatedById") is not None:
            draft.values.setdefault("CreatedById", self.user_id)
            draft.values.setdefault("LastModifiedById", self.user_id)
        for field in each.auto_numbers:
            draft.put(field.name, numbered(field, number))
        row = self.org.rows.row(each, StoredRecord(number, draft.values, now, now))
        name = each.field("Name")
        if each.custom and name is not None and name.createable and not draft["Name"]:
            draft.put("Name", row.id[:15])
        self.org.rows.save(row)
        self._hold_unique(row, draft, new=True)
        self._note_references(row, None, draft.values)
        return row

    def _replace(self, draft: Draft) -> Row:
        old = draft.old
        assert old is not None
        if draft.object.field("LastModifiedById") is not None:
            draft.values["LastModifiedById"] = self.user_id
        record = replace(old.record, properties=draft.values, updated=max(self.org.now(), old.record.updated))
        row = Row(draft.object, record, old.id)
        self.org.rows.save(row)
        self._hold_unique(row, draft, new=False)
        self._note_references(row, old, draft.values)
        return row

    def _check_values(self, draft: Draft) -> None:
        each, new = draft.object, draft.old is None
        missing = [
            field.name
            for field in (each.required if new else each.fields)
            if (field.required if new else _demanded(field) and field.name in draft.given)
            and draft[field.name] is None
        ]
        missing += [name for name in rules_of(each.name).required(self, draft) if name not in missing]
        if missing:
            raise Refusal([required(missing)])
        problems = list(draft.problems)
        for field in each.fields:
            text = draft[field.name] if field.name in draft.given else None
            if text is None:
                continue
            found = values.problem(field, text) or self._misplaced(draft, field, text)
            if found is not None:
                problems.append(found)
        if problems:
            raise Refusal(problems)

    def _misplaced(self, draft: Draft, field: Field, text: str) -> Problem | None:
        """Return what is wrong with a value under its controlling one, or in the row's record type."""
        bad = f"{field.label}: bad value for restricted picklist field: {text}"
        problem = Problem("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", bad, (field.name,))
        parts = (
            [part.lower() for part in text.split(";")] if field.type == "multipicklist" else [text.lower()]
        )
        if field.controller is not None:
            controlling = draft.object.field(field.controller)
            options = [] if controlling is None else [option.lower() for option in controlling.options]
            chosen = (draft[field.controller] or ("false" if controlling else "")).lower()
            place = options.index(chosen) if chosen in options else None
            for part in parts:
                value = field.allowed.get(part)
                if value is not None and value.valid_for is not None and place not in value.valid_for:
                    return problem
        record_type = draft.object.record_type(draft["RecordTypeId"] or "")
        left = (
            None if record_type is None or record_type.values is None else record_type.values.get(field.name)
        )
        if field.restricted and left is not None:
            allowed = {value.lower() for value in left}
            if any(part not in allowed for part in parts):
                return problem
        return None

    def _check_locks(self, draft: Draft) -> None:
        held = self.org.switches.locked
        if not held:
            return
        ids = [draft.old.id] if draft.old is not None else []
        ids += [text for field in draft.object.references if (text := draft[field.name]) is not None]
        taken = next((id for id in ids if id in held or id[:15] in held), None)
        if taken is not None:
            raise locked(taken)

    def _check_room(self, each: SObject) -> None:
        most = self.org.switches.storage_mb
        if most is not None and size_kb(each.name):
            counts = self.org.rows.counts()
            seeded = {name: number for name, number in counts.items() if self.org.catalogue.seedable(name)}
            if storage_kb(seeded) + size_kb(each.name) > most * 1024:
                raise storage_full()

    # -- what the org's own people have set up -------------------------------------------------------
    def _trigger(self, each: SObject, moment: Moment) -> None:
        run_trigger(self.org, each, moment)

    def _validation_rules(self, draft: Draft) -> None:
        problems = [
            Problem("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, (rule.field,) if rule.field else ())
            for rule in self.org.switches.validation_rules
            if rule.object_type.lower() == draft.object.name.lower() and draft[rule.when] in rule.values
        ]
        if problems:
            raise Refusal(problems)

    # -- unique values -----------------------------------------------------------------------------
    def _check_unique(self, draft: Draft) -> None:
        for field in draft.object.unique:
            text = draft[field.name]
            if text is None or not draft.changes(field.name):
                continue
            holder = self.org.rows.holder(draft.object, field.name, values.comparable(field, text))
            if holder is not None and (draft.old is None or holder.id != draft.old.id):
                raise refusal(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {field.name} duplicates value on record with id: "
                    f"{holder.id[:15]}",
                )

    def _hold_unique(self, row: Row, draft: Draft, *, new: bool) -> None:
        for field in row.object.unique:
            if new or draft.changes(field.name):
                text = row[field.name]
                held = [] if text is None else [values.comparable(field, text)]
                if held or not new:
                    self.org.rows.hold(row, field.name, held, new=new)

    def _note_references(self, row: Row, old: Row | None, changed: Mapping[str, str | None]) -> None:
        for field in row.object.references:
            if field.name not in changed and old is not None:
                continue
            before, after = None if old is None else old[field.name], row[field.name]
            if before != after:
                self.org.rows.refer(row, field.name, before, after)


class _Several(Refusal):
    """The 300 of a key that several rows have: their paths, and no errors."""

    def __init__(self, paths: list[str]) -> None:
        message = "A user-specified external ID matches more than one record during an upsert."
        super().__init__([Problem("DUPLICATE_EXTERNAL_ID", message)], status=300)
        self.paths = paths

    def response(self) -> Any:
        answer = super().response()
        return type(answer).of(self.status, self.paths, answer.headers)


def run_trigger(org: Org, each: SObject, moment: Moment) -> None:
    """Let a trigger that was told to fail do so.

    Raises:
        Refusal: there is one at this moment.
    """
    for trigger in org.switches.failing_triggers:
        if trigger.object_type.lower() == each.name.lower() and trigger.moment == moment:
            action, event = moment.split()
            called = f"{action.title()}{event.title()}"
            message = (
                f"{trigger.name}: execution of {called}\n\ncaused by: {trigger.message}\n\n(): {trigger.name}"
            )
            raise refusal("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)


def _demanded(field: Field) -> bool:
    return not field.nillable and field.type != "boolean" and field.updateable


def numbered(field: Field, number: int) -> str:
    """Return the value that counts up, for the row of a number: ``00000042``, or as the field's mask says."""
    counted = number - FIRST
    mask = field.facts["mask"] or ("{0000000000}" if field.name == "OrderItemNumber" else "{00000000}")
    return _DIGITS.sub(lambda found: str(counted).zfill(len(found[1])), mask)


def _usual(record_type: RecordType) -> bool:
    return record_type.default and not record_type.master
