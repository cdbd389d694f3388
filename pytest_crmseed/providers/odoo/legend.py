"""Odoo's data legend: neutral fields → fields of Odoo's models.

Sources: Odoo docs, "External JSON-2 API"; ``fields_get`` of a server. What they do not say is listed in
``unsure``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pytest_crmseed.providers.odoo.capabilities import KEY
from pytest_crmseed.providers.odoo.forms import FROM_WIRE, TO_WIRE, html, plain
from pytest_crmseed.schema.legend import Composed, FieldLegend, Legend, ObjectLegend
from pytest_crmseed.schema.model import Kind
from pytest_crmseed.schema.tables import Unusable


def _fields(**homes: str | FieldLegend) -> dict[str, FieldLegend]:
    return {
        neutral: home if isinstance(home, FieldLegend) else FieldLegend(home)
        for neutral, home in homes.items()
    }


def _has_no(what: str, *fields: str) -> dict[str, str]:
    return {field: f"Odoo's {what} have no {field.replace('_', ' ')}." for field in fields}


# -- texts ---------------------------------------------------------------------------------------
def _html(native: str, neutral: str) -> Composed:
    """Return how a text is kept in a field that holds HTML."""
    return Composed(native, (neutral,), html, {neutral: lambda values: plain(values.get(native))})


def _name(*parts: str | None) -> str | None:
    return " ".join(filter(None, parts)) or None


def _names(native: str) -> Composed:
    """Return how a first and a last name are kept in one text; back, the first word is the first name."""

    def words(values: Mapping[str, Any]) -> tuple[str | None, str | None]:
        first, _, last = str(values.get(native) or "").partition(" ")
        return (first, last) if last else (None, first or None)

    return Composed(
        native,
        ("first_name", "last_name"),
        _name,
        {"first_name": lambda values: words(values)[0], "last_name": lambda values: words(values)[1]},
    )


def _title(first_name: str | None, last_name: str | None, company_name: str | None) -> str | None:
    name = _name(first_name, last_name)
    return f"{name} ({company_name})" if name and company_name else name or company_name


_SCHEME = "http://"


def _website(domain: str | None) -> str | None:
    # Odoo puts it before a bare domain.
    return domain and (domain if "://" in domain else f"{_SCHEME}{domain}")


def _domain(native: Mapping[str, Any]) -> str | None:
    website = native.get("website")
    return str(website).partition("://")[2] or str(website) if website else None


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


def _day(at: datetime | None) -> date | None:
    return None if at is None else at.astimezone(UTC).date()


_DAY = Composed("date_deadline", ("at",), _day, kinds={"at": Kind.DATETIME})
_ADDRESS: dict[str, str | FieldLegend] = {
    "street": "street",
    "city": "city",
    "postal_code": "zip",
    "country": FieldLegend("country_id", by_label=True),
}
_OF_COMPANY = (
    "a contact of Odoo has the address of its company; where it has no company, give native={'street': …}."
)
_STATE = "Odoo's states are a list of its own; give one's id, with native={'state_id': …}."
_CURRENCY = "Odoo keeps amounts in the currency of the company that the database is of."
_DONE = "an activity of Odoo is open until it is marked as done, which archives it."

_OBJECTS = (
    ObjectLegend(
        neutral="companies",
        native="res.partner:company",
        fields=_fields(name="name", phone="phone", **_ADDRESS),
        composed=(
            Composed("website", ("domain",), _website, {"domain": _domain}),
            _html("comment", "description"),
        ),
        homeless={
            "industry": (
                "Odoo's industries are a list of its own; give one of them, with "
                "native={'industry_id': 'Construction'}."
            ),
            "state": _STATE,
            **_has_no("companies", "employees", "annual_revenue"),
        },
    ),
    ObjectLegend(
        neutral="contacts",
        native="res.partner",
        fields=_fields(email="email", phone="phone", mobile_phone="mobile", job_title="function"),
        composed=(_names("name"),),
        homeless={
            **dict.fromkeys((*_ADDRESS, "state"), _OF_COMPANY),
            **_has_no("contacts", "lifecycle_stage"),
        },
    ),
    ObjectLegend(
        neutral="leads",
        native="crm.lead",
        fields=_fields(company_name="partner_name", email="email_from", phone="phone"),
        composed=(
            _names("contact_name"),
            Composed("name", ("first_name", "last_name", "company_name"), _title),
        ),
        homeless={
            "source": "Odoo's sources are a list of its own; give one of them, with native={'source_id': …}.",
            **_has_no("leads", "status"),
        },
    ),
    ObjectLegend(
        neutral="deals",
        native="crm.lead:opportunity",
        fields=_fields(
            name="name",
            amount=FieldLegend("expected_revenue", kind=Kind.DECIMAL),
            stage=FieldLegend("stage_id", role="stage"),
            close_date=FieldLegend("date_deadline", kind=Kind.DATE),
        ),
        composed=(
            Composed(
                "probability",
                ("probability",),
                _percent,
                {"probability": _fraction},
                {"probability": Kind.DECIMAL},
            ),
            _html("description", "description"),
        ),
        homeless={
            "currency": _CURRENCY,
            "pipeline": "Odoo's deals go by sales teams; give one of them, with native={'team_id': 'Sales'}.",
        },
    ),
    ObjectLegend(
        neutral="products",
        native="product.template",
        fields=_fields(
            name="name",
            sku="default_code",
            price=FieldLegend("list_price", kind=Kind.DECIMAL),
            description="description_sale",
            active=FieldLegend("active", kind=Kind.BOOLEAN),
        ),
        homeless={"currency": _CURRENCY},
    ),
    ObjectLegend(
        neutral="notes",
        native="mail.message",
        fields=_fields(subject="subject", at="date"),
        composed=(_html("body", "body"),),
        homeless=_has_no("notes", "due_date", "status", "priority", "duration"),
    ),
    ObjectLegend(
        neutral="tasks",
        native="mail.activity",
        fields=_fields(subject="summary", due_date=FieldLegend("date_deadline", kind=Kind.DATE)),
        composed=(_html("note", "body"),),
        homeless={
            "status": _DONE,
            "at": "a task of Odoo has a day; set due_date.",
            **_has_no("tasks", "priority", "duration"),
        },
    ),
    *(
        ObjectLegend(
            neutral=neutral,
            native=native,
            fields=_fields(subject="summary"),
            composed=(_html("note", "body"), _DAY),
            homeless={"status": _DONE, **_has_no(neutral, "due_date", "priority", "duration")},
        )
        for neutral, native in (("calls", "mail.activity:call"), ("meetings", "mail.activity:meeting"))
    ),
)

LEGEND = Legend(
    objects={entry.neutral: entry for entry in _OBJECTS},
    to_wire=TO_WIRE,
    from_wire=FROM_WIRE,
    key_field=KEY,
    lacking={
        "tickets": "Odoo's CRM has no tickets; name the model of the app that has ('helpdesk.ticket').",
        "line_items": "Odoo's CRM has no line items; name the model of Sales, 'sale.order.line'.",
        "orders": "Odoo's CRM has no orders; name the model of Sales, 'sale.order'.",
        "campaigns": "Odoo's campaigns go by the name of their model, 'utm.campaign'.",
        "quotes": "Odoo's CRM has no quotes; name the model of Sales, 'sale.order'.",
        "emails": "Odoo sends its e-mails; make notes.",
    },
)
