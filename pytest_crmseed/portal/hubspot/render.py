"""The shape of a record in answers, with the properties that HubSpot computes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pytest_crmseed.portal.hubspot import history, links
from pytest_crmseed.portal.hubspot.account import Account
from pytest_crmseed.portal.hubspot.definitions import PROVIDER
from pytest_crmseed.portal.hubspot.instants import iso, parse_iso_ms
from pytest_crmseed.portal.hubspot.object_types import pipeline, pipeline_properties
from pytest_crmseed.portal.hubspot.records import Written
from pytest_crmseed.portal.store import StoredRecord
from pytest_crmseed.schema.model import ObjectType, Stage

DEFAULT_PROPERTIES: Mapping[str, Sequence[str]] = {
    "contacts": ("firstname", "lastname", "email"),
    "companies": ("name", "domain"),
    "deals": ("dealname", "amount", "closedate", "pipeline", "dealstage"),
    "tickets": (
        "subject",
        "content",
        "hs_pipeline",
        "hs_pipeline_stage",
        "hs_ticket_category",
        "hs_ticket_priority",
    ),
    "products": ("name", "description", "price"),
    "line_items": ("quantity", "amount", "price"),
}
"""What a read answers beside the system properties when it asks for none (HubSpot docs, "Search the CRM").

