"""HubSpot's data legend: neutral fields → properties, and values as this API wants them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pytest_crmseed.providers.hubspot.capabilities import KEY
from pytest_crmseed.schema.legend import FieldLegend, Legend, ObjectLegend
from pytest_crmseed.schema.model import Kind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _fields(**homes: str | FieldLegend) -> dict[str, FieldLegend]:
    return {
        neutral: home if isinstance(home, FieldLegend) else FieldLegend(home)
        for neutral, home in homes.items()
    }


_ADDRESS = {"city": "city", "state": "state", "postal_code": "zip", "country": "country"}

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
)


def _number(value: Any) -> str:
    return format(Decimal(value), "f")


def _boolean(value: Any) -> str:
    return "true" if value else "false"


def _date(value: date) -> str:
    return value.isoformat()


def _datetime(value: datetime) -> str:
    # HubSpot docs, "Properties guide": ISO 8601 in UTC; it answers with milliseconds.
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _read_date(raw: Any) -> date:
    # HubSpot docs, "Properties guide": dates are answered as days or as milliseconds at midnight.
    return _read_datetime(raw).astimezone(UTC).date()


def _read_datetime(raw: Any) -> datetime:
    text = str(raw)
    if text.lstrip("-").isdigit():
        return _EPOCH + timedelta(milliseconds=int(text))
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_decimal(raw: Any) -> Decimal:
    return Decimal(str(raw))


def _read_integer(raw: Any) -> Any:
    number = Decimal(str(raw))
    return int(number) if number == number.to_integral_value() else number


def _read_boolean(raw: Any) -> bool:
    text = str(raw).lower()
    if text not in ("true", "false"):
        raise ValueError(f"{raw!r} is no boolean")
    return text == "true"


def _read_options(raw: Any) -> tuple[str, ...]:
    return tuple(part for part in str(raw).split(";") if part)


_TO_WIRE = dict.fromkeys(Kind, str) | {
    Kind.INTEGER: _number,
    Kind.DECIMAL: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.DURATION: lambda value: str(int(value.total_seconds() * 1000)),
    Kind.OPTIONS: ";".join,
}

_FROM_WIRE = dict.fromkeys(Kind, str) | {
    Kind.INTEGER: _read_integer,
    Kind.DECIMAL: _read_decimal,
    Kind.BOOLEAN: _read_boolean,
    Kind.DATE: _read_date,
    Kind.DATETIME: _read_datetime,
    Kind.OPTIONS: _read_options,
}

LEGEND = Legend(
    objects={entry.neutral: entry for entry in _OBJECTS},
    to_wire=_TO_WIRE,
    from_wire=_FROM_WIRE,
    key_field=KEY,
)
