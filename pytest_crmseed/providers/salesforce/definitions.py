"""Salesforce's describes, as the schema holds them.

Sources: Salesforce docs, "sObject Describe" and the field properties it lists; describes recorded from
real orgs for what the pages leave open.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pytest_crmseed.providers.salesforce import person_accounts
from pytest_crmseed.providers.salesforce.capabilities import MASTER_RECORD_TYPE
from pytest_crmseed.schema.model import Association, Field, Kind, ObjectType, Option, Pipeline, Stage

Json = Mapping[str, Any]

_KINDS = {
    "string": Kind.STRING,
    "combobox": Kind.STRING,
    "encryptedstring": Kind.STRING,
    "textarea": Kind.TEXT,
    "email": Kind.EMAIL,
    "phone": Kind.PHONE,
    "url": Kind.URL,
    "int": Kind.INTEGER,
    "double": Kind.DECIMAL,
    "currency": Kind.DECIMAL,
    "percent": Kind.DECIMAL,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "time": Kind.TIME,
    "picklist": Kind.OPTION,
    "multipicklist": Kind.OPTIONS,
    "reference": Kind.REFERENCE,
    "id": Kind.REFERENCE,
}

# What describe does not tell: fields that the server demands all the same, and those of which it takes one.
_DEMANDED = {
    "Order": ("AccountId",),
    "OpportunityLineItem": ("PricebookEntryId",),
    "OrderItem": ("UnitPrice",),
}
_ONE_OF = {
    "Event": (("StartDateTime", "ActivityDateTime", "ActivityDate"),),
    "OpportunityLineItem": (("UnitPrice", "TotalPrice"),),
    "CampaignMember": (("ContactId", "LeadId"),),
}
# Statuses that a record can be changed to, and not made with.
_ONLY_LATER = {("Order", "Status"): ("Activated",), ("Lead", "Status"): ("Closed - Converted",)}

# Object types that share a native one: a call and a note are tasks.
VARIANTS = {"Task": ("Task:Call", "Task:Note")}

# Fields of the standard price book's entry, which go with a product as if they were its own.
PRICE, PRICE_CURRENCY = "PricebookEntry.UnitPrice", "PricebookEntry.CurrencyIsoCode"

ROLES = "OpportunityContactRole"
"""What links a contact to an opportunity; the category of such association types."""


def base_of(name: str) -> str:
    """Return the name by which the API knows an object type."""
    return name.partition(":")[0]


def object_type_of(describe: Json, name: str = "") -> ObjectType:
    """Return an object type as a describe tells of it, under ``name`` if it goes by another here."""
    native = str(describe["name"])
    listed = [entry for entry in describe["fields"] if not entry.get("deprecatedAndHidden")]
    by_name = {str(entry["name"]): entry for entry in listed}
    fields = {field: _field_of(native, entry, by_name) for field, entry in by_name.items()}
    record_types = [
        entry
        for entry in describe.get("recordTypeInfos") or ()
        if entry.get("available") and entry.get("active", True) and not entry.get("master")
    ]
    # What the org takes for rows that name none comes first.
    record_types.sort(key=lambda entry: not entry.get("defaultRecordTypeMapping"))
    if "RecordTypeId" in fields and record_types:
        fields["RecordTypeId"] = replace(
            fields["RecordTypeId"],
            kind=Kind.OPTION,
            options=tuple(Option(str(e["recordTypeId"]), str(e["name"])) for e in record_types),
            references=(),
        )
    label = str(describe.get("label") or native)
    display = next((field for field, entry in by_name.items() if entry.get("nameField")), "")
    return ObjectType(
        name=name or native,
        label=label,
        plural=str(describe.get("labelPlural") or label),
        singular=native,
        fields=fields,
        type_id=str(describe.get("keyPrefix") or "") if not name or name == native else "",
        required_any=tuple(group for group in _ONE_OF.get(native, ()) if set(group) & fields.keys()),
        custom=bool(describe.get("custom")),
        display_field=display,
    )


def _field_of(native: str, entry: Json, others: Mapping[str, Json]) -> Field:
    name, type_ = str(entry["name"]), str(entry["type"])
    kind = _KINDS.get(type_, Kind.OTHER)
    createable = bool(entry.get("createable"))
    calculated = bool(entry.get("calculated") or entry.get("autoNumber"))
    only_later = _ONLY_LATER.get((native, name), ())
    options, controller = _options_of(entry, others, only_later)
    required = (
        createable
        and not entry.get("nillable")
        and not entry.get("defaultedOnCreate")
        and kind is not Kind.BOOLEAN
    )
    minimum, maximum = _bounds(entry)
    demanded = name in _DEMANDED.get(native, ())
    return Field(
        name=name,
        label=str(entry.get("label") or name),
        kind=kind,
        options=options,
        external="stages" if (native, name) in STAGE_FIELDS else None,
        required=required or (demanded and createable),
        read_only=not createable,
        calculated=calculated,
        unique=bool(entry.get("unique")),
        custom=bool(entry.get("custom")),
        max_length=int(entry.get("length") or 0) or None if kind in _TEXTS else None,
        minimum=minimum,
        maximum=maximum,
        references=tuple(map(str, entry.get("referenceTo") or ())),
        unrestricted=kind in (Kind.OPTION, Kind.OPTIONS) and not entry.get("restrictedPicklist"),
        controller=controller,
        description=str(entry.get("inlineHelpText") or ""),
        native={"type": type_, **{hint: _text(entry[hint]) for hint in _HINTS if entry.get(hint)}},
    )


_TEXTS = {Kind.STRING, Kind.TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL}

# What else of a definition is worth keeping as it is.
_HINTS = (
    "autoNumber",
    "calculatedFormula",
    "compoundFieldName",
    "defaultedOnCreate",
    "externalId",
    "idLookup",
    "precision",
    "relationshipName",
    "scale",
)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bounds(entry: Json) -> tuple[str | None, str | None]:
    """Return the bounds of a number that its digits and decimals leave."""
    digits, scale = int(entry.get("digits") or 0), 0
    if entry.get("precision") and entry["type"] in ("double", "currency", "percent"):
        digits, scale = int(entry["precision"]), int(entry.get("scale") or 0)
    if not digits or entry["type"] not in ("int", "double", "currency", "percent"):
        return None, None
    most = format(Decimal(10) ** (digits - scale) - Decimal(1).scaleb(-scale), "f")
    return f"-{most}", most


def _options_of(
    entry: Json, others: Mapping[str, Json], only_later: Sequence[str]
) -> tuple[tuple[Option, ...], str]:
    """Return a picklist's options, and the name of the field that controls them."""
    controller = str(entry.get("controllerName") or "") if entry.get("dependentPicklist") else ""
    controlling: list[str] | None = None
    if controller in others:
        source = others[controller]
        if source["type"] == "boolean":
            controlling = ["false", "true"]
        else:
            controlling = [str(value["value"]) for value in source.get("picklistValues") or ()]
    options = tuple(
        Option(
            str(value["value"]),
            str(value.get("label") or value["value"]),
            hidden=not value.get("active", True) or value["value"] in only_later,
            valid_for=_valid_for(value.get("validFor"), controlling) if controlling else (),
        )
        for value in entry.get("picklistValues") or ()
    )
    return options, controller if controlling else ""


