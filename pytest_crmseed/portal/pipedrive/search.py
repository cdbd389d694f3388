"""Search (Pipedrive docs, "Item search" and the searches of deals, persons etc.).

An index answers, which trails behind writes. How results are scored is [unsure]: here what is equal comes
first, then what starts with the term, then the rest, and in each of them the newest first.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pytest_crmseed.portal.message import PortalResponse
from pytest_crmseed.portal.pipedrive import errors, fields, lists, uuids, values
from pytest_crmseed.portal.pipedrive.call import Call
from pytest_crmseed.portal.pipedrive.company import Company
from pytest_crmseed.portal.pipedrive.kept import PROVIDER
from pytest_crmseed.portal.pipedrive.rows import Row, decoded
from pytest_crmseed.portal.stored_search import Search

ITEMS_MOST = 100
"""Results of ``/itemSearch`` on a page, at most."""

_TYPES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "deal": ("deals", "deal", ("custom_fields", "notes", "title")),
    "person": ("persons", "person", ("custom_fields", "email", "name", "notes", "phone")),
    "organization": ("organizations", "organization", ("address", "custom_fields", "name", "notes")),
    "product": ("products", "product", ("code", "custom_fields", "name", "description")),
    "lead": (
        "leads",
        "deal",
        ("custom_fields", "notes", "email", "organization_name", "person_name", "phone", "title"),
    ),
}
"""By item type: the object type, the entity whose custom fields it has, what is searched."""

_ABSENT = ("file", "mail_attachment", "project")
"""Item types of which the portal has none."""

_NOTE_KEYS = {"deal": "deal_id", "person": "person_id", "organization": "org_id", "lead": "lead_id"}


def of(kind: str) -> Callable[[Call], PortalResponse]:
    """Return the handler that searches one item type."""

    def handler(call: Call) -> PortalResponse:
        term, exact = _term(call, exact=call.flag("exact_match"))
        wanted = _fields(call, [kind])
        found = [
            (score, item)
            for score, row, item in _found(call, kind, term, wanted, exact=exact)
            if _linked(call, row)
        ]
        return _answer(call, found)

    return handler


def items(call: Call) -> PortalResponse:
    """Search all item types, or some."""
    kinds = call.several("item_types") or list(_TYPES)
    for kind in kinds:
        if kind not in _TYPES and kind not in _ABSENT:
            known = ", ".join((*_TYPES, *_ABSENT))
            raise errors.invalid_input(f'"item_types" must be one of [{known}]')
    if call.flag("search_for_related_items"):
        raise errors.not_emulated("search_for_related_items", [])
    chosen = [kind for kind in kinds if kind in _TYPES]
    term, exact = _term(call, exact=call.flag("exact_match"))
    wanted = _fields(call, list(_TYPES))
    found = [
        (score, item) for kind in chosen for score, _, item in _found(call, kind, term, wanted, exact=exact)
    ]
    found.sort(key=lambda pair: -pair[0])
    return _answer(call, found, most=ITEMS_MOST)


def field_values(call: Call) -> PortalResponse:
    """Search one field of one item type; upper and lower case differ here."""
    kind = call.argument("entity_type") or ""
    if kind not in _TYPES:
        if kind == "project":
            raise errors.not_emulated("entity_type=project", [])
        raise errors.invalid_input(f'"entity_type" must be one of [{", ".join(_TYPES)}]')
    match = call.argument("match") or "exact"
    if match not in ("exact", "beginning", "middle"):
        raise errors.invalid_input('"match" must be one of [exact, beginning, middle]')
    term, _ = _term(call, exact=match == "exact")
    object_type, entity, _ = _TYPES[kind]
    code = call.argument("field") or ""
    field = call.company.fields.of(entity).get(code)
    if field is None or (field.custom and field.type not in fields.SEARCHABLE):
        raise errors.invalid_input(f'"field" {code!r} cannot be searched')
    fits: Mapping[str, Callable[[str], bool]] = {
        "exact": lambda text: text == term,
        "beginning": lambda text: any(part.startswith(term) for part in (text, *text.split())),
        "middle": lambda text: term in text,
    }
    name = "title" if object_type in ("deals", "leads") else "name"
    found = [
        {"id": _id(kind, row), name: row[name]}
        for row in _seen(call.company, object_type)
        if any(fits[match](text) for text in _texts_of(field, row[code]))
    ]
    return _page(call, found, lambda page: page)


# -- what is found -----------------------------------------------------------------------------------
def _found(
    call: Call, kind: str, term: str, wanted: Sequence[str], *, exact: bool
) -> Iterable[tuple[float, Row, dict[str, Any]]]:
    company = call.company
    object_type, entity, _ = _TYPES[kind]
    notes = _notes(company, kind) if "notes" in wanted else {}
    results = []
    for row in _seen(company, object_type):
        own = _own_texts(company, kind, row)
        custom = [
            text
            for field in company.fields.custom(entity)
            if field.type in fields.SEARCHABLE
            for text in _texts_of(field, row[field.code])
        ]
        # Fields that a type has not are passed over, as when all types are searched for an e-mail address.
        searched = [text for name in wanted for text in own.get(name, ())]
        hit_custom = [text for text in custom if "custom_fields" in wanted and _hits(text, term, exact=exact)]
        hit_notes = [text for text in notes.get(row.id, ()) if _hits(text, term, exact=exact)]
        if not hit_custom and not hit_notes and not any(_hits(text, term, exact=exact) for text in searched):
            continue
        score = _score([*searched, *hit_custom], term)
        item = _item(company, kind, row, own)
        if kind != "product":
            item["notes"] = hit_notes
        item["custom_fields"] = hit_custom
        results.append((score, row, item))
    results.sort(key=lambda result: (-result[0], -result[1].id))
    return results


def _seen(company: Company, object_type: str) -> list[Row]:
    company.store.settle(company.now())
    _, found = company.store.search(PROVIDER, object_type, Search(), offset=0, limit=-1)
    return [decoded(record) for record in found]


def _hits(text: str, term: str, *, exact: bool) -> bool:
    text, term = text.casefold(), term.casefold()
    return text == term if exact else all(word in text for word in term.split())


def _score(texts: Sequence[str], term: str) -> float:
    term = term.casefold()
    folded = [text.casefold() for text in texts]
    if term in folded:
        return 1.2
    return 0.8 if any(text.startswith(term) for text in folded) else 0.4


def _texts_of(field: fields.Field, value: Any) -> list[str]:
    if isinstance(value, list):
        return [each["value"] for each in value if isinstance(each, dict) and "value" in each]
    text = values.texts(field, value)
    return [text] if text else []


def _notes(company: Company, kind: str) -> dict[Any, list[str]]:
    key = _NOTE_KEYS.get(kind)
    found: dict[Any, list[str]] = {}
    if key is not None:
        for note in _seen(company, "notes"):
            parent = note[key]
            if parent is not None:
                number = uuids.number("lead", parent) if kind == "lead" else parent
                found.setdefault(number, []).append(note["content"])
    return found


def _own_texts(company: Company, kind: str, row: Row) -> dict[str, list[str]]:
    def contact(name: str, of: Row | None = None) -> list[str]:
        return [each["value"] for each in ((of or row)[name] or ())]

    match kind:
        case "person":
            return {"name": [row["name"]], "email": contact("emails"), "phone": contact("phones")}
        case "organization":
            address = row["address"]
            return {"name": [row["name"]], "address": [address["value"]] if address else []}
        case "product":
            found = {name: [row[name]] if row[name] else [] for name in ("name", "code", "description")}
            return found
        case "lead":
            person = company.row("persons", row["person_id"]) if row["person_id"] else None
            organization = (
                company.row("organizations", row["organization_id"]) if row["organization_id"] else None
            )
            return {
                "title": [row["title"]],
                "person_name": [person["name"]] if person else [],
                "organization_name": [organization["name"]] if organization else [],
                "email": contact("emails", person) if person else [],
                "phone": contact("phones", person) if person else [],
            }
    return {"title": [row["title"]]}


# -- how it is shown ---------------------------------------------------------------------------------
def _item(company: Company, kind: str, row: Row, own: Mapping[str, list[str]]) -> dict[str, Any]:
    item: dict[str, Any] = {"id": _id(kind, row), "type": kind}
    match kind:
        case "deal":
            stage = company.stages.get(row["stage_id"], deleted=True)
            item |= {
                "title": row["title"],
                "value": row["value"],
                "currency": row["currency"],
                "status": row["status"],
                "stage": None if stage is None else {"id": stage["id"], "name": stage["name"]},
                "person": _named(company, "persons", row["person_id"]),
                "organization": _organization(company, row["org_id"]),
                "is_archived": bool(row["is_archived"]),
            }
        case "person":
            item |= {
                "name": row["name"],
                "phones": own["phone"],
                "emails": own["email"],
                "organization": _organization(company, row["org_id"]),
            }
        case "organization":
            item |= {"name": row["name"], "address": next(iter(own["address"]), None)}
        case "product":
            item |= {"name": row["name"], "code": row["code"]}
        case "lead":
            value = row["value"] or {}
            item |= {
                "title": row["title"],
                "person": _named(company, "persons", row["person_id"]),
                "organization": _named(company, "organizations", row["organization_id"]),
                "phones": own["phone"],
                "emails": own["email"],
                "value": value.get("amount"),
                "currency": value.get("currency"),
                "is_archived": bool(row["is_archived"]),
            }
    visible = row["visible_to"]
    return item | {
        "visible_to": None if visible is None else int(visible),
        "owner": {"id": row["owner_id"]},
    }


def _id(kind: str, row: Row) -> int | str:
    return uuids.of("lead", row.id) if kind == "lead" else row.id


def _named(company: Company, object_type: str, id: int | None) -> dict[str, Any] | None:
    row = None if id is None else company.row(object_type, id)
    return None if row is None else {"id": row.id, "name": row["name"]}


def _organization(company: Company, id: int | None) -> dict[str, Any] | None:
    row = None if id is None else company.row("organizations", id)
    if row is None:
        return None
    address = row["address"]
    return {"id": row.id, "name": row["name"], "address": address["value"] if address else None}


def _linked(call: Call, row: Row) -> bool:
    """Return whether what is found belongs to the person, organization and status of the query."""
    person, organization = call.integer("person_id"), call.integer("organization_id")
    own = row["org_id"] if row["org_id"] is not None else row["organization_id"]
    status = call.argument("status")
    return (
        person in (None, row["person_id"]) and organization in (None, own) and status in (None, row["status"])
    )


# -- the query ---------------------------------------------------------------------------------------
def _term(call: Call, *, exact: bool) -> tuple[str, bool]:
    term = call.argument("term")
    if term is None:
        raise errors.invalid_input('"term" is required')
    if not term.strip():
        raise errors.invalid_input('"term" is not allowed to be empty')
    if len(term) < 2 and not exact:
        raise errors.invalid_input('"term" length must be at least 2 characters long')
    return term, exact


def _fields(call: Call, kinds: Sequence[str]) -> list[str]:
    allowed = list(dict.fromkeys(name for kind in kinds for name in _TYPES[kind][2]))
    wanted = call.several("fields")
    for name in wanted:
        if name not in allowed:
            raise errors.invalid_input(f'"fields" must be one of [{", ".join(allowed)}]')
    return wanted or allowed


def _answer(call: Call, found: Sequence[tuple[float, dict[str, Any]]], *, most: int = 500) -> PortalResponse:
    entries = [{"result_score": score, "item": item} for score, item in found]
    if call.version == "v1":
        start, limit = call.integer("start") or 0, call.limit()
        pagination = lists.pagination_of(start, limit, len(entries))
        return call.answer({"items": entries[start : start + limit]}, {"pagination": pagination})
    return _page(call, entries, lambda page: {"items": page}, most=most)


def _page(
    call: Call, entries: Sequence[Any], shown: Callable[[list[Any]], Any], *, most: int = 500
) -> PortalResponse:
    """Return a page of results, whose cursor counts them: an order by score has no other marker."""
    limit = call.limit(most)
    start = 0
    text = call.argument("cursor")
    if text is not None:
        try:
            start = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))["start"]
            fine = isinstance(start, int) and start >= 0
        except (ValueError, TypeError, KeyError):
            fine = False
        if not fine:
            raise errors.invalid([("cursor", "The value is not a valid cursor")])
    end = start + limit
    following = None
    if end < len(entries):
        marker = json.dumps({"start": end}, separators=(",", ":")).encode()
        following = base64.urlsafe_b64encode(marker).decode().rstrip("=")
    return lists.answer(call, shown(list(entries[start:end])), following)
