"""HubSpot's data legend: neutral fields → properties.

Sources: HubSpot docs, the guides on contacts, companies, deals, tickets, leads, products, line items,
orders, notes, tasks, calls and meetings. What no page says is listed in ``unsure``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pytest_crmseed.providers.hubspot.capabilities import KEY
from pytest_crmseed.providers.hubspot.forms import FROM_WIRE, TO_WIRE
from pytest_crmseed.schema.legend import Composed, FieldLegend, Legend, ObjectLegend
from pytest_crmseed.schema.model import Kind
from pytest_crmseed.schema.tables import Unusable


def _fields(**homes: str | FieldLegend) -> dict[str, FieldLegend]:
    return {
        neutral: home if isinstance(home, FieldLegend) else FieldLegend(home)
        for neutral, home in homes.items()
    }


def _upper(native: str, *values: str) -> FieldLegend:
    """Return the home of a picklist whose options are the neutral values in capitals."""
    return FieldLegend(native, options={value: value.upper() for value in values})


_ADDRESS = {"city": "city", "state": "state", "postal_code": "zip", "country": "country"}


# -- leads: one name for all ---------------------------------------------------------------------
def _lead_name(first_name: str | None, last_name: str | None, company_name: str | None) -> str | None:
    person = " ".join(part for part in (first_name, last_name) if part)
    return " - ".join(part for part in (person, company_name) if part) or None


_OF_ITS_CONTACT = "a lead of HubSpot has none of its own, it is its contact's; set it there."


# -- products: whether one is on sale ------------------------------------------------------------
def _product_status(active: bool | None) -> str | None:
    return None if active is None else "active" if active else "inactive"


def _product_active(native: Mapping[str, Any]) -> bool | None:
    return native["hs_status"] == "active" if "hs_status" in native else None


# -- meetings: when they start and end -----------------------------------------------------------
def _meeting_end(at: datetime | None, duration: timedelta | None) -> datetime | None:
    if duration is None:
        return None
    if at is None:
        raise Unusable("needs a value for at too: HubSpot keeps when a meeting ends, not how long it lasts")
    try:
        return at + duration
    except OverflowError:
        raise Unusable("ends after the year 9999") from None


def _meeting_duration(native: Mapping[str, Any]) -> timedelta | None:
    start, end = native.get("hs_meeting_start_time"), native.get("hs_meeting_end_time")
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return None
    return end - start


def _has_no(what: str, *fields: str) -> dict[str, str]:
    return {field: f"HubSpot's {what} have no {field.replace('_', ' ')}." for field in fields}


_OBJECTS = (
    ObjectLegend(
        neutral="companies",
        native="companies",
        fields=_fields(
            name="name",
            domain="domain",
            industry="industry",
            phone="phone",
            employees=FieldLegend("numberofemployees", kind=Kind.INTEGER),
            annual_revenue=FieldLegend("annualrevenue", kind=Kind.DECIMAL),
            description="description",
            street="address",
            **_ADDRESS,
        ),
    ),
    ObjectLegend(
        neutral="contacts",
        native="contacts",
        fields=_fields(
            first_name="firstname",
            last_name="lastname",
            email="email",
            phone="phone",
            mobile_phone="mobilephone",
            job_title="jobtitle",
            street="address",
            lifecycle_stage="lifecyclestage",
            **_ADDRESS,
        ),
        unique_together=(("email", "hs_additional_emails"),),
    ),
    ObjectLegend(
        neutral="leads",
        native="leads",
        fields=_fields(
            status=FieldLegend(
                "hs_pipeline_stage",
                role="status",
                options={
                    name: f"{name}-stage-id"
                    for name in ("new", "attempting", "connected", "qualified", "unqualified")
                },
            ),
            pipeline=FieldLegend("hs_pipeline", role="pipeline"),
        ),
        composed=(
            Composed(
                "hs_lead_name",
                parts=("first_name", "last_name", "company_name"),
                write=_lead_name,
                kinds=dict.fromkeys(("first_name", "last_name", "company_name"), Kind.STRING),
            ),
        ),
        homeless={
            "email": _OF_ITS_CONTACT,
            "phone": _OF_ITS_CONTACT,
            "source": "HubSpot takes a lead's source from its contact; it cannot be set.",
        },
    ),
    ObjectLegend(
        neutral="deals",
        native="deals",
        fields=_fields(
            name="dealname",
            amount=FieldLegend("amount", kind=Kind.DECIMAL),
            currency="deal_currency_code",
            stage=FieldLegend("dealstage", role="stage"),
            pipeline=FieldLegend("pipeline", role="pipeline"),
            close_date=FieldLegend("closedate", kind=Kind.DATE),
            description="description",
        ),
        homeless={
            "probability": (
                "HubSpot computes a deal's probability from its stage; set stage instead "
                "(each stage of the pipeline has a probability)."
            )
        },
    ),
    ObjectLegend(
        neutral="tickets",
        native="tickets",
        fields=_fields(
            subject="subject",
            description="content",
            status=FieldLegend("hs_pipeline_stage", role="status"),
            pipeline=FieldLegend("hs_pipeline", role="pipeline"),
            priority=_upper("hs_ticket_priority", "low", "medium", "high", "urgent"),
        ),
    ),
    ObjectLegend(
        neutral="products",
        native="products",
        fields=_fields(
            name="name",
            sku="hs_sku",
            price=FieldLegend("price", kind=Kind.DECIMAL),
            description="description",
        ),
        composed=(
            Composed(
                "hs_status",
                parts=("active",),
                write=_product_status,
                read={"active": _product_active},
                kinds={"active": Kind.BOOLEAN},
            ),
        ),
        homeless={
            "currency": (
                "HubSpot's products are priced in the currency of the portal's company; prices in others "
                "have properties of their own (hs_price_eur, …)."
            )
        },
    ),
    ObjectLegend(
        neutral="line_items",
        native="line_items",
        fields=_fields(
            quantity=FieldLegend("quantity", kind=Kind.DECIMAL),
            price=FieldLegend("price", kind=Kind.DECIMAL),
            discount=FieldLegend("discount", kind=Kind.DECIMAL),
        ),
    ),
    ObjectLegend(
        neutral="orders",
        native="orders",
        fields=_fields(
            name="hs_order_name",
            amount=FieldLegend("hs_total_price", kind=Kind.DECIMAL),
            currency="hs_currency_code",
        ),
    ),
    ObjectLegend(
        neutral="notes",
        native="notes",
        fields=_fields(body="hs_note_body", at="hs_timestamp"),
        homeless={
            # Put into the body, it would not come back as what was given.
            "subject": "HubSpot's notes have no subject; write it into body.",
            **_has_no("notes", "due_date", "status", "priority", "duration"),
        },
    ),
    ObjectLegend(
        neutral="tasks",
        native="tasks",
        fields=_fields(
            subject="hs_task_subject",
            body="hs_task_body",
            due_date=FieldLegend("hs_timestamp", kind=Kind.DATE),
            status=_upper("hs_task_status", "not_started", "in_progress", "waiting", "completed", "deferred"),
            priority=_upper("hs_task_priority", "low", "medium", "high"),
        ),
        homeless={
            "at": (
                "the time of a task is when it is due in HubSpot; set due_date, or hs_timestamp for a time "
                "of that day."
            ),
            **_has_no("tasks", "duration"),
        },
    ),
    ObjectLegend(
        neutral="calls",
        native="calls",
        fields=_fields(
            subject="hs_call_title",
            body="hs_call_body",
            at="hs_timestamp",
            status=_upper(
                "hs_call_status",
                "busy",
                "calling_crm_user",
                "canceled",
                "completed",
                "connecting",
                "failed",
                "in_progress",
                "missed",
                "no_answer",
                "queued",
                "ringing",
            ),
            duration="hs_call_duration",
        ),
        homeless=_has_no("calls", "due_date", "priority"),
    ),
    ObjectLegend(
        neutral="meetings",
        native="meetings",
        fields=_fields(
            subject="hs_meeting_title",
            body="hs_meeting_body",
            at="hs_timestamp",
            status=_upper(
                "hs_meeting_outcome", "scheduled", "completed", "rescheduled", "no_show", "canceled"
            ),
        ),
        composed=(
            Composed("hs_meeting_start_time", parts=("at",), write=lambda at: at),
            Composed(
                "hs_meeting_end_time",
                parts=("at", "duration"),
                write=_meeting_end,
                read={"duration": _meeting_duration},
                kinds={"duration": Kind.DURATION},
            ),
        ),
        homeless=_has_no("meetings", "due_date", "priority"),
    ),
)

LEGEND = Legend(
    objects={entry.neutral: entry for entry in _OBJECTS},
    to_wire=TO_WIRE,
    from_wire=FROM_WIRE,
    key_field=KEY,
    lacking={
        "campaigns": (
            "HubSpot's campaigns are no object of its CRM API, so they cannot be seeded; ask for another "
            "object type."
        )
    },
)