def _valid_for(bits: object, controlling: Sequence[str]) -> tuple[str, ...]:
    """Return the controlling values that a bit set names: the first is the highest bit of the first byte."""
    try:
        octets = base64.b64decode(str(bits or ""), validate=True)
    except (binascii.Error, ValueError):
        return ()
    return tuple(
        value
        for place, value in enumerate(controlling)
        if place >> 3 < len(octets) and octets[place >> 3] & (0x80 >> (place & 7))
    )


# -- stages --------------------------------------------------------------------------------------
STAGE_FIELDS = {("Opportunity", "StageName"), ("Case", "Status")}
"""Picklists whose values say how far a record has come: object type and field."""

# An org's own tell more than their labels; of these stock ones it is known what they mean.
_STOCK_PROBABILITIES = dict(
    zip(
        (
            "Prospecting",
            "Qualification",
            "Needs Analysis",
            "Value Proposition",
            "Id. Decision Makers",
            "Perception Analysis",
            "Proposal/Price Quote",
            "Negotiation/Review",
            "Closed Won",
            "Closed Lost",
        ),
        (0.1, 0.1, 0.2, 0.5, 0.6, 0.7, 0.75, 0.9, 1.0, 0.0),
        strict=True,
    )
)
_STOCK_CLOSED = frozenset({"Closed Won", "Closed Lost", "Closed"})