Types that are not here answer nothing else.
"""

UI_HOST = "https://app.hubspot.com"


def created_property(object_type: ObjectType) -> str:
    """Return the name of the property that holds when a record was made.

    Activities and newer object types have another one (HubSpot docs, "Search the CRM").
    """
    return "createdate" if "createdate" in object_type.fields else "hs_createdate"


def modified_property(object_type: ObjectType) -> str:
    """Return the name of the property that holds when a record was changed last."""
    return "lastmodifieddate" if object_type.name == "contacts" else "hs_lastmodifieddate"


def read_answer(
    account: Account,
    object_type: ObjectType,
    record: StoredRecord,
    asked: Sequence[str],
    with_history: Sequence[str] = (),
) -> dict[str, Any]:
    """Return a record as reads answer it: the asked-for properties and the three system ones.

    An empty property is null, an unknown one left out (HubSpot docs, "Contacts guide"). What is asked
    for with its history comes with its value as well [unsure].
    """
    names = [*asked, *with_history] or DEFAULT_PROPERTIES.get(object_type.name, ())
    values: dict[str, str | None] = {}
    for name in names:
        if account.definitions.live(object_type.name, name) is not None:
            values[name] = record.properties.get(name) or computed(account, object_type, record, name)
    values.update(_system(object_type, record))
    answer = _answer(account, object_type, record, values)
    if with_history:
        answer["propertiesWithHistory"] = history.answer(account, object_type, record, with_history)
    return answer


def write_answer(
    account: Account, object_type: ObjectType, written: Written, trace_id: str | None = None
) -> dict[str, Any]:
    """Return a record as writes answer it: what the request set, the system and computed properties."""
    record = written.record
    names = {*written.names, *record.properties} if written.new else set(written.names)
    values: dict[str, str | None] = {name: record.properties.get(name) for name in sorted(names)}
    for name in _COMPUTED_ON_WRITE:
        if name in object_type.fields:
            value = computed(account, object_type, record, name)
            if value is not None:
                values[name] = value
    values.update(_system(object_type, record))
    answer = _answer(account, object_type, record, values)
    if written.warnings:
        answer["warnings"] = list(written.warnings)
    if trace_id is not None and account.behaviour.echo_trace_id:
        answer["objectWriteTraceId"] = trace_id
    return answer


def associations(
    account: Account, object_type: ObjectType, ids: Sequence[int], to: Collection[ObjectType]
) -> dict[int, dict[str, Any]]:
    """Return the ``associations`` of records as single reads and lists answer them."""
    found: dict[int, dict[str, Any]] = {}
    for to_type in to:
        for id, some in account.store.links(PROVIDER, object_type.name, ids, to_type.name).items():
            results = [
                {"id": str(link.to_id), "type": links.name_of(account, object_type, link)} for link in some
            ]
            found.setdefault(id, {})[to_type.name] = {"results": results}
    return found


def _answer(
    account: Account, object_type: ObjectType, record: StoredRecord, values: Mapping[str, str | None]
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": str(record.id),
        "properties": values,
        "createdAt": iso(record.created),
        "updatedAt": iso(record.updated),
        "archived": record.archived is not None,
    }
    if record.archived is not None:
        answer["archivedAt"] = iso(record.archived)
    portal_id = account.behaviour.portal_id
    answer["url"] = f"{UI_HOST}/contacts/{portal_id}/record/{object_type.type_id}/{record.id}"
    return answer


def _system(object_type: ObjectType, record: StoredRecord) -> dict[str, str]:
    return {
        created_property(object_type): iso(record.created),
        "hs_object_id": str(record.id),
        modified_property(object_type): iso(record.updated),
    }


# -- computed properties -----------------------------------------------------------------------------

_COMPUTED_ON_WRITE = (
    "amount_in_home_currency",
    "days_to_close",
    "hs_deal_stage_probability",
    "hs_email_domain",
    "hs_is_closed",
    "hs_is_closed_lost",
    "hs_is_closed_won",
    "hs_object_source",
    "hs_object_source_label",
    "hs_projected_amount",
)


def computes(name: str) -> bool:
    """Return whether HubSpot computes a property from others."""
    return name in _COMPUTED


def computed(account: Account, object_type: ObjectType, record: StoredRecord, name: str) -> str | None:
    """Return the value of a property that HubSpot computes, or None where it has none."""
    compute = _COMPUTED.get(name)
    return None if compute is None else compute(account, object_type, record)


def _stage(object_type: ObjectType, record: StoredRecord) -> Stage | None:
    names = pipeline_properties(object_type)
    if names is None:
        return None
    found = pipeline(object_type, record.properties.get(names[0], ""))
    wanted = record.properties.get(names[1])
    return next((stage for stage in found.stages if stage.id == wanted), None) if found else None


def _is_closed(account: Account, object_type: ObjectType, record: StoredRecord) -> str | None:
    stage = _stage(object_type, record)
    return None if stage is None else _bool(stage.closed)


def _is_won(account: Account, object_type: ObjectType, record: StoredRecord) -> str | None:
    stage = _stage(object_type, record)
    return None if stage is None else _bool(stage.closed and stage.probability == 1)


def _is_lost(account: Account, object_type: ObjectType, record: StoredRecord) -> str | None:
    stage = _stage(object_type, record)
    return None if stage is None else _bool(stage.closed and stage.probability == 0)


def _probability(account: Account, object_type: ObjectType, record: StoredRecord) -> str | None:
    stage = _stage(object_type, record)
    return None if stage is None or stage.probability is None else str(stage.probability)


def _home_amount(account: Account, object_type: ObjectType, record: StoredRecord) -> str | None:
    # Without exchange rates, an amount in another currency has no value at home.
    home = account.behaviour.currency
    at_home = record.properties.get("deal_currency_code", home) == home
    return record.properties.get("amount") if at_home else None


def _projected(account: Account, object_type: ObjectType, record: StoredRecord) -> str | None:
    amount, probability = record.properties.get("amount"), _probability(account, object_type, record)
    if amount is None or probability is None:
        return None
    return format((Decimal(amount) * Decimal(probability)).normalize(), "f")


def _days_to_close(account: Account, object_type: ObjectType, record: StoredRecord) -> str | None:
    closes = parse_iso_ms(record.properties.get("closedate", ""))
    if closes is None or object_type.name != "deals":
        return None
    return str(max(0, int((closes / 1000 - record.created) // 86_400)))


def _email_domain(account: Account, object_type: ObjectType, record: StoredRecord) -> str | None:
    return record.properties.get("email", "").partition("@")[2] or None


def _full_name(account: Account, object_type: ObjectType, record: StoredRecord) -> str | None:
    held = record.properties
    name = " ".join(part for part in (held.get("firstname"), held.get("lastname")) if part)
    return name or held.get("email")


def _merged_ids(account: Account, object_type: ObjectType, record: StoredRecord) -> str | None:
    ids = account.store.merged_into(PROVIDER, object_type.name, record.id)
    return ";".join(map(str, ids)) or None


def _primary_company(account: Account, object_type: ObjectType, record: StoredRecord) -> str | None:
    target = links.primary_target(account, object_type, record.id)
    return None if target is None else str(target)


def _count_of(to: str) -> Callable[[Account, ObjectType, StoredRecord], str | None]:
    return lambda account, object_type, record: str(links.count(account, object_type, record.id, to))


def _bool(value: bool) -> str:
    return "true" if value else "false"


_COMPUTED: Mapping[str, Callable[[Account, ObjectType, StoredRecord], str | None]] = {
    "amount_in_home_currency": _home_amount,
    "associatedcompanyid": _primary_company,
    "days_to_close": _days_to_close,
    "hs_deal_stage_probability": _probability,
    "hs_email_domain": _email_domain,
    "hs_full_name_or_email": _full_name,
    "hs_is_closed": _is_closed,
    "hs_merged_object_ids": _merged_ids,
    "hs_is_closed_lost": _is_lost,
    "hs_is_closed_won": _is_won,
    # [unsure] of both: what a record made with a private app's token says of its source.
    "hs_object_source": lambda account, object_type, record: "INTEGRATION",
    "hs_object_source_label": lambda account, object_type, record: "INTEGRATION",
    "hs_projected_amount": _projected,
    "num_associated_contacts": _count_of("contacts"),
    "num_associated_deals": _count_of("deals"),
}
