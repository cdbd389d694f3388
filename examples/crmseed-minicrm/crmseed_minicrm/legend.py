"""MiniCRM's data legend: neutral names and values, and what MiniCRM calls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pytest_crmseed.planning import LinkRule
from pytest_crmseed.schema.legend import FieldLegend, Legend, ObjectLegend
from pytest_crmseed.schema.model import Kind

KEY = "crmseed_key"

_OBJECTS = (
    ObjectLegend(
        neutral="companies",
        native="organisations",
        fields={
            "name": FieldLegend("name"),
            "domain": FieldLegend("website"),
            "phone": FieldLegend("phone"),
            "employees": FieldLegend("staff"),
            "city": FieldLegend("city"),
        },
    ),
    ObjectLegend(
        neutral="contacts",
        native="people",
        fields={
            "first_name": FieldLegend("given_name"),
            "last_name": FieldLegend("family_name"),
            "email": FieldLegend("email"),
            "phone": FieldLegend("phone"),
        },
        unique_together=(("email",),),
    ),
    ObjectLegend(
        neutral="deals",
        native="deals",
        fields={
            "name": FieldLegend("title"),
            "amount": FieldLegend("value"),
            "close_date": FieldLegend("closes_on"),
            "stage": FieldLegend(
                "phase",
                options={
                    "new": "lead",
                    "qualified": "contacted",
                    "proposal": "offer",
                    "negotiation": "talks",
                    "closed_won": "won",
                    "closed_lost": "lost",
                },
            ),
        },
        homeless={"probability": "MiniCRM's deals have no probability."},
    ),
)

LINKS: Mapping[str, Mapping[str, LinkRule]] = {
    "companies": {},
    "contacts": {"company": LinkRule("companies", home="organisation_id")},
    "deals": {
        "company": LinkRule("companies", made=True, home="organisation_id"),
        "contacts": LinkRule("contacts", made=True, of="company", home="person_id"),
    },
}


def _date(raw: Any) -> date:
    return date.fromisoformat(str(raw))


def _moment(raw: Any) -> datetime:
    moment = datetime.fromisoformat(str(raw))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


TO_WIRE: Mapping[Kind, Callable[[Any], Any]] = {
    **dict.fromkeys(Kind, str),
    Kind.INTEGER: int,
    # As text: a JSON number would lose digits on the way.
    Kind.DECIMAL: lambda value: format(Decimal(value), "f"),
    Kind.BOOLEAN: bool,
    Kind.DATE: lambda value: value.isoformat(),
    Kind.DATETIME: lambda value: value.astimezone(UTC).isoformat(),
    Kind.DURATION: lambda value: value // timedelta(seconds=1),
    Kind.OPTIONS: list,
}
FROM_WIRE: Mapping[Kind, Callable[[Any], Any]] = {
    **dict.fromkeys(Kind, str),
    Kind.INTEGER: int,
    Kind.DECIMAL: lambda raw: Decimal(str(raw)),
    Kind.BOOLEAN: bool,
    Kind.DATE: _date,
    Kind.DATETIME: _moment,
    Kind.DURATION: lambda raw: timedelta(seconds=int(raw)),
    Kind.OPTIONS: tuple,
}

LEGEND = Legend(
    objects={entry.neutral: entry for entry in _OBJECTS},
    to_wire=TO_WIRE,
    from_wire=FROM_WIRE,
    key_field=KEY,
    lacking={"tickets": "MiniCRM has no tickets.", "products": "MiniCRM has no products."},
)
