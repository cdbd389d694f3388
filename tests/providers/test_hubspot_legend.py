"""HubSpot's legend: every neutral field has a home or a reason, and values come back as they went out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories import default_factories
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.providers.hubspot.forms import FROM_WIRE, TO_WIRE
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Field, Kind, Pipeline, Schema, Stage
from pytest_crmseed.schema.stages import names_of

SCHEMA = catalog.bundled("hubspot")
LEGEND = HubSpot.legend
TRANSLATOR = Translator(LEGEND, SCHEMA)

# The neutral fields of each object type; of the activities each has those it can have.
ACTIVITY = ("subject", "body", "at", "due_date", "status", "priority", "duration")
NEUTRAL: Mapping[str, tuple[str, ...]] = {
    "companies": (
        "name",
        "domain",
        "industry",
        "phone",
        "employees",
        "annual_revenue",
        "description",
        "street",
        "city",
        "state",
        "postal_code",
        "country",
    ),
    "contacts": (
        "first_name",
        "last_name",
        "email",
        "phone",
        "mobile_phone",
        "job_title",
        "street",
        "city",
        "state",
        "postal_code",
        "country",
        "lifecycle_stage",
    ),
    "leads": ("first_name", "last_name", "email", "phone", "company_name", "status", "source"),
    "deals": (
        "name",
        "amount",
        "currency",
        "stage",
        "pipeline",
        "close_date",
        "probability",
        "description",
    ),
    "tickets": ("subject", "description", "status", "priority"),
    "products": ("name", "sku", "price", "currency", "description", "active"),
    "line_items": ("quantity", "price", "discount"),
    "orders": (),
    **{name: ACTIVITY for name in ("notes", "tasks", "calls", "meetings")},
}


def test_there_is_a_legend_for_every_neutral_object_type_but_campaigns() -> None:
    assert LEGEND.objects.keys() == NEUTRAL.keys()
    with pytest.raises(
        UsageError,
        match=r"^HubSpot's campaigns are no object of its CRM API, so they cannot be seeded; ask for another "
        r"object type\.$",
    ):
        TRANSLATOR.canonical("campaigns")


@pytest.mark.parametrize(("name", "field"), [(name, field) for name in NEUTRAL for field in NEUTRAL[name]])
def test_a_neutral_field_has_a_home_or_a_reason(name: str, field: str) -> None:
    entry = LEGEND.objects[name]
    parts = {part for composed in entry.composed for part in composed.parts}
    assert (field in {*entry.fields, *parts}) != (field in entry.homeless)
    if field in entry.homeless:
        reason = entry.homeless[field]
        assert reason.endswith(".") and len(reason.split()) > 4
        with pytest.raises(UsageError) as refused:
            TRANSLATOR.resolve(name, field)
        assert str(refused.value) == f"{name}.{field} cannot be set: {reason}"


@pytest.mark.parametrize("name", NEUTRAL)
def test_a_home_is_a_field_that_can_be_written_and_nobody_else_s(name: str) -> None:
    entry, fields = LEGEND.objects[name], SCHEMA.object_types[LEGEND.objects[name].native].fields
    homes = [*(home.native for home in entry.fields.values()), *(each.native for each in entry.composed)]
    assert len(set(homes)) == len(homes)
    for home in homes:
        assert not fields[home].read_only, home
    for neutral, legend in entry.fields.items():
        options = {option.value for option in fields[legend.native].options}
        if not legend.role:
            assert set(legend.options.values()) <= options, neutral


@pytest.mark.parametrize("name", NEUTRAL)
def test_what_the_stock_factory_makes_has_a_home_or_a_reason(name: str) -> None:
    if name not in default_factories():
        pytest.skip("no stock factory")
    made = default_factories()[name].record_fields()
    known = {*TRANSLATOR.neutral_fields(name), *TRANSLATOR.homeless(name)}
    assert made <= known


# -- there and back ----------------------------------------------------------------------------------
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12)
days = st.dates(min_value=date(1970, 1, 1))
moments = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9998, 1, 1)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
)
durations = st.integers(min_value=0, max_value=10**10).map(lambda n: timedelta(milliseconds=n))
addresses = st.from_regex(r"[a-z]{1,8}\.[a-z0-9]{1,8}@[a-z]{1,8}\.example\.com", fullmatch=True)

BY_KIND: Mapping[Kind, st.SearchStrategy[Any]] = {
    **dict.fromkeys((Kind.STRING, Kind.TEXT, Kind.PHONE, Kind.URL), texts),
    Kind.EMAIL: addresses,
    Kind.INTEGER: st.integers(min_value=-(10**15), max_value=10**15),
    Kind.DECIMAL: decimals,
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: days,
    Kind.DATETIME: moments,
    Kind.DURATION: durations,
    Kind.REFERENCE: st.integers(min_value=1, max_value=10**12).map(str),
}


def values_of(field: Field, kind: Kind | None = None) -> st.SearchStrategy[Any]:
    """Return normal values of a field."""
    if field.kind is Kind.OPTION:
        return st.sampled_from([option.value for option in field.options])
    if field.kind is Kind.OPTIONS:
        chosen = st.lists(st.sampled_from([o.value for o in field.options]), unique=True, min_size=1)
        return chosen.map(tuple)
    return BY_KIND[kind or field.kind]


def neutral_values(name: str) -> dict[str, st.SearchStrategy[Any]]:
    """Return values for each neutral field of an object type that has a home of its own."""
    fields = SCHEMA.object_types[name].fields
    values: dict[str, st.SearchStrategy[Any]] = {}
    for neutral, home in LEGEND.objects[name].fields.items():
        if home.options:
            values[neutral] = st.sampled_from(sorted(home.options))
        elif home.role in ("stage", "status"):
            values[neutral] = st.sampled_from(names_of(home.role))
        elif home.role == "pipeline":
            values[neutral] = st.sampled_from([each.id for each in SCHEMA.object_types[name].pipelines])
        else:
            values[neutral] = values_of(fields[home.native], home.kind)
    return values


@pytest.mark.parametrize("name", NEUTRAL)
@given(data=st.data())
def test_neutral_values_come_back_as_they_went_out(name: str, data: st.DataObject) -> None:
    record = data.draw(st.fixed_dictionaries({}, optional=neutral_values(name)))
    native, problems = TRANSLATOR.to_native(name, 0, record)
    assert problems == []
    assert all(isinstance(value, str) for value in native.values())
    read = TRANSLATOR.to_neutral(name, native)
    assert {field: read[field] for field in record} == record


@pytest.mark.parametrize("name", SCHEMA.object_types)
@given(data=st.data())
def test_native_values_come_back_as_they_went_out(name: str, data: st.DataObject) -> None:
    fields = {
        field.name: values_of(field)
        for field in SCHEMA.object_types[name].fields.values()
        if not field.read_only and not field.external
    }
    wanted = data.draw(st.sets(st.sampled_from(sorted(fields)), max_size=5))
    record = {field: data.draw(fields[field]) for field in sorted(wanted)}
    native, problems = TRANSLATOR.to_native(name, 0, record)
    assert problems == []
    kinds = {field: SCHEMA.object_types[name].fields[field].kind for field in record}
    assert {field: FROM_WIRE[kinds[field]](native[field]) for field in record} == record


@given(value=durations)
def test_a_duration_is_milliseconds(value: timedelta) -> None:
    wire = TO_WIRE[Kind.DURATION](value)
    assert wire == str(round(value.total_seconds() * 1000))
    assert FROM_WIRE[Kind.DURATION](wire) == value
    # HubSpot may answer a number in any of its forms.
    assert FROM_WIRE[Kind.DURATION](f"{wire}.0") == value


# -- one by one --------------------------------------------------------------------------------------
def native(object_type: str, /, **record: Any) -> dict[str, Any]:
    out, problems = TRANSLATOR.to_native(object_type, 0, record)
    assert problems == []
    return out


def refused(object_type: str, /, **record: Any) -> list[str]:
    return [str(problem) for problem in TRANSLATOR.to_native(object_type, 0, record)[1]]


NINE = datetime(2026, 3, 31, 9, tzinfo=UTC)


def test_a_ticket() -> None:
    assert native(
        "tickets", subject="No login", description="Since noon.", status="new", priority="urgent"
    ) == {
        "subject": "No login",
        "content": "Since noon.",
        "hs_pipeline": "0",
        "hs_pipeline_stage": "1",
        "hs_ticket_priority": "URGENT",
    }
    assert native("tickets", status="waiting")["hs_pipeline_stage"] == "2"
    assert native("tickets", status="Waiting on us")["hs_pipeline_stage"] == "3"
    assert native("tickets", status="closed")["hs_pipeline_stage"] == "4"
    assert TRANSLATOR.to_neutral("tickets", {"hs_pipeline_stage": "3"}) == {"status": "waiting"}


def test_a_lead_has_one_name_for_person_and_company() -> None:
    def name(**record: Any) -> Any:
        return native("leads", **record).get("hs_lead_name")

    assert name(first_name="Ada", last_name="Byron", company_name="Engines") == "Ada Byron - Engines"
    assert name(first_name="Ada", last_name="Byron") == "Ada Byron"
    assert name(last_name="Byron", company_name="Engines") == "Byron - Engines"
    assert name(company_name="Engines") == "Engines"
    assert name(status="new") is None
    # The portal's own name for it wins.
    assert name(first_name="Ada", hs_lead_name="The countess") == "The countess"


def test_a_product_that_is_not_on_sale() -> None:
    made = native("products", name="Engine", sku="E-1", price=Decimal("9.90"), active=False)
    assert made == {"name": "Engine", "hs_sku": "E-1", "price": "9.90", "hs_status": "inactive"}
    assert native("products", active=True) == {"hs_status": "active"}
    for active in (True, False):
        assert TRANSLATOR.to_neutral("products", native("products", active=active)) == {"active": active}
    assert TRANSLATOR.to_neutral("products", {"hs_status": ""}) == {"active": None}


def test_an_order_and_a_line_item() -> None:
    assert native("orders", name="Order 7", amount=Decimal("12.50"), currency="EUR") == {
        "hs_order_name": "Order 7",
        "hs_total_price": "12.50",
        "hs_currency_code": "EUR",
    }
    assert native("line_items", quantity=3, price=Decimal("2.50"), discount=1) == {
        "quantity": "3",
        "price": "2.50",
        "discount": "1",
    }


def test_a_note() -> None:
    assert native("notes", body="Called back.", at=NINE) == {
        "hs_note_body": "Called back.",
        "hs_timestamp": "2026-03-31T09:00:00.000Z",
    }


def test_a_task_is_due_on_a_day() -> None:
    made = native(
        "tasks",
        subject="Call",
        body="Again",
        due_date=date(2026, 3, 31),
        status="not_started",
        priority="high",
    )
    assert made == {
        "hs_task_subject": "Call",
        "hs_task_body": "Again",
        "hs_timestamp": "2026-03-31T00:00:00.000Z",
        "hs_task_status": "NOT_STARTED",
        "hs_task_priority": "HIGH",
    }
    # The hour is HubSpot's to give, not the neutral field's.
    assert TRANSLATOR.to_neutral("tasks", {"hs_timestamp": "2026-03-31T17:30:00Z"}) == {
        "due_date": date(2026, 3, 31)
    }
    assert refused("tasks", priority="urgent") == [
        "tasks[0].priority (hs_task_priority) = 'urgent': is not one of the options. Allowed: NONE, "
        "LOW, MEDIUM, HIGH. If the portal has it all the same, write native={'hs_task_priority': 'urgent'}"
    ]


def test_a_call_lasts_milliseconds() -> None:
    made = native("calls", subject="Hello", at=NINE, duration=timedelta(minutes=2), status="no_answer")
    assert made == {
        "hs_call_title": "Hello",
        "hs_timestamp": "2026-03-31T09:00:00.000Z",
        "hs_call_duration": "120000",
        "hs_call_status": "NO_ANSWER",
    }


def test_a_meeting_starts_at_its_time_and_ends_after_its_duration() -> None:
    made = native("meetings", subject="Demo", at=NINE, duration=timedelta(minutes=45), status="scheduled")
    assert made == {
        "hs_meeting_title": "Demo",
        "hs_timestamp": "2026-03-31T09:00:00.000Z",
        "hs_meeting_start_time": "2026-03-31T09:00:00.000Z",
        "hs_meeting_end_time": "2026-03-31T09:45:00.000Z",
        "hs_meeting_outcome": "SCHEDULED",
    }
    assert "hs_meeting_end_time" not in native("meetings", at=NINE)
    # A time of its own wins.
    later = native("meetings", at=NINE, hs_meeting_start_time=NINE + timedelta(hours=1))
    assert later["hs_meeting_start_time"] == "2026-03-31T10:00:00.000Z"


@given(at=moments, duration=durations)
def test_a_meeting_s_duration_comes_back(at: datetime, duration: timedelta) -> None:
    made = native("meetings", at=at, duration=duration)
    assert TRANSLATOR.to_neutral("meetings", made) == {"at": at, "duration": duration}


def test_a_meeting_that_cannot_be_said() -> None:
    def last(**record: Any) -> str:
        (problem,) = refused("meetings", **record)
        return problem.partition(": ")[2]

    assert last(duration=timedelta(hours=1)) == (
        "needs a value for at too: HubSpot keeps when a meeting ends, not how long it lasts"
    )
    end = datetime.combine(date.max, time(12), UTC)
    assert last(at=end, duration=timedelta(days=1)) == "ends after the year 9999"
    assert last(at=NINE, duration=30) == "takes a timedelta, as timedelta(minutes=30), not int"


def test_a_meeting_read_without_an_end_has_no_duration() -> None:
    read = {"hs_timestamp": "2026-03-31T09:00:00Z", "hs_meeting_end_time": None}
    assert TRANSLATOR.to_neutral("meetings", read) == {"at": NINE, "duration": None}
    read["hs_meeting_end_time"] = "soon"
    assert TRANSLATOR.to_neutral("meetings", read)["duration"] is None


# -- stages of leads ---------------------------------------------------------------------------------
def lead_stage(pipelines: tuple[Pipeline, ...], **record: Any) -> tuple[Any, Any, list[str]]:
    leads = replace(SCHEMA.object_types["leads"], pipelines=pipelines)
    schema = Schema("hubspot", {**SCHEMA.object_types, "leads": leads}, source="live", complete=True)
    out, problems = Translator(LEGEND, schema).to_native("leads", 0, record)
    return out.get("hs_pipeline"), out.get("hs_pipeline_stage"), [str(problem) for problem in problems]


STOCK = SCHEMA.object_types["leads"].pipelines[0]
OWN = Pipeline(
    "77",
    "Partners",
    (Stage("771", "Neu", 0), Stage("772", "Attempting", 1), Stage("773", "Fertig", 2, closed=True)),
)


@pytest.mark.parametrize("status", ["new", "attempting", "connected", "qualified", "unqualified"])
def test_a_lead_s_status_is_hubspot_s_own_stage_wherever_the_portal_has_it(status: str) -> None:
    here: tuple[str, str, list[str]] = ("lead-pipeline-id", f"{status}-stage-id", [])
    assert lead_stage((STOCK,), status=status) == here
    assert lead_stage((OWN, STOCK), status=status) == here
    assert TRANSLATOR.to_neutral("leads", {"hs_pipeline_stage": here[1]}) == {"status": status}


def test_a_lead_s_status_where_the_portal_has_stages_of_its_own_only() -> None:
    assert lead_stage((OWN,), status="new") == ("77", "771", [])
    assert lead_stage((OWN,), status="attempting") == ("77", "772", [])
    assert lead_stage((OWN,), status="closed") == ("77", "773", [])
    assert lead_stage((OWN, STOCK), status="new", pipeline="Partners") == ("77", "771", [])
    assert lead_stage((OWN,), status="qualified") == (
        "77",
        None,
        [
            "leads[0].status (hs_pipeline_stage) = 'qualified': no such stage in pipeline 'Partners'. "
            "Neutral stages: new, attempting, connected, qualified, unqualified; this portal has "
            "771 (Neu), 772 (Attempting), 773 (Fertig)"
        ],
    )


# -- a portal that lacks a stock property ------------------------------------------------------------
def test_a_neutral_field_whose_home_a_portal_lacks_is_refused_and_not_generated() -> None:
    products = SCHEMA.object_types["products"]
    lacking = {n: f for n, f in products.fields.items() if n not in ("hs_status", "hs_sku")}
    object_types = {**SCHEMA.object_types, "products": replace(products, fields=lacking)}
    live = Translator(LEGEND, Schema("hubspot", object_types, source="live", complete=True))
    assert live.neutral_fields("products") == ("name", "price", "description")
    for field, native in (("active", "hs_status"), ("sku", "hs_sku")):
        with pytest.raises(
            UsageError, match=rf"^products\.{field} cannot be set: the portal has no field '{native}'\.$"
        ):
            live.resolve("products", field)
    # A schema that is not complete cannot tell.
    bundled = Translator(LEGEND, Schema("hubspot", object_types))
    assert bundled.neutral_fields("products") == ("name", "sku", "price", "description", "active")
