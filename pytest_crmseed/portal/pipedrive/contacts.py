"""Persons and organizations (Pipedrive docs, "Persons" and "Organizations")."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pytest_crmseed.portal.pipedrive import entities, errors, rules
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.company import Company
from pytest_crmseed.portal.pipedrive.counters import COUNTERS
from pytest_crmseed.portal.pipedrive.entities import Entity
from pytest_crmseed.portal.pipedrive.fields import ADDRESS_PARTS
from pytest_crmseed.portal.pipedrive.rows import Row
from pytest_crmseed.portal.pipedrive.rules import Rule

CONTACT_SYNC = ("im", "postal_address", "notes", "birthday", "job_title")
"""Keys of persons that exist only after Contact Sync was set up."""

_NAME = Rule(rules.limited(255, least=1))
_PERSON_RULES: Mapping[str, Rule] = {
    "name": _NAME,
    "first_name": Rule(rules.limited(255), nullable=True),
    "last_name": Rule(rules.limited(255), nullable=True),
    "owner_id": rules.INTEGER,
    "org_id": rules.REFERENCE,
    "add_time": Rule(rules.moment),
    "emails": rules.CONTACTS,
    "phones": rules.CONTACTS,
    "visible_to": rules.VISIBLE_TO,
    "label_ids": rules.LABELS,
    "im": rules.CONTACTS,
    "postal_address": rules.ADDRESS,
    "notes": Rule(rules.text, nullable=True),
    "birthday": Rule(rules.date, nullable=True),
    "job_title": Rule(rules.limited(255), nullable=True),
    "marketing_status": Rule(rules.one_of("no_consent", "unsubscribed", "subscribed", "archived")),
    "custom_fields": rules.CUSTOM_FIELDS,
}

_ORGANIZATION_RULES: Mapping[str, Rule] = {
    "name": _NAME,
    "owner_id": rules.INTEGER,
    "add_time": Rule(rules.moment),
    "visible_to": rules.VISIBLE_TO,
    "label_ids": rules.LABELS,
    "address": rules.ADDRESS,
    "website": Rule(rules.text, nullable=True),
    "linkedin": Rule(rules.text, nullable=True),
    "industry": Rule(rules.integer, nullable=True),
    "annual_revenue": Rule(rules.integer, nullable=True),
    "employee_count": Rule(rules.integer, nullable=True),
    "custom_fields": rules.CUSTOM_FIELDS,
}


def _check_features(call: Call, body: Mapping[str, Any]) -> None:
    behaviour = call.company.behaviour
    if not behaviour.contact_sync and any(name in body for name in CONTACT_SYNC):
        raise errors.not_permitted()
    if not behaviour.campaigns and "marketing_status" in body:
        raise errors.not_permitted()


def _prepare_person(call: Call, given: dict[str, Any], old: Row | None) -> dict[str, Any]:
    _check_common(call, given, "person")
    entities.check_reference(call, "org_id", "organizations", given.get("org_id"))
    if old is None and "name" not in given and not (given.get("first_name") and given.get("last_name")):
        raise errors.invalid([("name", "The value is required")])
    data = _common(call) if old is None else {}
    data |= {"emails": [], "phones": []} if old is None else {}
    data |= given
    data |= _named(given, old)
    for name in ("emails", "phones", "im"):
        if name in given:
            data[name] = entities.primary(given[name], name)
    if "postal_address" in given:
        data["postal_address"] = _address(given["postal_address"])
    return data


def _named(given: Mapping[str, Any], old: Row | None) -> dict[str, Any]:
    """Return a person's names: either part changes the whole, the whole is split at its last blank."""
    if "first_name" in given or "last_name" in given:
        first, last = (
            given[name] if name in given else None if old is None else old[name]
            for name in ("first_name", "last_name")
        )
        whole = " ".join(part for part in (first, last) if part)
        if not whole:
            raise errors.invalid([("name", "The value must not be empty")])
        return {"first_name": first or None, "last_name": last or None, "name": whole}
    if "name" in given:
        first, _, last = given["name"].strip().rpartition(" ")
        return {"first_name": first.strip() or last, "last_name": last if first else None}
    return {}


def _shown_person(company: Company, row: Row) -> dict[str, Any]:
    data = {name: row[name] for name in ("name", "first_name", "last_name", "owner_id", "org_id")}
    data |= entities.times(row, fresh_update=False)
    data |= {
        "emails": row["emails"] or [],
        "phones": row["phones"] or [],
        "visible_to": row["visible_to"],
        "label_ids": row["label_ids"] or [],
        "picture_id": None,
    }
    if company.behaviour.contact_sync:
        data |= {name: row[name] for name in CONTACT_SYNC}
        data["im"] = row["im"] or []
    return data


def _prepare_organization(call: Call, given: dict[str, Any], old: Row | None) -> dict[str, Any]:
    _check_common(call, given, "organization")
    field = call.company.fields.of("organization")["industry"]
    if given.get("industry") is not None and field.option(given["industry"]) is None:
        raise errors.invalid([("industry", f"Invalid option '{given['industry']}'")])
    data = {**(_common(call) if old is None else {}), **given}
    if "address" in given:
        data["address"] = _address(given["address"])
    return data


def _shown_organization(company: Company, row: Row) -> dict[str, Any]:
    data = {name: row[name] for name in ("name", "owner_id")}
    data |= entities.times(row, fresh_update=False)
    data |= {"address": row["address"], "visible_to": row["visible_to"], "label_ids": row["label_ids"] or []}
    data |= {
        name: row[name] for name in ("website", "linkedin", "industry", "annual_revenue", "employee_count")
    }
    return data


def _common(call: Call) -> dict[str, Any]:
    visible = entities.default_visibility(call.company)
    return {"owner_id": call.company.user.id, "visible_to": visible, "label_ids": []}


def _check_common(call: Call, given: Mapping[str, Any], entity: str) -> None:
    if "owner_id" in given:
        entities.check_owner(call, given["owner_id"])
    entities.check_labels(call, entity, given.get("label_ids", ()))


def _address(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    # Parts that are left out become null, on an update as well.
    return None if given is None else {name: given.get(name) for name in ("value", *ADDRESS_PARTS)}


def _of_deal(call: Call) -> Collection[int] | None:
    id = call.integer("deal_id")
    if id is None:
        return None
    deal = call.company.row("deals", id)
    return () if deal is None or deal["person_id"] is None else (deal["person_id"],)


PERSON = Entity(
    type="persons",
    noun="Person",
    fields="person",
    rules=_PERSON_RULES,
    required=(),
    prepare=_prepare_person,
    shown=_shown_person,
    filters={"owner_id": "owner_id", "org_id": "org_id"},
    include=COUNTERS["persons"],
    check=_check_features,
    among=_of_deal,
)

ORGANIZATION = Entity(
    type="organizations",
    noun="Organization",
    fields="organization",
    rules=_ORGANIZATION_RULES,
    required=("name",),
    prepare=_prepare_organization,
    shown=_shown_organization,
    filters={"owner_id": "owner_id"},
    include=COUNTERS["organizations"],
)