def with_stages(object_type: ObjectType, rows: Sequence[Json] | None) -> ObjectType:
    """Return an object type with its stages as a pipeline.

    ``rows`` are those of OpportunityStage or CaseStatus; without them, stages are what the picklist
    lists, and only the stock ones are known to be closed or to have a probability.
    """
    field = next((f for f in object_type.fields.values() if f.external == "stages"), None)
    if field is None:
        return object_type
    by_value = {str(row.get("ApiName") or row.get("MasterLabel")): row for row in rows or ()}
    stages = []
    for order, option in enumerate(o for o in field.options if not o.hidden):
        row = by_value.get(option.value)
        probability = _STOCK_PROBABILITIES.get(option.value) if field.name == "StageName" else None
        closed = option.value in _STOCK_CLOSED
        if row is not None:
            closed = bool(row.get("IsClosed"))
            given = row.get("DefaultProbability")
            probability = float(given) / 100 if given is not None else None
            if row.get("IsWon"):
                probability = 1.0
        stages.append(Stage(option.value, option.label, order, closed, probability))
    if not stages:
        return object_type
    return replace(
        object_type,
        pipelines=(Pipeline(MASTER_RECORD_TYPE, f"{object_type.label} stages", tuple(stages)),),
    )


# -- what belongs to several objects ---------------------------------------------------------------
def with_roles(opportunity: ObjectType, roles: ObjectType | None) -> ObjectType:
    """Return opportunities with the association types of contacts: one, and one for each role."""
    if roles is None or "Role" not in roles.fields:
        return opportunity
    labels = [None, *(option.value for option in roles.fields["Role"].options if not option.hidden)]
    return replace(
        opportunity,
        associations=tuple(
            Association("Contact", number, ROLES, label=label) for number, label in enumerate(labels)
        ),
    )


def with_price(product: ObjectType, entries: ObjectType | None) -> ObjectType:
    """Return products with the price of the standard price book's entry as a field."""
    if entries is None:
        return product
    fields = dict(product.fields)
    for name, own in ((PRICE, "UnitPrice"), (PRICE_CURRENCY, "CurrencyIsoCode")):
        if own in entries.fields:
            fields[name] = replace(entries.fields[own], name=name, required=False)
    return replace(product, fields=fields)


# Objects that records refer to and that are not seeded.
_PREFIXES = {"User": "005", "RecordType": "012", "Organization": "00D"}
_PREFIX_LENGTH = 3


def with_id_patterns(object_types: Mapping[str, ObjectType]) -> dict[str, ObjectType]:
    """Return object types whose references take ids of their targets only, which the first letters tell.

    Where one of the targets' letters are not known, any id will do.
    """
    prefixes = {
        **_PREFIXES,
        **{name: each.type_id for name, each in object_types.items() if len(each.type_id) == _PREFIX_LENGTH},
    }

    def bound(field: Field) -> Field:
        known = [prefixes.get(target) for target in field.references]
        if field.kind is not Kind.REFERENCE or not known or None in known:
            return field
        first = "|".join(sorted(filter(None, known)))
        return replace(field, pattern=f"({first})[0-9A-Za-z]{{12}}([0-9A-Za-z]{{3}})?")

    return {
        name: replace(each, fields={field.name: bound(field) for field in each.fields.values()})
        for name, each in object_types.items()
    }


def variants(object_type: ObjectType, person_types: Collection[str] | None) -> list[ObjectType]:
    """Return an object type and those others that share its native one.

    ``person_types`` are the record types of people's accounts.
    """
    if object_type.name == person_accounts.ACCOUNT and person_accounts.are_on(object_type):
        return person_accounts.split(object_type, person_types)
    others = VARIANTS.get(object_type.name, ())
    return [
        object_type,
        *(
            replace(
                object_type,
                name=name,
                type_id="",
                label=_label(name),
                plural=f"{_label(name)}s",
                singular=name,
            )
            for name in others
        ),
    ]


def _label(name: str) -> str:
    return f"Task ({name.partition(':')[2].lower()})"
