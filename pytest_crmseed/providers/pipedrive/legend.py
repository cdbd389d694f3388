"""Pipedrive's data legend: neutral fields → fields of Pipedrive's objects.

Sources: Pipedrive docs, "API v2 reference" and "API v1 reference" (deals, persons, organizations, products,
activities, leads, notes). What they do not say is listed in ``unsure``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pytest_crmseed.providers.pipedrive.capabilities import KEY
from pytest_crmseed.providers.pipedrive.forms import FROM_WIRE, TO_WIRE, clock, read_clock
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


def _has_no(what: str, *fields: str) -> dict[str, str]:
    return {field: f"Pipedrive's {what} have no {field.replace('_', ' ')}." for field in fields}


# -- organizations and leads: several neutral fields in one text -----------------------------------------
_ADDRESS = {
    "street": "address.route",
    "city": "address.locality",
    "state": "address.admin_area_level_1",
    "postal_code": "address.postal_code",
    "country": "address.country",
}


def _address(*parts: str | None) -> str | None:
    street, city, state, postal_code, country = parts
    lines = (street, city, " ".join(filter(None, (state, postal_code))), country)
    return ", ".join(filter(None, lines)) or None


def _title(first_name: str | None, last_name: str | None, company_name: str | None) -> str | None:
    name = " ".join(filter(None, (first_name, last_name)))
    return f"{name} ({company_name})" if name and company_name else name or company_name


# -- deals: a fraction here, a percentage there -----------------------------------------------------------
def _percent(probability: Decimal | None) -> Decimal | None:
    if probability is None:
        return None
    if not 0 <= probability <= 1:
        raise Unusable("is no probability: give a number from 0 to 1")
    return probability * 100


def _fraction(native: Mapping[str, Any]) -> Decimal | None:
    percent = native.get("probability")
    return percent / 100 if isinstance(percent, Decimal) else None


# -- activities: days, times of day, and whether they are done ---------------------------------------------
def _due_date(at: datetime | None) -> date | None:
    return None if at is None else at.astimezone(UTC).date()


def _due_time(at: datetime | None) -> str | None:
    if at is None:
        return None
    if at.microsecond:
        raise Unusable("has a part of a second, and Pipedrive keeps whole ones")
    return at.astimezone(UTC).strftime("%H:%M:%S")


def _at(native: Mapping[str, Any]) -> datetime | None:
    day, due_time = native.get("due_date"), native.get("due_time")
    if not isinstance(day, date):
        return None
    midnight = datetime.combine(day, time(), UTC)
    return midnight + read_clock(due_time) if due_time else midnight


def _duration(duration: timedelta | None) -> str | None:
    return None if duration is None else clock(duration)


def _lasts(native: Mapping[str, Any]) -> timedelta | None:
    duration = native.get("duration")
    return read_clock(duration) if duration else None


_COMPLETED = "completed"


def _done(status: str | None) -> bool | None:
    return None if status is None else status.casefold() == _COMPLETED


def _status(instead: str) -> Composed:
    """Return how a status is kept: an activity is done or it is not."""

    def read(native: Mapping[str, Any]) -> str | None:
        done = native.get("done")
        return None if done is None else _COMPLETED if done else instead

    return Composed("done", parts=("status",), write=_done, read={"status": read})


_WHEN = (
    Composed("due_date", ("at",), _due_date, {"at": _at}, {"at": Kind.DATETIME}),
    Composed("due_time", ("at",), _due_time, {}, {"at": Kind.DATETIME}),
    Composed("duration", ("duration",), _duration, {"duration": _lasts}, {"duration": Kind.DURATION}),
)

_ACTIVITY = {"subject": "subject", "body": "note"}

_OBJECTS = (
    ObjectLegend(
        neutral="companies",
        native="organizations",
        fields=_fields(
            name="name",
            domain="website",
            employees=FieldLegend("employee_count", kind=Kind.INTEGER),
            annual_revenue=FieldLegend("annual_revenue", kind=Kind.DECIMAL),
            **_ADDRESS,
        ),
        composed=(Composed("address", tuple(_ADDRESS), _address),),
        homeless={
            "industry": (
                "Pipedrive's industries are a list of its own; give one of them, with native={'industry': …}."
            ),
            **_has_no("organizations", "phone", "description"),
        },
    ),
    ObjectLegend(
        neutral="contacts",
        native="persons",
        fields=_fields(
            first_name="first_name",
            last_name="last_name",
            email="emails",
            phone="phones",
            mobile_phone="phones.mobile",
        ),
        homeless={
            "job_title": "Pipedrive takes a person's job title only where Contact Sync was set up.",
            **_has_no("persons", "street", "city", "state", "postal_code", "country", "lifecycle_stage"),
        },
    ),
    ObjectLegend(
        neutral="leads",
        native="leads",
        fields={},
        composed=(Composed("title", ("first_name", "last_name", "company_name"), _title),),
        homeless={
            "email": "a lead of Pipedrive has the e-mail address of its person; set it on the contact.",
            "phone": "a lead of Pipedrive has the phone number of its person; set it on the contact.",
            **_has_no("leads", "status", "source"),
        },
    ),
    ObjectLegend(
        neutral="deals",
        native="deals",
        fields=_fields(
            name="title",
            amount=_decimal("value"),
            currency="currency",
            stage=FieldLegend("stage", role="stage"),
            pipeline=FieldLegend("pipeline_id", role="pipeline"),
            close_date=FieldLegend("expected_close_date", kind=Kind.DATE),
        ),
        composed=(
            Composed(
                "probability",
                parts=("probability",),
                write=_percent,
                read={"probability": _fraction},
                kinds={"probability": Kind.DECIMAL},
            ),
        ),
        homeless=_has_no("deals", "description"),
    ),
    ObjectLegend(
        neutral="products",
        native="products",
        fields=_fields(
            name="name",
            sku="code",
            price=_decimal("prices.price"),
            currency="prices.currency",
            description="description",
            active=FieldLegend("is_linkable", kind=Kind.BOOLEAN),
        ),
    ),
    ObjectLegend(
        neutral="line_items",
        native="deal_products",
        fields=_fields(
            quantity=_decimal("quantity"), price=_decimal("item_price"), discount=_decimal("discount")
        ),
    ),
    ObjectLegend(
        neutral="notes",
        native="notes",
        fields=_fields(body="content", at="add_time"),
        homeless=_has_no("notes", "subject", "due_date", "status", "priority", "duration"),
    ),
    ObjectLegend(
        neutral="tasks",
        native="activities",
        fields=_fields(
            **_ACTIVITY,
            due_date=FieldLegend("due_date", kind=Kind.DATE),
            priority=FieldLegend("priority", options={"low": "Low", "medium": "Medium", "high": "High"}),
        ),
        composed=(_status("not_started"),),
        homeless={
            "at": "a task of Pipedrive has a day; set due_date, and native={'due_time': …} for a time.",
            **_has_no("tasks", "duration"),
        },
    ),
    ObjectLegend(
        neutral="calls",
        native="activities:call",
        fields=_fields(**_ACTIVITY),
        composed=(*_WHEN, _status("scheduled")),
        homeless=_has_no("calls", "due_date", "priority"),
    ),
    ObjectLegend(
        neutral="meetings",
        native="activities:meeting",
        fields=_fields(**_ACTIVITY),
        composed=(*_WHEN, _status("scheduled")),
        homeless=_has_no("meetings", "due_date", "priority"),
    ),
)

LEGEND = Legend(
    objects={entry.neutral: entry for entry in _OBJECTS},
    to_wire=TO_WIRE,
    from_wire=FROM_WIRE,
    key_field=KEY,
    lacking={
        "tickets": "Pipedrive has no tickets; make deals in a pipeline of their own, or tasks.",
        "orders": "Pipedrive has no orders; make won deals with line items.",
        "campaigns": "Pipedrive's API makes no campaigns.",
        "quotes": "Pipedrive's API makes no quotes; make deals with line items.",
        "emails": "Pipedrive's API makes no e-mails; make notes.",
    },
)
