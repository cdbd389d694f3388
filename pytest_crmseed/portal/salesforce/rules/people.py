"""Accounts, contacts, leads, users: names, and what a converted lead takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce.definitions import SObject
from pytest_crmseed.portal.salesforce.errors import Refusal, not_emulated, refusal
from pytest_crmseed.portal.salesforce.rules.base import Rules
from pytest_crmseed.portal.salesforce.stages import CONVERTED

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.draft import Draft
    from pytest_crmseed.portal.salesforce.rows import Row
    from pytest_crmseed.portal.salesforce.writing import Writer

_NAME_PARTS = ("Salutation", "FirstName", "MiddleName", "LastName", "Suffix")
_ALIKE = frozenset({*_NAME_PARTS, "Name", "Phone", "Fax", "OwnerId"})


class AccountRules(Rules):
    """Those of Account: with person accounts on, a company or a person by its record type."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        # What a row starts with, though its describe names no default (recorded).
        draft.default("CleanStatus", "Pending")
        if not writer.org.catalogue.person_accounts:
            return
        person = _is_person(draft)
        if draft.old is not None and person != draft.flag("IsPersonAccount"):
            raise not_emulated("turning companies into people, or people into companies", ())
        draft.put("IsPersonAccount", "true" if person else "false")
        others = [name for name in draft.given if (name == "Name" if person else is_of_people(name))]
        if others:
            raise _bad_names(sorted(others))
        if person:
            draft.put("Name", _full_name(draft))

    def required(self, writer: Writer, draft: Draft) -> Sequence[str]:
        if not writer.org.catalogue.person_accounts:
            return ()
        name = "LastName" if draft.flag("IsPersonAccount") else "Name"
        return () if draft[name] else (name,)

    def saved(self, writer: Writer, draft: Draft, row: Row) -> None:
        if row["IsPersonAccount"] != "true":
            return
        contact = writer.org.object("Contact")
        values = {
            own: row[name]
            for name, own in _shared(draft.object, contact)
            if draft.old is None or draft.changes(name)
        }
        if draft.old is None:
            kept = {name: value for name, value in values.items() if value is not None}
            made = writer.make("Contact", AccountId=row.id, IsPersonAccount="true", **kept)
            writer.touch(row, PersonContactId=made.id)
            return
        known = writer.org.rows.by_id(row["PersonContactId"] or "")
        if known is not None and values:
            writer.touch(known, **values)


class PersonRules(Rules):
    """Those of objects whose rows are people: Contact, Lead and User."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        if draft.object.field("CleanStatus") is not None:
            draft.default("CleanStatus", "Pending")
        draft.put("Name", _full_name(draft))


class ContactRules(PersonRules):
    """Those of Contact: the one of a person account is made, moved and deleted by its account alone."""

    def check(self, writer: Writer, draft: Draft) -> None:
        of_person = draft.before("IsPersonAccount") == "true"
        if of_person and draft.changes("RecordTypeId"):
            raise _not_alone()
        if of_person and draft.changes("AccountId"):
            raise _bad_names(["AccountId"])
        account = writer.org.rows.by_id(draft["AccountId"] or "")
        if not of_person and account is not None and account["IsPersonAccount"] == "true":
            # The code and the words are [unsure].
            message = "Account ID: a person account has no other contacts than its own"
            raise refusal("FIELD_INTEGRITY_EXCEPTION", message, ["AccountId"])

    def saved(self, writer: Writer, draft: Draft, row: Row) -> None:
        account = writer.org.rows.by_id(row["AccountId"] or "")
        if row["IsPersonAccount"] != "true" or account is None:
            return
        values = {name: row[own] for name, own in _shared(account.object, draft.object) if draft.changes(own)}
        if values:
            writer.touch(account, **values)

    def deleting_alone(self, writer: Writer, row: Row) -> None:
        if row["IsPersonAccount"] == "true":
            raise _not_alone()


class UserRules(PersonRules):
    """Those of User."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        super().prepare(writer, draft)
        draft.default("CommunityNickname", (draft["Username"] or "").partition("@")[0][:40] or None)
        draft.default("UserType", "Standard")


class LeadRules(PersonRules):
    """Those of Lead."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        super().prepare(writer, draft)
        if draft.old is None and "IsUnreadByOwner" not in draft.given:
            draft.put("IsUnreadByOwner", "true")

    def check(self, writer: Writer, draft: Draft) -> None:
        if draft.before("IsConverted") == "true":
            raise refusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        if draft["Status"] == CONVERTED and not draft.flag("IsConverted") and draft.changes("Status"):
            message = f"Lead Status: invalid status for an unconverted lead: {CONVERTED}"
            raise refusal("INVALID_STATUS", message, ["Status"])


def is_of_people(name: str) -> bool:
    """Return whether a field of accounts is one that companies do not have."""
    return name in _NAME_PARTS or name.startswith("Person") or name.endswith("__pc")


def _is_person(draft: Draft) -> bool:
    kind = draft.object.record_type(draft["RecordTypeId"] or "")
    return kind is not None and kind.person


def _full_name(draft: Draft) -> str | None:
    parts = (draft[name] for name in ("FirstName", "MiddleName", "LastName", "Suffix"))
    return " ".join(part for part in parts if part) or None


def _shared(account: SObject, contact: SObject) -> Iterator[tuple[str, str]]:
    """Yield the fields that a person account has in common with its contact, by both names."""
    for field in account.fields:
        name = field.name
        if name.endswith("__pc"):
            yield name, f"{name.removesuffix('pc')}c"
        elif name in _ALIKE:
            yield name, name
        elif name.startswith("Person") and contact.field(name.removeprefix("Person")) is not None:
            yield name, name.removeprefix("Person")


def _bad_names(names: Sequence[str]) -> Refusal:
    # As seen in the issues of several clients.
    message = f"Account: bad field names on insert/update call: {', '.join(names)}"
    return refusal("INVALID_FIELD_FOR_INSERT_UPDATE", message, names)


def _not_alone() -> Refusal:
    # Salesforce help, "RecordTypeId cannot be updated on the Person Contact entity"; for a delete [unsure].
    return refusal("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
