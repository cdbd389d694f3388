"""Salesforce's data legend: neutral fields → fields of standard objects.

Sources: Salesforce docs, "Object Reference", and describes recorded from real orgs. What neither says is
listed in ``unsure``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pytest_crmseed.providers.salesforce.capabilities import KEY
from pytest_crmseed.providers.salesforce.definitions import PRICE, PRICE_CURRENCY
from pytest_crmseed.providers.salesforce.forms import FROM_WIRE, TO_WIRE
from pytest_crmseed.schema.legend import Composed, FieldLegend, Legend, ObjectLegend
from pytest_crmseed.schema.model import Kind
from pytest_crmseed.schema.tables import Unusable


def _fields(**homes: str | FieldLegend) -> dict[str, FieldLegend]:
    return {
        neutral: home if isinstance(home, FieldLegend) else FieldLegend(home)
        for neutral, home in homes.items()
    }


def _decimal(native: str) -> FieldLegend:
    return FieldLegend(native, kind=Kind.DECIMAL)


def _address(prefix: str = "") -> dict[str, str]:
    parts = {
        "street": "Street",
        "city": "City",
        "state": "State",
        "postal_code": "PostalCode",
        "country": "Country",
    }
    return {neutral: f"{prefix}{native}" for neutral, native in parts.items()}


# Salesforce's own industries that go by another name than the neutral ones; all others go out as they
# are, since the picklist takes any text.
_INDUSTRIES = {
    "Computer Software": "Technology",
    "Education Management": "Education",
    "Financial Services": "Finance",
    "Food & Beverages": "Food & Beverage",
    "Hospital & Health Care": "Healthcare",
    "Logistics and Supply Chain": "Shipping",
    "Management Consulting": "Consulting",
    "Marketing and Advertising": "Media",
    "Renewables & Environment": "Environmental",
}


# -- deals: a fraction here, a percentage there --------------------------------------------------------
def _percent(probability: Decimal | None) -> Decimal | None:
    if probability is None:
        return None
    percent = probability * 100
    if not 0 <= percent <= 100:
        raise Unusable("is no probability: give a number from 0 to 1")
    if percent != percent.to_integral_value():
        raise Unusable("is no whole percentage, and Salesforce keeps whole ones")
    return percent


def _fraction(native: Mapping[str, Any]) -> Decimal | None:
    percent = native.get("Probability")
    return percent / 100 if isinstance(percent, Decimal) else None


# -- activities: days and durations ----------------------------------------------------------------------
def _day(at: datetime | None) -> date | None:
    return None if at is None else at.astimezone(UTC).date()


def _midnight(native: Mapping[str, Any]) -> datetime | None:
    day = native.get("ActivityDate")
    return datetime.combine(day, time(), UTC) if isinstance(day, date) else None


_ON_THE_DAY = Composed(
    "ActivityDate",
    parts=("at",),
    write=_day,
    read={"at": _midnight},
    kinds={"at": Kind.DATETIME},
)


def _seconds(duration: timedelta | None) -> int | None:
    if duration is None:
        return None
    if duration < timedelta() or duration % timedelta(seconds=1):
        raise Unusable("is no number of whole seconds from 0 on, as Salesforce keeps a call's duration")
    return duration // timedelta(seconds=1)


def _call_duration(native: Mapping[str, Any]) -> timedelta | None:
    seconds = native.get("CallDurationInSeconds")
    return timedelta(seconds=seconds) if isinstance(seconds, int) else None


def _event_end(at: datetime | None, duration: timedelta | None) -> datetime | None:
    if at is None:
        if duration is None:
            return None
        raise Unusable("needs a value for at too: Salesforce keeps when an event ends, not how long it lasts")
    try:
        # Salesforce takes no event without an end.
        return at + (duration or timedelta())
    except OverflowError:
        raise Unusable("ends after the year 9999") from None


def _event_duration(native: Mapping[str, Any]) -> timedelta | None:
    start, end = native.get("StartDateTime"), native.get("EndDateTime")
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return None
    return end - start


def _has_no(what: str, *fields: str) -> dict[str, str]:
    return {field: f"Salesforce's {what} have no {field.replace('_', ' ')}." for field in fields}


_TASK = {"subject": "Subject", "body": "Description"}

_OBJECTS = (
    ObjectLegend(
        neutral="companies",
        native="Account",
        fields=_fields(
            name="Name",
            domain="Website",
            industry=FieldLegend("Industry", options=_INDUSTRIES),
            phone="Phone",
            employees=FieldLegend("NumberOfEmployees", kind=Kind.INTEGER),
            annual_revenue=_decimal("AnnualRevenue"),
            description="Description",
            **_address("Billing"),
        ),
        homeless=dict.fromkeys(
            ("FirstName", "LastName", "Salutation", "PersonEmail"),
            "companies have a name; where the org has person accounts, people are of the object type "
            "Account:Person.",
        ),
    ),
    ObjectLegend(
        neutral="contacts",
        native="Contact",
        fields=_fields(
            first_name="FirstName",
            last_name="LastName",
            email="Email",
            phone="Phone",
            mobile_phone="MobilePhone",
            job_title="Title",
            **_address("Mailing"),
        ),
        homeless={
            "lifecycle_stage": (
                "Salesforce's contacts have no lifecycle stage, people come as leads first; make leads, or "
                "set a field of your own."
            )
        },
    ),
    ObjectLegend(
        neutral="leads",
        native="Lead",
        fields=_fields(
            first_name="FirstName",
            last_name="LastName",
            email="Email",
            phone="Phone",
            company_name="Company",
            status=FieldLegend(
                "Status",
                options={
                    "new": "Open - Not Contacted",
                    "connected": "Working - Contacted",
                    "attempting": "Working - Contacted",
                    "qualified": "Working - Contacted",
                    "unqualified": "Closed - Not Converted",
                },
            ),
            source=FieldLegend(
                "LeadSource",
                options={
                    "website": "Web",
                    "referral": "External Referral",
                    "event": "Trade Show",
                    "advertisement": "Advertisement",
                    "partner": "Partner Referral",
                    "cold_call": "Phone Inquiry",
                },
            ),
        ),
    ),
    ObjectLegend(
        neutral="deals",
        native="Opportunity",
        fields=_fields(
            name="Name",
            amount=_decimal("Amount"),
            currency="CurrencyIsoCode",
            stage=FieldLegend("StageName", role="stage"),
            pipeline="RecordTypeId",
            close_date=FieldLegend("CloseDate", kind=Kind.DATE),
            description="Description",
        ),
        composed=(
            Composed(
                "Probability",
                parts=("probability",),
                write=_percent,
                read={"probability": _fraction},
                kinds={"probability": Kind.DECIMAL},
            ),
        ),
    ),
    ObjectLegend(
        neutral="tickets",
        native="Case",
        fields=_fields(
            subject="Subject",
            description="Description",
            status=FieldLegend("Status", role="status"),
            # Three are all that Salesforce has from the start; what is urgent is of the highest.
            priority=FieldLegend(
                "Priority", options={"low": "Low", "medium": "Medium", "high": "High", "urgent": "High"}
            ),
        ),
    ),
    ObjectLegend(
        neutral="products",
        native="Product2",
        fields=_fields(
            name="Name",
            sku="ProductCode",
            price=_decimal(PRICE),
            currency=PRICE_CURRENCY,
            description="Description",
            active=FieldLegend("IsActive", kind=Kind.BOOLEAN),
        ),
    ),
    ObjectLegend(
        neutral="line_items",
        native="OpportunityLineItem",
        fields=_fields(quantity=_decimal("Quantity"), price=_decimal("UnitPrice")),
        homeless={
            "discount": (
                "a discount in Salesforce is a percentage of a line item's price, and no amount; give a "
                "lower price instead."
            )
        },
    ),
    ObjectLegend(
        neutral="orders",
        native="Order",
        fields=_fields(name="Name", currency="CurrencyIsoCode"),
        homeless={"amount": "Salesforce adds an order's amount up from its items; make OrderItem records."},
    ),
    ObjectLegend(
        neutral="notes",
        native="Task:Note",
        fields=_fields(**_TASK),
        composed=(_ON_THE_DAY,),
        homeless=_has_no("notes", "due_date", "status", "priority", "duration"),
    ),
    ObjectLegend(
        neutral="calls",
        native="Task:Call",
        fields=_fields(**_TASK, status="CallDisposition"),
        composed=(
            _ON_THE_DAY,
            Composed(
                "CallDurationInSeconds",
                parts=("duration",),
                write=_seconds,
                read={"duration": _call_duration},
                kinds={"duration": Kind.DURATION},
            ),
        ),
        homeless=_has_no("calls", "due_date", "priority"),
    ),
    ObjectLegend(
        neutral="tasks",
        native="Task",
        fields=_fields(
            **_TASK,
            due_date=FieldLegend("ActivityDate", kind=Kind.DATE),
            status=FieldLegend(
                "Status",
                options={
                    "not_started": "Not Started",
                    "in_progress": "In Progress",
                    "waiting": "Waiting on someone else",
                    "completed": "Completed",
                    "deferred": "Deferred",
                },
            ),
            priority=FieldLegend("Priority", options={"low": "Low", "medium": "Normal", "high": "High"}),
        ),
        homeless={
            "at": "a task of Salesforce has a day and no time; set due_date.",
            **_has_no("tasks", "duration"),
        },
    ),
    ObjectLegend(
        neutral="meetings",
        native="Event",
        fields=_fields(**_TASK, at="StartDateTime"),
        composed=(
            Composed(
                "EndDateTime",
                parts=("at", "duration"),
                write=_event_end,
                read={"duration": _event_duration},
                kinds={"duration": Kind.DURATION},
            ),
        ),
        homeless=_has_no("events", "due_date", "status", "priority"),
    ),
    ObjectLegend(
        neutral="campaigns",
        native="Campaign",
        fields=_fields(name="Name", description="Description", status="Status"),
    ),
)

LEGEND = Legend(
    objects={entry.neutral: entry for entry in _OBJECTS},
    to_wire=TO_WIRE,
    from_wire=FROM_WIRE,
    key_field=KEY,
)

CONSTANTS: Mapping[str, Mapping[str, Any]] = {
    # A call and a note are over when they are written down.
    "Task:Call": {"TaskSubtype": "Call", "Status": "Completed"},
    "Task:Note": {"Status": "Completed"},
}
"""Values that make an object type what it is, by its name in the schema; any other value goes before."""
